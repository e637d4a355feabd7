"""What a worker does with a cell: it computes and stores it, or says why it could not."""

from __future__ import annotations

import contextlib
import dataclasses
import faulthandler
import json
import os
import platform
import threading
import time
import traceback
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from studies.cells import provenance
from studies.results import store
from studies.run import machine, memory_limit, notes, rounds
from studies.text import user_code

if TYPE_CHECKING:
    from xarray import Dataset

    from studies.cells.task import Cell

LATE = 20  # looks, LAG seconds apart, at a file that a network file system may show late
LAG = 0.25


class Record(NamedTuple):
    """What became of one cell."""

    address: str
    # "done", "found" (another run computed it), "failed", "refused" (a plugin is wrong), "apart" (another
    # file system) or "unstored" (nothing can be written)
    status: str
    seconds: float = 0.0
    error: str = ""


class Ready(NamedTuple):
    """What was computed of a cell."""

    data: Dataset
    seconds: float  # its share of those of all that were computed with it
    together: int = 1  # how many cells that were


def compute(
    cell: Cell,
    address: str,
    out: str,
    token: str = "",
    times: str = "",
    timeout: float = 0.0,
    compiled: str = "off",
    ready: Ready | None = None,
) -> Record:
    """Compute one cell and store it. Never raises: an exception becomes a file in OUT/errors/.

    Args:
        cell: the cell.
        address: its own.
        out: the study's folder.
        token: nothing is written where the folder has no such file.
        times: the folder with the times of steps, if they were taken.
        timeout: seconds after which this process notes where it stands, and ends; 0: none.
        compiled: as of `studies.cells.loop.run_worlds`.
        ready: what was computed of it; None: nothing yet.
    """
    if token and not appears(Path(out, token)):
        return Record(address, "apart", error=platform.node())
    folder, began = Path(out), time.perf_counter()
    path = store.cell_path(folder, address)
    if path.exists():
        _forget_failures(address, folder)  # as of a worker that was killed when the cell was just there
        return Record(address, "found")
    try:
        with _crash_note(cell, address, folder, timeout):
            if ready is None:
                data = _run(cell, address, times, compiled)
                ready = Ready(data, time.perf_counter() - began)
            with _storing(path):
                store.write_cell(ready.data.assign_attrs(_origin(cell, ready)), path)
        _forget_failures(address, folder)
        return Record(address, "done", ready.seconds)
    except _UnstoredError as error:
        return Record(address, "unstored", error=str(error))
    except BaseException as error:  # a plugin may leave by SystemExit too, which would end the worker
        if (
            isinstance(error, KeyboardInterrupt)
            and threading.current_thread() is threading.main_thread()
        ):
            raise  # Ctrl-C
        return _raised(cell, address, folder, error)


def compute_together(
    cells: Sequence[Cell],
    addresses: Sequence[str],
    out: str,
    token: str = "",
    compiled: str = "off",
) -> list[Record]:
    """Compute the cells of a group of `studies.cells.fused` and store each, as `compute` does.

    Where they cannot be computed together each is computed alone, which says whose fault it is.

    Args:
        cells: of the group.
        addresses: their own.
        out: the study's folder.
        token: nothing is written where the folder has no such file.
        compiled: as of `studies.cells.loop.run_worlds`.
    """
    ready: dict[str, Ready] = {}
    if not token or appears(Path(out, token)):
        with contextlib.suppress(Exception):
            ready = _together(dict(zip(addresses, cells, strict=True)), Path(out), compiled)
    return [
        compute(cell, address, out, token, ready=ready.get(address))
        for address, cell in zip(addresses, cells, strict=True)
    ]


def _together(cells: Mapping[str, Cell], out: Path, compiled: str) -> dict[str, Ready]:
    """What is computed of those cells of a group that are not there yet, by address."""
    from studies.cells.fused import run_together

    missing = {
        address: cell for address, cell in cells.items() if not store.cell_path(out, address).exists()
    }
    if len(missing) < 2:  # noqa: PLR2004
        return {}
    began = time.perf_counter()
    with contextlib.ExitStack() as noted:
        for address, cell in missing.items():
            noted.enter_context(_crash_note(cell, address, out, timeout=0.0))
        checked = [_checked(cell, address) for address, cell in missing.items()]
        with memory_limit.limited():
            parts = run_together(checked, compiled)
    each = (time.perf_counter() - began) / sum(cell.last - cell.first for cell in missing.values())
    return {
        address: Ready(data, each * data.sizes["replicate"], len(missing))
        for address, data in zip(missing, parts, strict=True)
    }


class _UnstoredError(Exception):
    """What a cell leaves cannot be written."""


@contextlib.contextmanager
def _storing(path: Path) -> Iterator[None]:
    """Around what writes a file of ours; where a user's kind cannot read or write, the cell has failed."""
    try:
        yield
    except OSError as error:
        raise _UnstoredError(f"{path} cannot be written: {error.strerror or error}") from error


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


def appears(path: Path) -> bool:
    """Whether a file that was just written is there."""
    for _ in range(LATE):
        if path.exists():
            return True
        time.sleep(LAG)
        with contextlib.suppress(OSError):
            os.listdir(path.parent)  # a network file system looks again
    return path.exists()


def _run(cell: Cell, address: str, times: str, compiled: str) -> Dataset:
    from studies.cells.loop import run_cell

    cell = _checked(cell, address)
    with memory_limit.limited():
        return run_cell(cell, rounds.read(Path(times), address) if times else None, compiled)


def _checked(cell: Cell, address: str) -> Cell:
    """A cell that this process computes, on one thread, as the client would."""
    import torch

    torch.set_num_threads(rounds.THREADS)
    fresh = dataclasses.replace(cell.task)  # without the address that the client computed
    cell = dataclasses.replace(cell, task=fresh)
    if cell.address != address:
        raise RuntimeError(
            f"this worker ({platform.node()}) has another version of the code or of torch; restart the"
            " workers"
        )
    return cell


def _origin(cell: Cell, ready: Ready) -> dict[str, str]:
    import torch

    block = {
        "first": cell.first,
        "last": cell.last,
        "host": platform.node(),
        "seconds": ready.seconds,
        "together": ready.together,
        "threads": torch.get_num_threads(),
    }
    where = machine.facts(cell.task.device)
    return {
        "task": cell.task.canonical,
        "origin": json.dumps(block | where | provenance.versions() | cell.task.libraries),
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
def _crash_note(cell: Cell, address: str, out: Path, timeout: float) -> Iterator[None]:
    """A file that outlives a crash.

    The stack where there was a segmentation fault or no end in time, the header alone where the process was
    killed. The watch is that of the interpreter, which also ends code that never comes back to Python.
    """
    note = out / "crash" / f"{address}.{uuid.uuid4().hex}.txt"
    header = notes.here(cell.first, cell.last).text
    with _storing(note):
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text(header, encoding="utf-8")
    with note.open("a") as file, store.in_use(note):
        faulthandler.enable(file)
        if timeout:
            faulthandler.dump_traceback_later(timeout, exit=True, file=file)
        try:
            yield
        finally:
            if timeout:
                faulthandler.cancel_dump_traceback_later()
            faulthandler.disable()
            note.unlink(missing_ok=True)
