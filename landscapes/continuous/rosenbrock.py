"""Rosenbrock's banana in D dimensions: a curved valley whose floor falls ever more slowly.

L(x) = sum_{i=1}^{D-1} a (x_{i+1} - x_i^2)^2 + (1 - x_i)^2, minimum 0 at (1, .., 1): the chained form. For D
>= 4 there is a second minimum, near (-1, 1, .., 1), with L between 3.7 and 4 (Shang and Qiu 2006, "A note on
the extended Rosenbrock function", Evolutionary Computation 14, 119-126). Link i times D - 1 is term i, so
that the loss is the mean of D - 1 terms.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Self

import torch
from annotated_types import Ge, Gt
from torch import Tensor

from landscapes.base import Domain, Landscape, Reals, Terms
from landscapes.checks import UNBOUND, check_bound, check_points
from landscapes.numerics import dot
from landscapes.streams import Streams
from landscapes.together import of_worlds


@dataclass(frozen=True, kw_only=True)
class Rosenbrock(Landscape):
    """Rosenbrock's curved valley, chained over D dimensions; minimum 0 at (1, .., 1).

    Source: Rosenbrock 1960, "An automatic method for finding the greatest or least value of a function", The
    Computer Journal 3, 175-184.

    Args:
        dim: D, >= 2.
        steepness: a, of the walls over that of the floor, > 0; 100 is Rosenbrock's.
        box: starts are uniform in [-box, box]^D, > 0.
    """

    name: ClassVar[str] = "rosenbrock"
    dim: Annotated[int, Ge(2)] = 10
    steepness: Annotated[float, Gt(0)] = 100.0
    box: Annotated[float, Gt(0)] = 2.048
    optimum: Tensor = field(init=False, repr=False, compare=False, default=UNBOUND)  # (R, D) ones
    # (R, 1) each: a
    numbers: tuple[Tensor, ...] = field(init=False, repr=False, compare=False, default=())

    @property
    def domain(self) -> Domain:
        """The box of starts."""
        return Reals(-self.box, self.box)

    @property
    def terms(self) -> int:
        """The links of the chain."""
        return self.dim - 1

    @property
    def gap_known(self) -> bool:
        """The minimum is 0."""
        return True

    def bind(self, streams: Streams) -> Self:
        """Nothing is random."""
        return self.bound(
            optimum=torch.ones((1, self.dim), dtype=streams.dtype, device=streams.device).expand(
                streams.size, -1
            ),
            numbers=of_worlds(streams, self.steepness),
        )

    def loss(self, x: Tensor, terms: Terms | None = None, time: Tensor | None = None) -> Tensor:
        """Height above the minimum of x (R, P, D) -> (R, P)."""
        del time
        check_points(self, x)
        check_bound(self.name, x, self.optimum)
        here, after = x[..., :-1], x[..., 1:]
        if terms is None:
            return self._links(here, after).sum(-1)
        index = terms.index.expand(-1, x.shape[1], -1)
        return (self.dim - 1) * dot(
            terms.weight, self._links(here.take_along_dim(index, -1), after.take_along_dim(index, -1))
        )

    def _links(self, here: Tensor, after: Tensor) -> Tensor:
        return self.numbers[0][..., None] * (after - here.square()).square() + (1 - here).square()
