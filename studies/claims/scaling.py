"""A law of scaling: a quantity goes as axis^b along a swept axis, over the range of the axis that is said.

The exponent b is the slope of ln(quantity) in ln(axis) by least squares, all values of the axis with equal
weight; its standard error is the jackknife's, each world left out at all values at once, as these are the
same worlds. The tolerance is absolute. A power law is a local fit: `regime` says where it is claimed, and the
fit to what is outside is reported apart. `studies.claims.gate` has the rule.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
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
    axes_of,
    nothing_random,
    places,
    present,
)
from studies.claims.gate import EPSILON, ROUNDINGS, Measured, judgement
from studies.claims.jackknife import jackknife
from studies.claims.names import Predicting, check_control, law_at
from studies.claims.quantities import LEDGER, Quantity, quantity
from studies.results import gaps


@dataclass(frozen=True, kw_only=True)
class Scaling(Predicting):
    """A quantity follows a power of a swept axis.

    Args:
        landscape: label; null: every landscape.
        at: swept axis -> the value at which it is judged; an axis that is not named: at each of its values.
        regime: swept axis -> [low, high], where the law is said to be valid; what is outside is reported
            apart and does not count.
        optimizer: label.
        axis: swept axis, of positive numbers.
        predicted: the exponent: a number, a formula of the study's own numbers, or an import path
            "module:function".
        tolerance: absolute, >= 0; or {relative: .., absolute: ..}, of which the wider one counts.
        control: the exponent of a wrong law, likewise; it must be rejected. null: 0.5 more.
        quantity: loss, hit_cost, noise_to_signal, step_variance, .. (studies.claims.quantities).
        since: fraction of the budget from which checkpoints count, 0 <= f <= 1.
    """

    kind: ClassVar[str] = "scaling"
    own: ClassVar[Literal["absolute"]] = "absolute"
    optimizers: ClassVar[tuple[str, ...]] = ("optimizer",)
    optimizer: str
    axis: str
    predicted: float | str
    tolerance: Tolerance = 0.05
    control: float | str | None = None
    quantity: str = "loss"
    since: Annotated[float, Ge(0), Le(1)] = 0.5

    def __post_init__(self) -> None:
        text = f"expected no value of {self.axis}, along which the exponent is fitted"
        self.require(self.axis not in self.at, "at", text)
        check_control(self, "expected further from the predicted")

    def judge(self, dataset: xr.Dataset) -> Sequence[Judgement]:
        """One verdict for each place.

        Of the regime, and of the values outside where there are two or more.
        """
        axes = axes_of(dataset)
        if self.axis not in axes:
            there = ", ".join(axes) or "of which there is none"
            raise ValueError(f"scaling.axis: expected a swept axis, {there}, got {self.axis!r}")
        more = ["moment"] if self.quantity in LEDGER else []
        return at_each(self, places(dataset, self, keep=[self.axis], more=more), self._judge)

    def _judge(self, place: Place) -> list[Judgement]:
        values = place.data[self.axis].values
        if values.dtype.kind not in "if" or (values <= 0).any():
            got = f"{self.axis} = {values.tolist()}"
            raise ValueError(f"scaling.axis: expected an axis of positive numbers, got {got}")
        if self.quantity in gaps.LOSSES:
            gaps.alike(place.data, self.axis)
        low, high = self.regime.get(self.axis, (-np.inf, np.inf))
        inside = (values >= low) & (values <= high)
        parts = ((inside, self.inside(place.where)), (~inside, False))
        return [self._fit(place, rows, in_regime) for rows, in_regime in parts if rows.sum() >= 2]

    def _fit(self, place: Place, rows: np.ndarray, in_regime: bool) -> Judgement:
        """The judgement of some values of the axis: rows (values,) is true for these."""
        fitted = place._replace(data=place.data.isel({self.axis: np.flatnonzero(rows)}))
        data = present(fitted.data.isel(optimizer=0))
        observed = quantity(data, self.quantity, self.since)
        law = law_at(self, fitted, lambda value: value + 0.5)
        x = data[self.axis].values.astype(float)
        return judgement(
            self.kind,
            law,
            self._measured(observed, x, exact=nothing_random(data)),
            where=place.where | {self.axis: f"{x.min():g} to {x.max():g}"} | self.named(),
            in_regime=in_regime,
            quantity=f"exponent of {self.quantity} in {self.axis}",
        )

    def _measured(self, observed: Quantity, x: np.ndarray, *, exact: bool) -> Measured:
        """The exponent of what is observed, in the values x of the axis."""
        slope = functools.partial(exponent, observed.statistic, x)
        late = self._along(observed.parts)
        measured = jackknife(slope, late, floor=ROUNDINGS * EPSILON, exact=exact)
        if observed.early is None:
            return measured
        least, most = _ends(slope, x, self._along(observed.early), late)
        return measured._replace(value=most, low=least)

    def _along(self, parts: Sequence[xr.DataArray]) -> list[xr.DataArray]:
        return [part.transpose(self.axis, "replicate") for part in parts]


def _ends(
    slope: Callable, x: np.ndarray, early: Sequence[xr.DataArray], late: Sequence[xr.DataArray]
) -> tuple[float, float]:
    """The least and the largest exponent that there may be, where hits are known to intervals.

    Args:
        slope: of arrays (values, worlds).
        x: values of the axis (values,).
        early: where the intervals begin, each (axis, replicate).
        late: where they end.
    """
    upper = (np.log(x) > np.log(x).mean())[:, None]
    pairs = [(first.values, last.values) for first, last in zip(early, late, strict=True)]
    with np.errstate(invalid="ignore", divide="ignore"):
        least = slope(*(np.where(upper, first, last) for first, last in pairs))
        most = slope(*(np.where(upper, last, first) for first, last in pairs))
    return least, most


def exponent(statistic: Callable, x: np.ndarray, *arrays: np.ndarray, axis: int = -1) -> float:
    """The exponent of a statistic in x; NaN where it is not positive everywhere.

    Args:
        statistic: of arrays along `axis`.
        x: values of an axis (values,).
        arrays: each (values, worlds).
        axis: of the worlds.
    """
    values = np.asarray(statistic(*arrays, axis=axis))
    if not ((values > 0).all() and np.isfinite(values).all()):
        return np.nan
    away = np.log(x) - np.log(x).mean()
    return float(away / (away**2).sum() @ np.log(values))
