"""Any landscape with an optimum that moves.

It drifts, jumps, goes round or walks at random, per step or per evaluation spent.

L(x, t) = L_inner(x - d(t)) on real coordinates and L_inner(x XOR m(t)) on bits, the masks of Yang and Yao
(2005): the shape of the landscape stays, its place moves. At time 0 it is the inner landscape. Paths and
their laws are in `landscapes.wrappers.paths`.

Streams: "instance" (part 1000 the path; the inner landscape draws below it).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal, Self

import torch
from annotated_types import Ge, Gt, Le
from torch import Tensor

from landscapes import addresses
from landscapes.base import Bits, Domain, Landscape, Letters, Terms, per_instance
from landscapes.checks import UNBOUND, check_bound, check_chances, check_points
from landscapes.numerics import dot, power
from landscapes.streams import Streams
from landscapes.together import of_worlds
from landscapes.wrappers import paths
from landscapes.wrappers.around import Around

_PART = addresses.first("parts of instance", "path of a moving landscape")
Numbers = Callable[..., tuple[Tensor, ...]]  # numbers -> a table (R, 1) float64 of each


@dataclass(frozen=True, kw_only=True)
class Moving(Around):
    """Any landscape with a moving optimum: along a line, by jumps, on a cycle or on a random walk.

    linear: at `speed` in a random direction; bits: so many flips per unit of time, the loci in random order
    and around again. jump: at each multiple of `period` to a fresh normal displacement of standard deviation
    `radius` in each coordinate; bits: a fresh mask. cycle: once per `period` on a circle of `radius` in a
    random plane; bits: through `masks` masks, the first of them empty. random_walk: Brownian, of standard
    deviation `step` per unit of time in each coordinate; bits: at each multiple of `period` each locus flips
    with chance `severity`. Masks flip each locus with chance `severity`.

    The inner landscape stands still, has no noise law of its own (that may depend on the place, and is not
    told the time), and on real coordinates no bounds. Its `measures` are left out: they are not told the time
    either. `optimum_at(time)` says where the optimum is.

    Source: Yang and Yao 2005, Soft Computing 9 (masks of bits); Lynch and Lande 1993 (moving optimum); Levy
    1948 (the walk).

    Args:
        inner: the landscape that moves.
        path: linear, in a random direction at `speed`; jump, to a fresh place at each multiple of `period`;
            cycle, around once per `period`; random_walk, by steps of `step` (bits: `severity`).
        clock: what time counts: step, completed steps; cost, evaluations spent.
        speed: of a line, in length of x (bits: loci) per unit of time, >= 0.
        radius: of jumps and of the circle, in length of x, >= 0.
        step: of the random walk, in length of x per square root of a unit of time, >= 0.
        period: of jumps, cycles and walks of bits, in units of time, > 0.
        severity: chance that a mask flips a locus, 0 <= severity <= 1.
        masks: different masks in a cycle of bits, >= 2.
    """

    name: ClassVar[str] = "moving"
    inner: Landscape
    path: Literal["linear", "jump", "cycle", "random_walk"] = "linear"
    clock: Literal["step", "cost"] = "step"
    speed: Annotated[float, Ge(0)] = 0.01
    radius: Annotated[float, Ge(0)] = 1.0
    step: Annotated[float, Ge(0)] = 0.01
    period: Annotated[float, Gt(0)] = 100.0
    severity: Annotated[float, Ge(0), Le(1)] = 0.1
    masks: Annotated[int, Ge(2)] = 2
    # (R,) int64 numbers of the instances
    instances: Tensor = field(init=False, repr=False, compare=False, default=UNBOUND)
    # (R, 1) float64, times are below it
    limit: Tensor = field(init=False, repr=False, compare=False, default=UNBOUND)
    # where the optimum is
    displacement: paths.Path | None = field(init=False, repr=False, compare=False, default=None)

    def check(self) -> None:
        """The inner landscape must be one that can be moved."""
        domain, wanted = self.inner.domain, None
        if self.inner.clock is not None:
            wanted = "a landscape that stands still"
        elif self.inner.noisy:
            wanted = "a landscape without a noise law of its own"
        elif isinstance(domain, Letters):
            wanted = "a landscape on reals or bits"
        elif not isinstance(domain, Bits) and domain.bounded:
            wanted = "a landscape without bounds, which its optimum would leave"
        elif self.path == "cycle" and self.inner.dim < 2 and not isinstance(domain, Bits):
            wanted = "2 dimensions or more for a circle"
        if wanted:
            raise ValueError(f"moving.inner: expected {wanted}, got {self.inner!r}")

    @property
    def domain(self) -> Domain:
        """As the inner landscape; starts are where its optimum is at time 0."""
        return self.inner.domain

    def bind(self, streams: Streams) -> Self:
        """Bind the inner landscape and draw the path."""
        each = functools.partial(of_worlds, streams, dtype=torch.float64)
        (limit,) = each(paths.HORIZON * min(1.0, self.period))
        path = self._masks if isinstance(self.domain, Bits) else self._displacements
        return self.bound(
            inner=self.inner.bind(streams),
            displacement=path(streams, each),
            limit=limit,
            instances=streams.worlds.to(streams.device),
        )

    def loss(self, x: Tensor, terms: Terms | None = None, time: Tensor | None = None) -> Tensor:
        """The inner loss of x (R, P, D) seen from the optimum at time (R,): (R, P), or (R, P, players).

        None: time 0.
        """
        return self.inner.loss(self._seen(x, time), terms)

    def extension(self, p: Tensor, terms: Terms | None = None, time: Tensor | None = None) -> Tensor:
        """The inner extension at chances p (R, P, D), those of flipped loci turned round -> (R, P)."""
        check_chances(self, p)
        check_bound(self.name, p, self.instances)
        return self.inner.extension(torch.where(self._at(time)[:, None], 1 - p, p), terms)

    def start(self, streams: Streams, n: int) -> Tensor:
        """The inner landscape's starts."""
        return self.inner.start(streams, n)

    def solution_loss(self, x: Tensor, time: Tensor | None = None) -> Tensor:
        """The inner landscape's, seen from the optimum at this time."""
        return self.inner.solution_loss(self._seen(x, time))

    @property
    def place_known(self) -> bool:
        """As the inner landscape."""
        return self.inner.place_known

    def optimum_at(self, time: Tensor) -> Tensor | None:
        """The inner optimum moved to time (R,) -> (R, D); None where it is not known."""
        rest = self.inner.optimum
        return None if rest is None else self._moved(rest[:, None], time)[:, 0]

    def optima_at(self, time: Tensor | None = None) -> Tensor | None:
        """All inner optima that are known moved to time (R,) -> (R, K, D); None where none is."""
        rest = self.inner.optima
        return None if rest is None else self._moved(rest, time)

    def _moved(self, rest: Tensor, time: Tensor | None) -> Tensor:
        """Points (R, K, D) of the inner landscape, where they are at time (R,)."""
        at = self._at(time)[:, None]
        return rest ^ at if isinstance(self.domain, Bits) else rest + at.to(rest)

    def _seen(self, x: Tensor, time: Tensor | None) -> Tensor:
        """Points x (R, P, D) in the frame of the inner landscape."""
        check_points(self, x)
        check_bound(self.name, x, self.instances)
        return (
            x ^ self._at(time)[:, None]
            if isinstance(self.domain, Bits)
            else x - self._at(time)[:, None].to(x)
        )

    def _at(self, time: Tensor | None) -> Tensor:
        """Displacement (R, D) float64, or mask (R, D) bool, at time (R,)."""
        now = (
            self.instances.new_zeros(len(self.instances), dtype=torch.float64) if time is None else time
        )
        limit = self.limit[:, 0]
        if now.shape != self.instances.shape or not bool(((now >= 0) & (now < limit)).all()):
            least = float(limit.min())
            raise ValueError(
                f"{self.name}: expected one time of 0 <= time < {least:g} for each of {len(self.instances)}"
                f" worlds, got {time}"
            )
        return self.displacement(now.double())  # type: ignore[misc]

    # paths --------------------------------------------------------------------------------------------------

    def _displacements(self, streams: Streams, each: Numbers) -> paths.Path:
        if self.path == "jump":
            return paths.Jumps(self._drawn(streams, "normal"), *each(self.radius, self.period))
        if self.path == "random_walk":
            return paths.Walk(self._drawn(streams, "normal"), *each(self.step))
        first, second = per_instance(streams, self._directions).unbind(1)
        if self.path == "linear":
            return paths.Line(self.speed * first)
        turn = each(2 * math.pi / self.period)
        return paths.Circle(self.radius * first, self.radius * second, *turn)

    def _drawn(self, streams: Streams, law: Literal["uniform", "normal"]) -> paths.Kept:
        return paths.Kept(paths.Numbered(streams.keyed("instance", _PART), law, self.dim))

    def _directions(self, streams: Streams) -> Tensor:
        """Two orthogonal unit vectors, (I, 2, D) float64.

        The first alone is uniform on the sphere, whatever D.
        """
        first, other = streams.normal("instance", (2, self.dim), _PART).double().unbind(1)
        first = _unit(first)
        return torch.stack((first, _unit(other - dot(first, other)[:, None] * first)), 1)

    def _masks(self, streams: Streams, each: Numbers) -> paths.Path:
        severity, period = each(self.severity, self.period)
        if self.path == "jump":
            return paths.FreshMasks(self._drawn(streams, "uniform"), severity, period)
        if self.path == "random_walk":
            flips = each(*paths.walk_chances(self.severity))
            return paths.MaskWalk(self._drawn(streams, "uniform"), period, flips)
        if self.path == "linear":
            places = per_instance(streams, lambda s: s.permutation("instance", self.dim, part=_PART))
            return paths.Turns(places, *each(self.speed))
        masks = per_instance(
            streams, lambda s: s.bernoulli("instance", self.severity, (self.masks - 1, self.dim), _PART)
        )
        each_mask = each(self.period / self.masks)
        return paths.Round(torch.nn.functional.pad(masks, (0, 0, 1, 0)), *each_mask)


def _unit(vector: Tensor) -> Tensor:
    return vector * power(dot(vector, vector), -0.5)[:, None]
