"""A law for the rate of convergence: the factor by which the gap shrinks in a step, or in an evaluation.

Gradient descent on a bowl shrinks the distance to the optimum by (kappa - 1) / (kappa + 1) a step at its best
learning rate, 2 / (L + mu), heavy ball by (sqrt(kappa) - 1) / (sqrt(kappa) + 1) (Polyak 1964), and the loss
by the square of that.

In each world ln(gap) is fitted by a line in the steps (or the cost), by least squares over the checkpoints
between `since` and `until` whose gap is above `floor`; the factor is exp of the mean slope of the worlds. As
factors lie near 1, both tolerance and control are judged on ln(factor): a tolerance of 0.02 is 2 % of the
number of steps that a decade takes. `studies.claims.gate` has the rule.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
import xarray as xr
from annotated_types import Ge, Le

from studies.claims.base import (
    Judgement,
    Place,
    Tolerance,
    at_each,
    nothing_random,
    places,
    present,
)
from studies.claims.gate import EPSILON, ROUNDINGS, Law, Scale, judgement
from studies.claims.jackknife import jackknife
from studies.claims.names import Predicting, check_control, law_at
from studies.results.gaps import gap_known
from studies.results.hits import state_costs

LARGEST = 700.0  # whose exp is a float
SCALE = Scale(relative=True, there=math.log, back=lambda value: math.exp(min(value, LARGEST)))
FEWEST = 3  # gaps to which a line is fitted
ROUNDING = 1e-9  # fractions of the budget that differ by less are equal


@dataclass(frozen=True, kw_only=True)
class ConvergenceRate(Predicting):
    """The gap shrinks by a factor in each step, or in each evaluation.

    Args:
        landscape: label; null: every landscape.
        at: swept axis -> the value at which it is judged; an axis that is not named: at each of its values.
        regime: swept axis -> [low, high], where the law is said to be valid; what is outside is reported
            apart and does not count.
        optimizer: label.
        predicted: the factor, > 0: a number, a formula of the study's own numbers, or an import path
            "module:function".
        tolerance: relative, of the factor's logarithm, >= 0; or {relative: .., absolute: ..} of it, of which
            the wider one counts.
        control: the factor of a wrong law, likewise; it must be rejected. null: half as fast.
        of: loss, or distance: its square root, since the loss near a smooth optimum is quadratic.
        per: step, or evaluation (at the nominal price of a gradient).
        since: fraction of the budget at which the fit begins, 0 <= f <= 1.
        until: fraction of the budget at which it ends, 0 <= f <= 1.
        floor: gaps up to this one are left out, >= 0: rounding, or a noise floor.
    """

    kind: ClassVar[str] = "convergence_rate"
    own: ClassVar[Literal["relative"]] = "relative"
    optimizers: ClassVar[tuple[str, ...]] = ("optimizer",)
    optimizer: str
    predicted: float | str
    tolerance: Tolerance = 0.05
    control: float | str | None = None
    of: Literal["loss", "distance"] = "loss"
    per: Literal["step", "evaluation"] = "step"
    since: Annotated[float, Ge(0), Le(1)] = 0.0
    until: Annotated[float, Ge(0), Le(1)] = 1.0
    floor: Annotated[float, Ge(0)] = 0.0

    def __post_init__(self) -> None:
        text = f"expected more than since = {self.since:g}, got {self.until:g}"
        self.require(self.since < self.until, "until", text)
        for name in ("predicted", "control"):
            given = getattr(self, name)
            if isinstance(given, float | int):
                self.require(given > 0, name, f"expected a factor > 0, got {given}")
        check_control(self, "expected a logarithm further from that of the predicted", math.log)

    def judge(self, dataset: xr.Dataset) -> Sequence[Judgement]:
        """One verdict for each place."""
        return at_each(self, places(dataset, self), self._judge)

    def _judge(self, place: Place) -> Judgement:
        data = present(place.data).isel(optimizer=0)
        if not bool(gap_known(data)):
            landscape = place.where["landscape"]
            raise ValueError(
                f"{self.kind}: expected a landscape whose optimum is known, got {landscape}"
            )
        law = self._law(place)
        slopes, exact = self._slopes(data), nothing_random(data)
        return judgement(
            self.kind,
            law,
            jackknife(np.mean, [slopes], floor=ROUNDINGS * EPSILON, exact=exact),
            where=place.where | self.named(),
            in_regime=self.inside(place.where),
            quantity=f"factor of the {self.of} per {self.per}",
        )

    def _law(self, place: Place) -> Law:
        """The factor; a wrong law is half as fast."""
        law = law_at(self, place, lambda value: math.sqrt(max(value, 0.0)), SCALE)
        text = f"expected factors > 0, got {law.predicted:g} and control {law.control:g}"
        self.require(min(law.predicted, law.control) > 0, "predicted", text)
        return law

    def _slopes(self, data: xr.Dataset) -> xr.DataArray:
        """The slope (replicate) of ln(gap); NaN where fewer than FEWEST gaps can be fitted."""
        when, gap = data["checkpoint"], data["loss"]
        # those of the states, which stay behind the checkpoints'
        x = (data["steps"] if self.per == "step" else state_costs(data)).astype(float)
        window = (when >= self.since * (1 - ROUNDING)) & (when <= self.until * (1 + ROUNDING))
        good = window & (gap > self.floor) & np.isfinite(gap) & np.isfinite(x)
        y = np.log(gap.where(good)) * (0.5 if self.of == "distance" else 1.0)
        away = x.where(good) - x.where(good).mean("checkpoint")
        spread = (away**2).sum("checkpoint")
        slope = (away * y).sum("checkpoint") / spread.where(spread > 0)
        return slope.where(good.sum("checkpoint") >= FEWEST)
