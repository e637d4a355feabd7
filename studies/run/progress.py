"""The progress bar, and the signals that stop a run."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from studies.run.sweep import Record


@contextlib.contextmanager
def stop_signals(console: Console) -> Iterator[list[int]]:
    """The signals that came.

    The first asks to stop after the running cells, the second raises KeyboardInterrupt.
    """
    came: list[int] = []

    def handle(number: int, frame: FrameType | None) -> None:
        del frame
        came.append(number)
        if len(came) > 1:
            raise KeyboardInterrupt
        console.print("stopping after the running cells; once more to abort them")

    if (
        threading.current_thread() is not threading.main_thread()
    ):  # only the main thread may handle signals
        yield came
        return
    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Rate(ProgressColumn):
    """Cells a second."""

    def render(self, task: Task) -> str:
        return f"{task.speed:.2g} cells/s" if task.speed else ""


class Bar:
    """What the terminal shows of a run, and which cells failed."""

    def __init__(self, console: Console) -> None:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            _Rate(),
            TimeRemainingColumn(),
        )
        self.progress = Progress(*columns, console=console)
        self.console, self.failed, self.what, self.total = (
            self.progress.console,
            list[Record](),
            "cells",
            0,
        )
        self.task = self.progress.add_task(self.what)

    def say(self, note: str) -> None:
        """A line beside the bar."""
        self.console.print(note, style="dim", soft_wrap=True)

    def begin(self, what: str, there: int = 0) -> None:
        """Count something new, of which so many are there."""
        self.what, self.total = what, there
        self.progress.reset(self.task, total=there, completed=there, description=what)

    def expect(self, cells: int) -> None:
        """So many more are to come; where no bar is seen, a line says so."""
        self.total += cells
        if not self.console.is_terminal:
            self.console.print(f"{self.what}: {cells:,} to compute")
        self.progress.update(self.task, total=self.total)

    def take(self, record: Record) -> None:
        """Note a cell that ended."""
        if record.status == "refused":
            if all(record.error != earlier.error for earlier in self.failed):
                self._alarm("refused:", record.error)
            self.failed.append(record)
        if record.status == "failed":
            self.failed.append(record)
            self._alarm(f"cell {record.address[:12]} failed:", record.error.splitlines()[0][:300])
        description = f"{self.what} ({len(self.failed)} failed)" if self.failed else self.what
        self.progress.update(self.task, advance=1, description=description)

    def _alarm(self, what: str, why: str) -> None:
        self.console.print(Text.assemble((what, "red"), f" {why}"), soft_wrap=True)
