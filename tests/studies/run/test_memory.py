"""The memory of a worker: the tensors that worlds hold at once, by hand, and beside a process that computes them."""

import subprocess
import sys

import pytest

from studies.run import memory
from studies.study_file.loading import load_study
from studies.study_file.plan import make_plan
from tests.support.each import each

STUDY = {
    "name": "held",
    "replicates": 4096,
    "budget": 400,
    "checkpoints": [0.5, 1.0],
    "landscapes": {"bowl": {"kind": "quadratic", "dim": 50}},
    "optimizers": {"search": {"kind": "random_search", "population": 20}},
}
POPULATIONS = {
    "random_search": {"kind": "random_search", "population": 20},
    "ga": {"kind": "ga", "population": 400},
    "cma_es": {"kind": "cma_es", "population": 40},
}


def task(**changes):
    return make_plan(load_study(STUDY | changes)).arms[0].task


def test_points_are_held_and_worlds_hold_alike():
    """A world of 20 points in 50 dimensions: at least the points in float64, and as much of each world."""
    points = 8 * 20 * 50
    few, more = (memory.held(task(), worlds) for worlds in (50, 100))
    assert points <= (more - few) / 50 <= 10 * points
    records = 2 * 8 * 20 * 50 * 2  # twice the numbers of two checkpoints of each world
    assert few >= 50 * points + records


def test_two_digits():
    assert [memory.megabytes(size) for size in (4.04e8, 2.36e10, 3e6)] == ["400", "24,000", "3"]


RUN = """
import sys
from studies.run import memory
from tests.studies.run.test_memory import POPULATIONS, task
setting = task(optimizers={"one": POPULATIONS[sys.argv[1]]})
few, process = memory.held(setting, 1), memory.process()
worlds = int(4e8 // (memory.held(setting, 101) - few)) * 100
print(worlds, process, memory.held(setting, worlds))
"""
PEAK = """
import re, sys, torch
from pathlib import Path
from studies.cells.loop import run_worlds
from tests.studies.run.test_memory import POPULATIONS, task
setting = task(optimizers={"one": POPULATIONS[sys.argv[1]]})
run_worlds(setting, torch.arange(int(sys.argv[2])))
print(1024 * int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]))
"""  # `ru_maxrss` would be at least that of the process that started this one


def printed(code, *words):
    """The numbers that a process prints."""
    done = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, check=True
    )
    return [float(word) for word in done.stdout.split()]


@pytest.mark.verify
@each("kind", POPULATIONS)
def test_a_process_needs_what_is_said(kind):
    """0.4 GB of worlds, beside the most that Linux saw of a process that computes them to their end."""
    worlds, process, held = printed(RUN, kind)
    [peak] = printed(PEAK, kind, str(int(worlds)))
    assert 0.8 < peak / (process + held) < 1.25
