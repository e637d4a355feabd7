"""Stochastic gradient descent with momentum, on P independent trajectories.

With g the (mini-batch) gradient at x, clipped to norm c, plus weight decay w x, and learning rate eta of the schedule:

    v <- beta v + g
    x <- x - eta v                    heavy ball (Polyak 1964, USSR Comput. Math. Math. Phys. 4(5):1)
    x <- x - eta (g + beta v)         Nesterov

This is PyTorch's form (Sutskever, Martens, Dahl, Hinton 2013, "On the importance of initialization and momentum in deep learning", ICML,
with the learning rate outside v): the x that is asked and recommended is Nesterov's look-ahead point. As in PyTorch, clipping comes
before weight decay. P gradients per step; draws nothing but its starts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, NamedTuple

import torch
from annotated_types import Ge, Gt, Lt
from torch import Tensor

from landscapes.base import Answer, Problem, Query, column, dot
from landscapes.streams import Streams
from optimizers import operators
from optimizers.base import Info, Optimizer
from optimizers.schedules import Schedule


class State(NamedTuple):
    """P trajectories."""

    points: Tensor  # (R, P, D)
    velocity: Tensor  # (R, P, D) v, in units of a gradient
    value: Tensor  # (R, P) last answered, one step back; inf before the first
    step: Tensor  # (R,) int64, completed steps


@dataclass(frozen=True, kw_only=True)
class SGD(Optimizer):
    """Stochastic gradient descent: momentum, Nesterov, clipping, weight decay, schedule, multi-start.

    With several starts the recommendation is the trajectory whose last answered (noisy) value was lowest, the center is their mean.
    On a game all players step at once, each down its own loss, and the first trajectory is recommended.

    Args:
        learning_rate: eta > 0, in units of x^2 per unit of loss.
        momentum: beta, 0 <= beta < 1.
        nesterov: use Nesterov's step; needs momentum > 0.
        clip: largest norm of the gradient of one point, > 0; None: no clipping.
        weight_decay: w >= 0, in units of loss per x^2; w x is added to the gradient.
        schedule: how the learning rate changes with the steps.
        starts: P >= 1, independent trajectories.

    Source: Robbins and Monro 1951, Ann. Math. Stat. 22:400; Sutskever et al. 2013, ICML.
    """

    name: ClassVar[str] = "sgd"
    gradient: ClassVar[bool] = True
    games: ClassVar[bool] = True
    learning_rate: Annotated[float, Gt(0)] = 0.1
    momentum: Annotated[float, Ge(0), Lt(1)] = 0.0
    nesterov: bool = False
    clip: Annotated[float | None, Gt(0)] = None
    weight_decay: Annotated[float, Ge(0)] = 0.0
    schedule: Schedule = field(default_factory=Schedule)
    starts: Annotated[int, Ge(1)] = 1

    def check(self) -> None:
        """Nesterov's step needs momentum."""
        if self.nesterov and bool((torch.as_tensor(self.momentum) <= 0).any()):
            raise ValueError(f"sgd.momentum: expected > 0 with nesterov, got {self.momentum}")

    def init(self, problem: Problem, streams: Streams) -> State:
        """Trajectories at rest at the landscape's starts."""
        points = problem.start(self.starts)
        value = torch.full(points.shape[:2], torch.inf, dtype=points.dtype, device=points.device)
        return State(points, torch.zeros_like(points), value, torch.zeros(streams.size, dtype=torch.int64, device=points.device))

    def ask(self, state: State, streams: Streams) -> Query:
        """The gradient at every trajectory's point."""
        del streams
        return Query(state.points, gradient=True)

    def tell(self, state: State, query: Query, answer: Answer, streams: Streams) -> tuple[State, Info]:
        """One step of every trajectory."""
        del query, streams
        x, rate, beta = state.points, self.schedule.rate(self.learning_rate, state.step, state.points), column(self.momentum, state.points)
        slope = self._slope(x, answer.gradient)
        velocity = beta * state.velocity + slope
        step = slope + beta * velocity if self.nesterov else velocity
        value = answer.value if answer.value.ndim == 2 else torch.zeros_like(state.value)  # on a game no loss says which start is best
        return State(x - rate * step, velocity, value, state.step + 1), {}

    def recommend(self, state: State) -> Tensor:
        """The trajectory that was last seen lowest: (R, D)."""
        return operators.best(state.points, state.value)

    def center(self, state: State) -> Tensor:
        """The mean of the trajectories: (R, D)."""
        return state.points.mean(1)

    def _slope(self, x: Tensor, gradient: Tensor | None) -> Tensor:
        if gradient is None:
            raise ValueError("sgd.tell: expected an answer with gradients, got values only; ask with gradient=True")
        if self.clip is not None:
            bound, norm = column(self.clip, x), dot(gradient, gradient).sqrt()[..., None]
            scale = norm.reciprocal() * bound  # bound / norm rounds otherwise where bound is a number
            gradient = torch.where(norm > bound, gradient * scale, gradient)
        if not isinstance(self.weight_decay, Tensor) and self.weight_decay == 0:
            return gradient
        return gradient + column(self.weight_decay, x) * x
