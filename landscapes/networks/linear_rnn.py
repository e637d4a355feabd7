"""A linear recurrent network: the product of T equal matrices, whose gradient vanishes or explodes.

h_T = W^T h_0, L(W) = 1/2 |h_T - y u|^2 with unit vectors h_0 and u, and y > 0. With one unit, h_0 = u = 1: L
= 1/2 (w^T - y)^2 and dL/dw = (w^T - y) T w^(T - 1) (Pascanu, Mikolov, Bengio 2013, "On the difficulty of
training recurrent neural networks", ICML 28). The minimum is 0, at y^(1/T) times the turn that takes h_0 to u
in T equal steps.

Streams: "init" (weights), "instance" (part 0 h_0 and u).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Self

import torch
from annotated_types import Ge, Gt
from torch import Tensor

from landscapes.base import Domain, Landscape, Reals, Terms, per_instance, weighted
from landscapes.checks import UNBOUND, check_bound, check_points
from landscapes.numerics import dot
from landscapes.streams import Streams
from landscapes.together import of_worlds


@dataclass(frozen=True, kw_only=True)
class LinearRNN(Landscape):
    """Linear recurrent network that must reach a target after T steps: vanishing and exploding gradients.

    A point holds the matrix W row by row. The loss is the gap to the minimum, which is 0.

    Source: Pascanu, Mikolov and Bengio 2013.

    Args:
        units: n, >= 1; D = n^2. Directions of h_0 and of the target are uniform for each instance (one unit:
            both 1).
        steps: T, >= 1.
        target: y, the length of the target, > 0.
        gain: starts are gain I + spread N(0, 1/n) in each entry.
        spread: >= 0.
    """

    name: ClassVar[str] = "linear_rnn"
    units: Annotated[int, Ge(1)] = 1
    steps: Annotated[int, Ge(1)] = 50
    target: Annotated[float, Gt(0)] = 0.5
    gain: float = 1.0
    spread: Annotated[float, Ge(0)] = 0.01
    # (R, 2, n) unit vectors: h_0 and u
    ends: Tensor = field(init=False, repr=False, compare=False, default=UNBOUND)
    optimum: Tensor = field(init=False, repr=False, compare=False, default=UNBOUND)  # (R, D)
    # (R, 1) each: y, the gain, the spread of an entry
    numbers: tuple[Tensor, ...] = field(init=False, repr=False, compare=False, default=())

    @property
    def dim(self) -> int:
        """The entries of W."""
        return self.units**2

    @property
    def domain(self) -> Domain:
        """All reals; starts have their own law."""
        return Reals(-1.0, 1.0)

    @property
    def gap_known(self) -> bool:
        """The minimum is 0."""
        return True

    def bind(self, streams: Streams) -> Self:
        """Draw both directions."""
        ends = per_instance(streams, self._ends)
        return self.bound(
            ends=ends,
            optimum=per_instance(streams, lambda s: self._optimum(self._ends(s))),
            numbers=of_worlds(streams, self.target, self.gain, self.spread / self.units**0.5),
        )

    def start(self, streams: Streams, n: int) -> Tensor:
        """About a multiple of the identity, (R, n, D)."""
        eye = torch.eye(self.units, dtype=streams.dtype, device=streams.device).flatten()
        _, gain, spread = (number[..., None] for number in self.numbers)
        return gain * eye + spread * streams.normal("init", (n, self.dim))

    def loss(self, x: Tensor, terms: Terms | None = None, time: Tensor | None = None) -> Tensor:
        """Half the squared distance to the target, matrices x (R, P, D) -> (R, P)."""
        del time
        check_points(self, x)
        check_bound(self.name, x, self.ends)
        w = x.unflatten(-1, (self.units, self.units))
        h = self.ends[:, None, 0].expand(-1, x.shape[1], -1)
        for _ in range(self.steps):
            h = dot(w, h[..., None, :])
        miss = h - self.numbers[0][..., None] * self.ends[:, None, 1]
        value = 0.5 * dot(miss, miss)
        return weighted(value, terms)

    def _ends(self, streams: Streams) -> Tensor:
        if self.units == 1:
            return torch.ones((streams.size, 2, 1), dtype=streams.dtype, device=streams.device)
        drawn = streams.normal("instance", (2, self.units))
        return drawn / dot(drawn, drawn).sqrt()[..., None]

    def _optimum(self, ends: Tensor) -> Tensor:
        """A turn in the plane of h_0 and u: (R, n^2).

        By a T-th of the angle between them, and a T-th root of the length.
        """
        first, last = ends.double().unbind(1)
        across = last - dot(first, last)[:, None] * first
        length = dot(across, across).sqrt()[:, None]
        second = torch.where(length > 0, across / length, torch.zeros_like(across))
        angle = torch.atan2(length[:, 0], dot(first, last))[:, None, None] / self.steps
        plane = _outer(first, first) + _outer(second, second)
        swing = _outer(second, first) - _outer(first, second)
        turn = (
            torch.eye(self.units, dtype=torch.float64, device=ends.device)
            + (angle.cos() - 1) * plane
            + angle.sin() * swing
        )
        return (self.target ** (1 / self.steps) * turn).flatten(1).to(ends.dtype)


def _outer(a: Tensor, b: Tensor) -> Tensor:
    return a[:, :, None] * b[:, None, :]
