"""Strong selection, weak mutation.

A population that is one genotype at a time, to which mutations arise and fix or are lost.

Each step one mutation arises in a monomorphic population of N haploids, at a locus drawn uniformly, to a
letter by the spectrum where there are several, and fixes with probability

    u(s) = (1 - exp(-a s)) / (1 - exp(-a N s)),    s = ln(w' / w),    u(0) = 1 / N
        (the origin-fixation chain, Gillespie 1983)

with a = 2 for Wright-Fisher (Kimura 1962, Genetics 47:713, equation 10) and a = 1 for Moran, where it is
exact: (1 - 1/r) / (1 - r^-N), r = w'/w. Either way u(s) / u(-s) = exp(a (N - 1) s), so genotypes are visited
in proportion to w^nu, nu = a (N - 1) (Sella and Hirsh 2005, PNAS 102:9541, equations 1 to 4): fitness is an
energy and 1 / nu a temperature. A deleterious mutation can fix; the smaller N, the more often.

1 value per step where values are exact (the first is that of the start), else 2: resident and mutant are
asked together. Draws: mutation, acceptance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal, NamedTuple

import torch
from annotated_types import Ge
from torch import Tensor

from landscapes.base import Answer, Bits, FitnessLaw, Letters, Problem, Query
from landscapes.streams import Streams
from optimizers import operators
from optimizers import quantities as named
from optimizers.base import Info, Optimizer, Quantity, Recorded
from optimizers.fitness import COUNTED, log_fitness, unfit
from optimizers.operators import unseen
from optimizers.spectrum import Spectrum
from optimizers.walks import moves


class State(NamedTuple):
    """The resident genotype."""

    points: Tensor  # (R, 1, D)
    value: Tensor  # (R, 1) when last asked; inf before the first step
    exact: Tensor  # (R, 1) where the oracle adds no noise, else (R, 0); see `operators.mark`
    step: Tensor  # (R,) int64, completed steps
    changes: Tensor  # (R, D, A, A) where a mutation leads; (R, 0): to the other bit


@dataclass(frozen=True, kw_only=True)
class SSWM(Optimizer):
    """Origin-fixation chain of a population under strong selection and weak mutation.

    Args:
        population: N >= 1 haploids; 1: every mutation fixes. A real number: an effective size.
        model: wright_fisher (Kimura's probability of fixation) or moran (the exact one).
        fitness: of a loss L: linear max(0, 1 - beta L), exponential exp(-beta L); where the landscape says
            what fitness w a loss stands for (a measured table), linear 1 - beta (1 - w), exponential w^beta,
            w relative to loss 0: at beta = 1 both are w as measured.
        selection_strength: beta >= 0, per unit of loss; 0: neutral. Where nobody has fitness a mutation is
            neutral: `unfit_steps` counts that.
        spectrum: to which letter one mutates: to each other alike, unless {transitions: kappa} or {rates:
            {A>G: 2}} say otherwise, on bits {rates: {0>1: 2}}. With unequal rates letters less mutable than
            another of the site mutate in fewer steps.

    Source: Gillespie 1983, Theor. Popul. Biol. 23:202; Kimura 1962; Sella and Hirsh 2005.
    """

    name: ClassVar[str] = "sswm"
    quantities: ClassVar[Mapping[str, Quantity]] = named.acceptance()
    domains: ClassVar[tuple[type, ...]] = (Bits, Letters)
    sources: ClassVar[tuple[str, ...]] = ("mutation", "acceptance")
    counted: ClassVar[Recorded] = COUNTED
    population: Annotated[float, Ge(1)] = 100
    model: Literal["wright_fisher", "moran"] = "wright_fisher"
    fitness: Literal["linear", "exponential"] = "exponential"
    selection_strength: Annotated[float, Ge(0)] = 1.0
    spectrum: Spectrum = field(default_factory=Spectrum)

    def check_problem(self, problem: Problem) -> None:
        """A spectrum is that of bits or letters."""
        self.spectrum.fits(self.name, problem.domain)

    def init(self, problem: Problem, streams: Streams) -> State:
        """The first start, not yet asked."""
        points = problem.start(1)
        exact = operators.mark(problem.exact, points)
        step = points.new_zeros(len(points), dtype=torch.int64)
        changes = operators.changes(problem, self.spectrum, streams)
        return State(points, unseen(points, streams.dtype), exact, step, changes)

    def ask(self, state: State, streams: Streams) -> Query:
        """The mutant, after the resident where values are noisy; the start first where they are exact."""
        mutant = moves.one_mutation(state.points, streams, state.changes)
        return Query(moves.trials(state.points, mutant, state.step, state.exact))

    def tell(self, state: State, query: Query, answer: Answer, streams: Streams) -> tuple[State, Info]:
        """The mutant fixes, or is lost; info: accepted (R, 1), unfit (R,), neither of them has fitness."""
        old, fresh, new = moves.compared(state.value, query.points, answer.value)
        first = operators.marked(state.exact) & (state.step == 0)[:, None]  # the start itself was asked
        fixes = streams.bernoulli("acceptance", self.fixation(old, new, answer.law), (1,)) | first
        points = torch.where(fixes[..., None], fresh, state.points)
        both = torch.cat([old, new], 1)
        info = {
            "accepted": fixes & ~first,
            "unfit": unfit([both], self.fitness, self.selection_strength, answer.law),
        }
        value = torch.where(fixes, new, old)
        return state._replace(points=points, value=value, step=state.step + 1), info

    def recommend(self, state: State) -> Tensor:
        """The resident: (R, D)."""
        return state.points[:, 0]

    def center(self, state: State) -> Tensor:
        """The resident: (R, D)."""
        return state.points[:, 0].to(state.value.dtype)

    def fixation(self, old: Tensor, new: Tensor, law: FitnessLaw | None = None) -> Tensor:
        """Chance (R, 1) float64 that a mutation from loss old to loss new (R, 1) fixes.

        NaN never does, but for another.
        """
        size, a = operators.wide(self.population, 2), 2.0 if self.model == "wright_fisher" else 1.0
        before, after = (
            log_fitness(value, self.fitness, self.selection_strength, law) for value in (old, new)
        )
        s = a * (after - before).nan_to_num(nan=0.0)  # both have none: neutral
        small = s.abs() < 1e-12
        s = torch.where(small, 1.0, s).clamp(-700.0, 700.0)
        # of s > 0; that of -s is exp(-(N - 1) s) times this
        up = torch.expm1(-s.abs()) / torch.expm1(-size * s.abs())
        chance = torch.where(s > 0, up, up * torch.exp((size - 1) * s.clamp_max(0)))
        return torch.where(small, torch.ones_like(s) / size, chance)
