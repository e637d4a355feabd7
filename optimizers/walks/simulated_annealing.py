"""Simulated annealing: the Metropolis walk while its temperature falls.

After t completed steps the temperature is T_t = T_0 s(t), s a schedule: exponential is the geometric cooling
of Kirkpatrick, Gelatt and Vecchi 1983, "Optimization by simulated annealing", Science 220:671; logarithmic,
T_t ~ d / ln t at last with d = T_0 ln(1 + steps) / (1 / factor - 1), finds the optimum with certainty where d
is at least the depth of the deepest local one (Geman and Geman 1984, IEEE PAMI 6:721; Hajek 1988, "Cooling
schedules for optimal annealing", Math. Oper. Res. 13:311). Each step is one of `optimizers.walks.metropolis`:
a symmetric proposal, accepted with chance min(1, exp(-[L(y) - L(x)] / T_t)).

P walkers. Where values are exact, the first step asks the starts and each further one P proposals: P values
per step. Else the current and the proposed points are asked together: 2 P. Draws: mutation, acceptance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, NamedTuple

import torch
from annotated_types import Ge, Gt, Le
from torch import Tensor

from landscapes.base import Answer, Bits, Problem, Query, Reals
from landscapes.streams import Streams
from optimizers import operators
from optimizers import quantities as named
from optimizers.base import Info, Optimizer, Quantity, Switches
from optimizers.operators import unseen
from optimizers.schedules import Schedule
from optimizers.walks import moves


class State(NamedTuple):
    """P walkers."""

    points: Tensor  # (R, P, D)
    value: Tensor  # (R, P) their values when last asked; inf before the first step
    best: Tensor  # (R, D) what is recommended
    lowest: Tensor  # (R,) its value when it was asked
    exact: Tensor  # (R, 1) where the oracle adds no noise, else (R, 0); see `operators.mark`
    step: Tensor  # (R,) int64, completed steps


@dataclass(frozen=True, kw_only=True)
class SimulatedAnnealing(Optimizer):
    """Simulated annealing on P independent walkers; real or binary.

    The recommendation is the best point visited where values are exact, else the walker whose value was
    lowest when last asked.

    Args:
        temperature: T_0 >= 0, in units of loss.
        schedule: how the temperature changes with the steps; by default it falls to a thousandth when the
            budget is spent.
        sigma: standard deviation of a real proposal, > 0, in units of x.
        mutation_rate: probability that a bit flips in a proposal, 0 to 1; None: exactly one bit, any with the
            same probability.
        starts: P >= 1, independent walkers.

    Source: Kirkpatrick, Gelatt and Vecchi 1983, Science 220:671.
    """

    name: ClassVar[str] = "simulated_annealing"
    quantities: ClassVar[Mapping[str, Quantity]] = named.acceptance() | {
        "temperature": Quantity(
            named.TEMPERATURE,
            named.LOSS,
            lambda method, state, info: method.schedule.scheduled(method.temperature, state.step),
        )
    }
    domains: ClassVar[tuple[type, ...]] = (Reals, Bits)
    sources: ClassVar[tuple[str, ...]] = ("mutation", "acceptance")
    switches: ClassVar[Switches] = {"acceptance": {"off": {"temperature": 0.0}}}
    temperature: Annotated[float, Ge(0)] = 1.0
    schedule: Schedule = field(
        default_factory=lambda: Schedule(kind="exponential", steps="budget", factor=0.001)
    )
    sigma: Annotated[float, Gt(0)] = 0.1
    mutation_rate: Annotated[float | None, Ge(0), Le(1)] = None
    starts: Annotated[int, Ge(1)] = 1

    def init(self, problem: Problem, streams: Streams) -> State:
        """The landscape's starts, not yet asked."""
        points = problem.start(self.starts)
        value = unseen(points, streams.dtype)
        exact = operators.mark(problem.exact, points)
        return State(
            points,
            value,
            points[:, 0],
            value[:, 0],
            exact,
            points.new_zeros(len(points), dtype=torch.int64),
        )

    def ask(self, state: State, streams: Streams) -> Query:
        """The proposals, after the current points where values are noisy.

        The starts first where they are exact.
        """
        fresh = moves.propose(state.points, streams, self.sigma, self.mutation_rate)
        return Query(moves.trials(state.points, fresh, state.step, state.exact))

    def tell(self, state: State, query: Query, answer: Answer, streams: Streams) -> tuple[State, Info]:
        """Accept or reject at the temperature of this step; info: accepted (R, P), temperature (R,)."""
        heat = self.schedule.scheduled(self.temperature, state.step)
        points, value, accepted = moves.walk(
            state.points, state.value, query.points, answer.value, heat, streams
        )
        low = operators.worst_last(value).amin(1)
        better = (low < state.lowest) | (not operators.marked(state.exact))
        best = torch.where(better[:, None], operators.best(points, value), state.best)
        new = State(
            points, value, best, torch.where(better, low, state.lowest), state.exact, state.step + 1
        )
        return new, {"accepted": accepted, "temperature": heat}

    def recommend(self, state: State) -> Tensor:
        """The best point visited, or where values are noisy the walker last seen lowest: (R, D)."""
        return state.best

    def center(self, state: State) -> Tensor:
        """The mean of the walkers: (R, D)."""
        return state.points.to(state.value.dtype).mean(1)
