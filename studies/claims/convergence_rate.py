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
    Claim,
    Judgement,
    Place,
    Tolerance,
    at_each,
    check,
    nothing_random,
    places,
    present,
    tolerances,
)
from studies.claims.gate import EPSILON, ROUNDINGS, Law, Scale, judgement
from studies.claims.jackknife import jackknife
from studies.claims.names import predicted
from studies.results.gaps import gap_known
from studies.results.hits import state_costs

SCALE = Scale(
    relative=True, there=math.log, back=lambda value: math.exp(min(value, 700.0))
)  # beyond, a float ends


@dataclass(frozen=True, kw_only=True)
class ConvergenceRate(Claim):
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
        check(
            self.since < self.until,
            "convergence_rate",
            "until",
            f"expected more than since = {self.since:g}, got {self.until:g}",
        )
        within = tolerances(self.tolerance, "convergence_rate", "relative")
        for name in ("predicted", "control"):
            given = getattr(self, name)
            check(
                not isinstance(given, float | int) or given > 0,
                "convergence_rate",
                name,
                f"expected a factor > 0, got {given}",
            )
        if isinstance(self.predicted, float | int) and isinstance(self.control, float | int):
            logs = [math.log(self.predicted), math.log(self.control)]
            least = max(within["relative"] * max(map(abs, logs)), within["absolute"])
            text = (
                "expected a logarithm further from that of the predicted than the tolerance,"
                f" {self.tolerance}, got {self.control:g}"
            )
            check(abs(logs[1] - logs[0]) > least, "convergence_rate", "control", text)

    def judge(self, dataset: xr.Dataset) -> Sequence[Judgement]:
        """One verdict for each place."""
        return at_each(self, "convergence_rate", places(dataset, self), self._judge)

    def _judge(self, place: Place) -> Judgement:
        data = present(place.data).isel(optimizer=0)
        if not bool(gap_known(data)):
            raise ValueError(
                "convergence_rate: expected a landscape whose optimum is known, got"
                f" {place.where['landscape']}"
            )
        value = predicted(self.predicted, place.data, place.where, self.optimizer)
        control = (
            math.sqrt(max(value, 0.0))
            if self.control is None
            else predicted(self.control, place.data, place.where, self.optimizer)
        )
        check(
            min(value, control) > 0,
            "convergence_rate",
            "predicted",
            f"expected factors > 0, got {value:g} and control {control:g}",
        )
        within = tolerances(self.tolerance, "convergence_rate", "relative")
        law = Law(
            predicted=value,
            control=control,
            tolerance=within["relative"],
            absolute=within["absolute"],
            scale=SCALE,
        )
        measured = jackknife(
            np.mean, [self._slopes(data)], floor=ROUNDINGS * EPSILON, exact=nothing_random(data)
        )
        return judgement(
            "convergence_rate", law, measured, where=place.where | {"optimizer": self.optimizer},
            in_regime=self.inside(place.where), quantity=f"factor of the {self.of} per {self.per}",
        )  # fmt: skip

    def _slopes(self, data: xr.Dataset) -> xr.DataArray:
        """The slope (replicate) of ln(gap); NaN where fewer than three gaps can be fitted."""
        window = (data["checkpoint"] >= self.since * (1 - 1e-9)) & (
            data["checkpoint"] <= self.until * (1 + 1e-9)
        )
        x = (data["steps"] if self.per == "step" else state_costs(data)).astype(
            float
        )  # the states', which stay behind the checkpoints'
        good = window & (data["loss"] > self.floor) & np.isfinite(data["loss"]) & np.isfinite(x)
        y = np.log(data["loss"].where(good)) * (0.5 if self.of == "distance" else 1.0)
        x = x.where(good)
        away = x - x.mean("checkpoint")
        spread = (away**2).sum("checkpoint")
        return ((away * y).sum("checkpoint") / spread.where(spread > 0)).where(good.sum("checkpoint") >= 3)
