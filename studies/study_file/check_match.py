"""What is wrong with a `match:` section."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from landscapes.base import Bits, Landscape
from landscapes.wrappers.relaxation import Relaxation
from studies.kinds import registry
from studies.study_file import fields, sections
from studies.study_file.arm import Arm
from studies.study_file.axes import Axis, Setting, sets
from studies.study_file.document import Mistake, Path
from studies.study_file.draft import Draft
from studies.text.shapes import Tree
from studies.text.words import suggest

SEVERAL = "has a grid, so it is several arms; give one value of each parameter"


def mistakes(match: sections.MatchModel, draft: Draft, axes: Sequence[Axis]) -> Iterator[Mistake]:
    """What is wrong with the labels and parameters of a `match`.

    Args:
        match: what is asked.
        draft: the study.
        axes: what is swept.
    """
    labels, entries = draft.labels["optimizers"], draft.data["optimizers"]
    if match.reference not in labels:
        yield Mistake(("match", "reference"), f"unknown optimizer; {suggest(match.reference, labels)}")
    elif entries.get(match.reference, {}).get("grid"):
        yield Mistake(("match", "reference"), f"{match.reference} {SEVERAL}")
    for label, ranges in match.vary.items():
        path: Path = ("match", "vary", label)
        if label == match.reference:
            yield Mistake(path, "is the reference itself", at_key=True)
        elif label not in labels:
            yield Mistake(path, f"unknown optimizer; {suggest(label, labels)}", at_key=True)
        elif label in entries:
            (name,) = ranges
            yield from _of_parameter(label, name, draft)
            yield from _given_twice(label, name, entries[label], axes)


def _of_parameter(label: str, name: str, draft: Draft) -> Iterator[Mistake]:
    path, entry = ("match", "vary", label, name), draft.data["optimizers"][label]
    cls = draft.classes["optimizers"][entry["kind"]]
    names, numbers = fields.parameter_names(cls), fields.numbers(cls)
    if name not in names:
        yield Mistake(path, f"unknown key for {entry['kind']}; {suggest(name, names)}", at_key=True)
    elif name not in numbers:
        text = f"is not a number, so it cannot vary; one that can: {', '.join(numbers)}"
        yield Mistake(path, text, at_key=True)
    if entry.get("grid"):
        yield Mistake(path, f"{label} {SEVERAL}", at_key=True)


def _given_twice(label: str, name: str, entry: Tree, axes: Sequence[Axis]) -> Iterator[Mistake]:
    """A parameter that is found, and swept or given on one landscape too.

    What a factor switches off is off, found or not.

    Args:
        label: of the optimizer.
        name: of the parameter.
        entry: of the optimizer.
        axes: what is swept.
    """
    swept = [
        setting.source[:-1]
        for axis in axes
        for setting in axis.settings[0]
        if setting.source[0] != "factors" and sets(setting, label, name)
    ]
    if swept:
        for source in dict.fromkeys(swept):
            yield Mistake(source, "is found by match, so it cannot be swept", at_key=True)
        return
    for landscape, given in entry.get("on", {}).items():
        if name in given:
            place = ("optimizers", label, "on", landscape, name)
            yield Mistake(place, "is found by match; leave it out here", at_key=True)


def unknown_quantities(match: sections.MatchModel, arms: Iterable[Arm]) -> Iterator[Mistake]:
    """The arms, reference or varied, for which the noise ledger does not know the quantity."""
    unknown: dict[tuple[str, str], str] = {}  # the first reason counts
    for arm in arms:
        place = arm.coords["landscape"], arm.coords["optimizer"]
        if place[1] in match.labels and place not in unknown:
            why = _not_known(match.quantity, arm)
            if why is not None:
                unknown[place] = why
    for (landscape, label), why in unknown.items():
        text = f"{match.quantity} of {label} is not known on landscape {landscape!r}: {why}"
        yield Mistake(("match", "quantity"), text)


def alone(match: sections.MatchModel, arms: Sequence[Arm]) -> Iterator[Mistake]:
    """The arms that are to be matched to a reference that is absent there (`only`)."""
    there = [arm.coords for arm in arms]
    places: dict[tuple[str, str], None] = {}
    for arm in arms:
        label, coords = arm.coords["optimizer"], arm.coords | {"optimizer": match.reference}
        if label in match.vary and coords not in there:
            places[arm.coords["landscape"], label] = None
    for landscape, label in places:
        text = f"does not run on landscape {landscape!r}, where {label} is to have its noise"
        yield Mistake(("match", "reference"), f"{match.reference} {text}")


def _not_known(quantity: str, arm: Arm) -> str | None:
    landscape: Landscape = registry.build(arm.landscape, "landscape")
    if arm.relaxation:
        landscape = Relaxation(inner=landscape, mode=arm.relaxation)  # type: ignore[arg-type]
    if quantity == "temperature" and not landscape.sloped:
        seen = f" with relaxation {arm.relaxation}" if arm.relaxation else ""
        return f"the loss has no slope there{seen}"
    if quantity == "effective_population" and not isinstance(landscape.domain, Bits):
        return "it searches no bits, so that it has no two alleles"
    return None


def probes(draft: Draft) -> list[list[Setting]]:
    """Values to be checked: the low ends of all ranges, then the high ends."""
    return [
        [
            Setting(("optimizers", label, name), span[end], ("match", "vary", label, name, end))
            for label, ranges in draft.data["match"]["vary"].items()
            for name, span in ranges.items()
        ]
        for end in (0, 1)
    ]
