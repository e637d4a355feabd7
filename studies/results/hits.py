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
from studies.schema import ROUNDING, SPENT, Status

LOSSES = {"hit_cost": "loss", "best_hit_cost": "best_loss"}  # recorded hits -> the loss whose hits they are


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
    found = _ends(dataset, targets, which)[1]
    return found.where(ran(dataset) & asked(dataset)).assign_attrs(
        long_name="cost of first reaching the target; inf: never", units="evaluations"
    )


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
    return late.where(ran(dataset)).assign_attrs(
        long_name="by how much the hit may have come before its cost", units="evaluations"
    )


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
    nominal, lowest = _state_cost(end), _state_cost(end, lowest=True)
    share = budget(dataset) / lowest.where(lowest > 0)
    done = nominal * share.where((end["status"] == Status.BUDGET_SPENT) | (share < 1), 1.0)
    ended = (
        dataset["cost"]
        .isel(checkpoint=-1, drop=True)
        .where((end["status"] == Status.BUDGET_SPENT) & (lowest == 0), 0.0)
    )
    found = done.where(lowest > 0, ended).where(ran(dataset))
    return found.rename("spent").assign_attrs(long_name="cost that the world spent", units="evaluations")


def budget(dataset: xr.Dataset) -> xr.DataArray:
    """The budget in evaluations, at the lowest price: all arms have it to spend.

    A DataArray: it may differ between landscapes.
    """
    price, cost = prices(dataset), dataset["cost"]
    share = (
        dataset["checkpoint"].where(cost.notnull()).max("checkpoint")
        if "checkpoint" in dataset.coords
        else 1.0
    )
    return (
        cost.max("checkpoint") / share * price.low / price.value
    )  # where a study gives its own checkpoints, they may end before the budget


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
    there, place = dataset["cost"], _place(dataset, cost)
    if bool((place < 0).any()):
        raise ValueError(
            f"at: expected a cost that some checkpoint has, at least {float(there.min('checkpoint').max()):g}"
            f" evaluations; got {cost:g}"
        )
    if not cost <= float(there.max()) * (1 + SPENT):
        raise ValueError(
            f"at: expected at most {float(there.max()):g} evaluations, where the study ends; got {cost:g}"
        )
    found = dataset.isel(checkpoint=place.compute()).drop_vars("checkpoint", errors="ignore")
    if cost <= float(budget(dataset).min()) * (1 + SPENT):
        return found
    over = (dataset["status"].isel(checkpoint=-1, drop=True) == Status.BUDGET_SPENT) & (
        spent(dataset) * (1 + SPENT) < cost
    )
    held = {
        name: found[name].where(~over)
        for name in found.data_vars
        if found[name].dtype.kind == "f" and set(over.dims) <= set(found[name].dims)
    }
    return found.assign(held | {"status": found["status"].where(~over, int(Status.MISSING))})


def _place(dataset: xr.Dataset, cost: float | xr.DataArray) -> xr.DataArray:
    """The last checkpoint of at most this cost that every optimizer has of its own (`recorded`), so that states of one age are compared; -1: none."""
    within = dataset["cost"] <= cost * (1 + SPENT)
    if "recorded" in dataset.coords:
        own = dataset["recorded"].reset_coords(drop=True) != 0
        within = within & (own.all("optimizer") if "optimizer" in own.dims else own)
    return (
        xr
        .DataArray(np.arange(dataset.sizes["checkpoint"]), dims="checkpoint")
        .where(within, -1)
        .max("checkpoint")
    )


def state_costs(dataset: xr.Dataset) -> xr.DataArray:
    """Cost of the state that each checkpoint shows, inf where it is none within the budget or none is there: (.., replicate, checkpoint)."""
    within = (dataset["status"] < Status.FAILED) & (
        _state_cost(dataset, lowest=True) <= budget(dataset) * (1 + ROUNDING)
    )
    return _state_cost(dataset).where(within, np.inf)


def _state_cost(dataset: xr.Dataset, *, lowest: bool = False) -> xr.DataArray:
    """Bill of a state, from the terms that were counted."""
    price = prices(dataset).low if lowest else prices(dataset).value
    return (dataset["value_terms"] + price * dataset["gradient_terms"]) / dataset["terms"]


def ran(dataset: xr.Dataset) -> xr.DataArray:
    """Whether a world has numbers."""
    return dataset["status"].isel(checkpoint=-1, drop=True) < Status.FAILED


def _targets(targets: Sequence[float] | xr.DataArray) -> xr.DataArray:
    found = (
        targets
        if isinstance(targets, xr.DataArray)
        else xr.DataArray(np.atleast_1d(np.asarray(targets, float)), dims="target")
    )
    if "target" not in found.dims or not found.sizes["target"]:
        raise ValueError(
            f"hits: expected targets with the dim `target`, one loss or more; got dims {found.dims} of sizes"
            f" {found.shape}"
        )
    return found.reset_coords(drop=True).assign_attrs(long_name="target", units="loss")


def _seen(dataset: xr.Dataset, targets: xr.DataArray, value: str) -> tuple[xr.DataArray, xr.DataArray]:
    """Hits at checkpoints, and the cost of the state shown before.

    The state in which a world diverged is none.
    """
    if value not in dataset:
        raise ValueError(f"hits: expected results with `{value}`, found none")
    cost = state_costs(dataset).where(
        dataset["status"] != Status.DIVERGED, np.inf
    )  # it never falls along checkpoints, so that the first is the cheapest
    parts = [
        cost.where(dataset[value] <= targets.isel(target=i, drop=True), np.inf).min("checkpoint")
        for i in range(targets.sizes["target"])
    ]
    high = xr.concat(parts, "target").where(targets.notnull())
    steps = dataset.get("steps", xr.full_like(cost, np.nan))
    low = xr.concat([_before(cost, steps, part) for part in parts], "target").where(targets.notnull())
    dims = [dim for dim in high.dims if dim not in ("replicate", "target")]
    told = {"target": np.arange(targets.sizes["target"]), "target_loss": targets}
    return tuple(found.transpose(*dims, "replicate", "target").assign_coords(told) for found in (low, high))  # type: ignore[return-value]


def _before(cost: xr.DataArray, steps: xr.DataArray, hit: xr.DataArray) -> xr.DataArray:
    """The cost of the last state shown before a hit, 0 where it is the first.

    That of the hit where its step is the next one.
    """
    earlier = cost < hit
    next_one = steps.where(cost == hit).min("checkpoint") <= steps.where(earlier, -1).max("checkpoint") + 1
    return xr.where(next_one, hit, cost.where(earlier, 0.0).max("checkpoint"))
