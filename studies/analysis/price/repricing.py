"""A study's results at another price of a gradient, as a Dataset that all other analyses and figures take."""

from __future__ import annotations

import numpy as np
import xarray as xr

from studies.analysis.price.pricing import EVALUATIONS, horizon, look_up
from studies.analysis.price.spending import hits
from studies.results import settings
from studies.results.config import changed
from studies.schema import ROUNDING, Status

HITS = ("hit_cost", "best_hit_cost")


def repriced(dataset: xr.Dataset, price: float) -> xr.Dataset:
    """The study as if this had been the nominal price of a gradient, up to the common `horizon`.

    Nothing is run again.

    Args:
        dataset: a study's results.
        price: of a gradient, in evaluations.

    Returns:
        The same variables at the same fractions of the horizon, which is the last checkpoint; the coordinate
        `cost` in evaluations at this price. Where an arm is not known, before its first record, floats are
        NaN, counts 0 and the status 5. `hit_cost` and `best_hit_cost` are re-priced, with `_bounds` (bound:
        low, high), and inf beyond the horizon. `lag`: cost over that of the state that is shown, which is
        behind by less than a step and the spacing of the checkpoints that were recorded.
    """
    end = squeezed(horizon(dataset, price))
    cost = (dataset["checkpoint"] / dataset["checkpoint"].max() * end).assign_attrs(
        long_name="cost", **EVALUATIONS
    )
    names = [str(name) for name in dataset.data_vars if "checkpoint" in dataset[name].dims]
    seen = look_up(dataset, names, price, cost.rename(checkpoint="at").drop_vars("at")).rename(
        at="checkpoint"
    )
    found = dataset.drop_vars([*names, "cost", "recorded"], errors="ignore")
    for name in names:
        told, empty = seen[name].transpose(*dataset[name].dims), Status.MISSING if name == "status" else 0
        found[name] = (
            told
            if dataset[name].dtype.kind == "f"
            else told.fillna(empty).astype(dataset[name].dtype).assign_attrs(told.attrs)
        )
    over = (found["checkpoint"] == found["checkpoint"].max()) & (found["status"] < Status.BUDGET_SPENT)
    found["status"] = (
        found["status"]
        .where(~over, Status.BUDGET_SPENT)
        .astype(dataset["status"].dtype)
        .assign_attrs(dataset["status"].attrs)
    )
    spent = (found["value_terms"] + price * found["gradient_terms"]) / found["terms"]
    lag = cost / spent.where((found["status"] < Status.FAILED) & (spent > 0))
    found["lag"] = lag.transpose(*spent.dims).assign_attrs(
        long_name="cost over the cost of the state that is shown", units="1"
    )
    for name in (name for name in HITS if name in dataset):
        hit, bounds = hits(dataset, price, name)
        within = hit.isnull() | (hit <= end * (1 + ROUNDING))
        found[name] = (
            hit.where(within, np.inf).transpose(*dataset[name].dims).assign_attrs(dataset[name].attrs)
        )
        if f"{name}_low" in dataset:
            low = hits(dataset, price, f"{name}_low")[0]
            found[f"{name}_low"] = (
                low
                .where(within, np.inf)
                .transpose(*dataset[name].dims)
                .assign_attrs(dataset[f"{name}_low"].attrs)
            )
        found[f"{name}_bounds"] = bounds.where(within, np.inf).assign_attrs(
            long_name=f"bounds of {name}", **EVALUATIONS
        )
    attrs = changed(dataset, gradient_cost={"value": price, "range": [price, price]})
    attrs |= settings.with_price(dataset.attrs, {"value": price, "low": price, "high": price})
    part = (
        dataset["checkpoint"] / dataset["checkpoint"].max()
    )  # the horizon is the budget of what is returned
    return found.assign_coords(
        cost=cost, checkpoint=part.assign_attrs(dataset["checkpoint"].attrs)
    ).assign_attrs(attrs)


def squeezed(values: xr.DataArray) -> xr.DataArray:
    """Without the dims along which nothing changes, as in the coordinate `cost`."""
    for dim in map(str, values.dims):
        low, high = values.min(dim), values.max(dim)
        values = low if bool(((low == high) | low.isnull()).all()) else values
    return values
