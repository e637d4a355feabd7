"""Tune a landscape to a statistic.

Give the autocorrelation or the epistasis that it is to have, get the parameter.

The statistic is the mean over worlds, and every trial sees the same worlds and draws (common random numbers),
so it is a function of the parameter alone; it should be monotone. From a first guess, a closed form where one
is known, the search goes the way the statistic must go in ever longer steps until the target is passed.
Between the last two trials an integer is bisected, and a real number found by Brent's method (Brent 1973,
"Algorithms for minimization without derivatives", chapter 4). The closed forms are rho(1) = 1 - (k + 1) / n
of NK (Weinberger 1990), gamma = 1 - k / (n - 1) of NK and c^2 / (c^2 + 2 sigma^2) of Rough Mount Fuji
(Ferretti et al. 2016), and rho(1) = 1 - 2 p / n of p-spin glasses (Weinberger and Stadler 1993).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, get_type_hints

import scipy
from annotated_types import Ge, Gt, Le, Lt

from landscapes.base import Bits, Landscape
from landscapes.binary.mount_fuji import RoughMountFuji
from landscapes.parameters import ranges
from landscapes.probes.binary.catalogue import measure_binary
from landscapes.probes.continuous.catalogue import measure_continuous
from landscapes.probes.measure import Measure
from landscapes.streams import Streams

MOST = 1024  # values of an integer that are considered
STEPS = 20  # trials on the way to an end, or away from the guess
RELATIVE = 1e-8  # to which a real parameter is found
_INFINITE = 1e100  # stands for an infinite statistic

Statistic = Callable[[Landscape, Streams], Measure]


class Tuned(NamedTuple):
    """A landscape that has the statistic, or comes nearest among integers."""

    value: float  # of the parameter, int where that is one
    landscape: Landscape  # with it, not bound
    achieved: float  # the statistic, mean over the worlds
    error: float  # its standard error: between worlds, or of one world that of sampling
    trials: dict[float, float]  # parameter -> statistic, all that were tried


def tune(
    landscape: Landscape,
    parameter: str,
    statistic: str | Statistic,
    target: float,
    *,
    streams: Streams,
    place: int = 0,
    low: float | None = None,
    high: float | None = None,
    samples: int = 1024,
    exhaustive: bool | None = None,
) -> Tuned:
    """Find the value of a parameter at which a statistic has a target value.

    Args:
        landscape: not bound; its other parameters are kept, its value of this one is the first guess where no
            closed form is known.
        parameter: the name of a number among its parameters.
        statistic: a measure by name (of `BINARY_MEASURES` or `CONTINUOUS_MEASURES`), or bound landscape,
            streams -> Measure.
        target: of the mean over worlds.
        streams: the worlds of every trial.
        place: along the axis of the statistic; 0 is lag 1, or order 1.
        low: the least value to try; None: the parameter's own.
        high: the largest; None: the parameter's own.
        samples: where the statistic is sampled.
        exhaustive: as in `measure_binary`; nothing to real coordinates.

    Returns:
        The value, and what it gives.

    Raises:
        ValueError: the parameter is no number, the statistic is not defined, or the target is out of reach:
            the range is named.
    """
    whole = _whole(landscape, parameter)
    low, high = _limits(landscape, parameter, low, high)
    guess = min(max(_guess(landscape, parameter, statistic if place == 0 else "", target), low), high)
    measured = _named(statistic, samples, exhaustive)
    search = _Search(landscape, parameter, measured, float(target), streams, place)
    if whole:
        first = max(low, guess - MOST / 2)
        values = range(math.ceil(first), math.floor(min(high, first + MOST)) + 1)
        search.integer([value for value in values if search.exists(value)], guess)
    else:
        search.real(guess, low, high)
    value = min(search.trials, key=lambda v: search.misses[v])
    return Tuned(value, search.at(value), search.trials[value], search.errors[value], search.trials)


@dataclass
class _Search:
    """The trials of one `tune`; the arguments are its."""

    landscape: Landscape
    parameter: str
    statistic: Statistic
    target: float
    streams: Streams
    place: int
    trials: dict[float, float] = field(default_factory=dict)
    errors: dict[float, float] = field(default_factory=dict)

    @property
    def misses(self) -> dict[float, float]:
        """How far from the target each trial was."""
        return {
            value: math.inf if math.isnan(statistic) else abs(statistic - self.target)
            for value, statistic in self.trials.items()
        }

    def at(self, value: float) -> Landscape:
        """The landscape with this value."""
        return type(self.landscape)(**self.landscape.parameters() | {self.parameter: value})

    def exists(self, value: float) -> bool:
        """Whether the landscape can have this value."""
        try:
            self.at(value)
        except ValueError:
            return False
        return True

    def excess(self, value: float) -> float:
        """The statistic there, less the target."""
        if value not in self.trials:
            streams = dataclasses.replace(self.streams)  # every address is free again
            measured = self.statistic(self.at(value).bind(streams), streams)
            statistic, error = measured.value, measured.error
            if measured.axis is not None:
                statistic, error = statistic[:, self.place], error[:, self.place]
            worlds = len(statistic)
            self.trials[value] = float(statistic.mean())
            self.errors[value] = float(statistic.std() / worlds**0.5 if worlds > 1 else error[0])
        return min(max(self.trials[value] - self.target, -_INFINITE), _INFINITE)

    def integer(self, values: list[int], guess: float) -> None:
        """Try integers until the target lies between two neighbours, or is met."""
        if not values:
            raise ValueError(
                f"tune: {self.landscape.name} has no value of {self.parameter} in this range"
            )
        start = min(range(len(values)), key=lambda i: abs(values[i] - guess))
        a, b = self.passed(
            values[start],
            [values[i] for i in _gallop(start, len(values) - 1)],
            [values[i] for i in _gallop(start, 0)],
        )
        while abs(values.index(int(a)) - values.index(int(b))) > 1:
            middle = values[(values.index(int(a)) + values.index(int(b))) // 2]
            a, b = (middle, b) if self.excess(middle) * self.excess(a) > 0 else (a, middle)

    def real(self, guess: float, low: float, high: float) -> None:
        """Try real numbers until the target is met to rounding."""
        a, b = self.passed(guess, _approach(guess, high, low), _approach(guess, low, high))
        if a != b:
            scipy.optimize.brentq(
                self.excess, a, b, xtol=RELATIVE * max(abs(a), abs(b)), rtol=RELATIVE, disp=False
            )

    def passed(self, guess: float, up: Iterable[float], down: Iterable[float]) -> tuple[float, float]:
        """Two trials with the target between them, or twice one at which it is met.

        First along the way that the statistic must go.
        """
        first = self.excess(guess)
        if math.isnan(first):
            raise ValueError(
                f"tune: the statistic of {self.landscape.name} is not defined at {self.parameter} ="
                f" {guess:g}; start from another value"
            )
        if first == 0:
            return guess, guess
        ways = [iter(up), iter(down)]
        nexts = [next(way, None) for way in ways]
        # below 1 where a step comes nearer, below 0 where it passes the target
        ahead = [math.inf if value is None else self.excess(value) / first for value in nexts]
        for i in (0, 1) if ahead[0] <= ahead[1] else (1, 0):
            last, value = guess, nexts[i]
            while value is not None:
                if self.excess(value) / first <= 0:
                    return last, value
                last, value = value, next(ways[i], None)
        raise ValueError(
            f"tune: expected a target that {self.landscape.name} reaches with {self.parameter},"
            f" {self._reached()}, got {self.target:g}"
        )

    def _reached(self) -> str:
        """The least and the largest statistic of all trials, and where they were."""
        defined = {value: trial for value, trial in self.trials.items() if not math.isnan(trial)}
        least, most = min(defined, key=defined.__getitem__), max(defined, key=defined.__getitem__)
        ends = f"{defined[least]:.6g} .. {defined[most]:.6g}"
        return f"{ends} (at {self.parameter} = {least:g} and {most:g})"


def _whole(landscape: Landscape, parameter: str) -> bool:
    """Whether the parameter is an integer, not a real number."""
    hints = get_type_hints(type(landscape))
    numbers = [name for name in landscape.parameters() if hints[name] in (int, float)]
    if parameter not in numbers:
        raise ValueError(
            f"tune: expected a number among the parameters of {landscape.name}, got {parameter!r}; it has"
            f" {', '.join(numbers)}"
        )
    return hints[parameter] is int


def _gallop(start: int, end: int) -> Iterator[int]:
    """From start (left out) to end, in steps of 1, 2, 4, .."""
    step, sign = 1, 1 if end >= start else -1
    while start != end:
        start = min(start + step, end) if sign > 0 else max(start - step, end)
        step *= 2
        yield start


def _approach(guess: float, end: float, other: float) -> Iterator[float]:
    """From guess (left out) to an end.

    Half of the way at a time and then the end itself, or in ever longer steps where it is infinite.
    """
    if math.isinf(end):
        unit = abs(guess - other) if math.isfinite(other) and guess != other else max(1.0, abs(guess))
        yield from (guess + math.copysign(unit * (2**k - 1), end) for k in range(1, STEPS + 1))
    elif end != guess:
        yield from (end + (guess - end) / 2**k for k in range(1, STEPS + 1))
        yield end


def _limits(
    landscape: Landscape, parameter: str, low: float | None, high: float | None
) -> tuple[float, float]:
    """What is asked for, within what the parameter may be; an open end is left out by a hair."""
    ends = [-math.inf, math.inf]
    for bound in ranges(type(landscape), parameter):
        match bound:
            case Ge(ge=at) | Le(le=at):
                ends[isinstance(bound, Le)] = float(at)  # type: ignore[arg-type]
            case Gt(gt=at) | Lt(lt=at):
                ends[isinstance(bound, Lt)] = math.nextafter(
                    float(at),  # type: ignore[arg-type]
                    math.inf if isinstance(bound, Gt) else -math.inf,
                )
    low, high = (
        ends[0] if low is None else max(low, ends[0]),
        ends[1] if high is None else min(high, ends[1]),
    )
    if low > high:
        raise ValueError(
            f"tune: expected low <= high within {ends[0]:g} .. {ends[1]:g} of {landscape.name}.{parameter},"
            f" got {low:g} .. {high:g}"
        )
    return low, high


def _named(statistic: str | Statistic, samples: int, exhaustive: bool | None) -> Statistic:
    if not isinstance(statistic, str):
        return statistic

    def measured(landscape: Landscape, streams: Streams) -> Measure:
        if isinstance(landscape.domain, Bits):
            return measure_binary(
                landscape, [statistic], samples=samples, streams=streams, exhaustive=exhaustive
            )[statistic]
        return measure_continuous(landscape, statistic, samples=samples, streams=streams)

    return measured


# first guesses ----------------------------------------------------------------------------------------------

_VARIANCES = {"uniform": 1 / 12, "normal": 1.0, "exponential": 1.0, "gumbel": math.pi**2 / 6}


def _fuji_odds(landscape: RoughMountFuji, target: float, *, gamma: bool) -> float:
    """The squared ratio of slope to standard deviation of the noise."""
    if gamma:
        return 2 * target / (1 - target)
    return 4 / landscape.n * target / (1 - 2 / landscape.n - target)


def _fuji(parameter: str, *, gamma: bool) -> Callable[[RoughMountFuji, float], float]:
    def guess(landscape: RoughMountFuji, target: float) -> float:
        ratio = math.sqrt(_fuji_odds(landscape, target, gamma=gamma))
        unit = math.sqrt(_VARIANCES[landscape.law])
        if parameter == "slope":
            return landscape.noise_scale * unit * ratio
        return landscape.slope / unit / ratio

    return guess


# kind, parameter, statistic -> from landscape and target
GUESSES: dict[tuple[str, str, str], Callable[[Any, float], float]] = {
    ("nk", "k", "autocorrelation"): lambda landscape, target: landscape.n * (1 - target) - 1,
    ("nk", "k", "gamma"): lambda landscape, target: (landscape.n - 1) * (1 - target),
    ("spin_glass", "order", "autocorrelation"): lambda landscape, target: (
        landscape.n * (1 - target) / 2
    ),
    **{
        ("mount_fuji", parameter, statistic): _fuji(parameter, gamma=statistic == "gamma")
        for parameter in ("slope", "noise_scale")
        for statistic in ("autocorrelation", "gamma")
    },
}


def _guess(landscape: Landscape, parameter: str, statistic: str | Statistic, target: float) -> float:
    law = GUESSES.get((landscape.name, parameter, statistic)) if isinstance(statistic, str) else None
    own = landscape.parameters()[parameter]
    try:
        guess = math.nan if law is None else law(landscape, target)
    except (ValueError, ZeroDivisionError):  # no value of the parameter has this target in the law
        guess = math.nan
    return guess if math.isfinite(guess) else own
