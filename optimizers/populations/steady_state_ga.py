"""A steady-state genetic algorithm: few children at a time, which compete with their elders.

Each step breeds K children: parents by tournament, crossover, mutation, as `ga` does. Then of P members and K
children

    worst   the P best survive, a child before an elder of the same value
            (Whitley 1989, "The GENITOR algorithm", ICGA 3:116)
    random  each child takes the place of another member, drawn uniformly, whatever the values
            (Syswerda 1991, FOGA 1:94)

With tournaments of one, `random` and K = 1 this is Moran's model of drift; with P = K = 1, `worst` and no
crossover the (1+1) EA.

Where values are exact, the first P / K steps ask the starts, K at a time, and each further one K children: K
values per step. Else members and children are asked together, since an old lucky value would never be beaten:
P + K. Draws: drift (part 0: first parents, part 1: second parents, part 2: who dies), recombination (part 0:
who, part 1: where), mutation (part 0: by how much, or which bits or letters; part 1: which real coordinates,
or to which letter). With `sampling: systematic`, pairing (part 1: who mates with whom) in place of drift, and
`random` kills place after place, in turn.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal, NamedTuple

import torch
from annotated_types import Ge
from torch import Tensor

from landscapes.base import Answer, Problem, Query
from landscapes.streams import Streams
from optimizers import operators
from optimizers.base import Info
from optimizers.breeding import Lettered
from optimizers.operators import unseen


class State(NamedTuple):
    """The members."""

    points: Tensor  # (R, P, D)
    value: Tensor  # (R, P) their values when last asked; inf where they never were
    exact: Tensor  # (R, 1) where the oracle adds no noise, else (R, 0); see `operators.mark`
    step: Tensor  # (R,) int64, completed steps
    changes: Tensor  # (R, D, A, A) where a mutation leads; (R, 0): to the other bit, or on reals


@dataclass(frozen=True, kw_only=True)
class Replacing(Lettered):
    """A population without generations: parents by tournament, and children compete with their elders."""

    replacement: Literal["worst", "random"] = "worst"
    selection: Literal["tournament"] = field(default="tournament", init=False, repr=False)
    truncation: float = field(default=0.5, init=False, repr=False)
    fitness: Literal["exponential"] = field(default="exponential", init=False, repr=False)
    selection_strength: float = field(default=1.0, init=False, repr=False)
    elite: Literal[0] = field(default=0, init=False, repr=False)

    def survivors(self, value: Tensor, streams: Streams, children: int) -> Tensor:
        """Who of K children and then P members, of values (R, K + P), lives at each place: (R, P) int64."""
        return operators.survivors(value, streams, children, self.replacement, self.sampling)


@dataclass(frozen=True, kw_only=True)
class SteadyStateGA(Replacing):
    """Genetic algorithm without generations: children replace the worst, or anyone; reals, bits or letters.

    The recommendation is the member that was last seen lowest, the center is the mean of the members.

    Args:
        population: P >= 1 members, a multiple of the children.
        children: K >= 1 per step.
        replacement: who goes: the worst of members and children, or random members.
        tournament: entrants of one tournament, >= 1; 1: parents are uniform.
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

    Source: Whitley 1989, ICGA 3:116; Syswerda 1991, Foundations of Genetic Algorithms 1:94.
    """

    name: ClassVar[str] = "steady_state_ga"
    shown_first: ClassVar[tuple[str, ...]] = ("population", "children", "replacement")
    children: Annotated[int, Ge(1)] = 1

    def check(self) -> None:
        """The starts are asked as many at a time as there are children."""
        if self.population % self.children:
            raise ValueError(
                f"steady_state_ga.population: expected a multiple of children = {self.children}, got"
                f" {self.population}"
            )

    def init(self, problem: Problem, streams: Streams) -> State:
        """The landscape's starts, not yet asked."""
        points = problem.start(self.population)
        exact = operators.mark(problem.exact, points)
        step = points.new_zeros(len(points), dtype=torch.int64)
        changes = operators.changes(problem, self.spectrum, streams)
        return State(points, unseen(points, streams.dtype), exact, step, changes)

    def ask(self, state: State, streams: Streams) -> Query:
        """The children, after the members where values are noisy; the starts first where they are exact."""
        born, _ = operators.breed(
            state.points, state.value, streams, self.children, self, changes=state.changes
        )
        if not operators.marked(state.exact):
            return Query(torch.cat([state.points, born], 1))
        starts = operators.rows(state.points, self._block(state.step))
        return Query(torch.where(self._early(state)[..., None], starts, born))

    def tell(self, state: State, query: Query, answer: Answer, streams: Streams) -> tuple[State, Info]:
        """Who survives; info: accepted (R, K), the children that do."""
        k, answered = self.children, operators.worst_last(answer.value)
        exact = query.points.shape[1] == k  # only the children were asked
        value = torch.cat([answered[:, -k:], state.value if exact else answered[:, :-k]], 1)
        survivors = self.survivors(value, streams, k)
        if exact:  # starts that were asked go where they stand
            places = operators.replaced(self._block(state.step), self.population)
            survivors = torch.where(self._early(state), places, survivors)
        points = operators.rows(torch.cat([query.points[:, -k:], state.points], 1), survivors)
        info = {"accepted": operators.accepted(survivors, k)}
        value = value.gather(1, survivors)
        return state._replace(points=points, value=value, step=state.step + 1), info

    def individuals(self, state: State) -> tuple[Tensor, Tensor] | None:
        """The members."""
        return state.points, operators.equal_shares(state.points)

    def recommend(self, state: State) -> Tensor:
        """The member that was last seen lowest: (R, D)."""
        return operators.best(state.points, state.value)

    def center(self, state: State) -> Tensor:
        """The mean of the members; on bits, their allele frequencies: (R, D)."""
        return state.points.to(state.value.dtype).mean(1)

    @property
    def _blocks(self) -> int:
        """Steps that ask the starts."""
        return self.population // self.children

    def _early(self, state: State) -> Tensor:
        """Worlds that still ask their starts: (R, 1) bool."""
        return (state.step < self._blocks)[:, None]

    def _block(self, step: Tensor) -> Tensor:
        """The members that are asked after `step` (R,) steps, if they are: (R, K) int64."""
        first = self.children * step.clamp_max(self._blocks - 1)
        return first[:, None] + torch.arange(self.children, device=step.device)
