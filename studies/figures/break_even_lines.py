"""Break-even price along a swept axis: below a line the one with more gradients is ahead, above the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from xarray import Dataset

from studies.analysis.price.crossing import VERDICTS
from studies.figures import panels, style
from studies.figures.facets import logarithmic, numeric, words
from studies.figures.style import Look, Looks
from studies.results.arms import places

FIRST, SECOND = VERDICTS[:2]
EDGES = {  # verdict -> where the price is, height on the vertical axis, mark
    FIRST: ("above all prices", 1.0, "^"),
    SECOND: ("below all prices", 0.0, "v"),
}
EDGE: Look = {"ls": "", "ms": 5, "mfc": "white", "clip_on": False, "zorder": 4}
MARKERS = "osD^vPX*"
INSIDE: Look = {"fontsize": 7, "color": style.WORDS}


class Rivals(NamedTuple):
    """Two optimizers on a landscape, along an axis."""

    title: str
    prices: Dataset  # of `studies.analysis.price.break_even`
    axis: str
    levels: tuple[str, ...]  # the other axes

    def lines(self) -> list[tuple[str, Dataset]]:
        """A label, and the prices along the axis, for each value of the other axes."""
        every = [self.prices.isel(place) for place in places(self.prices, list(self.levels))]
        return [(words({axis: line[axis].item() for axis in self.levels}), line) for line in every]


def axis_of(prices: Dataset, axes: Sequence[str]) -> str | None:
    """The axis of numbers with most values, at least two, along which a line can go."""
    long = [axis for axis in axes if numeric(prices[axis].values) and prices.sizes[axis] > 1]
    return max(long, key=lambda axis: prices.sizes[axis], default=None)


def looks(names: Sequence[str]) -> Looks:
    """Shades from light to dark, with marks that grey prints keep."""
    shades = style.shades(len(names))
    return {
        name: {"color": shade, "marker": MARKERS[place % len(MARKERS)]}
        for place, (name, shade) in enumerate(zip(names, shades, strict=True))
    }


def draw(rivals: Rivals, axes: Axes, by_label: Looks, inches: float) -> Axes:
    """Draw the price of each level along the axis, with its interval, and return the Axes.

    Args:
        rivals: what is drawn.
        axes: where.
        by_label: label of a level -> keywords of `Axes.plot`.
        inches: of the width of the Axes.
    """
    price = rivals.prices["price"].values
    axes.set_yscale("log")
    axes.set_ylim(price[0], price[-1])
    along = rivals.prices[rivals.axis].values
    for label, line in rivals.lines():
        _line(line, axes, along, {"label": label, **by_label[label]})
    if logarithmic(along):
        axes.set_xscale("log")
    panels.numbers(axes.yaxis, (1.0, 2.0, 5.0), 8)
    panels.at_values(axes.xaxis, np.unique(along), inches)
    panels.rules(axes)
    _say_who(rivals, axes, inches)
    return axes


def _say_who(rivals: Rivals, axes: Axes, inches: float) -> None:
    """Who is ahead above and below the lines, in the corners from which they lead away."""
    of_axis = rivals.prices["break_even"].median(list(rivals.levels)).dropna(rivals.axis).values
    falls = not of_axis.size or of_axis[0] >= of_axis[-1]
    right, left = (0.97, "right"), (0.03, "left")
    for side, high in (("second", True), ("first", False)):
        place, align = right if high == falls else left
        text = style.wrapped(f"{rivals.prices.attrs[side]} ahead", inches - 0.1, 7, 1)
        height, edge = (0.97, "top") if high else (0.03, "bottom")
        axes.text(place, height, text, transform=axes.transAxes, va=edge, ha=align, **INSIDE)


def _line(line: Dataset, axes: Axes, along: np.ndarray, look: Look) -> None:
    """The price of one level: a line with a ribbon; a mark at an edge where one is ahead at all prices.

    Args:
        line: the prices.
        axes: with a vertical axis from the lowest to the highest price.
        along: (N,) the values of the axis.
        look: keywords of `Axes.plot`.
    """
    lowest, highest = axes.get_ylim()
    price = line["break_even"].values
    low, high = np.clip(panels.ends(line, "break_even"), lowest, highest)
    axes.fill_between(along, low, high, color=look["color"], alpha=0.15, lw=0)
    axes.plot(along, price, ms=3.5, **look)
    verdict = line["verdict"].values
    for name, (_, height, mark) in EDGES.items():
        where = along[verdict == name]
        if len(where):
            edge = {"color": look["color"], "marker": mark, "gid": name}
            axes.plot(
                where, np.full(len(where), height), transform=axes.get_xaxis_transform(), **EDGE | edge
            )
