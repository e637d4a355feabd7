"""Adam and AdamW: steps along the running mean of the gradient, over the root of that of its square.

With g the (mini-batch) gradient at x, clipped to norm c, and t counting from 1 (Kingma and Ba 2015, ICLR,
algorithm 1):

    m <- beta1 m + (1 - beta1) g,    v <- beta2 v + (1 - beta2) g * g
    x <- x - eta [m / (1 - beta1^t)] / [sqrt(v / (1 - beta2^t)) + epsilon]

Weight decay: coupled, w x is added to g (the L2 penalty, which the root then rescales); decoupled, x <- x -
eta w x before the step (Loshchilov and Hutter 2019, "Decoupled weight decay regularization", ICLR, algorithm
2: AdamW, with the schedule on both terms). This is PyTorch's form, where the root is taken after the
correction. P gradients per step; draws nothing but its starts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal, NamedTuple

import torch
from annotated_types import Ge, Gt, Lt
from torch import Tensor

from landscapes.base import Answer, Problem, Query
from landscapes.numerics import column
from landscapes.streams import Streams
from optimizers import operators
from optimizers import quantities as named
from optimizers.base import Info, Optimizer, Quantity
from optimizers.gradient import steps
from optimizers.operators import ranking_values, unseen
from optimizers.schedules import Schedule


class State(NamedTuple):
    """P trajectories and their moments."""

    points: Tensor  # (R, P, D)
    mean: Tensor  # (R, P, D) m, in units of a gradient
    square: Tensor  # (R, P, D) v, in units of unit^2
    unit: Tensor  # (R, P, D) see `trajectories.Moments`
    value: Tensor  # (R, P) last answered, one step back; inf before the first
    step: Tensor  # (R,) int64, completed steps


@dataclass(frozen=True, kw_only=True)
class Adam(Optimizer):
    """Adam, or AdamW with decoupled weight decay, on P independent trajectories.

    With several starts the recommendation is the trajectory whose last answered (noisy) value was lowest, the
    center is their mean. On a game all players step at once, each down its own loss, and the first trajectory
    is recommended.

    Args:
        learning_rate: eta > 0, in units of x.
        beta1: decay of the mean of g, 0 <= beta1 < 1.
        beta2: decay of the mean of g * g, 0 <= beta2 < 1.
        epsilon: > 0, in units of a gradient.
        weight_decay: w >= 0; per step and unit of eta if decoupled, in units of loss per x^2 if coupled.
        decay: decoupled (AdamW) or coupled (Adam with an L2 penalty).
        clip: largest norm of the gradient of one point, > 0; None: no clipping.
        schedule: how the learning rate changes with the steps.
        starts: P >= 1, independent trajectories.

    Source: Kingma and Ba 2015, ICLR; Loshchilov and Hutter 2019, ICLR.
    """

    name: ClassVar[str] = "adam"
    quantities: ClassVar[Mapping[str, Quantity]] = named.learning_rate(named.LENGTH) | named.velocity(
        "mean"
    )
    gradient: ClassVar[bool] = True
    games: ClassVar[bool] = True
    learning_rate: Annotated[float, Gt(0)] = 0.01
    beta1: Annotated[float, Ge(0), Lt(1)] = 0.9
    beta2: Annotated[float, Ge(0), Lt(1)] = 0.999
    epsilon: Annotated[float, Gt(0)] = 1e-8
    weight_decay: Annotated[float, Ge(0)] = 0.0
    decay: Literal["decoupled", "coupled"] = "decoupled"
    clip: Annotated[float | None, Gt(0)] = None
    schedule: Schedule = field(default_factory=Schedule)
    starts: Annotated[int, Ge(1)] = 1

    def init(self, problem: Problem, streams: Streams) -> State:
        """The landscape's starts, nothing averaged."""
        points = problem.start(self.starts)
        step = torch.zeros(streams.size, dtype=torch.int64, device=points.device)
        return State(points, *steps.Moments.none(points), unseen(points, points.dtype), step)

    def ask(self, state: State, streams: Streams) -> Query:
        """The gradient at every trajectory's point."""
        del streams
        return Query(state.points, gradient=True)

    def tell(self, state: State, query: Query, answer: Answer, streams: Streams) -> tuple[State, Info]:
        """One step of every trajectory."""
        del query, streams
        x, t = state.points, (state.step + 1).double()
        rate = self.schedule.rate(self.learning_rate, state.step, x)
        slope = steps.clipped(steps.slope(answer, self.name), self.clip)
        if isinstance(self.weight_decay, Tensor) or self.weight_decay:
            pull = column(self.weight_decay, x) * x
            slope, x = (slope + pull, x) if self.decay == "coupled" else (slope, x - rate * pull)
        moments = steps.Moments(state.mean, state.square, state.unit)
        move, moments = steps.adam(moments, slope, t, self.beta1, self.beta2, self.epsilon)
        return State(x - rate * move, *moments, ranking_values(answer.value), state.step + 1), {}

    def recommend(self, state: State) -> Tensor:
        """The trajectory that was last seen lowest: (R, D)."""
        return operators.best(state.points, state.value)

    def center(self, state: State) -> Tensor:
        """The mean of the trajectories: (R, D)."""
        return state.points.mean(1)
