"""The memory of a worker: the tensors that worlds hold at once, by hand, and beside a process that computes them."""

import os
import subprocess
import sys

import pytest
import torch

from optimizers import OPTIMIZERS
from studies.cells.loop import run_worlds
from studies.cells.timing import Storages
from studies.kinds.registry import build
from studies.run import memory
from studies.study_file.loading import load_study
from studies.study_file.plan import make_plan
from tests.contract.test_runs import asked, small
from tests.studies.cells.test_loop import task as cell_task
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


COLLECTED = "evotorch"  # its objects refer to each other, and stay until Python's collector comes by


@each("kind", ["sgd", "ga", "cma_es", "pbt"])
def test_the_first_steps_hold_what_a_whole_run_does(kind):
    check_that_the_first_steps_hold_all(kind)


@pytest.mark.verify
@each("kind", [kind for kind in OPTIMIZERS if kind != COLLECTED])
def test_the_first_steps_of_every_method_hold_what_a_whole_run_does(kind):
    check_that_the_first_steps_hold_all(kind)


def check_that_the_first_steps_hold_all(kind):
    """Of a method, in its own settings: the most that 8 worlds hold in 36 steps, all tensors that there are.

    Methods of other libraries draw other numbers of points in a step, by 2 % of all tensors.
    """
    landscape, options = wide(kind)
    optimizer = {name: value for name, value in options.items() if name in ("kind", "schedule")}
    price = 3.0 if OPTIMIZERS[kind].gradient else 1.0
    end = 36 * price * asked(optimizer, build(landscape, "landscape"))
    setting = cell_task(landscape, optimizer, budget=end, checkpoints=[end / 2, end])
    with Storages() as storages:
        run_worlds(setting, torch.arange(8))
    records = 2 * memory.NUMBER * memory.RECORDED * 2 * 8
    assert storages.most <= memory.held(setting, 8) - records <= 1.02 * storages.most


def wide(kind):
    """A landscape of 40 coordinates, or of 9 where genotypes are counted, and a method that can search it."""
    spec, options = small(kind)
    size = {"nk": {"n": 9 if kind == "quasispecies" else 40}, "quadratic": {"dim": 40}}
    return spec | size.get(spec["kind"], {}), options


def test_two_digits():
    assert [memory.megabytes(size) for size in (4.04e8, 2.36e10, 3e6)] == ["400", "24,000", "3"]


HELD = """
import sys
from studies.run import memory
from tests.studies.run.test_memory import POPULATIONS, task
setting = task(optimizers={"one": POPULATIONS[sys.argv[1]]})
few = memory.held(setting, 1)
worlds = int(4e8 // (memory.held(setting, 101) - few)) * 100
print(worlds, memory.held(setting, worlds))
"""
USED = """
import re, sys, torch
from pathlib import Path
from studies.cells.loop import run_worlds
from tests.studies.run.test_memory import POPULATIONS, task
setting = task(optimizers={"one": POPULATIONS[sys.argv[1]]})
def bytes_of(line):
    return 1024 * int(re.search(line + r":\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
run_worlds(setting, torch.arange(2))
before = bytes_of("VmRSS")
run_worlds(setting, torch.arange(int(sys.argv[2])))
print(bytes_of("VmHWM") - before)
"""  # `ru_maxrss` would be at least that of the process that started this one


def printed(code, *words):
    """The numbers that a process prints, each of whose tensors has pages of its own, which go with it."""
    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        env=os.environ | {"MALLOC_MMAP_THRESHOLD_": "65536"},
        capture_output=True,
        text=True,
        check=True,
    )
    return [float(word) for word in done.stdout.split()]


@pytest.mark.verify
@each("kind", POPULATIONS)
def test_a_process_needs_what_is_said(kind):
    """0.4 GB of worlds, beside the most that Linux saw of a process that computes them to their end.

    Without holes between tensors, which are the allocator's matter: of a first run, 2 worlds leave all that is
    loaded, and a tenth is left for workspaces, such as those of LAPACK.
    """
    worlds, held = printed(HELD, kind)
    [used] = printed(USED, kind, str(int(worlds)))
    assert 0.98 < used / held < 1.02
