"""Workers in virtual time: how long a service takes, who finishes first, what a barrier waits for.

With u uniform on [0, 1) and a = `shape`, one service takes

    constant             scale
    exponential          -scale log(1 - u)
    shifted_exponential  offset - scale log(1 - u)
    pareto               scale (1 - u)^(-1 / a)

and `slowdown` times as long at each of the first `stragglers` workers. Let T be one service time, H_n = 1 +
1/2 + .. + 1/n. Workers that never wait finish W / E T services per unit of time; W that wait for each other
(W of them per barrier) are slower by E max(T_1 .. T_W) / E T:

    H_W,   (offset + H_W scale) / (offset + scale),   Gamma(W + 1) Gamma(1 - 1/a) / Gamma(W + 1 - 1/a)

for the three random laws, 1 for the constant one; a barrier that does not wait for the b slowest takes (H_W -
H_b) scale where services are exponential (Renyi 1953, Acta Math. Hung. 4:191). A worker that never waits sees
W - 1 updates of the others during a service, on average over all updates, whatever the law: the staleness of
what it delivers.

Time is in units of `scale`. What is stored is the time left, so that no precision is lost as time goes on.
Source "staleness", by worker.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import torch
from annotated_types import Ge, Gt
from torch import Tensor

from landscapes.parameters import Parameters
from landscapes.streams import Streams
from optimizers.operators import per_world

FINE = 2**53  # values of a uniform number
RECORDED = {
    "clock": ("virtual_time", "virtual time so far; NaN before the first step", "virtual time"),
    "staleness": (
        "staleness",
        "updates since the points asked in the last step were made, their mean; NaN before the first step",
        "steps",
    ),
}


@dataclass(frozen=True, kw_only=True)
class Service(Parameters):
    """The law of the time that a worker needs for one evaluation.

    Args:
        kind: the law of one service, u uniform: constant scale; exponential -scale log(1 - u);
            shifted_exponential offset - scale log(1 - u); pareto scale (1 - u)^(-1 / shape).
        scale: the time itself, the mean of the exponential part, or the shortest time of pareto; > 0, in
            units of virtual time.
        offset: the shortest time of shifted_exponential, >= 0, in units of virtual time; none for the others.
        shape: a > 1, the exponent of pareto, of which the mean is a scale / (a - 1); none for the others.
        stragglers: how many workers are slow, >= 0.
        slowdown: how many times as long they take, >= 1.
    """

    name: ClassVar[str] = "service"
    kind: Literal["constant", "exponential", "shifted_exponential", "pareto"] = "exponential"
    scale: Annotated[float, Gt(0)] = 1.0
    offset: Annotated[float | None, Ge(0)] = None
    shape: Annotated[float | None, Gt(1)] = None
    stragglers: Annotated[int, Ge(0)] = 0
    slowdown: Annotated[float, Ge(1)] = 1.0

    def check(self) -> None:
        """`offset` belongs to shifted_exponential and `shape` to pareto."""
        for field, kind in (("offset", "shifted_exponential"), ("shape", "pareto")):
            value = getattr(self, field)
            if (value is None) == (self.kind == kind):
                expected = "a number" if self.kind == kind else "none"
                raise ValueError(
                    f"service.{field}: expected {expected} for kind {self.kind!r}, got {value}"
                )

    def fits(self, name: str, workers: int) -> None:
        """Raise ValueError unless the optimizer `name` has as many workers as are slow."""
        if self.stragglers > workers:
            raise ValueError(
                f"{name}.service.stragglers: expected at most workers = {workers}, got {self.stragglers}"
            )

    def draw(self, streams: Streams, who: Tensor, evaluations: int = 1) -> Tensor:
        """The time until each of the workers who (R, n) has made so many evaluations, one after the other.

        Returns:
            (R, n) in the dtype of the streams; the same draws, 53 bits each, in every dtype.
        """
        count = who.shape[1]
        u = streams.integers("staleness", FINE, (count * evaluations,)).double() / FINE
        times = self.times(u, who.repeat_interleave(evaluations, 1))
        return times.reshape(-1, count, evaluations).sum(-1).to(streams.dtype)

    def times(self, u: Tensor, who: Tensor) -> Tensor:
        """The service times at the uniform numbers u (R, n) of the workers who (R, n): (R, n) float64."""
        scale, slowdown = (per_world(value, u)[:, None] for value in (self.scale, self.slowdown))
        return torch.where(who < self.stragglers, slowdown, 1.0) * self._ordinary(
            scale, torch.log(1 - u)
        )

    def _ordinary(self, scale: Tensor, log: Tensor) -> Tensor:
        """The times of an ordinary worker at log(1 - u)."""
        if self.kind == "constant":
            return scale.expand_as(log)
        if self.shape is not None:  # pareto
            return scale * torch.exp(-log / per_world(self.shape, log)[:, None])
        exponential = -scale * log
        return (
            exponential if self.offset is None else per_world(self.offset, log)[:, None] + exponential
        )


def everybody(workers: int, worlds: int, device: torch.device) -> Tensor:
    """All workers of each world: (R, W) int64."""
    return torch.arange(workers, device=device).expand(worlds, -1)


def finished(left: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The first `count` workers to finish, ties by number, and the time until the last of these has.

    Args:
        left: (R, W) time left to each.
        count: 1: the first finisher; W: a barrier; W - b: a barrier that does not wait for the b slowest.

    Returns:
        Their numbers in ascending order (R, count) int64, and the time (R, 1).
    """
    if count == 1:  # an event needs no sorting
        who = left.argmin(1, keepdim=True)
        return who, left.gather(1, who)
    who = left.argsort(dim=1, stable=True)[:, :count]
    return who.sort(1).values, left.gather(1, who[:, -1:])


def advanced(clock: Tensor, elapsed: Tensor) -> Tensor:
    """The clock (R, 2), a sum and what rounding left out of it, after more time (R, 1).

    Two numbers hold what one would lose in float32.

    Source: Knuth 1969, "The art of computer programming", volume 2, section 4.2.2, theorem B.
    """
    total, more = clock[:, :1], elapsed + clock[:, 1:]
    later = total + more
    part = later - total
    return torch.cat([later, (total - (later - part)) + (more - part)], 1)
