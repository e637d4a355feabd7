"""Estimates with 95 % intervals, worlds or instances resampled jointly across arms.

What is resampled are the units: worlds where every world has its own instance of the landscape, instances
with all their worlds where worlds share them. (Of the two ways to resample clusters, whole ones keep the
variance between them right; drawing worlds anew within an instance adds some of the variance within once
more: Davison and Hinkley 1997, section 3.8; Field and Welsh 2007.)

    15 units or more    bias-corrected accelerated bootstrap (BCa; Efron 1987), at the wider level
                        1 - 2 Phi(sqrt(n / (n - 1)) t_{n-1}(0.025)), which makes up for the narrowness of n
                        draws (Hesterberg 2015, the expanded interval)
    fewer               value +- t_{n-1} s, s the bootstrap's standard error times sqrt(n / (n - 1)), or the
                        jackknife's (Tukey 1958) where they agree within a tenth: that of a mean is Student's
                        over unit means, and the jackknife does not know the error of a median (Efron 1982).
                        BCa where s is not finite, as with runs that diverged
    15 or more, of a    value +- t_{n-1} s, s the jackknife's; the end on the side of the longer tail is moved
    smooth statistic    out as the skewness of the units' share in it says (Johnson 1978), as claims do
                        (`studies.claims.gate`). Of means of log-normals of sd 1, at 32 worlds, BCa holds the
                        truth in 90 to 92 %, this in 94 to 96 %. BCa where one unit makes up nearly all of s,
                        and where a logarithm is known to no better than 0.5
    one instance only   over its worlds: it holds for that instance alone
    one world           NaN

Of a statistic that cannot be negative, as a ratio of losses, it is the interval of its logarithm, where no
draw is 0; else its lower end is 0 at least.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import scipy
import xarray as xr
from scipy import special
from xarray import DataArray, Dataset

from studies.analysis.intervals.student import corrected, student
from studies.analysis.shapes import BOUNDS, LEVEL, with_interval, words

RESAMPLES = 999  # at the level of tables and figures
MOST = 4999  # at any level
OUTERMOST = 5  # resamples that must lie beyond an end which is read off
FEW = 15  # units, below which a bootstrap is not to be trusted
# units, above which the jackknife leaves out groups: a mean of groups has the acceleration of one of units
GROUPS = 200
ROUNDING = 1e-14  # of a logarithm and its exponential
LOOSE = 0.5  # standard error of a logarithm, above which it is resampled
ALONE = 0.9  # share of one unit in the squared error, likewise
SIZE = 2**22  # numbers at once


def estimate(
    name: str,
    statistic: Callable,
    parts: Sequence[DataArray],
    *,
    long_name: str,
    units: str = "1",
    level: float = LEVEL,
    fixed: Sequence[DataArray] = (),
    positive: bool = False,
    smooth: bool = False,
) -> Dataset:
    """A statistic of worlds and its interval.

    Args:
        name: of the result.
        statistic: of arrays and `axis`, vectorised; it must leave out NaN along with the world's numbers in
            all other arrays, if any can be there.
        parts: dim `replicate`, with the coordinate `instance` along it where worlds may share instances; they
            are broadcast against one another. A world where any part is NaN is left out; a part that is NaN
            in all worlds leaves none out, and the statistic gets it as it is. They may be chunked: what is in
            memory at once is bounded.
        long_name: of the result.
        units: of the result.
        level: of the interval, between 0 and 1.
        fixed: numbers that are the same in every world, without the dim `replicate`: the last arrays that the
            statistic gets, without their last axis.
        positive: whether the statistic cannot be negative, whatever the worlds: its logarithm is taken.
        smooth: whether it is smooth in the worlds, as means are and medians are not.

    Returns:
        `name`, `name_interval` (bound: low, high) and `name_method`, how the interval was made, a text. All
            dims but `replicate` stay.
    """
    parts, fixed = _lined_up(parts, fixed)
    members = groups(next((part for part in parts if "instance" in part.coords), parts[0]))
    cells = parts[0].isel(replicate=0, drop=True)
    value, bounds, method = _empty(cells.shape)
    for place in _blocks(cells.shape, SIZE // max(RESAMPLES, parts[0].sizes["replicate"])):
        arrays, same = (
            [np.asarray(part.variable[place].values, float) for part in some] for some in (parts, fixed)
        )
        value[place], bounds[place], method[place] = _of_block(
            statistic, arrays, members, _How(level, positive, smooth), same
        )
    coords = {dim: parts[0][dim] for dim in cells.dims if dim in parts[0].coords}
    wide = DataArray(bounds, coords | {"bound": list(BOUNDS)}, (*cells.dims, "bound"))
    point = DataArray(value, coords, cells.dims)
    result = with_interval(name, point, wide, long_name=long_name, units=units, level=level)
    how = words(f"how the interval of {long_name} was made", None)
    result[f"{name}_method"] = (cells.dims, method.astype(str), how)
    return result


class _How(NamedTuple):
    """How intervals are made."""

    level: float = LEVEL
    positive: bool = False  # the statistic cannot be negative
    smooth: bool = False  # the jackknife knows its error

    def interval(
        self, method: Callable, value: np.ndarray, drawn: np.ndarray, left_out: np.ndarray
    ) -> np.ndarray:
        """Ends (C, 2) by a method, `student` or `bca`; of what cannot be negative those of the logarithm."""
        plain = method(value, drawn, left_out, self.level)
        if not self.positive:
            return plain
        ends = np.exp(method(np.log(value), np.log(drawn), np.log(left_out), self.level))
        above = (value > 0) & (drawn > 0).all(1) & (left_out > 0).all(1)
        same = np.isclose(ends, plain, rtol=ROUNDING, atol=0.0)  # a draw itself stays what it is
        return np.where(above[:, None] & ~same, ends, np.maximum(plain, 0.0))


def _empty(cells: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Values, ends of intervals and methods, before there are any."""
    return np.full(cells, np.nan), np.full((*cells, 2), np.nan), np.full(cells, "", object)


