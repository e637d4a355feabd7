"""A study from its file to its folder: tune, match, plan, compute what is missing, build the view. Behind `run_study` and the command line."""

from __future__ import annotations

import contextlib
import itertools
import json
import signal
import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NamedTuple

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from studies import engine, printing, store, study_folder, tuned
from studies.clusters import ClusterError, connect
from studies.config import Study, load_study, ready_studies
from studies.engine import Record, SchedulerLost
from studies.live import finish, live
from studies.matching import notes
from studies.pilots import Pilots
from studies.plan import Cell, make_plan
from studies.trials import Trials

if TYPE_CHECKING:
    import xarray as xr


class Outcome(NamedTuple):
    """How a run ended, and with what."""

    ended: str  # "complete", "unmatched" (a trial or pilot failed), "stopped" (running cells were awaited), "aborted" or "lost" (no scheduler)
    failed: list[Record]
    dataset: xr.Dataset | None  # None unless complete; `open_study` gives what is there
    missing: int = 0  # cells that are neither there nor failed, though the run is complete


def run_study(config: str | Path | Mapping[str, Any], out: str | Path | None, overrides: Mapping[str, Any], **cluster: Any) -> xr.Dataset:  # noqa: ANN401
    """See `studies.run_study`."""
    study = load_study(config, overrides)
    where = folder(study, out)
    with live(where):
        outcome = execute(study, where, text=given(config), **cluster)
    if outcome.ended in ("complete", "stopped"):
        finish(where, brief=outcome.ended == "stopped")
    if outcome.ended == "lost":
        raise ConnectionError("lost the Dask scheduler; finished cells are kept, run again to go on")
    if outcome.ended == "unmatched":
        raise RuntimeError(f"tuning or match: a trial or pilot failed: {outcome.failed[0].error}")
    if outcome.dataset is None:
        raise KeyboardInterrupt("finished cells are kept, run again to go on")
    return outcome.dataset


def folder(study: Study, out: str | Path | None) -> Path:
    """The study's folder; results/NAME where none is given."""
    return Path(out) if out is not None else Path("results") / study.name


def given(config: str | Path | Mapping[str, Any]) -> str:
    """The text of a study as the user gave it."""
    if isinstance(config, Mapping):
        return json.dumps(config)
    return (Path(config) if Path(config).is_file() else ready_studies()[str(config)]).read_text(encoding="utf-8")


def execute(study: Study, out: Path, *, text: str, workers: int | None = None, cluster: str | None = None, console: Console | None = None) -> Outcome:
    """Compute what is missing of a study.

    Args:
        study: the study.
        out: its folder, made where missing.
        text: the study as given, kept in the results.
        workers: processes of the local cluster; None: what the study says.
        cluster: where to compute; None: what the study says.
        console: where progress and errors are shown.

    Returns:
        How the run ended, and the results.

    Raises:
        ClusterError: there is nothing to compute on, or its workers do not see the folder.
        OSError: the folder cannot be written.
        StudyError: noise is to be matched that has no such quantity; the folder is another study's.
    """  # noqa: DOC502
    note = study_folder.prepare(study, out, text)
    where, bar, manifests = cluster or study.cluster.kind, _Bar(console or printing.console(stderr=True)), list[store.Manifest]()
    if note:
        bar.console.print(note, style="dim", soft_wrap=True)
    batches = _checked(_batches(study, out, text, bar, manifests), where)
    ended = _compute(batches, out, where, workers or _default_workers(study, where), bar)
    if not manifests:
        return Outcome("unmatched" if ended == "complete" else ended, bar.failed, None)
    if ended != "complete":
        return Outcome(ended, bar.failed, None)
    absent = {cell["address"] for cell in manifests[0]["cells"]} - store.finished(out) - {record.address for record in bar.failed}
    return Outcome(ended, bar.failed, store.export(manifests[0], out), len(absent))


