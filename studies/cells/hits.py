"""When worlds first reach targets, and what it costs to look.

The truth of a point is measured beside the search, unbilled. It is looked at after every step where it takes
no longer than the step; there a hit is exact. Elsewhere (a mini-batch of a large data set costs less than the
whole loss) it is looked at as often as the share of time that truth may take allows, and a hit is known to an
interval: the target was not reached in the state looked at before, and was in this one. Checkpoints play no
part.

Time is estimated, since an address must not depend on a clock: a step or a look takes STEP reads, and each
term-evaluation as many more as there are coordinates; a gradient counts as GRADIENT values. STEP is what
asking, telling and recording take (20 microseconds for each world of a block) where a core reads some 5e9
numbers a second.
"""

from __future__ import annotations

import numpy as np

from landscapes.base import Landscape

STEP = 1e5  # reads
GRADIENT = 3  # values


def reads(
    landscape: Landscape, values: float | np.ndarray, gradients: float | np.ndarray
) -> float | np.ndarray:
    """What a step takes that evaluates so many terms: an estimate of time, in numbers read."""
    return STEP + (values + GRADIENT * gradients) * landscape.dim


def reads_of_truth(landscape: Landscape) -> float:
    """What the true loss of one point takes, in numbers read."""
    return float(landscape.terms * landscape.solution_cost * landscape.dim)


class Pace:
    """The states of R worlds in which the truth is looked at.

    They are the first, and each where what ran since the last look has earned one.

    Args:
        landscape: whose truth it is.
        worlds: R.
        share: of the time, that truth may take where it takes longer than a step; > 0, inf: all that it
            wants.
    """

    def __init__(self, landscape: Landscape, worlds: int, share: float) -> None:
        self.landscape, self.share, self.price = landscape, share, reads_of_truth(landscape)
        self.always = self.price <= max(STEP, share * STEP)
        self.terms = np.zeros((2, worlds), np.int64)  # value and gradient terms at the last step
        self.earned = np.zeros(worlds)  # reads since the last look
        self.due = np.ones(worlds, bool)  # (R,) whether this state is to be looked at

    def step(self, values: np.ndarray, gradients: np.ndarray) -> None:
        """A step was taken; terms (R,) evaluated so far."""
        if self.always:
            return
        terms = np.stack([values, gradients])
        taken = reads(self.landscape, *(terms - self.terms))
        self.earned = np.where(self.due, 0.0, self.earned) + taken
        self.due = (taken >= self.price) | (self.share * self.earned >= self.price)
        self.terms = terms


class Hits:
    """The first hits of T targets in R worlds, on K clocks.

    Args:
        targets: (R, T) losses.
        clocks: K.
        seen: steps of the last state of which it is known that no target is reached; -1: not even the start's
            is.
    """

    def __init__(self, targets: np.ndarray, clocks: int, seen: int) -> None:
        self.targets = targets
        worlds = len(targets)
        # (2, K, R, T) ends of what holds the hit; inf: never
        self.low, self.high = np.full((2, clocks, *targets.shape), np.inf)
        self.next = targets.max(1, initial=-np.inf)  # (R,) the largest not hit so far; -inf: none
        self.any_open = bool(self.open.any())
        self.seen_steps = np.full(worlds, seen)  # (R,) of the last state looked at
        self.seen = np.zeros((clocks, worlds))  # what the clocks showed then

    @property
    def open(self) -> np.ndarray:
        """(R,) bool, worlds that have not hit all targets."""
        return self.next > -np.inf

    def look(self, loss: np.ndarray, now: np.ndarray, steps: np.ndarray, rows: np.ndarray) -> None:
        """Take the loss of states, in the worlds `rows`.

        Args:
            loss: (R,) true loss.
            now: (K, R) what the clocks show at the states.
            steps: (R,) completed by then.
            rows: (R,) bool, the worlds that are looked at.
        """
        reached = rows & (loss <= self.next)
        if reached.any():
            first = (loss[:, None] <= self.targets) & np.isinf(self.high[0]) & reached[:, None]
            follows = steps <= self.seen_steps + 1  # nothing lies between two such states
            before = np.where(follows, now, self.seen)
            self.high = np.where(first, now[..., None], self.high)
            self.low = np.where(first, before[..., None], self.low)
            self.next = np.where(np.isinf(self.high[0]), self.targets, -np.inf).max(1)
            self.any_open = bool(self.open.any())
        self.seen_steps = np.where(rows, steps, self.seen_steps)
        self.seen = np.where(rows, now, self.seen)
