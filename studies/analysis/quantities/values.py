"""What a part of a quantity may be: a number, a number of each arm or world, or a summary of all worlds.

A summary is not computed when it is read: it is a function of the numbers of all worlds, so that the whole
quantity can be computed again for other draws of worlds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeGuard

import numpy as np
from xarray import DataArray, Dataset

from studies.analysis.intervals.share_ratios import ratio_of_shares

NAME = "quantity"  # of the result
WORLDS = "replicate"


class Sample(NamedTuple):
    """Worlds of which a quantity is computed."""

    worlds: Sequence[np.ndarray]  # of every part, (.., R)
    arms: Sequence[np.ndarray]  # of every number that all worlds of an arm share, (..)


Statistic = Callable[[Sample], np.ndarray]


Exactly = Callable[[str, float], Dataset]  # of the text and the level: value and interval


class Summary(NamedTuple):
    """A number of all worlds."""

    of: Statistic
    exact: Exactly | None = None  # where it has an interval of its own
    condition: DataArray | None = None  # of each world, whose share it is


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
    """

    parts: list[DataArray] = field(default_factory=list)
    fixed: list[DataArray] = field(default_factory=list)
    between: set[int] = field(default_factory=set)
    extremes: set[int] = field(default_factory=set)
    met: list[DataArray] = field(default_factory=list)

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
        exact = _of_two_shares(values) if function is np.true_divide else None
        return Summary(lambda sample: function(*(of(sample) for of in inner)), exact)


def _of_two_shares(values: Sequence[Value]) -> Exactly | None:
    """The interval of one share over another; None where they are none, or worlds share instances."""
    conditions = [value.condition if isinstance(value, Summary) else None for value in values]
    first, second = conditions
    if first is None or second is None or any(map(_in_clusters, (first, second))):
        return None
    return lambda text, level: ratio_of_shares(NAME, first, second, long_name=text, level=level)


def _in_clusters(part: DataArray) -> bool:
    """Whether worlds share an instance."""
    instance = part.coords.get("instance")
    return instance is not None and np.unique(instance).size < part.sizes[WORLDS]
