"""Axes with a name of their own: what they run through, and what each of their values sets.

    N: {values: [10, 40, 160], sets: [optimizers.*.population, noise.batch]}        one number, several paths
    kappa:
      values: [40, 4 * h]
      sets: {landscapes.bowl.condition: kappa, optimizers.GD.learning_rate: 2 / (1 + 1 / kappa)}
    eta: {from: 0.01, to: 1, count: 9, spacing: log, sets: optimizers.SGD.learning_rate}
    shape: {choices: {flat: {landscapes.bowl.condition: 1}, steep: {landscapes.bowl.condition: 100}}}

Values and ends may be formulas of the names of `let`; what is set may use the other axes too, and in an entry
all that a formula there may use. Formulas in entries may use an axis by its name, which then needs no `sets`.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from studies.study_file.document import Mistake, Mistaken, Path, mapping
from studies.study_file.formulas import Names, is_number, number, suffice
from studies.study_file.values import Formula
from studies.text.formulas import is_path, reads_as_formula
from studies.text.shapes import Json, Tree
from studies.text.words import canonical, nearest_path, suggest

RANGE = ("from", "to", "count", "spacing")
KEYS = ("values", *RANGE, "sets", "choices")
FORMS = "expected values: [..], choices: {..}, or from, to and count"
FEWEST = 2  # points of a range
MOST = 10_000
Set = tuple[str, object, Path]  # a path, what it is set to, and where that stands in the study


class Points(NamedTuple):
    """An axis, read."""

    coords: Sequence[object]  # numbers, or the names of its choices
    sets: list[list[Set]]  # of each point


class Target(NamedTuple):
    """A path that an axis sets."""

    path: str
    source: Path  # where it stands in the study
    given: object = None  # to what; None: to the value of the axis

    def at(self, value: object) -> Set:
        """What a value of the axis sets."""
        given = Formula(self.given) if isinstance(self.given, str) else self.given
        return self.path, value if given is None else given, self.source


def is_named(form: object) -> bool:
    """Whether a key of `sweep` is the name of an axis, and its value says what it runs through."""
    return bool(mapping(form)) and not {"zip", "grid"} & mapping(form).keys()


def read(name: str, form: Tree, settable: Sequence[str], let: Names) -> Points:
    """The points of a named axis.

    Args:
        name: of the axis.
        form: what the study says of it.
        settable: every path that an axis may set.
        let: the names of `let`, for the formulas of its values.

    Raises:
        Mistaken: something is wrong with it.
    """
    place: Path = ("sweep", name)
    unknown = [key for key in form if key not in KEYS]
    if unknown:
        raise Mistaken(*(_unknown_key((*place, key)) for key in unknown))
    if "choices" in form:
        return _choices(place, form, settable)
    coords = values(place, form, let)
    targets = [*_targets((*place, "sets"), form.get("sets", []), settable)]
    return Points(coords, [[target.at(value) for target in targets] for value in coords])


def _unknown_key(place: Path) -> Mistake:
    return Mistake(place, f"unknown key for an axis; {suggest(str(place[-1]), KEYS)}", at_key=True)


def wrong(place: Path, text: str, *, at_key: bool = False) -> Mistaken:
    """What is wrong at a place of a study."""
    return Mistaken(Mistake(place, text, at_key))


# values -----------------------------------------------------------------------------------------------------


def values(place: Path, form: Tree, let: Names) -> list[object]:
    """What an axis runs through.

    Args:
        place: of the axis.
        form: values, or from, to, count and spacing.
        let: the names of `let`.

    Raises:
        Mistaken: something is wrong with it.
    """
    ranged = [key for key in RANGE if key in form]
    if "values" not in form:
        return _range(place, form, let)
    if ranged:
        raise wrong((*place, ranged[0]), "expected values or a range, got both", at_key=True)
    return listed((*place, "values"), form["values"], let)


def listed(place: Path, given: object, let: Names) -> list[object]:
    """The values of a list, all different.

    Args:
        place: of the list.
        given: the list.
        let: the names of `let`.

    Raises:
        Mistaken: it is none, or two of its values are equal.
    """
    if not isinstance(given, list):
        raise wrong(place, "expected a list of values")
    if not given:
        raise wrong(place, "expected one value at least, got an empty list")
    settled = [_settled((*place, i), value, let) for i, value in enumerate(given)]
    if len({repr(canonical(value)) for value in settled}) < len(settled):
        raise wrong(place, "expected different values")
    return settled


def _settled(place: Path, value: Json, let: Names) -> object:
    """The number that a formula of `let` alone gives; any other value as it is."""
    if isinstance(value, str) and _of_let_alone(value, let):
        try:
            return number(value, let)
        except ValueError as error:
            raise wrong(place, str(error)) from error
    return value


def _of_let_alone(text: str, let: Names) -> bool:
    if is_path(text) or not reads_as_formula(text, let):
        return False
    try:
        return suffice(let, text)
    except ValueError:  # told where it is set
        return False


def _range(place: Path, form: Tree, let: Names) -> list[object]:
    """`count` numbers from `from` to `to`, evenly or by equal factors."""
    missing = [key for key in ("from", "to", "count") if key not in form]
    if missing:
        some = any(key in form for key in RANGE)
        raise wrong(place, f"{FORMS}; {missing[0]} is missing" if some else FORMS)
    low, high = (_end((*place, key), form[key], let) for key in ("from", "to"))
    count, spacing = form["count"], form.get("spacing", "linear")
    if not isinstance(count, int) or isinstance(count, bool) or not FEWEST <= count <= MOST:
        raise wrong((*place, "count"), f"expected a whole number, {FEWEST} to {MOST}, got {count!r}")
    if spacing not in ("linear", "log"):
        raise wrong((*place, "spacing"), f"expected linear or log, got {spacing!r}")
    positive = "positive " if spacing == "log" else ""
    if low == high or (positive and not min(low, high) > 0):
        raise wrong((*place, "from"), f"expected a range of {positive}numbers that differ")
    ends = np.geomspace(low, high, count) if positive else np.linspace(low, high, count)
    return [float(f"{value:.12g}") for value in ends]  # the last digits depend on the machine's library


def _end(place: Path, given: Json, let: Names) -> float:
    settled = _settled(place, given, let)
    if not is_number(settled):
        raise wrong(place, f"expected a number or a formula of `let`, got {given!r}")
    return float(settled)  # type: ignore[arg-type]


# what is set ------------------------------------------------------------------------------------------------


def _targets(place: Path, sets: object, settable: Sequence[str]) -> Iterator[Target]:
    """Every path that the axis sets: one, a list, or path -> formula; * stands for any label."""
    for pattern, source, given in _patterns(place, sets):
        for path in _matching(pattern, source, settable):
            yield Target(path, source, given)


def _patterns(place: Path, sets: object) -> list[tuple[object, Path, object]]:
    if isinstance(sets, str):
        return [(sets, place, None)]
    if isinstance(sets, list):
        return [(path, (*place, i), None) for i, path in enumerate(sets)]
    if isinstance(sets, Mapping):
        return [(path, (*place, path), given) for path, given in sets.items()]
    raise wrong(place, "expected a path, a list of paths, or path -> formula")


def _matching(pattern: object, source: Path, settable: Sequence[str]) -> list[str]:
    if not isinstance(pattern, str):
        raise wrong(source, f"expected a path, got {pattern!r}")
    matching = [*_fitting(pattern, settable)]
    if not matching:
        near = nearest_path(pattern, settable)
        hint = f"did you mean {near!r}?" if near else "expected one such as optimizers.LABEL.PARAMETER"
        raise wrong(source, f"unknown path {pattern!r}; {hint}")
    return matching


def _fitting(pattern: str, settable: Sequence[str]) -> Iterator[str]:
    """The paths that a pattern means; one without * may lead on into a value."""
    if "*" in pattern:
        for path in settable:
            if path.count(".") == pattern.count(".") and fnmatch.fnmatchcase(path, pattern):
                yield path
    elif any(f"{pattern}.".startswith(f"{path}.") for path in settable):
        yield pattern


def _choices(place: Path, form: Tree, settable: Sequence[str]) -> Points:
    """Named choices, each a mapping path -> value."""
    if len(form) > 1:
        raise wrong(place, "expected choices alone, they say what each sets")
    place, choices = (*place, "choices"), mapping(form["choices"])
    if not choices:
        raise wrong(place, "expected name -> {path: value}")
    sets = [[*chosen((*place, name), given, settable)] for name, given in choices.items()]
    return Points([str(name) for name in choices], sets)


def chosen(place: Path, given: object, settable: Sequence[str]) -> Iterator[Set]:
    """What a mapping path -> value sets; * in a path stands for any label.

    Args:
        place: of the mapping in the study.
        given: the mapping.
        settable: every path that may be set.

    Raises:
        Mistaken: something is wrong with it.
    """
    if not mapping(given):
        raise wrong(place, "expected path -> value")
    for pattern, value in mapping(given).items():
        for path in _matching(pattern, (*place, pattern), settable):
            yield path, value, (*place, pattern)
