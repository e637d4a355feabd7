"""The rule by which a claim holds, fails or stays undecided.

With d = |observed - predicted|, the tolerance `tol`, and `sure` = k standard errors, k = t_{n-1}(Phi(-3)) for n units: three standard errors, and
more where the error itself is estimated from few worlds (at 8 worlds 4.5, at 32 it is 3.3):

    rejected(value)   |observed - value| > max(tol, sure)
    holds             not rejected(predicted), and rejected(control)
    fails             d > tol + sure: no value within the tolerance is within `sure` of what was observed
    undecided         else: the negative control is not rejected, so the check would have let a wrong law pass as well; or what was observed is
                      outside, but so near the edge, or so uncertain, that more worlds could bring it inside; or there are fewer than two worlds

A claim whose negative control is not rejected is thus undecided or fails, and never holds. An infinite observed value (the mean loss where a world
diverged) is no prediction's and fails.

The comparison is made on a scale of the law's own (`Scale`): a relative tolerance of a contraction factor is one of its logarithm.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from scipy import stats

from studies.claims.base import Judgement, Verdict

Z = 3.0  # standard errors


class Measured(NamedTuple):
    """What was observed, on the scale of the comparison."""

    value: float
    error: float  # standard error; NaN: unknown
    units: int  # worlds, or instances where worlds share them
    worlds: int


class Scale(NamedTuple):
    """How numbers are compared, and shown."""

    relative: bool = True  # the tolerance is relative to the value on this scale
    there: Callable[[float], float] = lambda value: value
    back: Callable[[float], float] = lambda value: value


@dataclass(frozen=True, kw_only=True)
class Law:
    """What is predicted, on the scale that is shown.

    Args:
        predicted: by the law.
        control: by a wrong law.
        tolerance: see `Scale`.
        scale: of the comparison.
    """

    predicted: float
    control: float
    tolerance: float
    scale: Scale = Scale()

    def slack(self, value: float) -> float:
        """The tolerance around a value, both on the scale of the comparison."""
        return self.tolerance * abs(value) if self.scale.relative else self.tolerance


@functools.cache
def errors_needed(units: int) -> float:
    """K: the quantile of t that has the level of three normal standard errors."""
    return float(stats.t.isf(stats.norm.sf(Z), units - 1)) if units > 1 else math.nan


def rejected(law: Law, measured: Measured, value: float) -> bool:
    """Whether the check rejects a value, given on the scale of the comparison."""
    return abs(measured.value - value) > max(law.slack(value), _sure(measured))


def verdict(law: Law, measured: Measured) -> tuple[Verdict, bool]:
    """The verdict, and whether the control is rejected; the rule is this module's docstring."""
    predicted, control = law.scale.there(law.predicted), law.scale.there(law.control)
    if math.isinf(measured.value):
        return "fails", True
    if not math.isfinite(measured.value) or not math.isfinite(_sure(measured)):
        return "undecided", False
    sharp = rejected(law, measured, control)
    if abs(measured.value - predicted) > law.slack(predicted) + _sure(measured):
        return "fails", sharp
    return ("undecided" if rejected(law, measured, predicted) or not sharp else "holds"), sharp


def accepted(law: Law, measured: Measured) -> tuple[float, float]:
    """The observed values that are taken for the predicted one, on the scale that is shown."""
    predicted = law.scale.there(law.predicted)
    sure = _sure(measured)
    half = max(law.slack(predicted), sure if math.isfinite(sure) else 0.0)
    low, high = sorted(law.scale.back(predicted + side * half) for side in (-1, 1))
    return low, high


def judgement(kind: str, law: Law, measured: Measured, **said: Any) -> Judgement:  # noqa: ANN401
    """A judgement by the rule.

    Args:
        kind: of the claim.
        law: what is predicted.
        measured: what was observed.
        said: where, quantity, in_regime, and a note.
    """
    found, sharp = verdict(law, measured)
    low, high = accepted(law, measured)
    return Judgement(
        claim="", kind=kind, predicted=law.predicted, observed=law.scale.back(measured.value), standard_error=_shown(law, measured, measured.error),
        margin_of_error=_shown(law, measured, _sure(measured)), tolerance=law.tolerance, low=low, high=high, control=law.control,
        control_rejected=sharp, worlds=measured.worlds, verdict=found, **said,
    )  # fmt: skip


def _shown(law: Law, measured: Measured, error: float) -> float:
    """An error on the scale that is shown."""
    return abs(law.scale.back(measured.value + error) - law.scale.back(measured.value - error)) / 2


def _sure(measured: Measured) -> float:
    return errors_needed(measured.units) * measured.error
