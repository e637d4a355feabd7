"""An adaptive walk: from a genotype to a fitter one-locus neighbour, until none is fitter.

With L the loss of the walker's genotype and L_i that with locus i flipped, i = 1 .. D (on letters: with one
of the other letters at one site, D of them in all), the next genotype is
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

from landscapes.base import Answer, Bits, Letters, Problem, Query
from landscapes.streams import Streams
from optimizers import operators
from optimizers import quantities as named
from optimizers.base import Info, Optimizer, Quantity


class State(NamedTuple):
    """One walker."""

    point: Tensor  # (R, D)
    value: Tensor  # (R,) when last asked; inf before the first step
    asked: Tensor  # (R,) bool: its value was asked, if only once
    exact: Tensor  # (R, 1) where the oracle adds no noise, else (R, 0); see `operators.mark`
    sizes: Tensor  # (R, D) int64, how many letters each site has; (R, 0) on bits


@dataclass(frozen=True, kw_only=True)
class AdaptiveWalk(Optimizer):
    """Adaptive walk over all one-locus neighbours.

    Args:
        rule: greedy, random or proportional (to the gain).

    Source: Kauffman and Levin 1987, J. Theor. Biol. 128:11; Orr 2002, Evolution 56:1317.
    """

    name: ClassVar[str] = "adaptive_walk"
    quantities: ClassVar[Mapping[str, Quantity]] = named.acceptance() | {
        "fitter": Quantity(
            "neighbours fitter than the genotype from which the last step set out",
            "1",
            lambda walk, state, info: None if info is None else info["fitter"],
        )
    }
    domains: ClassVar[tuple[type, ...]] = (Bits, Letters)
    sources: ClassVar[tuple[str, ...]] = ("acceptance",)
    rule: Literal["greedy", "random", "proportional"] = "random"

    def init(self, problem: Problem, streams: Streams) -> State:
        """The first start, its value unknown."""
        point = problem.start(1)[:, 0]
        value = torch.full((streams.size,), torch.inf, dtype=streams.dtype, device=point.device)
        asked = torch.zeros_like(value, dtype=torch.bool)
        sizes = problem.domain.sizes if isinstance(problem.domain, Letters) else ()
        count = torch.tensor(sizes, dtype=torch.int64, device=point.device).expand(streams.size, -1)
        return State(point, value, asked, operators.mark(problem.exact, point), count)

    def ask(self, state: State, streams: Streams) -> Query:
        """The genotype, billed unless its exact value is known, and its neighbours."""
        del streams
        here = state.point[:, None]
        if state.sizes.shape[1]:
            shifts = operators.neighbours(state.sizes[0])
            others = (here + shifts) % state.sizes[:, None].to(torch.uint8)
        else:
            others = here ^ torch.eye(here.shape[2], dtype=torch.uint8, device=here.device)
        points = torch.cat([here, others], 1)
        alive = torch.ones(points.shape[:2], dtype=torch.bool, device=points.device)
        alive[:, 0] = ~_known(state)
        return Query(points, alive=alive)

    def tell(self, state: State, query: Query, answer: Answer, streams: Streams) -> tuple[State, Info]:
        """Go to a fitter neighbour.

        Info: accepted (R,), False at a local optimum, fitter (R,), how many neighbours are.
        """
        value = operators.worst_last(answer.value)
        own = torch.where(_known(state), state.value, value[:, 0])
        others = value[:, 1:]
        better = others < own[:, None]
        accepted = better.any(1)
        place = 1 + self._chosen(own, others, better, streams)[:, None]
        place = torch.where(accepted[:, None], place, 0)
        point = operators.rows(query.points, place)[:, 0]
        reached = torch.where(accepted, value.gather(1, place)[:, 0], own)
        info = {"accepted": accepted, "fitter": better.sum(1)}
        asked = torch.ones_like(state.asked)
        return state._replace(point=point, value=reached, asked=asked), info

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


def _known(state: State) -> Tensor:
    """The worlds (R,) whose value needs no other look."""
    return state.asked if operators.marked(state.exact) else torch.zeros_like(state.asked)
