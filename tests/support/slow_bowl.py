"""A landscape for tests of the engine, named by its import path.

It can take its time and, while TEST_BROKEN is set, fail in several ways.
"""

import ctypes
import os
import time
from dataclasses import dataclass
from typing import ClassVar

from landscapes.base import Landscape, Reals


@dataclass(frozen=True, kw_only=True)
class Bowl(Landscape):
    """A bowl; its cells take TEST_DELAY seconds more than they need."""

    name: ClassVar[str] = "bowl"
    shift: float = 0.0
    trouble: str = ""

    @property
    def dim(self):
        return 3

    @property
    def domain(self):
        return Reals(-2.0, 2.0)

    def bind(self, streams):
        time.sleep(float(os.environ.get("TEST_DELAY", "0")))
        if self.trouble and "TEST_BROKEN" in os.environ:
            if self.trouble == "crash":
                ctypes.string_at(0)
            raise RuntimeError("the bowl has [broken]")
        return self

    def loss(self, x, terms=None, time=None):
        return (x - self.shift).square().sum(-1)
