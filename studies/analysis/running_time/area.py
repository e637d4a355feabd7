"""Area over the convergence curve (AOCC): one number for a whole run.

With y(c) the lowest loss that a world has reached by the cost c, clipped to best .. worst, and x the cost or
its logarithm,

    AOCC = mean over x of (w - s(y)) / (w - b)        s the logarithm or the identity, b = s(best), w = s(worst)

so 1 for a world that is at the best loss from the start, 0 for one that never gets below the worst (van Stein
and Baeck 2025, LLaMEA, with x = c and s = log10; van Stein, Vermetten, Kononova and Baeck 2025, explainable
benchmarking). It is the share of targets, drawn evenly in s between worst and best, that is reached at the
mean x: the area under a runtime ECDF of ever denser targets (Lopez-Ibanez, Vermetten, Dreo and Doerr 2025). y
is known at checkpoints and held from one to the next.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import xarray as xr

from studies.analysis.intervals.bootstrap import estimate
from studies.results.arms import asked
from studies.results.hits import budget, ran, state_costs
from studies.schema import Status

Loss = float | xr.DataArray
SCALES = ("log", "linear")


def area(
    dataset: xr.Dataset,
    best: Loss,
    worst: Loss,
    value: str = "loss",
    *,
    scale: str = "log",
    costs: str = "log",
    until: Loss | None = None,
) -> xr.Dataset:
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
    if scale not in SCALES or costs not in SCALES:
        raise ValueError(f"area: expected scale and costs to be log or linear, got {scale!r} and {costs!r}")
    b, w = (_scaled(xr.DataArray(end), scale) for end in (best, worst))
    if not bool(((b < w) & np.isfinite(b)).all()):
        raise ValueError(
            f"area: expected best < worst, and both > 0 on a log scale, got {np.ravel(best).tolist()} and"
            f" {np.ravel(worst).tolist()}"
        )
    each = over_costs(
        dataset, lambda loss: ((w - _scaled(loss, scale)) / (w - b)).clip(0.0, 1.0), value, until, costs
    )
    found = estimate(
        "aocc", np.nanmean, [each], long_name=f"area over the convergence curve ({scale} loss, {costs} cost)"
    )
    found["worlds"] = each.notnull().sum("replicate").assign_attrs(long_name="worlds with numbers", units="1")
    return found.assign(aocc_interval=found["aocc_interval"].clip(0.0, 1.0, keep_attrs=True))


def over_costs(
    dataset: xr.Dataset,
    of: Callable[[xr.DataArray], xr.DataArray],
    value: str = "loss",
    until: Loss | None = None,
    costs: str = "log",
) -> xr.DataArray:
    """The mean over costs of a function of the lowest loss so far.

    (.., replicate), NaN of arms that never asked.

    Args:
        dataset: a study's results.
        of: the function.
        value: the variable that holds the loss.
        until: as in `area`.
        costs: as in `area`.
    """
    weight = _weights(dataset, budget(dataset) if until is None else xr.DataArray(until), costs)
    whole = weight.sum("checkpoint") > 0
    shown = of(lowest(dataset, value))
    return xr.dot(shown.where(weight > 0, 0.0), weight, dim="checkpoint").where(
        ran(dataset) & asked(dataset) & whole
    )


def lowest(dataset: xr.Dataset, value: str = "loss") -> xr.DataArray:
    """The lowest loss that each world has reached within the budget by each checkpoint, inf before there is one."""
    known = (
        np.isfinite(state_costs(dataset)) & (dataset["status"] != Status.DIVERGED) & dataset[value].notnull()
    )
    return xr.apply_ufunc(
        np.minimum.accumulate, dataset[value].where(known, np.inf), kwargs={"axis": -1}, input_core_dims=[["checkpoint"]],
        output_core_dims=[["checkpoint"]], dask="parallelized", output_dtypes=[float],
    )  # fmt: skip


def _scaled(loss: xr.DataArray, scale: str) -> xr.DataArray:
    """The loss, or its logarithm: -inf of 0 and of what is below."""
    return (
        loss
        if scale == "linear"
        else xr.apply_ufunc(np.log10, loss.where(loss > 0, 1.0), dask="allowed").where(loss > 0, -np.inf)
    )


def _weights(dataset: xr.Dataset, until: xr.DataArray, costs: str) -> xr.DataArray:
    """The part of the costs for which each checkpoint's loss holds.

    It sums to 1, or is 0 everywhere where `until` is not beyond the first.
    """
    cost = dataset["cost"].reset_coords(drop=True).compute()
    begin = xr.apply_ufunc(_filled, cost, input_core_dims=[["checkpoint"]], output_core_dims=[["checkpoint"]])
    end = begin.shift(checkpoint=-1, fill_value=np.inf)
    ends = [np.minimum(part, until) for part in (begin, end)]
    low, high = (np.log(part) for part in ends) if costs == "log" else ends
    length = high - low
    return (length / length.sum("checkpoint").where(lambda total: total > 0)).fillna(0.0)


def _filled(cost: np.ndarray) -> np.ndarray:
    """Costs of checkpoints that a landscape does not have (NaN): those of the next, so that they hold for nothing."""
    return np.fmin.accumulate(cost[..., ::-1], axis=-1)[..., ::-1]
