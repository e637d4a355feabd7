"""The rule by which a claim holds, fails or stays undecided: an equivalence test.

A law predicts a number, and is said to be right to within a tolerance. With d = true value - predicted,

    holds       it is rejected that |d| is the tolerance or more (two one-sided tests; Schuirmann 1987,
                J. Pharmacokin. Biopharm. 15:657): the interval of the deviation lies inside the tolerance;
                and the wrong law fails
    fails       it is rejected that |d| is the tolerance or less: the interval lies outside
    undecided   else; `worlds_needed` would decide it, were what they show as now

So more worlds decide, and few never make a claim hold: a law that is 42 % off does not hold at a tolerance of
5 %. A claim that holds needs both sides and the control rejected: an intersection-union test (Berger 1982,
Technometrics 24:295), for which each part at the level is enough.

**Levels.** Each judgement is tested at CAP on each side, the level of three normal standard errors, with
quantiles of t. That is stricter than LEVEL, since means of a few heavy-tailed worlds miss by more than their
interval says: an interval of nominally 95 %, of 8 worlds of a log-normal (sigma 1.5), misses in 29 %. So the
end on the side of the longer tail is moved out as their skewness g says, from k to k + g (1 + 2 k^2) / (6
sqrt n) errors (the first term of the expansion; Johnson 1978, J. Am. Stat. Assoc. 73:536), never in, and the
upper end of what is positive is that of its logarithm: these miss in 2 %. So is the lower end of what cannot
be negative, as a loss that is a gap or a ratio of such: it lies above 0. All judgements of a study together
are brought to LEVEL by Holm's method (`studies.claims.simultaneous`).

**No spread.** Worlds that are all equal have a standard error of 0, which proves nothing where anything
random entered: a share of 1 - CAP^(1/n) of all worlds may be others, and that share of the larger of the two
numbers is uncertain; with fewer than ten nothing is decided. A median moves only where others are half of all
worlds, and a quantile q where they are min(q, 1 - q): ten equal worlds say what a median is, to the last
digit, and of a quantile of 0.9 it takes 63. Where no step draws, worlds differ by start and instance alone;
if they are equal the number is exact. Of worlds that are 0 or 1 the interval is the binomial one (Clopper and
Pearson 1934, Biometrika 26:404).

**Rounding.** The tolerance is at least what rounding may do (`Measured.floor`: ROUNDINGS roundings of the
largest number that entered), so that a law that predicts 0 does not fail on 2e-16.

**Hits to intervals.** Where hits are known to lie between two states, both ends must lie inside the
tolerance, or both outside.

**Bounds.** Where the law is a bound (`Law.relation`), what is accepted reaches to infinity on its side.

**Wrong laws.** A law gives one by its number `control`; where others are given (`Rival`), each with what was
observed of it, all of them must be rejected.

**Not finite.** What is predicted as NaN never holds. `inf` (never) holds where all worlds are infinite, and
fails where one is not. An infinite mean fails every finite prediction; an expected running time that is
infinite because no world has hit is at least (evaluations of a world) / (1 - CAP^(1/n)), and fails what is
predicted below. So do an infinite median and an infinite ratio of shares, below the low end of the interval.

The comparison is made on a scale of the law's own (`Scale`): a relative tolerance of a factor is one of its
logarithm.
"""

from __future__ import annotations

import functools
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import scipy
from scipy import special

from studies.claims.base import Verdict
from studies.claims.measured import (
    CAP,
    EPSILON,
    FEWEST,
    MOST,
    ROUNDINGS,
    Interval,
    Law,
    Measured,
    Rival,
    binomial,
)

LARGEST = math.log(sys.float_info.max)  # logarithm of a number


class Chances(NamedTuple):
    """Chances of the two errors: what is rejected where one is small."""

    holds: float  # p-value of: it deviates by the tolerance or more, or the wrong law does not
    fails: float  # p-value of: it deviates by the tolerance or less
    control: float  # p-value of: the wrong law deviates by its tolerance or less

    def verdict(self) -> Verdict:
        """What they decide."""
        if self.fails <= CAP:
            return "fails"
        return "holds" if self.holds <= CAP else "undecided"


@functools.cache
def errors_needed(units: int) -> float:
    """K: the quantile of t that has the level of three normal standard errors."""
    return float(scipy.stats.t.isf(CAP, units - 1)) if units > 1 else math.nan


Rivals = Sequence[Rival]


def chances(law: Law, measured: Measured, rivals: Rivals = ()) -> Chances:
    """The p-values of a judgement; the rule is this module's docstring."""
    if not rivals:
        return _alone(law, measured)
    alone = _alone(replace(law, control=math.nan), measured)
    sharp = max(_alone(*rival).fails for rival in rivals)
    return Chances(max(alone.holds, sharp), alone.fails, sharp)


