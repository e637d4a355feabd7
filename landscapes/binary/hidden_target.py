"""What the classical functions of bits share.

A genotype counts only through the loci at which it agrees with a target string.

The target is all ones, as in the papers, or hidden: drawn for each instance (x XOR target is what the paper's
function then sees), so that no method gains by leaning to ones. Each function is a polynomial, linear in
every locus, of the agreements q_i = 1 or 0; of independent loci, with q_i the chance of agreement, the same
polynomial is the mean: the multilinear extension.

Streams: "instance" (part 0 the target).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal, Self

import torch
from annotated_types import Ge
from torch import Tensor

from landscapes.base import Bits, Domain, Landscape, Terms, per_instance
from landscapes.checks import UNBOUND, check_bound
from landscapes.numerics import dot
from landscapes.streams import Streams


@dataclass(frozen=True, kw_only=True)
class HiddenTarget(Landscape):
    """Abstract: a loss of the agreements with a target, which is the optimum; the loss is 0 there.

    Args:
        n: loci, >= 1.
        target: ones, or random, drawn for each instance.
    """

    n: Annotated[int, Ge(1)] = 64
    target: Literal["ones", "random"] = "ones"
    # (R, n) uint8, the target
    optimum: Tensor = field(init=False, repr=False, compare=False, default=UNBOUND)
    # (R, n) the target as real numbers, in the dtype of the loss
    wanted: Tensor = field(init=False, repr=False, compare=False, default=UNBOUND)

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
        """The target has loss 0."""
        return True

    def bind(self, streams: Streams) -> Self:
        """Draw the target."""
        return self.bound(
            optimum=per_instance(streams, self._target),
            wanted=per_instance(streams, lambda s: self._target(s).to(s.dtype)),
        )

    def agreement(self, x: Tensor) -> Tensor:
        """1 where x (R, P, n) has the target's allele, else 0; where x is a chance, that of it: (R, P, n)."""
        check_bound(self.name, x, self.wanted)
        wanted = self.wanted[:, None]
        return (1 - wanted) + (2 * wanted - 1) * x

    def _target(self, streams: Streams) -> Tensor:
        if self.target == "ones":
            return torch.ones((streams.size, self.n), dtype=torch.uint8, device=streams.device)
        return streams.coins("instance", (self.n,)).to(torch.uint8)


def total(contributions: Tensor, terms: Terms | None) -> Tensor:
    """Sum of contributions (R, P, M) to a loss.

    Of a mini-batch the weighted sum of terms, each M times its contribution: (R, P).
    """
    if terms is None:
        return contributions.sum(-1)
    index = terms.index.expand(*contributions.shape[:2], -1)
    return contributions.shape[-1] * dot(terms.weight, contributions.gather(-1, index))
