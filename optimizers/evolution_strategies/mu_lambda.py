"""The (mu/mu_w, lambda) evolution strategy with cumulative step-size adaptation.

Weighted recombination and one step size, no covariance.

With P = lambda points x_i = m + sigma z_i, z_i ~ N(0, I), ranked from best to worst, and weights w_k of the
best mu (sum 1):

    shift = sum_{k <= mu} w_k z_k,    m <- m + sigma shift
    p     <- (1 - c) p + sqrt(c (2 - c) mu_eff) shift
    sigma <- sigma exp(c / d (|p| / E |N(0, I)| - 1))
        (Ostermeier, Gawelczyk, Hansen 1994; Hansen 2016, arXiv:1604.00772, equations 43, 44)

c = (mu_eff + 2) / (D + mu_eff + 5) and d = 1 + c + 2 max(0, sqrt((mu_eff - 1) / (D + 1)) - 1). With equal
weights this is the (mu/mu, lambda)-ES of Beyer 2001. The z_k are recovered as (x_k - m) / sigma, after
rounding. P values per step; draws: mutation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, ClassVar, Literal, NamedTuple

import torch
from annotated_types import Ge, Gt
from torch import Tensor

from landscapes.base import Answer, Problem, Query
from landscapes.parameters import Defaults
from landscapes.streams import Streams
from optimizers import quantities as named
from optimizers.base import Info, Optimizer, Quantity
from optimizers.defaults import SIGMA
from optimizers.evolution_strategies import distribution


class State(NamedTuple):
    """The search distribution N(m, sigma^2 I) and its evolution path."""

    mean: Tensor  # (R, 1, D) m
    sigma: Tensor  # (R, 1, 1)
    path: Tensor  # (R, 1, D) p


@dataclass(frozen=True, kw_only=True)
class MuLambda(Optimizer):
    """(mu/mu_w, lambda) evolution strategy with cumulative step-size adaptation.

    Args:
        population: lambda >= 2; None: 4 + floor(3 ln D).
        parents: mu, 1 <= mu <= lambda; None: lambda / 2, rounded down.
        weights: log (those of CMA-ES, falling with the rank) or equal (1 / mu).
        sigma: initial standard deviation, > 0, in units of x; None: 0.3 of the width of the start box.
        damping: d > 0; None: as in the module; infinite: sigma never changes.

    Source: Ostermeier, Gawelczyk, Hansen 1994, PPSN III, 189; Beyer 2001, "The theory of evolution
    strategies".
    """

    name: ClassVar[str] = "mu_lambda"
    quantities: ClassVar[Mapping[str, Quantity]] = named.sigma() | named.path_length("path")
    sources: ClassVar[tuple[str, ...]] = ("mutation",)
    defaults: ClassVar[Defaults] = (
        distribution.POPULATION
        | SIGMA
        | {
            "parents": lambda method, task: method.size(task.dim) // 2,
            "damping": lambda method, task: method.damping_of(task.dim),
        }
    )
    population: Annotated[int | None, Ge(2)] = None
    parents: Annotated[int | None, Ge(1)] = None
    weights: Literal["log", "equal"] = "log"
    sigma: Annotated[float | None, Gt(0)] = None
    damping: Annotated[float | None, Gt(0)] = None

    def check(self) -> None:
        """Parents are chosen among the offspring."""
        if self.parents is not None and self.population is not None and self.parents > self.population:
            raise ValueError(
                f"mu_lambda.parents: expected 1 <= parents <= population = {self.population}, got"
                f" {self.parents}"
            )

    def check_problem(self, problem: Problem) -> None:
        """Parents are chosen among the offspring, also of the default number."""
        size = self.size(problem.dim)
        if (self.parents or 1) > size:
            raise ValueError(
                f"mu_lambda.parents: expected 1 <= parents <= {size}, the default population, got"
                f" {self.parents}; set population"
            )

    def init(self, problem: Problem, streams: Streams) -> State:
        """The mean at the first start."""
        del streams
        self.check_problem(problem)
        mean = problem.start(1)
        return State(
            mean, distribution.start_sigma(self.sigma, problem, mean[..., :1]), torch.zeros_like(mean)
        )

    def ask(self, state: State, streams: Streams) -> Query:
        """Lambda points around the mean."""
        dim = state.mean.shape[-1]
        return Query(state.mean + state.sigma * streams.normal("mutation", (self.size(dim), dim)))

    def tell(self, state: State, query: Query, answer: Answer, streams: Streams) -> tuple[State, Info]:
        """Recombine the best and adapt sigma."""
        del streams
        z = (distribution.ranked(query.points, answer.value) - state.mean) / state.sigma
        w, size = self._recombined(z.shape[1])
        shift = distribution.weighted_sum(w, z)
        c, d = distribution.path_constants(z.shape[2], size)
        path = distribution.cumulated(state.path, shift, c, size)
        damping = d if self.damping is None else self.damping
        return (
            State(
                state.mean + state.sigma * shift,
                state.sigma * distribution.path_length_control(path, c, damping),
                path,
            ),
            {},
        )

    def recommend(self, state: State) -> Tensor:
        """The mean: (R, D)."""
        return state.mean[:, 0]

    def center(self, state: State) -> Tensor:
        """The mean: (R, D)."""
        return state.mean[:, 0]

    def size(self, dim: int) -> int:
        """Lambda in D coordinates."""
        return self.population or distribution.default_population(dim)

    def damping_of(self, dim: int) -> float:
        """The damping d in D coordinates where none is given."""
        return distribution.path_constants(dim, self._recombined(self.size(dim))[1])[1]

    def _recombined(self, size: int) -> tuple[Tensor, float]:
        """Weights (mu,) of so many points, and their mu_eff."""
        return _weights(self.weights, self.parents, size)


@cache
def _weights(kind: str, given: int | None, size: int) -> tuple[Tensor, float]:
    """Weights (mu,), and their mu_eff.

    log: ln((lambda + 1) / 2) - ln k with mu = lambda / 2, ln(mu + 1/2) - ln k with another.
    """
    parents = given or size // 2
    raw = torch.ones(parents, dtype=torch.float64)
    if kind == "log":
        raw = distribution.log_weights(size if given is None else 2 * parents)[:parents]
    weights = torch.full_like(raw, 1 / parents) if kind == "equal" else raw / raw.sum()
    return weights, distribution.effective_size(weights)
