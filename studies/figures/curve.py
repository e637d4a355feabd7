"""A quantity of worlds against an axis or a clock, with intervals, in panels: whatever was swept.

`y` is a quantity, as `python -m studies.ask` takes it; `x` an axis of the sweep, `optimizer` or `landscape`,
or a clock: cost, steps, epochs, virtual_time or seconds, along the checkpoints. The dims that are neither go
to `hue` (lines), `columns` and `rows` (panels). An axis is logarithmic where its values are spaced by factors
or, with their intervals, span a factor of 30. What is infinite, such as the cost of a hit that never came, is
a triangle at the upper edge.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle
from typing import NamedTuple

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from xarray import DataArray, Dataset

from studies.analysis.quantities.evaluate import quantity
from studies.figures import clocks, layout, legends, line_ends, panels, style
from studies.figures.clocks import CLOCKS, along
from studies.figures.facets import (
    GRID,
    Facets,
    Place,
    as_numbers,
    dim_of,
    dims,
    facets,
    finite,
    logarithmic,
    numeric,
    touched,
    words,
)
from studies.figures.layout import Grid
from studies.figures.style import Look, Looks

PANEL, LEAST = 1.75, 1.55  # inches: the height of a panel, its least width
MARKERS = "osD^vPX*"
NEVER: Look = {"marker": "^", "ls": "", "mfc": "white", "ms": 5, "clip_on": False, "zorder": 4}
TOP = 1e12  # times the median, up to which numbers are shown
SPAN = 1e16  # ratio of the ends of a log axis, at most
BEYOND = 1e3  # times what is drawn: beyond the edge
ASIDE = 0.5  # of the place of a text, over which the values of several lines are spread


class Line(NamedTuple):
    """What is drawn of one line."""

    x: np.ndarray  # (N,)
    y: np.ndarray  # (N,) inf: never; NaN: no number
    low: np.ndarray  # (N,)
    high: np.ndarray  # (N,)

    def only(self, where: np.ndarray) -> Line:
        """The numbers at some places (N,)."""
        return Line(*(numbers[where] for numbers in self))


Named = Sequence[tuple[str, Line]]  # lines with their labels


class Drawing(NamedTuple):
    """What all panels of a figure share."""

    numbers: Dataset  # quantity, its interval, x
    at: Facets
    looks: Looks
    y: str  # the quantity
    x: str


# the whole figure -------------------------------------------------------------------------------------------


def curve(
    dataset: Dataset,
    width: float = style.WIDTH,
    *,
    x: str | None = None,
    y: str = "median(loss)",
    hue: str | None = None,
    rows: str | None = None,
    columns: str | None = None,
    label: str | None = None,
) -> Figure:
    """The figure of a quantity.

    Args:
        dataset: a study's results.
        width: inches.
        x: an axis, or a clock; None: the first axis of numbers, or the cost where nothing is swept.
        y: the quantity.
        hue: the dim whose values are lines; None: the first that is left, optimizers before landscapes.
        rows: the dim whose values are rows of panels.
        columns: the dim whose values are columns of panels.
        label: of the vertical axis; None: the quantity.

    Raises:
        ValueError: the results have no such axis, clock or quantity.
    """
    drawing = asked(dataset, x=x, y=y, hue=hue, rows=rows, columns=columns)
    places = drawing.at.places(drawing.numbers)
    figure = Figure(layout="constrained")
    across = _across(drawing, len(places), width)
    grid = layout.laid_out(figure, len(places), across, width)
    for axes, place in zip(grid.panels, places, strict=True):
        panel(drawing, axes, place, grid.inches - 0.6)
        panels.title(axes, words(place), 0.85 * (grid.inches - 0.5))
    _finish(grid, drawing, label or y)
    handles, inches = _handles(drawing, figure), PANEL * grid.lines + 0.75
    alone = bool(handles) and not legends.has_line(figure.axes, "never")
    if alone and line_ends.named(grid.panels, drawing.looks, (grid.inches, PANEL)):
        handles = []
    return legends.finish(figure, handles, _said(drawing, dataset), width, inches)


def _across(drawing: Drawing, number: int, width: float) -> int:
    """Columns of panels: those of the figure, where they fit and there are rows too."""
    fit = layout.abreast(number, width, LEAST)
    if None in drawing.at.apart:
        return fit
    own = drawing.numbers.sizes[drawing.at.columns]
    return min(own, fit)


def asked(dataset: Dataset, *, x: str | None, y: str, **given: str | None) -> Drawing:
    """The numbers of a figure, and where they go.

    Args:
        dataset: a study's results.
        x: an axis or a clock.
        y: the quantity.
        given: hue, rows, columns.
    """
    names = dims(dataset)
    x = dim_of(x or _first_swept(dataset, names), names, "curve", [*CLOCKS])
    numbers = along(dataset, y, x) if x in CLOCKS and x not in names else quantity(dataset, y)
    numbers = touched(numbers, [x, *given.values()])
    if "checkpoint" in numbers.dims:
        at = facets(numbers, {"x": None} | given, "curve", within=["checkpoint"])
        axis = clocks.label(x)
    else:
        at = _on_axis(numbers, x, y, given)
        axis = x
    return Drawing(at.kept(numbers), at, _looks(dataset, numbers, at.hue), y, axis)


def _first_swept(dataset: Dataset, names: Sequence[str]) -> str:
    """The first axis of numbers; the cost where nothing is swept."""
    for dim in names:
        if dim not in GRID and numeric(dataset[dim].values):
            return dim
    return "cost"


def _on_axis(
    numbers: Dataset,
    axis: str,
    y: str,
    given: dict[str, str | None],
) -> Facets:
    """Where the dims of a quantity go, one of them along the axis."""
    at = facets(numbers, {"x": axis} | given, "curve")
    if at.x is None:
        raise ValueError(
            f"curve: expected a quantity that depends on {axis}, {y!r} is the same along it"
        )
    return at


def _looks(dataset: Dataset, numbers: Dataset, hue: str | None) -> Looks:
    """The look of each line: an optimizer's own, shades for numbers; a mark that grey prints keep."""
    if hue is None:
        return {"": {"color": style.COLOURS[0], "marker": "o"}}
    names = [words({hue: value}) for value in numbers[hue].values.tolist()]
    shown = style.optimizer_looks(dataset) if hue == "optimizer" else _colours(numbers[hue], names)
    return {name: shown[name] | {"marker": mark} for name, mark in zip(names, cycle(MARKERS))}


