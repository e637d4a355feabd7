"""What is wrong with whose numbers the quantities of a law are: labels, arms, places that change nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from studies.analysis.quantities.grammar import parsed
from studies.analysis.quantities.parts import selections
from studies.claims import LawClaim
from studies.claims.asked import is_quantity
from studies.claims.law import Elsewhere
from studies.study_file.document import Mistake, first_of
from studies.study_file.stated import Stated
from studies.text.schema import GRID
from studies.text.shapes import Data

Said = list[Data]  # what each number of a quantity says of itself


def mistakes(stated: Stated, law: LawClaim) -> Iterator[Mistake]:
    """What is wrong with the labels of a law's quantities, which can be read.

    Args:
        stated: where, and in which study.
        law: the law.
    """
    said = {key: _said(stated, text) for key, text in _texts(law)}
    wrong = first_of(
        (mistake for key, each in said.items() for mistake in _arms(stated, each, key)),
        _places(stated, law, said),
    )
    yield from dict.fromkeys(wrong)


def _texts(law: LawClaim) -> Iterator[tuple[str, str]]:
    """Key and text of all that may be a quantity."""
    given = [law.observe, law.predicted, *law.controls()]
    keys = ["observe", "predicted", *("control" for _ in law.controls())]
    yield from ((key, text) for key, text in zip(keys, given, strict=True) if isinstance(text, str))


def _said(stated: Stated, text: str) -> Said:
    """What the numbers of a quantity say of themselves; nothing of a formula."""
    numbers = [name for own in stated.ran_with for name in own]
    return selections(parsed(text)) if is_quantity(text, stated.words.recorded, numbers) else []


def _arms(stated: Stated, said: Said, key: str) -> Iterator[Mistake]:
    """An optimizer that is named with a landscape must run on it."""
    for each in said:
        if each.keys() >= set(GRID):
            yield from stated.runs_nowhere(each["optimizer"], [str(each["landscape"])], key)


def _places(stated: Stated, law: LawClaim, said: Mapping[str, Said]) -> Iterator[Mistake]:
    """A wrong law that is a place must be another for what is observed, or predicted."""
    every = [each for key in ("observe", "predicted") for each in said.get(key, [])]
    if isinstance(law.predicted, str) and not said["predicted"]:
        return  # a formula of the numbers there
    for control in law.controls():
        if isinstance(control, Mapping) and not any(_changes(each, control) for each in every):
            names = " and ".join(map(str, control))
            text = f"expected another place for the law, but each of its numbers says its own {names}"
            yield stated.wrong(text, "control")


def _changes(said: Data, control: Elsewhere) -> bool:
    """Whether a number is another one at a place."""
    return any(name not in said and re.sub(r"\W", "_", name) not in said for name in control)
