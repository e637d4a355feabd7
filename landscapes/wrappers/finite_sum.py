"""Any smooth landscape as the mean of terms whose gradients have a set law.

Normal, skewed, rare or heavy-tailed; steady or in bursts.

Term i of M is L(x) + b(t) g_i' (x - x*), where the g_i sum to zero and have the standard deviation sigma_j
along coordinate j, exactly (the normaliser is M): the mean of the terms is L, and the gradient of B terms
drawn with replacement has the variance b^2 sigma_j^2 / B along j, whatever x. x* is the known optimum of L,
else the origin. Coordinates of the g_i are uncorrelated where the law is normal (`linear_terms`), else drawn
independently.

    normal        Gaussian
    exponential   of skewness 2
    student       t with `tail` degrees of freedom
    rare          in a share p of the terms, `rarity`, sqrt((1 - p) / p), in the others -sqrt(p / (1 - p)):
                  Chebyshev's bound is nearly reached
    pareto        Lomax, P(g > y) ~ y^-tail

The M terms have the variance sigma^2 also where the law's own is infinite (`tail` <= 2): then a few terms
hold most of it, and a pilot of n << M terms sees less.

Bursts: b(t) = `burst` in the first `burst_length` of every `burst_every` steps, else 1. The loss of all terms
stands still.

Streams: "instance" (part 1001 the g_i; the inner landscape draws below 1000).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal, Self

import torch
from annotated_types import Ge, Gt, Lt
from torch import Tensor

from landscapes import addresses
from landscapes.base import Domain, Landscape, Reals, Terms, per_instance
from landscapes.checks import UNBOUND, check_bound, check_points
from landscapes.continuous.linear_terms import draw_slopes, slope
from landscapes.numerics import dot
from landscapes.streams import Streams
from landscapes.together import of_worlds
from landscapes.wrappers.around import Around

_PART = addresses.first("parts of instance", "terms of a finite sum")
_LEAST = 2.0**-25  # half of the smallest uniform number above 0


@dataclass(frozen=True, kw_only=True)
class FiniteSum(Around):
    """Any smooth landscape as the mean of terms with a set law of gradient noise, steady or in bursts.

    The loss of all terms is the inner landscape's; a mini-batch of B of the M terms sees it with additive
    noise of its gradient, of variance (noise_scale noise_axes_j)^2 / B along coordinate j.

    Source: Mandt, Hoffman and Blei 2017, JMLR 18 (additive noise); Simsekli, Sagun and Gurbuzbalaban 2019,
    ICML (heavy tails).

    Args:
        inner: a landscape on real coordinates with a slope, of one term, no game.
        terms: M, more than dim.
        law: of the terms' gradients: normal, exponential (skewed), student, rare or pareto (heavy tails).
        noise_scale: standard deviation of the terms' gradients along every coordinate, >= 0.
        noise_axes: D factors of it, one for each coordinate, >= 0; none: all are 1.
        tail: degrees of freedom of student, exponent of pareto, > 0.
        rarity: share of the terms that carry a rare gradient, 0 < rarity < 1, rounded to whole terms.
        burst: factor of the noise within a burst, >= 0; 1: there are none.
        burst_every: steps from the begin of a burst to that of the next, >= 1.
        burst_length: steps of a burst, >= 1.
    """

    name: ClassVar[str] = "finite_sum"
    inner: Landscape
    terms: Annotated[int, Ge(2)] = 100
    law: Literal["normal", "exponential", "student", "rare", "pareto"] = "normal"
    noise_scale: Annotated[float, Ge(0)] = 1.0
    noise_axes: tuple[Annotated[float, Ge(0)], ...] = ()
    tail: Annotated[float, Gt(0)] = 2.5
    rarity: Annotated[float, Gt(0), Lt(1)] = 0.01
    burst: Annotated[float, Ge(0)] = 1.0
    burst_every: Annotated[int, Ge(1)] = 20
    burst_length: Annotated[int, Ge(1)] = 1
    slopes: Tensor = field(init=False, repr=False, compare=False, default=UNBOUND)  # (R, M, D) the g_i
    center: Tensor = field(init=False, repr=False, compare=False, default=UNBOUND)  # (R, D) x*
    # (R, 1) each: the factor of a burst
    numbers: tuple[Tensor, ...] = field(init=False, repr=False, compare=False, default=())

    def check(self) -> None:
        """The inner landscape must be a smooth one of one term, and the axes as many as its coordinates."""
        for wrong, expected in (
            (not isinstance(self.inner.domain, Reals), "a landscape on real coordinates"),
            (self.inner.terms > 1, "a landscape of one term"),
            (len(self.inner.players) > 1, "a landscape of one player"),
            (not self.inner.sloped, "a landscape with a slope"),
            (
                self._bursts and self.inner.clock == "cost",
                "a landscape that stands still or moves by steps",
            ),
        ):
            if wrong:
                raise ValueError(f"finite_sum.inner: expected {expected}, got {self.inner!r}")
        if self.terms <= self.dim:
            raise ValueError(f"finite_sum.terms: expected more than dim = {self.dim}, got {self.terms}")
        self._check_axes()

    def _check_axes(self) -> None:
        if self.noise_axes and len(self.noise_axes) != self.dim:
            raise ValueError(
                f"finite_sum.noise_axes: expected {self.dim} numbers, one for each coordinate, or none; got"
                f" {len(self.noise_axes)}"
            )
        if any(not value >= 0 for value in self.noise_axes):
            raise ValueError(
                f"finite_sum.noise_axes: expected numbers >= 0, got {list(self.noise_axes)}"
            )

    @property
    def domain(self) -> Domain:
        """As the inner landscape."""
        return self.inner.domain

    @property
    def clock(self) -> Literal["step", "cost"] | None:
        """Steps, where the noise comes in bursts; else as the inner landscape."""
        return "step" if self._bursts else self.inner.clock

    @property
    def form(self) -> tuple[object, ...]:
        """Whether it has bursts."""
        return (self._bursts,)

    @property
    def extras(self) -> Mapping[str, tuple[str, str]]:  # type: ignore[override]
        """As the inner landscape."""
        return self.inner.extras

    @property
    def optimum(self) -> Tensor | None:  # type: ignore[override]
        """As the inner landscape."""
        return self.inner.optimum

    @property
    def optima(self) -> Tensor | None:
        """As the inner landscape."""
        return self.inner.optima

    @property
    def place_known(self) -> bool:
        """As the inner landscape."""
        return self.inner.place_known

    def optima_at(self, time: Tensor | None = None) -> Tensor | None:
        """As the inner landscape."""
        return self.inner.optima_at(time)

    def bind(self, streams: Streams) -> Self:
        """Bind the inner landscape and draw the terms."""
        inner = self.inner.bind(streams)
        origin = torch.zeros((streams.size, self.dim), dtype=streams.dtype, device=streams.device)
        return self.bound(
            inner=inner,
            slopes=per_instance(streams, self._draw),
            center=origin if inner.optimum is None else inner.optimum,
            numbers=of_worlds(streams, self.burst),
        )

    def loss(self, x: Tensor, terms: Terms | None = None, time: Tensor | None = None) -> Tensor:
        """The inner loss of x (R, P, D), or that of a mini-batch at step time (R,) -> (R, P)."""
        check_points(self, x)
        check_bound(self.name, x, self.center)
        value = self.inner.loss(x, None, time if self.inner.clock else None)
        if terms is None:
            return value
        tilt = dot(slope(self.slopes, terms), x - self.center[:, None])
        if self._bursts and time is not None:
            tilt = self._factor(time) * tilt
        return terms.weight.sum(-1) * value + tilt

    def start(self, streams: Streams, n: int) -> Tensor:
        """The inner landscape's starts."""
        return self.inner.start(streams, n)

    def observe(self, value: Tensor, points: Tensor, streams: Streams) -> Tensor:
        """As the inner landscape."""
        return self.inner.observe(value, points, streams)

    def solution_loss(self, x: Tensor, time: Tensor | None = None) -> Tensor:
        """As the inner landscape."""
        return self.inner.solution_loss(x, time if self.inner.clock else None)

    def measures(self, x: Tensor) -> dict[str, Tensor]:
        """The inner landscape's."""
        return self.inner.measures(x)

    # the noise ----------------------------------------------------------------------------------------------

    @property
    def _bursts(self) -> bool:
        return self.burst != 1.0

    def _factor(self, time: Tensor) -> Tensor:
        """The factor (R, 1) of the noise at steps (R,)."""
        inside = time.remainder(self.burst_every) < self.burst_length
        return torch.where(inside[:, None], self.numbers[0], 1.0)

    def _deviations(self) -> Tensor:
        """sigma_j, (D,) float64."""
        axes = self.noise_axes or (1.0,) * self.dim
        return self.noise_scale * torch.tensor(axes, dtype=torch.float64)

    def _draw(self, streams: Streams) -> Tensor:
        """The g_i of instances, (I, M, D)."""
        deviations = self._deviations()
        if self.law == "normal":
            return draw_slopes(streams, self.terms, deviations, _PART)
        uniform = streams.uniform("instance", (self.terms, self.dim), _PART).double()
        drawn = self._drawn(uniform.clamp_min(_LEAST))
        away = drawn - drawn.mean(1, keepdim=True)
        deviation = away.square().mean(1, keepdim=True).sqrt()
        return (away / deviation * deviations.to(away)).to(streams.dtype)

    def _drawn(self, uniform: Tensor) -> Tensor:
        """Numbers of the law from uniform ones (I, M, D), whatever their mean and scale."""
        if self.law == "exponential":
            return -torch.log1p(-uniform)
        if self.law == "pareto":
            return (1 - uniform) ** (-1 / self.tail)
        if self.law == "student":
            return _student(uniform, self.tail)
        rank = uniform.argsort(dim=1, stable=True).argsort(dim=1)
        rare = min(max(1, round(self.rarity * self.terms)), self.terms - 1)
        return (rank < rare).double()


def _student(uniform: Tensor, freedom: float) -> Tensor:
    """Quantiles of Student's t."""
    from scipy.special import stdtrit

    return torch.from_numpy(stdtrit(freedom, uniform.cpu().numpy())).to(uniform)
