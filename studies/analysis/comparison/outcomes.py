"""What two arms are compared by: the final loss; where that ties, the time to a target.

Where that ties too, the area over the curve.

    final loss              at the cost at which arms are compared; where the loss is the gap to a known
                            optimum its common logarithm
    time to target          common logarithm of the cost at which the recommendation first reached the lowest
                            target that half of the runs of the two reached; inf where a world did not, or has
                            diverged. Hits known to intervals that overlap tie
    area over the curve     mean over the logarithm of the cost of the lowest loss so far, as the final loss
                            (see `studies.analysis.running_time.area`)

The final loss ties where some worlds are equal at the precision of the study (`studies.results.precision`),
and so few differ (`DECIDE`) that no test of them could reject. Which worlds tie says nothing of who is
better, so that a test of the next outcome is as honest as one of the first: exchange the two arms in any
world, and the choice is the same.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr
from xarray import DataArray, Dataset

from studies.analysis.comparison.paired import (
    SIDES,
    difference,
    losses,
    on_scale,
    pairs,
    same_worlds,
    scaled,
    sides,
    unit_means,
)
from studies.analysis.running_time.area import over_costs
from studies.analysis.shapes import first_world, unlabelled
from studies.results.gaps import gap_known
from studies.results.hits import budget, hits, lateness
from studies.results.precision import precision, resolved
from studies.text.schema import SPENT
from studies.text.words import check_known

JUDGED = ("final loss", "time to target", "area over the curve")
TIMES = 9  # digits of a common logarithm: what differs by less is equal
DECIDE = 6  # units: if five differ, and all agree, the exact test says p = 0.06


class Outcome(NamedTuple):
    """Numbers of A and B in the same worlds, the smaller the better; dims pair, replicate and others."""

    a: DataArray
    b: DataArray
    first: DataArray  # A at the precision, so that equal ones are equal
    second: DataArray
    logarithmic: DataArray  # whether they are common logarithms
    target: DataArray  # that was timed, in units of the loss; else NaN

    def unlabelled(self) -> Outcome:
        """This outcome without labels, which are the same on all of its arrays: arithmetic looks them up."""
        return Outcome(*map(unlabelled, self))

    def away(self) -> DataArray:
        """A - B, 0 where they are equal at the precision; NaN where either is not known."""
        there = self.first.notnull() & self.second.notnull()
        return difference(self.a, self.b).where(self.first != self.second, 0.0).where(there)

    def replaced(self, where: DataArray, other: Outcome) -> Outcome:
        """This outcome, with the numbers of another one at some places."""
        both = zip(other, self, strict=True)
        return Outcome(*(xr.where(where, theirs, ours, keep_attrs=False) for theirs, ours in both))


def judged(dataset: Dataset, at: float | None = None, value: str = "loss") -> tuple[Outcome, DataArray]:
    """What every two optimizers are compared by, and the place in `JUDGED` of what it is.

    Args:
        dataset: a study's results.
        at: cost in evaluations; None: at the budget that all arms have.
        value: the variable that holds the loss.
    """
    own = dataset.coords.get("recorded", DataArray(True))
    if "optimizer" in own.dims and dataset.sizes["optimizer"] > 2:
        return _pair_by_pair(dataset, at, value)
    end = losses(dataset, value, np.inf if at is None else at).load()
    loss = chosen = final_loss(dataset, end)
    units = differing(loss)
    which, tied = xr.zeros_like(units), ties(loss, units)
    for number, make in ((1, time_to_target), (2, area)):
        left = (which == 0) & tied
        other = make(dataset, end, at, value) if bool(left.any()) else None
        if other is not None:
            use = left & (differing(other) >= DECIDE)
            which, chosen = which.where(~use, number), chosen.replaced(use, other)
    labelled, _ = sides(end.transpose(*end.dims))  # coordinates have their dims in this order too
    once = first_world(labelled)
    worlds = [_labelled(part, labelled) for part in chosen[:4]]
    *others, which = (_labelled(part, once) for part in (*chosen[4:], which))
    return Outcome(*worlds, *others), which


def _labelled(part: DataArray, like: DataArray) -> DataArray:
    """The numbers with the labels, and the order of dims, of another array."""
    return DataArray(part.variable.transpose(*like.dims), like.coords)


def planned(
    outcome: Outcome, which: DataArray, pairs: Sequence[tuple[str, str]]
) -> tuple[Outcome, DataArray]:
    """Some pairs, each with the A and the B that it was asked with.

    Args:
        outcome: of every two optimizers.
        which: the place in `JUDGED` of what they are compared by.
        pairs: (A, B) of those that are wanted.

    Raises:
        ValueError: a pair is none of two optimizers, or is given twice.
    """
    every = list(zip(outcome.a["a"].values.tolist(), outcome.a["b"].values.tolist(), strict=True))
    places = [_place_of(pair, every) for pair in pairs]
    if not places or len(set(places)) < len(places):
        raise ValueError(f"pairs: expected some, each once, got {list(pairs)}")
    a, b = (list(side) for side in zip(*pairs, strict=True))
    labels = [f"{first} - {second}" for first, second in pairs]
    coords = {"pair": labels, "a": ("pair", a), "b": ("pair", b)}
    some = [part.isel(pair=places).assign_coords(coords) for part in (*outcome, which)]
    turned = DataArray(
        [pair != every[place] for pair, place in zip(pairs, places, strict=True)], dims="pair"
    )
    first, second, at_first, at_second, *others, kind = some
    sides = [
        xr.where(turned, other, own, keep_attrs=False).transpose(*own.dims).assign_coords(own.coords)
        for own, other in (
            (first, second),
            (second, first),
            (at_first, at_second),
            (at_second, at_first),
        )
    ]
    return Outcome(*sides, *others), kind


def _place_of(pair: tuple[str, str], every: Sequence[tuple[str, str]]) -> int:
    """Where a pair stands among all, in either order; raises ValueError where it does not."""
    names = list(dict.fromkeys(name for two in every for name in two))
    check_known("pairs: unknown optimizer", pair, names)
    for place, two in enumerate(every):
        if set(two) == set(pair):
            return place
    raise ValueError(f"pairs: expected two optimizers, got {pair}")


def _pair_by_pair(dataset: Dataset, at: float | None, value: str) -> tuple[Outcome, DataArray]:
    """As `judged`, each pair at the last checkpoint that the two have, whichever others have."""
    same_worlds(dataset)
    every_two = itertools.combinations(range(dataset.sizes["optimizer"]), 2)
    both = [judged(dataset.isel(optimizer=list(two)), at, value) for two in every_two]
    outcomes, which = zip(*both, strict=True)
    return Outcome(*(_along_pairs(parts) for parts in zip(*outcomes, strict=True))), _along_pairs(which)


def _along_pairs(parts: Sequence[DataArray]) -> DataArray:
    joined = xr.concat(parts, "pair", coords="different", compat="equals", join="override")
    return joined.transpose(*parts[0].dims)


def ties(loss: Outcome, units: DataArray) -> DataArray:
    """Whether some worlds tie, and so few units differ that no test could tell."""
    equal = ((loss.first == loss.second) & np.isfinite(loss.first)).any("replicate")
    return equal & (units < DECIDE)


def differing(outcome: Outcome) -> DataArray:
    """How many worlds, or instances where worlds share them, differ."""
    means = unit_means(outcome.away())
    return ((means != 0) & means.notnull()).sum("unit")


def final_loss(dataset: Dataset, end: DataArray) -> Outcome:
    """The loss at a cost, without labels.

    Args:
        dataset: a study's results.
        end: of `losses`, at that cost.
    """
    end, least = unlabelled(end, *SIDES, "gap_known"), unlabelled(precision(dataset))
    loss, logarithmic = scaled(end, least)
    a, b = pairs(loss)
    first, second = pairs(resolved(end, least))
    none = _no_target(a)
    return Outcome(a, b, first, second, logarithmic.broadcast_like(none), none).unlabelled()


def _no_target(side: DataArray) -> DataArray:
    return xr.full_like(first_world(side), np.nan)


def time_to_target(
    dataset: Dataset, end: DataArray, at: float | None = None, value: str = "loss"
) -> Outcome | None:
    """The cost of the first hit of the lowest target that half of the runs of a pair reached.

    Without labels; None where there are no targets. Arguments are those of `area`.
    """
    del value  # hits are of the loss
    if not dataset.sizes.get("target") or "hit_cost" not in dataset:
        return None
    hit, late = hits(dataset).load(), lateness(dataset).load()
    goals = unlabelled(hit["target_loss"])
    hit, late = (unlabelled(part, *SIDES) for part in (hit, late))
    hit = _within(hit, budget(dataset) if at is None else at, end)
    both, early = (map(unlabelled, pairs(part)) for part in (hit, hit - late))
    a, b = both
    target = goals.where(_reached_by_half(a, b) & goals.notnull()).min("target")
    late_a, late_b, early_a, early_b = (
        side.where(goals == target).min("target") for side in (a, b, *early)
    )
    with np.errstate(divide="ignore"):
        a, b = (xr.apply_ufunc(np.log10, side) for side in (late_a, late_b))
    first = a.round(TIMES)
    second = b.round(TIMES)
    # hits known to intervals that overlap tie
    overlap = (early_a < late_b) & (early_b < late_a) & ((early_a < late_a) | (early_b < late_b))
    return Outcome(a, b, first, second.where(~overlap, first), xr.ones_like(target, bool), target)


def _within(hit: DataArray, cost: DataArray | float, end: DataArray) -> DataArray:
    """Hits up to a cost; inf of worlds that did not get there by then, or diverged."""
    within, lost = unlabelled(DataArray(cost)) * (1 + SPENT), unlabelled(end) == np.inf
    return hit.where((hit <= within) & ~lost, np.inf).where(hit.notnull())


def _reached_by_half(a: DataArray, b: DataArray) -> DataArray:
    """Whether half of the runs of a pair, and some, reached a target."""
    runs = a.notnull().sum("replicate") + b.notnull().sum("replicate")
    reached = (abs(a) < np.inf).sum("replicate") + (abs(b) < np.inf).sum("replicate")
    return (2 * reached >= runs) & (reached > 0)


def area(
    dataset: Dataset, end: DataArray, at: float | None = None, value: str = "loss"
) -> Outcome | None:
    """The mean of the lowest loss so far over the logarithm of the cost.

    Without labels; None where costs of states are not known.

    Args:
        dataset: a study's results.
        end: of `losses`, at that cost.
        at: that cost, in evaluations; None: at the budget that all arms have.
        value: the variable that holds the loss.
    """
    if (
        not {"value_terms", "gradient_terms"} <= set(dataset.data_vars)
        or dataset.sizes["checkpoint"] < 2
    ):
        return None
    least, known = (unlabelled(part) for part in (precision(dataset), gap_known(dataset)))
    mean = _mean_over_costs(dataset, at, value).where(end != np.inf, np.inf).where(end.notnull())
    a, b = pairs(unlabelled(mean.transpose(*end.dims), *SIDES))
    fine = xr.where(known, 10.0**-TIMES, least)
    first, second = (side.where(~np.isfinite(side), (side / fine).round() * fine) for side in (a, b))
    none = _no_target(a)
    return Outcome(a, b, first, second, known.broadcast_like(none), none).unlabelled()


def _mean_over_costs(dataset: Dataset, at: float | None, value: str) -> DataArray:
    """The mean of the lowest loss so far, or of its common logarithm where it is a gap."""
    scale = functools.partial(on_scale, known=gap_known(dataset), least=precision(dataset))
    return over_costs(dataset, scale, value, at).load()
