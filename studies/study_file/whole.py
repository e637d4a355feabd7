"""Formulas of numbers that are one for the whole study: they may use the names of `let` alone.

let: {fastest: 0.2, pairs: 64}
replicates: 4 * pairs
tuning: {trials: pairs / 2, ranges: {SGD: {learning_rate: [0.01 * fastest, fastest]}}}
"""

from __future__ import annotations

from collections.abc import Iterator

from studies.study_file.document import Mistake, Path
from studies.study_file.formulas import Names, names_of_let, number, suffice
from studies.text.formulas import is_path, reads_as_formula
from studies.text.shapes import Data, Json

KEYS = ("replicates", "match", "tuning")
TEXTS = ("reference", "quantity", "objective", "per", "scale", "choices")  # keys that hold no numbers


def settled(data: Data) -> Iterator[Mistake]:
    """Put the numbers of such formulas in their place; what is wrong with one is told, and it is taken out.

    Args:
        data: the study, as it is written.
    """
    names = names_of_let(data)
    for key in KEYS:
        if key in data:
            yield from _settle(data, (key,), names)


def _settle(holder: Json, path: Path, names: Names) -> Iterator[Mistake]:
    """The same for what a mapping or list has at the end of a path."""
    key = path[-1]
    value = holder[key]
    if isinstance(value, str) and _is_formula(value, names, choice=isinstance(holder, list)):
        try:
            holder[key] = number(value, names)
        except ValueError as error:
            del holder[key]
            yield Mistake(path, str(error))
    for inner in _numbers_in(value):
        yield from _settle(value, (*path, inner), names)


def _numbers_in(value: Json) -> list[str | int]:
    """The keys, or places, at which numbers may stand, the last first: those that are wrong are taken out."""
    if isinstance(value, dict):
        return [key for key in value if key not in TEXTS]
    return [*reversed(range(len(value)))] if isinstance(value, list) else []


def _is_formula(text: str, names: Names, *, choice: bool) -> bool:
    """Whether a text is meant as a formula; in a list it may be a choice, unless all its names are known."""
    if not reads_as_formula(text, names):
        return False
    try:
        return not choice or is_path(text) or suffice(names, text)
    except ValueError:
        return not choice
