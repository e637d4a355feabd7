"""Where cells are computed: processes on this machine, a Dask scheduler that runs, or a cluster started here.

What is started here lives in a process of its own, which the client tells by a pipe what to start, and which
ends it when the pipe closes, however the client dies:

    client  --stdin pipe-->  python -m studies.run.started: a cluster of Dask, here, by ssh or a batch system

So a script needs no `if __name__ == "__main__"` guard, and Ctrl-C in the terminal reaches the client alone.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import psutil

from studies.run import cards, local, memory_limit
from studies.run.certificates import Tls, security
from studies.run.environment import ENVIRONMENT, paths
from studies.run.kinds import NOBODY, ClusterError
from studies.run.machine import alive
from studies.study_file.cluster import ADDRESS, LOCAL, Cluster, given
from studies.text.durations import TIME, duration
from studies.text.shapes import Data

if TYPE_CHECKING:
    from distributed import Client

# seconds to wait for a first worker where the study does not say; processes of this machine come, however
# loaded it is, and a queue takes as long as it takes
PATIENCE = {LOCAL: 600.0, ADDRESS: 60.0}
SOON = 10.0  # seconds without a worker, after which that is said
ANSWER = {LOCAL: 60, ADDRESS: 5}  # seconds in which a scheduler answers
SCRATCH = "studies-"  # how the temporary folders of local clusters begin, then the number of the client
FAREWELL = 30  # seconds in which a cluster that was started ends its jobs
MOMENT, LOOK = 1.0, 0.005  # seconds for what is left then, and between looks at it
QUIET = ("-W", "ignore:resource_tracker")  # what ended workers left is no news


class Place(NamedTuple):
    """Where a scheduler is reached."""

    address: str
    tls: Tls | None = None  # the certificate by which it is spoken to


@contextlib.contextmanager
def connect(
    cluster: Cluster | str = LOCAL,
    workers: int | None = None,
    folder: Path | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> Iterator[Client]:
    """A client of the cluster, with at least one worker there, but where they come from a queue.

    Args:
        cluster: what a study or the command line says.
        workers: worker processes of a local cluster, >= 1; None: one per core that this process may use.
        folder: seen by all workers; certificates of batch jobs are there while the cluster lives.
        say: takes a line, where a first worker is long in coming.

    Raises:
        ClusterError: unknown kind of cluster, nobody answers, no worker came, or one has no room for a cell.
    """
    cluster = checked(cluster, workers)
    with _place(cluster, workers, folder) as place, _client(place, cluster.where) as client:
        _await_worker(client, cluster, say)
        if cluster.where == LOCAL and cluster.memory:
            memory_limit.check(client, cluster.memory)
        yield client


@contextlib.contextmanager
def _place(cluster: Cluster, workers: int | None, folder: Path | None) -> Iterator[Place]:
    """Start what is to be started."""
    if cluster.where == ADDRESS:
        yield Place(cluster.kind, _files(cluster))
    elif cluster.where == LOCAL:
        own = cluster.model_copy(update={"workers": workers}) if workers else cluster
        with _local(own) as place:
            yield place
    else:
        with _started(cluster, folder or Path.cwd()) as place:
            yield place


def _files(cluster: Cluster) -> Tls | None:
    """The certificate of an address, where its files are said."""
    if cluster.tls is None:
        return None
    ca, cert, key = cluster.tls.files()
    return {"ca": ca, "cert": cert, "key": key}


def checked(cluster: Cluster | str, workers: int | None = None) -> Cluster:
    """The cluster itself.

    Raises:
        ClusterError: there is no such kind, or it takes no such number of workers.
    """
    try:
        asked = cluster if isinstance(cluster, Cluster) else given(cluster)
    except ValueError as error:
        raise ClusterError(str(error)) from error
    if workers is not None and workers < 1:
        raise ClusterError(f"workers: expected >= 1, got {workers}")
    if workers is not None and asked.where != LOCAL:
        raise ClusterError(f"workers: {asked.kind} has its own workers; leave the number out")
    return asked


def waiting(cluster: Cluster, wait: str | None) -> Cluster:
    """The cluster, with so long a wait for workers.

    Raises:
        ClusterError: it is no time.
    """
    try:
        return cluster if wait is None else Cluster(**cluster.model_dump() | {"wait": wait})
    except ValueError as error:
        raise ClusterError(f"wait: {TIME}, got {wait!r}") from error


def device_of(
    cluster: Cluster, device: str, *, ask: bool = True, say: Callable[[str], None] = lambda line: None
) -> str:
    """Where tensors live, of a study that says `auto`: cuda where workers have cards.

    That of this machine is asked for when its cells are planned.

    Args:
        cluster: where cells are computed.
        device: what the study says.
        ask: whether workers at an address may be asked.
        say: as of `connect`.

    Raises:
        ClusterError: no worker is there.
    """  # noqa: DOC502
    if device != "auto" or cluster.where == LOCAL:
        return device
    if cluster.where != ADDRESS:
        return "cuda" if cluster.gpus else "cpu"
    return _device_at(cluster, say) if ask else device


def _device_at(cluster: Cluster, say: Callable[[str], None]) -> str:
    """That of the workers of a scheduler."""
    with connect(cluster, say=say) as client:
        answers = client.run(cards.visible, on_error="return").values()
    return "cuda" if any(isinstance(answer, list) and answer for answer in answers) else "cpu"


def advertised(client: Client) -> bool:
    """Whether workers say that they have a GPU each."""
    workers = client.scheduler_info(n_workers=-1)["workers"].values()
    return any(worker.get("resources", {}).get("GPU") for worker in workers)


def with_cards(cluster: Cluster, *, cuda: bool) -> Cluster:
    """A local cluster of one worker for each CUDA device, where cells need one and nothing else is said."""
    said_otherwise = cluster.where != LOCAL or cluster.workers or cluster.gpus
    count = len(cards.visible())
    if not cuda or said_otherwise or not count:
        return cluster
    return cluster.model_copy(update={"gpus": count})


def _await_worker(client: Client, cluster: Cluster, say: Callable[[str], None]) -> None:
    """Wait for a first worker, where one must come."""
    seconds = cluster.seconds_of_wait or PATIENCE.get(cluster.where)
    if seconds is None:  # the sweep waits, and says so
        return
    soon = min(SOON, seconds)
    if _came(client, soon):
        return
    if seconds > soon:
        say(f"{NOBODY}, for {duration(seconds)} at most")
        if _came(client, seconds - soon):
            return
    where = client.scheduler.address  # type: ignore[union-attr]
    raise ClusterError(
        f"cluster: no worker came to {where} within {seconds:g} s; start one, or wait longer: --wait 2h"
    )


def _came(client: Client, seconds: float) -> bool:
    """Whether a worker is there within so many seconds."""
    try:
        client.wait_for_workers(1, timeout=seconds)
    except TimeoutError:
        return False
    return True


@contextlib.contextmanager
def _client(place: Place, kind: str) -> Iterator[Client]:
    client = _answering(place, kind)
    try:
        yield client
    finally:
        client.close(timeout=2)


def _answering(place: Place, kind: str) -> Client:
    """A client of the scheduler that answers at an address."""
    from distributed import Client

    # the engine says in one line what these say in fifty
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    try:
        secured = security(place.tls) if place.tls else None
        return Client(place.address, timeout=ANSWER.get(kind, ANSWER[LOCAL]), security=secured)
    except (OSError, ValueError, TypeError) as error:
        why = f"cluster: no scheduler answers at {place.address} ({type(error).__name__})"
        raise ClusterError(f"{why}{_about_tls(place)}") from error


def _about_tls(place: Place) -> str:
    if not place.address.startswith("tls://") or place.tls:
        return ""
    return "; give its certificate: cluster: {kind: tls://.., tls: {ca: .., cert: .., key: ..}}"


# what is started --------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _local(cluster: Cluster) -> Iterator[Place]:
    """Start a cluster of this machine."""
    _sweep_scratch()
    prefix = f"{SCRATCH}{os.getpid()}-"
    with (
        tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True) as scratch,
        _started(cluster, Path(scratch), {"DASK_TEMPORARY_DIRECTORY": scratch}) as place,
    ):
        yield place


def _sweep_scratch() -> None:
    """Remove the temporary folders of clients of this user that were killed."""
    for folder in Path(tempfile.gettempdir()).glob(f"{SCRATCH}*-*"):
        owner = folder.name.removeprefix(SCRATCH).partition("-")[0]
        with contextlib.suppress(OSError):
            if owner.isdigit() and folder.stat().st_uid == os.getuid() and not alive(int(owner)):
                shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _started(
    cluster: Cluster, folder: Path, environment: Mapping[str, str] | None = None
) -> Iterator[Place]:
    """Start a cluster; its jobs and workers end with it."""
    process = start(environment or {})
    try:
        _tell(process, asked(cluster, folder))
        yield said(process)
    finally:
        try:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.communicate(timeout=FAREWELL)  # closes its stdin
        finally:
            _kill(process)


def asked(cluster: Cluster, folder: Path) -> Data:
    """What the process that holds a cluster is told: which, and where it may have files."""
    return {"cluster": cluster.model_dump(), "folder": str(folder.resolve())}


def start(environment: Mapping[str, str], stdin: int = subprocess.PIPE) -> subprocess.Popen[bytes]:
    """Start a process that holds a cluster, in a session of its own."""
    return subprocess.Popen(
        [sys.executable, *QUIET, "-m", "studies.run.started"],
        stdin=stdin,
        stdout=subprocess.PIPE,
        env={**os.environ, **ENVIRONMENT, "PYTHONPATH": paths(), **environment},
        start_new_session=True,
    )


def _tell(process: subprocess.Popen[bytes], asked: object) -> None:
    """Which cluster, as a line of JSON on its stdin; that stays open: the process ends when it closes."""
    if process.stdin:
        process.stdin.write(f"{json.dumps(asked)}\n".encode())
        process.stdin.flush()


def said(process: subprocess.Popen[bytes]) -> Place:
    """What a process says when its cluster has started."""
    line = process.stdout.readline().decode().strip() if process.stdout else ""
    if not line:
        raise ClusterError(f"cluster: it did not start (exit code {process.wait(5)})")
    answer: Data = json.loads(line)
    if "error" in answer:
        raise ClusterError(answer["error"])
    return Place(**answer)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End a process, and all that it started; last multiprocessing's tracker, once it removed semaphores."""
    process.kill()
    process.wait()
    _await_end(process.pid)
    local.kill(_running(process.pid))
    _await_end(process.pid)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()  # closes its pipes, which nobody holds any more


def _await_end(group: int) -> None:
    """Give the processes of a group a moment to go by themselves."""
    late = time.monotonic() + MOMENT
    while _running(group) and time.monotonic() < late:
        time.sleep(LOOK)


def _running(group: int) -> list[int]:
    """The processes of a group that run: one that has ended may wait long to be noticed."""
    return [pid for pid in psutil.pids() if _group(pid) == group and not _ended(pid)]


def _group(pid: int) -> int | None:
    with contextlib.suppress(OSError):
        return os.getpgid(pid)
    return None


def _ended(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
