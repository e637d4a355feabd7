"""From a study to its cells: pure, no tensors.

An arm is a landscape, an optimizer and one value of each axis; a task is all that an arm's numbers depend on,
so arms that an axis does not touch share one; a cell is a task on a block of worlds. Blocks are aligned to
multiples of their size, which the arm's cost alone gives, so a study with more worlds keeps its cells.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from landscapes.streams import SOURCES
from studies.cells import provenance
from studies.cells.hits import STEP, reads_of_truth
from studies.cells.task import BLOCK, Cell, Task, blocks
from studies.kinds import registry
from studies.results import config, settings
from studies.results.manifest import Manifest
from studies.study_file.arm import Arm as Settled
from studies.study_file.cell_size import ALONE, worlds_of_a_cell
from studies.study_file.check_size import FEWER, MANY
from studies.study_file.checkpoints import Places, geometric, length_of_run, places, rounded
from studies.study_file.once import Once
from studies.study_file.resolved import resolved
from studies.study_file.spending import landscape_of, place, spending
from studies.study_file.study import Study, StudyError
from studies.study_file.values import MOMENTS
from studies.text.kept import kept, text_of
from studies.text.schema import SECONDS
from studies.text.shapes import Axes, Data
from studies.text.words import counted

OF_NO_STEP = ("instance", "init", "library", "ledger")  # sources from which no step draws
OF_STUDY = (  # fields of a task that the study gives
    *("seed", "instances", "budget", "clock", "gradient_cost"),
    *("targets", "target_floor", "dtype", "start"),
)


CALLED = ("label", "name", "across", "called", "above", "below")  # words of figures, not quantities
UNLIKE = (
    "its budget is in seconds: how many steps it holds, and with them all numbers, differ from machine to"
    " machine and from run to run; each world is a cell of its own"
)


@dataclass(frozen=True)
class Arm:
    """Where a task's numbers are shown: landscape, optimizer and the axes -> value.

    `label` is that of the optimizer's entry.
    """

    coords: Data
    label: str
    task: Task


@dataclass(frozen=True)
class Plan:
    """What a study computes.

    Args:
        study: the study.
        arms: each with its task; arms that an axis does not touch share one.
        axes: name of a dim -> its coordinate values: landscape, optimizer, then the swept axes.
        notes: what the user should know, one line each.
    """

    study: Study
    arms: list[Arm]
    axes: Axes
    notes: list[str]

    @property
    def tasks(self) -> list[Task]:
        """The different tasks, in the order of the arms."""
        return list({id(arm.task): arm.task for arm in self.arms}.values())

    @property
    def numbers(self) -> dict[bytes, int]:
        """The key of a task -> its place among the tasks."""
        return {task.key: number for number, task in enumerate(self.tasks)}

    @property
    def size(self) -> int:
        """How many cells there are, of full ones; without making them."""
        worlds = self.study.replicates
        return sum(-(-worlds // task.block) for task in self.tasks)

    def missing(self, here: Collection[str]) -> list[Cell]:
        """The cells that are to be computed.

        Args:
            here: addresses of those that exist.
        """
        cells = self.cells(here)
        return [cell for cell in cells if cell.address not in here] if here else cells

    def cells(self, here: Collection[str]) -> list[Cell]:
        """The cells that cover the worlds of every task; what exists is used where it fits.

        Args:
            here: addresses of those that exist.

        Returns:
            For each task, consecutive cells from world 0 to at least the last one.
        """
        return [cell for task in self.tasks for cell in blocks(task, self.study.replicates, here)]


def make_plan(study: Study) -> Plan:
    """The arms and tasks of a study; `auto` becomes the device that this machine has."""
    device, arms, sources = _device(study.device), [], _step_sources(study)
    tasks: dict[tuple[str, ...], Task] = {}
    told: dict[str, list[Settled]] = {}  # line -> where
    once = Once()
    for settled in study.arms:
        frame = _shared_frame(once, settled, device, sources)
        key = (frame.text, settled.specs.landscape, settled.specs.optimizer)
        if key not in tasks:
            tasks[key] = Task(landscape=settled.landscape, optimizer=settled.optimizer, **frame.fields)
        arms.append(Arm(settled.coords, settled.label, tasks[key]))
        for why in frame.notes:
            told.setdefault(why, []).append(settled)
    notes = [
        f"{place(where[0])}{f' and {len(where) - 1} arms more' * (len(where) > 1)}: {why}"
        for why, where in told.items()
    ]
    return Plan(study, arms, study.axes, [*study.notes, *notes, *_unlike(study, tasks.values())])


def could_be_many(study: Study) -> bool:
    """Whether a study may have a million cells; whether it has, its plan knows."""
    return sum(_most_cells(arm, study.replicates) for arm in study.arms) >= MANY


def _most_cells(arm: Settled, worlds: int) -> int:
    alone = arm.scalars["clock"] == SECONDS or arm.scalars.get(ALONE)
    return worlds if alone else -(-worlds // BLOCK)


def refuse_many(plan: Plan) -> None:
    """Refuse a plan of so many cells that a slip is likelier than a wish.

    Raises:
        StudyError: it has a million cells or more.
    """
    if plan.size >= MANY:
        raise StudyError([
            f"{plan.study.name}: {plan.size:,} cells ({counted(len(plan.arms), 'arm')} of"
            f" {plan.study.replicates:,} worlds); {FEWER}"
        ])


def _unlike(study: Study, tasks: Iterable[Task]) -> Iterator[str]:
    """A line where the study asks for seconds, and its arms have cells of several sizes."""
    sizes = sorted({min(task.block, study.replicates) for task in tasks})
    if asks_for_seconds(study) and len(sizes) > 1:
        yield (
            f"seconds are those of a cell, which holds {sizes[0]:,} to {sizes[-1]:,} worlds here: they"
            " compare no arms whose cells differ; with a budget in seconds each world is a cell"
        )


def asks_for_seconds(study: Study) -> bool:
    """Whether a claim or a figure is of the seconds that cells took."""
    return any(_names_seconds(study.resolved.get(section)) for section in ("claims", "figures"))


def _names_seconds(part: object) -> bool:
    """Whether a quantity or a clock is seconds; what a claim or an axis is called is neither."""
    if isinstance(part, str):
        return SECONDS in re.findall(r"\w+", part)
    if isinstance(part, Mapping):
        return any(_names_seconds(value) for key, value in part.items() if key not in CALLED)
    return isinstance(part, list) and any(map(_names_seconds, part))


def _step_sources(study: Study) -> list[str]:
    """The dim of the noise ledger.

    Sources that a step may draw from, the built-in ones and what the study's optimizers declare.
    """
    declared = [
        source
        for arm in study.arms
        for source in registry.find(arm.optimizer["kind"], "optimizer").sources
    ]
    return [source for source in dict.fromkeys([*SOURCES, *declared]) if source not in OF_NO_STEP]


class Frame(NamedTuple):
    """What the tasks of many arms have in common."""

    fields: Data  # all but the landscape and the optimizer
    text: str  # all of these on which numbers depend
    notes: tuple[str, ...]  # what the user should know


def _shared_frame(once: Once, arm: Settled, device: str, sources: list[str]) -> Frame:
    """The frame of an arm, made once for all arms that have the same.

    It follows from what they share, what their steps cost, and the numbers that their landscapes hold.
    """
    name = (arm.specs.landscape, arm.relaxation, arm.optimizer["kind"])
    shared = (arm.scalars, arm.noise, arm.oracle, spending(arm))
    return once.of(name, lambda: _frame(arm, device, sources), *shared)


def _frame(arm: Settled, device: str, sources: list[str]) -> Frame:
    looked = places(arm)
    fields = _fields(arm, looked, device, sources)
    text = ",".join(text_of(value) for name, value in fields.items() if name != "block")
    notes = (looked.why, UNLIKE * (fields["clock"] == SECONDS))
    return Frame(fields, text, tuple(filter(None, notes)))


def _fields(arm: Settled, looked: Places, device: str, sources: list[str]) -> Data:
    """The fields of the task of an arm, but for landscape and optimizer.

    Args:
        arm: the arm.
        looked: where its state is recorded.
        device: "cpu" or "cuda".
        sources: of noise that a step may draw from.
    """
    scalars = {name: value for name, value in arm.scalars.items() if name not in ("checkpoints", ALONE)}
    end = length_of_run(arm)
    looks = scalars["targets"] and reads_of_truth(landscape_of(arm)) > STEP
    at_end = {
        "ledger": _ledger(scalars["ledger"], end, sources),
        "pictures": _pictures(scalars["pictures"], end),
        "truth": scalars["truth"] if looks else 1.0,
    }
    fields = {
        "relaxation": arm.relaxation,
        "noise": arm.noise,
        "oracle": arm.oracle,
        "checkpoints": looked.times,
        "checkpoint_clock": looked.clock,
        "device": device,
        "block": worlds_of_a_cell(arm, len(looked.times)),
        **scalars,
        **at_end,
    }
    return {name: kept(value) for name, value in fields.items()}


def _ledger(asked: Data | None, end: float, sources: list[str]) -> Data | None:
    """The noise ledger, its moments on the budget's clock; `fractions` keeps what the study gives."""
    if not asked:
        return asked
    moments = _times(asked["moments"], end)
    return {"fractions": asked["moments"], **asked, "moments": moments, "sources": sources}


