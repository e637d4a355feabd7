"""CMA-ES that evaluates each point as often as the noise in its ranks asks for.

UH-CMA-ES of Hansen, Niederberger, Guzzella, Koumoutsakos 2009, IEEE Trans. Evol. Comput. 13:180. Each of P
points is evaluated t times, and the first K of them t times more; both means of a point are ranked, and s
says by how much more than is accepted the ranks change (`uncertainty`, section IV). With alpha_t = `growth`:

    s > 0, t < t_max    t <- min(alpha_t t, t_max)
    s > 0, t = t_max    sigma <- alpha_sigma sigma
    s <= 0              t <- max(t / alpha_t, 1)
        (their treatment, with c_s = 1 and t_min = 1)

t is a real number, of which the whole part is evaluated. The points go to `cma_es` in the order of both their
means: where values are exact it is `cma_es` to the bit, at (P + K) / P times the cost.

The new evaluations are of the same points, not of ones a little beside them, so noise is what is drawn anew:
that of values, of a landscape, of mini-batches where each point sees its own (`noise.shared: false`). Points
that share a mini-batch are misranked together, and s <= 0. Here K is fixed, where the paper draws its whole
part.

A query has the P + K points as often as any of its worlds asks them; rows beyond a world's own t are not
alive: neither billed nor looked at. (P + K) t values per step, t the world's own. Draws: mutation.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, NamedTuple

import torch
from annotated_types import Ge, Gt, Le
from torch import Tensor

from landscapes.base import Answer, Problem, Query
from landscapes.parameters import Defaults
from landscapes.streams import Streams
from optimizers import quantities as named
from optimizers.base import Info, Optimizer, Quantity
from optimizers.defaults import SIGMA
from optimizers.evolution_strategies import cma_es, distribution, uncertainty
from optimizers.evolution_strategies.cma_es import CMAES
from optimizers.operators import averaged, per_world


class State(NamedTuple):
    """The run of CMA-ES, and how often it evaluates a point."""

    mean: Tensor  # (R, 1, D); this and the next seven as in `cma_es.State`
    sigma: Tensor  # (R, 1, 1)
    path_sigma: Tensor  # (R, 1, D)
    path_c: Tensor  # (R, 1, D)
    covariance: Tensor  # (R, D, D), or (R, 1, D)
    basis: Tensor  # (R, D, D), or (R, 0, 0)
    lengths: Tensor  # (R, 1, D)
    step: Tensor  # (R,) int64
    repeats: Tensor  # (R,) t, a real number

    @property
    def run(self) -> cma_es.State:
        """The run alone."""
        return cma_es.State(*self[:8])

    @property
    def times(self) -> Tensor:
        """How often each point is evaluated: (R,) int64."""
        return self.repeats.floor().long()


@dataclass(frozen=True, kw_only=True)
class UHCMAES(Optimizer):
    """CMA-ES that handles uncertain values: it evaluates points again, and more often where ranks change.

    Args:
        population: P >= 2; None: 4 + floor(3 ln D).
        sigma: initial standard deviation, > 0, in units of x; None: 0.3 of the width of the start box.
        covariance: full or diagonal (linear in D).
        active: whether the worse half has negative weights in C.
        lazy: steps between decompositions of a full C, >= 1; None: as in `cma_es`.
        reevaluated: K, points of a generation that are evaluated anew, 1 <= K <= P; None: P / 10, rounded up,
            at least 2.
        acceptance: theta, 0 <= theta <= 2; changes of rank are accepted up to the 50 theta-th percentile of
            those that chance alone would make.
        growth: alpha_t >= 1, by what the evaluations of a point are multiplied, or divided.
        largest: t_max >= 1, the most evaluations of a point.
        sigma_growth: alpha_sigma >= 1, by what sigma is multiplied where t_max are too few; None: 1 + 2 / (D
            + 10).

    Source: Hansen, Niederberger, Guzzella, Koumoutsakos 2009, IEEE Trans. Evol. Comput. 13:180.
    """

    name: ClassVar[str] = "uh_cma_es"
    quantities: ClassVar[Mapping[str, Quantity]] = (
        named.sigma()
        | named.path_length("path_sigma")
        | named.condition("lengths")
        | {
            "repeats": Quantity(
                "evaluations of each point in the next step",
                "1",
                lambda method, state, info: state.times.double(),
            ),
            "uncertainty": Quantity(
                "by how many ranks values changed in the last step, less what is accepted",
                "1",
                lambda method, state, info: None if info is None else info["uncertainty"],
            ),
        }
    )
    sources: ClassVar[tuple[str, ...]] = ("mutation",)
    defaults: ClassVar[Defaults] = (
        distribution.POPULATION
        | SIGMA
        | {
            "lazy": lambda method, task: cma_es.lazy_in_run(method._method(), task),
            "reevaluated": lambda method, task: method.again(method.size(task.dim)),
            "sigma_growth": lambda method, task: _sigma_growth(task.dim),
        }
    )
    population: Annotated[int | None, Ge(2)] = None
    sigma: Annotated[float | None, Gt(0)] = None
    covariance: Literal["full", "diagonal"] = "full"
    active: bool = True
    lazy: Annotated[int | None, Ge(1)] = None
    reevaluated: Annotated[int | None, Ge(1)] = None
    acceptance: Annotated[float, Ge(0), Le(2)] = 0.2
    growth: Annotated[float, Ge(1)] = 1.5
    largest: Annotated[int, Ge(1)] = 30
    sigma_growth: Annotated[float | None, Ge(1)] = None

    def check(self) -> None:
        """Who is evaluated anew is of the population."""
        if self.population is not None:
            self._check_reevaluated(self.population, f"population = {self.population}")

    def check_problem(self, problem: Problem) -> None:
        """Who is evaluated anew is of the population, also of the default one."""
        size = self.size(problem.dim)
        self._check_reevaluated(size, f"{size}, the default population")

    def _check_reevaluated(self, size: int, named_as: str) -> None:
        if (self.reevaluated or 1) > size:
            raise ValueError(
                f"uh_cma_es.reevaluated: expected 1 <= reevaluated <= {named_as}, got {self.reevaluated}"
            )

    def init(self, problem: Problem, streams: Streams) -> State:
        """A run of CMA-ES that evaluates each point once."""
        self.check_problem(problem)
        run = self._method().init(problem, streams)
        return State(*run, repeats=torch.ones_like(run.sigma[:, 0, 0]))

    def ask(self, state: State, streams: Streams) -> Query:
        """The points of CMA-ES and the first K of them again, all t times."""
        points, times = self._method().ask(state.run, streams).points, state.times
        both = torch.cat([points, points[:, : self.again(points.shape[1])]], 1)
        most = torch.arange(int(times.max()), device=times.device)
        alive = (most < times[:, None]).repeat_interleave(both.shape[1], 1)
        return Query(both.repeat(1, len(most), 1), alive=alive)

    def tell(self, state: State, query: Query, answer: Answer, streams: Streams) -> tuple[State, Info]:
        """A step of CMA-ES, then more or fewer evaluations; info: uncertainty (R,), s."""
        size = self.size(query.points.shape[2])
        anew = self.again(size)
        mean = averaged(answer.value.unflatten(1, (-1, size + anew)), state.times)
        seen = uncertainty.twice(mean[:, :size], mean[:, size:])
        order = Answer(uncertainty.places(seen, anew).to(mean.dtype))
        run, _ = self._method().tell(state.run, Query(query.points[:, :size]), order, streams)
        s = uncertainty.uncertainty(seen, anew, per_world(self.acceptance, mean))
        return self._treated(run, state.repeats, s > 0), {"uncertainty": s}

    def _treated(self, run: cma_es.State, repeats: Tensor, uncertain: Tensor) -> State:
        """The state after a step of the run, by whether its ranks were uncertain (R,)."""
        now, rate = repeats.double(), per_world(self.growth, repeats)
        full = uncertain & (now >= self.largest)
        after = torch.where(uncertain, now * rate, now / rate).clamp(1, self.largest)
        wider = _sigma_growth(run.mean.shape[2]) if self.sigma_growth is None else self.sigma_growth
        factor = torch.where(full, per_world(wider, repeats), 1.0).to(run.sigma)[:, None, None]
        return State(*run._replace(sigma=run.sigma * factor), repeats=after.to(repeats))

    def recommend(self, state: State) -> Tensor:
        """The mean: (R, D)."""
        return state.mean[:, 0]

    def center(self, state: State) -> Tensor:
        """The mean: (R, D)."""
        return state.mean[:, 0]

    def size(self, dim: int) -> int:
        """P in D coordinates."""
        return self.population or distribution.default_population(dim)

    def again(self, size: int) -> int:
        """K of so many points."""
        return self.reevaluated or max(2, math.ceil(size / 10))

    def _method(self) -> CMAES:
        return CMAES(
            population=self.population,
            sigma=self.sigma,
            covariance=self.covariance,
            active=self.active,
            lazy=self.lazy,
        )


def _sigma_growth(dim: int) -> float:
    """Alpha_sigma in D coordinates.

    Source: Hansen et al. 2009, section IV.
    """
    return 1 + 2 / (dim + 10)
