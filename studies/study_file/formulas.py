"""Formulas in the entries of a study: `learning_rate: 2 / (1 + 1 / condition)`, and the names of `let:`.

A parameter that is a number may be a formula (`studies.text.formulas`), also where `on` gives it. It may use,
nearest first: the other numbers of its entry; those of the landscape of the arm, with `dim` and `terms`;
those of the noise; the axes of `sweep`; the names of `let`. `landscape.NAME` and `noise.NAME` say which is
meant. A formula is resolved when the study is read: the number is what runs, is stored and is addressed.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping

from landscapes.base import Landscape
from landscapes.parameters import Parameters
from studies.study_file import fields
from studies.study_file.arm import LandscapeOf
from studies.study_file.document import Mistake, Path, mapping
from studies.study_file.model import FAMILIES
from studies.text.formulas import CONSTANTS, FUNCTIONS, Number, evaluate, names_in
from studies.text.shapes import Data, Json, Tree

Formulas = dict[Path, str]  # of a value in the study -> its text
Names = Mapping[str, Number | str]  # a text is a formula itself
Classes = Mapping[str, Mapping[str, type[Parameters]]]
OF_LANDSCAPES = ("dim", "terms")  # of every landscape, whatever its kind


def taken_out(data: Data, classes: Classes) -> Formulas:
    """The formulas of all entries, which are taken out of the data: what is left are numbers."""
    words = {*mapping(data.get("let")), *mapping(data.get("sweep")), *OF_LANDSCAPES}
    words |= {name for cls in classes["landscapes"].values() for name in fields.parameter_names(cls)}
    formulas: Formulas = {}
    for family in FAMILIES:
        for label, entry in mapping(data.get(family)).items():
            cls = classes[family].get(str(mapping(entry).get("kind")))
            if cls is None:
                continue
            usable, own = words | {*fields.parameter_names(cls)}, fields.literals(cls)
            for path, values in _places((family, label), entry):
                given = {key: values[key] for key in fields.numbers(cls) if key in values}
                for key, value in given.items():
                    if value not in own[key] and _is_formula(value, usable):
                        formulas[(*path, key)] = values.pop(key)
    return formulas


def _places(path: Path, entry: Data) -> Iterator[tuple[Path, Data]]:
    """Where an entry has values of parameters: in itself, and for each landscape under `on`."""
    yield path, entry
    for label, values in mapping(entry.get("on")).items():
        if isinstance(values, dict):
            yield (*path, "on", label), values


def _is_formula(value: object, words: Iterable[str]) -> bool:
    """Whether a text is meant as a formula: an expression of something, or a name that there is."""
    if not isinstance(value, str):
        return False
    try:
        tree = ast.parse(value.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return any(sign in value for sign in "+*/(")  # a wrong one, which its evaluation tells
    if isinstance(tree, ast.Name):
        return tree.id in words
    return not isinstance(tree, ast.Constant)


def put_back(data: Data, formulas: Formulas) -> None:
    """The formulas as they were written, in the data of the study."""
    for path, text in formulas.items():
        place: Json = data
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = text


def of_entry(formulas: Formulas, path: Path) -> dict[str, str]:
    """Parameter -> formula, of those that stand right at a path."""
    return {str(place[-1]): text for place, text in formulas.items() if place[:-1] == path}


# names ------------------------------------------------------------------------------------------------------


def numbers_of_landscape(landscape: LandscapeOf) -> dict[str, Number]:
    """Its parameters that are numbers, `dim` and `terms`."""
    made: Landscape = landscape.made
    return _numbers(landscape.spec) | {"dim": made.dim, "terms": made.terms}


def numbers_of_noise(noise: Tree, terms: int) -> dict[str, Number]:
    """Batch (all terms where there is none), and the standard deviations value and gradient."""
    if not noise:
        return {}
    batch = terms if noise["batch"] is None else noise["batch"]
    return {"batch": batch, **_numbers(noise["evaluation"])}


def named(head: str, numbers: Mapping[str, Number]) -> dict[str, Number]:
    """The same, each also by its whole name, as in landscape.dim."""
    return {**{f"{head}.{name}": value for name, value in numbers.items()}, **numbers}


def own_numbers(entry: Tree, cls: type[Parameters], without: Iterable[str] = ()) -> dict[str, Number]:
    """The numbers of an entry: given ones and defaults, without those that are formulas."""
    defaults = {name: getattr(cls, name, None) for name in fields.parameter_names(cls)}
    given = {name: value for name, value in {**defaults, **entry}.items() if name not in without}
    return _numbers(given)


def _numbers(values: Tree) -> dict[str, Number]:
    return {
        name: value
        for name, value in values.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


# values -----------------------------------------------------------------------------------------------------


def resolved(formulas: Mapping[str, str], whole: Mapping[str, bool], names: Names) -> dict[str, Number]:
    """The values of an entry's formulas, each of which may use the others.

    Args:
        formulas: parameter -> text.
        whole: parameter -> whether it is a whole number.
        names: what they may use beside each other, numbers or the formulas of `let`.

    Raises:
        ValueError: "PARAMETER: why" of the first that has no value.
    """
    values: dict[str, Number] = {}
    for key, text in formulas.items():
        around = {**names, **{name: other for name, other in formulas.items() if name != key}}
        try:
            value = _value(text, around, (key,))
        except ValueError as error:
            raise ValueError(f"{key}: {error}") from error
        values[key] = int(value) if whole.get(key) and value.is_integer() else value
    return values


def _value(text: str, names: Names, inside: tuple[str, ...]) -> float:
    """The value of a formula, those of the formulas in it first."""
    used: dict[str, Number] = {}
    for name in names_in(text):
        value = names.get(name)
        if isinstance(value, str) and name in inside:
            raise ValueError(f"{text!r} needs {name}, which needs it in turn")
        if value is not None:
            used[name] = _value(value, names, (*inside, name)) if isinstance(value, str) else value
    others = {name: value for name, value in names.items() if not isinstance(value, str)}
    return evaluate(text, {**others, **used})


def mistakes_in_let(data: Tree) -> Iterator[Mistake]:
    """What is wrong with the names of `let`, whatever their values."""
    for name in mapping(data.get("let")):
        if not str(name).isidentifier():
            yield Mistake(("let", name), "expected a name of letters, digits and _", at_key=True)
        elif name in CONSTANTS or name in FUNCTIONS:
            yield Mistake(
                ("let", name), f"{name} has a meaning in formulas; take another name", at_key=True
            )
