"""Studies on real clusters, which this machine plays: a Slurm and a Grid Engine of one node, an sshd, a scheduler behind TLS.

Each gives the Dataset of an undisturbed run, and leaves nothing behind.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import dask
import psutil
import pytest

from studies import open_study
from studies.results import store
from studies.run import certificates
from studies.run.environment import ENVIRONMENT
from tests.support import sge, slurm, sshd
from tests.support.daemons import says
from tests.support.patience import patience, wait_for
from tests.support.runs import (
    ALIKE,
    ROOT,
    alive,
    assert_same,
    cells,
    finish,
    here,
    no_leftovers,  # noqa: F401
    start,
    write,
)

pytestmark = pytest.mark.verify
CELLS = 6


@pytest.fixture
def on(tmp_path):
    """A study's run on a cluster, of which so much is said."""
    write(tmp_path, ALIKE)

    def begin(cluster, *words):
        (tmp_path / "cluster.json").write_text(json.dumps({"cluster": cluster}))
        return start(tmp_path, "--cluster", "cluster.json", *words)

    return begin


def assert_whole(folder, process):
    code, _, err = finish(process)
    assert code == 0, err
    assert len(cells(folder)) == CELLS
    assert_same(open_study(folder / "out"), here(ALIKE, folder / "here"))
    assert not list((folder / "out").glob(".*"))  # no certificate, and no token


# batch systems ----------------------------------------------------------------------------------------------


class Batch(NamedTuple):
    """A batch system of two cores."""

    kind: str
    shortest: str  # the walltime
    queue: Callable[[], list[str]]  # the numbers of the jobs that run or wait
    others: list[str]  # what its jobs are told beside

    def asked(self, **words):
        """What a study says of it."""
        return {self.kind: JOB | {"job_extra_directives": self.others} | words}


@pytest.fixture(params=["slurm", "sge"])
def batch(request, tmp_path, monkeypatch):
    made = {"slurm": a_slurm, "sge": an_sge}[request.param]
    (tmp_path / request.param).mkdir()
    with made(tmp_path / request.param) as (found, environment):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        yield found


@contextlib.contextmanager
def a_slurm(folder):
    """Its shortest walltime is a minute."""
    if slurm.missing():
        pytest.skip(slurm.missing())
    with slurm.slurm(folder) as environment:

        def queue():
            return says("squeue -h -o %A", environment).split()

        yield Batch("slurm", "00:01:00", queue, []), environment


@contextlib.contextmanager
def an_sge(folder):
    """It hands the environment, by which cells are held, to jobs that ask for it; above them stand two lines of heads."""
    if sge.missing():
        pytest.skip(sge.missing())
    with sge.sge(folder) as environment:

        def queue():
            return [line.split()[0] for line in says("qstat", environment).splitlines()[2:]]

        yield Batch("sge", "00:00:40", queue, ["-V"]), environment


JOB = {"queue": "short", "memory": "1GB", "walltime": "00:10:00"}


def test_jobs_compute_a_study_and_end_with_it(tmp_path, on, batch):
    process = on(batch.asked(jobs=2))
    wait_for(lambda: len(batch.queue()) == 2 or process.poll() is not None)
    assert_whole(tmp_path, process)
    wait_for(lambda: not batch.queue())


def test_from_no_job_as_many_come_as_there_are_cells_for(tmp_path, on, batch, monkeypatch):
    """Two cores are one job too few for three: the third waits in the queue, and goes with the run."""
    monkeypatch.setenv("TEST_DELAY", "1")
    process = on(batch.asked(adapt=[0, 3]))
    assert not batch.queue()
    wait_for(lambda: batch.queue() or process.poll() is not None)
    assert_whole(tmp_path, process)
    wait_for(lambda: not batch.queue())


