"""Covariance matrix adaptation: an evolution strategy that learns the metric of the landscape.

With P points x_i = m + sigma y_i, y_i ~ N(0, C), ranked from best to worst, weights w_k (positive for the
better half, sum 1; negative for the worse), and E = E |N(0, I)|, the equations of Hansen 2016,
arXiv:1604.00772 (figure 6):

    shift   = sum_{k <= mu} w_k y_k,    m <- m + sigma shift
    p_sigma <- (1 - c_sigma) p_sigma + sqrt(c_sigma (2 - c_sigma) mu_eff) C^(-1/2) shift
    sigma   <- sigma exp(c_sigma / d_sigma (|p_sigma| / E - 1))
    p_c     <- (1 - c_c) p_c + h sqrt(c_c (2 - c_c) mu_eff) shift
    C       <- (1 + c_1 (1 - h) c_c (2 - c_c) - c_1 - c_mu sum w) C
               + c_1 p_c p_c^T + c_mu sum_k w'_k y_k y_k^T

h is 0 while p_sigma is long, and w'_k = w_k D / |C^(-1/2) y_k|^2 where w_k < 0. The constants are the
tutorial's (table 1), as pycma has them. C is decomposed every `lazy` steps. The diagonal variant (Ros and
Hansen 2008, PPSN, 296) keeps C diagonal and learns (D + 2) / 3 times as fast. The y_k are recovered as (x_k -
m) / sigma, after rounding. P values per step; draws: mutation.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, NamedTuple

import torch
from annotated_types import Ge, Gt
from torch import Tensor

from landscapes.base import Answer, Problem, Query
from landscapes.numerics import dot, matmul
from landscapes.operators import operator
from landscapes.parameters import Defaults
from landscapes.streams import Streams
from optimizers import quantities as named
from optimizers.base import Info, Optimizer, Quantity
from optimizers.defaults import SIGMA, Task
from optimizers.evolution_strategies import distribution


class State(NamedTuple):
    """The search distribution N(m, sigma^2 C), its two evolution paths, and C when it was decomposed."""

    mean: Tensor  # (R, 1, D) m
    sigma: Tensor  # (R, 1, 1)
    path_sigma: Tensor  # (R, 1, D)
    path_c: Tensor  # (R, 1, D)
    covariance: Tensor  # (R, D, D) C, or (R, 1, D) its diagonal
    basis: Tensor  # (R, D, D) B, or (R, 0, 0)
    lengths: Tensor  # (R, 1, D)
    step: Tensor  # (R,) int64, completed steps


@dataclass(frozen=True, kw_only=True)
class CMAES(Optimizer):
    """Covariance matrix adaptation evolution strategy, with negative weights.

    Args:
        population: P >= 2; None: 4 + floor(3 ln D).
        sigma: initial standard deviation, > 0, in units of x; None: 0.3 of the width of the start box.
        covariance: full or diagonal (linear in D).
        active: whether the worse half has negative weights in C.
        lazy: steps between decompositions of a full C, >= 1; None: min(2 / D, 1/4) / (c_1 + c_mu), rounded
            down, at least 1.

    Source: Hansen 2016, arXiv:1604.00772; Hansen and Ostermeier 2001, Evol. Comput. 9:159; Ros and Hansen
    2008, PPSN, 296.
    """

    name: ClassVar[str] = "cma_es"
    quantities: ClassVar[Mapping[str, Quantity]] = (
        named.sigma() | named.path_length("path_sigma") | named.condition("lengths")
    )
    sources: ClassVar[tuple[str, ...]] = ("mutation",)
    defaults: ClassVar[Defaults] = (
        distribution.POPULATION | SIGMA | {"lazy": lambda method, task: lazy_in_run(method, task)}
    )
    population: Annotated[int | None, Ge(2)] = None
    sigma: Annotated[float | None, Gt(0)] = None
    covariance: Literal["full", "diagonal"] = "full"
    active: bool = True
    lazy: Annotated[int | None, Ge(1)] = None

    def init(self, problem: Problem, streams: Streams) -> State:
        """The mean at the first start, C = I."""
        mean = problem.start(1)
        sigma = distribution.start_sigma(self.sigma, problem, mean[..., :1])
        return begun(mean, sigma, diagonal=self.covariance == "diagonal")

    def ask(self, state: State, streams: Streams) -> Query:
        """P points around the mean."""
        dim = state.mean.shape[-1]
        size = self.population or distribution.default_population(dim)
        return Query(around(state, streams.normal("mutation", (size, dim))))

    def tell(self, state: State, query: Query, answer: Answer, streams: Streams) -> tuple[State, Info]:
        """Move the mean, lengthen the paths, adapt sigma and C."""
        del streams
        y = (distribution.ranked(query.points, answer.value) - state.mean) / state.sigma
        k = distribution.cma_constants(
            y.shape[2], y.shape[1], self.covariance == "diagonal", self.active
        )
        shift = distribution.weighted_sum(k.weights[: k.parents], y)
        white, z = _whitened(state, shift, y[:, k.parents :])
        path_sigma = distribution.cumulated(state.path_sigma, white, k.c_sigma, k.size)
        still = _stalled(path_sigma, state.step, k.c_sigma)
        path_c = distribution.cumulated(state.path_c, torch.where(still, 0.0, shift), k.c_c, k.size)
        growth = distribution.path_length_control(path_sigma, k.c_sigma, k.d_sigma)
        adapted = state._replace(
            mean=state.mean + state.sigma * shift,
            sigma=state.sigma * growth,
            path_sigma=path_sigma,
            path_c=path_c,
            covariance=_adapted(state.covariance, y, z, path_c, still, k),
            step=state.step + 1,
        )
        return self._decomposed(adapted, k), {}

    def recommend(self, state: State) -> Tensor:
        """The mean: (R, D)."""
        return state.mean[:, 0]

    def center(self, state: State) -> Tensor:
        """The mean: (R, D)."""
        return state.mean[:, 0]

    def _decomposed(self, state: State, k: distribution.CMAConstants) -> State:
        """The state with the decomposition of C renewed in the worlds where it is due."""
        if self.covariance == "diagonal":
            return state._replace(lengths=state.covariance.sqrt())
        dim = state.mean.shape[-1]
        lazy = self.lazy or _default_lazy(dim, k)
        covariance, basis, lengths = _RENEWED(
            state.covariance, state.basis, state.lengths, state.step % lazy == 0
        )
        return state._replace(covariance=covariance, basis=basis, lengths=lengths)


def begun(mean: Tensor, sigma: Tensor, *, diagonal: bool) -> State:
    """The state at the start of a run, from a mean (R, 1, D) with sigma (R, 1, 1)."""
    worlds, _, dim = mean.shape
    zero, one = torch.zeros_like(mean), torch.ones_like(mean)
    eye = torch.eye(dim, dtype=mean.dtype, device=mean.device).repeat(worlds, 1, 1)
    step = torch.zeros(worlds, dtype=torch.int64, device=mean.device)
    if diagonal:
        return State(
            mean, sigma, zero, zero, covariance=one, basis=eye[:, :0, :0], lengths=one, step=step
        )
    return State(mean, sigma, zero, zero, covariance=eye, basis=eye, lengths=one, step=step)


def around(state: State, z: Tensor) -> Tensor:
    """The points m + sigma B diag(lengths) z of standard normal z, (R, P, D)."""
    return state.mean + state.sigma * _turned(z * state.lengths, state.basis.mT)


def _renewed(covariance: Tensor, basis: Tensor, lengths: Tensor, due: Tensor) -> tuple[Tensor, ...]:
    """C, its basis and its lengths, decomposed anew in the worlds that are due (R,)."""
    if not bool(due.any()):
        return tuple(
            part.clone(memory_format=torch.contiguous_format) for part in (covariance, basis, lengths)
        )
    values, fresh = distribution.eigen(covariance)
    # negative weights, cut to stale lengths, could leave C indefinite
    floor = 0.1 * lengths.square().amin(-1, keepdim=True)
    lift = (floor - values[..., :1]).clamp_min(0)
    here = due[:, None, None]
    lifted = torch.where(here, lift, 0.0).expand_as(values)[:, 0]
    return (
        covariance + torch.diag_embed(lifted),
        torch.where(here, fresh, basis).contiguous(),
        torch.where(here, (values + lift).sqrt(), lengths),
    )


_RENEWED = operator(
    "cma_renewed",
    "Tensor covariance, Tensor basis, Tensor lengths, Tensor due",
    _renewed,
    _renewed,
    lambda *parts: tuple(part.new_empty(part.shape) for part in parts[:3]),
    "(Tensor, Tensor, Tensor)",
)


def _default_lazy(dim: int, k: distribution.CMAConstants) -> int:
    """Steps between decompositions of C that cost little beside the evaluations."""
    return max(1, int(min(2 / dim, 0.25) / (k.c_1 + k.c_mu)))


def lazy_in_run(method: CMAES, task: Task) -> int:
    """The steps between decompositions of a method and a task."""
    size = method.population or distribution.default_population(task.dim)
    diagonal = method.covariance == "diagonal"
    return _default_lazy(task.dim, distribution.cma_constants(task.dim, size, diagonal, method.active))


def _whitened(state: State, shift: Tensor, worse: Tensor) -> tuple[Tensor, Tensor]:
    """The mean step (R, 1, D) times C^(-1/2); the worse steps (R, n, D) in the axes of C, of covariance I."""
    z = _turned(torch.cat([shift, worse], 1), state.basis) / state.lengths
    return _turned(z[:, :2], state.basis.mT)[:, :1], z[:, 1:]  # two rows: `matmul` need not pad


def _turned(rows: Tensor, turn: Tensor) -> Tensor:
    """Rows (R, P, D) times (R, D, D), or as they are where the variant is diagonal."""
    return matmul(rows, turn) if turn.shape[-1] else rows


def _stalled(path: Tensor, step: Tensor, c: float) -> Tensor:
    """1 - h, (R, 1, 1) bool: |p_sigma| / sqrt(1 - (1 - c)^(2 (g + 1))) >= (1.4 + 2 / (D + 1)) E |N(0, I)|."""
    dim, share = path.shape[-1], -torch.expm1(2 * (step + 1).double() * math.log1p(-c))
    limit = (1.4 + 2 / (dim + 1)) * distribution.normal_length(dim) * share.sqrt()
    return ~(dot(path, path).sqrt() < limit[:, None].to(path))[..., None]


def _adapted(
    covariance: Tensor, y: Tensor, z: Tensor, path: Tensor, still: Tensor, k: distribution.CMAConstants
) -> Tensor:
    """C after the rank-one and the rank-mu update.

    From ranked steps y (R, P, D) and the worse ones whitened, z (R, P - mu, D).
    """
    best, worst = k.weights.to(y).split([k.parents, len(z[0])])
    shrunk = worst * y.shape[-1] / (dot(z, z).sqrt() + 1e-9).square()  # (R, P - mu)
    decay = 1 - k.c_1 - k.c_mu * k.total + still.to(y) * (k.c_1 * k.c_c * (2 - k.c_c))
    steps = torch.cat([path, y], 1)
    weights = torch.cat(
        [torch.full_like(path[..., 0], k.c_1), (k.c_mu * best).expand(len(y), -1), k.c_mu * shrunk], 1
    )
    if covariance.shape[1] < y.shape[2]:  # diagonal
        return decay * covariance + distribution.weighted_sum(weights, steps * steps)
    return decay * covariance + matmul((weights[..., None] * steps).mT, steps)
