"""What is wrong with the laws of a study: labels, axes, quantities, and predictions without a value."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from studies.claims import LawClaim
from studies.claims.asked import is_quantity
from studies.claims.following import follows
from studies.claims.law import STEPS
from studies.results import settings
from studies.study_file import check_named
from studies.study_file.document import Mistake, first_of
from studies.study_file.stated import Place, Stated, hidden, numbers
from studies.text.formulas import evaluate, names_in
from studies.text.schema import GRID
from studies.text.shapes import Tree
from studies.text.words import short, suggest


def mistakes(stated: Stated, law: LawClaim) -> list[Mistake]:
    """What is wrong with a law.

    Args:
        stated: where, and in which study.
        law: the law.
    """
    return first_of(*(check(stated, law) for check in (_rules, _runs, _formulas, check_named.mistakes)))


def _rules(stated: Stated, law: LawClaim) -> Iterator[Mistake]:
    """What is wrong with labels and axes by themselves."""
    for rule in RULES:
        yield from rule(stated, law)


# labels and axes --------------------------------------------------------------------------------------------


def _labels(stated: Stated, law: LawClaim) -> Iterator[Mistake]:
    for key, given in (("landscape", law.landscape), ("optimizer", law.optimizer)):
        for label in [given] if isinstance(given, str) else given or []:
            yield from stated.unknown(key, label, key)


def _runs(stated: Stated, law: LawClaim) -> Iterator[Mistake]:
    """Every optimizer that is named must run on one of the landscapes at least."""
    for label in law.labels():
        yield from stated.runs_nowhere(label, stated.landscapes(), "optimizer")


def _axes(stated: Stated, law: LawClaim) -> Iterator[Mistake]:
    if law.along not in (None, STEPS, *stated.coords):
        if all(law.along in own for own in stated.ran_with) and stated.coords:
            yield from _follows(stated, str(law.along))
        else:
            yield stated.unknown_axis(str(law.along), "along", at_key=False)
    yield from _values(stated, law.at, "at")


def _follows(stated: Stated, name: str) -> Iterator[Mistake]:
    """A number of the arms along which a law is judged must follow an axis."""
    pairs = zip(stated.here, stated.ran_with, strict=True)
    places = [dict(arm.coords) | {name: own[name]} for arm, own in pairs]
    if not any(follows(places, name, axis) for axis in stated.coords):
        text = f"expected an axis, or a number of the arms that is another at each value of one, got {name}"
        yield stated.wrong(text, "along")


def _values(stated: Stated, given: Tree, *keys: str) -> Iterator[Mistake]:
    """What is wrong with values of axes."""
    for axis, value in given.items():
        if axis not in stated.coords:
            yield stated.unknown_axis(axis, *keys, axis)
        elif value not in stated.coords[axis]:
            values = ", ".join(map(short, stated.coords[axis]))
            yield stated.wrong(f"expected one of {values}, got {short(value)}", *keys, axis)


def _regime(stated: Stated, law: LawClaim) -> Iterator[Mistake]:
    for name, span in law.regime.items():
        if len(span) != 2 or span[0] > span[1]:
            yield stated.wrong("expected a range [low, high] with low <= high", "regime", name)
            continue
        values = _numbers_of(stated, name)
        if name == law.along == STEPS:
            continue
        if not values:
            known = [word for own in stated.ran_with[:1] for word in _short(own)]
            hint = suggest(name, [*stated.coords, *known])
            yield stated.wrong(f"unknown axis or number; {hint}", "regime", name, at_key=True)
        elif not numbers(values):
            text = f"expected an axis of numbers, got {name} = {short(values[0])}, .."
            yield stated.wrong(text, "regime", name, at_key=True)
        elif not any(span[0] <= value <= span[1] for value in values):
            text = f"none of the axis is in it: {', '.join(map(short, values))}"
            yield stated.wrong(text, "regime", name)


def _numbers_of(stated: Stated, name: str) -> Sequence[object]:
    """The values of an axis, or of a number of the arms that the law is about."""
    if name in stated.coords:
        return stated.coords[name]
    return list(dict.fromkeys(own[name] for own in stated.ran_with if name in own))


def _short(names: Mapping[str, float]) -> list[str]:
    return [name for name in names if "." not in name]


def _elsewhere(stated: Stated, law: LawClaim) -> Iterator[Mistake]:
    """Wrong laws that are places: their labels and values."""
    for control in law.controls():
        if not isinstance(control, Mapping):
            continue
        for key in GRID:
            if key in control:
                yield from stated.unknown(key, str(control[key]), "control")
        axes = {name: value for name, value in control.items() if name not in GRID}
        for mistake in _values(stated, axes, "control"):
            yield stated.wrong(f"{mistake.path[-1]}: {mistake.text}", "control")


RULES = (_labels, _axes, _regime, _elsewhere)

# formulas and quantities ------------------------------------------------------------------------------------


def _formulas(stated: Stated, law: LawClaim) -> Iterator[Mistake]:
    """What is wrong with the quantity, the prediction and the wrong laws; each mistake once."""
    seen: dict[Mistake, None] = {}
    seen |= dict.fromkeys(_quantity(stated, law.observe, "observe"))
    given = [("predicted", law.predicted), *(("control", control) for control in law.controls())]
    for key, formula in given:
        if isinstance(formula, float) and math.isnan(formula):
            yield stated.wrong("expected a number, got nan", key)
        if isinstance(formula, str):
            seen |= dict.fromkeys(_prediction(stated, formula, key))
    yield from seen


def _prediction(stated: Stated, formula: str, key: str) -> Iterator[Mistake]:
    """A formula must have a value at one place of each landscape or more; a quantity names what there is."""
    for landscape in stated.landscapes():
        places = [place for place in stated.places if place.arm.coords["landscape"] == landscape]
        every = [place.numbers for place in places]
        if is_quantity(formula, stated.words.recorded, every[0] if every else {}):
            yield from _quantity(stated, formula, key)
            continue
        problems = [_problem(formula, place) for place in places]
        if problems and all(problems):
            yield stated.wrong(str(problems[0]), key)
            continue
        lines = hidden(every)
        yield from (stated.wrong(lines[name], key) for name in names_in(formula) if name in lines)


def _problem(formula: str, place: Place) -> str | None:
    """Why a formula has no value at a place; None where it has one."""
    try:
        lacks = not place.numbers.keys() >= set(names_in(formula))
        evaluate(formula, place.numbers, settings.missing([place.ran]) if lacks else None)
    except ValueError as error:
        return str(error)
    return None


def _quantity(stated: Stated, text: str, key: str) -> Iterator[Mistake]:
    """Words of a quantity that the study does not have."""
    for wrong in stated.words.wrong(text):
        yield stated.wrong(wrong, key)
