"""Two wells and a flat barrier: its height and the distance of the wells are set apart.

L(x) = min(k/2 x_1^2, s + k/2 (x_1 - w)^2), between the wells s + h at most, + k/2 (x_2^2 + .. + x_D^2): all
wells have the same curvature k, whatever the barrier, and nothing but the barrier changes with h. So what a
search pays for height and for distance is told apart: noise of temperature T needs e^(h / T) times as long
(Kramers 1940), a population in which the barrier is lethal has to jump over it, and does not see how high it
is (van Nimwegen and Crutchfield 2000, "Metastable evolutionary dynamics: crossing fitness barriers or
escaping via neutral paths?", Bull. Math. Biol. 62, 799-848).

Streams: "init".
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Self

import torch
from annotated_types import Ge, Gt
from torch import Tensor

from landscapes.base import Domain, Landscape, Reals, Terms, weighted
from landscapes.checks import UNBOUND, check_bound, check_points
from landscapes.continuous.frames import point_at
from landscapes.numerics import dot
from landscapes.streams import Streams
from landscapes.together import of_worlds


@dataclass(frozen=True, kw_only=True)
class Barrier(Landscape):
    """Two wells of set curvature, and between them a flat barrier of set height and width.

    The loss is the gap to the bottom of the lower well, the origin; every start is at the bottom of the
    higher one. At the two rims of the barrier the slope jumps.

    Source: Kramers 1940, Physica 7:284; van Nimwegen and Crutchfield 2000, for height against width.

    Args:
        dim: D, >= 1; the wells lie along the first axis, along all others is a bowl of the same curvature.
        height: h, of the barrier above the bottom of the higher well, in units of the loss, > 0.
        distance: w, between the bottoms of the wells, in units of x; so long that both reach the top.
        step: s, height of the bottom of the higher well above that of the lower one, >= 0.
        curvature: k, of both wells, > 0.
        spread: standard deviation of the starts in every direction, >= 0; 0: all are at the bottom.
    """

    name: ClassVar[str] = "barrier"
    dim: Annotated[int, Ge(1)] = 1
    height: Annotated[float, Gt(0)] = 0.5
    distance: Annotated[float, Gt(0)] = 4.0
    step: Annotated[float, Ge(0)] = 0.2
    curvature: Annotated[float, Gt(0)] = 1.0
    spread: Annotated[float, Ge(0)] = 0.0
    optimum: Tensor = field(init=False, repr=False, compare=False, default=UNBOUND)  # (R, D)
    # (R, 1) each: k / 2, s, s + h and the spread
    numbers: tuple[Tensor, ...] = field(init=False, repr=False, compare=False, default=())

    def check(self) -> None:
        """Both wells must reach the top of the barrier."""
        if self.flat < 0:
            least = self.distance - self.flat
            raise ValueError(
                f"barrier.distance: expected >= {least:.4g}, at which both wells reach the height"
                f" {self.height:g}, got {self.distance:g}"
            )

    @property
    def flat(self) -> float:
        """How wide the top of the barrier is."""
        rims = math.sqrt(self.height) + math.sqrt(self.height + self.step)
        return self.distance - math.sqrt(2 / self.curvature) * rims

    @property
    def domain(self) -> Domain:
        """A box around both wells."""
        return Reals(-self.distance, 2 * self.distance)

    @property
    def gap_known(self) -> bool:
        """The bottom of the lower well is at 0."""
        return True

    @property
    def form(self) -> tuple[object, ...]:
        """Without a step there are two optima."""
        return (self.step == 0,)

    @property
    def optima(self) -> Tensor:
        """Without a step the bottoms of both wells: (R, 1 or 2, D)."""
        here = self.optimum[:, None]
        return here if self.step else torch.cat((here, here + self._higher(here)), 1)

    def bind(self, streams: Streams) -> Self:
        """Nothing is drawn."""
        levels = self.step, self.step + self.height
        return self.bound(
            optimum=point_at(torch.zeros(self.dim), None, streams),
            numbers=of_worlds(streams, 0.5 * self.curvature, *levels, self.spread),
        )

    def loss(self, x: Tensor, terms: Terms | None = None, time: Tensor | None = None) -> Tensor:
        """Height above the bottom of the lower well of x (R, P, D) -> (R, P)."""
        del time
        check_points(self, x)
        check_bound(self.name, x, self.optimum)
        along, others = x[..., 0], x[..., 1:]
        half, step, top, _ = self.numbers
        lower = half * along.square()
        higher = step + half * (along - self.distance).square()
        wells = torch.minimum(lower, higher)
        between = (along > 0) & (along < self.distance)
        value = torch.where(between & (wells > top), top, wells)
        return weighted(value + half * dot(others, others), terms)

    def start(self, streams: Streams, n: int) -> Tensor:
        """Starting points (R, n, D) about the bottom of the higher well, source "init"."""
        normal = streams.normal("init", (n, self.dim))
        return self._higher(normal) + self.numbers[-1][..., None] * normal

    def _higher(self, like: Tensor) -> Tensor:
        """The bottom of the higher well, (D,)."""
        first = torch.arange(self.dim, device=like.device) == 0
        return self.distance * first.to(like)
