"""What two arms are compared by: the final loss; where that ties, the time to a target.

Where that ties too, the area over the curve.

    final loss              at the cost at which arms are compared; where the loss is the gap to a known optimum its common logarithm
    time to target          common logarithm of the cost at which the recommendation first reached the lowest target that half of the runs of the
                            two reached; inf where a world did not, or has diverged. Hits known to intervals
                            that overlap tie
    area over the curve     mean over the logarithm of the cost of the lowest loss so far, as the final loss (see `studies.analysis.running_time.area`)

The final loss ties where some worlds are equal at the precision of the study (`studies.results.precision`),
and so few differ (`DECIDE`) that no test of them could reject. Which worlds tie says nothing of who is
better, so that a test of the next outcome is as honest as one of the first: exchange the two arms in any
world, and the choice is the same.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr

from studies.analysis.comparison.paired import difference, losses, pairs, same_worlds, scaled, unit_means
from studies.analysis.running_time.area import over_costs
from studies.results.gaps import gap_known
from studies.results.hits import budget, hits, lateness
from studies.results.precision import decades, precision, resolved
from studies.schema import SPENT

JUDGED = ("final loss", "time to target", "area over the curve")
TIMES = 9  # digits of a common logarithm: what differs by less is equal
DECIDE = 6  # units: if five differ, and all agree, the exact test says p = 0.06


class Outcome(NamedTuple):
    """Numbers of A and B in the same worlds, the smaller the better; dims pair, replicate and others."""

    a: xr.DataArray
    b: xr.DataArray
    first: xr.DataArray  # A at the precision, so that equal ones are equal
    second: xr.DataArray
    logarithmic: xr.DataArray  # whether they are common logarithms
    target: xr.DataArray  # that was timed, in units of the loss; else NaN

    def away(self) -> xr.DataArray:
        """A - B, 0 where they are equal at the precision; NaN where either is not known."""
        there = self.first.notnull() & self.second.notnull()
        return difference(self.a, self.b).where(self.first != self.second, 0.0).where(there)


def judged(dataset: xr.Dataset, at: float | None = None, value: str = "loss") -> tuple[Outcome, xr.DataArray]:
    """What every two optimizers are compared by, and the place in `JUDGED` of what it is.

    Args:
        dataset: a study's results.
        at: cost in evaluations; None: at the budget that all arms have.
        value: the variable that holds the loss.
    """
    if (
        "recorded" in dataset.coords
        and "optimizer" in dataset["recorded"].dims
        and dataset.sizes["optimizer"] > 2
    ):
        return _pair_by_pair(dataset, at, value)
    loss = final_loss(dataset, at, value)
    chosen, which = loss, xr.zeros_like(differing(loss))
    if not bool(ties(loss).any()):
        return chosen, which
    for number, make in ((1, time_to_target), (2, area)):
        other = make(dataset, at, value)
        if other is not None:
            use = (which == 0) & ties(loss) & (differing(other) >= DECIDE)
            which = which.where(~use, number)
            chosen = Outcome(
                *(xr.where(use, new, old, keep_attrs=False) for new, old in zip(other, chosen, strict=True))
            )
    return Outcome(*(_named(part, loss.a) for part in chosen)), which


def _pair_by_pair(dataset: xr.Dataset, at: float | None, value: str) -> tuple[Outcome, xr.DataArray]:
    """As `judged`, each pair at the last checkpoint that the two have, whichever others have."""
    same_worlds(dataset)
    both = [
        dataset.isel(optimizer=list(two))
        for two in itertools.combinations(range(dataset.sizes["optimizer"]), 2)
    ]
    outcomes, which = zip(*(judged(two, at, value) for two in both), strict=True)
    return Outcome(*(_along_pairs(parts) for parts in zip(*outcomes, strict=True))), _along_pairs(which)


def _along_pairs(parts: Sequence[xr.DataArray]) -> xr.DataArray:
    return xr.concat(parts, "pair", coords="different", compat="equals", join="override").transpose(
        *parts[0].dims
    )


def ties(loss: Outcome) -> xr.DataArray:
    """Whether some worlds tie, and so few units differ that no test could tell."""
    equal = ((loss.first == loss.second) & np.isfinite(loss.first)).any("replicate")
    return equal & (differing(loss) < DECIDE)


def differing(outcome: Outcome) -> xr.DataArray:
    """How many worlds, or instances where worlds share them, differ."""
    means = unit_means(outcome.away())
    return ((means != 0) & means.notnull()).sum("unit")


def final_loss(dataset: xr.Dataset, at: float | None = None, value: str = "loss") -> Outcome:
    """The loss at a cost."""
    raw = losses(dataset, value, np.inf if at is None else at).load()
    least = precision(dataset)
    loss, logarithmic = scaled(raw, least)
    a, b = pairs(loss)
    first, second = pairs(resolved(raw, least))
    none = xr.full_like(a.isel(replicate=0, drop=True), np.nan)
    return Outcome(a, b, first, second, logarithmic.broadcast_like(none), none)


def time_to_target(dataset: xr.Dataset, at: float | None = None, value: str = "loss") -> Outcome | None:
    """The cost of the first hit of the lowest target that half of the runs of a pair reached.

    None where there are no targets.
    """
    if not dataset.sizes.get("target") or "hit_cost" not in dataset:
        return None
    hit = hits(dataset).load()
    goals = hit["target_loss"].reset_coords(drop=True)
    lost = losses(dataset, value, np.inf if at is None else at).load() == np.inf
    hit = (
        hit
        .where((hit <= (budget(dataset) if at is None else at) * (1 + SPENT)) | hit.isnull(), np.inf)
        .where(~lost, np.inf)
        .where(hit.notnull())
    )
    both, early = pairs(hit), pairs(hit - lateness(dataset).load())
    reached = (abs(both[0]) < np.inf).sum("replicate") + (abs(both[1]) < np.inf).sum("replicate")
    runs = both[0].notnull().sum("replicate") + both[1].notnull().sum("replicate")
    good = (2 * reached >= runs) & (reached > 0) & goals.notnull()
    target = goals.where(good).min("target")
    a, b, early_a, early_b = (
        side.where(goals == target).min("target").drop_vars("target_loss", errors="ignore")
        for side in (*both, *early)
    )
    unsure = (
        (early_a < b) & (early_b < a) & ((early_a < a) | (early_b < b))
    )  # the intervals that hold them overlap
    with np.errstate(divide="ignore"):
        a, b = (xr.apply_ufunc(np.log10, side) for side in (a, b))
    first, second = a.round(TIMES), b.round(TIMES)
    return Outcome(a, b, first, second.where(~unsure, first), xr.ones_like(target, bool), target)


def area(dataset: xr.Dataset, at: float | None = None, value: str = "loss") -> Outcome | None:
    """The mean of the lowest loss so far over the logarithm of the cost.

    None where costs of states are not known.
    """
    if not {"value_terms", "gradient_terms"} <= set(dataset.data_vars) or dataset.sizes["checkpoint"] < 2:
        return None
    least, known = precision(dataset), gap_known(dataset)
    mean = over_costs(
        dataset, lambda loss: xr.where(known, decades(loss.where(known), least), loss), value, at
    ).load()
    end = losses(dataset, value, np.inf if at is None else at).load()
    mean = mean.where(end != np.inf, np.inf).where(end.notnull())
    a, b = pairs(mean.transpose(*end.dims))
    fine = xr.where(known, 10.0**-TIMES, least)
    first, second = (side.where(~np.isfinite(side), (side / fine).round() * fine) for side in (a, b))
    none = xr.full_like(a.isel(replicate=0, drop=True), np.nan)
    return Outcome(a, b, first, second, known.broadcast_like(none), none)


def _named(part: xr.DataArray, like: xr.DataArray) -> xr.DataArray:
    """With the dims in the order, and the coordinates, of the first outcome."""
    dims = [dim for dim in like.dims if dim in part.dims]
    coords = {name: like[name] for name in like.coords if set(like[name].dims) <= set(part.dims)}
    return (
        part.transpose(*dims).drop_vars(set(part.coords) - set(coords), errors="ignore").assign_coords(coords)
    )
