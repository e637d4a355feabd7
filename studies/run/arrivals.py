"""What every worker is asked when it comes, also one that comes late: whether it can compute our cells.

It has its environment set, where torch is not there yet; versions and code must be ours. One that differs is
closed, which is said: cells would only fail there.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from distributed import WorkerPlugin

from studies.cells import provenance
from studies.run import machine
from studies.run.environment import NUMBERS
from studies.study_file.own_code import PATH
from studies.text.kept import text_of

if TYPE_CHECKING:
    from distributed import Client, Worker

    from studies.cells.task import Cell

TOPIC = "studies-arrivals"
MKL = "MKL_CBWR"
LOOK = 0.02  # seconds between looks at whether a subscription holds
Event = tuple[float, Mapping[str, str]]  # when, and what
MIXED = "cluster: machines of several kinds, and results are equal to the bit on one kind alone"


class Arrival(WorkerPlugin):
    """Looks at a worker before its first cell, while its client is there; a killed one leaves it behind.

    Args:
        expected: name -> version, of what a worker must share with the client.
        plugins: import paths of what it must find.
        client: the scheduler's name of the client.
    """

    def __init__(self, expected: Mapping[str, str], plugins: Sequence[str], client: str) -> None:
        self.expected, self.plugins, self.client = dict(expected), [*plugins], client
        self.name = f"studies-arrival-{client}"  # two runs ask, each for its own

    async def setup(self, worker: Worker) -> None:
        """Set its environment, and close it where it differs."""
        if not _is_there(await worker.scheduler.events(topic=self.client)):
            return
        problem = different(self.expected, *about(self.plugins))
        report = {"worker": worker.address, "problem": problem, "machine": machine.kind()}
        worker.log_event(TOPIC, report)
        if problem:
            worker.loop.add_callback(worker.close, reason=problem)


def _is_there(events: Sequence[tuple[float, object]]) -> bool:
    """Whether a client is, from what the scheduler noted of it: nothing any more where it went long ago."""
    actions = [event["action"] for _, event in events if isinstance(event, dict) and "action" in event]
    return bool(actions) and actions[-1] != "remove-client"


def about(plugins: Sequence[str] = ()) -> tuple[dict[str, str], str | None, str]:
    """Versions, MKL mode and lacking plugins of the process which calls.

    Its environment is set where torch is not there yet. A function, since `os.environ.get` would take our own
    environment along.

    Args:
        plugins: import paths.
    """
    if "torch" not in sys.modules:
        os.environ.update(NUMBERS)
    return provenance.fingerprint(), os.environ.get(MKL), lacking(plugins)


def lacking(plugins: Sequence[str]) -> str:
    """Why the first of these import paths leads nowhere here; empty where all can be imported."""
    from studies.kinds import registry

    for path in plugins:
        try:
            registry.family(path)
        except ValueError as error:
            return " ".join(str(error).split())
    return ""


def named(cells: Iterable[Cell]) -> list[str]:
    """The import paths of the user's that cells name: kinds, and functions of expressions."""
    parts = {
        text_of(part)
        for cell in cells
        for part in (
            *(cell.task.landscape, cell.task.optimizer),
            *(cell.task.record, cell.task.expressions),
        )
    }
    return sorted({path for part in parts for path in PATH.findall(part)})


def different(
    expected: Mapping[str, str],
    versions: Mapping[str, str],
    mode: str | None,
    lacks: str = "",
) -> str:
    """In what a worker differs, and the remedy; empty where it does not.

    Args:
        expected: name -> version.
        versions: name -> that of the worker.
        mode: its MKL_CBWR.
        lacks: why it cannot import a plugin; empty: it can.
    """
    if lacks:
        return f"{lacks}; put the module where workers find it, as in a folder of their PYTHONPATH"
    for name, version in expected.items():
        if versions.get(name) != version:
            return f"expected {name} {version}, got {versions.get(name)}; restart the older one"
    if mode != NUMBERS[MKL]:
        remedy = "start it with that, as python -m studies.run.worker does"
        return f"expected {MKL}={NUMBERS[MKL]} in its environment, got {mode}; {remedy}"
    return ""


@contextlib.contextmanager
def watched(client: Client, say: Callable[[str], None], plugins: Sequence[str] = ()) -> Iterator[None]:
    """While the body runs, each worker that comes is asked; what is wrong with one is said once.

    A scheduler that goes on forgets the question: later workers may have other code.

    Args:
        client: of the cluster.
        say: takes a line.
        plugins: import paths of what workers must find.
    """
    kinds: set[str] = set()
    said: set[str] = set()

    def hear(event: Event) -> None:
        for line in lines(event[1], kinds):
            if line not in said:
                said.add(line)
                say(line)

    subscribe(client, hear)
    asks = Arrival(provenance.fingerprint(), plugins, client.id)
    client.register_plugin(asks)
    try:
        yield
    finally:
        if client.status == "running":
            with contextlib.suppress(Exception):  # the scheduler may go at this moment
                client.unregister_worker_plugin(asks.name)


def subscribe(client: Client, hear: Callable[[Event], None]) -> None:
    """Hear what workers tell, from now on.

    Dask sends a subscription some milliseconds after it was asked for, and a worker may have told by then:
    events of our own are sent until one comes back.
    """
    echo, heard = {"echo": uuid.uuid4().hex}, threading.Event()

    def sort(event: Event) -> None:
        if event[1] == echo:
            heard.set()
        elif "echo" not in event[1]:  # that of another run
            hear(event)

    client.subscribe_topic(TOPIC, sort)
    client.log_event(TOPIC, echo)
    while not heard.wait(LOOK):
        client.log_event(TOPIC, echo)


def lines(report: Mapping[str, str], kinds: set[str]) -> Iterable[str]:
    """What is said of a worker.

    Args:
        report: what it told.
        kinds: of machine, of those that came before; its own is added.
    """
    if report["problem"]:
        yield f"cluster: the worker {report['worker']} is sent away: {report['problem']}"
        return
    kinds.add(report["machine"])
    if len(kinds) > 1:
        yield f"{MIXED}: {', '.join(sorted(kinds))}"
