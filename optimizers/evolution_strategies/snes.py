"""Separable natural evolution strategies.

The natural gradient of the expected utility under a Gaussian with a diagonal covariance.

With P points x_i = m + sigma s_i, s_i ~ N(0, I), ranked from best to worst, and utilities u_k of the ranks
(sum 0):

    grad_m = sum_k u_k s_k,    grad_sigma = sum_k u_k (s_k^2 - 1),
    m <- m + eta_m sigma grad_m,    sigma <- sigma exp(eta_sigma / 2 grad_sigma)
        (Wierstra et al. 2014, algorithm 6)

sigma is a vector, one number for each coordinate. The s_k are recovered as (x_k - m) / sigma: the
displacement that was really evaluated, after rounding. P values per step; draws: mutation.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, NamedTuple

import torch
from annotated_types import Ge, Gt
from torch import Tensor

from landscapes.base import Answer, Problem, Query
from landscapes.numerics import column
from landscapes.parameters import Defaults
from landscapes.streams import Streams
from optimizers import quantities as named
from optimizers.base import Info, Optimizer, Quantity
from optimizers.defaults import SIGMA
from optimizers.evolution_strategies import distribution


class State(NamedTuple):
    """The search distribution."""

    mean: Tensor  # (R, 1, D) m
    sigma: Tensor  # (R, 1, D)


@dataclass(frozen=True, kw_only=True)
class SNES(Optimizer):
    """Separable natural evolution strategy.

    Args:
        population: P >= 2; None: 4 + floor(3 ln D).
        sigma: initial standard deviation, > 0, in units of x; None: 0.3 of the width of the start box.
        learning_rate: eta_m > 0, of the mean.
        sigma_learning_rate: eta_sigma > 0; None: (3 + ln D) / (5 sqrt D).

    Source: Schaul, Glasmachers, Schmidhuber 2011, GECCO, 845; Wierstra et al. 2014, J. Mach. Learn. Res.
    15:949.
    """

    name: ClassVar[str] = "snes"
    quantities: ClassVar[Mapping[str, Quantity]] = (
        named.sigma() | named.condition("sigma") | named.plain_rate("1")
    )
    sources: ClassVar[tuple[str, ...]] = ("mutation",)
    defaults: ClassVar[Defaults] = (
        distribution.POPULATION
        | SIGMA
        | {"sigma_learning_rate": lambda method, task: default_rate(task.dim)}
    )
    population: Annotated[int | None, Ge(2)] = None
    sigma: Annotated[float | None, Gt(0)] = None
    learning_rate: Annotated[float, Gt(0)] = 1.0
    sigma_learning_rate: Annotated[float | None, Gt(0)] = None

    def init(self, problem: Problem, streams: Streams) -> State:
        """The mean at the first start."""
        del streams
        mean = problem.start(1)
        return State(mean, distribution.start_sigma(self.sigma, problem, mean))

    def ask(self, state: State, streams: Streams) -> Query:
        """P points around the mean."""
        dim = state.mean.shape[-1]
        return Query(
            state.mean
            + state.sigma
            * streams.normal("mutation", (self.population or distribution.default_population(dim), dim))
        )

    def tell(self, state: State, query: Query, answer: Answer, streams: Streams) -> tuple[State, Info]:
        """Follow the natural gradient."""
        del streams
        s = (distribution.ranked(query.points, answer.value) - state.mean) / state.sigma
        u = distribution.utilities(s.shape[1])
        mean = state.mean + column(self.learning_rate, s) * state.sigma * distribution.weighted_sum(
            u, s
        )
        rate = (
            default_rate(s.shape[-1])
            if self.sigma_learning_rate is None
            else column(self.sigma_learning_rate, s)
        )
        return State(
            mean, state.sigma * torch.exp(0.5 * rate * distribution.weighted_sum(u, s * s - 1))
        ), {}

    def recommend(self, state: State) -> Tensor:
        """The mean: (R, D)."""
        return state.mean[:, 0]

    def center(self, state: State) -> Tensor:
        """The mean: (R, D)."""
        return state.mean[:, 0]


def default_rate(dim: int) -> float:
    """eta_sigma of Wierstra et al. 2014, table 1."""
    return (3 + math.log(dim)) / (5 * math.sqrt(dim))
