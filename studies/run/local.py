"""The cluster of this machine: Dask's scheduler in this process, and for each worker one of Dask's nannies.

A nanny starts its worker anew where it ends. Workers have one thread each, and are forked from a process of
multiprocessing's that has imported what they need (`preloaded.py`), so that one costs next to nothing:

    this process: scheduler, nannies  -->  forkserver  -->  a worker for each core, or card

All of them end when this process does, in whatever way. They listen on loopback alone: whoever reaches a
scheduler or a worker can run code as its user.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import tempfile
from collections.abc import Iterable
from multiprocessing import forkserver
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, NoReturn

import psutil

from studies.run import cards
from studies.run.certificates import security, temporary
from studies.run.environment import cores
from studies.run.kinds import ClusterError, one_line
from studies.run.memory_limit import LIMIT
from studies.study_file.cluster import Cluster
from studies.text.shapes import Data

if TYPE_CHECKING:
    from distributed.deploy.spec import SpecCluster

LOOPBACK = "127.0.0.1"
SETTINGS = {
    "distributed.worker.multiprocessing-method": "forkserver",
    # a worker that is away is one that its nanny starts, however long that takes
    "distributed.deploy.lost-worker-timeout": "10000 days",
}
PRELOADED = "studies.run.preloaded"
TRACKER = "multiprocessing.resource_tracker"
TRIES = 3  # of the start: a worker that is killed in the middle of it takes the others along


class Slot(NamedTuple):
    """A worker that there is."""

    memory: str | None = None  # the most that it may have, as 4GB
    card: str | None = None  # the one CUDA device that it sees


def slots(cluster: Cluster) -> list[Slot]:
    """The workers of a cluster: one for each of its cards, or else as many as are said, or one for each core.

    Raises:
        ClusterError: there are fewer cards.
    """
    if cluster.gpus:
        return [Slot(cluster.memory, card) for card in _own_cards(cluster.gpus)]
    return [Slot(cluster.memory)] * (cluster.workers or cores())


def _own_cards(count: int) -> list[str]:
    """The first cards of this machine."""
    mine = cards.visible()
    if len(mine) < count:
        raise ClusterError(
            f"cluster.gpus: expected at most {len(mine)}, the CUDA devices here, got {count}"
        )
    return mine[:count]


def prepare(folder: Path) -> None:
    """Start what workers are forked from; it imports while this process goes on.

    Args:
        folder: for its socket.
    """
    tempfile.tempdir = str(folder)
    multiprocessing.set_forkserver_preload([PRELOADED])
    forkserver.ensure_running()


def local_cluster(cluster: Cluster) -> SpecCluster:
    """The cluster, with its workers there.

    Raises:
        ClusterError: there are fewer cards, or it did not start.
    """
    import dask
    from distributed import Nanny, Scheduler, Security, utils
    from distributed.deploy.spec import SpecCluster

    dask.config.set(SETTINGS)
    utils._forkserver_preload_set = True  # what is imported beforehand is our matter
    tls = temporary()
    every: Data = {
        "host": LOOPBACK,
        "dashboard_address": f"{LOOPBACK}:0",
        "dashboard": False,
        "protocol": "tls://" if tls else "tcp://",
        "security": security(tls) if tls else Security(),
    }
    scheduler = {"cls": Scheduler, "options": {**every, "port": 0}}
    with one_line(cluster):
        options = [every | _options(slot) for slot in slots(cluster)]
        workers = {place: {"cls": Nanny, "options": own} for place, own in enumerate(options)}
        for _ in range(TRIES - 1):
            with contextlib.suppress(Exception):
                return SpecCluster(workers, scheduler, security=every["security"], name="studies")
        return SpecCluster(workers, scheduler, security=every["security"], name="studies")


def _options(slot: Slot) -> Data:
    """What a nanny is told of its worker."""
    from dask.utils import parse_bytes

    from studies.run.replaced import Replaced

    # no limit of Dask's, which ends a worker
    every: Data = {"nthreads": 1, "memory_limit": 0, "worker_class": Replaced}
    limit = {LIMIT: str(parse_bytes(slot.memory))} if slot.memory else {}
    if slot.card is None:
        return every | {"env": limit}
    return every | {"env": {"CUDA_VISIBLE_DEVICES": slot.card, **limit}, "resources": {"GPU": 1}}


def end() -> NoReturn:
    """End this process and all of the cluster at once, also workers that do not listen.

    Results are files by now. What is left is multiprocessing's tracker, which removes semaphores and goes.
    """
    kill(child.pid for child in psutil.Process().children(recursive=True))
    os._exit(0)


def kill(pids: Iterable[int]) -> None:
    """Kill processes of a cluster, but multiprocessing's tracker."""
    for pid in pids:
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            if TRACKER not in " ".join(process.cmdline()):
                process.kill()
