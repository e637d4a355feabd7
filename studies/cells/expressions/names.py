"""What expressions may name: all that the loop knows of R worlds after a step.

Every name is a number or an array of each world, float64. Axes of length 1 are left out (a method with one
point has no axis of points), but for the coordinates of a problem in one dimension. Where a step asks only
some of its points, those that it did not ask are NaN, and mean, std, var, sum, min and max leave them out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor

from landscapes.base import Query
from landscapes.numerics import norm
from optimizers.base import Quantity, State
from studies.cells.answers import first_loss
from studies.cells.contract import Given
from studies.cells.expressions import letters
from studies.cells.expressions.fixation import Fixation
from studies.cells.expressions.optima import distance, nearest
from studies.cells.expressions.own_functions import OwnFunction
from studies.cells.expressions.parts import behind, parts_of, plain
from studies.cells.expressions.populations import Population
from studies.cells.expressions.search import (
    Search,
    alone,
    bits,
    few_genotypes,
    genetic,
    gradients,
    lawful,
    placed,
    traits,
)
from studies.kinds.instruments import Moment
from studies.text.schema import EVALUATIONS, LENGTH, LOSS, SQUARED

SLOPE = "loss per length of x"


class NotYet(Exception):
    """What belongs to a step has no value before the first."""


class Absent(ValueError):
    """A name that an arm does not have."""


class Word(NamedTuple):
    """A name of the language."""

    long_name: str
    units: str
    read: Callable[[Scope], Tensor]
    needs: Callable[[Search], bool] = lambda search: True  # whether an arm has it


@dataclass
class Scope:
    """The names at one moment, each computed when it is first read.

    Args:
        search: the worlds.
        moment: after their last step.
        before: the state before that step; None before the first.
        fixation: the fixations so far; None: they are not followed.
    """

    search: Search
    moment: Moment
    before: State | None = None
    fixation: Fixation | None = None
    averages: list[Tensor] = field(default_factory=list)
    values: dict[str, Tensor] = field(default_factory=dict)
    found: Population | None = None

    def value(self, name: str) -> Tensor:
        """The value of a name: (R, ..) float64.

        Raises:
            NotYet: it belongs to a step, and none was taken.
            Absent: this arm does not have it.
        """  # noqa: DOC502
        if name not in self.values:
            self.values[name] = plain(self.raw(name), self.search.landscape.dim)
        return self.values[name]

    def raw(self, name: str) -> Given:
        """The same with all its axes, of its own type.

        Raises:
            Absent: this arm does not have it.
        """
        if ":" in name:
            return OwnFunction.at(name)(self.raw)
        search = self.search
        if name in WORDS and WORDS[name].needs(search):
            return WORDS[name].read(self)
        if name in search.quantities:
            return self._quantity(search.quantities[name])
        owner, _, part = name.partition(".")
        if part:
            return self._part(owner, part)
        if owner in WHOLES:
            return WHOLES[owner](self.moment)
        raise Absent(name)

    def _quantity(self, quantity: Quantity) -> Tensor:
        value = quantity.of(self.search.optimizer, self.moment.state, self.moment.info)
        if value is None:
            raise NotYet
        return value

    def _part(self, owner: str, part: str) -> Tensor:
        """state.NAME or info.NAME, a tensor."""
        there = parts_of(self.moment.state if owner == "state" else self.moment.info or {})
        if part in there:
            return there[part]
        if owner == "info":  # which may be told at some steps alone
            raise NotYet
        raise Absent(f"{owner}.{part}")

    # of the step --------------------------------------------------------------------------------------------

    @property
    def query(self) -> Query:
        """What the last step asked.

        Raises:
            NotYet: there was none.
        """
        if self.moment.query is None or self.moment.answer is None:
            raise NotYet
        return self.moment.query

    @property
    def partial(self) -> bool:
        """Whether the last step asked only some of its points."""
        return self.moment.query is not None and self.moment.query.alive is not None

    def asked(self, values: Tensor) -> Tensor:
        """Values (R, P, ..) of the points, NaN for those that the step did not ask."""
        alive = self.query.alive
        if alive is None:
            return values
        return values.double().masked_fill(~behind(alive, values), torch.nan)

    @property
    def population(self) -> Population:
        """The population of the moment."""
        if self.found is None:
            self.found = Population.of(self.search.optimizer, self.moment, self.search.sizes)
        return self.found

    def count(self) -> Tensor:
        """How many points the last step asked: (R,)."""
        query = self.query
        if query.alive is not None:
            return query.alive.sum(1)
        return torch.full_like(self.moment.steps, query.points.shape[1])

    def batch(self) -> Tensor:
        """The terms of a mini-batch of the last step: (R,)."""
        landscape = self.search.landscape
        asked = self.query.batch
        if asked is not None:
            return asked.clamp(landscape.smallest_batch, landscape.terms)
        return torch.full_like(self.moment.steps, self.search.batch or landscape.terms)

    def gradient(self) -> Tensor:
        """The gradients answered in the last step: (R, P, D)."""
        self.query  # noqa: B018 - raises before the first step
        answer = self.moment.answer
        if answer is None or answer.gradient is None:
            raise NotYet
        return self.asked(answer.gradient)

    def answered(self) -> Tensor:
        """The values of the last step: (R, P), or (R, P, players)."""
        self.query  # noqa: B018 - raises before the first step
        assert self.moment.answer is not None  # noqa: S101 - for the type checker
        return self.asked(self.moment.answer.value)

    def gradient_length(self) -> Tensor:
        """Mean length of these gradients: (R,)."""
        length = norm(self.gradient().double())
        alive = self.query.alive
        if alive is None:
            return length.mean(1)
        return length.where(alive, 0.0).sum(1) / alive.sum(1)

    def mean_fitness(self) -> Tensor:
        """The mean fitness of the points asked, by their shares: (R,)."""
        query, answer = self.query, self.moment.answer
        law = self.search.landscape.fitness_law
        assert answer is not None  # noqa: S101 - for the type checker
        assert law is not None  # noqa: S101 - for the type checker
        loss = first_loss(answer.value).double()
        fitness = torch.exp(-loss) if law.log else (law.best - loss).clamp_min(0)
        share = None if self.before is None else self.search.optimizer.share(self.before)
        if share is None:
            share = torch.ones_like(loss) if query.alive is None else query.alive.double()
        return (fitness.where(share > 0, 0.0) * share).sum(1) / share.sum(1)

    def centers(self) -> Tensor:
        """The center: (R, D) float64."""
        return self.search.optimizer.center(self.moment.state).double()

    def optima(self) -> Tensor:
        """The global minimisers known now: (R, K, D); before the landscape is bound, the center for them."""
        search = self.search
        center = self.centers()
        time = self.moment.time(search.landscape, center.device)
        optima = search.landscape.optima_at(time) if search.bound else center[:, None]
        assert optima is not None  # noqa: S101 - `place_known`
        return optima.double()

    def frequency(self) -> Tensor:
        """Frequencies of allele 1 (R, D), or of each letter at each site (R, sum of sizes)."""
        search, state = self.search, self.moment.state
        if not search.sizes:
            return search.optimizer.center(state)
        points, share = letters.living(search.optimizer, state)
        return letters.flat(letters.frequencies(points, share, search.sizes), search.sizes)

    def fixed(self, part: str) -> Tensor:
        """A part of the fixations: (R, D)."""
        if self.fixation is None:
            raise NotYet
        return self.fixation.part(part)


# the names --------------------------------------------------------------------------------------------------


WORDS: dict[str, Word] = {
    "center": Word(
        "trajectory's point, or mean of the population: D coordinates",
        LENGTH,
        lambda scope: scope.search.optimizer.center(scope.moment.state),
    ),
    "recommendation": Word(
        "point that the method would return: D coordinates",
        LENGTH,
        lambda scope: scope.search.optimizer.recommend(scope.moment.state),
    ),
    "points": Word(
        "points asked in the last step: P x D", LENGTH, lambda scope: scope.asked(scope.query.points)
    ),
    "value": Word("values answered in the last step: P", LOSS, Scope.answered),
    "gradient": Word("gradients answered in the last step: P x D", SLOPE, Scope.gradient, gradients),
    "gradient_length": Word(
        "mean length of the gradients answered in the last step",
        SLOPE,
        Scope.gradient_length,
        gradients,
    ),
    "step": Word("completed steps", "steps", lambda scope: scope.moment.steps),
    "cost": Word("cost so far", EVALUATIONS, lambda scope: scope.moment.cost),
    "batch": Word("terms of a mini-batch in the last step", "terms", Scope.batch),
    "population": Word("points asked in the last step", "1", Scope.count),
    "frequency": Word(
        "frequency of allele 1 at each locus; of several letters, of each at each site, site after site",
        "1",
        Scope.frequency,
        genetic,
    ),
    "heterozygosity": Word(
        "heterozygosity, mean of 2 p (1 - p) over loci; of several letters 1 - sum p^2",
        "1",
        lambda scope: scope.population.heterozygosity,
        genetic,
    ),
    "linkage_disequilibrium": Word(
        "mean r^2 over pairs of polymorphic loci",
        "1",
        lambda scope: scope.population.linkage_disequilibrium,
        bits,
    ),
    "fixed_loci": Word(
        "share of loci with one allele alone", "1", lambda scope: scope.population.fixed_loci, genetic
    ),
    "trait_variance": Word(
        "variance of each trait (coordinate) over the living individuals, which the next step finds: D"
        " numbers, whose sum is the trace of their covariance; NaN of what is no population",
        SQUARED,
        lambda scope: scope.population.trait_variance(scope.search.landscape.dim),
        traits,
    ),
    "optimum": Word(
        "global optimum where it is now, of several the nearest to the center: D coordinates",
        LENGTH,
        lambda scope: nearest(scope.centers(), scope.optima()),
        placed,
    ),
    "optimum_distance": Word(
        "distance of the center to the optimum where it is now, of several the nearest; on bits the mean"
        " number of loci that differ from it",
        LENGTH,
        lambda scope: distance(scope.centers(), scope.optima(), on_bits=scope.search.on_bits),
        placed,
    ),
    "genotype_frequency": Word(
        "frequency of each genotype, of 256 at most, by its number, on bits the sum over loci i of x_i 2^i",
        "1",
        lambda scope: scope.population.genotype_frequencies(scope.search.landscape.dim),
        few_genotypes,
    ),
    "genotypes": Word("different individuals", "1", lambda scope: scope.population.genotypes, alone),
    "mean_fitness": Word(
        "mean fitness of the points asked in the last step, as the landscape has it",
        "fitness",
        Scope.mean_fitness,
        lawful,
    ),
    "fixed_allele": Word(
        "allele that was first fixed at each locus; NaN: none was so far",
        "1",
        lambda scope: scope.fixed("allele"),
        genetic,
    ),
    "fixation_step": Word(
        "completed steps when an allele was first fixed at each locus; NaN: none was so far",
        "steps",
        lambda scope: scope.fixed("step"),
        genetic,
    ),
    "fixation_cost": Word(
        "cost when an allele was first fixed at each locus; NaN: none was so far",
        EVALUATIONS,
        lambda scope: scope.fixed("cost"),
        genetic,
    ),
    "substitutions": Word(
        "how often another allele was fixed at each locus than the one fixed before it",
        "1",
        lambda scope: scope.fixed("substitutions"),
        genetic,
    ),
    "substitution_step": Word(
        "completed steps when an allele first took the place of a fixed one at each locus; inf: none did so"
        " far",
        "steps",
        lambda scope: scope.fixed("substitution_step"),
        genetic,
    ),
}
WHOLES: dict[str, Callable[[Moment], Given]] = {  # for functions of the user's
    "state": lambda moment: moment.state,
    "info": lambda moment: moment.info or {},
}
FIXATIONS = frozenset([
    "fixed_allele",
    "fixation_step",
    "fixation_cost",
    "substitutions",
    "substitution_step",
])


def names_of(scope: Scope) -> Iterator[str]:
    """The names that an arm has, as a moment after a step shows them."""
    search, moment = scope.search, scope.moment
    yield from (name for name, word in WORDS.items() if word.needs(search))
    yield from search.quantities
    yield from (f"state.{name}" for name in parts_of(moment.state))
    yield from (f"info.{name}" for name in parts_of(moment.info or {}))
