"""Scaling exponents, jointly over worlds: b of y ~ x^b along a swept axis, and whether a power law fits.

The values of an axis ran in the same worlds, so that their errors are not independent: much of what moves
ln y moves it everywhere alike, and says nothing of the slope. So all of it is of whole worlds (whole
instances where worlds share them): b is the slope of ln y in ln x by least squares, all values with equal
weight, and its error the jackknife's, each world left out at all values at once (as in
`studies.claims.scaling`).

Misfit: is ln y curved in ln x? The contrast of it that is 0 of a straight line, that of the second degree, is
estimated by the mean of the jackknife's pseudo-values n ln y - (n - 1) ln y_(i) of the n units, of which
Student's t is asked, on the safe side where few worlds make up most of the spread:

    t^2 (n - 2) / n        and        2 (n - 1) / kurtosis        degrees of freedom, n - 1 at most

Where worlds share factors with a standard deviation of ln y of 0.5, and err by 0.05 of their own at each of
six values, it finds the bend exp(0.05 (ln x)^2) in 9 of 10 studies of 6 worlds and in all of 20; where they
err by 0.3 in half of those of 20.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import scipy
import xarray as xr
from xarray import DataArray, Dataset

from studies.analysis.intervals.bootstrap import GROUPS, groups
from studies.analysis.shapes import LEVEL, interval_of, named, rest
from studies.results import gaps

NUMBERS = ("exponent", "exponent_error", "low", "high", "prefactor", "misfit", "points")


def scaling(
    statistic: Callable, parts: Sequence[DataArray], axis: str, *, long_name: str = "value"
) -> Dataset:
    """Fit statistic of worlds ~ axis^b.

    Args:
        statistic: of arrays and `axis`, as in `studies.analysis.intervals.bootstrap.estimate`; it must leave
            out NaN along with the world's other numbers.
        parts: with the dims `axis` and `replicate`; with the coordinate `instance` where worlds share
            instances.
        axis: the swept dim, of numbers > 0. A value at which the statistic, of all worlds or of all but one,
            is not positive and finite is left out.
        long_name: of the statistic.

    Returns:
        `exponent` b with `exponent_interval` (bound) and `exponent_error`, its standard error; `prefactor`,
        the statistic at axis 1; `misfit`: the p value of a power law, NaN with two values or too few worlds;
        `points`, how many values were fitted. Dims of the parts but replicate and the axis. NaN with fewer
        than two values or worlds.

    Raises:
        ValueError: the axis is not of positive numbers, or the losses along it are gaps at some values and
            raw at others.
    """
    for part in parts:
        if part.name in gaps.LOSSES:
            gaps.alike(part, axis)
    parts = xr.broadcast(*parts)
    x = _numbers_along(parts[0], axis)
    dims = rest(parts[0], axis, "replicate")
    coords = {dim: parts[0][dim] for dim in dims if dim in parts[0].coords}
    fits = _fits(statistic, [part.transpose(*dims, axis, "replicate") for part in parts], x)
    numbers = {
        name: DataArray(values, coords, dims) for name, values in zip(NUMBERS, fits, strict=True)
    }
    interval = interval_of(numbers.pop("low"), numbers.pop("high"))
    result = Dataset(numbers).assign(exponent_interval=interval)
    result["exponent"] = named(result["exponent"], f"exponent of {long_name} in {axis}")
    return result


def _fits(statistic: Callable, parts: Sequence[DataArray], x: np.ndarray) -> np.ndarray:
    """`fit` of all cells of parts (.., X, R): the `NUMBERS` in front of the cells."""
    members = groups(next((part for part in parts if "instance" in part.coords), parts[0]))
    arrays = [part.values.astype(float) for part in parts]
    cells = arrays[0].shape[:-2]
    fits = [
        fit(statistic, [array[place] for array in arrays], x, members) for place in np.ndindex(cells)
    ]
    return np.moveaxis(np.array(fits).reshape(*cells, len(NUMBERS)), -1, 0)


def _numbers_along(part: DataArray, axis: str) -> np.ndarray:
    """The values (X,) of an axis, which are numbers > 0."""
    coordinate = part.coords.get(axis)
    numbers = coordinate is not None and coordinate.dtype.kind in "iuf"
    if axis not in part.dims or coordinate is None or not numbers or not bool((coordinate > 0).all()):
        shown = part.dims if coordinate is None else coordinate.values.tolist()
        raise ValueError(f"scaling: expected a dim {axis!r} with numbers > 0, got {shown}")
    return coordinate.values


def fit(
    statistic: Callable, arrays: Sequence[np.ndarray], x: np.ndarray, members: np.ndarray
) -> np.ndarray:
    """The `NUMBERS` of one cell.

    Args:
        statistic: as in `scaling`.
        arrays: (X, R) each.
        x: (X,) values of the axis.
        members: (U, m) worlds of every unit, -1 where it has fewer.
    """
    units = _units(arrays, members)
    if len(units) < 2:
        return _no_fit(points=0)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        whole = _logarithms(statistic, arrays)
        left_out = np.array([_logarithms(statistic, part) for part in _jackknifed(arrays, units)])
    good = np.isfinite(whole) & np.isfinite(left_out).all(0)
    if good.sum() < 2:
        return _no_fit(points=good.sum())
    return _line(whole[good], left_out[:, good], np.log(x[good]))


def _jackknifed(
    arrays: Sequence[np.ndarray], units: Sequence[np.ndarray]
) -> Iterator[list[np.ndarray]]:
    """The arrays without the worlds of each unit, or group of units."""
    return (_without(arrays, np.concatenate(group)) for group in _grouped(units))


def _units(arrays: Sequence[np.ndarray], members: np.ndarray) -> list[np.ndarray]:
    """The worlds of each unit that has numbers at some value: instances, or the worlds of the only one."""
    rows = members.T if len(members) == 1 else members
    known = ~np.any([np.isnan(array) for array in arrays], 0).all(0)  # (R,)
    units = [row[row >= 0] for row in rows]
    return [unit for unit in units if known[unit].any()]


def _no_fit(points: int) -> np.ndarray:
    return np.array([np.nan] * (len(NUMBERS) - 1) + [points], float)


def _line(y: np.ndarray, left_out: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The `NUMBERS` of a line, with the jackknife's error.

    Args:
        y: (X,) logarithms of the statistic.
        left_out: (n, X) the same without one unit each.
        x: (X,) logarithms of the axis.
    """
    n = len(left_out)
    away = x - x.mean()
    weights = away / (away**2).sum()
    slope = float(weights @ y)
    error = float(np.sqrt((n - 1) * (left_out @ weights).var()))
    half = float(scipy.stats.t.ppf((1 + LEVEL) / 2, n - 1)) * error
    prefactor = np.exp(y.mean() - slope * x.mean())
    curved = misfit(n * y - (n - 1) * left_out, x)
    return np.array([slope, error, slope - half, slope + half, prefactor, curved, len(x)])


