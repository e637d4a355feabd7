"""Formulas of a study: `learning_rate: 2 / (1 + 1 / condition)`, and the names of `let:`.

A number of an arm may be a formula (`studies.text.formulas`): every parameter of a landscape or optimizer,
also in a list, a schedule, a grid or `on`; noise, oracle, budget, targets, prices. It may use, nearest first:
the numbers beside it and the others of its entry; those of the landscape of the arm, with `dim` and `terms`;
those of the noise; the axes of `sweep`; the names of `let`. `landscape.NAME` and `noise.NAME` say which is
meant, and `let.NAME`: a name of `let` that is a nearer number too, and another one, must say so. A formula is
resolved when the study is read: the number is what runs, is stored and is addressed.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

from pydantic import BaseModel

from landscapes.parameters import Parameters
from studies.results import settings
from studies.results.settings import LET
from studies.study_file import fields
from studies.study_file.arm import LandscapeOf
from studies.study_file.document import Mistake, Mistaken, Path, inside, mapping
from studies.study_file.model import FAMILIES
from studies.study_file.values import Formula
from studies.text.formulas import CONSTANTS, FUNCTIONS, Number, evaluate, is_path, names_in, unknown
from studies.text.shapes import Data, Json, Tree

Texts = Mapping[Path, str]  # of a value in an entry or a study -> its formula
Names = Mapping[str, Number | str]  # a text is a formula itself
Value = TypeVar("Value", Number, Number | str)
Classes = Mapping[str, Mapping[str, type[Parameters]]]
OF_ALL = ("dim", "terms", "batch", "value", "gradient")  # of every landscape, and of the noise


def words(data: Tree, classes: Classes) -> frozenset[str]:
    """The names that a formula of this study may use."""
    used = [cls for family in FAMILIES for cls in _used(data, family, classes)]
    parameters = (name for cls in used for name in fields.parameter_names(cls))
    return frozenset([*mapping(data.get("let")), *mapping(data.get("sweep")), *OF_ALL, *parameters])


def _used(data: Tree, family: str, classes: Classes) -> Iterator[type[Parameters]]:
    """The classes of the entries of a family."""
    kinds = {str(mapping(entry).get("kind")) for entry in mapping(data.get(family)).values()}
    yield from (cls for kind, cls in classes[family].items() if kind in kinds)


def texts_in(typed: object, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Where formulas stand in what a model has read, and what they are."""
    if isinstance(typed, Formula):
        yield path, str(typed)
    for key, inner in _inside(typed):
        yield from texts_in(inner, (*path, key))


def _inside(typed: object) -> Iterable[tuple[str | int, object]]:
    if isinstance(typed, BaseModel):
        return iter(typed)
    if isinstance(typed, dict):
        return typed.items()
    return enumerate(typed) if isinstance(typed, list | tuple) else ()


# names ------------------------------------------------------------------------------------------------------


def numbers_of_landscape(landscape: LandscapeOf) -> dict[str, Number]:
    """Its parameters that are numbers, `dim` and `terms`."""
    made = landscape.made
    return numbers(landscape.spec) | {"dim": made.dim, "terms": made.terms}


def numbers_of_noise(noise: Tree, terms: int) -> dict[str, Number]:
    """Batch (all terms where there is none), and the standard deviations value and gradient."""
    if not noise:
        return {}
    batch = terms if noise["batch"] is None else noise["batch"]
    return {"batch": batch, **numbers(noise["evaluation"])}


def named(head: str, given: Mapping[str, Value]) -> dict[str, Value]:
    """The same, each also by its whole name, as in landscape.dim."""
    return {**{f"{head}.{name}": value for name, value in given.items()}, **given}


def defaults(cls: type[Parameters]) -> dict[str, Number]:
    """The parameters of a kind whose defaults are numbers."""
    return numbers({name: getattr(cls, name, None) for name in fields.parameter_names(cls)})


def numbers(values: Tree) -> dict[str, Number]:
    """Those of the values that are numbers."""
    return {name: value for name, value in values.items() if is_number(value)}


