"""Statistics that are pooled over worlds, and their intervals.

Ratios of means: the sum over worlds of what is above over that of what is below, so that a world where
nothing moves does not count for as much as one where much does. Each is a function of numbers (.., R) of the
worlds, along one axis.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
import xarray as xr
from xarray import DataArray, Dataset

from studies.analysis.intervals.bootstrap import estimate
from studies.analysis.shapes import LEVEL, ends, interval_of
from studies.text.shapes import Data

Numbers = TypeVar("Numbers", np.ndarray, DataArray)


def pooled_ratio(above: np.ndarray, below: np.ndarray, axis: int = -1) -> np.ndarray:
    """Sum over sum, of the worlds where both are known; NaN where none is."""
    known = ~(np.isnan(above) | np.isnan(below))
    above, below = (np.where(known, part, 0.0).sum(axis) for part in (above, below))
    return np.where(known.any(axis), above, np.nan) / below


def over_signal(above: np.ndarray, below: np.ndarray, axis: int = -1) -> np.ndarray:
    """The same, of what is never negative and an estimate of a square: inf where that sum is 0 or less."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return _turned(pooled_ratio(below, above, axis))


def of_signal(
    name: str, parts: Sequence[DataArray], *, long_name: str, units: str = "1", level: float = LEVEL
) -> Dataset:
    """`over_signal` with its interval, that of its reciprocal, turned around: it may have no upper end.

    Args:
        name: of the result.
        parts: above and below, each (.., replicate).
        long_name: of the result.
        units: of the result.
        level: of the interval.
    """
    above, below = parts
    made = estimate(name, pooled_ratio, [below, above], long_name=long_name, units=units, level=level)
    low, high = ends(made[f"{name}_interval"])
    turned = {name: made[name], f"{name}_interval": interval_of(high, low)}
    return made.assign({key: _turned(part).assign_attrs(part.attrs) for key, part in turned.items()})


def _turned(signal: Numbers) -> Numbers:
    """One over a ratio; inf where that is 0 or less."""
    with np.errstate(divide="ignore"):
        return 1 / signal.clip(0.0)


def pooled_length(squared: np.ndarray, axis: int = -1) -> np.ndarray:
    """Root mean square; 0 where the mean square is negative."""
    return np.sqrt(np.nanmean(squared, axis).clip(0))


def pooled_cosine(along: np.ndarray, step: np.ndarray, held: np.ndarray, axis: int = -1) -> np.ndarray:
    """Sum of products over the root of both sums of squares.

    Args:
        along: (.., R) products of the mean step and the negative reference.
        step: (.., R) squares of the mean step.
        held: (.., R) squares of the reference.
        axis: of the worlds.
    """
    below = np.nansum(step, axis) * np.nansum(held, axis)
    return np.nansum(along, axis) / np.sqrt(np.where(below > 0, below, np.nan))


def pooled_temperature(
    variance: np.ndarray, along: np.ndarray, held: np.ndarray, trace: np.ndarray, axis: int = -1
) -> np.ndarray:
    """V / (2 k tr G), k = sum of products over sum of squares.

    Args:
        variance: (.., R) V, of a step.
        along: (.., R) products of the mean step and the negative reference.
        held: (.., R) squares of the reference.
        trace: (.., R) tr G, of what the reference multiplies the gradient by.
        axis: of the worlds.
    """
    known = ~np.isnan(variance + along + held + trace)
    sums = [np.where(known, part, 0.0).sum(axis) for part in (variance, along, held, trace)]
    variance, along, held, trace = sums
    return np.where(known.any(axis), variance, np.nan) * held / (2 * along * trace)


class Pooled(NamedTuple):
    """A number that is pooled over worlds."""

    name: str
    statistic: Callable  # of the parts and `axis`
    parts: tuple[DataArray, ...]
    long_name: str
    units: str = "1"
    positive: bool = False  # it cannot be negative


def pooled(*wanted: Pooled) -> Dataset:
    """The numbers with their intervals; what is not finite is left out."""
    result = []
    for name, statistic, parts, long_name, units, positive in wanted:
        finite = [part.where(np.isfinite(part)) for part in parts]
        about: Data = {"long_name": long_name, "units": units}
        if statistic is over_signal:
            result.append(of_signal(name, finite, **about))
        else:
            result.append(estimate(name, statistic, finite, positive=positive, **about))
    return xr.merge(result, compat="override", join="exact")
