"""L-BFGS: a quasi-Newton method that remembers the last m steps and changes of the gradient.

Steps are s_i = x_{i+1} - x_i, changes of the gradient y_i = g_{i+1} - g_i.

The direction d = -H g comes from the two-loop recursion (Liu and Nocedal 1989, Math. Program. 45:503; Nocedal
and Wright 2006, "Numerical optimization", algorithm 7.4) with H_0 = (s.y / y.y) I of the newest pair (7.20).
The step t along d meets the weak Wolfe conditions

    L(x + t d) <= L(x) + c1 t g.d      and      grad L(x + t d).d >= c2 g.d

found by bisection (Lewis and Overton 2013, Math. Program. 141:135, algorithm 2.6): t is too long where the
first fails, too short where only the second does; it is doubled until it is bracketed, then halved. A search
that does not end within `trials` forgets the pairs and starts anew down the gradient. It is a method for
exact gradients: every world is in a phase of its own, and each trial is one query of 1 gradient; where
answers are noisy x is asked again beside it, 2 gradients. The first query asks the start. Draws nothing but
its start.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, NamedTuple

import torch
from annotated_types import Ge, Gt, Lt
from torch import Tensor

from landscapes.base import Answer, Problem, Query
from landscapes.numerics import dot, norm, squarable
from landscapes.streams import Streams
from optimizers import operators
from optimizers import quantities as named
from optimizers.base import Info, Optimizer, Quantity
from optimizers.gradient.steps import slope as slope_of


class State(NamedTuple):
    """The point, the pairs, and the search along the direction."""

    point: Tensor  # (R, D) x
    value: Tensor  # (R,) L(x); inf before the first step
    slope: Tensor  # (R, D) g
    direction: Tensor  # (R, D) d; 0 before the first step
    steps: Tensor  # (R, m, D) s, the newest last; 0 where there is none yet
    changes: Tensor  # (R, m, D) y
    length: Tensor  # (R,) t of the next trial
    short: Tensor  # (R,) the longest t known to be too short
    long: Tensor  # (R,) the shortest t known to be too long; inf: none
    trials: Tensor  # (R,) int64, of this search
    exact: Tensor  # (R, 1) where the oracle adds no noise, else (R, 0); see `operators.mark`


@dataclass(frozen=True, kw_only=True)
class LBFGS(Optimizer):
    """Limited-memory BFGS with a weak-Wolfe line search, for exact gradients.

    Args:
        memory: m >= 1 pairs.
        first_step: longest first trial down a gradient, where nothing is remembered, > 0, in units of x.
        sufficient: c1 of sufficient decrease, 0 < c1 < curvature.
        curvature: c2, sufficient < c2 < 1.
        trials: queries of one line search at most, >= 1.

    Source: Liu and Nocedal 1989, Math. Program. 45:503; Lewis and Overton 2013, Math. Program. 141:135.
    """

    name: ClassVar[str] = "lbfgs"
    quantities: ClassVar[Mapping[str, Quantity]] = named.acceptance()
    gradient: ClassVar[bool] = True
    memory: Annotated[int, Ge(1)] = 10
    first_step: Annotated[float, Gt(0)] = 1.0
    sufficient: Annotated[float, Gt(0), Lt(1)] = 1e-4
    curvature: Annotated[float, Gt(0), Lt(1)] = 0.9
    trials: Annotated[int, Ge(1)] = 30

    def check(self) -> None:
        """Both conditions can be met."""
        if bool((torch.as_tensor(self.sufficient) >= torch.as_tensor(self.curvature)).any()):
            raise ValueError(
                f"lbfgs.sufficient: expected < curvature = {self.curvature}, got {self.sufficient}"
            )

    def init(self, problem: Problem, streams: Streams) -> State:
        """The first start, nothing remembered."""
        point = problem.start(1)[:, 0]
        zero, pairs = torch.zeros_like(point), point.new_zeros((streams.size, self.memory, problem.dim))
        value = operators.unseen(point[:, None], point.dtype)[:, 0]
        count = torch.zeros(streams.size, dtype=torch.int64, device=point.device)
        exact = operators.mark(problem.exact, count)
        return State(
            point,
            value,
            slope=zero,
            direction=zero,
            steps=pairs,
            changes=pairs,
            length=torch.zeros_like(value),
            short=torch.zeros_like(value),
            long=value,
            trials=count,
            exact=exact,
        )

    def ask(self, state: State, streams: Streams) -> Query:
        """The gradient at the trial, after that at the point where answers are noisy."""
        del streams
        trial = state.point + state.length[:, None] * state.direction
        points = (
            trial[:, None] if operators.marked(state.exact) else torch.stack([state.point, trial], 1)
        )
        return Query(points, gradient=True)

    def tell(self, state: State, query: Query, answer: Answer, streams: Streams) -> tuple[State, Info]:
        """Judge the trial, then take it or choose another; info: accepted (R,)."""
        del streams
        slopes = slope_of(answer, self.name)
        if slopes.shape[1] > 1:
            state = state._replace(value=answer.value[:, 0], slope=slopes[:, 0])
        value, slope, first = answer.value[:, -1], slopes[:, -1], state.trials == 0
        low, flat = self._wolfe(state, value, slope)
        over = state.trials >= self.trials
        accepted = first | low & (flat | over)
        moved = self._moved(state, query.points[:, -1], value, slope, accepted, first)
        searching = ~accepted & ~over
        begun = self._searching(moved, ~searching, ~accepted)
        short, long = (
            torch.where(low, state.length, state.short),
            torch.where(low, state.long, state.length),
        )
        halfway = torch.where(long.isinf(), 2 * short, (short + long) / 2)
        after = begun._replace(
            length=torch.where(searching, halfway, begun.length),
            short=torch.where(searching, short, torch.zeros_like(short)),
            long=torch.where(searching, long, torch.inf),
            trials=torch.where(searching, state.trials + 1, 1),
        )
        return after, {"accepted": accepted}

    def _wolfe(self, state: State, value: Tensor, slope: Tensor) -> tuple[Tensor, Tensor]:
        """Whether a trial of this value (R,) and slope (R, D) is low enough, and flat enough: (R,) bool each.

        Slopes and direction are measured in powers of two, so that no product overflows.
        """
        ahead, reach = squarable(state.direction)
        unit = squarable(torch.cat([slope, state.slope], -1))[1]
        started = dot(ahead, state.slope / unit)  # g.d / (reach unit)
        c1, c2 = (operators.per_world(c, value).to(value) for c in (self.sufficient, self.curvature))
        low = value <= state.value + c1 * state.length * reach[:, 0] * started * unit[:, 0]
        return low, dot(ahead, slope / unit) >= c2 * started

    def recommend(self, state: State) -> Tensor:
        """The point: (R, D)."""
        return state.point

    def center(self, state: State) -> Tensor:
        """The point: (R, D)."""
        return state.point

    def _moved(
        self, state: State, point: Tensor, value: Tensor, slope: Tensor, accepted: Tensor, first: Tensor
    ) -> State:
        """The state at the trial where it was accepted; its pair is kept where its curvature is positive."""
        step, change = point - state.point, slope - state.slope
        (far, _), (large, _) = squarable(step), squarable(change)
        kept = (accepted & ~first & (dot(far, large) > 1e-10 * norm(far) * norm(large)))[:, None, None]
        here = accepted[:, None]
        return state._replace(
            point=torch.where(here, point, state.point),
            value=torch.where(accepted, value, state.value),
            slope=torch.where(here, slope, state.slope),
            steps=torch.where(kept, torch.cat([state.steps[:, 1:], step[:, None]], 1), state.steps),
            changes=torch.where(
                kept, torch.cat([state.changes[:, 1:], change[:, None]], 1), state.changes
            ),
        )

    def _searching(self, state: State, begins: Tensor, forgets: Tensor) -> State:
        """A new search in the worlds `begins`, without the pairs in those of them that `forgets`."""
        lost = (begins & forgets)[:, None, None]
        steps, changes = (torch.where(lost, 0.0, pairs) for pairs in (state.steps, state.changes))
        direction = newton(state.slope, steps, changes)
        raw = (changes[:, -1] == 0).all(-1)  # nothing is remembered
        size = norm(state.slope)
        longest = operators.per_world(self.first_step, size).to(size)
        length = torch.where(raw & (size > longest), longest / size, 1.0)
        return state._replace(
            direction=torch.where(begins[:, None], direction, state.direction),
            length=torch.where(begins, length, state.length),
            steps=steps,
            changes=changes,
        )


def newton(slope: Tensor, steps: Tensor, changes: Tensor) -> Tensor:
    """The direction -H g (R, D) by the two-loop recursion; -g where all pairs are 0.

    Of g (R, D) and the pairs s, y (R, m, D), the newest last.

    Every vector is divided by a power of two first, which H g = (s.y / y.y) g, the first guess, gets back:
    products of finite numbers stay finite.
    """
    (steps, far), (changes, large), (q, unit) = (squarable(v) for v in (steps, changes, slope))
    weights = {}
    ratio, curvature = far / large * unit[:, None], dot(steps, changes)
    rho = torch.where(curvature > 0, 1 / curvature, 0.0)
    for i in reversed(range(steps.shape[1])):
        weights[i] = (rho[:, i] * dot(steps[:, i], q))[:, None]
        q = q - weights[i] * changes[:, i]
    size = dot(changes[:, -1], changes[:, -1])
    r = torch.where((size > 0)[:, None], (curvature[:, -1] / size)[:, None] * ratio[:, -1], unit) * q
    for i in range(steps.shape[1]):
        r = r + (weights[i] * ratio[:, i] - (rho[:, i] * dot(changes[:, i], r))[:, None]) * steps[:, i]
    return -r
