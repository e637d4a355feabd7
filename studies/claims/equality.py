"""Equality within a margin, by the rule of `studies.claims.gate`.

An equivalence test, two one-sided ones (Schuirmann 1987). What is judged is the mean over worlds of the
paired difference of final losses, first - second, in decades where the loss is the gap to a known optimum;
predicted is 0, and the margin is the tolerance. A gap below the precision of the study counts as it. No
difference that was seen is no evidence of none: few worlds leave it undecided. The negative control is a
difference of `control` (two margins, if none is given).

`by` names another quantity: then the difference of the two is judged, with the error of the whole difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Gt
from xarray import DataArray, Dataset

from studies.claims.base import (
    Claim,
    Judgement,
    Place,
    at_cost,
    nothing_random,
    present,
)
from studies.claims.jackknife import jackknife
from studies.claims.judging import judgement
from studies.claims.measured import Law, Measured, Scale
from studies.claims.pair import Pair, at_each_pair, check_by
from studies.results.gaps import gap_known
from studies.results.precision import decades, precision


@dataclass(frozen=True, kw_only=True)
class Equality(Claim):
    """Two optimizers are as good as each other at a cost, within a margin, in the same worlds.

    Args:
        landscape: label; null: every landscape.
        at: swept axis -> the value at which it is judged; an axis that is not named: at each of its values.
        regime: swept axis -> [low, high], where the law is said to be valid; what is outside is reported
            apart and does not count.
        first: label of an optimizer.
        second: label of the other.
        margin: of the mean difference, > 0; decades of the gap where the optimum is known, else loss.
        cost: evaluations at which both are looked at, > 0; null: the whole budget.
        control: a difference that must be rejected; null: two margins.
        by: a quantity, such as median(hit(0.1)), with margin and control in its unit; null: the final loss.
    """

    kind: ClassVar[str] = "equality"
    optimizers: ClassVar[tuple[str, ...]] = ("first", "second")
    first: str
    second: str
    margin: Annotated[float, Gt(0)]
    cost: Annotated[float | None, Gt(0)] = None
    control: float | None = None
    by: str | None = None

    def __post_init__(self) -> None:
        check_by(self, self.by, self.cost)
        if self.control is not None:
            text = f"expected a difference larger than the margin, got {self.control:g}"
            self.require(abs(self.control) > self.margin, "control", text)

    def judge(self, dataset: Dataset) -> Sequence[Judgement]:
        """One verdict for each place."""
        return at_each_pair(self, dataset, self.by, self._by_loss, self._by)

    def _by_loss(self, place: Place) -> Judgement:
        data = at_cost(present(place.data), self.cost)
        in_decades = bool(gap_known(data))
        difference = self._difference(data, in_decades)
        lost = int(difference.isnull().sum())
        measured = jackknife(np.mean, [difference], exact=nothing_random(data))
        quantity = f"mean difference ({'decades of the gap' if in_decades else 'loss'})"
        note = f"{lost} worlds in which both diverged are left out" if lost else ""
        return self._judged(measured, place, quantity, note)

    def _by(self, pair: Pair, place: Place) -> Judgement:
        """Judge a pair by a quantity."""
        exact = nothing_random(present(place.data))
        measured = pair.measured(place, exact=exact)
        return self._judged(measured, place, pair.difference.text, pair.met(place))

    def _judged(self, measured: Measured, place: Place, quantity: str, note: str = "") -> Judgement:
        """The judgement of a difference.

        Args:
            measured: the difference.
            place: where.
            quantity: what it is.
            note: what is to be said of it.
        """
        control = 2 * self.margin if self.control is None else self.control
        return judgement(
            self.kind,
            Law(predicted=0.0, control=control, tolerance=self.margin, scale=Scale(relative=False)),
            measured,
            note=note,
            in_regime=self.inside(place.where),
            where=place.where | self.named(),
            quantity=quantity,
        )

    def _difference(self, data: Dataset, in_decades: bool) -> DataArray:
        """The difference of the first and the second (replicate); NaN where both are infinite."""
        loss = decades(data["loss"], precision(data)) if in_decades else data["loss"]
        with np.errstate(invalid="ignore"):
            return loss.sel(optimizer=self.first) - loss.sel(optimizer=self.second)
