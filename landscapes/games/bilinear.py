"""The bilinear game x' A y: the simplest one in which simultaneous gradient play runs away.

L_1 = x' A y + r / 2 |x|^2, L_2 = -x' A y + r / 2 |y|^2. Along each pair of singular vectors, of singular
value s, a step of size eta multiplies the distance to the equilibrium, at r = 0, by sqrt(1 + eta^2 s^2) in
simultaneous play and by sqrt((1 - eta^2 s^2)^2 + eta^2 s^2) in extragradient (Korpelevich 1976), while
alternating play stays on an ellipse as long as eta s < 2 (Gidel et al. 2019, "Negative momentum for improved
game dynamics", AISTATS). The eigenvalues of the flow are -r +- i s.

Streams: "instance" (parts 0 and 2 the rotations of the two players, 1 the equilibrium).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal, Self

import torch
from annotated_types import Ge, Gt
from torch import Tensor

from landscapes.base import Domain, Reals, per_instance
from landscapes.checks import UNBOUND
from landscapes.continuous.frames import draw_place, draw_rotation
from landscapes.games.base import Game, distance
from landscapes.numerics import dot, matmul
from landscapes.streams import Streams
from landscapes.together import of_worlds


@dataclass(frozen=True, kw_only=True)
class Bilinear(Game):
    """Bilinear game x' A y with set singular values.

    Simultaneous gradient play spirals out, alternating play circles.

    `solution_loss` is the distance to the equilibrium; the exploitability is infinite without regularisation,
    so it is not that.

    Source: Gidel et al. 2019, AISTATS.

    Args:
        dim: D, the coordinates of both players, even and >= 2.
        coupling: the largest singular value of A, > 0.
        condition: largest over smallest singular value, >= 1 (with dim = 2: the only one is `coupling`).
        spectrum: singular values between the two ends: log, spaced evenly in their logarithm; linear, evenly.
        rotated: singular vectors are random (Haar) for each instance and each player; False: the axes.
        shifted: an equilibrium uniform in [-4, 4]^D for each instance; False: the origin.
        regularisation: r, how strongly each player is drawn to its equilibrium strategy, >= 0.
        box: starts are uniform in [-box, box]^D, > 0.
    """

    name: ClassVar[str] = "bilinear"
    dim: Annotated[int, Ge(2)] = 10
    coupling: Annotated[float, Gt(0)] = 1.0
    condition: Annotated[float, Ge(1)] = 10.0
    spectrum: Literal["log", "linear"] = "log"
    rotated: bool = True
    shifted: bool = False
    regularisation: Annotated[float, Ge(0)] = 0.0
    box: Annotated[float, Gt(0)] = 1.0
    optimum: Tensor = field(
        init=False, repr=False, compare=False, default=UNBOUND
    )  # (R, D) the equilibrium
    matrix: Tensor = field(
        init=False, repr=False, compare=False, default=UNBOUND
    )  # (R, D / 2, D / 2) A
    # (R, 1) each: r / 2
    numbers: tuple[Tensor, ...] = field(init=False, repr=False, compare=False, default=())

    def check(self) -> None:
        """Both players have as many coordinates."""
        if self.dim % 2:
            raise ValueError(
                f"bilinear.dim: expected an even number, half of it for each player, got {self.dim}"
            )

    @property
    def domain(self) -> Domain:
        """The box of starts."""
        return Reals(-self.box, self.box)

    def bind(self, streams: Streams) -> Self:
        """Draw the matrix and the equilibrium."""
        return self.bound(
            matrix=per_instance(streams, self._matrix),
            optimum=per_instance(streams, lambda s: draw_place(s, self.dim, shifted=self.shifted)),
            numbers=of_worlds(streams, 0.5 * self.regularisation),
        )

    def losses(self, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
        """The losses (R, P) of both players, of their strategies (R, P, D / 2)."""
        x, y = (
            both - rest[:, None]
            for both, rest in zip((first, second), self.optimum.chunk(2, -1), strict=True)
        )
        meeting = dot(matmul(x, self.matrix), y)
        return meeting + self._own(x), self._own(y) - meeting

    def solution_loss(self, x: Tensor, time: Tensor | None = None) -> Tensor:
        """Distance of x (R, P, D) to the equilibrium -> (R, P)."""
        del time
        return distance(x, self.optimum)

    def singular_values(self) -> Tensor:
        """The singular values of A, in descending order: (D / 2,) float64."""
        place = torch.linspace(0, 1, self.dim // 2, dtype=torch.float64)
        if self.spectrum == "linear":
            return self.coupling * (1 - place * (1 - 1 / self.condition))
        return self.coupling * self.condition**-place

    def _own(self, strategy: Tensor) -> Tensor:
        return self.numbers[0] * dot(strategy, strategy)

    def _matrix(self, streams: Streams) -> Tensor:
        """U diag(s) V', (I, D / 2, D / 2)."""
        values, half = self.singular_values().to(streams.device, streams.dtype), self.dim // 2
        if not self.rotated:
            return values.diag().expand(streams.size, half, half)
        return matmul(draw_rotation(streams, half) * values, draw_rotation(streams, half, part=2).mT)
