"""A quantity of worlds against an axis or a clock, with intervals, in panels: whatever was swept.

`y` is a quantity, as `python -m studies.ask` takes it; `x` an axis of the sweep, `optimizer` or `landscape`,
or a clock: cost, steps, epochs, virtual_time or seconds, along the checkpoints. The dims that are neither go
to `hue` (lines), `columns` and `rows` (panels). An axis is logarithmic where its values are spaced by factors
or span a factor of 30. What is infinite, such as the cost of a hit that never came, is a triangle at the
upper edge.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from studies.analysis.quantities.evaluate import quantity
from studies.figures import legends, panels, style
from studies.figures.clocks import CLOCKS, along, label
from studies.figures.facets import Facets, Place, dim_of, dims, facets, logarithmic, numeric, words
from studies.figures.style import Look, Looks

PANEL, LEAST = 1.75, 1.55  # inches: the height of a panel, its least width
MARKERS = "osD^vPX*"
SHADES = LinearSegmentedColormap.from_list("shades", ["#56a0d3", "#2171b5", "#08519c", "#041f45"])
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


class Drawing(NamedTuple):
    """What all panels of a figure share."""

    told: xr.Dataset  # quantity, its interval, x
    at: Facets
    looks: Looks
    y: str  # what the vertical axis is called
    x: str


# the whole figure -------------------------------------------------------------------------------------------


def curve(
    dataset: xr.Dataset,
    width: float = style.WIDTH,
    *,
    x: str | None = None,
    y: str = "median(loss)",
    hue: str | None = None,
    rows: str | None = None,
    columns: str | None = None,
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

    Raises:
        ValueError: the results have no such axis, clock or quantity.
    """
    drawing = asked(dataset, x=x, y=y, hue=hue, rows=rows, columns=columns)
    places = [place for row in drawing.at.panels(drawing.told) for place in row]
    across = _across(drawing, len(places), width)
    figure = Figure(layout="constrained")
    grid = panels.grid(figure, len(places), across)
    for axes, place in zip(grid, places, strict=False):
        panel(drawing, axes, place, width / across - 0.6)
        panels.title(axes, words(place), 0.85 * (width / across - 0.5))
    _finish(list(grid[: len(places)]), drawing, across, width / across - 0.5)
    inches = PANEL * (len(grid) // across) + 0.75
    return legends.finish(figure, _handles(drawing, figure), _said(drawing, dataset), width, inches)


def _across(drawing: Drawing, number: int, width: float) -> int:
    """Columns of panels: those of the figure, where they fit and there are rows too."""
    fit = panels.abreast(number, width, LEAST)
    if drawing.at.rows is None or drawing.at.columns is None:
        return fit
    own = drawing.told.sizes[drawing.at.columns]
    return own if own <= fit else fit


def asked(dataset: xr.Dataset, *, x: str | None, y: str, **given: str | None) -> Drawing:
    """The numbers of a figure, and where they go.

    Args:
        dataset: a study's results.
        x: an axis or a clock.
        y: the quantity.
        given: hue, rows, columns.
    """
    names = dims(dataset)
    swept = [
        dim for dim in names if dim not in ("optimizer", "landscape") and numeric(dataset[dim].values)
    ]
    x = dim_of(x or next(iter(swept), "cost"), names, "curve", [*CLOCKS])
    told = along(dataset, y, x) if x in CLOCKS and x not in names else quantity(dataset, y)
    on_clock = "checkpoint" in told.dims
    at = facets(
        told.isel(checkpoint=-1) if on_clock else told, {"x": None if on_clock else x} | given, "curve"
    )
    if at.x is None and not on_clock:
        raise ValueError(f"curve: expected a quantity that depends on {x}, {y!r} is the same along it")
    return Drawing(at.kept(told), at, _looks(dataset, told, at.hue), y, label(x) if on_clock else x)


def _looks(dataset: xr.Dataset, told: xr.Dataset, hue: str | None) -> Looks:
    """The look of each line: an optimizer's own, shades for numbers; a mark that grey prints keep."""
    if hue is None:
        return {"": {"color": style.COLOURS[0], "marker": "o"}}
    names = [words({hue: value}) for value in told[hue].values.tolist()]
    looks = style.looks(names)
    if hue == "optimizer":
        looks = {name: style.optimizer_looks(dataset)[name] for name in names}
    elif numeric(told[hue].values):
        shades = SHADES(np.linspace(0, 1, len(names)))
        looks = {name: {"color": tuple(shade)} for name, shade in zip(names, shades, strict=True)}
    marks = (MARKERS[place % len(MARKERS)] for place in range(len(names)))
    return {name: looks[name] | {"marker": mark} for name, mark in zip(names, marks, strict=True)}


# a panel ----------------------------------------------------------------------------------------------------


def panel(drawing: Drawing, axes: Axes, place: Place, inches: float = 2.0) -> Axes:
    """Draw the lines of one place on Axes and return them.

    Args:
        drawing: of `asked`.
        axes: where.
        place: the values of the dims that panels have of their own.
        inches: of the width of the Axes.
    """
    part = drawing.told.sel(place)
    lines = [(name, line_of(mine, drawing.at.x)) for name, mine in drawing.at.lines(part)]
    texts = drawing.at.x is not None and not numeric(part[drawing.at.x].values)
    for number, (name, line) in enumerate(lines):
        look = drawing.looks[name] | {"label": name}
        if texts:
            aside = ASIDE * ((number + 0.5) / len(lines) - 0.5)
            line, look = line._replace(x=line.x + aside), look | {"ls": ""}
        draw(line, axes, look, band=drawing.at.x is None and len(lines) <= style.BANDS)
    scale(axes, [line for _, line in lines], inches, texts=texts)
    if texts:
        _texts(axes, part[str(drawing.at.x)].values.tolist())
    panels.rules(axes)
    _never(axes, lines, drawing.looks)
    return axes


def line_of(part: xr.Dataset, dim: str | None) -> Line:
    """The numbers of a line; along the checkpoints, where no dim is given."""
    name = dim or "checkpoint"
    values = part[name].values if dim else part["x"].values
    x = values if numeric(values) else np.arange(len(values))
    low, high = part["quantity_interval"].transpose("bound", name).values
    line = Line(x.astype(float), part["quantity"].values, low, high)
    there = np.isfinite(line.x) & ~np.isnan(line.y)
    return Line(*(numbers[there] for numbers in line))


def draw(line: Line, axes: Axes, look: Look, *, band: bool) -> None:
    """Draw a line with its intervals: a band, or a bar at each value.

    Args:
        line: its numbers.
        axes: where.
        look: keywords of `Axes.plot`, with the label.
        band: whether it has a band.
    """
    there = np.isfinite(line.y)
    x, y = line.x[there], line.y[there]
    low, high = (np.where(np.isnan(end), line.y, end)[there] for end in (line.low, line.high))
    if band:
        axes.fill_between(x, low, high, color=look["color"], alpha=0.15, lw=0)
        axes.plot(x, y, **look | {"marker": "o" if len(x) == 1 else ""}, ms=3)
        return
    axes.plot(x, y, ms=3.5, **look)
    bars(axes, x, low, high, look["color"])


def bars(axes: Axes, x: np.ndarray, low: np.ndarray, high: np.ndarray, colour: style.Colour) -> None:
    """Intervals as upright bars; what is infinite goes on beyond the edge.

    Args:
        axes: where.
        x: (N,) where they stand.
        low: (N,) their lower ends.
        high: (N,) their upper ends.
        colour: of the bars.
    """
    ends = np.stack([low, high])
    finite = ends[np.isfinite(ends)]
    beyond = BEYOND * max(1.0, np.abs(finite).max(initial=0.0))
    axes.vlines(x, *np.where(np.isfinite(ends), ends, np.nan), color=colour, lw=0.9)
    open_ended = np.isinf(high) & np.isfinite(low)
    rising = [[(at, end), (at, beyond)] for at, end in zip(x[open_ended], low[open_ended], strict=True)]
    axes.add_collection(LineCollection(rising, colors=[colour], linewidths=0.9), autolim=False)


def _never(axes: Axes, lines: Iterable[tuple[str, Line]], looks: Looks) -> None:
    """A triangle at the upper edge where a quantity is infinite."""
    for name, line in lines:
        x = line.x[np.isinf(line.y)]
        if len(x):
            where, colour = axes.get_xaxis_transform(), looks[name]["color"]
            axes.plot(x, np.ones(len(x)), transform=where, color=colour, gid="never", **NEVER)


def scale(axes: Axes, lines: Sequence[Line], inches: float, *, texts: bool = False) -> None:
    """Linear or logarithmic axes for these lines, with ticks that can be read.

    Args:
        axes: with the lines.
        lines: their numbers.
        inches: that the horizontal axis is long.
        texts: whether its values are no numbers.
    """
    x = np.concatenate([np.array([]), *(line.x for line in lines)])
    ends = [np.concatenate([line.y, line.low]) for line in lines]
    y = np.concatenate([np.array([]), *ends])
    _upwards(axes, y[np.isfinite(y)])
    if texts:
        return
    if logarithmic(x):
        axes.set_xscale("log")
    panels.at_values(axes.xaxis, np.unique(x), inches)


def _upwards(axes: Axes, y: np.ndarray) -> None:
    """The vertical axis of finite numbers; what lies far beyond, as diverged worlds, is cut off."""
    high = TOP * np.median(np.abs(y)) if y.size else 0.0
    cut = bool(high > 0 and y.max() > high)
    if logarithmic(y) and y.min() > 0:
        axes.set_yscale("log")
        top = high if cut else y.max()
        axes.set_ylim(max(y.min(), top / SPAN) / 1.3, top * 1.3)
        panels.decades(axes.yaxis)
    elif cut:
        axes.set_ylim(top=high)


def _texts(axes: Axes, names: Sequence[str]) -> None:
    """A horizontal axis of names."""
    axes.set_xticks(range(len(names)), [style.wrapped(str(name), 0.7, 7) for name in names])
    axes.set_xlim(-0.5, len(names) - 0.5)


# words ------------------------------------------------------------------------------------------------------


def _finish(drawn: Sequence[Axes], drawing: Drawing, across: int, inches: float) -> None:
    """Labels at the left and below; panels of one scale where they show the same kind of numbers."""
    for axes in drawn[::across]:
        axes.set_ylabel(style.wrapped(drawing.y, PANEL))
    for axes in drawn[max(0, len(drawn) - across) :]:
        axes.set_xlabel(style.wrapped(drawing.x, inches))
    if "landscape" not in (drawing.at.rows, drawing.at.columns):
        _alike(drawn)


def _alike(drawn: Sequence[Axes]) -> None:
    """The same vertical scale in all panels."""
    if len({axes.get_yscale() for axes in drawn}) == 1:
        ends = np.array([axes.get_ylim() for axes in drawn])
        for axes in drawn:
            axes.set_ylim(ends[:, 0].min(), ends[:, 1].max())


def _handles(drawing: Drawing, figure: Figure) -> list[Artist]:
    """An entry for each line that is drawn, and for the triangles."""
    shown = legends.drawn(figure.axes, drawing.looks) if drawing.at.hue else {}
    handles: list[Artist] = [legends.entry(name, ms=3.5, **look) for name, look in shown.items()]
    if any(line.get_gid() == "never" for axes in figure.axes for line in axes.lines):
        handles.append(legends.entry("never", color=style.WORDS, **NEVER))
    return handles


def _said(drawing: Drawing, dataset: xr.Dataset) -> str:
    """What is drawn, in words."""
    bars = "bands" if drawing.at.x is None else "bars"
    interval = f"; {bars}: 95 % intervals"
    worlds = legends.worlds(dataset.sizes["replicate"], interval)
    return f"{drawing.y}, {worlds}{drawing.at.said}"
