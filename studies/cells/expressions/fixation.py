"""Which allele was first fixed at each locus, and when another took its place: a substitution.

It is seen after every step, not at checkpoints alone. A search that begins with one genotype has every locus
fixed at the start.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from optimizers.base import Optimizer
from studies.cells.expressions import letters
from studies.cells.ledger.population import polymorphic
from studies.kinds.instruments import Moment


class Fixation(NamedTuple):
    """The fixations of R worlds so far; NaN at loci that had none.

    A substitution that has not come is at infinity.
    """

    allele: Tensor  # (R, D) 0 or 1, or the number of a letter: the first
    step: Tensor  # (R, D) completed steps then
    cost: Tensor  # (R, D) evaluations then
    last: Tensor  # (R, D) the allele that was fixed last
    substitutions: Tensor  # (R, D) how often another one was fixed than the last
    substitution_step: Tensor  # (R, D) completed steps at the first of these

    @staticmethod
    def none(worlds: int, loci: int, device: torch.device | str = "cpu") -> Fixation:
        """Those of a search that has not begun."""
        empty = torch.full((worlds, loci), torch.nan, dtype=torch.float64, device=device)
        return Fixation(
            empty, empty, empty, empty, torch.zeros_like(empty), torch.full_like(empty, torch.inf)
        )

    def part(self, name: str) -> Tensor:
        """One of them, by its name."""
        return self._asdict()[name]

    def after(self, optimizer: Optimizer, moment: Moment, sizes: tuple[int, ...] = ()) -> Fixation:
        """The fixations, once this moment is seen too.

        Args:
            optimizer: that searches.
            moment: after its last step.
            sizes: how many letters each site has; empty: two.
        """
        allele, fixed = _of_letters(optimizer, moment, sizes) if sizes else _of_bits(optimizer, moment)
        first, other = fixed & self.last.isnan(), fixed & (allele - self.last).abs().gt(0)
        step, cost = (when.to(allele)[:, None] for when in (moment.steps, moment.cost))
        return Fixation(
            torch.where(first, allele, self.allele),
            torch.where(first, step, self.step),
            torch.where(first, cost, self.cost),
            torch.where(fixed, allele, self.last),
            self.substitutions + other,
            torch.where(other, step.minimum(self.substitution_step), self.substitution_step),
        )


def _of_bits(optimizer: Optimizer, moment: Moment) -> tuple[Tensor, Tensor]:
    """The commoner allele at each locus, and whether it is alone: (R, D) each."""
    frequency = optimizer.center(moment.state).double()
    points = 1 if moment.query is None else moment.query.points.shape[1]
    return frequency.round(), ~polymorphic(frequency, points) & ~frequency.isnan()


def _of_letters(optimizer: Optimizer, moment: Moment, sizes: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """The commonest letter at each site, and whether it is alone: (R, D) each."""
    points, share = letters.living(optimizer, moment.state)
    frequency = letters.frequencies(points, share, sizes)
    return frequency.argmax(-1).double(), letters.fixed(frequency, points.shape[1])
