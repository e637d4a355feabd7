"""A matrix of landscapes and methods: what each reached, who is best, and who is not told apart from it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from xarray import Dataset

from studies.analysis.comparison.outcomes import JUDGED
from studies.analysis.comparison.winners import Duel, Finding
from studies.report.answer import Findings, where
from studies.report.cells import shown
from studies.results.arms import numbers_at
from studies.results.precision import precision
from studies.text.schema import Status

LOSS, TIME, AREA = JUDGED
NOTES = (
    "In each cell: the median over worlds of the true loss at the budget that all arms have; below it, on"
    " average over the same worlds, how much worse than the best: what its loss is more, or, where both tie,"
    " how much later it reached the target; and how many worlds reached the last target.",
    "Bold: the lowest median. ✓: better than every other. ≈: not told apart from it. ↑: better than it over"
    " the same worlds, though its own median is higher.",
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
    notes: Sequence[str] = NOTES


def matrix(every: Iterable[Findings], optimizers: Sequence[str]) -> Matrix:
    """A row for each landscape and combination of the axes that touch it.

    Args:
        every: the findings of landscapes.
        optimizers: in the order of the columns.
    """
    return Matrix(optimizers, [row for one in every for row in _rows(one, optimizers)])


def _rows(one: Findings, optimizers: Sequence[str]) -> Iterator[tuple[str, Sequence[Entry]]]:
    successes = _successes(one.data, list(one.every[0].place))
    least = float(precision(one.data).min())
    for finding, reached in zip(one.every, successes, strict=True):
        yield where(one, finding), [_entry(finding, name, reached, least) for name in optimizers]


def _entry(finding: Finding, name: str, reached: Mapping[str, str], least: float) -> Entry:
    """What a method reached: its median, and what stands below it."""
    if name not in finding.medians:
        return Entry()
    median = finding.medians[name]
    text = f"≤ {shown(least)}" if finding.gap and median <= least else shown(median)
    below = " · ".join(filter(None, [_times(_duel(finding, name)), reached.get(name, "")]))
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


def _successes(data: Dataset, axes: Sequence[str]) -> Iterator[Mapping[str, str]]:
    """How many worlds of each method reached the last target, at every combination of the axes."""
    if not data.sizes.get("target"):
        yield from ({} for _ in range(int(np.prod([data.sizes[axis] for axis in axes]))))
        return
    here = data["status"].isel(checkpoint=-1) < Status.FAILED
    reached = here & np.isfinite(data["hit_cost"].isel(target=-1))
    counts = Dataset({"reached": reached.sum("replicate"), "worlds": here.sum("replicate")})
    names = [str(name) for name in data["optimizer"].values]
    for at in numbers_at(counts.transpose("optimizer", ...), axes, ["reached", "worlds"]):
        pairs = zip(names, at["reached"].tolist(), at["worlds"].tolist(), strict=True)
        yield {name: f"{hits} of {worlds}" for name, hits, worlds in pairs if worlds}
