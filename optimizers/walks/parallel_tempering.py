"""Parallel tempering: Metropolis walks at a ladder of temperatures that exchange their places.

Replica k walks at T_k = T_1 (T_P / T_1)^((k - 1) / (P - 1)), from cold to hot, as `metropolis` does. After
each step neighbours on the ladder, (1, 2), (3, 4), ... after odd steps and (2, 3), (4, 5), ... after even
ones, exchange points where a uniform u is

    u < min(1, exp[(1 / T_k - 1 / T_l) (L_k - L_l)])
        (Swendsen and Wang 1986, Phys. Rev. Lett. 57:2607; Geyer 1991, Interface 23:156)

so that the product of the Boltzmann laws exp(-L / T_k) stays stationary: the hot replicas cross barriers for
the cold one.

P replicas. Where values are exact, the first step asks the starts and each further one P proposals: P values
per step. Else the current and the proposed points are asked together: 2 P. Draws: mutation, acceptance (part
0: walks, part 1: exchanges).
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
from optimizers.base import Info, Optimizer, Quantity
from optimizers.operators import per_world, unseen
from optimizers.walks import moves


class State(NamedTuple):
    """P replicas, from cold to hot."""

    points: Tensor  # (R, P, D)
    value: Tensor  # (R, P) their values when last asked; inf before the first step
    exact: Tensor  # (R, 1) where the oracle adds no noise, else (R, 0); see `operators.mark`
    step: Tensor  # (R,) int64, completed steps


@dataclass(frozen=True, kw_only=True)
class ParallelTempering(Optimizer):
    """Parallel tempering (replica exchange) of Metropolis walks; real or binary.

    The recommendation is the replica whose value was lowest when last asked, the center is the coldest.

    Args:
        population: P >= 2 replicas.
        coldest: T_1 > 0, in units of loss.
        hottest: T_P >= T_1, in units of loss.
        sigma: standard deviation of a real proposal, > 0, in units of x.
        mutation_rate: probability that a bit flips in a proposal, 0 to 1; None: exactly one bit, any with the
            same probability.

    Source: Geyer 1991, Computing Science and Statistics, Proc. Interface 23:156; Hukushima and Nemoto 1996,
    J. Phys. Soc. Jpn. 65:1604.
    """

    name: ClassVar[str] = "parallel_tempering"
    quantities: ClassVar[Mapping[str, Quantity]] = named.acceptance() | {
        "temperature": Quantity(
            "temperatures of the replicas, from cold to hot",
            named.LOSS,
            lambda method, state, info: method._ladder(state.value),
        )
    }
    domains: ClassVar[tuple[type, ...]] = (Reals, Bits)
    sources: ClassVar[tuple[str, ...]] = ("mutation", "acceptance")
    population: Annotated[int, Ge(2)] = 8
    coldest: Annotated[float, Gt(0)] = 0.01
    hottest: Annotated[float, Gt(0)] = 1.0
    sigma: Annotated[float, Gt(0)] = 0.1
    mutation_rate: Annotated[float | None, Ge(0), Le(1)] = None

    def check(self) -> None:
        """The ladder goes up."""
        if bool((torch.as_tensor(self.hottest) < torch.as_tensor(self.coldest)).any()):
            raise ValueError(
                f"parallel_tempering.hottest: expected >= coldest = {self.coldest}, got {self.hottest}"
            )

    def init(self, problem: Problem, streams: Streams) -> State:
        """The landscape's starts, not yet asked, the first the coldest."""
        points = problem.start(self.population)
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
        """Walk, then exchange.

        Info: accepted (R, P), and parents (R, P), the replica whose point each now holds.
        """
        heat = self._ladder(state.value)
        old, fresh, new = moves.compared(state.value, query.points, answer.value)
        accepted = moves.metropolis(old / heat, new / heat, 1.0, streams)
        points, value = (
            torch.where(accepted[..., None], fresh, state.points),
            torch.where(accepted, new, old),
        )
        holder = self._exchanged(value, heat, state.step + 1, streams)
        return (
            State(operators.rows(points, holder), value.gather(1, holder), state.exact, state.step + 1),
            {"accepted": accepted, "parents": holder},
        )

    def recommend(self, state: State) -> Tensor:
        """The replica that was last seen lowest: (R, D)."""
        return operators.best(state.points, state.value)

    def center(self, state: State) -> Tensor:
        """The coldest replica: (R, D)."""
        return state.points[:, 0].to(state.value.dtype)

    def _ladder(self, like: Tensor) -> Tensor:
        """The temperatures, geometric from cold to hot: (R, P) float64."""
        cold, hot = (per_world(t, like).log()[:, None] for t in (self.coldest, self.hottest))
        return torch.exp(
            cold
            + (hot - cold) * torch.arange(self.population, device=like.device) / (self.population - 1)
        )

    def _exchanged(self, value: Tensor, heat: Tensor, step: Tensor, streams: Streams) -> Tensor:
        """Which replica's point each temperature holds after step (R,): (R, P) int64."""
        place = torch.arange(self.population, device=value.device)
        # the colder of each pair that may exchange
        upper = (place % 2 == (step[:, None] + 1) % 2) & (place < self.population - 1)
        # inf - inf: alike; inf becomes a number, which 0 may multiply
        fall = (value - value.roll(-1, 1)).double().nan_to_num(nan=0.0)
        gain = fall * (1 / heat - 1 / heat.roll(-1, 1))
        chance = torch.where(upper, torch.exp(gain.clamp_max(0.0)), 0.0)
        swaps = streams.bernoulli("acceptance", chance, (self.population,), part=1).long()
        return place + swaps - swaps.roll(1, 1)
