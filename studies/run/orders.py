"""What is sent to workers: texts alone, so that a scheduler needs neither torch nor a user's kinds.

A scheduler reads what clients submit. Of ours it finds the name of a function here, and texts; this module
imports nothing. A worker makes the cell of its text.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from studies.cells.task import Cell
    from studies.run.work import Record


def order(cell: Cell) -> str:
    """A cell as text."""
    return f'{{"task":{cell.task.canonical},"first":{cell.first},"last":{cell.last}}}'


def cell_of(text: str) -> Cell:
    """The cell of a text."""
    from studies.cells.task import Cell, Task

    given = json.loads(text)
    return Cell(Task(**given["task"]), given["first"], given["last"])


def compute(
    text: str,
    address: str,
    out: str,
    token: str = "",
    times: str = "",
    timeout: float = 0.0,
    compiled: str = "off",
) -> Record:
    """Compute the cell of a text; arguments and Record as of `studies.run.work.compute`."""
    from studies.run import work

    return work.compute(cell_of(text), address, out, token, times, timeout, compiled)


def compute_together(
    text: str,
    addresses: str,
    out: str,
    token: str = "",
    compiled: str = "off",
) -> list[Record]:
    """Compute the cells of a group.

    Args:
        text: a list of cells as texts (JSON).
        addresses: theirs, with a space between each two.
        out: the study's folder.
        token: nothing is written where the folder has no such file.
        compiled: as of `studies.cells.loop.run_worlds`.
    """
    from studies.run import work

    cells = [cell_of(json.dumps(given)) for given in json.loads(text)]
    return work.compute_together(cells, addresses.split(), out, token, compiled)


def take(texts: list[tuple[str, str]], number: int, folder: str) -> None:
    """Take a round of timing, as `studies.run.rounds.take`, of cells as texts with their addresses."""
    from studies.run import rounds

    rounds.take([(address, cell_of(text)) for address, text in texts], number, folder)
