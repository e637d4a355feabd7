"""A memetic algorithm: a genetic algorithm whose individuals learn by gradient descent before selection.

Between two generations every individual descends from its genes for L steps, y <- y - eta g, and then is
valued where it has got to. What is selected, recombined and mutated to make the next generation, as `ga` does
it, is

    lamarckian  where they have got to: what was learned is inherited
                (Moscato 1989, Caltech C3P report 826, "memetic algorithms")
    baldwinian  the genes they were born with, by the value of what they learned (Hinton and Nowlan 1987,
                Complex Systems 1:495; both beside each other: Whitley, Gordon and Mathias 1994, PPSN III:6)

With L = 0 there is nothing to learn, and both are `ga`, draw for draw.

L steps of P gradients, then one of P values, elites included: with gradients at c values each a generation
costs P (L c + 1). All worlds are in the same phase. The values that come with gradients rank the first
individuals until they are first valued after learning; later the recommendation stays that of the last
generation. Draws, all in the step of the values: drift, recombination and mutation, as `ga`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, NamedTuple

import torch
from annotated_types import Ge, Gt
from torch import Tensor

from landscapes.base import Answer, Problem, Query, Reals
from landscapes.numerics import column
from landscapes.streams import Streams
from optimizers import operators
from optimizers import quantities as named
from optimizers.base import Info, Quantity, Recorded
from optimizers.breeding import Breeding
from optimizers.fitness import COUNTED
from optimizers.gradient import steps


class State(NamedTuple):
    """The population, somewhere in its learning."""

    points: Tensor  # (R, P, D) where individuals have got to
    # (R, P, D) what they would hand on: where they were born (baldwinian), or the points (lamarckian)
    genes: Tensor
    best: Tensor  # (R, D) what is recommended
    step: Tensor  # (R,) int64, completed steps


@dataclass(frozen=True, kw_only=True)
class Memetic(Breeding):
    """Genetic algorithm with learning by gradient descent, inherited or not.

    The recommendation is the point with the lowest observed value after learning in the last generation,
    during the first one the lowest of the step; the center is the mean of where all have got to.

    Args:
        population: P >= 1.
        learning: lamarckian (what was learned is inherited) or baldwinian (it only decides who is selected).
        descent_steps: L >= 0 gradient steps of every individual in each generation.
        learning_rate: eta > 0 of these steps, in units of x^2 per unit of loss.
        selection: tournament, truncation, proportional (to fitness) or none (drift alone).
        tournament: entrants of one tournament, >= 1.
        truncation: fraction of the population from which parents are drawn, 0 < fraction <= 1, rounded up.
        fitness: what proportional selection is proportional to, of a loss L: linear max(0, 1 - beta L),
            exponential exp(-beta L); where the landscape says what fitness w a loss stands for (a measured
            table), linear 1 - beta (1 - w), exponential w^beta, w relative to loss 0.
        selection_strength: beta >= 0, per unit of loss; 0: neutral. Where nobody has fitness there is no
            selection: `unfit_steps` counts that.
        sampling: of parents: random, or systematic (numbers of offspring are expected ones, rounded down or
            up: no drift; mates meet at random).
        crossover: uniform, one_point, two_point (on a ring) or none.
        recombination_rate: probability that a child has two parents, 0 to 1.
        mutation_rate: probability that a coordinate mutates, 0 to 1; None: 1.
        mutation_sigma: standard deviation of a mutation, >= 0, in units of x.
        elite: the best so many hand on their genes unchanged, 0 <= elite < P.

    Source: Moscato 1989, Caltech C3P report 826; Hinton and Nowlan 1987, Complex Systems 1:495.
    """

    name: ClassVar[str] = "memetic"
    domains: ClassVar[tuple[type, ...]] = (Reals,)
    shown_first: ClassVar[tuple[str, ...]] = (
        "population",
        "learning",
        "descent_steps",
        "learning_rate",
    )
    quantities: ClassVar[Mapping[str, Quantity]] = named.plain_rate(named.PER_SLOPE)
    counted: ClassVar[Recorded] = COUNTED
    gradient: ClassVar[bool] = True
    population: Annotated[int, Ge(1)] = 16
    learning: Literal["lamarckian", "baldwinian"] = "lamarckian"
    descent_steps: Annotated[int, Ge(0)] = 5
    learning_rate: Annotated[float, Gt(0)] = 0.05

    def init(self, problem: Problem, streams: Streams) -> State:
        """The landscape's starts, new-born."""
        points = problem.start(self.population)
        step = torch.zeros(streams.size, dtype=torch.int64, device=points.device)
        return State(points, points, points[:, 0], step)

    def ask(self, state: State, streams: Streams) -> Query:
        """The whole population: its gradients while it learns, then its values."""
        del streams
        phase = int(state.step[0]) % (self.descent_steps + 1)
        return Query(state.points, gradient=phase < self.descent_steps)

    def tell(self, state: State, query: Query, answer: Answer, streams: Streams) -> tuple[State, Info]:
        """A step of learning, or the next generation.

        Info of the latter: parents (R, P, 2), the same twice where there was no second one, unfit.
        """
        best = operators.best(query.points, answer.value)
        if query.gradient:
            return self._learned(state, answer, best), {}
        value = operators.worst_last(answer.value)
        children, parents = operators.generation(state.genes, value, streams, self, law=answer.law)
        info = {"parents": parents} | self.unfit([value], answer.law)
        return State(children, children, best, state.step + 1), info

    def _learned(self, state: State, answer: Answer, best: Tensor) -> State:
        """After one step down the gradient; best (R, D) is the lowest point of this step."""
        points = state.points - column(self.learning_rate, state.points) * steps.slope(
            answer, self.name
        )
        genes = points if self.learning == "lamarckian" else state.genes
        first_life = (state.step < self.descent_steps)[:, None]  # nobody was valued after learning yet
        return State(points, genes, torch.where(first_life, best, state.best), state.step + 1)

    def individuals(self, state: State) -> tuple[Tensor, Tensor] | None:
        """The individuals, where they have got to."""
        return state.points, operators.equal_shares(state.points)

    def recommend(self, state: State) -> Tensor:
        """The best of the last generation, as it was after learning: (R, D)."""
        return state.best

    def center(self, state: State) -> Tensor:
        """The mean of where the individuals have got to: (R, D)."""
        return state.points.mean(1)
