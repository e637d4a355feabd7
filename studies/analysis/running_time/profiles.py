"""Performance profiles: how often an optimizer is within a factor of the best.

After Dolan and More (2002, Mathematical Programming 91, 201). A problem is a landscape, a value of the swept
axes, a world and a target, and t the cost at which a run of that world first reaches the target. With
r = t / (the least t of all optimizers on the problem), the profile of an optimizer is

    rho(tau) = share of problems with r <= tau, each world counting the same

so rho(1) is how often it is fastest, and rho at large tau how often it gets there at all. A run that never
reaches a target has r = inf, also where no optimizer does. Costs below one evaluation, of a start that is
good enough, count as one. A target that is reached beyond the budget that all optimizers have (with a range
of gradient prices those with gradients go on) counts as not reached: the others might have got there as well.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from xarray import DataArray, Dataset

from studies.analysis.comparison.paired import distinct, same_worlds
from studies.analysis.intervals.proportions import proportion
from studies.analysis.shapes import mapped, named, rest
from studies.results.arms import asking
from studies.results.clocks import budget, words
from studies.results.hits import clock_of, ran, variable
from studies.text.schema import SPENT

# what counts as this much at least: a start that is good enough takes none
LEAST = {"cost": 1.0, "steps": 1.0}
ANY = 1e-200  # on other clocks
FACTORS = tuple(np.geomspace(1.0, 1000.0, 121).tolist())


def profile(
    dataset: Dataset,
    factors: Sequence[float] = FACTORS,
    value: str = "hit_cost",
    clock: str | None = None,
) -> Dataset:
    """The performance profiles of a study's optimizers.

    Args:
        dataset: a study's results with targets.
        factors: tau.
        value: the variable that holds the costs of targets.
        clock: cost, steps, epochs, virtual_time or seconds; None: that of `value`.

    Returns:
        `profile` (optimizer, factor) and `profile_interval` (bound); `worlds` (optimizer, factor) and
        `problems`. Worlds that any optimizer lacks are left out, and optimizers that never asked for a value.

    Raises:
        ValueError: there are no targets, or no such clock.
    """
    value = variable(value, clock)
    ratio = ratios(dataset, value)
    share = _share_within(ratio, factors)
    problems = int(ratio.isel(optimizer=0).notnull().sum())
    worlds = max(1, int(share.isel(factor=0, optimizer=0).notnull().sum()))
    about = "share of problems within the factor of the best"
    result = proportion("profile", share, trials=-(-problems // worlds), long_name=about)
    what = words(clock_of(value))
    result["factor"] = named(result["factor"], f"{what} over the least {what}")
    return result.assign(problems=problems)


def _share_within(ratio: DataArray, factors: Sequence[float]) -> DataArray:
    """The share of each world's problems with r <= tau: (optimizer, factor, replicate)."""
    problem = rest(ratio, "optimizer", "replicate")
    given = {"factors": np.array(factors)}
    sizes = {"factor": len(factors)}
    share = mapped(_shares, ratio, over=[problem], into=[["factor"]], sizes=sizes, kwargs=given)
    return share.assign_coords(factor=given["factors"]).transpose("optimizer", "factor", "replicate")


def _shares(ratio: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Of ratios (A, R, ..), the share that is at most each of the factors (F,): (A, R, F); NaN of none."""
    rows = np.sort(ratio.reshape(*ratio.shape[:2], -1), -1)
    below = np.empty((*rows.shape[:2], len(factors)))
    for place in np.ndindex(rows.shape[:2]):
        below[place] = np.searchsorted(rows[place], factors, "right")  # NaN are the last
    with np.errstate(invalid="ignore"):
        return below / (~np.isnan(rows)).sum(-1, keepdims=True)


def ratios(dataset: Dataset, value: str = "hit_cost") -> DataArray:
    """Cost over the least cost of all optimizers on each problem.

    inf where a target was not reached; NaN where any optimizer has no numbers, and where values of the swept
    axes repeat the problems of others.

    Raises:
        ValueError: there are no targets, or optimizers ran in other worlds.
    """
    if not dataset.sizes.get("target"):
        raise ValueError(
            "profile: expected a study with targets, got none; add `targets:` to the study"
        )
    same_worlds(dataset)
    dataset = asking(dataset)
    cost = dataset[value].load()
    known = (_there(dataset) & cost.notnull()).all("optimizer")
    problems = distinct_problems(dataset, cost, clock_of(value)).where(known)
    with np.errstate(invalid="ignore"):
        ratio = problems / problems.min("optimizer")
    return xr.where(np.isinf(problems), np.inf, ratio, keep_attrs=False).assign_coords(cost.coords)


def distinct_problems(dataset: Dataset, cost: DataArray, clock: str = "cost") -> DataArray:
    """Costs, of at least one evaluation, or times on another clock; NaN where they repeat others.

    inf beyond the budget that all have.
    """
    common = budget(dataset, clock)
    common = common.min("optimizer") if "optimizer" in common.dims else common
    cost = cost.where((cost <= common * (1 + SPENT)) | cost.isnull(), np.inf)
    return cost.where(distinct(cost, rest(cost, "optimizer", "replicate", "target"))).clip(
        min=LEAST.get(clock, ANY)
    )


def _there(dataset: Dataset) -> DataArray:
    """Whether a run has numbers, and its landscape such a target."""
    there = ran(dataset)
    return there & dataset["target_loss"].notnull() if "target_loss" in dataset.coords else there
