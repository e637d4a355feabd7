"""Frequencies of alleles or genotypes over generations, in one world or their mean, as lines or stacked.

`of` is a recorded vector, as `record: {p: frequency}` keeps it: lines, one for each locus, or areas on top of
one another (`stacked`), which suits genotypes, whose frequencies sum to 1.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from studies.figures import legends, panels, style
from studies.figures.facets import Facets, Place, facets, words
from studies.schema import RECORDS
from studies.text.words import suggest

PANEL, LEAST = 1.6, 1.6  # inches: the height of a panel, its least width
FEW = 7  # members that a legend tells apart
MEAN = "mean"
STEPS = "steps"
PALETTE = "viridis"


class Drawing(NamedTuple):
    """What all panels of a figure share."""

    name: str  # of the vector
    told: xr.Dataset  # quantity (.., checkpoint, member) and steps (.., checkpoint)
    at: Facets
    member: str  # the dim of loci, or genotypes
    stacked: bool


def frequencies(
    dataset: xr.Dataset,
    width: float = style.WIDTH,
    *,
    of: str | None = None,
    world: int | str = MEAN,
    stacked: bool | str = False,
    rows: str | None = None,
    columns: str | None = None,
) -> Figure:
    """The figure of a recorded vector over generations, a panel for each arm.

    Args:
        dataset: a study's results.
        width: inches.
        of: the recorded vector; None: the first that there is.
        world: its number, or mean.
        stacked: whether the parts stand on top of one another.
        rows: the dim whose values are rows of panels.
        columns: the dim whose values are columns of panels.

    Raises:
        ValueError: no vector was recorded, or there is no such world.
    """
    drawing = asked(
        dataset, of, world, str(stacked).lower() == "true", {"rows": rows, "columns": columns}
    )
    places = [place for row in drawing.at.panels(drawing.told) for place in row]
    across = panels.abreast(len(places), width, LEAST)
    figure, inches = Figure(layout="constrained"), width / across - 0.5
    grid = panels.grid(figure, len(places), across)
    for axes, place in zip(grid, places, strict=False):
        panel(drawing, axes, place)
        panels.title(axes, words(place), 0.85 * inches)
    for axes in grid[: len(places) : across]:
        axes.set_ylabel("frequency")
    for axes in grid[max(0, len(places) - across) : len(places)]:
        axes.set_xlabel("steps (generations)")
    shown = (
        f"mean of {legends.worlds(dataset.sizes['replicate'])}" if world == MEAN else f"world {world}"
    )
    height = PANEL * (len(grid) // across) + 0.75
    text = f"{drawing.name} by its index, {shown}{drawing.at.said}"
    return legends.finish(figure, _handles(drawing), text, width, height)


def vectors(dataset: xr.Dataset, of: str | None) -> str:
    """The name of the recorded vector that is meant.

    Raises:
        ValueError: there is none.
    """
    names = [
        str(name) for name, part in dataset.data_vars.items() if _member(dataset, part) is not None
    ]
    if of is None and names:
        return names[0]
    if of not in names:
        hint = suggest(str(of), names) if names else "record: {p: frequency} keeps one"
        raise ValueError(f"frequencies: expected a recorded vector, got {of}; {hint}")
    return str(of)


def _member(dataset: xr.Dataset, part: xr.DataArray) -> str | None:
    """The dim of a vector that is recorded along a run."""
    more = [str(dim) for dim in part.dims if dim not in dataset["status"].dims]
    return more[0] if set(RECORDS) <= set(part.dims) and len(more) == 1 else None


def asked(
    dataset: xr.Dataset, of: str | None, world: int | str, stacked: bool, given: dict[str, str | None]
) -> Drawing:
    """The numbers of a figure, and where they go.

    Args:
        dataset: a study's results.
        of: the recorded vector.
        world: its number, or mean.
        stacked: whether the parts stand on top of one another.
        given: rows and columns.

    Raises:
        ValueError: there is no such vector or world.
    """
    name = vectors(dataset, of)
    there = dataset["replicate"].values.tolist()
    if world != MEAN and str(world) not in map(str, there):
        raise ValueError(
            f"frequencies: expected mean, or a world of 0 to {len(there) - 1}, got {world}"
        )
    parts = dataset[[name, STEPS]].astype(float)
    shown = parts.mean("replicate") if world == MEAN else parts.sel(replicate=int(world))
    told = shown.rename({name: "quantity"})
    member = str(_member(dataset, dataset[name]))
    at = facets(told.isel({member: 0, "checkpoint": 0}), given, "frequencies", lines=False)
    return Drawing(name, at.kept(told, member), at, member, stacked)


def panel(drawing: Drawing, axes: Axes, place: Place) -> Axes:
    """Draw the frequencies of one place on Axes and return them.

    Args:
        drawing: of `asked`.
        axes: where.
        place: the values of the dims that panels have of their own.
    """
    part = drawing.told.sel(place)
    y = part["quantity"].transpose(drawing.member, "checkpoint").values
    x = part[STEPS].values
    there = np.isfinite(x) & np.isfinite(y).any(0)
    y = y[np.isfinite(y).any(1)][:, there]
    colours = shades(len(y))
    if drawing.stacked:
        axes.stackplot(x[there], y, colors=colours, edgecolor="white", linewidth=0.3)
    else:
        thin = max(0.5, 1.3 - 0.02 * len(y))
        for number, (values, colour) in enumerate(zip(y, colours, strict=True)):
            dash = style.DASHES[number % len(style.DASHES)] if len(y) <= FEW else "-"
            axes.plot(x[there], values, color=colour, lw=thin, ls=dash)
    axes.set_ylim(-0.02, max(1.02, y.sum(0).max(initial=0.0)) if drawing.stacked else 1.02)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    panels.rules(axes)
    return axes


def shades(number: int) -> list[Any]:
    """So many colours, from dark to light, so that grey prints keep their order."""
    return [colormaps[PALETTE](share) for share in np.linspace(0.05, 0.85, number)]


def _handles(drawing: Drawing) -> list[Line2D]:
    """An entry for each part, where they are few."""
    number = drawing.told.sizes[drawing.member]
    if number > FEW:
        return []
    looks = zip(shades(number), style.DASHES * 2, strict=False)
    return [
        legends.entry(
            str(place),
            color=colour,
            ls="-" if drawing.stacked else dash,
            lw=2 if drawing.stacked else 1.3,
        )
        for place, (colour, dash) in enumerate(looks)
    ]
