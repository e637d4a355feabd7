"""Which allele was first fixed at each locus, and when: seen after every step, not at checkpoints alone."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from optimizers.base import Optimizer
from studies.cells.ledger.population import polymorphic
from studies.instruments import Moment


class Fixation(NamedTuple):
    """The first fixations of R worlds so far; NaN at loci that had none."""

    allele: Tensor  # (R, D) 0 or 1
    step: Tensor  # (R, D) completed steps
    cost: Tensor  # (R, D) evaluations

    @staticmethod
    def none(worlds: int, loci: int, device: torch.device | str = "cpu") -> Fixation:
        """Those of a search that has not begun."""
        empty = torch.full((worlds, loci), torch.nan, dtype=torch.float64, device=device)
        return Fixation(empty, empty, empty)

    def part(self, name: str) -> Tensor:
        """One of the three, by its name."""
        return self._asdict()[name]

    def after(self, optimizer: Optimizer, moment: Moment) -> Fixation:
        """The first fixations, once this moment is seen too."""
        frequency = optimizer.center(moment.state).double()
        points = 1 if moment.query is None else moment.query.points.shape[1]
        first = ~polymorphic(frequency, points) & self.allele.isnan() & ~frequency.isnan()
        now = (moment.steps, moment.cost)
        step, cost = (when.to(frequency)[:, None] for when in now)
        return Fixation(
            torch.where(first, frequency.round(), self.allele),
            torch.where(first, step, self.step),
            torch.where(first, cost, self.cost),
        )
