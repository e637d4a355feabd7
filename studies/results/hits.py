"""When a world first reached a loss, and what it spent: the raw material of running times.

Costs are evaluations at the nominal price.

Where a study has a range of gradient prices, its budget counts at the lowest one (`studies.cells.recorder`),
so that at the nominal price a world with gradients spends more than one without. A world that ended because
its budget was spent is billed the budget, not the step that overshot it; one that diverged is billed what it
had spent by then.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from studies.results.arms import asked
from studies.results.prices import prices
from studies.schema import COORDINATES, EVALUATIONS, HITS, ROUNDING, SPENT, Status

LOSSES = {
    "hit_cost": "loss",
    "best_hit_cost": "best_loss",
}  # recorded hits -> the loss whose hits they are


def hits(
    dataset: xr.Dataset, targets: Sequence[float] | xr.DataArray | None = None, which: str = "hit_cost"
) -> xr.DataArray:
    """Cost at which each world first reached each target.

    Args:
        dataset: a study's results.
        targets: losses; with the dim `target`, and maybe `landscape`, where they are a DataArray. None: those
            of the study, as it recorded them. Given ones are looked up in the checkpoints: the cost is then
            that of the first state shown by a checkpoint that is good enough, which is late by up to the
            distance of two checkpoints, or too late to be seen where the loss was only passed between them.
        which: `hit_cost`, of the recommended point, or `best_hit_cost`, of the best evaluated point.

    Returns:
        (.., replicate, target) with the coordinate `target_loss`: inf where it never was reached within the
        budget, NaN where the world has no numbers (failed, missing), its arm never asked, or the landscape
        has no such target. A hit may be known to an interval only, whose upper end this is (`lateness`).

    Raises:
        ValueError: there are no such hits or targets.
    """
    cost = _ends(dataset, targets, which)[1].where(ran(dataset) & asked(dataset))
    return _as_cost(cost, "cost of first reaching the target; inf: never")


def _as_cost(part: xr.DataArray, long_name: str) -> xr.DataArray:
    return part.assign_attrs(long_name=long_name, units=EVALUATIONS)


def lateness(
    dataset: xr.Dataset, targets: Sequence[float] | xr.DataArray | None = None, which: str = "hit_cost"
) -> xr.DataArray:
    """By how much a hit may have come before the cost that `hits` gives.

    (.., replicate, target), in evaluations, 0 where it is exact or none is.

    The truth is not looked at after every step where it takes longer than the step (`studies.cells.hits`),
    nor between two checkpoints where given targets are looked up. Arguments and errors are those of `hits`.
    """
    low, high = _ends(dataset, targets, which)
    late = (high - low.where(high < np.inf)).where(high < np.inf, 0.0)
    return _as_cost(late.where(ran(dataset)), "by how much the hit may have come before its cost")


def _ends(
    dataset: xr.Dataset, targets: Sequence[float] | xr.DataArray | None, which: str
) -> tuple[xr.DataArray, xr.DataArray]:
    """The ends of the intervals that hold the hits."""
    if which not in LOSSES:
        raise ValueError(f"hits: expected which to be one of {', '.join(LOSSES)}; got {which!r}")
    if targets is not None:
        return _seen(dataset, _targets(targets), LOSSES[which])
    if which in dataset and dataset.sizes.get("target"):
        return dataset.get(f"{which}_low", dataset[which]), dataset[which]
    raise ValueError(
        f"hits: expected a study with `targets:`, these results have no {which}; give losses as targets=[...]"
        " to look them up"
    )


def spent(dataset: xr.Dataset) -> xr.DataArray:
    """Evaluations that each world spent: (.., replicate), NaN where it has no numbers."""
    end = dataset.isel(checkpoint=-1, drop=True)
    over = end["status"] == Status.BUDGET_SPENT
    nominal = _state_cost(end)
    lowest = _state_cost(end, lowest=True)
    share = budget(dataset) / lowest.where(lowest > 0)
    counted = nominal * share.where(over | (share < 1), 1.0)
    last = dataset["cost"].isel(checkpoint=-1, drop=True)
    uncounted = last.where(over & (lowest == 0), 0.0)
    return _as_cost(
        counted.where(lowest > 0, uncounted).where(ran(dataset)).rename("spent"),
        "cost that the world spent",
    )


def budget(dataset: xr.Dataset) -> xr.DataArray:
    """The budget in evaluations, at the lowest price: all arms have it to spend.

    A DataArray: it may differ between landscapes.
    """
    price = prices(dataset)
    cost = dataset["cost"]
    share: xr.DataArray | float = 1.0
    if "checkpoint" in dataset.coords:  # a study's own checkpoints may end before the budget
        share = dataset["checkpoint"].where(cost.notnull()).max("checkpoint")
    return cost.max("checkpoint") / share * price.low / price.value


def at_budget(dataset: xr.Dataset) -> xr.Dataset:
    """Every arm at the last checkpoint within the budget, up to which all are known.

    Without the dim `checkpoint`.

    With a range of gradient prices an arm with gradients goes on beyond it, so that the last checkpoint of
    all would compare unequal costs.
    """
    place = _place(dataset, budget(dataset))
    return dataset.isel(checkpoint=place.clip(min=0).compute()).drop_vars("checkpoint", errors="ignore")


def at_cost(dataset: xr.Dataset, cost: float) -> xr.Dataset:
    """Every arm at the last checkpoint of at most this cost; without the dim `checkpoint`.

    Where the budget of a world was spent before, at the nominal price of a gradient, what it would have done
    with more is not known: its status is missing, and its floats are NaN.

    Raises:
        ValueError: there is no checkpoint at so small a cost, or the study ended before it.
    """
    there = dataset["cost"]
    place = _place(dataset, cost)
    if bool((place < 0).any()):
        least = float(there.min("checkpoint").max())
        raise ValueError(
            f"at: expected a cost that some checkpoint has, at least {least:g} evaluations; got {cost:g}"
        )
    if not cost <= float(there.max()) * (1 + SPENT):
        raise ValueError(
            f"at: expected at most {float(there.max()):g} evaluations, where the study ends; got {cost:g}"
        )
    shown = dataset.isel(checkpoint=place.compute()).drop_vars("checkpoint", errors="ignore")
    if cost <= float(budget(dataset).min()) * (1 + SPENT):
        return shown
    end = dataset["status"].isel(checkpoint=-1, drop=True)
    return _missing_where(shown, (end == Status.BUDGET_SPENT) & (spent(dataset) * (1 + SPENT) < cost))


def _missing_where(shown: xr.Dataset, gone: xr.DataArray) -> xr.Dataset:
    """The results with the status missing, and without floats, at some places."""
    floats = [
        name
        for name, part in shown.data_vars.items()
        if part.dtype.kind == "f" and set(gone.dims) <= set(part.dims)
    ]
    kept = {name: shown[name].where(~gone) for name in floats}
    return shown.assign(kept | {"status": shown["status"].where(~gone, int(Status.MISSING))})


def _place(dataset: xr.Dataset, cost: float | xr.DataArray) -> xr.DataArray:
    """The last checkpoint of at most this cost that every optimizer has of its own (`recorded`); -1: none.

    So states of one age are compared.
    """
    within = dataset["cost"] <= cost * (1 + SPENT)
    if "recorded" in dataset.coords:
        own = dataset["recorded"].reset_coords(drop=True) != 0
        within = within & (own.all("optimizer") if "optimizer" in own.dims else own)
    numbers = xr.DataArray(np.arange(dataset.sizes["checkpoint"]), dims="checkpoint")
    return numbers.where(within, -1).max("checkpoint")


def state_costs(dataset: xr.Dataset) -> xr.DataArray:
    """Cost of the state that each checkpoint shows: (.., replicate, checkpoint).

    inf where it is none within the budget, or none is there.
    """
    within = _state_cost(dataset, lowest=True) <= budget(dataset) * (1 + ROUNDING)
    return _state_cost(dataset).where((dataset["status"] < Status.FAILED) & within, np.inf)


def _state_cost(dataset: xr.Dataset, *, lowest: bool = False) -> xr.DataArray:
    """Bill of a state, from the terms that were counted."""
    price = prices(dataset).low if lowest else prices(dataset).value
    return (dataset["value_terms"] + price * dataset["gradient_terms"]) / dataset["terms"]


def ran(dataset: xr.Dataset) -> xr.DataArray:
    """Whether a world has numbers."""
    return dataset["status"].isel(checkpoint=-1, drop=True) < Status.FAILED


def _targets(targets: Sequence[float] | xr.DataArray) -> xr.DataArray:
    if not isinstance(targets, xr.DataArray):
        targets = xr.DataArray(np.atleast_1d(np.asarray(targets, float)), dims="target")
    if "target" not in targets.dims or not targets.sizes["target"]:
        raise ValueError(
            "hits: expected targets with the dim `target`, one loss or more;"
            f" got dims {targets.dims} of sizes {targets.shape}"
        )
    return targets.reset_coords(drop=True).assign_attrs(COORDINATES["target_loss"].attrs)


def _seen(dataset: xr.Dataset, targets: xr.DataArray, value: str) -> tuple[xr.DataArray, xr.DataArray]:
    """Hits at checkpoints, and the cost of the state shown before.

    The state in which a world diverged is none.
    """
    if value not in dataset:
        raise ValueError(f"hits: expected results with `{value}`, found none")
    # It never falls along checkpoints, so that the first is the cheapest.
    cost = state_costs(dataset).where(dataset["status"] != Status.DIVERGED, np.inf)
    steps = dataset.get("steps", xr.full_like(cost, np.nan))
    ends = []
    for i in range(targets.sizes["target"]):
        target = targets.isel(target=i, drop=True)
        hit = cost.where(dataset[value] <= target, np.inf).min("checkpoint")
        ends.append((_before(cost, steps, hit), hit))
    low, high = (_along_targets(parts, targets) for parts in zip(*ends, strict=True))
    return low.transpose(*high.dims), high


def _along_targets(parts: Sequence[xr.DataArray], targets: xr.DataArray) -> xr.DataArray:
    """Hits of every target along the last dim; NaN where a landscape has no such target."""
    hit = xr.concat(parts, "target").where(targets.notnull())
    coords = {"target": np.arange(targets.sizes["target"]), "target_loss": targets}
    return hit.transpose(..., *HITS).assign_coords(coords)


def _before(cost: xr.DataArray, steps: xr.DataArray, hit: xr.DataArray) -> xr.DataArray:
    """The cost of the last state shown before a hit, 0 where it is the first.

    That of the hit where its step is the next one.
    """
    earlier = cost < hit
    next_one = (
        steps.where(cost == hit).min("checkpoint") <= steps.where(earlier, -1).max("checkpoint") + 1
    )
    return xr.where(next_one, hit, cost.where(earlier, 0.0).max("checkpoint"))
