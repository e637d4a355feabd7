"""Quantiles over worlds with intervals that assume no distribution, so that worlds that never got there (inf) count like any other.

The interval holds all x at which the share of worlds up to x goes with the quantile's level q: those x with q between the ends of Clopper and
Pearson's interval of the share. For independent worlds these are the order statistics of the sign test (David and Nagaraja 2003, section 7.1); where
worlds share instances the effective number of worlds stands in (Woodruff 1952, J. Am. Stat. Assoc. 47, 635; `studies.analysis.intervals.proportions`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from studies.analysis.intervals.bootstrap import LEVEL
from studies.analysis.intervals.proportions import clopper_pearson, effective_worlds

QUARTILES = (0.25, 0.5, 0.75)


def quantiles(
    name: str, part: xr.DataArray, levels: Sequence[float] = QUARTILES, *, long_name: str, units: str
) -> xr.Dataset:
    """Quantiles over worlds, each an observed value.

    Args:
        name: of the result.
        part: dim `replicate`, maybe with the coordinate `instance`; inf is a value, NaN is none.
        levels: of the quantiles, between 0 and 1.
        long_name: of the result.
        units: of the result.

    Returns:
        `name` (.., quantile) and `name_interval` (bound): -inf or inf where the worlds are too few to tell.

    Raises:
        ValueError: a level is not between 0 and 1.
    """
    if not all(0 < level < 1 for level in levels):
        raise ValueError(f"quantiles: expected levels between 0 and 1, got {list(levels)}")
    along = xr.Variable("quantile", list(levels))
    pairs = zip(*(_quantile(part, level) for level in levels), strict=True)
    value, bounds = (xr.concat(parts, along, coords="minimal", compat="override") for parts in pairs)
    dims = [dim for dim in value.dims if dim != "quantile"]
    told = xr.Dataset({
        name: value.transpose(*dims, "quantile"),
        f"{name}_interval": bounds.transpose(*dims, "quantile", "bound"),
    })
    told[name].attrs = {"long_name": long_name, "units": units}
    told[f"{name}_interval"].attrs = {"long_name": f"{LEVEL:.0%} interval of {long_name}", "units": units}
    return told.assign_coords(bound=["low", "high"])


def _quantile(part: xr.DataArray, level: float) -> tuple[xr.DataArray, xr.DataArray]:
    lazy: dict = {"kwargs": {"level": level}, "dask": "parallelized", "output_dtypes": [float]}
    part = part.chunk(replicate=-1) if part.chunks else part
    value = xr.apply_ufunc(_observed, part, input_core_dims=[["replicate"]], **lazy)
    size = effective_worlds((part <= value).astype(float).where(part.notnull()))
    bounds = xr.apply_ufunc(
        _ends, part, size, input_core_dims=[["replicate"], []], output_core_dims=[["bound"]],
        dask_gufunc_kwargs={"output_sizes": {"bound": 2}}, **lazy,
    )  # fmt: skip
    return value, bounds


def _observed(values: np.ndarray, level: float) -> np.ndarray:
    """The smallest value with at least this share of worlds up to it: (.., R) -> (..)."""
    worlds = (~np.isnan(values)).sum(-1)
    place = np.ceil(worlds * level * (1 - 1e-12)).astype(int) - 1
    return np.take_along_axis(np.sort(values, -1), np.maximum(place, 0)[..., None], -1)[..., 0]


def _ends(values: np.ndarray, size: np.ndarray, level: float) -> np.ndarray:
    """(.., R) and effective numbers of worlds (..) -> (.., 2)."""
    most = values.shape[-1]
    worlds = np.broadcast_to((~np.isnan(values)).sum(-1), values.shape[:-1])
    size = np.minimum(size, worlds)
    pairs, which = np.unique(
        np.stack([worlds, np.nan_to_num(size)], -1).reshape(-1, 2), axis=0, return_inverse=True
    )
    low, high = (
        np
        .array([_ranks(int(n), m, level) for n, m in pairs])
        .reshape(-1, 2)[which.reshape(-1)]
        .T.reshape(2, *worlds.shape)
    )
    edges = np.full((*values.shape[:-1], 1), np.inf)
    ordered = np.concatenate([-edges, np.sort(np.where(np.isnan(values), np.inf, values), -1), edges], -1)
    low, high = low.astype(int), np.where(high > worlds, most + 1, high).astype(int)
    found = np.stack([np.take_along_axis(ordered, place[..., None], -1)[..., 0] for place in (low, high)], -1)
    return np.where((worlds > 0)[..., None], found, np.nan)


def _ranks(worlds: int, size: float, level: float) -> tuple[int, int]:
    """The order statistics, counted from 1, that are the interval's ends.

    0 and worlds + 1 where there is none.
    """
    counts = np.arange(worlds + 1)
    low, high = clopper_pearson(counts / max(worlds, 1) * size, np.full(worlds + 1, size))
    fits = counts[(low <= level) & (level <= high)]
    return (int(fits[0]), int(fits[-1]) + 1) if fits.size else (0, worlds + 1)
