"""Standard errors of any smooth statistic of worlds.

The jackknife (Quenouille 1956; Efron and Stein 1981, Ann. Stat. 9:586).

    SE^2 = (n - 1) / n  sum over units of (theta without the unit - mean of these)^2

of a mean it is s / sqrt(n). Units are worlds, instances with all their worlds where worlds share them, and
groups of these where there are more than 200. All arms of a world are left out together, so what is paired
stays paired.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypedDict, Unpack

import numpy as np
from xarray import DataArray

from studies.claims.measured import Measured

MOST = 200  # units; more are put in so many groups, which costs the error 1 / sqrt(2 * 200) = 5 % of itself


class Traits(TypedDict, total=False):
    """What is known of a statistic beside its value, see `Measured`."""

    positive: bool
    nonnegative: bool
    share: bool
    exact: bool
    floor: float
    low: float
    least: float


def jackknife(statistic: Callable, parts: Sequence[DataArray], **traits: Unpack[Traits]) -> Measured:
    """The statistic of all worlds, with its standard error: 0 where all worlds are equal, exactly.

    Then the units are all there are, not groups of them: no sum over units is made.

    Args:
        statistic: of arrays (.., R) and `axis`, the last; gives one number.
        parts: what it is of, each with the dim `replicate`, and the coordinate `instance` where worlds share
            instances. A world where any part is NaN is left out.
        traits: what else is known of it, see `Measured`: positive, share, exact, floor, ..
    """
    arrays = [part.transpose(..., "replicate").values.astype(float) for part in parts]
    there = ~np.any([np.isnan(array).any(tuple(range(array.ndim - 1))) for array in arrays], 0)
    arrays, units = [array[..., there] for array in arrays], _units(parts)[there]
    worlds, count = int(there.sum()), len(np.unique(units))
    if worlds == 0:
        return Measured(np.nan, np.nan, 0, 0)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        value = float(statistic(*arrays, axis=-1))
        never = np.isposinf(value) and _infinite_in_each(statistic, arrays)
        error, skew = _spread(statistic, arrays, units % MOST)
    same = count > 1 and all(map(alike, arrays))
    error, count = (0.0, count) if same else (error, min(count, MOST))
    traits["share"] = traits.get("share", False) and count == worlds
    return Measured(value, error, count, worlds, skew, never=bool(never), **traits)


def alike(array: np.ndarray) -> bool:
    """Whether all worlds, the last axis, have the same numbers."""
    return bool((array == array[..., :1]).all())


def _infinite_in_each(statistic: Callable, arrays: Sequence[np.ndarray]) -> bool:
    """Whether the statistic of each world alone is infinite."""
    worlds = arrays[0].shape[-1]
    alone = ([array[..., [r]] for array in arrays] for r in range(worlds))
    return all(np.isposinf(statistic(*world, axis=-1)) for world in alone)


def _spread(
    statistic: Callable, arrays: Sequence[np.ndarray], units: np.ndarray
) -> tuple[float, float]:
    """The standard error of a statistic, and the skewness of the units' share in it; NaN and 0 of one unit.

    Args:
        statistic: of arrays (.., R) and `axis`.
        arrays: each (.., R).
        units: the unit of each world (R,).
    """
    names = np.unique(units)
    if len(names) < 2:
        return np.nan, 0.0
    rest = ([array[..., units != name] for array in arrays] for name in names)
    left_out = np.array([statistic(*some, axis=-1) for some in rest])
    return float(np.sqrt((len(names) - 1) * left_out.var())), _skewness(-left_out)


def _skewness(values: np.ndarray) -> float:
    """Skewness of the units' share in the statistic (n,); 0 where there is none.

    Less biased than the sample's: times (n / (n - 1))^1.5.
    """
    spread = values.std()
    if not np.isfinite(spread) or spread == 0:
        return 0.0
    n = len(values)
    return float((((values - values.mean()) / spread) ** 3).mean() * (n / (n - 1)) ** 1.5)


def _units(parts: Sequence[DataArray]) -> np.ndarray:
    """The number of the unit of every world: its own, or that of its instance."""
    instance = next((part.coords["instance"] for part in parts if "instance" in part.coords), None)
    if instance is None or len(np.unique(instance)) < 2:
        return np.arange(parts[0].sizes["replicate"])
    return np.unique(instance.values, return_inverse=True)[1]


def independent(part: DataArray) -> bool:
    """Whether every world has an instance of its own, or all have one."""
    if "instance" not in part.coords:
        return True
    count = len(np.unique(part.coords["instance"]))
    return count < 2 or count == part.sizes["replicate"]
