"""The memory that a worker of this machine may have, where its cluster says so (`memory: 4GB`).

The system counts what a process may write to (its data). Cells are held to the limit, and only while they are
computed: Dask in the same process must be able to say what became of them.
"""

from __future__ import annotations

import contextlib
import errno
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from studies.run.kinds import ClusterError

if TYPE_CHECKING:
    from distributed import Client

LIMIT = "TWO_DESCENTS_MEMORY"  # of the environment of a worker: bytes
STATUS = Path("/proc/self/status")
DATA = "VmData:"  # a line of it, in KiB
KIB, MEGABYTE = 1024, 1e6
# bytes that the first cell of a worker takes at least: two steps of SGD on a parabola took 21 to 22 MB on
# 2026-12-03, and 62 where they were compiled first
LEAST = 20_000_000
# what torch and Python say where the system gives no more memory, and raise as other errors than MemoryError
SAID = (
    "can't allocate memory",
    "can't start new thread",
    "Cannot allocate memory",
    "failed to map segment",
)
REMEDY = "give more memory, to fewer workers where the machine has no more"


class OverLimitError(MemoryError):
    """A cell asked for more than its worker may have; the text is one line for the user."""


def data() -> int:
    """Bytes that this process may write to, as the system counts them; 0: it does not say."""
    with contextlib.suppress(OSError):
        for line in STATUS.read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith(DATA):
                return int(line.split()[1]) * KIB
    return 0


def check(client: Client, memory: str) -> None:
    """Refuse a limit that leaves nothing for a cell.

    Args:
        client: of a cluster of this machine, which has computed nothing.
        memory: what a worker may have, as 4GB.

    Raises:
        ClusterError: a worker needs as much before it computes.
    """
    from dask.utils import parse_bytes

    sizes = client.run(data, on_error="ignore").values()  # nothing of a worker that ends just then
    own = max(sizes, default=0)
    if sizes and parse_bytes(memory) <= own + LEAST:
        why = f"a worker has {_megabytes(own)} before any cell, and none takes less than {_megabytes(LEAST)}"
        expected = f"expected more than {_megabytes(own + LEAST)} ({why})"
        raise ClusterError(f"cluster.memory: {expected}, got {memory}; {REMEDY}")


@contextlib.contextmanager
def limited() -> Iterator[None]:
    """Hold this process to the limit of its worker, where there is one, while the body runs.

    Raises:
        OverLimitError: the system gave no more memory.
    """
    import resource

    limit = int(os.environ.get(LIMIT, "0"))
    if not limit:
        yield
        return
    own, before = data(), resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, before[1]))
    try:
        yield
    except Exception as error:
        resource.setrlimit(resource.RLIMIT_DATA, before)
        if not _of_memory(error):
            raise
        expected = f"expected more than the {_megabytes(own)} that a worker had and what the cell needs"
        raise OverLimitError(
            f"cluster.memory: {expected}, got {_megabytes(limit)}; {REMEDY}, or fewer worlds or points"
        ) from error
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)


def _of_memory(error: BaseException) -> bool:
    """Whether the system gave no memory, which is why this came, or what it came from."""
    cause = error.__cause__ or error.__context__
    return (
        isinstance(error, MemoryError)
        or getattr(error, "errno", None) == errno.ENOMEM
        or any(words in str(error) for words in SAID)
        or (cause is not None and _of_memory(cause))
    )


def _megabytes(size: int) -> str:
    """A size in bytes, rounded up, as "380 MB"."""
    return f"{math.ceil(size / MEGABYTE):,} MB"
