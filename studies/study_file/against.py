"""The settings of each arm against which its steps are held: `ledger: {against: {PATH: value}}`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from studies.study_file import named_axes
from studies.study_file.arm import Arm
from studies.study_file.arms import Resolver
from studies.study_file.axes import OF_ENTRIES, Setting, known_paths
from studies.study_file.document import Mistake, Mistaken, Path, mapping
from studies.study_file.draft import Draft
from studies.study_file.sections import SECTIONS
from studies.text import labels
from studies.text.shapes import Data

PLACE: Path = ("ledger", "against")
PARTS = ("landscape", "optimizer", "noise", "oracle")  # of an arm, that a step depends on


def beside(draft: Draft, arms: list[Arm], resolver: Resolver) -> list[Arm]:
    """The arms, each with what changes in it where the settings of `against` stand.

    Args:
        draft: the study, in which mistakes are noted.
        arms: of the study.
        resolver: finds the arms with other settings.
    """
    given = mapping(draft.data.get("ledger")).get("against")
    if not given or draft.mistakes:
        return arms
    try:
        settings = [*_settings(draft, given)]
    except Mistaken as error:
        draft.mistakes += error.mistakes
        return arms
    others = {_place(arm): arm for arm in resolver.arms(settings)}
    held = [_with(arm, others.get(_place(arm), arm)) for arm in arms]
    if not draft.mistakes and held == arms:
        text = "changes nothing in any arm; expected settings that differ from those of the study"
        draft.mistakes.append(Mistake(PLACE, text, at_key=True))
    return held


def _settings(draft: Draft, given: object) -> Iterator[Setting]:
    """What is set in the arms against which steps are held.

    Raises:
        Mistaken: something is wrong with it.
    """
    paths = [*_settable(known_paths(draft.data, draft.classes))]
    for path, value, source in named_axes.chosen(PLACE, given, paths):
        yield Setting(labels.keys_of(path, draft.data)[0], value, source)


def _settable(paths: Sequence[str]) -> Iterator[str]:
    """Those paths that an axis may set of which a step depends."""
    for path in paths:
        family = path.partition(".")[0]
        own = family in OF_ENTRIES and path.rpartition(".")[2] not in OF_ENTRIES[family]
        if own or family in SECTIONS:
            yield path


def _place(arm: Arm) -> tuple:
    return (arm.label, *sorted((name, str(value)) for name, value in arm.coords.items()))


def _with(arm: Arm, other: Arm) -> Arm:
    """The arm with the parts of another that differ, in its ledger."""
    changed: Data = {
        part: getattr(other, part) for part in PARTS if getattr(other, part) != getattr(arm, part)
    }
    if not changed:
        return arm
    return replace(arm, scalars=arm.scalars | {"ledger": arm.scalars["ledger"] | {"against": changed}})
