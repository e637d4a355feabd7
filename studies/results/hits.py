"""When a world first reached a loss, and what it spent: the raw material of running times.

Both on any clock; costs are evaluations at the nominal price.

Where a study has a range of gradient prices, its budget counts at the lowest one (`studies.cells.recorder`),
so that at the nominal price a world with gradients spends more than one without. A world that ended because
its budget was spent is billed the budget, not the step that overshot it; one that diverged is billed what it
had spent by then. On clocks other than its budget's a world is billed what its last state shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from xarray import DataArray, Dataset, Variable

from studies.results.arms import asked
from studies.results.clocks import (
    budget,
    check_clock,
    has_clock,
    limit,
    numbers_counted,
    numbers_on,
    own_clocks,
    shown_on,
    words,
)
from studies.results.labels import labelled, where
from studies.text.schema import CLOCKS, COORDINATES, HITS, ROUNDING, SPENT, Status

LOSSES = {"hit": "loss", "best_hit": "best_loss"}  # whose hits -> the loss whose hits they are
AT_ONCE = 2**22  # numbers that are looked at together
Numbers = TypeVar("Numbers", DataArray, Variable)
WHICH = tuple(f"{stem}_{clock}" for stem in LOSSES for clock in CLOCKS)  # recorded hits


def hits(
    dataset: Dataset, targets: Sequence[float] | DataArray | None = None, which: str = "hit_cost"
) -> DataArray:
    """When each world first reached each target.

    Args:
        dataset: a study's results.
        targets: losses; with the dim `target`, and maybe `landscape`, where they are a DataArray. None: those
            of the study, as it recorded them. Given ones are looked up in the checkpoints: the time is then
            that of the first state shown by a checkpoint that is good enough, which is late by up to the
            distance of two checkpoints, or too late to be seen where the loss was only passed between them.
        which: of the recommended point `hit_cost`, `hit_steps`, `hit_epochs` or `hit_virtual_time`, or of the
            best evaluated point `best_hit_cost`, ..

    Returns:
        (.., replicate, target) with the coordinate `target_loss`: inf where it never was reached within the
        budget, NaN where the world has no numbers (failed, missing), its arm never asked or has no such
        clock, or the landscape has no such target. A hit may be known to an interval only, whose upper end
        this is (`lateness`).

    Raises:
        ValueError: there are no such hits or targets.
    """
    clock = clock_of(which)
    there = ran(dataset).variable & asked(dataset).variable & has_clock(dataset, clock).variable
    end = _ends(dataset, targets, which)[1]
    time = labelled(end.variable.where(there), end)
    time.name = end.name
    return _on(time, f"{words(clock)} of first reaching the target; inf: never", clock)


def clock_of(which: str) -> str:
    """The clock of recorded hits, such as `hit_cost`.

    Raises:
        ValueError: there are no such hits.
    """
    if which not in WHICH:
        raise ValueError(f"hits: expected which to be one of {', '.join(WHICH)}; got {which!r}")
    return which.removeprefix("best_").removeprefix("hit_")


def variable(which: str, clock: str | None) -> str:
    """The recorded hits of the point that `which` has, on a clock; None: on its own.

    Raises:
        ValueError: there are no such hits, or no such clock.
    """
    own = clock_of(which)
    if clock is None:
        return which
    check_clock(clock)
    return which.removesuffix(own) + clock


def _on(part: DataArray, long_name: str, clock: str) -> DataArray:
    return part.assign_attrs(long_name=long_name, units=str(CLOCKS[clock].units))


def lateness(
    dataset: Dataset, targets: Sequence[float] | DataArray | None = None, which: str = "hit_cost"
) -> DataArray:
    """By how much a hit may have come before what `hits` gives.

    (.., replicate, target), 0 where it is exact or none is.

    The truth is not looked at after every step where it takes longer than the step (`studies.cells.hits`),
    nor between two checkpoints where given targets are looked up. Arguments and errors are those of `hits`.
    """
    low, high = _ends(dataset, targets, which)
    late = (high - low.where(high < np.inf)).where(high < np.inf, 0.0)
    clock = clock_of(which)
    about = f"by how much the hit may have come before its {words(clock)}"
    return _on(late.where(ran(dataset)), about, clock)


def _ends(
    dataset: Dataset, targets: Sequence[float] | DataArray | None, which: str
) -> tuple[DataArray, DataArray]:
    """The ends of the intervals that hold the hits."""
    clock = clock_of(which)
    if targets is not None:
        return _seen(
            dataset, _targets(dataset, targets), LOSSES[which.removesuffix(f"_{clock}")], clock
        )
    if which in dataset and dataset.sizes.get("target"):
        return dataset.get(f"{which}_low", dataset[which]), dataset[which]
    raise ValueError(
        f"hits: expected a study with `targets:`, these results have no {which}; give losses as targets=[...]"
        " to look them up"
    )


def spent(dataset: Dataset, clock: str = "cost") -> DataArray:
    """What each world spent on a clock: (.., replicate), NaN where it has no numbers.

    Raises:
        ValueError: there is no such clock, or it was not recorded.
    """
    check_clock(clock)
    end = dataset.isel(checkpoint=-1, drop=True)
    status, shown, on_own = end.variables["status"], numbers_on(end, clock), numbers_counted(end)
    over = status == Status.BUDGET_SPENT
    share = limit(dataset).variable / where(on_own > 0, on_own, np.nan)
    own = own_clocks(dataset).variable == list(CLOCKS).index(clock)
    billed = shown * where(own & (over | (share < 1)), share, 1.0)
    most = dataset.variables["cost"].isel(checkpoint=-1)
    last = most if clock == "cost" else budget(dataset, clock).variable
    unmoved = where(over & (on_own == 0), last, 0.0)
    time = where(status < Status.FAILED, where(on_own > 0, billed, unmoved), np.nan)
    bill = labelled(time, end["status"]).rename("spent")
    return _on(bill, f"{words(clock)} that the world spent", clock)


def at_budget(dataset: Dataset, only: Sequence[str] = ()) -> Dataset:
    """Every arm at the last checkpoint within the budget, up to which all are known.

    Without the dim `checkpoint`.

    With a range of gradient prices an arm with gradients goes on beyond it, so that the last checkpoint of
    all would compare unequal costs.

    Args:
        dataset: a study's results.
        only: variables that are wanted; none: all.
    """
    most = budget(dataset).variable.where(own_clocks(dataset).variable == 0, np.inf)
    place = _place(dataset, most)
    return _at(dataset, place.clip(min=0), only)


def at_cost(dataset: Dataset, cost: float, only: Sequence[str] = ()) -> Dataset:
    """Every arm at the last checkpoint of at most this cost; without the dim `checkpoint`.

    An arm whose budget is counted on another clock: each world in its last state of at most this cost. Where
    the budget of an arm was spent before, at the nominal price of a gradient, what it would have done with
    more is not known: its status is missing, and its floats are NaN.

    Args:
        dataset: a study's results.
        cost: in evaluations.
        only: variables that are wanted, the status among them; none: all.

    Raises:
        ValueError: there is no checkpoint at so small a cost, or the study ended before it.
    """
    there = _costs(dataset)
    place = _place(dataset, Variable((), cost), there)
    if bool(((place < 0) & there.variable.notnull().any("checkpoint")).any()):
        least = float(there.min("checkpoint").max())
        raise ValueError(
            f"at: expected a cost that some checkpoint has, at least {least:g} evaluations; got {cost:g}"
        )
    if not cost <= float(there.max()) * (1 + SPENT):
        raise ValueError(
            f"at: expected at most {float(there.max()):g} evaluations, where the study ends; got {cost:g}"
        )
    shown, within = _at(dataset, place.clip(min=0), only), cost <= budget(dataset) * (1 + SPENT)
    if bool(within.all()):
        return shown
    end = dataset["status"].isel(checkpoint=-1, drop=True)
    over = (end == Status.BUDGET_SPENT) & ~within
    return _missing_where(shown, over & (spent(dataset) * (1 + SPENT) < cost))


def _costs(dataset: Dataset) -> DataArray:
    """Costs of the checkpoints; where a budget is counted on another clock those of each world's states."""
    on_cost = own_clocks(dataset) == 0
    if bool(on_cost.all()):
        return dataset["cost"]
    states = shown_on(dataset, "cost").where(dataset["status"] < Status.FAILED)
    return dataset["cost"].reset_coords(drop=True).where(on_cost, states)


