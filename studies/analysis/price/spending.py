"""How many of the evaluations until a cost were gradients, and the cost of hits at another price of a gradient.

The hit of a target lies between two checkpoints. How many of the evaluations until then were gradients is exact where an arm uses only values,
only gradients, or both in a constant mix; else it is interpolated, and bounded by what the two checkpoints have counted.
"""

from __future__ import annotations

import numpy as np
import xarray as xr

from studies.analysis.price.pricing import cost_at, prices
from studies.schema import ROUNDING


def hits(dataset: xr.Dataset, price: float, name: str = "hit_cost") -> tuple[xr.DataArray, xr.DataArray]:
    """The cost of hits at this price of a gradient, and its bounds (bound: low, high).

    Inf: never in the run. The horizon is not looked at.
    """
    nominal, hit = prices(dataset).value, dataset[name]
    gradients, low, high = gradients_until(dataset, hit)
    ends = [hit + (price - nominal) * part for part in ((low, high) if price >= nominal else (high, low))]
    bounds = xr.concat(
        [end.where(np.isfinite(hit), hit) for end in ends],
        xr.Variable("bound", ["low", "high"]),
        coords="minimal",
    )
    return (hit + (price - nominal) * gradients).where(np.isfinite(hit), hit), bounds.transpose(
        *hit.dims, "bound"
    )


def gradients_until(
    dataset: xr.Dataset, cost: xr.DataArray
) -> tuple[xr.DataArray, xr.DataArray, xr.DataArray]:
    """Gradients, in evaluations of all terms, until a completed step at a nominal cost.

    Interpolated, at least, at most; 0 where it is not finite.
    """
    nominal = prices(dataset).value
    spent = cost_at(dataset, nominal)
    counted = dataset["gradient_terms"] / dataset["terms"]
    parts = xr.apply_ufunc(
        _between, spent, counted, cost, kwargs={"price": nominal}, dask="parallelized", output_dtypes=[float] * 3,
        input_core_dims=[["checkpoint"], ["checkpoint"], []], output_core_dims=[[], [], []],
    )  # fmt: skip
    return tuple(part.transpose(*cost.dims) for part in parts)


def _between(
    spent: np.ndarray, counted: np.ndarray, cost: np.ndarray, price: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients at a cost from those at the recorded costs around it.

    Before the first record nothing is spent.
    """
    cost = np.where(np.isfinite(cost), cost, 0.0)
    before, after = (
        spent <= (cost * (1 + ROUNDING))[..., None],
        np.isfinite(spent) & (spent >= (cost * (1 - ROUNDING))[..., None]),
    )
    low, g_low = (np.where(before, part, 0.0).max(-1) for part in (spent, counted))
    high, g_high = (np.where(after, part, np.inf).min(-1) for part in (spent, counted))
    seen = np.isfinite(high)
    values_low, values_high = (
        low - price * g_low,
        np.where(seen, high - price * np.where(seen, g_high, 0.0), cost),
    )
    least = np.maximum(g_low, np.where(seen, (cost - values_high) / price, 0.0))
    most = np.minimum(np.where(seen, g_high, np.inf), (cost - values_low) / price)
    gap = np.where(seen & (high > low), high - low, 1.0)
    inside = g_low + np.where(seen, g_high - g_low, 0.0) * (cost - low) / gap
    beyond = g_low + np.where(low > 0, g_low / np.where(low > 0, low, 1.0), 1 / price) * (cost - low)
    found = np.where(low >= cost * (1 - ROUNDING), g_low, np.where(seen, inside, beyond))
    exact = low >= cost * (1 - ROUNDING)
    return (
        found,
        np.where(exact, g_low, np.minimum(least, found)),
        np.where(exact, g_low, np.maximum(most, found)),
    )
