"""The Metropolis walk, a (1+1) search that accepts a worse point at a temperature.

From x a point y is proposed, on reals y = x + sigma e with e ~ N(0, I), on bits with one locus flipped (or
each at a rate), and with u uniform

    x <- y where u < min(1, exp(-[L(y) - L(x)] / T))      (Metropolis et al. 1953, J. Chem. Phys. 21:1087)

Proposals are symmetric, so exp(-L / T) is stationary; T = 0 accepts what is no worse. For small sigma the
walk is clipped gradient descent in mean: along a slope a = |grad L| / T the mean step is -a sigma^2 exp(a^2
sigma^2 / 2) Phi(-a sigma), which goes to -sigma^2 grad L / (2 T) (Whitelam, Selin, Park and Tamblyn 2021,
"Correspondence between neuroevolution and gradient descent", Nat. Commun. 12:6317).

P walkers. Where values are exact, the first step asks the starts and each further one P proposals: P values
per step. Else the current and the proposed points are asked together, since an old lucky value would never be
left: 2 P. Draws: mutation, acceptance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, NamedTuple

import torch
from annotated_types import Ge, Gt, Le
from torch import Tensor

from landscapes.base import Answer, Bits, Problem, Query, Reals
from landscapes.streams import Streams
from optimizers import operators
from optimizers import quantities as named
from optimizers.base import Info, Optimizer, Quantity, Switches
from optimizers.operators import unseen
from optimizers.walks import moves


class State(NamedTuple):
    """P walkers."""

    points: Tensor  # (R, P, D)
    value: Tensor  # (R, P) their values when last asked; inf before the first step
    exact: Tensor  # (R, 1) where the oracle adds no noise, else (R, 0); see `operators.mark`
    step: Tensor  # (R,) int64, completed steps


@dataclass(frozen=True, kw_only=True)
class Metropolis(Optimizer):
    """Metropolis walk at a temperature, on P independent walkers; real or binary.

    With several walkers the recommendation is the one whose value was lowest when last asked, the center is
    their mean.

    Args:
        temperature: T >= 0, in units of loss; 0: never worse.
        sigma: standard deviation of a real proposal, > 0, in units of x.
        mutation_rate: probability that a bit flips in a proposal, 0 to 1; None: exactly one bit, any with the
            same probability.
        starts: P >= 1, independent walkers.

    Source: Metropolis et al. 1953, J. Chem. Phys. 21:1087; Whitelam et al. 2021, Nat. Commun. 12:6317.
    """

    name: ClassVar[str] = "metropolis"
    quantities: ClassVar[Mapping[str, Quantity]] = named.acceptance() | named.temperature()
    domains: ClassVar[tuple[type, ...]] = (Reals, Bits)
    sources: ClassVar[tuple[str, ...]] = ("mutation", "acceptance")
    switches: ClassVar[Switches] = {"acceptance": {"off": {"temperature": 0.0}}}
    temperature: Annotated[float, Ge(0)] = 0.01
    sigma: Annotated[float, Gt(0)] = 0.1
    mutation_rate: Annotated[float | None, Ge(0), Le(1)] = None
    starts: Annotated[int, Ge(1)] = 1

    def init(self, problem: Problem, streams: Streams) -> State:
        """The landscape's starts, not yet asked."""
        points = problem.start(self.starts)
        exact = operators.mark(problem.exact, points)
        return State(
            points,
            unseen(points, streams.dtype),
            exact,
            points.new_zeros(len(points), dtype=torch.int64),
        )

    def ask(self, state: State, streams: Streams) -> Query:
        """The proposals, after the current points where values are noisy.

        The starts first where they are exact.
        """
        fresh = moves.propose(state.points, streams, self.sigma, self.mutation_rate)
        return Query(moves.trials(state.points, fresh, state.step, state.exact))

    def tell(self, state: State, query: Query, answer: Answer, streams: Streams) -> tuple[State, Info]:
        """Accept or reject; info: accepted (R, P)."""
        points, value, accepted = moves.walk(
            state.points, state.value, query.points, answer.value, self.temperature, streams
        )
        return State(points, value, state.exact, state.step + 1), {"accepted": accepted}

    def recommend(self, state: State) -> Tensor:
        """The walker that was last seen lowest: (R, D)."""
        return operators.best(state.points, state.value)

    def center(self, state: State) -> Tensor:
        """The mean of the walkers: (R, D)."""
        return state.points.to(state.value.dtype).mean(1)
