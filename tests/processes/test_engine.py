"""Cells on a real local cluster: the same Dataset however it is computed.

A cell that fails takes nothing else with it.
"""

import contextlib
import errno
import json
import os
import platform
import re
import signal
import socket
import subprocess
import sys
import threading

import psutil
import pytest
import xarray as xr
from distributed.comm import CommClosedError

from studies import open_study, run_study
from studies.cells import provenance
from studies.results import store
from studies.run import clusters, session, sweep, work
from studies.run.clusters import ClusterError, connect
from studies.study_file.loading import load_study
from studies.study_file.plan import make_plan
from studies.text.schema import STATUS
from tests.support.patience import patience
from tests.support.runs import (
    ALIKE,
    BOWL,
    FEW,
    again,
    assert_same,
    cells,
    finish,
    here,
    no_leftovers,  # noqa: F401
    setenv,
    start,
    wait_for,
    write,
)

FAILED = STATUS.index("failed")


def troubled(flag):
    """A study two of whose landscapes fail while there is such a file."""
    bowl = {"kind": BOWL, "while_there": str(flag)}
    troubles = {"raises": bowl | {"trouble": "raise"}, "crashes": bowl | {"trouble": "crash"}}
    study = FEW | {"name": "troubled", "landscapes": {"bowl": {"kind": BOWL}} | troubles}
    return study | {"optimizers": {"random": {"kind": "random_search"}}}


def test_a_cell_that_fails_is_shown_and_tried_again(tmp_path, warm_cluster, capsys):
    study = troubled(tmp_path / "broken")
    write(tmp_path, study)
    (tmp_path / "broken").touch()
    assert again(tmp_path) == 2
    out, err = capsys.readouterr()
    (crashed,) = [line.split(" failed: ")[1] for line in err.splitlines() if " failed: " in line]
    (raised,) = [line for line in err.splitlines() if line.startswith("refused: ")]
    assert crashed == "the worker crashed: Segmentation fault"
    assert raised.startswith("refused: RuntimeError: the bowl has [broken] (")
    assert re.search(r"slow_bowl.py:\d+, in Bowl.bind\)$", raised)
    assert "2 cells failed" in err
    assert "Traceback" not in out + err
    records = [json.loads(path.read_text()) for path in (tmp_path / "out" / "errors").glob("*.json")]
    assert all(
        record["task"]["landscape"]["kind"] == BOWL and (record["first"], record["last"]) == (0, 3)
        for record in records
    )
    assert sorted("slow_bowl.py" in record["traceback"] for record in records) == [True, True]
    status = open_study(tmp_path / "out")["status"]
    assert (status.sel(landscape=["raises", "crashes"]) == FAILED).all()
    assert (status.sel(landscape="bowl") < FAILED).all()
    before = cells(tmp_path)
    (tmp_path / "broken").unlink()
    assert again(tmp_path) == 0
    assert before.items() < cells(tmp_path).items()
    assert not list((tmp_path / "out" / "errors").iterdir())
    assert_same(open_study(tmp_path / "out"), here(study, tmp_path / "here"))


@pytest.mark.verify
def test_a_cell_that_hangs_is_ended_and_the_others_go_on(tmp_path, warm_cluster, capsys):
    study = FEW | {"name": "hanging", "cell_timeout": "10s", "sweep": {}}
    study["landscapes"] = {
        "bowl": {"kind": BOWL},
        "hangs": {"kind": BOWL, "trouble": "hang", "while_there": str(tmp_path / "broken")},
    }
    write(tmp_path, study | {"optimizers": {"random": {"kind": "random_search"}}})
    (tmp_path / "broken").touch()
    assert again(tmp_path) == 1
    (said,) = [line for line in capsys.readouterr().err.splitlines() if " failed: " in line]
    why = r"failed: it took longer than cell_timeout allows, and was ended in File .*slow_bowl.py"
    assert re.match(rf'cell [0-9a-f]{{12}} \(hangs, random\) {why}", line \d+ in hang$', said)
    (record,) = (tmp_path / "out" / "errors").glob("*.json")
    assert "Timeout (" in json.loads(record.read_text())["traceback"]
    assert len(cells(tmp_path)) == 1
    assert not list((tmp_path / "out" / "crash").iterdir())
    (tmp_path / "broken").unlink()
    assert again(tmp_path) == 0


