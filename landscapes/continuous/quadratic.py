"""A quadratic bowl, alone or as the mean of terms whose gradients have a set covariance.

L(x) = 1/2 (x - x*)' H (x - x*), minimum 0. With M = `terms` > 1, term i is L(x) + g_i' (x - x*), where the
g_i have the covariance C exactly (`landscapes.continuous.linear_terms`). The noise of a mini-batch is thus
additive: SGD with B terms drawn with replacement has stationary covariance S = A S A + eta^2 C / B, A = I -
eta H (Mandt, Hoffman, Blei 2017, "Stochastic gradient descent as approximate Bayesian inference", JMLR 18);
in one dimension eta sigma^2 / [B h (2 - eta h)].

Streams: "instance" (part 0 rotation, 1 optimum, 2 the g_i).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal, Self

import torch
from annotated_types import Ge, Gt
from torch import Tensor

from landscapes.base import Domain, Landscape, Reals, Terms, per_instance
from landscapes.checks import UNBOUND, check_bound, check_points
from landscapes.continuous.frames import draw_place, draw_rotation, into
from landscapes.continuous.linear_terms import check_terms, draw_slopes, slope
from landscapes.numerics import dot
from landscapes.streams import Streams


@dataclass(frozen=True, kw_only=True)
class Quadratic(Landscape):
    """Quadratic bowl with a set spectrum; optionally the mean of terms with a set gradient covariance.

    The loss is the gap to the minimum, which is 0. The largest eigenvalue of the Hessian is `curvature`, the
    smallest curvature / condition, so gradient descent is stable for learning rates below 2 / curvature
    whatever the condition number.

    Source: Mandt, Hoffman and Blei 2017 for the terms.

    Args:
        dim: D, >= 1.
        condition: largest over smallest eigenvalue, >= 1 (with dim = 1: the eigenvalue is `curvature`).
        spectrum: eigenvalues between the two ends: log, spaced evenly in their logarithm; linear, evenly;
            power, as i^-a for i = 1 .. D.
        curvature: largest eigenvalue, > 0.
        rotated: a random rotation (Haar) for each instance; False: axes are eigenvectors, the first the
            steepest.
        shifted: a minimum uniform in [-4, 4]^D for each instance; False: the origin, which favours methods
            that average points.
        terms: M, 1 (no mini-batch noise) or more than dim.
        noise: covariance C of the terms' gradients: isotropic, noise_scale^2 I; hessian, noise_scale^2 H.
        noise_scale: >= 0.
        box: starts are uniform in [-box, box]^D, > 0.
    """

    name: ClassVar[str] = "quadratic"
    dim: Annotated[int, Ge(1)] = 10
    condition: Annotated[float, Ge(1)] = 100.0
    spectrum: Literal["log", "linear", "power"] = "log"
    curvature: Annotated[float, Gt(0)] = 1.0
    rotated: bool = False
    shifted: bool = False
    terms: Annotated[int, Ge(1)] = 1
    noise: Literal["isotropic", "hessian"] = "isotropic"
    noise_scale: Annotated[float, Ge(0)] = 1.0
    box: Annotated[float, Gt(0)] = 5.0
    # (R, D) in descending order
    eigenvalues: Tensor = field(init=False, repr=False, compare=False, default=UNBOUND)
    # (R, D, D) eigenvectors in columns, None: the axes
    rotation: Tensor | None = field(init=False, repr=False, compare=False, default=None)
    optimum: Tensor = field(init=False, repr=False, compare=False, default=UNBOUND)  # (R, D)
    # (R, M, D) the g_i, in the basis of the eigenvectors
    slopes: Tensor | None = field(init=False, repr=False, compare=False, default=None)

    def check(self) -> None:
        """A covariance of full rank needs more terms than dimensions."""
        check_terms(self.name, self.terms, self.dim)

    @property
    def domain(self) -> Domain:
        """The box of starts."""
        return Reals(-self.box, self.box)

    @property
    def gap_known(self) -> bool:
        """The minimum is 0."""
        return True

    def bind(self, streams: Streams) -> Self:
        """Draw rotation, optimum and terms."""
        eigenvalues = self._eigenvalues().to(streams.device, streams.dtype)
        return self.bound(
            eigenvalues=eigenvalues.expand(streams.size, -1),
            rotation=per_instance(streams, lambda s: draw_rotation(s, self.dim))
            if self.rotated
            else None,
            optimum=per_instance(streams, lambda s: draw_place(s, self.dim, shifted=self.shifted)),
            slopes=(
                per_instance(streams, lambda s: draw_slopes(s, self.terms, self._deviations(), part=2))
                if self.terms > 1
                else None
            ),
        )

    def loss(self, x: Tensor, terms: Terms | None = None, time: Tensor | None = None) -> Tensor:
        """Height above the minimum of x (R, P, D) -> (R, P)."""
        del time
        check_points(self, x)
        check_bound(self.name, x, self.optimum)
        y = into(x, self.optimum, self.rotation)
        bowl = 0.5 * dot(self.eigenvalues[:, None] * y, y)
        if terms is None:
            return bowl
        weight = terms.weight.sum(-1)
        return (
            weight * bowl if self.slopes is None else weight * bowl + dot(slope(self.slopes, terms), y)
        )

    def _eigenvalues(self) -> Tensor:
        place = torch.linspace(0, 1, self.dim, dtype=torch.float64)
        if self.spectrum == "linear":
            return self.curvature * (1 - place * (1 - 1 / self.condition))
        if self.spectrum == "power" and self.dim > 1:
            place = torch.arange(1, self.dim + 1).double().log() / torch.tensor(self.dim).double().log()
        return self.curvature * self.condition**-place

    def _deviations(self) -> Tensor:
        variance = (
            self._eigenvalues()
            if self.noise == "hessian"
            else torch.ones(self.dim, dtype=torch.float64)
        )
        return self.noise_scale * variance.sqrt()
