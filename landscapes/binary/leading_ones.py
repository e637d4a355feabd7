"""LeadingOnes: how far the loci agree with a target, counted from the first.

Rudolph (1997), "Convergence properties of evolutionary algorithms", Kovac; L(x) = n - sum_i prod_{j <= i}
[x_j = t_j]. Terms are the n products. The (1+1)-EA with mutation rate p takes ((1 - p)^(1 - n) - (1 - p)) /
(2 p^2) evaluations in the mean (Boettcher, Doerr and Neumann 2010, "Optimal fixed and adaptive mutation rates
for the LeadingOnes problem", PPSN XI, 1-10).

Streams: "instance" (part 0 the target, where it is random).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from operator import mul
from typing import ClassVar

import torch
from torch import Tensor

from landscapes.base import Terms
from landscapes.binary.hidden_target import HiddenTarget, total
from landscapes.checks import check_chances, check_points


@dataclass(frozen=True, kw_only=True)
class LeadingOnes(HiddenTarget):
    """LeadingOnes: n less the number of loci before the first that differs from the target.

    Loci count only in order.

    Source: Rudolph 1997.

    Args:
        n: loci, >= 1.
        target: ones, or random, drawn for each instance.
    """

    name: ClassVar[str] = "leading_ones"

    @property
    def terms(self) -> int:
        """The beginnings of a genotype, by length."""
        return self.n

    @property
    def spacing(self) -> float:
        """Losses are numbers of loci."""
        return 1.0

    @property
    def extension_cost(self) -> int:
        """The extension is the same sum of products."""
        return 1

    def loss(self, x: Tensor, terms: Terms | None = None, time: Tensor | None = None) -> Tensor:
        """Loci of x (R, P, n) uint8 after the leading ones that agree with the target -> (R, P)."""
        del time
        check_points(self, x)
        return total(_broken(self.agreement(x)), terms)

    def extension(self, p: Tensor, terms: Terms | None = None, time: Tensor | None = None) -> Tensor:
        """Its mean at chances p (R, P, n) -> (R, P)."""
        del time
        check_chances(self, p)
        return total(_broken(self.agreement(p)), terms)


def _broken(q: Tensor) -> Tensor:
    """Whether the first i loci do not all agree, or its chance, i = 1 .. n: (R, P, n).

    The derivative of cumprod divides; this does not.
    """
    return 1 - torch.stack(list(accumulate(q.unbind(-1), mul)), -1)
