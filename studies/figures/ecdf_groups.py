"""Runtime distributions over landscapes: a panel for each group, and targets of each landscape its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from xarray import DataArray, Dataset

from studies.analysis.running_time.aggregated import ALL, BEST, TARGETS, aggregated, problem_axes
from studies.figures import clocks, layout, legends, panels, style
from studies.figures.clocks import with_clock
from studies.figures.style import Look, Looks
from studies.results.arms import arms, dims_beside
from studies.text.schema import DIMS

PANEL, NARROW = 2.0, 1.65  # inches: the height of a panel, its least width
COLUMNS = 3  # panels beside one another, at most
CROSS: Look = {"marker": "x", "ms": 5, "mew": 1.1, "ls": "", "clip_on": False, "zorder": 4}
REFERENCE: Look = {"color": "#bbbbbb", "linewidth": 3.5, "zorder": 1, "solid_capstyle": "butt"}
Places = Mapping[str, Mapping[str, object]]  # label of an arm -> its optimizer and values of axes


def grouped(
    dataset: Dataset, width: float, group: str, reference: str | None = None, clock: str = "cost"
) -> Figure:
    """The figure of a whole Dataset.

    Args:
        dataset: a study's results.
        width: inches.
        group: what the landscapes of a panel have in common, as `aggregated` has it.
        reference: an optimizer, or best, whose distribution is behind the others; None: there is none.
        clock: on which running times are.
    """
    return _page(_compared(dataset, group, reference, clock), width)


def grouped_pages(
    dataset: Dataset,
    width: float,
    highest: float,
    group: str,
    reference: str | None = None,
    clock: str = "cost",
) -> list[Figure]:
    """The figure on pages of at most so many inches, each with some of the groups.

    Args:
        dataset: a study's results.
        width: inches.
        highest: inches.
        group: as of `grouped`.
        reference: as of `grouped`.
        clock: as of `grouped`.
    """
    whole = _compared(dataset, group, reference, clock)
    names = np.arange(whole.shares.sizes["group"])

    def make(number: int) -> Iterator[Figure]:
        parts = (whole.shares.isel(group=part) for part in np.array_split(names, number))
        return (_page(whole._replace(shares=part), width) for part in parts)

    return layout.fewest(make, len(names), highest)


class Compared(NamedTuple):
    """The distributions of all groups, and how arms look."""

    dataset: Dataset
    shares: Dataset  # of `aggregated`
    places: Places
    looks: Looks
    group: str
    reference: str | None
    clock: str
    most: float  # that a world spent


def _compared(dataset: Dataset, group: str, reference: str | None, clock: str) -> Compared:
    dataset = with_clock(dataset, clock)
    shares = aggregated(dataset, group, reference=reference, clock=clock)
    places = _arms(dataset)
    looks, most = style.looks_of(dataset, list(places)), float(shares["most_spent"].max())
    return Compared(dataset, shares, places, looks, group, reference, clock, most)


def _page(whole: Compared, width: float) -> Figure:
    """A page with some of the groups."""
    figure = Figure(layout="constrained")
    names = whole.shares["group"].values.tolist()
    columns = layout.abreast(min(len(names), COLUMNS), width, NARROW)
    grid = layout.laid_out(figure, len(names), columns, width)
    inches = grid.inches - 0.5  # of words
    for axes, name in zip(grid.panels, names, strict=True):
        mine = whole.shares.sel(group=name)
        if np.isfinite([_least(whole), whole.most]).all():
            panel(mine, axes, whole.places, whole.looks, whole.clock)
            _same_costs(axes, whole)
        else:
            panels.empty(axes, "no targets" if whole.places else "no runs")
        problems = int(mine["problems"])
        note = [f"{problems} problem{'s' * (problems != 1)}"]
        panels.noted_title(axes, "" if whole.group == ALL else name, note, inches)
    grid.label("targets reached", style.wrapped(clocks.label(whole.clock), inches))
    entries = legends.lines(style.factored(legends.drawn(figure.axes, whole.looks)))
    if whole.reference is not None and any(axes.lines for axes in grid.panels):
        entries.append(legends.entry(_called(whole.reference), **REFERENCE))
    said = _said(figure, whole)
    return legends.finish(figure, entries, said, width, PANEL * grid.lines + 0.35)


def _least(whole: Compared) -> float:
    """The least of all costs; NaN where there are none."""
    return float(whole.shares[whole.clock].min())


def _same_costs(axes: Axes, whole: Compared) -> None:
    """Panels are compared: they have the same costs, on all pages."""
    least = _least(whole)
    axes.set_xlim(least, whole.most * (whole.most / least) ** 0.03)
    panels.costs(axes)


def _arms(dataset: Dataset) -> Places:
    """The arms of all landscapes; axes that change landscapes are no part of them."""
    first = dataset.isel(dict.fromkeys(problem_axes(dataset), 0))
    axes = ["optimizer", *dims_beside(first["loss"], *DIMS)]
    every: dict[str, Mapping[str, object]] = {}
    for name in first["landscape"].values:
        for label, arm in arms(first.sel(landscape=name), ["loss"]):
            every.setdefault(label, {axis: arm[axis].item() for axis in axes})
    return every


def _called(reference: str) -> str:
    """The name of a reference in the legend."""
    return "best arms" if reference == BEST else f"{reference} (reference)"


def _said(figure: Figure, whole: Compared) -> str:
    """What lines, bands and crosses are."""
    worlds = legends.of_worlds(whole.dataset)
    words = f"aggregated over landscapes{f' by {whole.group}' * (whole.group != ALL)}, of {worlds}"
    words += (
        f" and {TARGETS} targets of each problem (a landscape, and a value of the axes that change it),"
    )
    words += " from the highest to the lowest loss that was reached on it"
    words += legends.bands(figure, whole.dataset) + "; crosses: median end of runs that miss a target"
    if whole.reference is not None:
        least = "of each target the arm with the least expected running time"
        words += f"; grey: {f'best arms, {least}' if whole.reference == BEST else whole.reference}"
    return words


def panel(mine: Dataset, axes: Axes, places: Places, looks: Looks, clock: str = "cost") -> Axes:
    """Draw the distributions of a group on Axes and return them.

    Args:
        mine: of `aggregated`, without the dim `group`.
        axes: where.
        places: label of an arm -> where it is in `mine`.
        looks: label -> keywords of `Axes.plot`.
        clock: of the costs.
    """
    cost = mine[clock].values
    if "reference" in mine:
        last = float(mine["most_spent"].max())
        axes.plot(cost[cost <= last], mine["reference"].values[cost <= last], **REFERENCE)
    bands = len(places) <= style.BANDS and bool((mine["worlds"] > 1).any())
    for label, place in places.items():
        _curve(mine.sel(place), axes, {"label": label, **looks[label]}, cost, band=bands)
    axes.set_ylim(0, 1.02)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    panels.costs(axes)
    panels.rules(axes)
    return axes


def _curve(arm: Dataset, axes: Axes, look: Look, cost: np.ndarray, *, band: bool) -> None:
    """The distribution of an arm up to the end of its runs, and its cross."""
    there = cost <= float(arm["most_spent"])
    if not there.any() or bool(arm["solved"].isnull().all()):
        return
    x, share = cost[there], arm["solved"].values[there]
    if band:
        ends = _ends(arm["solved_interval"])[:, there]
        panels.share_band(axes, x, share, ends, {"color": look["color"], "alpha": 0.13})
    axes.plot(x, share, drawstyle="steps-post", **look)
    end = float(arm["end"])
    if np.isfinite(end):
        height = share[np.searchsorted(x, end * (1 + 1e-9), side="right") - 1]
        axes.plot(end, height, color=look["color"], **CROSS)


def _ends(interval: DataArray) -> np.ndarray:
    """The ends (2, C) of intervals."""
    return interval.transpose("bound", "checkpoint").values
