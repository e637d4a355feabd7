"""What a dry run prints: the table of cells, the cost, the notes; nothing is computed and nothing written."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from rich.table import Table

from studies.cells.task import Cell, Task
from studies.results import store
from studies.run import clusters, expected, kinds, study_folder
from studies.run.calibration.stage import Stage
from studies.run.calibration.stages import stages_of
from studies.run.memory import megabytes
from studies.study_file import remarks, spending
from studies.study_file.cluster import Cluster
from studies.study_file.plan import Arm, Plan, make_plan, refuse_many
from studies.study_file.study import Study
from studies.text import terminal
from studies.text.groups import grouped, some
from studies.text.words import counted, short

NAMES = ("landscape", "optimizer")
HEADS = ("arms", "cells", "to\ncompute", "evaluations\nto compute", "steps", "MB")


def show(study: Study, out: Path, cluster: str | None = None, *, yes: bool = False) -> None:
    """Print the plan of a study, and the job script where cells are computed by a batch system.

    Args:
        study: the study.
        out: its folder; finished cells there are not computed again.
        cluster: where to compute, as `--cluster` has it; None: what the study says.
        yes: whether a million cells or more are meant.

    Raises:
        StudyError: the folder is another study's, or there are too many cells.
        ClusterError: there is no such cluster.
    """  # noqa: DOC502
    study_folder.check(study, out)
    where = clusters.checked(cluster or study.cluster)
    study = replace(study, device=clusters.device_of(where, study.device, ask=False))
    study, stages = _staged(study, out)
    plan, here, console = make_plan(study), store.finished(out), terminal.console()
    if not yes:
        refuse_many(plan)
    cells = plan.cells(here)
    ahead = [cell for stage in stages for cell in stage.ahead()]
    times = expected.expected([*ahead, *_missing(cells, here)])
    console.print(_table(plan, cells, here, times.memory))
    for table in filter(None, (stage.table() for stage in stages)):
        console.print(table)
    lines = expected.lines(times, expected.workers(where))
    console.print(*lines, sep="\n", soft_wrap=True)
    console.print(f"folder: {out}", *_notes(plan, stages), sep="\n", soft_wrap=True)
    script = kinds.script(where)
    if script is not None:
        print(f"each of {_jobs(where)}:\n\n{script}")


def _jobs(cluster: Cluster) -> str:
    """How many there are."""
    fewest, most = cluster.fewest_and_most
    return counted(most, "job") if fewest == most else f"{fewest} to {counted(most, 'job')}"


def _notes(plan: Plan, stages: list[Stage]) -> list[str]:
    """Lines on checkpoints, on the plan, on budgets and on stages."""
    return [
        *some(_checkpoints(plan)),
        *some(plan.notes),
        *some(remarks.unusual(plan.study.arms)),
        *(line for stage in stages for line in stage.lines()),
    ]


def _staged(study: Study, out: Path) -> tuple[Study, list[Stage]]:
    """The study with the values of those stages that are complete, and all its stages."""
    stages: list[Stage] = []
    for make_stage in stages_of(study):
        stage = make_stage(study, out)
        study = stage.study() if stage.complete() else study
        stages.append(stage)
    return study, stages


class Row(NamedTuple):
    """What is planned and missing of some arms."""

    arms: int
    cells: int
    missing: int
    evaluations: tuple[float, ...]  # of each cell that is to be computed; NaN: not known before it runs
    memory: float  # bytes of a worker; 0: nothing is to be computed, or not known

    def texts(self) -> tuple[str, ...]:
        """As the table shows it, but the memory."""
        counts = (f"{count:,}" for count in (self.arms, self.cells, self.missing))
        return *counts, spending.total(self.evaluations)


def _row(
    arms: int,
    cells: list[Cell],
    here: set[str],
    each: dict[int, float],
    needed: Mapping[bytes, float],
) -> Row:
    """What is planned of some arms.

    Args:
        arms: how many.
        cells: of them.
        here: addresses of those that exist.
        each: id of a task -> evaluations of one world.
        needed: task -> bytes of a worker.
    """
    missing = _missing(cells, here)
    evaluations = tuple(each[id(cell.task)] * (cell.last - cell.first) for cell in missing)
    memory = max((needed.get(cell.task.key, 0.0) for cell in missing), default=0.0)
    return Row(arms, len(cells), len(missing), evaluations, memory)


def _missing(cells: list[Cell], here: set[str]) -> list[Cell]:
    """Those that are to be computed."""
    return [cell for cell in cells if cell.address not in here] if here else cells


def _rows(
    plan: Plan, cells: list[Cell], here: set[str], needed: Mapping[bytes, float]
) -> dict[tuple[str, str], Row]:
    """A row for each landscape and optimizer, all values of the axes together."""
    of_task = grouped((id(cell.task), cell) for cell in cells)
    settled = zip(plan.arms, plan.study.arms, strict=True)
    each = {id(arm.task): spending.evaluations(own) for arm, own in settled}
    rows = {}
    for names, tasks in _tasks(plan).items():
        own = [cell for task in dict.fromkeys(tasks) for cell in of_task.get(task, ())]
        rows[names] = _row(len(tasks), own, here, each, needed)
    return rows


def _tasks(plan: Plan) -> dict[tuple[str, str], list[int]]:
    """Landscape and optimizer -> the id of the task of each of their arms."""
    return grouped((_names(arm), id(arm.task)) for arm in plan.arms)


def _names(arm: Arm) -> tuple[str, str]:
    """The landscape and the optimizer of an arm."""
    return str(arm.coords["landscape"]), str(arm.coords["optimizer"])


def _table(plan: Plan, cells: list[Cell], here: set[str], needed: Mapping[bytes, float]) -> Table:
    """One row for each landscape and optimizer, and one for all."""
    rows, steps = _rows(plan, cells, here, needed), spending.steps(plan.study.arms)
    grid = Table(*NAMES, title=f"{plan.study.name}: {counted(plan.study.replicates, 'world')}")
    for head in HEADS:
        grid.add_column(head, no_wrap=True)
    for names, row in rows.items():
        grid.add_row(*names, *row.texts(), steps[names], _megabytes(row))
    whole = _all([*rows.values()])
    grid.add_section()
    grid.add_row("all", "", *whole.texts(), "", _megabytes(whole))
    return grid


def _megabytes(row: Row) -> str:
    return megabytes(row.memory) if row.memory else ""


def _checkpoints(plan: Plan) -> list[str]:
    """A line for all arms that are looked at at the same times: how many they are, and where they lie."""
    arms = grouped((_looks(arm.task), ", ".join(_names(arm))) for arm in plan.arms)
    return [f"checkpoints: {text}: {_and_more(names)}" for text, names in arms.items()]


def _and_more(names: list[str]) -> str:
    """The first name, and how many more there are."""
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} arms more"


def _looks(task: Task) -> str:
    times, clock = task.checkpoints, (task.checkpoint_clock or task.clock).replace("_", " ")
    return f"{len(times)} from {clock} {short(times[0])} to {short(times[-1])}"


def _all(rows: list[Row]) -> Row:
    """The rows together."""
    return Row(
        sum(row.arms for row in rows),
        sum(row.cells for row in rows),
        sum(row.missing for row in rows),
        tuple(itertools.chain.from_iterable(row.evaluations for row in rows)),
        max(row.memory for row in rows),
    )
