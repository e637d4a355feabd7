"""The Price partition over time.

By how much selection, drift, recombination and mutation change a population's mean loss in one step.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import EngFormatter, MaxNLocator

from studies.analysis.noise.population import population
from studies.figures import legends, panels, style
from studies.figures.noise_sources import face
from studies.results.arms import arms

ROW, NARROW = 1.45, 1.6  # inches: the height of a panel, its least width
SELECTION = "#666666"  # no source of randomness, so that it has a colour of its own
TICKS = 4  # costs that have room below a panel
Population = tuple[str, str, xr.Dataset]  # landscape, label and ledger of an arm


def price(dataset: xr.Dataset, width: float = style.WIDTH) -> Figure:
    """One panel for each landscape and each method with a population.

    Args:
        dataset: a study's results with the noise ledger.
        width: inches.

    Raises:
        ValueError: there is no noise ledger.
    """  # noqa: DOC502
    panels.expect(dataset, "price", "price", "a `ledger:`")
    shown = _populations(dataset)
    columns = panels.abreast(len(shown), width, NARROW)
    figure = Figure(layout="constrained")
    grid = panels.grid(figure, len(shown), columns)
    _draw(grid, shown, columns, width / columns - 0.5)
    figure.supylabel("change of the mean true loss in a step", fontsize=8)
    worlds = legends.worlds(dataset.sizes["replicate"], "; lines: 95 % intervals")
    height = ROW * (len(grid) // columns) + 0.8
    return legends.finish(figure, _handles(dataset), f"means of {worlds}", width, height)


def _draw(grid: np.ndarray, shown: list[Population], columns: int, inches: float) -> None:
    """All panels; `inches`: what words may take of one."""
    for axes, (name, label, arm) in zip(grid, shown, strict=False):
        panel(arm, axes)
        panels.small_title(axes, [name, label], inches)
    for axes in grid[max(0, len(shown) - columns) : len(shown)]:
        panels.cost_label(axes, inches)
    if not shown:
        panels.nothing(grid[0], "no population with numbers")


def _handles(dataset: xr.Dataset) -> list[Artist]:
    """An entry for each force, and for their sum."""
    forces = [
        Patch(label=force, **face(force, SELECTION)) for force in dataset["force"].values.tolist()
    ]
    return [*forces, legends.entry("all together", color="black", marker="o", ms=3, lw=0.8)]


def _populations(dataset: xr.Dataset) -> list[Population]:
    """Landscape, label and ledger of each arm that has a population."""
    return [
        (name, label, arm)
        for name, part in panels.landscapes(dataset)
        for label, arm in arms(part)
        if bool(arm["price"].notnull().any())
    ]


def panel(arm: xr.Dataset, axes: Axes) -> Axes:
    """Draw one method on one landscape: at each moment the forces beside one another, and their sum.

    Args:
        arm: a ledger without the dims `landscape` and `optimizer`.
        axes: where to draw.
    """
    told, places = population(arm), np.arange(arm.sizes["moment"])
    _bars(axes, told, places)
    axes.plot(places, told["price"].sum("force", min_count=1), "o-", color="black", ms=2.5, lw=0.8)
    axes.axhline(0.0, color=style.GREY, lw=0.6)
    shown, cost = places[:: -(-len(places) // TICKS)], arm["moment_cost"].mean("replicate").values
    axes.set_xticks(shown, [_three_digits(cost[i]) for i in shown])
    axes.yaxis.set_major_locator(MaxNLocator(4))
    return axes


def _bars(axes: Axes, told: xr.Dataset, places: np.ndarray) -> None:
    """A bar for each force at each moment, with its interval."""
    forces = told["force"].values.tolist()
    broad = 0.8 / len(forces)
    for i, force in enumerate(forces):
        part, x = told.sel(force=force), places + (i - (len(forces) - 1) / 2) * broad
        axes.bar(x, part["price"], broad, **face(force, SELECTION))
        axes.vlines(x, *part["price_interval"].transpose("bound", ...).values, color="#444444", lw=0.6)


def _three_digits(cost: float) -> str:
    """A cost with a unit's prefix: 1.23k."""
    return EngFormatter(places=None, sep="")(round(cost, 2 - int(np.log10(max(1.0, cost)))))
