"""Axes with a name of their own: what they run through, and what each of their values sets.

    N: {values: [10, 40, 160], sets: [optimizers.*.population, noise.batch]}        one number, several paths
    kappa:
      values: [40, 160]
      sets: {landscapes.bowl.condition: kappa, optimizers.GD.learning_rate: 2 / (1 + 1 / kappa)}
    eta: {from: 0.01, to: 1, count: 9, spacing: log, sets: optimizers.SGD.learning_rate}
    shape: {choices: {flat: {landscapes.bowl.condition: 1}, steep: {landscapes.bowl.condition: 100}}}

Formulas in entries may use the axis by its name too; such an axis needs no `sets`.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from studies.study_file.document import Mistake, Path, mapping
from studies.text.formulas import Number, evaluate
from studies.text.shapes import Tree
from studies.text.words import canonical, nearest, suggest

RANGE = ("from", "to", "count", "spacing")
KEYS = ("values", *RANGE, "sets", "choices")
FEWEST = 2  # points of a range
Target = tuple[
    str, Path, object
]  # a path that is set, where it stands in the study, and its formula (None: the value)


class Points(NamedTuple):
    """An axis, read."""

    coords: list[object]  # numbers, or the names of its choices
    sets: list[
        list[tuple[str, object, Path]]
    ]  # of each point: path, value, and where it stands in the study


def is_named(form: object) -> bool:
    """Whether a key of `sweep` is the name of an axis, and its value says what it runs through."""
    return bool(mapping(form)) and not {"zip", "grid"} & mapping(form).keys()


def read(name: str, form: Tree, settable: Sequence[str]) -> tuple[Points, list[Mistake]]:
    """The points of a named axis, and what is wrong with it.

    Args:
        name: of the axis.
        form: what the study says of it.
        settable: every path that an axis may set.
    """
    place: Path = ("sweep", name)
    wrong = [
        Mistake((*place, key), f"unknown key for an axis; {suggest(key, KEYS)}", at_key=True)
        for key in form
        if key not in KEYS
    ]
    try:
        points = Points([], []) if wrong else _points(name, form, settable)
    except _Wrong as error:
        return Points([], []), [*wrong, error.mistake]
    return points, wrong


class _Wrong(Exception):
    """A mistake of an axis."""

    def __init__(self, place: Path, text: str, *, at_key: bool = False) -> None:
        super().__init__(text)
        self.mistake = Mistake(place, text, at_key)


def _points(name: str, form: Tree, settable: Sequence[str]) -> Points:
    place: Path = ("sweep", name)
    if "choices" in form:
        if len(form) > 1:
            raise _Wrong(place, "expected choices alone, they say what each sets")
        return _choices(place, form["choices"], settable)
    values = _values(place, form)
    targets = [*_targets((*place, "sets"), form.get("sets", []), settable)]
    sets = [[_set(name, value, target) for target in targets] for value in values]
    return Points(values, sets)


def _values(place: Path, form: Tree) -> list[object]:
    given = [key for key in RANGE if key in form]
    if "values" in form:
        values = form["values"]
        if given:
            raise _Wrong((*place, given[0]), "expected values or a range, got both", at_key=True)
        if not isinstance(values, list) or not values:
            raise _Wrong((*place, "values"), "expected a list of values")
        if len({repr(canonical(value)) for value in values}) < len(values):
            raise _Wrong((*place, "values"), "expected different values")
        return values
    missing = [key for key in ("from", "to", "count") if key not in form]
    if missing:
        text = "expected values: [..], choices: {..}, or from, to and count"
        raise _Wrong(place, f"{text}; {missing[0]} is missing" if given else text)
    return _range(place, form)


def _range(place: Path, form: Tree) -> list[object]:
    """`count` numbers from `from` to `to`, evenly or by equal factors."""
    low, high, count, spacing = form["from"], form["to"], form["count"], form.get("spacing", "linear")
    for key in ("from", "to"):
        if not isinstance(form[key], int | float) or isinstance(form[key], bool):
            raise _Wrong((*place, key), f"expected a number, got {form[key]!r}")
    if not isinstance(count, int) or isinstance(count, bool) or count < FEWEST:
        raise _Wrong((*place, "count"), f"expected a whole number >= {FEWEST}, got {count!r}")
    if spacing not in ("linear", "log"):
        raise _Wrong((*place, "spacing"), f"expected linear or log, got {spacing!r}")
    if low == high or (spacing == "log" and not min(low, high) > 0):
        raise _Wrong(
            (*place, "from"),
            f"expected a range of {'positive ' * (spacing == 'log')}numbers that differ",
        )
    ends = np.geomspace(low, high, count) if spacing == "log" else np.linspace(low, high, count)
    return [float(f"{value:.12g}") for value in ends]  # the last digits depend on the machine's library


def _targets(place: Path, sets: object, settable: Sequence[str]) -> Iterator[Target]:
    """Every path that the axis sets: one, a list, or path -> formula; * stands for any label."""
    if isinstance(sets, str):
        given: list[Target] = [(sets, place, None)]
    elif isinstance(sets, list):
        given = [(path, (*place, i), None) for i, path in enumerate(sets)]
    elif isinstance(sets, Mapping):
        given = [(path, (*place, path), formula) for path, formula in sets.items()]
    else:
        raise _Wrong(place, "expected a path, a list of paths, or path -> formula")
    for pattern, source, formula in given:
        for path in _matching(pattern, source, settable):
            yield path, source, formula


def _matching(pattern: object, source: Path, settable: Sequence[str]) -> list[str]:
    if not isinstance(pattern, str):
        raise _Wrong(source, f"expected a path, got {pattern!r}")
    if "*" in pattern:
        parts = pattern.count(".")
        matching = [
            path for path in settable if path.count(".") == parts and fnmatch.fnmatchcase(path, pattern)
        ]
    else:
        matching = [pattern] if any(f"{pattern}.".startswith(f"{path}.") for path in settable) else []
    if not matching:
        near = nearest(pattern, settable)
        hint = f"did you mean {near!r}?" if near else "expected one such as optimizers.LABEL.PARAMETER"
        raise _Wrong(source, f"unknown path {pattern!r}; {hint}")
    return matching


def _set(name: str, value: object, target: Target) -> tuple[str, object, Path]:
    """What a value of the axis sets at one path: itself, or that of a formula of it."""
    path, source, formula = target
    if formula is None:
        return path, value, source
    numbers: dict[str, Number] = {name: value} if isinstance(value, int | float) else {}
    try:
        number = evaluate(formula, numbers)  # type: ignore[arg-type]
    except ValueError as error:
        raise _Wrong(source, str(error)) from error
    return path, int(number) if number.is_integer() else number, source


def _choices(place: Path, choices: object, settable: Sequence[str]) -> Points:
    """Named choices, each a mapping path -> value."""
    place = (*place, "choices")
    if not mapping(choices):
        raise _Wrong(place, "expected name -> {path: value}")
    sets = []
    for choice, values in mapping(choices).items():
        if not mapping(values):
            raise _Wrong((*place, choice), "expected path -> value")
        sets.append([
            (path, value, (*place, choice, pattern))
            for pattern, value in values.items()
            for path in _matching(pattern, (*place, choice, pattern), settable)
        ])
    return Points([str(choice) for choice in mapping(choices)], sets)
