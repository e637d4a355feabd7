"""A claim as a study states it, with the arms and axes that it may be about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeGuard

from studies.claims import Claim, LawClaim
from studies.results import settings
from studies.study_file import asked
from studies.study_file.arm import Arm
from studies.study_file.document import Mistake, Path
from studies.study_file.resolved import resolved
from studies.text.schema import GRID
from studies.text.shapes import Axes, Tree
from studies.text.words import suggest

NO_AXIS = "the study sweeps nothing"


@dataclass(frozen=True)
class Stated:
    """A claim as a study states it.

    Args:
        path: of the claim.
        claim: the claim.
        study: resolved, as data.
        arms: what it runs.
        coords: swept axis -> its values.
    """

    path: Path
    claim: Claim
    study: Tree
    arms: Sequence[Arm]
    coords: Axes

    def wrong(self, text: str, *keys: str, at_key: bool = False) -> Mistake:
        """A mistake at keys of the claim."""
        return Mistake((*self.path, *keys), text, at_key)

    def labels(self, key: str) -> list[str]:
        """The labels of the study's landscapes or optimizers."""
        return list(dict.fromkeys(str(arm.coords[key]) for arm in self.arms))

    def unknown_axis(self, axis: str, *keys: str, at_key: bool = True) -> Mistake:
        """A mistake for an axis that the study does not sweep."""
        hint = suggest(axis, self.coords) if self.coords else NO_AXIS
        return self.wrong(f"unknown axis; {hint}", *keys, at_key=at_key)

    def unknown(self, family: str, label: object, *keys: str) -> Iterator[Mistake]:
        """A mistake for a label of a landscape or an optimizer that the study does not have."""
        there = self.labels(family)
        if label not in there:
            yield self.wrong(f"unknown {family} {label!r}; {suggest(str(label), there)}", *keys)

    def runs_nowhere(self, optimizer: str, landscapes: Sequence[str], key: str) -> Iterator[Mistake]:
        """A mistake for an optimizer that runs on none of some landscapes."""
        runs = self.runs_on(optimizer)
        if not set(landscapes) & set(runs):
            text = f"{optimizer} does not run on {', '.join(landscapes)}, but on {', '.join(runs)}"
            yield self.wrong(text, key)

    @cached_property
    def here(self) -> list[Arm]:
        """The arms at which it is judged; of two optimizers, those of the first."""
        return [arm for arm in self.arms if self._about(arm)]

    def runs_on(self, optimizer: str) -> list[str]:
        """The landscapes on which an optimizer runs."""
        here = [arm.coords["landscape"] for arm in self.arms if arm.coords["optimizer"] == optimizer]
        return list(dict.fromkeys(map(str, here)))

    def landscapes(self) -> list[str]:
        """Those at which it is judged."""
        given = self.claim.landscape
        if given is None:
            return self.labels("landscape")
        return [given] if isinstance(given, str) else list(given)

    def optimizers(self) -> list[str]:
        """The optimizer with whose numbers it predicts: of two the first; of a law every one."""
        if isinstance(self.claim, LawClaim):
            return self.claim.labels() or self.labels("optimizer")
        return self.claim.labels()[:1]

    @cached_property
    def words(self) -> asked.Words:
        """What its quantities may name."""
        record = self.study.get("record") or {}
        kept = {"ledger": self._has("ledger"), "timed": self._has("timing")}
        return asked.Words(
            asked.recorded(self.here, record, **kept),
            list(dict.fromkeys(name for own in self.ran_with for name in own)),
            {key: self.labels(key) for key in GRID} | dict(self.coords),
            hidden(self.ran_with),
            any=any("kind" in spec for spec in record.values()),
        )

    def _has(self, instrument: str) -> bool:
        return self.study.get(instrument) is not None

    @cached_property
    def ran_with(self) -> list[settings.Numbers]:
        """The numbers with which each of these arms will run, by name."""
        return [place.numbers for place in self.places]

    @cached_property
    def places(self) -> list[Place]:
        """These arms with what they will run with."""
        return [Place(arm, self.ran(arm)) for arm in self.here]

    def ran(self, arm: Arm) -> settings.Arm:
        """What an arm will run with."""
        return ran(arm, self.study.get("let", {}))

    def _about(self, arm: Arm) -> bool:
        return (
            arm.coords["landscape"] in self.landscapes()
            and arm.coords["optimizer"] in self.optimizers()
            and all(arm.coords.get(axis, value) == value for axis, value in self.claim.at.items())
        )


@dataclass(frozen=True)
class Place:
    """An arm, and what it will run with."""

    arm: Arm
    ran: settings.Arm

    @cached_property
    def numbers(self) -> settings.Numbers:
        """Name -> number."""
        return settings.numbers([self.ran])


def hidden(arms: Iterable[settings.Numbers]) -> dict[str, str]:
    """Of the names of `let` that a number of some arm hides, what is said of them."""
    every = [settings.hidden(own) for own in arms]
    return {name: line for own in reversed(every) for name, line in own.items()}


def numbers(values: Sequence[object]) -> TypeGuard[Sequence[float]]:
    """Whether all values are numbers."""
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)


def ran(arm: Arm, let: Tree) -> settings.Arm:
    """What an arm will run with, and the names of the study's `let`."""
    return settings.Arm(arm.coords, arm.label, **resolved(arm, arm.scalars), let=let)
