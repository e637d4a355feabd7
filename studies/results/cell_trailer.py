"""What stands behind the bytes of a cell's file, where the readers of NetCDF-4 look for nothing.

The seal: the digest of all before it. A file that is cut short, or in which a bit has turned, is refused, and
is never read as other numbers. Files of earlier releases have none.

Before it, in a small file, the index: where in the file the numbers of each variable are, and the attributes.
So ten thousand files are read in seconds; HDF5 takes longer to find a number than to read it.

    file of HDF5 | places, a line of JSON | attributes, a line of JSON | bytes of these two | mark, digest
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from studies.text.shapes import Data

MARK, INDEXED = b"sha256:", b"sha256+"  # of a seal; of one behind an index
SEAL = len(MARK) + hashlib.sha256().digest_size  # bytes
COUNT = 8  # bytes of the length of an index


class Place(NamedTuple):
    """Where the numbers of a variable are."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    offset: int  # bytes from the begin of the file


class Parts(NamedTuple):
    """The parts of what is stored."""

    content: bytes  # of HDF5
    listed: tuple[bytes, bytes] | None  # the index: places and attributes
    sealed: bool
    whole: bool  # it is what was sealed, if it is


def sealed(content: bytes, index: bytes = b"") -> bytes:
    """What is stored."""
    if not index:
        return content + MARK + _digest(content)
    together = content + index + len(index).to_bytes(COUNT, "big")
    return together + INDEXED + _digest(together)


def index(places: bytes, attrs: Mapping[str, object]) -> bytes:
    """An index, of `places_text` and the attributes of a file."""
    return places + b"\n" + json.dumps(attrs, default=_plain).encode() + b"\n"


def places_text(places: list[Place]) -> bytes:
    """Places as text."""
    return json.dumps(places).encode()


def parts(stored: bytes) -> Parts:
    """The parts of a file."""
    before, seal = stored[:-SEAL], stored[-SEAL:]
    if not seal.startswith((MARK, INDEXED)):
        return Parts(stored, None, sealed=False, whole=True)
    whole = seal[len(MARK) :] == _digest(before)
    if seal.startswith(MARK) or not whole:
        return Parts(before, None, sealed=True, whole=whole)
    end = len(before) - COUNT
    start = end - int.from_bytes(before[end:], "big")
    places, attrs, _ = before[start:end].split(b"\n")
    return Parts(before[:start], (places, attrs), sealed=True, whole=True)


def numbers(content: bytes, places: bytes) -> dict[str, np.ndarray]:
    """Variable -> its numbers, which cannot be changed."""
    return {
        name: np.ndarray(shape, dtype, content, offset)
        for name, dtype, shape, offset in _places(places)
    }


def attributes(text: bytes) -> Data:
    """The attributes of a file."""
    attrs: Data = json.loads(text)
    return attrs


@functools.lru_cache(64)
def _places(text: bytes) -> tuple[Place, ...]:
    """Alike cells have the same text."""
    stored = json.loads(text)
    return tuple(Place(name, dtype, tuple(shape), offset) for name, dtype, shape, offset in stored)


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def _plain(value: np.ndarray | np.generic) -> object:
    """An attribute of numpy's as JSON."""
    return value.tolist()
