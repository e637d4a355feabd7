"""The histogram of a number of the worlds at the end beside the density that theory gives it.

`of` is a number of each world, such as a recorded name; `against` a formula of it (by its name, or as x) and
of the arm's numbers, which need not be normalised: exp(-theta**4 / (4 * temperature)). Above each panel
stands their total variation, and what is expected of so many draws from the density itself
(`studies.analysis.quantities.distance`): a distance no larger than that is noise.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from studies.analysis.quantities.calls import CALLS
from studies.analysis.quantities.distance import OTHER_NAME
from studies.analysis.quantities.evaluate import quantity
from studies.analysis.quantities.grammar import parsed
from studies.analysis.quantities.question import Question
from studies.analysis.quantities.values import of_worlds
from studies.figures import legends, panels, style
from studies.figures.facets import Facets, Place, facets, words
from studies.figures.style import Look

PANEL, LEAST = 1.75, 1.55  # inches: the height of a panel, its least width
BINS = 20
FINE = 400  # points of the density
POINT = "point"
PEAK = 1.5  # times the histogram, up to which a density is shown
HISTOGRAM: Look = {"facecolor": "#9ecae1", "edgecolor": "white", "linewidth": 0.4}
THEORY: Look = {"color": style.COLOURS[1], "lw": 1.4}


class Drawing(NamedTuple):
    """What all panels of a figure share."""

    told: (
        xr.Dataset
    )  # quantity: the values of worlds; density, on x; distance, its interval and its floor
    at: Facets
    of: str
    against: str | None
    bins: int


def density(
    dataset: xr.Dataset,
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
    places = [place for row in drawing.at.panels(drawing.told) for place in row]
    across = panels.abreast(len(places), width, LEAST)
    figure, inches = Figure(layout="constrained"), width / across - 0.5
    grid = panels.grid(figure, len(places), across)
    for axes, place in zip(grid, places, strict=False):
        room = panels.note(axes, _distance(drawing, place), inches)
        panel(drawing, axes, place)
        panels.title(axes, words(place), 0.85 * inches, pad=room)
    for axes in grid[: len(places) : across]:
        axes.set_ylabel("density")
    for axes in grid[max(0, len(places) - across) : len(places)]:
        axes.set_xlabel(style.wrapped(of, inches))
    height = (PANEL + 0.15) * (len(grid) // across) + 0.75
    return legends.finish(figure, _handles(drawing), _said(drawing, dataset), width, height)


def asked(
    dataset: xr.Dataset, of: str, against: str | None, bins: int, given: dict[str, str | None]
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
    question = Question(dataset, of, CALLS)
    values = question.value(parsed(of))
    if not of_worlds(values):
        question.refuse("expected a number of each world, such as a recorded name")
    assert isinstance(values, xr.DataArray)
    told = xr.Dataset({"quantity": values})
    if against is not None:
        told = told.merge(_theory(dataset, of, against, bins, values), compat="override")
    at = facets(told.isel(replicate=0), given, "density", lines=False)
    return Drawing(at.kept(told, "replicate", POINT), at, of, against, bins)


def _theory(dataset: xr.Dataset, of: str, against: str, bins: int, values: xr.DataArray) -> xr.Dataset:
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
    low, high = float(values.min()), float(values.max())
    grid = xr.DataArray(np.linspace(2 * low - high, 2 * high - low, 3 * FINE), dims=POINT)
    question = Question(dataset, against, CALLS, bound={of: grid, OTHER_NAME: grid})
    value = question.value(parsed(against))
    assert isinstance(value, float | xr.DataArray)  # noqa: S101 - distance refuses all others
    mass = value + 0.0 * grid
    return xr.Dataset({
        "density": mass / mass.integrate(POINT) / float(grid[1] - grid[0]),
        "x": grid,
        "distance": distance["quantity"],
        "floor": floor["quantity"],
    })


def panel(drawing: Drawing, axes: Axes, place: Place) -> Axes:
    """Draw the values of one place on Axes and return them.

    Args:
        drawing: of `asked`.
        axes: where.
        place: the values of the dims that panels have of their own.
    """
    every = drawing.told["quantity"].values
    edges = np.linspace(np.nanmin(every), np.nanmax(every), drawing.bins + 1)
    part = drawing.told.sel(place)
    values = part["quantity"].values
    heights, *_ = axes.hist(values[np.isfinite(values)], edges.tolist(), density=True, **HISTOGRAM)
    if drawing.against is not None:
        inside = (part["x"] >= edges[0]) & (part["x"] <= edges[-1])
        axes.plot(part["x"].values[inside], part["density"].values[inside], **THEORY)
        axes.set_ylim(0, min(axes.get_ylim()[1], PEAK * float(np.max(heights))))
    panels.rules(axes)
    return axes


def _distance(drawing: Drawing, place: Place) -> list[str]:
    """How far values and density are apart, in words."""
    if drawing.against is None:
        return []
    part = drawing.told.sel(place)
    return [f"total variation {float(part['distance']):.2g} (noise {float(part['floor']):.2g})"]


def _handles(drawing: Drawing) -> list[Artist]:
    """Entries of the histogram and of the density."""
    handles: list[Artist] = [Patch(**HISTOGRAM, label="worlds")]
    return [*handles, legends.entry("theory", **THEORY)] if drawing.against is not None else handles


def _said(drawing: Drawing, dataset: xr.Dataset) -> str:
    """What is drawn, in words."""
    text = f"{drawing.of} of {legends.worlds(dataset.sizes['replicate'])} at the end"
    if drawing.against is None:
        return text + drawing.at.said
    return (
        f"{text}; theory: {drawing.against}; noise: the total variation expected of so many draws from it"
        f"{drawing.at.said}"
    )
