"""The words of quantities that are called, and what each gives."""

from __future__ import annotations

import ast
from collections.abc import Callable

from studies.analysis.quantities import along, constants, distance, summaries, times, whose
from studies.analysis.quantities.functions import EXTREMES, FUNCTIONS
from studies.analysis.quantities.grammar import AT, PATH
from studies.analysis.quantities.question import Call, Question
from studies.analysis.quantities.values import Value


def applied(question: Question, call: Call) -> Value:
    """A function of numbers, such as sqrt; min and max of one argument are of all worlds."""
    if call.name in EXTREMES and len(call.arguments) == 1:
        return summaries.extreme(question, call)
    if call.given:
        question.refuse(f"{call.name}: expected no {next(iter(call.given))}=..")
    return question.joined(FUNCTIONS[call.name], call.arguments)


def path(question: Question, call: Call) -> Value:
    """A function by its import path, of the numbers that each arm ran with."""
    (text,) = call.arguments
    assert isinstance(text, ast.Constant)
    return constants.called(question.dataset, str(text.value), question.where)


CALLS: dict[str, Callable[[Question, Call], Value]] = {
    **summaries.WORDS,
    **times.WORDS,
    **along.WORDS,
    **distance.WORDS,
    **dict.fromkeys(FUNCTIONS, applied),
    AT: whose.chosen,
    PATH: path,
}
