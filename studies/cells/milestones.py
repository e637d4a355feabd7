"""Milestones: times at which the worlds are looked at, each world coming to them at steps of its own.

Times are those of the budget's clock: cost at the nominal price, steps, epochs or virtual time. A milestone
at t shows a world after its last step completed by t. A world that ends before t goes on showing its last
state there. Times may be those of another clock, whose end is only estimated before the run: then the last
milestone is the end, wherever that is.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
from xarray import Dataset

from landscapes.oracle.bill import ROUNDING, Bill
from studies.kinds.instruments import Moment

Places = tuple[np.ndarray, np.ndarray]  # numbers of worlds, and of a milestone for each
NEVER = 1e300
NOWHERE = (np.zeros(0, int), np.zeros(0, int))


class Milestones:
    """Which of K milestones each of R worlds has passed.

    Args:
        bill: the worlds' bills.
        times: (K,) increasing.
        clock: of the times; None: that of the bill.
    """

    def __init__(self, bill: Bill, times: Sequence[float], clock: str | None = None) -> None:
        self.bill, self.clock = bill, clock or bill.clock
        self.times = np.array(times, float)
        self.reach = np.append(self.times, np.inf) * (1 + ROUNDING)  # a time up to here is within
        if self.clock != bill.clock:
            self.reach[-2] = NEVER
        self.next = np.zeros(len(bill.alive), int)  # (R,) the first that a world has not passed
        self.ahead = self.reach[self.next]  # (R,) up to when it is not passed

    @property
    def shape(self) -> tuple[int, int]:
        """(R, K)."""
        return len(self.next), len(self.times)

    def passed(self) -> Places:
        """Those that the last step went beyond: they show the state before it."""
        now = self.bill.on(self.clock)
        if self.clock != self.bill.clock:  # all are passed by a step beyond the budget
            now = np.where(self.bill.within, now, np.inf)
        if not (now > self.ahead).any():
            return NOWHERE
        return self._pass(np.searchsorted(self.reach, now))

    def left(self) -> Places:
        """Those that a world which has ended did not reach: they show its last state."""
        return self._pass(np.where(self.bill.alive, 0, len(self.times)))

    def _pass(self, until: np.ndarray) -> Places:
        """Every world's milestones next .. until - 1."""
        until = np.maximum(self.next, until)
        if (until == self.next).all():
            return NOWHERE
        numbers = np.arange(len(self.times))
        passed = (numbers >= self.next[:, None]) & (numbers < until[:, None])
        self.next, self.ahead = until, self.reach[until]
        worlds, places = np.nonzero(passed)
        return worlds, places


class Watcher(ABC):
    """Looks at R worlds while they run, and keeps what their milestones show.

    Args:
        bill: the worlds' bills.
        times: (K,) of the milestones, increasing.
        clock: of the times; None: that of the bill.
    """

    part = "record"  # of the loop's clock, to which its time is charged

    def __init__(self, bill: Bill, times: Sequence[float], clock: str | None = None) -> None:
        self.bill = bill
        self.milestones = Milestones(bill, times, clock)
        self.last: Moment | None = None

    def __call__(self, moment: Moment) -> None:
        """Take the moment before the first step, and that after each."""
        if self.last is not None:
            self._keep(self.last, self.milestones.passed())
        self.last = moment
        self._keep(moment, self.milestones.left())

    def _keep(self, moment: Moment, places: Places) -> None:
        if len(places[0]):
            self.keep(moment, *places)

    @abstractmethod
    def keep(self, moment: Moment, worlds: np.ndarray, places: np.ndarray) -> None:
        """Keep a moment as these milestones of these worlds, (n,) each, n >= 1."""

    @abstractmethod
    def dataset(self) -> Dataset:
        """What was kept, once every world has ended; its first dim is replicate."""
