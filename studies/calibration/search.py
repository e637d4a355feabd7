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
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from studies import registry
from studies.study_file.fields import numbers

if TYPE_CHECKING:
    pass


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
    seen: dict[float, float] = {}  # value -> distance in log q

    def distance(log_value: float) -> float:
        value = low if log_value <= ends[0] else high if log_value >= ends[1] else settle(math.exp(log_value))
        if value not in seen:
            if len(seen) == MOST:
                raise _Enough
            seen[value] = _distance(quantity(value), target)
        return seen[value]

    sides = [distance(end) for end in ends]
    bracketed = sides[0] * sides[1] <= 0
    with contextlib.suppress(_Enough):
        _ = brentq(distance, *ends, xtol=1e-4) if bracketed else None
    value = min(seen, key=lambda value: abs(seen[value]))
    return Found(value, None if bracketed else "low" if value == low else "high", len(seen))


def _distance(quantity: float, target: float) -> float:
    """Log of the ratio; 0 where it is close enough."""
    if quantity == 0:
        return -FAR
    found = FAR if quantity < 0 or math.isinf(quantity) else math.log(quantity / target)
    return 0.0 if abs(found) < CLOSE else found


def settled(spec: Mapping[str, Any], name: str) -> Callable[[float], float]:
    """A value of this parameter of an optimizer -> the nearest that it takes.

    Of six digits, or a whole one.
    """
    if not numbers(registry.find(spec["kind"], "optimizer"))[name]:
        return lambda value: float(f"{value:.6g}")

    def nearest(value: float) -> int:
        middle = round(value)
        outwards = (
            n
            for away in range(middle + 2)
            for n in sorted({middle - away, middle + away}, key=lambda n: abs(n - value))
        )
        return next((n for n in outwards if _takes({**spec, name: n})), middle)

    return nearest


def _takes(spec: Mapping[str, Any]) -> bool:
    try:
        registry.build(spec, "optimizer")
    except ValueError:
        return False
    return True
