"""Overdamped Langevin dynamics.

Gradient descent with thermal noise, whose stationary law is exp(-loss / T) as the step goes to 0.

With g the (mini-batch) gradient at x, learning rate eta of the schedule, temperature T and z ~ N(0, I):

    x <- x - eta g + sqrt(2 eta T) z

(Euler-Maruyama; Welling and Teh 2011, "Bayesian learning via stochastic gradient Langevin dynamics", ICML,
equation 4, with eta = epsilon / 2 and T = 1).

On a quadratic of curvature h the stationary variance is (2 eta T + eta^2 sigma^2 / B) / [eta h (2 - eta h)]:
the step's own error, and the heat of the mini-batch of B terms whose gradients have the variance sigma^2,
come on top of T / h. T = 0 is SGD. P gradients per step; draws: mutation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, NamedTuple

import torch
from annotated_types import Ge, Gt
from torch import Tensor

from landscapes.base import Answer, Problem, Query
from landscapes.numerics import column
from landscapes.streams import Streams
from optimizers import operators
from optimizers import quantities as named
from optimizers.base import Info, Optimizer, Quantity, Switches
from optimizers.gradient import steps
from optimizers.operators import per_world, ranking_values, unseen
from optimizers.schedules import Coupling, Schedule, check_coupling


class State(NamedTuple):
    """P trajectories."""

    points: Tensor  # (R, P, D)
    value: Tensor  # (R, P) last answered, one step back; inf before the first
    step: Tensor  # (R,) int64, completed steps


@dataclass(frozen=True, kw_only=True)
class Langevin(Optimizer):
    """Stochastic gradient Langevin dynamics at a temperature, on P independent trajectories.

    With several starts the recommendation is the trajectory whose last answered (noisy) value was lowest, the
    center is their mean.

    Args:
        learning_rate: eta > 0, in units of x^2 per unit of loss.
        temperature: T >= 0, in units of loss.
        schedule: how the learning rate, and with it the noise, changes with the steps.
        batch: b_0 >= 1, terms of a mini-batch of its own, one for all trajectories of a world; None: the
            study's.
        coupling: how the batch changes with the learning rate, see `optimizers.schedules`; needs a batch.
        starts: P >= 1, independent trajectories.

    Source: Welling and Teh 2011, ICML.
    """

    name: ClassVar[str] = "langevin"
    quantities: ClassVar[Mapping[str, Quantity]] = named.learning_rate() | named.temperature()
    sources: ClassVar[tuple[str, ...]] = ("mutation",)
    switches: ClassVar[Switches] = {"mutation": {"off": {"temperature": 0.0}}}
    gradient: ClassVar[bool] = True
    learning_rate: Annotated[float, Gt(0)] = 0.01
    temperature: Annotated[float, Ge(0)] = 0.01
    schedule: Schedule = field(default_factory=Schedule)
    batch: Annotated[int | None, Ge(1)] = None
    coupling: Coupling = "none"
    starts: Annotated[int, Ge(1)] = 1

    @property
    def batches(self) -> bool:
        """Whether it sets its own mini-batches."""
        return self.batch is not None

    @property
    def cost_follows_schedule(self) -> bool:
        """Whether the batch does."""
        return self.coupling != "none"

    def check(self) -> None:
        """A coupling needs a batch."""
        check_coupling(self.name, self.coupling, self.batch)

    def init(self, problem: Problem, streams: Streams) -> State:
        """The landscape's starts."""
        points = problem.start(self.starts)
        return State(
            points,
            unseen(points, points.dtype),
            torch.zeros(streams.size, dtype=torch.int64, device=points.device),
        )

    def ask(self, state: State, streams: Streams) -> Query:
        """The gradient at every trajectory's point."""
        del streams
        return Query(
            state.points,
            gradient=True,
            batch=self.schedule.batch(self.batch, state.step, self.coupling),
        )

    def tell(self, state: State, query: Query, answer: Answer, streams: Streams) -> tuple[State, Info]:
        """One step of every trajectory."""
        del query
        x, slope = state.points, steps.slope(answer, self.name)
        eta = self.schedule.scheduled(self.learning_rate, state.step, self.coupling)
        heat = (2 * eta * per_world(self.temperature, x)).sqrt()
        x = x - column(eta, x) * slope + column(heat, x) * streams.normal("mutation", x.shape[1:])
        return State(x, ranking_values(answer.value), state.step + 1), {}

    def rates(self, state: State) -> Mapping[str, float | Tensor]:
        """The learning rate.

        The points of one trajectory do not spread, so that nothing bends its gradient.
        """
        rate = self.schedule.scheduled(self.learning_rate, state.step, self.coupling)
        names = (
            ("raw", "smoothed", "preconditioned") if state.points.shape[1] == 1 else ("raw", "smoothed")
        )
        return dict.fromkeys(names, rate)

    def recommend(self, state: State) -> Tensor:
        """The trajectory that was last seen lowest: (R, D)."""
        return operators.best(state.points, state.value)

    def center(self, state: State) -> Tensor:
        """The mean of the trajectories: (R, D)."""
        return state.points.mean(1)