def test_a_client_that_is_killed_takes_its_jobs_along(tmp_path, on, batch, monkeypatch):
    monkeypatch.setenv("TEST_GATE", str(tmp_path))
    process = on(batch.asked(jobs=1))
    wait_for(lambda: (tmp_path / "waits").exists() or process.poll() is not None)
    assert len(batch.queue()) == 1
    process.kill()
    finish(process)
    wait_for(lambda: not batch.queue())


def test_jobs_that_end_in_the_middle_of_a_cell_are_replaced_and_nothing_is_lost(
    tmp_path, on, batch, monkeypatch
):
    """The walltime ends a job whose cell waits; another takes its place."""
    monkeypatch.setenv("TEST_GATE", str(tmp_path))
    process = on(batch.asked(walltime=batch.shortest, jobs=1))
    wait_for(lambda: (tmp_path / "waits").exists() or process.poll() is not None)
    [first], before = batch.queue(), cells(tmp_path)
    wait_for(lambda: (batch.queue() and first not in batch.queue()) or process.poll() is not None, 300)
    (tmp_path / "go").touch()
    assert_whole(tmp_path, process)
    assert before.items() < cells(tmp_path).items()


def test_a_worker_at_the_end_of_its_life_lets_its_cell_land(tmp_path, on, batch, monkeypatch):
    """Its cell waits for longer than the worker has, and is computed once: by the worker that began it."""
    monkeypatch.setenv("TEST_GATE", str(tmp_path))
    life = ["--lifetime", "30s", "--lifetime-stagger", "1s"]
    process = on(batch.asked(jobs=1, worker_extra_args=life))
    wait_for(lambda: (tmp_path / "waits").exists() or process.poll() is not None)
    [first] = batch.queue()
    [worker] = [p for p in psutil.process_iter(["cmdline"]) if is_worker(p)]
    wait_for(lambda: worker_is_older(worker, 40))
    assert batch.queue() == [first]
    (tmp_path / "go").touch()
    assert_whole(tmp_path, process)


def is_worker(process):
    return "distributed.cli.dask_worker" in (process.info["cmdline"] or [])


def worker_is_older(process, seconds):
    return psutil.boot_time() + float(Path("/proc/uptime").read_text().split()[0]) > (
        process.create_time() + seconds
    )


# ssh --------------------------------------------------------------------------------------------------------


@pytest.fixture
def host(tmp_path):
    if sshd.missing():
        pytest.skip(sshd.missing())
    (tmp_path / "sshd").mkdir()
    with sshd.sshd(tmp_path / "sshd") as options:
        yield {"hosts": ["127.0.0.1"], "connect_options": options, "workers": 2}


def test_a_host_by_ssh_computes_a_study_and_nothing_stays_there(tmp_path, on, host):
    process = on({"ssh": host})
    assert_whole(tmp_path, process)
    wait_for(lambda: not remote())


def test_what_ssh_started_ends_with_a_client_that_is_killed(tmp_path, on, host, monkeypatch):
    process = on({"ssh": host})
    wait_for(lambda: cells(tmp_path) or process.poll() is not None)
    assert remote()
    for started in remote():
        config = dask.config.deserialize(started.environ()["DASK_INTERNAL_INHERIT_CONFIG"])
        assert "PRIVATE KEY" not in str(config)
        assert Path(config["distributed"]["comm"]["tls"]["worker"]["key"]).stat().st_mode & 0o77 == 0
    process.kill()
    finish(process)
    wait_for(lambda: not remote())


def remote():
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if "distributed.cli.dask_spec" in (process.info["cmdline"] or []) and alive(process)
    ]


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ({"remote_python": "/bin/false"}, "127.0.0.1 cannot run this project with /bin/false"),
        ({"connect_options": {"port": 1}}, "ssh does not reach 127.0.0.1 ("),
    ],
)
def test_a_host_that_is_not_as_it_must_be_is_one_line(tmp_path, on, host, said, line):
    code, _, err = finish(on({"ssh": host | said}))
    assert code == 2
    assert err.splitlines()[-1].startswith(f"cluster: {line}")
    assert "Traceback" not in err


# TLS, and workers by hand -----------------------------------------------------------------------------------


