"""What a report says beside numbers.

How far the study is, what failed and why, how to reproduce it, where it comes from.
"""

from __future__ import annotations

import contextlib
import json
import shlex
from pathlib import Path
from typing import NamedTuple

import xarray as xr

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


def progress(dataset: xr.Dataset, folder: Path) -> Progress:
    """How many of a study's cells are there."""
    here = len(json.loads(dataset.attrs.get("cells", "[]")))
    planned = here
    with contextlib.suppress(OSError, ValueError, KeyError):
        planned = len(json.loads((folder / "plan.json").read_text(encoding="utf-8"))["cells"])
    return Progress(here, min(len(list((folder / "errors").glob("*.json"))), planned - here), planned)


def failures(folder: Path) -> list[Failure]:
    """What failed and why, the most frequent first."""
    groups = _by_error(folder)
    frequent = sorted(groups.items(), key=lambda group: -len(group[1]))[:GROUPS]
    return [
        Failure(error, len(records), _what(records[0]), records[0].get("traceback", ""))
        for error, records in frequent
    ]


def _by_error(folder: Path) -> dict[str, list[Record]]:
    """Error -> the records of cells that failed with it; files that cannot be read are left out."""
    groups: dict[str, list[Record]] = {}
    for path in sorted((folder / "errors").glob("*.json")):
        with contextlib.suppress(OSError, ValueError, KeyError):
            record = json.loads(path.read_text(encoding="utf-8"))
            groups.setdefault(record["error"], []).append(record)
    return groups


def _what(record: Record) -> str:
    """Landscape, optimizer and worlds of a cell that failed, as far as its record has them."""
    task = record.get("task", {})
    entries = [task.get(part) for part in ("landscape", "optimizer")]
    words = [str(entry["kind"]) for entry in entries if isinstance(entry, dict) and "kind" in entry]
    if "first" in record and "last" in record:
        words.append(f"worlds {record['first']} to {record['last'] - 1}")
    return ", ".join(words)


def commands(dataset: xr.Dataset, folder: Path) -> list[str]:
    """What to type to compute this study again."""
    name = dataset.attrs.get("name", "study")
    lines = _checkout(dataset.attrs.get("commit", "unknown"))
    file = folder.resolve() / "study.yaml"
    file = file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file
    out = shlex.quote(f"results/{name}-again")
    return [*lines, f"python -m studies.run {shlex.quote(str(file))} --out {out}"]


def _checkout(commit: str) -> list[str]:
    """What to type to have the code of a commit."""
    lines = [] if commit == "unknown" else [f"git checkout {commit.removesuffix(LOCAL)}"]
    changes = "# and the changes that were not in the repository, without which the numbers may differ"
    return [*lines, changes] if commit.endswith(LOCAL) else lines


def provenance(dataset: xr.Dataset) -> list[tuple[str, str]]:
    """What made these numbers: name, value."""
    attrs = dataset.attrs
    commit = str(attrs.get("commit", "unknown"))
    if commit.endswith(LOCAL):
        commit = f"{commit.removesuffix(LOCAL)}, with changes that are not in the repository"
    facts = {
        "created": attrs.get("created", "unknown"),
        "commit": commit,
        "device": attrs.get("device", "unknown"),
        **json.loads(attrs.get("versions", "{}")),
    }
    return [(name, str(value)) for name, value in facts.items()]
