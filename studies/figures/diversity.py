"""What becomes of a population's diversity: distance or heterozygosity over cost, linkage disequilibrium, fixed loci, genotypes."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter

from studies.analysis import population as analysis
from studies.analysis.arms import stack
from studies.figures import style

ROW = 1.35  # inches
SEEN = {"linkage_disequilibrium": "linkage disequilibrium (mean r²)", "genotypes": "different genotypes"}  # of the noise ledger


def diversity(dataset: xr.Dataset, width: float = style.WIDTH) -> Figure:
    """One row for each landscape: diversity at every checkpoint; where there is a noise ledger, also linkage disequilibrium and genotypes alive.

    Args:
        dataset: a study's results.
        width: inches.
    """
    names, looks = dataset["landscape"].values.tolist(), style.arm_looks(dataset)
    columns = ["diversity", *(SEEN if "genotypes" in dataset else ())]
    figure = Figure(layout="constrained")
    grid = figure.subplots(len(names), len(columns), squeeze=False, sharex="row")
    for name, row in zip(names, grid, strict=True):
        for axes, what in zip(row, columns, strict=True):
            panel(dataset.sel(landscape=name), axes, looks, what)
        row[0].set_ylabel(style.wrapped(str(name), ROW - 0.1), fontweight="bold")
    texts = {"diversity": "distance to the mean, or heterozygosity"} | SEEN
    for axes, what in zip(grid[0], columns, strict=True):
        axes.set_title(style.wrapped(texts[what], 0.8 * width / len(columns), 7.5), fontsize=7.5)
    for axes in grid[-1]:
        axes.set_xlabel(style.wrapped("cost (evaluations)", 0.8 * width / len(columns)))
    handles = [Line2D([], [], label=label, **look) for label, look in looks.items()]
    across = style.across([str(handle.get_label()) for handle in handles], width)
    bands = "; bands: 95 % intervals" if len(looks) <= style.BANDS else ""
    title = style.wrapped(f"means of {style.worlds(dataset.sizes['replicate'], bands)}{style.each(dataset, looks)}", width - 0.3, 7.5)
    figure.legend(handles=handles, loc="outside lower center", ncols=across, title=title, title_fontsize=7.5)
    figure.set_size_inches(width, ROW * len(names) + 0.9 + 0.16 * -(-len(handles) // across) + 0.13 * title.count("\n"))
    return figure


def panel(dataset: xr.Dataset, axes: Axes, looks: dict[str, dict[str, Any]] | None = None, what: str = "diversity") -> Axes:
    """Draw one landscape on Axes and return them.

    Args:
        dataset: without the dim `landscape`.
        axes: where to draw.
        looks: label -> keywords of `Axes.plot`.
        what: diversity, or what the noise ledger holds: heterozygosity, linkage_disequilibrium, fixed_loci, genotypes, loss_variance.
    """
    looks = looks or style.arm_looks(dataset)
    mark: dict[str, Any] = {} if what == "diversity" else {"marker": "o", "ms": 2.5}
    seen = False
    found = stack(dataset)
    bands = len(looks) <= style.BANDS and set(found["arm"].values) <= set(looks)
    all_told = analysis.diversity(found, interval=bands) if what == "diversity" else analysis.population(found)
    for number, label in enumerate(found["arm"].values.tolist()):
        arm, told = found.isel(arm=number), all_told.isel(arm=number)
        cost = arm["cost"] if what == "diversity" else arm["moment_cost"].mean("replicate")
        value = told[what].values
        shown = np.isfinite(value) & (cost.values > 0) & ((value > 0) | (what != "diversity"))
        look = style.look(looks, label, arm)
        if bands:
            low, high = told[f"{what}_interval"].transpose("bound", ...).values
            axes.fill_between(cost.values[shown], low[shown], high[shown], color=look["color"], alpha=0.15, lw=0)
        axes.plot(cost.values[shown], value[shown], label=label, **look, **mark)
        seen = seen or bool(shown.any())
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
