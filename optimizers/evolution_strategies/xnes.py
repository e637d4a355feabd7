"""Exponential natural evolution strategies.

The natural gradient of the expected utility under a Gaussian with a full covariance.

With P points x_i = m + sigma B s_i, s_i ~ N(0, I), det B = 1, ranked from best to worst, and utilities u_k of
the ranks (sum 0):

    grad_delta = sum_k u_k s_k,    grad_M = sum_k u_k (s_k s_k^T - I),
    grad_sigma = tr(grad_M) / D,   grad_B = grad_M - grad_sigma I,
    m <- m + eta_m sigma B grad_delta
    sigma <- sigma exp(eta_sigma / 2 grad_sigma)
    B <- B exp(eta_B / 2 grad_B)

(Glasmachers, Schaul, Sun, Wierstra, Schmidhuber 2010, GECCO, 393; Wierstra et al. 2014, algorithm 5, whose
rows B^T s are ours for B^T). The s_k are recovered as B^-1 (x_k - m) / sigma, after rounding. P values per
step; draws: mutation.
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
from landscapes.numerics import column, matmul
from landscapes.parameters import Defaults
from landscapes.streams import Streams
from optimizers import quantities as named
from optimizers.base import Info, Optimizer, Quantity
from optimizers.defaults import SIGMA
from optimizers.evolution_strategies import distribution


class State(NamedTuple):
    """The search distribution N(m, sigma^2 B B^T)."""

    mean: Tensor  # (R, 1, D) m
    sigma: Tensor  # (R, 1, 1)
    shape: Tensor  # (R, D, D) B
    inverse: Tensor  # (R, D, D) B^-1


@dataclass(frozen=True, kw_only=True)
class XNES(Optimizer):
    """Exponential natural evolution strategy.

    Args:
        population: P >= 2; None: 4 + floor(3 ln D).
        sigma: initial standard deviation, > 0, in units of x; None: 0.3 of the width of the start box.
        learning_rate: eta_m > 0, of the mean.
        sigma_learning_rate: eta_sigma > 0; None: (9 + 3 ln D) / (5 D sqrt D).
        shape_learning_rate: eta_B > 0; None: as eta_sigma.

    Source: Glasmachers et al. 2010, GECCO, 393; Wierstra et al. 2014, J. Mach. Learn. Res. 15:949.
    """

    name: ClassVar[str] = "xnes"
    quantities: ClassVar[Mapping[str, Quantity]] = (
        named.sigma() | named.shape_condition() | named.plain_rate("1")
    )
    sources: ClassVar[tuple[str, ...]] = ("mutation",)
    defaults: ClassVar[Defaults] = (
        distribution.POPULATION
        | SIGMA
        | dict.fromkeys(
            ("sigma_learning_rate", "shape_learning_rate"), lambda method, task: default_rate(task.dim)
        )
    )
    population: Annotated[int | None, Ge(2)] = None
    sigma: Annotated[float | None, Gt(0)] = None
    learning_rate: Annotated[float, Gt(0)] = 1.0
    sigma_learning_rate: Annotated[float | None, Gt(0)] = None
    shape_learning_rate: Annotated[float | None, Gt(0)] = None

    def init(self, problem: Problem, streams: Streams) -> State:
        """The mean at the first start, B = I."""
        mean = problem.start(1)
        eye = torch.eye(problem.dim, dtype=mean.dtype, device=mean.device).repeat(streams.size, 1, 1)
        return State(mean, distribution.start_sigma(self.sigma, problem, mean[..., :1]), eye, eye)

    def ask(self, state: State, streams: Streams) -> Query:
        """P points around the mean."""
        dim = state.mean.shape[-1]
        s = streams.normal("mutation", (self.population or distribution.default_population(dim), dim))
        return Query(state.mean + state.sigma * matmul(s, state.shape.mT))

    def tell(self, state: State, query: Query, answer: Answer, streams: Streams) -> tuple[State, Info]:
        """Follow the natural gradient."""
        del streams
        away = (distribution.ranked(query.points, answer.value) - state.mean) / state.sigma
        s = matmul(away, state.inverse.mT)
        u, dim = distribution.utilities(s.shape[1]).to(s), s.shape[2]
        delta = matmul(distribution.weighted_sum(u, s), state.shape.mT)
        grad = matmul((u[:, None] * s).mT, s)  # sum u = 0, so that I drops out
        trace = grad.diagonal(dim1=1, dim2=2).sum(-1)[:, None, None] / dim
        mean = state.mean + column(self.learning_rate, s) * state.sigma * delta
        sigma = state.sigma * torch.exp(0.5 * self._rate(self.sigma_learning_rate, s) * trace)
        values, vectors = distribution.eigen(grad)  # for the exponential of a matrix
        growth = torch.exp(0.5 * self._rate(self.shape_learning_rate, s) * (values - trace))
        shape = matmul(state.shape, matmul(vectors * growth, vectors.mT))
        inverse = matmul(matmul(vectors / growth, vectors.mT), state.inverse)
        return State(mean, sigma, shape, _polished(inverse, shape)), {}

    def recommend(self, state: State) -> Tensor:
        """The mean: (R, D)."""
        return state.mean[:, 0]

    def center(self, state: State) -> Tensor:
        """The mean: (R, D)."""
        return state.mean[:, 0]

    def _rate(self, rate: float | Tensor | None, like: Tensor) -> float | Tensor:
        return default_rate(like.shape[-1]) if rate is None else column(rate, like)


def default_rate(dim: int) -> float:
    """eta_sigma = eta_B of Wierstra et al. 2014, table 1."""
    return 3 * (3 + math.log(dim)) / (5 * dim * math.sqrt(dim))


def _polished(inverse: Tensor, matrix: Tensor) -> Tensor:
    """One Newton step X (2 I - B X) towards B^-1, so that rounding does not add up over the steps."""
    return 2 * inverse - matmul(inverse, matmul(matrix, inverse))
