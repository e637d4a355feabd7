"""Extragradient: a step whose slope is read ahead, so that players of a game do not circle outwards.

With F the gradient at a point (on a game each player's, of its own loss in its own coordinates) and learning
rate eta of the schedule:

    y = x - eta F(x)
    x <- x - eta F(y)      (Korpelevich 1976, Ekonomika i Matematicheskie Metody 12:747)

On a bilinear game of singular value s a step multiplies the distance to the equilibrium by sqrt((1 - eta^2
s^2)^2 + eta^2 s^2) < 1 for eta s < 1, where the simultaneous step has sqrt(1 + eta^2 s^2). The two slopes are
two queries, so two steps of the study: first x is asked, then y. P gradients per query; draws nothing but its
starts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, NamedTuple

import torch
from annotated_types import Ge, Gt
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
    """P trajectories, and where each looks ahead."""

    points: Tensor  # (R, P, D) x
    ahead: Tensor  # (R, P, D) what is asked next: x in even queries, y in odd ones
    value: Tensor  # (R, P) last answered at x; inf before the first
    step: Tensor  # (R,) int64, completed queries, two for each step of the method


@dataclass(frozen=True, kw_only=True)
class Extragradient(Optimizer):
    """Extragradient steps of all players at once, on P independent trajectories.

    On a loss it is gradient descent that looks ahead.

    With several starts the recommendation is the trajectory whose value at x was last answered lowest, the
    center is their mean. On a game the first trajectory is recommended.

    Args:
        learning_rate: eta > 0, in units of x^2 per unit of loss.
        schedule: how the learning rate changes with the completed steps of the method, of two queries each.
        starts: P >= 1, independent trajectories.

    Source: Korpelevich 1976; on games Gidel et al. 2019, "A variational inequality perspective on generative
    adversarial networks", ICLR.
    """

    name: ClassVar[str] = "extragradient"
    quantities: ClassVar[Mapping[str, Quantity]] = named.learning_rate()
    gradient: ClassVar[bool] = True
    games: ClassVar[bool] = True
    learning_rate: Annotated[float, Gt(0)] = 0.1
    schedule: Schedule = field(default_factory=Schedule)
    starts: Annotated[int, Ge(1)] = 1

    def scheduled_steps(self, queries: int, players: int) -> int:
        """A step of the method is two queries."""
        del players
        return queries // 2

    def init(self, problem: Problem, streams: Streams) -> State:
        """The landscape's starts."""
        points = problem.start(self.starts)
        return State(
            points,
            points,
            unseen(points, points.dtype),
            torch.zeros(streams.size, dtype=torch.int64, device=points.device),
        )

    def ask(self, state: State, streams: Streams) -> Query:
        """The gradient at every trajectory's point, or ahead of it."""
        del streams
        return Query(state.ahead, gradient=True)

    def tell(self, state: State, query: Query, answer: Answer, streams: Streams) -> tuple[State, Info]:
        """Look ahead, or step."""
        del query, streams
        rate = self.schedule.rate(self.learning_rate, state.step // 2, state.points)
        moved = state.points - rate * steps.slope(answer, self.name)
        looks = state.step % 2 == 0  # (R,): this was x, so the next is y
        points = torch.where(looks[:, None, None], state.points, moved)
        value = torch.where(looks[:, None], ranking_values(answer.value), state.value)
        return State(points, moved, value, state.step + 1), {}

    def recommend(self, state: State) -> Tensor:
        """The trajectory that was last seen lowest: (R, D)."""
        return operators.best(state.points, state.value)

    def center(self, state: State) -> Tensor:
        """The mean of the trajectories: (R, D)."""
        return state.points.mean(1)