def _pictures(asked: Data | None, end: float) -> Data | None:
    """The pictures, with the times at which they are taken in place of how many they are."""
    if not asked:
        return asked
    others = {name: value for name, value in asked.items() if name != "frames"}
    return others | {"times": [0.0, *_times(geometric(MOMENTS, asked["frames"] - 1), end)]}


def _times(fractions: Iterable[float], end: float) -> list[float]:
    """Fractions of a run on its clock."""
    return [rounded(end * fraction) for fraction in fractions]


def _device(device: str) -> str:
    if device != "auto":
        return device
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


# the plan on disk -------------------------------------------------------------------------------------------


def manifest(plan: Plan, cells: Sequence[Cell], text: str = "") -> Manifest:
    """What `assemble` needs of a plan, as JSON.

    Args:
        plan: the plan.
        cells: those of its cells that are to be shown.
        text: the study as the user gave it.

    Returns:
        dims (name -> labels), replicates, tasks, arms (coords, number of the task), cells (address, number of
        the task, worlds), attrs.
    """
    numbers = plan.numbers
    return {
        "dims": plan.axes,
        "replicates": plan.study.replicates,
        "tasks": [task.data for task in plan.tasks],  # type: ignore[misc]
        "arms": [{"coords": arm.coords, "task": numbers[arm.task.key]} for arm in plan.arms],
        "cells": [
            {
                "address": cell.address,
                "task": numbers[cell.task.key],
                "first": cell.first,
                "last": cell.last,
            }
            for cell in cells
        ],
        "attrs": _attrs(plan, text),
    }


def _attrs(plan: Plan, text: str) -> dict[str, str]:
    libraries = {name: version for task in plan.tasks for name, version in task.libraries.items()}
    calibrated = {"match": plan.study.matched, "tuning": plan.study.tuned}
    return {
        "name": plan.study.name,
        "study": text,
        config.ATTRIBUTE: json.dumps(plan.study.resolved),
        "versions": json.dumps(provenance.versions() | libraries),
        "device": ", ".join(sorted({task.device for task in plan.tasks})),
        "commit": provenance.commit(),
        settings.ATTRIBUTE: _settings(plan),
        **{name: json.dumps(results) for name, results in calibrated.items() if results},
    }


def _settings(plan: Plan) -> str:
    """What every arm runs with, for `studies.results.settings`."""
    numbers = plan.numbers
    arms = [
        {"coords": arm.coords, "label": arm.label, "task": numbers[arm.task.key]} for arm in plan.arms
    ]
    parts = [resolved(task, {name: getattr(task, name) for name in OF_STUDY}) for task in plan.tasks]
    return json.dumps({"arms": arms, "tasks": parts, "let": plan.study.resolved.get("let", {})})
