"""Effects of switching sources of randomness on: which helps, which hurts, on which landscape.

And how two of them go together.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations, cycle
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from xarray import Dataset

from studies.analysis.comparison import factorial as analysis
from studies.figures import layout, legends, panels, style
from studies.figures.style import Look, Looks
from studies.results.arms import dims_beside

ROW = 0.105  # inches for one dot
BETWEEN = 0.9  # of it between two groups of dots
TWO = 5.0  # inches that two columns need
DIMS = ("landscape", "optimizer", "factor")
MARKS = "osD^vP*"
EFFECTS = "effect of switching on ({unit})\n< 0 helps, > 0 hurts"
INTERACTIONS = "interaction ({unit})\n< 0 better together, > 0 worse"
INTERVAL: Look = {"lw": 1, "solid_capstyle": "butt"}


class Dot(NamedTuple):
    """An effect and its interval."""

    value: float
    low: float
    high: float


Row = tuple[str, dict[str, Dot]]  # source or pair, of each optimizer that it touches


class Part(NamedTuple):
    """What is drawn of one landscape."""

    name: str
    effects: Dataset
    mains: list[Row]
    pairs: list[Row]


def factorial(dataset: Dataset, width: float = style.WIDTH) -> Figure:
    """The figure of a whole Dataset.

    Landscapes below one another, effects at the left, interactions at the right, or below where it is narrow.

    Args:
        dataset: a study's results with `factors`, and no other swept axis.
        width: inches.
    """
    effects = analysis.effects(dataset)
    _check_no_sweep(effects)
    looks = _looks(style.optimizers(effects))
    parts = [Part(name, part, mains(part), pairs(part)) for name, part in panels.landscapes(effects)]
    columns = 2 if width >= TWO else 1
    heights = _heights(parts, columns)
    figure = Figure(layout="constrained")
    grid = figure.subplots(len(heights), columns, squeeze=False, height_ratios=heights)
    for part, both in zip(parts, grid.reshape(-1, 2), strict=True):
        _draw(part, both, looks, 0.7 * width / columns)
        panels.title(both[0], part.name, width / 2)
    height = sum(heights) + 0.75 * len(heights) + 0.28
    return legends.finish(figure, legends.lines(looks, ls=""), _said(dataset), width, height)


def _said(dataset: Dataset) -> str:
    """What is drawn, in words."""
    worlds = legends.of_worlds(dataset, ", 95 % intervals")
    return f"mean of {worlds}; other sources on and off in equal parts"


def _heights(parts: list[Part], columns: int) -> list[float]:
    """Inches of each row of panels."""
    heights = [_height(rows) for part in parts for rows in (part.mains, part.pairs)]
    return layout.highest(heights, columns)


def _draw(
    part: Part,
    both: np.ndarray,
    looks: Looks,
    inches: float,
) -> None:
    """Effects and interactions of one landscape on two Axes; `inches`: what labels may take."""
    unit = "decades of the gap" if bool(part.effects["logarithmic"].any()) else "loss"
    for rows, axes, words in zip((part.mains, part.pairs), both, (EFFECTS, INTERACTIONS), strict=True):
        dots(rows, looks, axes).set_xlabel(_wrapped(words.format(unit=unit), inches))


def _check_no_sweep(effects: Dataset) -> None:
    more = dims_beside(effects["effect"], *DIMS)
    if more:
        raise ValueError(
            f"factorial: expected a study that sweeps nothing beside its factors, got {', '.join(more)};"
            " select one value of each"
        )


def _looks(names: list[str]) -> Looks:
    """Keywords of a dot: the colour that an optimizer has everywhere, and a mark of its own."""
    return {
        name: {"color": look["color"], "marker": mark, "ms": 3.2}
        for (name, look), mark in zip(style.looks(names).items(), cycle(MARKS))
    }


def _wrapped(text: str, inches: float) -> str:
    """Each line of the text no wider than so many inches."""
    return "\n".join(style.wrapped(line, inches) for line in text.split("\n"))


def _height(rows: list[Row]) -> float:
    """Inches of a panel."""
    return max(0.3, ROW * (sum(len(dots) for _, dots in rows) + BETWEEN * len(rows)) + 0.05)


def mains(part: Dataset) -> list[Row]:
    """A row for each source that some optimizer has, of the effects on one landscape."""
    names = part["factor"].values
    return _with_dots((str(name), _dots(part, "effect", factor=name)) for name in names)


def pairs(part: Dataset) -> list[Row]:
    """A row for each pair of sources that some optimizer has, of the interactions on one landscape."""
    return _with_dots(
        (f"{first} $\\times$ {second}", _dots(part, "interaction", factor=first, other=second))
        for first, second in combinations(part["factor"].values, 2)
    )


def _with_dots(rows: Iterable[Row]) -> list[Row]:
    """The rows of what touches some optimizer."""
    return [(label, dots) for label, dots in rows if dots]


def _dots(part: Dataset, name: str, **at: str) -> dict[str, Dot]:
    """The numbers of the optimizers that the sources touch."""
    dots = {}
    for optimizer in part["optimizer"].values:
        mine = part[[name, f"{name}_interval"]].sel(at).sel(optimizer=optimizer)
        if np.isfinite(mine[name]):
            dots[str(optimizer)] = Dot(*panels.with_interval(mine, name))
    return dots


def dots(rows: list[Row], looks: Looks, axes: Axes) -> Axes:
    """Values with intervals, from the top down; optimizers of a row below one another."""
    place, ticks = 0.0, []
    for number, (_, of_row) in enumerate(rows):
        if number:
            axes.axhline(place - 0.95, color=style.RULE, lw=0.4)
        _group(axes, place, of_row, looks)
        ticks.append(place + (len(of_row) - 1) / 2)
        place += len(of_row) + BETWEEN
    axes.set(yticks=ticks, yticklabels=[label for label, _ in rows])
    _finish(axes, place - BETWEEN + 0.2)
    if not rows:
        _empty(axes)
    return axes


def _finish(axes: Axes, lowest: float) -> None:
    """A line at 0, and a vertical axis from the top down to so far."""
    axes.axvline(0.0, **style.DASHED, zorder=0)
    axes.set_ylim(lowest, -0.8)
    axes.tick_params(axis="y", length=0)


def _group(
    axes: Axes,
    place: float,
    of_row: dict[str, Dot],
    looks: Looks,
) -> None:
    """The dots of a row, the first at this place, with their intervals."""
    for number, (name, dot) in enumerate(of_row.items()):
        look, y = looks[name], place + number
        axes.plot([dot.low, dot.high], [y, y], color=look["color"], **INTERVAL)
        axes.plot(dot.value, y, ls="", **look)


def _empty(axes: Axes) -> None:
    panels.nothing(axes, "none")
    axes.set(xticks=[], ylim=(1, 0))
