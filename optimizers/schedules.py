"""Schedules: what multiplies a learning rate, a temperature or a sigma after t completed steps.

They may also set the size of a mini-batch or of a population.

With u = t / steps and c = `factor`, the multiplier that every kind reaches at t = steps:
  constant      1
  step          c ** floor(u)
  exponential   c ** u
  cosine        c + (1 - c) (1 + cos(pi min(u, 1))) / 2
                (Loshchilov and Hutter 2017, "SGDR", ICLR, equation 5, one cycle)
  inverse_time  1 / (1 + u (1 / c - 1))
                (the 1/t law of Robbins and Monro 1951, Ann. Math. Stat. 22:400)
  logarithmic   1 / (1 + (1 / c - 1) ln(1 + t) / ln(1 + steps))
                (the cooling of Geman and Geman 1984, IEEE PAMI 6:721)
A warm-up of w steps comes first and multiplies by (t + 1) / w; t counts from its end. `steps: budget` are
those that the budget of a run buys, less the warm-up, so that `factor` is reached when the run ends: a study
turns them into a number (`Optimizer.budgeted`).

A size may be coupled to what is scheduled. With mu(t) the multiplier, warm-up included, eta the learning rate
of SGD (sigma of an evolution strategy) and b the batch (its population):
  none                  eta_0 mu,  b_0          the noise of a step and its temperature eta / b both fall
  constant_variance     eta_0 mu,  b_0 mu^2     Var(step) ~ eta^2 / b stays; where mu falls this shrinks b and
                                                heats the run: eta / b ~ 1 / mu
  constant_temperature  eta_0 mu,  b_0 mu       eta / b stays
  grow                  eta_0,     b_0 / mu     eta / b falls as with none, in fewer and larger steps (Smith,
                                                Kindermans, Ying, Le 2018, "Don't decay the learning rate,
                                                increase the batch size", ICLR)
  decay_and_grow        eta_0 mu,  b_0 / mu^2   eta / b ~ mu^3
Sizes are rounded to the nearest whole number, halves up, and are at least 1; the oracle takes no batch for
more than all terms.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal

import torch
from annotated_types import Ge, Gt, Le
from torch import Tensor

from landscapes.numerics import column
from landscapes.parameters import Defaults, Parameters

FACTORS = {
    "step": 0.1,
    "exponential": 0.1,
    "cosine": 0.0,
    "inverse_time": 0.5,
    "logarithmic": 0.5,
}  # `factor` where none is given
Coupling = Literal["none", "constant_variance", "constant_temperature", "grow", "decay_and_grow"]
LARGEST = 2.0**31  # of a size: a multiplier of 0 asks for an infinite one


@dataclass(frozen=True, kw_only=True)
class Schedule(Parameters):
    """How a learning rate, a temperature or a sigma changes with the number of completed steps.

    Args:
        kind: the law of the multiplier, with u = t / steps and c = factor: constant 1; step c^floor(u);
            exponential c^u; cosine c + (1 - c)(1 + cos(pi min(u, 1))) / 2; inverse_time
            1 / (1 + u (1/c - 1)); logarithmic 1 / (1 + (1/c - 1) ln(1 + t) / ln(1 + steps)).
        steps: after so many steps the multiplier is `factor`; beyond, cosine stays there and the others go on
            falling; steps > 0, or budget: when the budget is spent; none for constant. None: budget.
        factor: the multiplier reached after `steps` steps, 0 < factor <= 1, for cosine also 0; None: 0.1 for
            step and exponential, 0 for cosine, 0.5 for inverse_time and logarithmic.
        warmup: steps of linear warm-up before, >= 0.
    """

    name: ClassVar[str] = "schedule"
    defaults: ClassVar[Defaults] = {"factor": lambda schedule, task: FACTORS.get(schedule.kind)}
    kind: Literal["constant", "step", "exponential", "cosine", "inverse_time", "logarithmic"] = (
        "constant"
    )
    steps: Annotated[int | Literal["budget"] | None, Gt(0)] = None
    factor: Annotated[float | None, Ge(0), Le(1)] = None
    warmup: Annotated[int, Ge(0)] = 0

    def check(self) -> None:
        """`steps` and `factor` belong to every kind but constant."""
        if isinstance(self.steps, str) and self.steps != "budget":
            raise ValueError(
                f"schedule.steps: expected a number of steps > 0, or budget, got {self.steps!r}"
            )
        if self.kind == "constant":
            given = [key for key in ("steps", "factor") if getattr(self, key) is not None]
            if given:
                raise ValueError(
                    f"schedule.{given[0]}: expected none for a constant schedule, got"
                    f" {getattr(self, given[0])}; name another kind"
                )
        elif self.factor == 0 and self.kind != "cosine":
            raise ValueError(f"schedule.factor: expected > 0 for kind {self.kind!r}, got 0")

    def multiplier(self, step: Tensor) -> Tensor:
        """What multiplies the scheduled quantity after `step` (R,) completed steps: (R,) float64."""
        warm = ((step + 1).double() / self.warmup).clamp_max(1.0) if self.warmup else 1.0
        return warm * self._after_warmup((step - self.warmup).clamp_min(0).double())

    def scheduled(self, base: float | Tensor, step: Tensor, coupling: Coupling = "none") -> Tensor:
        """The scheduled quantity after `step` (R,) completed steps: (R,) float64."""
        base = torch.as_tensor(base, dtype=torch.float64, device=step.device).expand(len(step))
        return base if coupling == "grow" or self.still else self.multiplier(step) * base

    def rate(
        self, base: float | Tensor, step: Tensor, like: Tensor, coupling: Coupling = "none"
    ) -> float | Tensor:
        """The scheduled quantity after `step` (R,) completed steps, to broadcast against `like` (R, P, D)."""
        return column(base if self.still else self.scheduled(base, step, coupling), like)

    def size(self, base: float | Tensor, step: Tensor, coupling: Coupling) -> Tensor:
        """The batch, or the population, after `step` (R,) completed steps, 1 .. 2^31: (R,) int64."""
        mu = self.multiplier(step)
        match coupling:
            case "constant_variance":
                share = mu * mu
            case "constant_temperature":
                share = mu
            case "grow":
                share = 1 / mu
            case "decay_and_grow":
                share = 1 / (mu * mu)
            case "none":
                share = torch.ones_like(mu)
        return (share * base + 0.5).floor().clamp(1.0, LARGEST).long()

    def batch(self, base: int | Tensor | None, step: Tensor, coupling: Coupling) -> Tensor | None:
        """What a query says of its mini-batch: sizes (R,) int64 as in `size`.

        None, the study's, where an optimizer sets none.
        """
        return None if base is None else self.size(base, step, coupling)

    @property
    def still(self) -> bool:
        """Whether nothing ever changes."""
        return self.kind == "constant" and not self.warmup

    @property
    def until_budget(self) -> bool:
        """Whether it ends when the budget is spent, and is not told yet when that is."""
        return self.kind != "constant" and (self.steps is None or self.steps == "budget")

    def budgeted(self, steps: int) -> Schedule:
        """The schedule of a run of so many steps."""
        return replace(self, steps=max(1, steps - self.warmup)) if self.until_budget else self

    def _after_warmup(self, t: Tensor) -> Tensor:
        if self.kind == "constant":
            return torch.ones_like(t)
        steps = number_of(self.steps, self.name)
        u, c = t / float(steps), FACTORS[self.kind] if self.factor is None else self.factor
        if self.kind == "cosine":
            return c + (1 - c) * 0.5 * (1 + torch.cos(math.pi * u.clamp_max(1.0)))
        if self.kind == "inverse_time":
            return 1 / (1 + u * (1 / c - 1))
        if self.kind == "logarithmic":
            return 1 / (1 + torch.log1p(t) / math.log1p(steps) * (1 / c - 1))
        return torch.exp(math.log(c) * (u.floor() if self.kind == "step" else u))


def number_of(steps: int | str | None, name: str) -> int:
    """A number of steps of the parameters `name`.

    Raises:
        ValueError: it is that of a budget, which only a study knows.
    """
    if steps is None or isinstance(steps, str):
        raise ValueError(
            f"{name}.steps: expected a number of steps, got budget, which a study makes one; without a study,"
            " call .budgeted(steps)"
        )
    return steps


def check_population(name: str, coupling: Coupling, population: int, largest: int | None) -> None:
    """Raise ValueError where a population is to grow but no largest size is set, or that is too small."""
    if largest is None and coupling in ("grow", "decay_and_grow"):
        raise ValueError(
            f"{name}.largest: expected a number of points >= population = {population} with coupling"
            f" {coupling!r}, got None"
        )
    if largest is not None and largest < population:
        raise ValueError(f"{name}.largest: expected >= population = {population}, got {largest}")


def check_coupling(name: str, coupling: Coupling, batch: int | Tensor | None) -> None:
    """Raise ValueError where a batch is to change with the learning rate, but none is set."""
    if coupling != "none" and batch is None:
        raise ValueError(
            f"{name}.batch: expected a number of terms with coupling {coupling!r}, got None"
        )
