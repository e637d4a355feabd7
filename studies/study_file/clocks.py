"""Budgets of a study on any clock: a number is cost, {steps: 480} is steps."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Annotated

from pydantic import PlainSerializer, PlainValidator, ValidationInfo

from landscapes.oracle.bill import CLOCKS
from studies.study_file.values import Formula
from studies.text.formulas import reads_as_formula
from studies.text.shapes import Data
from studies.text.words import show, suggest

LARGEST = sys.float_info.max
FORMS = (
    "expected a number of evaluations > 0, or one of {steps: ..}, {epochs: ..}, {virtual_time: ..},"
    " {seconds: ..}"
)


def _budget(value: object, info: ValidationInfo) -> object:
    """A number of evaluations > 0, or a mapping clock -> amount of one clock."""
    if not isinstance(value, Mapping):
        return _amount("cost", value, FORMS, info)
    if len(value) != 1:
        raise ValueError(FORMS)
    ((clock, amount),) = value.items()
    if clock not in CLOCKS:
        raise ValueError(f"unknown clock {clock!r}; {suggest(str(clock), CLOCKS)}")
    wrong = f"expected a finite number > 0 for {clock}, got {show(amount)}"
    return {str(clock): _amount(str(clock), amount, wrong, info)}


def _amount(clock: str, value: object, wrong: str, info: ValidationInfo) -> float | Formula:
    """A number > 0, or a formula of one.

    Args:
        clock: of the budget.
        value: the amount.
        wrong: what is said of another value.
        info: names that a formula may use.
    """
    words = (info.context or {}).get("words", ())
    if isinstance(value, Formula) or (isinstance(value, str) and reads_as_formula(value, words)):
        return Formula(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= LARGEST:
        raise ValueError(wrong)
    if clock == "steps" and value != int(value):
        raise ValueError(f"expected a whole number of steps, got {value:g}")
    return float(value)


Budget = Annotated[
    float | dict[str, float],
    PlainValidator(_budget, json_schema_input_type=float | dict[str, float | str] | str),
    PlainSerializer(lambda budget: budget),  # a formula is a text
]


def on_clock(budget: object) -> bool:
    """Whether it is a budget {clock: amount}, and no map landscape label -> budget."""
    return isinstance(budget, Mapping) and bool(budget.keys() & set(CLOCKS))


def scalars(budget: float | Mapping[str, float]) -> Data:
    """A budget as an arm has it: the amount, and its clock."""
    ((clock, amount),) = (budget if isinstance(budget, Mapping) else {"cost": budget}).items()
    return {"budget": amount, "clock": clock}
