"""Cells on Dask: a sliding window of submissions, as many in flight as there are worker slots.

A task returns a short record, never data, and never raises: results go to the store from where they were
computed. So memory does not grow with the number of cells, a worker that dies takes down only cells that ran
on it, and a client that dies loses nothing.
"""

from __future__ import annotations

import contextlib
import dataclasses
import faulthandler
import hashlib
import json
import os
import platform
import threading
import time
import traceback
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, NamedTuple

from studies.cells import provenance
from studies.results import store
from studies.run.clusters import ENVIRONMENT, ClusterError
from studies.text import user_code

if TYPE_CHECKING:
    from distributed import Client, Future
    from xarray import Dataset

    from studies.cells.task import Cell

THREADS = 1  # of torch, in each worker
LOOK = 1.0  # seconds between looks at how many workers there are
LATE = 20  # looks, LAG seconds apart, at a file that a network file system may show late
LAG = 0.25
NO_WORD = "the worker went away and left no word; run the same command again"


class Record(NamedTuple):
    """What became of one cell."""

    address: str
    # "done", "found" (another run computed it), "failed", "refused" (a plugin is wrong) or "apart" (another
    # file system)
    status: str
    seconds: float = 0.0
    error: str = ""


class SchedulerLost(Exception):
    """The scheduler went away, and what was in flight with it."""


# on a worker ------------------------------------------------------------------------------------------------


def compute(cell: Cell, address: str, out: str, token: str = "") -> Record:
    """Compute one cell and store it. Never raises: an exception becomes a file in OUT/errors/.

    Nothing is written where OUT has no such token.
    """
    if token and not _appears(Path(out, token)):
        return Record(address, "apart", error=platform.node())
    folder, began = Path(out), time.perf_counter()
    path = store.cell_path(folder, address)
    if path.exists():
        _forget_failures(address, folder)  # as of a worker that was killed when the cell was just there
        return Record(address, "found")
    try:
        with _crash_note(cell, address, folder):
            data = _run(cell, address)
            seconds = time.perf_counter() - began
            store.write_cell(data.assign_attrs(_origin(cell, seconds)), path)
        _forget_failures(address, folder)
        return Record(address, "done", seconds)
    except BaseException as error:  # a plugin may leave by SystemExit too, which would end the worker
        if (
            isinstance(error, KeyboardInterrupt)
            and threading.current_thread() is threading.main_thread()
        ):
            raise  # Ctrl-C
        return _raised(cell, address, folder, error)


def _forget_failures(address: str, out: Path) -> None:
    """Remove what earlier attempts at a cell left."""
    for note in (store.error_path(out, address), *Path(out, "crash").glob(f"{address}.*")):
        note.unlink(missing_ok=True)


def _raised(cell: Cell, address: str, out: Path, error: BaseException) -> Record:
    """A cell that ended with an exception, which is being handled."""
    from studies.cells.contract import PluginError

    if isinstance(error, PluginError):
        status, text = "refused", str(error)
    else:
        status = "refused" if user_code.users_line(error) else "failed"
        text = user_code.one_line(error)
    return failed(cell, address, out, text, traceback.format_exc(), status=status)


def _appears(path: Path) -> bool:
    """Whether a file that was just written is there."""
    for _ in range(LATE):
        if path.exists():
            return True
        time.sleep(LAG)
        with contextlib.suppress(OSError):
            os.listdir(path.parent)  # a network file system looks again
    return path.exists()


def _run(cell: Cell, address: str) -> Dataset:
    import torch

    from studies.cells.loop import run_cell

    torch.set_num_threads(THREADS)
    fresh = dataclasses.replace(cell.task)  # without the address that the client computed
    cell = dataclasses.replace(cell, task=fresh)
    if cell.address != address:
        raise RuntimeError(
            f"this worker ({platform.node()}) has another version of the code or of torch; restart the"
            " workers"
        )
    return run_cell(cell)


def _origin(cell: Cell, seconds: float) -> dict[str, str]:
    import torch

    block = {
        "first": cell.first,
        "last": cell.last,
        "host": platform.node(),
        "seconds": seconds,
        "threads": torch.get_num_threads(),
    }
    return {
        "task": cell.task.canonical,
        "origin": json.dumps(block | provenance.versions() | cell.task.libraries),
    }


