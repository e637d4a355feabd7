"""Nelder and Mead's downhill simplex.

N + 1 points that reflect, expand, contract and shrink their way down, from comparisons alone.

With vertices x_1 .. x_{n+1} from best to worst and c the mean of the n best (Nelder and Mead 1965, Comput. J.
7:308, in the order of Lagarias, Reeds, Wright and Wright 1998, SIAM J. Optim. 9:112):

    reflect   x_r = c + alpha (c - x_{n+1})          taken where f_1 <= f_r < f_n
    expand    x_e = c + beta (x_r - c)               where f_r < f_1: the better of x_e and x_r is taken
    contract  x_o = c + gamma (x_r - c)              where f_n <= f_r < f_{n+1}, taken if f_o <= f_r
              x_i = c - gamma (x_r - c)              where f_r >= f_{n+1}, taken if f_i < f_{n+1}
    shrink    x_i <- x_1 + delta (x_i - x_1)         else

standard: alpha = 1, beta = 2, gamma = delta = 1/2; adaptive: alpha = 1, beta = 1 + 2 / n, gamma = 3/4 - 1 /
(2 n), delta = 1 - 1 / n, n at least 2 (Gao and Han 2012, Comput. Optim. Appl. 51:259). Every world is in a
phase of its own; the vertices of a new or shrunken simplex are asked one by one. 1 value per step where
values are exact; else all vertices and the last reflection are asked again with it: up to n + 3. Draws
nothing but its start.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, NamedTuple

import torch
from annotated_types import Gt
from torch import Tensor

from landscapes.base import Answer, Problem, Query
from landscapes.numerics import column
from landscapes.streams import Streams
from optimizers import operators
from optimizers.base import Info, Optimizer
from optimizers.operators import unseen

# phases: what the trial point is; FILL: a vertex whose value is not known
FILL, REFLECT, EXPAND, OUTSIDE, INSIDE = range(5)


class State(NamedTuple):
    """The simplex, from best to worst but while it is being filled, and the phase."""

    simplex: Tensor  # (R, D + 1, D)
    value: Tensor  # (R, D + 1); inf where it is not known
    reflected: Tensor  # (R, D) x_r
    reflected_value: Tensor  # (R,) f_r
    phase: Tensor  # (R,) int64
    vertex: Tensor  # (R,) int64, which is asked while filling
    exact: Tensor  # (R, 1) where the oracle adds no noise, else (R, 0); see `operators.mark`


@dataclass(frozen=True, kw_only=True)
class NelderMead(Optimizer):
    """Nelder-Mead simplex search.

    The recommendation is the vertex with the lowest value, the center is the mean of the vertices.

    Args:
        step: length of the first simplex's edges along the axes, > 0, in units of x.
        coefficients: adaptive (to the dimension) or standard.

    Source: Nelder and Mead 1965, Comput. J. 7:308; Gao and Han 2012, Comput. Optim. Appl. 51:259.
    """

    name: ClassVar[str] = "nelder_mead"
    step: Annotated[float, Gt(0)] = 0.5
    coefficients: Literal["adaptive", "standard"] = "adaptive"

    def init(self, problem: Problem, streams: Streams) -> State:
        """A simplex at the first start, along the axes."""
        start = problem.start(1)
        edges = torch.eye(problem.dim + 1, problem.dim, dtype=start.dtype, device=start.device).roll(
            1, 0
        )
        simplex = start + edges * column(self.step, start)
        zero = torch.zeros(streams.size, dtype=torch.int64, device=start.device)
        value = unseen(simplex, start.dtype)
        return State(
            simplex,
            value,
            start[:, 0],
            value[:, 0],
            zero,
            zero,
            operators.mark(problem.exact, zero),
        )

    def ask(self, state: State, streams: Streams) -> Query:
        """The trial point; where values are noisy with the last reflection and all vertices asked before."""
        del streams
        trial = self._trial(state)[:, None]
        if operators.marked(state.exact):
            return Query(trial)
        filling = (state.phase == FILL)[:, None]
        place = torch.arange(state.simplex.shape[1], device=trial.device)
        asked_before = ~filling | (place < state.vertex[:, None])
        alive = torch.cat([torch.ones_like(filling), (state.phase > REFLECT)[:, None], asked_before], 1)
        return Query(torch.cat([trial, state.reflected[:, None], state.simplex], 1), alive=alive)

    def tell(self, state: State, query: Query, answer: Answer, streams: Streams) -> tuple[State, Info]:
        """Take the trial point, try another, or shrink; info: phase (R,), the one that was answered."""
        del streams
        trial, f, phase = query.points[:, 0], operators.worst_last(answer.value)[:, 0], state.phase
        if answer.value.shape[1] > 1:
            state = self._afresh(state, query, operators.worst_last(answer.value))
        reflected_value = torch.where(phase == REFLECT, f, state.reflected_value)  # f_r
        turn = self._turn(state, f)
        goes_on = (phase == REFLECT) & (turn != FILL)
        worst = state.value[:, -1]
        shrinks = (phase == OUTSIDE) & ~(f <= reflected_value) | (phase == INSIDE) & ~(f < worst)
        takes = ~(shrinks | goes_on)
        falls_back = (phase == EXPAND) & ~(f < reflected_value)  # the reflection is taken
        point = torch.where(falls_back[:, None], state.reflected, trial)
        value = torch.where(falls_back, reflected_value, f)
        vertices = state.simplex.shape[1]
        place = torch.where(phase == FILL, state.vertex, vertices - 1)
        placed = state._replace(
            reflected=torch.where((phase == REFLECT)[:, None], trial, state.reflected),
            reflected_value=reflected_value,
            simplex=_put(state.simplex, place, point, takes),
            value=_put(state.value[..., None], place, value[:, None], takes)[..., 0],
            vertex=torch.where(phase == FILL, state.vertex + 1, state.vertex),
        )
        done = takes & ((phase != FILL) | (placed.vertex == vertices))  # a whole simplex to reflect
        next_phase = torch.where(done, REFLECT, torch.where(goes_on, turn, phase))
        return self._shrunken(_sorted(placed, done)._replace(phase=next_phase), shrinks), {
            "phase": phase
        }

    def _turn(self, state: State, f: Tensor) -> Tensor:
        """The move after a reflected point of value f (R,): (R,) int64.

        EXPAND, OUTSIDE or INSIDE; FILL means that the reflected point is accepted.
        """
        best, second, worst = state.value[:, 0], state.value[:, -2], state.value[:, -1]
        turn = torch.where(f < second, FILL, torch.where(f < worst, OUTSIDE, INSIDE))
        return torch.where(f < best, EXPAND, turn)

    def recommend(self, state: State) -> Tensor:
        """The best vertex: (R, D)."""
        return operators.best(state.simplex, state.value)

    def center(self, state: State) -> Tensor:
        """The mean of the vertices: (R, D)."""
        return state.simplex.mean(1)

    def _factors(self, dim: int) -> tuple[float, float, float]:
        """Beta, gamma, delta."""
        if self.coefficients == "standard":
            return 2.0, 0.5, 0.5
        n = max(dim, 2)
        return 1 + 2 / n, 0.75 - 1 / (2 * n), 1 - 1 / n

    def _trial(self, state: State) -> Tensor:
        """What each world asks in its phase: (R, D)."""
        beta, gamma, _ = self._factors(state.simplex.shape[-1])
        middle = state.simplex[:, :-1].mean(1)
        reach = torch.tensor([0.0, 0.0, beta, gamma, -gamma], dtype=middle.dtype, device=middle.device)
        moved = middle + reach[state.phase][:, None] * (state.reflected - middle)
        reflected = middle + (middle - state.simplex[:, -1])
        vertex = state.vertex[:, None].clamp_max(state.simplex.shape[-1])
        point = torch.where((state.phase == REFLECT)[:, None], reflected, moved)
        return torch.where(
            (state.phase == FILL)[:, None], operators.rows(state.simplex, vertex)[:, 0], point
        )

    def _afresh(self, state: State, query: Query, value: Tensor) -> State:
        """The state with the values of this query, its vertices in their new order."""
        value = value if query.alive is None else torch.where(query.alive, value, torch.inf)
        whole = state._replace(reflected_value=value[:, 1], value=value[:, 2:])
        return _sorted(whole, state.phase != FILL)

    def _shrunken(self, state: State, shrinks: Tensor) -> State:
        """Where a world shrinks: all vertices moved to the first, the others to be asked anew."""
        first, delta = state.simplex[:, :1], self._factors(state.simplex.shape[-1])[2]
        simplex = torch.cat([first, first + delta * (state.simplex[:, 1:] - first)], 1)
        value = torch.cat([state.value[:, :1], torch.full_like(state.value[:, 1:], torch.inf)], 1)
        return state._replace(
            simplex=torch.where(shrinks[:, None, None], simplex, state.simplex),
            value=torch.where(shrinks[:, None], value, state.value),
            phase=torch.where(shrinks, FILL, state.phase),
            vertex=torch.where(shrinks, 1, state.vertex),
        )


def _put(table: Tensor, place: Tensor, row: Tensor, where: Tensor) -> Tensor:
    """The table (R, n, k) with row (R, k) at place (R,) in the worlds `where` (R,)."""
    here = (torch.arange(table.shape[1], device=table.device) == place[:, None]) & where[:, None]
    return torch.where(here[..., None], row[:, None], table)


def _sorted(state: State, where: Tensor) -> State:
    """Vertices from best to worst in the worlds `where` (R,)."""
    place = torch.arange(state.value.shape[1], device=state.value.device)
    order = torch.where(where[:, None], operators.order(state.value), place)
    return state._replace(
        simplex=operators.rows(state.simplex, order), value=state.value.gather(1, order)
    )
