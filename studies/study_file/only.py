"""`only`: the landscapes on which an optimizer runs; on the others its arms are absent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from studies.study_file.arm import Arm
from studies.study_file.document import Mistake, mapping
from studies.text.labels import tidy
from studies.text.shapes import Json, Tree
from studies.text.words import suggest


def runs_on(entry: Tree, landscape: str) -> bool:
    """Whether an optimizer's entry asks for a landscape; without `only` for all, and for none ("") always."""
    names = _names(entry)
    return names is None or not landscape or landscape in names


def unknown(label: str, entry: Tree, landscapes: Sequence[str]) -> Iterator[Mistake]:
    """The names in `only` that are no landscapes.

    Args:
        label: of the optimizer.
        entry: of it.
        landscapes: labels of the study.
    """
    for place, name in enumerate(_names(entry) or []):
        if name not in landscapes:
            text = f"unknown landscape {name!r}; {suggest(name, landscapes)}"
            yield Mistake(("optimizers", label, "only", place), text)


def unused(label: str, entry: Tree) -> Iterator[Mistake]:
    """What `on` says of landscapes that `only` leaves out."""
    for landscape in mapping(entry.get("on")):
        if not runs_on(entry, landscape):
            path = ("optimizers", label, "on", landscape)
            yield Mistake(
                path, "`only` leaves this landscape out; give it in one of the two", at_key=True
            )


def nobody(landscapes: Iterable[str], arms: Sequence[Arm]) -> Iterator[Mistake]:
    """The landscapes on which no optimizer runs."""
    there = {arm.coords["landscape"] for arm in arms}
    for label in landscapes:
        if label not in there:
            text = "no optimizer runs here, every `only` leaves it out; name it in one, or leave it out"
            yield Mistake(("landscapes", label), text, at_key=True)


def _names(entry: Tree) -> list[str] | None:
    """The landscapes that `only` names, as labels are written; None where it says nothing."""
    given: Json = entry.get("only")
    return [tidy(name) for name in given if isinstance(name, str)] if isinstance(given, list) else None
