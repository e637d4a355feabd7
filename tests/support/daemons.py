"""Daemons of a batch system that a test starts for itself."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

WAYS = ("/usr/sbin", "/usr/bin")


@contextlib.contextmanager
def running(command: list[str], environment: dict[str, str], folder: Path) -> Iterator[None]:
    """A daemon that stays in the foreground, while the body runs; what it prints is in the folder."""
    with (folder / f"{command[0]}.out").open("w") as out:
        process = subprocess.Popen(
            command, env=os.environ | environment, stdout=out, stderr=out, start_new_session=True
        )
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def says(command: str, environment: dict[str, str]) -> str:
    """What a command prints."""
    return subprocess.run(
        command.split(), env=os.environ | environment, capture_output=True, text=True, check=False
    ).stdout.strip()


def free_ports(count: int) -> list[int]:
    """Ports that nobody has."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def host() -> str:
    """The name of this machine, without its domain."""
    return socket.gethostname().partition(".")[0]
