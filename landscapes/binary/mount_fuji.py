"""Rough Mount Fuji: a slope towards a reference genotype, plus independent noise.

f(x) = -sum_i c_i |x_i - x*_i| + a eta(x), with x* the reference genotype and eta(x) independent random
numbers: Aita, Uchiyama, Inaoka, Nakajima, Kokubo, Husimi (2000), "Analysis of a local fitness landscape with
a model of the rough Mt. Fuji-type landscape", Biopolymers 54, 64-79. With all c_i = c it is f(x) = -c d(x,
x*) + a eta(x), of Neidhart, Szendro, Krug (2014), "Adaptation in tunably rugged fitness landscapes: the rough
Mount Fuji model", Genetics 198, 699-721.

Streams: "instance" (part 0 eta by a keyed hash of the bits, part 1 the reference, part 2 the effects of the
loci).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal, Self

import torch
from annotated_types import Ge
from torch import Tensor

from landscapes.base import Bits, Domain, Landscape, Terms, weighted
from landscapes.binary.genotypes import ENUMERATED, STORED
from landscapes.binary.random_tables import UNDRAWN, Gap, Law, RandomTable, draw_table, find_gap
from landscapes.checks import check_bound, check_chances, check_points
from landscapes.numerics import dot
from landscapes.streams import Streams
from landscapes.together import of_worlds


@dataclass(frozen=True)
class RoughSlope:
    """The fitness function f of R worlds.

    Args:
        reference: (R, n) uint8 x*.
        effects: (R, n) c_i.
        noise: eta.
        noise_scale: (R, 1) a.
    """

    reference: Tensor
    effects: Tensor
    noise: RandomTable
    noise_scale: Tensor

    def __call__(self, x: Tensor) -> Tensor:
        """The fitness of genotypes x (1 | R, P, n) uint8 -> (R, P)."""
        differs = (x ^ self.reference[:, None]).to(self.effects.dtype)
        return self.noise_scale * self.noise(x) - dot(differs, self.effects[:, None])


@dataclass(frozen=True, kw_only=True)
class RoughMountFuji(Landscape):
    """Rough Mount Fuji: a slope towards a reference genotype, plus independent noise for every genotype.

    The ruggedness is tuned by noise over slope. The optimum is found by looking at all genotypes, so the loss
    is the gap to it, for n <= 20; beyond, `gap_known` is False and the loss is -f. The multilinear extension
    is the mean of all 2^n values: it can be computed for n <= 16.

    Source: Aita et al. 2000; Neidhart, Szendro and Krug 2014.

    Args:
        n: loci, >= 1; all 2^n values are stored up to 16, none beyond.
        slope: c, the mean loss of fitness for each locus that differs from the reference, >= 0.
        slope_spread: the effects c_i of the loci are normal with mean `slope` and this standard deviation, >=
            0; a negative one points away.
        reference: x*, random, drawn for each instance; ones, the genotype of ones.
        law: of eta: uniform on [0, 1), standard normal, exponential with mean 1, or standard Gumbel.
        noise_scale: a, in units of fitness, >= 0; a eta has a standard deviation of a times 0.289, 1, 1 or
            1.283, in the order of the laws.
    """

    name: ClassVar[str] = "mount_fuji"
    n: Annotated[int, Ge(1)] = 16
    slope: Annotated[float, Ge(0)] = 1.0
    slope_spread: Annotated[float, Ge(0)] = 0.0
    reference: Literal["random", "ones"] = "random"
    law: Law = "gumbel"
    noise_scale: Annotated[float, Ge(0)] = 1.0
    gap: Gap = field(init=False, repr=False, compare=False, default=UNDRAWN)
    # (R, n) uint8 a best genotype, None for n > 20
    optimum: Tensor | None = field(init=False, repr=False, compare=False, default=None)

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
        """Whether the optimum can be found (see the class)."""
        return self.n <= ENUMERATED

    @property
    def spacing(self) -> float:
        """The slope, where there is nothing else."""
        return 0.0 if self.noise_scale or self.slope_spread else self.slope

    @property
    def extension_cost(self) -> int | None:
        """What one value of `extension` costs, in evaluations: it reads all values."""
        return 2**self.n if self.n <= STORED else None

    def bind(self, streams: Streams) -> Self:
        """Draw reference and effects, key the noise, and find the optimum."""
        gap = find_gap(streams, self.n, self._fitness)
        return self.bound(gap=gap, optimum=gap.optimum)

    def loss(self, x: Tensor, terms: Terms | None = None, time: Tensor | None = None) -> Tensor:
        """Gap to the optimum, or -f where it is not known, of genotypes x (R, P, n) uint8 -> (R, P)."""
        del time
        check_points(self, x)
        check_bound(self.name, x, self.gap.best)
        return weighted(self.gap.loss(x), terms)

    def extension(self, p: Tensor, terms: Terms | None = None, time: Tensor | None = None) -> Tensor:
        """The mean loss of genotypes whose loci are 1 independently with chances p (R, P, n) -> (R, P).

        There may be at most 16 loci.
        """
        del time
        check_chances(self, p)
        check_bound(self.name, p, self.gap.best)
        return weighted(self.gap.extension(p), terms)

    def _fitness(self, streams: Streams) -> RoughSlope:
        shape = (self.n,)
        ones = torch.ones((streams.size, self.n), dtype=torch.uint8, device=streams.device)
        reference = (
            ones
            if self.reference == "ones"
            else streams.coins("instance", shape, part=1).to(torch.uint8)
        )
        effects = self.slope + self.slope_spread * streams.normal("instance", shape, part=2)
        (scale,) = of_worlds(streams, self.noise_scale)
        return RoughSlope(reference, effects, draw_table(streams, self.law), scale)
