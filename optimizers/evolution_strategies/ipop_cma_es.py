"""CMA-ES that starts afresh with a larger population each time it has converged or is stuck.

Auger and Hansen 2005, "A restart CMA evolution strategy with increasing population size", IEEE CEC, 1769.
Each world runs `cma_es` until, at the end of a generation, one of these holds (section 2); then it begins
again at the landscape's next start, with twice as many points:

    EqualFunValHist  the best values of the last H = 10 + ceil(30 D / P) generations are all the same
    TolFun           the range of these and of all values of this generation is below tol_fun
    TolX             sigma sqrt(C_dd) and |sigma p_c| are below tol_x sigma_0 in all coordinates
    NoEffectAxis     m + 0.1 sigma l_i b_i = m for a principal axis b_i of C with length l_i
    NoEffectCoord    m_d + 0.2 sigma sqrt(C_dd) = m_d for a coordinate d
    ConditionCov     the condition number of C exceeds 1e14

It is `cma_es` to the bit until its first restart; after its last one it runs on, whatever it meets. Worlds
restart when each is due. A query is as wide as the largest population that any of its worlds has; rows beyond
a world's own are not alive: neither billed nor looked at. P values per step, P the world's own. Draws:
mutation.
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
from landscapes.numerics import column
from landscapes.parameters import Defaults
from landscapes.streams import Streams
from optimizers import operators
from optimizers import quantities as named
from optimizers.base import Info, Optimizer, Quantity
from optimizers.defaults import SIGMA
from optimizers.evolution_strategies import cma_es, distribution
from optimizers.evolution_strategies.cma_es import CMAES


class State(NamedTuple):
    """The run that goes on, number `restarts`, and the best of those that ended."""

    mean: Tensor  # (R, 1, D); this and the next seven as in `cma_es.State`
    sigma: Tensor  # (R, 1, 1)
    path_sigma: Tensor  # (R, 1, D)
    path_c: Tensor  # (R, 1, D)
    covariance: Tensor  # (R, D, D), or (R, 1, D)
    basis: Tensor  # (R, D, D), or (R, 0, 0)
    lengths: Tensor  # (R, 1, D)
    step: Tensor  # (R,) int64, completed steps of this run
    restarts: Tensor  # (R,) int64
    size: Tensor  # (R,) int64 P
    starts: Tensor  # (R, 1 + restarts, D) where each run begins
    first_sigma: Tensor  # (R, 1, 1) sigma_0
    lowest: Tensor  # (R, H) the lowest values of this run's last generations; inf before
    value: Tensor  # (R,) the median of this run's last generation; inf before
    kept: Tensor  # (R, D) the last mean of the run that ended best
    kept_value: Tensor  # (R,) the median of its last generation; inf before


@dataclass(frozen=True, kw_only=True)
class IPOPCMAES(Optimizer):
    """CMA-ES with restarts and increasing population.

    The recommendation is the mean of the run that goes on or, where the median value of its last generation
    is higher, the last mean of the run that ended lowest by that measure: not the best value ever seen, which
    under noise was lucky.

    Args:
        population: P of the first run, >= 2; None: 4 + floor(3 ln D).
        sigma: sigma_0, standard deviation at each start, > 0, in units of x; None: 0.3 of the width of the
            start box.
        covariance: full or diagonal (linear in D).
        active: whether the worse half has negative weights in C.
        lazy: steps between decompositions of a full C, >= 1; None: as in `cma_es`.
        restarts: at most so many, >= 0.
        growth: by what the population is multiplied at a restart, >= 1.
        tol_fun: range of values below which a run has converged, >= 0, in units of the loss.
        tol_x: standard deviation below which it has, >= 0, in units of sigma_0.

    Source: Auger and Hansen 2005, IEEE CEC, 1769; Hansen 2016, arXiv:1604.00772, section B.3.
    """

    name: ClassVar[str] = "ipop_cma_es"
    quantities: ClassVar[Mapping[str, Quantity]] = (
        named.sigma() | named.path_length("path_sigma") | named.condition("lengths")
    )
    sources: ClassVar[tuple[str, ...]] = ("mutation",)
    defaults: ClassVar[Defaults] = distribution.POPULATION | SIGMA  # `lazy` changes after each restart
    population: Annotated[int | None, Ge(2)] = None
    sigma: Annotated[float | None, Gt(0)] = None
    covariance: Literal["full", "diagonal"] = "full"
    active: bool = True
    lazy: Annotated[int | None, Ge(1)] = None
    restarts: Annotated[int, Ge(0)] = 9
    growth: Annotated[int, Ge(1)] = 2
    tol_fun: Annotated[float, Ge(0)] = 1e-12
    tol_x: Annotated[float, Ge(0)] = 1e-12

    def init(self, problem: Problem, streams: Streams) -> State:
        """The first run at the first start; those of all restarts are drawn now."""
        starts = problem.start(1 + self.restarts)
        size = self.population or distribution.default_population(problem.dim)
        run = self._method(size).init(problem._replace(start=lambda n: starts[:, :n]), streams)
        lowest = run.mean.new_full((streams.size, 10 + math.ceil(30 * problem.dim / size)), torch.inf)
        return State(
            *run,
            restarts=run.step,
            size=run.step + size,
            starts=starts,
            first_sigma=run.sigma,
            lowest=lowest,
            value=lowest[:, 0],
            kept=starts[:, 0],
            kept_value=lowest[:, 0],
        )

    def ask(self, state: State, streams: Streams) -> Query:
        """P points around each world's mean, and the mean itself where others have more."""
        z = streams.normal("mutation", (int(state.size.max()), state.mean.shape[-1]))
        points = state.mean.expand_as(z).clone()
        for size, rows, run in _groups(state):
            points[rows, :size] = cma_es.around(run, z[rows, :size])
        return Query(points, alive=_own(state.size, z))

    def tell(self, state: State, query: Query, answer: Answer, streams: Streams) -> tuple[State, Info]:
        """A step of CMA-ES in every world, then the restarts that are due; info: restarted (R,)."""
        runs = self._stepped(state, query, answer, streams)
        value = torch.where(
            _own(state.size, query.points), operators.worst_last(answer.value), torch.inf
        )
        value = value.sort(1).values
        lowest = torch.cat([state.lowest[:, 1:], value[:, :1]], 1)
        median, highest = (
            value.gather(1, place[:, None])[:, 0] for place in ((state.size - 1) // 2, state.size - 1)
        )
        state = state._replace(lowest=lowest, value=median, **runs._asdict())
        due = self.stopped(state, highest) & (state.restarts < self.restarts)
        return (self._restarted(state, due) if bool(due.any()) else state), {"restarted": due}

    def _stepped(self, state: State, query: Query, answer: Answer, streams: Streams) -> cma_es.State:
        """The runs of all worlds after a step of CMA-ES."""
        parts = [field.clone() for field in state[:8]]
        for size, rows, run in _groups(state):
            own, told = Query(query.points[rows, :size]), Answer(answer.value[rows, :size])
            after, _ = self._method(size).tell(run, own, told, streams)
            for part, field in zip(parts, after, strict=True):
                part[rows] = field
        return cma_es.State(*parts)

    def recommend(self, state: State) -> Tensor:
        """The mean of the better of the run that goes on and the best that ended: (R, D)."""
        return torch.where((state.kept_value < state.value)[:, None], state.kept, state.mean[:, 0])

    def center(self, state: State) -> Tensor:
        """The mean of the run that goes on: (R, D)."""
        return state.mean[:, 0]

    def stopped(self, state: State, highest: Tensor) -> Tensor:
        """Whether a run is at its end, by the highest value (R,) of its last generation: (R,) bool."""
        stretched = state.lengths.amax((1, 2)) > 1e7 * state.lengths.amin((1, 2))
        return self._flat(state, highest) | self._small(state) | self._stuck(state) | stretched

    def _flat(self, state: State, highest: Tensor) -> Tensor:
        """Whether values have not changed, over recent generations or within the last: (R,) bool."""
        dim = state.mean.shape[-1]
        span = 10 + (30 * dim + state.size - 1) // state.size  # H of this run
        recent = torch.arange(state.lowest.shape[1], 0, -1, device=span.device) <= span[:, None]
        top = torch.where(recent, state.lowest, -torch.inf).amax(1)
        bottom = torch.where(recent, state.lowest, torch.inf).amin(1)
        tolerance = torch.as_tensor(self.tol_fun, dtype=top.dtype, device=top.device)
        narrow = torch.maximum(top, highest) - bottom < tolerance
        return (top == bottom) & top.isfinite() | narrow

    def _spread(self, state: State) -> Tensor:
        """Standard deviations along the coordinates: (R, D)."""
        full = self.covariance == "full"
        variance = state.covariance.diagonal(dim1=1, dim2=2) if full else state.covariance[:, 0]
        return state.sigma[:, 0] * variance.sqrt()

    def _small(self, state: State) -> Tensor:
        """Whether the distribution has shrunk below the tolerance: (R,) bool."""
        limit = (column(self.tol_x, state.first_sigma) * state.first_sigma)[:, 0]
        path = (state.sigma[:, 0] * state.path_c[:, 0]).abs()
        return ((self._spread(state) < limit) & (path < limit)).all(1)

    def _stuck(self, state: State) -> Tensor:
        """Whether rounding loses a step of 0.1 sigma along an axis, or 0.2 along a coordinate: (R,) bool."""
        mean = state.mean[:, 0]
        if self.covariance == "full":
            axes = state.lengths.mT * state.basis.mT
        else:
            axes = torch.diag_embed(state.lengths[:, 0])
        steps = 0.1 * state.sigma * axes
        along_axis = (mean[:, None] + steps == mean[:, None]).all(2).any(1)
        return along_axis | (mean + 0.2 * self._spread(state) == mean).any(1)

    def _restarted(self, state: State, due: Tensor) -> State:
        """The state with a fresh run, of a larger population, where one is due."""
        better = due & (state.value < state.kept_value)
        restarts = state.restarts + due
        mean = operators.rows(state.starts, restarts[:, None])
        fresh = cma_es.begun(mean, state.first_sigma, diagonal=self.covariance == "diagonal")
        runs = [
            torch.where(due.view(-1, *(1,) * (old.ndim - 1)), new, old)
            for new, old in zip(fresh, state[:8], strict=True)
        ]
        return state._replace(
            **cma_es.State(*runs)._asdict(),
            restarts=restarts,
            size=torch.where(due, state.size * self.growth, state.size),
            lowest=torch.where(due[:, None], torch.inf, state.lowest),
            value=torch.where(due, torch.inf, state.value),
            kept=torch.where(better[:, None], state.mean[:, 0], state.kept),
            kept_value=torch.where(better, state.value, state.kept_value),
        )

    def _method(self, size: int) -> CMAES:
        return CMAES(
            population=size,
            sigma=self.sigma,
            covariance=self.covariance,
            active=self.active,
            lazy=self.lazy,
        )


def _groups(state: State) -> list[tuple[int, Tensor, cma_es.State]]:
    """Each population P, the worlds that have it, and their runs."""
    groups = [(int(size), (state.size == size).nonzero()[:, 0]) for size in state.size.unique()]
    return [(size, rows, cma_es.State(*(field[rows] for field in state[:8]))) for size, rows in groups]


def _own(size: Tensor, points: Tensor) -> Tensor:
    """Which rows of points (R, P, D) belong to the populations (R,): (R, P) bool."""
    return torch.arange(points.shape[1], device=points.device) < size[:, None]