def _batches(study: Study, out: Path, text: str, bar: _Bar, manifests: list[store.Manifest]) -> Iterator[list[Cell]]:
    """Cells to compute, one list after another, each once those before are there: trials, rounds of pilots, then the study's, with its manifest."""
    if study.tuning:
        trials = Trials(study, out)
        missing = trials.missing()
        bar.begin("trials", found=len(trials.cells()) - len(missing))
        yield missing
        study = trials.study()
    if study.match:
        pilots = Pilots(study, out)
        bar.begin("pilots")
        yield from pilots.rounds()
        study = pilots.study()
    plan, here = make_plan(study), store.finished(out)
    cells = plan.cells(here.__contains__)
    missing = [cell for cell in cells if cell.address not in here]
    for note in [*plan.notes, *(tuned.lines(study) if study.tuning else ()), *notes(study.matched or [])]:
        bar.console.print(note, style="dim", soft_wrap=True)
    bar.begin("cells", found=len(cells) - len(missing))
    manifests.append(store.manifest(plan, cells, text))
    store.save_manifest(manifests[0], out)
    yield missing


def _default_workers(study: Study, where: str) -> int | None:
    """What the study says; on a GPU one, for more would only share it; None: one per core."""
    if where != "local":
        return None
    return study.cluster.workers or (1 if any(task.device == "cuda" for task in make_plan(study).tasks) else None)


def _checked(batches: Iterable[list[Cell]], where: str) -> Iterator[list[Cell]]:
    """Those that are not empty, once this machine is known to have what they need."""
    for cells in filter(None, batches):
        if where == "local" and any(cell.task.device == "cuda" for cell in cells):
            _need_cuda()
        yield cells


def _need_cuda() -> None:
    import torch

    if not torch.cuda.is_available():
        raise ClusterError("device: expected cpu or auto, since no CUDA device is found on this machine, got cuda")


def _compute(batches: Iterator[list[Cell]], out: Path, cluster: str, workers: int | None, bar: _Bar) -> str:
    """Compute cells, one batch after another, until one fails; returns how it ended. A cluster is started only where there is a cell."""
    first = next(batches, None)
    if first is None:
        return "complete"
    try:
        with _signals(bar.console) as signals, connect(cluster, workers) as client:
            engine.check_workers(client)
            with bar.progress:
                for cells in itertools.chain([first], batches):
                    bar.expect(len(cells))
                    engine.sweep(client, cells, out, bar.take, stopping=lambda: bool(signals))
                    if signals or bar.failed:
                        break
            return "stopped" if signals else "complete"
    except KeyboardInterrupt:
        return "aborted"
    except SchedulerLost:
        return "lost"


@contextlib.contextmanager
def _signals(console: Console) -> Iterator[list[int]]:
    """The signals that came: the first asks to stop after the running cells, the second raises KeyboardInterrupt."""
    came: list[int] = []

    def handle(number: int, frame: FrameType | None) -> None:
        del frame
        came.append(number)
        if len(came) > 1:
            raise KeyboardInterrupt
        console.print("stopping after the running cells; once more to abort them")

    if threading.current_thread() is not threading.main_thread():  # only the main thread may handle signals
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


class _Bar:
    """What the terminal shows of a run, and which cells failed."""

    def __init__(self, console: Console) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn())
        self.progress = Progress(*columns, console=console)
        self.console, self.failed, self.what, self.total = self.progress.console, list[Record](), "cells", 0
        self.task = self.progress.add_task(self.what)

    def begin(self, what: str, found: int = 0) -> None:
        """Count something new, of which so many are there."""
        self.what, self.total = what, found
        self.progress.reset(self.task, total=found, completed=found, description=what)

    def expect(self, cells: int) -> None:
        """So many more are to come; where no bar is seen, a line says so."""
        self.total += cells
        if not self.console.is_terminal:
            self.console.print(f"{self.what}: {cells:,} to compute")
        self.progress.update(self.task, total=self.total)

    def take(self, record: Record) -> None:
        """Note a cell that ended."""
        if record.status == "refused":
            known = any(record.error == earlier.error for earlier in self.failed)
            self.failed.append(record)
            if not known:
                self.console.print(Text.assemble(("refused:", "red"), f" {record.error}"), soft_wrap=True)
        if record.status == "failed":
            self.failed.append(record)
            first = record.error.splitlines()[0][:300]
            self.console.print(Text.assemble((f"cell {record.address[:12]} failed:", "red"), f" {first}"), soft_wrap=True)
        description = f"{self.what} ({len(self.failed)} failed)" if self.failed else self.what
        self.progress.update(self.task, advance=1, description=description)
