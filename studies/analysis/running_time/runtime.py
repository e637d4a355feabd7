"""Running times of restarted algorithms, and the share of targets that are solved by a cost.

The expected running time (ERT, aRT) of an algorithm that is restarted until it reaches a target (Price 1997;
Auger and Hansen 2005; Hansen, Auger, Ros et al. 2021, "COCO") is estimated from runs that reach it or stop
before,

    ERT = evaluations that all runs spent until they reached the target or ended / runs that reached it,

inf where none did. Its interval is Student's over units (worlds, or instances where worlds share them) on the
scale of the logarithm,

    ERT exp(+-t s)        s^2 = sum over the n units of (C_i / mean C - S_i / mean S)^2 / (n (n - 1)), or the jackknife's of ln ERT where that is more

with C_i the evaluations and S_i the successes of a unit: positive, and finite where there is a success. Where
some runs fail, it also holds what the exact interval of the success rate allows: mean spent / rate. It covers
(`make verify`): of exponential hits 93 % or more from 3 worlds on. Where hits are known to intervals only,
evaluations count up to their upper ends, and the lower end of the interval is less in the same part as the
ERT is with their lower ends.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from scipy import stats

from studies.analysis.intervals.bootstrap import LEVEL
from studies.analysis.intervals.proportions import instances, proportion, sums_of_instances
from studies.results.hits import hits, lateness, spent
from studies.schema import ROUNDING

Targets = Sequence[float] | xr.DataArray | None


def expected_running_time(
    dataset: xr.Dataset, targets: Targets = None, which: str = "hit_cost"
) -> xr.Dataset:
    """ERT and success rate for each target.

    Worlds that failed to reach it count with all that they spent, those that diverged too; worlds without
    numbers (failed, missing) are left out.

    Args:
        dataset: a study's results.
        targets: as in `hits`.
        which: as in `hits`.

    Returns:
        `ert` in evaluations, `success_rate`, both with `_interval` (bound), `ert_lateness`, `successes` and
        `worlds`, for each (.., target). Without a success the ERT is inf and the lower end of its interval
        what it would be at the upper end of the success rate's: (1 - p) / p times the mean spent.
    """
    hit, bill = hits(dataset, targets, which), spent(dataset)
    reached = (hit < np.inf).where(hit.notnull())
    cost = hit.where(reached == 1, bill).where(hit.notnull())
    ert, low, high = running_time_interval(reached, cost)
    rates = proportion("success_rate", reached, long_name="share of worlds that reached the target")
    late = lateness(dataset, targets, which).sum("replicate") / reached.sum("replicate").clip(min=1)
    low = low.where(~(late > 0), low * (1 - late / ert))
    both = xr.concat(
        [low, high], xr.Variable("bound", ["low", "high"]), coords="minimal", compat="override"
    ).transpose(*ert.dims, "bound")
    units = "instances" if 1 < len(np.unique(instances(reached))) < reached.sizes["replicate"] else "worlds"
    found = xr.Dataset({
        "ert": ert,
        "ert_interval": both,
        "ert_method": xr.full_like(ert, f"t over {units} of the logarithm", object).astype(str),
    })
    found["ert"].attrs = {"long_name": "expected running time", "units": "evaluations"}
    found["ert_interval"].attrs = {
        "long_name": f"{LEVEL:.0%} interval of expected running time",
        "units": "evaluations",
    }
    found["ert_lateness"] = late.assign_attrs(
        long_name="by how much hits may have come earlier, on average", units="evaluations"
    )
    found["successes"] = (
        reached
        .sum("replicate")
        .astype(int)
        .assign_attrs(long_name="worlds that reached the target", units="1")
    )
    return found.merge(rates, compat="override").assign_coords(target_loss=hit["target_loss"])


def running_time_interval(
    reached: xr.DataArray, cost: xr.DataArray
) -> tuple[xr.DataArray, xr.DataArray, xr.DataArray]:
    """ERT and the ends of its interval; see the module's text.

    Args:
        reached: whether a world reached the target, dim `replicate`, maybe with the coordinate `instance`;
            NaN where it has no number.
        cost: what it spent until then, or in all.

    Returns:
        Without a success inf, and the lower end that the success rate allows; NaN without worlds, and the
        ends of one world.
    """
    parts = [
        part.fillna(0.0).astype(float) for part in (reached, cost.where(reached.notnull()), reached.notnull())
    ]
    if len(np.unique(instances(reached))) > 1:
        parts = [sums_of_instances(part) for part in parts]
    else:
        parts = [part.rename(replicate="unit").drop_vars("instance", errors="ignore") for part in parts]
    ends = xr.apply_ufunc(_ends, *parts, input_core_dims=[["unit"]] * 3, output_core_dims=[["number"]], dask="parallelized",
                          output_dtypes=[float], dask_gufunc_kwargs={"output_sizes": {"number": 3}, "allow_rechunk": True})  # fmt: skip
    ert, low, high = (ends.isel(number=i) for i in range(3))
    rate = proportion("rate", reached, long_name="rate")
    least, most = (rate["rate_interval"].sel(bound=end, drop=True) for end in ("low", "high"))
    each, share = cost.where(reached.notnull()).mean("replicate"), rate["rate"]
    some = (share > 0) & (share < 1)
    low = xr.where(some, np.minimum(low, each / most), low)
    high = xr.where(some, np.maximum(high, each / least.where(least > 0)), high)
    return ert, xr.where(share == 0, (1 - most) / most * each, low), high


def _ends(successes: np.ndarray, spent_: np.ndarray, worlds: np.ndarray) -> np.ndarray:
    """ERT, low and high (.., 3) of sums over units (.., U)."""
    there = worlds > 0
    n, s, c = there.sum(-1), successes.sum(-1), spent_.sum(-1)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        ert = np.where(n > 0, c / np.where(s > 0, s, np.nan), np.nan)
        away = np.where(there, spent_ / c[..., None] - successes / s[..., None], 0.0) * n[..., None]
        linear = np.sqrt((away**2).sum(-1) / (n * (n - 1)))
        left = np.where(there, np.log((c[..., None] - spent_) / (s[..., None] - successes)), np.nan)
        jackknife = np.sqrt(
            (n - 1)
            / n
            * np.where(there, (left - np.nansum(left, -1, keepdims=True) / n[..., None]) ** 2, 0.0).sum(-1)
        )
        half = stats.t.ppf((1 + LEVEL) / 2, np.maximum(n - 1, 1)) * np.where(
            np.isfinite(jackknife), np.maximum(linear, jackknife), linear
        )
        low, high = ert * np.exp(-half), ert * np.exp(half)
    never, free, alone = (s == 0) & (n > 0), (c == 0) & (s > 0), n < 2
    ert = np.where(never, np.inf, ert)
    low, high = (
        np.where(free, 0.0, np.where(alone, np.nan, end)) for end in (low, np.where(never, np.inf, high))
    )
    return np.stack([ert, low, np.where(never & ~alone, np.inf, high)], -1)


def ecdf(
    dataset: xr.Dataset,
    costs: Sequence[float] | xr.DataArray | None = None,
    targets: Targets = None,
    which: str = "hit_cost",
) -> xr.Dataset:
    """Empirical distribution of running times over worlds and targets.

    The share of (world, target) pairs solved by a cost.

    Args:
        dataset: a study's results.
        costs: in evaluations; with the dim `checkpoint` where they are a DataArray. None: those of the
            checkpoints.
        targets: as in `hits`.
        which: as in `hits`.

    Returns:
        `solved` (.., checkpoint), `solved_interval` (bound), `worlds`; the coordinate `cost`. Runs that ended
        before a cost without reaching a target have not solved it: there are no restarts
        (`studies.analysis.running_time.restarts`).
    """
    hit, cost = hits(dataset, targets, which), costs_of(dataset, costs)
    reach = cost * (1 + ROUNDING)
    parts = [
        hit.isel(target=i, drop=True).drop_vars("target_loss", errors="ignore")
        for i in range(hit.sizes["target"])
    ]
    return over_targets([(part, part <= reach) for part in parts], cost)


def over_targets(parts: Sequence[tuple[xr.DataArray, xr.DataArray]], cost: xr.DataArray) -> xr.Dataset:
    """Shares of pairs, of (hits, share solved at every cost) for each target.

    Targets without hits (NaN) are left out.
    """
    count, total = xr.DataArray(0.0), xr.DataArray(0.0)
    for hit, solved in parts:
        there = hit.notnull()
        count, total = count + there, total + solved.where(there, 0.0)
    share = total / count.where(count > 0)
    dims = [dim for dim in share.dims if dim not in ("replicate", "checkpoint")]
    found = proportion(
        "solved",
        share.transpose(*dims, "replicate", "checkpoint"),
        trials=len(parts),
        long_name="share of worlds and targets solved",
    )
    return found.assign_coords(cost=cost)


def costs_of(dataset: xr.Dataset, costs: Sequence[float] | xr.DataArray | None) -> xr.DataArray:
    """Costs with the dim `checkpoint`."""
    if costs is None:
        return dataset["cost"].reset_coords(drop=True)
    if isinstance(costs, xr.DataArray):
        return costs.reset_coords(drop=True)
    return xr.DataArray(
        np.asarray(costs, float), dims="checkpoint", attrs={"long_name": "cost", "units": "evaluations"}
    )
