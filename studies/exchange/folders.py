"""Folders that appear whole or not at all, archives, and names that every file system takes."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def whole(out: str | Path) -> Iterator[Path]:
    """A new folder beside `out`, renamed to it where the body ends well and removed where it does not.

    Raises:
        ValueError: there is something at `out` already; nothing is ever replaced.
    """
    out = Path(out)
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise ValueError(f"{out}: expected a folder that is new or empty; remove it, or choose another")
    out.parent.mkdir(parents=True, exist_ok=True)
    temporary = out.with_name(f".{out.name}.{uuid.uuid4().hex}.tmp")
    temporary.mkdir()
    try:
        yield temporary
        os.replace(temporary, out)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextlib.contextmanager
def opened(path: str | Path) -> Iterator[Path]:
    """The folder itself; an archive (tar, tar.gz, tgz, zip, ..) is unpacked into a temporary one.

    Of a file, the file.

    Raises:
        ValueError: there is nothing at the path, or the archive cannot be read.
    """
    path = Path(path)
    if not path.exists():
        raise ValueError(f"{path}: expected a folder, a file or an archive, found nothing")
    endings = [ending for _, of_format, _ in shutil.get_unpack_formats() for ending in of_format]
    if path.is_dir() or not path.name.endswith(tuple(endings)):
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        try:
            shutil.unpack_archive(path, folder, filter=None if path.suffix == ".zip" else "data")
        except (OSError, EOFError, ValueError, shutil.ReadError) as error:
            raise ValueError(f"{path}: the archive cannot be unpacked: {error}") from error
        yield Path(folder)


def safe(label: str, taken: set[str]) -> str:
    """A file name made of a label, unlike those taken, to which it is added."""
    name = re.sub(r"[^\w.+-]+", "_", label).strip("._") or "unnamed"
    numbered = (f"{name}_{i}" for i in itertools.count(2))
    free = next(text for text in itertools.chain([name], numbered) if text.casefold() not in taken)
    taken.add(free.casefold())
    return free
