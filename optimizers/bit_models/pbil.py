"""Population-based incremental learning on bits.

The frequencies of a gene pool move towards those of the best of a sample.

With P genotypes b ~ Bernoulli(p) and B the mean of the mu best of them, ties by their order in the sample,

    p <- (1 - eta) p + eta B              (Baluja 1994, CMU-CS-94-163; mu = 1 there)

eta = 1 is UMDA, the univariate marginal distribution algorithm (Muehlenbein and Paass 1996, PPSN IV):
truncation selection in a population that free recombination brings back to linkage equilibrium in every
generation. p is held in [margin, 1 - margin], so that no allele is lost.

P values per step; draws: mutation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, NamedTuple

import torch
from annotated_types import Ge, Gt, Le, Lt
from torch import Tensor

from landscapes.base import Answer, Bits, Problem, Query
from landscapes.numerics import column
from landscapes.parameters import Defaults
from landscapes.streams import Streams
from optimizers import operators
from optimizers import quantities as named
from optimizers.base import Info, Optimizer, Quantity
from optimizers.defaults import MARGIN


class State(NamedTuple):
    """The search distribution."""

    chance: Tensor  # (R, 1, D) p
    start: Tensor  # (R, D) uint8, what is recommended while both alleles are as likely


@dataclass(frozen=True, kw_only=True)
class PBIL(Optimizer):
    """Population-based incremental learning; with learning rate 1, UMDA.

    p begins at 1/2, wherever the landscape starts. The recommendation is the most likely genotype; the
    center, p.

    Args:
        population: P >= 1 genotypes per step.
        selected: mu, how many of the best are learned from, 1 <= mu <= P.
        learning_rate: eta, 0 < eta <= 1.
        margin: p stays in [margin, 1 - margin], 0 <= margin < 1/2; 0: alleles can be lost; None: 1/D, at most
            1/4.

    Source: Baluja 1994, CMU-CS-94-163; Muehlenbein and Paass 1996, PPSN IV, 178-187.
    """

    name: ClassVar[str] = "pbil"
    domains: ClassVar[tuple[type, ...]] = (Bits,)
    quantities: ClassVar[Mapping[str, Quantity]] = named.plain_rate("1")
    sources: ClassVar[tuple[str, ...]] = ("mutation",)
    defaults: ClassVar[Defaults] = MARGIN
    population: Annotated[int, Ge(1)] = 32
    selected: Annotated[int, Ge(1)] = 8
    learning_rate: Annotated[float, Gt(0), Le(1)] = 0.1
    margin: Annotated[float | None, Ge(0), Lt(0.5)] = None

    def check(self) -> None:
        """The selected are of the population."""
        if self.selected > self.population:
            raise ValueError(
                f"pbil.selected: expected 1 <= selected <= population = {self.population}, got"
                f" {self.selected}"
            )

    def init(self, problem: Problem, streams: Streams) -> State:
        """Every allele as likely."""
        start = problem.start(1)
        return State(torch.full_like(start, 0.5, dtype=streams.dtype), start[:, 0])

    def ask(self, state: State, streams: Streams) -> Query:
        """P sampled genotypes."""
        return Query(operators.sampled_bits(state.chance, streams, self.population))

    def tell(self, state: State, query: Query, answer: Answer, streams: Streams) -> tuple[State, Info]:
        """Learn from the best."""
        del streams
        best = operators.rows(query.points, operators.order(answer.value)[:, : self.selected])
        rate = column(self.learning_rate, state.chance)
        kept = column(1 - operators.wide(self.learning_rate, 1), state.chance)
        chance = kept * state.chance + rate * best.to(state.chance.dtype).mean(1, keepdim=True)
        return State(operators.within_margin(chance, self.margin), state.start), {}

    def recommend(self, state: State) -> Tensor:
        """The most likely genotype, the start's alleles in doubt: (R, D)."""
        return operators.likely(state.chance - 0.5, state.start)

    def center(self, state: State) -> Tensor:
        """The chances p: (R, D)."""
        return state.chance[:, 0]
