"""kill -9 of the client and of a worker, at named points of a cell's way to its file.

Nothing is lost, doubled or torn, and the Dataset is that of an undisturbed run.
"""

import functools
import os
import signal
import tempfile
from pathlib import Path

import pytest
import xarray as xr

from studies import open_study
from studies.results import store
from tests.support.runs import (
    ALIKE,
    again,
    assert_same,
    cells,
    family,
    finish,
    held,
    here,
    no_leftovers,  # noqa: F401
    start,
    wait_for,
    workers,
    write,
)
from tests.support.slow_bowl import AFTER, BEFORE, EARLIER, POINTS

CELLS = 6
MISSING = 5  # a status


def points(everyday):
    """Each point, all but one of them in `make verify`."""
    return pytest.mark.parametrize(
        "point", [p if p == everyday else pytest.param(p, marks=pytest.mark.verify) for p in POINTS]
    )


@functools.cache
def undisturbed():
    return here(ALIKE, Path(tempfile.mkdtemp(prefix="undisturbed-")))


def assert_whole(folder):
    """Every file that is there is a cell that an undisturbed run has, to the bit."""
    for address in cells(folder):
        with xr.open_dataset(store.cell_path(folder / "out", address), engine="h5netcdf") as data:
            assert data.sizes["replicate"] == ALIKE["replicates"]
            assert data["loss"].notnull().all()


def kill(process):
    """The client; all that it started goes with it."""
    children = family(process)
    process.kill()
    finish(process)
    wait_for(lambda: not any(child.is_running() and child.status() != "zombie" for child in children))


@points(everyday=AFTER)
def test_kill_the_client(tmp_path, point):
    write(tmp_path, ALIKE)
    process = start(tmp_path, "--workers", "1", hold=point)
    held(tmp_path, process)
    kill(process)
    before = cells(tmp_path)
    assert len(before) == EARLIER + (point == AFTER)
    assert_whole(tmp_path)
    missing = (open_study(tmp_path / "out")["status"] == MISSING).all(("replicate", "checkpoint"))
    assert int(missing.sum()) == CELLS - len(before)
    assert again(tmp_path) == 0
    assert before.items() <= cells(tmp_path).items()
    assert len(cells(tmp_path)) == CELLS
    assert_same(open_study(tmp_path / "out"), undisturbed())


@pytest.mark.verify
def test_kill_the_client_as_its_workers_come(tmp_path):
    write(tmp_path, ALIKE)
    process = start(tmp_path, "--workers", "2", delay=0.1)
    wait_for(lambda: workers(process))
    kill(process)
    before = cells(tmp_path)
    assert_whole(tmp_path)
    assert again(tmp_path) == 0
    assert before.items() <= cells(tmp_path).items()
    assert_same(open_study(tmp_path / "out"), undisturbed())


@pytest.mark.parametrize("count", [1, pytest.param(2, marks=pytest.mark.verify)])
@points(everyday=BEFORE)
def test_kill_a_worker(tmp_path, point, count):
    write(tmp_path, ALIKE)
    process = start(tmp_path, "--workers", str(count), hold=point)
    victim = held(tmp_path, process)
    before = cells(tmp_path)
    assert count > 1 or len(before) == EARLIER + (point == AFTER)
    os.kill(victim, signal.SIGKILL)
    code, out, err = finish(process)
    assert code == 0, err
    assert "failed" not in err
    assert_whole(tmp_path)
    assert before.items() <= cells(tmp_path).items()
    assert len(cells(tmp_path)) == CELLS
    assert not os.listdir(tmp_path / "out" / "crash")
    assert_same(open_study(tmp_path / "out"), undisturbed())
