"""How figures look: one colour and one line style for each optimizer everywhere, safe for colour-blind readers; on paper and on slides."""

from __future__ import annotations

import contextlib
import re
import textwrap
import warnings
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatterSciNotation, LogLocator, NullFormatter, StrMethodFormatter

from studies.analysis.intervals.proportions import clopper_pearson
from studies.results.arms import labels, never_asked, words_on_silent
from studies.schema import DIMS

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
MANY = len(COLOURS) * len(DASHES)  # looks that can be told apart
THIN: dict[str, Any] = {"linewidth": 0.5, "alpha": 0.6}
UNSURE: dict[str, Any] = {
    "facecolor": "none",
    "hatch": "//////",
    "linewidth": 0,
    "alpha": 0.6,
}  # of shares, where hits are known to intervals
BANDS = 7  # arms on one panel, above which bands would hide one another
WIDTH = 7.0  # inches: two columns of a paper
COLUMN = 3.4  # one column
# a slide is seen from afar: little is laid out on it, and all of it is enlarged, to text of 20 points on a
# screen 13 inches wide
SLIDE = 5.0
SLIDES: dict[Any, Any] = PAPER | {
    "lines.linewidth": 1.6,
    "axes.linewidth": 0.8,
    "grid.linewidth": 0.5,
    "savefig.dpi": 384,
}
STYLES = {"paper": (PAPER, WIDTH), "slides": (SLIDES, SLIDE)}  # settings of Matplotlib, width in inches

ALONG = r"(, [^,=]+ = [^=]*)+$"  # behind an optimizer in the label of an arm: ", axis = value"
LETTER = 0.6 / 72  # inches: the mean width of a letter of one point, a little more than measured


@contextlib.contextmanager
def any_letter() -> Iterator[None]:
    """A letter that the font lacks, as an emoji in a label, is drawn as a box, and nothing is said of it."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        yield


def arm_looks(dataset: xr.Dataset) -> dict[str, dict[str, Any]]:
    """A look for each arm that has numbers, the same when others fail.

    For each optimizer where arms are so many that some would look alike.
    """
    names, there = labels(dataset, every=True), labels(dataset)
    if len(names) > MANY:
        return looks([str(name) for name in dataset["optimizer"].values])
    return {name: look for name, look in looks(names).items() if name in there}


def looks(names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Label -> keywords of `Axes.plot`, for optimizers, or arms: "optimizer, axis = value".

    Neighbours differ in colour and in line style, and no two optimizers of 28 look alike. Arms of one
    optimizer have its colour: the next line styles, then paler ones.
    """
    named: dict[str, list[str]] = {}
    for label in names:
        named.setdefault(re.sub(ALONG, "", label), []).append(label)
    whole = _looks(list(named))
    found = {
        label: _varied(whole[name], place) for name, arms in named.items() for place, label in enumerate(arms)
    }
    return {label: found[label] for label in names}


