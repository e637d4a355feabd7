"""The words of quantities that are called, and what each gives."""

from __future__ import annotations

import ast
from collections.abc import Callable

from studies.analysis.quantities import constants, leaves, summaries, whose
from studies.analysis.quantities.functions import FUNCTIONS
from studies.analysis.quantities.grammar import AT, PATH
from studies.analysis.quantities.question import Call, Question
from studies.analysis.quantities.values import Value

HITS = {"hit": "hit_cost", "best_hit": "best_hit_cost"}


def applied(question: Question, call: Call) -> Value:
    """A function of numbers, such as sqrt."""
    if call.given:
        question.refuse(f"{call.name}: expected no {next(iter(call.given))}=..")
    return question.joined(FUNCTIONS[call.name], call.arguments)


def path(question: Question, call: Call) -> Value:
    """A function by its import path, of the numbers that each arm ran with."""
    (text,) = call.arguments
    assert isinstance(text, ast.Constant)
    return constants.called(question.dataset, str(text.value), question.where)


def hit(question: Question, call: Call) -> Value:
    """The cost at which each world first reached a loss, as in `hit(0.1)`."""
    clock = call.given.get("clock", ast.Name("cost"))
    if not (set(call.given) <= {"clock"} and isinstance(clock, ast.Name) and clock.id == "cost"):
        question.refuse(f"{call.name}: expected {call.name}(TARGET), hits are counted by cost")
    return leaves.hit(question.dataset, question.number(call.name, call.arguments), HITS[call.name])


CALLS: dict[str, Callable[[Question, Call], Value]] = {
    **summaries.WORDS,
    **dict.fromkeys(HITS, hit),
    **dict.fromkeys(FUNCTIONS, applied),
    AT: whose.chosen,
    PATH: path,
}
