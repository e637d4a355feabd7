"""What a search has been charged: evaluations and gradients, at their price."""

from __future__ import annotations

import numpy as np

# relative: a cost that differs by less from a budget or a checkpoint has reached it, and not overshot it
ROUNDING = 1e-12


class Bill:
    """What R worlds have spent.

    It is kept on the host, so that the loop never waits for a device to know where it stands.

    Args:
        worlds: R.
        terms: terms in one evaluation of the whole loss.
        budget: evaluations that a world may spend at the lowest price.
        price: evaluations that one gradient costs.
        lowest_price: the price at which the budget is counted; None: `price`.
    """

    def __init__(
        self,
        worlds: int,
        *,
        terms: int,
        budget: float,
        price: float = 3.0,
        lowest_price: float | None = None,
    ) -> None:
        self.terms, self.budget, self.price = terms, budget, price
        self.lowest_price = price if lowest_price is None else lowest_price
        self.values, self.gradients, self.steps = np.zeros((3, worlds), np.int64)  # (R,) each
        self.alive = np.ones(worlds, bool)  # (R,) worlds that still run
        self.spent = np.zeros(worlds)  # (R,) cost at `price` so far
        self.within = np.ones(worlds, bool)  # (R,) whether the last step ended within the budget

    def open(self) -> bool:
        """Whether any world still runs."""
        return bool(self.alive.any())

    def cost(self, price: float | None = None) -> np.ndarray:
        """(R,) float64: evaluations spent so far, at this price of a gradient."""
        return (self.values + (self.price if price is None else price) * self.gradients) / self.terms

    def charge(self, counts: int | np.ndarray, *, gradient: bool) -> None:
        """Add counts (R,) term-evaluations and one step to the worlds that run.

        Close those whose budget is spent.
        """
        target = self.gradients if gradient else self.values
        target += counts * self.alive
        self.steps += self.alive
        self.spent = self.cost()
        lowest = self.spent if self.lowest_price == self.price else self.cost(self.lowest_price)
        self.within = lowest <= self.budget * (1 + ROUNDING)
        self.alive &= lowest < self.budget * (1 - ROUNDING)

    def close(self, worlds: np.ndarray) -> None:
        """Stop the worlds marked in (R,) bool."""
        self.alive &= ~worlds
