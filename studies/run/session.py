"""A study from its file to its folder: tune, match, plan, compute what is missing, build the view.

Behind `run_study` and the command line.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import itertools
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from rich.console import Console

from studies.cells.task import Cell
from studies.results import store, view
from studies.results.arm_names import ArmNames
from studies.results.manifest import Manifest
from studies.run import kinds, study_folder, sweep
from studies.run.calibration.stages import stages_of
from studies.run.clusters import (
    ClusterError,
    advertised,
    checked,
    connect,
    device_of,
    waiting,
    with_cards,
)
from studies.run.drawing import draw
from studies.run.live_report import finish, live
from studies.run.progress import Bar
from studies.run.signals import stop_signals
from studies.run.sweep import Record, SchedulerLost
from studies.study_file.cluster import LOCAL, Cluster
from studies.study_file.files import text_of
from studies.study_file.loading import load_study
from studies.study_file.plan import asks_for_seconds, could_be_many, make_plan, manifest, refuse_many
from studies.study_file.study import Study
from studies.text import terminal
from studies.text.durations import seconds_of
from studies.text.groups import some
from studies.text.shapes import Tree

if TYPE_CHECKING:
    from distributed import Client
    from xarray import Dataset


# uncalibrated: a trial or pilot failed; stopped: running cells were awaited; lost: the scheduler is gone
Ended = Literal["complete", "uncalibrated", "stopped", "aborted", "lost"]


class Outcome(NamedTuple):
    """How a run ended, and with what."""

    ended: Ended
    failed: list[Record]
    dataset: Dataset | None  # None unless complete; `open_study` gives what is there
    missing: int = 0  # cells that are neither there nor failed, though the run is complete


def run_study(
    config: str | Path | Tree,
    out: str | Path | None,
    overrides: Tree,
    *,
    figures: bool = True,
    **cluster: Any,  # noqa: ANN401
) -> Dataset:
    """See `studies.run_study`."""
    study = load_study(config, overrides, many=cluster.get("yes", False))
    where = folder(study, out)
    with live(where):
        outcome = execute(study, where, text=text_of(config), **cluster)
    dataset = _dataset(outcome)
    if figures:
        draw(dataset, where, study.figures, terminal.console(stderr=True))
    _save_claims(dataset, where)
    finish(where)
    return dataset


def _dataset(outcome: Outcome) -> Dataset:
    """The results of a run; raises where there are none."""
    if outcome.ended == "lost":
        raise ConnectionError("lost the Dask scheduler; finished cells are kept, run again to go on")
    if outcome.ended == "uncalibrated":
        raise RuntimeError(f"tuning or match: a trial or pilot failed: {outcome.failed[0].error}")
    if outcome.dataset is None:
        raise KeyboardInterrupt("finished cells are kept, run again to go on")
    return outcome.dataset


def _save_claims(dataset: Dataset, out: Path) -> None:
    """Write claims.json, where the study has claims."""
    from studies.claims import judge, report

    judgements = judge(dataset)
    if judgements:
        report.save(judgements, out)


def folder(study: Study, out: str | Path | None) -> Path:
    """The study's folder; results/NAME where none is given."""
    return Path(out) if out is not None else Path("results") / study.name


def execute(
    study: Study,
    out: Path,
    *,
    text: str,
    workers: int | None = None,
    cluster: str | None = None,
    wait: str | None = None,
    cell_timeout: str | None = None,
    retries: int = 0,
    yes: bool = False,
    console: Console | None = None,
) -> Outcome:
    """Compute what is missing of a study.

    Args:
        study: the study.
        out: its folder, made where missing.
        text: the study as given, kept in the results.
        workers: processes of the local cluster; None: what the study says.
        cluster: where to compute, as `--cluster` has it; None: what the study says.
        wait: how long where no worker is there, as 2h; None: what the study says.
        cell_timeout: how long a cell may take, as 30min; None: what the study says.
        retries: times that a cell which failed is tried again.
        yes: whether a million cells or more are meant.
        console: where progress and errors are shown.

    Returns:
        How the run ended, and the results.

    Raises:
        ClusterError: there is no such place, nothing to compute on, or its workers do not see the folder.
        StoreError: the folder cannot be written, here or by its workers.
        StudyError: noise is to be matched that has no such quantity; the folder is another study's.
    """  # noqa: DOC502
    where = waiting(checked(cluster or study.cluster, workers), wait)
    if not yes and could_be_many(study):
        refuse_many(make_plan(study))
    bar = Bar(console or terminal.console(stderr=True), ArmNames(out).of)
    study = dataclasses.replace(study, device=device_of(where, study.device, say=bar.say))
    with _storing(out):
        note = study_folder.prepare(study, out, text)
    manifests: list[Manifest] = []
    if note:
        bar.say(note)
    for path in store.set_damaged_aside(out):
        bar.say(f"{path}: a damaged cell is set aside here, and computed anew")
    batches = _checked(_batches(study, out, text, bar, manifests), where)
    limit = cell_timeout or study.cell_timeout
    together = not asks_for_seconds(study)
    compiled = study.compile if together or study.compile == "on" else "off"
    care = sweep.Care(seconds_of(limit) if limit else 0.0, retries, together, compiled)
    ended = _compute(batches, out, where, workers, bar, care)
    if ended == "complete" and not manifests:
        ended = "uncalibrated"
    if ended != "complete":
        return Outcome(ended, bar.failed, None)
    missing = _missing(manifests[0], out, bar.failed)
    with _storing(out):
        dataset = view.export(manifests[0], out)
    return Outcome(ended, bar.failed, dataset, missing)


