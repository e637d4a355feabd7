"""What a report says beside numbers.

How far the study is, what failed and why, how to reproduce it, where it comes from.
"""

from __future__ import annotations

import contextlib
import json
import shlex
from pathlib import Path
from typing import NamedTuple

from xarray import Dataset

from studies.text.groups import grouped
from studies.text.shapes import Tree

GROUPS = 20  # kinds of errors that are shown
LOCAL = "-dirty"
Record = Tree  # of a cell that failed


class Progress(NamedTuple):
    """Cells of the study."""

    here: int
    failed: int
    planned: int

    @property
    def partial(self) -> bool:
        """Whether there is more to come."""
        return self.here + self.failed < self.planned


class Failure(NamedTuple):
    """Cells that failed for the same reason."""

    error: str
    cells: int
    what: str  # one of them: landscape, optimizer, worlds
    traceback: str


def progress(dataset: Dataset, folder: Path) -> Progress:
    """How many of a study's cells are there."""
    here = len(json.loads(dataset.attrs.get("cells", "[]")))
    planned = _planned(folder, here)
    errors = len(list((folder / "errors").glob("*.json")))
    return Progress(here, min(errors, planned - here), planned)


def _planned(folder: Path, here: int) -> int:
    """How many cells the plan has; those that are here where it cannot be read."""
    with contextlib.suppress(OSError, ValueError, KeyError):
        return len(json.loads((folder / "plan.json").read_text(encoding="utf-8"))["cells"])
    return here


def failures(folder: Path) -> list[Failure]:
    """What failed and why, the most frequent first."""
    groups = _by_error(folder)
    frequent = sorted(groups, key=lambda error: -len(groups[error]))[:GROUPS]
    return [_failure(error, groups[error]) for error in frequent]


def _failure(error: str, records: list[Record]) -> Failure:
    """What the records of cells that failed with an error say."""
    first = records[0]
    return Failure(error, len(records), _what(first), first.get("traceback", ""))


def _by_error(folder: Path) -> dict[str, list[Record]]:
    """Error -> the records of cells that failed with it; files that cannot be read are left out."""
    records = []
    for path in sorted((folder / "errors").glob("*.json")):
        with contextlib.suppress(OSError, ValueError, KeyError):
            record = json.loads(path.read_text(encoding="utf-8"))
            records.append((record["error"], record))
    return grouped(records)


def _what(record: Record) -> str:
    """Landscape, optimizer and worlds of a cell that failed, as far as its record has them."""
    task = record.get("task", {})
    entries = [task.get(part) for part in ("landscape", "optimizer")]
    words = [str(entry["kind"]) for entry in entries if isinstance(entry, dict) and "kind" in entry]
    return ", ".join([*words, *_worlds(record)])


def _worlds(record: Record) -> list[str]:
    """The worlds of a cell, if its record has them."""
    if "first" in record and "last" in record:
        return [f"worlds {record['first']} to {record['last'] - 1}"]
    return []


def commands(dataset: Dataset, folder: Path) -> list[str]:
    """What to type to compute this study again."""
    return [*_checkout(dataset.attrs.get("commit", "unknown")), _again(dataset, folder)]


def _again(dataset: Dataset, folder: Path) -> str:
    """The command that runs a study into a new folder."""
    name = dataset.attrs.get("name", "study")
    out = shlex.quote(f"results/{name}-again")
    study = shlex.quote(_from_here(folder.resolve() / "study.yaml"))
    return f"python -m studies.run {study} --out {out}"


def _from_here(file: Path) -> str:
    """A path as short as can be."""
    here = Path.cwd()
    return str(file.relative_to(here) if file.is_relative_to(here) else file)


def _checkout(commit: str) -> list[str]:
    """What to type to have the code of a commit."""
    lines = [] if commit == "unknown" else [f"git checkout {commit.removesuffix(LOCAL)}"]
    changes = "# and the changes that were not in the repository, without which the numbers may differ"
    return [*lines, changes] if commit.endswith(LOCAL) else lines


def provenance(dataset: Dataset) -> list[tuple[str, str]]:
    """What made these numbers: name, value."""
    attrs = dataset.attrs
    facts = {
        "created": attrs.get("created", "unknown"),
        "commit": _commit(attrs.get("commit", "unknown")),
        "device": attrs.get("device", "unknown"),
        **json.loads(attrs.get("versions", "{}")),
    }
    return [(name, str(value)) for name, value in facts.items()]


def _commit(commit: str) -> str:
    """A commit in words."""
    changed = ", with changes that are not in the repository" * commit.endswith(LOCAL)
    return commit.removesuffix(LOCAL) + changed
