"""The numbers of each world that a quantity is made of: what was recorded, when; hits of targets.

Every function gives a DataArray with the dim `replicate`, the landscapes, optimizers and axes of the results,
and, while a mean over checkpoints is asked for, `checkpoint`.
"""

from __future__ import annotations

import numpy as np
import xarray as xr

from studies.results.arms import asked
from studies.results.hits import SPENT, at_budget, at_cost, hits
from studies.text.words import suggest

START = "start"
WHENS = ("cost", "steps", "budget")  # keywords that say when


def recorded(dataset: xr.Dataset, name: str) -> xr.DataArray:
    """A variable of each world at the end: the last checkpoint within the budget.

    Raises:
        ValueError: nothing of this name was recorded.
    """
    variable = _variable(dataset, name)
    return _numbers(dataset, at_budget(dataset)[name] if "checkpoint" in variable.dims else variable)


def since(dataset: xr.Dataset, name: str, fraction: float) -> xr.DataArray:
    """A variable of each world at the checkpoints from a fraction of the budget on; NaN before.

    Raises:
        ValueError: nothing of this name was recorded at checkpoints, or none is so late.
    """
    variable = _variable(dataset, name)
    if "checkpoint" not in variable.dims:
        raise ValueError(f"{name}: expected what is recorded at checkpoints, this is not")
    late = variable["checkpoint"] >= fraction * (1 - SPENT)
    if not bool(late.any()):
        last = float(variable["checkpoint"].max())
        raise ValueError(
            f"since: expected a fraction of the budget up to the last checkpoint, {last:g}, got {fraction:g}"
        )
    return _numbers(dataset, variable.where(late))


def at(dataset: xr.Dataset, name: str, clock: str, moment: float) -> xr.DataArray:
    """A variable of each world in the last state recorded up to a moment.

    Args:
        dataset: results.
        name: of the variable.
        clock: cost (evaluations at the nominal price), steps, or budget (a fraction of it).
        moment: on that clock.

    Raises:
        ValueError: nothing was recorded so early, or of this name.
    """
    variable = _variable(dataset, name)
    if "checkpoint" not in variable.dims:
        raise ValueError(f"{name}: expected what is recorded at checkpoints, this is not")
    if clock == "cost":
        return _numbers(dataset, at_cost(dataset, moment)[name])
    times = dataset["steps"] if clock == "steps" else dataset["checkpoint"]
    within = times <= moment * (1 + SPENT)
    if not bool(within.any()):
        raise ValueError(
            f"{clock}: expected at least {float(times.min()):g}, of the first checkpoint, got {moment:g}"
        )
    last = xr.where(within, np.arange(dataset.sizes["checkpoint"]), -1).max("checkpoint").compute()
    value = variable.isel(checkpoint=last.clip(min=0)).where(last >= 0)
    return _numbers(dataset, value.drop_vars("checkpoint", errors="ignore"))


def at_start(dataset: xr.Dataset, name: str) -> xr.DataArray:
    """A variable of each world before its first step: of the loss alone it is kept.

    Raises:
        ValueError: it is not kept.
    """
    if name != "loss" or "start_loss" not in dataset:
        raise ValueError(f"{name}(start): expected loss(start), the one number kept of the start")
    return _numbers(
        dataset, dataset["start_loss"].broadcast_like(dataset["status"].isel(checkpoint=-1, drop=True))
    )


def hit(dataset: xr.Dataset, target: float, which: str) -> xr.DataArray:
    """The cost at which each world first reached a loss, in evaluations; inf where it never did.

    That of the study's own target where it has this one, exact where it is; else looked up in the
    checkpoints, and so the upper end of an interval (`studies.results.hits`).

    Raises:
        ValueError: no loss was recorded.
    """
    if which in dataset and dataset.sizes.get("target"):
        own = hits(dataset, None, which)
        levels = own["target_loss"]
        same = abs(levels - target) <= 1e-12 * abs(target)
        if bool(same.any("target").all()):
            return own.where(same).min("target", skipna=True).drop_vars("target_loss", errors="ignore")
    return (
        hits(dataset, [target], which)
        .isel(target=0, drop=True)
        .drop_vars("target_loss", errors="ignore")
    )


def names(dataset: xr.Dataset) -> list[str]:
    """What was recorded of each world."""
    variables = dataset.data_vars.items()
    return sorted(str(name) for name, variable in variables if "replicate" in variable.dims)


def _variable(dataset: xr.Dataset, name: str) -> xr.DataArray:
    words = names(dataset)
    if name not in words:
        raise ValueError(f"unknown quantity {name!r}; {suggest(name, words)}")
    return dataset[name]


def _numbers(dataset: xr.Dataset, values: xr.DataArray) -> xr.DataArray:
    """Of the worlds of arms that took a step; NaN elsewhere."""
    return values.astype(float).where(asked(dataset))
