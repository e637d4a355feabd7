"""Fisher's geometric model: n traits under selection towards one optimum.

L(x) = 1/2 (|y| / w)^Q, y = S^{1/2} A (x - x*), is minus the log of fitness. x are the coordinates of
mutation: one that is isotropic in x has covariance A A' in the traits z = A x; selection is 1/2 (z' S z)^{Q /
2} / w^Q. In the basis of the eigenvectors of S, A = O M^{1/2}: M and S are diagonal with mean 1, so that
conditions change the shape of mutation and selection, not their size, and O is the rotation between the
principal axes of the two. Q sets the epistasis: 2, none between small effects (fitness is Gaussian); > 2,
fitness falls slowly at first; < 2, fast at first.

Without anisotropy a mutation of size r at distance d of the optimum is beneficial with probability 1/2 I_{1 -
(r / 2 d)^2}((n - 1) / 2, 1/2), I the regularised incomplete beta function (the cap of a sphere), which Fisher
1930 approximated by 1 - Phi(r sqrt n / 2 d).

Streams: "instance" (part 0 O, 1 the optimum), "init".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal, Self

import torch
from annotated_types import Ge, Gt
from torch import Tensor

from landscapes.base import Domain, FitnessLaw, Landscape, Reals, Terms, per_instance, weighted
from landscapes.checks import UNBOUND, check_bound, check_points
from landscapes.continuous.frames import draw_place, draw_rotation, into, out_of
from landscapes.numerics import dot, power
from landscapes.streams import Streams
from landscapes.together import of_worlds


@dataclass(frozen=True, kw_only=True)
class Fisher(Landscape):
    """Fisher's geometric model: log-fitness falls with a power of the distance to an optimum in n traits.

    The loss is minus the log of fitness, which is the gap to the optimum. Methods that select by fitness take
    it so (`fitness_law`).

    Source: Fisher 1930, "The genetical theory of natural selection"; Martin and Lenormand 2006, "A general
    multivariate extension of Fisher's geometrical model", Evolution 60, 893-907, for the matrices; Tenaillon
    2014, "The utility of Fisher's geometric model in evolutionary genetics", Annual Review of Ecology,
    Evolution, and Systematics 45, 179-201, for Q.

    Args:
        dim: n, the traits, >= 1.
        width: w, the distance at which the loss is 1/2, in units of the traits, > 0.
        epistasis: Q, > 0; below 1 the slope grows without bound towards the optimum.
        selection_condition: largest over smallest eigenvalue of S, spaced evenly in the logarithm, >= 1.
        mutation_condition: likewise of the covariance A A' of mutation in the traits, >= 1.
        rotated: the principal axes of mutation are random (Haar) to those of selection, for each instance;
            False: they coincide.
        shifted: an optimum uniform in [-4, 4]^n for each instance; False: the origin.
        starts: sphere, uniform on |y| = distance, where all have the same loss; box, uniform in the box.
        distance: d, of the starts from the optimum in units of the traits, > 0.
        box: starts are uniform in [-box, box]^n, > 0.
    """

    name: ClassVar[str] = "fisher"
    dim: Annotated[int, Ge(1)] = 10
    width: Annotated[float, Gt(0)] = 1.0
    epistasis: Annotated[float, Gt(0)] = 2.0
    selection_condition: Annotated[float, Ge(1)] = 1.0
    mutation_condition: Annotated[float, Ge(1)] = 1.0
    rotated: bool = True
    shifted: bool = False
    starts: Literal["sphere", "box"] = "sphere"
    distance: Annotated[float, Gt(0)] = 1.0
    box: Annotated[float, Gt(0)] = 5.0
    # (R, n, n) O', None: the identity
    rotation: Tensor | None = field(init=False, repr=False, compare=False, default=None)
    # (R, n) roots of the eigenvalues of S
    selection: Tensor = field(init=False, repr=False, compare=False, default=UNBOUND)
    # (R, n) roots of the eigenvalues of A A'
    mutation: Tensor = field(init=False, repr=False, compare=False, default=UNBOUND)
    optimum: Tensor = field(init=False, repr=False, compare=False, default=UNBOUND)  # (R, n)
    # (R, 1) each: w^2, Q / 2, d
    numbers: tuple[Tensor, ...] = field(init=False, repr=False, compare=False, default=())

    @property
    def domain(self) -> Domain:
        """The box of starts."""
        return Reals(-self.box, self.box)

    @property
    def gap_known(self) -> bool:
        """At the optimum the log of fitness is 0."""
        return True

    @property
    def fitness_law(self) -> FitnessLaw:
        """exp(-loss), 1 at the optimum."""
        return FitnessLaw(log=True)

    @property
    def form(self) -> tuple[object, ...]:
        """Without anisotropy nothing is rotated, and without epistasis there is no power."""
        return self.isotropic, self.epistasis == 2  # noqa: PLR2004

    @property
    def isotropic(self) -> bool:
        """Whether mutation and selection are the same in all directions."""
        return self.selection_condition == self.mutation_condition == 1

    def bind(self, streams: Streams) -> Self:
        """Draw the rotation between mutation and selection, and the optimum."""
        selection, mutation = (
            _roots(c, self.dim).to(streams.device, streams.dtype).expand(streams.size, -1)
            for c in (self.selection_condition, self.mutation_condition)
        )
        return self.bound(
            selection=selection,
            mutation=mutation,
            rotation=(
                per_instance(streams, lambda s: draw_rotation(s, self.dim))
                if self.rotated and not self.isotropic
                else None
            ),
            optimum=per_instance(streams, lambda s: draw_place(s, self.dim, shifted=self.shifted)),
            numbers=of_worlds(streams, self.width**2, self.epistasis / 2, self.distance),
        )

    def loss(self, x: Tensor, terms: Terms | None = None, time: Tensor | None = None) -> Tensor:
        """Minus the log of the fitness of x (R, P, n) -> (R, P)."""
        del time
        check_points(self, x)
        check_bound(self.name, x, self.optimum)
        y = self.traits(x)
        square, exponent, _ = self.numbers
        square = dot(y, y) / square
        value = 0.5 * (square if self.epistasis == 2 else _power(square, exponent))  # noqa: PLR2004
        return weighted(value, terms)

    def traits(self, x: Tensor) -> Tensor:
        """Deviations y (R, P, n) of the traits from the optimum, in units in which selection is isotropic."""
        mutated = self.mutation[:, None] * (x - self.optimum[:, None])
        return self.selection[:, None] * into(mutated, None, self.rotation)

    def start(self, streams: Streams, n: int) -> Tensor:
        """Starting points (R, n, D), source "init"."""
        if self.starts == "box":
            return self.box * (2 * streams.uniform("init", (n, self.dim)) - 1)
        normal = streams.normal("init", (n, self.dim))
        y = self.numbers[-1][..., None] * normal * power(dot(normal, normal), -0.5)[..., None]
        x = out_of(y / self.selection[:, None], self.rotation) / self.mutation[:, None]
        return self.optimum[:, None] + x


def _roots(condition: float, size: int) -> Tensor:
    """Square roots of eigenvalues of mean 1, in descending order: (size,) float64."""
    values = condition ** -torch.linspace(0, 1, size, dtype=torch.float64)
    return (values / values.mean()).sqrt()


def _power(square: Tensor, exponent: Tensor) -> Tensor:
    """Square ** exponent for square >= 0, with slope 0 at 0."""
    positive = square > 0
    return torch.where(
        positive,
        power(torch.where(positive, square, torch.ones_like(square)), exponent),
        torch.zeros_like(square),
    )
