"""Running times of restarted algorithms, and the share of targets that are solved by a cost.

The expected running time (ERT, aRT) of an algorithm that is restarted until it reaches a target (Price 1997;
Auger and Hansen 2005; Hansen, Auger, Ros et al. 2021, "COCO") is estimated from runs that reach it or stop
before,

    ERT = evaluations that all runs spent until they reached the target or ended / runs that reached it,

inf where none did. Its interval is Student's over units (worlds, or instances where worlds share them) on the
scale of the logarithm,

    ERT exp(+-t s)        s^2 = sum over the n units of (C_i / mean C - S_i / mean S)^2 / (n (n - 1)),
                          or the jackknife's of ln ERT where that is more

with C_i the evaluations and S_i the successes of a unit: positive, and finite where there is a success. Where
some runs fail, it also holds what the exact interval of the success rate allows: mean spent / rate. It covers
(`make verify`): of exponential hits 93 % or more from 3 worlds on. Where hits are known to intervals only,
evaluations count up to their upper ends, and the lower end of the interval is less in the same part as the
ERT is with their lower ends.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
import scipy
import xarray as xr
from xarray import DataArray, Dataset

from studies.analysis.intervals.bootstrap import SIZE
from studies.analysis.intervals.proportions import instances, proportion, sums_of_instances
from studies.analysis.shapes import (
    LEVEL,
    bare,
    ends,
    first_world,
    interval_of,
    mapped,
    named,
    unlabelled,
    with_interval,
)
from studies.results.clocks import times_of, words
from studies.results.hits import clock_of, hits, lateness, spent, variable
from studies.text.schema import CLOCKS, ROUNDING

Targets = Sequence[float] | DataArray | None


def expected_running_time(
    dataset: Dataset, targets: Targets = None, which: str = "hit_cost", clock: str | None = None
) -> Dataset:
    """ERT and success rate for each target.

    Worlds that failed to reach it count with all that they spent, those that diverged too; worlds without
    numbers (failed, missing) are left out.

    Args:
        dataset: a study's results.
        targets: as in `hits`.
        which: as in `hits`.
        clock: cost, steps, epochs, virtual_time or seconds; None: that of `which`.

    Returns:
        `ert` in units of the clock, `success_rate`, both with `_interval` (bound), `ert_lateness`,
        `successes` and `worlds`, for each (.., target). Without a success the ERT is inf and the lower end of
        its interval what it would be at the upper end of the success rate's: (1 - p) / p times the mean
        spent.
    """
    which = variable(which, clock)
    hit = hits(dataset, targets, which)
    labels, hit = first_world(hit).coords, unlabelled(hit)
    reached = (hit < np.inf).where(hit.notnull())
    cost = hit.where(reached == 1, unlabelled(spent(dataset, clock_of(which)))).where(hit.notnull())
    successes = reached.sum("replicate")
    early = unlabelled(lateness(dataset, targets, which))
    late = early.sum("replicate") / successes.clip(min=1)
    result = _ert(reached, cost, late)
    units = hit.attrs["units"]
    result["ert_lateness"] = named(late, "by how much hits may have come earlier, on average", units)
    result["successes"] = named(successes.astype(int), "worlds that reached the target")
    rates = proportion("success_rate", reached, long_name="share of worlds that reached the target")
    return result.merge(rates, compat="override").assign_coords(labels)


def _ert(reached: DataArray, cost: DataArray, late: DataArray) -> Dataset:
    """`ert`, in units of the cost, with its interval.

    Its low end is less by as much as hits may have come earlier.
    """
    ert, low, high = running_time_interval(reached, cost)
    sure = 1 - late / ert  # share of it
    low = low.where(~(late > 0), low * sure.where(sure > ROUNDING, 0.0))
    both = interval_of(low, high).transpose(*ert.dims, "bound")
    result = with_interval(
        "ert", ert, both, long_name="expected running time", units=cost.attrs["units"]
    )
    method = f"t over {_what_units_are(reached)} of the logarithm"
    return result.assign(ert_method=xr.full_like(ert, method, object).astype(str))


def _what_units_are(reached: DataArray) -> str:
    shared = 1 < len(np.unique(instances(reached))) < reached.sizes["replicate"]
    return "instances" if shared else "worlds"


def running_time_interval(
    reached: DataArray, cost: DataArray
) -> tuple[DataArray, DataArray, DataArray]:
    """ERT and the ends of its interval; see the module's text.

    Args:
        reached: whether a world reached the target, dim `replicate`, maybe with the coordinate `instance`;
            NaN where it has no number.
        cost: what it spent until then, or in all.

    Returns:
        Without a success inf, and the lower end that the success rate allows; NaN without worlds, and the
        ends of one world.
    """
    there = reached.notnull()
    ert, low, high = _over_units(reached, cost.where(there), there)
    share = reached.astype(float).mean("replicate")
    mean = cost.where(there).mean("replicate")
    least, most = ends(proportion("rate", reached, long_name="rate")["rate_interval"])
    some = (share > 0) & (share < 1)
    never = xr.where(share == 0, (1 - most) / most * mean, low)
    low = xr.where(some, np.minimum(low, mean / most), never)
    return ert, low, xr.where(some, np.maximum(high, mean / least.where(least > 0)), high)


def _over_units(*parts: DataArray) -> tuple[DataArray, ...]:
    """ERT, low and high by `_ends`, of what worlds reached, spent, and whether they are there."""
    shared = len(np.unique(instances(parts[0]))) > 1
    sums = [_units(part.fillna(0.0).astype(float), shared) for part in parts]
    numbers = mapped(_ends, *sums, over=[["unit"]] * 3, into=[["number"]], sizes={"number": 3})
    return tuple(numbers.isel(number=i) for i in range(3))


def _units(part: DataArray, shared: bool) -> DataArray:
    """Sums over the worlds of each instance, or the worlds of the only one; dim `unit`."""
    if shared:
        return sums_of_instances(part)
    return part.rename(replicate="unit").drop_vars("instance", errors="ignore")


def _ends(successes: np.ndarray, bills: np.ndarray, worlds: np.ndarray) -> np.ndarray:
    """ERT, low and high (.., 3) of sums over units (.., U)."""
    there = worlds > 0
    n = there.sum(-1)
    s = successes.sum(-1)
    c = bills.sum(-1)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        ert = np.where(n > 0, c / np.where(s > 0, s, np.nan), np.nan)
        half = scipy.stats.t.ppf((1 + LEVEL) / 2, np.maximum(n - 1, 1)) * _error(
            successes, bills, there
        )
        low = ert * np.exp(-half)
        high = ert * np.exp(half)
    never = (s == 0) & (n > 0)
    free = (c == 0) & (s > 0)
    alone = n < 2
    low = np.select([free, alone], [0.0, np.nan], low)
    high = np.select([free, alone, never], [0.0, np.nan, np.inf], high)
    return np.stack([np.where(never, np.inf, ert), low, high], -1)


def _error(successes: np.ndarray, bills: np.ndarray, there: np.ndarray) -> np.ndarray:
    """The standard error of ln ERT (..) of units (.., U): the larger one of two."""
    linear, jackknife = (of(successes, bills, there) for of in (_linear_error, _jackknife_error))
    return np.where(np.isfinite(jackknife), np.maximum(linear, jackknife), linear)


def _linear_error(successes: np.ndarray, bills: np.ndarray, there: np.ndarray) -> np.ndarray:
    """The standard error of ln ERT by its linear terms (..), of units (.., U)."""
    n = there.sum(-1)
    parts = bills / bills.sum(-1, keepdims=True) - successes / successes.sum(-1, keepdims=True)
    away = np.where(there, parts, 0.0) * n[..., None]
    return np.sqrt((away**2).sum(-1) / (n * (n - 1)))


def _jackknife_error(successes: np.ndarray, bills: np.ndarray, there: np.ndarray) -> np.ndarray:
    """The jackknife's standard error of ln ERT (..), of units (.., U)."""
    n = there.sum(-1)
    costs = bills.sum(-1, keepdims=True) - bills
    hit = successes.sum(-1, keepdims=True) - successes
    left_out = np.where(there, np.log(costs / hit), np.nan)
    away = left_out - np.nansum(left_out, -1, keepdims=True) / n[..., None]
    return np.sqrt((n - 1) / n * np.where(there, away**2, 0.0).sum(-1))