def _at(dataset: Dataset, place: Variable, only: Sequence[str]) -> Dataset:
    """Every arm at a checkpoint of its own; without the dim `checkpoint`."""
    wanted = dataset[list(only)] if only else dataset
    return wanted.isel(checkpoint=place.compute()).drop_vars("checkpoint", errors="ignore")


def _missing_where(shown: Dataset, gone: DataArray) -> Dataset:
    """The results with the status missing, and without floats, at some places."""
    floats = [
        name
        for name, part in shown.data_vars.items()
        if part.dtype.kind == "f" and set(gone.dims) <= set(part.dims)
    ]
    kept = {name: shown[name].where(~gone) for name in floats}
    return shown.assign(kept | {"status": shown["status"].where(~gone, int(Status.MISSING))})


def _place(dataset: Dataset, cost: Variable, there: DataArray | None = None) -> Variable:
    """The last checkpoint of at most this cost that every optimizer has of its own; -1: none.

    So states of one age are compared. Optimizers whose budget is counted on another clock neither have it nor
    keep it from others.

    Args:
        dataset: results.
        cost: the cost.
        there: costs of the checkpoints; None: their coordinate.
    """
    apart = own_clocks(dataset).variable != 0
    own = recorded(dataset).variable | apart
    own = own.all("optimizer") if "optimizer" in own.dims else own
    costs = dataset["cost"] if there is None else there
    within = (costs.variable <= cost * (1 + SPENT)) & (own | apart)
    numbers = Variable("checkpoint", np.arange(dataset.sizes["checkpoint"]))
    return numbers.where(within, -1).max("checkpoint")


