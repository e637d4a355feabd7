"""The histogram of a number of the worlds at the end beside the density that theory gives it.

`of` is a number of each world, such as a recorded name; `against` a formula of it (by its name, or as x) and
of the arm's numbers, which need not be normalised: exp(-theta**4 / (4 * temperature)). Above each panel
stands their total variation, and what is expected of so many draws from the density itself
(`studies.analysis.quantities.distance`): a distance no larger than that is noise.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from xarray import DataArray, Dataset

from studies.analysis.quantities.calls import CALLS
from studies.analysis.quantities.distance import OTHER_NAME, around
from studies.analysis.quantities.evaluate import quantity
from studies.analysis.quantities.grammar import parsed
from studies.analysis.quantities.question import Question
from studies.analysis.quantities.values import of_worlds
from studies.figures import layout, legends, panels, style
from studies.figures.facets import Facets, Place, facets, finite, words
from studies.figures.style import Look

PANEL, LEAST = 1.75, 1.55  # inches: the height of a panel, its least width
BINS = 20
FINE = 400  # points of the density
POINT = "point"
PEAK = 1.5  # times the histogram, up to which a density is shown
HISTOGRAM: Look = {
    "facecolor": "#9ecae1",
    "edgecolor": "white",
    "linewidth": 0.4,
}
THEORY: Look = {"color": style.COLOURS[1], "lw": 1.4}


class Drawing(NamedTuple):
    """What all panels of a figure share."""

    # quantity: the values of worlds; density, on x; distance, its interval and its floor
    numbers: Dataset
    at: Facets
    of: str
    against: str | None
    bins: int


def density(
    dataset: Dataset,
    width: float = style.WIDTH,
    *,
    of: str,
    against: str | None = None,
    bins: int = BINS,
    rows: str | None = None,
    columns: str | None = None,
) -> Figure:
    """The figure of the worlds' values, a panel for each arm.

    Args:
        dataset: a study's results.
        width: inches.
        of: the number of each world.
        against: its density, a formula; None: there is none.
        bins: of the histogram, 2 to 1000.
        rows: the dim whose values are rows of panels.
        columns: the dim whose values are columns of panels.

    Raises:
        ValueError: there is no such number, or it is not of each world, or the density has no value.
    """
    drawing = asked(dataset, of, against, int(bins), {"rows": rows, "columns": columns})
    places = _with_numbers(drawing)
    figure = Figure(layout="constrained")
    grid = layout.fitted(figure, len(places), width, LEAST)
    inches = grid.inches - 0.5
    for axes, place in zip(grid.panels, places, strict=True):
        room = panels.note(axes, _distance(drawing, place), inches)
        panel(drawing, axes, place)
        panels.title(axes, words(place), 0.85 * inches, pad=room)
    grid.label("density", style.wrapped(of, inches))
    height = (PANEL + 0.15) * grid.lines + 0.75
    return legends.finish(figure, _handles(drawing), _said(drawing, dataset), width, height)


def _with_numbers(drawing: Drawing) -> list[Place]:
    """The places where some world has a number, diverged ones too; all where none has."""
    every = drawing.at.places(drawing.numbers)
    there = drawing.numbers["quantity"].notnull()
    return [place for place in every if there.sel(place).any()] or every


def asked(
    dataset: Dataset,
    of: str,
    against: str | None,
    bins: int,
    given: dict[str, str | None],
) -> Drawing:
    """The numbers of a figure, and where they go.

    Args:
        dataset: a study's results.
        of: the number of each world.
        against: its density.
        bins: of the histogram.
        given: rows and columns.

    Raises:
        ValueError: it is no number of each world.
    """
    values = _of_worlds(dataset, of)
    numbers = Dataset({"quantity": values})
    if against is not None:
        numbers = numbers.merge(_theory(dataset, of, against, bins, values), compat="override")
    at = facets(numbers, given, "density", within=["replicate"], lines=False)
    return Drawing(at.kept(numbers, "replicate", POINT), at, of, against, bins)


def _of_worlds(dataset: Dataset, of: str) -> DataArray:
    """A number of each world.

    Raises:
        ValueError: it is none.
    """
    question = Question(dataset, of, CALLS)
    values = question.value(parsed(of))
    if not of_worlds(values):
        question.refuse("expected a number of each world, such as a recorded name")
    assert isinstance(values, DataArray)  # noqa: S101 - for the type checker
    return values


def _theory(
    dataset: Dataset,
    of: str,
    against: str,
    bins: int,
    values: DataArray,
) -> Dataset:
    """The density on a grid, its distance from the values, and the floor of that.

    Args:
        dataset: a study's results.
        of: the number of each world.
        against: its density.
        bins: of the histogram.
        values: of the worlds.
    """
    pair = f"({of}, {against}, bins={bins})"
    distance, floor = (quantity(dataset, f"{name}{pair}") for name in ("distance", "distance_floor"))
    grid = around(values, 3 * FINE)
    mass = _mass(dataset, of, against, grid)
    step = grid.isel({POINT: 1}) - grid.isel({POINT: 0})
    return Dataset({
        "density": mass / mass.sum(POINT) / step,
        "x": grid,
        "distance": distance["quantity"],
        "floor": floor["quantity"],
    })


def _mass(
    dataset: Dataset,
    of: str,
    against: str,
    grid: DataArray,
) -> DataArray:
    """A density, which need not be normalised, at the points of a grid.

    Args:
        dataset: a study's results.
        of: the number of each world.
        against: its density.
        grid: its values.
    """
    question = Question(dataset, against, CALLS, bound={of: grid, OTHER_NAME: grid})
    value = question.value(parsed(against))
    assert isinstance(value, float | DataArray)  # noqa: S101 - distance refuses all others
    return value + 0.0 * grid


def panel(drawing: Drawing, axes: Axes, place: Place) -> Axes:
    """Draw the values of one place on Axes and return them.

    Args:
        drawing: of `asked`.
        axes: where.
        place: the values of the dims that panels have of their own.
    """
    part = drawing.numbers.sel(place)
    values = finite(part["quantity"].values)
    if not values.size:
        panels.empty(axes, "no finite number")
        return axes
    edges = np.histogram_bin_edges(values, drawing.bins)
    heights, *_ = axes.hist(values, edges.tolist(), density=True, **HISTOGRAM)
    if drawing.against is not None:
        _draw_theory(part, axes, edges)
        axes.set_ylim(0, min(axes.get_ylim()[1], PEAK * float(np.max(heights))))
    panels.rules(axes)
    return axes


def _draw_theory(part: Dataset, axes: Axes, edges: np.ndarray) -> None:
    """The density, as far as the histogram goes."""
    x, density = part["x"].values, part["density"].values
    inside = (x >= edges[0]) & (x <= edges[-1])
    axes.plot(x[inside], density[inside], **THEORY)


def _distance(drawing: Drawing, place: Place) -> list[str]:
    """How far values and density are apart, in words."""
    if drawing.against is None:
        return []
    part = drawing.numbers.sel(place)
    if not np.isfinite(part["quantity"]).any():
        return []
    return [f"total variation {float(part['distance']):.2g} (noise {float(part['floor']):.2g})"]


def _handles(drawing: Drawing) -> list[Artist]:
    """Entries of the histogram and of the density."""
    handles: list[Artist] = [Patch(**HISTOGRAM, label="worlds")]
    return [*handles, legends.entry("theory", **THEORY)] if drawing.against is not None else handles


def _said(drawing: Drawing, dataset: Dataset) -> str:
    """What is drawn, in words."""
    text = f"{drawing.of} of {legends.of_worlds(dataset)} at the end"
    if drawing.against is None:
        return text + drawing.at.said
    return (
        f"{text}; theory: {drawing.against}; noise: the total variation expected of so many draws from it"
        f"{drawing.at.said}"
    )
