"""The words of quantities that are called, and what each gives."""

from __future__ import annotations

import ast
from collections.abc import Callable

from studies.analysis.quantities import along, constants, distance, fits, summaries, times, whose
from studies.analysis.quantities.functions import EXTREMES, FUNCTIONS
from studies.analysis.quantities.grammar import AT
from studies.analysis.quantities.question import Call, Question
from studies.analysis.quantities.values import Value
from studies.text.formulas import PATH, path_called


def applied(question: Question, call: Call) -> Value:
    """A function of numbers, such as sqrt; min and max of one argument are of all worlds."""
    if call.name in EXTREMES and len(call.arguments) == 1:
        return summaries.extreme(question, call)
    if call.given:
        question.refuse(f"{call.name}: expected no {next(iter(call.given))}=..")
    return question.joined(FUNCTIONS[call.name], call.arguments)


def path(question: Question, call: Call) -> Value:
    """A function by its import path, of the numbers that each arm ran with, or that are given by name."""
    named = path_called(ast.Call(ast.Name(PATH), [*call.arguments], []))
    own = ", ".join(f"{name}={ast.unparse(value)}" for name, value in call.given.items())
    return constants.called(question.dataset, f"{named}({own})" if own else named, question.where)


CALLS: dict[str, Callable[[Question, Call], Value]] = {
    **summaries.WORDS,
    **times.WORDS,
    **along.WORDS,
    **fits.WORDS,
    **distance.WORDS,
    **dict.fromkeys(FUNCTIONS, applied),
    AT: whose.chosen,
    PATH: path,
}
