"""The scale of each row of the figure of claims: 0 is the predicted, 1 the wrong law."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from studies.claims.base import Judgement

# where the most lies that a bound can be met by, left of its threshold, and right of it what misses it by as
# much
SIDE = 0.6


class Scaled(NamedTuple):
    """Numbers of a row where 0 is the predicted and 1 the wrong law's; NaN where there is no scale."""

    observed: float
    low: float  # accepted from
    high: float  # and to
    near: float  # the ends of the error bar
    far: float


def scaled(row: Judgement) -> Scaled:
    """The numbers of a row on its scale."""
    there = _scale(row)
    near, far = sorted((there(row.observed_low), there(row.observed_high)))
    low, high = sorted((there(row.low), there(row.high)))
    return Scaled(there(row.observed), low, high, near, far)


def _scale(row: Judgement) -> Callable[[float], float]:
    """Where a number of a row is drawn."""
    zero, unit = row.predicted, row.control
    if math.isinf(zero):  # the limit of (value - zero) / (unit - zero)
        return lambda value: math.nan if math.isnan(value) else float(value != zero)
    if row.relation in (">", ">="):
        return _between(zero, zero - _reach(row) / SIDE)
    if row.relation == "<=":
        return _between(zero, zero + _reach(row) / SIDE)
    if not math.isfinite(unit) or unit == zero:
        return _between(zero, zero + _reach(row) / SIDE)
    return _between(zero, unit)


def _reach(row: Judgement) -> float:
    """How far from the predicted there is anything to see."""
    accepted = row.low if row.relation == ">=" else row.high
    away = [abs(end - row.predicted) for end in (accepted, row.observed)]
    return max(filter(math.isfinite, away), default=0.0)


def _between(zero: float, unit: float) -> Callable[[float], float]:
    """The linear scale on which one number is 0 and another 1; NaN where they are the same."""
    span = unit - zero
    if not math.isfinite(span) or span == 0:
        return lambda value: math.nan
    return lambda value: (value - zero) / span
