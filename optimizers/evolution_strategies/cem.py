"""The cross-entropy method: a diagonal Gaussian is fitted to the best points of each generation.

With P points x_i = m + sigma z_i, z_i ~ N(0, I), and the elite, the best n = ceil(fraction P) of them:

    m  <- (1 - alpha) m + alpha mean(elite),    sigma <- (1 - alpha) sigma + alpha std(elite)
        (Rubinstein 1999; de Boer et al. 2005, section 5)

std is the maximum-likelihood one, over n. Lest sigma shrink too early, variance may be added after step t =
1, 2, ..: sigma^2 <- sigma^2 + noise max(0, 1 - t / steps) (Szita and Lorincz 2006, Neural Comput. 18:2936). P
values per step; draws: mutation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, NamedTuple

import torch
from annotated_types import Ge, Gt, Le
from torch import Tensor

from landscapes.base import Answer, Problem, Query
from landscapes.numerics import column, safe_unit
from landscapes.parameters import Defaults
from landscapes.streams import Streams
from optimizers import quantities as named
from optimizers.base import Info, Optimizer, Quantity
from optimizers.defaults import SIGMA
from optimizers.evolution_strategies import distribution
from optimizers.schedules import number_of


class State(NamedTuple):
    """The search distribution."""

    mean: Tensor  # (R, 1, D) m
    sigma: Tensor  # (R, 1, D)
    step: Tensor  # (R,) int64, completed steps


@dataclass(frozen=True, kw_only=True)
class CEM(Optimizer):
    """Cross-entropy method.

    Args:
        population: P >= 2.
        fraction: the elite's share of the population, 0 < fraction <= 1, rounded up, at least 2 points.
        sigma: initial standard deviation, > 0, in units of x; None: 0.3 of the width of the start box.
        smoothing: alpha, 0 < alpha <= 1, of the mean and of sigma.
        noise: variance added, at first, after each step, >= 0, in units of x^2.
        steps: after so many steps the added variance has fallen, in a line, to 0; > 0, or budget: when the
            budget is spent. None: it never falls.

    Source: Rubinstein 1999, Methodol. Comput. Appl. Probab. 1:127; de Boer, Kroese, Mannor, Rubinstein 2005,
    Ann. Oper. Res. 134:19.
    """

    name: ClassVar[str] = "cem"
    quantities: ClassVar[Mapping[str, Quantity]] = (
        named.sigma() | named.condition("sigma") | named.plain_rate("1", field="smoothing")
    )
    sources: ClassVar[tuple[str, ...]] = ("mutation",)
    defaults: ClassVar[Defaults] = SIGMA
    until_budget: ClassVar[tuple[str, ...]] = ("steps",)
    population: Annotated[int, Ge(2)] = 32
    fraction: Annotated[float, Gt(0), Le(1)] = 0.25
    sigma: Annotated[float | None, Gt(0)] = None
    smoothing: Annotated[float, Gt(0), Le(1)] = 0.7
    noise: Annotated[float, Ge(0)] = 0.0
    steps: Annotated[int | Literal["budget"] | None, Gt(0)] = None

    def init(self, problem: Problem, streams: Streams) -> State:
        """The mean at the first start."""
        mean = problem.start(1)
        step = torch.zeros(streams.size, dtype=torch.int64, device=mean.device)
        return State(mean, distribution.start_sigma(self.sigma, problem, mean), step)

    def ask(self, state: State, streams: Streams) -> Query:
        """P points around the mean."""
        z = streams.normal("mutation", (self.population, state.mean.shape[-1]))
        return Query(state.mean + state.sigma * z)

    def tell(self, state: State, query: Query, answer: Answer, streams: Streams) -> tuple[State, Info]:
        """Fit the elite."""
        del streams
        elite = self._elite(query.points)
        x = distribution.ranked(query.points, answer.value)
        weights = (torch.arange(x.shape[1], device=x.device) < elite) / elite  # (1 | R, P)
        mean = distribution.weighted_sum(weights, x - state.mean)
        away = x - state.mean - mean
        unit = safe_unit(away.abs().amax(1, keepdim=True))
        away = away / unit
        spread = distribution.weighted_sum(weights, away * away).sqrt() * unit
        alpha, step = column(self.smoothing, x), state.step + 1
        sigma = self._noisy(state.sigma + alpha * (spread - state.sigma), step)
        return State(state.mean + alpha * mean, sigma, step), {}

    def _noisy(self, sigma: Tensor, step: Tensor) -> Tensor:
        """Sigma (R, 1, D) after the variance that is added at the end of step t (R,)."""
        if not isinstance(self.noise, Tensor) and self.noise == 0:
            return sigma
        added = torch.as_tensor(self._added(step, sigma), dtype=torch.float64).to(sigma)
        unit = safe_unit(torch.maximum(sigma, added.sqrt()))
        small = sigma / unit
        return torch.where(added == 0, sigma, (small * small + added / unit / unit).sqrt() * unit)

    def recommend(self, state: State) -> Tensor:
        """The mean: (R, D)."""
        return state.mean[:, 0]

    def center(self, state: State) -> Tensor:
        """The mean: (R, D)."""
        return state.mean[:, 0]

    def _elite(self, points: Tensor) -> Tensor:
        """Sizes of the elite, (1, 1) or (R, 1) float64."""
        fraction = torch.as_tensor(self.fraction, dtype=torch.float64, device=points.device)
        share = fraction.reshape(-1, 1) * self.population
        return (
            (share - 1e-9).ceil().clamp_min(min(2, self.population))
        )  # 0.07 * 100 is a little more than 7

    def _added(self, step: Tensor, like: Tensor) -> float | Tensor:
        """The variance added at the end of step t (R,)."""
        if self.steps is None:
            return column(self.noise, like) * 1.0
        left = (1 - step.double() / number_of(self.steps, self.name)).clamp_min(0)
        return column(self.noise, like) * column(left, like)
