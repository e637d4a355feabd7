"""The Price partition over time.

By how much selection, drift, recombination and mutation change a population's mean loss in one step.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import EngFormatter, MaxNLocator

from studies.analysis.noise.population import population
from studies.figures import style
from studies.figures.noise_sources import FACES, HATCHES
from studies.results.arms import arms

ROW, NARROW = 1.45, 1.6  # inches: the height of a panel, its least width
SELECTION = "#666666"


def price(dataset: xr.Dataset, width: float = style.WIDTH) -> Figure:
    """One panel for each landscape and each method with a population.

    Args:
        dataset: a study's results with the noise ledger.
        width: inches.

    Raises:
        ValueError: there is no noise ledger.
    """
    if "price" not in dataset:
        raise ValueError("price: expected a study with a `ledger:`, found none in these results")
    found = [
        (str(name), label, arm)
        for name in dataset["landscape"].values
        for label, arm in arms(dataset.sel(landscape=name))
        if bool(arm["price"].notnull().any())
    ]
    columns = max(1, min(len(found), int(width // NARROW)))
    rows = max(1, -(-len(found) // columns))
    figure = Figure(layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, (name, label, arm) in zip(grid, found, strict=False):
        panel(arm, axes)
        axes.set_title(
            "\n".join([
                style.wrapped(name, width / columns - 0.5, 7.5),
                style.wrapped(label, width / columns - 0.5, 7.5),
            ]),
            fontsize=7.5,
        )
    for axes in grid[len(found) :]:
        axes.set_axis_off()
    for axes in grid[max(0, len(found) - columns) : len(found)]:
        axes.set_xlabel(style.wrapped("cost (evaluations)", width / columns - 0.5))
    if not found:
        style.nothing(grid[0], "no population with numbers")
    figure.supylabel("change of the mean true loss in a step", fontsize=8)
    handles: list[Any] = [Patch(label=force, **_look(force)) for force in dataset["force"].values.tolist()]
    handles.append(Line2D([], [], color="black", marker="o", ms=3, lw=0.8, label="all together"))
    title = style.wrapped(
        f"means of {style.worlds(dataset.sizes['replicate'], '; lines: 95 % intervals')}", width - 0.3, 7.5
    )
    across = style.across([str(handle.get_label()) for handle in handles], width)
    figure.legend(handles=handles, loc="outside lower center", ncols=across, title=title, title_fontsize=7.5)
    figure.set_size_inches(
        width, ROW * rows + 0.8 + 0.16 * -(-len(handles) // across) + 0.13 * title.count("\n")
    )
    return figure


def panel(arm: xr.Dataset, axes: Axes) -> Axes:
    """Draw one method on one landscape: at each moment the forces beside one another, and their sum.

    Args:
        arm: a ledger without the dims `landscape` and `optimizer`.
        axes: where to draw.
    """
    told = population(arm)
    forces, places = told["force"].values.tolist(), np.arange(arm.sizes["moment"])
    broad = 0.8 / len(forces)
    for i, force in enumerate(forces):
        part = told.sel(force=force)
        x = places + (i - (len(forces) - 1) / 2) * broad
        axes.bar(x, part["price"], broad, **_look(force))
        axes.vlines(x, *part["price_interval"].transpose("bound", ...).values, color="#444444", lw=0.6)
    axes.plot(places, told["price"].sum("force", min_count=1), "o-", color="black", ms=2.5, lw=0.8)
    axes.axhline(0.0, color="#888888", lw=0.6)
    cost = arm["moment_cost"].mean("replicate").values
    shown = places[:: -(-len(places) // 4)]
    axes.set_xticks(
        shown,
        [
            EngFormatter(places=None, sep="")(round(cost[i], 2 - int(np.log10(max(1.0, cost[i])))))
            for i in shown
        ],
    )
    axes.yaxis.set_major_locator(MaxNLocator(4))
    return axes


def _look(force: str) -> dict[str, Any]:
    """Keywords of a bar: the colour that the source has in the other figures.

    Selection is no source of randomness.
    """
    return {
        "facecolor": FACES.get(force, SELECTION),
        "edgecolor": "white",
        "hatch": HATCHES.get(force),
        "linewidth": 0,
    }
