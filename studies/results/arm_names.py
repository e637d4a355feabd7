"""The arms of a study's cells by their addresses, for people."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from pathlib import Path

from studies.results.manifest import Manifest
from studies.text.shapes import Tree
from studies.text.words import short

UNKNOWN = "of a trial, or of an earlier plan"  # not in the plan that is stored


class ArmNames:
    """What cells are of, read from OUT/plan.json when first asked, and again where that is another file.

    Args:
        out: the study's folder.
    """

    def __init__(self, out: Path) -> None:
        self.plan = out / "plan.json"

    def of(self, address: str) -> str:
        """The arm of a cell: landscape, optimizer, and the values of axes."""
        try:
            status = self.plan.stat()
            return _names(self.plan, status.st_mtime_ns, status.st_ino).get(address, UNKNOWN)
        except (OSError, ValueError, KeyError, TypeError):
            return UNKNOWN


@functools.lru_cache(4)
def _names(plan: Path, written: int, inode: int) -> Mapping[str, str]:
    """Address -> arm."""
    del written, inode
    manifest: Manifest = json.loads(plan.read_text(encoding="utf-8"))
    first: dict[int, str] = {}
    more: dict[int, int] = {}
    for arm in manifest["arms"]:
        if arm["task"] in first:
            more[arm["task"]] = more.get(arm["task"], 0) + 1
        else:
            first[arm["task"]] = _name(arm["coords"])
    return {cell["address"]: _with_more(first, more, cell["task"]) for cell in manifest["cells"]}


def _with_more(first: Mapping[int, str], more: Mapping[int, int], task: int) -> str:
    others = more.get(task)
    return f"{first[task]} and {others} more" if others else first[task]


def _name(coords: Tree) -> str:
    axes = {key: value for key, value in coords.items() if key not in ("landscape", "optimizer")}
    named = [f"{key} = {short(value)}" for key, value in axes.items()]
    return ", ".join([str(coords["landscape"]), str(coords["optimizer"]), *named])
