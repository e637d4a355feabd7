"""The numbers of each world that a quantity is made of: what was recorded, when; hits of targets.

Every function gives a DataArray with the dim `replicate`, the landscapes, optimizers and axes of the results,
and, while a mean over checkpoints is asked for, `checkpoint`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from xarray import DataArray, Dataset

from studies.results.arms import asked
from studies.results.clocks import budget, shown_on
from studies.results.gaps import LOSSES
from studies.results.hits import SPENT, at_budget, at_cost, hits, lateness, ran
from studies.results.hits import recorded as own_checkpoints
from studies.text.schema import CLOCKS, Status
from studies.text.words import suggest

START = "start"
DIVERGED = "diverged"  # 1 of a world that is, 0 of others
WHENS = (*CLOCKS, "budget")  # keywords that say when


class When(NamedTuple):
    """The time that is meant: the start, a moment on a clock, or all checkpoints from a fraction on."""

    clock: str  # start, since, moment, or one of `WHENS`
    time: float = 0.0


def recorded(dataset: Dataset, name: str, when: When | None = None) -> DataArray:
    """A variable of each world at a time; None: at the last checkpoint within the budget.

    Raises:
        ValueError: nothing of this name was recorded, or not then.
    """
    dataset = _of_states(dataset, name)
    variable = _variable(dataset, name)
    if "moment" in variable.dims:
        return _numbers(dataset, at_moment(dataset[[name, "moment"]], when)[name])
    if when is None:
        at_end = at_budget(dataset)[name] if "checkpoint" in variable.dims else variable
        return _numbers(dataset, at_end)
    if when.clock == START:
        return at_start(dataset, name)
    if when.clock == "since":
        return since(dataset, name, when.time)
    return at(dataset, name, when.clock, when.time)


def at_moment(dataset: Dataset, when: When | None) -> Dataset:
    """The noise ledger at the last moment up to a fraction of the budget; None: at the last of all.

    Raises:
        ValueError: another clock is asked for, or there is no moment so early.
    """
    if "moment" not in dataset.dims:
        return dataset
    if when is None or when.clock == START:
        return dataset.isel(moment=-1 if when is None else 0, drop=True)
    moments = dataset["moment"].values
    if when.clock != "moment":
        raise ValueError(f"{when.clock}: the noise ledger has moments, as in (moment={moments[-1]:g})")
    early = np.flatnonzero(moments <= when.time * (1 + SPENT))
    if not early.size or when.time > 1 + SPENT:
        raise ValueError(f"moment: expected {moments[0]:g} to 1 of the budget, got {when.time:g}")
    return dataset.isel(moment=early[-1], drop=True)


def since(dataset: Dataset, name: str, fraction: float) -> DataArray:
    """A variable of each world at its arm's own checkpoints from a fraction of the budget on; NaN elsewhere.

    Raises:
        ValueError: nothing of this name was recorded at checkpoints, or none is so late.
    """
    variable, own = _at_checkpoints(dataset, name), own_checkpoints(dataset)
    late = own & (variable["checkpoint"] >= fraction * (1 - SPENT))
    if not bool(late.any()):
        last = float(variable["checkpoint"].where(own).max())
        raise ValueError(
            f"since: expected a fraction of the budget up to the last checkpoint, {last:g}, got {fraction:g}"
        )
    return _numbers(dataset, variable.where(late))


def at(dataset: Dataset, name: str, clock: str, moment: float) -> DataArray:
    """A variable of each world in the last state recorded up to a moment.

    NaN of arms of which some world has no state so early, or whose runs have ended before. Of an arm that
    some world of which got so far, one that ended earlier shows its last state.

    Args:
        dataset: results.
        name: of the variable.
        clock: cost (evaluations at the nominal price), another of `CLOCKS`, or budget (a fraction of it).
        moment: on that clock.

    Raises:
        ValueError: no arm is known then, or nothing of this name was recorded.
    """
    variable = _at_checkpoints(dataset, name)
    if clock == "cost":
        return _numbers(dataset, at_cost(dataset, moment)[name])
    times = dataset["checkpoint"] if clock == "budget" else shown_on(dataset, clock)
    times = times.where(dataset["status"] < Status.FAILED)
    within = times <= moment * (1 + SPENT)
    known = _known(dataset, clock, times, moment)
    numbers = DataArray(np.arange(dataset.sizes["checkpoint"]), dims="checkpoint")
    last = numbers.where(within, -1).max("checkpoint").compute()
    value = variable.isel(checkpoint=last.clip(min=0)).where(known & (last >= 0))
    return _numbers(dataset, value.drop_vars("checkpoint", errors="ignore"))


def _known(dataset: Dataset, clock: str, times: DataArray, moment: float) -> DataArray:
    """Whether all worlds of an arm have a state by a moment, and some goes on until then or all diverged.

    Args:
        dataset: results.
        clock: of `WHENS`.
        times: (.., replicate, checkpoint) of the states on the clock, NaN where there is none.
        moment: on the clock.

    Raises:
        ValueError: no arm is.
    """
    first, end = times.min("checkpoint").max("replicate"), _ends(dataset, clock, times)
    final = dataset["status"].isel(checkpoint=-1, drop=True)
    on = (moment <= end * (1 + SPENT)) | ~(final < Status.DIVERGED).any("replicate")
    known = (first <= moment * (1 + SPENT)) & on
    if not bool(known.any()):
        raise ValueError(
            f"{clock}: expected {float(first.min()):g} to {float(end.max()):g}, from the first checkpoint to"
            f" the end, got {moment:g}"
        )
    return known


def _ends(dataset: Dataset, clock: str, times: DataArray) -> DataArray:
    """Where the last checkpoint of each arm is on a clock, or its worlds' last state if that is later."""
    share = dataset["checkpoint"].where(own_checkpoints(dataset)).max("checkpoint")
    if clock == "budget":
        return share
    last, end = times.max(["replicate", "checkpoint"]), share * budget(dataset, clock)
    return last.where(last > end, end)


