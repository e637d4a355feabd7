"""A beats B at a cost: the share of worlds in which the better has the lower true loss, a tie counting half, is above one half.

An exact sign test (Conover 1999, "Practical nonparametric statistics", section 3.4), one-sided at the level of three standard errors, 0.00135;
of instances, by their mean share, where worlds share them. The negative control is the reverse ordering, judged by the same test.

    holds        the test rejects that the share is one half or less; then the reverse ordering fails
    fails        it rejects that the share is one half or more
    undecided    neither; always with fewer than ten worlds

It needs no more than an order, so that a diverged run (an infinite loss) simply loses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr
from annotated_types import Gt
from scipy import stats

from studies.claims.base import Claim, Judgement, Place, Verdict, at_cost, at_each, places, present
from studies.claims.gate import Z

LEVEL = float(stats.norm.sf(Z))


@dataclass(frozen=True, kw_only=True)
class Ordering(Claim):
    """One optimizer beats another at a cost, in the same worlds.

    Args:
        landscape: label; null: every landscape.
        at: swept axis -> the value at which it is judged; an axis that is not named: at each of its values.
        regime: swept axis -> [low, high], where the law is said to be valid; what is outside is reported apart and does not count.
        better: label of the optimizer that is said to have the lower true loss.
        worse: label of the other.
        cost: evaluations at which both are looked at, > 0; null: the whole budget.
    """

    optimizers: ClassVar[tuple[str, ...]] = ("better", "worse")
    better: str
    worse: str
    cost: Annotated[float | None, Gt(0)] = None

    def judge(self, dataset: xr.Dataset) -> Sequence[Judgement]:
        """One verdict for each place."""
        return at_each(self, "ordering", places(dataset, self), self._judge)

    def _judge(self, place: Place) -> Judgement:
        data = at_cost(present(place.data), self.cost)
        mine, other = (data["loss"].sel(optimizer=label) for label in self.labels())
        shares = unit_means((mine < other) + 0.5 * (mine == other))
        n, wins, losses = len(shares), int((shares > 0.5).sum()), int((shares < 0.5).sum())
        verdict = decided(wins, losses)
        smoothed = (shares.sum() + 2) / (n + 4)  # Agresti and Coull 1998: two more of each kind, so that it is not 0 where all worlds agree
        error = float(np.sqrt(smoothed * (1 - smoothed) / (n + 4)))
        return Judgement(
            claim="", kind="ordering", where=place.where | {"better": self.better, "worse": self.worse},
            quantity="share of worlds with the lower loss", relation=">", predicted=0.5, observed=float(shares.mean()),
            standard_error=error, margin_of_error=Z * error, tolerance=0.0, low=needed(n), high=1.0,
            control=np.nan, control_rejected=verdict == "holds", in_regime=self.inside(place.where), worlds=data.sizes["replicate"],
            verdict=verdict, note="" if needed(n) <= 1 else f"{n} worlds are too few to show an order, ten would do",
        )  # fmt: skip


def decided(wins: int, losses: int) -> Verdict:
    """The verdict of so many units; those that tie say nothing."""
    holds, reverse = (stats.binom.sf(count - 1, wins + losses, 0.5) <= LEVEL for count in (wins, losses))
    return "holds" if holds else "fails" if reverse else "undecided"


def needed(units: int) -> float:
    """The least share of units, without ties, with which the ordering holds; above 1: none does."""
    return float(stats.binom.isf(LEVEL, units, 0.5) + 1) / units if units else np.inf


def unit_means(scores: xr.DataArray) -> np.ndarray:
    """The mean of each instance where worlds share them, else the worlds."""
    shared = "instance" in scores.coords and 1 < len(np.unique(scores["instance"])) < scores.sizes["replicate"]
    return scores.groupby("instance").mean().values if shared else scores.values
