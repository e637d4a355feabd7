"""What plan.json says of a study, as far as its Dataset is made from it."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

import numpy as np

from studies.text.shapes import Data, Tree


class Task(TypedDict):
    """A task in plan.json, as far as its numbers are put in place; beside these stands all that it runs."""

    budget: float  # on its clock, of cost in evaluations
    clock: NotRequired[str]  # of the budget; cost where there is none
    gradient_cost: dict[str, float]  # value, low, high, in evaluations
    checkpoints: list[float]
    checkpoint_clock: NotRequired[str | None]  # of the checkpoints; None: that of the budget
    targets: list[float]
    target_floor: NotRequired[float | None]
    instances: int | None  # None: one for each world
    pictures: NotRequired[Data | None]  # worlds: the first, of which there are some


class Shown(TypedDict):
    """An arm in plan.json."""

    coords: Tree  # landscape, optimizer, axis -> value
    task: int  # its number


class Stored(TypedDict):
    """A cell in plan.json: the worlds first .. last - 1 of a task."""

    address: str
    task: int  # its number
    first: int
    last: int


class Manifest(TypedDict):
    """The plan as JSON, see `studies.study_file.plan.manifest`."""

    dims: Mapping[str, Sequence[object]]  # landscape, optimizer, axes -> values
    replicates: int
    tasks: list[Task]
    arms: list[Shown]
    cells: list[Stored]
    attrs: Tree  # of the Dataset


def fractions_of(task: Task) -> np.ndarray:
    """Checkpoints as fractions of the end of a run, which is the budget at the nominal price.

    Nine digits, so that equal ones are equal.
    """
    end = task["checkpoints"][-1] if task.get("checkpoint_clock") else end_of(task)
    return _fractions(tuple(task["checkpoints"]), end)


@functools.lru_cache(64)
def _fractions(times: tuple[float, ...], end: float) -> np.ndarray:
    """Tasks of a sweep have the same ones."""
    fractions = np.array([float(f"{time / end:.9g}") for time in times])
    fractions.flags.writeable = False
    return fractions


def end_of(task: Task) -> float:
    """Where a run ends on the budget's clock; of cost, at the nominal price."""
    if clock_of(task) != "cost":
        return task["budget"]
    return task["budget"] * task["gradient_cost"]["value"] / task["gradient_cost"]["low"]


def clock_of(task: Task) -> str:
    """The clock on which its budget is counted."""
    return task.get("clock", "cost")


def placed_by_cost(task: Task) -> bool:
    """Whether its checkpoints are costs."""
    return clock_of(task) == "cost" and not task.get("checkpoint_clock")


def label(value: object) -> float | str:
    """A coordinate's label for a value of an axis: numbers and text as they are, anything else as JSON."""
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return value
    return json.dumps(value)
