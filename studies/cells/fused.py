"""Cells that differ in numbers alone, computed as rows of one batch.

What a step costs besides its worlds is then paid once for all of them. A world draws at its own address and
knows of no other, so that each cell has the bits that it has alone. Of seconds each cell has its share.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from landscapes import together
from landscapes.parameters import numbers
from studies.kinds import registry
from studies.text.groups import grouped
from studies.text.schema import SECONDS
from studies.text.shapes import Tree

if TYPE_CHECKING:
    from xarray import Dataset

    from studies.cells.task import Cell, Task

MOST = 64  # cells of a group, which are stored one after another
Group = Sequence["Cell"]  # cells that are computed together


# which are together -----------------------------------------------------------------------------------------


def groups(cells: Sequence[Cell], slots: int) -> list[Group]:
    """Cells in groups that are each computed together, in the order of their first ones.

    A group has no more worlds than a full cell, which is as many as time and memory allow, and no more than
    `MOST` cells. There are as many groups as slots where there are as many cells.

    Args:
        cells: to be computed.
        slots: how many are computed at once.
    """
    likenesses = {id(cell.task): likeness(cell.task) for cell in cells}
    alike = grouped((likenesses[id(cell.task)] or id(cell), cell) for cell in cells)
    share = slots / max(1, len(cells))
    return [group for members in alike.values() for group in _split(members, share)]


def _split(members: Sequence[Cell], share: float) -> Iterator[Group]:
    """Like cells in groups: a share of them, of full cells at most."""
    worlds = max(cell.last - cell.first for cell in members)
    full = min(MOST, max(1, min(cell.task.block for cell in members) // worlds))
    count = max(math.ceil(len(members) / full), math.ceil(len(members) * share))
    yield from filter(None, (members[place::count] for place in range(count)))


def likeness(task: Task) -> str | None:
    """A text that tasks share whose cells may be rows of one batch; None: each is computed alone.

    Alone are those that code of the user's or another library computes, whose length is in seconds, whose
    worlds are cells, and those that are looked at besides.
    """
    optimizer = registry.find(task.optimizer["kind"], "optimizer")
    looked_at = task.ledger or task.pictures or task.timing or task.record
    timed = SECONDS in (task.clock, task.checkpoint_clock) or task.block == 1
    if looked_at or timed or optimizer.libraries or task.has_own_code:
        return None
    alike = _with_numbers(task, dict.fromkeys(_numbers(task), "a number")).canonical
    made = task.landscapes[0]
    return f"{alike}\n{together.likeness(made)}" if together.numbers(made) else alike


# numbers of a task ------------------------------------------------------------------------------------------

Place = tuple[str, ...]  # of a number: the field of a task, and the keys within
PARTS = ("landscape", "optimizer", "noise", "gradient_cost")  # fields that hold such numbers


def _numbers(task: Task) -> dict[Place, float]:
    """The numbers in which tasks may differ whose cells are together."""
    kind = registry.find(task.optimizer["kind"], "optimizer")
    noise = {key: value for key, value in task.noise["evaluation"].items() if value > 0}
    return {
        **_at("optimizer", values=numbers(kind, task.optimizer)),
        **_at("noise", "evaluation", values=noise),
        **_at("gradient_cost", values=task.gradient_cost),
        **_at("landscape", values=together.numbers(task.landscapes[0])),
    }


def _at(*place: str, values: Mapping[Place, float] | Mapping[str, float]) -> dict[Place, float]:
    """Numbers of a part of a task, by their places in the task."""
    names = {key: (key,) if isinstance(key, str) else key for key in values}
    return {(*place, *names[key]): value for key, value in values.items()}


def _with_numbers(task: Task, values: Mapping[Place, object]) -> Task:
    """A task with other numbers."""
    parts: Tree = {part: getattr(task, part) for part in PARTS}
    for place, value in values.items():
        parts = _put(parts, place, value)
    return dataclasses.replace(task, **parts)


def _put(tree: Tree, place: Place, value: object) -> dict[str, object]:
    """A tree with another value at a place."""
    key, *rest = place
    return {**tree, key: _put(tree[key], tuple(rest), value) if rest else value}


# computed together ------------------------------------------------------------------------------------------


def run_together(cells: Group, compiled: str = "off") -> list[Dataset]:
    """Compute a group of `groups`: for each cell what `studies.cells.loop.run_cell` returns.

    Args:
        cells: of the group.
        compiled: as of `studies.cells.loop.run_worlds`.
    """
    import torch

    from studies.cells.loop import run_worlds

    worlds = torch.cat([torch.arange(cell.first, cell.last) for cell in cells])
    data = run_worlds(_joined(cells), worlds, compiled=compiled)
    ends = [sum(cell.last - cell.first for cell in cells[:place]) for place in range(len(cells) + 1)]
    return [_part(data, cell, slice(*rows)) for cell, rows in zip(cells, pairwise(ends), strict=True)]


def _joined(cells: Group) -> Task:
    """The task of all worlds of a group: where cells differ, a number for each world (R,)."""
    import torch

    sizes = torch.tensor([cell.last - cell.first for cell in cells])
    values = [_numbers(cell.task) for cell in cells]
    differing = {
        place: torch.tensor([each[place] for each in values], dtype=torch.float64).repeat_interleave(
            sizes
        )
        for place in values[0]
        if len({each[place] for each in values}) > 1
    }
    return _with_numbers(cells[0].task, differing)


def _part(data: Dataset, cell: Cell, rows: slice) -> Dataset:
    """The worlds of one cell, with the spacing of its landscape and their share of all seconds."""
    from studies.cells.loop import spacing

    part = data.isel(replicate=rows).copy(deep=True)
    share = part.sizes["replicate"] / data.sizes["replicate"]
    for variable in part.variables.values():
        if variable.attrs.get("units") == "s":
            variable.values *= share
    spent = json.loads(data.attrs["profile"])
    profile = json.dumps({key: value * share for key, value in spent.items()})
    return part.assign_attrs(profile=profile, spacing=spacing(cell.task))