def ecdf(
    dataset: Dataset,
    costs: Sequence[float] | DataArray | None = None,
    targets: Targets = None,
    which: str = "hit_cost",
    clock: str | None = None,
) -> Dataset:
    """Empirical distribution of running times over worlds and targets.

    The share of (world, target) pairs solved by a cost.

    Args:
        dataset: a study's results.
        costs: on the clock; with the dim `checkpoint` where they are a DataArray. None: those of the
            checkpoints.
        targets: as in `hits`.
        which: as in `hits`.
        clock: cost, steps, epochs, virtual_time or seconds; None: that of `which`.

    Returns:
        `solved` (.., checkpoint), `solved_interval` (bound), `worlds`; a coordinate of the clock's name. Runs
        that ended before a cost without reaching a target have not solved it: there are no restarts
        (`studies.analysis.running_time.restarts`).
    """
    which = variable(which, clock)
    hit = hits(dataset, targets, which)
    cost = costs_of(dataset, costs, clock_of(which))
    reach = cost * (1 + ROUNDING)
    parts = [
        (part.notnull().sum("target"), (part <= reach).sum("target")) for part in in_blocks(hit, cost)
    ]
    return over_targets(parts, cost, clock_of(which), hit.sizes["target"])


def in_blocks(hit: DataArray, cost: DataArray) -> list[DataArray]:
    """Hits of so many targets each as have room at all costs, at least one."""
    sizes = {**hit.sizes, **cost.sizes, "target": 1}
    each = max(1, SIZE // max(1, math.prod(sizes.values())))
    hit = hit.drop_vars("target_loss", errors="ignore")
    firsts = range(0, hit.sizes["target"], each)
    return [hit.isel(target=slice(first, first + each)) for first in firsts]


def over_targets(
    parts: Iterable[tuple[DataArray, DataArray]], cost: DataArray, clock: str, number: int
) -> Dataset:
    """Shares of pairs of a world and a target that are solved.

    Args:
        parts: of some targets each: how many of them a world has, and how many of these it solved at every
            cost.
        cost: dim `checkpoint`.
        clock: on which costs are.
        number: of targets in all.
    """
    count = DataArray(0.0)
    total = DataArray(0.0)
    for there, solved in parts:
        count, total = count + there, total + solved
    share = (total / count.where(count > 0)).transpose(..., "replicate", "checkpoint")
    about = "share of worlds and targets solved"
    return proportion("solved", share, trials=number, long_name=about).assign_coords({clock: cost})


def costs_of(
    dataset: Dataset, costs: Sequence[float] | DataArray | None, clock: str = "cost"
) -> DataArray:
    """Times on a clock with the dim `checkpoint`; None: those of the checkpoints (`times_of`)."""
    if costs is None:
        return bare(times_of(dataset, clock))
    if isinstance(costs, DataArray):
        return bare(costs)
    given = DataArray(np.asarray(costs, float), dims="checkpoint")
    return named(given, words(clock), CLOCKS[clock].units)