def _alone(law: Law, measured: Measured) -> Chances:
    """The p-values where the wrong law is a number."""
    predicted, control = law.expected, law.scale.there(law.control)
    if math.isnan(predicted) or math.isnan(measured.value):
        return Chances(1.0, 1.0, 1.0)
    if math.isinf(predicted) or math.isinf(measured.value):
        return _infinite(law, measured, predicted, control)
    inside, outside = _deviation(law, measured, predicted)
    sharp = inside if math.isnan(control) else _deviation(law, measured, control)[1]
    return Chances(max(inside, sharp), outside, sharp)


def _infinite(law: Law, measured: Measured, predicted: float, control: float) -> Chances:
    """Where the predicted or the observed is infinite.

    Certain, but for a running time that was not seen to end.
    """
    if math.isfinite(predicted) and law.relation == ">=":
        enough = math.isnan(measured.least) or predicted - law.slack(predicted) <= measured.least
        return Chances(0.0 if enough else 1.0, 1.0, 0.0 if math.isnan(control) else 1.0)
    if math.isinf(predicted):
        elsewhere = math.isnan(control) and law.relation == "="  # its wrong laws are judged apart
        sharp = math.isfinite(control) or elsewhere
        holds = measured.never and predicted > 0 and sharp
        return Chances(
            0.0 if holds else 1.0, float(measured.never and predicted > 0), 0.0 if holds else 1.0
        )
    long = predicted + law.slack(predicted) >= measured.least  # NaN: it is known to be infinite
    return Chances(1.0, 1.0 if long else 0.0, 1.0)


def _deviation(law: Law, measured: Measured, value: float) -> tuple[float, float]:
    """p-values of: the true value is as far from this one as the tolerance, or further.

    It is as near, or nearer.
    """
    low, high = law.ends(value, max(measured.floor, ROUNDINGS * EPSILON * abs(value)))
    early, late = measured.early, measured.value
    inside = max(_at_least(measured, high, late, value), _at_most(measured, low, early, value))
    if measured.error == 0 and early <= high and late >= low:
        return inside, 1.0  # also at the very end of the tolerance, as where 0 is predicted and seen
    return inside, min(_at_most(measured, high, early, value), _at_least(measured, low, late, value))


def _at_least(measured: Measured, bound: float, seen: float, against: float) -> float:
    """The chance to see no more than was seen, if the true value is the bound or more.

    Args:
        measured: what was observed.
        bound: of the true value.
        seen: the value, or its early one.
        against: what is predicted.
    """
    if math.isinf(bound):
        return float(bound < 0)
    if measured.share:
        units = measured.units
        return (
            0.0
            if bound > 1
            else float(scipy.stats.binom.cdf(round(seen * units), units, max(bound, 0.0)))
        )
    positive = measured.positive or measured.nonnegative
    logarithm = positive and measured.error > 0 and seen > 0 and bound > 0
    distance = (math.log(bound) - math.log(seen)) * seen if logarithm else bound - seen
    return _tail(measured, measured.error, distance, measured.skew, max(abs(seen), abs(against)))


def _at_most(measured: Measured, bound: float, seen: float, against: float) -> float:
    """The chance to see no less than was seen, if the true value is the bound or less.

    The arguments are those of `_at_least`.
    """
    if math.isinf(bound):
        return float(bound > 0)
    if measured.share:
        units = measured.units
        return (
            0.0
            if bound < 0
            else float(scipy.stats.binom.sf(round(seen * units) - 1, units, min(bound, 1.0)))
        )
    if measured.nonnegative and bound < 0:
        return 0.0
    logarithm = measured.nonnegative and measured.under > 0 and seen > 0
    distance = seen * _factor(seen, bound) if logarithm else seen - bound
    return _tail(measured, measured.under, distance, -measured.skew, max(abs(seen), abs(against)))


def _factor(seen: float, bound: float) -> float:
    """The logarithm of what was seen over a bound >= 0."""
    return math.log(seen) - math.log(bound) if bound > 0 else math.inf


def _tail(measured: Measured, error: float, distance: float, skew: float, size: float) -> float:
    """The chance of a distance from the bound; large where it lies on the other side.

    Args:
        measured: what was observed.
        error: of the end on this side.
        distance: from the bound to what was seen.
        skew: of the units, > 0 where the longer tail is on the side of the bound.
        size: of the larger of what was seen and what is predicted.
    """
    units = measured.units
    if measured.sure:
        return 0.0 if distance >= 0 else 1.0
    if units < 2 or not math.isfinite(error):
        return 1.0
    if error > 0:
        return float(special.stdtr(units - 1, -_errors(distance / error, skew, units)))
    if distance < 0 or units < FEWEST:
        return 1.0
    if measured.steady:
        return (1 - measured.steady) ** units
    return 0.0 if distance >= size else (1 - distance / size) ** units