@pytest.fixture
def no_report(monkeypatch):
    """That `run_study` writes one is tested in tests/studies/run."""
    monkeypatch.setattr(session, "finish", lambda out: "")


def test_a_study_and_then_more_worlds(tmp_path, warm_cluster, no_report):
    """That a plain script computes one is tested in test_readme.py."""
    fewer = run_study(write(tmp_path, FEW), tmp_path / "out", {"replicates": 2}, workers=1)
    assert int(fewer["status"].max()) == STATUS.index("budget_spent")
    before = cells(tmp_path)
    assert len(before) == 8
    assert again(tmp_path) == 0
    assert before.items() < cells(tmp_path).items()
    data = open_study(tmp_path / "out")
    assert_same(
        data.isel(replicate=slice(2)).drop_vars("precision"), fewer.drop_vars("precision")
    )  # that follows from the spread of all starts
    assert data["cell"].values.tolist() == [0, 0, 2]
    at_once = here(FEW, tmp_path / "here")
    assert at_once["cell"].values.tolist() == [0, 0, 0]
    assert_same(data.drop_vars("cell"), at_once.drop_vars("cell"))


@pytest.mark.verify
def test_two_runs_at_once_share_the_work(tmp_path):
    write(tmp_path, FEW)
    other = start(tmp_path, "--workers", "1", delay=0.2)
    assert again(tmp_path) == 0
    code, out, err = finish(other)
    assert code == 0, err
    assert len(cells(tmp_path)) == 8
    assert_same(open_study(tmp_path / "out"), here(FEW, tmp_path / "here"))


