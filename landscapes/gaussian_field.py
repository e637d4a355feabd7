"""A random field over a bowl: rugged at one length scale, smooth at a larger one.

L(x) = b/2 |x|^2 / D + a sqrt(2/M) sum_m cos(w_m' x / l + phi_m), w_m ~ N(0, I), phi_m uniform on [0, 2 pi): over instances the sum of
waves is stationary with mean 0 and covariance a^2 exp(-|d|^2 / (2 l^2)), and Gaussian as M grows (Rahimi and Recht 2007, "Random features for
large-scale kernel machines", NIPS 20). Term m is the bowl plus wave m, so that the loss is the mean of M terms.

Streams: "instance" (part 0 the wave vectors, part 1 the phases).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Self

import torch
from annotated_types import Ge, Gt
from torch import Tensor

from landscapes.base import UNBOUND, Domain, Landscape, Reals, Terms, check_bound, check_points, dot, matmul, per_instance
from landscapes.streams import Streams

_ELEMENTS = 2**19  # cosines worked at a time: they stay in the second-level cache


@dataclass(frozen=True, kw_only=True)
class GaussianField(Landscape):
    """Smooth bowl plus random Fourier waves: a stationary Gaussian field with RBF covariance.

    The minimum is not known: the loss is L itself, which can be negative.

    Source: Rahimi and Recht 2007.

    Args:
        dim: D, >= 1.
        waves: M, the number of waves and of terms, >= 1.
        amplitude: a, the standard deviation of the field, in units of the loss, >= 0.
        length: l, its correlation length, in units of x, > 0.
        bowl: b, the curvature of the bowl times D, >= 0: at |x_i| = 1 in all coordinates it adds b / 2.
        box: starts are uniform in [-box, box]^D, > 0.
    """

    name: ClassVar[str] = "gaussian_field"
    dim: Annotated[int, Ge(1)] = 10
    waves: Annotated[int, Ge(1)] = 64
    amplitude: Annotated[float, Ge(0)] = 1.0
    length: Annotated[float, Gt(0)] = 1.0
    bowl: Annotated[float, Ge(0)] = 1.0
    box: Annotated[float, Gt(0)] = 5.0
    vectors: Tensor = field(init=False, repr=False, compare=False, default=UNBOUND)  # (R, M, D) w / l
    phases: Tensor = field(init=False, repr=False, compare=False, default=UNBOUND)  # (R, 1, M)

    @property
    def domain(self) -> Domain:
        """The box of starts."""
        return Reals(-self.box, self.box)

    @property
    def terms(self) -> int:
        """The waves."""
        return self.waves

    def bind(self, streams: Streams) -> Self:
        """Draw the waves."""
        return self.bound(
            vectors=per_instance(streams, lambda s: s.normal("instance", (self.waves, self.dim)) / self.length),
            phases=per_instance(streams, lambda s: 2 * math.pi * s.uniform("instance", (1, self.waves), part=1)),
        )

    def loss(self, x: Tensor, terms: Terms | None = None, time: Tensor | None = None) -> Tensor:
        """Height of x (R, P, D) -> (R, P)."""
        del time
        check_points(self, x)
        check_bound(self.name, x, self.vectors)
        bowl = 0.5 * self.bowl / self.dim * dot(x, x)
        if terms is None:
            return bowl + self.amplitude * math.sqrt(2 / self.waves) * self._sum(x)
        mean = dot(terms.weight, torch.cos(self._angles(x, terms.index)))
        return terms.weight.sum(-1) * bowl + self.amplitude * math.sqrt(2 * self.waves) * mean

    def _sum(self, x: Tensor) -> Tensor:
        """Sum of all waves, (R, P), some worlds at a time."""
        worlds = max(1, _ELEMENTS // max(1, x.shape[1] * self.waves))
        parts = zip(x.split(worlds), self.vectors.split(worlds), self.phases.split(worlds), strict=True)
        return torch.cat([(matmul(points, w.mT) + phi).cos().sum(-1) for points, w, phi in parts])

    def _angles(self, x: Tensor, index: Tensor) -> Tensor:
        """Of the waves with index (R, 1 | P, B): (R, P, B)."""
        flat = index.flatten(1)
        w = self.vectors.take_along_dim(flat[..., None], 1)
        phases = self.phases[:, 0].take_along_dim(flat, 1).unflatten(1, index.shape[1:])
        if index.shape[1] == 1:
            return matmul(x, w.mT) + phases
        return dot(x[:, :, None], w.unflatten(1, index.shape[1:])) + phases
