"""A genetic algorithm with discrete generations, on real coordinates, bits or letters.

Each generation the whole population is evaluated, elites included (Holland 1975, "Adaptation in natural and
artificial systems"). The `elite` best go on unchanged; each of the P - elite children has a first parent and,
with probability `recombination_rate`, a second one, both selected independently and with replacement (a child
may meet the same parent twice); it is mutated last. So with selection `proportional`, no crossover and no
mutation this is the haploid Wright-Fisher model, and with crossover its version with recombination.

The mutation, its sigma on reals and its rate elsewhere, may change by a schedule, and the population with it
(`optimizers.schedules`): then P is the largest size, the first P_t of the points are alive at step t, and
only these are asked, billed and become parents.

With `opponents: k` an individual is as fit as it does against k others: its loss is the share of k, drawn
from the population for each one anew, whose value is lower. Of two who meet in a tournament the better one is
then the fitter with less than certainty, and selection pulls less, by 1 / (k + 1) (see `pairs`).

With `evaluations: k` each individual, elites too, is evaluated k times in a generation, and its value is the
mean. Drawn anew is the noise of values, of a landscape, of mini-batches where each point sees its own
(`noise.shared: false`). Its variance falls as 1 / k: of two whose losses differ by d, seen with deviation
sigma, the worse one looks better with chance Phi(-d sqrt(k / 2) / sigma). A generation costs k times as much.
A query has the population k times over.

k P values per step. Draws: drift (part 0: first parents, part 1: second parents), recombination (part 0: who,
part 1: where), mutation (part 0: by how much, or which bits or letters; part 1: which real coordinates, or to
which letter). First parents and mutations are the same with and without crossover. With `sampling:
systematic`, pairing (part 1: who mates with whom) in place of drift. With opponents, pairing (part 0: whom
each one meets).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, NamedTuple

import torch
from annotated_types import Ge
from torch import Tensor

from landscapes.base import Answer, FitnessLaw, Problem, Query
from landscapes.parameters import Defaults
from landscapes.streams import Streams
from optimizers import operators
from optimizers.base import Info, Recorded
from optimizers.breeding import Lettered
from optimizers.defaults import MUTATION_RATE
from optimizers.fitness import COUNTED
from optimizers.schedules import Coupling, Schedule, check_population


class State(NamedTuple):
    """The population that is asked next, elites first."""

    points: Tensor  # (R, P, D)
    best: Tensor  # (R, D) the best of the population that was evaluated last
    value: Tensor  # (R,) its observed value; inf before the first step
    step: Tensor  # (R,) int64, completed steps
    changes: Tensor  # (R, D, A, A) where a mutation leads; (R, 0): to the other bit, or on reals


@dataclass(frozen=True, kw_only=True)
class GA(Lettered):
    """Genetic algorithm: selection, crossover, mutation, elitism; reals, bits or letters.

    The recommendation is the point with the lowest observed value in the generation evaluated last.

    Args:
        population: P_0 >= 1.
        selection: tournament, truncation, proportional (to fitness) or none (drift alone).
        tournament: entrants of one tournament, >= 1.
        truncation: fraction of the population from which parents are drawn, 0 < fraction <= 1, rounded up.
        fitness: what proportional selection is proportional to, of a loss L: linear max(0, 1 - beta L),
            exponential exp(-beta L); where the landscape says what fitness w a loss stands for (a measured
            table), linear 1 - beta (1 - w), exponential w^beta, w relative to loss 0.
        selection_strength: beta >= 0, per unit of loss; 0: neutral. Where nobody has fitness there is no
            selection: `unfit_steps` counts that.
        opponents: k >= 1, whom an individual is compared with, itself at times; the share of those who are
            better, ties counted half, takes the place of its loss, for elites and fitness too. None: its
            loss.
        evaluations: k >= 1, of each individual in each generation; its value is their mean.
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
        elite: the best so many survive unchanged, 0 <= elite < P_0; a population never shrinks below elite +
            1.
        schedule: how mutation_sigma (on reals) or mutation_rate (on bits and letters) changes with the steps.
        coupling: how the population changes with it, see `optimizers.schedules`.
        largest: P >= P_0, where a growing population stops; needed with grow and decay_and_grow. None: P_0.

    Source: Holland 1975; Goldberg 1989, "Genetic algorithms in search, optimization, and machine learning".
    """

    name: ClassVar[str] = "ga"
    counted: ClassVar[Recorded] = COUNTED
    defaults: ClassVar[Defaults] = MUTATION_RATE | {"largest": lambda method, task: method.population}
    schedule: Schedule = field(default_factory=Schedule)
    opponents: Annotated[int | None, Ge(1)] = None
    evaluations: Annotated[int, Ge(1)] = 1
    coupling: Coupling = "none"
    largest: Annotated[int | None, Ge(1)] = None

    @property
    def cost_follows_schedule(self) -> bool:
        """Whether the population does."""
        return self.coupling != "none"

    def check(self) -> None:
        """Someone must be born, and a growing population ends somewhere."""
        check_population(self.name, self.coupling, self.population, self.largest)
        super().check()

    def init(self, problem: Problem, streams: Streams) -> State:
        """The landscape's starts."""
        points = problem.start(self.population if self.largest is None else self.largest)
        value = torch.full((streams.size,), torch.inf, dtype=streams.dtype, device=points.device)
        changes = operators.changes(problem, self.spectrum, streams)
        return State(points, points[:, 0], value, torch.zeros_like(value, dtype=torch.int64), changes)

    def ask(self, state: State, streams: Streams) -> Query:
        """The whole population, or those of it who are alive, as often as each is evaluated."""
        del streams
        points, size, often = state.points, self._alive(state), self.evaluations
        alive = None if size is None else operators.leading(points, size).repeat(1, often)
        return Query(points if often == 1 else points.repeat(1, often, 1), alive=alive)

    def tell(self, state: State, query: Query, answer: Answer, streams: Streams) -> tuple[State, Info]:
        """The next generation.

        Info: parents (R, P, 2), the same twice where there was no second one, and unfit (R,).
        """
        points, often = state.points, self.evaluations
        mean = operators.averaged(answer.value.unflatten(1, (often, -1)), often)
        value = operators.worst_last(mean)
        alive = None if query.alive is None else query.alive[:, : points.shape[1]]
        if alive is not None:  # the others were not asked, and are nobody's parents
            value = torch.where(alive, value, torch.inf)
        seen, law = self._seen(value, alive, answer.law, streams)
        scale = None if self.schedule.still else self.schedule.scheduled(1.0, state.step, self.coupling)
        children, parents = operators.generation(
            points,
            seen,
            streams,
            self,
            among=self._alive(state),
            scale=scale,
            law=law,
            changes=state.changes,
        )
        best = operators.best(points, value)
        info = {"parents": parents} | self.unfit([seen], law)
        return State(children, best, value.amin(1), state.step + 1, state.changes), info

    def parentage(self, value: Tensor, law: FitnessLaw | None) -> Tensor | None:
        """Parents come by fitness, where selection is proportional to it, and that is of a loss."""
        by_loss = self.selection == "proportional" and self.opponents is None
        return self.weights(value, law) if by_loss else None

    def rates(self, state: State) -> Mapping[str, float | Tensor]:
        """1 for the steps of selection; none with elites, who are no offspring, nor by opponents."""
        del state
        by_loss = self.opponents is None and not self.elite
        return {"selection": 1.0, "mean_fitness": 1.0} if by_loss else {}

    def individuals(self, state: State) -> tuple[Tensor, Tensor] | None:
        """Those alive."""
        size = self._alive(state)
        if size is None:
            return state.points, operators.equal_shares(state.points)
        return state.points, operators.leading(state.points, size) / size[:, None].double()

    def recommend(self, state: State) -> Tensor:
        """The best of the population evaluated last: (R, D)."""
        return state.best

    def center(self, state: State) -> Tensor:
        """The mean of those alive; on bits, their allele frequencies: (R, D)."""
        points, size = state.points.to(state.value.dtype), self._alive(state)
        if size is None:
            return points.mean(1)
        alive = operators.leading(points, size)[..., None]
        return torch.where(alive, points, 0.0).sum(1) / size[:, None].to(points)

    def _seen(
        self, value: Tensor, alive: Tensor | None, law: FitnessLaw | None, streams: Streams
    ) -> tuple[Tensor, FitnessLaw | None]:
        """What selection sees of values (R, P), and the fitness it stands for: (R, P), lower is better."""
        if self.opponents is None:
            return value, law
        among = None if alive is None else alive.sum(1)
        share = operators.lost(value, streams, self.opponents, among)
        return share if alive is None else torch.where(alive, share, torch.inf), None

    def _alive(self, state: State) -> Tensor | None:
        """How many are alive (R,), the first ones; None: all."""
        if self.coupling == "none" and self.largest is None:
            return None
        size = self.schedule.size(self.population, state.step, self.coupling)
        return size.clamp(self.elite + 1, state.points.shape[1])
