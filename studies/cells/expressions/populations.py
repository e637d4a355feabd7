"""What a population is made of at a moment, by the same functions as in the noise ledger."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import torch
from torch import Tensor

from optimizers.base import Optimizer
from studies.cells.ledger import population
from studies.instruments import Moment


@dataclass(frozen=True)
class Population:
    """The individuals of R worlds (`Optimizer.individuals`); NaN is said of what is no population.

    Args:
        points: (R, P, D); None where there is no population.
        share: (R, P) of the population that each stands for.
        worlds: R.
    """

    points: Tensor | None
    share: Tensor | None
    worlds: int

    @staticmethod
    def of(optimizer: Optimizer, moment: Moment) -> Population:
        """That of a moment."""
        points, share = optimizer.individuals(moment.state) or (None, None)
        return Population(points, share, len(moment.steps))

    @functools.cached_property
    def alleles(self) -> dict[str, Tensor]:
        """Heterozygosity, linkage disequilibrium and fixed loci: (R,) each."""
        if self.points is None or self.share is None:
            return dict.fromkeys(population.OF_ALLELES, self._nothing)
        return population.alleles(self.points, self.share, binary=True)

    @property
    def heterozygosity(self) -> Tensor:
        """(R,)."""
        return self.alleles["heterozygosity"]

    @property
    def linkage_disequilibrium(self) -> Tensor:
        """(R,)."""
        return self.alleles["linkage_disequilibrium"]

    @property
    def fixed_loci(self) -> Tensor:
        """(R,)."""
        return self.alleles["fixed_loci"]

    @functools.cached_property
    def genotypes(self) -> Tensor:
        """Different individuals: (R,)."""
        if self.points is None or self.share is None:
            return self._nothing
        return population.genotypes(self.points, self.share)

    @property
    def _nothing(self) -> Tensor:
        return torch.full((self.worlds,), torch.nan, dtype=torch.float64)
