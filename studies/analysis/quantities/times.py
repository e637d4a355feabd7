"""When something happened, in each world, and how fast: `hit(0.1)`, `first(theta < 0)`, `rate(loss)`.

    hit(TARGET), best_hit(TARGET)    when the recommended point, or the best evaluated, first reached a loss
    ert(TARGET)                      expected running time: what all worlds spent over the number that hit
    first(CONDITION)                 when a condition on what was recorded first held at a checkpoint
    rate(x)                          b of x = a exp(-b t), fitted to each world; or law=sublinear, exponential

Each on the clock cost, unless `clock=steps`, `epochs`, `virtual_time` or `seconds` says otherwise (a rate:
per step), of the arm that is said inside or behind: rate(loss["SGD"]) is rate(loss)["SGD"]. What never
happened is inf: a median is inf where it never happened in more than half of the worlds, a mean where in any.
Where a time is known to an interval only (a target that the study does not have, a condition, both seen at
checkpoints) the later end is the value, and the interval of a quantity is that of both ends.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

import numpy as np
import xarray as xr
from xarray import DataArray, Dataset

from studies.analysis.noise.pooling import pooled_ratio
from studies.analysis.quantities import leaves, whose
from studies.analysis.quantities.leaves import When
from studies.analysis.quantities.parts import at_checkpoints
from studies.analysis.quantities.question import Call, Question
from studies.analysis.quantities.shares import NAME
from studies.analysis.quantities.values import Summary, Value, is_condition, of_checkpoints
from studies.analysis.running_time.runtime import running_time_interval
from studies.analysis.shapes import LEVEL, interval_of, with_interval
from studies.analysis.trends import rates
from studies.results.arms import asked
from studies.results.hits import before, ran, spent, state_times
from studies.text.schema import CLOCKS, PLACES
from studies.text.words import suggest

CLOCK, LAW = "clock", "law"


def hit(question: Question, call: Call) -> Value:
    """The time at which each world first reached a loss."""
    late, early = _hits(question, call, _clock(question, call))
    return question.between(call.arguments[0], late, early)


def ert(question: Question, call: Call) -> Value:
    """Expected running time: what all worlds spent until their hit, or in all, over the number that hit."""
    clock = _clock(question, call)
    late, early = _hits(question, call, clock)
    hit = question.between(call.arguments[0], late, early)
    reached = (hit < np.inf).astype(float).where(hit.notnull())
    bill = hit.where(reached == 1, spent(question.dataset, clock)).where(hit.notnull())
    return _expected(question, reached, bill)


def _expected(question: Question, reached: DataArray, bill: DataArray) -> Summary:
    """The expected running time, with the interval of tables, at their level."""
    ordinary = question.gathered.summary(pooled_ratio, bill, reached)
    if question.level != LEVEL:
        return ordinary

    def exact(text: str, level: float) -> Dataset:
        value, low, high = running_time_interval(reached, bill)
        return with_interval(NAME, value, interval_of(low, high), long_name=text, units="", level=level)

    return ordinary._replace(exact=exact)


def _hits(question: Question, call: Call, clock: str) -> tuple[DataArray, DataArray]:
    """The later and the earlier end of the time of each world's hit."""
    target = question.number(call.name, call.arguments)
    which = f"{'best_hit' if call.name == 'best_hit' else 'hit'}_{clock}"
    if "start_loss" in question.dataset:
        question.gathered.met.append(leaves.met_at_start(question.dataset, target))
    return leaves.hit(question.dataset, target, which)


def first(question: Question, call: Call) -> Value:
    """The time at which a condition first held at a checkpoint, in each world; inf where it never did."""
    clock = _clock(question, call)
    if len(call.arguments) != 1:
        question.refuse("expected first(CONDITION), as in first(loss < 0.1)")
    holds = question.of(when=When("since", 0.0)).value(call.arguments[0])
    if not of_checkpoints(holds):
        question.refuse("first: expected a condition on what is recorded at checkpoints")
    if not is_condition(holds):
        question.refuse("first: expected a condition, as in first(loss < 0.1)")
    data = _whose(question, call).dataset
    there = ran(data) & asked(data)
    time = state_times(data, clock)
    late = time.where(holds == 1, np.inf).min("checkpoint").where(there)
    early = before(time, data.get("steps", xr.full_like(time, np.nan)), late).where(late < np.inf, late)
    return question.between(call.arguments[0], late, early.where(there))


def rate(question: Question, call: Call) -> Value:
    """The rate at which what was recorded falls, fitted to each world, per step or per unit of a clock."""
    clock = _clock(question, call, "steps")
    law = _word(call.given.get(LAW, ast.Name(rates.LAWS[0]))) or rates.LAWS[0]
    values = question.of(when=When("since", 0.0)).value(call.arguments[0]) if call.arguments else 0.0
    if len(call.arguments) != 1 or not of_checkpoints(values):
        question.refuse("expected rate(x) of what is recorded at checkpoints, as in rate(loss)")
    return rates.of_worlds(state_times(_whose(question, call).dataset, clock), values, law)


def _whose(question: Question, call: Call) -> Question:
    """The question of the arm that all numbers inside say that are seen along a run: its clock is read."""
    said = at_checkpoints(call.arguments[0], leaves.names(question.dataset))
    for word, label in said[0].items():
        if any(word in each and each[word] is None for each in said):
            question.refuse(f"{call.name}: expected a label; write [{word}=..] behind {call.name}(..)")
        of_arms = not word.endswith(PLACES)
        if of_arms and all(each.get(word) == label for each in said):
            question = whose.at(question, whose.dim_of(question, word), ast.Constant(label))
    return question


def _clock(question: Question, call: Call, usual: str = "cost") -> str:
    """The clock of a call."""
    for wrong in wrong_words(call):
        question.refuse(wrong)
    return _word(call.given.get(CLOCK, ast.Name(usual))) or usual


def wrong_words(call: Call) -> Iterator[str]:
    """What is wrong with a call, whatever the results: an argument without its name, a keyword, a word."""
    keywords = KEYWORDS.get(call.name, {})
    if keywords and len(call.arguments) > 1:
        yield f"{call.name}: expected one argument, and others by name, as in {CLOCK}=steps"
    for keyword, node in call.given.items() if keywords else ():
        words, word = [*keywords.get(keyword, ())], _word(node)
        if not words:
            yield f"{call.name}: unknown word {keyword!r}; {suggest(keyword, keywords)}"
        elif word is None:
            yield f"{call.name}: expected a word for {keyword}, as in {keyword}={words[0]}"
        elif word not in words:
            yield f"{keyword}: unknown {keyword} {word!r}; {suggest(word, words)}"


def _word(node: ast.expr) -> str | None:
    """A bare word, or a text in quotes, behind a keyword; None of what is neither."""
    word = node.id if isinstance(node, ast.Name) else getattr(node, "value", None)
    return word if isinstance(word, str) else None


WORDS = {"hit": hit, "best_hit": hit, "ert": ert, "first": first, "rate": rate}
KEYWORDS: dict[str, dict[str, Iterable[str]]] = {  # of each: keyword -> the words that may stand there
    **dict.fromkeys(WORDS, {CLOCK: CLOCKS}),
    "rate": {CLOCK: CLOCKS, LAW: rates.LAWS},
}
