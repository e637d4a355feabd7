"""A GAN whose generator follows a biased gradient: training that converges, and to a wrong point.

Linearised, a Wasserstein Dirac-GAN with R1 is theta' = -psi, psi' = theta - gamma psi. The bias pushes the
generator outwards:

    theta' = -psi + beta tanh(kappa theta),    psi' = theta - gamma psi.

It is minus the field of own gradients of L_1 = theta psi - beta / kappa log cosh(kappa theta) and L_2 =
-theta psi + gamma / 2 psi^2. Besides the true equilibrium (0, 0) it rests where theta = beta gamma tanh(kappa
theta), psi = theta / gamma: two spurious points, which leave the origin by a pitchfork at beta kappa gamma =
1. With s = sech^2(kappa theta) the Jacobian [[beta kappa s, -1], [1, -gamma]] has the trace beta kappa s -
gamma and the determinant 1 - gamma beta kappa s: a node, a spiral or a saddle.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Self

import torch
from annotated_types import Ge, Gt
from torch import Tensor

from landscapes.base import Domain, Reals
from landscapes.checks import UNBOUND
from landscapes.games.base import Game, distance, everywhere
from landscapes.numerics import norm, softplus
from landscapes.streams import Streams
from landscapes.together import of_worlds

_HALVINGS = 100  # of the interval that holds the spurious point: down to neighbouring floats


@dataclass(frozen=True, kw_only=True)
class BiasedGAN(Game):
    """Dirac-GAN with a biased generator: beyond beta kappa gamma = 1 it converges to spurious fixed points.

    `solution_loss` is the distance to the true equilibrium (0, 0), where it is 0 whether that is stable or
    not; the measure `fixed_point_distance` is that to the nearest fixed point, true or spurious.

    Source: a Wasserstein Dirac-GAN with R1 (Mescheder, Geiger and Nowozin 2018, ICML), the bias added; the
    laws are in the module.

    Args:
        beta: strength of the bias, >= 0.
        kappa: steepness of the bias, in 1 / units of theta, > 0.
        gamma: weight of the penalty on the discriminator, >= 0.
        box: starts are uniform in [-box, box]^2, > 0.
    """

    name: ClassVar[str] = "biased_gan"
    dim: ClassVar[int] = 2
    extras: ClassVar[Mapping[str, tuple[str, str]]] = {
        "fixed_point_distance": ("distance to the nearest fixed point of the field", "length of x")
    }
    beta: Annotated[float, Ge(0)] = 0.5
    kappa: Annotated[float, Gt(0)] = 2.0
    gamma: Annotated[float, Ge(0)] = 1.5
    box: Annotated[float, Gt(0)] = 1.0
    # (R, 2) the true equilibrium
    optimum: Tensor = field(init=False, repr=False, compare=False, default=UNBOUND)
    # (R, 1 | 3, 2) where the field is zero
    resting: Tensor = field(init=False, repr=False, compare=False, default=UNBOUND)
    # (R, 1) each: beta / kappa, kappa, gamma / 2
    numbers: tuple[Tensor, ...] = field(init=False, repr=False, compare=False, default=())

    @property
    def domain(self) -> Domain:
        """The box of starts."""
        return Reals(-self.box, self.box)

    @property
    def form(self) -> tuple[object, ...]:
        """Whether there are spurious points."""
        return (self._gain > 1,)

    def bind(self, streams: Streams) -> Self:
        """Nothing is random."""
        resting = self.fixed_points().to(streams.device, streams.dtype)
        return self.bound(
            optimum=everywhere(0.0, streams, 2),
            resting=resting.expand(streams.size, -1, -1),
            numbers=of_worlds(streams, self.beta / self.kappa, self.kappa, 0.5 * self.gamma),
        )

    def losses(self, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
        """Theta and psi (R, P, 1) -> the losses of generator and discriminator, (R, P) each."""
        theta, psi = first[..., 0], second[..., 0]
        strength, kappa, penalty = self.numbers
        bias = strength * _log_cosh(kappa * theta)
        return theta * psi - bias, penalty * psi.square() - theta * psi

    def solution_loss(self, x: Tensor, time: Tensor | None = None) -> Tensor:
        """Distance of x (R, P, 2) to the true equilibrium -> (R, P)."""
        del time
        return distance(x, self.optimum)

    def measures(self, x: Tensor) -> dict[str, Tensor]:
        """Distance of recommendations x (R, 2) to the nearest fixed point, (R,)."""
        return {"fixed_point_distance": norm(x[:, None] - self.resting).amin(-1)}

    def fixed_points(self) -> Tensor:
        """Where the field is zero, (1 | 3, 2) float64: the true equilibrium first.

        Then the spurious points: (theta*, psi*) and its mirror image.
        """
        points = [(0.0, 0.0)]
        if self._gain > 1:
            theta = _crossing(self._gain) / self.kappa
            points += [(theta, theta / self.gamma), (-theta, -theta / self.gamma)]
        return torch.tensor(points, dtype=torch.float64)

    @property
    def _gain(self) -> float:
        return self.beta * self.kappa * self.gamma

    def jacobian(self, theta: float) -> Tensor:
        """The Jacobian of the field at any point with this theta: (2, 2) float64."""
        slope = self.beta * self.kappa / math.cosh(self.kappa * theta) ** 2
        return torch.tensor([[slope, -1.0], [1.0, -self.gamma]], dtype=torch.float64)


def _log_cosh(z: Tensor) -> Tensor:
    return softplus(2 * z) - z - math.log(2)


def _crossing(gain: float) -> float:
    """The positive z with z = gain tanh z, gain > 1.

    As z - z^3 / 3 <= tanh z < 1, it lies between sqrt(3 (1 - 1 / gain)) and gain.
    """
    low, high = math.sqrt(3 * (1 - 1 / gain)), gain
    for _ in range(_HALVINGS):
        z = (low + high) / 2
        low, high = (z, high) if gain * math.tanh(z) > z else (low, z)
    return (low + high) / 2
