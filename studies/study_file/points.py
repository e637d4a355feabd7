"""A study at each combination of its swept values.

Combinations share what no axis between them touches: an entry, or a section of the study, is copied and read
once for all that set the same values in it, so that two axes of n and m values take n + m readings.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from pydantic import ValidationError

from studies.study_file.axes import Setting, set_path, taken_out
from studies.study_file.document import Mistake, Mistaken, Path, moved
from studies.study_file.draft import STAND_INS, Draft
from studies.study_file.errors import mistakes_in
from studies.study_file.formulas import Names, names_of_let, number, numbers, texts_in
from studies.study_file.grounds import NOISE, OTHERS, PRICE
from studies.study_file.model import FAMILIES, StudyModel
from studies.study_file.values import Formula
from studies.study_file.variants import Variant, Where
from studies.text.formulas import names_in
from studies.text.shapes import Data

WITH_FORMULAS = (*PRICE, *NOISE, *(key for keys in OTHERS for key in keys))  # sections of a study


@dataclass(frozen=True)
class At:
    """A combination of the swept values.

    Args:
        coords: axis -> its value.
        where: where in the study the values stand, which are elsewhere in its data.
    """

    coords: dict[str, Any]
    where: Where

    def of(self, variant: Variant) -> At:
        """The same with the values that a variant has by its grid, or on a landscape."""
        return At(self.coords, {**self.where, **variant.where}) if variant.where else self

    def source(self, path: Path) -> Path | None:
        """Where in the study a value stands that is at this path of the data; None: there."""
        places = (moved(path, elsewhere, source) for elsewhere, source in self.where.items())
        return next(filter(None, places), None)


class Read(NamedTuple):
    """What a study says beside its landscapes and optimizers, as its model has it."""

    study: StudyModel
    formulas: bool  # whether there are any: what they give may differ from landscape to landscape


@dataclass(frozen=True)
class Point:
    """A study at one combination of the swept values, as data and typed."""

    at: At
    data: dict[str, Any]
    read: Read

    @property
    def study(self) -> StudyModel:
        """As its model has it."""
        return self.read.study

    @property
    def around(self) -> Names:
        """What every formula may use here: the axes, and the names of `let`."""
        return {**names_of_let(self.data), **numbers(self.at.coords)}


Set = tuple[Setting, object]  # and the value that it sets
Key = tuple[object, ...]


@dataclass
class Points:
    """Makes the points of a study.

    Args:
        draft: the study.
        note: takes mistakes, and the combination of values at which they are.
    """

    draft: Draft
    note: Callable[[Sequence[Mistake], At], None]
    # values set in a part -> what it is with these, and the values themselves, so that their ids stay theirs
    _parts: dict[Key, tuple[Any, Sequence[Set]]] = field(default_factory=dict)
    _families: dict[Key, Data] = field(default_factory=dict)
    _reads: dict[Key, Read] = field(default_factory=dict)

    def point(
        self, coords: dict[str, Any], settings: Sequence[Setting], *, alone: bool = False
    ) -> Point | None:
        """The study with these values set; None and a mistake where that cannot be.

        Args:
            coords: axis -> its value.
            settings: what is set.
            alone: of one axis; a mistake does not tell of the others.
        """
        try:
            return self._shared(coords, settings)
        except (ValueError, KeyError, Mistaken):  # said as of the whole study
            return self._whole(coords, settings, alone=alone)

    def _shared(self, coords: dict[str, Any], settings: Sequence[Setting]) -> Point:
        """A point made of parts that others have too.

        Raises:
            ValueError: something is wrong in it.
        """  # noqa: DOC502
        grouped: dict[str, list[Set]] = {}
        for setting in settings:
            if not taken_out(setting, self._data):
                value = self._value(setting, coords)
                grouped.setdefault(setting.path[0], []).append((setting, value))
        families = {key: self._family(key, grouped.pop(key)) for key in FAMILIES if key in grouped}
        changed = {key: self._section(key, sets) for key, sets in grouped.items()}
        at = At(coords, {setting.path: setting.source for setting in settings})
        sections = {key: data for key, (data, _) in changed.items()}
        return Point(at, {**self._data, **sections, **families}, self._read(changed))

    @cached_property
    def _data(self) -> Data:
        """The study without its axes; nobody changes it."""
        return copy.deepcopy({key: part for key, part in self.draft.data.items() if key != "sweep"})

    @cached_property
    def _whole_study(self) -> StudyModel:
        return self.draft.read(self._data)

    def _value(self, setting: Setting, coords: dict[str, Any]) -> object:
        if not isinstance(setting.value, Formula):
            return setting.value
        return _value(setting, {**names_of_let(self._data), **numbers(coords)})

    def _family(self, key: str, sets: Sequence[Set]) -> Data:
        """The entries of a family with these values."""
        place = (key, *_identities(sets))
        if place not in self._families:
            self._families[place] = self._new_family(key, sets)
        return self._families[place]

    def _new_family(self, key: str, sets: Sequence[Set]) -> Data:
        by_label: dict[str, list[Set]] = {}
        for setting, value in sets:
            by_label.setdefault(setting.path[1] if len(setting.path) > 1 else "", []).append((
                setting,
                value,
            ))
        entries = {label: self._entry(key, label, own) for label, own in by_label.items()}
        return {**self._data[key], **entries}

    def _entry(self, key: str, label: str, sets: Sequence[Set]) -> Data:
        place = (key, label, *_identities(sets))
        if place not in self._parts:
            data = _with({key: copy.deepcopy({label: self._data[key][label]})}, sets)
            self.draft.read({**STAND_INS, **data})  # raises where it is wrong
            self._parts[place] = data[key][label], sets
        return self._parts[place][0]

    def _section(self, key: str, sets: Sequence[Set]) -> tuple[Data, StudyModel]:
        """A key of the study with these values, and as its model has it."""
        place = (key, *_identities(sets))
        if place not in self._parts:
            data = copy.deepcopy({key: self._data[key]} if key in self._data else {})
            data = _with(data, sets)
            part = data[key], getattr(self.draft.read({**STAND_INS, **data}), key)
            self._parts[place] = part, sets
        return self._parts[place][0]

    def _read(self, changed: dict[str, tuple[Data, StudyModel]]) -> Read:
        """The study with these sections, typed once."""
        place = tuple((key, id(typed)) for key, (_, typed) in changed.items())
        if place not in self._reads:
            typed = {key: typed for key, (_, typed) in changed.items()}
            study = self._whole_study.model_copy(update=typed)
            named = (getattr(study, key) for key in WITH_FORMULAS)
            self._reads[place] = Read(study, any(any(texts_in(each)) for each in named))
        return self._reads[place]

    def _whole(
        self, coords: dict[str, Any], settings: Sequence[Setting], *, alone: bool
    ) -> Point | None:
        """A point of its own; arguments as of `point`."""
        where: dict[Path, Path] = {setting.path: setting.source for setting in settings}
        at = At({} if alone else coords, where)
        data = copy.deepcopy({key: part for key, part in self.draft.data.items() if key != "sweep"})
        try:
            for setting in settings:
                if not taken_out(setting, data):
                    names = {**names_of_let(data), **numbers(coords)}
                    set_path(data, setting.path, copy.deepcopy(_value(setting, names)))
            study = self.draft.read(data)
            return Point(At(coords, where), data, Read(study, formulas=True))
        except ValidationError as error:
            self.note(mistakes_in(error, self.draft.model, data), At({}, where))
        except Mistaken as error:
            self.note(error.mistakes, at)
        except ValueError as error:
            self.note([Mistake(settings[0].source, str(error))], At({}, {}))
        return None


def _identities(sets: Sequence[Set]) -> Iterator[object]:
    """What tells values apart: where they are given, and of formulas the number."""
    for setting, value in sets:
        yield id(setting)
        if isinstance(setting.value, Formula):
            yield repr(value)


def _with(data: Data, sets: Sequence[Set]) -> Data:
    """The data with these values, which are written into it.

    Raises:
        ValueError: one cannot be set.
    """  # noqa: DOC502
    for setting, value in sets:
        set_path(data, setting.path, copy.deepcopy(value))
    return data


def _value(setting: Setting, names: Names) -> object:
    """What a setting sets: of a formula of axes and `let` alone the number; another where it stands.

    Raises:
        Mistaken: the formula has no value.
    """
    if not isinstance(setting.value, Formula):
        return setting.value
    try:
        own = all(name in names for name in names_in(setting.value))
        return number(setting.value, names) if own else setting.value
    except ValueError as error:
        raise Mistaken(Mistake(setting.source, str(error))) from error
