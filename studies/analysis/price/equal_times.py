"""Break-even for a target: the price of a gradient at which two arms have the same expected running time.

An arm whose runs took V evaluations of values and G gradients until they reached the target or ended, s of
them with success, has the expected running time ERT(p) = (V + p G) / s at a price p, so those of two arms are
equal at

    p = (V_2 / s_2 - V_1 / s_1) / (G_1 / s_1 - G_2 / s_2).

V and G of a hit are exact where an arm uses only values, only gradients, or both in a constant mix (see
`spending`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr
from xarray import DataArray, Dataset

from studies.analysis.intervals.bootstrap import estimate
from studies.analysis.intervals.proportions import sums_of_instances
from studies.analysis.price.break_even import along_prices, pair, price_grid
from studies.analysis.price.crossing import UNDECIDED, UNKNOWN, VERDICTS, crossing
from studies.analysis.price.pricing import prices
from studies.analysis.price.spending import gradients_until
from studies.analysis.shapes import as_cost, count
from studies.results.arms import asked
from studies.results.hits import spent
from studies.text.schema import Status

# ln of the ratio of running times where one arm never reaches the target: large, and finite for the bootstrap
NEVER = np.log(1e6)
POINTS = 13  # prices of the band
# units (worlds, or instances where worlds share them): if five agree, a sign test says p = 0.06, and nothing
# is decided
DECIDE = 6


def equal_times(
    dataset: Dataset,
    first: str,
    second: str,
    grid: Sequence[float] | None = None,
    hit: str = "hit_cost",
) -> Dataset:
    """At which price of a gradient two optimizers have the same expected running time, for every target.

    Args:
        dataset: a study's results with targets.
        first: an optimizer.
        second: another one.
        grid: prices, increasing, at which the band is made; None: over the study's range.
        hit: the variable that holds the hits.

    Returns:
        `log_ratio` (price): natural logarithm of the second's ERT over the first's, > 0 where the first is
        faster; inf where only the first ever hits, NaN where none does. `equal_times`: the price, NaN where
        it is not on the grid; its interval, from the band of `log_ratio`, and `verdict` as in `break_even`.
        `worlds`: of which both have numbers. Runs without a hit count with all that they spent, each arm up
        to its own end.

    Raises:
        ValueError: there is no such optimizer, are no targets, or the study has no range of prices.
    """
    if not dataset.sizes.get("target") or hit not in dataset:
        raise ValueError(
            f"equal_times: expected a study with `targets:` and the variable {hit}, found none in these"
            " results"
        )
    arms = pair(dataset, first, second, [hit])
    chosen = price_grid(dataset, given=grid)
    if grid is None:  # times are smooth in the price
        chosen = np.geomspace(*prices(dataset)[1:], POINTS)
    ours, theirs = (spent_until(arms.sel(optimizer=name), hit) for name in (first, second))
    there = ours.values.notnull() & theirs.values.notnull()
    result = _log_ratios(ours, theirs, along_prices(chosen), f"{second} over {first}")
    crossed = crossing(result["log_ratio"], result["log_ratio_interval"], 0.0, "price")
    equal = _equal(ours, theirs, there).where(crossed["crossing"].notnull())
    ratio = result["log_ratio"]
    result["log_ratio"] = ratio.where(abs(ratio) < NEVER, np.sign(ratio) * np.inf)
    result = result.assign(_decided(equal, crossed, _units(there) >= DECIDE))
    return result.assign(worlds=count(there.where(there))).assign_attrs(first=first, second=second)


def _decided(equal: DataArray, crossed: Dataset, enough: DataArray) -> dict[str, DataArray]:
    """The price with its interval and the verdict, which say nothing where units are not `enough`."""
    interval = crossed["crossing_interval"].where(enough)
    verdict = crossed["verdict"]
    return {
        "equal_times": as_cost(equal, "price of a gradient at which the running times are equal"),
        "equal_times_interval": as_cost(interval, "95% interval of equal_times"),
        "verdict": verdict.where(enough | (verdict == VERDICTS[UNKNOWN]), VERDICTS[UNDECIDED]),
    }


class Spent(NamedTuple):
    """What worlds spent until a hit, or in all: (.., replicate, target), NaN without numbers."""

    values: DataArray  # in evaluations
    gradients: DataArray  # in evaluations of the gradient
    reached: DataArray  # whether there was a hit, 1 or 0

    def at(self, price: DataArray) -> DataArray:
        """The cost at prices of a gradient."""
        return self.values + price * self.gradients


def _log_ratios(ours: Spent, theirs: Spent, price: DataArray, whose: str) -> Dataset:
    """Natural logarithm of the ratio of running times at prices, with its interval."""
    parts = [ours.at(price), ours.reached, theirs.at(price), theirs.reached]
    return estimate(
        "log_ratio", log_ratio, parts, long_name=f"ln of the ratio of running times, {whose}"
    )


def _equal(ours: Spent, theirs: Spent, there: DataArray) -> DataArray:
    """The price at which the running times are equal, in closed form: see the module's text."""

    def per_hit(part: DataArray, arm: Spent) -> DataArray:
        return part.where(there).sum("replicate") / arm.reached.where(there).sum("replicate")

    values = per_hit(theirs.values, theirs) - per_hit(ours.values, ours)
    gradients = per_hit(ours.gradients, ours) - per_hit(theirs.gradients, theirs)
    with np.errstate(invalid="ignore", divide="ignore"):
        return values / gradients


