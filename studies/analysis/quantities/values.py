"""What a part of a quantity may be: a number, a number of each arm or world, or a summary of all worlds.

A summary is not computed when it is read: it is a function of the numbers of all worlds, so that the whole
quantity can be computed again for other draws of worlds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeGuard

import numpy as np
from xarray import DataArray

from studies.analysis.quantities.shares import (
    MONOTONE,
    WORLDS,
    Exactly,
    Product,
    around,
    product,
)


class Sample(NamedTuple):
    """Worlds of which a quantity is computed."""

    worlds: Sequence[np.ndarray]  # of every part, (.., R)
    arms: Sequence[np.ndarray]  # of every number that all worlds of an arm share, (..)


Statistic = Callable[[Sample], np.ndarray]


class Summary(NamedTuple):
    """A number of all worlds."""

    of: Statistic
    exact: Exactly | None = None  # where it has an interval of its own
    product: Product | None = None  # where it is one, of shares
    shares: int = 0  # one, or two of a ratio, where that interval follows from theirs


Value = float | DataArray | Summary


def of_worlds(value: Value) -> TypeGuard[DataArray]:
    """Whether there is a number for each world."""
    return isinstance(value, DataArray) and WORLDS in value.dims


def of_checkpoints(value: Value) -> TypeGuard[DataArray]:
    """Whether there is a number for each checkpoint."""
    return isinstance(value, DataArray) and "checkpoint" in value.dims


def is_condition(values: DataArray) -> bool:
    """Whether all that is known is 1 or 0."""
    return bool((values.isnull() | values.isin([0.0, 1.0])).all())


@dataclass(frozen=True)
class Gathered:
    """The numbers that the summaries of a quantity are of, as they are met.

    Args:
        parts: with a number for each world.
        fixed: with a number for each arm.
        between: places in the tree of numbers that are known to an interval.
        extremes: places in the tree of extremes of worlds, of which no resampling knows the error.
        met: of every target, whether the start of each world had it; NaN of a world without numbers.
        levels: of those summaries that are quantiles, each of one part.
    """

    parts: list[DataArray] = field(default_factory=list)
    fixed: list[DataArray] = field(default_factory=list)
    between: set[int] = field(default_factory=set)
    extremes: set[int] = field(default_factory=set)
    met: list[DataArray] = field(default_factory=list)
    levels: list[float] = field(default_factory=list)

    @property
    def steady(self) -> float:
        """The share of worlds below which others, whatever they are, move no summary: 1/2 of medians.

        0 where one is a mean, or anything else but a quantile.
        """
        if len(self.levels) < len(self.parts):
            return 0.0
        return min((min(level, 1 - level) for level in self.levels), default=0.0)

    def summary(self, statistic: Callable, *parts: DataArray, exact: Exactly | None = None) -> Summary:
        """A statistic over the worlds of some parts.

        Args:
            statistic: of arrays and `axis`.
            parts: with the dim replicate.
            exact: the interval that it has of its own.
        """
        start = len(self.parts)
        self.parts.extend(parts)
        mine = slice(start, len(self.parts))
        return Summary(lambda sample: statistic(*sample.worlds[mine], axis=-1), exact)

    def statistic(self, value: Value) -> Statistic:
        """A value as a function of the worlds that are drawn."""
        if isinstance(value, Summary):
            return value.of
        if isinstance(value, float):
            return lambda sample: np.asarray(value)
        place = len(self.fixed)
        self.fixed.append(value)
        return lambda sample: sample.arms[place]

    def joined(self, function: Callable, values: Sequence[Value]) -> Summary:
        """A function of summaries, and of what is the same in all worlds."""
        inner = [self.statistic(value) for value in values]
        joined = product(function, [*map(_factor, values)])
        exact = joined.exact if joined else None
        shares = 2 if exact else max(value.shares for value in values if isinstance(value, Summary))
        exact = exact or _around(function, values)
        return Summary(
            lambda sample: function(*(of(sample) for of in inner)),
            exact,
            joined,
            shares if exact else 0,
        )


def _factor(value: Value) -> Product | None:
    """A value as a product of shares; None where it is none."""
    return value.product if isinstance(value, Summary) else Product(value)


def _around(function: Callable, values: Sequence[Value]) -> Exactly | None:
    """The interval of a function of one share, or ratio of shares; None where it is of something else too."""
    ours = [(place, value) for place, value in enumerate(values) if isinstance(value, Summary)]
    place, inner = ours[0]
    if len(ours) > 1 or function not in MONOTONE or not inner.shares or inner.exact is None:
        return None
    before, after = values[:place], values[place + 1 :]
    return around(lambda number: function(*before, number, *after), inner.exact)
