"""A quantity over two axes as colours, with the line at which it has a given value.

`colour` is a quantity of arms, as `median(hit(0.1)["SGD"]) / median(hit(0.1)["ES"])`; around `line` colours
diverge, by factors where the line is above 0 and nothing is below. A cell is hatched where the 95 % interval
holds the line: there it is undecided. The line is drawn between cells; `theory`, a formula of the arms'
numbers that predicts the quantity, has its line dashed. What is infinite, such as a hit that never came, has
the colour of the end of the scale and a sign.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.pyplot import get_cmap
from xarray import Dataset

from studies.analysis.quantities.evaluate import quantity
from studies.figures import layout, legends, panels, style, theory
from studies.figures.facets import (
    Facets,
    Place,
    as_numbers,
    dim_of,
    dims,
    facets,
    finite,
    logarithmic,
    numeric,
    words,
)
from studies.figures.style import Look
from studies.text.shapes import Tree

LEAST, CELLS = 1.45, 1.3  # inches: the least width of a panel, the height of its cells
BAR = 0.6  # inches of the scale of colours
FINE = 24  # points of a predicted line along each axis
PALETTES = {"diverging": "PuOr", "even": "viridis"}
LINE: Look = {"colors": "black", "linewidths": 1.3}
PREDICTED: Look = LINE | {"linestyles": [(0, (4, 2))]}
SIGN: Look = {
    "ha": "center",
    "va": "center",
    "fontsize": 7,
}
INFINITE, NO_NUMBER = "∞", "–"
SIGNS = {INFINITE: "infinite: never", NO_NUMBER: "no number"}
SIGN_COLOURS = {INFINITE: "white", NO_NUMBER: "black"}


class Drawing(NamedTuple):
    """What all panels of a figure share."""

    numbers: Dataset  # quantity and its interval
    at: Facets
    x: str
    y: str
    line: float | None
    norm: Normalize
    palette: Colormap
    theory: str | None

    @property
    def axes(self) -> tuple[str, str]:
        """The axis across, and the one upwards."""
        return self.x, self.y


# the whole figure -------------------------------------------------------------------------------------------


def quantity_map(
    dataset: Dataset,
    width: float = style.WIDTH,
    *,
    x: str,
    y: str,
    colour: str,
    line: float | None = None,
    theory: str | None = None,
    label: str | None = None,
    rows: str | None = None,
    columns: str | None = None,
) -> Figure:
    """The figure of a quantity over two axes.

    Args:
        dataset: a study's results.
        width: inches.
        x: the axis across.
        y: the axis upwards.
        colour: the quantity.
        line: the value of it at which a line is drawn.
        theory: a formula that predicts it, whose line is dashed.
        label: what it is, in words; None: the quantity.
        rows: the dim whose values are rows of panels.
        columns: the dim whose values are columns of panels.

    Raises:
        ValueError: the results have no such axes or quantity, or the formula has no value.
    """
    drawing = asked(dataset, x, y, colour, line, theory, {"rows": rows, "columns": columns})
    places = drawing.at.places(drawing.numbers)
    figure = Figure(layout="constrained")
    grid = layout.fitted(figure, len(places), width - BAR, LEAST)
    for axes, place in zip(grid.panels, places, strict=True):
        panel(drawing, axes, place, grid.inches - 0.6)
        panels.title(axes, words(place), 0.85 * (grid.inches - 0.5))
        _predict(dataset, drawing, axes, place)
    grid.label(drawing.y, drawing.x)
    _bar(drawing, grid, label or colour)
    height = (CELLS + 0.5) * grid.lines + 0.6
    return legends.finish(
        figure, _handles(drawing), _said(drawing, dataset, label or colour), width, height
    )


def asked(
    dataset: Dataset,
    x: str,
    y: str,
    colour: str,
    line: float | None,
    theory: str | None,
    given: dict[str, str | None],
) -> Drawing:
    """The numbers of a figure, and where they go.

    Args:
        dataset: a study's results.
        x: the axis across.
        y: the axis upwards.
        colour: the quantity.
        line: its value at which a line is drawn.
        theory: a formula that predicts it.
        given: rows and columns.

    Raises:
        ValueError: the quantity does not depend on x and y.
    """
    names = dims(dataset)
    x, y = (dim_of(word, names, "map") for word in (x, y))
    numbers = _over(dataset, colour, (x, y))
    at = facets(numbers, {"x": x, "y": y} | given, "map", lines=False)
    numbers = at.kept(numbers, y)
    line = None if line is None else float(line)
    norm = scale(numbers["quantity"].values, line)
    palette = get_cmap(PALETTES["even" if line is None else "diverging"])
    return Drawing(numbers, at, x, y, line, norm, palette, theory)


def _over(dataset: Dataset, colour: str, axes: tuple[str, str]) -> Dataset:
    """A quantity that depends on both axes.

    Raises:
        ValueError: it does not.
    """
    numbers = quantity(dataset, colour)
    for dim in axes:
        if dim not in numbers["quantity"].dims:
            raise ValueError(
                f"map: expected a quantity that depends on {dim}, {colour!r} is the same along it"
            )
    return numbers


def scale(values: np.ndarray, line: float | None) -> Normalize:
    """The scale of the colours: even around the line, by factors where all is above 0.

    Args:
        values: of the quantity.
        line: its value in the middle; None: there is none.
    """
    shown = finite(values)
    if line is None:
        return _even(shown)
    if _by_factors(shown, line):
        factor = float(np.exp(np.abs(np.log(shown / line)).max(initial=np.log(2))))
        return LogNorm(line / factor, line * factor)
    away = float(np.abs(shown - line).max(initial=1e-12))
    return Normalize(line - away, line + away)


def _by_factors(values: np.ndarray, line: float) -> bool:
    """Whether finite values are told apart from the line by their ratio."""
    return bool(line > 0 and (values > 0).all())


def _even(values: np.ndarray) -> Normalize:
    """The scale from the least of finite values to the largest."""
    low, high = (values.min(), values.max()) if values.size else (0.0, 1.0)
    if logarithmic(values):
        return LogNorm(low, high)
    return Normalize(low, high if high > low else low + 1)


# a panel ----------------------------------------------------------------------------------------------------


def panel(
    drawing: Drawing,
    axes: Axes,
    place: Place,
    inches: float = 2.0,
) -> Axes:
    """Draw the cells of one place on Axes and return them.

    Args:
        drawing: of `asked`.
        axes: where.
        place: the values of the dims that panels have of their own.
        inches: of the width of the Axes.
    """
    part = drawing.numbers.sel(place)
    shown = _clipped(drawing, part)
    edges = [
        _edges_along(axes, along, part[dim].values)
        for along, dim in zip("xy", drawing.axes, strict=True)
    ]
    axes.set_facecolor("#e4e4e4")
    axes.pcolormesh(*edges, shown, norm=drawing.norm, cmap=drawing.palette, edgecolor="white", lw=0.4)
    _marks(drawing, axes, part, edges)
    if drawing.line is not None:
        _contour(axes, _places(drawing, part), shown.filled(np.nan), drawing.line)
    _ticks(axes.xaxis, part[drawing.x].values, inches)
    _ticks(axes.yaxis, part[drawing.y].values, 2 * CELLS)
    return axes


def _places(drawing: Drawing, part: Dataset) -> list[np.ndarray]:
    """The values of both axes."""
    return [part[dim].values for dim in drawing.axes]


def _clipped(drawing: Drawing, part: Dataset) -> np.ma.MaskedArray:
    """The quantity (Y, X) within the scale of colours; what is no number is masked."""
    values = _values(drawing, part)
    return np.ma.masked_invalid(np.clip(values, drawing.norm.vmin, drawing.norm.vmax))


def _values(drawing: Drawing, part: Dataset) -> np.ndarray:
    """The quantity (Y, X)."""
    return part["quantity"].transpose(drawing.y, drawing.x).values


def _ticks(axis: Axis, values: np.ndarray, inches: float) -> None:
    """Ticks at the values of an axis, so many inches long."""
    panels.at_values(axis, np.unique(as_numbers(values)), inches)
    if not numeric(values):
        axis.set_ticks(range(len(values)), [str(name) for name in values.tolist()])


def _edges_along(axes: Axes, along: str, values: np.ndarray) -> np.ndarray:
    """The edges of the cells along an axis, which becomes logarithmic where its values are."""
    places = as_numbers(values)
    if numeric(values) and logarithmic(places):
        getattr(axes, f"set_{along}scale")("log")
        return np.exp(_edges(np.log(places)))
    return _edges(places)


def _edges(places: np.ndarray) -> np.ndarray:
    """Edges of cells around places that increase: half way between them."""
    if len(places) < 2:
        return places[0] + np.array([-0.5, 0.5])
    middle = (places[1:] + places[:-1]) / 2
    first, last = 2 * places[0] - middle[0], 2 * places[-1] - middle[-1]
    return np.concatenate([[first], middle, [last]])


def _marks(
    drawing: Drawing,
    axes: Axes,
    part: Dataset,
    edges: list[np.ndarray],
) -> None:
    """Hatch cells that are undecided, and sign those without a finite number."""
    values = _values(drawing, part)
    open_cells = _undecided(drawing, part)
    across, up = edges
    for row, column in np.ndindex(values.shape):
        if open_cells[row, column]:
            _hatch(axes, across[column : column + 2], up[row : row + 2])
        if not np.isfinite(values[row, column]):
            sign = NO_NUMBER if np.isnan(values[row, column]) else INFINITE
            x, y = (
                _middle(part[dim].values, at)
                for dim, at in zip(drawing.axes, (column, row), strict=True)
            )
            axes.text(x, y, sign, color=SIGN_COLOURS[sign], **SIGN)


def _undecided(drawing: Drawing, part: Dataset) -> np.ndarray:
    """Cells (Y, X) whose interval holds the line."""
    low, high = part["quantity_interval"].transpose("bound", drawing.y, drawing.x).values
    if drawing.line is None:
        return np.zeros(low.shape, bool)
    return (low <= drawing.line) & (drawing.line <= high)


def _hatch(axes: Axes, across: np.ndarray, up: np.ndarray) -> None:
    """Hatch a cell between these edges."""
    corner = float(across[0]), float(up[0])
    width, height = float(np.diff(across)[0]), float(np.diff(up)[0])
    axes.add_patch(Rectangle(corner, width, height, gid="undecided", **style.UNDECIDED))


def _middle(values: np.ndarray, at: int) -> float:
    """Where a cell's middle stands along an axis of these values."""
    return float(values[at] if numeric(values) else at)


