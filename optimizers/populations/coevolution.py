"""Coevolution: one population for each player of a game.

An individual is as fit as it does against opponents drawn from the others.

Hillis 1990, "Co-evolving parasites improve simulated evolution as an optimization procedure", Physica D
42:228; Potter and De Jong 2000, "Cooperative coevolution", Evol. Comput. 8:1, calls the partners
collaborators. Each of k rounds lines all populations up, and place i plays

    loss_j(a) = 1/k sum over rounds c of L_j(a; its opponents in c)
    player j's individual at place i: order_j((i + c j) mod N)

with a fresh uniform permutation order_j of each population. One encounter informs both players; every
individual has k of them, on a game of two with k different opponents, any k as likely; k = N is everyone
against everyone. All populations breed at once, each from its own parents as in `ga`: selection
`proportional`, no crossover and no mutation make two Wright-Fisher populations that select each other. A loss
is a game of one: no opponents, k = 1, and this is `ga`.

k N values per step. Draws: pairing (part j: order of population j), drift (parts 2 j and 2 j + 1: first and
second parents), recombination and mutation as in `ga`, of the populations one after another.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal, NamedTuple

import torch
from annotated_types import Ge
from torch import Tensor

from landscapes.base import Answer, Bits, FitnessLaw, Problem, Query
from landscapes.parameters import Defaults
from landscapes.streams import Streams
from optimizers import operators
from optimizers.base import Info, Recorded, Switches
from optimizers.breeding import Breeding
from optimizers.defaults import Task
from optimizers.fitness import COUNTED


class State(NamedTuple):
    """The populations that play next; J players with N individuals each."""

    points: (
        Tensor  # (R, J N, D / J) each player's own coordinates, the first player's individuals first
    )
    best: Tensor  # (R, D) the best individual of each population that played last, side by side
    value: Tensor  # (R, J) their mean losses; inf before the first step


@dataclass(frozen=True, kw_only=True)
class Coevolution(Breeding):
    """Coevolving genetic algorithms, one population for each player of a game.

    On reals the recommendation is the center, the populations' mean strategies: where an equilibrium mixes,
    every strategy in it does as well as any, so the best of one generation was lucky. On bits, where a mean
    is no strategy, it is the best of each population that played last.

    Args:
        population: N >= 1 individuals of each player.
        opponents: k, encounters of each individual in a generation, 1 <= k <= N; on a loss there is one.
        selection: tournament, truncation, proportional (to fitness) or none (drift alone), within each
            population.
        tournament: entrants of one tournament, >= 1.
        truncation: fraction of a population from which parents are drawn, 0 < fraction <= 1, rounded up.
        fitness: what proportional selection is proportional to, of a mean loss L: linear max(0, 1 - beta L),
            exponential exp(-beta L).
        selection_strength: beta >= 0, per unit of loss; 0: neutral. Where nobody has fitness there is no
            selection: `unfit_steps` counts that.
        crossover: uniform, one_point, two_point (on a ring) or none, of a player's own coordinates.
        recombination_rate: probability that a child has two parents, 0 to 1.
        mutation_rate: probability that a coordinate mutates, 0 to 1; None: 1 on reals, J/D on bits.
        mutation_sigma: standard deviation of a real mutation, >= 0, in units of x.

    Source: Hillis 1990; Potter and De Jong 2000; Hofbauer and Sigmund 1998, "Evolutionary games and
    population dynamics".
    """

    name: ClassVar[str] = "coevolution"
    shown_first: ClassVar[tuple[str, ...]] = ("population", "opponents")
    sources: ClassVar[tuple[str, ...]] = ("pairing", "mutation", "recombination", "drift")
    switches: ClassVar[Switches] = {
        "recombination": {
            "off": {"crossover": "none"},
            "free": {"crossover": "uniform", "recombination_rate": 1.0},
        },
        "mutation": {"off": {"mutation_rate": 0.0}},
    }
    counted: ClassVar[Recorded] = COUNTED
    defaults: ClassVar[Defaults] = {"mutation_rate": lambda method, task: _default_rate(task)}
    games: ClassVar[bool] = True
    population: Annotated[int, Ge(1)] = 32
    opponents: Annotated[int, Ge(1)] = 4
    sampling: Literal["random"] = field(default="random", init=False, repr=False)
    elite: Literal[0] = field(default=0, init=False, repr=False)

    def check(self) -> None:
        """There are opponents enough."""
        if self.opponents > self.population:
            raise ValueError(
                f"coevolution.opponents: expected 1 <= opponents <= population = {self.population}, got"
                f" {self.opponents}"
            )

    def check_problem(self, problem: Problem) -> None:
        """Players are of one size."""
        if problem.dim % problem.players:
            raise ValueError(
                f"coevolution: expected players with as many coordinates each, got {problem.players} players"
                f" of {problem.dim} together"
            )

    def init(self, problem: Problem, streams: Streams) -> State:
        """The landscape's starts: start i gives every player its individual i."""
        self.check_problem(problem)
        players = problem.players
        points = problem.start(self.population)
        value = torch.full(
            (streams.size, players), torch.inf, dtype=streams.dtype, device=points.device
        )
        return State(torch.cat(points.chunk(players, -1), 1), points[:, 0], value)

    def ask(self, state: State, streams: Streams) -> Query:
        """The encounters, round after round: (R, k N, D)."""
        players = torch.arange(state.value.shape[1], device=state.points.device)
        order, turns = self._order(streams, len(players)), self._turns(len(players), 1, players.device)
        met = order[:, players, turns] + players * self.population  # (R, k, N, J)
        points = operators.rows(state.points, met.flatten(1))
        return Query(points.reshape(streams.size, turns.shape[0] * self.population, -1))

    def tell(self, state: State, query: Query, answer: Answer, streams: Streams) -> tuple[State, Info]:
        """The next generation.

        Info: parents (R, J N, 2) among all individuals, the same twice where there was no second one; unfit
        (R,).
        """
        del query
        value = operators.worst_last(self._means(answer.value, streams, state.value.shape[1]))
        first = self._parents(value, streams, 0, answer.law)
        second = operators.mates(
            first, streams, self, lambda: self._parents(value, streams, 1, answer.law)
        )
        children = operators.offspring(state.points, first, second, streams, self)
        populations = zip(state.points.split(self.population, 1), value.unbind(1), strict=True)
        best = torch.cat([operators.best(points, loss) for points, loss in populations], -1)
        info = {"parents": torch.stack([first, second], -1)} | self.unfit(value.unbind(1), answer.law)
        return State(children, best, value.amin(-1)), info

    def recommend(self, state: State) -> Tensor:
        """The populations' mean strategies; on bits, the best of each that played last: (R, D)."""
        return self.center(state) if state.points.is_floating_point() else state.best

    def center(self, state: State) -> Tensor:
        """The mean of each population, side by side; on bits, its allele frequencies: (R, D)."""
        return state.points.to(state.value.dtype).unflatten(1, (-1, self.population)).mean(2).flatten(1)

    def _order(self, streams: Streams, players: int) -> Tensor:
        """How the populations line up: (R, J, N)."""
        orders = [
            streams.permutation("pairing", self.population, part=player) for player in range(players)
        ]
        return torch.stack(orders, 1)

    def _turns(self, players: int, sign: int, device: torch.device) -> Tensor:
        """(i + sign c j) mod N of round c, place i and player j: (k, N, J)."""
        rounds = self.opponents if players > 1 else 1
        c, i, j = (torch.arange(n, device=device) for n in (rounds, self.population, players))
        return (i[:, None] + sign * c[:, None, None] * j) % self.population

    def _means(self, value: Tensor, streams: Streams, players: int) -> Tensor:
        """The mean loss (R, J, N) of each individual over its encounters, values (R, k N) or (R, k N, J)."""
        order = self._order(streams.at(streams.step), players)  # as it was asked: draws are addressed
        turns = self._turns(players, -1, value.device)
        rounds = value.reshape(streams.size, turns.shape[0], self.population, players)
        means = (
            rounds.gather(2, turns.expand_as(rounds)).mean(1).mT
        )  # of those at each place of the order
        return torch.empty_like(means).scatter(2, order, means)

    def _parents(self, value: Tensor, streams: Streams, which: int, law: FitnessLaw | None) -> Tensor:
        """First (`which` 0) or second (1) parents, drawn in the population of each child: (R, J N) int64."""
        drawn = [
            operators.select(own, streams, self.population, self, 2 * j + which, law=law)
            + j * self.population
            for j, own in enumerate(value.unbind(1))
        ]
        return torch.cat(drawn, 1)


def _default_rate(task: Task) -> float:
    """The mutation rate where none is given: one locus of each player."""
    return task.players / task.dim if isinstance(task.domain, Bits) else 1.0
