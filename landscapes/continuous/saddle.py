"""A saddle with a set Hessian and a set noise covariance: which directions of noise help to escape?

L(x) = 1/2 sum_i h_i y_i^2 with y = Q' x, h_i > 0 along the stable directions and h_i < 0 along the unstable
ones, which come last. Escape starts from noise along the unstable directions: SGD of learning rate eta with B
of M terms has E y_i = 0 and, from y_i = 0 at t = 0, E y_i^2 = (eta s_i)^2 / B ((1 - eta h_i)^(2 t) - 1) / ((1
- eta h_i)^2 - 1), s_i the standard deviation of the terms' gradients along i; with s_i = 0 it never moves.
With `confinement` c > 0, + c/4 sum y_i^4 over the unstable directions bounds the loss: its minima are at
|y_i| = sqrt(|h_i| / c), sum_i h_i^2 / (4 c) below the saddle.

Streams: "instance" (part 0 rotation, 2 the g_i of the terms).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal, Self

import torch
from annotated_types import Ge, Gt
from torch import Tensor

from landscapes.base import Domain, Landscape, Reals, Terms, per_instance
from landscapes.checks import UNBOUND, check_bound, check_points
from landscapes.continuous.frames import draw_rotation, into, out_of, point_at
from landscapes.continuous.linear_terms import check_terms, draw_slopes, slope
from landscapes.numerics import dot
from landscapes.streams import Streams
from landscapes.together import of_worlds

LISTED = 10  # unstable directions up to which all minima are listed


@dataclass(frozen=True, kw_only=True)
class Saddle(Landscape):
    """A quadratic saddle, unbounded or confined by a quartic: the mean of terms of set gradient covariance.

    Without confinement the loss is L itself, which falls to minus infinity. With it the loss is the gap to
    the 2^unstable minima, all equally deep.

    Source: Mandt, Hoffman and Blei 2017, JMLR 18, for the terms; Daneshmand, Kohler, Lucchi and Hofmann 2018,
    "Escaping saddles with stochastic gradients", ICML, for the question.

    Args:
        dim: D, >= 2.
        unstable: directions along which the loss falls, 1 .. D - 1; they come last.
        stable_curvature: the largest h_i of the stable directions, > 0.
        unstable_curvature: the largest |h_i| of the unstable directions, > 0.
        condition: largest over smallest |h_i| of each group, spaced evenly in the logarithm, >= 1.
        confinement: c, >= 0; 0: unbounded below.
        rotated: a random rotation (Haar) for each instance; False: axes are eigenvectors.
        starts: saddle, all points on it, at the origin; box, uniform in the box.
        terms: M, 1 (no mini-batch noise) or more than dim.
        noise: covariance C of the terms' gradients: isotropic, hessian or inverse_hessian, proportional to I,
            |H| and |H|^-1, each with trace D noise_scale^2; axes, diagonal in the basis of eigenvectors with
            the standard deviations `noise_axes` times noise_scale.
        noise_scale: in units of the gradient, >= 0.
        noise_axes: D standard deviations, >= 0, the stable directions first; only with noise axes.
        box: starts are uniform in [-box, box]^D, > 0.
    """

    name: ClassVar[str] = "saddle"
    dim: Annotated[int, Ge(2)] = 10
    unstable: Annotated[int, Ge(1)] = 1
    stable_curvature: Annotated[float, Gt(0)] = 1.0
    unstable_curvature: Annotated[float, Gt(0)] = 1.0
    condition: Annotated[float, Ge(1)] = 1.0
    confinement: Annotated[float, Ge(0)] = 0.0
    rotated: bool = False
    starts: Literal["saddle", "box"] = "saddle"
    terms: Annotated[int, Ge(1)] = 1
    noise: Literal["isotropic", "hessian", "inverse_hessian", "axes"] = "isotropic"
    noise_scale: Annotated[float, Ge(0)] = 1.0
    noise_axes: tuple[Annotated[float, Ge(0)], ...] = ()
    box: Annotated[float, Gt(0)] = 1.0
    # (R, D) h_i, the stable directions first
    eigenvalues: Tensor = field(init=False, repr=False, compare=False, default=UNBOUND)
    # (R, D, D) eigenvectors in columns, None: the axes
    rotation: Tensor | None = field(init=False, repr=False, compare=False, default=None)
    # (R, D) one of the minima, where there are any
    optimum: Tensor | None = field(init=False, repr=False, compare=False, default=None)
    # (R, D) that minimum in the basis of the eigenvectors
    bottom: Tensor | None = field(init=False, repr=False, compare=False, default=None)
    # (R, 1) each: c, c / 4
    numbers: tuple[Tensor, ...] = field(init=False, repr=False, compare=False, default=())
    # (R, M, D) the g_i, in the basis of the eigenvectors
    slopes: Tensor | None = field(init=False, repr=False, compare=False, default=None)

    def check(self) -> None:
        """Both kinds of directions, enough terms for a covariance of full rank, a deviation for each axis."""
        if self.unstable >= self.dim:
            raise ValueError(
                f"saddle.unstable: expected at most dim - 1 = {self.dim - 1}, got {self.unstable}"
            )
        check_terms(self.name, self.terms, self.dim)
        wanted = self.dim if self.noise == "axes" else 0
        if len(self.noise_axes) != wanted:
            raise ValueError(
                f"saddle.noise_axes: expected {wanted} numbers with noise {self.noise!r}, got"
                f" {len(self.noise_axes)}"
            )
        if any(not value >= 0 for value in self.noise_axes):
            raise ValueError(f"saddle.noise_axes: expected numbers >= 0, got {list(self.noise_axes)}")

    @property
    def domain(self) -> Domain:
        """The box of starts."""
        return Reals(-self.box, self.box)

    @property
    def gap_known(self) -> bool:
        """There are minima where the loss is confined."""
        return self.confinement > 0

    @property
    def optima(self) -> Tensor | None:
        """The minima, one for each choice of signs along the unstable directions: (R, 2^unstable, D).

        None for more than 2^`LISTED`.
        """
        if self.optimum is None or self.bottom is None or self.unstable > LISTED:
            return None
        signs = torch.cartesian_prod(*[torch.tensor([1.0, -1.0])] * self.unstable)
        signs = signs.reshape(2**self.unstable, -1).to(self.optimum)
        corners = torch.nn.functional.pad(signs, (self.dim - self.unstable, 0)) * self.bottom[:, None]
        return out_of(corners, self.rotation)

    def bind(self, streams: Streams) -> Self:
        """Draw rotation and terms."""
        rotation = per_instance(streams, lambda s: draw_rotation(s, self.dim)) if self.rotated else None
        return self.bound(
            eigenvalues=self.hessian().to(streams.device, streams.dtype).expand(streams.size, -1),
            rotation=rotation,
            optimum=point_at(self._bottom(), rotation, streams) if self.confinement else None,
            bottom=point_at(self._bottom(), None, streams) if self.confinement else None,
            numbers=of_worlds(streams, self.confinement, 0.25 * self.confinement),
            slopes=(
                per_instance(streams, lambda s: draw_slopes(s, self.terms, self.deviations(), part=2))
                if self.terms > 1
                else None
            ),
        )

    def loss(self, x: Tensor, terms: Terms | None = None, time: Tensor | None = None) -> Tensor:
        """Height of x (R, P, D) over the saddle, or over the minima where there are any -> (R, P)."""
        del time
        check_points(self, x)
        check_bound(self.name, x, self.eigenvalues)
        y = into(x, None, self.rotation)
        value = self._height(y)
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
        if self.starts == "saddle":
            return torch.zeros((streams.size, n, self.dim), dtype=streams.dtype, device=streams.device)
        return self.box * (2 * streams.uniform("init", (n, self.dim)) - 1)

    def hessian(self) -> Tensor:
        """The h_i, (D,) float64."""
        groups = (
            (self.stable_curvature, self.dim - self.unstable),
            (-self.unstable_curvature, self.unstable),
        )
        return torch.cat([
            largest * self.condition ** -torch.linspace(0, 1, size, dtype=torch.float64)
            for largest, size in groups
        ])

    def deviations(self) -> Tensor:
        """Standard deviations of the terms' gradients along the eigenvectors, (D,) float64."""
        if self.noise == "axes":
            return self.noise_scale * torch.tensor(self.noise_axes, dtype=torch.float64)
        size = self.hessian().abs()
        shape = {"isotropic": torch.ones_like(size), "hessian": size, "inverse_hessian": 1 / size}[
            self.noise
        ]
        return self.noise_scale * (shape / shape.mean()).sqrt()

    def _height(self, y: Tensor) -> Tensor:
        h, cut = self.eigenvalues[:, None], self.dim - self.unstable
        if not self.confinement:
            return 0.5 * dot(h * y, y)
        confinement, quarter = self.numbers
        away = y[..., cut:].square() + h[..., cut:] / confinement[..., None]
        bowl = 0.5 * dot(h[..., :cut] * y[..., :cut], y[..., :cut])
        return bowl + quarter * away.square().sum(-1)

    def _bottom(self) -> Tensor:
        """One of the minima in the basis of the eigenvectors, (D,) float64."""
        return (-self.hessian() / (self.confinement or 1)).clamp_min(0).sqrt()