def is_number(value: object) -> bool:
    """Whether it is a number, and not true or false."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def of_let(data: Tree) -> Names:
    """The names of `let`, with what is neither number nor text left out."""
    let = mapping(data.get("let"))
    return {name: value for name, value in let.items() if is_number(value) or isinstance(value, str)}


def names_of_let(data: Tree) -> Names:
    """The same, each also as let.NAME."""
    return named("let", of_let(data))


# values -----------------------------------------------------------------------------------------------------


def filled(raw: Data, texts: Texts, names: Names) -> Data:
    """A copy of an entry, or of a study, with the values of its formulas, each of which may use the others.

    Args:
        raw: as it is written.
        texts: its formulas.
        names: what they may use beside the numbers of `raw`.

    Raises:
        Mistaken: a formula has no value.
    """
    whole = copy.deepcopy(raw)
    for path, text in texts.items():
        try:
            _put(whole, path, number(text, _around(raw, path, texts, names), (str(path[-1]),)))
        except ValueError as error:
            raise Mistaken(Mistake(path, str(error))) from error
    return whole


def number(text: str, names: Names, inside: tuple[str, ...] = ()) -> Number:
    """The value of a formula, those of the formulas in it first; an integer where it is whole.

    Args:
        text: the formula.
        names: what it may use.
        inside: the names whose values are being sought.

    Raises:
        ValueError: it has none.
    """
    needed = names_in(text)
    lacking = [name for name in needed if name not in names and name not in CONSTANTS]
    if lacking and not is_path(text):
        raise ValueError(unknown(lacking[0], names))
    used = {name: _of_name(text, name, names, inside) for name in needed if name in names}
    for name, value in used.items():
        _expect_own(name, value, names, inside)
    plain = {name: value for name, value in names.items() if not isinstance(value, str)}
    value = evaluate(text, {**plain, **used})
    return int(value) if value.is_integer() else value


def suffice(names: Names, text: str) -> bool:
    """Whether a formula needs no name but these, and constants.

    Raises:
        ValueError: it is no formula.
    """  # noqa: DOC502
    return all(name in names or name in CONSTANTS for name in names_in(text))


def _expect_own(name: str, value: Number, names: Names, inside: tuple[str, ...]) -> None:
    """Raise ValueError where a name has another value in `let`, which a nearer number hides."""
    whole = f"{LET}{name}"
    given = names.get(whole)
    if given is None or given is names[name] or whole in inside:
        return
    hidden = _of_name(name, whole, names, inside)
    if hidden != value:
        raise ValueError(settings.hides(name, value, hidden))


def _of_name(text: str, name: str, names: Names, inside: tuple[str, ...]) -> Number:
    """The value of one name in a formula."""
    value = names[name]
    if not isinstance(value, str):
        return value
    if (
        name in inside and names.get(f"{LET}{name}", value) != value
    ):  # sigma: sigma, of the one in `let`
        return _of_name(text, f"{LET}{name}", names, inside)
    if name in inside:
        raise ValueError(f"{text!r} needs {name}, which needs it in turn")
    return number(value, names, (*inside, name))


def _around(raw: Data, path: Path, texts: Texts, names: Names) -> Names:
    """What the formula at a path may use: the names, and nearer ones in each mapping on the way to it."""
    usable, here = dict(names), raw
    for depth, part in enumerate(path):
        usable |= _beside(here, path[:depth], texts, but=path)
        here = inside(here, part)
    return usable


def _beside(here: Json, head: Path, texts: Texts, but: Path) -> dict[str, Number | str]:
    """The numbers and formulas right in a mapping that stands at `head`, without the one at `but`."""
    given = mapping(here)
    inner = {name: texts[*head, name] for name in given if (*head, name) in texts}
    return {**numbers(given), **{name: text for name, text in inner.items() if (*head, name) != but}}


def _put(data: Json, path: Path, value: Number) -> None:
    *above, last = path
    for part in above:
        data = data[part]
    data[last] = value


def mistakes_in_let(data: Tree) -> Iterator[Mistake]:
    """What is wrong with the names of `let`, whatever their values."""
    swept = mapping(data.get("sweep"))
    for name in mapping(data.get("let")):
        if not str(name).isidentifier():
            yield _misnamed(name, "expected a name of letters, digits and _")
        elif name in CONSTANTS or name in FUNCTIONS:
            yield _misnamed(name, f"{name} has a meaning in formulas; take another name")
        elif name in swept:
            yield _misnamed(name, f"{name} is an axis of `sweep` too; take another name")
    yield from _circles({name: value for name, value in of_let(data).items() if name not in OF_ALL})


def _circles(let: Names) -> Iterator[Mistake]:
    """Names that need themselves, each circle once, at the first of its names."""
    seen: set[str] = set()
    for name in let:
        circle = [] if name in seen else _circle(let, [name])
        if circle:
            seen.update(circle)
            yield Mistake(("let", circle[0]), f"{' -> '.join(circle)}: each needs the next")


def _circle(let: Names, way: list[str]) -> list[str]:
    """The names from the first of a way back to it; none where no way leads there."""
    for name in _needed(let[way[-1]]):
        if name == way[0]:
            return [*way, name]
        circle = _circle(let, [*way, name]) if name in let and name not in way else []
        if circle:
            return circle
    return []


def _needed(value: Number | str) -> list[str]:
    """The names in a formula; none in what is no formula."""
    with contextlib.suppress(ValueError):
        return names_in(value) if isinstance(value, str) else []
    return []


def _misnamed(name: str, text: str) -> Mistake:
    return Mistake(("let", name), text, at_key=True)
