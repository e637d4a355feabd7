"""Shares of worlds with exact intervals, also where worlds come in clusters.

Several worlds on one instance of a landscape.

Of k of n independent worlds the interval is that of Clopper and Pearson (1934), whose ends are quantiles of
beta distributions,

    low = B^-1(alpha / 2; k, n - k + 1)        high = B^-1(1 - alpha / 2; k + 1, n - k).

Where the worlds of an instance are alike, or each world is itself a share (of targets reached), k = p m, with
the effective number of worlds m in place of n: as many as would have made as precise a share had they been
independent (Korn and Graubard 1998, Survey Methodology 24, 193),

    m = n (p (1 - p) / (n - 1)) / v (t_{n-1} / t_{I-1})^2
    v = I / (I - 1) sum over the I instances of (sum over its worlds of x - p)^2 / n^2.

Where p is 0 or 1 nothing tells how alike the worlds of one instance are: m = I. And m is at most n, times the
yes or no that make up a world's share.
"""

from __future__ import annotations

import numpy as np
import scipy
from scipy import special
from xarray import DataArray, Dataset

from studies.analysis.shapes import (
    LEVEL,
    count,
    first_world,
    interval_of,
    mapped,
    unlabelled,
    with_interval,
)

TINY = np.finfo(float).tiny


def proportion(
    name: str,
    part: DataArray,
    *,
    trials: int = 1,
    long_name: str,
    at_once: int = 0,
    level: float = LEVEL,
) -> Dataset:
    """The mean of shares over worlds and its interval.

    Args:
        name: of the result.
        part: dim `replicate`, maybe with the coordinate `instance`; from 0 to 1, NaN where a world has no
            number.
        trials: how many yes or no make up each share.
        long_name: of the result.
        at_once: of how many shares the intervals hold all, by Bonferroni, in `name_at_once`; 0: there is
            none.
        level: of the interval.

    Returns:
        `name`, `name_interval` (bound: low, high), `worlds`. All dims but `replicate` stay.
    """
    labels, part = first_world(part).coords, unlabelled(part).astype(float)
    share = part.mean("replicate")
    size = effective_worlds(part, trials)
    interval = of_share(share, size, level)
    result = with_interval(name, share, interval, long_name=long_name, level=level)
    if at_once:
        result[f"{name}_at_once"] = of_share(share, size, 1 - (1 - level) / at_once)
    return result.assign(worlds=count(part)).assign_coords(labels)


def of_share(share: DataArray, size: DataArray, level: float = LEVEL) -> DataArray:
    """Clopper and Pearson's interval of a share of so many independent worlds."""
    level_of = {"level": level}
    low, high = mapped(
        clopper_pearson, share * size, size, over=[(), ()], into=[(), ()], kwargs=level_of
    )
    return interval_of(low, high).transpose(*share.dims, "bound")


def clopper_pearson(
    k: np.ndarray, n: np.ndarray, level: float = LEVEL
) -> tuple[np.ndarray, np.ndarray]:
    """Ends of the interval of k of n, which need not be whole numbers; NaN where n is."""
    k = np.clip(k, 0.0, n)
    tail = (1 - level) / 2
    some = k > 0
    failed = k < n
    low = np.where(some, special.betaincinv(np.where(some, k, 1.0), n - k + 1, tail), 0.0)
    high = np.where(failed, special.betaincinv(k + 1, np.where(failed, n - k, 1.0), 1 - tail), 1.0)
    return np.where(np.isnan(n), np.nan, low), np.where(np.isnan(n), np.nan, high)


def effective_worlds(part: DataArray, trials: int = 1) -> DataArray:
    """How many independent worlds would have told as much; at most all worlds times `trials`.

    NaN where there are none.
    """
    given = {"number": instances(part), "trials": trials}
    return mapped(_effective, part, over=[["replicate"]], kwargs=given)


def _effective(values: np.ndarray, number: np.ndarray, trials: int) -> np.ndarray:
    """How many independent worlds (..) would have told as much as these.

    Args:
        values: (.., R), NaN where a world has none.
        number: (R,) of their instances.
        trials: of each world.
    """
    there = ~np.isnan(values)
    worlds = there.sum(-1)
    with np.errstate(all="ignore"):
        share = np.where(there, values, 0.0).sum(-1) / worlds
        squares, units = _squares(values - share[..., None], there, number)
        variance = squares * units / np.where(units > 1, units - 1, np.nan) / worlds**2
        few = (_quantile(worlds - 1) / _quantile(units - 1)) ** 2
        known = (share > 0) & (share < 1) & (worlds > 1) & (units > 1)
        independent = share * (1 - share) / (worlds - 1)  # the variance, were they independent
        size = worlds * independent / np.where(variance > 0, variance, TINY) * few
    size = np.where(known, np.maximum(size, 1.0), units)
    return np.where(worlds > 0, np.minimum(size, worlds * trials), np.nan)


def _squares(away: np.ndarray, there: np.ndarray, number: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The sum of squares of the units' deviations, and how many units there are.

    Units are instances; worlds where there is one instance alone, so that what is found holds for that one.

    Args:
        away: (.., R) the deviations of worlds.
        there: (.., R) which worlds have one.
        number: (R,) of their instances.
    """
    away = np.where(there, away, 0.0)
    instances_there = (_summed(there.astype(float), number) > 0).sum(-1)
    alone = instances_there == 1
    squares = np.where(alone, (away**2).sum(-1), (_summed(away, number) ** 2).sum(-1))
    return squares, np.where(alone, there.sum(-1), instances_there)


def instances(part: DataArray) -> np.ndarray:
    """The instance of every world, from 0 on; where none are told each world has its own.

    Raises:
        ValueError: the instances of worlds differ along another dim.
    """
    if "instance" not in part.coords:
        return np.arange(part.sizes["replicate"])
    if part["instance"].ndim != 1:
        raise ValueError(
            f"instance: expected one instance for each world, got dims {part['instance'].dims}: select one"
            " landscape or axis value"
        )
    return np.unique(part["instance"].values, return_inverse=True)[1]


def sums_of_instances(part: DataArray) -> DataArray:
    """The sum over the worlds of each instance, in place of `replicate` the dim `unit`."""
    number = instances(part)
    sizes = {"unit": int(number.max(initial=-1)) + 1}
    given = {"number": number}
    return mapped(_summed, part, over=[["replicate"]], into=[["unit"]], sizes=sizes, kwargs=given)


def _summed(values: np.ndarray, number: np.ndarray) -> np.ndarray:
    """The sums (.., I) of worlds (.., R) of the same instance, by its number (R,) from 0 on."""
    order = np.argsort(number, kind="stable")
    first = np.searchsorted(number[order], np.arange(number.max(initial=-1) + 1))
    return np.add.reduceat(values[..., order], first, axis=-1)


def _quantile(freedom: np.ndarray) -> np.ndarray:
    """Student's quantile of an interval, at these degrees of freedom."""
    every, place = np.unique(np.maximum(freedom, 1), return_inverse=True)
    return scipy.stats.t.ppf((1 + LEVEL) / 2, every)[place].reshape(freedom.shape)
