"""Consensus-based optimization.

Particles drift to a weighted mean of all, and wander the more the farther from it they are.

With P particles X_i, their losses f_i, and z ~ N(0, I):

    v = sum_i X_i exp(-alpha f_i) / sum_i exp(-alpha f_i)
        (the consensus point; Laplace's principle: v -> argmin f for large alpha)
    dX = -lambda (X - v) dt + sigma |X - v| dB
        (isotropic: Pinnau, Totzeck, Tse and Martin 2017, Math. Models Methods Appl. Sci. 27:183, with sigma
        for sqrt(2) sigma there, and without the Heaviside factor)
    dX = -lambda (X - v) dt + sigma diag(X - v) dB
        (anisotropic: Carrillo, Jin, Li and Zhu 2021, ESAIM: COCV 27:S5)

in steps X <- X - lambda dt (X - v) + sigma sqrt(dt) |X - v| z, or (X - v) z by coordinates. About a point v
that stays where it is, E |X - v|^2 changes per step by the factor (1 - lambda dt)^2 + k sigma^2 dt, in the
limit of small dt by exp[(k sigma^2 - 2 lambda) t]: k = 1 for anisotropic noise, whatever the dimension, and k
= D for isotropic noise. Where all losses are alike v is the mean, and k is (1 - 1 / P) times that.

P values per step, none kept; draws: mutation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, NamedTuple

from annotated_types import Ge, Gt
from torch import Tensor

from landscapes.base import Answer, Problem, Query
from landscapes.numerics import column, norm
from landscapes.streams import Streams
from optimizers import operators
from optimizers.base import Info, Optimizer
from optimizers.fitness import weights
from optimizers.operators import per_world


class State(NamedTuple):
    """The particles that are asked next."""

    points: Tensor  # (R, P, D)
    # (R, D) v of the particles that were evaluated last; the first start before the first step
    consensus: Tensor


@dataclass(frozen=True, kw_only=True)
class Consensus(Optimizer):
    """Consensus-based optimization (CBO), with isotropic or anisotropic noise.

    The recommendation is the consensus point, the center is the mean of the particles.

    Args:
        population: P >= 2 particles.
        alpha: weight of the loss in the consensus, >= 0, per unit of loss; 0: the mean of all.
        drift: lambda >= 0, per unit of time.
        diffusion: sigma >= 0, per root of time.
        step_size: dt > 0, in units of time.
        noise: anisotropic (each coordinate by its own distance from the consensus) or isotropic (all by the
            particle's distance).

    Source: Pinnau, Totzeck, Tse and Martin 2017, Math. Models Methods Appl. Sci. 27:183; Carrillo, Jin, Li
    and Zhu 2021, ESAIM: COCV 27:S5.
    """

    name: ClassVar[str] = "consensus"
    sources: ClassVar[tuple[str, ...]] = ("mutation",)
    population: Annotated[int, Ge(2)] = 64
    alpha: Annotated[float, Ge(0)] = 30.0
    drift: Annotated[float, Ge(0)] = 1.0
    diffusion: Annotated[float, Ge(0)] = 0.7
    step_size: Annotated[float, Gt(0)] = 0.1
    noise: Literal["anisotropic", "isotropic"] = "anisotropic"

    def init(self, problem: Problem, streams: Streams) -> State:
        """The landscape's starts."""
        del streams
        points = problem.start(self.population)
        return State(points, points[:, 0])

    def ask(self, state: State, streams: Streams) -> Query:
        """All particles."""
        del streams
        return Query(state.points)

    def tell(self, state: State, query: Query, answer: Answer, streams: Streams) -> tuple[State, Info]:
        """One step of every particle."""
        del state
        x, consensus = query.points, self._consensus(query.points, answer.value)
        dt = per_world(self.step_size, x)
        pull, kick = per_world(self.drift, x) * dt, per_world(self.diffusion, x) * dt.sqrt()
        away = x - consensus
        reach = away if self.noise == "anisotropic" else norm(away)[..., None]
        x = (
            x
            - column(pull, x) * away
            + column(kick, x) * reach * streams.normal("mutation", x.shape[1:])
        )
        return State(x, consensus[:, 0]), {}

    def individuals(self, state: State) -> tuple[Tensor, Tensor] | None:
        """The particles."""
        return state.points, operators.equal_shares(state.points)

    def recommend(self, state: State) -> Tensor:
        """The consensus point of the particles evaluated last: (R, D)."""
        return state.consensus

    def center(self, state: State) -> Tensor:
        """The mean of the particles: (R, D)."""
        return state.points.mean(1)

    def _consensus(self, points: Tensor, value: Tensor) -> Tensor:
        """The particles' mean, weighted by exp(-alpha f): (R, 1, D)."""
        weight = weights(value, "exponential", self.alpha)
        share = (weight / weight.sum(1, keepdim=True)).to(points.dtype)[..., None]
        return (share * points).sum(1, keepdim=True)
