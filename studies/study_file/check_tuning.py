"""What is wrong with a `tuning:` section."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from landscapes.parameters import Parameters
from studies.study_file import fields, sections
from studies.study_file.axes import Axis, Setting
from studies.study_file.document import Mistake, Path
from studies.text.words import suggest

if TYPE_CHECKING:
    pass


# what is wrong with a request -------------------------------------------------------------------------------


def mistakes(
    tuning: sections.TuningModel,
    labels: Sequence[str],
    data: Mapping[str, Any],
    classes: Mapping[str, type[Parameters]],
    axes: Iterable[Axis],
) -> Iterator[Mistake]:
    """What is wrong with the labels and parameters of a `tuning`.

    Args:
        tuning: what is asked.
        labels: of the study's optimizers.
        data: the study; of its optimizers those that have no mistakes of their own.
        classes: kind -> class.
        axes: what is swept or switched.
    """
    entries = data["optimizers"]
    for name, ranges in tuning.ranges.items():
        path: Path = ("tuning", "ranges", name)
        if name not in labels:
            yield Mistake(path, f"unknown optimizer; {suggest(name, labels)}", at_key=True)
        elif name in entries:
            matched = ((data.get("match") or {}).get("vary") or {}).get(name) or {}
            for key, span in ranges.items():
                yield from _of_parameter(
                    (*path, key), entries[name], classes[entries[name]["kind"]], "choices" in span, matched
                )
            yield from _both(name, ranges, axes)


def _of_parameter(
    path: Path, entry: Mapping[str, Any], cls: type[Parameters], choices: bool, matched: Iterable[str]
) -> Iterator[Mistake]:
    name, names = str(path[-1]), fields.parameter_names(cls)
    if name not in names:
        yield Mistake(path, f"unknown key for {entry['kind']}; {suggest(name, names)}", at_key=True)
    elif name not in fields.numbers(cls) and not choices:
        yield Mistake(path, "is not a number, so it has no range; give a list of its values", at_key=True)
    for section, keys in (("the optimizer's grid", entry.get("grid") or {}), ("match.vary", matched)):
        if name in keys:
            yield Mistake(path, f"is in {section} too; give it in one of the two", at_key=True)


def _both(label: str, ranges: Iterable[str], axes: Iterable[Axis]) -> Iterator[Mistake]:
    """Parameters that a sweep or a factor sets too."""
    for axis in axes:
        for setting in dict.fromkeys(
            (s.path, s.source if s.source[0] == "factors" else s.source[:-1]) for s in sum(axis.settings, [])
        ):
            path, where = setting
            rest = path[2:] if path[:2] == ("optimizers", label) else ()
            name = next(
                (
                    name
                    for name in ranges
                    if name in (rest[:1] or ()) or (rest[:1] == ("on",) and name in (rest[2:3] or (name,)))
                ),
                None,
            )
            if name and where[0] == "factors":
                yield Mistake(
                    where,
                    f"sets {name} of {label}, which is in tuning.ranges too; give it in one of the two",
                    at_key=True,
                )
                return
            if name:
                yield Mistake(where, "is found by tuning, so it cannot be swept", at_key=True)


def probes(tuning: sections.TuningModel, data: Mapping[str, Any]) -> Iterator[list[Setting]]:
    """Values to be checked, some of each optimizer at a time: all low ends, all high ends, every choice."""
    longest = max(
        len(span.get("choices", "12")) for ranges in tuning.ranges.values() for span in ranges.values()
    )
    for i in range(longest):
        found = []
        for label, ranges in tuning.ranges.items():
            on = data["optimizers"].get(label, {}).get("on") or {}
            for name, span in ranges.items():
                value, end = _probe(span, data["tuning"]["ranges"][label][name], i)
                places = [
                    (name,),
                    *(("on", landscape, name) for landscape, given in on.items() if name in given),
                ]
                found += [
                    Setting(("optimizers", label, *place), value, ("tuning", "ranges", label, name, *end))
                    for place in places
                ]
        yield found


def _probe(span: Mapping[str, Any], given: Any, i: int) -> tuple[Any, Path]:  # noqa: ANN401
    """A value of a range, and where in the range it stands."""
    if "choices" in span:
        i %= len(span["choices"])
        return span["choices"][i], (i,) if isinstance(given, list) else ("choices", i)
    end = ("low", "high")[i % 2]
    return span[end], (i % 2,) if isinstance(given, list) else (end,)
