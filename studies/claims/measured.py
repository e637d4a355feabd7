"""What a law predicts and what was observed of it, as the rule of `studies.claims.gate` takes them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import scipy
from scipy import special

Z = 3.0  # normal standard errors
CAP = float(special.ndtr(-Z))  # of one side of one judgement
# of all judgements of a study: that a false law is said to hold, and that a true one is said to fail
LEVEL = 0.05
FEWEST = math.ceil(math.log2(1 / CAP))  # worlds that, all equal, say what most worlds are
EPSILON = float(np.finfo(float).eps)
ROUNDINGS = 32
Interval = tuple[float, float]  # its low and its high end
MOST = 10**9  # units; where more are needed, none are said to decide


def binomial(hits: int, misses: int) -> Interval:
    """The interval of a share, each end wrong at CAP (Clopper and Pearson 1934)."""
    low = float(scipy.stats.beta.ppf(CAP, hits, misses + 1)) if hits else 0.0
    high = float(scipy.stats.beta.isf(CAP, hits + 1, misses)) if misses else 1.0
    return low, high


class Measured(NamedTuple):
    """What was observed, on the scale of the comparison."""

    value: float
    error: float  # standard error; NaN: unknown; where it has another below, that of the upper end
    units: int  # worlds, or instances where worlds share them
    worlds: int
    skew: float = 0.0  # of the units
    # a mean of worlds of which none is negative: its upper end is the logarithm's
    positive: bool = False
    # it cannot be negative, whatever the worlds: both ends are the logarithm's
    nonnegative: bool = False
    share: bool = False  # of units that are each 0 or 1
    # the share of units below which others, whatever they are, do not move it: 1/2 of a median, 0 of a mean
    steady: float = 0.0
    exact: bool = False  # no step drew anything random: where worlds are equal, that is no chance
    never: bool = False  # every world is infinite
    floor: float = 0.0  # what rounding may do to it
    low: float = (
        math.nan
    )  # where hits are known to intervals: the value if each came as early as it may
    least: float = math.nan  # where it is infinite for want of hits: what it is at least
    error_below: float = math.nan  # that of the lower end, where it is another

    @property
    def under(self) -> float:
        """The standard error of the lower end."""
        return self.error if math.isnan(self.error_below) else self.error_below

    def moved(self, by: float) -> Measured:
        """A difference of two quantities, with the value of the second added; its errors stay those."""
        return self._replace(
            value=self.value + by, low=self.low + by, positive=False, nonnegative=False, share=False
        )

    @property
    def between(self) -> bool:
        """Whether hits are known to intervals, so that it is."""
        return not math.isnan(self.low)

    @property
    def early(self) -> float:
        """The value, if each hit came as early as it may."""
        return self.low if self.between else self.value

    @property
    def sure(self) -> bool:
        """Whether nothing random entered, and all worlds are equal."""
        return self.exact and self.error == 0


class Scale(NamedTuple):
    """How numbers are compared, and shown."""

    relative: bool = True  # the tolerance is relative to the value on this scale
    there: Callable[[float], float] = lambda value: value
    back: Callable[[float], float] = lambda value: value


PLAIN = Scale()
Relation = Literal["=", "<=", ">="]


@dataclass(frozen=True, kw_only=True)
class Law:
    """What is predicted, on the scale that is shown.

    Args:
        predicted: by the law.
        control: by a wrong law.
        tolerance: relative or not, see `Scale`; >= 0.
        absolute: on the scale of the comparison, >= 0; the wider of the two counts.
        scale: of the comparison.
        relation: how the true value is said to be to the predicted.
    """

    predicted: float
    control: float
    tolerance: float
    absolute: float = 0.0
    scale: Scale = PLAIN
    relation: Relation = "="

    def slack(self, value: float) -> float:
        """The tolerance around a value, both on the scale of the comparison."""
        return max(
            self.tolerance * abs(value) if self.scale.relative else self.tolerance, self.absolute
        )

    @property
    def expected(self) -> float:
        """The predicted, on the scale of the comparison."""
        return self.scale.there(self.predicted)

    def shown(self, interval: Interval) -> Interval:
        """An interval on the scale of the comparison, as it is shown."""
        low, high = sorted(map(self.scale.back, interval))
        return low, high

    def ends(self, value: float, floor: float) -> Interval:
        """What is accepted as this value: all within the tolerance, and all on the side that is claimed.

        Args:
            value: on the scale of the comparison.
            floor: the least that the tolerance is.
        """
        slack = max(self.slack(value), floor)
        low = -math.inf if self.relation == "<=" else value - slack
        return low, math.inf if self.relation == ">=" else value + slack


class Rival(NamedTuple):
    """A wrong law, or a place at which the law is wrong: it must be rejected."""

    law: Law
    measured: Measured
