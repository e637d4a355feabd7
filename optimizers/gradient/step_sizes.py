"""Step sizes that follow the noise observed in the gradients.

What multiplies the learning rate of the schedule.

Of every trajectory a running mean m and variance s^2 (the mean over coordinates) of its gradients g_1 .. g_t
are kept, exponential with a memory of N of them, and plain means until N are seen (West 1979, Comm. ACM
22:532), and r, the running mean of s^2 with a longer memory N':

    a = max(1 / N, 1 / t),    s^2 <- (1 - a) (s^2 + a |g - m|^2 / D),    m <- m + a (g - m)
    r <- r + max(1 / N', 1 / t) (s^2 - r)

so s^2 estimates the variance sigma^2 / n of a gradient of n terms, too low by a share of about 1 / (2 N - 1).
The multiplier is
  clt               1 - p,  p = 2 Phi(-Delta / s) = 2 Phi(-Delta sqrt(n) / sigma), by the central
                    limit theorem the chance that a coordinate of the gradient is further off
                    than the tolerance Delta
  inverse_variance  min(1, r / s^2): a step weighs its gradient by the inverse of its variance (Aitken 1936,
                    Proc. R. Soc. Edinburgh 55:42) as far as that is above its long-run mean
Under noise of constant variance both are constant rescalings at best; they gain where the variance varies
with time. s^2 sees the latest gradient before the step along it. A change of the mean within the memory, as
at the start of a descent, counts as noise.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import torch
from annotated_types import Ge, Gt
from torch import Tensor

from landscapes.numerics import norm
from landscapes.parameters import Parameters
from optimizers.operators import per_world


@dataclass(frozen=True, kw_only=True)
class StepSize(Parameters):
    """How the noise observed in the gradients shortens the steps.

    Args:
        kind: scheduled, not at all; clt, by the chance of a gradient that is off by more than the tolerance;
            inverse_variance.
        tolerance: Delta > 0, of one coordinate of the gradient, in units of loss per x; with clt, else None.
        memory: N >= 2, gradients in the running mean and variance.
        long_memory: N' >= 2, gradients in the running mean of that variance; used by inverse_variance.
    """

    name: ClassVar[str] = "step_size"
    kind: Literal["scheduled", "clt", "inverse_variance"] = "scheduled"
    tolerance: Annotated[float | None, Gt(0)] = None
    memory: Annotated[float, Ge(2)] = 10.0
    long_memory: Annotated[float, Ge(2)] = 1000.0

    def check(self) -> None:
        """The tolerance belongs to clt."""
        if (self.tolerance is None) == (self.kind == "clt"):
            raise ValueError(
                f"step_size.tolerance: expected one with kind clt and none with another, got {self.tolerance}"
                f" with {self.kind}"
            )

    def seen(
        self, mean: Tensor, spread: Tensor, gradient: Tensor, step: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The mean m (R, P, D) and the roots (s, sqrt r) (R, P, 2) after one more gradient.

        Of kind scheduled they stay as they are. Roots are kept since squares would overflow where a gradient
        does not.

        Args:
            mean: m before.
            spread: the roots before.
            gradient: (R, P, D).
            step: (R,), completed steps.
        """
        if self.kind == "scheduled":
            return mean, spread
        a, b = (
            torch.maximum(1 / per_world(n, step), 1 / (step + 1).double()).to(spread)[:, None]
            for n in (self.memory, self.long_memory)
        )
        away, (deviation, long) = gradient - mean, spread.unbind(-1)
        deviation = (1 - a).sqrt() * _hypotenuse(deviation, (a / away.shape[-1]).sqrt() * norm(away))
        long = _hypotenuse((1 - b).sqrt() * long, b.sqrt() * deviation)
        return mean + a[..., None] * away, torch.stack([deviation, long], -1)

    def multiplier(self, spread: Tensor) -> float | Tensor:
        """What multiplies the learning rate, given (s, sqrt r) (R, P, 2): 1, or (R, P) float64.

        1 while no variance was seen.
        """
        deviation, long = spread.double().unbind(-1)
        if self.kind == "clt":
            tolerance = per_world(self.tolerance, spread)[:, None]  # type: ignore[arg-type]
            # 1 - 2 Phi(-x) = erf(x / sqrt 2); erf(inf) = 1
            return torch.erf(tolerance / (math.sqrt(2) * deviation))
        if self.kind == "inverse_variance":
            return torch.where(
                deviation > long, (long / deviation) * (long / deviation), torch.ones_like(long)
            )
        return 1.0

    def outlier_probability(self, spread: Tensor) -> Tensor:
        """The p of clt, mean over trajectories, given (s, sqrt r) (R, P, 2): (R,); NaN with another kind."""
        deviation = spread[..., 0].double()
        if self.kind != "clt":
            return torch.full_like(deviation[:, 0], torch.nan)
        tolerance = per_world(self.tolerance, spread)[:, None]  # type: ignore[arg-type]
        return torch.erfc(tolerance / (math.sqrt(2) * deviation)).mean(1)


def _hypotenuse(a: Tensor, b: Tensor) -> Tensor:
    """sqrt(a^2 + b^2)."""
    return norm(torch.stack([a, b], -1))
