"""The processes of a local cluster.

One process, the keeper, imports what workers need, once, and forks: into a scheduler, and one worker per core
or card, one thread each. It forks a worker anew when one dies:

    client  --stdin pipe-->  python -m studies.run.keeper: keeper  --stdin pipe-->  scheduler, workers

So a worker costs next to nothing, and has its environment before torch is imported. The keeper starts no
thread, and kinds of the user's are imported by workers alone. A pipe closes when the process that holds it
dies in whatever way, and whoever reads it goes too. (Dask's own nanny is not used: it gives up on a worker
that dies within moments of its start, and then the sweep would wait for ever.)
"""

from __future__ import annotations

import asyncio
import functools
import gc
import importlib
import json
import os
import select
import signal
import sys
import threading
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, NamedTuple

from studies.cells import provenance
from studies.run.certificates import Tls, security, temporary
from studies.run.signals import STOPS

if TYPE_CHECKING:
    from distributed import Security

# by workers; xarray looks for dask.array
NEEDED = ("distributed", "dask.array", "studies.cells.loop", "studies.run.sweep")
# where the processes of a local cluster listen: whoever reaches a scheduler or a worker can run code as its
# user
LOOPBACK = "127.0.0.1"


class Slot(NamedTuple):
    """A worker that a local cluster has: when its process dies, another takes its place."""

    memory: str | None = None  # the most that it may have, as 4GB
    card: str | None = None  # the one CUDA device that it sees


class Pipe(NamedTuple):
    """The numbers of its ends."""

    read: int
    write: int


def keep(slots: list[Slot]) -> None:
    """The keeper of a local cluster: its children, a worker anew where one ends, until the client is gone.

    A batch system tells every process of a job to end: here the client decides, so that running cells land.
    """
    for number in STOPS:
        signal.signal(number, signal.SIG_IGN)
    _import()
    tls = temporary()
    life, said = Pipe(*os.pipe()), Pipe(*os.pipe())
    scheduler = _fork(life, functools.partial(_schedule, said.write, tls))
    os.close(said.write)
    address = os.read(said.read, 1024).decode()
    print(json.dumps({"address": address, "tls": tls}), flush=True)
    running = {_fork(life, functools.partial(_work, address, slot, tls)): slot for slot in slots}
    while not select.select([sys.stdin], [], [], 0.1)[0]:
        ended, _ = os.waitpid(-1, os.WNOHANG)
        if ended == scheduler:
            break
        if ended:
            slot = running.pop(ended)
            running[_fork(life, functools.partial(_work, address, slot, tls))] = slot
    os.killpg(0, signal.SIGKILL)


def _import() -> None:
    """Import what workers need, but for kinds of the user's, and take the digest of the loop that all run.

    What is there is shared, and never collected.
    """
    for module in NEEDED:
        importlib.import_module(module)
    provenance.code()
    gc.freeze()


def _fork(life: Pipe, work: Callable[[], Coroutine[None, None, None]]) -> int:
    """A process that does some work, and goes when this one is gone; its number."""
    if child := os.fork():
        return child
    os.close(life.write)
    os.dup2(life.read, 0)
    os.dup2(2, 1)  # what workers print goes to the terminal
    threading.Thread(target=_follow, daemon=True).start()
    asyncio.run(work())
    os._exit(1)


def _follow() -> None:
    """End when the process at the other end of stdin is gone."""
    sys.stdin.read()
    os._exit(1)


async def _schedule(said: int, tls: Tls | None) -> None:
    """The scheduler of a local cluster, which says its address."""
    from distributed import Scheduler

    scheduler = await Scheduler(
        host=LOOPBACK,
        port=0,
        protocol="tls://" if tls else "tcp://",
        security=_secured(tls),
        dashboard=False,
        dashboard_address=f"{LOOPBACK}:0",
    )
    os.write(said, scheduler.address.encode())
    await scheduler.finished()


async def _work(address: str, slot: Slot, tls: Tls | None) -> None:
    """One worker of a local cluster."""
    from distributed import Worker

    if slot.card is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = slot.card  # before CUDA is asked for the first time
    if slot.memory is not None:
        _limit(slot.memory)
    worker = await Worker(
        address,
        host=LOOPBACK,
        security=_secured(tls),
        dashboard_address=f"{LOOPBACK}:0",
        nthreads=1,
        memory_limit=0,
        resources={"GPU": 1} if slot.card is not None else None,
        dashboard=False,
    )
    await worker.finished()


def _limit(memory: str) -> None:
    """Let this process have so much memory: a cell that asks for more fails, and says so."""
    import resource

    from dask.utils import parse_bytes

    size = parse_bytes(memory)
    resource.setrlimit(resource.RLIMIT_DATA, (size, size))


def _secured(tls: Tls | None) -> Security | None:
    return security(tls) if tls else None


if __name__ == "__main__":
    keep([Slot(*slot) for slot in json.loads(sys.stdin.readline())])
