"""Running times of restarted algorithms, and the share of targets that are solved by a cost.

The expected running time (ERT, aRT) of an algorithm that is restarted until it reaches a target (Price 1997; Auger and Hansen 2005; Hansen, Auger,
Ros et al. 2021, "COCO") is estimated from runs that reach it or stop before,

    ERT = evaluations that all runs spent until they reached the target or ended / runs that reached it,

inf where none did. Its interval is that of 1 / ERT, successes per evaluation, turned over: a resample of worlds without a success counts as inf.
Where hits are known to intervals only, evaluations count up to their upper ends, and the lower end of the interval is less by their mean length.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from studies.analysis.bootstrap import LEVEL, estimate
from studies.analysis.proportions import proportion
from studies.analysis.targets import ROUNDING, hits, lateness, spent

Targets = Sequence[float] | xr.DataArray | None


def expected_running_time(dataset: xr.Dataset, targets: Targets = None, which: str = "hit_cost") -> xr.Dataset:
    """ERT and success rate for each target.

    Worlds that failed to reach it count with all that they spent, those that diverged too; worlds without numbers (failed, missing) are left out.

    Args:
        dataset: a study's results.
        targets: as in `hits`.
        which: as in `hits`.

    Returns:
        `ert` in evaluations, `success_rate`, both with `_interval` (bound), `ert_lateness`, `successes` and `worlds`, for each (.., target).
        Without a success the ERT is inf and the lower end of its interval what it would be at the upper end of the success rate's: (1 - p) / p
        times the mean spent.
    """
    hit, bill = hits(dataset, targets, which), spent(dataset)
    reached = (hit < np.inf).where(hit.notnull())
    cost = hit.where(reached == 1, bill).where(hit.notnull())
    told = estimate("successes_per_cost", successes_per_cost, (reached, cost), long_name="expected running time", units="evaluations")
    rates = proportion("success_rate", reached, long_name="share of worlds that reached the target")
    most = rates["success_rate_interval"].sel(bound="high", drop=True)
    least = (1 - most) / most * cost.mean("replicate")
    ends = _inverse(told["successes_per_cost_interval"])
    low, high = ends.sel(bound="high", drop=True), ends.sel(bound="low", drop=True)
    low, high = low.where(rates["success_rate"] > 0, least), high.where(told["successes_per_cost"] < np.inf, 0.0)  # 1 / inf: all hits cost nothing
    low = low.where(told["successes_per_cost"] < np.inf, 0.0)
    late = lateness(dataset, targets, which).sum("replicate") / reached.sum("replicate").clip(min=1)
    low = (low - late).clip(min=0.0)
    both = xr.concat([low, high], xr.Variable("bound", ["low", "high"]), coords="minimal", compat="override").transpose(*ends.dims)
    found = xr.Dataset({
        "ert": _inverse(told["successes_per_cost"]),
        "ert_interval": both.where(told["successes_per_cost"].notnull()),
        "ert_method": told["successes_per_cost_method"],
    })
    found["ert"].attrs = {"long_name": "expected running time", "units": "evaluations"}
    found["ert_interval"].attrs = {"long_name": f"{LEVEL:.0%} interval of expected running time", "units": "evaluations"}
    found["ert_lateness"] = late.assign_attrs(long_name="by how much hits may have come earlier, on average", units="evaluations")
    found["successes"] = reached.sum("replicate").astype(int).assign_attrs(long_name="worlds that reached the target", units="1")
    return found.merge(rates, compat="override").assign_coords(target_loss=hit["target_loss"])


def successes_per_cost(reached: np.ndarray, cost: np.ndarray, axis: int = -1) -> np.ndarray:
    """1 / ERT: sum over sum; NaN of no worlds."""
    return np.nansum(reached, axis) / np.nansum(cost, axis)


def ecdf(dataset: xr.Dataset, costs: Sequence[float] | xr.DataArray | None = None, targets: Targets = None, which: str = "hit_cost") -> xr.Dataset:
    """Empirical distribution of running times over worlds and targets: the share of (world, target) pairs solved by a cost.

    Args:
        dataset: a study's results.
        costs: in evaluations; with the dim `checkpoint` where they are a DataArray. None: those of the checkpoints.
        targets: as in `hits`.
        which: as in `hits`.

    Returns:
        `solved` (.., checkpoint), `solved_interval` (bound), `worlds`; the coordinate `cost`. Runs that ended before a cost without reaching a
        target have not solved it: there are no restarts (`studies.analysis.restarts`).
    """
    hit, cost = hits(dataset, targets, which), costs_of(dataset, costs)
    reach = cost * (1 + ROUNDING)
    parts = [hit.isel(target=i, drop=True).drop_vars("target_loss", errors="ignore") for i in range(hit.sizes["target"])]
    return over_targets([(part, part <= reach) for part in parts], cost)


def over_targets(parts: Sequence[tuple[xr.DataArray, xr.DataArray]], cost: xr.DataArray) -> xr.Dataset:
    """Shares of pairs, of (hits, share solved at every cost) for each target; targets without hits (NaN) are left out."""
    count, total = xr.DataArray(0.0), xr.DataArray(0.0)
    for hit, solved in parts:
        there = hit.notnull()
        count, total = count + there, total + solved.where(there, 0.0)
    share = total / count.where(count > 0)
    dims = [dim for dim in share.dims if dim not in ("replicate", "checkpoint")]
    found = proportion("solved", share.transpose(*dims, "replicate", "checkpoint"), trials=len(parts), long_name="share of worlds and targets solved")
    return found.assign_coords(cost=cost)


def costs_of(dataset: xr.Dataset, costs: Sequence[float] | xr.DataArray | None) -> xr.DataArray:
    """Costs with the dim `checkpoint`."""
    if costs is None:
        return dataset["cost"].reset_coords(drop=True)
    if isinstance(costs, xr.DataArray):
        return costs.reset_coords(drop=True)
    return xr.DataArray(np.asarray(costs, float), dims="checkpoint", attrs={"long_name": "cost", "units": "evaluations"})


def _inverse(rate: xr.DataArray) -> xr.DataArray:
    """1 / rate; inf of none or less."""
    return (1 / rate.where(rate > 0)).where(rate > 0, np.inf).where(rate.notnull())