def _colours(values: DataArray, names: Sequence[str]) -> Looks:
    """The colours of lines: shades for numbers."""
    return _shades(names) if numeric(values.values) else style.looks(names)


def _shades(names: Sequence[str]) -> Looks:
    """Shades of blue, the later the darker."""
    return {name: {"color": shade} for name, shade in zip(names, style.shades(len(names)), strict=True)}


# a panel ----------------------------------------------------------------------------------------------------


def panel(
    drawing: Drawing,
    axes: Axes,
    place: Place,
    inches: float = 2.0,
) -> Axes:
    """Draw the lines of one place on Axes and return them.

    Args:
        drawing: of `asked`.
        axes: where.
        place: the values of the dims that panels have of their own.
        inches: of the width of the Axes.
    """
    part = drawing.numbers.sel(place)
    every = [(name, line_of(mine, drawing.at.x)) for name, mine in drawing.at.lines(part)]
    lines = [(name, line) for name, line in every if len(line.x)] or every
    names = _texts(part, drawing.at.x)
    if names:
        _draw_aside(lines, axes, drawing.looks)
    else:
        _draw_joined(lines, axes, drawing)
    scale(axes, [line for _, line in lines], inches, texts=bool(names))
    if names:
        _texts_across(axes, names)
    panels.rules(axes)
    _never(axes, lines, drawing.looks)
    return axes


def _texts(part: Dataset, dim: str | None) -> list[str]:
    """The values of an axis, where these are no numbers."""
    if dim is None or numeric(part[dim].values):
        return []
    return [str(name) for name in part[dim].values.tolist()]


def _draw_joined(lines: Named, axes: Axes, drawing: Drawing) -> None:
    """Lines along numbers, along a clock with bands where these are few."""
    band = drawing.at.x is None and len(lines) <= style.BANDS
    for name, line in lines:
        draw(line, axes, drawing.looks[name] | {"label": name}, band=band)


def _draw_aside(lines: Named, axes: Axes, looks: Looks) -> None:
    """Dots above texts, those of several lines beside one another."""
    for number, (name, line) in enumerate(lines):
        aside = ASIDE * ((number + 0.5) / len(lines) - 0.5)
        look = looks[name] | {"label": name, "ls": ""}
        draw(line._replace(x=line.x + aside), axes, look, band=False)


def line_of(part: Dataset, dim: str | None) -> Line:
    """The numbers of a line; along the checkpoints, where no dim is given."""
    name = dim or "checkpoint"
    x = as_numbers(part[dim or "x"].values)
    low, high = part["quantity_interval"].transpose("bound", name).values
    line = Line(x, part["quantity"].values, low, high)
    return line.only(np.isfinite(line.x) & ~np.isnan(line.y))


def draw(line: Line, axes: Axes, look: Look, *, band: bool) -> None:
    """Draw a line with its intervals: a band, or a bar at each value.

    Args:
        line: its numbers.
        axes: where.
        look: keywords of `Axes.plot`, with the label.
        band: whether it has a band.
    """
    low, high = (np.where(np.isnan(end), line.y, end) for end in (line.low, line.high))
    x, y, low, high = Line(line.x, line.y, low, high).only(np.isfinite(line.y))
    if band:
        style.band(axes, x, low, high, look["color"])
        axes.plot(x, y, **look | {"marker": "o" if len(x) == 1 else ""}, ms=3)
    else:
        axes.plot(x, y, ms=3.5, **look)
        bars(axes, x, low, high, look["color"])


