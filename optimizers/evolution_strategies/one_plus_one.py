"""The (1+1) evolution strategy with the one-fifth success rule.

One parent, one offspring, the better survives.

    y = x + sigma z, z ~ N(0, I)
    x <- y where f(y) <= f(x)
    sigma <- sigma exp((1{f(y) <= f(x)} - p*) / d)

with p* = 1/5 and d = sqrt(D + 1) (Rechenberg 1973; in this form Hansen, Arnold, Auger 2015, "Evolution
strategies", algorithm 4). So sigma stands still where a share p* of the steps succeeds, and with d infinite
always.

Where stored values hold, 1 value per step, the first step's is that of the start; where the oracle adds noise
2, since parent and offspring are asked together. Draws: mutation.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, NamedTuple

import torch
from annotated_types import Gt, Lt
from torch import Tensor

from landscapes.base import Answer, Problem, Query
from landscapes.numerics import column
from landscapes.parameters import Defaults
from landscapes.streams import Streams
from optimizers import operators
from optimizers import quantities as named
from optimizers.base import Info, Optimizer, Quantity
from optimizers.defaults import SIGMA
from optimizers.evolution_strategies import distribution


class State(NamedTuple):
    """The parent and the step size."""

    parent: Tensor  # (R, 1, D) x
    value: Tensor  # (R,) its value when last asked; inf before the first step
    sigma: Tensor  # (R, 1, 1)
    known: Tensor  # (R,) bool: the parent was asked, if only once
    exact: Tensor  # (R, 1) where the oracle adds no noise, else (R, 0); see `operators.mark`


@dataclass(frozen=True, kw_only=True)
class OnePlusOne(Optimizer):
    """(1+1) evolution strategy, its step size governed by the success rule.

    Args:
        sigma: initial standard deviation of the mutation, > 0, in units of x; None: 0.3 of the width of the
            start box.
        target: p*, the share of successes at which sigma stands still, 0 < target < 1.
        damping: d > 0; None: sqrt(D + 1); infinite: sigma never changes.

    Source: Rechenberg 1973, "Evolutionsstrategie"; Hansen, Arnold, Auger 2015, Springer Handbook of
    Computational Intelligence, algorithm 4.
    """

    name: ClassVar[str] = "one_plus_one"
    quantities: ClassVar[Mapping[str, Quantity]] = named.acceptance() | named.sigma()
    sources: ClassVar[tuple[str, ...]] = ("mutation",)
    defaults: ClassVar[Defaults] = SIGMA | {"damping": lambda method, task: _damping(task.dim)}
    sigma: Annotated[float | None, Gt(0)] = None
    target: Annotated[float, Gt(0), Lt(1)] = 0.2
    damping: Annotated[float | None, Gt(0)] = None

    def init(self, problem: Problem, streams: Streams) -> State:
        """The first start, its value unknown."""
        parent = problem.start(1)
        value = torch.full((streams.size,), torch.inf, dtype=streams.dtype, device=parent.device)
        known = torch.full_like(value, not problem.exact, dtype=torch.bool)
        sigma = distribution.start_sigma(self.sigma, problem, parent[..., :1])
        return State(parent, value, sigma, known, operators.mark(problem.exact, parent))

    def ask(self, state: State, streams: Streams) -> Query:
        """The offspring, after its parent where values are noisy.

        The start itself, while its value is needed and not known.
        """
        step = state.sigma * streams.normal("mutation", state.parent.shape[1:])
        offspring = torch.where(state.known[:, None, None], state.parent + step, state.parent)
        exact = operators.marked(state.exact)
        return Query(offspring if exact else torch.cat([state.parent, offspring], 1))

    def tell(self, state: State, query: Query, answer: Answer, streams: Streams) -> tuple[State, Info]:
        """Keep the better, the offspring of equals; NaN never succeeds."""
        del streams
        exact = operators.marked(state.exact)
        old = state.value if exact else operators.worst_last(answer.value[:, 0])
        new = answer.value[:, -1]
        accepted = new <= old
        parent = torch.where(accepted[:, None, None], query.points[:, -1:], state.parent)
        sigma = torch.where(
            state.known[:, None, None], state.sigma * self._factor(accepted, parent), state.sigma
        )
        return State(
            parent, torch.where(accepted, new, old), sigma, torch.ones_like(state.known), state.exact
        ), {"accepted": accepted}

    def recommend(self, state: State) -> Tensor:
        """The parent: (R, D)."""
        return state.parent[:, 0]

    def center(self, state: State) -> Tensor:
        """The parent: (R, D)."""
        return state.parent[:, 0]

    def _factor(self, accepted: Tensor, like: Tensor) -> Tensor:
        damping = _damping(like.shape[-1]) if self.damping is None else column(self.damping, like)
        return torch.exp((accepted[:, None, None].to(like) - column(self.target, like)) / damping)


def _damping(dim: int) -> float:
    """The damping d in D coordinates where none is given."""
    return math.sqrt(dim + 1)