def log_ratio(
    spent_1: np.ndarray,
    reached_1: np.ndarray,
    spent_2: np.ndarray,
    reached_2: np.ndarray,
    axis: int = -1,
) -> np.ndarray:
    """Natural logarithm of the ratio of running times, (spent / reached) of the second arm over the first.

    Args:
        spent_1: (.., R) evaluations of the first.
        reached_1: (.., R) whether it reached the target, 1 or 0.
        spent_2: (.., R) evaluations of the second in the same worlds.
        reached_2: (.., R) whether it reached the target, 1 or 0.
        axis: of the worlds.

    Returns:
        NaN where neither ever reached it; `NEVER` where one did not.
    """
    some_1 = np.nansum(reached_1, axis)
    some_2 = np.nansum(reached_2, axis)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.log(np.nansum(spent_2, axis) / some_2) - np.log(np.nansum(spent_1, axis) / some_1)
    return np.clip(ratio, -NEVER, NEVER)


def spent_until(arm: Dataset, hit: str = "hit_cost") -> Spent:
    """What was spent until the hit of each target, or the end of the run.

    Args:
        arm: one optimizer's results, without the dim `optimizer`.
        hit: the variable that holds the hits.
    """
    cost = arm[hit]
    reached = abs(arm[hit]) < np.inf
    gradients, _, _ = gradients_until(arm, cost)
    values = cost.where(reached, 0.0) - prices(arm).value * gradients
    all_values, all_gradients = _in_all(arm)
    parts = (
        values.where(reached, all_values),
        gradients.where(reached, all_gradients),
        reached.astype(float),
    )
    there = (arm["status"] < Status.FAILED).any("checkpoint") & asked(arm)
    return Spent(*(part.where(there).drop_vars("optimizer", errors="ignore") for part in parts))


def _in_all(arm: Dataset) -> tuple[DataArray, DataArray]:
    """Values and gradients until the end of the run; a last step that overshot the budget is not billed."""
    values, gradients = (
        (arm[name] / arm["terms"]).max("checkpoint") for name in ("value_terms", "gradient_terms")
    )
    counted = values + prices(arm).value * gradients
    billed = (spent(arm) / counted.where(counted > 0)).fillna(1.0)
    return values * billed, gradients * billed


def _units(there: DataArray) -> DataArray:
    """How many independent samples have numbers: (..).

    Instances where worlds share them; worlds otherwise, or where there is only one instance.
    """
    units = (sums_of_instances(there.astype(float)) > 0).sum("unit")
    return xr.where(units == 1, there.sum("replicate"), units)
