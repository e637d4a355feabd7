"""Scaling exponents: b of y ~ x^b along a swept axis, jointly over worlds, and whether a power law fits at all.

The values of an axis ran in the same worlds, so that their errors are not independent: much of what moves ln y moves it everywhere alike, and says
nothing of the slope. So all of it is of whole worlds (whole instances where worlds share them): b is the slope of ln y in ln x by least squares, all
values with equal weight, and its error the jackknife's, each world left out at all values at once (as in `studies.claims.scaling`).

Misfit: is ln y curved in ln x? The contrast of it that is 0 of a straight line, that of the second degree, is estimated by the mean of the
jackknife's pseudo-values n ln y - (n - 1) ln y_(i) of the n units, of which Student's t is asked, on the safe side where few worlds make up most of
the spread:

    t^2 (n - 2) / n        and        2 (n - 1) / kurtosis        degrees of freedom, n - 1 at most

Where worlds share factors with a standard deviation of ln y of 0.5, and err by 0.05 of their own at each of six values, it finds the bend
exp(0.05 (ln x)^2) in 9 of 10 studies of 6 worlds and in all of 20; where they err by 0.3 in half of those of 20.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import xarray as xr
from scipy import stats

from studies.analysis.intervals.bootstrap import GROUPS, LEVEL, groups
from studies.results import gaps

NUMBERS = ("exponent", "exponent_error", "low", "high", "prefactor", "misfit", "points")


def scaling(
    statistic: Callable, parts: Sequence[xr.DataArray], axis: str, *, long_name: str = "value"
) -> xr.Dataset:
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
    coordinate = parts[0].coords.get(axis)
    if (
        axis not in parts[0].dims
        or coordinate is None
        or coordinate.dtype.kind not in "iuf"
        or not bool((coordinate > 0).all())
    ):
        told = parts[0].dims if coordinate is None else coordinate.values.tolist()
        raise ValueError(f"scaling: expected a dim {axis!r} with numbers > 0, got {told}")
    members = groups(next((part for part in parts if "instance" in part.coords), parts[0]))
    dims = [dim for dim in parts[0].dims if dim not in (axis, "replicate")]
    arrays = [part.transpose(*dims, axis, "replicate").values.astype(float) for part in parts]
    shape = arrays[0].shape[:-2]
    numbers = np.array([
        fit(statistic, [a[place] for a in arrays], coordinate.values, members) for place in np.ndindex(shape)
    ])
    told = dict(zip(NUMBERS, np.moveaxis(numbers.reshape(*shape, len(NUMBERS)), -1, 0), strict=True))
    coords = {dim: parts[0][dim] for dim in dims if dim in parts[0].coords} | {"bound": ["low", "high"]}
    found = xr.Dataset(
        {name: (dims, value) for name, value in told.items() if name not in ("low", "high")}, coords
    )
    found["exponent_interval"] = ((*dims, "bound"), np.stack([told["low"], told["high"]], -1))
    found["exponent"].attrs = {"long_name": f"exponent of {long_name} in {axis}", "units": "1"}
    return found


def fit(statistic: Callable, arrays: Sequence[np.ndarray], x: np.ndarray, members: np.ndarray) -> np.ndarray:
    """The `NUMBERS` of one cell.

    Args:
        statistic: as in `scaling`.
        arrays: (X, R) each.
        x: (X,) values of the axis.
        members: (U, m) worlds of every unit, -1 where it has fewer.
    """
    rows = members.T if len(members) == 1 else members
    known = ~np.any([np.isnan(array) for array in arrays], 0).all(0)  # (R,) worlds with numbers at some value
    units = [row[row >= 0] for row in rows if known[row[row >= 0]].any()]
    if len(units) < 2:
        return np.array([np.nan] * (len(NUMBERS) - 1) + [0.0])
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        whole = _logarithms(statistic, arrays)
        left_out = np.array([
            _logarithms(statistic, _without(arrays, np.concatenate(some))) for some in _grouped(units)
        ])
    good = np.isfinite(whole) & np.isfinite(left_out).all(0)
    if good.sum() < 2:
        return np.array([np.nan] * (len(NUMBERS) - 1) + [good.sum()])
    away = np.log(x[good]) - np.log(x[good]).mean()
    weights = away / (away**2).sum()
    y, left_out, n = whole[good], left_out[:, good], len(left_out)
    error = float(np.sqrt((n - 1) * (left_out @ weights).var()))
    slope, half = float(weights @ y), float(stats.t.ppf((1 + LEVEL) / 2, n - 1)) * error
    prefactor = np.exp(y.mean() - slope * np.log(x[good]).mean())
    return np.array([
        slope,
        error,
        slope - half,
        slope + half,
        prefactor,
        misfit(n * y - (n - 1) * left_out, np.log(x[good])),
        good.sum(),
    ])


def misfit(values: np.ndarray, x: np.ndarray) -> float:
    """The p value of curvature in x (X,), of pseudo-values (n, X); NaN where there is no test."""
    n = len(values)
    if len(x) < 3 or n < 3:
        return np.nan
    scaled = (x - x.mean()) / abs(x - x.mean()).max()
    seen = values @ np.linalg.qr(np.vander(scaled, 3, increasing=True))[0][:, 2]
    away = seen - seen.mean()
    if (abs(away) <= 1e-9 * max(abs(values).max(), 1.0)).all():  # the same curve in all worlds
        return float(abs(seen.mean()) <= 1e-9 * max(abs(values).max(), 1.0))
    freedom = np.clip(2 * (n - 1) * (away**2).mean() ** 2 / (away**4).mean(), 1, n - 1)
    t = seen.mean() / np.sqrt(away.var() / (n - 1))
    return float(2 * stats.t.sf(abs(t) * np.sqrt((n - 2) / n), freedom))


def _logarithms(statistic: Callable, arrays: Sequence[np.ndarray]) -> np.ndarray:
    """Of the statistic at every value (X,); NaN where it is not positive."""
    value = np.asarray(statistic(*arrays, axis=-1), float)
    return np.log(np.where(value > 0, value, np.nan))


def _without(arrays: Sequence[np.ndarray], worlds: np.ndarray) -> list[np.ndarray]:
    return [np.delete(array, worlds, -1) for array in arrays]


def _grouped(units: Sequence[np.ndarray]) -> list[list[np.ndarray]]:
    """Units, or `GROUPS` groups of them where there are more, so that the time is not quadratic in their number."""
    return [list(units[start :: min(len(units), GROUPS)]) for start in range(min(len(units), GROUPS))]
