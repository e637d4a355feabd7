"""What stands around another landscape: whatever it does not change is that of the one inside."""

from __future__ import annotations

from typing import Literal, Self

from landscapes.base import Dropout, FitnessLaw, Landscape


class Around(Landscape):
    """Base of landscapes with an `inner` one: terms, costs, players, clock, noise and code are its own."""

    inner: Landscape

    @property
    def dim(self) -> int:
        """As the inner landscape."""
        return self.inner.dim

    @property
    def terms(self) -> int:
        """As the inner landscape."""
        return self.inner.terms

    @property
    def unit_cost(self) -> int:
        """As the inner landscape."""
        return self.inner.unit_cost

    @property
    def solution_cost(self) -> int:
        """As the inner landscape."""
        return self.inner.solution_cost

    @property
    def extension_cost(self) -> int | None:
        """As the inner landscape."""
        return self.inner.extension_cost

    @property
    def gap_known(self) -> bool:
        """As the inner landscape."""
        return self.inner.gap_known

    @property
    def spacing(self) -> float:
        """As the inner landscape."""
        return self.inner.spacing

    @property
    def fitness_law(self) -> FitnessLaw | None:
        """As the inner landscape."""
        return self.inner.fitness_law

    @property
    def additive(self) -> bool:
        """As the inner landscape."""
        return self.inner.additive

    @property
    def smallest_batch(self) -> int:
        """As the inner landscape."""
        return self.inner.smallest_batch

    @property
    def sloped(self) -> bool:
        """As the inner landscape."""
        return self.inner.sloped

    @property
    def players(self) -> tuple[int, ...]:
        """As the inner landscape."""
        return self.inner.players

    @property
    def clock(self) -> Literal["step", "cost"] | None:
        """As the inner landscape."""
        return self.inner.clock

    @property
    def noisy(self) -> bool:
        """As the inner landscape."""
        return self.inner.noisy

    @property
    def drops(self) -> bool:
        """As the inner landscape."""
        return self.inner.drops

    def dropping(self, dropout: Dropout) -> Self:
        """Around what the oracle sees of the inner landscape."""
        return self.bound(inner=self.inner.dropping(dropout))

    @property
    def values_are_solutions(self) -> bool:
        """As the inner landscape."""
        return self.inner.values_are_solutions
