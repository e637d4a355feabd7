"""An evolution strategy that follows an estimate of the gradient of the loss smoothed by a Gaussian.

With P points x_i = m + sigma e_i, e_i ~ N(0, I), and F_i their losses (raw, or shaped into centered ranks):

    g = 1 / (P sigma) sum_i F_i e_i,    m <- m - eta (g + w m)      (Salimans, Ho, Chen, Sidor, Sutskever 2017, arXiv:1703.03864, algorithm 1)

Antithetic: the second half of the points is the first half mirrored at m. Raw, not antithetic: F_i - mean F, divided by P - 1 in place of
P, so that g stays unbiased. The e_i are recovered as (x_i - m) / sigma: the displacement that was really evaluated, after rounding.
P values per step; draws: mutation.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal, NamedTuple

import torch
from annotated_types import Ge, Gt, Lt
from torch import Tensor

from landscapes.base import Answer, Problem, Query, column
from landscapes.streams import Streams
from optimizers import operators, trajectories
from optimizers.base import Info, Optimizer
from optimizers.schedules import Schedule


class State(NamedTuple):
    """The search distribution's mean and what its inner step remembers."""

    center: Tensor  # (R, 1, D) m
    velocity: Tensor  # (R, 1, D) running mean of g (adam), or its discounted sum (sgd)
    square: Tensor  # (R, 1, D) running mean of g * g (adam)
    step: Tensor  # (R,) int64, completed steps


@dataclass(frozen=True, kw_only=True)
class OpenAIES(Optimizer):
    """Evolution strategy that steps along a sampled gradient of the smoothed loss.

    Args:
        population: P >= 2 points per step, even when antithetic.
        sigma: standard deviation of the perturbations, > 0, in units of x.
        learning_rate: eta > 0; in units of x^2 per unit of loss for raw losses and the sgd step, of x for adam.
        antithetic: mirror half of the points.
        shaping: centered_ranks (invariant under monotone transforms of the loss) or raw.
        inner: the step taken along g: sgd, or adam.
        momentum: beta of the sgd step v <- beta v + g, 0 <= beta < 1.
        beta1: adam's decay of the mean of g, 0 <= beta1 < 1.
        beta2: adam's decay of the mean of g * g, 0 <= beta2 < 1.
        weight_decay: w >= 0; w m is added to g.
        schedule: how the learning rate changes with the steps.

    Source: Salimans et al. 2017, arXiv:1703.03864; adam: Kingma and Ba 2015, ICLR, algorithm 1.
    """

    name: ClassVar[str] = "openai_es"
    sources: ClassVar[tuple[str, ...]] = ("mutation",)
    population: Annotated[int, Ge(2)] = 16
    sigma: Annotated[float, Gt(0)] = 0.1
    learning_rate: Annotated[float, Gt(0)] = 0.1
    antithetic: bool = True
    shaping: Literal["centered_ranks", "raw"] = "centered_ranks"
    inner: Literal["sgd", "adam"] = "sgd"
    momentum: Annotated[float, Ge(0), Lt(1)] = 0.0
    beta1: Annotated[float, Ge(0), Lt(1)] = 0.9
    beta2: Annotated[float, Ge(0), Lt(1)] = 0.999
    weight_decay: Annotated[float, Ge(0)] = 0.0
    schedule: Schedule = field(default_factory=Schedule)

    def check(self) -> None:
        """Mirrored points come in pairs."""
        if self.antithetic and self.population % 2:
            raise ValueError(f"openai_es.population: expected an even number with antithetic points, got {self.population}")

    def init(self, problem: Problem, streams: Streams) -> State:
        """The mean at the first start."""
        center = problem.start(1)
        zero = torch.zeros_like(center)
        return State(center, zero, zero, torch.zeros(streams.size, dtype=torch.int64, device=center.device))

    def ask(self, state: State, streams: Streams) -> Query:
        """P points around the mean; when antithetic, the mirrored half comes last."""
        fresh = self.population // 2 if self.antithetic else self.population
        step = streams.normal("mutation", (fresh, state.center.shape[-1])) * column(self.sigma, state.center)
        up = state.center + step
        return Query(torch.cat([up, state.center - step], 1) if self.antithetic else up)

    def tell(self, state: State, query: Query, answer: Answer, streams: Streams) -> tuple[State, Info]:
        """Move the mean."""
        del streams
        slope = self._gradient(state.center, query.points, answer.value)
        if isinstance(self.weight_decay, Tensor) or self.weight_decay:
            slope = slope + column(self.weight_decay, slope) * state.center
        rate = self.schedule.rate(self.learning_rate, state.step, slope)
        move, velocity, square = self._adam(state, slope) if self.inner == "adam" else self._heavy_ball(state, slope)
        return State(state.center - rate * move, velocity, square, state.step + 1), {}

    def recommend(self, state: State) -> Tensor:
        """The mean: (R, D)."""
        return state.center[:, 0]

    def center(self, state: State) -> Tensor:
        """The mean: (R, D)."""
        return state.center[:, 0]

    def _gradient(self, center: Tensor, points: Tensor, value: Tensor) -> Tensor:
        """The estimate g (R, 1, D) from points (R, P, D) and their losses (R, P)."""
        size, half, sigma = self.population, self.population // 2, operators.wide(self.sigma, 3)
        raw = self.shaping == "raw"
        shaped = value if raw else operators.centered_ranks(value)
        if self.antithetic:  # a pair: (F+ - F-) e, and x+ - x- = 2 sigma e
            weight, step, count = shaped[:, :half] - shaped[:, half:], points[:, :half] - points[:, half:], 2 * size
        else:
            weight, step, count = shaped - shaped.mean(1, keepdim=True) if raw else shaped, points - center, size - raw
        scale = 1.0 / (sigma * sigma * count)
        return (weight[..., None] * step).sum(1, keepdim=True) * column(scale, points)

    def _heavy_ball(self, state: State, slope: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        velocity = column(self.momentum, slope) * state.velocity + slope
        return velocity, velocity, state.square

    def _adam(self, state: State, slope: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        t = (state.step + 1).double()
        mean = trajectories.running(self.beta1, state.velocity, slope)
        square = trajectories.running(self.beta2, state.square, slope * slope)
        spread = (square * trajectories.unbias(self.beta2, t, slope)).sqrt() + 1e-8
        return mean * trajectories.unbias(self.beta1, t, slope) / spread, mean, square
