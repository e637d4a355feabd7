"""Where cells are computed: processes on this machine, or a Dask scheduler that already runs at an address.

The local cluster is a process of its own, the keeper, which imports what workers need, once, and forks: into
a scheduler, and one worker per core, one thread each. It forks a worker anew when one dies:

    client  --stdin pipe-->  python -m studies.run.clusters N: keeper  --stdin pipe-->  scheduler, N workers

So a worker costs next to nothing, a script needs no `if __name__ == "__main__"` guard, Ctrl-C in the terminal
reaches the client alone, and workers have their environment before torch is imported. The keeper starts no
thread, and kinds of the user's are imported by workers alone. A pipe closes when the process that holds it
dies in whatever way, and whoever reads it goes too. (Dask's own nanny is not used: it gives up on a worker
that dies within moments of its start, and then the sweep would wait for ever.)
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import logging
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from studies.cells import provenance
from studies.run.signals import STOPS
from studies.study_file.cluster import LOCAL, check_cluster

if TYPE_CHECKING:
    from distributed import Client

# One thread per process, and matrix products that do not depend on alignment or on the size of the batch.
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "MKL_CBWR": "COMPATIBLE",
    "HDF5_USE_FILE_LOCKING": "FALSE",
    # a worker that dies takes its cells down once; the engine judges them again
    "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0",
    "DASK_LOGGING__DISTRIBUTED": "critical",
}
# by workers; xarray looks for dask.array
NEEDED = ("distributed", "dask.array", "studies.cells.loop", "studies.run.sweep")
# where the processes of a local cluster listen: whoever reaches a scheduler or a worker can run code as its
# user
LOOPBACK = "127.0.0.1"
# seconds to wait for a first worker; processes of this machine come, however loaded it is
PATIENCE = {"local": 600, "address": 60}
ANSWER = {"local": 60, "address": 5}  # seconds in which a scheduler answers


class ClusterError(Exception):
    """No cluster to compute on; the text is one line for the user."""


@contextlib.contextmanager
def connect(cluster: str = "local", workers: int | None = None) -> Iterator[Client]:
    """A client of the cluster, with at least one worker there.

    Args:
        cluster: "local", or the address of a scheduler, "tcp://host:port".
        workers: worker processes of a local cluster, >= 1; None: one per core that this process may use.

    Raises:
        ClusterError: unknown kind of cluster, nobody answers, or no worker came.
    """
    if workers is not None and workers < 1:
        raise ClusterError(f"workers: expected >= 1, got {workers}")
    if checked(cluster) == LOCAL:
        with _local(workers or cores()) as address, _client(address, "local") as client:
            yield client
        return
    if workers is not None:
        raise ClusterError(f"workers: {cluster} has its own workers; leave the number out")
    with _client(cluster, "address") as client:
        yield client


def checked(cluster: str) -> str:
    """The kind of a cluster itself.

    Raises:
        ClusterError: there is no such kind.
    """
    try:
        return check_cluster(cluster)
    except ValueError as error:
        raise ClusterError(f"cluster: {error}, got {cluster!r}") from error


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


@contextlib.contextmanager
def _client(address: str, kind: str) -> Iterator[Client]:
    client = _answering(address, kind)
    try:
        client.wait_for_workers(1, timeout=PATIENCE[kind])
    except TimeoutError as error:
        client.close(timeout=1)
        raise ClusterError(f"cluster: no worker came to {address} within {PATIENCE[kind]} s") from error
    try:
        yield client
    finally:
        client.close(timeout=2)


def _answering(address: str, kind: str) -> Client:
    """A client of the scheduler that answers at an address."""
    from distributed import Client

    # the engine says in one line what these say in fifty
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    try:
        return Client(address, timeout=ANSWER[kind])
    except (OSError, ValueError) as error:
        why = f"cluster: no scheduler answers at {address} ({type(error).__name__})"
        raise ClusterError(why) from error


@contextlib.contextmanager
def _local(workers: int) -> Iterator[str]:
    """Start a local cluster; the address of its scheduler."""
    with tempfile.TemporaryDirectory(prefix="studies-", ignore_cleanup_errors=True) as scratch:
        environment = _environment(scratch)
        process = subprocess.Popen(
            [sys.executable, "-m", "studies.run.clusters", str(workers)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            start_new_session=True,
        )
        try:
            yield _address(process)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # nothing is lost: results are files by now
            process.communicate()


def _environment(scratch: str) -> dict[str, str]:
    """That of the processes of a local cluster, which find plugins wherever the client finds them."""
    path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)
    return os.environ | ENVIRONMENT | {"PYTHONPATH": path, "DASK_TEMPORARY_DIRECTORY": scratch}


def _address(process: subprocess.Popen[bytes]) -> str:
    """What a local cluster says when it has started."""
    address = process.stdout.readline().decode().strip() if process.stdout else ""
    if not address:
        raise ClusterError(f"cluster: the local cluster did not start (exit code {process.wait(5)})")
    return address


# the processes of a local cluster ---------------------------------------------------------------------------


class Pipe(NamedTuple):
    """The numbers of its ends."""

    read: int
    write: int


def _keep(count: int) -> None:
    """The keeper of a local cluster: its children, a worker anew where one ends, until the client is gone.

    A batch system tells every process of a job to end: here the client decides, so that running cells land.
    """
    for number in STOPS:
        signal.signal(number, signal.SIG_IGN)
    _import()
    life, said = Pipe(*os.pipe()), Pipe(*os.pipe())
    scheduler = _fork(life, _schedule, said.write)
    os.close(said.write)
    address = os.read(said.read, 1024).decode()
    print(address, flush=True)
    for _ in range(count):
        _fork(life, _work, address)
    while not select.select([sys.stdin], [], [], 0.1)[0]:
        ended, _ = os.waitpid(-1, os.WNOHANG)
        if ended == scheduler:
            break
        if ended:
            _fork(life, _work, address)
    os.killpg(0, signal.SIGKILL)


def _import() -> None:
    """Import what workers need, but for kinds of the user's, and take the digest of the loop that all run.

    What is there is shared, and never collected.
    """
    for module in NEEDED:
        importlib.import_module(module)
    provenance.code()
    gc.freeze()


def _fork(life: Pipe, work: Callable[[Any], Coroutine[Any, Any, None]], of: int | str) -> int:
    """A process that does some work, and goes when this one is gone; its number."""
    if child := os.fork():
        return child
    os.close(life.write)
    os.dup2(life.read, 0)
    os.dup2(2, 1)  # what workers print goes to the terminal
    threading.Thread(target=_follow, daemon=True).start()
    asyncio.run(work(of))
    os._exit(1)


def _follow() -> None:
    """End when the process at the other end of stdin is gone."""
    sys.stdin.read()
    os._exit(1)


async def _schedule(said: int) -> None:
    """The scheduler of a local cluster, which says its address."""
    from distributed import Scheduler

    scheduler = await Scheduler(
        host=LOOPBACK, port=0, dashboard=False, dashboard_address=f"{LOOPBACK}:0"
    )
    os.write(said, scheduler.address.encode())
    await scheduler.finished()


async def _work(address: str) -> None:
    """One worker of a local cluster."""
    from distributed import Worker

    worker = await Worker(
        address,
        host=LOOPBACK,
        dashboard_address=f"{LOOPBACK}:0",
        nthreads=1,
        memory_limit=0,
        dashboard=False,
    )
    await worker.finished()


if __name__ == "__main__":
    _keep(int(sys.argv[1]))