def at_start(dataset: Dataset, name: str) -> DataArray:
    """A variable of each world before its first step: of the loss alone it is kept.

    Raises:
        ValueError: it is not kept.
    """
    if name != "loss" or "start_loss" not in dataset:
        raise ValueError(f"{name}(start): expected loss(start), the one number kept of the start")
    return _numbers(
        dataset, dataset["start_loss"].broadcast_like(dataset["status"].isel(checkpoint=-1, drop=True))
    )


def hit(dataset: Dataset, target: float, which: str) -> tuple[DataArray, DataArray]:
    """The latest and the earliest time at which each world may first have reached a loss; inf: never.

    Those of the study's own target where it has this one, equal where it is exact; else looked up in the
    checkpoints, and so the ends of an interval (`studies.results.hits`).

    Args:
        dataset: results.
        target: the loss.
        which: hit_cost, best_hit_steps, ..

    Raises:
        ValueError: no loss was recorded.
    """
    late = _of_target(dataset, target, which, hits)
    return late, late - _of_target(dataset, target, which, lateness)


def met_at_start(dataset: Dataset, target: float) -> DataArray:
    """1 of a world whose common start has reached a target, else 0; NaN where the world has no numbers."""
    start = at_start(dataset, "loss")
    level = DataArray(target)
    if "target_level" in dataset:
        own = _same(dataset["target_loss"], target)
        level = dataset["target_level"].where(own).max("target").fillna(target)
    return (start <= level).astype(float).where(start.notnull() & ran(dataset))


def _same(levels: DataArray, target: float) -> DataArray:
    """Which of the study's targets is meant."""
    return abs(levels - target) <= 1e-12 * abs(target)


def _of_target(dataset: Dataset, target: float, which: str, measured: Callable) -> DataArray:
    """A number of the study's own target where it has this one, else of one that is looked up."""
    if which not in dataset or not dataset.sizes.get("target"):
        return _looked_up(dataset, target, which, measured)
    same = _same(hits(dataset, None, which)["target_loss"], target)
    own = same.any("target")  # of each landscape
    if not own.any():
        return _looked_up(dataset, target, which, measured)
    kept = measured(dataset, None, which).where(same).min("target", skipna=True)
    kept = kept.drop_vars("target_loss", errors="ignore")
    return kept if own.all() else kept.where(own, _looked_up(dataset, target, which, measured))


def _looked_up(dataset: Dataset, target: float, which: str, measured: Callable) -> DataArray:
    number = measured(dataset, [target], which).isel(target=0, drop=True)
    return number.drop_vars("target_loss", errors="ignore")


def _of_states(dataset: Dataset, name: str) -> Dataset:
    """The results with `diverged` where that is asked for, and with the losses of diverged runs as inf."""
    status = dataset["status"]
    if name == DIVERGED:
        gone = (status == Status.DIVERGED).where(status < Status.FAILED)
        return dataset.assign({DIVERGED: gone.astype(float)})
    if name not in LOSSES or name not in dataset:
        return dataset
    return dataset.assign({name: dataset[name].where(status != Status.DIVERGED, np.inf)})


def names(dataset: Dataset) -> list[str]:
    """What was recorded of each world."""
    variables = dataset.data_vars.items()
    return sorted([DIVERGED, *(str(name) for name, part in variables if "replicate" in part.dims)])


def _variable(dataset: Dataset, name: str) -> DataArray:
    words = names(dataset)
    if name not in words:
        raise ValueError(f"unknown quantity {name!r}; {suggest(name, words)}")
    return dataset[name]


def _at_checkpoints(dataset: Dataset, name: str) -> DataArray:
    variable = _variable(dataset, name)
    if "checkpoint" not in variable.dims:
        raise ValueError(f"{name}: expected what is recorded at checkpoints, this is not")
    return variable


def _numbers(dataset: Dataset, values: DataArray) -> DataArray:
    """Values as floats, of the worlds of arms that took a step; NaN elsewhere."""
    return values.astype(float).where(asked(dataset))
