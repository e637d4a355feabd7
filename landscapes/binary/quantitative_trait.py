"""A quantitative trait of additive loci under stabilising selection.

Trait z = sum_i a_i (2 x_i - 1); Gaussian fitness w = exp(-(z - theta)^2 / (2 omega^2)) (Lande 1976, "Natural
selection and random genetic drift in phenotypic evolution", Evolution 30, 314-334). The loss is -ln w, less
that of the best genotype where this is known. Loci add up in the trait but not in fitness: near the optimum
every substitution has sign epistasis, and many genotypes are nearly equally good (Barton 1986, "The
maintenance of polygenic variation through a balance between mutation and stabilizing selection", Genet. Res.
47, 209-216).

At linkage equilibrium with allele frequencies p the mean of -ln w is ((E z - theta)^2 + Var z) / (2 omega^2),
Var z = sum_i 4 a_i^2 p_i (1 - p_i).

Streams: "instance" (part 0 the effects).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal, Self

import torch
from annotated_types import Ge, Gt
from torch import Tensor

from landscapes.base import Bits, Domain, FitnessLaw, Landscape, Terms, per_instance, weighted
from landscapes.binary.genotypes import ENUMERATED, bits, common_measure
from landscapes.checks import UNBOUND, check_bound, check_chances, check_points
from landscapes.numerics import dot
from landscapes.streams import Streams
from landscapes.together import of_worlds


@dataclass(frozen=True, kw_only=True)
class QuantitativeTrait(Landscape):
    """Additive loci under stabilising selection.

    -ln fitness, quadratic in the distance of a trait from its optimum.

    The best genotype is known where effects are equal, and for n <= 20; the loss is then the gap to it.
    Elsewhere `gap_known` is False and the loss is -ln w itself, of which 0 is a bound. Methods that select by
    fitness take w (`fitness_law`).

    Source: Lande 1976; Barton 1986.

    Args:
        n: loci, >= 1.
        effects: of the alleles, |a_i| or a_i: equal, all `scale`; normal, of mean 0 and standard deviation
            `scale`; exponential, of mean `scale`.
        scale: size of effects, in units of the trait, > 0.
        theta: the optimal trait, in units of the trait.
        width: omega, the width of the fitness function, in units of the trait, > 0; large: weak selection.
    """

    name: ClassVar[str] = "quantitative_trait"
    n: Annotated[int, Ge(1)] = 50
    effects: Literal["equal", "normal", "exponential"] = "normal"
    scale: Annotated[float, Gt(0)] = 1.0
    theta: float = 0.0
    width: Annotated[float, Gt(0)] = 5.0
    sizes: Tensor = field(init=False, repr=False, compare=False, default=UNBOUND)  # (R, n) a
    # (R, n) uint8 a best genotype, None: unknown
    optimum: Tensor | None = field(init=False, repr=False, compare=False, default=None)
    # (R, 1) its -ln w; 0 where unknown
    best: Tensor = field(init=False, repr=False, compare=False, default=UNBOUND)
    # (R, 1) each: theta, 2 omega^2
    numbers: tuple[Tensor, ...] = field(init=False, repr=False, compare=False, default=())

    @property
    def dim(self) -> int:
        """The loci."""
        return self.n

    @property
    def domain(self) -> Domain:
        """Genotypes, haploid."""
        return Bits()

    @property
    def extension_cost(self) -> int:
        """The mean of the trait and its variance, where the loss needs the trait."""
        return 2

    @property
    def spacing(self) -> float:
        """The spacing of the squares of all traits, in units of `scale`, where effects are equal."""
        squares = [(2 * ones - self.n - self.theta / self.scale) ** 2 for ones in range(self.n + 1)]
        unit = self.scale**2 / (2 * self.width**2)
        return (
            unit * common_measure(*(square - squares[0] for square in squares))
            if self.effects == "equal"
            else 0.0
        )

    @property
    def gap_known(self) -> bool:
        """Whether the best genotype is known (see the class)."""
        return self.effects == "equal" or self.n <= ENUMERATED

    @property
    def fitness_law(self) -> FitnessLaw:
        """exp(-loss), relative to the best genotype where that is known."""
        return FitnessLaw(log=True)

    def bind(self, streams: Streams) -> Self:
        """Draw the effects and find the best genotype."""
        sizes = per_instance(streams, self._sizes)
        given = of_worlds(streams, self.theta, 2 * self.width * self.width)
        drawn = self.bound(sizes=sizes, best=torch.zeros_like(sizes[:, :1]), numbers=given)
        if not self.gap_known:
            return drawn
        optimum = per_instance(
            streams, lambda s: torch.stack([self._best(effects) for effects in self._sizes(s)])
        )
        return drawn.bound(optimum=optimum, best=drawn.loss(optimum[:, None]))

    def loss(self, x: Tensor, terms: Terms | None = None, time: Tensor | None = None) -> Tensor:
        """-ln w of x (R, P, n) uint8, less that of the best genotype where it is known -> (R, P)."""
        del time
        check_points(self, x)
        check_bound(self.name, x, self.sizes)
        away = self._trait(x.to(self.sizes.dtype)) - self.numbers[0]
        return self._gap(away * away, terms)

    def extension(self, p: Tensor, terms: Terms | None = None, time: Tensor | None = None) -> Tensor:
        """Its mean at linkage equilibrium with allele frequencies p (R, P, n) -> (R, P)."""
        del time
        check_chances(self, p)
        check_bound(self.name, p, self.sizes)
        away = self._trait(p) - self.numbers[0]
        variance = 4 * dot((self.sizes * self.sizes)[:, None], p * (1 - p))
        return self._gap(away * away + variance, terms)

    def _trait(self, x: Tensor) -> Tensor:
        return dot(self.sizes[:, None], 2 * x - 1)

    def _gap(self, square: Tensor, terms: Terms | None) -> Tensor:
        return weighted(square / self.numbers[1] - self.best, terms)

    def _sizes(self, streams: Streams) -> Tensor:
        if self.effects == "equal":
            return torch.full(
                (streams.size, self.n), self.scale, dtype=streams.dtype, device=streams.device
            )
        if self.effects == "normal":
            return self.scale * streams.normal("instance", (self.n,))
        return -self.scale * torch.log1p(-streams.uniform("instance", (self.n,)))

    def _best(self, sizes: Tensor) -> Tensor:
        """The genotype of the trait nearest to the optimum, from effects (n,): (n,) uint8."""
        if self.effects == "equal":
            up = min(max(round((self.theta / self.scale + self.n) / 2), 0), self.n)
            return (torch.arange(self.n, device=sizes.device) < up).to(torch.uint8)
        trait = torch.zeros(1, dtype=torch.float64, device=sizes.device)
        for a in sizes.double():
            trait = torch.cat((
                trait - a,
                trait + a,
            ))  # of all genotypes of the loci so far, the lowest bit first
        return bits((trait - self.theta).abs().argmin(), self.n)
