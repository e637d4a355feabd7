"""A genetic algorithm with discrete generations, on real coordinates or on bits.

Each generation the whole population is evaluated, elites included (Holland 1975, "Adaptation in natural and artificial systems"). The
`elite` best go on unchanged; each of the P - elite children has a first parent and, with probability `recombination_rate`, a second one,
both selected independently and with replacement (a child may meet the same parent twice); it is mutated last. So with selection
`proportional`, no crossover and no mutation this is the haploid Wright-Fisher model, and with crossover its version with recombination.

P values per step. Draws: drift (part 0: first parents, part 1: second parents), recombination (part 0: who, part 1: where), mutation
(part 0: by how much, or which bits; part 1: which real coordinates). First parents and mutations are the same with and without crossover.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, NamedTuple

import torch
from annotated_types import Ge, Gt, Le
from torch import Tensor

from landscapes.base import Answer, Bits, Problem, Query, Reals
from landscapes.streams import Streams
from optimizers import operators
from optimizers.base import Info, Optimizer


class State(NamedTuple):
    """The population that is asked next, elites first."""

    points: Tensor  # (R, P, D)
    best: Tensor  # (R, D) the best of the population that was evaluated last
    value: Tensor  # (R,) its observed value; inf before the first step


@dataclass(frozen=True, kw_only=True)
class GA(Optimizer):
    """Genetic algorithm: selection, crossover, mutation, elitism; real or binary.

    The recommendation is the point with the lowest observed value in the generation evaluated last.

    Args:
        population: P >= 1.
        selection: tournament, truncation, proportional (to fitness) or none (drift alone).
        tournament: entrants of one tournament, >= 1.
        truncation: fraction of the population from which parents are drawn, 0 < fraction <= 1, rounded up.
        fitness: what proportional selection is proportional to, of a loss L: linear max(0, 1 - beta L), exponential exp(-beta L).
        selection_strength: beta >= 0, per unit of loss.
        crossover: uniform, one_point, two_point (on a ring) or none.
        recombination_rate: probability that a child has two parents, 0 to 1.
        mutation_rate: probability that a coordinate mutates, 0 to 1; None: 1 on reals, 1/D on bits.
        mutation_sigma: standard deviation of a real mutation, >= 0, in units of x.
        elite: the best so many survive unchanged, 0 <= elite < P.

    Source: Holland 1975; Goldberg 1989, "Genetic algorithms in search, optimization, and machine learning".
    """

    name: ClassVar[str] = "ga"
    domains: ClassVar[tuple[type, ...]] = (Reals, Bits)
    sources: ClassVar[tuple[str, ...]] = ("mutation", "recombination", "drift")
    population: Annotated[int, Ge(1)] = 64
    selection: Literal["tournament", "truncation", "proportional", "none"] = "tournament"
    tournament: Annotated[int, Ge(1)] = 2
    truncation: Annotated[float, Gt(0), Le(1)] = 0.5
    fitness: Literal["linear", "exponential"] = "exponential"
    selection_strength: Annotated[float, Ge(0)] = 1.0
    crossover: Literal["uniform", "one_point", "two_point", "none"] = "uniform"
    recombination_rate: Annotated[float, Ge(0), Le(1)] = 1.0
    mutation_rate: Annotated[float | None, Ge(0), Le(1)] = None
    mutation_sigma: Annotated[float, Ge(0)] = 0.1
    elite: Annotated[int, Ge(0)] = 0

    def check(self) -> None:
        """Someone must be born."""
        if self.elite >= self.population:
            raise ValueError(f"ga.elite: expected 0 <= elite < population = {self.population}, got {self.elite}")

    def init(self, problem: Problem, streams: Streams) -> State:
        """The landscape's starts."""
        points = problem.start(self.population)
        return State(points, points[:, 0], torch.full((streams.size,), torch.inf, dtype=streams.dtype, device=points.device))

    def ask(self, state: State, streams: Streams) -> Query:
        """The whole population."""
        del streams
        return Query(state.points)

    def tell(self, state: State, query: Query, answer: Answer, streams: Streams) -> tuple[State, Info]:
        """The next generation; info: parents (R, P, 2), the same twice where there was no second one."""
        del state
        points, value = query.points, operators.worst_last(answer.value)
        first = self._parents(value, streams, 0)
        second = self._second(first, value, streams)
        children = operators.rows(points, first)
        if second is not first:
            children = operators.recombine(children, operators.rows(points, second), streams, self.crossover)
        children, parents = operators.mutate(children, streams, self.mutation_rate, self.mutation_sigma), torch.stack([first, second], -1)
        if self.elite:
            survivors = operators.order(value)[:, : self.elite]
            children = torch.cat([operators.rows(points, survivors), children], 1)
            parents = torch.cat([survivors[..., None].expand(-1, -1, 2), parents], 1)
        return State(children, operators.best(points, value), value.amin(1)), {"parents": parents}

    def recommend(self, state: State) -> Tensor:
        """The best of the population evaluated last: (R, D)."""
        return state.best

    def center(self, state: State) -> Tensor:
        """The mean of the population; on bits, its allele frequencies: (R, D)."""
        return state.points.to(state.value.dtype).mean(1)

    def _parents(self, value: Tensor, streams: Streams, part: int) -> Tensor:
        return operators.select(value, streams, self.population - self.elite, self, part)

    def _second(self, first: Tensor, value: Tensor, streams: Streams) -> Tensor:
        """Second parents (R, n); a child that has none gets its first parent twice, which makes it a copy."""
        if self.crossover == "none" or not isinstance(self.recombination_rate, Tensor) and self.recombination_rate == 0:
            return first  # draws are addressed: leaving some out changes no other
        crossed = operators.crosses(streams, self.population - self.elite, self.recombination_rate)
        return torch.where(crossed, self._parents(value, streams, 1), first)
