"""How far a study is, as data for a page: cells by arm, what runs, what failed, time left, medians so far.

Read from what `studies.status` and the report read: plan.json, cells, errors, crash. Nothing is written.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import NamedTuple

from studies.results import store
from studies.results.arm_names import ArmNames
from studies.results.manifest import Manifest
from studies.status import running
from studies.text.shapes import Data
from studies.text.words import short

QUIET = (
    60.0  # seconds without a cell that is computed or ends, after which a run is taken to have ended
)
MOST = 200  # arms with a row each; of more, one for each landscape and optimizer
SHARE = 20  # times as long as the last medians took, at least, until they are made again
SHOWN = 300  # rows of medians
NO_CELLS = {"here": 0, "failed": 0, "running": 0, "planned": 0}
COLUMNS = ("landscape", "arm", "median", "95 % interval", "worlds")


def is_study(out: Path) -> bool:
    """Whether a folder is a study's."""
    return (out / "plan.json").exists() or (out / "cells").is_dir()


class Cells(NamedTuple):
    """The cells of a study's plan, by address."""

    planned: Collection[str]
    here: Collection[str]
    failed: Collection[str]

    @property
    def left(self) -> set[str]:
        """Those that are neither there nor failed."""
        return {*self.planned} - {*self.here} - {*self.failed}


def progress(out: Path, now: float | None = None) -> Data:
    """How far a study is.

    Args:
        out: its folder.
        now: seconds since 1970; None: by the clock.
    """
    now = time.time() if now is None else now
    plan = _plan(out)
    planned = {cell["address"] for cell in plan["cells"]} if plan else set()
    cells = Cells(planned, store.finished(out) & planned, store.failures(out) & planned)
    names, at_work = ArmNames(out), sorted(running(out), key=lambda cell: -cell.minutes)
    alive = {cell.address for cell in at_work if not cell.note.gone}
    return {
        "study": str(plan["attrs"].get("name", out.name)) if plan else out.name,
        "at": time.strftime("%H:%M:%S", time.localtime(now)),
        "state": _state(out, cells, bool(alive), now),
        "cells": {"here": len(cells.here), "failed": len(cells.failed), "planned": len(planned)},
        "left": _seconds_left(out, plan, cells, now) if plan else None,
        "arms": _by_arm(plan, cells, alive) if plan else [],
        "running": [cell.line(names) for cell in at_work[:MOST]],
        "failed": _failed(out),
    }


def _plan(out: Path) -> Manifest | None:
    """The plan; None where there is none yet, as before the trials of a tuning have ended."""
    try:
        manifest: Manifest = json.loads((out / "plan.json").read_text(encoding="utf-8"))
        return manifest if {"cells", "arms", "attrs", "tasks"} <= {*manifest} else None
    except (OSError, ValueError):
        return None


def _state(out: Path, cells: Cells, at_work: bool, now: float) -> str:
    """Whether it runs, has not begun, has ended, or has stopped before all cells were there."""
    if cells.planned and not cells.left and not at_work:
        return "ended" if cells.failed else "complete"
    changed = max((_written(path) for path in (out, out / "plan.json", *_newest(out))), default=0.0)
    return "running" if at_work or now - changed < QUIET else "stopped"


def _newest(out: Path) -> list[Path]:
    """The folders in which cells end: they are as old as the last file in them."""
    return [*out.glob("cells/??"), out / "errors", out / "crash"]


def _written(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _seconds_left(out: Path, plan: Manifest, cells: Cells, now: float) -> float | None:
    """How long what is left takes, at the pace of the cells that ended since the run began to compute.

    A cell counts as the evaluations of its budget in all its worlds. None where none has ended, or nothing
    is left.
    """
    work = {
        cell["address"]: plan["tasks"][cell["task"]]["budget"] * (cell["last"] - cell["first"])
        for cell in plan["cells"]
    }
    began = _written(out / "plan.json")
    ended = {address: _written(store.cell_path(out, address)) for address in cells.here}
    done = sum(work[address] for address, when in ended.items() if when > began)
    left = sum(work[address] for address in cells.left)
    return left * (now - began) / done if done and left else None


def _by_arm(plan: Manifest, cells: Cells, at_work: Collection[str]) -> list[Data]:
    """A row for each arm, or for each landscape and optimizer where there are many."""
    few = len(plan["arms"]) <= MOST
    counts: dict[tuple[str, ...], Counter[str]] = {}
    of_task: dict[int, list[str]] = {}
    for cell in plan["cells"]:
        of_task.setdefault(cell["task"], []).append(cell["address"])
    for arm in plan["arms"]:
        own = counts.setdefault(_key(arm["coords"], few), Counter(NO_CELLS))
        for address in of_task.get(arm["task"], []):
            own["planned"] += 1
            own["here"] += address in cells.here
            own["failed"] += address in cells.failed
            own["running"] += address in at_work
    return [{"landscape": key[0], "arm": ", ".join(key[1:]), **own} for key, own in counts.items()]


def _key(coords: Mapping[str, object], whole: bool) -> tuple[str, ...]:
    """Landscape and optimizer of an arm, and the values of axes."""
    axes = {key: value for key, value in coords.items() if key not in ("landscape", "optimizer")}
    more = [f"{key} = {short(value)}" for key, value in axes.items()] if whole else []
    return str(coords["landscape"]), str(coords["optimizer"]), *more


def _failed(out: Path) -> list[Data]:
    """What failed, and why."""
    from studies.report.facts import failures

    return [{"error": one.error, "cells": one.cells, "what": one.what} for one in failures(out)]


# medians ----------------------------------------------------------------------------------------------------


class Medians:
    """The medians so far, made again where cells have come, and so seldom that it takes little of a core.

    Args:
        out: the study's folder.
        clock: seconds; of tests another.
    """

    def __init__(self, out: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self.out, self.clock = out, clock
        self.lock = threading.Lock()
        self.made: Data = {"columns": COLUMNS, "rows": [], "more": 0, "note": ""}
        self.of: set[str] | None = None  # the cells that were there
        self.again = -1.0  # when they may be made again

    def now(self) -> Data:
        """The last ones, made anew where that is due and nobody else does so."""
        if self.lock.acquire(blocking=False):
            try:
                here = store.finished(self.out)
                if here != self.of and self.clock() >= self.again:
                    self._make(here)
            finally:
                self.lock.release()
        return self.made

    def _make(self, here: set[str]) -> None:
        began = self.clock()
        try:
            rows, note = _medians(self.out), ""
        except Exception as error:  # noqa: BLE001  a cell may come or go meanwhile; the page goes on
            rows, note = [], " ".join(f"no medians: {error}".split())
        self.made = {
            "columns": COLUMNS,
            "rows": rows[:SHOWN],
            "more": max(0, len(rows) - SHOWN),
            "note": note,
        }
        self.of = here
        self.again = self.clock() + SHARE * (self.clock() - began)


def _medians(out: Path) -> list[list[str]]:
    """The rows of the report's table of final losses."""
    from studies.report.tables import final_loss
    from studies.results.view import open_study

    if not (out / "plan.json").exists():
        return []
    data = open_study(out)
    if "loss" not in data:
        return []
    table = final_loss(data)
    places = [table.heads.index(column) for column in COLUMNS]
    return [[row[place].text for place in places] for row in table.rows]
