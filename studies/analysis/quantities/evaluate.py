"""From a quantity to its value: `quantity(dataset, 'median(hit(0.1)["SGD"]) / median(hit(0.1)["ES"])')`.

A quantity is an expression of numbers of each world (`loss`, `hit(0.1)`, `loss(cost=100)`), of numbers of
each arm's settings (`learning_rate`, `optimizer.batch`) and of summaries over worlds (`mean median variance
sd quantile share`). What is still of each world at the end is averaged. Its interval is that of the whole
expression: all parts are resampled together, world by world, so that `mean(loss["ES"]) - mean(loss["SGD"])`
knows that the two share their worlds (`studies.analysis.intervals`).
"""

from __future__ import annotations

import ast
import functools
import itertools
import operator
from collections.abc import Iterator, Sequence

import numpy as np
import xarray as xr
from xarray import DataArray, Dataset

from studies.analysis.intervals.bootstrap import estimate
from studies.analysis.quantities import signs, summaries
from studies.analysis.quantities.calls import CALLS
from studies.analysis.quantities.grammar import parsed
from studies.analysis.quantities.parts import is_smooth
from studies.analysis.quantities.question import Question
from studies.analysis.quantities.shares import NAME
from studies.analysis.quantities.signs import Signs
from studies.analysis.quantities.values import Sample, Summary, of_worlds
from studies.analysis.shapes import LEVEL, ends, interval_of, named, with_interval

ENDS = f"{NAME}_interval"
MOST_BETWEEN = 4  # numbers known to an interval, of which all combinations of ends are computed


def quantity(dataset: Dataset, text: str, *, level: float = LEVEL) -> Dataset:
    """The value of a quantity and its interval.

    Args:
        dataset: a study's results.
        text: the quantity.
        level: of the interval, between 0 and 1.

    Returns:
        `quantity`, `quantity_interval` (bound: low, high) and `worlds`, how many have a number in all of its
        parts; dims landscape, optimizer and the axes, without those that the quantity itself chooses from. Of
        hits also `met_at_start`, in how many worlds the start had a target.

    Raises:
        ValueError: it is none, or the results do not have what it names; in one line.
    """
    if not 0 < level < 1:
        raise ValueError(f"quantity: level: expected 0 < level < 1, got {level:g}")
    tree = parsed(text)
    answer, between = _answered(tree, Question(dataset, text, CALLS, level=level))
    for early in _other_ends(between):
        question = Question(dataset, text, CALLS, early=early, level=level)
        other, _ = _answered(tree, question)
        answer = _with_both(answer, other)
    return answer


def _answered(tree: ast.expr, question: Question) -> tuple[Dataset, frozenset[int]]:
    """Value and interval, and the places in the tree of numbers that are known to an interval."""
    with np.errstate(all="ignore"):
        value = question.value(tree)
    between = frozenset(question.gathered.between)
    if isinstance(value, float):
        question.refuse("expected a quantity of the results, such as median(loss)")
    if isinstance(value, DataArray):
        if not of_worlds(value):
            return _certain(value, question.text, question.level), between
        value = summaries.summary(question, "mean", value)
    positive = signs.never_negative(tree, Signs(question.dataset))
    return _with_starts(_estimated(value, question, positive), question.gathered.met), between


def _with_starts(answer: Dataset, met: Sequence[DataArray]) -> Dataset:
    """The answer, with the worlds whose start had a target of its hits."""
    if not met:
        return answer
    some = functools.reduce(operator.or_, (part == 1 for part in met)).sum("replicate")
    count = some.max([dim for dim in some.dims if dim not in answer[NAME].dims]).astype(int)
    return answer.assign(met_at_start=named(count, "worlds whose start had a target"))


def _other_ends(between: frozenset[int]) -> Iterator[frozenset[int]]:
    """Which of the numbers that are known to an interval are taken at their other end: all combinations.

    Of more than `MOST_BETWEEN` all of them together, and each alone.
    """
    sizes = range(1, len(between) + 1)
    if len(between) > MOST_BETWEEN:
        sizes = [1, len(between)]  # type: ignore[assignment]
    for size in sizes:
        yield from map(frozenset, itertools.combinations(sorted(between), size))


def _with_both(answer: Dataset, other: Dataset) -> Dataset:
    """The first answer, its interval as wide as both."""
    (low, high), (lower, higher) = (ends(part[ENDS]) for part in (answer, other))
    wide = interval_of(low.where(~(lower < low), lower), high.where(~(higher > high), higher))
    return answer.assign({ENDS: wide.assign_attrs(answer[ENDS].attrs)})


def _certain(value: DataArray, text: str, level: float) -> Dataset:
    """A number of the settings: no world knows better."""
    interval = interval_of(value, value)
    result = with_interval(NAME, value, interval, long_name=text, units="", level=level)
    return result.assign(worlds=named(xr.zeros_like(value, dtype=int), "worlds with numbers"))


def _estimated(value: Summary, question: Question, positive: bool) -> Dataset:
    """Value and interval: its own, where it has one, else that of a joint resampling of worlds."""
    gathered = question.gathered
    worlds, count = _worlds(gathered.parts), len(gathered.parts)
    if value.exact is not None:
        exact = value.exact(question.text, question.level).assign(worlds=worlds)
        return exact.assign({ENDS: exact[ENDS].clip(0.0, keep_attrs=True)}) if positive else exact
    result = estimate(
        NAME,
        lambda *arrays, axis: value.of(Sample(arrays[:count], arrays[count:])),
        gathered.parts,
        long_name=question.text,
        units="",
        level=question.level,
        fixed=gathered.fixed,
        positive=positive,
        smooth=is_smooth(parsed(question.text)),
    )
    if gathered.extremes:
        result[ENDS] = result[ENDS].where(False)
    return result.assign(worlds=worlds)


def _worlds(parts: list[DataArray]) -> DataArray:
    """How many worlds have a number in all parts."""
    there = functools.reduce(operator.and_, (part.notnull() for part in parts))
    return named(there.sum("replicate"), "worlds with numbers")
