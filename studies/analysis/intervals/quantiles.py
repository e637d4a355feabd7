"""Quantiles over worlds with intervals that assume no distribution.

Worlds that never got there (inf) count like any other.

The interval holds all x at which the share of worlds up to x goes with the quantile's level q: those x with q
between the ends of Clopper and Pearson's interval of the share. For independent worlds these are the order
statistics of the sign test (David and Nagaraja 2003, section 7.1); where worlds share instances the effective
number of worlds stands in (Woodruff 1952, J. Am. Stat. Assoc. 47, 635;
`studies.analysis.intervals.proportions`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from xarray import DataArray, Dataset

from studies.analysis.intervals.proportions import clopper_pearson, effective_worlds
from studies.analysis.shapes import (
    BOUNDS,
    LEVEL,
    first_world,
    mapped,
    rest,
    stacked,
    unlabelled,
    with_interval,
)

QUARTILES = (0.25, 0.5, 0.75)


def quantiles(
    name: str,
    part: DataArray,
    levels: Sequence[float] = QUARTILES,
    *,
    long_name: str,
    units: str,
    confidence: float = LEVEL,
) -> Dataset:
    """Quantiles over worlds, each an observed value.

    Args:
        name: of the result.
        part: dim `replicate`, maybe with the coordinate `instance`; inf is a value, NaN is none.
        levels: of the quantiles, between 0 and 1.
        long_name: of the result.
        units: of the result.
        confidence: the level of the intervals.

    Returns:
        `name` (.., quantile) and `name_interval` (bound): -inf or inf where the worlds are too few to tell.

    Raises:
        ValueError: a level is not between 0 and 1.
    """
    if not all(0 < level < 1 for level in levels):
        raise ValueError(f"quantiles: expected levels between 0 and 1, got {list(levels)}")
    labels, part = first_world(part).coords, unlabelled(part)
    values, bounds = zip(*(_quantile(part, level, confidence) for level in levels), strict=True)
    value, interval = (stacked(parts, "quantile", levels) for parts in (values, bounds))
    dims = rest(value, "quantile")
    return with_interval(
        name,
        value.transpose(*dims, "quantile"),
        interval.transpose(*dims, "quantile", "bound"),
        long_name=long_name,
        units=units,
        level=confidence,
    ).assign_coords(labels | {"bound": list(BOUNDS)})


def _quantile(part: DataArray, level: float, confidence: float) -> tuple[DataArray, DataArray]:
    at: dict = {"kwargs": {"level": level}}
    sure: dict = {"kwargs": {"level": level, "confidence": confidence}}
    part = part.chunk(replicate=-1) if part.chunks else part
    value = mapped(observed, part, over=[["replicate"]], **at)
    size = effective_worlds((part <= value).astype(float).where(part.notnull()))
    bounds = mapped(
        _ends, part, size, over=[["replicate"], []], into=[["bound"]], sizes={"bound": 2}, **sure
    )
    return value, bounds


def observed(values: np.ndarray, level: float) -> np.ndarray:
    """The smallest value with at least this share of worlds up to it: (.., R) -> (..).

    NaN are no worlds.
    """
    worlds = (~np.isnan(values)).sum(-1)
    place = np.ceil(worlds * level * (1 - 1e-12)).astype(int) - 1
    return np.take_along_axis(np.sort(values, -1), np.maximum(place, 0)[..., None], -1)[..., 0]


def _ends(values: np.ndarray, size: np.ndarray, level: float, confidence: float) -> np.ndarray:
    """(.., R) and effective numbers of worlds (..) -> (.., 2)."""
    *cells, most = values.shape
    worlds = np.broadcast_to((~np.isnan(values)).sum(-1), cells)
    low, high = _ranks_of_cells(worlds, np.minimum(size, worlds), level, confidence)
    places = np.stack([low, np.where(high > worlds, most + 1, high)], -1)
    return np.where(
        (worlds > 0)[..., None], np.take_along_axis(_between_inf(values), places, -1), np.nan
    )


def _between_inf(values: np.ndarray) -> np.ndarray:
    """Values (.., R) in order, with -inf before and inf behind them and in place of NaN: (.., R + 2)."""
    edge = np.full((*values.shape[:-1], 1), np.inf)
    return np.concatenate([-edge, np.sort(np.where(np.isnan(values), np.inf, values), -1), edge], -1)


def _ranks_of_cells(
    worlds: np.ndarray, size: np.ndarray, level: float, confidence: float
) -> tuple[np.ndarray, np.ndarray]:
    """`_ranks` of every cell (..), found once for cells that are alike."""
    numbers = np.stack([worlds, np.nan_to_num(size)], -1).reshape(-1, 2)
    pairs, which = np.unique(numbers, axis=0, return_inverse=True)
    ranks = np.array([_ranks(int(n), m, level, confidence) for n, m in pairs], int).reshape(-1, 2)
    low, high = ranks[which.reshape(-1)].T.reshape(2, *worlds.shape)
    return low, high


def _ranks(worlds: int, size: float, level: float, confidence: float) -> tuple[int, int]:
    """The order statistics, counted from 1, that are the interval's ends.

    0 and worlds + 1 where there is none.
    """
    counts = np.arange(worlds + 1)
    low, high = clopper_pearson(counts / max(worlds, 1) * size, np.full(worlds + 1, size), confidence)
    fits = counts[(low <= level) & (level <= high)]
    return (int(fits[0]), int(fits[-1]) + 1) if fits.size else (0, worlds + 1)
