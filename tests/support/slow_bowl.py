"""A landscape for tests of the engine, named by its import path, that can be slow, broken, or stop at a point.

- TEST_DELAY: seconds that each of its cells takes more than it needs.
- TEST_GATE: FOLDER: once FOLDER/out has a cell, others wait for FOLDER/go; who waits leaves FOLDER/waits.
- TEST_HOLD: "POINT FOLDER": the process that computes its third cell waits at POINT for ever. It writes its
  number to FOLDER/held, and only the first to get there is held.
- `trouble` "raise", "crash" or "hang": what its cells do while the file named by `while_there` exists.
"""

import ctypes
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from landscapes.base import Landscape, Reals

COMPUTE, BEFORE, AFTER = "compute", "before-the-rename", "after-the-rename"
POINTS = (COMPUTE, BEFORE, AFTER)
EARLIER = 2  # cells that are whole when the third is held


@dataclass(frozen=True, kw_only=True)
class Bowl(Landscape):
    """A bowl that may be slow, broken or held."""

    name: ClassVar[str] = "bowl"
    shift: float = 0.0
    trouble: str = ""
    while_there: str = ""

    @property
    def dim(self):
        return 3

    @property
    def domain(self):
        return Reals(-2.0, 2.0)

    def bind(self, streams):
        time.sleep(float(os.environ.get("TEST_DELAY", "0")))
        wait_at_gate()
        hold_at(COMPUTE)
        if self.trouble and Path(self.while_there).exists():
            if self.trouble == "hang":
                hang()
            if self.trouble == "crash":
                ctypes.string_at(0)
            raise RuntimeError("the bowl has [broken]")
        return self

    def loss(self, x, terms=None, time=None):
        return (x - self.shift).square().sum(-1)


def hang():
    while True:
        time.sleep(1)


def wait_at_gate():
    folder = Path(os.environ.get("TEST_GATE", ""))
    if not folder.name or not any(folder.glob("out/cells/??/*.nc")):
        return
    (folder / "waits").touch()
    while not (folder / "go").exists():
        time.sleep(0.01)


# where a process is held ------------------------------------------------------------------------------------

renamed = 0  # cells of this process
replace = os.replace


def hold_at(point):
    """Wait for ever, where this is the point, and the first process to get there."""
    here, _, folder = os.environ.get("TEST_HOLD", "").partition(" ")
    if point != here or renamed < EARLIER + (point == AFTER):
        return
    try:
        with Path(folder, "held").open("x") as note:
            note.write(str(os.getpid()))
    except FileExistsError:
        return
    while True:
        time.sleep(60)


def replace_and_hold(source, target):
    global renamed
    if Path(target).suffix != ".nc":
        return replace(source, target)
    hold_at(BEFORE)
    replace(source, target)
    renamed += 1
    return hold_at(AFTER)


if "TEST_HOLD" in os.environ:
    os.replace = replace_and_hold
