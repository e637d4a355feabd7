"""A local cluster whose workers import little: who ends when another does, and who comes anew."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from studies.run import clusters, environment
from studies.run.memory_limit import LIMIT
from studies.study_file.cluster import LOCAL, Cluster
from tests.support.patience import patience, wait_for
from tests.support.runs import ROOT, alive

# the process that holds it, of two workers with a card each, one of which may have so much memory
SCRIPT = """
from studies.run import local, started
local.PRELOADED = "distributed"
local.slots = lambda cluster: [local.Slot(card="0"), local.Slot("8GB", "1")]
started.main()
"""


@pytest.fixture
def starting(tmp_path):
    """The process that holds it, told by a pipe as by a run."""
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    how = {"env": os.environ | environment.ENVIRONMENT, "start_new_session": True}
    process = subprocess.Popen([sys.executable, *clusters.QUIET, "-c", SCRIPT], **pipes, **how)
    clusters._tell(process, clusters.asked(Cluster(), tmp_path))
    yield process
    clusters._kill(process)


@pytest.fixture
def holder(starting):
    """The same, with a client of its scheduler; both workers are there."""
    with clusters._client(clusters.said(starting), LOCAL) as starting.client:
        assert workers(starting).keys() == {"0", "1"}
        yield starting


def workers(holder):
    """Card -> number of the process of the worker that has it, where it is there."""
    cards = holder.client.run(os.getenv, "CUDA_VISIBLE_DEVICES", on_error="ignore")
    numbers = holder.client.run(os.getpid, on_error="ignore")
    return {cards[place]: numbers[place] for place in cards.keys() & numbers.keys()}


def semaphores(process):
    """Files of those that a process uses: its maps have their numbers, and names that they had for a moment."""
    areas = Path(f"/proc/{process.pid}/maps").read_text().splitlines()
    numbers = {int(area.split()[4]) for area in areas if "/dev/shm/sem." in area}
    return [entry for entry in Path("/dev/shm").glob("sem.mp-*") if entry.stat().st_ino in numbers]


def test_a_worker_that_ends_is_replaced_and_has_the_same_card_and_memory(holder):
    before = workers(holder)
    os.kill(before["1"], signal.SIGKILL)
    wait_for(lambda: workers(holder).keys() == {"0", "1"})
    assert workers(holder)["0"] == before["0"]
    assert workers(holder)["1"] != before["1"]
    limits = holder.client.run(os.getenv, LIMIT).values()
    assert {*limits} == {None, str(8 * 10**9)}
    assert {worker["resources"]["GPU"] for worker in told(holder)} == {1}


def test_a_worker_that_cannot_speak_is_replaced(holder):
    """As for want of memory: Dask's would leave together with its nanny."""
    before = workers(holder)
    [place] = [place for place, pid in holder.client.run(os.getpid).items() if pid == before["1"]]
    holder.client.run(mute, workers=[place])
    wait_for(lambda: {*workers(holder).values()} - {*before.values()})
    wait_for(lambda: workers(holder).keys() == {"0", "1"})
    assert workers(holder)["0"] == before["0"]


def mute(dask_worker):
    """Take from a worker the memory for its heartbeat."""

    async def metrics():
        raise MemoryError

    dask_worker.get_metrics = metrics


def told(holder):
    """What workers say of themselves."""
    return holder.client.scheduler_info()["workers"].values()


@pytest.mark.verify
def test_a_worker_that_ends_as_it_starts_is_replaced_however_often(holder):
    """At any time from its fork to its first second, and both at once."""
    chance = random.Random(1)  # noqa: S311  of a test
    for _ in range(20):
        for child in forked(holder):
            child.kill()
        time.sleep(chance.uniform(0.0, 1.5))
    wait_for(lambda: workers(holder).keys() == {"0", "1"})


@pytest.mark.verify
def test_a_worker_that_ends_in_the_middle_of_the_start_is_no_failure(starting):
    wait_for(lambda: forked(starting))
    forked(starting)[0].kill()
    with clusters._client(clusters.said(starting), LOCAL) as starting.client:
        assert workers(starting).keys() == {"0", "1"}


def forked(holder):
    """The processes of workers, also of those that are on their way."""
    children = psutil.Process(holder.pid).children()
    return [worker for server in children for worker in server.children()]


@pytest.mark.verify
def test_workers_are_replaced_though_what_they_are_forked_from_ends_too(holder):
    before = workers(holder)
    for child in psutil.Process(holder.pid).children():
        if child.children():
            child.kill()
    wait_for(lambda: len({*workers(holder).values()} - {*before.values()}) == 2)


def test_all_end_with_the_client_also_a_worker_that_does_not_listen(holder):
    """As one that computes and never lets another thread run. What they printed is for the terminal, not for the client."""
    family, used = psutil.Process(holder.pid).children(recursive=True), semaphores(holder)
    holder.client.run(os.write, 1, b"printed ")
    os.kill(workers(holder)["0"], signal.SIGSTOP)
    assert holder.communicate(timeout=patience()) == (b"", b"printed printed ")  # closes its stdin
    wait_for(lambda: not any(map(alive, family)))
    assert used
    wait_for(lambda: not any(path.exists() for path in used))


def test_a_client_that_goes_in_the_middle_of_the_start_leaves_nothing(starting):
    wait_for(lambda: semaphores(starting))
    family, used = psutil.Process(starting.pid).children(recursive=True), semaphores(starting)
    starting.communicate(timeout=patience())  # closes its stdin
    wait_for(lambda: not any(map(alive, family)))
    wait_for(lambda: not any(path.exists() for path in used))


def test_what_is_ended_by_force_leaves_no_semaphores(holder):
    """The holder is killed, and a worker that does not listen: the tracker goes last, once it removed them."""
    family, used = psutil.Process(holder.pid).children(recursive=True), semaphores(holder)
    os.kill(workers(holder)["0"], signal.SIGSTOP)
    clusters._kill(holder)
    assert used
    assert not any(map(alive, family))
    assert not any(path.exists() for path in used)


@pytest.mark.verify
def test_all_end_with_the_scheduler(holder):
    family = psutil.Process(holder.pid).children(recursive=True)
    holder.kill()
    wait_for(lambda: not any(map(alive, family)))


def test_plugins_are_looked_for_where_the_client_does(tmp_path, monkeypatch):
    """An empty entry of the path is the working directory."""
    monkeypatch.chdir(tmp_path)
    installed = next(entry for entry in sys.path if entry.endswith("site-packages"))
    monkeypatch.setattr(sys, "path", ["", str(ROOT), installed, "/not/there"])
    assert environment.paths() == f"{tmp_path}:{ROOT}"


def test_what_is_started_has_our_environment_and_finds_plugins(monkeypatch):
    told = {}
    monkeypatch.setattr(subprocess, "Popen", lambda command, **how: told.update(how))
    monkeypatch.setattr(clusters, "paths", lambda: "/of/plugins")
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    clusters.start({"MINE": "1"})
    expected = environment.ENVIRONMENT | {"PYTHONPATH": "/of/plugins", "MINE": "1"}
    assert os.environ.keys() | expected.keys() == told["env"].keys()
    assert expected.items() <= told["env"].items()
