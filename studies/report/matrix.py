"""A matrix of landscapes and methods: what each reached, who is best, and who is not told apart from it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from xarray import Dataset

from studies.analysis.comparison.outcomes import JUDGED
from studies.analysis.comparison.winners import Duel, Finding
from studies.analysis.running_time.runtime import expected_running_time
from studies.report.answer import Findings, where
from studies.report.cells import places, shown
from studies.results.arms import numbers_at
from studies.results.precision import precision

LOSS, TIME, AREA = JUDGED
LOOSE = 10.0  # half an interval, as a logarithm, beyond which it says nothing
NUMBERS = ("ert", "ert_interval", "successes", "worlds", "target_loss")  # of methods and targets
CELLS = (
    "In each cell: the median over worlds of the true loss at the budget that all arms have; below it, "
)
WORSE = (
    "on average over the same worlds, how much worse than the best: what its loss is more, or, where both"
    " tie, how much later it reached the target."
)
TIMES = (
    "the expected running time, in cost, to the last target that any method reached there, over the least of"
    " any method, with the digits that their intervals allow, ∞ where no world reached it; and how many"
    " worlds did. Where no method reached a target, how much worse its loss is than that of the best."
)
MARKS = (
    "Bold: the lowest median. ✓: better than every other. ≈: not told apart from it. ↑: better than it over"
    " the same worlds, though its own median is higher."
)


class Entry(NamedTuple):
    """What one method reached on one landscape."""

    text: str = "–"
    below: str = ""
    kind: str = ""  # best, sure or alike


class Matrix(NamedTuple):
    """Rows of landscapes, columns of methods."""

    heads: Sequence[str]
    rows: Sequence[tuple[str, Sequence[Entry]]]
    notes: Sequence[str] = (CELLS + WORSE, MARKS)
    times: Sequence[
        str
    ] = ()  # a line on the running times of each row, where some method reached a target


class Reached(NamedTuple):
    """The running times of methods to the last target that any reached."""

    words: Mapping[
        str, str
    ] = {}  # method -> what stands in its cell; none where no method reached a target
    said: str = ""  # all of them, in a line


def matrix(every: Iterable[Findings], optimizers: Sequence[str]) -> Matrix:
    """A row for each landscape and combination of the axes that touch it.

    Args:
        every: the findings of landscapes.
        optimizers: in the order of the columns.
    """
    every = list(every)
    timed = any(one.data.sizes.get("target") for one in every)
    notes = (CELLS + (TIMES if timed else WORSE), MARKS)
    rows = [row for one in every for row in _rows(one, optimizers)]
    said = [f"{place}, {reached.said}" for place, _, reached in rows if reached.said]
    return Matrix(optimizers, [(place, cells) for place, cells, _ in rows], notes, said)


def _rows(one: Findings, optimizers: Sequence[str]) -> Iterator[tuple[str, Sequence[Entry], Reached]]:
    """Where each row is, its cells and the running times there."""
    times = _running_times(one.data, list(one.every[0].place))
    least = float(precision(one.data).min())
    for finding, reached in zip(one.every, times, strict=True):
        cells = [_entry(finding, name, reached.words, least) for name in optimizers]
        yield where(one, finding), cells, reached


def _entry(finding: Finding, name: str, reached: Mapping[str, str], least: float) -> Entry:
    """What a method reached: its median, and what stands below it.

    Args:
        finding: of the place.
        name: of the method.
        reached: method -> words on its running time; none where no method reached a target.
        least: the precision.
    """
    if name not in finding.medians:
        return Entry()
    median = finding.medians[name]
    text = f"≤ {shown(least)}" if finding.gap and median <= least else shown(median)
    below = reached.get(name, "") if reached else _times(_duel(finding, name))
    return Entry(text, below, kind(finding, name))


def kind(finding: Finding, name: str) -> str:
    """How a method stands to the one with the lowest median.

    Returns:
        best: it is that; sure: and better than every other; alike: not told apart from it; ahead: better than
        it over the same worlds; empty: worse.
    """
    if name == finding.winner:
        return "sure" if finding.decided and finding.duels else "best"
    duel = _duel(finding, name)
    if duel is None or duel.better == finding.winner:
        return ""
    return "alike" if duel.better is None else "ahead"


def _duel(finding: Finding, name: str) -> Duel | None:
    """The best against a method."""
    return next((duel for duel in finding.duels if duel.b == name), None)


def _times(duel: Duel | None) -> str:
    """How much worse a method is than the best, which is A."""
    if duel is None or not math.isfinite(duel.difference) or duel.difference == 0:
        return ""
    if not duel.logarithmic:
        return "" if duel.judged == AREA else f"{-duel.difference:+.2g}".replace("-", "−")
    times = f"×{shown(duel.times[0], _second_digit(duel.times[0]))}"
    return {TIME: f"{times} later", AREA: f"{times} on the way"}.get(duel.judged, times)


def _second_digit(value: float) -> int | None:
    """The decimal place of the second digit of a number above 0."""
    return math.floor(math.log10(value)) - 1 if 0 < value < math.inf else None


def _running_times(data: Dataset, axes: Sequence[str]) -> Iterator[Reached]:
    """The running times to the last target that any method reached, at every place.

    Args:
        data: results of a landscape.
        axes: whose combinations are places.
    """
    if not data.sizes.get("target"):
        yield from (Reached() for _ in range(int(np.prod([data.sizes[axis] for axis in axes]))))
        return
    times = expected_running_time(data).transpose("optimizer", "target", "bound", ...)
    names = [str(name) for name in data["optimizer"].values]
    for at in numbers_at(times, axes, NUMBERS):
        solved = np.flatnonzero((at["successes"] > 0).any(0))
        yield _reached(names, at, solved[-1]) if solved.size else Reached()


def _reached(names: Sequence[str], at: Mapping[str, np.ndarray], last: int) -> Reached:
    """The running times of methods to a target.

    Args:
        names: of methods.
        at: their numbers (methods, targets, ..).
        last: place of the target.
    """
    ert, ends = at["ert"][:, last], at["ert_interval"][:, last]
    best = int(np.nanargmin(ert))
    words, said = {}, []
    for number, name in enumerate(names):
        hits, worlds = int(at["successes"][number, last]), int(at["worlds"][number, last])
        if not worlds:
            words[name] = ""
            continue
        many = f"{hits} of {worlds}"
        words[name] = f"time ×{_over(ert, ends, number, best)} · {many}"
        time = shown(float(ert[number]), places(ends[number])) if hits else "never"
        said.append(f"{name} {time} ({many})")
    target = shown(float(at["target_loss"][last]))
    return Reached(words, f"to {target}: {', '.join(said)}")


def _over(ert: np.ndarray, ends: np.ndarray, number: int, best: int) -> str:
    """A running time over the least: the last digit is the first of half its interval, or there is one alone.

    Args:
        ert: (methods,) running times.
        ends: (methods, 2) of their intervals.
        number: of the method.
        best: the method with the least.
    """
    ratio = float(ert[number] / ert[best])
    if number == best or math.isinf(ratio):
        return shown(ratio)
    half = math.hypot(*(_half(ends[place]) for place in (number, best)))
    close = half < LOOSE
    return shown(ratio, math.floor(math.log10(ratio * (math.sinh(half) if close else 1.0))))


def _half(ends: np.ndarray) -> float:
    """Half the width of the interval of a positive number, as a logarithm; inf where it has no ends."""
    low, high = map(float, ends)
    return math.log(high / low) / 2 if 0 < low <= high < math.inf else math.inf
