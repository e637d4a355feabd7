"""What a worker notes of a cell while it computes it: a line that is there after a crash, too."""

from __future__ import annotations

import os
import platform
import re
import time
from pathlib import Path
from typing import NamedTuple

from studies.run.machine import alive

LINE = re.compile(r"worlds (\d+) \.\. (\d+) on (.+), process (\d+)(?:\nsince (\d+))?")


class Note(NamedTuple):
    """Which worlds, and where."""

    first: int
    last: int  # the last world itself
    host: str
    process: int
    began: float = 0.0  # seconds since 1970; 0: not said, as in notes of earlier releases

    @property
    def line(self) -> str:
        """For people."""
        return f"worlds {self.first} .. {self.last} on {self.host}, process {self.process}"

    @property
    def text(self) -> str:
        """For `read`."""
        return f"{self.line}\nsince {self.began:.0f}\n"

    @property
    def gone(self) -> bool:
        """Whether its process is, as far as this machine knows."""
        return self.of_this_machine and not alive(self.process)

    @property
    def of_this_machine(self) -> bool:
        """Whether its process is one of this machine."""
        return self.host == platform.node()


def here(first: int, end: int) -> Note:
    """That of this process, of worlds first .. end - 1."""
    return Note(first, end - 1, platform.node(), os.getpid(), time.time())


def read(text: str) -> Note | None:
    """The note that a file begins with; None: with none."""
    match = LINE.match(text)
    return match and Note(int(match[1]), int(match[2]), match[3], int(match[4]), float(match[5] or 0))


def of_living(path: Path) -> bool:
    """Whether a file is the note of a process of this machine that lives."""
    note = read(path.read_text(encoding="utf-8", errors="replace")) if path.suffix == ".txt" else None
    return note is not None and note.of_this_machine and not note.gone
