"""A study on its way from its text to a `Study`: what was read so far, and what is wrong with it.

The checks of `studies.study_file.loading` hand it on from one to the next. Each adds its mistakes; entries
that are wrong are taken out of the data, so that the others can still be checked.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from pydantic import ValidationError

from landscapes.parameters import Parameters
from optimizers.base import Optimizer
from studies.kinds import registry
from studies.study_file import fields, formulas
from studies.study_file.axes import Setting, set_path
from studies.study_file.document import Document, Mistake, Path, mapping, moved
from studies.study_file.errors import mistakes_in
from studies.study_file.model import ENTRIES, FAMILIES, StudyModel, study_model
from studies.text.shapes import Data

Classes = dict[str, dict[str, type[Parameters]]]  # family -> kind -> class
STAND_INS: Data = {  # for wrong values of keys that a study needs
    "name": "unnamed",
    "budget": 1e9,
    "landscapes": {},
    "optimizers": {},
}


@dataclass
class Draft:
    """A study that is being checked.

    Args:
        data: the study as it is written, without entries that are found to be wrong.
        labels: family -> the labels of its entries, also of those that were taken out.
        classes: family -> kind -> class, of all kinds that the study may name.
        mistakes: found so far.
        stand_ins: swept values put where the study itself has none.
    """

    data: Data
    labels: dict[str, list[str]]
    classes: Classes
    mistakes: list[Mistake] = field(default_factory=list)
    stand_ins: list[Setting] = field(default_factory=list)

    @classmethod
    def of(cls, document: Document) -> Draft:
        """The draft of a document that is a mapping; kinds named by import path are imported."""
        data: Data = copy.deepcopy(document.data)
        labels = {family: [*mapping(data.get(family))] for family in FAMILIES}
        draft = cls(data, labels, registered(), [*document.mistakes])
        for family in FAMILIES:
            for label, entry in [*draft.entries(family).items()]:
                draft._import(family, label, mapping(entry).get("kind"))
        return draft

    @cached_property
    def model(self) -> type[StudyModel]:
        """The typed model of a study whose entries may be of these classes."""
        return study_model(self.classes, claims=bool(self.data.get("claims")))

    @cached_property
    def words(self) -> frozenset[str]:
        """The names that a formula may use."""
        return formulas.words(self.data, self.classes)

    @property
    def optimizers(self) -> Mapping[str, type[Optimizer]]:
        """Kind -> class, of all optimizers."""
        return self.classes["optimizers"]  # type: ignore[return-value]

    def entries(self, family: str) -> Data:
        """Label -> entry of a family, as they are written."""
        return mapping(self.data.get(family))

    def read(self, data: Data) -> StudyModel:
        """The study in other data than its own, such as that of one point of its axes.

        Raises:
            ValidationError: it is not as its model has it.
        """  # noqa: DOC502
        return self.model.model_validate(data, context={"words": self.words})

    def typed(self, swept: Iterable[Setting]) -> StudyModel | None:
        """The study as its model has it; None where too little of it is right.

        Args:
            swept: the first value of everything that is swept.
        """
        for setting in swept:
            self._stand_in(setting)
        for _ in range(2):  # once more, without what was wrong
            try:
                return self.read(self.data)
            except ValidationError as error:
                wrong = mistakes_in(error, self.model, self.data)
            self.mistakes += map(self._as_swept, wrong)
            for mistake in wrong:
                self._take_out(mistake.path)
        return None

    def _import(self, family: str, label: str, kind: object) -> None:
        if not isinstance(kind, str) or ":" not in kind or kind in self.classes[family]:
            return
        try:
            imported = registry.find(kind, family[:-1])
            fields.entry_model(family, kind, imported)
        except (Exception, SystemExit) as error:  # noqa: BLE001  a plugin may fail in any way
            ours = isinstance(error, ValueError)
            text = str(error) if ours else f"cannot import {kind!r}: {type(error).__name__}: {error}"
            self.mistakes.append(Mistake((family, label, "kind"), " ".join(text.split())))
            del self.data[family][label]
        else:
            self.classes[family][kind] = imported

    def _stand_in(self, setting: Setting) -> None:
        """A swept parameter needs no other value: where it has none, a swept one stands for it."""
        if _has(self.data, setting.path) or _optional(setting.path):
            return
        with contextlib.suppress(ValueError):  # told where the axis is used
            set_path(self.data, setting.path, copy.deepcopy(setting.value))
            self.stand_ins.append(setting)

    def _as_swept(self, mistake: Mistake) -> Mistake:
        """The mistake, at the place in `sweep` where its value stands if it is a stand-in."""
        for setting in self.stand_ins:
            path = moved(mistake.path, setting.path, setting.source)
            if path is not None:
                return replace(mistake, path=path)
        return mistake

    def _take_out(self, path: Path) -> None:
        """Take out what is wrong: a whole entry, or a key of the study."""
        if not path:
            return
        key = str(path[0])
        if len(path) > 1 and key in ENTRIES:
            self.data[key].pop(str(path[1]), None)
            return
        self.data.pop(key, None)
        if key in STAND_INS:
            self.data[key] = copy.deepcopy(STAND_INS[key])


def registered() -> Classes:
    """Family -> kind -> class, of the kinds in the registries."""
    return {family: dict(registry.FAMILIES[family[:-1]][0]) for family in FAMILIES}


def _optional(path: tuple[str, ...]) -> bool:
    """Whether it is a key of a study that has a default."""
    field = StudyModel.model_fields.get(path[0])
    return len(path) == 1 and field is not None and not field.is_required()


def _has(data: object, path: tuple[str, ...]) -> bool:
    for part in path:
        if not isinstance(data, dict) or part not in data:
            return False
        data = data[part]
    return True
