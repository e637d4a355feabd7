"""How long a study will take, measured before it runs.

Of each task a few steps on this machine, in the process that asks.

A task is run with a budget that doubles until it takes a twentieth of a second longer than none; what is left
goes on at the pace of the last doubling. The noise ledger is run at one moment with few redraws, and scaled.
First a task of each kind of landscape and of optimizer is measured, for `MOST` seconds at most, then others
for `PATIENCE` seconds in all. A task that was not come by goes at the seconds per evaluation of those most
like it (landscape and optimizer, then optimizer, then any), times how much larger its landscape is, in terms
times coordinates. What is not in it: the start of workers, figures and report, and that several workers share
the memory of a machine. Expect a factor of two, and more where few tasks are measured.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from studies import registry
from studies.cells.task import Cell, Task
from studies.plan import rounded

if TYPE_CHECKING:
    from studies.study_file.study import Study

ENOUGH = 0.05  # seconds beyond those of no step, at which the pace is known
PATIENCE = 3.0  # seconds, after which only kinds are measured that were not yet
MOST = 15.0  # seconds, after which nothing more is
LEAST = 2**-10  # of the budget, the first that is tried
REDRAWS = 8  # of the ledger, with which it is measured


class Pace(NamedTuple):
    """How long a block of worlds of a task takes, in seconds."""

    fixed: float  # whatever the budget
    evaluation: float  # for each evaluation of the budget
    ledger: float = 0.0  # of the whole noise ledger

    def seconds(self, budget: float) -> float:
        """Of a whole cell."""
        return self.fixed + self.evaluation * budget + self.ledger


class Expected(NamedTuple):
    """What a study is expected to take."""

    seconds: float  # of one core
    cells: int
    measured: int  # tasks
    tasks: int
    failed: list[str]  # what a few steps of a task ended with


def expected(
    cells: Iterable[Cell], pace: Callable[[Task, int], Pace] | None = None, patience: float = PATIENCE
) -> Expected:
    """The seconds of one core that cells will take.

    Args:
        cells: those to compute, perhaps several times the same.
        pace: (task, worlds) -> its pace; None: it is measured.
        patience: seconds of measuring.
    """
    measure_pace, began = pace or measured, time.monotonic()
    cells = list(cells)
    first: dict[str, Cell] = {}  # of each task
    for cell in cells:
        first.setdefault(cell.task.canonical, cell)
    paces: dict[str, Pace] = {}
    failed: list[str] = []
    for name, rank in _ranks(first).items():
        cell, passed = first[name], time.monotonic() - began
        if not paces or passed < patience or (rank == 0 and passed < MOST):
            try:
                paces[name] = measure_pace(cell.task, cell.last - cell.first)
            except (Exception, SystemExit) as error:  # noqa: BLE001  a kind of the user's may fail in any way
                failed.append(
                    f"{cell.task.optimizer['kind']} on {cell.task.landscape['kind']}: {type(error).__name__}:"
                    f" {error}"
                )
    known = {name: (first[name].task, pace) for name, pace in paces.items()}
    total = (
        sum(
            (paces.get(cell.task.canonical) or _alike(cell.task, known)).seconds(cell.task.budget)
            for cell in cells
        )
        if paces
        else 0.0
    )
    return Expected(total, len(cells), len(paces), len(first), [" ".join(line.split()) for line in failed])


def measured(task: Task, worlds: int) -> Pace:
    """The pace of a task on this machine.

    Args:
        task: the task.
        worlds: of a block.
    """
    bare = replace(task, ledger=None, pictures=None)
    run = _runner(bare, worlds)
    none = run(rounded(task.budget * LEAST))  # what is needed once, compiled and loaded
    none = min(none, run(rounded(task.budget * LEAST)))
    budget, before = task.budget * LEAST, none
    while budget < task.budget:
        spent, budget = budget, min(2 * budget, task.budget)
        now = run(rounded(budget))
        if now > none + ENOUGH or budget >= task.budget:
            slope = (
                max(now - before, 0.0) / (budget - spent)
                if now > none + ENOUGH
                else max(now - none, 0.0) / budget
            )
            return Pace(max(now - slope * budget, 0.0), slope, _ledger(task, worlds))
        before = now
    return Pace(none, 0.0, _ledger(task, worlds))


def told(found: Expected, workers: int) -> list[str]:
    """Lines of a dry run.

    Args:
        found: what is expected.
        workers: processes that share the cells.
    """
    lines = [f"a few steps failed: {line}" for line in found.failed]
    if not found.cells:
        return ["expected: nothing is left to compute"]
    if not found.measured:
        return [*lines, "expected: no time is known"]
    hands = max(1, min(workers, found.cells))
    each = f" on {hands} workers, {duration(found.seconds)} of one core" if hands > 1 else " of one core"
    how = (
        f"measured by a few steps of {found.measured} of {found.tasks} tasks on this machine; expect a factor"
        " of two, and more where it is busy"
    )
    return [
        *lines,
        f"expected: about {duration(found.seconds / hands)}{each}, figures and report not counted ({how})",
    ]


def duration(seconds: float) -> str:
    """Two digits: 8.1 s, 95 s, 12 min, 3.4 h, 2.1 days."""
    for size, unit in ((86400.0, "days"), (3600.0, "h"), (60.0, "min")):
        if seconds >= 2 * size:
            return f"{float(f'{seconds / size:.2g}'):g} {unit}"
    return f"{float(f'{seconds:.2g}'):g} s"


def workers(study: Study) -> int:
    """How many cells are computed at a time on this machine, as far as the study says."""
    return study.cluster.workers or os.cpu_count() or 1


def _runner(task: Task, worlds: int) -> Callable[[float], float]:
    """Budget -> seconds that a run of so many worlds takes."""
    import torch

    from studies.cells.loop import run_worlds

    price = task.gradient_cost

    def run(budget: float) -> float:
        end = rounded(budget * price["value"] / price["low"])
        began = time.process_time()  # not of the clock: other programs may have the cores now
        run_worlds(replace(task, budget=budget, checkpoints=[end]), torch.arange(worlds))
        return time.process_time() - began

    return run


def _ledger(task: Task, worlds: int) -> float:
    """Seconds of the whole noise ledger, from one moment at the start with few redraws."""
    if not task.ledger:
        return 0.0
    few = min(REDRAWS, task.ledger["redraws"])
    short = {**task.ledger, "moments": [0.0], "fractions": [0.0], "redraws": few, "points": few}
    budget = rounded(task.budget * LEAST)
    bare = _runner(replace(task, ledger=None, pictures=None), worlds)(budget)
    _runner(replace(task, ledger=short, pictures=None), worlds)(budget)
    once = _runner(replace(task, ledger=short, pictures=None), worlds)(budget) - bare
    return max(once, 0.0) * len(task.ledger["moments"]) * task.ledger["redraws"] / few


def _ranks(first: dict[str, Cell]) -> dict[str, int]:
    """Task -> how many of its kind of landscape and of optimizer come before it.

    Lowest first, so that what is not measured has one alike.
    """
    seen: dict[tuple[str, str], int] = {}
    rank = {}
    for name, cell in first.items():
        both = (cell.task.landscape["kind"], cell.task.optimizer["kind"])
        rank[name] = seen[both] = seen.get(both, -1) + 1
    return dict(sorted(rank.items(), key=lambda item: item[1]))


def _size(task: Task) -> int:
    """Of a landscape: terms times coordinates."""
    made = registry.build(task.landscape, "landscape")
    return made.terms * made.dim


def _alike(task: Task, known: dict[str, tuple[Task, Pace]]) -> Pace:
    """The pace of a task that was not measured: the median of those most like it."""
    for keys in (("landscape", "optimizer"), ("optimizer",), ()):
        same = [
            (other, pace)
            for other, pace in known.values()
            if all(getattr(other, key)["kind"] == getattr(task, key)["kind"] for key in keys)
        ]
        if same:
            scaled = [
                (pace.fixed, *(part * _size(task) / _size(other) for part in pace[1:]))
                for other, pace in same
            ]
            return Pace(*(statistics.median(values) for values in zip(*scaled, strict=True)))
    raise ValueError("expected at least one pace")
