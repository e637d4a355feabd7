"""kill -9 of the client and of a worker.

Nothing is lost, doubled or torn, and the Dataset is that of an undisturbed run.
"""

import functools
import os
import tempfile
import time
from pathlib import Path

import pytest
import xarray as xr

from studies import open_study
from studies.results import store
from tests.support.runs import (
    STUDY,
    again,
    assert_same,
    cells,
    family,
    finish,
    here,
    no_leftovers,  # noqa: F401
    start,
    wait_for,
    workers,
    write,
)

MOMENTS = [
    (0, 0.0),
    (0, 0.9),
    (1, 0.05),
    (3, 0.13),
    (7, 0.21),
    (12, 0.0),
    (18, 0.17),
    (25, 0.09),
    (33, 0.02),
    (38, 0.11),
]  # cells done, then seconds
EVERYDAY = [MOMENTS[1], MOMENTS[4]]
ALL = [
    pytest.param(
        moment,
        marks=() if moment in EVERYDAY else pytest.mark.verify,
        id=f"{moment[0]} cells + {moment[1]} s",
    )
    for moment in MOMENTS
]


@functools.cache
def undisturbed():
    return here(STUDY, Path(tempfile.mkdtemp(prefix="undisturbed-")))


def wait_until(moment, folder, process):
    done, seconds = moment
    wait_for(lambda: len(cells(folder)) >= done and workers(process))
    time.sleep(seconds)


def assert_whole(folder):
    """Every file that is there is a cell that an undisturbed run has, to the bit."""
    for address in cells(folder):
        with xr.open_dataset(store.cell_path(folder / "out", address), engine="h5netcdf") as data:
            assert data.sizes["replicate"] == STUDY["replicates"]
            assert data["loss"].notnull().all()


@pytest.mark.parametrize("moment", ALL)
def test_kill_the_client(tmp_path, moment):
    write(tmp_path)
    process = start(tmp_path, "--workers", "2", delay=0.1)
    wait_until(moment, tmp_path, process)
    children = family(process)
    process.kill()
    finish(process)
    wait_for(lambda: not any(child.is_running() and child.status() != "zombie" for child in children))
    before = cells(tmp_path)
    assert moment[0] <= len(before)
    assert_whole(tmp_path)
    missing = int((open_study(tmp_path / "out")["status"] == 5).all(("replicate", "checkpoint")).sum())
    assert (missing > 0) == (len(before) < 40)  # a machine under load may have been done before the kill
    assert again(tmp_path) == 0
    assert before.items() <= cells(tmp_path).items()
    assert len(cells(tmp_path)) == 40
    assert_same(open_study(tmp_path / "out"), undisturbed())


@pytest.mark.parametrize("moment", ALL)
def test_kill_a_worker(tmp_path, moment):
    write(tmp_path)
    process = start(tmp_path, "--workers", "2", delay=0.1)
    wait_until(moment, tmp_path, process)
    victim = workers(process)[0]
    victim.kill()
    code, out, err = finish(process)
    assert code == 0, err
    assert "failed" not in err
    assert_whole(tmp_path)
    assert len(cells(tmp_path)) == 40
    assert not os.listdir(tmp_path / "out" / "crash")
    assert_same(open_study(tmp_path / "out"), undisturbed())
