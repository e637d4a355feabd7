"""`match:` of a study: the value of one parameter at which an arm's noise is that of a reference arm.

In what follows q is a quantity of the noise ledger and x the parameter. The root of log q(x) - log
q(reference) in log x is bracketed by the ends of the range and found by Brent's method (Brent 1973,
"Algorithms for minimization without derivatives", chapter 4), since noise follows powers of batches,
populations and rates: there the secant is exact. Whole numbers are rounded, to the nearest that the optimizer
takes. Where the ends do not bracket it, the end that comes nearest is used, and said to be a bound.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from studies.kinds import registry
from studies.study_file.fields import numbers
from studies.study_file.template import Template

MOST = 8  # values of x at which q is measured, at most
CLOSE = 0.02  # relative distance from the reference at which the search ends
FAR = math.log(
    1000
)  # distance in log q of a ratio whose signal is lost in its own noise, or which has no noise


class Found(NamedTuple):
    """Where a search ended."""

    value: float
    bound: str | None  # low or high, where the range does not reach the reference
    evaluations: int


class _Enough(Exception):
    """No more pilots are to be run."""


# the search -------------------------------------------------------------------------------------------------


def search(
    quantity: Callable[[float], float],
    target: float,
    low: float,
    high: float,
    settle: Callable[[float], float] = float,
) -> Found:
    """The value between low and high whose quantity is nearest to the target.

    Args:
        quantity: of a value; what it raises ends the search. Negative or infinite counts as very large, 0 as
            very small.
        target: > 0.
        low: > 0, a value that may be used.
        high: > low, likewise.
        settle: a value -> the nearest one that may be used.
    """
    from scipy.optimize import brentq

    ends = math.log(low), math.log(high)
    asked = _Asked(quantity, target, low, high, settle)
    left, right = (asked.distance(end) for end in ends)
    bracketed = left * right <= 0
    if bracketed:
        with contextlib.suppress(_Enough):
            brentq(asked.distance, *ends, xtol=1e-4)
    nearest = min(asked.distances, key=lambda value: abs(asked.distances[value]))
    bound = None if bracketed else "low" if nearest == low else "high"
    return Found(nearest, bound, len(asked.distances))


@dataclass
class _Asked:
    """What is known of a range: each value is asked once, see `search`."""

    quantity: Callable[[float], float]
    target: float
    low: float
    high: float
    settle: Callable[[float], float]
    distances: dict[float, float] = field(default_factory=dict)  # value -> distance in log q

    def distance(self, log_value: float) -> float:
        """The distance from the target, at the nearest value that may be used."""
        value = self._nearest(log_value)
        if value not in self.distances:
            if len(self.distances) == MOST:
                raise _Enough
            self.distances[value] = _distance(self.quantity(value), self.target)
        return self.distances[value]

    def _nearest(self, log_value: float) -> float:
        if log_value <= math.log(self.low):
            return self.low
        if log_value >= math.log(self.high):
            return self.high
        return self.settle(math.exp(log_value))


def _distance(quantity: float, target: float) -> float:
    """Log of the ratio; 0 where it is close enough."""
    if quantity == 0:
        return -FAR
    distance = FAR if quantity < 0 or math.isinf(quantity) else math.log(quantity / target)
    return 0.0 if abs(distance) < CLOSE else distance


def settled(entry: Template, name: str) -> Callable[[float], float]:
    """A value of this parameter of an optimizer -> the nearest that it takes.

    Of six digits, or a whole one.
    """
    if not numbers(registry.find(entry.entry["kind"], "optimizer"))[name]:
        return lambda value: float(f"{value:.6g}")

    def nearest(value: float) -> int:
        middle = round(value)
        outwards = (
            n
            for away in range(middle + 2)
            for n in sorted({middle - away, middle + away}, key=lambda n: abs(n - value))
        )
        return next((n for n in outwards if entry.takes({name: n})), middle)

    return nearest
