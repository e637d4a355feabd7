"""A study's folder: finished cells as files, and the labelled Dataset that is built from them.

- OUT/cells/<first two>/<address>.nc: one finished cell; written beside, fsynced, renamed: a file that exists
  is whole
- OUT/cells/<first two>/<address>.nc.damaged: one that was found not to be what was written; never read
- OUT/errors/<address>.json: why a cell failed; never read as a result, so the next run tries it again
- OUT/plan.json: which cells make which arm: enough to build the Dataset without the study's code
- OUT/dataset.zarr: a view of the above; may be deleted, carries the digest of what it was built from
- OUT/study.yaml, OUT/figures/: the resolved study, its pictures
"""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from studies.results import cell_files

if TYPE_CHECKING:
    from xarray import Dataset


STALE = 86400.0  # seconds after which a temporary file belongs to a process that died
BEAT = 60.0  # seconds after which one that is in use is young again
_IN_USE: set[Path] = set()

# files ------------------------------------------------------------------------------------------------------


def cell_path(out: Path, address: str) -> Path:
    """Where a cell's file is."""
    return out / "cells" / address[:2] / f"{address}.nc"


def error_path(out: Path, address: str) -> Path:
    """Where the record of a failed cell is."""
    return out / "errors" / f"{address}.json"


def finished(out: Path) -> set[str]:
    """Addresses of the cells that are there; no file is opened."""
    return {path.stem for path in (out / "cells").glob("??/*.nc")}


def failures(out: Path) -> set[str]:
    """Addresses of the cells whose last attempt failed."""
    return {path.stem for path in (out / "errors").glob("*.json")} - finished(out)


def set_damaged_aside(out: Path) -> list[Path]:
    """Rename the files of cells that are not what was written, so that these are computed anew.

    Returns:
        Where the files are now.
    """
    aside = []
    for path in (out / "cells").glob("??/*.nc"):
        with contextlib.suppress(FileNotFoundError):  # another run was first
            if not cell_files.is_whole(path):
                aside.append(path.rename(path.with_name(f"{path.name}.damaged")))
    return aside


def write_cell(data: Dataset, path: Path) -> None:
    """Write one cell's file, whole or not at all."""
    with beside(path) as temporary:
        cell_files.write(data, temporary)


def write_text(text: str, path: Path) -> None:
    """Write a small text file, whole or not at all."""
    with beside(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


@contextlib.contextmanager
def beside(path: Path) -> Iterator[Path]:
    """A temporary file in the same folder, fsynced and renamed to `path` where the body ends well.

    The rename is the only commit point.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        yield temporary
        _sync(temporary)
        os.replace(temporary, path)
        _sync(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def in_use(path: Path) -> Iterator[Path]:
    """While the body runs a temporary file or folder stays young, so that no other run sweeps it away."""
    _keep_young()
    _IN_USE.add(path)
    try:
        yield path
    finally:
        _IN_USE.discard(path)


@functools.cache
def _keep_young() -> None:
    """Begin to touch what is in use, from now on."""
    threading.Thread(target=_touch_on, daemon=True, name="studies-in-use").start()


def _touch_on() -> None:
    while True:
        _touch_each()
        time.sleep(BEAT)


def _touch_each() -> None:
    for path in tuple(_IN_USE):
        with contextlib.suppress(OSError):
            os.utime(path)


def sweep(out: Path, keep: Callable[[Path], bool] = lambda path: False) -> None:
    """Remove what processes that died left behind more than a day ago.

    Args:
        out: the study's folder.
        keep: what stays, however old it is.
    """
    leftovers = [
        *out.glob(".*.tmp"),
        *out.glob("cells/??/.*.tmp"),
        *out.glob("errors/.*.tmp"),
        *out.glob("crash/*.txt"),
    ]
    for path in leftovers:
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > STALE and not keep(path):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
