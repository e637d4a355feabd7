"""What a worker notes of a cell while it computes it: a line that is there after a crash, too."""

from __future__ import annotations

import os
import platform
import re
from typing import NamedTuple

LINE = re.compile(r"worlds (\d+) \.\. (\d+) on (.+), process (\d+)")


class Note(NamedTuple):
    """Which worlds, and where."""

    first: int
    last: int  # the last world itself
    host: str
    process: int

    @property
    def line(self) -> str:
        """For people, and for `read`."""
        return f"worlds {self.first} .. {self.last} on {self.host}, process {self.process}"


def here(first: int, end: int) -> Note:
    """That of this process, of worlds first .. end - 1."""
    return Note(first, end - 1, platform.node(), os.getpid())


def read(text: str) -> Note | None:
    """The note that a file begins with; None: with none."""
    match = LINE.match(text)
    return match and Note(int(match[1]), int(match[2]), match[3], int(match[4]))
