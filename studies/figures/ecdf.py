"""Runtime distributions: the share of worlds and targets that are solved by a cost, one panel for each landscape.

Bands, of up to seven arms, are 95 % intervals where some but not all is solved; at 0 and 100 % none is drawn, and the legend says how wide it is
there. As COCO shows them (Hansen, Auger, Ros et al. 2021): a cross where the runs end that miss a target, at the median of what they spent; from
there on, thin, what simulated restarts would add, where worlds share instances.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import PercentFormatter

from studies.analysis.running_time import restarts, runtime
from studies.analysis.running_time.runtime import Targets
from studies.figures import scales, style
from studies.results.arms import labels
from studies.results.hits import hits, spent

PANEL = 2.0  # inches, the height of a panel
BEYOND = 10.0  # budgets up to which restarts are shown
STEPS = 60  # costs at which they are
OWN = 64  # hits of an arm at whose costs its distribution is drawn, beside those of the checkpoints
THIN = 0.6  # of the line of restarts
CROSS: dict[str, Any] = {"marker": "x", "ms": 5, "mew": 1.1, "ls": "", "clip_on": False, "zorder": 4}


def ecdf(dataset: xr.Dataset, width: float = style.WIDTH, targets: Targets = None) -> Figure:
    """The figure of a whole Dataset.

    Args:
        dataset: a study's results.
        width: inches.
        targets: losses; None: those of the study.

    Raises:
        ValueError: the study has no targets, and none are given.
    """
    if targets is None and not dataset.sizes.get("target"):
        raise ValueError(
            "ecdf: expected a study with `targets:`, found none in these results; give losses as"
            " targets=[...]"
        )
    shown, looks = scales.panels(dataset), style.arm_looks(dataset)
    columns = min(len(shown), max(1, min(3, int(width // 1.65))))
    rows, each = -(-len(shown) // columns), width / columns
    figure = Figure(layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes, (title, part, gap) in zip(grid.flat, shown, strict=False):
        mine = (
            targets.sel(landscape=part["landscape"])
            if isinstance(targets, xr.DataArray) and "landscape" in targets.dims
            else targets
        )
        panel(part, axes, looks, mine, gap)
        room = style.note(axes, notes(part, mine, gap), each - 0.6)
        axes.set_title(style.wrapped(title, each - 0.5), loc="left", fontweight="bold", pad=room)
    for axes in grid.flat[len(shown) :]:
        axes.set_axis_off()
    for i, axes in enumerate(grid.flat[: len(shown)]):
        axes.set_ylabel("targets reached" if i % columns == 0 else "")
        axes.set_xlabel(style.wrapped("cost (evaluations)", each - 0.5) if i + columns >= len(shown) else "")
    figure.set_size_inches(width, PANEL * rows + _legend(figure, dataset, looks, width))
    return figure


def panel(
    dataset: xr.Dataset,
    axes: Axes,
    looks: dict[str, dict[str, Any]] | None = None,
    targets: Targets = None,
    gap: bool | None = None,
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

    Raises:
        ValueError: some arms have gaps, others raw losses, and `gap` does not say which.
    """  # noqa: DOC502
    looks = looks or style.arm_looks(dataset)
    there = scales.asking(scales.arms_of(dataset, gap, "ecdf"))
    if not there or not _targets(dataset, targets, gap).size:
        style.nothing(axes, "no targets" if there else "no runs")
        axes.set(xticks=[], yticks=[])
        return axes
    told = curves(dataset, targets)
    for label, arm in there:
        mine = told.sel({dim: arm[dim].item() for dim in told["cross"].dims})
        _curve(
            mine,
            axes,
            label,
            style.look(looks, label, arm),
            band=label in looks and len(looks) <= style.BANDS and arm.sizes["replicate"] > 1,
        )
    axes.set_ylim(0, 1.02)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    style.costs(axes)
    axes.grid(axis="both", which="major")
    axes.set_axisbelow(True)
    return axes


