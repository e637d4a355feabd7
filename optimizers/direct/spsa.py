"""Simultaneous perturbation: an estimate of the whole gradient from two values.

After k completed steps, with a_k = a / (A + k + 1)^alpha, c_k = c / (k + 1)^gamma and signs delta_i = +-1 by
fair coins, Spall 1992, "Multivariate stochastic approximation using a simultaneous perturbation gradient
approximation", IEEE Trans. Autom. Control 37:332:

    g_i = [L(x + c_k delta) - L(x - c_k delta)] / (2 c_k delta_i)      (2.2)
    x <- x - a_k g                                                     (2.1)

with g the mean over the pairs. On a quadratic g is unbiased, and on a slope its variance summed over
coordinates is (D - 1) |grad L|^2 for one pair. The exponents are those that Spall 1998 recommends (IEEE
Trans. Aerosp. Electron. Syst. 34:817). 2 values per pair and step; draws: mutation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, NamedTuple

import torch
from annotated_types import Ge, Gt, Le
from torch import Tensor

from landscapes.base import Answer, Problem, Query
from landscapes.numerics import column
from landscapes.streams import Streams
from optimizers import operators
from optimizers import quantities as named
from optimizers.base import Info, Optimizer, Quantity


class State(NamedTuple):
    """The trajectory."""

    center: Tensor  # (R, 1, D) x
    step: Tensor  # (R,) int64 k, completed steps


@dataclass(frozen=True, kw_only=True)
class SPSA(Optimizer):
    """Simultaneous perturbation stochastic approximation.

    Args:
        learning_rate: a > 0, in units of x^2 per unit of loss.
        perturbation: c > 0, in units of x.
        stability: A >= 0, in steps; Spall 1998: a tenth of the steps expected.
        alpha: exponent of the learning rate, 0 to 1; 0: constant.
        gamma: exponent of the perturbation, 0 to 1; 0: constant.
        pairs: mirrored pairs per step, >= 1.

    Source: Spall 1992, IEEE Trans. Autom. Control 37:332.
    """

    name: ClassVar[str] = "spsa"
    quantities: ClassVar[Mapping[str, Quantity]] = {
        "learning_rate": Quantity(
            named.RATE, named.PER_SLOPE, lambda method, state, info: method.rates(state)["raw"]
        )
    }
    sources: ClassVar[tuple[str, ...]] = ("mutation",)
    learning_rate: Annotated[float, Gt(0)] = 0.1
    perturbation: Annotated[float, Gt(0)] = 0.1
    stability: Annotated[float, Ge(0)] = 0.0
    alpha: Annotated[float, Ge(0), Le(1)] = 0.602
    gamma: Annotated[float, Ge(0), Le(1)] = 0.101
    pairs: Annotated[int, Ge(1)] = 1

    def init(self, problem: Problem, streams: Streams) -> State:
        """The first start."""
        center = problem.start(1)
        return State(center, torch.zeros(streams.size, dtype=torch.int64, device=center.device))

    def ask(self, state: State, streams: Streams) -> Query:
        """The pairs; the mirrored half comes last."""
        signs = (
            2 * streams.coins("mutation", (self.pairs, state.center.shape[-1])).to(state.center.dtype)
            - 1
        )
        step = signs * column(self._gain(state, self.perturbation, self.gamma), signs)
        return Query(torch.cat([state.center + step, state.center - step], 1))

    def tell(self, state: State, query: Query, answer: Answer, streams: Streams) -> tuple[State, Info]:
        """Move along the estimate."""
        del streams
        up, down = query.points[:, : self.pairs], query.points[:, self.pairs :]
        rise = answer.value[:, : self.pairs] - answer.value[:, self.pairs :]
        # up - down is 2 c_k delta as it was really asked, after rounding
        slope = (rise[..., None] / (up - down)).mean(1, keepdim=True)
        rate = column(self._gain(state, self.learning_rate, self.alpha, self.stability), slope)
        return State(state.center - rate * slope, state.step + 1), {}

    def rates(self, state: State) -> Mapping[str, float | Tensor]:
        """The gain a_k."""
        return dict.fromkeys(
            ("raw", "smoothed"), self._gain(state, self.learning_rate, self.alpha, self.stability)
        )

    def recommend(self, state: State) -> Tensor:
        """The trajectory's point: (R, D)."""
        return state.center[:, 0]

    def center(self, state: State) -> Tensor:
        """The trajectory's point: (R, D)."""
        return state.center[:, 0]

    def _gain(
        self, state: State, base: float | Tensor, exponent: float | Tensor, offset: float | Tensor = 0.0
    ) -> Tensor:
        """Base / (offset + k + 1) ** exponent: (R,) float64."""
        base, exponent, offset = (
            operators.per_world(value, state.step) for value in (base, exponent, offset)
        )
        return base * torch.exp(-exponent * torch.log(offset + state.step.double() + 1))
