"""A run that is aborted, and kill -9 of the client and of a worker, at named points of a cell's way to its file.

Nothing is lost, doubled or torn, and the Dataset is that of an undisturbed run.
"""

import functools
import os
import signal
import tempfile
import threading
from pathlib import Path

import pytest
import xarray as xr

from studies import open_study
from studies.results import store
from studies.run.clusters import connect
from tests.support.interrupts import interrupts  # noqa: F401
from tests.support.runs import (
    ALIKE,
    again,
    alive,
    assert_same,
    cells,
    family,
    finish,
    held,
    here,
    no_leftovers,  # noqa: F401
    setenv,
    start,
    wait_for,
    workers,
    write,
)
from tests.support.slow_bowl import AFTER, BEFORE, EARLIER, POINTS

pytestmark = pytest.mark.usefixtures("interrupts")
CELLS = 6
MISSING = 5  # a status


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
    wait_for(lambda: not any(map(alive, children)))


def assert_goes_on(folder, whole):
    """What is left has so many whole cells; another run computes the others alone."""
    before = cells(folder)
    assert len(before) == whole
    assert_whole(folder)
    missing = (open_study(folder / "out")["status"] == MISSING).all(("replicate", "checkpoint"))
    assert int(missing.sum()) == CELLS - whole
    assert again(folder) == 0
    assert before.items() <= cells(folder).items()
    assert len(cells(folder)) == CELLS
    assert_same(open_study(folder / "out"), undisturbed())


@pytest.mark.verify
def test_the_second_signal_aborts(tmp_path):
    """Ctrl-C in a terminal, twice: the first is not for workers, the second ends all that was started."""
    write(tmp_path, ALIKE)
    process = start(tmp_path, "--workers", "1", hold=AFTER)
    held(tmp_path, process)
    children = family(process)
    os.killpg(process.pid, signal.SIGINT)
    wait_for_words(process, "once more to abort")
    assert all(map(alive, children))
    os.killpg(process.pid, signal.SIGINT)
    code, _, err = finish(process)
    assert code == 130, err
    assert "Traceback" not in err
    wait_for(lambda: not any(map(alive, children)))
    assert_goes_on(tmp_path, EARLIER + 1)


def wait_for_words(process, words):
    """Until a run has said so."""
    said = ""
    while words not in said:
        letter = process.stderr.read(1)
        assert letter, said
        said += letter


TOGETHER = ALIKE | {  # 6 cells, of which a worker computes all at once
    "name": "together",
    "budget": {"steps": 2000},
    "landscapes": {"bowl": {"kind": "quadratic", "dim": 20}},
    "optimizers": {"SGD": {"kind": "sgd", "learning_rate": 0.1}},
    "sweep": {"optimizers.SGD.learning_rate": [0.01, 0.02, 0.03, 0.04, 0.05, 0.06]},
}


@pytest.mark.verify
@pytest.mark.parametrize("who", ["client", "worker"])
def test_a_kill_while_cells_are_computed_together(tmp_path, who):
    """Where a worker dies each of its cells is computed alone; a client's next run computes all of them."""
    write(tmp_path, TOGETHER)
    process = start(tmp_path, "--workers", "1")
    notes = tmp_path / "out" / "crash"
    wait_for(lambda: len([*notes.glob("*")]) == CELLS or process.poll() is not None)
    assert process.poll() is None, finish(process)
    if who == "client":
        kill(process)
        assert again(tmp_path) == 0
    else:
        workers(process)[0].kill()
        code, _, err = finish(process)
        assert code == 0, err
    assert len(cells(tmp_path)) == CELLS
    assert_same(open_study(tmp_path / "out"), here(TOGETHER, tmp_path / "here"))


@pytest.mark.verify
def test_a_job_that_is_told_to_end_lets_running_cells_land(tmp_path, monkeypatch):
    """A batch system tells every process of a job."""
    write(tmp_path, ALIKE)
    monkeypatch.setenv("TEST_GATE", str(tmp_path))
    process = start(tmp_path, "--workers", "1")
    wait_for((tmp_path / "waits").exists)
    before = cells(tmp_path)
    for one in (process, *family(process)):
        one.send_signal(signal.SIGTERM)
    wait_for_words(process, "once more to abort")
    (tmp_path / "go").touch()
    code, _, err = finish(process)
    assert code == 130, err
    assert before.items() < cells(tmp_path).items()
    assert len(cells(tmp_path)) == len(before) + 1


@pytest.mark.verify
@pytest.mark.parametrize("point", POINTS)
def test_kill_the_client(tmp_path, point):
    write(tmp_path, ALIKE)
    process = start(tmp_path, "--workers", "1", hold=point)
    held(tmp_path, process)
    kill(process)
    assert_goes_on(tmp_path, EARLIER + (point == AFTER))


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


def anew(client):
    """End the warm worker; another comes, which has imported no bowl yet."""
    before = [*client.run(os.getpid).values()]
    os.kill(*before, signal.SIGKILL)
    wait_for(lambda: [*client.run(os.getpid, on_error="ignore").values()] not in ([], before))


@pytest.mark.parametrize(
    "point",
    [BEFORE, *(pytest.param(point, marks=pytest.mark.verify) for point in POINTS if point != BEFORE)],
)
def test_kill_a_worker(tmp_path, warm_cluster, capsys, point):
    """That of the warm cluster."""
    write(tmp_path, ALIKE)
    note, before = tmp_path / "held", {}

    def end():
        wait_for(lambda: note.exists() and note.read_text())
        before.update(cells(tmp_path))
        os.kill(int(note.read_text()), signal.SIGKILL)

    with connect("local", 1) as client:
        anew(client)
        client.run(setenv, "TEST_HOLD", f"{point} {tmp_path}")
        other = threading.Thread(target=end)
        other.start()
        code = again(tmp_path)
        other.join()
    assert len(before) == EARLIER + (point == AFTER)
    assert_none_is_lost(tmp_path, before, code, capsys.readouterr().err)


@pytest.mark.verify
@pytest.mark.parametrize("point", POINTS)
def test_kill_one_of_two_workers(tmp_path, point):
    write(tmp_path, ALIKE)
    process = start(tmp_path, "--workers", "2", hold=point)
    victim = held(tmp_path, process)
    before = cells(tmp_path)
    os.kill(victim, signal.SIGKILL)
    code, _, err = finish(process)
    assert_none_is_lost(tmp_path, before, code, err)


def assert_none_is_lost(folder, before, code, err):
    """A run that lost a worker ended well, with all cells, those that were there as they were."""
    assert code == 0, err
    assert "failed" not in err
    assert_whole(folder)
    assert before.items() <= cells(folder).items()
    assert len(cells(folder)) == CELLS
    assert not os.listdir(folder / "out" / "crash")
    assert_same(open_study(folder / "out"), undisturbed())
