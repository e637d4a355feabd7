"""A long narrow valley, straight or winding.

L(x) = 1/2 h [y_1^2 / kappa + (y_2 - b sin(2 pi y_1 / p))^2 + y_3^2 + .. + y_D^2], y = Q' (x - x*). Straight
(b = 0), it is a quadratic with one direction kappa times as flat as all others. Winding, it has still one
stationary point and no local minimum, since (y_1, y_2 - b sin(..)) is a smooth change of coordinates of unit
Jacobian; but the flat direction turns along the valley, by up to arctan(2 pi b / p) either way. That is what
tells it from `quadratic`: there one preconditioner (a covariance matrix, Newton's, one step size for each
coordinate) straightens the whole landscape; here it must be learned anew every p / 4, and steps longer than
that do not follow the floor.

Streams: "instance" (part 0 rotation, 1 optimum).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Self

import torch
from annotated_types import Ge, Gt
from torch import Tensor

from landscapes.base import Domain, Landscape, Reals, Terms, per_instance, weighted
from landscapes.checks import UNBOUND, check_bound, check_points
from landscapes.continuous.frames import draw_place, draw_rotation, into
from landscapes.numerics import dot
from landscapes.streams import Streams
from landscapes.together import of_worlds


@dataclass(frozen=True, kw_only=True)
class Canyon(Landscape):
    """A long narrow valley of set condition number whose floor winds.

    No local minimum, and no one preconditioner for all of it.

    The loss is the gap to the only minimum, which is 0.

    Source: Rosenbrock 1960, "An automatic method for finding the greatest or least value of a function", The
    Computer Journal 3, 175-184, for the curved valley; here its bend and its condition number are set apart.
    On the floor the Hessian has the condition number kappa where the floor runs along y_1, and up to about
    kappa (1 + (2 pi b / p)^2)^2 where it is steepest, since curvature across grows with the steepness.

    Args:
        dim: D, >= 2.
        condition: kappa, curvature across over curvature along the floor (in the coordinate y_1), >= 1.
        curvature: h, across the valley, > 0.
        bend: b, how far the floor swings to either side, in units of x, >= 0; 0: straight.
        period: p, the length of one swing there and back, in units of x, > 0.
        rotated: a random rotation (Haar) for each instance; False: the valley runs along the first axis and
            swings along the second.
        shifted: a minimum uniform in [-4, 4]^D for each instance; False: the origin.
        box: starts are uniform in [-box, box]^D, > 0.
    """

    name: ClassVar[str] = "canyon"
    dim: Annotated[int, Ge(2)] = 10
    condition: Annotated[float, Ge(1)] = 1000.0
    curvature: Annotated[float, Gt(0)] = 1.0
    bend: Annotated[float, Ge(0)] = 1.0
    period: Annotated[float, Gt(0)] = 4.0
    rotated: bool = False
    shifted: bool = False
    box: Annotated[float, Gt(0)] = 5.0
    # (R, D, D) the valley along its first column
    rotation: Tensor | None = field(init=False, repr=False, compare=False, default=None)
    optimum: Tensor = field(init=False, repr=False, compare=False, default=UNBOUND)  # (R, D)
    # (R, 1) each: h / 2, kappa, b, 2 pi / p
    numbers: tuple[Tensor, ...] = field(init=False, repr=False, compare=False, default=())

    @property
    def domain(self) -> Domain:
        """The box of starts."""
        return Reals(-self.box, self.box)

    @property
    def gap_known(self) -> bool:
        """The minimum is 0."""
        return True

    def bind(self, streams: Streams) -> Self:
        """Draw rotation and optimum."""
        return self.bound(
            rotation=per_instance(streams, lambda s: draw_rotation(s, self.dim))
            if self.rotated
            else None,
            optimum=per_instance(streams, lambda s: draw_place(s, self.dim, shifted=self.shifted)),
            numbers=of_worlds(
                streams, 0.5 * self.curvature, self.condition, self.bend, 2 * math.pi / self.period
            ),
        )

    def loss(self, x: Tensor, terms: Terms | None = None, time: Tensor | None = None) -> Tensor:
        """Height above the minimum of x (R, P, D) -> (R, P)."""
        del time
        check_points(self, x)
        check_bound(self.name, x, self.optimum)
        y = into(x, self.optimum, self.rotation)
        along, side, others = y[..., 0], y[..., 1], y[..., 2:]
        half, condition, bend, turn = self.numbers
        across = side - bend * torch.sin(turn * along)
        value = half * (along.square() / condition + across.square() + dot(others, others))
        return weighted(value, terms)
