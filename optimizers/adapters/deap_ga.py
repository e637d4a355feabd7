"""DEAP's genetic algorithm, from its toolbox and operators.

Fortin, De Rainville, Gardner, Parizeau and Gagne 2012, JMLR 13:2171.

The generation is that of `deap.algorithms.eaSimple` (Baeck, Fogel and Michalewicz 2000, chapter 7), which
evaluates the first population, then

    offspring = select(population, P)
    offspring = varAnd(offspring, cxpb, mutpb)
    evaluate the invalid ones
    population = offspring

`varAnd` mates neighbours with probability cxpb and mutates each child with probability mutpb; who went
through unchanged keeps its value and is asked again only where the oracle is noisy. Classes of individuals
are ours, so nothing is registered in `deap.creator`; and DEAP's modules see a generator of the world's own as
`random`, since other threads (Dask's) draw from Python's at any time. At most P values per step; draws:
library.
"""

from __future__ import annotations

import functools
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import torch
from annotated_types import Ge, Gt, Le
from torch import Tensor

from landscapes.base import Bits, Problem, Reals
from landscapes.parameters import Defaults
from optimizers.adapters.library import Library, Proposal, Run, of_world
from optimizers.defaults import MUTATION_RATE

MATES = {
    "two_point": "cxTwoPoint",
    "one_point": "cxOnePoint",
    "uniform": "cxUniform",
    "blend": "cxBlend",
    "simulated_binary": "cxSimulatedBinary",
}


class Generations(Run):
    """A population of DEAP's and the toolbox that breeds it."""

    def __init__(
        self,
        starts: Tensor,
        toolbox: Any,  # noqa: ANN401
        chances: tuple[float, float],
        exact: bool,
    ) -> None:
        self.dtype, self.toolbox, self.chances, self.exact = starts.dtype, toolbox, chances, exact
        self.population = [individual()(point) for point in starts.tolist()]
        self.offspring = self.population
        self.best = starts[0]
        self.generator = random.Random(torch.initial_seed())  # the world's seed

    def propose(self) -> Proposal:
        """The offspring of the population, at first the population itself."""
        from deap import algorithms

        if self.population[0].fitness.valid:
            with _drawing_from(self.generator):
                parents = self.toolbox.select(self.population, len(self.population))
                self.offspring = algorithms.varAnd(parents, self.toolbox, *self.chances)
        points = torch.tensor(self.offspring, dtype=torch.float64)
        asked = [not (self.exact and child.fitness.valid) for child in self.offspring]
        return Proposal(points.to(self.dtype), points.mean(0), self.best, torch.tensor(asked))

    def take(self, value: Tensor, gradient: Tensor | None) -> None:
        """The offspring are the population."""
        del gradient
        for child, loss in zip(self.offspring, value.tolist(), strict=True):
            if not (self.exact and child.fitness.valid):
                child.fitness.values = (loss,)
        self.population = self.offspring
        self.best = torch.tensor(_best(self.population), dtype=torch.float64).to(self.dtype)


