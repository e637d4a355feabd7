"""Random faults over a study: whatever dies, is cut short or finds no room, the Dataset is that of an undisturbed run.

Each fault is drawn from its number alone: what, and after how many cells. Of a hundred a day's share is run;
all with TWO_DESCENTS_FAULTS=100.
"""

import contextlib
import errno
import functools
import os
import random
import signal
import tempfile
from pathlib import Path

import psutil
import pytest

from studies import open_study
from studies.results import store
from tests.support.patience import patience, wait_for
from tests.support.runs import (
    BOWL,
    FEW,
    again,
    assert_same,
    cells,
    family,
    finish,
    here,
    holder,
    no_leftovers,  # noqa: F401
    start,
    workers,
    write,
)

DAY = 6  # faults: one of each kind
COUNT = int(os.environ.get("TWO_DESCENTS_FAULTS", DAY))
CELLS = 60
STUDY = FEW | {
    "name": "faults",
    "replicates": 2,
    "budget": 12,
    "checkpoints": [0.5, 1.0],
    "landscapes": {"bowl": {"kind": BOWL}},
    "sweep": {"landscapes.bowl.shift": [i / 30 for i in range(30)]},
}
FAULTS = ("client", "scheduler", "worker", "full", "truncated", "group")


@functools.cache
def undisturbed():
    return here(STUDY, Path(tempfile.mkdtemp(prefix="undisturbed-")))


def drawn(number):
    """What happens, and after how many cells."""
    chance = random.Random(number)  # noqa: S311  of a test
    return FAULTS[number % len(FAULTS)], chance.randrange(2, CELLS - 10), chance


def after(folder, count, process):
    """Wait until there are so many cells, or the run has ended."""
    wait_for(lambda: len(store.finished(folder / "out")) >= count or process.poll() is not None)


@pytest.mark.verify
@pytest.mark.parametrize("number", range(COUNT))
def test_whatever_happens_the_dataset_is_that_of_an_undisturbed_run(tmp_path, monkeypatch, number):
    kind, count, chance = drawn(number)
    write(tmp_path, STUDY)
    if kind == "full":
        with monkeypatch.context() as patch:
            without_room(patch, count)
            assert again(tmp_path) == 74
    else:
        disturb(tmp_path, kind, count, chance)
    assert again(tmp_path) == 0
    assert len(cells(tmp_path)) == CELLS
    assert_same(open_study(tmp_path / "out"), undisturbed())


def kill(process):
    with_it = family(process)
    process.kill()
    finish(process)
    psutil.wait_procs(with_it, timeout=patience(10))


def disturb(folder, kind, count, chance):
    """A run to which this happens after so many cells."""
    process = start(folder, "--workers", "2")
    after(folder, count, process)
    if kind in ("client", "truncated"):
        kill(process)
    elif process.poll() is None and kind == "group":
        for each in (process, *family(process)):
            with contextlib.suppress(psutil.NoSuchProcess):
                each.send_signal(signal.SIGTERM)
    elif process.poll() is None:
        victim = holder(process) if kind == "scheduler" else chance.choice(workers(process))
        victim.kill()
    finish(process)
    if kind == "truncated":
        cut(folder, chance)


def without_room(monkeypatch, count):
    """From so many cells on no file can be written, as on a full disk."""
    written, store_cell = [], store.write_cell

    def full(data, path):
        if len(written) >= count:
            raise OSError(errno.ENOSPC, "No space left on device")
        written.append(path)
        store_cell(data, path)

    monkeypatch.setattr(store, "write_cell", full)


def cut(folder, chance):
    """Cut a cell's file short, or turn a bit of it."""
    path = chance.choice(sorted((folder / "out" / "cells").glob("??/*.nc")))
    content = bytearray(path.read_bytes())
    place = chance.randrange(len(content))
    content[place] ^= 1 << chance.randrange(8)
    path.write_bytes(content[:place] if chance.random() < 0.5 else content)