def notes(dataset: xr.Dataset, targets: Targets = None, gap: bool | None = None) -> list[str]:  # noqa: FBT001
    """What is said above a panel: its targets, and the arms that never asked.

    Args:
        dataset: as of `panel`.
        targets: as of `panel`.
        gap: as of `panel`.
    """
    known = _targets(dataset, targets, gap)
    span = ", ".join(style.short(value) for value in (known.max(), known.min())) if known.size == 2 else ""
    span = span or (f"{style.short(known.max())} to {style.short(known.min())}" if known.size else "")
    said = [f"target {style.short(known[0])}" if known.size == 1 else f"{known.size} targets, {span}"] * bool(
        known.size
    )
    return said + scales.idle(scales.arms_of(dataset, gap, "ecdf"))


def _targets(dataset: xr.Dataset, targets: Targets, gap: bool | None) -> np.ndarray:  # noqa: FBT001
    """The targets of the arms of a panel, each once."""
    known = hits(dataset, targets)["target_loss"]
    parts = [
        known.sel({dim: arm[dim] for dim in known.dims if dim != "target"})
        for _, arm in scales.arms_of(dataset, gap, "ecdf")
    ]
    values = np.unique(np.concatenate([np.ravel(part.values) for part in parts])) if parts else np.array([])
    return values[np.isfinite(values)]


def curves(dataset: xr.Dataset, targets: Targets = None) -> xr.Dataset:
    """What is drawn of one landscape, for all arms at once.

    Args:
        dataset: without the dim `landscape`.
        targets: losses; None: those of the study.

    Returns:
        `solved` and `solved_interval` at the costs `cost` (.., checkpoint) up to the end of an arm's runs,
        those of checkpoints and of hits, maybe NaN at the end; where hits are known to intervals `earliest`,
        the share as if each were at the lower end of its own; `cross`, the median bill of the worlds that
        miss a target, NaN where none does, and `height` there; where worlds share instances `restarted` at
        the costs `beyond` (.., more).
    """
    bill, hit = spent(dataset), hits(dataset, targets)
    missed = bill.where((hit == np.inf).any("target"))
    end = bill.max("replicate")
    cross = missed.median("replicate").reset_coords(drop=True)
    cost = dataset["cost"].drop_vars("checkpoint").reset_coords(drop=True)
    soonest = _soonest(dataset, targets)
    own = [_some(part) for part in (hit, soonest) if part is not None]
    cost = xr.concat(
        [cost.where(~(cost > end), end), cross.expand_dims("checkpoint"), *own],
        "checkpoint",
        coords="minimal",
        compat="override",
    )
    cost = xr.apply_ufunc(
        np.sort, cost, input_core_dims=[["checkpoint"]], output_core_dims=[["checkpoint"]]
    )  # NaN come last
    told = runtime.ecdf(dataset, cost, targets)
    found = told[["solved", "solved_interval"]].reset_coords(drop=True).assign(cross=cross, cost=cost)
    found["height"] = (
        runtime
        .ecdf(dataset, found["cross"].expand_dims("checkpoint"), targets)["solved"]
        .isel(checkpoint=0)
        .reset_coords(drop=True)
    )
    if soonest is not None:
        early = runtime.ecdf(dataset.assign(hit_cost=soonest), cost)["solved"].reset_coords(drop=True)
        found["earliest"] = early.transpose(*found["solved"].dims)
    if shared(dataset):
        start, last = np.log(missed.min("replicate")), np.log(BEYOND * end)
        beyond = np.exp(start + xr.DataArray(np.linspace(0, 1, STEPS), dims="checkpoint") * (last - start))
        found["restarted"] = (
            restarts
            .ecdf(dataset, beyond, targets)["solved"]
            .reset_coords(drop=True)
            .rename(checkpoint="more")
        )
        found["beyond"] = beyond.rename(checkpoint="more")
    return found


def _soonest(dataset: xr.Dataset, targets: Targets) -> xr.DataArray | None:
    """The lower ends of the intervals in which hits are known to lie; None where all are exact."""
    if targets is not None or "hit_cost_low" not in dataset:
        return None
    low, hit = dataset["hit_cost_low"], dataset["hit_cost"]
    return low if bool((low < hit).any()) else None


