"""Estimates with 95 % intervals, worlds or instances resampled jointly across arms.

What is resampled are the units: worlds where every world has its own instance of the landscape, instances
with all their worlds where worlds share them. (Of the two ways to resample clusters, whole ones keep the
variance between them right; drawing worlds anew within an instance adds some of the variance within once
more: Davison and Hinkley 1997, section 3.8; Field and Welsh 2007.)

    15 units or more    bias-corrected accelerated bootstrap (BCa; Efron 1987), at the wider level 1 - 2 Phi(sqrt(n / (n - 1)) t_{n-1}(0.025)),
                        which makes up for the narrowness of n draws (Hesterberg 2015, the expanded interval)
    fewer               value +- t_{n-1} s, s the bootstrap's standard error times sqrt(n / (n - 1)), or the jackknife's (Tukey 1958) where they agree
                        within a tenth: that of a mean is Student's over unit means, and the jackknife does
                            not know the error of a median
                        (Efron 1982). BCa where s is not finite, as with runs that diverged
    one instance only   over its worlds: it holds for that instance alone
    one world           NaN
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import xarray as xr
from scipy import special, stats

RESAMPLES = 999
LEVEL = 0.95
FEW = 15  # units, below which a bootstrap is not to be trusted
# units, above which the jackknife leaves out groups: the acceleration of a mean of groups is that of the mean
# of units
GROUPS = 200
SIZE = 2**22  # numbers at once


def estimate(
    name: str, statistic: Callable, parts: Sequence[xr.DataArray], *, long_name: str, units: str = "1"
) -> xr.Dataset:
    """A statistic of worlds and its interval.

    Args:
        name: of the result.
        statistic: of arrays and `axis`, vectorised; it must leave out NaN along with the world's numbers in
            all other arrays, if any can be there.
        parts: dim `replicate`, with the coordinate `instance` along it where worlds may share instances; they
            are broadcast against one another. A world where any part is NaN is left out. They may be chunked:
            what is in memory at once is bounded.
        long_name: of the result.
        units: of the result.

    Returns:
        `name`, `name_interval` (bound: low, high) and `name_method`, how the interval was made, a text. All
            dims but `replicate` stay.
    """
    parts = xr.broadcast(*parts)
    dims = [dim for dim in parts[0].dims if dim != "replicate"]
    parts = tuple(part.transpose(*dims, "replicate") for part in parts)
    members = groups(next((part for part in parts if "instance" in part.coords), parts[0]))
    shape = parts[0].shape[:-1]
    value, bounds, method = np.full(shape, np.nan), np.full((*shape, 2), np.nan), np.full(shape, "", object)
    for place in _blocks(shape, SIZE // max(RESAMPLES, parts[0].shape[-1])):
        arrays = [np.asarray(part[place].values, float) for part in parts]
        known = ~np.any([np.isnan(array) for array in arrays], axis=0)
        arrays = [np.where(known, array, np.nan).reshape(-1, known.shape[-1]) for array in arrays]
        shaped = known.shape[:-1]
        with warnings.catch_warnings(), np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            warnings.simplefilter("ignore", RuntimeWarning)  # a mean of no worlds is NaN
            value[place] = np.asarray(statistic(*arrays, axis=-1)).reshape(shaped)
            ends, how = intervals(statistic, arrays, members)
        bounds[place], method[place] = ends.reshape(*shaped, 2), how.reshape(shaped)
    coords = {dim: parts[0][dim] for dim in dims if dim in parts[0].coords} | {"bound": ["low", "high"]}
    found = {name: (dims, value, {"long_name": long_name, "units": units})}
    found[f"{name}_interval"] = (
        [*dims, "bound"],
        bounds,
        {"long_name": f"{LEVEL:.0%} interval of {long_name}", "units": units},
    )
    found[f"{name}_method"] = (
        dims,
        method.astype(str),
        {"long_name": f"how the interval of {long_name} was made"},
    )
    return xr.Dataset(found, coords)


def intervals(
    statistic: Callable, arrays: Sequence[np.ndarray], members: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Intervals of many cells.

    Args:
        statistic: as in `estimate`.
        arrays: (C, R) each, C cells and R worlds; NaN in all of them where a world has no number.
        members: (I, m), the worlds of every instance, -1 where it has fewer than m.

    Returns:
        (C, 2), and how each was made (C).
    """
    padded = [np.concatenate([array, np.full((len(array), 1), np.nan)], 1) for array in arrays]
    bounds, method = np.full((len(padded[0]), 2), np.nan), np.full(len(padded[0]), "none", object)
    patterns, which = np.unique(~np.isnan(padded[0][:, members]).all(-1), axis=0, return_inverse=True)
    for number, there in enumerate(patterns):
        rows = np.flatnonzero(which == number)
        units, alone = members[there], False
        if len(units) == 1 and units.size > 1:
            units, alone = units[units >= 0][:, None], True
        if len(units) > 1 or alone:
            chosen = [array[rows] for array in padded]
            bounds[rows], method[rows] = (
                _alone(statistic, chosen, units) if alone else _interval(statistic, chosen, units)
            )
    return bounds, method


