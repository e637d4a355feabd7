"""How many of the evaluations until a cost were gradients, and what hits cost at another price of these.

The hit of a target lies between two checkpoints. How many of the evaluations until then were gradients is
exact where an arm uses only values, only gradients, or both in a constant mix; else it is interpolated, and
bounded by what the two checkpoints have counted.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from xarray import DataArray, Dataset

from studies.analysis.price.pricing import cost_at, prices
from studies.analysis.shapes import interval_of, mapped
from studies.text.schema import ROUNDING


def hits(dataset: Dataset, price: float, name: str = "hit_cost") -> tuple[DataArray, DataArray]:
    """The cost of hits at this price of a gradient, and its bounds (bound: low, high).

    Inf: never in the run. The horizon is not looked at.
    """
    change = price - prices(dataset).value
    hit = dataset[name]
    gradients, low, high = gradients_until(dataset, hit)
    at_price = [
        (hit + change * part).where(np.isfinite(hit), hit)
        for part in (gradients, *((low, high) if change >= 0 else (high, low)))
    ]
    return at_price[0], interval_of(*at_price[1:]).transpose(*hit.dims, "bound")


def gradients_until(dataset: Dataset, cost: DataArray) -> tuple[DataArray, DataArray, DataArray]:
    """Gradients, in evaluations of all terms, until a completed step at a nominal cost.

    Interpolated, at least, at most; 0 where it is not finite.
    """
    nominal = prices(dataset).value
    spent = cost_at(dataset, nominal)
    counted = dataset["gradient_terms"] / dataset["terms"]
    over: list[list[str]] = [["checkpoint"], ["checkpoint"], []]
    parts = mapped(
        _between, spent, counted, cost, over=over, into=[(), (), ()], kwargs={"price": nominal}
    )
    return tuple(part.transpose(*cost.dims) for part in parts)


class _Around(NamedTuple):
    """What is recorded around a cost, (..) each."""

    low: np.ndarray  # the largest recorded cost up to it, 0 before the first record
    g_low: np.ndarray  # gradients until there
    high: np.ndarray  # the smallest recorded cost from it on, inf beyond the last
    g_high: np.ndarray

    @classmethod
    def of(cls, spent: np.ndarray, counted: np.ndarray, cost: np.ndarray) -> _Around:
        """Of recorded costs and gradients (.., K)."""
        before = spent <= (cost * (1 + ROUNDING))[..., None]
        after = np.isfinite(spent) & (spent >= (cost * (1 - ROUNDING))[..., None])
        low, g_low = (np.where(before, part, 0.0).max(-1) for part in (spent, counted))
        high, g_high = (np.where(after, part, np.inf).min(-1) for part in (spent, counted))
        return cls(low, g_low, high, g_high)

    def interpolated(self, cost: np.ndarray, price: float) -> np.ndarray:
        """Gradients at a cost: on the line between the two records, or on beyond the last one."""
        low, g_low, high, g_high = self
        seen = np.isfinite(high)
        gap = np.where(seen & (high > low), high - low, 1.0)
        inside = g_low + np.where(seen, g_high - g_low, 0.0) * (cost - low) / gap
        mix = np.where(low > 0, g_low / np.where(low > 0, low, 1.0), 1 / price)
        return np.where(seen, inside, g_low + mix * (cost - low))

    def bounds(self, cost: np.ndarray, price: float) -> tuple[np.ndarray, np.ndarray]:
        """The fewest and the most gradients at a cost that the counts of the two records allow."""
        low, g_low, high, g_high = self
        seen = np.isfinite(high)
        values_low = low - price * g_low
        values_high = np.where(seen, high - price * np.where(seen, g_high, 0.0), cost)
        least = np.maximum(g_low, np.where(seen, (cost - values_high) / price, 0.0))
        most = np.minimum(np.where(seen, g_high, np.inf), (cost - values_low) / price)
        return least, most


def _between(
    spent: np.ndarray, counted: np.ndarray, cost: np.ndarray, price: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients at a cost from those at the recorded costs around it, with their bounds.

    Before the first record nothing is spent.
    """
    cost = np.where(np.isfinite(cost), cost, 0.0)
    around = _Around.of(spent, counted, cost)
    exact = around.low >= cost * (1 - ROUNDING)
    gradients = np.where(exact, around.g_low, around.interpolated(cost, price))
    least, most = around.bounds(cost, price)
    ends = (np.minimum(least, gradients), np.maximum(most, gradients))
    low, high = (np.where(exact, around.g_low, end) for end in ends)
    return gradients, low, high
