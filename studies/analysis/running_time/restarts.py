"""Simulated restarts: how long an algorithm that is started anew until it reaches a target would have run.

A run of an instance that fails is followed by another of the same instance, drawn with equal chances from
those that were run, until one reaches the target; the bills are summed (Hansen, Auger, Ros et al. 2021,
"COCO"). Restarts stay within an instance: a run on another one would be a run of another problem, and an
instance that no run solves would seem solved. So there is nothing to simulate where every world has an
instance of its own, and where one instance is never solved its share stays 0.

Of n runs on one instance, a share q of which fails at a bill of B each, with s(c) the share that reached the
target by c,

    F(c) = sum over k = 0, 1, .. of q^k s(c - k B)        (exact: k failures come first)

Where the failed runs of an instance spent unequal amounts, the sum is over all their orders, and F is
simulated.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from xarray import DataArray, Dataset

from studies.analysis.intervals.proportions import instances
from studies.analysis.running_time.runtime import Targets, costs_of, over_targets
from studies.analysis.shapes import mapped
from studies.results.hits import clock_of, hits, spent, variable
from studies.text.schema import ROUNDING

DRAWS = 1000  # simulated runs of an instance, at least
EQUAL = 1e-9  # relative: bills that differ by less are equal
LEAST = 1e-15  # a chance below which further restarts are not looked at


def ecdf(
    dataset: Dataset,
    costs: Sequence[float] | DataArray | None = None,
    targets: Targets = None,
    which: str = "hit_cost",
    *,
    clock: str | None = None,
    seed: int = 1,
) -> Dataset:
    """Share of (world, target) pairs solved by a cost, with simulated restarts within instances.

    Args:
        dataset: a study's results whose worlds share instances.
        costs: on the clock, as in `runtime.ecdf`; they may go beyond the budget.
        targets: as in `hits`.
        which: as in `hits`.
        clock: cost, steps, epochs, virtual_time or seconds; None: that of `which`.
        seed: of the simulation, where one is needed; every instance has the same stream.

    Returns:
        As `runtime.ecdf`: `solved` (.., checkpoint), `solved_interval` (bound) with instances as units,
            `worlds`.

    Raises:
        ValueError: no two worlds share an instance.
    """
    which = variable(which, clock)
    hit, own = hits(dataset, targets, which), clock_of(which)
    bill = spent(dataset, own)
    cost = costs_of(dataset, costs, own)
    parts = ((part.notnull(), restarted(part, bill, cost, seed=seed)) for part in _each_target(hit))
    solved = ((there, chance.where(there, 0.0)) for there, chance in parts)
    return over_targets(solved, cost, own, hit.sizes["target"])


def _each_target(hit: DataArray) -> list[DataArray]:
    """Hits, target by target, without the dim."""
    return [
        hit.isel(target=i, drop=True).drop_vars("target_loss", errors="ignore")
        for i in range(hit.sizes["target"])
    ]


def restarted(hit: DataArray, bill: DataArray, cost: DataArray, *, seed: int = 1) -> DataArray:
    """The chance that restarts on a world's instance reach a target by a cost.

    (.., replicate, checkpoint), equal for worlds of one instance.

    Args:
        hit: cost of the hit (.., replicate), inf: never; with the coordinate `instance`.
        bill: what each world spent (.., replicate).
        cost: dim `checkpoint`.
        seed: of the simulation.

    Raises:
        ValueError: no two worlds share an instance.
    """
    groups = _groups(hit)
    hit, bill = xr.broadcast(hit, bill.where(hit.notnull()))
    chance = mapped(
        _restarted,
        hit,
        bill,
        cost,
        over=[["replicate"], ["replicate"], ["checkpoint"]],
        into=[["replicate", "checkpoint"]],
        kwargs={"groups": groups, "seed": seed},
    )
    return chance.where(hit.notnull())


def _groups(hit: DataArray) -> list[np.ndarray]:
    """The worlds of every instance."""
    number = instances(hit)
    if len(np.unique(number)) == hit.sizes["replicate"]:
        raise ValueError(
            "restarts: expected worlds that share instances (`instances:` in the study, fewer than"
            " `replicates`), here every world has its own; where the landscape is the same in all worlds, say"
            " so: dataset.assign_coords(instance=('replicate', [0, 0, ..]))"
        )
    order = np.argsort(number, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(number[order])) + 1)


def _restarted(
    hit: np.ndarray, bill: np.ndarray, cost: np.ndarray, groups: Sequence[np.ndarray], seed: int
) -> np.ndarray:
    """Chances of worlds (.., R) and costs (.., C): (.., R, C)."""
    *cells, worlds = hit.shape
    costs = cost.shape[-1]
    hit, bill = hit.reshape(-1, worlds), bill.reshape(-1, worlds)
    cost = np.broadcast_to(cost, (*cells, costs)).reshape(-1, costs) * (1 + ROUNDING)
    chance = np.full((*hit.shape, costs), np.nan)
    for group in groups:
        chance[:, group] = _of_instance(hit[:, group], bill[:, group], cost, seed)[:, None]
    return chance.reshape(*cells, -1, costs)


def _of_instance(hit: np.ndarray, bill: np.ndarray, cost: np.ndarray, seed: int) -> np.ndarray:
    """F (N, C) of the module's text, of N cells: runs of one instance (N, n), costs (N, C).

    Simulated where runs that failed spent unequal amounts.
    """
    failed = np.where(np.isinf(hit), bill, np.nan)
    low = np.fmin.reduce(failed, 1)
    high = np.fmax.reduce(failed, 1)
    chance = exact(hit, np.where(np.isnan(high), np.inf, high), cost)
    unequal = (high - low > EQUAL * high) & np.isfinite(hit).any(1)
    for cell in np.flatnonzero(unequal):
        chance[cell] = _simulated_chance(hit[cell], bill[cell], cost[cell], seed)
    return chance


def _simulated_chance(hit: np.ndarray, bill: np.ndarray, cost: np.ndarray, seed: int) -> np.ndarray:
    """F (C,) of one cell: runs (n,), costs (C,)."""
    there = ~np.isnan(hit)
    total = simulated(hit[there], bill[there], np.nanmax(cost), seed)
    return (total[:, None] <= cost).mean(0)


def exact(hit: np.ndarray, failed: np.ndarray, cost: np.ndarray) -> np.ndarray:
    """F of the module's text for runs of one instance.

    Args:
        hit: (N, n) of runs, inf: failed, NaN: none.
        failed: (N,) what each failed run spent; inf where none failed.
        cost: (N, C).

    Returns:
        (N, C).
    """
    runs = np.maximum((~np.isnan(hit)).sum(1), 1)
    fails = np.isinf(hit).sum(1) / runs
    solved = np.zeros(cost.shape)
    left = cost
    chance = np.where(fails < 1, 1.0, 0.0)[:, None]
    while (chance * (left >= 0) > LEAST).any():
        reached = (hit[:, None] <= left[..., None]).sum(-1)
        solved += chance * np.where(left >= 0, reached, 0) / runs[:, None]
        chance, left = chance * fails[:, None], left - failed[:, None]
    return solved


def simulated(hit: np.ndarray, bill: np.ndarray, most: float, seed: int) -> np.ndarray:
    """Bills of simulated runs of one instance, each of its runs first equally often.

    Args:
        hit: (n,) costs of hits, inf: failed.
        bill: (n,) what each run spent.
        most: cost above which nobody asks; the bill is then inf.
        seed: of the draws.
    """
    rng = np.random.default_rng(seed)
    run = np.tile(np.arange(len(hit)), -(-DRAWS // len(hit)))
    total = np.zeros(len(run))
    going_on = np.ones(len(run), bool)
    while going_on.any():
        reached = np.isfinite(hit[run])
        total += np.where(going_on, np.where(reached, hit[run], bill[run]), 0.0)
        over = going_on & (total > most)
        total[over] = np.inf
        going_on &= ~reached & ~over
        run = rng.integers(0, len(hit), len(run))
    return total
