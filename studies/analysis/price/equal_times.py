"""Break-even for a target: the price of a gradient at which two arms have the same expected running time, in closed form.

An arm whose runs took V evaluations of values and G gradients until they reached the target or ended, s of them with success, has the expected
running time ERT(p) = (V + p G) / s at a price p, so those of two arms are equal at

    p = (V_2 / s_2 - V_1 / s_1) / (G_1 / s_1 - G_2 / s_2).

V and G of a hit are exact where an arm uses only values, only gradients, or both in a constant mix (see `spending`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from studies.analysis.intervals.bootstrap import estimate
from studies.analysis.intervals.proportions import sums_of_instances
from studies.analysis.price.break_even import pair, price_grid
from studies.analysis.price.crossing import VERDICTS, crossing
from studies.analysis.price.pricing import EVALUATIONS, prices
from studies.analysis.price.spending import gradients_until
from studies.results.arms import asked
from studies.results.hits import spent
from studies.schema import Status

NEVER = np.log(
    1e6
    # ln of the ratio of running times where one arm never reaches the target: large, and finite for the bootstrap
)
POINTS = 13  # prices of the band
# units (worlds, or instances where worlds share them): if five agree, a sign test says p = 0.06, and nothing
# is decided
DECIDE = 6


def equal_times(
    dataset: xr.Dataset, first: str, second: str, grid: Sequence[float] | None = None, hit: str = "hit_cost"
) -> xr.Dataset:
    """At which price of a gradient two optimizers have the same expected running time, for every target.

    Args:
        dataset: a study's results with targets.
        first: an optimizer.
        second: another one.
        grid: prices, increasing, at which the band is made; None: over the study's range.
        hit: the variable that holds the hits.

    Returns:
        `log_ratio` (price): ln of the second's ERT over the first's, > 0 where the first is faster; inf where
        only the first ever hits, NaN where none does. `equal_times`: the price, NaN where it is not on the
        grid; its interval, from the band of `log_ratio`, and `verdict` as in `break_even`. `worlds`: of which
        both have numbers. Runs without a hit count with all that they spent, each arm up to its own end.

    Raises:
        ValueError: there is no such optimizer, are no targets, or the study has no range of prices.
    """
    if not dataset.sizes.get("target") or hit not in dataset:
        raise ValueError(
            f"equal_times: expected a study with `targets:` and the variable {hit}, found none in these"
            " results"
        )
    arms, chosen = pair(dataset, first, second, [hit]), price_grid(dataset, given=grid)
    if grid is None:  # times are smooth in the price
        chosen = np.geomspace(*prices(dataset)[1:], POINTS)
    (value_1, gradient_1, reached_1), (value_2, gradient_2, reached_2) = (
        spent_until(arms.sel(optimizer=name), hit) for name in (first, second)
    )
    price = xr.DataArray(
        chosen,
        dims="price",
        coords={"price": ("price", chosen, {"long_name": "price of a gradient", **EVALUATIONS})},
    )
    parts = [value_1 + price * gradient_1, reached_1, value_2 + price * gradient_2, reached_2]
    found = estimate(
        "log_ratio", log_ratio, parts, long_name=f"ln of the ratio of running times, {second} over {first}"
    )
    told = crossing(found["log_ratio"], found["log_ratio_interval"], 0.0, "price")
    there = value_1.notnull() & value_2.notnull()
    mean = [part.where(there).sum("replicate") / reached.where(there).sum("replicate")
            for part, reached in ((value_1, reached_1), (gradient_1, reached_1), (value_2, reached_2), (gradient_2, reached_2))]  # fmt: skip
    with np.errstate(invalid="ignore", divide="ignore"):
        found["equal_times"] = ((mean[2] - mean[0]) / (mean[1] - mean[3])).where(told["crossing"].notnull())
    found["equal_times"].attrs = {
        "long_name": "price of a gradient at which the running times are equal",
        **EVALUATIONS,
    }
    units = _units(there)
    found["equal_times_interval"] = (
        told["crossing_interval"]
        .where(units >= DECIDE)
        .assign_attrs(long_name="95% interval of equal_times", **EVALUATIONS)
    )
    found["verdict"] = told["verdict"].where(
        (units >= DECIDE) | (told["verdict"] == VERDICTS[-1]), "undecided"
    )
    found["worlds"] = there.sum("replicate").assign_attrs(long_name="worlds with numbers", units="1")
    found["log_ratio"] = found["log_ratio"].where(
        abs(found["log_ratio"]) < NEVER, np.sign(found["log_ratio"]) * np.inf
    )
    return found.assign_attrs(first=first, second=second)


def log_ratio(
    spent_1: np.ndarray, reached_1: np.ndarray, spent_2: np.ndarray, reached_2: np.ndarray, axis: int = -1
) -> np.ndarray:
    """Of (spent / reached) of the second over the first, all of the same worlds; NaN of no success at all."""
    some_1, some_2 = np.nansum(reached_1, axis), np.nansum(reached_2, axis)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.log(np.nansum(spent_2, axis) / some_2) - np.log(np.nansum(spent_1, axis) / some_1)
    return np.clip(ratio, -NEVER, NEVER)


def spent_until(arm: xr.Dataset, hit: str = "hit_cost") -> tuple[xr.DataArray, xr.DataArray, xr.DataArray]:
    """Values and gradients, in evaluations, until the hit of each target or the end of the run, and whether there was a hit; NaN without numbers.

    Args:
        arm: one optimizer's results, without the dim `optimizer`.
        hit: the variable that holds the hits.
    """
    there = (arm["status"] < Status.FAILED).any("checkpoint") & asked(arm)
    cost, reached = arm[hit], np.isfinite(arm[hit])
    gradient, _, _ = gradients_until(arm, cost)
    value = cost.where(reached, 0.0) - prices(arm).value * gradient
    all_values, all_gradients = (
        (arm[name] / arm["terms"]).max("checkpoint") for name in ("value_terms", "gradient_terms")
    )
    billed = all_values + prices(arm).value * all_gradients
    share = (spent(arm) / billed.where(billed > 0)).fillna(
        1.0
    )  # the budget is billed, not a last step that overshot it
    all_values, all_gradients = all_values * share, all_gradients * share
    parts = value.where(reached, all_values), gradient.where(reached, all_gradients), reached.astype(float)
    return tuple(part.where(there).drop_vars("optimizer", errors="ignore") for part in parts)  # type: ignore[return-value, union-attr]


def _units(there: xr.DataArray) -> xr.DataArray:
    """How many worlds have numbers.

    Or instances, where several worlds share them, unless there is but one.
    """
    units = (sums_of_instances(there.astype(float)) > 0).sum("unit")
    return xr.where(units == 1, there.sum("replicate"), units)
