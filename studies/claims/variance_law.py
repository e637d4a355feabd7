"""A law for a variance, or for any stationary mean: what theory predicts beside its mean over worlds.

For instance the loss of SGD on a bowl, E L = 1/2 tr(H S), S = A S A + eta^2 C / B (Mandt, Hoffman and Blei
2017, JMLR 18, equation 13; here for steps of any size): in one dimension eta sigma^2 / [2 B (2 - eta h)]. Or
the variance of a step or of a population.

What is observed is the mean over worlds of each world's mean over the checkpoints from `since` on, when it is
stationary; of the noise ledger it is the quantity at each of its moments. `studies.claims.quantities` has the
list, `studies.claims.gate` the rule; the tolerance is relative.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import xarray as xr
from annotated_types import Ge, Le
from pydantic import AllowInfNan

from studies.claims.base import (
    Judgement,
    Place,
    Tolerance,
    at_each,
    nothing_random,
    places,
    present,
)
from studies.claims.gate import judgement
from studies.claims.names import Predicting, check_control, law_at
from studies.claims.quantities import LEDGER, quantity


@dataclass(frozen=True, kw_only=True)
class VarianceLaw(Predicting):
    """A variance, or another stationary mean, is what a law predicts.

    Args:
        landscape: label; null: every landscape.
        at: swept axis -> the value at which it is judged; an axis that is not named: at each of its values.
        regime: swept axis -> [low, high], where the law is said to be valid; what is outside is reported
            apart and does not count.
        optimizer: label.
        predicted: a number (.inf: never), a formula of the study's own numbers, or an import path
            "module:function".
        tolerance: relative, >= 0; or {relative: .., absolute: ..}, of which the wider one counts.
        control: what a wrong law predicts, likewise; it must be rejected. null: twice the predicted; where
            that is 0, the largest value that the runs had, or the loss at the start.
        quantity: loss, population_variance, step_variance, .. (studies.claims.quantities).
        since: fraction of the budget from which on it is stationary, 0 <= f <= 1.
    """

    kind: ClassVar[str] = "variance_law"
    own: ClassVar[Literal["relative"]] = "relative"
    optimizers: ClassVar[tuple[str, ...]] = ("optimizer",)
    optimizer: str
    predicted: Annotated[float, AllowInfNan()] | str
    tolerance: Tolerance = 0.05
    control: float | str | None = None
    quantity: str = "loss"
    since: Annotated[float, Ge(0), Le(1)] = 0.5

    def __post_init__(self) -> None:
        check_control(self, "expected further from the predicted")

    def judge(self, dataset: xr.Dataset) -> Sequence[Judgement]:
        """One verdict for each place, and for each moment of the ledger."""
        more = ["moment"] if self.quantity in LEDGER else []
        return at_each(self, places(dataset, self, more=more), self._judge)

    def _judge(self, place: Place) -> Judgement:
        data = present(place.data).isel(optimizer=0)
        observed = quantity(data, self.quantity, self.since)
        law = law_at(self, place, lambda value: _wrong(value, observed.largest))
        return judgement(
            self.kind,
            law,
            observed.measured(exact=nothing_random(data)),
            where=place.where | self.named(),
            in_regime=self.inside(place.where),
            quantity=_with_unit(self.quantity, observed.unit),
        )


def _with_unit(quantity: str, unit: str) -> str:
    """What is observed, in its unit: `loss (gap to the optimum)` is both."""
    return unit if unit.startswith(quantity) else f"{quantity} ({unit})"


def _wrong(value: float, largest: float) -> float:
    """What a wrong law predicts where none is given.

    Twice as much; instead of inf 0, instead of 0 the largest number that entered, or 1.
    """
    if math.isinf(value):
        return 0.0
    return 2 * value or largest or 1.0
