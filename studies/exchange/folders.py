"""Folders that appear whole or not at all, archives, and names that every file system takes."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import shutil
import tarfile
import tempfile
import uuid
import zipfile
from collections.abc import Collection, Iterator
from pathlib import Path

ANY = 10**9  # bytes that any archive may hold
TIMES = 200  # as many as a larger one has itself may it hold; texts and numbers take a tenth


@contextlib.contextmanager
def whole(out: str | Path) -> Iterator[Path]:
    """A new folder beside `out`, renamed to it where the body ends well and removed where it does not.

    Raises:
        ValueError: there is something at `out` already; nothing is ever replaced.
    """
    out = Path(out)
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise ValueError(f"{out}: expected a folder that is new or empty; remove it, or choose another")
    temporary = out.with_name(f".{out.name}.{uuid.uuid4().hex}.tmp")
    temporary.mkdir(parents=True)
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
    if path.is_dir() or not path.name.endswith(_endings()):
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        _unpack(path, folder)
        yield Path(folder)


def files_in(folder: Path, pattern: str) -> list[Path]:
    """The files of this form in a folder and those within; of a file, the file."""
    return [folder] if folder.is_file() else sorted(folder.rglob(pattern))


def _endings() -> tuple[str, ...]:
    """Those of the names of archives."""
    return tuple(ending for _, endings, _ in shutil.get_unpack_formats() for ending in endings)


def _unpack(path: Path, folder: str) -> None:
    """Unpack an archive; raises ValueError where it cannot be read, or holds far more than data do."""
    try:
        _check_bulk(path)
        shutil.unpack_archive(path, folder, filter=None if path.suffix == ".zip" else "data")
    except (OSError, EOFError, ValueError, shutil.ReadError, tarfile.TarError) as error:
        raise ValueError(f"{path}: the archive cannot be unpacked: {error}") from error


def _check_bulk(path: Path) -> None:
    """Refuse an archive that would fill the disk, before any of it is written."""
    most = max(ANY, TIMES * path.stat().st_size)
    size = 0
    for part in _sizes(path):
        size += part
        if size > most:
            raise ValueError(
                f"it holds more than {most:,} bytes, over {TIMES} times its own size; unpack it yourself, and"
                " give the folder"
            )


def _sizes(path: Path) -> Iterator[int]:
    """The bytes of each file in an archive, as it says itself; unpacking takes no more."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            yield from (part.file_size for part in archive.infolist())
    else:
        with tarfile.open(path) as archive:
            yield from (part.size for part in archive)


def numbered(name: str, form: str = "{} {}") -> Iterator[str]:
    """The name, then `name 2`, `name 3` and so on, in this form."""
    yield name
    for number in itertools.count(2):
        yield form.format(name, number)


def free(name: str, taken: Collection[str]) -> str:
    """The name, or with the first number with which it is not taken."""
    return next(text for text in numbered(name) if text not in taken)


def safe(label: str, taken: set[str]) -> str:
    """A file name made of a label, unlike those taken, to which it is added."""
    name = re.sub(r"[^\w.+-]+", "_", label).strip("._") or "unnamed"
    own = next(text for text in numbered(name, "{}_{}") if text.casefold() not in taken)
    taken.add(own.casefold())
    return own