def _contour(
    axes: Axes, places: list[np.ndarray], values: np.ndarray, line: float, **look: object
) -> None:
    """The line at which values (rows, columns) are the given one, between the cells."""
    if _crossed(finite(values), line) and _is_grid(values, places):
        ratio = _by_factors(finite(values), line)
        above = np.log(values / line) if ratio else values - line
        axes.contour(*places, above, levels=[0.0], **(LINE | look))


def _is_grid(values: np.ndarray, places: list[np.ndarray]) -> bool:
    """Whether values stand at several numbers along each axis."""
    return min(values.shape) > 1 and all(map(numeric, places))


def _crossed(values: np.ndarray, line: float) -> bool:
    """Whether finite values are on both sides of a line."""
    return bool(values.size and values.min() < line < values.max())


def _predict(
    dataset: Dataset,
    drawing: Drawing,
    axes: Axes,
    place: Place,
) -> None:
    """The predicted line, dashed."""
    if drawing.theory is None or drawing.line is None:
        return
    part = drawing.numbers.sel(place)
    grid = {dim: theory.between(dataset, dim, part[dim].values, FINE) for dim in drawing.axes}
    where: Tree = {**drawing.at.first, **place}
    values = theory.on_grid(dataset, drawing.theory, where, grid).T
    _contour(axes, list(grid.values()), values, drawing.line, linestyles=PREDICTED["linestyles"])


