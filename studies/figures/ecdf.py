"""Runtime distributions: the share of worlds and targets that are solved by a cost, one panel for each landscape.

As COCO shows them (Hansen, Auger, Ros et al. 2021): a cross where the runs end that miss a target, at the median of what they spent; from there on,
thin, what simulated restarts would add, where worlds share instances.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter, PercentFormatter

from studies.analysis import restarts, runtime
from studies.analysis.arms import arms
from studies.analysis.runtime import Targets
from studies.analysis.targets import hits, spent
from studies.figures import style

PANEL = 2.0  # inches, the height of a panel
BEYOND = 10.0  # budgets up to which restarts are shown
STEPS = 60  # costs at which they are
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
        raise ValueError("ecdf: expected a study with `targets:`, found none in these results; give losses as targets=[...]")
    names, looks = dataset["landscape"].values.tolist(), style.arm_looks(dataset)
    columns = min(len(names), max(1, min(3, int(width // 1.65))))
    rows, each = -(-len(names) // columns), width / columns
    figure = Figure(layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes, name in zip(grid.flat, names, strict=False):
        mine = targets.sel(landscape=name) if isinstance(targets, xr.DataArray) and "landscape" in targets.dims else targets
        panel(dataset.sel(landscape=name), axes, looks, mine)
        axes.set_title(style.wrapped(str(name), each - 0.5), loc="left", fontweight="bold", pad=12)
    for axes in grid.flat[len(names) :]:
        axes.set_axis_off()
    for i, axes in enumerate(grid.flat[: len(names)]):
        axes.set_ylabel("targets reached" if i % columns == 0 else "")
        axes.set_xlabel(style.wrapped("cost (evaluations)", each - 0.5) if i + columns >= len(names) else "")
    figure.set_size_inches(width, PANEL * rows + _legend(figure, dataset, looks, width))
    return figure


def panel(dataset: xr.Dataset, axes: Axes, looks: dict[str, dict[str, Any]] | None = None, targets: Targets = None) -> Axes:
    """Draw one landscape (no `landscape` dim) on Axes and return them.

    Args:
        dataset: with hits or losses, `status`, counted terms, and the coordinate `cost` (checkpoint).
        axes: where to draw.
        looks: label -> keywords of `Axes.plot`; an arm whose label is not there looks like its optimizer, and has no band.
        targets: losses; None: those of the study.
    """
    looks = looks or style.arm_looks(dataset)
    there, known = arms(dataset), hits(dataset, targets)["target_loss"].values
    known = known[np.isfinite(known)]
    if not there or not known.size:
        axes.text(0.5, 0.5, "no targets" if there else "no runs", transform=axes.transAxes, ha="center", color="#555555")
        axes.set(xticks=[], yticks=[])
        return axes
    told = curves(dataset, targets)
    for label, arm in there:
        mine = told.sel({dim: arm[dim].item() for dim in told["cross"].dims})
        _curve(mine, axes, label, looks.get(label) or looks[str(arm["optimizer"].item())], band=label in looks and len(looks) <= style.BANDS)
    axes.set(xscale="log", ylim=(0, 1.02))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.xaxis.set_major_locator(LogLocator(numticks=6))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.grid(axis="both", which="major")
    axes.set_axisbelow(True)
    text = f"target {known[0]:.3g}" if known.size == 1 else f"{known.size} targets, {known.max():.3g} to {known.min():.3g}"
    axes.annotate(text, (0, 1), (0, 2), "axes fraction", "offset points", fontsize=6.5, color="#555555", va="bottom")
    return axes


def curves(dataset: xr.Dataset, targets: Targets = None) -> xr.Dataset:
    """What is drawn of one landscape, for all arms at once.

    Args:
        dataset: without the dim `landscape`.
        targets: losses; None: those of the study.

    Returns:
        `solved` and `solved_interval` at the costs `cost` (.., checkpoint) up to the end of an arm's runs, maybe NaN at the end;
        `cross`, the median bill of the worlds that miss a target, NaN where none does, and `height` there; where worlds share instances
        `restarted` at the costs `beyond` (.., more).
    """
    bill, hit = spent(dataset), hits(dataset, targets)
    missed = bill.where((hit == np.inf).any("target"))
    end = bill.max("replicate")
    cross = missed.median("replicate").reset_coords(drop=True)
    cost = dataset["cost"].drop_vars("checkpoint").reset_coords(drop=True)
    cost = xr.concat([cost.where(~(cost > end), end), cross.expand_dims("checkpoint")], "checkpoint", coords="minimal", compat="override")
    cost = xr.apply_ufunc(np.sort, cost, input_core_dims=[["checkpoint"]], output_core_dims=[["checkpoint"]])  # NaN come last
    told = runtime.ecdf(dataset, cost, targets)
    found = told[["solved", "solved_interval"]].reset_coords(drop=True).assign(cross=cross, cost=cost)
    found["height"] = runtime.ecdf(dataset, found["cross"].expand_dims("checkpoint"), targets)["solved"].isel(checkpoint=0).reset_coords(drop=True)
    if shared(dataset):
        start, last = np.log(missed.min("replicate")), np.log(BEYOND * end)
        beyond = np.exp(start + xr.DataArray(np.linspace(0, 1, STEPS), dims="checkpoint") * (last - start))
        found["restarted"] = restarts.ecdf(dataset, beyond, targets)["solved"].reset_coords(drop=True).rename(checkpoint="more")
        found["beyond"] = beyond.rename(checkpoint="more")
    return found


def _curve(told: xr.Dataset, axes: Axes, label: str, look: dict[str, Any], *, band: bool) -> None:
    """One arm: its distribution up to the end of its runs, its cross, and what restarts add."""
    known = np.isfinite(told["cost"].values)
    cost, steps = told["cost"].values[known], {"drawstyle": "steps-post", **look}
    if band:
        low, high = told["solved_interval"].transpose("bound", "checkpoint").values[:, known]
        axes.fill_between(cost, low, high, step="post", color=look["color"], alpha=0.13, lw=0)
    axes.plot(cost, told["solved"].values[known], label=label, **steps)
    if np.isfinite(told["cross"]):
        axes.plot(told["cross"].item(), told["height"].item(), color=look["color"], **CROSS)
        if "restarted" in told:
            axes.plot(told["beyond"].values, told["restarted"].values, **(steps | {"linewidth": THIN}), zorder=1.8)


def shared(dataset: xr.Dataset) -> bool:
    """Whether worlds share instances, so that a run can be started anew on the same one."""
    return "instance" in dataset.coords and len(np.unique(dataset["instance"].values)) < dataset.sizes["replicate"]


def _legend(figure: Figure, dataset: xr.Dataset, looks: dict[str, dict[str, Any]], width: float) -> float:
    """Say what lines, bands and crosses are; returns the inches that it takes."""
    handles: list[Line2D] = [Line2D([], [], label=label, **look) for label, look in looks.items()]
    worlds = dataset.sizes["replicate"]
    bands = "; bands: 95 % intervals" if len(looks) <= style.BANDS else ""
    text = f"share of pairs of {style.worlds(worlds)} and the targets{bands}; crosses: where runs end that miss a target"
    text += "; thin: simulated restarts within instances" if shared(dataset) else ""
    title = style.wrapped(text, width - 0.3, 7.5)
    across = style.across(list(looks), width)
    figure.legend(handles=handles, loc="outside lower center", ncols=across, title=title, title_fontsize=7.5)
    return 0.35 + 0.16 * -(-len(handles) // across) + 0.13 * title.count("\n")
