"""How much memory a worker needs: its process, and what the worlds that it computes hold at once.

Tensors of the first steps are added up while they live, from the drawing of the landscape on: the third step
is the first that holds as much as those after it. What a method does every so many steps it does in each of
them, and each is recorded. To them come the records of all checkpoints, twice while they are written. Not
seen are workspaces within an operation, holes that the system's allocator leaves between tensors (of 1,600
worlds of CMA-ES in 50 dimensions as much again), and what grows later: populations of `ipop_cma_es` after
restarts, batches and evaluations that a schedule or a test of noise enlarges.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import psutil

from landscapes.oracle.bill import Bill
from studies.cells.task import INSTRUMENTS, Task
from studies.kinds import registry
from studies.kinds.instruments import Moment
from studies.study_file.cell_size import RECORDED
from studies.text.shapes import Data

if TYPE_CHECKING:
    from studies.cells.timing import Looking

STEPS = 6
EVERY = ("lazy", "interval")  # parameters of optimizers: every how many steps something is done
NUMBER = 8  # bytes
MEGABYTE = 1e6


class Ends:
    """Ends a search after so many steps; to be asked before who records.

    Args:
        bill: of the search.
        steps: >= 1.
    """

    part = "record"

    def __init__(self, bill: Bill, steps: int) -> None:
        self.bill, self.left = bill, steps

    def __call__(self, moment: Moment) -> None:
        """Take the moment before the first step, and that after each."""
        if moment.query is not None:
            self.left -= 1
        if not self.left:
            self.bill.close(self.bill.alive.copy())


def held(task: Task, worlds: int) -> float:
    """Bytes that so many worlds of a task hold at once, with no instrument."""
    import torch

    from studies.cells.guards import guarded
    from studies.cells.loop import Setting, search
    from studies.cells.timing import Storages
    from studies.cells.truth import Truth

    with Storages() as storages:
        setting = Setting.of(_always(task), torch.arange(worlds))
        optimizer, oracle = guarded(task, setting.optimizer, setting.oracle, setting.streams)
        recorders = setting.watchers(Truth(setting.landscape))
        watchers: list[Looking] = [Ends(oracle.bill, STEPS), *recorders]
        search(optimizer, setting.problem, oracle, watchers, setting.streams)
    return storages.most + 2 * NUMBER * RECORDED * len(task.checkpoints) * worlds


def _always(task: Task) -> Task:
    """A task with no instrument, whose method does in each step what it does every so many."""
    nothing: Data = dict.fromkeys(INSTRUMENTS)
    parameters = registry.build(task.optimizer, "optimizer").parameters()
    each = {name: 1 for name in EVERY if parameters.get(name, 1) != 1}
    short = replace(task, **nothing, optimizer=task.optimizer | each)
    return replace(short, checkpoints=[*map(float, range(1, STEPS + 1))], checkpoint_clock="steps")


def process() -> float:
    """Bytes that this process holds now."""
    return float(psutil.Process().memory_info().rss)


def megabytes(size: float) -> str:
    """A size in bytes with two digits, as "380"."""
    return f"{float(f'{size / MEGABYTE:.2g}'):,.0f}"
