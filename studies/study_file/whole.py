"""Formulas of numbers that are one for the whole study: they may use the names of `let` alone.

let: {fastest: 0.2, pairs: 64}
replicates: 4 * pairs
tuning: {trials: pairs / 2, ranges: {SGD: {learning_rate: [0.01 * fastest, fastest]}}}
claims: {c: {kind: law, .., tolerance: fastest / 4, regime: {learning_rate: [0, fastest]}}}
"""

from __future__ import annotations

from collections.abc import Iterator

from studies.study_file.document import Mistake, Path, mapping
from studies.study_file.formulas import Names, names_of_let, number, suffice
from studies.text.formulas import is_path, reads_as_formula
from studies.text.shapes import Data, Json

KEYS = ("replicates", "precision", "match", "tuning")
OF_CLUSTER = "workers"  # the one number of a cluster; the rest are words of others
OF_CLAIMS = ("tolerance", "regime", "margin", "cost", "at", "control")
ONE = "it is one number for the whole study, of names of `let` alone"
LABELLED = ("at", "control")  # of these, which hold labels too
# keys that hold no numbers
TEXTS = (
    "reference",
    "quantity",
    "objective",
    "per",
    "scale",
    "choices",
    "kind",
    "landscape",
    "optimizer",
)


def settled(data: Data) -> Iterator[Mistake]:
    """Put the numbers of such formulas in their place; what is wrong with one is told, and it is taken out.

    Args:
        data: the study, as it is written.
    """
    names = names_of_let(data)
    for key in KEYS:
        if key in data:
            yield from _settle(data, (key,), names)
    if OF_CLUSTER in mapping(data.get("cluster")):
        yield from _settle(data["cluster"], ("cluster", OF_CLUSTER), names)
    claims = mapping(data.get("claims"))
    for name in [*claims]:
        wrong = [*_of_claim(mapping(claims[name]), ("claims", name), names)]
        if wrong:
            del claims[name]
        yield from wrong
    for label, spec in mapping(data.get("record")).items():
        if "kind" in mapping(spec):
            yield from _settle(data["record"], ("record", label), names, choice=True)


def _of_claim(claim: Data, path: Path, names: Names) -> Iterator[Mistake]:
    """The same for a claim; what a wrong law predicts is a formula of the arms' numbers, and is left."""
    for key in (key for key in OF_CLAIMS if key in claim):
        of_law = key == "control" and claim.get("kind") == "law"
        yield from _settle(claim, (*path, key), names, choice=key in LABELLED, leave=of_law)


def _settle(
    holder: Json, path: Path, names: Names, *, choice: bool = False, leave: bool = False
) -> Iterator[Mistake]:
    """The same for what a mapping or list has at the end of a path.

    Args:
        holder: the mapping or list.
        path: to the value.
        names: those of `let`.
        choice: whether a text may be a label, which is one unless all its names are known.
        leave: whether a text stays as it is, unless it stands in a mapping.
    """
    key = path[-1]
    value, choice = holder[key], choice or isinstance(holder, list)
    if isinstance(value, str) and not leave and _is_formula(value, names, choice=choice):
        try:
            holder[key] = number(value, names)
        except ValueError as error:
            del holder[key]
            yield Mistake(path, f"{error}; {ONE}")
    leave = leave and not isinstance(value, dict)
    for inner in _numbers_in(value):
        yield from _settle(value, (*path, inner), names, choice=choice, leave=leave)


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
