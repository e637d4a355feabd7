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
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.pyplot import get_cmap

from studies.analysis.quantities.evaluate import quantity
from studies.figures import legends, panels, style, theory
from studies.figures.facets import Facets, Place, dim_of, dims, facets, logarithmic, numeric, words
from studies.figures.style import Look
from studies.text.shapes import Tree

LEAST, CELLS = 1.45, 1.3  # inches: the least width of a panel, the height of its cells
BAR = 0.6  # inches of the scale of colours
FINE = 40  # points of a predicted line along each axis
PALETTES = {"diverging": "PuOr", "even": "viridis"}
LINE: Look = {"colors": "black", "linewidths": 1.3}
PREDICTED: Look = LINE | {"linestyles": [(0, (4, 2))]}
SIGN: Look = {"ha": "center", "va": "center", "fontsize": 7}
SIGNS = {"∞": "infinite: never", "–": "no number"}


class Drawing(NamedTuple):
    """What all panels of a figure share."""

    told: xr.Dataset  # quantity and its interval
    at: Facets
    x: str
    y: str
    line: float | None
    norm: Normalize
    palette: Colormap
    theory: str | None


# the whole figure -------------------------------------------------------------------------------------------


def quantity_map(
    dataset: xr.Dataset,
    width: float = style.WIDTH,
    *,
    x: str,
    y: str,
    colour: str,
    line: float | None = None,
    theory: str | None = None,
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
        rows: the dim whose values are rows of panels.
        columns: the dim whose values are columns of panels.

    Raises:
        ValueError: the results have no such axes or quantity, or the formula has no value.
    """
    drawing = asked(dataset, x, y, colour, line, theory, {"rows": rows, "columns": columns})
    places = [place for row in drawing.at.panels(drawing.told) for place in row]
    across = panels.abreast(len(places), width - BAR, LEAST)
    figure, inches = Figure(layout="constrained"), (width - BAR) / across
    grid = panels.grid(figure, len(places), across)
    for axes, place in zip(grid, places, strict=False):
        panel(drawing, axes, place, inches - 0.6)
        panels.title(axes, words(place), 0.85 * (inches - 0.5))
        _predict(dataset, drawing, axes, place)
    _label(drawing, grid, len(places), across)
    bar = figure.colorbar(ScalarMappable(drawing.norm, drawing.palette), ax=grid.tolist(), aspect=25)
    _finish_bar(bar.ax, colour, len(grid) // across)
    height = (CELLS + 0.5) * (len(grid) // across) + 0.6
    return legends.finish(figure, _handles(drawing), _said(drawing, dataset, colour), width, height)


def asked(
    dataset: xr.Dataset,
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
    told = quantity(dataset, colour)
    for dim in (x, y):
        if dim not in told["quantity"].dims:
            raise ValueError(
                f"map: expected a quantity that depends on {dim}, {colour!r} is the same along it"
            )
    at = facets(told, {"x": x, "y": y} | given, "map", lines=False)
    told = at.kept(told, y)
    line = None if line is None else float(line)
    norm = scale(told["quantity"].values, line)
    palette = get_cmap(PALETTES["even" if line is None else "diverging"])
    return Drawing(told, at, x, y, line, norm, palette, theory)


def scale(values: np.ndarray, line: float | None) -> Normalize:
    """The scale of the colours: even around the line, by factors where all is above 0.

    Args:
        values: of the quantity.
        line: its value in the middle; None: there is none.
    """
    finite = values[np.isfinite(values)]
    if line is None:
        low, high = (finite.min(), finite.max()) if finite.size else (0.0, 1.0)
        return (
            LogNorm(low, high)
            if logarithmic(finite)
            else Normalize(low, high if high > low else low + 1)
        )
    if line > 0 and (finite > 0).all():
        factor = float(np.exp(np.abs(np.log(finite / line)).max(initial=np.log(2))))
        return LogNorm(line / factor, line * factor)
    away = float(np.abs(finite - line).max(initial=1e-12))
    return Normalize(line - away, line + away)


# a panel ----------------------------------------------------------------------------------------------------


def panel(drawing: Drawing, axes: Axes, place: Place, inches: float = 2.0) -> Axes:
    """Draw the cells of one place on Axes and return them.

    Args:
        drawing: of `asked`.
        axes: where.
        place: the values of the dims that panels have of their own.
        inches: of the width of the Axes.
    """
    part = drawing.told.sel(place)
    values = part["quantity"].transpose(drawing.y, drawing.x).values
    edges = [
        _axis(axes, along, part[dim].values) for along, dim in (("x", drawing.x), ("y", drawing.y))
    ]
    shown = np.ma.masked_invalid(np.clip(values, drawing.norm.vmin, drawing.norm.vmax))
    axes.set_facecolor("#e4e4e4")
    axes.pcolormesh(*edges, shown, norm=drawing.norm, cmap=drawing.palette, edgecolor="white", lw=0.4)
    _marks(drawing, axes, part, edges)
    if drawing.line is not None:
        _contour(
            axes,
            [part[dim].values for dim in (drawing.x, drawing.y)],
            shown.filled(np.nan),
            drawing.line,
        )
    panels.at_values(axes.xaxis, _numbers(part[drawing.x].values), inches)
    panels.at_values(axes.yaxis, _numbers(part[drawing.y].values), 2 * CELLS)
    for axis, dim in ((axes.xaxis, drawing.x), (axes.yaxis, drawing.y)):
        if not numeric(part[dim].values):
            axis.set_ticks(range(part.sizes[dim]), [str(name) for name in part[dim].values.tolist()])
    return axes


def _numbers(values: np.ndarray) -> np.ndarray:
    """The values of an axis, or, where they are texts, their places."""
    return np.unique(values.astype(float)) if numeric(values) else np.arange(float(len(values)))


def _axis(axes: Axes, along: str, values: np.ndarray) -> np.ndarray:
    """The edges of the cells along an axis, which becomes logarithmic where its values are."""
    places = values.astype(float) if numeric(values) else np.arange(float(len(values)))
    if numeric(values) and logarithmic(places):
        getattr(axes, f"set_{along}scale")("log")
        return np.exp(_edges(np.log(places)))
    return _edges(places)


def _edges(places: np.ndarray) -> np.ndarray:
    """Edges of cells around places that increase: half way between them."""
    if len(places) < 2:
        return np.array([places[0] - 0.5, places[0] + 0.5])
    middle = (places[1:] + places[:-1]) / 2
    return np.concatenate([[2 * places[0] - middle[0]], middle, [2 * places[-1] - middle[-1]]])


def _marks(drawing: Drawing, axes: Axes, part: xr.Dataset, edges: list[np.ndarray]) -> None:
    """Hatch cells that are undecided, and sign those without a finite number."""
    values = part["quantity"].transpose(drawing.y, drawing.x).values
    low, high = part["quantity_interval"].transpose("bound", drawing.y, drawing.x).values
    across, up = edges
    for row, column in np.ndindex(values.shape):
        corner = float(across[column]), float(up[row])
        size = float(np.diff(across)[column]), float(np.diff(up)[row])
        if drawing.line is not None and low[row, column] <= drawing.line <= high[row, column]:
            axes.add_patch(Rectangle(corner, *size, gid="undecided", **style.UNDECIDED))
        if not np.isfinite(values[row, column]):
            _sign(axes, part, (row, column), drawing, unknown=bool(np.isnan(values[row, column])))


def _sign(
    axes: Axes, part: xr.Dataset, at: tuple[int, int], drawing: Drawing, *, unknown: bool
) -> None:
    """A sign in the middle of a cell."""
    x = part[drawing.x].values[at[1]] if numeric(part[drawing.x].values) else at[1]
    y = part[drawing.y].values[at[0]] if numeric(part[drawing.y].values) else at[0]
    axes.text(
        float(x), float(y), "–" if unknown else "∞", color="black" if unknown else "white", **SIGN
    )


def _contour(
    axes: Axes, places: list[np.ndarray], values: np.ndarray, line: float, **look: object
) -> None:
    """The line at which values (rows, columns) are the given one, between the cells."""
    finite = values[np.isfinite(values)]
    crossed = finite.size and finite.min() < line < finite.max()
    if not crossed or min(values.shape) < 2 or not all(numeric(place) for place in places):
        return
    above = np.log(values / line) if line > 0 and (finite > 0).all() else values - line
    axes.contour(*places, above, levels=[0.0], **(LINE | look))


def _predict(dataset: xr.Dataset, drawing: Drawing, axes: Axes, place: Place) -> None:
    """The predicted line, dashed."""
    if drawing.theory is None or drawing.line is None:
        return
    part = drawing.told.sel(place)
    grid = {
        dim: theory.between(part[dim].values, logarithmic=logarithmic(part[dim].values), points=FINE)
        for dim in (drawing.x, drawing.y)
    }
    where: Tree = {**drawing.at.first, **place}
    values = theory.on_grid(dataset, drawing.theory, where, grid).T
    _contour(axes, list(grid.values()), values, drawing.line, linestyles=PREDICTED["linestyles"])


# words ------------------------------------------------------------------------------------------------------


def _label(drawing: Drawing, grid: np.ndarray, number: int, across: int) -> None:
    for axes in grid[:number:across]:
        axes.set_ylabel(drawing.y)
    for axes in grid[max(0, number - across) : number]:
        axes.set_xlabel(drawing.x)


def _finish_bar(bar: Axes, colour: str, rows: int) -> None:
    """The scale of colours, with what it is."""
    bar.set_ylabel(style.wrapped(colour, CELLS * rows + 0.4, 7.5), fontsize=7.5)
    bar.tick_params(labelsize=6.5)
    if bar.get_yscale() == "log":
        panels.decades_along(bar.yaxis, CELLS * rows)


def _handles(drawing: Drawing) -> list[Artist]:
    """Entries of the line, of that which is predicted, and of what is hatched."""
    if drawing.line is None:
        return []
    handles: list[Artist] = [legends.entry(f"= {drawing.line:g}", color="black", lw=1.3)]
    if drawing.theory is not None:
        handles.append(legends.entry("predicted", color="black", lw=1.3, ls=(0, (4, 2))))
    return [*handles, legends.undecided("undecided")]


def _said(drawing: Drawing, dataset: xr.Dataset, colour: str) -> str:
    """What is drawn, in words."""
    values = drawing.told["quantity"].values
    signs = {"∞": np.isinf(values).any(), "–": np.isnan(values).any()}
    hatched = "; hatched: the 95 % interval holds the line" * (drawing.line is not None)
    meant = "".join(f"; {sign}: {SIGNS[sign]}" for sign, there in signs.items() if there)
    return f"{colour}, {legends.worlds(dataset.sizes['replicate'])}{hatched}{meant}{drawing.at.said}"
