"""The (1+1) evolutionary algorithm on bits or letters.

One parent, one offspring, the better survives, the offspring of equals.

    y: each locus of x flipped with probability p;    x <- y where L(y) <= L(x)
        (Muehlenbein 1992, PPSN II; Droste et al. 2002, TCS 276:51)

On LeadingOnes it takes [(1 - p)^(1 - D) - (1 - p)] / (2 p^2) steps in the mean (Boettcher, Doerr and Neumann
2010, PPSN XI, theorem 3), on OneMax about e D ln D with p = 1/D.

1 value per step where values are exact (the first is that of the start), else 2: parent and offspring are
asked together, since an old lucky value would never be beaten. Draws: mutation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, NamedTuple

import torch
from annotated_types import Ge, Le
from torch import Tensor

from landscapes.base import Answer, Bits, Letters, Problem, Query
from landscapes.parameters import Defaults
from landscapes.streams import Streams
from optimizers import operators
from optimizers import quantities as named
from optimizers.base import Info, Optimizer, Quantity
from optimizers.defaults import MUTATION_RATE
from optimizers.operators import unseen
from optimizers.spectrum import Spectrum
from optimizers.walks import moves


class State(NamedTuple):
    """The parent."""

    points: Tensor  # (R, 1, D)
    value: Tensor  # (R, 1) when last asked; inf before the first step
    exact: Tensor  # (R, 1) where the oracle adds no noise, else (R, 0); see `operators.mark`
    step: Tensor  # (R,) int64, completed steps
    changes: Tensor  # (R, D, A, A) where a mutation leads; (R, 0): to the other bit


@dataclass(frozen=True, kw_only=True)
class OnePlusOneEA(Optimizer):
    """(1+1)-EA with standard bit mutation, or that of letters.

    Args:
        mutation_rate: p, probability that a bit flips, or a letter mutates, 0 to 1; None: 1/D.
        spectrum: to which letter one mutates: to each other alike, unless {transitions: kappa} or {rates:
            {A>G: 2}} say otherwise, on bits {rates: {0>1: 2}}. With unequal rates p is that of the most
            mutable letter of a site.

    Source: Muehlenbein 1992, PPSN II, 15-25; Droste, Jansen and Wegener 2002, Theor. Comput. Sci. 276:51.
    """

    name: ClassVar[str] = "one_plus_one_ea"
    quantities: ClassVar[Mapping[str, Quantity]] = named.acceptance()
    domains: ClassVar[tuple[type, ...]] = (Bits, Letters)
    sources: ClassVar[tuple[str, ...]] = ("mutation",)
    defaults: ClassVar[Defaults] = MUTATION_RATE
    mutation_rate: Annotated[float | None, Ge(0), Le(1)] = None
    spectrum: Spectrum = field(default_factory=Spectrum)

    def check_problem(self, problem: Problem) -> None:
        """A spectrum is that of bits or letters."""
        self.spectrum.fits(self.name, problem.domain)

    def init(self, problem: Problem, streams: Streams) -> State:
        """The first start, not yet asked."""
        points = problem.start(1)
        exact = operators.mark(problem.exact, points)
        step = points.new_zeros(len(points), dtype=torch.int64)
        changes = operators.changes(problem, self.spectrum, streams)
        return State(points, unseen(points, streams.dtype), exact, step, changes)

    def ask(self, state: State, streams: Streams) -> Query:
        """The offspring, after its parent where values are noisy; the start first where they are exact."""
        rate, changes = self.mutation_rate, state.changes
        fresh = operators.mutate(state.points, streams, rate, 0.0, changes=changes)
        return Query(moves.trials(state.points, fresh, state.step, state.exact))

    def tell(self, state: State, query: Query, answer: Answer, streams: Streams) -> tuple[State, Info]:
        """The offspring survives where it is no worse; info: accepted (R, 1)."""
        del streams
        old, fresh, new = moves.compared(state.value, query.points, answer.value)
        accepted = new <= old
        points = torch.where(accepted[..., None], fresh, state.points)
        value = torch.where(accepted, new, old)
        after = state._replace(points=points, value=value, step=state.step + 1)
        return after, {"accepted": accepted}

    def recommend(self, state: State) -> Tensor:
        """The parent: (R, D)."""
        return state.points[:, 0]

    def center(self, state: State) -> Tensor:
        """The parent: (R, D)."""
        return state.points[:, 0].to(state.value.dtype)