def _lined_up(
    parts: Sequence[DataArray], fixed: Sequence[DataArray]
) -> tuple[list[DataArray], list[DataArray]]:
    """The parts with the same dims, `replicate` the last, and what is fixed, without it."""
    if not fixed and _same_places(parts):
        first = parts[0].transpose(..., "replicate")
        return [first, *(part.transpose(*first.dims) for part in parts[1:])], []
    whole = [part.transpose(..., "replicate") for part in xr.broadcast(*parts, *fixed)]
    same = [part.isel(replicate=0, drop=True) for part in whole[len(parts) :]]
    return whole[: len(parts)], same


def _same_places(parts: Sequence[DataArray]) -> bool:
    """Whether all parts have the same dims, and along these the same labels."""
    first, *others = ({dim: part.indexes.get(dim) for dim in part.dims} for part in parts)
    sizes = parts[0].sizes
    return all(
        own.keys() == first.keys()
        and part.sizes == sizes
        and all(
            index is first[dim] or (index is not None and index.equals(first[dim]))
            for dim, index in own.items()
        )
        for part, own in zip(parts[1:], others, strict=True)
    )


def _of_block(
    statistic: Callable,
    arrays: Sequence[np.ndarray],
    members: np.ndarray,
    how: _How,
    fixed: Sequence[np.ndarray],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Value, ends of the interval and its method of the cells of arrays (.., R): (..), (.., 2), (..)."""
    *cells, worlds = arrays[0].shape
    rows = _complete([array.reshape(-1, worlds) for array in arrays])
    same = [np.broadcast_to(number, cells).reshape(-1) for number in fixed]
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)  # a mean of no worlds is NaN
        value = np.asarray(statistic(*rows, *same, axis=-1))
        bounds, method = intervals(statistic, rows, members, how, same)
    return value.reshape(cells), bounds.reshape(*cells, 2), method.reshape(cells)


def _complete(rows: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The numbers (C, R) of worlds that have all of them; NaN elsewhere.

    One that no world has is not counted.
    """
    gaps = [np.isnan(row) for row in rows]
    missing = np.any([gap & ~gap.all(-1, keepdims=True) for gap in gaps], axis=0)
    return [np.where(missing, np.nan, row) for row in rows]


def intervals(
    statistic: Callable,
    arrays: Sequence[np.ndarray],
    members: np.ndarray,
    how: _How,
    fixed: Sequence[np.ndarray] = (),
) -> tuple[np.ndarray, np.ndarray]:
    """Intervals of many cells.

    Args:
        statistic: as in `estimate`.
        arrays: (C, R) each, C cells and R worlds; NaN in all of them where a world has no number.
        members: (I, m), the worlds of every instance, -1 where it has fewer than m.
        how: the level of the intervals, and whether the statistic cannot be negative.
        fixed: (C,) each, numbers that are the same in every world.

    Returns:
        (C, 2), and how each was made (C).
    """
    missing = np.full((len(arrays[0]), 1), np.nan)  # what a unit with fewer worlds has at -1
    padded = [np.concatenate([array, missing], 1) for array in arrays]
    bounds = np.full((len(missing), 2), np.nan)
    method = np.full(len(missing), "none", object)
    numbers = ~np.all([np.isnan(array) for array in padded], axis=0)
    known = numbers[:, members].any(-1)  # (C, I) instances with a number
    patterns, which = np.unique(known, axis=0, return_inverse=True)
    for number, there in enumerate(patterns):
        rows = np.flatnonzero(which == number)
        some, same = ([array[rows] for array in every] for every in (padded, fixed))
        cells = _Cells(statistic, some, members[there], how, same)
        if cells.units.size > 1:
            bounds[rows], method[rows] = cells.interval() if cells.n > 1 else cells.of_one_instance()
    return bounds, method


class _Cells(NamedTuple):
    """Cells in all of which the same units, and no others, have numbers."""

    statistic: Callable
    arrays: Sequence[np.ndarray]  # (C, R + 1) each, the last column NaN
    units: np.ndarray  # (n, m) worlds of every unit, -1 where it has fewer
    how: _How
    fixed: Sequence[np.ndarray]  # (C,) each

    @property
    def n(self) -> int:
        """How many units there are."""
        return len(self.units)

    @property
    def what(self) -> str:
        """What the units are."""
        return "worlds" if self.units.shape[1] == 1 else "instances"

    def interval(self) -> tuple[np.ndarray, np.ndarray]:
        """Ends (C, 2) and methods (C,)."""
        value = self.of(np.arange(self.n)[None])[:, 0]
        left_out = np.concatenate([self.of(kept) for kept in _without(self.n)], 1)
        if not self.how.smooth or self.n < FEW:
            return self._resampled(value, left_out)
        ends = self.how.interval(corrected, value, left_out, left_out)
        known = np.isfinite(ends).all(1) & ~self._loose(left_out)
        if known.all():
            return ends, np.full(len(ends), f"t over {self.what}", object)
        drawn, method = self._resampled(value, left_out)
        return np.where(known[:, None], ends, drawn), np.where(known, f"t over {self.what}", method)

    def _loose(self, left_out: np.ndarray) -> np.ndarray:
        """Where the error says little, (C,) bool: that of one unit, or of a logarithm far from linear."""
        away = (left_out - left_out.mean(1, keepdims=True)) ** 2
        alone = away.max(1) > ALONE * away.sum(1)
        if not self.how.positive:
            return alone
        return alone | (np.sqrt((left_out.shape[1] - 1) * np.log(left_out).var(1)) > LOOSE)

    def _resampled(self, value: np.ndarray, left_out: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The same by resamples, of the value (C,) and the values without one unit (C, n)."""
        count = resamples(self.how.level)
        drawn = self.of(np.random.default_rng(1).integers(0, self.n, (count, self.n)))
        even, skewed = (self.how.interval(method, value, drawn, left_out) for method in (student, bca))
        use = np.isfinite(even).all(1) & (self.n < FEW)
        method = [f"{how} over {self.what}" for how in ("t", "BCa")]
        return np.where(use[:, None], even, skewed), np.where(use, *method)

    def of(self, drawn: np.ndarray) -> np.ndarray:
        """The statistic where the units (B, k) are drawn: (C, B)."""
        step = max(1, SIZE // (len(self.arrays[0]) * drawn.shape[1] * self.units.shape[1]))
        worlds = self.units[drawn].reshape(len(drawn), -1)
        parts = [worlds[start : start + step] for start in range(0, len(worlds), step)]
        same = [number[:, None] for number in self.fixed]
        return np.concatenate(
            [
                self.statistic(*(array[:, part] for array in self.arrays), *same, axis=-1)
                for part in parts
            ],
            1,
        )

    def of_one_instance(self) -> tuple[np.ndarray, np.ndarray]:
        """Ends and methods over the worlds of the only instance."""
        worlds = self.units[self.units >= 0][:, None]
        arrays = [array[:, :-1] for array in self.arrays]
        bounds, method = intervals(self.statistic, arrays, worlds, self.how, self.fixed)
        return bounds, np.where(method == "none", method, method + ", for one instance alone")


def _without(n: int) -> Iterator[np.ndarray]:
    """All units but one of them: one array (n, n - 1).

    Of many units all but a group of them, of which there are `GROUPS`, so that the time is not quadratic in
    units: (1, k) each, of several lengths.
    """
    if n <= GROUPS:
        return iter([np.nonzero(~np.eye(n, dtype=bool))[1].reshape(n, n - 1)])
    group = np.arange(n) % GROUPS
    return (np.flatnonzero(group != left_out)[None] for left_out in range(GROUPS))


def resamples(level: float) -> int:
    """How many: more for a level above that of tables and figures, whose ends lie further out."""
    return min(round(RESAMPLES * max(1.0, (1 - LEVEL) / (1 - level))), MOST)


def bca(value: np.ndarray, drawn: np.ndarray, left_out: np.ndarray, level: float = LEVEL) -> np.ndarray:
    """BCa interval (Efron 1987): (C, 2), of the value (C), of B resamples (C, B) and without one unit (C, n).

    NaN where any resample is.
    """
    n = left_out.shape[1]
    z0 = _bias(value, drawn)[:, None]
    a = _acceleration(left_out)[:, None]
    z = _expanded(n, level) * np.array([1, -1]) + z0
    levels = special.ndtr(z0 + z / (1 - a * z))
    ends = _read_off(np.sort(drawn, 1), levels)
    return np.where(np.isnan(drawn).any(1)[:, None], np.nan, ends)


def _expanded(n: int, level: float) -> float:
    """The normal quantile at the wider level that makes up for the narrowness of n draws."""
    return np.sqrt(n / (n - 1)) * scipy.stats.t.ppf((1 - level) / 2, n - 1)


def _bias(value: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """The bias correction z0 (C,): where the value is among resamples (C, B), ties counting half."""
    count = drawn.shape[1]
    share = ((drawn < value[:, None]).mean(1) + (drawn <= value[:, None]).mean(1)) / 2
    return special.ndtri(share.clip(0.5 / count, 1 - 0.5 / count))


def _acceleration(left_out: np.ndarray) -> np.ndarray:
    """The acceleration a (C,), from the values without one unit (C, n)."""
    away = left_out.mean(1, keepdims=True) - left_out
    spread = (away**2).sum(1)
    a = (away**3).sum(1) / (6 * np.where(spread > 0, spread, 1.0) ** 1.5)
    return np.where(np.isfinite(a), a, 0.0)


def _read_off(ordered: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Quantiles (C, 2) of these levels (C, 2) of ordered resamples (C, B).

    Where fewer than `OUTERMOST` lie beyond, the tail goes on like a normal one.
    """
    beyond = OUTERMOST / ordered.shape[1]
    inside = levels.clip(beyond, 1 - beyond)
    ends = _between(ordered, inside)
    shoulders = _between(ordered, np.broadcast_to(special.ndtr([-1.0, 1.0]), levels.shape))
    z, edge = special.ndtri(levels), special.ndtri(inside)
    side = np.where(edge < 0, shoulders[:, :1], shoulders[:, 1:])
    slope = (ends - side) / (edge - np.sign(edge))
    return np.where((z == edge) | ~np.isfinite(slope), ends, ends + slope * (z - edge))


def _between(ordered: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Quantiles (C, 2) of ordered numbers (C, B).

    Linear between two of them; the outer one where either is infinite.
    """
    place = levels * (ordered.shape[1] - 1)
    below = np.floor(place).astype(int)
    above = np.ceil(place).astype(int)
    low = np.take_along_axis(ordered, below, 1)
    high = np.take_along_axis(ordered, above, 1)
    between = low + (place - below) * (high - low)
    outer = np.stack([low[:, 0], high[:, 1]], -1)
    return np.where(np.isfinite(low) & np.isfinite(high), between, outer)


def groups(part: DataArray) -> np.ndarray:
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
    _, number, sizes = np.unique(instance.values, return_inverse=True, return_counts=True)
    order = np.argsort(number, kind="stable")
    place = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)  # within its instance
    worlds = np.full((len(sizes), sizes.max(initial=0)), -1)
    worlds[number[order], place] = order
    return worlds


def _blocks(shape: tuple[int, ...], most: int) -> Iterator[tuple[slice, ...]]:
    """Places of a grid, at most `most` cells each, or one: its longest dim is halved until they are."""
    whole = [slice(0, n) for n in shape]
    if not shape or np.prod(shape) <= max(1, most):
        yield tuple(whole)
        return
    longest = int(np.argmax(shape))
    half = (shape[longest] + 1) // 2
    for start, size in ((0, half), (half, shape[longest] - half)):
        for place in _blocks((*shape[:longest], size, *shape[longest + 1 :]), most):
            at = place[longest]
            yield (*place[:longest], slice(at.start + start, at.stop + start), *place[longest + 1 :])
