"""Shares of worlds with exact intervals, also where worlds come in clusters.

Several worlds on one instance of a landscape.

Of k of n independent worlds the interval is that of Clopper and Pearson (1934), whose ends are quantiles of
beta distributions,

    low = B^-1(alpha / 2; k, n - k + 1)        high = B^-1(1 - alpha / 2; k + 1, n - k).

Where the worlds of an instance are alike, or each world is itself a share (of targets reached), k = p m, with
the effective number of worlds m in place of n: as many as would have made as precise a share had they been
independent (Korn and Graubard 1998, Survey Methodology 24, 193),

    m = n (p (1 - p) / (n - 1)) / v (t_{n-1} / t_{I-1})^2        v = I / (I - 1) sum over the I instances of (sum over its worlds of x - p)^2 / n^2.

Where p is 0 or 1 nothing tells how alike the worlds of one instance are: m = I. And m is at most n, times the
yes or no that make up a world's share.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from scipy import special, stats

from studies.analysis.intervals.bootstrap import LEVEL


def proportion(
    name: str, part: xr.DataArray, *, trials: int = 1, long_name: str, at_once: int = 0
) -> xr.Dataset:
    """The mean of shares over worlds and its interval.

    Args:
        name: of the result.
        part: dim `replicate`, maybe with the coordinate `instance`; from 0 to 1, NaN where a world has no
            number.
        trials: how many yes or no make up each share.
        long_name: of the result.
        at_once: of how many shares the intervals hold all, by Bonferroni, in `name_at_once`; 0: there is
            none.

    Returns:
        `name`, `name_interval` (bound: low, high), `worlds`. All dims but `replicate` stay.
    """
    part = part.astype(float)
    worlds = part.notnull().sum("replicate")
    share = part.mean("replicate")
    size = effective_worlds(part, trials)
    found = xr.Dataset({name: share, f"{name}_interval": _interval(share, size, LEVEL), "worlds": worlds})
    if at_once:
        found[f"{name}_at_once"] = _interval(share, size, 1 - (1 - LEVEL) / at_once)
    found[name].attrs = {"long_name": long_name, "units": "1"}
    found[f"{name}_interval"].attrs = {"long_name": f"{LEVEL:.0%} interval of {long_name}", "units": "1"}
    found["worlds"].attrs = {"long_name": "worlds with numbers", "units": "1"}
    return found


def _interval(share: xr.DataArray, size: xr.DataArray, level: float) -> xr.DataArray:
    lazy: dict = {"dask": "parallelized", "output_dtypes": [float, float], "kwargs": {"level": level}}
    low, high = xr.apply_ufunc(clopper_pearson, share * size, size, output_core_dims=[[], []], **lazy)
    both = xr.concat([low, high], xr.Variable("bound", ["low", "high"]), coords="minimal", compat="override")
    return both.transpose(*share.dims, "bound")


def clopper_pearson(k: np.ndarray, n: np.ndarray, level: float = LEVEL) -> tuple[np.ndarray, np.ndarray]:
    """Ends of the interval of k of n, which need not be whole numbers; NaN where n is."""
    k = np.clip(k, 0.0, n)
    tail = (1 - level) / 2
    low = np.where(k > 0, special.betaincinv(np.where(k > 0, k, 1.0), n - k + 1, tail), 0.0)
    high = np.where(k < n, special.betaincinv(k + 1, np.where(k < n, n - k, 1.0), 1 - tail), 1.0)
    return np.where(np.isnan(n), np.nan, low), np.where(np.isnan(n), np.nan, high)


def effective_worlds(part: xr.DataArray, trials: int = 1) -> xr.DataArray:
    """How many independent worlds would have told as much; at most all worlds times `trials`.

    NaN where there are none.
    """
    worlds = part.notnull().sum("replicate")
    share = part.mean("replicate")
    units = (sums_of_instances(part.notnull().astype(float)) > 0).sum("unit")
    alone = units == 1  # one instance only: what is found holds for that instance alone
    squares = xr.where(
        alone,
        ((part - share) ** 2).sum("replicate"),
        (sums_of_instances((part - share).fillna(0.0)) ** 2).sum("unit"),
    )
    units = xr.where(alone, worlds, units)
    variance = squares * units / (units - 1).where(units > 1) / worlds**2
    known = (share > 0) & (share < 1) & (worlds > 1) & (units > 1)
    adjusted = (
        xr.apply_ufunc(_quantile, worlds - 1, dask="allowed")
        / xr.apply_ufunc(_quantile, units - 1, dask="allowed")
    ) ** 2
    size = (
        worlds
        * (share * (1 - share) / (worlds - 1).where(known))
        / variance.where(variance > 0, np.finfo(float).tiny)
        * adjusted
    )
    return size.clip(min=1).where(known, units).clip(max=worlds * trials).where(worlds > 0)


def instances(part: xr.DataArray) -> np.ndarray:
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


def sums_of_instances(part: xr.DataArray) -> xr.DataArray:
    """The sum over the worlds of each instance, in place of `replicate` the dim `unit`."""
    number = instances(part)
    order = np.argsort(number, kind="stable")
    first = np.searchsorted(number[order], np.arange(number.max(initial=-1) + 1))
    return xr.apply_ufunc(
        lambda values: np.add.reduceat(values[..., order], first, axis=-1), part, input_core_dims=[["replicate"]], output_core_dims=[["unit"]],
        dask="parallelized", output_dtypes=[float], dask_gufunc_kwargs={"output_sizes": {"unit": len(first)}, "allow_rechunk": True},
    )  # fmt: skip


def _quantile(freedom: np.ndarray) -> np.ndarray:
    return stats.t.ppf((1 + LEVEL) / 2, np.maximum(freedom, 1))
