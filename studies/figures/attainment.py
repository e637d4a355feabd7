"""Empirical attainment: which loss a quarter, a half and three quarters of the worlds had reached by a cost.

Lines are those of 25, 50 and 75 % of each arm, the middle one thick; they go down as far as so many worlds
got, and show the cost of any loss and the loss at any cost (Lopez-Ibanez, Vermetten, Dreo and Doerr 2025).
With `surface` each arm has a panel, with the share itself as shades. The losses are 25 of each landscape,
gaps not below the precision (`studies.analysis.running_time.attainment`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm, LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from xarray import Dataset

from studies.analysis.running_time.aggregated import automatic
from studies.analysis.running_time.attainment import attainment as analysis
from studies.figures import clocks, graded, layout, legends, panels, scales, style
from studies.figures.clocks import with_clock
from studies.figures.style import Look, Looks
from studies.results.arms import dims_beside
from studies.results.hits import spent
from studies.text.schema import ROUNDING, SPENT

PANEL, NARROW = 1.85, 1.65  # inches: the height of a panel, its least width
BAR = 0.3  # inches: the height of the bar of the shades
COLUMNS = 3  # panels beside one another, at most
LOSSES = 25  # of a landscape
LEVELS = (0.25, 0.5, 0.75)  # shares of worlds
WIDTHS = {0.25: 0.6, 0.5: 1.6, 0.75: 0.6}  # of their lines
SHADES = LinearSegmentedColormap.from_list("attained", ["#ffffff", "#bcd7ea", "#4a90c2", "#08306b"])
STEPS = 11  # edges of shades


class Surface(NamedTuple):
    """What is drawn of an arm on a landscape."""

    loss: np.ndarray  # (L,) from the highest down
    cost: np.ndarray  # (C,) up to the end of the runs
    attained: np.ndarray  # (L, C) share of worlds


Surfaces = Mapping[str, Surface]  # by the label of the arm


def attainment(
    dataset: Dataset, width: float = style.WIDTH, *, clock: str = "cost", surface: bool = False
) -> Figure:
    """The figure of a whole Dataset: a panel for each landscape, or for each arm there.

    A landscape has several panels where its arms are many (`scales.apart`).

    Args:
        dataset: a study's results.
        width: inches.
        clock: cost, steps, epochs, virtual_time or seconds.
        surface: whether the share of worlds is drawn as shades, an arm in each panel.

    Raises:
        ValueError: there is no such clock, or it was not recorded.
    """  # noqa: DOC502
    dataset = with_clock(dataset, clock)
    arms, parts = graded.shown(dataset), _parts(dataset, clock, surface=surface)
    mixed = len({gap for (_, _, gap), _ in parts}) > 1
    figure = Figure(layout="constrained")
    number = len(parts)
    grid = layout.laid_out(figure, number, layout.abreast(min(number, COLUMNS), width, NARROW), width)
    for axes, ((title, part, gap), one) in zip(grid.panels, parts, strict=True):
        _panel(one, axes, arms.looks, surface=surface)
        if gap and not surface:
            scales.mark_precision(axes, part)
        panels.title(axes, title, grid.inches - 0.5)
        if mixed or axes in grid.panels[:: grid.columns]:
            axes.set_ylabel(scales.name(gap=gap))
    for axes in grid.lowest():
        axes.set_xlabel(style.wrapped(clocks.label(clock), grid.inches - 0.5))
    if surface:
        _bar(figure, grid)
    drawn = {} if surface else legends.drawn_arms(grid.panels, arms.looks, dataset)
    words = f"losses that {_of_worlds(dataset)} had reached"
    words += "; shades: the share of worlds" if surface else arms.said
    words += scales.SHARED * scales.share(grid.panels, [panel for panel, _ in parts])
    height = PANEL * grid.lines + 0.35
    height += BAR if surface else arms.bar(figure, grid.panels, width)
    return legends.finish(figure, legends.lines(arms.entries(drawn)), words, width, height)


def _of_worlds(dataset: Dataset) -> str:
    """How many worlds the lines are of, in words."""
    worlds = legends.of_worlds(dataset)
    return worlds if dataset.sizes["replicate"] == 1 else f"25, 50 (thick) and 75 % of {worlds}"


def _parts(dataset: Dataset, clock: str, *, surface: bool) -> list[tuple[scales.Panel, Surfaces]]:
    """What has a panel of its own, with its title: the arms of a place together, or each."""
    parts: list[tuple[scales.Panel, Surfaces]] = []
    for title, part, gap in scales.panels(dataset):
        every = surfaces(part, clock, gap=gap)
        if surface and every:
            parts += [((f"{title}, {label}", part, gap), {label: one}) for label, one in every.items()]
        else:
            parts.append(((title, part, gap), every))
    return parts


def _bar(figure: Figure, grid: layout.Grid) -> None:
    """The bar of the shades."""
    shades = ScalarMappable(Normalize(0, 1), SHADES)
    bar = figure.colorbar(shades, ax=grid.panels, location="bottom", aspect=30, pad=0.02)
    bar.ax.xaxis.set_major_formatter(PercentFormatter(1.0))
    bar.outline.set_visible(False)  # type: ignore[operator]
    bar.set_label("worlds that had reached it")


# the numbers ------------------------------------------------------------------------------------------------


def surfaces(part: Dataset, clock: str = "cost", *, gap: bool | None = None) -> Surfaces:
    """Label of an arm -> its surface.

    Args:
        part: results of one landscape.
        clock: of the costs.
        gap: of the arms whose loss is the gap to the optimum, or of the others; None: all are of one kind.
    """
    whole = part.expand_dims("landscape")
    shares = analysis(whole, automatic(whole, LOSSES), clock=clock).isel(landscape=0)
    ends, every = spent(part, clock), {}
    for label, arm in scales.arms_of(part, gap, "attainment"):
        place = {
            dim: arm[dim].item() for dim in dims_beside(shares["attained"], "target", "checkpoint")
        }
        mine = shares.sel(place)
        cost, attained = np.asarray(mine[clock].values, float), mine["attained"]
        end = float(ends.sel(place).max()) * (1 + SPENT)
        there = np.isfinite(cost) & (cost > 0) & (cost <= end)
        every[label] = Surface(
            np.asarray(mine["target_loss"].values, float),
            cost[there],
            attained.transpose("target", "checkpoint").values[:, there],
        )
    return every


def line(surface: Surface, level: float) -> tuple[np.ndarray, np.ndarray]:
    """The costs (N,) from which a share of the worlds has reached losses (N,), and the end of the runs."""
    reached = surface.attained >= level * (1 - ROUNDING)
    there = reached.any(1)
    cost, loss = surface.cost[reached[there].argmax(1)], surface.loss[there]
    return np.append(cost, surface.cost[-1:] if len(cost) else []), np.append(loss, loss[-1:])


# a panel ----------------------------------------------------------------------------------------------------


def _panel(shown: Surfaces, axes: Axes, looks: Looks, *, surface: bool) -> None:
    """Draw arms on Axes."""
    axes.set_xscale("log")
    losses = np.concatenate([np.empty(0), *(one.loss for one in shown.values())])
    losses = losses[np.isfinite(losses)]
    if not losses.size:
        panels.empty(axes, "no losses")
        return
    if losses.min() > 0 and losses.max() > scales.SPANS * losses.min():
        axes.set_yscale("log")
        panels.decades(axes.yaxis)
    for label, one in shown.items():
        look = {"color": "black"} if surface else _look(looks, label)
        if surface:
            _shades(one, axes)
        _lines(one, axes, label, look)
    panels.costs(axes)
    panels.rules(axes)


def _look(looks: Looks, label: str) -> Look:
    """The look of an arm: its own, or, where arms are too many, its optimizer's."""
    return looks[label] if label in looks else looks[style.optimizer_of(label)] | style.THIN


def _lines(one: Surface, axes: Axes, label: str, look: Look) -> None:
    """The lines of an arm, in steps: a loss is reached at a cost, and the next one later."""
    for level in LEVELS:
        cost, loss = line(one, level)
        own = {"linewidth": WIDTHS[level], "drawstyle": "steps-post"}
        name = label if level == LEVELS[1] else f"_{label}, {level:.0%}"
        axes.plot(cost, loss, label=name, **look | own)


def _shades(one: Surface, axes: Axes) -> None:
    """The share of worlds as shades."""
    norm = BoundaryNorm(np.linspace(0, 1, STEPS), SHADES.N)
    axes.pcolormesh(
        one.cost, one.loss, one.attained, cmap=SHADES, norm=norm, shading="nearest", rasterized=True
    )
