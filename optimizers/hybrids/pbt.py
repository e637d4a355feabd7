"""Population-based training: SGD on P trajectories that copy the better ones, and their learning rates.

Each trajectory i steps as `sgd` does with a learning rate eta_i of its own. After every `interval` steps,
with the values just answered and k = floor(fraction P) (Jaderberg et al. 2017, "Population based training of
neural networks", arXiv:1711.09846, algorithm 1):

    exploit  each of the worst k takes the point, the velocity and the learning rate of one of the best k,
             drawn uniformly ("truncation selection")
    explore  whoever copied multiplies its learning rate by 1 - c or 1 + c, either with probability 1/2
             ("perturb", c = 0.2)

and then steps from where the copied one was evaluated, along its gradient. So the ranks belong to the points
that are copied, and one answer serves both. At the start eta_i = eta s^(2 (i - 1) / (P - 1) - 1), geometric
from eta / s to eta s; all rates stay within a factor of 1e6 of eta, so that none is ever 0. Rates are chosen
by the loss that they reach within an interval: short ones favour small steps where gradients are noisy.

P gradients per step. Draws: drift (whom the worst copy), mutation (up or down).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, NamedTuple

import torch
from annotated_types import Ge, Gt, Le, Lt
from torch import Tensor

from landscapes.base import Answer, Problem, Query
from landscapes.streams import Streams
from optimizers import operators
from optimizers import quantities as named
from optimizers.base import Info, Optimizer, Quantity, Recorded
from optimizers.gradient import steps
from optimizers.operators import per_world, unseen

REACH = 1e6  # how far, as a factor, learning rates may go from where they began


class State(NamedTuple):
    """P trajectories."""

    points: Tensor  # (R, P, D)
    velocity: Tensor  # (R, P, D) in units of a gradient
    rate: Tensor  # (R, P) learning rates
    value: Tensor  # (R, P) last answered, one step back; inf before the first
    step: Tensor  # (R,) int64, completed steps


@dataclass(frozen=True, kw_only=True)
class PBT(Optimizer):
    """Population-based training (PBT) of the learning rate of SGD.

    The recommendation is the trajectory whose last answered (noisy) value was lowest, the center is their
    mean.

    Args:
        population: P >= 2 trajectories.
        learning_rate: eta > 0, the middle of the first learning rates, in units of x^2 per unit of loss.
        spread: s, 1 <= s <= 1e6, the largest of the first learning rates is s eta, the smallest eta / s; 1:
            all are alike.
        momentum: beta, 0 <= beta < 1.
        clip: largest norm of the gradient of one point, > 0; None: no clipping.
        weight_decay: w >= 0, in units of loss per x^2; w x is added to the gradient.
        interval: steps between exploits, >= 1.
        fraction: share of the trajectories that copy, and that are copied, 0 < fraction <= 1/2, at least one
            of them; rounded down.
        perturbation: c, 0 <= c < 1.

    Source: Jaderberg et al. 2017, arXiv:1711.09846.
    """

    name: ClassVar[str] = "pbt"
    quantities: ClassVar[Mapping[str, Quantity]] = named.velocity() | {
        "learning_rate": Quantity(
            "learning rates in force, one for each member",
            named.PER_SLOPE,
            lambda method, state, info: state.rate,
        )
    }
    sources: ClassVar[tuple[str, ...]] = ("drift", "mutation")
    gradient: ClassVar[bool] = True
    recorded: ClassVar[Recorded] = {
        "learning_rate": (
            "adapted_learning_rate",
            "geometric mean of the trajectories' learning rates",
            "x^2 per loss",
        )
    }
    population: Annotated[int, Ge(2)] = 10
    learning_rate: Annotated[float, Gt(0)] = 0.1
    spread: Annotated[float, Ge(1), Le(REACH)] = 10.0
    momentum: Annotated[float, Ge(0), Lt(1)] = 0.0
    clip: Annotated[float | None, Gt(0)] = None
    weight_decay: Annotated[float, Ge(0)] = 0.0
    interval: Annotated[int, Ge(1)] = 10
    fraction: Annotated[float, Gt(0), Le(0.5)] = 0.2
    perturbation: Annotated[float, Ge(0), Lt(1)] = 0.2

    def check(self) -> None:
        """Someone copies."""
        if bool((self._copied("cpu") < 1).any()):
            raise ValueError(
                f"pbt.fraction: expected >= 1 / population = 1 / {self.population}, got {self.fraction}"
            )

    def init(self, problem: Problem, streams: Streams) -> State:
        """Trajectories at rest at the landscape's starts."""
        points = problem.start(self.population)
        rate = (self._first_rate(points) * torch.exp(self._ladder(points))).to(points.dtype)
        step = torch.zeros(streams.size, dtype=torch.int64, device=points.device)
        return State(points, torch.zeros_like(points), rate, unseen(points, points.dtype), step)

    def ask(self, state: State, streams: Streams) -> Query:
        """The gradient at every trajectory's point."""
        del streams
        return Query(state.points, gradient=True)

    def tell(self, state: State, query: Query, answer: Answer, streams: Streams) -> tuple[State, Info]:
        """Exploit and explore where due, then one step of every trajectory.

        Info: parents (R, P), learning_rate (R,), their mean.
        """
        del query
        slope, source = steps.slope(answer, self.name), self._sources(state, answer.value, streams)
        x, velocity, slope = (
            operators.rows(held, source) for held in (state.points, state.velocity, slope)
        )
        rate = self._rates(state.rate, source, streams)
        x, velocity = steps.descent(
            x,
            velocity,
            slope,
            rate[..., None],
            momentum=self.momentum,
            clip=self.clip,
            weight_decay=self.weight_decay,
        )
        info = {"parents": source, "learning_rate": rate.log().mean(1).exp()}
        return State(x, velocity, rate, answer.value.gather(1, source), state.step + 1), info

    def recommend(self, state: State) -> Tensor:
        """The trajectory that was last seen lowest: (R, D)."""
        return operators.best(state.points, state.value)

    def center(self, state: State) -> Tensor:
        """The mean of the trajectories: (R, D)."""
        return state.points.mean(1)

    def _first_rate(self, like: Tensor) -> Tensor:
        """Eta: (R, 1) float64."""
        return per_world(self.learning_rate, like)[:, None]

    def _ladder(self, like: Tensor) -> Tensor:
        """Log of the P learning-rate factors, evenly spaced from 1/spread to spread: (R, P) float64."""
        place = torch.arange(self.population, device=like.device, dtype=torch.float64)
        return per_world(self.spread, like).log()[:, None] * (2 * place / (self.population - 1) - 1)

    def _copied(self, device: torch.device | str) -> Tensor:
        """How many are copied, k: (R or 1, 1) float64."""
        share = torch.as_tensor(self.fraction, dtype=torch.float64, device=device) * self.population
        return (share + 1e-9).floor().reshape(-1, 1)  # 0.29 * 100 is a little less than 29

    def _sources(self, state: State, value: Tensor, streams: Streams) -> Tensor:
        """Whose point each trajectory goes on from: (R, P) int64."""
        stay = torch.arange(self.population, device=value.device).expand(len(value), -1)
        due = (state.step > 0) & (state.step % self.interval == 0)
        if not bool(due.any()):
            return stay  # draws are addressed: leaving some out changes no other
        order, copied = operators.order(value), self._copied(value.device)
        better = order.gather(1, streams.integers("drift", copied, (self.population,)))
        last = order.argsort(-1) >= self.population - copied
        return torch.where(due[:, None] & last, better, stay)

    def _rates(self, rate: Tensor, source: Tensor, streams: Streams) -> Tensor:
        """The learning rates (R, P) of those that went on from `source`, perturbed where that was another."""
        copies = source != torch.arange(self.population, device=source.device)
        if not bool(copies.any()):
            return rate
        up = 2 * streams.coins("mutation", (self.population,)).double() - 1
        new = rate.gather(1, source) * (1 + per_world(self.perturbation, rate)[:, None] * up)
        first = self._first_rate(rate)
        new = torch.maximum(torch.minimum(new, REACH * first), first / REACH).to(rate.dtype)
        return torch.where(copies, new, rate)
