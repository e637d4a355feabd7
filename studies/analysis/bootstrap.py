"""Intervals from resampling worlds, the same worlds for all arms."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy import stats

RESAMPLES = 999
LEVEL = 0.95


def intervals(statistic: Callable, arrays: Sequence[np.ndarray], value: np.ndarray) -> np.ndarray:
    """Bias-corrected accelerated bootstrap intervals (Efron 1987) over the last axis, the same worlds drawn for all: (..., 2).

    Args:
        statistic: of the arrays and `axis`, without which it is the last.
        arrays: (..., R) each, of one shape; the last axis are worlds.
        value: (...), the statistic of all worlds; where the worlds do not differ, both ends are it. NaN with fewer than two worlds.
    """
    if arrays[0].shape[-1] < 2:
        return np.full((*value.shape, 2), np.nan)
    found = stats.bootstrap(
        arrays, statistic, axis=-1, n_resamples=RESAMPLES, batch=max(1, 2**22 // arrays[0].size), paired=True, vectorized=True,
        confidence_level=LEVEL, method="BCa", rng=1,
    ).confidence_interval  # fmt: skip
    sure = np.stack([found.low, found.high], -1)
    return np.where(np.isnan(sure) & _constant(statistic, arrays, value)[..., None], value[..., None], sure)


def _constant(statistic: Callable, arrays: Sequence[np.ndarray], value: np.ndarray) -> np.ndarray:
    """Where leaving out either half of the worlds changes nothing: there is nothing to resample."""
    halves = [statistic(*(array[..., half::2] for array in arrays)) for half in (0, 1)]
    return (halves[0] == value) & (halves[1] == value)
