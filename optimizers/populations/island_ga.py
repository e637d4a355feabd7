"""Genetic algorithms on islands: each a population of its own, with a few migrants now and then.

P individuals live on I islands of N = P / I (Wright 1943, Genetics 28:114; as a search method Tanese 1989,
ICGA 3:434). Parents are selected and elites kept within an island, as `ga` does. Before every `interval`-th
generation is born, `migrants` individuals of each island go to the next one of a ring, with the values that
they were just given:

    best    copies of the best take the places of the next island's worst
    random  uniform ones, without replacement, move into the places that the next island's migrants leave:
            nobody is lost or doubled

Without migration the islands are independent, and the first is `ga` with N individuals, draw for draw.

P values per step. Draws: drift (parts 2i and 2i + 1: first and second parents on island i; part 2I: who
migrates), recombination (part 0: who, part 1: where), mutation (part 0: by how much, or which bits; part 1:
which real coordinates). With `sampling: systematic`, pairing (part 2i + 1: who mates with whom on island i)
in place of drift, and random migrants leave places in turn.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, NamedTuple

import torch
from annotated_types import Ge
from torch import Tensor

from landscapes.base import Answer, FitnessLaw, Problem, Query
from landscapes.streams import Streams
from optimizers import operators
from optimizers.base import Info, Recorded
from optimizers.breeding import Lettered
from optimizers.fitness import COUNTED


class State(NamedTuple):
    """The population that is asked next, island by island, elites first on each."""

    points: Tensor  # (R, P, D)
    best: Tensor  # (R, D) the best of the population that was evaluated last
    value: Tensor  # (R,) its observed value; inf before the first step
    step: Tensor  # (R,) int64, completed steps
    changes: Tensor  # (R, D, A, A) where a mutation leads; (R, 0): to the other bit, or on reals


@dataclass(frozen=True, kw_only=True)
class IslandGA(Lettered):
    """Genetic algorithm on islands with migration around a ring; reals, bits or letters.

    The recommendation is the point with the lowest observed value in the generation evaluated last, the
    center is the mean of all islands.

    Args:
        population: P >= 1 on all islands together, a multiple of their number.
        islands: I >= 1.
        migrants: individuals that leave an island at each migration, 0 <= migrants <= P / I.
        interval: generations between migrations, >= 1.
        migration: who goes: best (copies replace the worst) or random (places are exchanged).
        selection: tournament, truncation, proportional (to fitness) or none (drift alone), within an island.
        tournament: entrants of one tournament, >= 1.
        truncation: fraction of an island from which parents are drawn, 0 < fraction <= 1, rounded up.
        fitness: what proportional selection is proportional to, of a loss L: linear max(0, 1 - beta L),
            exponential exp(-beta L); where the landscape says what fitness w a loss stands for (a measured
            table), linear 1 - beta (1 - w), exponential w^beta, w relative to loss 0.
        selection_strength: beta >= 0, per unit of loss; 0: neutral. Where nobody has fitness there is no
            selection: `unfit_steps` counts that.
        sampling: of parents: random, or systematic (numbers of offspring are expected ones, rounded down or
            up: no drift; mates meet at random).
        crossover: uniform, one_point, two_point (on a ring) or none.
        recombination_rate: probability that a child has two parents, 0 to 1.
        mutation_rate: probability that a coordinate mutates, 0 to 1; None: 1 on reals, 1/D on bits and
            letters.
        spectrum: to which letter one mutates: to each other alike, unless {transitions: kappa} or {rates:
            {A>G: 2}} say otherwise, on bits {rates: {0>1: 2}}. With unequal rates the mutation rate is that
            of the most mutable letter of a site.
        mutation_sigma: standard deviation of a real mutation, >= 0, in units of x.
        elite: the best so many of each island survive unchanged, 0 <= elite < P / I.

    Source: Tanese 1989, ICGA 3:434; Wright 1943, Genetics 28:114.
    """

    name: ClassVar[str] = "island_ga"
    shown_first: ClassVar[tuple[str, ...]] = (
        "population",
        "islands",
        "migrants",
        "interval",
        "migration",
    )
    counted: ClassVar[Recorded] = COUNTED
    islands: Annotated[int, Ge(1)] = 4
    migrants: Annotated[int, Ge(0)] = 1
    interval: Annotated[int, Ge(1)] = 5
    migration: Literal["best", "random"] = "best"

    def check(self) -> None:
        """Islands are of one size, and someone is born on each."""
        if self.population % self.islands:
            raise ValueError(
                f"island_ga.population: expected a multiple of islands = {self.islands}, got"
                f" {self.population}"
            )
        if self.migrants > self._size:
            raise ValueError(
                f"island_ga.migrants: expected 0 <= migrants <= population / islands = {self._size}, got"
                f" {self.migrants}"
            )
        if self.elite >= self._size:
            raise ValueError(
                f"island_ga.elite: expected 0 <= elite < population / islands = {self._size}, got"
                f" {self.elite}"
            )

    def init(self, problem: Problem, streams: Streams) -> State:
        """The landscape's starts, the first N on the first island."""
        points = problem.start(self.population)
        value = torch.full((streams.size,), torch.inf, dtype=streams.dtype, device=points.device)
        changes = operators.changes(problem, self.spectrum, streams)
        return State(points, points[:, 0], value, torch.zeros_like(value, dtype=torch.int64), changes)

    def ask(self, state: State, streams: Streams) -> Query:
        """The whole population."""
        del streams
        return Query(state.points)

    def tell(self, state: State, query: Query, answer: Answer, streams: Streams) -> tuple[State, Info]:
        """The next generation.

        Info: parents (R, P, 2) among those asked, wherever they lived, the same twice where a child has one;
        unfit (R,).
        """
        value = operators.worst_last(answer.value)
        origin = self._after_migration(value, state.step + 1, streams)
        settled, points = value.gather(1, origin), operators.rows(query.points, origin)
        first = self._parents(settled, streams, 0, answer.law)
        second = operators.mates(
            first, streams, self, lambda: self._parents(settled, streams, 1, answer.law)
        )
        children = operators.offspring(points, first, second, streams, self, changes=state.changes)
        parents = torch.stack([first, second], -1)
        if self.elite:
            elite = self._elites(settled)
            children = self._first_on_each(operators.rows(points, elite), children)
            parents = self._first_on_each(elite[..., None].expand(-1, -1, 2), parents)
        parents = operators.rows(origin[..., None], parents.flatten(1)).view_as(parents)
        best = operators.best(query.points, value)
        info = {"parents": parents} | self.unfit(settled.split(self._size, 1), answer.law)
        return State(children, best, value.amin(1), state.step + 1, state.changes), info

    @property
    def demes(self) -> int:
        """Islands."""
        return self.islands

    def parentage(self, value: Tensor, law: FitnessLaw | None) -> Tensor | None:
        """Parents come by fitness within each island, where selection is by it and nobody migrates."""
        if self.selection != "proportional" or self.migrants:
            return None
        w = [self.weights(own, law) for own in value.chunk(self.islands, 1)]
        return torch.cat([own / own.sum(1, keepdim=True) for own in w], 1)

    def rates(self, state: State) -> Mapping[str, float | Tensor]:
        """1 for the steps of selection; none with elites, who are no offspring."""
        del state
        return {} if self.elite else {"selection": 1.0, "mean_fitness": 1.0}

    def individuals(self, state: State) -> tuple[Tensor, Tensor] | None:
        """The members of all islands."""
        return state.points, operators.equal_shares(state.points)

    def recommend(self, state: State) -> Tensor:
        """The best of the population evaluated last: (R, D)."""
        return state.best

    def center(self, state: State) -> Tensor:
        """The mean of all islands; on bits, the allele frequencies: (R, D)."""
        return state.points.to(state.value.dtype).mean(1)

    @property
    def _size(self) -> int:
        """N."""
        return self.population // self.islands

    def _after_migration(self, value: Tensor, generation: Tensor, streams: Streams) -> Tensor:
        """Which of those asked lives at each place when generation (R,) is born: (R, P) int64."""
        stay = torch.arange(self.population, device=value.device).expand(len(value), -1)
        if self.migrants == 0:
            return stay
        if self.migration == "best":
            ranked = operators.order(value.reshape(-1, self._size)).view(-1, self.islands, self._size)
            leave, places = ranked[..., : self.migrants], ranked[..., -self.migrants :]
        else:
            leave = places = self._exchanged(streams, value.device)
        base = stay.view(-1, self.islands, self._size)[..., :1]
        moved = stay.scatter(1, (base + places).flatten(1), (base + leave).roll(1, 1).flatten(1))
        return torch.where((generation % self.interval == 0)[:, None], moved, stay)

    def _exchanged(self, streams: Streams, device: torch.device) -> Tensor:
        """Places on each island whose individuals move to the next one: (R, I, m) int64."""
        if self.sampling == "systematic":
            turn = operators.turn(streams, self._size, self.migrants, device)
            return turn[:, None].expand(-1, self.islands, -1)
        part = 2 * self.islands
        return streams.choice("drift", self._size, self.migrants, (self.islands,), part=part)

    def _parents(self, value: Tensor, streams: Streams, which: int, law: FitnessLaw | None) -> Tensor:
        """First (`which` 0) or second (1) parents, from the island of each child: (R, P - I elite) int64."""
        births = self._size - self.elite
        drawn = [
            operators.parents(own, streams, births, self, 2 * i + which, law=law) + i * self._size
            for i, own in enumerate(value.split(self._size, 1))
        ]
        return torch.cat(drawn, 1)

    def _elites(self, value: Tensor) -> Tensor:
        """The best of every island: (R, I elite) int64."""
        best = [
            operators.order(own)[:, : self.elite] + i * self._size
            for i, own in enumerate(value.split(self._size, 1))
        ]
        return torch.cat(best, 1)

    def _first_on_each(self, elites: Tensor, children: Tensor) -> Tensor:
        """Elites (R, I elite, k) and children (R, P - I elite, k), island by island: (R, P, k)."""
        islands = [group.unflatten(1, (self.islands, -1)) for group in (elites, children)]
        return torch.cat(islands, 2).flatten(1, 2)
