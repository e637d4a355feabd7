"""Runtime distributions: the share of worlds and targets that are solved by a cost.

Bands, of up to seven arms, are 95 % intervals where some but not all is solved; at 0 and 100 % none is drawn,
and the legend says how wide it is there. As COCO shows them (Hansen, Auger, Ros et al. 2021): a cross where
the runs end that miss a target, at the median of what they spent; from there on, thin, what simulated
restarts would add, where worlds share instances. With `group` landscapes are aggregated, with 51 targets of
each its own, and `reference` is what all are compared with.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from xarray import DataArray, Dataset

from studies.analysis.running_time import restarts, runtime
from studies.analysis.running_time.runtime import Targets
from studies.figures import clocks, graded, layout, legends, line_ends, panels, scales, style
from studies.figures.clocks import with_clock
from studies.figures.ecdf_groups import COLUMNS, CROSS, NARROW, PANEL, grouped
from studies.figures.style import Look, Looks
from studies.results.arms import numbers_at
from studies.results.clocks import times_of
from studies.results.hits import hits, spent

BEYOND = 10.0  # budgets up to which restarts are shown
STEPS = 60  # costs at which they are
EVENLY = DataArray(np.linspace(0, 1, STEPS), dims="checkpoint")
OWN = 64  # hits of an arm at whose costs its distribution is drawn, beside those of the checkpoints
THIN = 0.6  # of the line of restarts
Numbers = Mapping[str, np.ndarray]  # of an arm, by name


# the whole figure -------------------------------------------------------------------------------------------


def ecdf(
    dataset: Dataset,
    width: float = style.WIDTH,
    targets: Targets = None,
    clock: str = "cost",
    group: str | None = None,
    reference: str | None = None,
) -> Figure:
    """The figure of a whole Dataset.

    Args:
        dataset: a study's results.
        width: inches.
        targets: losses; None: those of the study.
        clock: on which running times are: cost, steps, epochs, virtual_time or seconds.
        group: all, kind, dim, landscape or a swept axis that changes landscapes: those of a group are drawn
            together, with targets of their own (`studies.figures.ecdf_groups`); None: each has a panel.
        reference: with groups, the optimizer to compare with, or best.

    Raises:
        ValueError: the study has no targets, and none are given; there is no such clock; a reference
            without groups, or targets with them.
    """
    if group is not None:
        if targets is not None:
            raise ValueError(
                "ecdf: expected targets or group, found both: a group has targets of its own"
            )
        return grouped(dataset, width, group, reference, clock)
    if reference is not None:
        raise ValueError("ecdf: expected group (all, kind, ..) beside reference, found none")
    dataset = with_clock(dataset, clock)
    if targets is None and not dataset.sizes.get("target"):
        raise ValueError(
            "ecdf: expected a study with `targets:`, found none in these results; give losses as"
            " targets=[...]"
        )
    shown, arms = scales.panels(dataset), graded.shown(dataset)
    figure = Figure(layout="constrained")
    columns = layout.abreast(min(len(shown), COLUMNS), width, NARROW)
    grid = layout.laid_out(figure, len(shown), columns, width)
    inches = grid.inches - 0.5  # of words
    for axes, part in zip(grid.panels, shown, strict=True):
        _titled(axes, part, arms.looks, targets, inches, clock)
    grid.label("targets reached", style.wrapped(clocks.label(clock), inches))
    said = _said(figure, dataset, arms.looks) + arms.said
    named = line_ends.named(grid.panels, arms.looks, (grid.inches, PANEL))
    drawn = {} if named else legends.drawn_arms(grid.panels, arms.looks, dataset)
    height = PANEL * grid.lines + 0.35 + arms.bar(figure, grid.panels, width)
    return legends.finish(figure, legends.lines(arms.entries(drawn)), said, width, height)


def _titled(
    axes: Axes, shown: scales.Panel, looks: Looks, targets: Targets, inches: float, clock: str
) -> None:
    """A panel with its title and notes.

    Args:
        axes: where.
        shown: title, results, and whether the loss is a gap.
        looks: label -> keywords of `Axes.plot`.
        targets: of all landscapes.
        inches: what words may take.
        clock: of the running times.
    """
    title, part, gap = shown
    mine, of_arms = _of_landscape(targets, part), scales.arms_of(part, gap, "ecdf")
    _panel(part, of_arms, axes, looks, mine, clock)
    panels.noted_title(axes, title, _notes(part, of_arms, mine), inches)


def _of_landscape(targets: Targets, part: Dataset) -> Targets:
    """The targets of one landscape."""
    if isinstance(targets, DataArray) and "landscape" in targets.dims:
        return targets.sel(landscape=part["landscape"])
    return targets


def _said(figure: Figure, dataset: Dataset, looks: Looks) -> str:
    """What lines, bands and crosses are."""
    worlds = legends.of_worlds(dataset)
    words = f"share of pairs of {worlds} and the targets{legends.each(dataset, looks, scales.apart(dataset))}"
    words += legends.bands(figure, dataset) + "; crosses: where runs end that miss a target"
    words += legends.hatched(figure.axes)
    return words + "; thin: simulated restarts within instances" * shared(dataset)


def notes(dataset: Dataset, targets: Targets = None, gap: bool | None = None) -> list[str]:  # noqa: FBT001
    """What is said above a panel: its targets, and the arms that never asked.

    Args:
        dataset: as of `panel`.
        targets: as of `panel`.
        gap: as of `panel`.
    """
    return _notes(dataset, scales.arms_of(dataset, gap, "ecdf"), targets)


def _notes(dataset: Dataset, of_arms: scales.Arms, targets: Targets) -> list[str]:
    """What is said of some arms."""
    return _targets_said(_targets(dataset, targets, of_arms)) + scales.idle(of_arms)


def _targets_said(targets: np.ndarray) -> list[str]:
    """A line on the targets (ascending), none where there are none."""
    texts = [style.short(value) for value in targets[::-1]]
    if len(texts) < 2:
        return [f"target {text}" for text in texts]
    return [f"{len(texts)} targets, {texts[0]}{', ' if len(texts) == 2 else ' to '}{texts[-1]}"]


def _targets(dataset: Dataset, targets: Targets, of_arms: scales.Arms) -> np.ndarray:
    """The targets of some arms, each once, ascending."""
    losses = hits(dataset, targets)["target_loss"]
    dims = [dim for dim in losses.dims if dim != "target"]
    parts = [losses.sel({dim: arm[dim] for dim in dims}).values.ravel() for _, arm in of_arms]
    values = np.unique(np.concatenate([np.array([]), *parts]))
    return values[np.isfinite(values)]


# a panel ----------------------------------------------------------------------------------------------------


def panel(
    dataset: Dataset,
    axes: Axes,
    looks: Looks | None = None,
    targets: Targets = None,
    gap: bool | None = None,
    clock: str = "cost",
) -> Axes:
    """Draw one landscape (no `landscape` dim) on Axes and return them.

    Args:
        dataset: with hits or losses, `status`, counted terms, and the coordinate `cost` (checkpoint).
        axes: where to draw.
        looks: label -> keywords of `Axes.plot`; an arm whose label is not there looks like its optimizer, and
            has no band.
        targets: losses; None: those of the study.
        gap: whether the arms whose loss is the gap to the optimum are drawn, or the others; None: all, which
            must be of one kind.
        clock: of the running times.

    Raises:
        ValueError: some arms have gaps, others raw losses, and `gap` does not say which.
    """  # noqa: DOC502
    of_arms = scales.arms_of(dataset, gap, "ecdf")
    return _panel(dataset, of_arms, axes, looks or style.arm_looks(dataset), targets, clock)


def _panel(
    dataset: Dataset, of_arms: scales.Arms, axes: Axes, looks: Looks, targets: Targets, clock: str
) -> Axes:
    """Draw some arms on Axes and return them; arguments as of `panel`."""
    asking = scales.asking(of_arms)
    if not asking or not _targets(dataset, targets, of_arms).size:
        panels.empty(axes, "no targets" if asking else "no runs")
        return axes
    reached = curves(dataset, targets, clock)
    dims = [str(dim) for dim in reached["cross"].dims]
    of_places = _by_place(reached, dims)
    for label, arm in asking:
        mine = of_places[tuple(arm[dim].item() for dim in dims)]
        band = label in looks and len(looks) <= style.BANDS and arm.sizes["replicate"] > 1
        _curve(mine, axes, label, style.look(looks, label, arm), band=band)
    _finish(axes)
    return axes


def _by_place(reached: Dataset, dims: Sequence[str]) -> dict[tuple[object, ...], Numbers]:
    """The numbers of `curves` by the labels of the dims of an arm."""
    every = numbers_at(reached.transpose(..., "bound", "checkpoint"), dims, map(str, reached.data_vars))
    labels = itertools.product(*(reached[dim].values.tolist() for dim in dims))
    return dict(zip(labels, every, strict=True))


def _finish(axes: Axes) -> None:
    """The axes of a panel."""
    axes.set_ylim(0, 1.02)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    panels.costs(axes)
    panels.rules(axes)


def _curve(reached: Numbers, axes: Axes, label: str, look: Look, *, band: bool) -> None:
    """One arm: its distribution up to the end of its runs, its cross, and what restarts add.

    Args:
        reached: of `curves`, for this arm.
        axes: where.
        label: of the arm.
        look: keywords of `Axes.plot`.
        band: whether its interval is drawn.
    """
    steps: Look = {"drawstyle": "steps-post", **look}
    there = np.isfinite(reached["cost"])
    cost, solved = reached["cost"][there], reached["solved"][there]
    if band:
        faint = {"color": look["color"], "alpha": 0.13}
        panels.share_band(axes, cost, solved, reached["solved_interval"][:, there], faint)
    axes.plot(cost, solved, label=label, **steps)
    earliest = reached["earliest"][there] if "earliest" in reached else solved
    if (earliest > solved).any():
        legends.hatch(axes, cost, solved, earliest, look["color"])
    if np.isfinite(reached["cross"]):
        axes.plot(reached["cross"], reached["height"], color=look["color"], **CROSS)
        if "restarted" in reached:
            thin = steps | {"linewidth": THIN}
            axes.plot(reached["beyond"], reached["restarted"], **thin, zorder=1.8)


def shared(dataset: Dataset) -> bool:
    """Whether worlds share instances, so that a run can be started anew on the same one."""
    numbers = dataset.coords.get("instance")
    return numbers is not None and len(np.unique(numbers.values)) < dataset.sizes["replicate"]


# the numbers ------------------------------------------------------------------------------------------------


def curves(dataset: Dataset, targets: Targets = None, clock: str = "cost") -> Dataset:
    """What is drawn of one landscape, for all arms at once.

    Args:
        dataset: without the dim `landscape`.
        targets: losses; None: those of the study.
        clock: of the running times, which are called costs here.

    Returns:
        `solved` and `solved_interval` at the costs `cost` (.., checkpoint) up to the end of an arm's runs,
        those of checkpoints and of hits, maybe NaN at the end; where hits are known to intervals `earliest`,
        the share as if each were at the lower end of its own; `cross`, the median bill of the worlds that
        miss a target, NaN where none does, and `height` there; where worlds share instances `restarted` at
        the costs `beyond` (.., more).
    """
    which = f"hit_{clock}"
    bill, hit = spent(dataset, clock), hits(dataset, targets, which)
    soonest = _soonest(dataset, targets, which)
    missed, end = bill.where((hit == np.inf).any("target")), bill.max("replicate")
    cross = missed.median("replicate").reset_coords(drop=True)
    cost = _costs(
        times_of(dataset, clock), end, cross, [part for part in (hit, soonest) if part is not None]
    )
    shares = runtime.ecdf(dataset, cost, targets, which)[["solved", "solved_interval"]]
    shares = shares.reset_coords(drop=True)
    reached = shares.assign(cross=cross, cost=cost, height=_height(dataset, cross, targets, which))
    if soonest is not None:
        reached["earliest"] = _solved(runtime.ecdf(dataset.assign({which: soonest}), cost, which=which))
    if shared(dataset):
        reached = reached.assign(
            _restarted(dataset, targets, _beyond(missed.min("replicate"), end), which)
        )
    return reached


def _restarted(dataset: Dataset, targets: Targets, beyond: DataArray, which: str) -> Dataset:
    """What simulated restarts solve at these costs."""
    solved = _solved(restarts.ecdf(dataset, beyond, targets, which))
    return Dataset({"beyond": beyond, "restarted": solved}).rename(checkpoint="more")


def _solved(shares: Dataset) -> DataArray:
    """The share that is solved, with the costs last."""
    return shares["solved"].reset_coords(drop=True).transpose(..., "checkpoint")


def _costs(
    checkpoints: DataArray, end: DataArray, cross: DataArray, of_hits: list[DataArray]
) -> DataArray:
    """Costs at which the distribution of each arm is drawn, ascending, maybe with NaN at the end.

    Args:
        checkpoints: costs of the checkpoints; those beyond the end of an arm's runs become the end.
        end: of the runs of each arm.
        cross: a further cost of each arm.
        of_hits: costs of hits (.., replicate, target), of which some are taken.
    """
    cost = checkpoints.where(checkpoints > 0).drop_vars("checkpoint").reset_coords(drop=True)
    parts = [cost.where(~(cost > end), end), cross.expand_dims("checkpoint"), *map(_some, of_hits)]
    every = xr.concat(parts, "checkpoint", coords="minimal", compat="override")
    dims = [["checkpoint"]]
    return xr.apply_ufunc(np.sort, every, input_core_dims=dims, output_core_dims=dims)  # NaN come last


def _height(dataset: Dataset, cross: DataArray, targets: Targets, which: str) -> DataArray:
    """The share that is solved at the cross of each arm."""
    solved = runtime.ecdf(dataset, cross.expand_dims("checkpoint"), targets, which)["solved"]
    return solved.isel(checkpoint=0).reset_coords(drop=True)


def _beyond(start: DataArray, end: DataArray) -> DataArray:
    """Costs from the first run that ends without a hit to some budgets, evenly on a log scale."""
    low, high = np.log(start), np.log(BEYOND * end)
    return np.exp(low + EVENLY * (high - low))


def _soonest(dataset: Dataset, targets: Targets, which: str) -> DataArray | None:
    """The lower ends of the intervals in which hits are known to lie; None where all are exact."""
    if targets is not None or f"{which}_low" not in dataset:
        return None
    low, hit = dataset[f"{which}_low"], dataset[which]
    return low if (low < hit).any() else None


def _some(hit: DataArray) -> DataArray:
    """Costs of hits (.., checkpoint): all of them, or as many as are drawn, evenly through them.

    NaN where there are none.
    """
    hit = hit.reset_coords(drop=True)
    finite = hit.where(np.isfinite(hit) & (hit > 0))
    of_arm, drawn = [["replicate", "target"]], [["checkpoint"]]
    return xr.apply_ufunc(_evenly, finite, input_core_dims=of_arm, output_core_dims=drawn)


def _evenly(hit: np.ndarray) -> np.ndarray:
    """(.., R, T) -> (.., K)."""
    ordered = np.sort(hit.reshape(*hit.shape[:-2], -1), -1)  # NaN come last
    count = np.isfinite(ordered).sum(-1, keepdims=True)
    place = np.rint(np.linspace(0, 1, min(OWN, ordered.shape[-1])) * (count - 1)).astype(int)
    return np.take_along_axis(ordered, np.maximum(place, 0), -1)
