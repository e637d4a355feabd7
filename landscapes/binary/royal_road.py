"""Royal Road functions: a block of loci pays only when all of it agrees with the target.

Mitchell, Forrest and Holland (1992), "The royal road for genetic algorithms: fitness landscapes and GA
performance", ECAL 1, 245-254. Fitness is the sum over schemata of order x [the genotype is an instance]: R1
has the blocks alone (n = 64 in blocks of 8: at most 64), R2 also the pairs of neighbouring blocks, and the
pairs of these (levels = 3: at most 192). The loss is the order of the schemata that are missing. Terms are
schemata, block by block and level by level.

Streams: "instance" (part 0 the target, where it is random).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch
from annotated_types import Ge
from torch import Tensor

from landscapes.base import Terms
from landscapes.binary.genotypes import product
from landscapes.binary.hidden_target import HiddenTarget, total
from landscapes.checks import check_chances, check_points


@dataclass(frozen=True, kw_only=True)
class RoyalRoad(HiddenTarget):
    """Royal Road: blocks of loci that pay only when complete, and the plateaus between.

    It is R1 of the source, with levels = 3 R2.

    Source: Mitchell, Forrest and Holland 1992.

    Args:
        n: loci, >= 1.
        target: ones, or random, drawn for each instance.
        block: loci in a schema of the lowest level, >= 1; block x 2^(levels - 1) must divide n.
        levels: >= 1; each doubles the schemata of the one before. 1 is R1; 3, with n = 64 and block = 8, is
            R2.
    """

    name: ClassVar[str] = "royal_road"
    block: Annotated[int, Ge(1)] = 8
    levels: Annotated[int, Ge(1)] = 1

    def check(self) -> None:
        """Schemata of every level must tile the loci."""
        largest = self.block * 2 ** (self.levels - 1)
        if self.n % largest:
            raise ValueError(
                f"royal_road.block: expected block x 2^(levels - 1) to divide n = {self.n}, got {largest}"
            )

    @property
    def terms(self) -> int:
        """The schemata."""
        return sum(self.n // (self.block * 2**level) for level in range(self.levels))

    @property
    def spacing(self) -> float:
        """The order of a schema is a multiple of the block, and that of a missing block alone an odd one."""
        return float(self.block)

    @property
    def extension_cost(self) -> int:
        """The extension is the same sum of products."""
        return 1

    def loss(self, x: Tensor, terms: Terms | None = None, time: Tensor | None = None) -> Tensor:
        """The order of the schemata that x (R, P, n) uint8 misses -> (R, P)."""
        del time
        check_points(self, x)
        return total(self._missing(self.agreement(x)), terms)

    def extension(self, p: Tensor, terms: Terms | None = None, time: Tensor | None = None) -> Tensor:
        """Its mean at chances p (R, P, n) -> (R, P)."""
        del time
        check_chances(self, p)
        return total(self._missing(self.agreement(p)), terms)

    def _missing(self, q: Tensor) -> Tensor:
        """Order x [schema is missing], (R, P, schemata)."""
        complete, order = product(q.unflatten(-1, (-1, self.block))), self.block
        losses = [order * (1 - complete)]
        for _ in range(1, self.levels):
            complete, order = product(complete.unflatten(-1, (-1, 2))), 2 * order
            losses.append(order * (1 - complete))
        return torch.cat(losses, -1)
