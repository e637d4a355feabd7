"""A beats B at a cost: the share of worlds in which the better has the lower true loss is above one half.

A tie counts half. An exact sign test (Conover 1999, "Practical nonparametric statistics", section 3.4),
one-sided at the level of `studies.claims.gate`, 0.00135. Its units are worlds; instances where worlds share
them, each won by who wins more of its worlds. Losses that are equal at the precision of the study tie, and
what ties says nothing: the interval and the share that is needed are those of the test too, given how many
tie. The negative control is the reverse ordering, judged by the same test.

    holds        the test rejects that the share is one half or less; then the reverse ordering fails
    fails        it rejects that the share is one half or more
    undecided    neither; always with fewer than ten worlds

It needs no more than an order, so that a diverged run (an infinite loss) simply loses, and two of them tie.

`by` names another quantity of which less is better. One of each world (`hit(0.1)`) is judged as losses are;
times that are known to intervals which overlap tie. Of one of all worlds (`median(hit(0.1))`) the difference,
better - worse, must be below 0, by the rule of `studies.claims.gate`, with the error of the whole difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import scipy
from annotated_types import Gt
from xarray import DataArray, Dataset

from studies.claims.base import (
    Claim,
    Judgement,
    Place,
    Verdict,
    at_cost,
    nothing_random,
    present,
)
from studies.claims.jackknife import independent
from studies.claims.judging import judgement, would_decide
from studies.claims.measured import CAP, Interval, Law, binomial
from studies.claims.pair import Pair, at_each_pair, check_by
from studies.results.precision import precision, resolved


@dataclass(frozen=True, kw_only=True)
class Ordering(Claim):
    """One optimizer beats another at a cost, in the same worlds.

    Args:
        landscape: label; null: every landscape.
        at: swept axis -> the value at which it is judged; an axis that is not named: at each of its values.
        regime: swept axis -> [low, high], where the law is said to be valid; what is outside is reported
            apart and does not count.
        better: label of the optimizer that is said to have the lower true loss.
        worse: label of the other.
        cost: evaluations at which both are looked at, > 0; null: the whole budget.
        by: a quantity of which less is better, such as hit(0.1, clock=steps); null: the final loss.
    """

    kind: ClassVar[str] = "ordering"
    optimizers: ClassVar[tuple[str, ...]] = ("better", "worse")
    better: str
    worse: str
    cost: Annotated[float | None, Gt(0)] = None
    by: str | None = None

    def __post_init__(self) -> None:
        check_by(self, self.by, self.cost)

    def judge(self, dataset: Dataset) -> Sequence[Judgement]:
        """One verdict for each place."""
        return at_each_pair(self, dataset, self.by, self._by_loss, self._by)

    def _by_loss(self, place: Place) -> Judgement:
        data = at_cost(present(place.data), self.cost)
        loss = resolved(data["loss"], precision(data))
        won = share_won(*(loss.sel(optimizer=label) for label in self.labels()))
        return self._sign_test(won, place, "the lower loss")

    def _by(self, pair: Pair, place: Place) -> Judgement:
        """Judge a pair by a quantity of each world, or of all."""
        data = present(place.data)
        won = pair.won(place)
        if won is not None:
            won = won.dropna("replicate")
            return self._sign_test(won, place, f"less {self.by}", pair.met(place))
        return judgement(
            self.kind,
            Law(predicted=0.0, control=np.nan, tolerance=0.0, relation="<="),
            pair.measured(place, exact=nothing_random(data)),
            relation="<=",
            where=place.where | self.named(),
            in_regime=self.inside(place.where),
            quantity=pair.difference.text,
            note=pair.met(place),
        )

    def _sign_test(self, won: DataArray, place: Place, what: str, note: str = "") -> Judgement:
        """The judgement of the worlds that the better wins.

        Args:
            won: (replicate) 1 where it does.
            place: where.
            what: what it has there.
            note: what is to be said of it.
        """
        shares, worlds = unit_means(won), won.sizes["replicate"]
        n, wins, losses = len(shares), int((shares > 0.5).sum()), int((shares < 0.5).sum())
        verdict = decided(wins, losses)
        more = worlds_needed(wins, losses, n) * worlds / max(n, 1)
        low, high = interval(wins, losses, n)
        unit = "worlds" if n == worlds else "instances"
        return Judgement(
            claim="",
            kind=self.kind,
            where=place.where | self.named(),
            quantity=f"share of {unit} with {what}",
            relation=">",
            predicted=0.5,
            control=np.nan,
            tolerance=0.0,
            low=needed(n, wins + losses),
            high=1.0,
            observed=(wins + (n - wins - losses) / 2) / n if n else np.nan,
            standard_error=standard_error(shares),
            observed_low=low,
            observed_high=high,
            control_rejected=verdict == "holds",
            in_regime=self.inside(place.where),
            worlds=worlds,
            verdict=verdict,
            note="; ".join(filter(None, [note, would_decide(more) if verdict == "undecided" else ""])),
            worlds_needed=more,
            p_holds=reached(wins, wins + losses),
            p_fails=reached(losses, wins + losses),
        )


def share_won(first: DataArray, second: DataArray) -> DataArray:
    """1 where the first loss is lower, 0.5 where both are equal, or infinite."""
    won = (first < second) + 0.5 * (first == second)
    return won.where(~(np.isinf(first) & np.isinf(second)), 0.5)


def interval(wins: int, losses: int, units: int) -> Interval:
    """The interval of the share, a tie counting half: the binomial one of the units that do not tie."""
    untied = wins + losses
    if not untied:
        return 0.0, 1.0  # nothing is known of the worlds that may not tie
    ties = units - untied
    low, high = ((untied * end + ties / 2) / units for end in binomial(wins, losses))
    return low, high


def standard_error(shares: np.ndarray) -> float:
    """The standard error of the mean share of units (n,).

    With two more units of each kind, so that it is not 0 where all agree:
    Agresti and Coull 1998, Am. Stat. 52:119.
    """
    n = len(shares) + 4
    smoothed = (shares.sum() + 2) / n
    return float(np.sqrt(smoothed * (1 - smoothed) / n))


def reached(count: int, units: int) -> float:
    """The chance of so many of the units or more, were each as likely as not."""
    return float(scipy.stats.binom.sf(count - 1, units, 0.5))


def decided(wins: int, losses: int) -> Verdict:
    """The verdict of so many units; those that tie say nothing."""
    if reached(wins, wins + losses) <= CAP:
        return "holds"
    return "fails" if reached(losses, wins + losses) <= CAP else "undecided"


def worlds_needed(wins: int, losses: int, units: int) -> float:
    """Units that would decide, were their shares as now.

    0 where it is decided, inf where none are better on either side.
    """
    if decided(wins, losses) != "undecided":
        return 0.0
    if wins == losses:
        return np.inf
    for n in np.unique(np.geomspace(units, 1e7, 400).astype(int)):
        if decided(round(wins * n / units), round(losses * n / units)) != "undecided":
            return float(n)
    return np.inf


def needed(units: int, untied: int) -> float:
    """The least share, a tie counting half, with which the ordering holds; above 1: none does.

    Args:
        units: all of them.
        untied: those that do not tie.
    """
    least = scipy.stats.binom.isf(CAP, untied, 0.5) + 1
    return float(least + (units - untied) / 2) / units if 0 < untied >= least else np.inf


def unit_means(scores: DataArray) -> np.ndarray:
    """The mean of each instance where worlds share them, else the worlds."""
    return scores.values if independent(scores) else scores.groupby("instance").mean().values
