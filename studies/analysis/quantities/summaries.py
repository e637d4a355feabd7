"""Summaries over worlds, and over checkpoints: mean, variance, sd, share, median, quantile, min, max."""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable

from xarray import DataArray, Dataset

from studies.analysis.intervals.proportions import proportion
from studies.analysis.intervals.quantiles import quantiles
from studies.analysis.quantities.functions import (
    EXTREMES,
    OVER_CHECKPOINTS,
    SUMMARIES,
    order_statistic,
)
from studies.analysis.quantities.leaves import When
from studies.analysis.quantities.question import Call, Question
from studies.analysis.quantities.shares import NAME, Condition, Product
from studies.analysis.quantities.values import (
    Summary,
    Value,
    is_condition,
    of_checkpoints,
    of_worlds,
)

SINCE = "since"
Word = Callable[[Question, Call], Value]


def _or_over_checkpoints(of_all: Word) -> Word:
    """A summary of all worlds, with `since=` one of each world, over its own checkpoints from there."""

    @functools.wraps(of_all)
    def of_either(question: Question, call: Call) -> Value:
        return _over_checkpoints(question, call) if _over_time(call) else of_all(question, call)

    return of_either


@_or_over_checkpoints
def summarised(question: Question, call: Call) -> Value:
    """mean(x) is of all worlds; mean(x, since=0.5) of each world, over its own checkpoints from there."""
    _expect(question, call, "x")
    said = f"{ast.dump(call.arguments[0])} {question.where} {question.when}"
    return summary(question, call.name, _worlds(question, call), said)


def summary(question: Question, name: str, values: DataArray, said: str = "") -> Summary:
    """A summary over worlds, by its name.

    Args:
        question: in which it is asked.
        name: of the summary.
        values: dim replicate.
        said: which values these are, and of which arms.

    Raises:
        ValueError: a share of what is no condition.
    """  # noqa: DOC502
    if name != "share":
        return question.gathered.summary(SUMMARIES[name], values)
    if not is_condition(values):
        question.refuse("share: expected a condition, as in share(loss < 0.1)")
    share = question.gathered.summary(
        SUMMARIES[name],
        values,
        exact=lambda text, level: proportion(NAME, values, long_name=text, level=level),
    )
    return share._replace(product=Product(1.0, Condition(values, said)), shares=1)


@_or_over_checkpoints
def median(question: Question, call: Call) -> Value:
    """An observed value, as in all tables: inf of a hit that more than half never made."""
    _expect(question, call, "x")
    return _quantile(question, _worlds(question, call), 0.5)


def quantile(question: Question, call: Call) -> Value:
    """An observed value: at 0.9 the least that 90 % of the worlds do not exceed."""
    _expect(question, call, "x, level")
    values = _worlds(question, call)
    level = question.number("level", call.arguments[1:])
    if not 0 < level < 1:
        question.refuse(f"expected a level 0 < level < 1, got {level:g}")
    return _quantile(question, values, level)


@_or_over_checkpoints
def extreme(question: Question, call: Call) -> Value:
    """The least or largest of these worlds, without an interval; or over checkpoints."""
    question.gathered.extremes.add(id(call.arguments[0]))
    return question.gathered.summary(EXTREMES[call.name], _worlds(question, call))


def _quantile(question: Question, values: DataArray, place: float) -> Summary:
    """A quantile over worlds, with the interval that tables have."""

    def exact(text: str, level: float) -> Dataset:
        told = quantiles(NAME, values, [place], long_name=text, units="", confidence=level)
        return told.isel(quantile=0, drop=True)

    question.gathered.levels.append(place)
    statistic = functools.partial(order_statistic, level=place)
    return question.gathered.summary(statistic, values, exact=exact)


def _over_time(call: Call) -> bool:
    return set(call.given) == {SINCE} and len(call.arguments) == 1


def _over_checkpoints(question: Question, call: Call) -> DataArray:
    """A summary of each world, over its own checkpoints from a fraction of the budget on."""
    since = question.number(SINCE, [call.given[SINCE]])
    values = question.of(when=When(SINCE, since)).value(call.arguments[0])
    if not of_checkpoints(values):
        question.refuse("since: expected the mean of what is recorded at checkpoints")
    return values.reduce(OVER_CHECKPOINTS[call.name], "checkpoint")


def _expect(question: Question, call: Call, arguments: str) -> None:
    """Refuse another number of arguments, and keywords."""
    if call.given or len(call.arguments) != arguments.count(",") + 1:
        question.refuse(f"expected {call.name}({arguments})")


def _worlds(question: Question, call: Call) -> DataArray:
    """The numbers of each world that a summary is of."""
    values = question.value(call.arguments[0])
    if not of_worlds(values):
        question.refuse(f"{call.name}: expected a number of each world, this is one of all")
    return values


WORDS = {"median": median, "quantile": quantile} | dict.fromkeys(SUMMARIES, summarised)
