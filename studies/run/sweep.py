"""Cells on Dask: a sliding window of submissions, as many in flight as there are worker slots.

A task returns a short record, never data, and never raises: results go to the store from where they were
computed. So memory does not grow with the number of cells, a worker that dies takes down only cells that ran
on it, and a client that dies loses nothing.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import os
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, NamedTuple

from studies.cells import fused, provenance
from studies.results import store
from studies.run import orders, rounds
from studies.run.kinds import NOBODY, ClusterError
from studies.run.work import Record, appears, failed
from studies.text.durations import duration

if TYPE_CHECKING:
    from distributed import Client, Future

    from studies.cells.fused import Group
    from studies.cells.task import Cell

LOOK = 1.0  # seconds between looks at how many workers there are
SAID = (10, 300)  # looks without a worker, after which it is said; then every hour
HOUR = 3600
AGAIN = "finished cells are kept; run the same command again, or wait longer: --wait 2h"
TIMEOUT = "Timeout ("  # how the interpreter begins what it notes of a process that took too long
NO_WORD = "the worker went away and left no word; run the same command again"


class SchedulerLost(Exception):
    """The scheduler went away, and what was in flight with it."""


class Room(NamedTuple):
    """What a cluster may have."""

    most: int = 0  # workers that may come, where cells wait for them
    patience: float | None = None  # seconds to wait where no worker is there; None: as long as it takes
    gpus: bool = False  # workers say which of them have a GPU: cells that need one go there


class Care(NamedTuple):
    """What is done about cells that hang, or fail."""

    timeout: float = 0.0  # seconds that a cell may take; 0: any time
    retries: int = 0  # times that a cell which failed is tried again
    together: bool = False  # whether cells that differ in numbers alone may be computed together
    compiled: str = "off"  # whether steps become one graph, see `studies.cells.graphs`


class StoreError(OSError):
    """A cell was computed and cannot be stored, as those that would follow; one line for the user."""


def check_workers(client: Client, plugins: Sequence[str] = ()) -> None:
    """Refuse workers whose versions or code differ from ours, or whose matrix products depend on the batch.

    Args:
        client: of the cluster.
        plugins: import paths of what workers must find.

    Raises:
        ClusterError: naming the first worker that differs, and in what.
    """
    from distributed.comm import CommClosedError

    from studies.run import arrivals

    ask = functools.partial(arrivals.about, [*plugins])
    for worker, theirs in client.run(ask, on_error="return").items():
        if isinstance(theirs, CommClosedError):
            continue  # it is gone; what takes its place is asked when it comes
        if isinstance(theirs, Exception):
            raise ClusterError(
                f"cluster: the worker {worker} cannot load this package ({theirs}); install it there"
            )
        problem = arrivals.different(provenance.fingerprint(), *theirs)
        if problem:
            raise ClusterError(f"cluster: the worker {worker}: {problem}")


def sweep(
    client: Client,
    cells: Sequence[Cell],
    out: Path,
    on_record: Callable[[Record], None],
    stopping: Callable[[], bool],
    say: Callable[[str], None] = print,
    room: Room = Room(),  # noqa: B008  it is frozen
    care: Care = Care(),  # noqa: B008
) -> None:
    """Compute cells, in random order (two runs at once then share the work, and time left is unbiased).

    Args:
        client: of a cluster whose workers see the folder `out`.
        cells: not yet in the store.
        out: the study's folder.
        on_record: told about each cell that ends.
        stopping: once true, nothing new is submitted and the running cells are awaited, while there are
            workers.
        say: told once that no worker is there, each time that all are gone.
        room: what the cluster may have that is not there yet.
        care: what is done about cells that hang, or fail.

    Raises:
        SchedulerLost: the scheduler went away.
        ClusterError: a worker does not see the folder, or what it stored is not seen here.
        StoreError: a worker cannot write there.
    """  # noqa: DOC502
    salt = uuid.uuid4().hex
    queue = sorted(cells, key=lambda cell: hashlib.sha256(f"{salt}{cell.address}".encode()).digest())
    token = out / f".{salt}.tmp"  # the workers' proof that they see the same folder
    token.touch()
    try:
        timed = [cell for cell in queue if cell.task.timing]
        with store.in_use(token), rounds.times_of(client, timed, out, stopping) as times:
            window = _Window(client, out, token.name, times, on_record, stopping, say, room, care)
            late = {cell.address for cell in timed if not rounds.path_of(times, cell.address).exists()}
            suspects = window.drain(window.groups([cell for cell in queue if cell.address not in late]))
            themselves = [
                cell for cell in timed if cell.address in late
            ]  # nothing of ours runs beside them
            window.drain([[cell] for cell in [*suspects, *themselves]], alone=True)
    finally:
        token.unlink(missing_ok=True)


@dataclasses.dataclass
class _Window:
    """The cells in flight.

    Args:
        client: of the cluster.
        out: the study's folder.
        token: a file in it.
        times: the folder with the times of steps.
        on_record: told about each cell that ends.
        stopping: once true, nothing new is submitted.
        say: told that no worker is there.
        room: what the cluster may have that is not there yet.
        care: what is done about cells that hang, or fail.
    """

    client: Client
    out: Path
    token: str
    times: Path
    on_record: Callable[[Record], None]
    stopping: Callable[[], bool]
    say: Callable[[str], None]
    room: Room
    care: Care
    idle: int = 0  # looks since a worker was there
    landed: SimpleQueue[Future] = dataclasses.field(default_factory=SimpleQueue)
    live: dict[str, Group] = dataclasses.field(default_factory=dict)  # by the address of the first cell
    futures: dict[str, Future] = dataclasses.field(default_factory=dict)  # of these
    tried: Counter[str] = dataclasses.field(default_factory=Counter)  # address -> attempts that failed
    again: list[Cell] = dataclasses.field(default_factory=list)  # to be tried again

    def groups(self, cells: Sequence[Cell]) -> list[Group]:
        """Cells as they are computed, together where that may be."""
        if not self.care.together or self.care.timeout:
            return [[cell] for cell in cells]
        return fused.groups(cells, self._slots())

    def _slots(self) -> int:
        """How many tasks are in flight."""
        return max(1, _threads(self.client), self.room.most)

    def drain(self, queue: list[Group], *, alone: bool = False) -> list[Cell]:
        """Run a queue until it is empty.

        Args:
            queue: of groups of cells, emptied from its end.
            alone: one at a time; a cell whose worker dies has failed.

        Returns:
            The cells whose worker died, to be judged again alone.
        """
        suspects: list[Cell] = []
        self._feed(queue, alone=alone)
        while self.live:
            try:
                future = self.landed.get(timeout=LOOK)
            except Empty:  # workers may have come, or gone
                if self._deserted() and self.stopping():
                    break
            else:
                suspects += self._take(future, alone=alone)
                future.release()
            while self.again:
                queue.insert(0, [self.again.pop()])
            if self.room.most and self.stopping():
                self._forget_waiting()
            self._feed(queue, alone=alone)
        return suspects

    def _feed(self, queue: list[Group], *, alone: bool) -> None:
        """Submit groups until every worker slot has one."""
        slots = 1 if alone else self._slots()
        while queue and len(self.live) < slots and not self.stopping():
            group = queue.pop()
            first = group[0].address
            self.live[first] = group
            function, *words = self._order(group, alone=alone)
            future = self.client.submit(
                function, *words, key=self._key(first), pure=False, **self._needs(group[0])
            )
            self.futures[first] = future
            future.add_done_callback(self.landed.put)

    def _order(
        self, group: Group, *, alone: bool
    ) -> tuple[Callable[..., object], *tuple[str | float, ...]]:
        """A function and its words: what a worker does with a group, or with a cell under suspicion."""
        folder, [cell, *others] = str(self.out.resolve()), group
        if others:
            texts = ",".join(map(orders.order, group))
            addresses = " ".join(cell.address for cell in group)
            more = folder, self.token, self.care.compiled
            return orders.compute_together, f"[{texts}]", addresses, *more
        words = (orders.order(cell), cell.address, folder, self.token)
        compiled = "off" if alone or self.tried[cell.address] else self.care.compiled
        return orders.compute, *words, str(self.times.resolve()), self.care.timeout, compiled

    def _needs(self, cell: Cell) -> dict[str, dict[str, int]]:
        """What a worker must have for a cell."""
        return {"resources": {"GPU": 1}} if self.room.gpus and cell.task.device == "cuda" else {}

    def _key(self, address: str) -> str:
        """The name of a task: a new one for each attempt, as Dask keeps what became of earlier ones."""
        return f"cell-{address}-{self.tried[address]}"

    def _forget_waiting(self) -> None:
        """Take back the cells that no worker has begun."""
        with _asking():
            begun = {str(key) for keys in self.client.processing().values() for key in keys}
        for address in [*self.live]:
            if self._key(address) not in begun and not self.futures[address].done():
                del self.live[address]
                self.futures.pop(address).release()

    def _deserted(self) -> bool:
        """Whether no worker is there, which is said where it stays so, and again after ten times as long."""
        self.idle = 0 if _threads(self.client) else self.idle + 1
        waited = self.idle * LOOK
        if self.idle in SAID or (self.idle and self.idle % HOUR == 0):
            self.say(f"{NOBODY}; since {duration(waited)}")
        if self.room.patience is not None and waited > self.room.patience:
            raise ClusterError(f"cluster: no worker has been there for {duration(waited)}; {AGAIN}")
        return self.idle > 0

    def _take(self, future: Future, *, alone: bool) -> list[Cell]:
        """Pass on what became of a group; or returns its cells, to be judged again, where its worker died."""
        address = str(future.key).split("-")[1]
        if address not in self.live:  # it was taken back
            return []
        group = self.live.pop(address)
        self.futures.pop(address)
        if future.status in {"cancelled", "lost"}:
            raise SchedulerLost
        records = self._records(future) if future.status == "finished" else []
        if records:
            for record, cell in zip(records, group, strict=True):
                self._pass_on(record, cell)
        elif not alone and not _took_too_long(_note(group[0], self.out)):
            return [*group]
        else:
            self._pass_on(_crashed(group[0], self.out), group[0])
        return []

    def _pass_on(self, record: Record, cell: Cell) -> None:
        """Tell what became of a cell, but where it is tried again."""
        tries = self.tried[cell.address]
        if record.status != "failed" or tries >= self.care.retries or self.stopping():
            self.on_record(record)
            return
        self.tried[cell.address] += 1
        self.again.append(cell)
        which = (
            f"cell {cell.address[:12]} failed and is tried again ({tries + 1} of {self.care.retries})"
        )
        self.say(f"{which}: {record.error}")

    def _records(self, future: Future) -> list[Record]:
        """What became of a group that ended; nothing where its worker died before it could tell."""
        from distributed import KilledWorker

        try:
            with _asking():
                result: Record | list[Record] = future.result()
        except KilledWorker:  # another worker was asked instead, and died too
            return []
        records = result if isinstance(result, list) else [result]
        for record in records:
            _check_shared(record, self.out)
        return records


def _check_shared(record: Record, out: Path) -> None:
    """Refuse results that are elsewhere."""
    if record.status == "apart":
        raise ClusterError(
            f"cluster: a worker on {record.error} does not see the folder {out.resolve()}; give --out a"
            " folder that all workers share"
        )
    if record.status == "unstored":
        raise StoreError(f"{record.error}; no further cell is computed")
    if record.status in ("done", "found") and not appears(path := store.cell_path(out, record.address)):
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


def _notes(cell: Cell, out: Path) -> list[Path]:
    """What workers noted of a cell, the last one last."""
    return sorted((out / "crash").glob(f"{cell.address}.*"), key=os.path.getmtime)


def _note(cell: Cell, out: Path) -> str:
    """What the last worker noted of a cell; empty: nothing."""
    notes = _notes(cell, out)
    return notes[-1].read_text(encoding="utf-8", errors="replace") if notes else ""


def _took_too_long(note: str) -> bool:
    return TIMEOUT in note


def _crashed(cell: Cell, out: Path) -> Record:
    """A cell that took its worker down even alone, or did not end in time."""
    text = _note(cell, out)
    error = _why_crashed(cell, text) if text else NO_WORD
    for note in _notes(cell, out):
        note.unlink(missing_ok=True)
    return failed(cell, cell.address, out, error, text)


def _why_crashed(cell: Cell, note: str) -> str:
    """One line, from what a worker noted before it died."""
    if _took_too_long(note):
        return f"it took longer than cell_timeout allows, and was ended{_where(note)}"
    _, fatal, stack = note.partition("Fatal Python error: ")
    if fatal:
        return f"the worker crashed: {stack.splitlines()[0]}"
    own = [spec["kind"] for spec in (cell.task.landscape, cell.task.optimizer) if ":" in spec["kind"]]
    exits = f", or os._exit in {' or '.join(own)}" if own else ""
    return f"the worker was killed, perhaps for want of memory{exits}; try fewer worlds or points"


def _where(note: str) -> str:
    """Where the thread stood that computed the cell, as the interpreter noted it; empty: not known."""
    threads = [part.splitlines()[1:] for part in note.split("Thread 0x")[1:]]
    mine = next((lines for lines in threads if any("in run_cell" in line for line in lines)), [])
    return f" in {mine[0].strip()}" if mine else ""
