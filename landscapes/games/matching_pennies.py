"""Matching pennies in mixed strategies: the game in which hosts and parasites chase each other.

Each player shows heads with its own probability, p and q. The first wins 1 where the faces match and the
second where they differ, so the mean losses are L_1 = -(2 p - 1)(2 q - 1) and L_2 = -L_1; the only
equilibrium is p = q = 1/2.

Two populations play it with pure strategies, of which p and q are the frequencies. A coevolving genetic
algorithm asks encounters, points whose coordinates are 0 or 1. A Wright-Fisher population of hosts asks (0,
q) and (1, q), q the frequency of heads among the parasites, and the parasites ask (p, 0) and (p, 1): losses
are linear in each coordinate, so that this is exactly the mean over all opponents. With fitness w = 1 - s L
the expected generation is u' = (u + s v) / (1 + s u v), v' = (v - s u) / (1 - s u v) in u = 2 p - 1, v = 2 q
- 1. Near the equilibrium it turns and grows by |mu| = sqrt(1 + s^2), as does simultaneous natural-gradient
play, p' = p - eta p (1 - p) dL_1 / dp, with eta = s (plain gradient play has |mu| = sqrt(1 + 16 eta^2) in
probabilities and sqrt(1 + eta^2 / 16) in logits).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal, Self

import torch
from annotated_types import Gt
from torch import Tensor

from landscapes.base import Domain, Reals
from landscapes.checks import UNBOUND
from landscapes.games.base import Game, everywhere
from landscapes.streams import Streams


@dataclass(frozen=True, kw_only=True)
class MatchingPennies(Game):
    """Matching pennies in mixed strategies: no pure equilibrium, so gradient play and coevolution both cycle.

    `solution_loss` is NashConv (Lanctot et al. 2017, NIPS 30), what both players together would gain by their
    best replies:
    |2 p - 1| + |2 q - 1|, between 0 and 2.

    Source: von Neumann 1928, Mathematische Annalen 100; Hofbauer and Sigmund 1998 (populations).

    Args:
        parametrisation: what the coordinates are: probability, chances of heads in [0, 1]; logit, their
            log-odds.
        box: in logits, starts are uniform in [-box, box]^2, > 0; probabilities start uniform in [0, 1]^2.
    """

    name: ClassVar[str] = "matching_pennies"
    dim: ClassVar[int] = 2
    parametrisation: Literal["probability", "logit"] = "logit"
    box: Annotated[float, Gt(0)] = 1.0
    optimum: Tensor = field(
        init=False, repr=False, compare=False, default=UNBOUND
    )  # (R, 2) the equilibrium

    @property
    def domain(self) -> Domain:
        """Probabilities, or the box of starts of their logits."""
        return (
            Reals(0.0, 1.0, bounded=True)
            if self.parametrisation == "probability"
            else Reals(-self.box, self.box)
        )

    def bind(self, streams: Streams) -> Self:
        """Nothing is random."""
        return self.bound(
            optimum=everywhere(0.5 if self.parametrisation == "probability" else 0.0, streams, 2)
        )

    def losses(self, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
        """The strategies (R, P, 1) -> (R, P) each."""
        match = self._lean(first[..., 0]) * self._lean(second[..., 0])
        return -match, match

    def solution_loss(self, x: Tensor, time: Tensor | None = None) -> Tensor:
        """NashConv of x (R, P, 2) -> (R, P)."""
        del time
        return self._lean(x).abs().sum(-1)

    def _lean(self, strategy: Tensor) -> Tensor:
        """2 p - 1: chance of heads less chance of tails."""
        return 2 * strategy - 1 if self.parametrisation == "probability" else torch.tanh(strategy / 2)