def test_two_workers_at_one_cell_leave_one_whole_file(tmp_path, monkeypatch):
    """Both compute it, as neither saw it when it began; the file is that of one of them, to the bit."""
    cell = make_plan(load_study(FEW)).cells(())[0]
    both, written, write_cell = threading.Barrier(2), [], store.write_cell

    def together(data, path):
        both.wait(patience())
        written.append(data)
        write_cell(data, path)

    monkeypatch.setattr(store, "write_cell", together)
    monkeypatch.setattr(work, "_crash_note", lambda *cell: contextlib.nullcontext())  # one per process
    records = []
    threads = [
        threading.Thread(target=lambda: records.append(work.compute(cell, cell.address, str(tmp_path))))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [record.status for record in records] == ["done", "done"]
    assert store.finished(tmp_path) == {cell.address}
    with xr.open_dataset(store.cell_path(tmp_path, cell.address), engine="h5netcdf") as data:
        assert_same(data, written[0])
    monkeypatch.undo()
    assert work.compute(cell, cell.address, str(tmp_path)).status == "found"


@pytest.mark.verify
def test_an_address_and_a_scheduler_that_goes_away(tmp_path, own_cluster, capsys):
    write(tmp_path, ALIKE)
    with connect("local", 1) as client:
        address, scheduler = client.scheduler.address, client.run_on_scheduler(os.getpid)
        client.run(setenv, "TEST_GATE", str(tmp_path))

        def end():
            wait_for((tmp_path / "waits").exists)
            os.kill(scheduler, signal.SIGKILL)

        other = threading.Thread(target=end)
        other.start()
        assert again(tmp_path, "--cluster", at(address, client.security, tmp_path)) == 75
        other.join()
    assert "lost the Dask scheduler; finished cells are kept" in " ".join(
        capsys.readouterr().err.split()
    )
    assert len(cells(tmp_path)) == 1


def at(address, security, folder):
    """A file with a scheduler's address, and its certificate in others beside it."""
    texts = {
        "ca": security.tls_ca_file,
        "cert": security.tls_client_cert,
        "key": security.tls_client_key,
    }
    for name, text in texts.items():
        (folder / f"{name}.pem").write_text(text)
    files = {name: str(folder / f"{name}.pem") for name in texts}
    (folder / "cluster.yaml").write_text(json.dumps({"kind": address, "tls": files}))
    return str(folder / "cluster.yaml")


def test_nothing_of_a_local_cluster_listens_on_another_address_than_this_machine_s_own(warm_cluster):
    """A scheduler unpickles what it is sent: whoever reaches it, or a worker, runs code as the user."""
    with connect("local", 1) as client:
        processes = [client.run_on_scheduler(os.getpid), *client.run(os.getpid).values()]
        ours = {pid: listening(pid) for pid in processes}
        assert all(ours.values())  # one that listened nowhere would prove nothing
        ours[os.getpid()] = listening(os.getpid())
    assert {ip for addresses in ours.values() for ip in addresses} == {"127.0.0.1"}


def test_nobody_holds_the_frames_of_a_cell(warm_cluster):
    """Dask's profiler would, and with them tensors that a step has let go: its memory would be more by chance."""
    with connect("local", 1) as client:
        (watching,) = client.run(lambda dask_worker: [*dask_worker.periodic_callbacks]).values()
    assert "heartbeat" in watching
    assert "profile" not in watching


def listening(pid):
    """The addresses at which a process can be reached."""
    return [
        c.laddr.ip
        for c in psutil.Process(pid).net_connections("inet")
        if c.status == psutil.CONN_LISTEN or c.type == socket.SOCK_DGRAM
    ]


@pytest.mark.verify
def test_a_memory_too_small_for_any_worker_is_one_line_before_any_cell(tmp_path):
    write(tmp_path, FEW | {"cluster": {"memory": "30MB", "workers": 1}})
    code, out, err = finish(start(tmp_path))
    assert (code, out) == (2, "")
    [line] = err.splitlines()
    assert re.match(
        r"cluster.memory: expected more than \d+ MB \(a worker has .*, got 30MB; give", line
    )
    assert not cells(tmp_path)


@pytest.mark.verify
def test_a_cell_that_asks_for_more_than_its_worker_may_have_fails_and_the_others_are_computed(tmp_path):
    """A point of 10^9 coordinates is 8 GB."""
    study = FEW | {"cluster": {"memory": "2GB", "workers": 1}, "sweep": {}}
    study["landscapes"] = {"bowl": {"kind": "quadratic"}, "wide": {"kind": "quadratic", "dim": 10**9}}
    write(tmp_path, study)
    code, _, err = finish(start(tmp_path))
    assert code == 1, err
    failed = [line for line in err.splitlines() if " failed: OverLimitError: cluster.memory: " in line]
    assert all("got 2,000 MB" in line for line in failed)
    assert {re.search(r"\((.*?)\)", line)[1] for line in failed} == {"wide, GA", "wide, random"}
    assert len(failed) == len(cells(tmp_path)) == 2


def test_a_script_computes_where_the_study_says(tmp_path, no_report, monkeypatch):
    monkeypatch.setitem(clusters.ANSWER, "address", 0.1)
    path = write(tmp_path, FEW | {"cluster": {"kind": "tcp://127.0.0.1:1"}})
    with pytest.raises(ClusterError, match="no scheduler answers at tcp://127.0.0.1:1"):
        run_study(path, tmp_path / "out")
    assert (
        run_study(
            path, tmp_path / "out", {"replicates": 1}, figures=False, cluster="local", workers=1
        ).sizes["replicate"]
        == 1
    )


def test_workers_that_write_elsewhere_end_in_one_line_and_nothing_is_lost(
    tmp_path, warm_cluster, capsys
):
    write(tmp_path, FEW)
    with connect("local", 1) as client:
        client.run(mount, str(tmp_path / "out"), str(tmp_path / "other disk"))
        try:
            assert again(tmp_path) == 2
        finally:
            client.run(unmount)
    host, out = platform.node(), tmp_path / "out"
    err = capsys.readouterr().err.splitlines()
    assert (
        err[-1]
        == f"cluster: a worker on {host} does not see the folder {out}; give --out a folder that all workers"
        " share"
    )
    assert not (tmp_path / "other disk").exists()
    assert not store.finished(out)
    assert not list(out.glob(".*"))
    assert again(tmp_path) == 0


def mount(place, other):
    """From now on this process finds something else at a place, as where no file system is shared.

    It does not wait long for what is not there.
    """
    import pathlib

    work.Path = lambda *parts: pathlib.Path(str(pathlib.Path(*parts)).replace(place, other))
    work.LAG /= 25


def unmount():
    import pathlib

    work.Path = pathlib.Path
    work.LAG *= 25


def test_a_result_that_is_not_seen_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(work, "LAG", 0.0)
    sweep._check_shared(work.Record("ab", "failed"), tmp_path)
    for status in ("done", "found"):
        with pytest.raises(
            ClusterError,
            match=(
                r"a worker stored /.*/cells/ab/abc.nc, but it is not here; give --out a folder that all"
                r" workers share"
            ),
        ):
            sweep._check_shared(work.Record("abc", status), tmp_path)
    store.write_text("", store.cell_path(tmp_path, "abc"))
    sweep._check_shared(work.Record("abc", "done"), tmp_path)


def test_where_no_cell_can_be_stored_no_further_one_is_computed(tmp_path, monkeypatch, capsys):
    """As on a full disk: what is there stays, the run ends with its own code, and the same command goes on."""
    write(tmp_path, FEW)
    asked, store_cell = [], store.write_cell

    def full_at_the_third(data, path):
        asked.append(path)
        if len(asked) > 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        store_cell(data, path)

    monkeypatch.setattr(store, "write_cell", full_at_the_third)
    assert again(tmp_path) == 74
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == (
        f"{asked[-1]} cannot be written: No space left on device; no further cell is computed; make room"
        " there or give another --out, finished cells are kept; run the same command again to go on"
    )
    assert (len(asked), len(cells(tmp_path))) == (3, 2)
    assert not list((tmp_path / "out" / "errors").glob("*"))
    monkeypatch.undo()
    assert again(tmp_path) == 0


def test_what_a_user_s_kind_cannot_read_is_no_matter_of_the_store(tmp_path, monkeypatch):
    def absent(*cell):
        raise OSError(errno.ENOENT, "No such file", "table.csv")

    [cell, *_] = make_plan(load_study(FEW)).cells(())
    monkeypatch.setattr("studies.cells.loop.run_cell", absent)
    assert work.compute(cell, cell.address, str(tmp_path)).status == "refused"


def test_a_missing_cell_is_never_a_success(tmp_path, monkeypatch, capsys):
    write(tmp_path, FEW)
    taken = sweep._check_shared

    def lose(record, out):
        taken(record, out)
        if len(cells(tmp_path)) == 3:
            store.cell_path(out, record.address).unlink()

    monkeypatch.setattr(sweep, "_check_shared", lose)
    assert again(tmp_path) == 1
    assert (
        "cells are missing, though they were computed; finished cells are kept"
        in capsys.readouterr().err
    )
    monkeypatch.undo()
    assert again(tmp_path) == 0


def test_workers_with_other_code_are_refused(warm_cluster, monkeypatch):
    with connect("local", 1) as client:
        sweep.check_workers(client)
        monkeypatch.setattr(provenance, "code", lambda: "other")
        with pytest.raises(
            ClusterError,
            match="the worker tls://.*: expected code other, got [0-9a-f]{16}; restart the older one",
        ):
            sweep.check_workers(client)


def test_a_worker_that_dies_while_it_is_asked_is_no_mistake_of_the_user():
    class Dying:
        def __init__(self, error):
            self.error = error

        def run(self, function, on_error):
            return {"tcp://1": function(), "tcp://2": self.error}

    sweep.check_workers(Dying(CommClosedError("Stream is closed")))
    with pytest.raises(
        ClusterError, match="the worker tcp://2 cannot load this package .no file.; install it there"
    ):
        sweep.check_workers(Dying(FileNotFoundError("no file")))


@pytest.mark.parametrize(
    ("cluster", "count", "text"),
    [
        ("slurmm", None, "expected kind: one of local, ssh, .*, got 'slurmm'"),
        ("local", 0, "expected >= 1, got 0"),
        ("tcp://127.0.0.1:1", 2, "has its own workers"),
    ],
)
def test_no_cluster_is_one_clear_line(cluster, count, text):
    with pytest.raises(ClusterError, match=text), connect(cluster, count):
        pass


def test_importing_studies_imports_no_torch():
    code = (
        "import sys, studies; from studies.run.__main__ import parser; parser();"
        " print([m for m in ('torch', 'dask', 'xarray', 'numba') if m in sys.modules])"
    )
    assert (
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.strip()
        == "[]"
    )


def test_a_cell_of_other_code_is_not_computed(tmp_path):
    cell = make_plan(load_study(FEW)).cells(())[0]
    cell.task.__dict__["code"] = (
        "older code"  # as a client that was started before a change would send it
    )
    record = work.compute(cell, cell.address, str(tmp_path))
    assert record.status == "failed"
    assert "another version of the code" in record.error
    assert store.finished(tmp_path) == set()
