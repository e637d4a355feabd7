"""The Dirac-GAN: the smallest generative adversarial network, on which unregularised training cycles.

Data sit at 0, the generator puts its only sample at theta, the discriminator is D(x) = psi x. With f(t) =
-log(1 + exp(-t)) (logistic) or f(t) = t (linear, the Wasserstein GAN), equation 1 of Mescheder et al. reads L
= E f(D(sample)) + E f(-D(datum)): the generator minimises L and the discriminator -L + gamma / 2 psi^2 (the
penalty R1). The field theta' = -psi f'(theta psi), psi' = theta f'(theta psi)
- gamma psi rests only at (0, 0), where its Jacobian has the eigenvalues -gamma / 2 +- sqrt(gamma^2 / 4 -
  f'(0)^2); with instance noise sigma (and
gamma = 0) f''(0) sigma^2 +- sqrt(f''(0)^2 sigma^4 - f'(0)^2). f'(0) is 1/2 (logistic) or 1, f''(0) is -1/4 or
0.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
import torch
from annotated_types import Ge, Gt
from torch import Tensor

from landscapes.base import Domain, Reals
from landscapes.checks import UNBOUND
from landscapes.games.base import Game, distance, everywhere
from landscapes.numerics import dot, softplus
from landscapes.streams import Streams
from landscapes.together import of_worlds

_NODES = 21  # of the Gauss-Hermite rule: exact for polynomials up to degree 41


@dataclass(frozen=True, kw_only=True)
class DiracGAN(Game):
    """Dirac-GAN: generator theta against discriminator psi, optional R1 penalty and instance noise.

    `solution_loss` is the distance to the equilibrium (0, 0). The exploitability is infinite almost
    everywhere, so it is not that.

    Source: Mescheder, Geiger and Nowozin 2018, "Which training methods for GANs do actually converge?", ICML
    (arXiv:1801.04406).

    Args:
        activation: f: logistic, -log(1 + exp(-t)); linear, t, the Wasserstein GAN.
        generator: saturating, it minimises E f(D(sample)); non_saturating, it minimises -E f(-D(sample)).
        gamma: weight of the penalty R1 on the discriminator, >= 0.
        noise: sigma, the standard deviation of normal noise added to data and samples, >= 0; its mean is
            taken by quadrature.
        box: starts are uniform in [-box, box]^2, > 0.
    """

    name: ClassVar[str] = "dirac_gan"
    dim: ClassVar[int] = 2
    activation: Literal["logistic", "linear"] = "logistic"
    generator: Literal["saturating", "non_saturating"] = "saturating"
    gamma: Annotated[float, Ge(0)] = 0.0
    noise: Annotated[float, Ge(0)] = 0.0
    box: Annotated[float, Gt(0)] = 1.0
    optimum: Tensor = field(
        init=False, repr=False, compare=False, default=UNBOUND
    )  # (R, 2) the equilibrium
    # (R, J) values of the instance noise
    nodes: Tensor = field(init=False, repr=False, compare=False, default=UNBOUND)
    # (R, J) their probabilities
    weights: Tensor = field(init=False, repr=False, compare=False, default=UNBOUND)
    # (R, 1) each: gamma / 2
    numbers: tuple[Tensor, ...] = field(init=False, repr=False, compare=False, default=())

    @property
    def domain(self) -> Domain:
        """The box of starts."""
        return Reals(-self.box, self.box)

    @property
    def form(self) -> tuple[object, ...]:
        """Without noise there is one value of it."""
        return (self.noise == 0,)

    def bind(self, streams: Streams) -> Self:
        """Lay out the quadrature; nothing is random."""
        places, masses = (
            np.polynomial.hermite_e.hermegauss(_NODES) if self.noise else (np.zeros(1), np.ones(1))
        )
        nodes, weights = (
            torch.from_numpy(a).to(streams.device, streams.dtype).expand(streams.size, -1)
            for a in (self.noise * places, masses / masses.sum())
        )
        given = of_worlds(streams, 0.5 * self.gamma)
        place = everywhere(0.0, streams, 2)
        return self.bound(optimum=place, nodes=nodes, weights=weights, numbers=given)

    def losses(self, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
        """Theta and psi (R, P, 1) -> the losses of generator and discriminator, (R, P) each."""
        nodes = self.nodes[:, None]
        sample, datum = (first + nodes) * second, nodes * second
        objective = self._mean(sample) + self._mean(-datum)
        penalty = self.numbers[0] * second[..., 0].square()
        return objective if self.generator == "saturating" else -self._mean(
            -sample
        ), penalty - objective

    def solution_loss(self, x: Tensor, time: Tensor | None = None) -> Tensor:
        """Distance of x (R, P, 2) to the equilibrium -> (R, P)."""
        del time
        return distance(x, self.optimum)

    def _mean(self, logits: Tensor) -> Tensor:
        """The mean of f over the instance noise, (R, P, J) -> (R, P)."""
        return dot(self.weights[:, None], logits if self.activation == "linear" else -softplus(-logits))
