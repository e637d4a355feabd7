"""Summaries over worlds: mean, variance, sd, share, median, quantile; and the mean over checkpoints."""

from __future__ import annotations

import xarray as xr

from studies.analysis.quantities.functions import SUMMARIES, order_statistic
from studies.analysis.quantities.question import Call, Question
from studies.analysis.quantities.values import Summary, Value, of_worlds


def summarised(question: Question, call: Call) -> Value:
    """mean(x) is of all worlds; mean(x, since=0.5) of each world, over its checkpoints from there."""
    if call.name == "mean" and set(call.given) == {"since"} and len(call.arguments) == 1:
        return _over_checkpoints(question, call)
    _expect(question, call, "x")
    return summary(question, call.name, _worlds(question, call))


def summary(question: Question, name: str, values: xr.DataArray) -> Summary:
    """A summary over worlds, by its name.

    Raises:
        ValueError: a share of what is no condition.
    """  # noqa: DOC502
    if name != "share":
        return question.gathered.summary(SUMMARIES[name], values)
    if not bool((values.isnull() | values.isin([0.0, 1.0])).all()):
        question.refuse("share: expected a condition, as in share(loss < 0.1)")
    return question.gathered.summary(SUMMARIES[name], values, exact=True)


def median(question: Question, call: Call) -> Value:
    """An observed value, as in all tables: inf of a hit that more than half never made."""
    _expect(question, call, "x")
    values = _worlds(question, call)
    return question.gathered.quantile(order_statistic, values, 0.5)


def quantile(question: Question, call: Call) -> Value:
    """An observed value: at 0.9 the least that 90 % of the worlds do not exceed."""
    _expect(question, call, "x, level")
    values = _worlds(question, call)
    level = question.number("level", call.arguments[1:])
    if not 0 < level < 1:
        question.refuse(f"expected a level 0 < level < 1, got {level:g}")
    return question.gathered.quantile(order_statistic, values, level)


def _over_checkpoints(question: Question, call: Call) -> xr.DataArray:
    since = question.number("since", [call.given["since"]])
    values = question.of(since=since).value(call.arguments[0])
    if not (isinstance(values, xr.DataArray) and "checkpoint" in values.dims):
        question.refuse("since: expected the mean of what is recorded at checkpoints")
    return values.mean("checkpoint")


def _expect(question: Question, call: Call, arguments: str) -> None:
    """Refuse another number of arguments, and keywords."""
    if call.given or len(call.arguments) != arguments.count(",") + 1:
        question.refuse(f"expected {call.name}({arguments})")


def _worlds(question: Question, call: Call) -> xr.DataArray:
    """The numbers of each world that a summary is of."""
    values = question.value(call.arguments[0])
    if not of_worlds(values):
        question.refuse(f"{call.name}: expected a number of each world, this is one of all")
    return values  # type: ignore[return-value]


WORDS = {"median": median, "quantile": quantile} | dict.fromkeys(SUMMARIES, summarised)
