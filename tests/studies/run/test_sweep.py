"""In which order a sweep takes cells, and the rounds in which they are timed."""

import contextlib
import dataclasses
import os
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest

from studies.cells.timing import Timed
from studies.results import store
from studies.run import rounds, sweep, work
from studies.run.kinds import NOBODY
from studies.study_file.loading import load_study
from studies.study_file.plan import make_plan
from tests.studies.cells.test_timing import STUDY
from tests.support.runs import again, write

CELLS = make_plan(load_study(STUDY)).cells(())


def test_cells_without_times_are_computed_one_at_a_time_after_the_others(tmp_path, monkeypatch):
    plain = [
        dataclasses.replace(cell, task=dataclasses.replace(cell.task, timing=None)) for cell in CELLS
    ]
    timed, late = CELLS[:1], CELLS[1:]
    rounds.path_of(tmp_path, timed[0].address).touch()
    drained = []

    def drain(window, queue, *, alone=False):
        drained.append(({cell.address for [cell] in queue}, alone))
        return []

    monkeypatch.setattr(rounds, "times_of", lambda *_: contextlib.nullcontext(tmp_path))
    monkeypatch.setattr(sweep._Window, "drain", drain)
    sweep.sweep(None, [*CELLS, *plain], tmp_path, print, lambda: False)
    assert drained == [
        ({cell.address for cell in [*timed, *plain]}, False),
        ({cell.address for cell in late}, True),
    ]


class Deserted:
    """A cluster whose one worker goes with the first cell, and comes back, or not, after some looks."""

    def __init__(self, back=None):
        self.back, self.looks, self.futures = back, 0, []

    def nthreads(self):
        self.looks += bool(self.futures)
        there = not self.futures or (self.back is not None and self.looks > self.back)
        if there and self.futures:
            self.futures[0].land()
        return {"a": 1} if there else {}

    def submit(self, function, cell, address, *words, key="round", **_):
        future = SimpleNamespace(status="finished", key=key, release=lambda: None)
        future.result = lambda: work.Record(address, "failed")
        future.add_done_callback = lambda put: setattr(future, "land", lambda: put(future))
        self.futures.append(future)
        return future


@pytest.mark.parametrize("back", [None, 30])
def test_where_all_workers_are_gone_it_is_said_and_a_stop_ends_the_wait(tmp_path, monkeypatch, back):
    monkeypatch.setattr(sweep, "LOOK", 0.001)
    client, said, records = Deserted(back), [], []
    stopping = lambda: back is None and client.looks > 20  # noqa: E731
    one = [dataclasses.replace(CELLS[0], task=dataclasses.replace(CELLS[0].task, timing=None))]
    sweep.sweep(client, one, tmp_path, records.append, stopping, said.append)
    assert said == [f"{NOBODY}; since 0.01 s"]
    assert len(records) == (0 if back is None else 1)


PLAIN = [dataclasses.replace(cell, task=dataclasses.replace(cell.task, timing=None)) for cell in CELLS]


class Empty:
    """A cluster that has no worker yet; one computes only its first cell."""

    def __init__(self):
        self.asked = {}  # key -> what is asked of its worker
        self.released = []

    def nthreads(self):
        return {}

    def processing(self):
        return {"a": [*self.asked][:1]}

    def submit(self, *words, key, pure, **asked):
        self.asked[key] = asked
        future = SimpleNamespace(key=key, done=lambda: False, add_done_callback=lambda put: None)
        future.release = lambda: self.released.append(key)
        return future


def test_where_workers_may_come_as_many_cells_wait_for_them(tmp_path, monkeypatch):
    """Adaptive clusters ask for workers where cells wait; a stop takes back those that none has begun."""
    monkeypatch.setattr(sweep, "LOOK", 0.001)
    client = Empty()
    most = len(PLAIN) - 1
    stopping = iter([*[False] * 50, *[True] * 1000])
    sweep.sweep(
        client, PLAIN, tmp_path, print, lambda: next(stopping), lambda line: None, sweep.Room(most)
    )
    first, *others = client.asked
    assert len(client.asked) == most
    assert client.released == others


def test_a_run_that_begins_a_day_later_leaves_what_workers_look_for(tmp_path):
    there = []

    def a_day_later():
        for path in tmp_path.iterdir():
            os.utime(path, (1, 1))
        store._touch_each()  # as a thread does every minute
        store.sweep(tmp_path)
        there.extend(tmp_path.iterdir())
        return True

    sweep.sweep(Empty(), PLAIN, tmp_path, print, a_day_later)
    assert [path.suffix for path in there] == [".tmp"]
    assert not list(tmp_path.iterdir())


def test_a_wait_for_workers_ends(tmp_path, monkeypatch):
    monkeypatch.setattr(sweep, "LOOK", 0.001)
    room = sweep.Room(patience=0.02)
    with pytest.raises(sweep.ClusterError, match="no worker has been there for 0.02.* s; .*--wait 2h"):
        sweep.sweep(Empty(), PLAIN, tmp_path, print, lambda: False, lambda line: None, room)
    assert not list(tmp_path.iterdir())


