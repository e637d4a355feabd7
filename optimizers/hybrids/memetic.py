"""A memetic algorithm: a genetic algorithm whose individuals learn by gradient descent before they are selected.

Between two generations every individual descends from its genes for L steps, y <- y - eta g, and then is valued where it has got to. What is
selected, recombined and mutated to make the next generation, as `ga` does it, is

    lamarckian  where they have got to: what was learned is inherited (Moscato 1989, Caltech C3P report 826, "memetic algorithms")
    baldwinian  the genes they were born with, by the value of what they learned (Hinton and Nowlan 1987, Complex Systems 1:495; both beside
                each other: Whitley, Gordon and Mathias 1994, PPSN III:6)

With L = 0 there is nothing to learn, and both are `ga`, draw for draw.

L steps of P gradients, then one of P values, elites included: with gradients at c values each a generation costs P (L c + 1). All worlds are in the
same phase. The values that come with gradients rank the first individuals until they are first valued after learning; later the recommendation
stays that of the last generation. Draws, all in the step of the values: drift, recombination and mutation, as `ga`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

import torch
from annotated_types import Ge, Gt, Le
from torch import Tensor

from landscapes.base import Answer, Problem, Query
from landscapes.numerics import column
from landscapes.streams import Streams
from optimizers import operators
from optimizers.base import Info, Optimizer
from optimizers.fitness import COUNTED, fit_info
from optimizers.gradient import steps


class State(NamedTuple):
    """The population, somewhere in its learning."""

    points: Tensor  # (R, P, D) where individuals have got to
    # (R, P, D) what they would hand on: where they were born (baldwinian), or the points (lamarckian)
    genes: Tensor
    best: Tensor  # (R, D) what is recommended
    step: Tensor  # (R,) int64, completed steps


@dataclass(frozen=True, kw_only=True)
class Memetic(Optimizer):
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
    sources: ClassVar[tuple[str, ...]] = ("mutation", "recombination", "drift", "pairing")
    switches: ClassVar[Mapping[str, Mapping[str, Mapping[str, Any]]]] = {
        "drift": {"off": {"sampling": "systematic"}},
        "recombination": {
            "off": {"crossover": "none"},
            "free": {"crossover": "uniform", "recombination_rate": 1.0},
        },
        "mutation": {"off": {"mutation_rate": 0.0}},
    }
    counted: ClassVar[Mapping[str, tuple[str, str, str]]] = COUNTED
    gradient: ClassVar[bool] = True
    population: Annotated[int, Ge(1)] = 16
    learning: Literal["lamarckian", "baldwinian"] = "lamarckian"
    descent_steps: Annotated[int, Ge(0)] = 5
    learning_rate: Annotated[float, Gt(0)] = 0.05
    selection: Literal["tournament", "truncation", "proportional", "none"] = "tournament"
    tournament: Annotated[int, Ge(1)] = 2
    truncation: Annotated[float, Gt(0), Le(1)] = 0.5
    fitness: Literal["linear", "exponential"] = "exponential"
    selection_strength: Annotated[float, Ge(0)] = 1.0
    sampling: Literal["random", "systematic"] = "random"
    crossover: Literal["uniform", "one_point", "two_point", "none"] = "uniform"
    recombination_rate: Annotated[float, Ge(0), Le(1)] = 1.0
    mutation_rate: Annotated[float | None, Ge(0), Le(1)] = None
    mutation_sigma: Annotated[float, Ge(0)] = 0.1
    elite: Annotated[int, Ge(0)] = 0

    def check(self) -> None:
        """Someone must be born."""
        if self.elite >= self.population:
            raise ValueError(
                f"memetic.elite: expected 0 <= elite < population = {self.population}, got {self.elite}"
            )

    def init(self, problem: Problem, streams: Streams) -> State:
        """The landscape's starts, new-born."""
        points = problem.start(self.population)
        return State(
            points, points, points[:, 0], torch.zeros(streams.size, dtype=torch.int64, device=points.device)
        )

    def ask(self, state: State, streams: Streams) -> Query:
        """The whole population: its gradients while it learns, then its values."""
        del streams
        return Query(
            state.points, gradient=int(state.step[0]) % (self.descent_steps + 1) < self.descent_steps
        )

    def tell(self, state: State, query: Query, answer: Answer, streams: Streams) -> tuple[State, Info]:
        """A step of learning, or the next generation.

        Info of the latter: parents (R, P, 2), the same twice where there was no second one, unfit.
        """
        best, value = operators.best(query.points, answer.value), operators.worst_last(answer.value)
        if not query.gradient:
            children, parents = operators.generation(state.genes, value, streams, self, law=answer.law)
            return State(children, children, best, state.step + 1), {"parents": parents} | fit_info(
                [value], self, answer.law
            )
        points = query.points - column(self.learning_rate, query.points) * steps.slope(answer, self.name)
        best = torch.where((state.step < self.descent_steps)[:, None], best, state.best)
        return (
            State(points, points if self.learning == "lamarckian" else state.genes, best, state.step + 1),
            {},
        )

    def recommend(self, state: State) -> Tensor:
        """The best of the last generation, as it was after learning: (R, D)."""
        return state.best

    def center(self, state: State) -> Tensor:
        """The mean of where the individuals have got to: (R, D)."""
        return state.points.mean(1)