def _out(errors: float, skew: float, units: int) -> float:
    """How many errors away the end lies that has this quantile: further on the side of the longer tail."""
    return errors + max(skew, 0.0) * (1 + 2 * errors**2) / (6 * math.sqrt(units))


def _errors(away: float, skew: float, units: int) -> float:
    """The quantile of an end that lies so many errors away: the inverse of `_out`."""
    a = max(skew, 0.0) / (6 * math.sqrt(units))
    if a * abs(away) < 1e-9:
        return away - a
    root = 1 + 8 * a * (away - a)
    return (math.sqrt(root) - 1) / (4 * a) if root > 0 else -math.inf


def verdict(law: Law, measured: Measured, rivals: Rivals = ()) -> tuple[Verdict, bool]:
    """The verdict, and whether the control is rejected."""
    chance = chances(law, measured, rivals)
    return chance.verdict(), chance.control <= CAP


def needed(law: Law, measured: Measured, rivals: Rivals = ()) -> float:
    """Worlds that would decide, were what they show as now.

    0 where it is decided, inf where no number of them would.
    """
    if verdict(law, measured, rivals)[0] != "undecided":
        return 0.0
    if measured.units < 2 or not math.isfinite(measured.error):
        return math.nan

    def decided(units: int) -> bool:
        growth = units / measured.units
        others = [rival._replace(measured=_grown(rival.measured, growth)) for rival in rivals]
        return verdict(law, _grown(measured, growth), others)[0] != "undecided"

    units = _least(decided, measured.units)
    worlds = units * measured.worlds / measured.units
    return float(math.ceil(worlds)) if math.isfinite(worlds) else math.inf


def _grown(measured: Measured, growth: float) -> Measured:
    """What more worlds would show, were they as these."""
    units, factor = round(measured.units * growth), math.sqrt(growth)
    return measured._replace(
        units=units, error=measured.error / factor, error_below=measured.error_below / factor
    )


def _least(decided: Callable[[int], bool], units: int) -> float:
    """More units than these, with which it is decided: the least to 1 %; inf where they are too many."""
    low, high = units, 2 * units
    while high < MOST and not decided(high):
        low, high = high, 2 * high
    if high >= MOST:
        return math.inf
    while high - low > max(1, high // 100):
        middle = (low + high) // 2
        low, high = (low, middle) if decided(middle) else (middle, high)
    return high


def interval(law: Law, measured: Measured) -> Interval:
    """The ends between which the true value lies, each wrong at CAP; on the scale of the comparison."""
    value, early, n = measured.value, measured.early, measured.units
    if measured.sure or not math.isfinite(value):
        return early if math.isnan(measured.least) else measured.least, value
    if measured.share:
        hits = round(value * n)
        return binomial(hits, n - hits)
    if n < 2 or math.isnan(measured.error):
        return math.nan, math.nan
    if measured.error == 0:
        unseen = _unseen(law, measured)
        return _lower(measured, unseen), value + unseen
    below = _out(errors_needed(n), -measured.skew, n) * measured.under
    above = _out(errors_needed(n), measured.skew, n) * measured.error
    return _lower(measured, below), _upper(measured, above)


def _lower(measured: Measured, below: float) -> float:
    """The lower end, so far below."""
    early = measured.early
    if not measured.nonnegative:
        return early - below
    if measured.error == 0 or early <= 0:
        return max(early - below, 0.0)
    return early * math.exp(-below / early)


def _upper(measured: Measured, above: float) -> float:
    """The upper end, so far above."""
    value = measured.value
    if (measured.positive or measured.nonnegative) and value > 0:
        factor = above / value
        return value * math.exp(factor) if factor < LARGEST else math.inf
    return value + above


def _unseen(law: Law, measured: Measured) -> float:
    """What worlds that were not seen may do to the mean, or a quantile, of worlds that are all equal."""
    if measured.units < FEWEST:
        return math.inf
    if measured.steady:
        return 0.0 if (1 - measured.steady) ** measured.units <= CAP else math.inf
    share = 1 - CAP ** (1 / measured.units)
    return share * max(abs(measured.value), abs(law.expected))


def accepted(law: Law, measured: Measured) -> Interval:
    """The values that are taken for the predicted one, on the scale that is shown.

    The interval of the observed must lie within.
    """
    if not math.isfinite(law.expected):
        return law.predicted, law.predicted
    return law.shown(law.ends(law.expected, measured.floor))
