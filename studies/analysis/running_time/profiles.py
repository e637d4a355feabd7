"""Performance profiles (Dolan and More 2002, Mathematical Programming 91, 201): how often an optimizer is within a factor of the best.

A problem is a landscape, a value of the swept axes, a world and a target, and t the cost at which a run of that world first reaches the target.
With r = t / (the least t of all optimizers on the problem), the profile of an optimizer is

    rho(tau) = share of problems with r <= tau, each world counting the same

so rho(1) is how often it is fastest, and rho at large tau how often it gets there at all. A run that never reaches a target has r = inf, also
where no optimizer does. Costs below one evaluation, of a start that is good enough, count as one. A target that is reached beyond the budget that all
optimizers have (with a range of gradient prices those with gradients go on) counts as not reached: the others might have got there as well.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from studies.analysis.comparison.paired import distinct, same_worlds
from studies.analysis.intervals.proportions import proportion
from studies.results.arms import asking
from studies.results.hits import budget
from studies.schema import SPENT, Status

FACTORS = tuple(np.geomspace(1.0, 1000.0, 121).tolist())


def profile(dataset: xr.Dataset, factors: Sequence[float] = FACTORS, value: str = "hit_cost") -> xr.Dataset:
    """The performance profiles of a study's optimizers.

    Args:
        dataset: a study's results with targets.
        factors: tau.
        value: the variable that holds the costs of targets.

    Returns:
        `profile` (optimizer, factor) and `profile_interval` (bound); `worlds` (optimizer, factor) and
        `problems`. Worlds that any optimizer lacks are left out, and optimizers that never asked for a value.

    Raises:
        ValueError: there are no targets.
    """
    ratio = ratios(dataset, value)
    dims = [dim for dim in ratio.dims if dim not in ("optimizer", "replicate")]
    tau = xr.DataArray(list(factors), dims="factor", coords={"factor": list(factors)})
    each = [(ratio <= at).where(ratio.notnull()).mean(dims) for at in tau.values.tolist()]
    share = xr.concat(each, tau["factor"], coords="minimal", compat="override").transpose(
        "optimizer", "factor", "replicate"
    )
    problems = int(ratio.isel(optimizer=0).notnull().sum())
    worlds = max(1, int(share.isel(factor=0, optimizer=0).notnull().sum()))
    found = proportion(
        "profile",
        share,
        trials=-(-problems // worlds),
        long_name="share of problems within the factor of the best",
    )
    found["factor"] = found["factor"].assign_attrs(long_name="cost over the least cost", units="1")
    return found.assign(problems=problems)


def ratios(dataset: xr.Dataset, value: str = "hit_cost") -> xr.DataArray:
    """Cost over the least cost of all optimizers on each problem.

    inf where a target was not reached; NaN where any optimizer has no numbers, and where values of the swept
    axes repeat the problems of others.

    Raises:
        ValueError: there are no targets, or optimizers ran in other worlds.
    """
    if not dataset.sizes.get("target"):
        raise ValueError("profile: expected a study with targets, got none; add `targets:` to the study")
    same_worlds(dataset)
    dataset = asking(dataset)
    cost = dataset[value].load()
    known = _there(dataset) & cost.notnull()
    axes = [str(dim) for dim in cost.dims if dim not in ("optimizer", "replicate", "target")]
    cost = cost.where((cost <= budget(dataset) * (1 + SPENT)) | cost.isnull(), np.inf)
    cost = cost.where(known.all("optimizer")).where(distinct(cost, axes)).clip(min=1.0)
    least = cost.min("optimizer")
    with np.errstate(invalid="ignore"):
        return xr.where(np.isinf(cost), np.inf, cost / least, keep_attrs=False).assign_coords(cost.coords)


def _there(dataset: xr.Dataset) -> xr.DataArray:
    """Whether a run has numbers, and its landscape such a target."""
    ran = dataset["status"].isel(checkpoint=-1, drop=True) < Status.FAILED
    return ran & dataset["target_loss"].notnull() if "target_loss" in dataset.coords else ran
