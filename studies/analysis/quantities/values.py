"""What a part of a quantity may be: a number, a number of each arm or world, or a summary of all worlds.

A summary is not computed when it is read: it is a function of the numbers of all worlds, so that the whole
quantity can be computed again for other draws of worlds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import xarray as xr

WORLDS = "replicate"


class Sample(NamedTuple):
    """Worlds of which a quantity is computed."""

    worlds: Sequence[np.ndarray]  # of every part, (.., R)
    arms: Sequence[np.ndarray]  # of every number that all worlds of an arm share, (..)


Statistic = Callable[[Sample], np.ndarray]


class Exact(NamedTuple):
    """A share or a quantile of one part, which has an interval of its own."""

    part: int
    level: float | None = None  # of a quantile; None: it is a share


class Summary(NamedTuple):
    """A number of all worlds."""

    of: Statistic
    exact: Exact | None = None


Value = float | xr.DataArray | Summary


def of_worlds(value: Value) -> bool:
    """Whether there is a number for each world."""
    return isinstance(value, xr.DataArray) and WORLDS in value.dims


@dataclass(frozen=True)
class Gathered:
    """The numbers that the summaries of a quantity are of, as they are met.

    Args:
        parts: with a number for each world.
        fixed: with a number for each arm.
    """

    parts: list[xr.DataArray] = field(default_factory=list)
    fixed: list[xr.DataArray] = field(default_factory=list)

    def summary(self, statistic: Callable, part: xr.DataArray, exact: bool = False) -> Summary:
        """A statistic over the worlds of a part.

        Args:
            statistic: of an array and `axis`.
            part: with the dim replicate.
            exact: whether the interval of a share is that of the statistic.
        """
        place = len(self.parts)
        self.parts.append(part)
        share = Exact(place) if exact else None
        return Summary(lambda sample: statistic(sample.worlds[place], axis=-1), share)

    def quantile(self, statistic: Callable, part: xr.DataArray, level: float) -> Summary:
        """A quantile over the worlds of a part: `statistic` of an array, the level and `axis`."""
        place = len(self.parts)
        self.parts.append(part)
        return Summary(
            lambda sample: statistic(sample.worlds[place], level, axis=-1), Exact(place, level)
        )

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
        return Summary(lambda sample: function(*(of(sample) for of in inner)))
