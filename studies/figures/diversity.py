"""What becomes of a population's diversity over cost.

Distance to its mean, heterozygosity on bits, linkage, genotypes, each on axes of its own.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter

from studies.analysis.noise import population as analysis
from studies.figures import style
from studies.results.arms import labels, stack

ROW = 1.35  # inches
DISTANCE, HETEROZYGOSITY = (
    "distance to the mean (rms)",
    "heterozygosity",
)  # of points of real numbers, of genotypes
EITHER = "distance to the mean, or heterozygosity"  # of results that do not say which
SEEN = {
    "linkage_disequilibrium": "linkage disequilibrium (mean r²)",
    "genotypes": "different genotypes",
}  # of the noise ledger


def diversity(dataset: xr.Dataset, width: float = style.WIDTH) -> Figure:
    """One row for each landscape: diversity at every checkpoint.

    Where there is a noise ledger, also linkage disequilibrium and genotypes alive.

    Args:
        dataset: a study's results.
        width: inches.
    """
    names, looks = dataset["landscape"].values.tolist(), style.arm_looks(dataset)
    columns = [*kinds(dataset), *(SEEN.values() if "genotypes" in dataset else ())]
    figure = Figure(layout="constrained")
    grid = figure.subplots(len(names), len(columns), squeeze=False, sharex="row")
    for name, row in zip(names, grid, strict=True):
        for axes, what in zip(row, columns, strict=True):
            panel(dataset.sel(landscape=name), axes, looks, what)
        row[0].set_ylabel(style.wrapped(str(name), ROW - 0.1), fontweight="bold")
    for axes, what in zip(grid[0], columns, strict=True):
        axes.set_title(style.wrapped(what, 0.8 * width / len(columns), 7.5), fontsize=7.5)
    for axes in grid[-1]:
        axes.set_xlabel(style.wrapped("cost (evaluations)", 0.8 * width / len(columns)))
    drawn = {line.get_label() for axes in grid.flat for line in axes.lines}
    handles = [
        Line2D([], [], label=label, **look)
        for label, look in looks.items()
        if label in drawn or len(looks) < len(labels(dataset))
    ]
    across = style.across([str(handle.get_label()) for handle in handles], width)
    bands = "; bands: 95 % intervals" if any(axes.collections for axes in grid.flat) else ""
    title = style.wrapped(
        f"means of {style.worlds(dataset.sizes['replicate'], bands)}{style.each(dataset, looks)}",
        width - 0.3,
        7.5,
    )
    figure.legend(handles=handles, loc="outside lower center", ncols=across, title=title, title_fontsize=7.5)
    figure.set_size_inches(
        width, ROW * len(names) + 0.9 + 0.16 * -(-len(handles) // across) + 0.13 * title.count("\n")
    )
    return figure


def kinds(dataset: xr.Dataset) -> list[str]:
    """What the diversity of the arms is: each has a unit of its own."""
    if "on_bits" not in dataset.coords:
        return [EITHER]
    bits = dataset["on_bits"].values
    return [DISTANCE] * bool((bits == 0).any()) + [HETEROZYGOSITY] * bool((bits == 1).any()) or [EITHER]


def panel(
    dataset: xr.Dataset, axes: Axes, looks: dict[str, dict[str, Any]] | None = None, what: str = EITHER
) -> Axes:
    """Draw one landscape on Axes and return them.

    Args:
        dataset: without the dim `landscape`.
        axes: where to draw.
        looks: label -> keywords of `Axes.plot`.
        what: of `kinds`, or a value of `SEEN`, or what else the noise ledger holds: fixed_loci,
            loss_variance.
    """
    looks = looks or style.arm_looks(dataset)
    named = {text: name for name, text in SEEN.items()}
    ledger = what not in (DISTANCE, HETEROZYGOSITY, EITHER)
    name = named.get(what, what) if ledger else "diversity"
    mark: dict[str, Any] = {"marker": "o", "ms": 2.5} if ledger else {}
    seen = False
    found = _of_kind(stack(dataset), what)
    bands = len(looks) <= style.BANDS and set(found["arm"].values) <= set(looks)
    all_told = analysis.population(found) if ledger else analysis.diversity(found, interval=bands)
    for number, label in enumerate(found["arm"].values.tolist()):
        arm, told = found.isel(arm=number), all_told.isel(arm=number)
        cost = arm["moment_cost"].mean("replicate") if ledger else arm["cost"]
        value = told[name].values
        shown = np.isfinite(value) & (cost.values > 0) & ((value > 0) | ledger)
        if not shown.any():
            continue
        look = style.look(looks, label, arm)
        low, high = (
            told[f"{name}_interval"].transpose("bound", ...).values[:, shown]
            if bands
            else (value[shown],) * 2
        )
        if bands and (high > low).any():
            axes.fill_between(cost.values[shown], low, high, color=look["color"], alpha=0.15, lw=0)
        axes.plot(cost.values[shown], value[shown], label=label, **look, **mark)
        seen = True
    if not seen:
        style.nothing(axes, "none here")
        axes.set(xticks=[], yticks=[])
        return axes
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(numticks=5))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_ylim(bottom=0)
    axes.grid(axis="both", which="major")
    axes.set_axisbelow(True)
    return axes


def _of_kind(found: xr.Dataset, what: str) -> xr.Dataset:
    """The arms (dim `arm`) whose diversity is of this kind."""
    if what not in (DISTANCE, HETEROZYGOSITY) or "on_bits" not in found.coords:
        return found
    bits = np.broadcast_to(found["on_bits"].values, found.sizes["arm"])
    return found.isel(arm=np.flatnonzero(bits == (what == HETEROZYGOSITY)))
