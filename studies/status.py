"""What is going on in studies' folders: python -m studies.status RESULTS.

Cells that are being computed, from the notes that workers keep while they do; cells that failed, and why;
files that were found damaged. Nothing is written.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from studies.text.arguments import Arguments
from studies.text.groups import some
from studies.text.leave import leave

HEADER = "failed ({}; why in full is in {}; the next run tries them again):"

if TYPE_CHECKING:
    from studies.results.arm_names import ArmNames
    from studies.run.notes import Note


class Running(NamedTuple):
    """A cell that is being computed."""

    address: str
    note: Note
    minutes: float

    def line(self, names: ArmNames) -> str:
        """For people."""
        gone = " (which is gone)" if self.note.gone else ""
        return f"{names.of(self.address)}: {self.note.line}{gone}, {self.minutes:.1f} min"


def parser() -> Arguments:
    """The command line."""
    words = Arguments(prog="python -m studies.status", description=__doc__)
    words.add_argument(
        "results",
        type=Path,
        metavar="RESULTS",
        help="the folder of a study, or one that holds such folders",
    )
    return words


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what is going on; returns the exit code."""
    words = parser()
    args = words.parse_args(arguments)
    folders = [*_folders(args.results)]
    if not folders:
        words.error(
            f"RESULTS: expected the folder of a study, or one that holds some, got {args.results}"
        )
    for out in folders:
        print(*lines(out), sep="\n")
    return 0


def _folders(results: Path) -> Iterator[Path]:
    """The studies' folders at a place."""
    every = [results, *(sorted(results.iterdir()) if results.is_dir() else ())]
    yield from (folder for folder in every if (folder / "cells").is_dir())


def lines(out: Path) -> Iterator[str]:
    """What is going on in a study's folder."""
    from studies.results.arm_names import ArmNames

    names, failed = ArmNames(out), [*_failed(out)]
    damaged = sorted(out.glob("cells/??/*.damaged"))
    at_work = sorted(running(out), key=lambda cell: -cell.minutes)
    yield f"{out}: {_count(out)}, {len(at_work)} running, {len(failed)} failed, {len(damaged)} damaged"
    yield from _part("running:", [cell.line(names) for cell in at_work])
    yield from _part(
        HEADER.format(len(failed), out / "errors"),
        [f"{names.of(address)}: {error}" for address, error in failed],
    )
    yield from _part("damaged, set aside:", [str(path) for path in damaged])


def _part(head: str, told: list[str]) -> Iterator[str]:
    if told:
        yield f"  {head}"
        yield from (f"    {line}" for line in some(told))


def _count(out: Path) -> str:
    """How many cells there are, of how many."""
    from studies.results import store  # here, so that --help comes at once

    here = store.finished(out)
    try:
        plan = json.loads((out / "plan.json").read_text(encoding="utf-8"))
        planned = {cell["address"] for cell in plan["cells"]}
    except (OSError, ValueError, KeyError, TypeError):
        return f"{len(here):,} cells finished, no plan yet"
    return f"{len(planned & here):,} of {len(planned):,} cells finished"


def running(out: Path) -> Iterator[Running]:
    """The cells of a study that are being computed."""
    from studies.run import notes

    for path in (out / "crash").glob("*.txt"):
        try:
            head, told = path.read_text(encoding="utf-8", errors="replace"), path.stat().st_mtime
        except OSError:  # it ended just now
            continue
        note = notes.read(head)
        if note:
            address, began = path.name.partition(".")[0], note.began or told
            yield Running(address, note, (time.time() - began) / 60)


def _failed(out: Path) -> Iterator[tuple[str, str]]:
    """The addresses of the cells that failed, and why."""
    from studies.results import store

    for address in sorted(store.failures(out)):
        try:
            record = json.loads(store.error_path(out, address).read_text(encoding="utf-8"))
            yield address, str(record["error"]).splitlines()[0]
        except (OSError, ValueError, KeyError, IndexError):
            yield address, "its record cannot be read"


if __name__ == "__main__":
    leave(main)
