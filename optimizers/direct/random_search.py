"""Random search: the baseline that learns nothing.

Each step asks `population` fresh points, uniform in the start box (Rastrigin 1963, Autom. Remote Control
24:1337) or uniform bits or letters, and keeps the best. Where the oracle adds noise the point kept is asked
again beside the fresh ones, since an old lucky value would never be beaten: that is one more evaluation per
step. Draws: mutation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, NamedTuple

import torch
from annotated_types import Ge
from torch import Tensor

from landscapes.base import Answer, Bits, Letters, Problem, Query, Reals
from landscapes.streams import Streams
from optimizers import operators
from optimizers import quantities as named
from optimizers.base import Info, Optimizer, Quantity


class State(NamedTuple):
    """The point kept."""

    best: Tensor  # (R, D)
    value: Tensor  # (R,) its value when last asked; inf before the first step
    box: Tensor  # (R, 2) low and high on Reals
    exact: Tensor  # (R, 1) where the oracle adds no noise, else (R, 0); see `operators.mark`
    sizes: Tensor  # (R, D) int64, how many letters each site has; (R, 0) where coordinates are none


@dataclass(frozen=True, kw_only=True)
class RandomSearch(Optimizer):
    """Uniform random search, the best observed point kept.

    Args:
        population: fresh points per step, >= 1.

    Source: Rastrigin 1963, Autom. Remote Control 24:1337.
    """

    name: ClassVar[str] = "random_search"
    quantities: ClassVar[Mapping[str, Quantity]] = named.acceptance()
    domains: ClassVar[tuple[type, ...]] = (Reals, Bits, Letters)
    sources: ClassVar[tuple[str, ...]] = ("mutation",)
    population: Annotated[int, Ge(1)] = 16

    def init(self, problem: Problem, streams: Streams) -> State:
        """The first start, its value unknown."""
        best = problem.start(1)[:, 0]
        edges = (
            (problem.domain.low, problem.domain.high)
            if isinstance(problem.domain, Reals)
            else (0.0, 1.0)
        )
        sizes = problem.domain.sizes if isinstance(problem.domain, Letters) else ()
        value = torch.full((streams.size,), torch.inf, dtype=streams.dtype, device=best.device)
        return State(
            best,
            value,
            value.new_tensor(edges).expand(streams.size, 2),
            operators.mark(problem.exact, best),
            torch.tensor(sizes, dtype=torch.int64, device=best.device).expand(streams.size, len(sizes)),
        )

    def ask(self, state: State, streams: Streams) -> Query:
        """Fresh points, after the kept one where values are noisy."""
        shape = (self.population, state.best.shape[1])
        if state.sizes.shape[1]:
            high = state.sizes[:, None]
            fresh = streams.integers("mutation", high, shape).to(torch.uint8)
        elif state.best.dtype == torch.uint8:
            fresh = streams.bernoulli("mutation", 0.5, shape).view(torch.uint8)
        else:
            low, high = state.box[:, 0, None, None], state.box[:, 1, None, None]
            fresh = low + (high - low) * streams.uniform("mutation", shape)
        exact = operators.marked(state.exact)
        return Query(fresh if exact else torch.cat([state.best[:, None], fresh], 1))

    def tell(self, state: State, query: Query, answer: Answer, streams: Streams) -> tuple[State, Info]:
        """Keep the best of what was asked, or the old one where its value still holds and is better."""
        del streams
        value = operators.worst_last(answer.value)
        low, point = value.amin(1), operators.best(query.points, value)
        exact = operators.marked(state.exact)
        accepted = low < state.value if exact else torch.ones_like(low, dtype=torch.bool)
        best = torch.where(accepted[:, None], point, state.best)
        return state._replace(best=best, value=torch.where(accepted, low, state.value)), {
            "accepted": accepted
        }

    def recommend(self, state: State) -> Tensor:
        """The point kept: (R, D)."""
        return state.best

    def center(self, state: State) -> Tensor:
        """The point kept: (R, D)."""
        return state.best.to(state.value.dtype)
