"""Learning-rate schedules: what multiplies the learning rate after t completed steps.

With u = t / steps and c = `factor`, the multiplier that every kind reaches at t = steps:
  constant      1
  step          c ** floor(u)
  exponential   c ** u
  cosine        c + (1 - c) (1 + cos(pi min(u, 1))) / 2    (Loshchilov and Hutter 2017, "SGDR", ICLR, equation 5, one cycle)
  inverse_time  1 / (1 + u (1 / c - 1))                     (the 1/t law of Robbins and Monro 1951, Ann. Math. Stat. 22:400)
A warm-up of w steps comes first and multiplies by (t + 1) / w; t counts from its end.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import torch
from annotated_types import Ge, Gt, Le
from torch import Tensor

from landscapes.base import Parameters, column

FACTORS = {"step": 0.1, "exponential": 0.1, "cosine": 0.0, "inverse_time": 0.5}  # `factor` where none is given


@dataclass(frozen=True, kw_only=True)
class Schedule(Parameters):
    """How a learning rate changes with the number of completed steps.

    Args:
        kind: the law, see the module.
        steps: after so many steps the multiplier is `factor`; steps > 0; none for constant.
        factor: the multiplier reached after `steps` steps, 0 < factor <= 1, for cosine also 0; None: 0.1 for step and exponential, 0 for cosine,
            0.5 for inverse_time.
        warmup: steps of linear warm-up before, >= 0.
    """

    name: ClassVar[str] = "schedule"
    kind: Literal["constant", "step", "exponential", "cosine", "inverse_time"] = "constant"
    steps: Annotated[int | None, Gt(0)] = None
    factor: Annotated[float | None, Ge(0), Le(1)] = None
    warmup: Annotated[int, Ge(0)] = 0

    def check(self) -> None:
        """`steps` and `factor` belong to every kind but constant."""
        if self.kind == "constant":
            given = [key for key in ("steps", "factor") if getattr(self, key) is not None]
            if given:
                raise ValueError(f"schedule.{given[0]}: expected none for a constant schedule, got {getattr(self, given[0])}; name another kind")
        elif self.steps is None:
            raise ValueError(f"schedule.steps: expected a number of steps > 0 for kind {self.kind!r}, got None")
        elif self.factor == 0 and self.kind != "cosine":
            raise ValueError(f"schedule.factor: expected > 0 for kind {self.kind!r}, got 0")

    def multiplier(self, step: Tensor) -> Tensor:
        """What multiplies the learning rate after `step` (R,) completed steps: (R,) float64."""
        warm = ((step + 1).double() / self.warmup).clamp_max(1.0) if self.warmup else 1.0
        return warm * self._after_warmup((step - self.warmup).clamp_min(0).double())

    def rate(self, base: float | Tensor, step: Tensor, like: Tensor) -> float | Tensor:
        """The learning rate after `step` (R,) completed steps, ready to broadcast against `like` (R, P, D)."""
        if self.kind == "constant" and not self.warmup:
            return column(base, like)
        return column(self.multiplier(step) * base, like)

    def _after_warmup(self, t: Tensor) -> Tensor:
        if self.kind == "constant":
            return torch.ones_like(t)
        u, c = t / float(self.steps or 1), FACTORS[self.kind] if self.factor is None else self.factor
        if self.kind == "cosine":
            return c + (1 - c) * 0.5 * (1 + torch.cos(math.pi * u.clamp_max(1.0)))
        if self.kind == "inverse_time":
            return 1 / (1 + u * (1 / c - 1))
        return torch.exp(math.log(c) * (u.floor() if self.kind == "step" else u))
