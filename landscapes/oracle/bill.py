"""What a search has been charged: evaluations and gradients at their price, steps, virtual time, seconds."""

from __future__ import annotations

import numpy as np

# relative: a cost that differs by less from a budget or a checkpoint has reached it, and not overshot it
ROUNDING = 1e-12
TOLD = ("virtual_time", "seconds")  # clocks that are told where a step has ended, `Bill.tick`
CLOCKS = ("cost", "steps", "epochs", *TOLD)  # on which the length of a run may be counted


class Bill:
    """What R worlds have spent.

    It is kept on the host, so that the loop never waits for a device to know where it stands. No array is
    changed in place: who was given one keeps what it showed then.

    Args:
        worlds: R.
        terms: terms in one evaluation of the whole loss.
        budget: what a world may spend on the clock; of cost, evaluations at the lowest price.
        price: evaluations that one gradient costs, a number or (R,).
        lowest_price: the price at which the budget is counted, likewise; None: `price`.
        clock: of `CLOCKS`, on which the budget and all milestones are counted.
    """

    def __init__(
        self,
        worlds: int,
        *,
        terms: int,
        budget: float,
        price: float | np.ndarray = 3.0,
        lowest_price: float | np.ndarray | None = None,
        clock: str = "cost",
    ) -> None:
        self.terms, self.budget, self.price, self.clock = terms, budget, price, clock
        self.lowest_price = price if lowest_price is None else lowest_price
        self.cheaper = clock == "cost" and bool(np.any(self.lowest_price != price))
        self.values, self.gradients, self.steps = np.zeros((3, worlds), np.int64)  # (R,) each
        self.told = {name: np.zeros(worlds) for name in TOLD}  # (R,) each
        self.alive = np.ones(worlds, bool)  # (R,) worlds that still run
        self.stepped = self.alive  # (R,) worlds that took the last step
        self.spent = np.zeros(worlds)  # (R,) cost at `price` so far
        self.within = np.ones(worlds, bool)  # (R,) whether the last step ended within the budget

    def open(self) -> bool:
        """Whether any world still runs."""
        return bool(self.alive.any())

    def cost(self, price: float | np.ndarray | None = None) -> np.ndarray:
        """(R,) float64: evaluations spent so far, at this price of a gradient, a number or (R,)."""
        return (self.values + (self.price if price is None else price) * self.gradients) / self.terms

    def epochs(self) -> np.ndarray:
        """(R,) float64: terms evaluated so far, over those of the whole loss."""
        return (self.values + self.gradients) / self.terms

    @property
    def now(self) -> np.ndarray:
        """(R,) where the worlds stand on the budget's clock; of cost, at the nominal price."""
        return self.on(self.clock)

    def on(self, clock: str) -> np.ndarray:
        """(R,) where the worlds stand on a clock of `CLOCKS`; of cost, at the nominal price."""
        match clock:
            case "cost":
                return self.spent
            case "steps":
                return self.steps
            case "epochs":
                return self.epochs()
        return self.told[clock]

    def charge(self, counts: int | np.ndarray, *, gradient: bool) -> None:
        """Add counts (R,) term-evaluations and one step to the worlds that run.

        Close those whose budget is spent; on a clock of `TOLD` this waits for `tick`.
        """
        self.stepped = self.alive
        charged = counts * self.alive
        if gradient:
            self.gradients = self.gradients + charged
        else:
            self.values = self.values + charged
        self.steps = self.steps + self.alive
        self.spent = self.cost()
        if self.clock not in TOLD:
            self._close_spent()

    def tick(self, clock: str, time: np.ndarray | float) -> None:
        """Take the time, (R,) or of all, at which the step that was charged last has ended.

        Args:
            clock: of `TOLD`.
            time: what it shows there.
        """
        self.told[clock] = np.where(self.stepped, time, self.told[clock])
        if clock == self.clock:
            self._close_spent()

    def _close_spent(self) -> None:
        """Close the worlds whose budget is spent."""
        counted = self.cost(self.lowest_price) if self.cheaper else self.now
        self.within = counted <= self.budget * (1 + ROUNDING)
        self.alive = self.alive & (counted < self.budget * (1 - ROUNDING))

    def close(self, worlds: np.ndarray) -> None:
        """Stop the worlds marked in (R,) bool."""
        self.alive = self.alive & ~worlds