def recorded(dataset: Dataset) -> DataArray:
    """Whether an arm has a checkpoint of its own: at others it shows its last one before."""
    own = dataset.coords.get("recorded", DataArray(1))
    return own.reset_coords(drop=True) != 0


def state_times(dataset: Dataset, clock: str = "cost") -> DataArray:
    """What a clock shows at the state of each checkpoint: (.., replicate, checkpoint).

    inf where it is none within the budget, or none is there.

    Raises:
        ValueError: there is no such clock, or it was not recorded.
    """  # noqa: DOC502
    status = dataset["status"]
    within = numbers_counted(dataset) <= limit(dataset).variable * (1 + ROUNDING)
    there = (status.variable < Status.FAILED) & within
    return labelled(where(there, numbers_on(dataset, clock), np.inf), status)


def state_costs(dataset: Dataset) -> DataArray:
    """Cost of the state that each checkpoint shows, as `state_times`."""
    return state_times(dataset)


def ran(dataset: Dataset) -> DataArray:
    """Whether a world has numbers."""
    return dataset["status"].isel(checkpoint=-1, drop=True) < Status.FAILED


def _targets(dataset: Dataset, targets: Sequence[float] | DataArray) -> DataArray:
    """Targets along the labels of the results: of a landscape that has none, they are NaN."""
    if not isinstance(targets, DataArray):
        targets = DataArray(np.atleast_1d(np.asarray(targets, float)), dims="target")
    if "target" not in targets.dims or not targets.sizes["target"]:
        raise ValueError(
            "hits: expected targets with the dim `target`, one loss or more;"
            f" got dims {targets.dims} of sizes {targets.shape}"
        )
    own = targets.indexes.keys() & dataset.indexes.keys() - {"target"}
    other = [dim for dim in own if not targets.indexes[dim].equals(dataset.indexes[dim])]
    along = targets.reset_coords(drop=True).reindex({dim: dataset[dim].values for dim in other})
    return along.assign_attrs(COORDINATES["target_loss"].attrs)


def _seen(dataset: Dataset, targets: DataArray, value: str, clock: str) -> tuple[DataArray, DataArray]:
    """The time of the state shown before a hit, and that of the hit, at checkpoints.

    The state in which a world diverged is none.
    """
    if value not in dataset:
        raise ValueError(f"hits: expected results with `{value}`, found none")
    # It never falls along checkpoints, so that the first is the earliest.
    every, state = dataset.variables, state_times(dataset, clock).variable
    time = where(every["status"] != Status.DIVERGED, state, np.inf)
    steps = every["steps"] if "steps" in dataset else Variable((), np.nan)
    ends, each = [], max(1, AT_ONCE // max(1, time.size))
    for first in range(0, targets.sizes["target"], each):
        some = targets.variable.isel(target=slice(first, first + each))
        hit = time.where(every[value] <= some, np.inf).min("checkpoint")
        ends.append((before(time, steps, hit), hit))
    low, high = (_along_targets(parts, targets.variable) for parts in zip(*ends, strict=True))
    numbers = np.arange(targets.sizes["target"])
    coords = {**targets.coords, "target": numbers, "target_loss": targets}
    late = labelled(high, dataset["status"], coords)
    return labelled(low.transpose(*high.dims), late), late


def _along_targets(parts: Sequence[Variable], targets: Variable) -> Variable:
    """Hits of every target along the last dim; NaN where a landscape has no such target."""
    return Variable.concat(parts, "target").where(targets.notnull()).transpose(..., *HITS)


def before(time: Numbers, steps: Numbers, hit: Numbers) -> Numbers:
    """The time of the last state shown before a hit, 0 where it is the first.

    That of the hit where its step is the next one.
    """
    earlier = time < hit
    next_one = (
        steps.where(time == hit).min("checkpoint") <= steps.where(earlier, -1).max("checkpoint") + 1
    )
    return hit.where(next_one, time.where(earlier, 0.0).max("checkpoint"))