# words ------------------------------------------------------------------------------------------------------


def _bar(drawing: Drawing, grid: layout.Grid, label: str) -> None:
    """The scale of colours, with what it is."""
    inches = CELLS * grid.lines
    colours = ScalarMappable(drawing.norm, drawing.palette)
    bar = grid.panels[0].figure.colorbar(colours, ax=grid.places.tolist(), aspect=25).ax
    bar.set_ylabel(style.wrapped(label, inches + 0.4, 7.5, style.LINES), fontsize=7.5)
    bar.tick_params(labelsize=6.5)
    if bar.get_yscale() == "log":
        panels.readable_along(bar.yaxis, inches)


def _handles(drawing: Drawing) -> list[Artist]:
    """Entries of the line, of that which is predicted, and of what is hatched."""
    if drawing.line is None:
        return []
    drawn = legends.entry(f"= {drawing.line:g}", color="black", lw=1.3)
    predicted = legends.entry("predicted", color="black", lw=1.3, ls=(0, (4, 2)))
    lines = [drawn] if drawing.theory is None else [drawn, predicted]
    return [*lines, legends.undecided("undecided")]


def _said(drawing: Drawing, dataset: Dataset, label: str) -> str:
    """What is drawn, in words."""
    values = drawing.numbers["quantity"].values
    signs = {INFINITE: np.isinf(values).any(), NO_NUMBER: np.isnan(values).any()}
    hatched = "; hatched: the 95 % interval holds the line" * (drawing.line is not None)
    meant = "".join(f"; {sign}: {SIGNS[sign]}" for sign, there in signs.items() if there)
    return f"{label}, {legends.of_worlds(dataset)}{hatched}{meant}{drawing.at.said}"
