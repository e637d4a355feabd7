"""Frequencies of alleles or genotypes over generations, in one world or their mean, as lines or stacked.

`of` is a recorded vector, as `record: {p: frequency}` keeps it: lines, one for each locus, or areas on top of
one another (`stacked`), which suits genotypes, whose frequencies sum to 1: `record: {all:
genotype_frequency}`. Of many parts that have names the legend has those that become most frequent.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle
from typing import NamedTuple

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from xarray import DataArray, Dataset

from studies.figures import layout, legends, panels, style
from studies.figures.facets import Facets, Place, facets, words
from studies.results.arms import dims_beside
from studies.text.schema import MEMBERS, RECORDS
from studies.text.words import suggest

PANEL, LEAST = 1.6, 1.6  # inches: the height of a panel, its least width
FEW = 7  # members that a legend tells apart
TOP = 1.02  # of the axis of frequencies
MEAN = "mean"
STEPS = "steps"
PALETTE = "viridis"
AREA: style.Look = {"edgecolor": "white", "linewidth": 0.3}


class Drawing(NamedTuple):
    """What all panels of a figure share."""

    name: str  # of the vector
    numbers: Dataset  # quantity (.., checkpoint, member) and steps (.., checkpoint)
    at: Facets
    member: str  # the dim of loci, or genotypes
    stacked: bool
    names: list[str]  # of its parts; empty: their places


def frequencies(
    dataset: Dataset,
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
    given = {"rows": rows, "columns": columns}
    drawing = asked(dataset, of, world, str(stacked).lower() == "true", given)
    places = drawing.at.places(drawing.numbers)
    figure = Figure(layout="constrained")
    grid = layout.fitted(figure, len(places), width, LEAST)
    for axes, place in zip(grid.panels, places, strict=True):
        panel(drawing, axes, place)
        panels.title(axes, words(place), 0.85 * (grid.inches - 0.5))
    grid.label("frequency", "steps (generations)")
    height = PANEL * grid.lines + 0.75
    return legends.finish(figure, _handles(drawing), _said(drawing, dataset, world), width, height)


def _said(drawing: Drawing, dataset: Dataset, world: int | str) -> str:
    """What is drawn, in words."""
    mean = f"mean of {legends.of_worlds(dataset)}"
    shown = mean if world == MEAN else f"world {world}"
    by = "" if drawing.names else " by its index"
    return f"{drawing.name}{by}, {shown}{drawing.at.said}"


def vectors(dataset: Dataset, of: str | None) -> str:
    """The name of the recorded vector that is meant.

    Raises:
        ValueError: there is none.
    """
    names = _vectors(dataset)
    if of is None and names:
        return names[0]
    if of not in names:
        raise ValueError(f"frequencies: expected a recorded vector, got {of}; {_hint(of, names)}")
    return str(of)


def _hint(of: str | None, names: Sequence[str]) -> str:
    """Which vector may be meant, or how one is recorded."""
    return suggest(str(of), names) if names else "record: {p: frequency} keeps one"


def _vectors(dataset: Dataset) -> list[str]:
    """The names of the recorded vectors."""
    return [str(name) for name, part in dataset.data_vars.items() if _member(dataset, part)]


def _member(dataset: Dataset, part: DataArray) -> str | None:
    """The dim of a vector that is recorded along a run."""
    more = dims_beside(part, *map(str, dataset["status"].dims))
    return more[0] if len(more) == 1 and set(RECORDS).issubset(part.dims) else None


def asked(
    dataset: Dataset,
    of: str | None,
    world: int | str,
    stacked: bool,
    given: dict[str, str | None],
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
    parts = _of_world(dataset, dataset[[name, STEPS]].astype(float), world)
    numbers = parts.rename({name: "quantity"})
    member = str(_member(dataset, dataset[name]))
    at = facets(numbers, given, "frequencies", within=[member, "checkpoint"], lines=False)
    return Drawing(name, at.kept(numbers, member), at, member, stacked, _names(dataset, name))


def _names(dataset: Dataset, name: str) -> list[str]:
    """How the parts of a vector are called, which is known of one landscape alone."""
    alone = dataset.sizes.get("landscape", 1) == 1
    return dataset[name].attrs.get(MEMBERS, "").split() if alone else []


def _of_world(dataset: Dataset, parts: Dataset, world: int | str) -> Dataset:
    """Some variables in one world, or their mean over worlds.

    Raises:
        ValueError: there is no such world.
    """
    if world == MEAN:
        return parts.mean("replicate")
    worlds = dataset["replicate"].values.tolist()
    if str(world) not in map(str, worlds):
        raise ValueError(
            f"frequencies: expected mean, or a world of 0 to {len(worlds) - 1}, got {world}"
        )
    return parts.sel(replicate=int(world))


def panel(drawing: Drawing, axes: Axes, place: Place) -> Axes:
    """Draw the frequencies of one place on Axes and return them.

    Args:
        drawing: of `asked`.
        axes: where.
        place: the values of the dims that panels have of their own.
    """
    x, y = _numbers(drawing, place)
    top = _stack(axes, x, y) if drawing.stacked else _lines(axes, x, y)
    axes.set_ylim(-0.02, top)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    panels.rules(axes)
    return axes


def _stack(axes: Axes, x: np.ndarray, y: np.ndarray) -> float:
    """An area for each member on top of the others; returns how high the axis goes."""
    axes.stackplot(x, y, colors=shades(len(y)), **AREA)
    return max(TOP, y.sum(0).max(initial=0.0))


def _numbers(drawing: Drawing, place: Place) -> tuple[np.ndarray, np.ndarray]:
    """Steps (S,) and frequencies (M, S) of one place, without those that were not recorded."""
    part = drawing.numbers.sel(place)
    y = part["quantity"].transpose(drawing.member, "checkpoint").values
    x = part[STEPS].values
    there = np.isfinite(x) & np.isfinite(y).any(0)
    members = np.isfinite(y).any(1)
    return x[there], y[members][:, there]


def _lines(axes: Axes, x: np.ndarray, y: np.ndarray) -> float:
    """A line for each member, the thinner the more there are; returns how high the axis goes."""
    thin = max(0.5, 1.3 - 0.02 * len(y))
    dashes = cycle(style.DASHES if len(y) <= FEW else ["-"])
    for values, colour, dash in zip(y, shades(len(y)), dashes, strict=False):
        axes.plot(x, values, color=colour, lw=thin, ls=dash)
    return TOP


def shades(number: int) -> list[style.Shade]:
    """So many colours, from dark to light, so that grey prints keep their order."""
    return [colormaps[PALETTE](share) for share in np.linspace(0.05, 0.85, number)]


def _handles(drawing: Drawing) -> list[Line2D]:
    """An entry for each part, or for the commonest of many that have names."""
    number = drawing.numbers.sizes[drawing.member]
    if number > FEW and not drawing.names:
        return []
    dashes = ["-"] * number if drawing.stacked else style.DASHES * 2
    width = 2 if drawing.stacked else 1.3
    dashes = dashes if number <= FEW else ["-"] * number
    looks = list(zip(shades(number), dashes, strict=False))
    labels = drawing.names or [*map(str, range(number))]
    return [
        legends.entry(labels[place], color=looks[place][0], ls=looks[place][1], lw=width)
        for place in _commonest(drawing)
    ]


def _commonest(drawing: Drawing) -> list[int]:
    """The places of the few parts that become most frequent in a panel, in order."""
    quantity = drawing.numbers["quantity"]
    others = [dim for dim in quantity.dims if dim != drawing.member]
    return sorted((-quantity.max(others).fillna(0)).values.argsort(kind="stable")[:FEW].tolist())
