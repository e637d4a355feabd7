"""Area over the convergence curve (AOCC): one number for a whole run.

With y(c) the lowest loss that a world has reached by the cost c, clipped to best .. worst, and x the cost or
its logarithm,

    AOCC = mean over x of (w - s(y)) / (w - b)

with s the logarithm or the identity, b = s(best) and w = s(worst): 1 for a world that is at the best loss
from the start, 0 for one that never gets below the worst (van Stein and Baeck 2025, LLaMEA, with x = c and
s = log10; van Stein, Vermetten, Kononova and Baeck 2025, explainable benchmarking). It is the share of
targets, drawn evenly in s between worst and best, that is reached at the mean x: the area under a runtime
ECDF of ever denser targets (Lopez-Ibanez, Vermetten, Dreo and Doerr 2025). y is known at checkpoints and held
from one to the next.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import xarray as xr
from xarray import DataArray, Dataset

from studies.analysis.intervals.bootstrap import estimate
from studies.analysis.shapes import bare, count, mapped, transformed
from studies.results.arms import asked
from studies.results.hits import budget, ran, state_costs
from studies.results.labels import labelled, where
from studies.text.schema import Status

Loss = float | DataArray
SCALES = ("log", "linear")


def area(
    dataset: Dataset,
    best: Loss,
    worst: Loss,
    value: str = "loss",
    *,
    scale: str = "log",
    costs: str = "log",
    until: Loss | None = None,
) -> Dataset:
    """AOCC of every arm, over costs from the first checkpoint up to `until`.

    Args:
        dataset: a study's results.
        best: loss at which a world gets all of a cost; a DataArray with the dim `landscape` where landscapes
            differ.
        worst: loss at which it gets nothing.
        value: `loss` of the recommended or `best_loss` of the best evaluated point.
        scale: of the loss, `log` or `linear`.
        costs: scale of the cost, `log` or `linear`.
        until: cost; None: the budget at the lowest price of a gradient, which all arms had.

    Returns:
        `aocc`, `aocc_interval` (bound), `worlds`.

    Raises:
        ValueError: a scale is none, or the losses are not in order, or not above 0 on a log scale.
    """
    _check_scales(scale, costs)
    low, high = _in_order(best, worst, scale)

    def share(loss: DataArray) -> DataArray:
        return ((high - _scaled(loss, scale)) / (high - low)).clip(0.0, 1.0)

    each = over_costs(dataset, share, value, until, costs)
    about = f"{scale} loss, {costs} cost"
    result = estimate(
        "aocc", np.nanmean, [each], long_name=f"area over the convergence curve ({about})"
    )
    inside = result["aocc_interval"].clip(0.0, 1.0, keep_attrs=True)
    return result.assign(worlds=count(each), aocc_interval=inside)


def _check_scales(scale: str, costs: str) -> None:
    if scale not in SCALES or costs not in SCALES:
        raise ValueError(
            f"area: expected scale and costs to be log or linear, got {scale!r} and {costs!r}"
        )


def _in_order(best: Loss, worst: Loss, scale: str) -> tuple[DataArray, DataArray]:
    """The best and the worst loss on the scale."""
    low, high = (_scaled(DataArray(end), scale) for end in (best, worst))
    if not bool(((low < high) & np.isfinite(low)).all()):
        raise ValueError(
            f"area: expected best < worst, and both > 0 on a log scale, got {np.ravel(best).tolist()} and"
            f" {np.ravel(worst).tolist()}"
        )
    return low, high


def over_costs(
    dataset: Dataset,
    of: Callable[[DataArray], DataArray],
    value: str = "loss",
    until: Loss | None = None,
    costs: str = "log",
) -> DataArray:
    """The mean over costs of a function of the lowest loss so far.

    Args:
        dataset: a study's results.
        of: the function.
        value: the variable that holds the loss.
        until: as in `area`.
        costs: as in `area`.

    Returns:
        The mean of each world (.., replicate); NaN where its arm never asked.
    """
    weight = _weights(dataset, budget(dataset) if until is None else DataArray(until), costs)
    shown = of(lowest(dataset, value)).where(weight > 0, 0.0)
    there = ran(dataset) & asked(dataset) & (weight.sum("checkpoint") > 0)
    return xr.dot(shown, weight, dim="checkpoint").where(there)


def lowest(dataset: Dataset, value: str = "loss") -> DataArray:
    """The lowest loss that each world has reached by each checkpoint, within the budget.

    inf before there is one.
    """
    own, status = dataset[value], dataset.variables["status"]
    there = np.isfinite(state_costs(dataset).variable) & (status != Status.DIVERGED)
    loss = labelled(where(there & own.variable.notnull(), own.variable, np.inf), own)
    loss.name = own.name
    return transformed(np.minimum.accumulate, loss, "checkpoint", axis=-1)


def _scaled(loss: DataArray, scale: str) -> DataArray:
    """The loss, or its logarithm: -inf of 0 and of what is below."""
    if scale == "linear":
        return loss
    return xr.apply_ufunc(np.log10, loss.where(loss > 0, 1.0), dask="allowed").where(loss > 0, -np.inf)


def _weights(dataset: Dataset, until: DataArray, costs: str) -> DataArray:
    """The part of the costs for which each checkpoint's loss holds.

    It sums to 1, or is 0 everywhere where `until` is not beyond the first.
    """
    cost = bare(dataset["cost"]).compute()
    begin = mapped(_filled, cost, over=[["checkpoint"]], into=[["checkpoint"]])
    end = begin.shift(checkpoint=-1, fill_value=np.inf)
    ends = [np.minimum(part, until) for part in (begin, end)]
    low, high = (np.log(part) for part in ends) if costs == "log" else ends
    length = high - low
    return (length / length.sum("checkpoint").where(lambda total: total > 0)).fillna(0.0)


def _filled(cost: np.ndarray) -> np.ndarray:
    """Costs (.., C) of checkpoints.

    One that a landscape does not have (NaN) gets that of the next, so that it holds for nothing.
    """
    return np.fmin.accumulate(cost[..., ::-1], axis=-1)[..., ::-1]
