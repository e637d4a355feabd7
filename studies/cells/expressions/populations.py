"""What a population is made of at a moment, by the same functions as in the noise ledger."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from landscapes.binary.genotypes import letter_number
from optimizers.base import Optimizer
from studies.cells.expressions import letters
from studies.cells.ledger import population
from studies.kinds.instruments import Moment

Measure = Callable[[Tensor, Tensor], Tensor]  # of points (R, P, D) and their shares (R, P): (R,)


@dataclass(frozen=True)
class Population:
    """The individuals of R worlds (`Optimizer.individuals`); NaN is said of what is no population.

    Args:
        points: (R, P, D); None where there is no population.
        share: (R, P) of the population that each stands for.
        worlds: R.
        sizes: how many letters each site has; empty: two.
    """

    points: Tensor | None
    share: Tensor | None
    worlds: int
    sizes: tuple[int, ...] = ()

    @staticmethod
    def of(optimizer: Optimizer, moment: Moment, sizes: tuple[int, ...] = ()) -> Population:
        """That of a moment."""
        points, share = optimizer.individuals(moment.state) or (None, None)
        return Population(points, share, len(moment.steps), sizes)

    def of_members(self, measure: Measure) -> Tensor:
        """A measure of points and their shares: (R,)."""
        if self.points is None or self.share is None:
            return torch.full((self.worlds,), torch.nan, dtype=torch.float64)
        return measure(self.points, self.share)

    @property
    def heterozygosity(self) -> Tensor:
        """Mean of 2 p (1 - p) over loci, of several letters 1 - sum p^2: (R,)."""
        if self.sizes:
            return self.of_members(
                lambda x, share: letters.heterozygosity(letters.frequencies(x, share, self.sizes))
            )
        return self.of_members(
            lambda x, share: population.heterozygosity(population.frequencies(x, share))
        )

    @property
    def linkage_disequilibrium(self) -> Tensor:
        """Mean r^2 over pairs of polymorphic loci: (R,)."""
        return self.of_members(
            lambda x, share: population.disequilibrium(x, share, population.frequencies(x, share))
        )

    @property
    def fixed_loci(self) -> Tensor:
        """Share of loci with one allele alone: (R,)."""
        if self.sizes:
            return self.of_members(self._fixed_sites)
        return self.of_members(
            lambda x, share: population.fixed_loci(population.frequencies(x, share), x.shape[1])
        )

    def _fixed_sites(self, points: Tensor, share: Tensor) -> Tensor:
        frequency = letters.frequencies(points, share, self.sizes)
        return letters.fixed(frequency, points.shape[1]).double().mean(1)

    def genotype_frequencies(self, loci: int) -> Tensor:
        """Of genotypes by their number: (R, G)."""
        sizes = self.sizes or (2,) * loci
        empty = torch.zeros((self.worlds, math.prod(sizes)), dtype=torch.float64)
        if self.points is None or self.share is None:
            return empty.fill_(torch.nan)
        number = letter_number(self.points, sizes)
        return empty.to(number.device).scatter_add(1, number, self.share.double())

    def trait_variance(self, dim: int) -> Tensor:
        """Variance of each of `dim` coordinates over individuals, by their shares: (R, D)."""
        if self.points is None or self.share is None:
            return torch.full((self.worlds, dim), torch.nan, dtype=torch.float64)
        share = (self.share / self.share.sum(1, keepdim=True))[..., None]
        away = self.points.double() - (share * self.points).sum(1, keepdim=True)
        return (share * away.square()).sum(1)

    @property
    def genotypes(self) -> Tensor:
        """Different individuals: (R,)."""
        return self.of_members(population.genotypes)
