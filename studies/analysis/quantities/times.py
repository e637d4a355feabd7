"""When each world first reached a loss: `hit(0.1)`."""

from __future__ import annotations

import ast

from studies.analysis.quantities import leaves
from studies.analysis.quantities.question import Call, Question
from studies.analysis.quantities.values import Value

HITS = {"hit": "hit_cost", "best_hit": "best_hit_cost"}


def hit(question: Question, call: Call) -> Value:
    """The cost at which each world first reached a loss."""
    clock = call.given.get("clock", ast.Name("cost"))
    if not (set(call.given) <= {"clock"} and isinstance(clock, ast.Name) and clock.id == "cost"):
        question.refuse(f"{call.name}: expected {call.name}(TARGET), hits are counted by cost")
    target = question.number(call.name, call.arguments)
    late = leaves.hit(question.dataset, target, HITS[call.name])
    early = late - leaves.late_by(question.dataset, target, HITS[call.name])
    return question.between(call.arguments[0], late, early)


WORDS = {"hit": hit, "best_hit": hit}