def _varied(look: dict[str, Any], place: int) -> dict[str, Any]:
    """The look of an optimizer's next arm."""
    if place == 0:
        return look
    pale = min(0.7, 0.3 * (place // len(DASHES)))
    colour = (
        tuple(float(part + pale * (1 - part)) for part in to_rgb(look["color"])) if pale else look["color"]
    )
    return {"color": colour, "linestyle": DASHES[(DASHES.index(look["linestyle"]) + place) % len(DASHES)]}


def _looks(names: Sequence[str]) -> dict[str, dict[str, Any]]:
    pairs = [
        (COLOURS[i % len(COLOURS)], DASHES[(i + i // len(COLOURS)) % len(DASHES)])
        for i in range(len(COLOURS) * len(DASHES))
    ]
    pairs = list(dict.fromkeys(pairs)) + [p for p in product(COLOURS, DASHES) if p not in pairs]
    return {
        label: {"color": pairs[i % len(pairs)][0], "linestyle": pairs[i % len(pairs)][1]}
        for i, label in enumerate(names)
    }


def across(names: Sequence[str], width: float) -> int:
    """Columns of a legend of these labels that fit into so many inches, >= 1."""
    each = 0.5 + 7.5 * LETTER * max(map(len, names), default=0)
    return max(1, min(len(names), int((width - 0.3) / each)))


def wrapped(text: str, inches: float, points: float = 8.0) -> str:
    """The text on as many lines as it needs to be no wider than so many inches."""
    return textwrap.fill(text, max(8, int(inches / (LETTER * points))), break_on_hyphens=False)


def look(looks: dict[str, dict[str, Any]], label: str, arm: xr.Dataset) -> dict[str, Any]:
    """The look of an arm: its own, or, where arms are too many, a thin line as its optimizer's."""
    return looks[label] if label in looks else looks[str(arm["optimizer"].item())] | THIN


def each(dataset: xr.Dataset, looks: dict[str, dict[str, Any]]) -> str:
    """A word on arms that have no look of their own, or none."""
    axes = [str(dim) for dim in dataset["loss"].dims if dim not in DIMS]
    return "" if set(labels(dataset)) <= set(looks) else f"; a line for each value of {', '.join(axes)}"


def worlds(number: int, interval: str = "") -> str:
    """How many worlds there are, and, where there is more than one, what tells how sure their mean is."""
    return "one world" if number == 1 else f"{number} worlds{interval}"


def decades(axis: Axis, most: int = 6) -> None:
    """Ticks of a log axis that are numbers one can read.

    Powers of ten, and 2 and 5 between them where there are few.
    """
    axis.set_major_locator(LogLocator(numticks=most))
    axis.set_minor_formatter(LogFormatterSciNotation(minor_thresholds=(1.5, 0.5)))
    axis.set_tick_params(which="minor", labelsize=6)


def decades_across(axes: Axes, inches: float) -> None:
    """Ticks of a horizontal log axis, as many as have room.

    Powers of ten, or 1, 2 and 5 where they are less than one and a half decades.
    """
    low, high = axes.get_xlim()
    most = max(2, int(inches / 0.34))
    span = np.log10(high / low)
    steps = next((subs for subs in ((1, 2, 5), (1, 3)) if len(subs) * span <= most), (1,))
    axes.xaxis.set_major_locator(
        LogLocator(subs=steps, numticks=max(most, 3)) if span < 1.5 else LogLocator(numticks=most)
    )
    axes.xaxis.set_minor_formatter(NullFormatter())
    if span < 1.5:
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))


def costs(axes: Axes, most: int = 6) -> None:
    """A horizontal log axis of costs.

    Powers of ten, or 1, 2 and 5 times them where there is hardly one within.
    """
    axes.set_xscale("log")
    low, high = axes.get_xlim()
    narrow = high < 30 * low
    axes.xaxis.set_major_locator(
        LogLocator(subs=(1, 2, 5) if narrow else (1,), numticks=2 * most if narrow else most)
    )
    axes.xaxis.set_minor_formatter(NullFormatter())
    if narrow:
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))


def short(value: float) -> str:
    """A number in at most two digits, as a person writes it: 1e-8, 0.02, 350."""
    text = f"{value:.2g}"
    mantissa, _, exponent = text.partition("e")
    return f"{mantissa}e{int(exponent)}" if exponent else text


def note(axes: Axes, lines: Sequence[str], inches: float) -> int:
    """Say something in small letters above the Axes, below their title.

    Returns by how many points the title has to make room.
    """
    text = "\n".join(wrapped(line, inches, 6.5) for line in lines)
    if text:
        axes.annotate(
            text, (0, 1), (0, 2), "axes fraction", "offset points", fontsize=6.5, color="#555555", va="bottom"
        )
    return 4 + 9 * (text.count("\n") + 1) * bool(text)


def inside(share: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The interval of a share as a band.

    Of no width at 0 and 1, where it would jump to what so few worlds cannot rule out.
    """
    sure = (share == 0) | (share == 1)
    return np.where(sure, share, low), np.where(sure, share, high)


def bands(figure: Figure, dataset: xr.Dataset) -> str:
    """A word on the bands of shares in a figure, or none where none is drawn."""
    drawn = any(
        isinstance(one, PolyCollection) and one.get_gid() != "earliest"
        for axes in figure.axes
        for one in axes.collections
    )
    numbers = np.unique(dataset.coords["instance"].values) if "instance" in dataset.coords else np.array([])
    units = len(numbers) if len(numbers) > 1 else dataset.sizes["replicate"]
    most = float(clopper_pearson(np.array(0.0), np.array(float(units)))[1])
    return (
        f"; bands: 95 % intervals, not drawn at 0 and 100 %, where it is {most:.0%} wide"
        if drawn and dataset.sizes["replicate"] > 1
        else ""
    )


def silent(dataset: xr.Dataset) -> str:
    """A word on the arms that never asked for a value, and so are in no comparison; or none."""
    pairs = never_asked(dataset)
    names = [label if dataset.sizes["landscape"] == 1 else f"{label} on {place}" for place, label in pairs]
    return f"; {words_on_silent(names, 'not shown', 3)}" if names else ""


def nothing(axes: Axes, text: str) -> None:
    """Say on Axes that are empty why they are."""
    back = {"facecolor": "white", "edgecolor": "none", "pad": 1}
    axes.text(
        0.5,
        0.5,
        text,
        transform=axes.transAxes,
        ha="center",
        va="center",
        color="#555555",
        fontsize=7,
        bbox=back,
    )
