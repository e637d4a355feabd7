"""What a landscape or an optimizer is held to, and in which worlds it is tried."""

from __future__ import annotations

from collections.abc import Callable

WORLDS = (4, 0, 7)  # of a batch
ALONE = 2  # the row of the world that is also run alone
DIM = 5  # coordinates
STEPS = 6
SEED = 3
Check = tuple[str, Callable[[], str]]  # what is held, and a call that returns a remark, or raises
