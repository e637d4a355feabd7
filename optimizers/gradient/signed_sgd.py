"""Signed SGD: steps of one length along every coordinate, whatever the size of the gradient.

With g the (mini-batch) gradient at x and learning rate eta of the schedule:

    v <- beta v + (1 - beta) g
    x <- x - eta sign(v)

(Bernstein, Wang, Azizzadenesheli and Anandkumar 2018, "signSGD: compressed optimisation for non-convex
problems", ICML, algorithm 1; beta > 0: Signum, algorithm 2).

Like selection by rank it discards the length of the gradient, so it is biased: where a coordinate's gradient
is a with normal noise of standard deviation sigma, the mean step is -eta erf(a / (sigma sqrt 2)). P gradients
per step; draws nothing but its starts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, NamedTuple

import torch
from annotated_types import Ge, Gt, Lt
from torch import Tensor

from landscapes.base import Answer, Problem, Query
from landscapes.streams import Streams
from optimizers import operators
from optimizers import quantities as named
from optimizers.base import Info, Optimizer, Quantity
from optimizers.gradient import steps
from optimizers.operators import ranking_values, unseen
from optimizers.schedules import Schedule


class State(NamedTuple):
    """P trajectories."""

    points: Tensor  # (R, P, D)
    velocity: Tensor  # (R, P, D) v, in units of a gradient
    value: Tensor  # (R, P) last answered, one step back; inf before the first
    step: Tensor  # (R,) int64, completed steps


@dataclass(frozen=True, kw_only=True)
class SignedSGD(Optimizer):
    """Sign descent (signSGD), with momentum Signum, on P independent trajectories.

    With several starts the recommendation is the trajectory whose last answered (noisy) value was lowest, the
    center is their mean.

    Args:
        learning_rate: eta > 0, in units of x.
        momentum: beta, 0 <= beta < 1.
        schedule: how the learning rate changes with the steps.
        starts: P >= 1, independent trajectories.

    Source: Bernstein et al. 2018, ICML (arXiv:1802.04434).
    """

    name: ClassVar[str] = "signed_sgd"
    quantities: ClassVar[Mapping[str, Quantity]] = named.learning_rate(named.LENGTH) | named.velocity()
    gradient: ClassVar[bool] = True
    learning_rate: Annotated[float, Gt(0)] = 0.01
    momentum: Annotated[float, Ge(0), Lt(1)] = 0.0
    schedule: Schedule = field(default_factory=Schedule)
    starts: Annotated[int, Ge(1)] = 1

    def init(self, problem: Problem, streams: Streams) -> State:
        """Trajectories at rest at the landscape's starts."""
        points = problem.start(self.starts)
        step = torch.zeros(streams.size, dtype=torch.int64, device=points.device)
        return State(points, torch.zeros_like(points), unseen(points, points.dtype), step)

    def ask(self, state: State, streams: Streams) -> Query:
        """The gradient at every trajectory's point."""
        del streams
        return Query(state.points, gradient=True)

    def tell(self, state: State, query: Query, answer: Answer, streams: Streams) -> tuple[State, Info]:
        """One step of every trajectory."""
        del query, streams
        velocity = steps.running(self.momentum, state.velocity, steps.slope(answer, self.name))
        rate = self.schedule.rate(self.learning_rate, state.step, state.points)
        return State(
            state.points - rate * velocity.sign(),
            velocity,
            ranking_values(answer.value),
            state.step + 1,
        ), {}

    def recommend(self, state: State) -> Tensor:
        """The trajectory that was last seen lowest: (R, D)."""
        return operators.best(state.points, state.value)

    def center(self, state: State) -> Tensor:
        """The mean of the trajectories: (R, D)."""
        return state.points.mean(1)
