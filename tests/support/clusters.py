"""Where tests compute cells: in their own process, or on one local cluster that is started once in a test run."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock

from studies.run import clusters
from studies.study_file.cluster import Cluster

HERE = "this process"  # its address


class Done(NamedTuple):
    """A call that was made; as a future of Dask."""

    key: str
    value: object
    status: str = "finished"

    def result(self) -> object:
        return self.value

    def add_done_callback(self, call: Callable[[Done], object]) -> None:
        call(self)

    def release(self) -> None:
        pass


class Here:
    """A client whose one worker is this process; what is submitted is computed at once."""

    id = "here"

    def nthreads(self) -> dict[str, int]:
        return {HERE: 1}

    def wait_for_workers(self, count: int, timeout: float) -> None:
        pass

    def subscribe_topic(self, topic: str, hear: Callable[[object], None]) -> None:
        self.hear = hear

    def log_event(self, topic: str, message: object) -> None:
        self.hear((0.0, message))

    def register_plugin(self, plugin: object) -> None:
        pass

    @property
    def status(self) -> str:
        return "closed"  # there is nothing to take back

    def run(self, function: Callable[[], object], on_error: str) -> dict[str, object]:
        return {HERE: function()}

    def submit(self, function: Callable[..., object], *words: object, key: str, pure: bool) -> Done:
        return Done(key, function(*words))


# the warm cluster -------------------------------------------------------------------------------------------


@contextlib.contextmanager
def life(folder: Path) -> Iterator[None]:
    """While the body runs, the cluster of this folder may live: it ends when nobody can write to its stdin."""
    os.mkfifo(folder / "stdin")
    end = os.open(folder / "stdin", os.O_RDWR)
    try:
        yield
    finally:
        os.close(end)


@contextlib.contextmanager
def warm(folder: Path) -> Iterator[clusters.Place]:
    """Where the cluster of this folder is, of one worker: who asks first starts it, one at a time has it."""
    place = folder / "place"
    with FileLock(folder / "lock"):
        if not place.exists():
            place.write_text(json.dumps(_start(folder)))
        yield clusters.Place(*json.loads(place.read_text()))


def _start(folder: Path) -> clusters.Place:
    stdin = os.open(folder / "stdin", os.O_RDONLY)
    scratch = {"DASK_TEMPORARY_DIRECTORY": str(folder)}
    process = clusters.start(scratch, stdin=stdin)
    os.close(stdin)
    with (folder / "stdin").open("w") as said:
        said.write(f"{json.dumps(clusters.asked(Cluster(workers=1), folder))}\n")
    with process.stdout:
        place = clusters.said(process)
    process.returncode = 0  # it goes on without this process, which does not wait for its end
    return place
