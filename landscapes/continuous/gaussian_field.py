"""A random field over a bowl: rugged at one length scale, smooth at a larger one.

L(x) = b/2 |x|^2 / D + a sqrt(2/M) sum_m cos(w_m' x / l + phi_m), phi_m uniform on [0, 2 pi): over instances
the sum of waves is stationary with mean 0 and a covariance that is the Fourier transform of the law of w,
exactly at any M, and Gaussian as M grows (Rahimi and Recht 2007, "Random features for large-scale kernel
machines", NIPS 20). Term m is the bowl plus wave m, so that the loss is the mean of M terms. At distance r:

    rbf         w ~ N(0, I)                                a^2 exp(-r^2 / (2 l^2))
    matern      w ~ N(0, I) sqrt(2 nu / chi^2_{2 nu})
                a^2 2^(1 - nu) / Gamma(nu) s^nu K_nu(s), s = sqrt(2 nu) r / l   (nu = 1/2: exp(-r / l))
    power_law   |w| / l = q in [1 / l, 1 / inner], density in proportion to q^-beta, any direction
                                                           a^2 E Gamma(D/2) (2 / q r)^(D/2 - 1) J_{D/2 - 1}(q
                                                           r)   (D = 1: a^2 E cos q r)

The Matern law of w is a multivariate t of 2 nu degrees of freedom (Rasmussen and Williams 2006, "Gaussian
processes for machine learning", equation 4.15); chi^2 is drawn as a sum of 2 nu squares. A power law of 1 <
beta < 3 has the mean squared increments of a fractal of Hurst exponent (beta - 1) / 2 for inner << r << l.
One instance of M waves is smooth at distances below that of its shortest wave, whatever the spectrum.

Streams: "instance" (part 0 the wave vectors, part 1 the phases, part 2 what else the spectrum needs).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal, Self

import torch
from annotated_types import Ge, Gt, Le
from torch import Tensor

from landscapes.base import Domain, Landscape, Reals, Terms, per_instance
from landscapes.checks import UNBOUND, check_bound, check_points
from landscapes.numerics import dot, matmul, power
from landscapes.streams import Streams
from landscapes.together import of_worlds

_ELEMENTS = 2**19  # cosines worked at a time: they stay in the second-level cache


@dataclass(frozen=True, kw_only=True)
class GaussianField(Landscape):
    """Smooth bowl plus random Fourier waves.

    A stationary Gaussian field with RBF, Matern or power-law spectrum.

    The minimum is not known: the loss is L itself, which can be negative.

    Source: Rahimi and Recht 2007; Rasmussen and Williams 2006 for the spectra.

    Args:
        dim: D, >= 1.
        waves: M, the number of waves and of terms, >= 1.
        amplitude: a, the standard deviation of the field, in units of the loss, >= 0.
        length: l, its correlation length, in units of x, > 0; of a power law the longest wave's 1 / |w|.
        bowl: b, the curvature of the bowl times D, >= 0: at |x_i| = 1 in all coordinates it adds b / 2.
        box: starts are uniform in [-box, box]^D, > 0.
        spectrum: rbf, the smoothest; matern, of set smoothness; power_law, ripples of all lengths between two
            cutoffs.
        smoothness: nu of matern, a multiple of 1/2, 1/2 .. 32: in the limit of many waves the field has
            derivatives up to any order below nu.
        exponent: beta of power_law; the larger, the less of the short waves.
        inner: the shortest wave's 1 / |w| of power_law, in units of x, > 0 and < length.
    """

    name: ClassVar[str] = "gaussian_field"
    dim: Annotated[int, Ge(1)] = 10
    waves: Annotated[int, Ge(1)] = 64
    amplitude: Annotated[float, Ge(0)] = 1.0
    length: Annotated[float, Gt(0)] = 1.0
    bowl: Annotated[float, Ge(0)] = 1.0
    box: Annotated[float, Gt(0)] = 5.0
    spectrum: Literal["rbf", "matern", "power_law"] = "rbf"
    smoothness: Annotated[float, Ge(0.5), Le(32)] = 1.5
    exponent: float = 2.0
    inner: Annotated[float, Gt(0)] = 0.01
    vectors: Tensor = field(init=False, repr=False, compare=False, default=UNBOUND)  # (R, M, D) w / l
    phases: Tensor = field(init=False, repr=False, compare=False, default=UNBOUND)  # (R, 1, M)
    # (R, 1) each: b / 2 D, a sqrt(2 / M), a sqrt(2 M)
    numbers: tuple[Tensor, ...] = field(init=False, repr=False, compare=False, default=())

    def check(self) -> None:
        """Smoothness counts halves; the cutoffs of a power law are in order."""
        if 2 * self.smoothness % 1:
            raise ValueError(
                f"gaussian_field.smoothness: expected a multiple of 1/2, got {self.smoothness}"
            )
        if self.spectrum == "power_law" and self.inner >= self.length:
            raise ValueError(
                f"gaussian_field.inner: expected < length = {self.length}, got {self.inner}"
            )

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
            vectors=per_instance(streams, lambda s: self._vectors(s) / self.length),
            phases=per_instance(
                streams, lambda s: 2 * math.pi * s.uniform("instance", (1, self.waves), part=1)
            ),
            numbers=of_worlds(
                streams,
                0.5 * self.bowl / self.dim,
                self.amplitude * math.sqrt(2 / self.waves),
                self.amplitude * math.sqrt(2 * self.waves),
            ),
        )

    def loss(self, x: Tensor, terms: Terms | None = None, time: Tensor | None = None) -> Tensor:
        """Height of x (R, P, D) -> (R, P)."""
        del time
        check_points(self, x)
        check_bound(self.name, x, self.vectors)
        half, of_sum, of_mean = self.numbers
        bowl = half * dot(x, x)
        if terms is None:
            return bowl + of_sum * self._sum(x)
        mean = dot(terms.weight, torch.cos(self._angles(x, terms.index)))
        return terms.weight.sum(-1) * bowl + of_mean * mean

    def _vectors(self, streams: Streams) -> Tensor:
        """The w_m, (R, M, D)."""
        normal = streams.normal("instance", (self.waves, self.dim))
        if self.spectrum == "matern":
            freedom = round(2 * self.smoothness)
            squares = (
                streams.normal("instance", (self.waves, freedom), part=2).square().sum(-1, keepdim=True)
            )
            return normal * power(squares / freedom, -0.5)
        if self.spectrum == "power_law":
            return (
                normal
                * power(dot(normal, normal), -0.5)[..., None]
                * self._wave_numbers(streams.uniform("instance", (self.waves, 1), part=2))
            )
        return normal

    def _wave_numbers(self, u: Tensor) -> Tensor:
        """Inverse CDF of |w| under a power law."""
        rise, ratio = 1 - self.exponent, self.length / self.inner
        return (
            torch.exp(u * math.log(ratio)) if rise == 0 else power(1 + u * (ratio**rise - 1), 1 / rise)
        )

    def _sum(self, x: Tensor) -> Tensor:
        """Sum of all waves, (R, P), some worlds at a time."""
        worlds = max(1, _ELEMENTS // max(1, x.shape[1] * self.waves))
        parts = zip(x.split(worlds), self.vectors.split(worlds), self.phases.split(worlds), strict=True)
        return torch.cat([(matmul(points, w.mT) + phi).cos().sum(-1) for points, w, phi in parts])

    def _angles(self, x: Tensor, index: Tensor) -> Tensor:
        """Angles of the waves with index (R, 1 | P, B): (R, P, B)."""
        flat = index.flatten(1)
        w = self.vectors.take_along_dim(flat[..., None], 1)
        phases = self.phases[:, 0].take_along_dim(flat, 1).unflatten(1, index.shape[1:])
        if index.shape[1] == 1:
            return matmul(x, w.mT) + phases
        return dot(x[:, :, None], w.unflatten(1, index.shape[1:])) + phases
