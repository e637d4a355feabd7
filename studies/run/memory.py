"""How much memory a worker needs: its process, and what the worlds that it computes hold at once.

Tensors of the first step are added up while they live, from the drawing of the landscape on. To them come the
records of all checkpoints, twice while they are written. Workspaces within an operation are not seen.
"""

from __future__ import annotations

from dataclasses import replace

import psutil

from studies.cells.task import INSTRUMENTS, Task
from studies.study_file.cell_size import RECORDED
from studies.study_file.checkpoints import rounded
from studies.text.shapes import Data

LEAST = 1e-9  # of the budget, which is one step
NUMBER = 8  # bytes
MEGABYTE = 1e6


def held(task: Task, worlds: int) -> float:
    """Bytes that so many worlds of a task hold at once, with no instrument."""
    import torch

    from studies.cells.loop import run_worlds
    from studies.cells.timing import Storages

    nothing: Data = dict.fromkeys(INSTRUMENTS)
    budget = rounded(task.budget * LEAST)
    short = replace(task, **nothing, budget=budget, checkpoints=[budget], checkpoint_clock=None)
    with Storages() as storages:
        run_worlds(short, torch.arange(worlds))
    return storages.most + 2 * NUMBER * RECORDED * len(task.checkpoints) * worlds


def process() -> float:
    """Bytes that this process holds now."""
    return float(psutil.Process().memory_info().rss)


def megabytes(size: float) -> str:
    """A size in bytes with two digits, as "380"."""
    return f"{float(f'{size / MEGABYTE:.2g}'):,.0f}"
