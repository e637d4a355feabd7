"""A fitness valley: a peak that is reached only through deleterious, or neutral, intermediates.

Weissman, Desai, Fisher, Feldman (2009), "The rate at which asexual populations cross fitness valleys", Theor.
Popul. Biol. 75, 286-300. The wild type, all bits 0, has fitness 1; on the way to the peak its first k + 1
loci must all mutate: with 1 .. k mutations fitness is 1 - delta, with all 1 + s. A population crosses either
by fixing the intermediates or by tunnelling, where a lineage of intermediates that never fixes finds the
peak.

Streams: none; every start is the wild type.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal, Self

import torch
from annotated_types import Ge, Gt, Le
from torch import Tensor

from landscapes.base import Bits, Domain, FitnessLaw, Landscape, Terms, weighted
from landscapes.binary.genotypes import common_measure
from landscapes.checks import UNBOUND, check_bound, check_chances, check_points
from landscapes.numerics import dot
from landscapes.streams import Streams


@dataclass(frozen=True, kw_only=True)
class ValleyCrossing(Landscape):
    """Fitness valley: a peak behind k deleterious intermediates; every start is the wild type, all bits 0.

    The loss is the gap to the peak, so fitness is w = 1 + advantage - loss: 1 for the wild type, and methods
    that select by fitness take it so (`fitness_law`). The loss is a polynomial in the bits which is itself
    the multilinear extension, so this costs what a value costs.

    Source: Weissman, Desai, Fisher and Feldman 2009.

    Args:
        n: loci, >= width + 1; the first width + 1 matter, the others are neutral.
        width: k, the intermediate steps on the way to the peak, >= 0; 0: no valley.
        depth: delta, how much less fit than the wild type an intermediate is, 0 <= delta <= 1; 0: a neutral
            plateau; 1: lethal.
        advantage: s, how much fitter than the wild type the peak is, > 0.
        order: any, the mutations of an intermediate may be any of the k + 1; fixed, locus i can only mutate
            after all loci before it.
        off_path: fitness of the genotypes that break a fixed order, 0 <= w <= 1; 0: lethal. With order any
            there are none.
    """

    name: ClassVar[str] = "valley_crossing"
    n: Annotated[int, Ge(1)] = 8
    width: Annotated[int, Ge(0)] = 1
    depth: Annotated[float, Ge(0), Le(1)] = 0.05
    advantage: Annotated[float, Gt(0)] = 0.1
    order: Literal["any", "fixed"] = "any"
    off_path: Annotated[float, Ge(0), Le(1)] = 0.0
    # (R, k + 3) of 0 .. k + 1 mutations in order, and of others
    gaps: Tensor = field(init=False, repr=False, compare=False, default=UNBOUND)
    # (R, n) uint8 the peak
    optimum: Tensor | None = field(init=False, repr=False, compare=False, default=None)

    def check(self) -> None:
        """The loci of the valley must exist."""
        if self.n < self.width + 1:
            raise ValueError(
                f"valley_crossing.n: expected at least width + 1 = {self.width + 1} loci, got {self.n}"
            )

    @property
    def dim(self) -> int:
        """The loci."""
        return self.n

    @property
    def domain(self) -> Domain:
        """Genotypes."""
        return Bits()

    @property
    def gap_known(self) -> bool:
        """The peak is known."""
        return True

    @property
    def fitness_law(self) -> FitnessLaw:
        """1 + advantage - loss."""
        return FitnessLaw(1 + self.advantage)

    @property
    def spacing(self) -> float:
        """The largest number of which all differences of losses are multiples.

        With width 0 genotypes off the path do not occur.
        """
        return common_measure(*(self._losses if self.width else self._losses[:-1]))

    @property
    def extension_cost(self) -> int:
        """The same sum as a value."""
        return 1

    def bind(self, streams: Streams) -> Self:
        """The losses along the path, shared by all worlds."""
        gaps = torch.tensor([self._losses], dtype=streams.dtype, device=streams.device)
        peak = (torch.arange(self.n, device=streams.device) <= self.width).to(torch.uint8)
        return self.bound(gaps=gaps.expand(streams.size, -1), optimum=peak.expand(streams.size, -1))

    def start(self, streams: Streams, n: int) -> Tensor:
        """The wild type, (R, n, D)."""
        return torch.zeros((streams.size, n, self.n), dtype=torch.uint8, device=streams.device)

    def loss(self, x: Tensor, terms: Terms | None = None, time: Tensor | None = None) -> Tensor:
        """Gap to the peak of genotypes x (R, P, n) uint8 -> (R, P)."""
        del time
        check_points(self, x)
        check_bound(self.name, x, self.gaps)
        return weighted(self._mean(x.to(self.gaps.dtype)), terms)

    def extension(self, p: Tensor, terms: Terms | None = None, time: Tensor | None = None) -> Tensor:
        """The mean loss of genotypes whose loci are 1 independently with chances p (R, P, n) -> (R, P)."""
        del time
        check_chances(self, p)
        check_bound(self.name, p, self.gaps)
        return weighted(self._mean(p), terms)

    @property
    def _losses(self) -> list[float]:
        """The losses of 0 .. k + 1 mutations in order, and of all other genotypes."""
        others = 1 - self.depth if self.order == "any" else self.off_path
        fitness = [1.0] + self.width * [1 - self.depth] + [1 + self.advantage, others]
        return [1 + self.advantage - w for w in fitness]

    def _mean(self, p: Tensor) -> Tensor:
        """Losses weighted by the chances of 0 .. k + 1 mutations in order, and of all other genotypes.

        With order any the latter are intermediates too.
        """
        loci = p[..., : self.width + 1].split(1, -1)
        mutated, wild = [p.new_ones((*p.shape[:-1], 1))], [p.new_ones((*p.shape[:-1], 1))]
        for first, last in zip(loci, reversed(loci), strict=True):
            mutated.append(mutated[-1] * first)  # the first loci, none to all
            wild.append(wild[-1] * (1 - last))  # the last loci
        in_order = torch.cat(
            [some * rest for some, rest in zip(mutated, reversed(wild), strict=True)], -1
        )
        others = 1 - in_order.sum(-1, keepdim=True)
        return dot(torch.cat((in_order, others), -1), self.gaps[:, None])