def _alone(
    statistic: Callable, arrays: Sequence[np.ndarray], units: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    bounds, method = intervals(statistic, [array[:, :-1] for array in arrays], units)
    return bounds, np.where(method == "none", method, method + ", for one instance alone")


def _interval(
    statistic: Callable, arrays: Sequence[np.ndarray], units: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Of cells where these units (n, m), and no others, have numbers."""
    n = len(units)

    def of(drawn: np.ndarray) -> np.ndarray:
        """The statistic where the units (B, k) are drawn: (C, B)."""
        step = max(1, SIZE // (len(arrays[0]) * drawn.shape[1] * units.shape[1]))
        worlds = units[drawn].reshape(len(drawn), -1)
        found = [
            statistic(*(array[:, worlds[start : start + step]] for array in arrays), axis=-1)
            for start in range(0, len(worlds), step)
        ]
        return np.concatenate(found, 1)

    what = "worlds" if units.shape[1] == 1 else "instances"
    everything = np.arange(n)
    value, left_out = of(everything[None])[:, 0], np.concatenate([of(rest[None]) for rest in _without(n)], 1)
    drawn = of(np.random.default_rng(1).integers(0, n, (RESAMPLES, n)))
    skewed, even = bca(value, drawn, left_out), student(value, drawn, left_out)
    use = np.isfinite(even).all(1) & (n < FEW)
    return np.where(use[:, None], even, skewed), np.where(use, f"t over {what}", f"BCa over {what}")


def _without(n: int) -> Iterator[np.ndarray]:
    """All units but one; of many units all but a group of them, of which there are `GROUPS`, so that the time is not quadratic in units."""
    group = np.arange(n) % GROUPS
    return (np.flatnonzero(group != one) for one in range(min(n, GROUPS)))


def student(value: np.ndarray, drawn: np.ndarray, left_out: np.ndarray) -> np.ndarray:
    """Value +- t times the standard error.

    (C, 2), of the value (C), of B resamples (C, B) and without one unit (C, n).
    """
    n = left_out.shape[1]
    error, jackknife = np.sqrt(n / (n - 1)) * drawn.std(1), np.sqrt((n - 1) * left_out.var(1))
    half = -stats.t.ppf((1 - LEVEL) / 2, n - 1) * np.where(
        abs(jackknife - error) <= 0.1 * error, jackknife, error
    )
    return np.stack([value - half, value + half], -1)


def bca(value: np.ndarray, drawn: np.ndarray, left_out: np.ndarray) -> np.ndarray:
    """BCa interval (Efron 1987): (C, 2), of the value (C), of B resamples (C, B) and without one unit (C, n). NaN where any resample is."""
    n, count = left_out.shape[1], drawn.shape[1]
    share = ((drawn < value[:, None]).mean(1) + (drawn <= value[:, None]).mean(1)) / 2
    z0 = special.ndtri(share.clip(0.5 / count, 1 - 0.5 / count))
    away = left_out.mean(1, keepdims=True) - left_out
    spread = (away**2).sum(1)
    a = (away**3).sum(1) / (6 * np.where(spread > 0, spread, 1.0) ** 1.5)
    a = np.where(np.isfinite(a), a, 0.0)[:, None]
    z = np.sqrt(n / (n - 1)) * stats.t.ppf((1 - LEVEL) / 2, n - 1) * np.array([1, -1]) + z0[:, None]
    levels = special.ndtr(z0[:, None] + z / (1 - a * z))
    place = levels * (count - 1)
    below, above = np.floor(place).astype(int), np.ceil(place).astype(int)
    ordered = np.sort(drawn, 1)
    low, high = np.take_along_axis(ordered, below, 1), np.take_along_axis(ordered, above, 1)
    between = np.where(
        np.isfinite(low) & np.isfinite(high),
        low + (place - below) * (high - low),
        np.stack([low[:, 0], high[:, 1]], -1),
    )
    return np.where(np.isnan(drawn).any(1)[:, None], np.nan, between)


def groups(part: xr.DataArray) -> np.ndarray:
    """The worlds of every instance (I, m), -1 where it has fewer.

    One world each where there is no coordinate `instance`.

    Args:
        part: with the dim `replicate`.

    Returns:
        Indices of worlds.

    Raises:
        ValueError: the instances of worlds differ along another dim.
    """
    if "instance" not in part.coords:
        return np.arange(part.sizes["replicate"])[:, None]
    instance = part.coords["instance"]
    if instance.dims != ("replicate",):
        raise ValueError(
            f"instance: expected one instance for each world, along the dim replicate; got {instance.dims}:"
            " select one landscape"
        )
    worlds = [np.flatnonzero(instance.values == number) for number in np.unique(instance.values)]
    found = np.full((len(worlds), max(map(len, worlds))), -1)
    for row, some in zip(found, worlds, strict=True):
        row[: len(some)] = some
    return found


def _blocks(shape: tuple[int, ...], most: int) -> Iterator[tuple[slice, ...]]:
    """Places of a grid, at most `most` cells each, or one."""
    longest = int(np.argmax(shape)) if shape else 0
    if not shape or np.prod(shape) <= max(1, most):
        yield tuple(slice(0, n) for n in shape)
        return
    half = (shape[longest] + 1) // 2
    for start, size in ((0, half), (half, shape[longest] - half)):
        for place in _blocks((*shape[:longest], size, *shape[longest + 1 :]), most):
            yield (
                *place[:longest],
                slice(place[longest].start + start, place[longest].stop + start),
                *place[longest + 1 :],
            )
