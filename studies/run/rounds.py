"""The rounds of `timing:`: the worlds of all cells in turn, before any cell is computed.

Each round is one task of a worker, of the same one while it lives, with nothing of ours beside it. What it
finds is kept in a file for each cell, in a folder of this run alone. A cell that fails here has no times when
it is computed, and none has where a worker dies: such cells are computed one at a time, and time themselves.
"""

from __future__ import annotations

import contextlib
import shutil
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from studies.results import cell_files, store
from studies.run import orders

if TYPE_CHECKING:
    from distributed import Client, Future
    from xarray import Dataset

    from studies.cells.task import Cell
    from studies.cells.timing import Timed

LOOK = 1.0  # seconds between looks at whether a worker is left, where a stop is asked for
THREADS = 1  # of torch, in each worker
Named = Sequence[tuple[str, "Cell"]]  # with their addresses
Orders = list[tuple[str, str]]  # as texts, with their addresses


@contextlib.contextmanager
def times_of(
    client: Client, cells: Sequence[Cell], out: Path, stopping: Callable[[], bool]
) -> Iterator[Path]:
    """The folder with the times of cells, while it is needed.

    Args:
        client: of a cluster whose workers see the folder `out`.
        cells: those that ask for `timing`.
        out: the study's folder.
        stopping: once true, no round begins.
    """
    folder = out / f".{uuid.uuid4().hex}.tmp"
    named = [(cell.address, orders.order(cell)) for cell in cells]
    try:
        for number in range(max((_rounds(cell) for cell in cells), default=0)):
            if stopping() or not _taken(client, named, number, folder, stopping):
                shutil.rmtree(folder, ignore_errors=True)
                break
        with store.in_use(folder):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def read(folder: Path, address: str) -> Dataset | None:
    """The times of a cell, if there are any."""
    path = path_of(folder, address)
    return cell_files.read(path) if path.exists() else None


def _rounds(cell: Cell) -> int:
    """How many a cell asks for."""
    return cell.task.timing["rounds"] if cell.task.timing else 0


def path_of(folder: Path, address: str) -> Path:
    """Where the times of a cell are."""
    return folder / f"{address}.nc"


def _taken(
    client: Client, cells: Orders, number: int, folder: Path, stopping: Callable[[], bool]
) -> bool:
    """Take the round of this number on the first worker; whether it came to its end.

    A stop waits for the round in hand, while there are workers.
    """
    workers = sorted(client.nthreads())[:1] or None
    future = client.submit(
        orders.take,
        cells,
        number,
        str(folder.resolve()),
        workers=workers,
        allow_other_workers=True,
        pure=False,
    )
    landed: SimpleQueue[Future] = SimpleQueue()
    future.add_done_callback(landed.put)
    while True:
        try:
            return landed.get(timeout=LOOK).status == "finished"
        except Empty:
            if stopping() and not client.nthreads():
                return False


# on a worker ------------------------------------------------------------------------------------------------


def take(cells: Named, number: int, folder: str) -> None:
    """The round of this number, of all cells that have so many and did not fail before."""
    import torch

    from studies.cells.timing import visits

    torch.set_num_threads(THREADS)
    going = {
        address: _to_time(cell, known)
        for address, cell in cells
        if _rounds(cell) > number and ((known := read(Path(folder), address)) or not number)
    }
    names = {id(timed): address for address, timed in going.items()}
    for timed, row in visits(going.values()):
        address = names[id(timed)]
        try:
            if address in going:
                timed.visit(number, row)
        except (Exception, SystemExit):  # noqa: BLE001  a kind of the user's fails again when it is computed
            del going[address]
            path_of(Path(folder), address).unlink(missing_ok=True)
    for address, timed in going.items():
        store.write_cell(timed.dataset(), path_of(Path(folder), address))


def _to_time(cell: Cell, known: Dataset | None) -> Timed:
    """A cell to be visited."""
    import torch

    from studies.cells.loop import to_time

    worlds = torch.arange(cell.first, cell.last)
    return to_time(cell.task, worlds, cell.task.timing or {}, known)
