"""The Price partition over time.

By how much selection, drift, recombination and mutation change a population's mean loss in one step.
"""

from __future__ import annotations

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import EngFormatter, MaxNLocator
from xarray import Dataset

from studies.analysis.noise.population import at_moments
from studies.figures import layout, legends, panels, style
from studies.figures.noise_sources import face
from studies.figures.style import Look
from studies.results.arms import arms

ROW, NARROW = 1.45, 1.6  # inches: the height of a panel, its least width
SELECTION = "#666666"  # no source of randomness, so that it has a colour of its own
TOGETHER: Look = {"color": "black", "marker": "o", "ms": 3, "lw": 0.8}
TICKS = 4  # costs that have room below a panel
Population = tuple[str, str, Dataset]  # landscape, label and ledger of an arm


def price(dataset: Dataset, width: float = style.WIDTH) -> Figure:
    """One panel for each landscape and each method with a population.

    Args:
        dataset: a study's results with the noise ledger.
        width: inches.

    Raises:
        ValueError: there is no noise ledger.
    """  # noqa: DOC502
    panels.expect(dataset, "price", "price", "a `ledger:`")
    shown = _populations(dataset)
    figure = Figure(layout="constrained")
    grid = layout.fitted(figure, len(shown), width, NARROW)
    _draw(grid, shown)
    figure.supylabel("change of the mean true loss in a step", fontsize=8)
    worlds = legends.of_worlds(dataset, "; lines: 95 % intervals")
    height = ROW * grid.lines + 0.8
    return legends.finish(figure, _handles(dataset), f"means of {worlds}", width, height)


def _draw(grid: layout.Grid, shown: list[Population]) -> None:
    """All panels."""
    inches = grid.inches - 0.5
    for axes, (name, label, arm) in zip(grid.panels, shown, strict=True):
        panel(arm, axes)
        panels.small_title(axes, [name, label], inches)
    for axes in grid.lowest():
        panels.cost_label(axes, inches)
    if not shown:
        panels.nothing(grid.places[0], "no population with numbers")


def _handles(dataset: Dataset) -> list[Artist]:
    """An entry for each force, and for their sum."""
    forces = dataset["force"].values.tolist()
    handles = [Patch(label=force, **face(force, SELECTION)) for force in forces]
    return [*handles, legends.entry("all together", **TOGETHER)]


def _populations(dataset: Dataset) -> list[Population]:
    """Landscape, label and ledger of each arm that has a population."""
    return [
        (name, label, arm)
        for name, part in panels.landscapes(dataset)
        for label, arm in arms(part)
        if bool(arm["price"].notnull().any())
    ]


def panel(arm: Dataset, axes: Axes) -> Axes:
    """Draw one method on one landscape: at each moment the forces beside one another, and their sum.

    Args:
        arm: a ledger without the dims `landscape` and `optimizer`.
        axes: where to draw.
    """
    forces, places = at_moments(arm, "price"), np.arange(arm.sizes["moment"])
    _bars(axes, forces, places)
    together = forces["price"].sum("force", min_count=1)
    axes.plot(places, together, "o-", color="black", ms=2.5, lw=0.8)
    axes.axhline(0.0, color=style.GREY, lw=0.6)
    _costs(axes, places, arm["moment_cost"].mean("replicate").values)
    axes.yaxis.set_major_locator(MaxNLocator(4))
    return axes


def _costs(axes: Axes, places: np.ndarray, cost: np.ndarray) -> None:
    """The costs of some moments below their places."""
    shown = places[:: -(-len(places) // TICKS)]
    axes.set_xticks(shown, [_three_digits(cost[i]) for i in shown])


def _bars(axes: Axes, forces: Dataset, places: np.ndarray) -> None:
    """A bar for each force at each moment, with its interval."""
    names = forces["force"].values.tolist()
    broad = 0.8 / len(names)
    for number, name in enumerate(names):
        part = forces.sel(force=name)
        x = places + (number - (len(names) - 1) / 2) * broad
        axes.bar(x, part["price"], broad, **face(name, SELECTION))
        axes.vlines(x, *panels.ends(part, "price"), color="#444444", lw=0.6)


def _three_digits(cost: float) -> str:
    """A cost with a unit's prefix: 1.23k."""
    return EngFormatter(places=None, sep="")(round(cost, 2 - int(np.log10(max(1.0, cost)))))
