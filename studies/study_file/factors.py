"""The factors of a study: sources of randomness that are switched on and off, each a dim of the Dataset.

factors: [data, drift, mutation]                           dims data, drift, mutation, each with the values on and off
factors: [drift, {recombination: [on, off, free]}]         the values that are wanted

on: the study as it is. off: the deterministic limit of the source, for every optimizer that has the switch
(`Optimizer.switches`), whatever its `on:` says; for data and evaluation, of what the oracle answers (see
`landscapes.oracle.noise`). An arm that a factor does not touch is computed once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from studies.study_file.axes import Axis, Setting
from studies.study_file.document import Mistake, Path
from studies.text.labels import RESERVED
from studies.text.words import suggest

if TYPE_CHECKING:
    from optimizers.base import Optimizer
    from studies.study_file.arm import Arm

ORACLE = ("data", "evaluation")  # switched off where the oracle answers
LEVELS = ("on", "off")
WHY = {
    "data": "no landscape has a mini-batch (noise.batch)",
    "evaluation": "no answer is disturbed (noise.evaluation)",
}


def axes_of(
    data: Mapping[str, Any], classes: Mapping[str, type[Optimizer]], taken: Iterable[str]
) -> tuple[list[Axis], list[Mistake]]:
    """The axes of the `factors` of a study, and what is wrong there.

    Args:
        data: the study.
        classes: kind -> class, of all optimizers.
        taken: names of other axes.
    """
    axes: list[Axis] = []
    mistakes: list[Mistake] = []
    known = [*ORACLE, *dict.fromkeys(source for cls in classes.values() for source in cls.switches)]
    for source, levels, path in _given(data.get("factors")):
        wrong = _wrong(source, levels, path, data, classes, known)
        if not wrong and any(axis.name in (source, f"factors.{source}") for axis in axes):
            wrong = [Mistake(path, f"{source} is a factor already")]
        mistakes += wrong
        if not wrong:
            name = f"factors.{source}" if source in RESERVED or source in taken else source
            axes.append(
                Axis(name, levels, [_settings(source, level, path, data, classes) for level in levels])
            )
    return axes, mistakes


def idle(axes: Sequence[Axis], arms: Sequence[Arm], data: Mapping[str, Any]) -> list[Mistake]:
    """A mistake for each factor of several values that changes no arm."""
    places = {source: path for source, _, path in _given(data.get("factors"))}
    found = []
    for axis in axes:
        source = axis.name.removeprefix("factors.")
        if len(axis.coords) > 1 and not _moves(axis, arms):
            found.append(
                Mistake(
                    places[source],
                    f"switching {source} changes nothing in this study:"
                    f" {WHY.get(source, 'it is off everywhere')}",
                )
            )
    return found


def as_it_is(factors: Any, axes: Iterable[str]) -> dict[str, str]:  # noqa: ANN401
    """Dim of each factor -> the value at which the study is as it is: on, or the first that is wanted.

    Args:
        factors: of a study that has no mistakes.
        axes: the names of its dims.
    """
    names = set(axes)
    found = (
        (f"factors.{source}" if f"factors.{source}" in names else source, levels)
        for source, levels, _ in _given(factors)
    )
    return {name: LEVELS[0] if LEVELS[0] in levels else levels[0] for name, levels in found}


def _moves(axis: Axis, arms: Sequence[Arm]) -> bool:
    """Whether two arms that differ in this axis alone are different."""
    first: dict[tuple, Arm] = {}
    for arm in arms:
        bare, others = (
            replace(arm, coords={}),
            tuple((name, value) for name, value in arm.coords.items() if name != axis.name),
        )
        if first.setdefault(others, bare) != bare:
            return True
    return False


def _given(factors: Any) -> list[tuple[str, list[str], Path]]:  # noqa: ANN401
    """Source, values and place of each factor; what has another form is told by the typed model."""
    found: list[tuple[str, list[str], Path]] = []
    for i, given in enumerate(factors if isinstance(factors, list) else ()):
        if isinstance(given, str):
            found.append((given, list(LEVELS), ("factors", i)))
        elif isinstance(given, dict):
            found += [
                (source, levels, ("factors", i, source)) for source, levels in given.items() if _texts(levels)
            ]
    return found


def _texts(levels: Any) -> bool:  # noqa: ANN401
    return isinstance(levels, list) and bool(levels) and all(isinstance(level, str) for level in levels)


def _wrong(
    source: str,
    levels: list[str],
    path: Path,
    data: Mapping[str, Any],
    classes: Mapping[str, type[Optimizer]],
    known: Sequence[str],
) -> list[Mistake]:
    if source not in known:
        return [Mistake(path, f"unknown source {source!r}; {suggest(source, known)}", at_key=True)]
    entries = _entries(data, classes)
    here = [*ORACLE, *dict.fromkeys(name for _, _, cls in entries for name in cls.switches)]
    if source not in here:
        return [
            Mistake(
                path,
                f"no optimizer of this study has a switch for {source}; there are: {', '.join(here)}",
                at_key=True,
            )
        ]
    allowed = [
        *LEVELS,
        *dict.fromkeys(
            level for _, _, cls in entries for level in cls.switches.get(source, {}) if level not in LEVELS
        ),
    ]
    strange = next((level for level in levels if level not in allowed), None)
    if strange is not None:
        return [
            Mistake(
                (*path, levels.index(strange)),
                f"unknown value {strange!r} of {source}; {suggest(strange, allowed)}",
            )
        ]
    if len(set(levels)) < len(levels):
        return [Mistake(path, "expected different values")]
    for label, entry, cls in entries:
        grid = entry.get("grid")
        twice = next(
            (
                key
                for level in levels
                for key in cls.switches.get(source, {}).get(level, ())
                if isinstance(grid, dict) and key in grid
            ),
            None,
        )
        if twice:
            return [
                Mistake(
                    path,
                    f"sets {twice}, which is in the grid of {label!r} too; give it in one of the two",
                    at_key=True,
                )
            ]
    return []


def _entries(
    data: Mapping[str, Any], classes: Mapping[str, type[Optimizer]]
) -> list[tuple[str, dict[str, Any], type[Optimizer]]]:
    """Label, entry and class of each optimizer that can be read."""
    found = data.get("optimizers")
    entries = found.items() if isinstance(found, dict) else ()
    return [
        (label, entry, classes[entry["kind"]])
        for label, entry in entries
        if isinstance(entry, dict) and entry.get("kind") in classes
    ]


def _settings(
    source: str, level: str, path: Path, data: Mapping[str, Any], classes: Mapping[str, type[Optimizer]]
) -> list[Setting]:
    """What one value of a factor sets.

    Parameters go where they differ by landscape, so that nothing else counts.
    """
    if source in ORACLE:
        return [Setting(("noise", "off", source), True, path)] if level == "off" else []
    landscapes = data.get("landscapes")
    return [
        Setting(("optimizers", label, "on", landscape, key), value, path)
        for label, _, cls in _entries(data, classes)
        for key, value in cls.switches.get(source, {}).get(level, {}).items()
        for landscape in (landscapes if isinstance(landscapes, dict) else ())
    ]
