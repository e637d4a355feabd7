"""How figures look: one colour and one line style for each optimizer everywhere, safe for colour-blind readers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

# Okabe and Ito (2008), "Color universal design", without yellow, which is too pale for lines
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (5, 1.5, 1.2, 1.5)))

PAPER: dict[Any, Any] = {
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "legend.fontsize": 7.5,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "lines.linewidth": 1.3,
    "grid.linewidth": 0.4,
    "grid.color": "#dddddd",
    "legend.frameon": False,
    "figure.dpi": 100,
    "savefig.dpi": 200,
    "pdf.fonttype": 42,
    "svg.fonttype": "none",
}
WIDTH = 7.0  # inches: two columns of a paper


def looks(labels: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Label -> keywords of `Axes.plot`: neighbours differ in colour and in line style, and no two labels of 28 look alike."""
    pairs = [(COLOURS[i % len(COLOURS)], DASHES[(i + i // len(COLOURS)) % len(DASHES)]) for i in range(len(COLOURS) * len(DASHES))]
    pairs = list(dict.fromkeys(pairs)) + [p for p in product(COLOURS, DASHES) if p not in pairs]
    return {label: {"color": pairs[i % len(pairs)][0], "linestyle": pairs[i % len(pairs)][1]} for i, label in enumerate(labels)}