def failed(
    cell: Cell, address: str, out: Path, error: str, trace: str, status: str = "failed"
) -> Record:
    """Write why a cell failed.

    Args:
        cell: the cell.
        address: of the cell.
        out: the study's folder.
        error: one line.
        trace: the traceback, or the stack of a crash.
        status: "failed" or "refused".
    """
    record = {
        "error": error,
        "traceback": trace,
        "task": json.loads(cell.task.canonical),
        "first": cell.first,
        "last": cell.last,
    }
    with contextlib.suppress(OSError):  # a full disk must not hide the error itself
        store.write_text(json.dumps(record, indent=1), store.error_path(out, address))
    return Record(address, status, error=error)


@contextlib.contextmanager
def _crash_note(cell: Cell, address: str, out: Path) -> Iterator[None]:
    """A file that outlives a crash.

    The stack where there was a segmentation fault, the header alone where the process was killed.
    """
    note = out / "crash" / f"{address}.{uuid.uuid4().hex}.txt"
    note.parent.mkdir(parents=True, exist_ok=True)
    with note.open("w") as file:
        print(
            f"worlds {cell.first} .. {cell.last - 1} on {platform.node()}, process {os.getpid()}",
            file=file,
            flush=True,
        )
        faulthandler.enable(file)
        try:
            yield
        finally:
            faulthandler.disable()
            note.unlink(missing_ok=True)


# on the client ----------------------------------------------------------------------------------------------


def check_workers(client: Client) -> None:
    """Refuse workers whose versions or code differ from ours, or whose matrix products depend on the batch.

    Raises:
        ClusterError: naming the first worker that differs, and in what.
    """
    from distributed.comm import CommClosedError

    for worker, theirs in client.run(_about, on_error="return").items():
        if isinstance(theirs, CommClosedError):
            continue  # it is gone; what takes its place at a cluster of ours is started as it was
        if isinstance(theirs, Exception):
            raise ClusterError(
                f"cluster: the worker {worker} cannot load this package ({theirs}); install it there"
            )
        _check_worker(worker, *theirs)


def _check_worker(worker: str, versions: Mapping[str, str], mode: str | None) -> None:
    for name, version in provenance.fingerprint().items():
        if versions.get(name) != version:
            raise ClusterError(
                f"cluster: expected {name} {version} on the worker {worker}, got {versions.get(name)};"
                " restart the older one"
            )
    if mode != ENVIRONMENT["MKL_CBWR"]:
        raise ClusterError(
            f"cluster: expected MKL_CBWR={ENVIRONMENT['MKL_CBWR']} in the environment of the worker"
            f" {worker}, got {mode}; start it with that"
        )


def _about() -> tuple[dict[str, str], str | None]:
    """Versions and MKL mode of the process which calls.

    A function, since `os.environ.get` would take our own environment along.
    """
    return provenance.fingerprint(), os.environ.get("MKL_CBWR")


def sweep(
    client: Client,
    cells: Sequence[Cell],
    out: Path,
    on_record: Callable[[Record], None],
    stopping: Callable[[], bool],
) -> None:
    """Compute cells, in random order (two runs at once then share the work, and time left is unbiased).

    Args:
        client: of a cluster whose workers see the folder `out`.
        cells: not yet in the store.
        out: the study's folder.
        on_record: told about each cell that ends.
        stopping: once true, nothing new is submitted and the running cells are awaited.

    Raises:
        SchedulerLost: the scheduler went away.
        ClusterError: a worker does not see the folder, or what it stored is not seen here.
    """  # noqa: DOC502
    salt = uuid.uuid4().hex
    queue = sorted(cells, key=lambda cell: hashlib.sha256(f"{salt}{cell.address}".encode()).digest())
    token = out / f".{salt}.tmp"  # the workers' proof that they see the same folder
    token.touch()
    try:
        window = _Window(client, out, token.name, on_record, stopping)
        suspects = window.drain([cell for cell in queue if not cell.task.timing])
        timed = [cell for cell in queue if cell.task.timing]  # nothing of ours runs beside them
        window.drain([*suspects, *timed], alone=True)
    finally:
        token.unlink(missing_ok=True)


