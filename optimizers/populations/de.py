"""Differential evolution: steps are differences between members of the population.

For each target x_i a mutant v_i is made from the best x_b and from donors r1, r2, r3, all different and
different from i, and crossed with it:

    rand/1             v_i = x_r1 + F (x_r2 - x_r3)    (Storn and Price 1997, J. Glob. Optim. 11:341)
    best/1             v_i = x_b + F (x_r1 - x_r2)
    current_to_best/1  v_i = x_i + F (x_b - x_i) + F (x_r1 - x_r2)
        (Storn and Price 1995, ICSI TR-95-012, scheme DE2 with lambda = F)
    bin                u_id = v_id where a coin of chance CR says so, and at one coordinate always, else x_id

The trial u_i takes the place of x_i where its value is no higher, so that plateaus can be crossed (Price,
Storn and Lampinen 2005).

Where values are exact, the first step asks the starts and each further one P trials: P values per step. Else
targets and trials are asked together, since an old lucky value would never be left: 2 P. Draws: mutation
(donors), recombination (part 0: the coins, part 1: the coordinate that is always crossed).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, NamedTuple

import torch
from annotated_types import Ge, Gt, Le
from torch import Tensor

from landscapes.base import Answer, Problem, Query
from landscapes.numerics import column
from landscapes.streams import Streams
from optimizers import operators
from optimizers import quantities as named
from optimizers.base import Info, Optimizer, Quantity, Switches
from optimizers.operators import unseen
from optimizers.walks import moves

DONORS = {"rand": 3, "best": 2, "current_to_best": 2}


class State(NamedTuple):
    """The targets of the next step."""

    points: Tensor  # (R, P, D)
    value: Tensor  # (R, P) their values when last asked; inf before the first step
    exact: Tensor  # (R, 1) where the oracle adds no noise, else (R, 0); see `operators.mark`
    step: Tensor  # (R,) int64, completed steps


@dataclass(frozen=True, kw_only=True)
class DE(Optimizer):
    """Differential evolution with one difference and binomial crossover.

    The recommendation is the member that was last seen lowest, the center is the mean. `best` is the one last
    seen lowest, too: before the first step the first of the starts.

    Args:
        population: P, more than the strategy's donors: >= 4 for rand, >= 3 for the others.
        strategy: where a mutant starts: rand, best or current_to_best.
        scale: F > 0, the weight of a difference.
        crossover_rate: CR, the chance that a coordinate is the mutant's, 0 to 1.

    Source: Storn and Price 1997, J. Glob. Optim. 11:341.
    """

    name: ClassVar[str] = "de"
    quantities: ClassVar[Mapping[str, Quantity]] = named.acceptance()
    sources: ClassVar[tuple[str, ...]] = ("mutation", "recombination")
    switches: ClassVar[Switches] = {"recombination": {"off": {"crossover_rate": 1.0}}}
    population: Annotated[int, Ge(3)] = 32
    strategy: Literal["rand", "best", "current_to_best"] = "rand"
    scale: Annotated[float, Gt(0)] = 0.5
    crossover_rate: Annotated[float, Ge(0), Le(1)] = 0.9

    def check(self) -> None:
        """Donors are different members."""
        least = DONORS[self.strategy] + 1
        if self.population < least:
            raise ValueError(
                f"de.population: expected >= {least} with the strategy {self.strategy}, got {self.population}"
            )

    def init(self, problem: Problem, streams: Streams) -> State:
        """The landscape's starts, not yet asked."""
        points = problem.start(self.population)
        exact = operators.mark(problem.exact, points)
        return State(
            points,
            unseen(points, streams.dtype),
            exact,
            points.new_zeros(len(points), dtype=torch.int64),
        )

    def ask(self, state: State, streams: Streams) -> Query:
        """The trials, after the targets where values are noisy; the starts first where they are exact."""
        crossed = self._crossed(streams, state.points.shape[-1])
        trials = operators.where_bits(crossed, self._mutants(state, streams), state.points)
        return Query(moves.trials(state.points, trials, state.step, state.exact))

    def tell(self, state: State, query: Query, answer: Answer, streams: Streams) -> tuple[State, Info]:
        """Each trial against its target; info: accepted (R, P)."""
        del streams
        old, trials, new = moves.compared(state.value, query.points, answer.value)
        accepted = new <= old
        points = torch.where(accepted[..., None], trials, state.points)
        return State(points, torch.where(accepted, new, old), state.exact, state.step + 1), {
            "accepted": accepted
        }

    def individuals(self, state: State) -> tuple[Tensor, Tensor] | None:
        """The members."""
        return state.points, operators.equal_shares(state.points)

    def recommend(self, state: State) -> Tensor:
        """The member that was last seen lowest: (R, D)."""
        return operators.best(state.points, state.value)

    def center(self, state: State) -> Tensor:
        """The mean of the population: (R, D)."""
        return state.points.mean(1)

    def _mutants(self, state: State, streams: Streams) -> Tensor:
        """The mutants v (R, P, D)."""
        x, count = state.points, DONORS[self.strategy]
        donors = [
            operators.rows(x, index) for index in _others(streams, self.population, count).unbind(-1)
        ]
        step = column(self.scale, x) * (donors[-2] - donors[-1])
        if self.strategy == "rand":
            return donors[0] + step
        best = operators.best(x, state.value)[:, None]
        return (best if self.strategy == "best" else x + column(self.scale, x) * (best - x)) + step

    def _crossed(self, streams: Streams, dim: int) -> Tensor:
        """Where the trial is the mutant: (R, P, D) bool, at one coordinate at least."""
        coins = streams.bernoulli(
            "recombination", operators.wide(self.crossover_rate, 3), (self.population, dim)
        )
        always = streams.integers("recombination", dim, (self.population, 1), part=1)
        return coins.scatter(-1, always, True)


def _others(streams: Streams, n: int, count: int) -> Tensor:
    """For each of n members an ordered draw of `count` others without replacement: (R, n, count) int64."""
    left = torch.arange(n - 1, n - 1 - count, -1, device=streams.device)
    drawn = streams.integers("mutation", left, (n, count))
    taken, others = (
        [torch.arange(n, device=drawn.device).expand(streams.size, n)],
        [],
    )  # taken in ascending order
    for place in drawn.unbind(-1):  # the place among those that are left
        for before in taken:
            place = place + (place >= before)  # noqa: PLW2901
        others.append(place)
        for at, before in enumerate(taken):
            taken[at], place = torch.minimum(before, place), torch.maximum(before, place)  # noqa: PLW2901
        taken.append(place)
    return torch.stack(others, -1)
