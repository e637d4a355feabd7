"""Alternating gradient play: the players of a game step in turn, each seeing what the last has done.

With F_i the gradient of player i's loss in its own coordinates x_i, learning rate eta and momentum beta, on
player i's turn

    v_i <- beta v_i + F_i(x)
    x_i <- x_i - eta v_i

(Mescheder, Geiger and Nowozin 2018, ICML; momentum: Gidel et al. 2019, "Negative momentum for improved game
dynamics", AISTATS).

On a bilinear game of singular value s with eta s < 2 the players stay on an ellipse, where simultaneous play
runs away; with a negative beta they converge. Each player owns the same number of coordinates, the first the
first ones. One turn is one query: P gradients, of which the other players' blocks go unused; a round of all
players is as many steps of the study. Draws nothing but its starts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, NamedTuple

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
    """P trajectories and whose turn it is."""

    points: Tensor  # (R, P, D)
    velocity: Tensor  # (R, P, D) v, in units of a gradient
    value: Tensor  # (R, P) last answered, one step back; inf before the first
    players: Tensor  # (R,) int64
    step: Tensor  # (R,) int64, completed turns; the turn is that of player step mod players


@dataclass(frozen=True, kw_only=True)
class Alternating(Optimizer):
    """Alternating gradient descent of the players of a game, on P independent trajectories.

    On a loss it is SGD with momentum.

    On a game the first trajectory is recommended; else the one whose last answered (noisy) value was lowest.
    The center is their mean.

    Args:
        learning_rate: eta > 0, in units of x^2 per unit of loss.
        momentum: beta, -1 < beta < 1.
        schedule: how the learning rate changes with the completed rounds.
        starts: P >= 1, independent trajectories.

    Source: Mescheder, Geiger and Nowozin 2018, ICML (arXiv:1801.04406); Gidel et al. 2019, AISTATS
    (arXiv:1807.04740).
    """

    name: ClassVar[str] = "alternating"
    quantities: ClassVar[Mapping[str, Quantity]] = named.learning_rate() | named.velocity()
    gradient: ClassVar[bool] = True
    games: ClassVar[bool] = True
    learning_rate: Annotated[float, Gt(0)] = 0.1
    momentum: Annotated[float, Gt(-1), Lt(1)] = 0.0
    schedule: Schedule = field(default_factory=Schedule)
    starts: Annotated[int, Ge(1)] = 1

    def scheduled_steps(self, queries: int, players: int) -> int:
        """A round is a query for each player."""
        return queries // players

    def check_problem(self, problem: Problem) -> None:
        """Players are of one size."""
        if problem.dim % problem.players:
            raise ValueError(
                f"alternating: expected players with as many coordinates each, got {problem.players} players"
                f" of {problem.dim} together"
            )

    def init(self, problem: Problem, streams: Streams) -> State:
        """Trajectories at rest at the landscape's starts, the first player to move."""
        self.check_problem(problem)
        points = problem.start(self.starts)
        step = torch.zeros(streams.size, dtype=torch.int64, device=points.device)
        return State(
            points,
            torch.zeros_like(points),
            unseen(points, points.dtype),
            torch.full_like(step, problem.players),
            step,
        )

    def ask(self, state: State, streams: Streams) -> Query:
        """The gradients at every trajectory's point."""
        del streams
        return Query(state.points, gradient=True)

    def tell(self, state: State, query: Query, answer: Answer, streams: Streams) -> tuple[State, Info]:
        """One player's turn in every trajectory; info: player (R,)."""
        del query, streams
        x, turn = state.points, state.step % state.players
        rate = self.schedule.rate(self.learning_rate, state.step // state.players, x)
        owner = torch.arange(x.shape[-1], device=x.device) * state.players[:, None] // x.shape[-1]
        moves = (owner == turn[:, None])[:, None]  # (R, 1, D)
        velocity = torch.where(
            moves,
            column(self.momentum, x) * state.velocity + steps.slope(answer, self.name),
            state.velocity,
        )
        x = torch.where(moves, x - rate * velocity, x)
        return State(x, velocity, ranking_values(answer.value), state.players, state.step + 1), {
            "player": turn
        }

    def recommend(self, state: State) -> Tensor:
        """The first trajectory of a game, else the one that was last seen lowest: (R, D)."""
        return operators.best(state.points, state.value)

    def center(self, state: State) -> Tensor:
        """The mean of the trajectories: (R, D)."""
        return state.points.mean(1)