def bars(
    axes: Axes,
    x: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    colour: style.Colour,
) -> None:
    """Intervals as upright bars; what is infinite goes on beyond the edge.

    Args:
        axes: where.
        x: (N,) where they stand.
        low: (N,) their lower ends.
        high: (N,) their upper ends.
        colour: of the bars.
    """
    ends = np.stack([low, high])
    finite = np.isfinite(ends)
    beyond = BEYOND * max(1.0, np.abs(ends[finite]).max(initial=0.0))
    axes.vlines(x, *np.where(finite, ends, np.nan), color=colour, lw=0.9)
    endless = np.isinf(high) & np.isfinite(low)
    rising = [[(at, end), (at, beyond)] for at, end in zip(x[endless], low[endless], strict=True)]
    axes.add_collection(LineCollection(rising, colors=[colour], linewidths=0.9), autolim=False)


def _never(axes: Axes, lines: Named, looks: Looks) -> None:
    """A triangle at the upper edge where a quantity is infinite."""
    where = axes.get_xaxis_transform()
    for name, line in lines:
        x = line.x[np.isinf(line.y)]
        if len(x):
            look = NEVER | {"color": looks[name]["color"]}
            axes.plot(x, np.ones(len(x)), transform=where, gid="never", **look)


def scale(
    axes: Axes,
    lines: Sequence[Line],
    inches: float,
    *,
    texts: bool = False,
) -> None:
    """Linear or logarithmic axes for these lines, with ticks that can be read.

    Args:
        axes: with the lines.
        lines: their numbers.
        inches: that the horizontal axis is long.
        texts: whether its values are no numbers.
    """
    ends = [np.concatenate([line.y, line.low, line.high]) for line in lines]
    _upwards(axes, np.concatenate([np.array([]), *ends]))
    if not texts:
        x = np.concatenate([np.array([]), *(line.x for line in lines)])
        _across_numbers(axes, x, inches)


def _across_numbers(axes: Axes, x: np.ndarray, inches: float) -> None:
    """A horizontal axis of these numbers, so many inches long."""
    if logarithmic(x):
        axes.set_xscale("log")
    panels.at_values(axes.xaxis, np.unique(x), inches)


def _upwards(axes: Axes, values: np.ndarray) -> None:
    """The vertical axis of numbers and the ends of their intervals; what lies far beyond is cut off."""
    y = finite(values)
    high = TOP * np.median(np.abs(y)) if y.size else 0.0
    cut = bool(high > 0 and y.max() > high)
    if logarithmic(y) and y.min() > 0:
        _decades(axes, y.min(), high if cut else y.max())
    elif cut:
        axes.set_ylim(top=high)


def _decades(axes: Axes, low: float, high: float) -> None:
    """A vertical log axis between these numbers, that spans no more than it can."""
    axes.set_yscale("log")
    axes.set_ylim(max(low, high / SPAN) / 1.3, high * 1.3)
    panels.decades(axes.yaxis)


def _texts_across(axes: Axes, names: Sequence[str]) -> None:
    """A horizontal axis of names."""
    axes.set_xticks(range(len(names)), [style.wrapped(name, 0.7, 7) for name in names])
    axes.set_xlim(-0.5, len(names) - 0.5)


# words ------------------------------------------------------------------------------------------------------


def _finish(grid: Grid, drawing: Drawing, up: str) -> None:
    """Labels at the left and below; panels of one scale where they show the same kind of numbers."""
    grid.label(style.wrapped(up, PANEL, most=style.LINES), style.wrapped(drawing.x, grid.inches - 0.5))
    if "landscape" not in drawing.at.apart:
        _alike(grid.panels)


def _alike(drawn: Sequence[Axes]) -> None:
    """The same vertical scale in all panels."""
    if len({axes.get_yscale() for axes in drawn}) == 1:
        low, high = np.array([axes.get_ylim() for axes in drawn]).T
        for axes in drawn:
            axes.set_ylim(low.min(), high.max())


def _handles(drawing: Drawing, figure: Figure) -> list[Artist]:
    """An entry for each line that is drawn, and for the triangles."""
    shown = legends.drawn(figure.axes, drawing.looks) if drawing.at.hue else {}
    never = legends.entry("never", color=style.WORDS, **NEVER)
    return [*legends.lines(shown, ms=3.5), *[never] * legends.has_line(figure.axes, "never")]


def _said(drawing: Drawing, dataset: Dataset) -> str:
    """What is drawn, in words."""
    bars = "bands" if drawing.at.x is None else "bars"
    interval = f"; {bars}: 95 % intervals"
    worlds = legends.of_worlds(dataset, interval)
    return f"{drawing.y}, {worlds}{drawing.at.said}"
