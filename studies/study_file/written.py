"""An entry of a study as it is written for one arm, and its formulas with what they may use."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import NamedTuple

from pydantic import ValidationError

from landscapes.parameters import Parameters
from studies.study_file import fields, formulas
from studies.study_file.arm import LandscapeOf
from studies.study_file.document import Path
from studies.study_file.formulas import Names, Texts
from studies.study_file.template import Template
from studies.text.shapes import Data, Json, Tree


class Written(NamedTuple):
    """An entry for one arm."""

    path: Path  # of the entry
    raw: Data  # kind and parameters, some of them formulas
    cls: type[Parameters]

    @property
    def family(self) -> str:
        """Landscapes or optimizers."""
        return str(self.path[0])

    @property
    def key(self) -> str:
        """The same for entries that are written alike."""
        return json.dumps([self.family, self.raw], sort_keys=True, default=str)

    def texts(self, words: frozenset[str]) -> Texts:
        """Its formulas; none where it is wrong, which is said when it is made.

        Args:
            words: the names that there are.
        """
        if not any(_has_text(value) for name, value in self.raw.items() if name != "kind"):
            return {}
        model = fields.entry_model(self.family, self.raw["kind"], self.cls)  # type: ignore[arg-type]
        try:
            typed = model.model_validate(self.raw, context={"words": words})
        except ValidationError:
            return {}
        return dict(formulas.texts_in(typed))

    def filled(self, texts: Texts, names: Names) -> Data:
        """Kind and parameters, with the values of the formulas.

        Args:
            texts: its formulas.
            names: what they may use beside the other numbers of the entry.

        Raises:
            Mistaken: a formula has no value.
        """  # noqa: DOC502
        return formulas.filled(self.raw, texts, self._usable(texts, names))

    def template(self, texts: Texts, names: Names) -> Template:
        """The entry with its formulas as they are; arguments as of `filled`."""
        return Template(self.raw, texts, self._usable(texts, names))

    def _usable(self, texts: Texts, names: Names) -> Names:
        """The names, and parameters that are not given."""
        given = {path[0] for path in texts}
        own = {name: value for name, value in formulas.defaults(self.cls).items() if name not in given}
        return {**names, **own}

    def without(self, texts: Texts) -> Data:
        """Kind and the parameters in which there is no formula."""
        given = {path[0] for path in texts}
        return {name: value for name, value in self.raw.items() if name not in given}


def _has_text(value: Json) -> bool:
    """Whether a value is a text, or has one in it."""
    if isinstance(value, dict):
        return any(map(_has_text, value.values()))
    return any(map(_has_text, value)) if isinstance(value, list) else isinstance(value, str)


def names_of(ground: LandscapeOf, noise: Tree) -> dict[str, formulas.Number]:
    """What the formulas of an optimizer may use of a landscape and of the noise of its answers."""
    return {
        **formulas.named("noise", formulas.numbers_of_noise(noise, ground.made.terms)),
        **formulas.named("landscape", formulas.numbers_of_landscape(ground)),
    }


def from_formula(texts: Mapping[Path, str], wrong: Path) -> str:
    """What is said of a wrong number that a formula gave; empty where none did."""
    text = next((text for path, text in texts.items() if path[: len(wrong)] == wrong), None)
    return f", from the formula {text!r}" if text and wrong else ""