@pytest.fixture
def scheduler(tmp_path):
    """A scheduler behind a certificate, and two workers that were started by hand; what a study says of it."""
    tls = certificates.temporary()
    files = {name: str(tmp_path / f"{name}.pem") for name in tls}
    for name, text in tls.items():
        Path(files[name]).write_text(text)
    own = [
        f"--tls-{word}={files[name]}"
        for name, word in (("ca", "ca-file"), ("cert", "cert"), ("key", "key"))
    ]
    place = tmp_path / "scheduler.json"
    of_scheduler = ["distributed.cli.dask_scheduler", "--host", "tls://127.0.0.1", "--port", "0"]
    with (
        python(*of_scheduler, "--no-dashboard", f"--scheduler-file={place}", *own),
        contextlib.ExitStack() as workers,
    ):
        wait_for(lambda: place.exists() and place.read_text())
        address = json.loads(place.read_text())["address"]
        workers.enter_context(python("studies.run.worker", address, "--workers", "2", *own))
        yield {"kind": address, "tls": files}


@contextlib.contextmanager
def python(*words):
    """A module that runs."""
    hidden = {name for name in ENVIRONMENT if name.startswith(("MKL", "OMP", "NUMBA"))}
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    process = subprocess.Popen(
        [sys.executable, "-m", *words],
        env=environment | {"PYTHONPATH": str(ROOT)},
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(patience())


def test_a_scheduler_behind_a_certificate_and_workers_by_hand(tmp_path, on, scheduler):
    """What MKL needs is set by the command: it was not in its environment."""
    assert_whole(tmp_path, on(scheduler))
    [origin, *_] = origins(tmp_path)
    assert origin["cpu"]
    assert origin["capability"]


def test_without_the_certificate_nobody_answers(tmp_path, on, scheduler):
    code, _, err = finish(on({"kind": scheduler["kind"]}))
    assert code == 2
    assert "no scheduler answers at tls://127.0.0.1:" in err
    assert "give its certificate: cluster: {kind: tls://.., tls: {ca: .., cert: .., key: ..}}" in err


def test_dask_s_own_configuration_has_the_certificate(tmp_path, on, scheduler, monkeypatch):
    ca, cert, key = scheduler["tls"].values()
    for name, file in {"CA_FILE": ca, "CLIENT__CERT": cert, "CLIENT__KEY": key}.items():
        monkeypatch.setenv(f"DASK_DISTRIBUTED__COMM__TLS__{name}", file)
    assert_whole(tmp_path, on({"kind": scheduler["kind"]}))


@pytest.fixture
def gate(tmp_path, monkeypatch):
    """Workers that start from now on wait in all cells after the first."""
    monkeypatch.setenv("TEST_GATE", str(tmp_path))


def test_no_cell_asks_the_scheduler_whether_it_may_be_written(tmp_path, gate, on, scheduler):
    """While the scheduler stands still, which would give no lock, cells land; then it is gone for good."""
    process = on(scheduler)
    wait_for((tmp_path / "waits").exists)
    before = cells(tmp_path)
    (stands,) = (
        child
        for child in psutil.Process().children()
        if "distributed.cli.dask_scheduler" in child.cmdline()
    )
    stands.suspend()
    (tmp_path / "go").touch()
    wait_for(lambda: cells(tmp_path).keys() > before.keys())
    stands.kill()
    code, _, err = finish(process)
    assert code == 75, err
    assert "lost the Dask scheduler" in err


def origins(folder):
    import h5py

    for address in cells(folder):
        with h5py.File(store.cell_path(folder / "out", address)) as file:
            yield json.loads(file.attrs["origin"])


# any other --------------------------------------------------------------------------------------------------


def test_a_class_of_dask_by_its_import_path(tmp_path, on):
    words = {"n_workers": 1, "threads_per_worker": 1, "dashboard_address": "127.0.0.1:0"}
    assert_whole(tmp_path, on({"kind": "distributed:LocalCluster", **words}))
