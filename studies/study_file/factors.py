"""The factors of a study: sources of randomness that are switched on and off, each a dim of the Dataset.

    factors: [data, drift, mutation]                      dims data, drift, mutation, each on and off
    factors: [drift, {recombination: [on, off, free]}]    the values that are wanted

on: the study as it is. off: the deterministic limit of the source, for every optimizer that has the switch
(`Optimizer.switches`), whatever its `on:` says; for data, evaluation and dropout, of what the oracle answers
(see `landscapes.oracle.noise`). An arm that a factor does not touch is computed once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from optimizers.base import Optimizer
from studies.study_file.arm import Arm
from studies.study_file.axes import Axis, Setting
from studies.study_file.document import Mistake, Path, mapping
from studies.study_file.draft import Draft
from studies.text.labels import RESERVED
from studies.text.shapes import Data, Named
from studies.text.words import suggest

ORACLE = ("data", "evaluation", "dropout")  # switched off where the oracle answers
LEVELS = ("on", "off")
PREFIX = "factors."  # of the name of a dim, where the source's own name is taken
WHY = {
    "data": "no landscape has a mini-batch (noise.batch)",
    "evaluation": "no answer is disturbed (noise.evaluation)",
    "dropout": "no landscape is a network with dropout",
}


class Factor(NamedTuple):
    """One source of randomness, as a study gives it."""

    source: str
    levels: list[str]  # the values that are wanted
    path: Path

    def wrong(self, text: str) -> Mistake:
        """A mistake at its name."""
        return Mistake(self.path, text, at_key=True)


def axes_of(draft: Draft, taken: Iterable[str]) -> tuple[list[Axis], list[Mistake]]:
    """The axes of the `factors` of a study, and what is wrong there.

    Args:
        draft: the study.
        taken: names of other axes.
    """
    axes: dict[str, Axis] = {}  # source -> axis
    mistakes: list[Mistake] = []
    entries, taken = _entries(draft), {*taken, *RESERVED}
    for factor in _given(draft.data.get("factors")):
        source = factor.source
        wrong = next(_wrong(factor, entries, draft), None)
        if wrong is None and source in axes:
            wrong = Mistake(factor.path, f"{source} is a factor already")
        if wrong is not None:
            mistakes.append(wrong)
            continue
        name = f"{PREFIX}{source}" if source in taken else source
        settings = [_settings(factor, level, entries, draft) for level in factor.levels]
        axes[source] = Axis(name, factor.levels, settings)
    return [*axes.values()], mistakes


def idle(axes: Sequence[Axis], arms: Sequence[Arm], data: Named) -> Iterator[Mistake]:
    """A mistake for each factor of several values that changes no arm.

    Args:
        axes: of the factors.
        arms: of the study.
        data: the study.
    """
    places = {factor.source: factor.path for factor in _given(data.get("factors"))}
    for axis in axes:
        source = axis.name.removeprefix(PREFIX)
        if len(axis.coords) > 1 and not _moves(axis, arms):
            why = WHY.get(source, "it is off everywhere")
            yield Mistake(places[source], f"switching {source} changes nothing in this study: {why}")


def as_it_is(factors: object, axes: Iterable[str]) -> dict[str, str]:
    """Dim of each factor -> the value at which the study is as it is: on, or the first that is wanted.

    Args:
        factors: of a study that has no mistakes.
        axes: the names of its dims.
    """
    names = set(axes)
    dims = {}
    for factor in _given(factors):
        full = f"{PREFIX}{factor.source}"
        dim = full if full in names else factor.source
        dims[dim] = LEVELS[0] if LEVELS[0] in factor.levels else factor.levels[0]
    return dims


def _moves(axis: Axis, arms: Sequence[Arm]) -> bool:
    """Whether two arms that differ in this axis alone are different."""
    first: dict[tuple, Arm] = {}
    for arm in arms:
        others = tuple((name, value) for name, value in arm.coords.items() if name != axis.name)
        bare = replace(arm, coords={})
        if first.setdefault(others, bare) != bare:
            return True
    return False


def _given(factors: object) -> list[Factor]:
    """The factors; what has another form is told by the typed model."""
    listed: list[Factor] = []
    for i, given in enumerate(factors if isinstance(factors, list) else ()):
        if isinstance(given, str):
            listed.append(Factor(given, [*LEVELS], ("factors", i)))
        listed += [
            Factor(source, levels, ("factors", i, source))
            for source, levels in mapping(given).items()
            if _texts(levels)
        ]
    return listed


def _texts(levels: object) -> bool:
    return isinstance(levels, list) and bool(levels) and all(isinstance(level, str) for level in levels)


class Switched(NamedTuple):
    """An optimizer of a study that can be read."""

    label: str
    entry: Data
    cls: type[Optimizer]

    def sets(self, source: str, level: str) -> Named:
        """The parameters that are set where a source has this value."""
        return self.cls.switches.get(source, {}).get(level, {})

    def in_grid(self, factor: Factor) -> Iterator[str]:
        """The parameters that a factor sets, and its grid too."""
        grid = mapping(self.entry.get("grid"))
        for level in factor.levels:
            yield from (key for key in self.sets(factor.source, level) if key in grid)


def _entries(draft: Draft) -> list[Switched]:
    return [
        Switched(label, entry, draft.optimizers[entry["kind"]])
        for label, entry in draft.entries("optimizers").items()
        if mapping(entry).get("kind") in draft.optimizers
    ]


def _wrong(factor: Factor, entries: Sequence[Switched], draft: Draft) -> Iterator[Mistake]:
    """What is wrong with a factor; the first of these counts."""
    source = factor.source
    sources = [*ORACLE, *_sources(draft.optimizers.values())]
    if source not in sources:
        yield factor.wrong(f"unknown source {source!r}; {suggest(source, sources)}")
    here = [*ORACLE, *_sources(entry.cls for entry in entries)]
    if source not in here:
        yield factor.wrong(
            f"no optimizer of this study has a switch for {source}; there are: {', '.join(here)}"
        )
    yield from _of_levels(factor, entries)
    for entry in entries:
        for key in entry.in_grid(factor):
            text = f"sets {key}, which is in the grid of {entry.label!r} too; give it in one of the two"
            yield factor.wrong(text)


def _of_levels(factor: Factor, entries: Sequence[Switched]) -> Iterator[Mistake]:
    """What is wrong with its values."""
    switches = [entry.cls.switches.get(factor.source, {}) for entry in entries]
    allowed = dict.fromkeys([*LEVELS, *(level for levels in switches for level in levels)])
    for place, level in enumerate(factor.levels):
        if level not in allowed:
            text = f"unknown value {level!r} of {factor.source}; {suggest(level, allowed)}"
            yield Mistake((*factor.path, place), text)
    if len(set(factor.levels)) < len(factor.levels):
        yield Mistake(factor.path, "expected different values")


def _sources(classes: Iterable[type[Optimizer]]) -> Iterable[str]:
    """The sources that these have switches for, each once."""
    return dict.fromkeys(source for cls in classes for source in cls.switches)


def _settings(factor: Factor, level: str, entries: Sequence[Switched], draft: Draft) -> list[Setting]:
    """What one value of a factor sets.

    Parameters go where they differ by landscape, so that nothing else counts.

    Args:
        factor: the factor.
        level: its value.
        entries: the optimizers.
        draft: the study.
    """
    source, path = factor.source, factor.path
    if source in ORACLE:
        return [Setting(("noise", "off", source), True, path)] if level == "off" else []
    return [
        Setting(("optimizers", entry.label, "on", landscape, key), value, path)
        for entry in entries
        for key, value in entry.sets(source, level).items()
        for landscape in draft.entries("landscapes")
    ]
