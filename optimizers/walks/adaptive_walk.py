"""An adaptive walk: from a genotype to a fitter one-locus neighbour, until none is fitter.

With L the loss of the walker's genotype and L_i that with locus i flipped, i = 1 .. D, the next genotype is
    greedy         the neighbour of the lowest loss
    random         any neighbour with L_i < L, each as likely
                   (Kauffman and Levin 1987, J. Theor. Biol. 128:11)
    proportional   a neighbour with L_i < L, with chance (L - L_i) / sum_j max(0, L - L_j): beneficial
                   mutations race to fix, each wins in proportion to its selection coefficient
                   (Gillespie 1983; Orr 2002, Evolution 56:1317, equation 1)
and where no L_i < L the walk stays: it is at a local optimum. On a house of cards a random walk takes ln D
steps about, a greedy one e - 1.

D values per step where values are exact (and the genotype's own at the first), else D + 1, since the genotype
is compared with its neighbours. Draws: acceptance (greedy: none).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

import torch
from torch import Tensor

from landscapes.base import Answer, Bits, Problem, Query
from landscapes.streams import Streams
from optimizers import operators
from optimizers import quantities as named
from optimizers.base import Info, Optimizer, Quantity


class State(NamedTuple):
    """One walker."""

    point: Tensor  # (R, D)
    value: Tensor  # (R,) when last asked; inf before the first step
    asked: Tensor  # (R,) bool: its value was asked, if only once
    exact: Tensor  # (R,) bool: the oracle adds no noise


@dataclass(frozen=True, kw_only=True)
class AdaptiveWalk(Optimizer):
    """Adaptive walk over all one-locus neighbours.

    Args:
        rule: greedy, random or proportional (to the gain).

    Source: Kauffman and Levin 1987, J. Theor. Biol. 128:11; Orr 2002, Evolution 56:1317.
    """

    name: ClassVar[str] = "adaptive_walk"
    quantities: ClassVar[Mapping[str, Quantity]] = named.acceptance()
    domains: ClassVar[tuple[type, ...]] = (Bits,)
    sources: ClassVar[tuple[str, ...]] = ("acceptance",)
    rule: Literal["greedy", "random", "proportional"] = "random"

    def init(self, problem: Problem, streams: Streams) -> State:
        """The first start, its value unknown."""
        point = problem.start(1)[:, 0]
        value = torch.full((streams.size,), torch.inf, dtype=streams.dtype, device=point.device)
        exact = torch.full_like(value, problem.exact, dtype=torch.bool)
        return State(point, value, torch.zeros_like(exact), exact)

    def ask(self, state: State, streams: Streams) -> Query:
        """The genotype, billed unless its exact value is known, and its D neighbours."""
        del streams
        dim = state.point.shape[1]
        flips = torch.cat([
            torch.zeros(1, dim, dtype=torch.uint8),
            torch.eye(dim, dtype=torch.uint8),
        ]).to(state.point.device)
        alive = torch.ones(len(state.point), dim + 1, dtype=torch.bool, device=state.point.device)
        alive[:, 0] = ~(state.asked & state.exact)
        return Query(state.point[:, None] ^ flips, alive=alive)

    def tell(self, state: State, query: Query, answer: Answer, streams: Streams) -> tuple[State, Info]:
        """Go to a fitter neighbour; info: accepted (R,), False at a local optimum."""
        value = operators.worst_last(answer.value)
        own = torch.where(state.asked & state.exact, state.value, value[:, 0])
        others = value[:, 1:]
        better = others < own[:, None]
        accepted = better.any(1)
        place = 1 + self._chosen(own, others, better, streams)[:, None]
        place = torch.where(accepted[:, None], place, 0)
        point = operators.rows(query.points, place)[:, 0]
        reached = torch.where(accepted, value.gather(1, place)[:, 0], own)
        return State(point, reached, torch.ones_like(state.asked), state.exact), {"accepted": accepted}

    def recommend(self, state: State) -> Tensor:
        """Where the walker is: (R, D)."""
        return state.point

    def center(self, state: State) -> Tensor:
        """Where the walker is: (R, D)."""
        return state.point.to(state.value.dtype)

    def _chosen(self, own: Tensor, others: Tensor, better: Tensor, streams: Streams) -> Tensor:
        """The place (R,) of the neighbour to which it goes; of no meaning where none is better."""
        if self.rule == "greedy":
            return others.argmin(1)
        if self.rule == "random":
            return streams.categorical("acceptance", better.double(), ())
        gain = torch.where(better, (own[:, None] - others).double(), 0.0)
        infinite = gain.isinf()  # from a bad value any good one is as likely
        gain = torch.where(infinite.any(1, keepdim=True), infinite.double(), gain)
        return streams.categorical("acceptance", gain, ())
