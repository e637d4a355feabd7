"""Concatenated deceptive traps: in every block but one step leads away from the target.

Deb and Goldberg (1993), "Analyzing deception in trap functions", FOGA 2, 93-108. A block of k loci of which u
agree with the target loses 1 + s u for u < k and 0 for u = k: in the paper's letters z = k - 1, a = s z, b =
a + 1. With slope s = 1 it is the usual trap, of fitness k - 1 - u, and k for u = k; with slope 0 a needle in
a haystack. Terms are blocks.

Streams: "instance" (part 0 the target, where it is random).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Self

from annotated_types import Ge
from torch import Tensor

from landscapes.base import Terms
from landscapes.binary.genotypes import common_measure, product
from landscapes.binary.hidden_target import HiddenTarget, total
from landscapes.checks import check_chances, check_points
from landscapes.streams import Streams
from landscapes.together import of_worlds


@dataclass(frozen=True, kw_only=True)
class Trap(HiddenTarget):
    """Deceptive traps in blocks: each locus that agrees with the target costs, until a whole block agrees.

    Source: Deb and Goldberg 1993.

    Args:
        n: loci, >= 1.
        target: ones, or random, drawn for each instance.
        block: k, loci in a block, >= 1; must divide n.
        slope: s, what an agreeing locus of an unfinished block costs, in units of the loss, >= 0.
    """

    name: ClassVar[str] = "trap"
    block: Annotated[int, Ge(1)] = 4
    slope: Annotated[float, Ge(0)] = 1.0
    # (R, 1) each: s
    numbers: tuple[Tensor, ...] = field(init=False, repr=False, compare=False, default=())

    def check(self) -> None:
        """Blocks must tile the loci."""
        if self.n % self.block:
            raise ValueError(f"trap.block: expected a divisor of n = {self.n}, got {self.block}")

    @property
    def terms(self) -> int:
        """The blocks."""
        return self.n // self.block

    @property
    def spacing(self) -> float:
        """A loss is a number of unfinished blocks and `slope` times a number of agreeing loci."""
        return common_measure(1.0, self.slope if self.block > 1 else 0.0)

    @property
    def extension_cost(self) -> int:
        """The extension is the same sums and products."""
        return 1

    def bind(self, streams: Streams) -> Self:
        """Draw the target."""
        return super().bind(streams).bound(numbers=of_worlds(streams, self.slope))

    def loss(self, x: Tensor, terms: Terms | None = None, time: Tensor | None = None) -> Tensor:
        """What the blocks of x (R, P, n) uint8 lose in all -> (R, P)."""
        del time
        check_points(self, x)
        return total(self._blocks(self.agreement(x)), terms)

    def extension(self, p: Tensor, terms: Terms | None = None, time: Tensor | None = None) -> Tensor:
        """Its mean at chances p (R, P, n) -> (R, P)."""
        del time
        check_chances(self, p)
        return total(self._blocks(self.agreement(p)), terms)

    def _blocks(self, q: Tensor) -> Tensor:
        """The loss of each block, (R, P, n / k)."""
        q = q.unflatten(-1, (-1, self.block))
        finished = product(q)
        return (1 - finished) + self.numbers[0][..., None] * (q.sum(-1) - self.block * finished)
