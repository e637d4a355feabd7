"""A bowl with ripples: Rastrigin's function with a knob on its ruggedness.

L(x) = k/2 |y|^2 + A sum_i [1 - cos(2 pi y_i / l)], y = Q' (x - x*), minimum 0 at x*. The knob is rho = A (2
pi / l)^2 / k, the curvature of the ripples over that of the bowl. It alone decides how many minima an axis
has, with t = 2 pi y / l the roots of t + rho sin t = 0 that lie in troughs:

    1 + 2 floor{[arccos(-1 / rho) + sqrt(rho^2 - 1)] / (2 pi)}   for rho > 1,   about rho / pi,

one up to rho = 4.603, a convex function up to rho = 1; and (minima per axis)^D in all, since the sum is
separable. The wavelength l says how far apart they are. Rastrigin's function is k = 2, A = 10, l = 1: rho =
20 pi^2 = 197.4, 63 minima per axis.

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
class CosineRugged(Landscape):
    """Quadratic bowl plus a cosine along every axis: from a smooth bowl to Rastrigin's function by one knob.

    The loss is the gap to the global minimum, which is 0.

    Source: Rastrigin 1974, "Systems of extremal control"; Muehlenbein, Schomisch and Born 1991, "The parallel
    genetic algorithm as function optimizer", Parallel Computing 17, 619-632, for D dimensions.

    Args:
        dim: D, >= 1.
        ruggedness: rho, the curvature of the ripples over that of the bowl, >= 0: 0, a quadratic; up to 4.6,
            one minimum; 197.4, Rastrigin's.
        wavelength: l, the distance of neighbouring minima, in units of x, > 0.
        curvature: k, of the bowl, > 0.
        rotated: a random rotation (Haar) for each instance; False: ripples along the axes, the sum is
            separable.
        shifted: a minimum uniform in [-4, 4]^D for each instance; False: the origin.
        box: starts are uniform in [-box, box]^D, > 0.
    """

    name: ClassVar[str] = "cosine_rugged"
    dim: Annotated[int, Ge(1)] = 10
    ruggedness: Annotated[float, Ge(0)] = 50.0
    wavelength: Annotated[float, Gt(0)] = 1.0
    curvature: Annotated[float, Gt(0)] = 2.0
    rotated: bool = False
    shifted: bool = False
    box: Annotated[float, Gt(0)] = 5.0
    # (R, D, D) the ripples along its columns
    rotation: Tensor | None = field(init=False, repr=False, compare=False, default=None)
    optimum: Tensor = field(init=False, repr=False, compare=False, default=UNBOUND)  # (R, D)
    # (R, 1) each: k / 2, 2 A, pi / l
    numbers: tuple[Tensor, ...] = field(init=False, repr=False, compare=False, default=())

    @property
    def domain(self) -> Domain:
        """The box of starts."""
        return Reals(-self.box, self.box)

    @property
    def gap_known(self) -> bool:
        """The minimum is 0."""
        return True

    @property
    def amplitude(self) -> float:
        """A, of the cosines, in units of the loss."""
        return self.ruggedness * self.curvature * (self.wavelength / (2 * math.pi)) ** 2

    @property
    def minima_per_axis(self) -> int:
        """Minima along each axis of the ripples, in all of space."""
        if self.ruggedness <= 1:
            return 1
        reach = math.acos(-1 / self.ruggedness) + math.sqrt(self.ruggedness**2 - 1)
        return 1 + 2 * math.floor(reach / (2 * math.pi))

    def bind(self, streams: Streams) -> Self:
        """Draw rotation and optimum."""
        return self.bound(
            rotation=per_instance(streams, lambda s: draw_rotation(s, self.dim))
            if self.rotated
            else None,
            optimum=per_instance(streams, lambda s: draw_place(s, self.dim, shifted=self.shifted)),
            numbers=of_worlds(
                streams, 0.5 * self.curvature, 2 * self.amplitude, math.pi / self.wavelength
            ),
        )

    def loss(self, x: Tensor, terms: Terms | None = None, time: Tensor | None = None) -> Tensor:
        """Height above the global minimum of x (R, P, D) -> (R, P)."""
        del time
        check_points(self, x)
        check_bound(self.name, x, self.optimum)
        y = into(x, self.optimum, self.rotation)
        # 1 - cos 2 t = 2 sin^2 t keeps its digits near the minimum
        bowl, ripples, turn = self.numbers
        half = torch.sin(turn[..., None] * y)
        value = bowl * dot(y, y) + ripples * dot(half, half)
        return weighted(value, terms)
