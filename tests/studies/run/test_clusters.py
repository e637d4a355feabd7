"""The keeper of a local cluster, with children that only wait: who ends when another does, and who comes anew."""

import contextlib
import json
import os
import signal
import subprocess
import sys

import psutil
import pytest

from studies.run import clusters, environment
from tests.support.patience import patience, wait_for
from tests.support.runs import ROOT, alive

SCRIPT = """
import asyncio, os
from studies.run import keeper

async def schedule(said, tls):
    os.write(said, str(os.getpid()).encode())
    await asyncio.sleep(86400)

async def work(address, slot, tls):
    os.write(1, f"a worker of {address} has {slot.card}\\n".encode())  # in one piece
    await asyncio.sleep(86400)

keeper._import, keeper._schedule, keeper._work = lambda: None, schedule, work
keeper.keep([keeper.Slot(card="0"), keeper.Slot(card="1")])
"""


@pytest.fixture
def keeper():
    """A keeper of two workers, whose address is the number of its scheduler."""
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    process = subprocess.Popen([sys.executable, "-c", SCRIPT], start_new_session=True, **pipes)
    process.scheduler = int(json.loads(process.stdout.readline())["address"])
    wait_for(lambda: len(workers(process)) == 2)
    yield process
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def workers(process):
    """The numbers of its workers that live."""
    children = psutil.Process(process.pid).children()
    return {child.pid for child in children if alive(child)} - {process.scheduler}


def test_a_worker_that_ends_is_replaced(keeper):
    victim, other = sorted(workers(keeper))
    os.kill(victim, signal.SIGKILL)
    wait_for(lambda: len(workers(keeper) - {victim}) == 2)
    assert other in workers(keeper)
    assert psutil.pid_exists(keeper.scheduler)


@pytest.mark.parametrize("ends", ["scheduler", "keeper", "client"])
def test_all_end_with(keeper, ends):
    assert_all_end(keeper, ends)


@pytest.mark.parametrize("ends", ["scheduler", "client"])
def test_a_worker_that_does_not_listen_ends_too(keeper, ends):
    """As one that computes and never lets another thread run."""
    os.kill(min(workers(keeper)), signal.SIGSTOP)
    assert_all_end(keeper, ends)


def assert_all_end(keeper, ends):
    """When one of them ends, or the client, which holds the keeper's stdin."""
    family = psutil.Process(keeper.pid).children()
    if ends == "client":
        keeper.stdin.close()
        keeper.stdin = None
    else:
        os.kill({"scheduler": keeper.scheduler, "keeper": keeper.pid}[ends], signal.SIGKILL)
    keeper.wait(patience())
    wait_for(lambda: not any(map(alive, family)))


def test_what_workers_print_goes_to_the_terminal(keeper):
    lines = {keeper.stderr.readline().decode() for _ in range(2)}
    assert lines == {f"a worker of {keeper.scheduler} has {card}\n" for card in "01"}
    out, _ = keeper.communicate()
    assert out == b""


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
    clusters.start("a.module", {"MINE": "1"})
    expected = environment.ENVIRONMENT | {"PYTHONPATH": "/of/plugins", "MINE": "1"}
    assert os.environ.keys() | expected.keys() == told["env"].keys()
    assert expected.items() <= told["env"].items()