def _some(hit: xr.DataArray) -> xr.DataArray:
    """Costs of hits (.., checkpoint): all of them, or as many as are drawn, evenly through them.

    NaN where there are none.
    """
    hit = hit.reset_coords(drop=True)
    finite = hit.where(np.isfinite(hit) & (hit > 0))
    return xr.apply_ufunc(
        _evenly, finite, input_core_dims=[["replicate", "target"]], output_core_dims=[["checkpoint"]]
    )


def _evenly(hit: np.ndarray) -> np.ndarray:
    """(.., R, T) -> (.., K)."""
    ordered = np.sort(hit.reshape(*hit.shape[:-2], -1), -1)  # NaN come last
    count = np.isfinite(ordered).sum(-1, keepdims=True)
    place = np.rint(np.linspace(0, 1, min(OWN, ordered.shape[-1])) * (count - 1)).astype(int)
    return np.take_along_axis(ordered, np.maximum(place, 0), -1)


def _curve(told: xr.Dataset, axes: Axes, label: str, look: dict[str, Any], *, band: bool) -> None:
    """One arm: its distribution up to the end of its runs, its cross, and what restarts add."""
    known = np.isfinite(told["cost"].values)
    cost, steps = told["cost"].values[known], {"drawstyle": "steps-post", **look}
    some = (told["solved"] > 0) & (told["solved"] < 1)
    if band and some.any():
        low, high = told["solved_interval"].transpose("bound", "checkpoint").values[:, known]
        low, high = style.inside(told["solved"].values[known], low, high)
        axes.fill_between(cost, low, high, step="post", color=look["color"], alpha=0.13, lw=0)
    axes.plot(cost, told["solved"].values[known], label=label, **steps)
    if "earliest" in told and bool((told["earliest"] > told["solved"]).any()):
        ends = told["solved"].values[known], told["earliest"].values[known]
        axes.fill_between(cost, *ends, step="post", edgecolor=look["color"], gid="earliest", **style.UNSURE)
    if np.isfinite(told["cross"]):
        axes.plot(told["cross"].item(), told["height"].item(), color=look["color"], **CROSS)
        if "restarted" in told:
            axes.plot(
                told["beyond"].values, told["restarted"].values, **(steps | {"linewidth": THIN}), zorder=1.8
            )


def shared(dataset: xr.Dataset) -> bool:
    """Whether worlds share instances, so that a run can be started anew on the same one."""
    return (
        "instance" in dataset.coords
        and len(np.unique(dataset["instance"].values)) < dataset.sizes["replicate"]
    )


def _legend(figure: Figure, dataset: xr.Dataset, looks: dict[str, dict[str, Any]], width: float) -> float:
    """Say what lines, bands and crosses are; returns the inches that it takes."""
    drawn = {line.get_label() for axes in figure.axes for line in axes.lines}
    handles = [
        Line2D([], [], label=label, **look)
        for label, look in looks.items()
        if label in drawn or len(looks) < len(labels(dataset))
    ]
    worlds = dataset.sizes["replicate"]
    bands = style.bands(figure, dataset)
    text = (
        f"share of pairs of {style.worlds(worlds)} and the targets{style.each(dataset, looks)}{bands};"
        " crosses: where runs end that miss a target"
    )
    unsure = any(one.get_gid() == "earliest" for axes in figure.axes for one in axes.collections)
    text += "; hatched: hits known to an interval only" * unsure
    text += "; thin: simulated restarts within instances" if shared(dataset) else ""
    title = style.wrapped(text, width - 0.3, 7.5)
    across = style.across([str(handle.get_label()) for handle in handles], width)
    figure.legend(handles=handles, loc="outside lower center", ncols=across, title=title, title_fontsize=7.5)
    return 0.35 + 0.16 * -(-len(handles) // across) + 0.13 * title.count("\n")
