"""An arm's optimizer as the study writes it: what `tuning` and `match` set later, its formulas follow.

SGD: {kind: sgd, learning_rate: 0.1, momentum: 1 - learning_rate}    # of the learning rate that ran
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from studies.kinds import registry
from studies.study_file import fields, formulas
from studies.study_file.budgets import with_steps
from studies.study_file.document import Mistaken, Path
from studies.study_file.formulas import Names, Texts
from studies.text.formulas import names_in
from studies.text.shapes import Data, Tree
from studies.text.words import short

if TYPE_CHECKING:
    from studies.study_file.arm import Arm


@dataclass(frozen=True)
class Template:
    """An optimizer's entry on one landscape, before its formulas are resolved.

    Args:
        entry: kind and parameters, some of them formulas.
        texts: of the formulas.
        names: what these may use beside the numbers of the entry.
    """

    entry: Data
    texts: Texts
    names: Names

    def with_values(self, values: Tree) -> Template:
        """The same with other values of parameters, in place of numbers or formulas."""
        texts = {path: text for path, text in self.texts.items() if path[0] not in values}
        return replace(self, entry={**self.entry, **values}, texts=texts)

    def spec(self) -> Data:
        """Kind and all parameters, formulas resolved.

        Raises:
            ValueError: a formula has no value, or the optimizer does not take it.
        """
        try:
            filled = formulas.filled(self.entry, self.texts, self.names)
        except Mistaken as error:
            raise ValueError(error.mistakes[0].text) from error
        complete = _complete(json.dumps(filled, sort_keys=True))
        if complete is None:
            given = ", ".join(f"{name} = {short(value)}" for name, value in filled.items())
            raise ValueError(f"is not allowed: {given}")
        return json.loads(complete)

    def takes(self, values: Tree) -> bool:
        """Whether the optimizer takes these values, and what its formulas make of them."""
        try:
            self.with_values(values).spec()
        except ValueError:
            return False
        return True

    def reading(self, name: str) -> Iterator[Path]:
        """Where formulas stand that read a parameter, themselves or through others."""
        usable = {**self.names, **{str(path[-1]): text for path, text in self.texts.items()}}
        for path, text in self.texts.items():
            if name in _needed(text, usable):
                yield path


def _needed(text: str, names: Names) -> set[str]:
    """The names in a formula, and in the formulas that it uses."""
    needed, ahead = set[str](), [text]
    while ahead:
        new = {*names_in(ahead.pop())} - needed
        needed |= new
        ahead += [str(names[name]) for name in new if isinstance(names.get(name), str)]
    return needed


@functools.lru_cache(2**16)
def _complete(text: str) -> str | None:
    """An entry without formulas, complete, as JSON; None where it is not allowed."""
    entry = json.loads(text)
    cls = registry.find(entry["kind"], "optimizer")
    try:
        checked = fields.entry_model("optimizers", entry["kind"], cls).model_validate(entry)
        parameters = checked.model_dump(include=set(fields.parameter_names(cls)), mode="json")
        spec = {"kind": entry["kind"], **parameters}
        registry.build(spec, "optimizer")
    except ValueError:
        return None
    return json.dumps(spec)


def arm_with(arm: Arm, values: Tree) -> Arm:
    """The arm with other values of its optimizer's parameters, and of all that follows from these.

    Raises:
        ValueError: the optimizer does not take them.
    """  # noqa: DOC502
    if not values:
        return arm
    template = arm.template.with_values(values)
    return with_steps(replace(arm, optimizer=template.spec(), template=template))