@dataclass(frozen=True, kw_only=True)
class DeapGA(Library):
    """DEAP's generational GA: tournaments, crossover of neighbours, mutation; real or binary.

    The recommendation is the point with the lowest observed value in the generation evaluated last.

    Args:
        population: P >= 2.
        tournament: entrants of one tournament, >= 1.
        crossover: two_point, one_point or uniform; on reals also blend or simulated_binary.
        recombination_rate: cxpb, probability that two neighbours mate, > 0 to 1.
        swap: of uniform crossover, the probability that a coordinate is exchanged, 0 to 1.
        alpha: of blend crossover, how far children reach beyond their parents, >= 0, in units of the parents'
            distance.
        eta: of simulated binary crossover, how much children resemble their parents, >= 0.
        mutants: mutpb, probability that a child is mutated, 0 to 1.
        mutation_rate: probability that a coordinate of a mutated child mutates, 0 to 1; None: 1 on reals, 1/D
            on bits.
        mutation_sigma: standard deviation of a real mutation, >= 0, in units of x.

    Source: Fortin et al. 2012, "DEAP: evolutionary algorithms made easy", JMLR 13:2171.
    """

    name: ClassVar[str] = "deap_ga"
    defaults: ClassVar[Defaults] = MUTATION_RATE
    domains: ClassVar[tuple[type, ...]] = (Reals, Bits)
    libraries: ClassVar[tuple[str, ...]] = ("deap",)
    population: Annotated[int, Ge(2)] = 64
    tournament: Annotated[int, Ge(1)] = 3
    crossover: Literal["two_point", "one_point", "uniform", "blend", "simulated_binary"] = "two_point"
    recombination_rate: Annotated[float, Gt(0), Le(1)] = 0.5
    swap: Annotated[float, Ge(0), Le(1)] = 0.5
    alpha: Annotated[float, Ge(0)] = 0.5
    eta: Annotated[float, Ge(0)] = 20.0
    mutants: Annotated[float, Ge(0), Le(1)] = 0.2
    mutation_rate: Annotated[float | None, Ge(0), Le(1)] = None
    mutation_sigma: Annotated[float, Ge(0)] = 0.1

    @property
    def founders(self) -> int:
        """The first population."""
        return self.population

    def check_problem(self, problem: Problem) -> None:
        """The crossover is one of such genes."""
        if self.crossover.endswith("_point") and problem.dim < 2:
            raise ValueError(
                f"deap_ga.crossover: DEAP's {self.crossover} needs at least 2 coordinates; take uniform"
            )
        if isinstance(problem.domain, Bits) and self.crossover in ("blend", "simulated_binary"):
            raise ValueError(
                f"deap_ga.crossover: {self.crossover} is for real coordinates; take two_point, one_point or"
                " uniform"
            )

    def begin(self, problem: Problem, starts: Tensor, row: int) -> Run:
        """The first population, not yet evaluated."""
        self.check_problem(problem)
        chances = (of_world(self.recombination_rate, row), of_world(self.mutants, row))
        return Generations(starts, self._toolbox(problem, row), chances, problem.exact)

    def _toolbox(self, problem: Problem, row: int) -> Any:  # noqa: ANN401
        from deap import base, tools

        binary = isinstance(problem.domain, Bits)
        rate = of_world(self.mutation_rate, row)
        rate = (1 / problem.dim if binary else 1.0) if rate is None else rate
        name, value = {
            "uniform": ("indpb", self.swap),
            "blend": ("alpha", self.alpha),
            "simulated_binary": ("eta", self.eta),
        }.get(self.crossover, ("", 0.0))
        toolbox = base.Toolbox()
        toolbox.register("select", tools.selTournament, tournsize=self.tournament)
        toolbox.register(
            "mate",
            getattr(tools, MATES[self.crossover]),
            **({name: of_world(value, row)} if name else {}),
        )
        if binary:
            toolbox.register("mutate", tools.mutFlipBit, indpb=rate)
        else:
            toolbox.register(
                "mutate",
                tools.mutGaussian,
                mu=0.0,
                sigma=of_world(self.mutation_sigma, row),
                indpb=rate,
            )
        return toolbox


@functools.cache
def individual() -> Any:  # noqa: ANN401
    """A class of lists that have a fitness of DEAP's, to be minimised.

    It is not in `deap.creator`, where all programs share one name space.
    """
    from deap import base

    class Fitness(base.Fitness):
        weights = (-1.0,)

    class Individual(list):
        def __init__(self, values: list[float]) -> None:
            super().__init__(values)
            self.fitness = Fitness()

    return Individual


@contextmanager
def _drawing_from(generator: random.Random) -> Iterator[None]:
    """What DEAP's modules know as `random` is this generator."""
    from deap import algorithms
    from deap.tools import crossover, mutation, selection

    modules = (algorithms, crossover, mutation, selection)
    for module in modules:
        module.random = generator
    try:
        yield
    finally:
        for module in modules:
            module.random = random


def _best(population: list[Any]) -> list[float]:
    """The first of the lowest values, NaN last."""
    values = [child.fitness.values[0] for child in population]
    return population[min(range(len(values)), key=lambda i: (values[i] != values[i], values[i]))]
