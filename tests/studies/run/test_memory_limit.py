"""What a worker of this machine may have: cells are held to it, what is around them is not."""

import mmap
import resource
import subprocess
import sys

import pytest

from studies.run import memory_limit
from studies.run.kinds import ClusterError

SIZE = 2**28
ARENAS = 2**22  # what Python may ask for meanwhile


def area(size):
    """Memory that the system counts, of exactly so many bytes (whole pages)."""
    return mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)


def test_the_system_counts_what_is_mapped():
    before = memory_limit.data()
    with area(SIZE):
        assert 0 <= memory_limit.data() - before - SIZE <= ARENAS


@pytest.fixture
def limit(monkeypatch):
    """One that has room for SIZE bytes, not for twice as many."""
    limit = memory_limit.data() + SIZE + ARENAS
    monkeypatch.setenv(memory_limit.LIMIT, str(limit))
    return limit


def test_a_cell_that_asks_for_more_is_told_so_and_what_follows_is_free(limit):
    free = resource.getrlimit(resource.RLIMIT_DATA)
    with memory_limit.limited(), area(SIZE):
        assert resource.getrlimit(resource.RLIMIT_DATA) == (limit, free[1])
    megabytes = -(-limit // 10**6)
    with pytest.raises(
        memory_limit.OverLimitError, match=f"^cluster.memory: .*, got {megabytes:,} MB; give"
    ):  # noqa: SIM117
        with memory_limit.limited():
            area(2 * SIZE)
    assert resource.getrlimit(resource.RLIMIT_DATA) == free
    area(2 * SIZE).close()


def test_what_fails_for_another_reason_stays_what_it_is(limit):
    with pytest.raises(ValueError, match="mine"), memory_limit.limited():
        raise ValueError("mine")


def test_without_a_limit_none_is_set(monkeypatch):
    monkeypatch.delenv(memory_limit.LIMIT, raising=False)
    free = resource.getrlimit(resource.RLIMIT_DATA)
    with memory_limit.limited():
        assert resource.getrlimit(resource.RLIMIT_DATA) == free
    with pytest.raises(MemoryError, match="own"), memory_limit.limited():
        raise MemoryError("own")


class Client:
    """A cluster whose workers have so many bytes before any cell."""

    def __init__(self, *own):
        self.own = own

    def run(self, function, on_error):
        assert (function, on_error) == (memory_limit.data, "ignore")
        return dict(enumerate(self.own))


def test_a_limit_without_room_for_a_cell_is_refused_in_one_line():
    """Of 3 bytes and the least cell, 20 MB: rounded up 21; one byte more will do."""
    line = "expected more than 21 MB .* has 1 MB before any cell.*, got 20000003; give more memory"
    with pytest.raises(ClusterError, match=f"^cluster.memory: {line}"):
        memory_limit.check(Client(2, 3), "20000003")
    memory_limit.check(Client(2, 3), "20000004")
    memory_limit.check(Client(), "1")  # they ended just then: nothing is known


LEAST = """
import torch
from studies.cells.loop import run_worlds
from studies.run import memory_limit, preloaded
from studies.study_file.loading import load_study
from studies.study_file.plan import make_plan
study = {"name": "least", "replicates": 2, "budget": 6, "checkpoints": [1.0]}
study["landscapes"] = {"parabola": {"kind": "quadratic", "dim": 1}}
study["optimizers"] = {"SGD": {"kind": "sgd", "learning_rate": 0.1}}
task = make_plan(load_study(study)).arms[0].task
before = memory_limit.data()
run_worlds(task, torch.arange(2))
print(memory_limit.data() - before)
"""


@pytest.mark.verify
def test_no_cell_takes_less_than_is_said():
    """What two steps of SGD on a parabola add to a process that has imported all: the limit refuses less alone."""
    done = subprocess.run([sys.executable, "-c", LEAST], capture_output=True, text=True, check=True)
    assert memory_limit.LEAST <= int(done.stdout)
