"""How long a study will take, and how much memory its workers, measured before it runs.

Of each task a few steps on this machine, in the process that asks.

A task is run with a budget that doubles until it takes half as long again as none, and a twentieth of a
second more; what is left goes on at the pace of the last doubling. (Less is noise where what comes before a
step takes long: of a budget of one step all runs but the last make none.) The noise ledger is run at one
moment with few redraws, and scaled. First a task of each kind of landscape and of optimizer is measured, for
`MOST` seconds at most, then others for `PATIENCE` seconds in all. A task that was not come by goes at the
seconds per evaluation of those most like it (landscape and optimizer, then optimizer, then any), times how
much larger its landscape is, in terms times coordinates. What is not in it: the start of workers, figures and
report, and that several workers share the memory of a machine. Expect a factor of two, and more where few
tasks are measured.

The memory of a worker is that of this process before it measures, and what the worlds of a task hold
(`studies.run.memory`); in proportion to worlds where cells are computed together.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from studies.cells.task import BLOCK, INSTRUMENTS, Cell, Task
from studies.run import memory
from studies.run.environment import cores
from studies.run.kinds import most_workers
from studies.run.paces import AS_LONG, Alike, Pace, kinds_of
from studies.study_file.checkpoints import rounded
from studies.text.durations import duration
from studies.text.schema import SECONDS
from studies.text.shapes import Data

if TYPE_CHECKING:
    from studies.study_file.cluster import Cluster

ENOUGH = 0.05  # seconds beyond those of no step, and half of these, at which the pace is known
PATIENCE = 3.0  # seconds, after which only kinds are measured that were not yet
MOST = 15.0  # seconds, after which nothing more is
LEAST = 2**-10  # of the budget, the first that is tried
REDRAWS = 8  # of the ledger, with which it is measured


class Expected(NamedTuple):
    """What a study is expected to take."""

    seconds: float  # of one core
    cells: int
    measured: int  # tasks
    tasks: int
    failed: list[str]  # what a few steps of a task ended with
    alone: float = 0.0  # of the seconds, those in which nothing else may run: the times of steps
    memory: Mapping[bytes, float] = MappingProxyType({})  # task -> bytes of a worker


def expected(
    cells: Iterable[Cell], pace: Callable[[Task, int], Pace] | None = None, patience: float = PATIENCE
) -> Expected:
    """The seconds of one core that cells will take.

    Args:
        cells: those to compute, perhaps several times the same.
        pace: (task, worlds) -> its pace; None: it is measured.
        patience: seconds of measuring.
    """
    cells, process = list(cells), memory.process()
    first: dict[bytes, Cell] = {}  # of each task
    for cell in cells:
        first.setdefault(cell.task.key, cell)
    paces, failed = _paces(first, pace or measured, patience)
    alike = Alike([(first[key].task, pace) for key, pace in paces.items()])
    known = [(cell, _pace_of(cell, paces, alike)) for cell in cells] if paces else []
    alone = sum(pace.timing * _timed(cell) for cell, pace in known)
    total = alone + sum(_seconds(cell, pace, first) for cell, pace in known)
    needed = {task: process + held for task, held in _memory(known, first).items()}
    return Expected(total, len(cells), len(paces), len(first), failed, alone, needed)


def _memory(known: Sequence[tuple[Cell, Pace]], first: dict[bytes, Cell]) -> dict[bytes, float]:
    """Task -> bytes that as many of its worlds hold as may be computed together.

    Args:
        known: cells and their paces.
        first: task -> the cell of it that may have been measured.
    """
    worlds: Counter[tuple[str, str]] = Counter()
    for cell, _ in known:
        worlds[kinds_of(cell.task)] += cell.last - cell.first
    return {
        cell.task.key: pace.memory
        * min(cell.task.block, worlds[kinds_of(cell.task)])
        / _worlds_of(first[cell.task.key])
        for cell, pace in known
    }


def _pace_of(cell: Cell, paces: dict[bytes, Pace], alike: Alike) -> Pace:
    """The pace of a cell.

    Args:
        cell: the cell.
        paces: of the tasks that were measured.
        alike: those of tasks like it.
    """
    task = cell.task
    pace = paces.get(task.key) or alike.of(task)
    if task.clock != SECONDS:
        return pace
    return AS_LONG._replace(ledger=pace.ledger, timing=pace.timing)


def _seconds(cell: Cell, pace: Pace, first: dict[bytes, Cell]) -> float:
    """What a cell will take, the times of steps left out.

    Args:
        cell: the cell.
        pace: of its task.
        first: task -> the cell of it that may have been measured.
    """
    task = cell.task
    return pace.seconds(task.budget) * _worlds(cell) / _worlds(first[task.key])


def _timed(cell: Cell) -> int:
    """Worlds of a cell that are timed."""
    asked = cell.task.timing
    return max(min(cell.last, asked["worlds"]) - cell.first, 0) if asked else 0


def _worlds(cell: Cell) -> int:
    """What a cell takes, in worlds: a small one takes as long as one of BLOCK."""
    return max(_worlds_of(cell), BLOCK)


def _worlds_of(cell: Cell) -> int:
    return cell.last - cell.first


def _paces(
    first: dict[bytes, Cell], measure: Callable[[Task, int], Pace], patience: float
) -> tuple[dict[bytes, Pace], list[str]]:
    """The pace of as many tasks as there is time for, and why it is not known of some.

    Args:
        first: task -> a cell of it.
        measure: (task, worlds) -> its pace.
        patience: seconds, after which only kinds are measured that were not yet.
    """
    paces: dict[bytes, Pace] = {}
    failed: list[str] = []
    ranks = _ranks(first)
    began = time.monotonic()
    for name, rank in ranks.items():
        cell, passed = first[name], time.monotonic() - began
        if paces and passed >= (max(MOST, patience) if rank == 0 else patience):
            continue
        try:
            paces[name] = measure(cell.task, _worlds_of(cell))
        except (Exception, SystemExit) as error:  # noqa: BLE001  a kind of the user's may fail in any way
            failed.append(_failure(cell.task, error))
    return paces, failed


def _failure(task: Task, error: BaseException) -> str:
    """What a few steps of a task ended with, in a line."""
    where = f"{task.optimizer['kind']} on {task.landscape['kind']}"
    return " ".join(f"{where}: {type(error).__name__}: {error}".split())


def measured(task: Task, worlds: int) -> Pace:
    """The pace of a task on this machine.

    Args:
        task: the task.
        worlds: of a block.
    """
    timed = task.clock == SECONDS
    pace = AS_LONG if timed else _pace(_runner(_bare(task), worlds), task.budget)
    pace = pace._replace(ledger=_ledger(task, worlds), timing=_timing(task))
    return pace._replace(memory=memory.held(task, worlds))


def _pace(run: Callable[[float], float], whole: float) -> Pace:
    """The pace at the last of budgets that double, as soon as that is known.

    Args:
        run: budget -> seconds.
        whole: the budget of a task, > 0.
    """
    budget = whole * LEAST
    # the first run compiles and loads what is needed
    none = min(run(rounded(budget)), run(rounded(budget)))
    now, enough = none, 1.5 * none + ENOUGH
    while budget < whole:
        before, spent, budget = now, budget, min(2 * budget, whole)
        now = run(rounded(budget))
        if now > enough:
            now = min(now, run(rounded(budget)))  # what a busy machine adds is seldom seen twice
        if now > enough:
            return _along(now, budget, (now - before) / (budget - spent))
    return _along(now, budget, (now - none) / budget)


def _along(seconds: float, budget: float, slope: float) -> Pace:
    """The pace of a line through this point, neither part of it below 0."""
    slope = max(slope, 0.0)
    return Pace(max(seconds - slope * budget, 0.0), slope)


def lines(expected: Expected, workers: int) -> list[str]:
    """What a dry run says of the time.

    Args:
        expected: what the study will take.
        workers: processes that share the cells.
    """
    if not expected.cells:
        return ["expected: nothing is left to compute"]
    failed = [f"a few steps failed: {line}" for line in expected.failed]
    if not expected.measured:
        return [*failed, "expected: no time is known"]
    hands = max(1, min(workers, expected.cells))
    shared = duration(expected.alone + (expected.seconds - expected.alone) / hands)
    alone = duration(expected.seconds)
    each = f" on {hands} workers, {alone} of one core" if hands > 1 else " of one core"
    how = (
        f"measured by a few steps of {expected.measured} of {expected.tasks} tasks on this machine;"
        " expect a factor of two, and more where it is busy"
    )
    return [*failed, f"expected: about {shared}{each}, figures and report not counted ({how})"]


def workers(cluster: Cluster) -> int:
    """How many cells are computed at a time: as many as are said to come, or as this machine has cores."""
    hosts = len(cluster.hosts or [1])
    return most_workers(cluster) or hosts * (cluster.workers or cluster.gpus or cores())


def _bare(task: Task) -> Task:
    """A task that no instrument looks at."""
    nothing: Data = dict.fromkeys(INSTRUMENTS)
    return replace(task, **nothing)


def _runner(task: Task, worlds: int) -> Callable[[float], float]:
    """Budget -> seconds that a run of so many worlds takes."""
    import torch

    from studies.cells.loop import run_worlds

    price = task.gradient_cost

    def run(budget: float) -> float:
        beyond = price["value"] / price["low"] if task.clock == "cost" else 1.0
        end = rounded(budget * beyond)
        began = time.process_time()  # not of the clock: other programs may have the cores now
        run_worlds(
            replace(task, budget=budget, checkpoints=[end], checkpoint_clock=None), torch.arange(worlds)
        )
        return time.process_time() - began

    return run


def _timing(task: Task) -> float:
    """Seconds that the timing of one world takes, all its rounds."""
    if not task.timing:
        return 0.0
    asked = {**task.timing, "rounds": 1}
    # the first one loads what is needed
    return min(_timed_once(task, asked), _timed_once(task, asked)) * task.timing["rounds"]


def _timed_once(task: Task, asked: Data) -> float:
    """Seconds that it takes to time one world, as asked."""
    import torch

    from studies.cells.loop import timed_alone

    began = time.process_time()
    timed_alone(task, torch.arange(1), asked)
    return time.process_time() - began


def _ledger(task: Task, worlds: int) -> float:
    """Seconds of the whole noise ledger, from one moment at the start with few redraws."""
    if not task.ledger:
        return 0.0
    few = min(REDRAWS, task.ledger["redraws"])
    once = _one_moment(task, task.ledger, worlds, few)
    return max(once, 0.0) * len(task.ledger["moments"]) * task.ledger["redraws"] / few


def _one_moment(
    task: Task,
    ledger: Data,
    worlds: int,
    few: int,
) -> float:
    """Seconds of the noise ledger at the start, with few redraws and points.

    Args:
        task: the task.
        ledger: what it records.
        worlds: of a block.
        few: redraws and points.
    """
    short = {
        **ledger,
        "moments": [0.0],
        "fractions": [0.0],
        "redraws": few,
        "points": few,
    }
    budget = rounded(task.budget * LEAST)
    without = _runner(_bare(task), worlds)
    within = _runner(replace(_bare(task), ledger=short), worlds)
    bare = without(budget)
    within(budget)  # what is needed is compiled and loaded now
    return within(budget) - bare


def _ranks(first: dict[bytes, Cell]) -> dict[bytes, int]:
    """Task -> how many of its kind of landscape and of optimizer come before it.

    Lowest first, so that what is not measured has one alike.
    """
    kinds: Counter[tuple[str, str]] = Counter()
    rank = {}
    for name, cell in first.items():
        both = kinds_of(cell.task)
        rank[name] = kinds[both]
        kinds[both] += 1
    return dict(sorted(rank.items(), key=lambda item: item[1]))
