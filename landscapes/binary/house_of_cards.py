"""The House of Cards: every genotype has an independent random fitness.

Kingman (1978), "A simple model for the balance between selection and mutation", J. Appl. Prob. 15, 1-12;
Kauffman and Levin (1987), "Towards a general theory of adaptive walks on rugged landscapes", J. theor. Biol.
128, 11-45. It is the most rugged of the random landscapes, like an NK landscape at k = n - 1: 2^n / (n + 1)
peaks are expected whatever the law (Macken and Perelson 1989, PNAS 86, 6191-6195).

Streams: "instance" (part 0 the fitness of every genotype, by a keyed hash of its bits).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Self

from annotated_types import Ge
from torch import Tensor

from landscapes.base import Bits, Domain, Landscape, Terms, weighted
from landscapes.binary.genotypes import ENUMERATED, STORED
from landscapes.binary.random_tables import UNDRAWN, Gap, Law, draw_table, find_gap
from landscapes.checks import check_bound, check_chances, check_points
from landscapes.streams import Streams


@dataclass(frozen=True, kw_only=True)
class HouseOfCards(Landscape):
    """House of Cards: n bits, the fitness of every genotype is an independent random number.

    The optimum is found by looking at all genotypes, so the loss is the gap to it, for n <= 20. Beyond,
    `gap_known` is False and the loss is 1 - F where the law is uniform (so 0 is a bound), else -F. The
    multilinear extension is the mean of all 2^n values: it can be computed for n <= 16.

    Source: Kingman 1978; Kauffman and Levin 1987.

    Args:
        n: loci, >= 1; all 2^n values are stored up to 16, none beyond.
        law: of the fitness F: uniform on [0, 1), standard normal, exponential with mean 1, or standard
            Gumbel.
    """

    name: ClassVar[str] = "house_of_cards"
    n: Annotated[int, Ge(1)] = 16
    law: Law = "uniform"
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
    def extension_cost(self) -> int | None:
        """What one value of `extension` costs, in evaluations: it reads all values."""
        return 2**self.n if self.n <= STORED else None

    def bind(self, streams: Streams) -> Self:
        """Key the table, and find the optimum."""
        gap = find_gap(
            streams, self.n, lambda s: draw_table(s, self.law), bound=float(self.law == "uniform")
        )
        return self.bound(gap=gap, optimum=gap.optimum)

    def loss(self, x: Tensor, terms: Terms | None = None, time: Tensor | None = None) -> Tensor:
        """Gap to the optimum (see the class where it is unknown) of genotypes x (R, P, n) uint8 -> (R, P)."""
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
