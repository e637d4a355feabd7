"""Where tests compute cells: in their own process, or on one local cluster that is started once in a test run."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock

from studies.run import clusters

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

    def nthreads(self) -> dict[str, int]:
        return {HERE: 1}

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
def warm(folder: Path) -> Iterator[str]:
    """The address of the cluster of this folder, of one worker: who asks first starts it, one at a time has it."""
    address = folder / "address"
    with FileLock(folder / "lock"):
        if not address.exists():
            address.write_text(_start(folder))
        yield address.read_text()


def _start(folder: Path) -> str:
    stdin = os.open(folder / "stdin", os.O_RDONLY)
    command = [sys.executable, "-m", "studies.run.clusters", "1"]
    environment = clusters._environment(str(folder))
    process = subprocess.Popen(
        command, stdin=stdin, stdout=subprocess.PIPE, env=environment, start_new_session=True
    )
    os.close(stdin)
    with process.stdout:
        address = clusters._address(process)
    process.returncode = 0  # it goes on without this process, which does not wait for its end
    return address