@contextlib.contextmanager
def _storing(out: Path) -> Iterator[None]:
    """Around what writes into the study's folder."""
    try:
        yield
    except OSError as error:
        why = error.strerror or error
        raise sweep.StoreError(f"{error.filename or out} cannot be written: {why}") from error


def _missing(plan: Manifest, out: Path, failed: list[Record]) -> int:
    """How many cells of a plan are neither there nor failed."""
    planned = {cell["address"] for cell in plan["cells"]}
    return len(planned - store.finished(out) - {record.address for record in failed})


def _batches(
    study: Study,
    out: Path,
    text: str,
    bar: Bar,
    manifests: list[Manifest],
) -> Iterator[list[Cell]]:
    """Cells to compute, one list after another, each once those before are there.

    Args:
        study: the study.
        out: its folder.
        text: the study as given.
        bar: of progress.
        manifests: gets that of the study, once those of its stages are there.
    """
    study, lines = yield from _of_stages(study, out, bar)
    plan, here = make_plan(study), store.finished(out)
    cells = plan.cells(here)
    missing = [cell for cell in cells if cell.address not in here]
    for note in [*some(plan.notes), *lines]:
        bar.say(note)
    bar.begin("cells", there=len(cells) - len(missing))
    manifests.append(manifest(plan, cells, text))
    with _storing(out):
        view.save_manifest(manifests[0], out)
    yield missing


def _of_stages(
    study: Study, out: Path, bar: Bar
) -> Generator[list[Cell], None, tuple[Study, list[str]]]:
    """The cells of tuning and match; returns the study with their values, and their notes."""
    lines: list[str] = []
    for make_stage in stages_of(study):
        stage = make_stage(study, out)
        bar.begin(stage.name, there=stage.there())
        yield from stage.rounds()
        study = stage.study()
        lines += stage.lines()
    return study, lines


def _checked(batches: Iterable[list[Cell]], cluster: Cluster) -> Iterator[list[Cell]]:
    """Those that are not empty, once this machine is known to have what they need."""
    for cells in filter(None, batches):
        if cluster.where == LOCAL and any(cell.task.device == "cuda" for cell in cells):
            _need_cuda()
        yield cells


def _need_cuda() -> None:
    import torch

    if not torch.cuda.is_available():
        raise ClusterError(
            "device: expected cpu or auto, since no CUDA device is found on this machine, got cuda"
        )


def _compute(
    batches: Iterator[list[Cell]],
    out: Path,
    cluster: Cluster,
    workers: int | None,
    bar: Bar,
    care: sweep.Care,
) -> Ended:
    """Compute cells, one batch after another, until one fails; returns how it ended.

    A cluster is started only where there is a cell.

    Args:
        batches: of cells.
        out: the study's folder.
        cluster: where to compute.
        workers: processes of a local cluster; None: what the cluster says.
        bar: of progress.
        care: what is done about cells that hang, or fail.
    """
    first = next(batches, None)
    if first is None:
        return "complete"
    from studies.run import arrivals

    try:
        cluster = with_cards(cluster, cuda=any(cell.task.device == "cuda" for cell in first))
        # while a cluster starts, or no worker is there yet, the first signal ends the run
        with connect(cluster, workers, out, bar.say) as client, stop_signals(bar.console) as signals:
            room, plugins = _room(cluster, client), arrivals.named(first)
            sweep.check_workers(client, plugins)
            with arrivals.watched(client, bar.say, plugins):
                _sweep(client, itertools.chain([first], batches), out, bar, signals, room, care)
            return "stopped" if signals else "complete"
    except KeyboardInterrupt:
        return "aborted"
    except SchedulerLost:
        return "lost"


def _room(cluster: Cluster, client: Client) -> sweep.Room:
    """What a cluster may have that is not there yet."""
    gpus = cluster.where != LOCAL and (bool(cluster.gpus) or advertised(client))
    return sweep.Room(kinds.most_workers(cluster), cluster.seconds_of_wait, gpus=gpus)


def _sweep(
    client: Client,
    batches: Iterable[list[Cell]],
    out: Path,
    bar: Bar,
    signals: list[int],
    room: sweep.Room,
    care: sweep.Care,
) -> None:
    """Compute batches until a cell fails, or a signal comes.

    Args:
        client: of the cluster.
        batches: of cells.
        out: the study's folder.
        bar: of progress.
        signals: those that came.
        room: what the cluster may have that is not there yet.
        care: what is done about cells that hang, or fail.
    """
    with bar.progress:
        for cells in batches:
            bar.expect(len(cells))
            stopping = functools.partial(bool, signals)
            sweep.sweep(client, cells, out, bar.take, stopping, bar.say, room, care)
            if signals or bar.failed:
                return
