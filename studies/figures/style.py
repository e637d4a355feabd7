"""How figures look: one colour and one line style for each optimizer everywhere, safe for colour-blind readers; on paper and on slides."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from itertools import product
from typing import Any

from matplotlib.colors import to_rgb

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
    "pdf.fonttype": 42,  # TrueType, embedded: publishers reject the default, and text stays text
    "ps.fonttype": 42,
    "svg.fonttype": "path",  # a viewer without our font shows the same
}
WIDTH = 7.0  # inches: two columns of a paper
COLUMN = 3.4  # one column
SLIDE = 5.0  # a slide is seen from afar: little is laid out on it, and all of it is enlarged, to text of 20 points on a screen 13 inches wide
SLIDES: dict[Any, Any] = PAPER | {"lines.linewidth": 1.6, "axes.linewidth": 0.8, "grid.linewidth": 0.5, "savefig.dpi": 384}
STYLES = {"paper": (PAPER, WIDTH), "slides": (SLIDES, SLIDE)}  # settings of Matplotlib, width in inches

LETTER = 0.6 / 72  # inches: the mean width of a letter of one point, a little more than measured


def looks(labels: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Label -> keywords of `Axes.plot`, for optimizers, or arms: "optimizer, axis = value".

    Neighbours differ in colour and in line style, and no two optimizers of 28 look alike. Arms of one optimizer have its colour: the next
    line styles, then paler ones.
    """
    named: dict[str, list[str]] = {}
    for label in labels:
        named.setdefault(label.partition(", ")[0], []).append(label)
    whole = _looks(list(named))
    found = {label: _varied(whole[name], place) for name, arms in named.items() for place, label in enumerate(arms)}
    return {label: found[label] for label in labels}


def _varied(look: dict[str, Any], place: int) -> dict[str, Any]:
    """The look of an optimizer's next arm."""
    if place == 0:
        return look
    pale = min(0.7, 0.3 * (place // len(DASHES)))
    colour = tuple(float(part + pale * (1 - part)) for part in to_rgb(look["color"])) if pale else look["color"]
    return {"color": colour, "linestyle": DASHES[(DASHES.index(look["linestyle"]) + place) % len(DASHES)]}


def _looks(labels: Sequence[str]) -> dict[str, dict[str, Any]]:
    pairs = [(COLOURS[i % len(COLOURS)], DASHES[(i + i // len(COLOURS)) % len(DASHES)]) for i in range(len(COLOURS) * len(DASHES))]
    pairs = list(dict.fromkeys(pairs)) + [p for p in product(COLOURS, DASHES) if p not in pairs]
    return {label: {"color": pairs[i % len(pairs)][0], "linestyle": pairs[i % len(pairs)][1]} for i, label in enumerate(labels)}


def across(labels: Sequence[str], width: float) -> int:
    """Columns of a legend of these labels that fit into so many inches, >= 1."""
    each = 0.5 + 7.5 * LETTER * max(map(len, labels), default=0)
    return max(1, min(len(labels), int((width - 0.3) / each)))


def wrapped(text: str, inches: float, points: float = 8.0) -> str:
    """The text on as many lines as it needs to be no wider than so many inches."""
    return textwrap.fill(text, max(8, int(inches / (LETTER * points))), break_on_hyphens=False)
