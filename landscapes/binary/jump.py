"""Jump: OneMax with a valley of width m before the target.

Droste, Jansen and Wegener (2002), "On the analysis of the (1+1) evolutionary algorithm", Theoretical Computer
Science 276, 51-81. With d loci that differ from the target, fitness is m + n - d where d = 0 or d >= m, and d
in between; the loss is the gap to m + n: d, and m + n - d in the valley. The (1+1)-EA takes of the order of
n^m evaluations.

Streams: "instance" (part 0 the target, where it is random).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch
from annotated_types import Ge
from torch import Tensor

from landscapes.base import Terms, weighted
from landscapes.binary.hidden_target import HiddenTarget
from landscapes.checks import check_chances, check_points


@dataclass(frozen=True, kw_only=True)
class Jump(HiddenTarget):
    """Jump: OneMax, but the last m - 1 steps to the target lead through a valley; m loci must change at once.

    Source: Droste, Jansen and Wegener 2002.

    Args:
        n: loci, >= 1.
        target: ones, or random, drawn for each instance.
        width: m, loci to change at once, 1 <= m <= n; 1 is OneMax.
    """

    name: ClassVar[str] = "jump"
    width: Annotated[int, Ge(1)] = 3

    def check(self) -> None:
        """The valley lies within the cube."""
        if self.width > self.n:
            raise ValueError(f"jump.width: expected 1 <= width <= n = {self.n}, got {self.width}")

    @property
    def spacing(self) -> float:
        """Losses are numbers of loci."""
        return 1.0

    @property
    def extension_cost(self) -> int:
        """The extension keeps the chances of m numbers of differing loci, where the loss keeps one number."""
        return self.width

    def loss(self, x: Tensor, terms: Terms | None = None, time: Tensor | None = None) -> Tensor:
        """Gap to the target of x (R, P, n) uint8 -> (R, P)."""
        del time
        check_points(self, x)
        differing = (1 - self.agreement(x)).sum(-1)
        valley = (differing > 0) & (differing < self.width)
        return _weighted(torch.where(valley, self.width + self.n - differing, differing), terms)

    def extension(self, p: Tensor, terms: Terms | None = None, time: Tensor | None = None) -> Tensor:
        """Its mean at chances p (R, P, n) -> (R, P): the number of differing loci is Poisson-binomial."""
        del time
        check_chances(self, p)
        q = self.agreement(p)
        number = torch.arange(self.width, device=p.device).to(q)
        deeper = torch.where(number > 0, self.width + self.n - 2 * number, 0)  # than OneMax is
        return _weighted((1 - q).sum(-1) + (deeper * _differing(q, self.width)).sum(-1), terms)


def _weighted(gap: Tensor, terms: Terms | None) -> Tensor:
    return weighted(gap, terms)


def _differing(q: Tensor, numbers: int) -> Tensor:
    """Chances (R, P, numbers) that 0 .. numbers - 1 loci differ, where locus i agrees with chance q_i."""
    chance = torch.nn.functional.pad(torch.ones_like(q[..., :1]), (0, numbers - 1))
    for agrees in q.split(1, -1):
        chance = agrees * chance + (1 - agrees) * torch.nn.functional.pad(chance, (1, 0))[..., :-1]
    return chance