class Gone:
    """A cluster whose scheduler goes away with what it is given."""

    def __init__(self, status):
        self.status = status

    def nthreads(self):
        if not self.status:
            raise OSError
        return {"a": 1}

    def submit(self, *words, key, pure):
        future = SimpleNamespace(status=self.status, key=key, release=lambda: None)
        future.add_done_callback = lambda put: put(future)
        return future


@pytest.mark.parametrize("status", ["cancelled", "lost", ""])
def test_what_is_in_flight_is_lost_with_the_scheduler(tmp_path, status):
    """Which is told by what was given to it, or not there to be asked."""
    with pytest.raises(sweep.SchedulerLost):
        sweep.sweep(Gone(status), PLAIN, tmp_path, pytest.fail, lambda: False)


def test_a_scheduler_that_goes_away_has_an_exit_code_of_its_own(tmp_path, monkeypatch, capsys):
    def gone(*words):
        raise sweep.SchedulerLost

    monkeypatch.setattr(sweep, "sweep", gone)
    write(tmp_path)
    assert again(tmp_path) == 75
    told = " ".join(capsys.readouterr().err.split())
    assert "lost the Dask scheduler; finished cells are kept" in told


def test_cells_that_need_a_gpu_go_where_one_is(tmp_path, monkeypatch):
    monkeypatch.setattr(sweep, "LOOK", 0.001)
    on_card = [dataclasses.replace(PLAIN[0], task=dataclasses.replace(PLAIN[0].task, device="cuda"))]
    for gpus, asked in ((True, {"resources": {"GPU": 1}}), (False, {})):
        client, looks = Empty(), iter([False, False, *[True] * 100])
        sweep.sweep(client, on_card, tmp_path, print, looks.__next__, print, sweep.Room(gpus=gpus))
        assert [*client.asked.values()] == [asked]


class Client:
    """A cluster that does at once what it is given; `fails` in the round of that number."""

    def __init__(self, fails=None):
        self.fails, self.workers = fails, []

    def nthreads(self):
        return {"b": 1, "a": 1}

    def submit(self, function: Callable, cells, number, folder, *, workers, **_):
        self.workers.append(workers)
        if number != self.fails:
            function(cells, number, folder)
        status = "error" if number == self.fails else "finished"
        future = SimpleNamespace(status=status)
        future.add_done_callback = lambda put: put(future)
        return future


def cells(**timing):
    return make_plan(load_study(STUDY | {"timing": timing})).cells(())


def test_rounds_go_through_all_cells_on_one_worker(tmp_path, monkeypatch):
    log, real = [], Timed.visit

    def visit(timed, number, row):
        log.append((number, id(timed), row))
        real(timed, number, row)

    monkeypatch.setattr(Timed, "visit", visit)
    client, asked = Client(), cells(worlds=2, rounds=3, warm_up=0, repeats=2)
    with rounds.times_of(client, asked, tmp_path, lambda: False) as folder:
        times = [rounds.read(folder, cell.address) for cell in asked]
    assert [number for number, *_ in log] == [0] * 4 + [1] * 4 + [2] * 4  # two cells of two worlds
    for number in range(3):
        assert len({(timed, row) for now, timed, row in log if now == number}) == 4
    for part in times:
        seconds = part["timing_seconds"].values
        assert seconds.shape == (3, 2, 6)
        assert np.isfinite(seconds[:2]).all()
        assert np.isnan(seconds[2]).all()
    assert client.workers == [["a"]] * 3
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("fails", "stops"), [(1, False), (None, True)])
def test_a_round_that_does_not_end_leaves_no_times(tmp_path, fails, stops):
    """A worker died, or a signal came: half of the rounds are not what was asked for."""
    client = Client(fails)
    stopping = lambda: stops and len(client.workers) == 1  # noqa: E731
    asked = cells(worlds=1, rounds=2, warm_up=0, repeats=1)
    with rounds.times_of(client, asked, tmp_path, stopping) as folder:
        assert not folder.exists()
    assert len(client.workers) == (1 if stops else 2)


def test_a_stop_does_not_wait_for_a_round_that_no_worker_takes(tmp_path, monkeypatch):
    monkeypatch.setattr(rounds, "LOOK", 0.001)
    client = Deserted()
    with rounds.times_of(client, CELLS[:1], tmp_path, lambda: bool(client.futures)) as folder:
        assert not folder.exists()
    assert len(client.futures) == 1


def test_a_cell_that_fails_when_it_is_timed_is_not_visited_again(tmp_path, monkeypatch):
    first, second = asked = cells(worlds=2, rounds=2, warm_up=0, repeats=1)
    visited, real = [], Timed.visit

    def visit(timed, number, row):
        visited.append(number)
        if timed is broken[0]:
            raise ZeroDivisionError
        real(timed, number, row)

    broken, to_time = [], rounds._to_time

    def note(cell, known):
        timed = to_time(cell, known)
        if cell.address == first.address:
            broken.append(timed)
        return timed

    monkeypatch.setattr(rounds, "_to_time", note)
    monkeypatch.setattr(Timed, "visit", visit)
    with rounds.times_of(Client(), asked, tmp_path, lambda: False) as folder:
        assert rounds.read(folder, first.address) is None
        assert rounds.read(folder, second.address) is not None
    assert visited.count(0) == 1 + 2
    assert visited.count(1) == 2
    assert len(broken) == 1
