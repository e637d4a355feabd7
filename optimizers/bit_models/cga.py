"""The compact genetic algorithm on bits.

The allele frequencies of a population that is not there, moved by duels.

Each step two genotypes b ~ Bernoulli(p) compete, and with w the better one, l the other, and K the size of
the population that it stands for,

    p <- p + (w - l) / K    (Harik, Lobo, Goldberg 1999, IEEE Trans. Evol. Comput. 3:287, figure 2)

as if in a gene pool of K genotypes a copy of the winner took the place of the loser: loci at which they agree
stay, and at a neutral locus p walks at random: drift. p is held in [margin, 1 - margin], so that no allele is
lost.

2 values per step; draws: mutation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, NamedTuple

import torch
from annotated_types import Ge, Gt, Lt
from torch import Tensor

from landscapes.base import Answer, Bits, Problem, Query
from landscapes.numerics import column
from landscapes.parameters import Defaults
from landscapes.streams import Streams
from optimizers import operators
from optimizers.base import Info, Optimizer
from optimizers.defaults import MARGIN


class State(NamedTuple):
    """The search distribution."""

    chance: Tensor  # (R, 1, D) p
    start: Tensor  # (R, D) uint8, what is recommended while both alleles are as likely


@dataclass(frozen=True, kw_only=True)
class CGA(Optimizer):
    """Compact genetic algorithm.

    p begins at 1/2, wherever the landscape starts. The recommendation is the most likely genotype; the
    center, p.

    Args:
        population: K > 1, the size of the population that it stands for; p moves by 1/K.
        margin: p stays in [margin, 1 - margin], 0 <= margin < 1/2; 0: alleles can be lost; None: 1/D, at most
            1/4.

    Source: Harik, Lobo and Goldberg 1999, IEEE Trans. Evol. Comput. 3:287.
    """

    name: ClassVar[str] = "cga"
    domains: ClassVar[tuple[type, ...]] = (Bits,)
    sources: ClassVar[tuple[str, ...]] = ("mutation",)
    defaults: ClassVar[Defaults] = MARGIN
    population: Annotated[float, Gt(1)] = 64
    margin: Annotated[float | None, Ge(0), Lt(0.5)] = None

    def init(self, problem: Problem, streams: Streams) -> State:
        """Every allele as likely."""
        start = problem.start(1)
        return State(torch.full_like(start, 0.5, dtype=streams.dtype), start[:, 0])

    def ask(self, state: State, streams: Streams) -> Query:
        """Two sampled genotypes."""
        return Query(operators.sampled_bits(state.chance, streams, 2))

    def tell(self, state: State, query: Query, answer: Answer, streams: Streams) -> tuple[State, Info]:
        """Towards the winner, the first of equals; info: winner (R,), 0 or 1."""
        del streams
        places = operators.order(answer.value)
        winner, loser = operators.rows(query.points, places).to(state.chance.dtype).split(1, 1)
        step = (winner - loser) * column(1 / operators.wide(self.population, 1), winner)
        return State(operators.within_margin(state.chance + step, self.margin), state.start), {
            "winner": places[:, 0]
        }

    def recommend(self, state: State) -> Tensor:
        """The most likely genotype, the start's alleles in doubt: (R, D)."""
        return operators.likely(state.chance - 0.5, state.start)

    def center(self, state: State) -> Tensor:
        """The chances p: (R, D)."""
        return state.chance[:, 0]
