"""How long a block of worlds of a task takes, and how long that of a task that is like it."""

from __future__ import annotations

import functools
import json
import statistics
from collections.abc import Sequence
from typing import NamedTuple

from studies.cells.task import Task
from studies.kinds import registry
from studies.text.kept import text_of


class Pace(NamedTuple):
    """How long a block of worlds of a task takes, in seconds."""

    fixed: float  # whatever the budget
    evaluation: float  # for each evaluation of the budget
    ledger: float = 0.0  # of the whole noise ledger
    timing: float = 0.0  # of a world that is timed
    memory: float = 0.0  # bytes that it holds at once

    def seconds(self, budget: float) -> float:
        """Seconds that a whole cell takes."""
        return self.fixed + self.evaluation * budget + self.ledger


AS_LONG = Pace(0.0, 1.0)  # as its budget, which is in seconds


def _size(task: Task) -> int:
    """The size of a landscape: terms times coordinates."""
    return _size_of(text_of(task.landscape))


@functools.lru_cache(2**17)
def _size_of(landscape: str) -> int:
    made = registry.build(json.loads(landscape), "landscape")
    return int(made.terms * made.dim)


class Alike:
    """The paces of tasks that were not measured.

    Args:
        measured: tasks that were, and their paces.
    """

    def __init__(self, measured: Sequence[tuple[Task, Pace]]) -> None:
        self.measured = measured
        self.medians: dict[tuple[object, ...], Pace] = {}

    def of(self, task: Task) -> Pace:
        """The median of those most like a task, on its clock if any is."""
        key = (task.clock, _size(task), *kinds_of(task))
        if key not in self.medians:
            self.medians[key] = self._median(task)
        return self.medians[key]

    def _median(self, task: Task) -> Pace:
        same = [(other, pace) for other, pace in self.measured if other.clock == task.clock]
        for families in (("landscape", "optimizer"), ("optimizer",), ()):
            scaled = [
                _scaled(pace, _size(task) / _size(other))
                for other, pace in same or self.measured
                if all(_kind(other, family) == _kind(task, family) for family in families)
            ]
            if scaled:
                return Pace(*(statistics.median(values) for values in zip(*scaled, strict=True)))
        raise ValueError("expected at least one pace")


def kinds_of(task: Task) -> tuple[str, str]:
    """Those of its landscape and optimizer."""
    return _kind(task, "landscape"), _kind(task, "optimizer")


def _kind(task: Task, family: str) -> str:
    """The kind of a task's landscape or optimizer."""
    return str(getattr(task, family)["kind"])


def _scaled(pace: Pace, factor: float) -> Pace:
    """The pace on a landscape that is larger by a factor."""
    larger = {key: getattr(pace, key) * factor for key in ("evaluation", "ledger", "memory")}
    return pace._replace(**larger)
