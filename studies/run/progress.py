"""The progress bar of a run."""

from __future__ import annotations

from collections.abc import Callable

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


class _Rate(ProgressColumn):
    """Cells a second."""

    def render(self, task: Task) -> str:
        return f"{task.speed:.2g} cells/s" if task.speed else ""


class Bar:
    """What the terminal shows of a run, and which cells failed."""

    def __init__(self, console: Console, name: Callable[[str], str] | None = None) -> None:
        seen = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Rate())
        self.progress = Progress(*seen, TimeRemainingColumn(), console=console)
        self.console = self.progress.console
        self.name = name  # of the arm of a cell, by the cell's address
        self.failed: list[Record] = []
        self.what, self.total = "cells", 0
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
        if record.status in ("refused", "failed"):
            self._fail(record)
        description = f"{self.what} ({len(self.failed)} failed)" if self.failed else self.what
        self.progress.update(self.task, advance=1, description=description)

    def _fail(self, record: Record) -> None:
        """Note a cell that failed; what is refused for the same reason is said once."""
        if record.status == "failed":
            arm = f" ({self.name(record.address)})" if self.name else ""
            self._alarm(f"cell {record.address[:12]}{arm} failed:", record.error.splitlines()[0][:300])
        elif all(record.error != earlier.error for earlier in self.failed):
            self._alarm("refused:", record.error)
        self.failed.append(record)

    def _alarm(self, what: str, why: str) -> None:
        self.console.print(Text.assemble((what, "red"), f" {why}"), soft_wrap=True)
