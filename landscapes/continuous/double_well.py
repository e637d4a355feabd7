"""Two wells and the barrier between them: the test bench of escape by noise.

L(x) = B (u^2 - 1)^2 + c u + k/2 (x_2^2 + .. + x_D^2) - L_min, u = x_1 / a: with c > 0 the left well is the
deeper one. The stationary points solve u^3 - u + c / (4 B) = 0, three real roots for c < 8 B / (3 sqrt 3),
found by Viete's trigonometric formula. With u_l the left one, L = B d^2 [(d + 2 u_l)^2 + 2 (u_l^2 - 1)] + ..,
d = u - u_l: the gap without cancellation. B = 1/4, a = 1, c = 0 is x^4 / 4 - x^2 / 2 + 1 / 4.

A process of temperature T (SGD of learning rate eta with B' terms: T = eta noise_scale^2 / (2 B')) rests in
proportion to exp(-L / T) and, for T far below the barrier h, leaves a well after 2 pi / sqrt(L''_well
|L''_saddle|) exp(h / T) units of time on average (Kramers 1940, "Brownian motion in a field of force and the
diffusion model of chemical reactions", Physica 7, 284-304; time is learning rate times steps).

Streams: "instance" (part 0 rotation, 2 the g_i of the terms), "init".
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal, Self

import torch
from annotated_types import Ge, Gt
from torch import Tensor

from landscapes.base import Domain, Landscape, Reals, Terms, per_instance
from landscapes.checks import UNBOUND, check_bound, check_points
from landscapes.continuous.frames import draw_rotation, into, point_at
from landscapes.continuous.linear_terms import check_terms, draw_slopes, slope
from landscapes.numerics import dot
from landscapes.streams import Streams
from landscapes.together import of_worlds

STEEPEST = 8 / (3 * math.sqrt(3))  # tilt over barrier at which the right well vanishes


@dataclass(frozen=True, kw_only=True)
class DoubleWell(Landscape):
    """Two wells of set barrier, distance and tilt along one direction, a harmonic bowl along all others.

    The loss is the gap to the bottom of the left well, the deeper one where tilt > 0. With terms,
    mini-batches make SGD a process of set temperature.

    Source: Kramers 1940; Mandt, Hoffman and Blei 2017, JMLR 18, for the noise of mini-batches.

    Args:
        dim: D, >= 1.
        barrier: B, the height of the barrier at tilt 0, in units of the loss, > 0.
        width: a, half the distance between the wells at tilt 0, in units of x, > 0.
        tilt: c, in units of the loss, >= 0 and < 8 / (3 sqrt 3) = 1.54 barriers; the right well lies about 2
            c above the left one.
        stiffness: k, the curvature along the other D - 1 directions, > 0.
        rotated: the direction of the wells is random for each instance; False: the first axis.
        starts: box, uniform in the box; wrong_well, about the bottom of the right well.
        spread: standard deviation of the starts in every direction about the bottom of the right well, >= 0;
            0: all are there.
        terms: M, 1 (no mini-batch noise) or more than dim.
        noise_scale: standard deviation of the terms' gradients in every direction (their covariance is
            noise_scale^2 I), >= 0.
        box: starts are uniform in [-box, box]^D, > 0.
    """

    name: ClassVar[str] = "double_well"
    dim: Annotated[int, Ge(1)] = 10
    barrier: Annotated[float, Gt(0)] = 1.0
    width: Annotated[float, Gt(0)] = 1.0
    tilt: Annotated[float, Ge(0)] = 0.1
    stiffness: Annotated[float, Gt(0)] = 1.0
    rotated: bool = False
    starts: Literal["box", "wrong_well"] = "box"
    spread: Annotated[float, Ge(0)] = 0.0
    terms: Annotated[int, Ge(1)] = 1
    noise_scale: Annotated[float, Ge(0)] = 1.0
    box: Annotated[float, Gt(0)] = 2.0
    # (R, D, D) its first column points to the right well
    rotation: Tensor | None = field(init=False, repr=False, compare=False, default=None)
    # (R, D) the bottom of the left well
    optimum: Tensor = field(init=False, repr=False, compare=False, default=UNBOUND)
    # (R, D) the bottom of the right well
    higher: Tensor = field(init=False, repr=False, compare=False, default=UNBOUND)
    # (R, 1) each: a, B, 2 u_l, 2 (u_l^2 - 1), k / 2 and the spread
    numbers: tuple[Tensor, ...] = field(init=False, repr=False, compare=False, default=())
    # (R, M, D) the g_i, in the basis of the wells
    slopes: Tensor | None = field(init=False, repr=False, compare=False, default=None)

    def check(self) -> None:
        """The right well must exist, and a covariance of full rank needs more terms than dimensions."""
        if self.tilt >= STEEPEST * self.barrier:
            most = f"{STEEPEST:.4g} barriers = {STEEPEST * self.barrier:.4g}"
            raise ValueError(
                f"double_well.tilt: expected < {most}, or one well is left, got {self.tilt}"
            )
        check_terms(self.name, self.terms, self.dim)

    @property
    def domain(self) -> Domain:
        """The box of starts."""
        return Reals(-self.box, self.box)

    @property
    def gap_known(self) -> bool:
        """The bottom of the left well is at 0."""
        return True

    @property
    def optima(self) -> Tensor:
        """Without tilt the bottoms of both wells: (R, 1 or 2, D)."""
        here = self.optimum[:, None]
        return here if self.tilt else torch.cat((here, -here), 1)

    @property
    def form(self) -> tuple[object, ...]:
        """Without tilt there are two optima."""
        return (self.tilt == 0,)

    @property
    def stationary(self) -> tuple[float, float, float]:
        """Where x_1 is at the bottom of the left well, on the saddle and at the bottom of the right well."""
        left, saddle, right = self._roots()
        return self.width * left, self.width * saddle, self.width * right

    @property
    def curvatures(self) -> tuple[float, float, float]:
        """Second derivative along x_1 at the three stationary points."""
        left, saddle, right = (self.barrier / self.width**2 * (12 * u * u - 4) for u in self._roots())
        return left, saddle, right

    @property
    def barrier_left(self) -> float:
        """Height of the saddle above the bottom of the left well."""
        return self._gap(self._roots()[1])

    @property
    def barrier_right(self) -> float:
        """Height of the saddle above the bottom of the right well."""
        return self.barrier_left - self.step

    @property
    def step(self) -> float:
        """Height of the bottom of the right well above that of the left one."""
        return self._gap(self._roots()[2])

    def bind(self, streams: Streams) -> Self:
        """Draw rotation and terms."""
        deviations = torch.full((self.dim,), self.noise_scale, dtype=torch.float64)
        rotation = per_instance(streams, lambda s: draw_rotation(s, self.dim)) if self.rotated else None
        return self.bound(
            rotation=rotation,
            optimum=point_at(self._along(self.stationary[0]), rotation, streams),
            higher=point_at(self._along(self.stationary[2]), rotation, streams),
            numbers=self._numbers(streams),
            slopes=(
                per_instance(streams, lambda s: draw_slopes(s, self.terms, deviations, part=2))
                if self.terms > 1
                else None
            ),
        )

    def loss(self, x: Tensor, terms: Terms | None = None, time: Tensor | None = None) -> Tensor:
        """Height above the bottom of the left well of x (R, P, D) -> (R, P)."""
        del time
        check_points(self, x)
        check_bound(self.name, x, self.optimum)
        y = into(x, self.optimum, self.rotation)
        width, barrier, twice, below, half, _ = self.numbers
        d, others = y[..., 0] / width, y[..., 1:]
        well = barrier * d * d * ((d + twice).square() + below)
        value = well + half * dot(others, others)
        if terms is None:
            return value
        weight = terms.weight.sum(-1)
        return (
            weight * value
            if self.slopes is None
            else weight * value + dot(slope(self.slopes, terms), y)
        )

    def start(self, streams: Streams, n: int) -> Tensor:
        """Starting points (R, n, D), source "init"."""
        if self.starts == "box":
            return self.box * (2 * streams.uniform("init", (n, self.dim)) - 1)
        spread = self.numbers[-1][..., None]
        return self.higher[:, None] + spread * streams.normal("init", (n, self.dim))

    def _numbers(self, streams: Streams) -> tuple[Tensor, ...]:
        left = self._roots()[0]
        below = 2 * (left * left - 1)
        well = self.width, self.barrier, 2 * left, below, 0.5 * self.stiffness
        return of_worlds(streams, *well, self.spread)

    def _roots(self) -> tuple[float, float, float]:
        """The roots of u^3 - u + q = 0 in ascending order: left well, saddle, right well."""
        turn = math.acos(-1.5 * math.sqrt(3) * self.tilt / (4 * self.barrier)) / 3
        left, saddle, right = (
            2 / math.sqrt(3) * math.cos(turn - 2 * math.pi * k / 3) for k in (2, 1, 0)
        )
        return left, saddle, right

    def _gap(self, u: float) -> float:
        left = self._roots()[0]
        return self.barrier * (u - left) ** 2 * ((u + left) ** 2 + 2 * (left * left - 1))

    def _along(self, place: float) -> Tensor:
        """Coordinates of the point at x_1 = place, (D,) float64."""
        return torch.tensor([place] + [0.0] * (self.dim - 1), dtype=torch.float64)
