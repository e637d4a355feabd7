"""Trajectories of stochastic gradient descent that exchange coordinates, or average, every so many steps.

Each of P trajectories makes the step of `sgd`; after every `interval`-th step they meet:

    crossover  of each random pair every coordinate changes places with probability 1/2, and its velocity with
               it (uniform crossover, both children kept: Syswerda 1989, ICGA 3:2): nothing is lost, only
               combinations change. Of an odd number one stays as it is
    average    x_i <- x_i + a (mean x - x_i), velocities likewise. a = 1: local SGD (Stich 2019, ICLR; McMahan
               et al. 2017, AISTATS); a < 1: elastic averaging (Zhang, Choromanska and LeCun 2015, NeurIPS,
               equation 2, with the mean itself as the center)
    none       they never do: `sgd` from P starts

On a quadratic the mean of P trajectories with independent noise has 1 / P of the variance of one, whatever
the interval; crossover leaves the law of every coordinate as it is, and halves the covariance of two
coordinates of one trajectory at each meeting. Independent noise needs a mini-batch for each point (noise:
shared: false in a study). P gradients per step. Draws: pairing (who meets), recombination (part 1: which
coordinates).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal, NamedTuple

import torch
from annotated_types import Ge, Gt, Le, Lt
from torch import Tensor

from landscapes.base import Answer, Problem, Query
from landscapes.streams import Streams
from optimizers import operators
from optimizers import quantities as named
from optimizers.base import Info, Optimizer, Quantity, Switches
from optimizers.gradient import steps
from optimizers.schedules import Schedule


class State(NamedTuple):
    """P trajectories."""

    points: Tensor  # (R, P, D)
    velocity: Tensor  # (R, P, D) in units of a gradient
    best: Tensor  # (R, D) what is recommended
    step: Tensor  # (R,) int64, completed steps


@dataclass(frozen=True, kw_only=True)
class RecombinedSGD(Optimizer):
    """Stochastic gradient descent on P trajectories that recombine or average.

    The recommendation is the trajectory whose last answered (noisy) value was lowest: after averaging with
    the others, but before its coordinates are exchanged, since nobody has seen what comes of that. The center
    is the mean of the trajectories.

    Args:
        population: P >= 1 trajectories.
        learning_rate: eta > 0, in units of x^2 per unit of loss.
        momentum: beta, 0 <= beta < 1.
        nesterov: use Nesterov's step; needs momentum > 0.
        clip: largest norm of the gradient of one point, > 0; None: no clipping.
        weight_decay: w >= 0, in units of loss per x^2; w x is added to the gradient.
        schedule: how the learning rate changes with the steps.
        interval: steps between meetings, >= 1.
        exchange: crossover, average or none.
        pull: a, how far an average pulls, 0 < a <= 1; 1 unless exchange is average.

    Source: Syswerda 1989, ICGA 3:2; Zhang, Choromanska and LeCun 2015, NeurIPS; Stich 2019, ICLR.
    """

    name: ClassVar[str] = "recombined_sgd"
    quantities: ClassVar[Mapping[str, Quantity]] = named.learning_rate() | named.velocity()
    sources: ClassVar[tuple[str, ...]] = ("pairing", "recombination")
    switches: ClassVar[Switches] = {"recombination": {"off": {"exchange": "none"}}}
    gradient: ClassVar[bool] = True
    population: Annotated[int, Ge(1)] = 8
    learning_rate: Annotated[float, Gt(0)] = 0.1
    momentum: Annotated[float, Ge(0), Lt(1)] = 0.0
    nesterov: bool = False
    clip: Annotated[float | None, Gt(0)] = None
    weight_decay: Annotated[float, Ge(0)] = 0.0
    schedule: Schedule = field(default_factory=Schedule)
    interval: Annotated[int, Ge(1)] = 10
    exchange: Literal["crossover", "average", "none"] = "crossover"
    pull: Annotated[float, Gt(0), Le(1)] = 1.0

    def check(self) -> None:
        """Nesterov's step needs momentum; only an average pulls."""
        if self.nesterov and bool((torch.as_tensor(self.momentum) <= 0).any()):
            raise ValueError(
                f"recombined_sgd.momentum: expected > 0 with nesterov, got {self.momentum}"
            )
        if self.exchange != "average" and bool((torch.as_tensor(self.pull) != 1).any()):
            raise ValueError(
                f"recombined_sgd.pull: expected 1 unless exchange is average, got {self.pull} with"
                f" {self.exchange}"
            )

    def init(self, problem: Problem, streams: Streams) -> State:
        """Trajectories at rest at the landscape's starts."""
        points = problem.start(self.population)
        step = torch.zeros(streams.size, dtype=torch.int64, device=points.device)
        return State(points, torch.zeros_like(points), points[:, 0], step)

    def ask(self, state: State, streams: Streams) -> Query:
        """The gradient at every trajectory's point."""
        del streams
        return Query(state.points, gradient=True)

    def tell(self, state: State, query: Query, answer: Answer, streams: Streams) -> tuple[State, Info]:
        """One step of every trajectory, and a meeting where one is due."""
        del query
        stepped = steps.descent(
            state.points,
            state.velocity,
            steps.slope(answer, self.name),
            self.schedule.rate(self.learning_rate, state.step, state.points),
            momentum=self.momentum,
            nesterov=self.nesterov,
            clip=self.clip,
            weight_decay=self.weight_decay,
        )
        x, velocity = stepped
        due = (state.step + 1) % self.interval == 0
        if self.exchange != "none" and self.population > 1 and bool(due.any()):
            met = (
                self._averaged(*stepped) if self.exchange == "average" else _crossed(*stepped, streams)
            )
            x, velocity = (
                torch.where(due[:, None, None], new, old) for new, old in zip(met, stepped, strict=True)
            )
        best = operators.best(x if self.exchange == "average" else stepped[0], answer.value)
        return State(x, velocity, best, state.step + 1), {}

    def individuals(self, state: State) -> tuple[Tensor, Tensor] | None:
        """The trajectories."""
        return state.points, operators.equal_shares(state.points)

    def recommend(self, state: State) -> Tensor:
        """The trajectory that was last seen lowest: (R, D)."""
        return state.best

    def center(self, state: State) -> Tensor:
        """The mean of the trajectories: (R, D)."""
        return state.points.mean(1)

    def _averaged(self, *held: Tensor) -> tuple[Tensor, ...]:
        """Each of (R, P, D) pulled to its mean over the trajectories."""
        return tuple(steps.running(self.pull, each.mean(1, keepdim=True), each) for each in held)


def _crossed(points: Tensor, velocity: Tensor, streams: Streams) -> tuple[Tensor, ...]:
    """Points and velocities (R, P, D) after a crossover of random pairs, which become two children."""
    count, dim = points.shape[1:]
    half = count // 2
    first, second = streams.permutation("pairing", count)[:, : 2 * half].split(half, 1)
    keep = operators.uniform(streams, half, dim)
    places = torch.cat([first, second], 1)[..., None].expand(-1, -1, dim)

    def cross(held: Tensor) -> Tensor:
        a, b = operators.rows(held, first), operators.rows(held, second)
        return held.scatter(
            1,
            places,
            torch.cat([operators.where_bits(keep, a, b), operators.where_bits(keep, b, a)], 1),
        )

    return cross(points), cross(velocity)
