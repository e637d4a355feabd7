"""Studies in real processes, for the tests of the engine, the store and the command line."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest
import xarray as xr

from studies.cells.loop import run_cell
from studies.results import store, view
from studies.run.__main__ import main
from studies.run.expected import AS_LONG
from studies.study_file.loading import load_study
from studies.study_file.plan import make_plan, manifest
from tests.support.patience import patience, wait_for  # noqa: F401

ROOT = Path(__file__).parents[2]
BOWL = "tests.support.slow_bowl:Bowl"
FEW: dict[str, Any] = {  # 8 cells
    "name": "few",
    "budget": 60,
    "replicates": 3,
    "checkpoints": [0.25, 0.5, 1.0],
    "targets": [1.0, 0.1],
    "figures": [],
    "landscapes": {"bowl": {"kind": BOWL}, "steep bowl": {"kind": "quadratic", "dim": 3}},
    "optimizers": {"random": {"kind": "random_search"}, "GA": {"kind": "ga", "population": 6}},
    "sweep": {"landscapes.bowl.shift": [0.0, 0.5, 1.0]},
}
ALIKE = FEW | {"name": "alike", "landscapes": {"bowl": {"kind": BOWL}}}  # 6 cells, each may be held


def write(folder, study=FEW):
    """The study as a file (JSON is YAML)."""
    path = folder / "study.yaml"
    path.write_text(json.dumps(study))
    return path


STARTED = []


@pytest.fixture(autouse=True)
def no_leftovers():
    """A test that fails in the middle leaves no processes; the cluster goes with its client."""
    yield
    while STARTED:
        process = STARTED.pop()
        process.kill()
        process.communicate()


def start(
    folder,
    *words,
    delay=0.0,
    hold=None,
    command=("-m", "studies.run", "study.yaml", "--out", "out", "--no-report"),
):
    """Start `python -m studies.run study.yaml --out out` in a folder, in a session of its own.

    `delay` and `hold` (a point): see tests/support/slow_bowl.py.
    """
    environment = {k: v for k, v in os.environ.items() if k not in ("TEST_DELAY", "TEST_HOLD")}
    environment |= {"PYTHONPATH": str(ROOT), "TEST_DELAY": str(delay)}
    environment |= {"TEST_HOLD": f"{hold} {folder}"} if hold else {}
    out = {
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
        "text": True,
        "start_new_session": True,
    }
    STARTED.append(
        subprocess.Popen([sys.executable, *command, *words], cwd=folder, env=environment, **out)
    )
    return STARTED[-1]


def held(folder, process):
    """Wait until a process of a run is held; its number."""
    note = folder / "held"
    wait_for(lambda: (note.exists() and note.read_text()) or process.poll() is not None)
    assert note.exists(), finish(process)
    return int(note.read_text())


def finish(process):
    """(exit code, stdout, stderr)."""
    out, err = process.communicate(timeout=patience(90))
    return process.returncode, out, err


def again(folder, *words):
    """Run to the end in this process, or on its warm cluster (tests/conftest.py); returns the exit code."""
    return main([
        str(folder / "study.yaml"),
        "--out",
        str(folder / "out"),
        "--no-report",
        *(words or ("--workers", "1")),
    ])


@pytest.fixture
def unpaced(monkeypatch):
    """A dry run measures no pace, as tests/studies/run/test_expected.py looks at."""
    monkeypatch.setattr("studies.run.expected.measured", lambda task, worlds: AS_LONG)


def family(process):
    """The processes below a run: the local cluster and its workers."""
    try:
        return psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def sketch(figure, dataset, out):
    """In place of `studies.figures.save`: files without a picture."""
    from studies.figures import Files

    paths = [out / f"{figure.file}.{ending}" for ending in ("pdf", "png")]
    out.mkdir(parents=True, exist_ok=True)
    for path in paths:
        path.touch()
    return Files(paths, "")


def alive(process):
    """Whether it runs: who has ended may wait long to be noticed."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def holder(process):
    """The process that holds the local cluster of a run, its scheduler with it."""
    (started,) = psutil.Process(process.pid).children()
    return started


def workers(process):
    """The worker processes of a run: those that are forked from a child of the one which holds its cluster."""
    try:
        return [child for server in holder(process).children() for child in server.children()]
    except (ValueError, psutil.Error):
        return []


def setenv(name, value):
    """For `client.run`: set a variable of a worker's environment."""
    os.environ[name] = value


def cells(folder):
    """Address -> time of writing of the finished cells."""
    return {path.stem: path.stat().st_mtime_ns for path in (folder / "out" / "cells").glob("??/*.nc")}


def here(study, out):
    """What the study should give, computed in this process without the engine."""
    plan = make_plan(load_study(study))
    for cell in plan.cells(()):
        store.write_cell(run_cell(cell), store.cell_path(out, cell.address))
    return assembled(plan, out)


def assembled(plan, out):
    """The Dataset of a plan from the cells that are in a folder."""
    return view.assemble(manifest(plan, plan.cells(store.finished(out))), out)


def assert_same(a, b):
    """The same Datasets, wall-clock variables and attributes of the whole aside."""
    a, b = (
        x.drop_vars([n for n, v in x.variables.items() if v.attrs.get("units") == "s"]).drop_attrs(
            deep=False
        )
        for x in (a, b)
    )
    xr.testing.assert_identical(a, b)
