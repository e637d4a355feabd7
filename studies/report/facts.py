"""What a report says beside numbers.

How far the study is, what failed and why, how to reproduce it, where it comes from.
"""

from __future__ import annotations

import contextlib
import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import xarray as xr

GROUPS = 20  # kinds of errors that are shown
LOCAL = "-dirty"


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
    found: dict[str, list[dict[str, Any]]] = {}
    for path in sorted((folder / "errors").glob("*.json")):
        with contextlib.suppress(OSError, ValueError, KeyError):
            record = json.loads(path.read_text(encoding="utf-8"))
            found.setdefault(record["error"], []).append(record)
    groups = sorted(found.items(), key=lambda item: -len(item[1]))
    return [
        Failure(error, len(records), _what(records[0]), records[0].get("traceback", ""))
        for error, records in groups[:GROUPS]
    ]


def _what(record: Mapping[str, Any]) -> str:
    task = record.get("task", {})
    kinds = [
        str(task[part]["kind"])
        for part in ("landscape", "optimizer")
        if isinstance(task.get(part), dict) and "kind" in task[part]
    ]
    worlds = (
        f"worlds {record['first']} to {record['last'] - 1}" if "first" in record and "last" in record else ""
    )
    return ", ".join([*kinds, *([worlds] if worlds else [])])


def commands(dataset: xr.Dataset, folder: Path) -> list[str]:
    """What to type to compute this study again."""
    commit, name = dataset.attrs.get("commit", "unknown"), dataset.attrs.get("name", "study")
    found = [f"git checkout {commit.removesuffix(LOCAL)}"] if commit != "unknown" else []
    found += (
        ["# and the changes that were not in the repository, without which the numbers may differ"]
        if commit.endswith(LOCAL)
        else []
    )
    file = folder.resolve() / "study.yaml"
    file = file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file
    return [
        *found,
        f"python -m studies.run {shlex.quote(str(file))} --out {shlex.quote(f'results/{name}-again')}",
    ]


def provenance(dataset: xr.Dataset) -> list[tuple[str, str]]:
    """What made these numbers: name, value."""
    attrs = dataset.attrs
    commit = attrs.get("commit", "unknown")
    told = commit.removesuffix(LOCAL) + (
        ", with changes that are not in the repository" if commit.endswith(LOCAL) else ""
    )
    rows = [
        ("created", attrs.get("created", "unknown")),
        ("commit", told),
        ("device", attrs.get("device", "unknown")),
    ]
    rows += list(json.loads(attrs.get("versions", "{}")).items())
    return [(str(name), str(value)) for name, value in rows]
