"""A law of scaling: a quantity goes as axis^b along a swept axis, over the range of the axis that is said.

The exponent b is the slope of ln(quantity) in ln(axis) by least squares, all values of the axis with equal
weight; its standard error is the jackknife's, each world left out at all values at once, as these are the
same worlds. The tolerance is absolute. A power law is a local fit: `regime` says where it is claimed, and the
fit to what is outside is reported apart. `studies.claims.gate` has the rule.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr
from annotated_types import Ge, Le

from studies.claims.base import (
    Claim,
    Judgement,
    Place,
    Tolerance,
    at_each,
    axes_of,
    check,
    nothing_random,
    places,
    present,
    tolerances,
)
from studies.claims.gate import EPSILON, ROUNDINGS, Law, Measured, judgement
from studies.claims.jackknife import jackknife
from studies.claims.names import predicted
from studies.claims.quantities import LEDGER, quantity
from studies.results import gaps


@dataclass(frozen=True, kw_only=True)
class Scaling(Claim):
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

    optimizers: ClassVar[tuple[str, ...]] = ("optimizer",)
    optimizer: str
    axis: str
    predicted: float | str
    tolerance: Tolerance = 0.05
    control: float | str | None = None
    quantity: str = "loss"
    since: Annotated[float, Ge(0), Le(1)] = 0.5

    def __post_init__(self) -> None:
        check(
            self.axis not in self.at,
            "scaling",
            "at",
            f"expected no value of {self.axis}, along which the exponent is fitted",
        )
        within = tolerances(self.tolerance, "scaling", "absolute")
        if isinstance(self.predicted, float | int) and isinstance(self.control, float | int):
            least = max(within["relative"] * max(abs(self.control), abs(self.predicted)), within["absolute"])
            text = (
                f"expected further from the predicted than the tolerance, {self.tolerance}, got"
                f" {self.control:g}"
            )
            check(not abs(self.control - self.predicted) <= least, "scaling", "control", text)

    def judge(self, dataset: xr.Dataset) -> Sequence[Judgement]:
        """One verdict for each place.

        Of the regime, and of the values outside where there are two or more.
        """
        if self.axis not in axes_of(dataset):
            raise ValueError(
                "scaling.axis: expected a swept axis,"
                f" {', '.join(axes_of(dataset)) or 'of which there is none'}, got {self.axis!r}"
            )
        more = ["moment"] if self.quantity in LEDGER else []
        return at_each(self, "scaling", places(dataset, self, keep=[self.axis], more=more), self._judge)

    def _judge(self, place: Place) -> list[Judgement]:
        values = place.data[self.axis].values
        if values.dtype.kind not in "if" or (values <= 0).any():
            raise ValueError(
                f"scaling.axis: expected an axis of positive numbers, got {self.axis} = {values.tolist()}"
            )
        if self.quantity in gaps.LOSSES:
            gaps.alike(place.data, self.axis)
        low, high = self.regime.get(self.axis, (-np.inf, np.inf))
        inside = (values >= low) & (values <= high)
        return [
            self._fit(place, values, rows, rows is inside) for rows in (inside, ~inside) if rows.sum() >= 2
        ]

    def _fit(self, place: Place, values: np.ndarray, rows: np.ndarray, inside: bool) -> Judgement:
        data = present(place.data.isel({self.axis: np.flatnonzero(rows)}).isel(optimizer=0))
        found = quantity(data, self.quantity, self.since)
        parts, x = (
            [part.transpose(self.axis, "replicate") for part in found.parts],
            values[rows].astype(float),
        )
        fitted = place.data.isel({self.axis: np.flatnonzero(rows)})
        value = predicted(self.predicted, fitted, place.where, self.optimizer)
        control = (
            value + 0.5
            if self.control is None
            else predicted(self.control, fitted, place.where, self.optimizer)
        )
        within = tolerances(self.tolerance, "scaling", "absolute")
        law = Law(predicted=value, control=control, tolerance=within["relative"], absolute=within["absolute"])
        early = (
            None if found.early is None else [part.transpose(self.axis, "replicate") for part in found.early]
        )
        measured = jackknife(
            exponent(found.statistic, x), parts, floor=ROUNDINGS * EPSILON, exact=nothing_random(data)
        )
        measured = (
            measured
            if early is None
            else _either_end(measured, exponent(found.statistic, x), x, early, parts)
        )
        told = {self.axis: f"{x.min():g} to {x.max():g}", "optimizer": self.optimizer}
        return judgement(
            "scaling", law, measured, where=place.where | told,
            in_regime=inside and self.inside(place.where), quantity=f"exponent of {self.quantity} in {self.axis}",
        )  # fmt: skip


def _either_end(
    measured: Measured, slope: Callable, x: np.ndarray, early: list[xr.DataArray], late: list[xr.DataArray]
) -> Measured:
    """With the least and the largest exponent that there may be, where hits are known to intervals, which end at `early` and `late`."""
    upper = (np.log(x) > np.log(x).mean())[:, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        most = slope(*(np.where(upper, b.values, a.values) for a, b in zip(early, late, strict=True)))
        least = slope(*(np.where(upper, a.values, b.values) for a, b in zip(early, late, strict=True)))
    return measured._replace(value=most, low=least)


def exponent(statistic: Callable, x: np.ndarray) -> Callable:
    """The statistic of arrays (len(x), R) that is the exponent of `statistic` in x.

    NaN where it is not positive everywhere.
    """
    away = np.log(x) - np.log(x).mean()
    weights = away / (away**2).sum()

    def slope(*arrays: np.ndarray, axis: int = -1) -> float:
        values = np.asarray(statistic(*arrays, axis=axis))
        return float(weights @ np.log(values)) if (values > 0).all() and np.isfinite(values).all() else np.nan

    return slope
