"""A quantity of two optimizers, in the same worlds: what `by` of an ordering or an equality compares."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass

import xarray as xr
from xarray import DataArray, Dataset

from studies.analysis.quantities.grammar import parsed
from studies.analysis.quantities.parts import extreme
from studies.claims.asked import Asked, ask, judged
from studies.claims.base import Claim, Judgement, Place, Unjudged, at_each, places
from studies.claims.measured import Measured

Ends = tuple[DataArray, DataArray]  # the least and the largest that a number of each world may be


@dataclass(frozen=True)
class Pair:
    """A quantity of two optimizers.

    Args:
        dataset: the results, as `studies.claims.asked.judged` gives them.
        by: the quantity.
        first: label of an optimizer.
        second: label of the other.
    """

    dataset: Dataset
    by: str
    first: str
    second: str

    @staticmethod
    def of(dataset: Dataset, by: str, labels: list[str]) -> Pair:
        """That of a study's results and two labels."""
        return Pair(judged(dataset), by, *labels)

    @functools.cached_property
    def difference(self) -> Asked:
        """First less second; its error is that of the whole difference."""
        return ask(self.dataset, f"{self._whose(self.first)} - {self._whose(self.second)}")

    def measured(self, place: Place, *, exact: bool) -> Measured:
        """The difference and its error; arguments as of `Asked.measured`.

        Raises:
            Unjudged: it is infinite.
        """
        measured = self.difference.measured(place, exact=exact)
        if math.isinf(measured.value):
            text = "not finite; ask for what each world has, such as hit(0.1)"
            raise Unjudged(f"{self.difference.text} is {measured.value}, {text}")
        return measured

    def won(self, place: Place) -> DataArray | None:
        """1 of a world in which the first is lower, 0 where it is higher, 0.5 where that is not known.

        None: it is no quantity of single worlds. NaN: of a world in which one of them has no number.
        """
        first, second = (self._ends(label, place) for label in (self.first, self.second))
        if first is None or second is None:
            return None
        share = (1.0 + _before(first, second) - _before(second, first)) / 2
        return share.where(first[0].notnull() & second[0].notnull())

    def met(self, place: Place) -> str:
        """What is said of targets that starts had (`Asked.met`)."""
        return self.difference.met(place)

    def _whose(self, label: str) -> str:
        return f"({self.by})[{label!r}]"

    def _ends(self, label: str, place: Place) -> Ends | None:
        """The least and the largest that a quantity of each world may be; times may be known to intervals."""
        values = ask(self.dataset, self._whose(label)).each_world(place)
        if not values:
            return None
        together = xr.concat(values, "end")
        return together.min("end"), together.max("end")


OfLosses = Callable[[Place], Judgement]
OfPair = Callable[[Pair, Place], Judgement]


def _before(first: Ends, second: Ends) -> DataArray:
    """Whether the first is surely less; of two intervals that touch, one is open there."""
    (low, high), (lower, higher) = first, second
    touching = (high == lower) & (low < high) & (lower < higher)
    return (high < lower) | touching


def at_each_pair(
    claim: Claim, dataset: Dataset, by: str | None, of_losses: OfLosses, of_pair: OfPair
) -> list[Judgement]:
    """The judgements of two optimizers at all places, by their final losses or by another quantity.

    Args:
        claim: of the two.
        dataset: a study's results.
        by: the quantity; None: the losses.
        of_losses: gives the judgement of these at a place.
        of_pair: likewise of the quantity.
    """
    judge = of_losses
    if by is not None:
        judge = functools.partial(of_pair, Pair.of(dataset, by, claim.labels()))
    return at_each(claim, places(dataset, claim), judge)


def check_by(claim: Claim, by: str | None, cost: float | None) -> None:
    """Raise where `by` is no quantity, or another cost is named than its own.

    Args:
        claim: what is wrong is said of it.
        by: its quantity.
        cost: its cost.
    """
    if by is None:
        return
    claim.require(cost is None, "cost", "expected none beside `by`; say it there: loss(cost=100)")
    try:
        word = extreme(parsed(by))
    except ValueError as error:
        claim.require(False, "by", str(error))
    claim.require(
        not word,
        "by",
        f"{word}(..) over worlds has no standard error; compare median(..) or quantile(.., 0.9)",
    )
