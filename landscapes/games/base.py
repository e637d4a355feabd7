"""What two-player games share: a point is a pair of strategies, and each player has a loss of its own.

A point x (R, P, D) holds the first player's D / 2 coordinates, then the second's. `loss` is (R, P, 2). Each
player minimises its own loss in its own coordinates: simultaneous play follows minus the field of the own
gradients, which need not be the gradient of anything. The answer to a game is an equilibrium; `solution_loss`
says how far from one a point is.
"""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor

from landscapes.base import Landscape, Terms
from landscapes.checks import check_bound, check_points
from landscapes.numerics import norm
from landscapes.streams import Streams


class Game(Landscape):
    """Base of games of two players with as many coordinates each; `optimum` (R, D) is the equilibrium."""

    @property
    def players(self) -> tuple[int, ...]:
        """Half of the coordinates each."""
        return (self.dim // 2, self.dim // 2)

    @property
    def gap_known(self) -> bool:
        """At the equilibrium `solution_loss` is 0."""
        return True

    @abstractmethod
    def losses(self, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
        """The strategies of the two players, (R, P, D / 2) each -> their losses, (R, P) each."""

    def loss(self, x: Tensor, terms: Terms | None = None, time: Tensor | None = None) -> Tensor:
        """Losses of both players at x (R, P, D) -> (R, P, 2)."""
        del time
        check_points(self, x)
        check_bound(self.name, x, self.optimum)  # type: ignore[arg-type]
        losses = torch.stack(self.losses(*x.chunk(2, -1)), -1)
        return losses if terms is None else terms.weight.sum(-1)[..., None] * losses


def everywhere(value: float, streams: Streams, dim: int) -> Tensor:
    """One point for all worlds, every coordinate the same: (R, D)."""
    return torch.full((1, dim), value, dtype=streams.dtype, device=streams.device).expand(
        streams.size, dim
    )


def distance(x: Tensor, points: Tensor) -> Tensor:
    """Euclidean distance of x (R, P, D) to points (R, D) -> (R, P)."""
    return norm(x - points[:, None])
