"""Randomized local search on bits or letters.

One locus, drawn uniformly, is flipped, or mutates to another letter, all alike, and the better survives, the
new one of equals.

    y: x with one locus flipped;    x <- y where L(y) <= L(x)
        (Doerr and Doerr 2020, in "Theory of evolutionary computation", 133-212)

The (1+1)-EA with exactly one flip: on OneMax from no copy of the target it takes D H_D steps in the mean
(coupon collector). It never leaves a strict local optimum.

1 value per step where values are exact (the first is that of the start), else 2: both points are asked
together. Draws: mutation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from landscapes.base import Answer, Bits, Letters, Problem, Query
from landscapes.streams import Streams
from optimizers import operators
from optimizers import quantities as named
from optimizers.base import Info, Optimizer, Quantity
from optimizers.operators import unseen
from optimizers.spectrum import Spectrum
from optimizers.walks import moves


class State(NamedTuple):
    """The current point."""

    points: Tensor  # (R, 1, D)
    value: Tensor  # (R, 1) when last asked; inf before the first step
    exact: Tensor  # (R, 1) where the oracle adds no noise, else (R, 0); see `operators.mark`
    step: Tensor  # (R,) int64, completed steps
    changes: Tensor  # (R, D, A, A) of letters, where a mutation leads; on bits (R, 0)


@dataclass(frozen=True, kw_only=True)
class RLS(Optimizer):
    """Randomized local search: flips one bit, or changes one letter, at a time. It has no parameters.

    Source: Doerr and Doerr 2020, in "Theory of evolutionary computation", Springer, 133-212.
    """

    name: ClassVar[str] = "rls"
    quantities: ClassVar[Mapping[str, Quantity]] = named.acceptance()
    domains: ClassVar[tuple[type, ...]] = (Bits, Letters)
    sources: ClassVar[tuple[str, ...]] = ("mutation",)

    def init(self, problem: Problem, streams: Streams) -> State:
        """The first start, not yet asked."""
        points = problem.start(1)
        exact = operators.mark(problem.exact, points)
        step = points.new_zeros(len(points), dtype=torch.int64)
        changes = operators.changes(problem, Spectrum(), streams)
        return State(points, unseen(points, streams.dtype), exact, step, changes)

    def ask(self, state: State, streams: Streams) -> Query:
        """The new point, after the current one where values are noisy.

        The start first where they are exact.
        """
        fresh = moves.one_mutation(state.points, streams, state.changes)
        return Query(moves.trials(state.points, fresh, state.step, state.exact))

    def tell(self, state: State, query: Query, answer: Answer, streams: Streams) -> tuple[State, Info]:
        """The new point stays where it is no worse; info: accepted (R, 1)."""
        del streams
        old, fresh, new = moves.compared(state.value, query.points, answer.value)
        accepted = new <= old
        points = torch.where(accepted[..., None], fresh, state.points)
        value = torch.where(accepted, new, old)
        after = state._replace(points=points, value=value, step=state.step + 1)
        return after, {"accepted": accepted}

    def recommend(self, state: State) -> Tensor:
        """The current point: (R, D)."""
        return state.points[:, 0]

    def center(self, state: State) -> Tensor:
        """The current point: (R, D)."""
        return state.points[:, 0].to(state.value.dtype)