def misfit(values: np.ndarray, x: np.ndarray) -> float:
    """The p value of curvature in x (X,), of pseudo-values (n, X); NaN where there is no test."""
    n = len(values)
    if len(x) < 3 or n < 3:
        return np.nan
    scaled = (x - x.mean()) / abs(x - x.mean()).max()
    contrast = np.linalg.qr(np.vander(scaled, 3, increasing=True))[0][:, 2]
    bends = values @ contrast
    nothing = 1e-9 * max(abs(values).max(), 1.0)
    if (abs(bends - bends.mean()) <= nothing).all():  # the same curve in all worlds
        return float(abs(bends.mean()) <= nothing)
    return _mean_is_zero(bends)


def _mean_is_zero(values: np.ndarray) -> float:
    """The p value of Student's test of values (n,), on the safe side where few make up most of the spread."""
    n = len(values)
    away = values - values.mean()
    freedom = np.clip(2 * (n - 1) * (away**2).mean() ** 2 / (away**4).mean(), 1, n - 1)
    t = values.mean() / np.sqrt(away.var() / (n - 1))
    return float(2 * scipy.stats.t.sf(abs(t) * np.sqrt((n - 2) / n), freedom))


def _logarithms(statistic: Callable, arrays: Sequence[np.ndarray]) -> np.ndarray:
    """Logarithm of the statistic at every value (X,); NaN where it is not positive."""
    value = np.asarray(statistic(*arrays, axis=-1), float)
    return np.log(np.where(value > 0, value, np.nan))


def _without(arrays: Sequence[np.ndarray], worlds: np.ndarray) -> list[np.ndarray]:
    return [np.delete(array, worlds, -1) for array in arrays]


def _grouped(units: Sequence[np.ndarray]) -> list[list[np.ndarray]]:
    """Units, or `GROUPS` groups of them where there are more: else the time is quadratic in their number."""
    many = min(len(units), GROUPS)
    return [list(units[start::many]) for start in range(many)]
