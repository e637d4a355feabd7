"""Stochastic gradient descent with momentum, on P independent trajectories.

With g the (mini-batch) gradient at x, clipped to norm c, plus weight decay w x, and learning rate eta of the
schedule:

    v <- beta v + g
    x <- x - eta v                    heavy ball (Polyak 1964, USSR Comput. Math. Math. Phys. 4(5):1)
    x <- x - eta (g + beta v)         Nesterov

and, where an average is recommended, with n = max(1, t - burn-in) after t steps,

    m <- m + (x - m) / n

the mean of x_1 .. x_t (Polyak and Juditsky 1992, SIAM J. Control Optim. 30:838), or of those after a burn-in
(tail averaging, Jain et al. 2018, JMLR 18(223)).

This is PyTorch's form (Sutskever, Martens, Dahl, Hinton 2013, "On the importance of initialization and
momentum in deep learning", ICML, with the learning rate outside v): the x that is asked and recommended is
Nesterov's look-ahead point. As in PyTorch, clipping comes before weight decay. The mini-batch may change with
the learning rate (`optimizers.schedules`), and the steps may follow the noise that is observed
(`optimizers.gradient.step_sizes`). P gradients per step; draws nothing but its starts.
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
from optimizers.gradient.step_sizes import StepSize
from optimizers.operators import ranking_values, unseen
from optimizers.schedules import Coupling, Schedule, check_coupling


class State(NamedTuple):
    """P trajectories."""

    points: Tensor  # (R, P, D)
    mean: Tensor  # (R, P, D) m, what is recommended; the points themselves where nothing is averaged
    velocity: Tensor  # (R, P, D) v, in units of a gradient
    value: Tensor  # (R, P) last answered, one step back; inf before the first
    gradient: (
        Tensor  # (R, P, D) running mean of the gradients; 0 where the step size does not follow them
    )
    spread: Tensor  # (R, P, 2) roots of its variance, and of the long-run mean of that; likewise
    step: Tensor  # (R,) int64, completed steps


@dataclass(frozen=True, kw_only=True)
class SGD(Optimizer):
    """Stochastic gradient descent.

    Momentum, Nesterov, clipping, weight decay, schedule, iterate averaging, multi-start.

    With several starts the recommendation is the trajectory whose last answered (noisy) value was lowest, the
    center is their mean. On a game all players step at once, each down its own loss, and the first trajectory
    is recommended.

    Args:
        learning_rate: eta > 0, in units of x^2 per unit of loss.
        momentum: beta, 0 <= beta < 1.
        nesterov: use Nesterov's step; needs momentum > 0.
        clip: largest norm of the gradient of one point, > 0; None: no clipping.
        weight_decay: w >= 0, in units of loss per x^2; w x is added to the gradient.
        schedule: how the learning rate changes with the steps.
        batch: b_0 >= 1, terms of a mini-batch of its own, one for all trajectories of a world; None: the
            study's.
        coupling: how the batch changes with the learning rate, see `optimizers.schedules`; needs a batch.
        step_size: how observed noise shortens the steps, see `optimizers.gradient.step_sizes`.
        starts: P >= 1, independent trajectories.
        average: what is recommended of a trajectory: none, its point; polyak, the mean of its points; tail,
            their mean after the burn-in.
        burn_in: steps that the tail leaves out, >= 0; > 0 with average tail, else 0.

    Source: Robbins and Monro 1951, Ann. Math. Stat. 22:400; Sutskever et al. 2013, ICML.
    """

    name: ClassVar[str] = "sgd"
    quantities: ClassVar[Mapping[str, Quantity]] = (
        named.learning_rate()
        | named.velocity()
        | {
            "outlier_probability": Quantity(
                "chance p of a gradient beyond the tolerance, by which step_size clt shortened the last step",
                "1",
                lambda method, state, info: method.step_size.outlier_probability(state.spread),
            )
        }
    )
    gradient: ClassVar[bool] = True
    games: ClassVar[bool] = True
    learning_rate: Annotated[float, Gt(0)] = 0.1
    momentum: Annotated[float, Ge(0), Lt(1)] = 0.0
    nesterov: bool = False
    clip: Annotated[float | None, Gt(0)] = None
    weight_decay: Annotated[float, Ge(0)] = 0.0
    schedule: Schedule = field(default_factory=Schedule)
    batch: Annotated[int | None, Ge(1)] = None
    coupling: Coupling = "none"
    step_size: StepSize = field(default_factory=StepSize)
    starts: Annotated[int, Ge(1)] = 1
    average: Literal["none", "polyak", "tail"] = "none"
    burn_in: Annotated[int, Ge(0)] = 0

    @property
    def batches(self) -> bool:
        """Whether it sets its own mini-batches."""
        return self.batch is not None

    @property
    def cost_follows_schedule(self) -> bool:
        """Whether the batch does."""
        return self.coupling != "none"

    def check(self) -> None:
        """Nesterov's step needs momentum, a tail a burn-in, and a coupling a batch."""
        check_coupling(self.name, self.coupling, self.batch)
        if self.nesterov and bool((torch.as_tensor(self.momentum) <= 0).any()):
            raise ValueError(f"sgd.momentum: expected > 0 with nesterov, got {self.momentum}")
        if (self.burn_in > 0) != (self.average == "tail"):
            raise ValueError(
                f"sgd.burn_in: expected > 0 with average tail, else 0, got {self.burn_in} with {self.average}"
            )

    def init(self, problem: Problem, streams: Streams) -> State:
        """Trajectories at rest at the landscape's starts."""
        points = problem.start(self.starts)
        zero = torch.zeros_like(points)
        return State(
            points=points,
            mean=points,
            velocity=zero,
            value=unseen(points, points.dtype),
            gradient=zero,
            spread=zero.new_zeros((*points.shape[:2], 2)),
            step=torch.zeros(streams.size, dtype=torch.int64, device=points.device),
        )

    def ask(self, state: State, streams: Streams) -> Query:
        """The gradient at every trajectory's point."""
        del streams
        batch = self.schedule.batch(self.batch, state.step, self.coupling)
        return Query(state.points, gradient=True, batch=batch)

    def tell(self, state: State, query: Query, answer: Answer, streams: Streams) -> tuple[State, Info]:
        """One step of every trajectory."""
        del query, streams
        gradient = steps.slope(answer, self.name)
        running, spread = self.step_size.seen(state.gradient, state.spread, gradient, state.step)
        rate = self.schedule.rate(self.learning_rate, state.step, state.points, self.coupling)
        points, velocity = steps.descent(
            state.points,
            state.velocity,
            gradient,
            rate * column(self.step_size.multiplier(spread), state.points),
            momentum=self.momentum,
            nesterov=self.nesterov,
            clip=self.clip,
            weight_decay=self.weight_decay,
        )
        after = State(
            points=points,
            mean=self._averaged(state, points),
            velocity=velocity,
            value=ranking_values(answer.value),
            gradient=running,
            spread=spread,
            step=state.step + 1,
        )
        return after, {}

    def rates(self, state: State) -> Mapping[str, float | Tensor]:
        """The learning rate of plain steps.

        The points of one trajectory do not spread, so that nothing bends its gradient.
        """
        rate = steps.plain_rate(
            self.schedule.scheduled(self.learning_rate, state.step, self.coupling),
            momentum=self.momentum,
            clip=self.clip,
            weight_decay=self.weight_decay,
            shortened=self.step_size.kind != "scheduled",
        )
        names = (
            ("raw", "smoothed", "preconditioned") if state.points.shape[1] == 1 else ("raw", "smoothed")
        )
        return dict.fromkeys(names, rate)

    def recommend(self, state: State) -> Tensor:
        """The trajectory that was last seen lowest, or its average: (R, D)."""
        return operators.best(state.mean, state.value)

    def center(self, state: State) -> Tensor:
        """The mean of the trajectories: (R, D)."""
        return state.points.mean(1)

    def _averaged(self, state: State, points: Tensor) -> Tensor:
        """What is recommended of each trajectory after a step to these points: (R, P, D)."""
        if self.average == "none":
            return points
        weight = column(1 / (state.step + 1 - self.burn_in).clamp_min(1).double(), points)
        return state.mean + weight * (points - state.mean)
