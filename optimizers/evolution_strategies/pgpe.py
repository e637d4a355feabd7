"""Policy gradients with parameter-based exploration.

The likelihood gradient of a diagonal Gaussian, from mirrored pairs of points.

With N = P / 2 pairs x+-_i = m +- e_i, e_i ~ N(0, diag sigma^2), their losses F+-_i (raw, or shaped into
centered ranks) and b the mean of all:

    g_m     = 1/N sum_i e_i (F+_i - F-_i) / 2,
    g_sigma = 1/N sum_i (e_i^2 - sigma^2) / sigma ((F+_i + F-_i) / 2 - b),
    m <- m - eta_m g_m,    sigma <- sigma - eta_sigma g_sigma
        (Sehnke, Osendorfer, Rueckstiess, Graves, Peters, Schmidhuber 2010, equations 9, 12)

so E g_m = sigma^2 grad and E g_sigma = (1 - 1/N) sigma^2 d / d sigma of the loss smoothed by the Gaussian. A
step changes sigma by a share `limit` at most (Toklu, Liskowski, Srivastava 2020, arXiv:2008.02387). The e_i
are half the differences of a pair, after rounding. P values per step; draws: mutation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, NamedTuple

import torch
from annotated_types import Ge, Gt, Lt
from torch import Tensor

from landscapes.base import Answer, Problem, Query
from landscapes.numerics import column, dot, safe_unit
from landscapes.parameters import Defaults
from landscapes.streams import Streams
from optimizers import operators
from optimizers import quantities as named
from optimizers.base import Info, Optimizer, Quantity
from optimizers.defaults import SIGMA
from optimizers.evolution_strategies import distribution


class State(NamedTuple):
    """The search distribution."""

    mean: Tensor  # (R, 1, D) m
    sigma: Tensor  # (R, 1, D)


@dataclass(frozen=True, kw_only=True)
class PGPE(Optimizer):
    """Policy gradients with parameter-based exploration, symmetric sampling.

    Args:
        population: P >= 4, even: pairs mirrored at the mean.
        sigma: initial standard deviation, > 0, in units of x; None: 0.3 of the width of the start box.
        learning_rate: eta_m > 0; without unit for ranks, per unit of loss for raw losses.
        sigma_learning_rate: eta_sigma >= 0, likewise.
        limit: the largest change of sigma in one step, as a share of it, 0 < limit < 1.
        shaping: centered_ranks (invariant under monotone transforms of the loss) or raw.

    Source: Sehnke et al. 2010, Neural Networks 23:551.
    """

    name: ClassVar[str] = "pgpe"
    quantities: ClassVar[Mapping[str, Quantity]] = (
        named.sigma() | named.condition("sigma") | named.plain_rate(named.AS_SHAPED)
    )
    sources: ClassVar[tuple[str, ...]] = ("mutation",)
    defaults: ClassVar[Defaults] = SIGMA
    population: Annotated[int, Ge(4)] = 20
    sigma: Annotated[float | None, Gt(0)] = None
    learning_rate: Annotated[float, Gt(0)] = 1.0
    sigma_learning_rate: Annotated[float, Ge(0)] = 0.2
    limit: Annotated[float, Gt(0), Lt(1)] = 0.2
    shaping: Literal["centered_ranks", "raw"] = "centered_ranks"

    def check(self) -> None:
        """Mirrored points come in pairs."""
        if self.population % 2:
            raise ValueError(
                f"pgpe.population: expected an even number of points, got {self.population}"
            )

    def init(self, problem: Problem, streams: Streams) -> State:
        """The mean at the first start."""
        del streams
        mean = problem.start(1)
        return State(mean, distribution.start_sigma(self.sigma, problem, mean))

    def ask(self, state: State, streams: Streams) -> Query:
        """P points around the mean, the mirrored half last."""
        step = state.sigma * streams.normal("mutation", (self.population // 2, state.mean.shape[-1]))
        return Query(torch.cat([state.mean + step, state.mean - step], 1))

    def tell(self, state: State, query: Query, answer: Answer, streams: Streams) -> tuple[State, Info]:
        """Follow the likelihood gradient."""
        del streams
        half = self.population // 2
        step = (query.points[:, :half] - query.points[:, half:]) / 2
        value = answer.value if self.shaping == "raw" else operators.centered_ranks(answer.value)
        up, down = value[:, :half], value[:, half:]
        slope = distribution.weighted_sum((up - down) / (2 * half), step)
        baseline = dot(value, torch.full_like(value, 1 / self.population))[:, None]
        excess = ((up + down) / 2 - baseline) / half
        stretch = column(self.sigma_learning_rate, step) * self._stretch(excess, step, state.sigma)
        most = column(self.limit, step) * state.sigma
        sigma = state.sigma - torch.minimum(torch.maximum(stretch, -most), most)
        return State(state.mean - column(self.learning_rate, step) * slope, sigma), {}

    def _stretch(self, excess: Tensor, step: Tensor, sigma: Tensor) -> Tensor:
        """The gradient in sigma (R, 1, D), of values (R, N) above the baseline at steps (R, N, D) either way.

        Steps are squared in units of a power of two, so that nothing overflows.
        """
        unit = safe_unit(sigma)
        own, far = sigma / unit, step / unit
        return unit * distribution.weighted_sum(excess, (far * far - own * own) / own)

    def recommend(self, state: State) -> Tensor:
        """The mean: (R, D)."""
        return state.mean[:, 0]

    def center(self, state: State) -> Tensor:
        """The mean: (R, D)."""
        return state.mean[:, 0]
