"""A finite population under selection, drift, recombination and mutation.

The models of Wright and Fisher, and of Moran.

`wright_fisher` (Fisher 1930, "The genetical theory of natural selection"; Wright 1931, Genetics 16:97): all P
individuals are replaced at once. Each child has parents drawn independently, with replacement, in proportion
to fitness w, so that without recombination and mutation
    counts' ~ Multinomial(P, p*),    p*_i = p_i w_i / sum_j p_j w_j
        (the replicator step is its mean, drift its noise)
`moran` (Moran 1958, Proc. Camb. Philos. Soc. 54:60): one child is born so, and replaces an individual drawn
uniformly; P events make a generation.

Order of life: evaluate, select, recombine, mutate. A haploid child has a first parent and, where there is
recombination, a second one. A diploid is two haplotypes, points 2i and 2i + 1; its loss is their mean
(additive: h = 1/2; a homozygote is as fit as the haploid), and a child gets one gamete from each of two
parents (random mating, selfing by chance). A gamete is one parent's haplotypes, recombined; which one it
begins with is a fair coin. Crossovers: `one_point`, with probability r at one cut, uniform on the D - 1 gaps;
`multi_point`, at each gap independently with probability r; `free`, with probability r every coordinate by a
fair coin, else none.

P values per step, 2 P where diploid; a Moran event costs its child alone where the oracle is exact. Draws:
drift (parts 0 and 1: first and second parents, 2: who dies), recombination (part 0: who, 1: where, 2: which
haplotype first), mutation (part 0: by how much, or
which bits or letters, 1: which real coordinates, or to which letter). With `sampling:
systematic`, pairing (part 1: who mates with whom) in place of drift, and Moran's individuals die place after
place, in turn; which haplotype a diploid's gamete begins with stays a coin of recombination.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal, NamedTuple

import torch
from annotated_types import Ge, Le
from torch import Tensor

from landscapes.base import Answer, Bits, FitnessLaw, Letters, Problem, Query, Reals
from landscapes.parameters import Defaults
from landscapes.streams import Streams
from optimizers import operators
from optimizers.base import Info, Optimizer, Recorded, Switches
from optimizers.defaults import MUTATION_RATE
from optimizers.fitness import COUNTED, fitness, nobody_fit, weights
from optimizers.spectrum import Spectrum


class State(NamedTuple):
    """The living haplotypes; H = P, or 2 P where diploid."""

    points: Tensor  # (R, H, D)
    value: Tensor  # (R, H) as last answered; inf where never asked
    asked: Tensor  # (R, H) bool: what the next step asks
    best: Tensor  # (R, D) the best haplotype of the population evaluated last
    exact: Tensor  # (R, 1) where the oracle adds no noise, else (R, 0); see `operators.mark`
    changes: Tensor  # (R, D, A, A) where a mutation leads; (R, 0): to the other bit, or on reals


@dataclass(frozen=True, kw_only=True)
class WrightFisher(Optimizer):
    """Wright-Fisher or Moran population, haploid or diploid, with recombination and mutation.

    The recommendation is the haplotype with the lowest observed value in the population evaluated last; the
    center, the mean haplotype (allele frequencies on bits, means of their numbers on letters).

    Args:
        population: P >= 1 individuals.
        ploidy: haplotypes of an individual, 1 or 2.
        model: wright_fisher (discrete generations) or moran (one birth and one death per step).
        fitness: of a loss L: linear max(0, 1 - beta L), exponential exp(-beta L); where the landscape says
            what fitness w a loss stands for (a measured table), linear 1 - beta (1 - w), exponential w^beta,
            w relative to loss 0: at beta = 1 both are w as measured.
        selection_strength: beta >= 0, per unit of loss; 0: neutral, drift alone. Where nobody has fitness
            there is no selection: `unfit_steps` counts that.
        sampling: of parents: random, or systematic (numbers of offspring are expected ones, rounded down or
            up: no drift; mates meet at random).
        crossover: none, one_point, multi_point or free.
        recombination_rate: r, 0 to 1: the chance of a crossover, multi_point: in each gap; None: 1,
            multi_point 1/2.
        mutation_rate: u, probability that a coordinate mutates, 0 to 1; None: 1 on reals, 1/D on bits and
            letters.
        spectrum: to which letter one mutates: to each other alike, unless {transitions: kappa} or {rates:
            {A>G: 2}} say otherwise, on bits {rates: {0>1: 2}}. With unequal rates u is the probability of the
            most mutable letter of the site.
        mutation_sigma: standard deviation of a real mutation, >= 0, in units of x.

    Source: Wright 1931; Moran 1958; Ewens 2004, "Mathematical population genetics", chapter 3.
    """

    name: ClassVar[str] = "wright_fisher"
    domains: ClassVar[tuple[type, ...]] = (Reals, Bits, Letters)
    sources: ClassVar[tuple[str, ...]] = ("mutation", "recombination", "drift", "pairing")
    switches: ClassVar[Switches] = {
        "drift": {"off": {"sampling": "systematic"}},
        "recombination": {
            "off": {"crossover": "none"},
            "free": {"crossover": "free", "recombination_rate": None},
        },
        "mutation": {"off": {"mutation_rate": 0.0}},
    }
    counted: ClassVar[Recorded] = COUNTED
    defaults: ClassVar[Defaults] = MUTATION_RATE | {
        "recombination_rate": lambda method, task: 0.5 if method.crossover == "multi_point" else 1.0
    }
    population: Annotated[int, Ge(1)] = 64
    ploidy: Literal[1, 2] = 1
    model: Literal["wright_fisher", "moran"] = "wright_fisher"
    fitness: Literal["linear", "exponential"] = "exponential"
    selection_strength: Annotated[float, Ge(0)] = 1.0
    sampling: Literal["random", "systematic"] = "random"
    crossover: Literal["none", "one_point", "multi_point", "free"] = "free"
    recombination_rate: Annotated[float | None, Ge(0), Le(1)] = None
    mutation_rate: Annotated[float | None, Ge(0), Le(1)] = None
    mutation_sigma: Annotated[float, Ge(0)] = 0.1
    spectrum: Spectrum = field(default_factory=Spectrum)

    @property
    def haplotypes(self) -> int:
        """Those of an individual."""
        return self.ploidy

    def check_problem(self, problem: Problem) -> None:
        """A spectrum is that of bits or letters."""
        self.spectrum.fits(self.name, problem.domain)

    def init(self, problem: Problem, streams: Streams) -> State:
        """The landscape's starts, one for each haplotype."""
        points = problem.start(self.population * self.ploidy)
        value = torch.full(points.shape[:2], torch.inf, dtype=streams.dtype, device=points.device)
        exact = operators.mark(problem.exact, points)
        asked = torch.ones_like(value, dtype=torch.bool)
        changes = operators.changes(problem, self.spectrum, streams)
        return State(points, value, asked, points[:, 0], exact, changes)

    def ask(self, state: State, streams: Streams) -> Query:
        """All haplotypes; those whose exact value is known are not billed."""
        del streams
        return Query(state.points, alive=state.asked if self.model == "moran" else None)

    def tell(self, state: State, query: Query, answer: Answer, streams: Streams) -> tuple[State, Info]:
        """The next generation, or the next birth and death.

        Info: parents (R, gametes, 2), the haplotypes that each gamete comes from, unfit (R,).
        """
        points = query.points
        value = torch.where(state.asked, operators.worst_last(answer.value), state.value)
        births = self.population if self.model == "wright_fisher" else 1
        loss = value.unflatten(1, (-1, self.ploidy)).mean(-1)  # (R, P) of individuals
        fit = fitness(loss, self.fitness, self.selection_strength, answer.law)
        nobody = nobody_fit(fit)
        first, second = self._parents(loss, fit.masked_fill(nobody[:, None], 1.0), streams, births)
        gametes = self._recombine(
            operators.rows(points, first), operators.rows(points, second), streams
        )
        gametes = operators.mutate(
            gametes, streams, self.mutation_rate, self.mutation_sigma, changes=state.changes
        )
        info = {
            "parents": torch.stack([first, second], -1),
            "unfit": nobody,
        }
        after = state._replace(value=value, best=operators.best(points, value))
        if self.model == "wright_fisher":
            return after._replace(points=gametes), info
        dead = self._dead(streams, value.device)
        return self._replaced(after, points, dead, gametes), info | {"dead": dead[:, 0]}

    def _replaced(self, state: State, points: Tensor, dead: Tensor, gametes: Tensor) -> State:
        """The state with a child's gametes (R, ploidy, D) in the place of the dead (R, 1) among points."""
        place = self._haplotypes(dead)  # (R, ploidy)
        points = points.scatter(1, place[..., None].expand_as(gametes), gametes)
        asked = torch.full_like(state.value, not operators.marked(state.exact), dtype=torch.bool)
        asked = asked.scatter(1, place, True)
        return state._replace(points=points, asked=asked)

    def _dead(self, streams: Streams, device: torch.device) -> Tensor:
        """Who of Moran's population dies: (R, 1) int64."""
        if self.sampling == "systematic":
            return operators.turn(streams, self.population, 1, device)
        return streams.integers("drift", self.population, (1,), 2)

    def parentage(self, value: Tensor, law: FitnessLaw | None) -> Tensor | None:
        """Parents come by the fitness of individuals, whose haplotypes (R, P) come one after another."""
        loss = value.unflatten(1, (-1, self.ploidy)).mean(-1)
        return weights(loss, self.fitness, self.selection_strength, law).repeat_interleave(
            self.ploidy, 1
        )

    def rates(self, state: State) -> Mapping[str, float | Tensor]:
        """1 for the steps of selection of a generation, 1 / P for those of a birth and a death."""
        del state
        rate = 1.0 if self.model == "wright_fisher" else 1 / self.population
        return {"selection": rate, "mean_fitness": rate}

    def individuals(self, state: State) -> tuple[Tensor, Tensor] | None:
        """The living haplotypes."""
        return state.points, operators.equal_shares(state.points)

    def recommend(self, state: State) -> Tensor:
        """The best haplotype of the population evaluated last: (R, D)."""
        return state.best

    def center(self, state: State) -> Tensor:
        """The mean haplotype; on bits, the allele frequencies: (R, D)."""
        return state.points.to(state.value.dtype).mean(1)

    def _haplotypes(self, individuals: Tensor) -> Tensor:
        """Places (R, n ploidy) of the haplotypes of individuals (R, n)."""
        haplotype = torch.arange(self.ploidy, device=individuals.device)
        return (individuals[..., None] * self.ploidy + haplotype).flatten(1)

    def _parents(
        self, loss: Tensor, weight: Tensor, streams: Streams, births: int
    ) -> tuple[Tensor, Tensor]:
        """The two haplotypes (R, births ploidy) that each gamete of the children is made of.

        Args:
            loss: (R, P) of the individuals.
            weight: (R, P) their chances to be parents, up to a factor.
            streams: at the step.
            births: children.
        """
        n = births * self.ploidy

        def drawn(part: int) -> Tensor:
            if self.sampling == "systematic":
                return operators.systematic(loss, weight, streams, births, part)
            return operators.by_weight(weight, streams, n, part=part)

        first = drawn(0)
        if self.ploidy == 1:
            return first, first if self.crossover == "none" else drawn(1)
        parent = first if self.sampling == "random" else torch.stack([first, drawn(1)], -1).flatten(1)
        coin = streams.coins("recombination", (n,), part=2).long()
        return 2 * parent + coin, 2 * parent + 1 - coin

    def _recombine(self, first: Tensor, second: Tensor, streams: Streams) -> Tensor:
        """Gametes of their two haplotypes (R, n, D) each."""
        n, dim = first.shape[1:]
        rate = self.recombination_rate
        if self.crossover == "none" or dim == 1:
            return first
        if self.crossover == "multi_point":
            from_first = operators.multi_point(streams, n, dim, 0.5 if rate is None else rate)
            return operators.where_bits(from_first, first, second)
        if rate is not None:
            second = torch.where(operators.crosses(streams, n, rate)[..., None], second, first)
        crossover = "uniform" if self.crossover == "free" else "one_point"
        return operators.recombine(first, second, streams, crossover)
