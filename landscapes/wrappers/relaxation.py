"""A landscape of bits seen by a real-valued optimizer.

Coordinates are real numbers theta, a genotype is the signs of theta.

extension: L(theta) = E L(b) with independent bits, P(b_i = 1) = 1 / (1 + exp(-theta_i)): the landscape's
multilinear extension, smooth, billed at its `extension_cost`. threshold: L(theta) = L(b), b_i = 1 where
theta_i > 0: cheap and flat almost everywhere, so it has no gradient to descend; its Gaussian smoothing, which
an evolution strategy of standard deviation sigma descends, is the extension at p = Phi(theta / sigma).
lovasz: L(theta) = E L(b), b_i = 1 where 1 / (1 + exp(-theta_i)) > u, with one uniform u for all loci: the
Lovasz extension (Lovasz 1983). It is the mean loss of the n + 1 genotypes on the way that sets loci to 1 from
the largest theta to the smallest, piecewise linear in the chances, and costs n + 1 evaluations however many
loci interact. It equals the extension where loci do not interact.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, Self

import torch
from annotated_types import Gt
from torch import Tensor

from landscapes.base import Bits, Domain, Landscape, Reals, Terms
from landscapes.checks import check_points
from landscapes.numerics import logistic
from landscapes.streams import Streams
from landscapes.wrappers.around import Around


@dataclass(frozen=True, kw_only=True)
class Relaxation(Around):
    """A landscape of bits for real-valued optimizers.

    Its multilinear or its Lovasz extension, or the genotype of the signs.

    Source: Wright 1937 (mean fitness as a function of allele frequencies, at linkage equilibrium); Boros and
    Hammer 2002 (multilinear extension); Lovasz 1983, "Submodular functions and convexity", in Mathematical
    programming: the state of the art, Springer, 235-257.

    Args:
        inner: a landscape on Bits; in mode extension its `extension_cost` is known.
        mode: extension, the mean loss where each bit is 1 with its own chance 1 / (1 + exp(-theta));
            lovasz, the same with one uniform number for all bits; threshold, bits are 1 where theta > 0.
        lean: starts are theta = lean (2 b - 1) with b the inner landscape's start, > 0; so every method
            starts from the same genotypes.
    """

    name: ClassVar[str] = "relaxation"
    inner: Landscape
    mode: Literal["extension", "lovasz", "threshold"] = "extension"
    lean: Annotated[float, Gt(0)] = 1.0

    def check(self) -> None:
        """Only bits can be relaxed."""
        if not isinstance(self.inner.domain, Bits):
            raise ValueError(
                f"relaxation.inner: expected a landscape on Bits, got {self.inner.name} on"
                f" {self.inner.domain}"
            )
        if self.mode == "extension" and self.inner.extension_cost is None:
            raise ValueError(
                f"relaxation.inner: expected a landscape whose extension can be computed, got {self.inner!r}"
            )

    @property
    def domain(self) -> Domain:
        """The box that the starts span."""
        return Reals(-self.lean, self.lean)

    @property
    def unit_cost(self) -> int:
        """The cost of a value, in evaluations of the inner landscape at a genotype."""
        reads = {"extension": self.inner.extension_cost or 1, "lovasz": self.dim + 1, "threshold": 1}
        return self.inner.unit_cost * reads[self.mode]

    @property
    def sloped(self) -> bool:
        """The extensions are."""
        return self.mode != "threshold"

    @property
    def values_are_solutions(self) -> bool:
        """In mode threshold a value is the loss of the genotype that theta stands for."""
        return self.mode == "threshold"

    @property
    def extras(self) -> Mapping[str, tuple[str, str]]:  # type: ignore[override]
        """As the inner landscape."""
        return self.inner.extras

    def bind(self, streams: Streams) -> Self:
        """Bind the inner landscape."""
        return self.bound(inner=self.inner.bind(streams))

    def loss(self, x: Tensor, terms: Terms | None = None, time: Tensor | None = None) -> Tensor:
        """Theta (R, P, D) -> (R, P); in mode threshold not differentiable."""
        check_points(self, x)
        if self.mode == "threshold":
            return self.inner.loss(genotype(x), terms, time)
        if self.mode == "lovasz":
            return lovasz_extension(self.inner, logistic(x), terms, time)
        return self.inner.extension(logistic(x), terms, time)

    def start(self, streams: Streams, n: int) -> Tensor:
        """The inner landscape's starts, (R, n, D), leaning to their genotypes."""
        return self.leaning(self.inner.start(streams, n).to(streams.dtype))

    def leaning(self, bits: Tensor) -> Tensor:
        """Theta that leans to genotypes (R, P, n), given as floating-point numbers."""
        return self.lean * (2 * bits - 1)

    def observe(self, value: Tensor, points: Tensor, streams: Streams) -> Tensor:
        """As the inner landscape."""
        return self.inner.observe(value, genotype(points), streams)

    def solution_loss(self, x: Tensor, time: Tensor | None = None) -> Tensor:
        """The loss of the genotypes of theta (R, P, D) -> (R, P)."""
        return self.inner.solution_loss(genotype(x), time)

    def measures(self, x: Tensor) -> dict[str, Tensor]:
        """The inner landscape's, of the genotypes of theta (R, D)."""
        return self.inner.measures(genotype(x))


def genotype(theta: Tensor) -> Tensor:
    """Bits, uint8: 1 where theta > 0."""
    return (theta > 0).to(torch.uint8)


def lovasz_extension(
    landscape: Landscape,
    p: Tensor,
    terms: Terms | None = None,
    time: Tensor | None = None,
) -> Tensor:
    """The mean loss of the genotypes whose loci are 1 where p > u, with one uniform u for all loci.

    With p_1 >= .. >= p_n in descending order, p_0 = 1, p_(n + 1) = 0, and b_j the genotype with 1 at the
    first j of these loci, it is sum over j = 0 .. n of (p_j - p_(j + 1)) L(b_j). Loci of equal p are taken in
    their own order.

    Args:
        landscape: on Bits, bound.
        p: (R, P, n), chances of a 1, in [0, 1].
        terms: of a mini-batch; None: all.
        time: (R,) for moving landscapes.
    """
    points, loci = p.shape[1:]
    ordered, order = p.sort(stable=True, dim=-1, descending=True)
    rank = order.argsort(-1)
    count = torch.arange(loci + 1, device=p.device)
    chain = (rank[:, :, None] < count[:, None]).to(torch.uint8)  # (R, P, n + 1, n)
    if terms is not None and terms.index.shape[1] > 1:
        terms = Terms(*(part.repeat_interleave(loci + 1, 1) for part in terms))
    losses = landscape.loss(chain.flatten(1, 2), terms, time).unflatten(1, (points, loci + 1))
    one = torch.ones_like(ordered[..., :1])
    chance = torch.cat((one, ordered), -1) - torch.cat((ordered, 0 * one), -1)
    return (chance * losses).sum(-1)
