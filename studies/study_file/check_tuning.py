"""What is wrong with a `tuning:` section."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from studies.study_file import fields, sections
from studies.study_file.axes import Axis, Setting, sets
from studies.study_file.document import Mistake, Path, mapping, mapping_at
from studies.study_file.draft import Draft
from studies.text.shapes import Tree
from studies.text.words import suggest

ENDS = ("low", "high")
BOTH = "give it in one of the two"


def mistakes(tuning: sections.TuningModel, draft: Draft, axes: Sequence[Axis]) -> Iterator[Mistake]:
    """What is wrong with the labels and parameters of a `tuning`.

    Args:
        tuning: what is asked.
        draft: the study.
        axes: what is swept or switched.
    """
    labels = draft.labels["optimizers"]
    for label, ranges in tuning.ranges.items():
        if label not in labels:
            text = f"unknown optimizer; {suggest(label, labels)}"
            yield Mistake(("tuning", "ranges", label), text, at_key=True)
        elif label in draft.data["optimizers"]:
            for name, span in ranges.items():
                yield from _of_parameter(label, name, draft, choices="choices" in span)
            yield from _swept_too(label, [*ranges], axes)


def _of_parameter(label: str, name: str, draft: Draft, *, choices: bool) -> Iterator[Mistake]:
    path, entry = ("tuning", "ranges", label, name), draft.data["optimizers"][label]
    cls = draft.classes["optimizers"][entry["kind"]]
    names = fields.parameter_names(cls)
    if name not in names:
        yield Mistake(path, f"unknown key for {entry['kind']}; {suggest(name, names)}", at_key=True)
    elif name not in fields.numbers(cls) and not choices:
        yield Mistake(
            path, "is not a number, so it has no range; give a list of its values", at_key=True
        )
    matched = mapping_at(("match", "vary"), draft.data).get(label)
    for section, keys in (("the optimizer's grid", entry.get("grid")), ("match.vary", matched)):
        if name in (keys or ()):
            yield Mistake(path, f"is in {section} too; {BOTH}", at_key=True)


def _swept_too(label: str, names: list[str], axes: Sequence[Axis]) -> Iterator[Mistake]:
    """The parameters of these that a sweep or a factor sets too, up to the first that a factor sets."""
    for axis in axes:
        for setting in axis.each():
            name = next((name for name in names if sets(setting, label, name)), None)
            if name is None:
                continue
            if setting.source[0] == "factors":
                text = f"sets {name} of {label}, which is in tuning.ranges too; {BOTH}"
                yield Mistake(setting.source, text, at_key=True)
                return
            text = "is found by tuning, so it cannot be swept"
            yield Mistake(setting.source[:-1], text, at_key=True)


def probes(tuning: sections.TuningModel, draft: Draft) -> Iterator[list[Setting]]:
    """Values to be checked, some of each optimizer at a time: all low ends, all high ends, every choice."""
    spans = [span for ranges in tuning.ranges.values() for span in ranges.values()]
    for turn in range(max(len(span.get("choices", ENDS)) for span in spans)):
        yield [
            setting
            for label, ranges in tuning.ranges.items()
            for name, span in ranges.items()
            for setting in _probe(label, name, span, turn, draft)
        ]


def _probe(label: str, name: str, span: Tree, turn: int, draft: Draft) -> Iterator[Setting]:
    """One value of a range, set wherever the entry has the parameter.

    Args:
        label: of the optimizer.
        name: of the parameter.
        span: its range or its choices.
        turn: 0, 1, ..: of a range the low end or the high one.
        draft: the study.
    """
    written = draft.data["tuning"]["ranges"][label][name]
    value, place = _value(span, turn, as_list=isinstance(written, list))
    source: Path = ("tuning", "ranges", label, name, *place)
    yield Setting(("optimizers", label, name), value, source)
    for landscape, given in mapping(draft.data["optimizers"].get(label, {}).get("on")).items():
        if name in given:
            yield Setting(("optimizers", label, "on", landscape, name), value, source)


def _value(span: Tree, turn: int, *, as_list: bool) -> tuple[object, Path]:
    """A value of a range, and where in it the value stands; `as_list`: it is written as a list."""
    if "choices" in span:
        place = turn % len(span["choices"])
        return span["choices"][place], (place,) if as_list else ("choices", place)
    end = ENDS[turn % 2]
    return span[end], (turn % 2,) if as_list else (end,)