@dataclasses.dataclass
class _Window:
    """The cells in flight.

    Args:
        client: of the cluster.
        out: the study's folder.
        token: a file in it.
        on_record: told about each cell that ends.
        stopping: once true, nothing new is submitted.
    """

    client: Client
    out: Path
    token: str
    on_record: Callable[[Record], None]
    stopping: Callable[[], bool]
    landed: SimpleQueue[Future] = dataclasses.field(default_factory=SimpleQueue)
    live: dict[str, Cell] = dataclasses.field(default_factory=dict)  # address -> cell

    def drain(self, queue: list[Cell], *, alone: bool = False) -> list[Cell]:
        """Run a queue until it is empty.

        Args:
            queue: of cells, emptied from its end.
            alone: one at a time; a cell whose worker dies has failed.

        Returns:
            The cells whose worker died, to be judged again alone.
        """
        suspects: list[Cell] = []
        self._feed(queue, alone=alone)
        while self.live:
            try:
                future = self.landed.get(timeout=LOOK)
            except Empty:
                pass  # workers may have come
            else:
                suspects += self._take(future, alone=alone)
                future.release()
            self._feed(queue, alone=alone)
        return suspects

    def _feed(self, queue: list[Cell], *, alone: bool) -> None:
        """Submit cells until every worker slot has one."""
        slots = 1 if alone else max(1, _threads(self.client))
        folder = str(self.out.resolve())
        while queue and len(self.live) < slots and not self.stopping():
            cell = queue.pop()
            self.live[cell.address] = cell
            future = self.client.submit(
                compute, cell, cell.address, folder, self.token, key=f"cell-{cell.address}", pure=False
            )
            future.add_done_callback(self.landed.put)

    def _take(self, future: Future, *, alone: bool) -> list[Cell]:
        """Pass on what became of a cell; or returns it, to be judged again, where its worker died."""
        cell = self.live.pop(str(future.key).removeprefix("cell-"))
        if future.status in {"cancelled", "lost"}:
            raise SchedulerLost
        died = future.status != "finished"
        if died and not alone:
            return [cell]
        self.on_record(_crashed(cell, self.out) if died else self._record(future))
        return []

    def _record(self, future: Future) -> Record:
        with _asking():
            record: Record = future.result()
        _check_shared(record, self.out)
        return record


def _check_shared(record: Record, out: Path) -> None:
    """Refuse results that are elsewhere."""
    if record.status == "apart":
        raise ClusterError(
            f"cluster: a worker on {record.error} does not see the folder {out.resolve()}; give --out a"
            " folder that all workers share"
        )
    if record.status in ("done", "found") and not _appears(
        path := store.cell_path(out, record.address)
    ):
        raise ClusterError(
            f"cluster: a worker stored {path.resolve()}, but it is not here; give --out a folder that all"
            " workers share"
        )


@contextlib.contextmanager
def _asking() -> Iterator[None]:
    """Around a question to the scheduler: asking one that is gone is one way to find out."""
    try:
        yield
    except OSError as error:
        raise SchedulerLost from error


def _threads(client: Client) -> int:
    """Threads of all workers."""
    with _asking():
        return sum(client.nthreads().values())


def _crashed(cell: Cell, out: Path) -> Record:
    """A cell that took its worker down even alone."""
    notes = sorted((out / "crash").glob(f"{cell.address}.*"), key=os.path.getmtime)
    text = notes[-1].read_text(encoding="utf-8", errors="replace") if notes else ""
    error = _why_crashed(cell, text) if notes else NO_WORD
    for note in notes:
        note.unlink(missing_ok=True)
    return failed(cell, cell.address, out, error, text)


def _why_crashed(cell: Cell, note: str) -> str:
    """One line, from what a worker noted before it died."""
    _, fatal, stack = note.partition("Fatal Python error: ")
    if fatal:
        return f"the worker crashed: {stack.splitlines()[0]}"
    own = [spec["kind"] for spec in (cell.task.landscape, cell.task.optimizer) if ":" in spec["kind"]]
    exits = f", or os._exit in {' or '.join(own)}" if own else ""
    return f"the worker was killed, perhaps for want of memory{exits}; try fewer worlds or points"
