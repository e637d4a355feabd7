"""A study's results at another price of a gradient, as a Dataset that all other analyses and figures take."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from xarray import DataArray, Dataset

from studies.analysis.price.pricing import horizon, look_up
from studies.analysis.price.spending import hits
from studies.analysis.shapes import as_cost, named
from studies.results import settings
from studies.results.arms import absent
from studies.results.config import changed
from studies.results.precision import squeezed
from studies.text.schema import ROUNDING, Status

HITS = ("hit_cost", "best_hit_cost")


def repriced(dataset: Dataset, price: float) -> Dataset:
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
    share = (
        dataset["checkpoint"] / dataset["checkpoint"].max()
    )  # the horizon is the budget of what is returned
    end = squeezed(horizon(dataset, price))
    cost = as_cost(share * end)
    names = [str(name) for name in dataset.data_vars if "checkpoint" in dataset[name].dims]
    result = dataset.drop_vars([*names, "cost", "recorded"], errors="ignore")
    result = result.assign(_shown(dataset, names, price, cost))
    status = _with_end(result["status"], result["checkpoint"])
    result["status"] = status.where(~absent(dataset), int(Status.ABSENT)).transpose(*status.dims)
    result["lag"] = named(_lag(result, price, cost), "cost over the cost of the state that is shown")
    for name in (name for name in HITS if name in dataset):
        result = result.assign(_hits(dataset, name, price, end))
    checkpoint = share.assign_attrs(dataset["checkpoint"].attrs)
    return result.assign_coords(cost=cost, checkpoint=checkpoint).assign_attrs(_attrs(dataset, price))


def _attrs(dataset: Dataset, price: float) -> dict[str, str]:
    """The study and the settings of all arms with this price and no other."""
    study = changed(dataset, gradient_cost={"value": price, "range": [price, price]})
    return study | settings.with_price(dataset.attrs, {"value": price, "low": price, "high": price})


def _shown(
    dataset: Dataset, names: Sequence[str], price: float, cost: DataArray
) -> dict[str, DataArray]:
    """Variables at costs (dim `checkpoint`), each of its type and dims.

    Where an arm is not known NaN, 0, or the status missing.
    """
    at = cost.rename(checkpoint="at").drop_vars("at")
    seen = look_up(dataset, names, price, at).rename(at="checkpoint")
    shown = {}
    for name in names:
        part = seen[name].transpose(*dataset[name].dims)
        empty = Status.MISSING if name == "status" else 0
        if dataset[name].dtype.kind != "f":
            part = part.fillna(int(empty)).astype(dataset[name].dtype).assign_attrs(part.attrs)
        shown[name] = part
    return shown


def _with_end(status: DataArray, checkpoint: DataArray) -> DataArray:
    """The status where all worlds that still ran have spent their budget at the last checkpoint."""
    over = (checkpoint == checkpoint.max()) & (status < Status.BUDGET_SPENT)
    return status.where(~over, int(Status.BUDGET_SPENT)).astype(status.dtype).assign_attrs(status.attrs)


def _lag(shown: Dataset, price: float, cost: DataArray) -> DataArray:
    """Cost over that of the state that is shown."""
    spent = (shown["value_terms"] + price * shown["gradient_terms"]) / shown["terms"]
    lag = cost / spent.where((shown["status"] < Status.FAILED) & (spent > 0))
    return lag.transpose(*spent.dims)


def _hits(dataset: Dataset, name: str, price: float, end: DataArray) -> dict[str, DataArray]:
    """Recorded hits at another price, with their bounds and lower ends; inf beyond the horizon."""
    hit, bounds = hits(dataset, price, name)
    within = hit.isnull() | (hit <= end * (1 + ROUNDING))
    repriced_hits = {name: hit}
    if f"{name}_low" in dataset:
        repriced_hits[f"{name}_low"] = hits(dataset, price, f"{name}_low")[0]
    result = {
        key: part.where(within, np.inf).transpose(*dataset[name].dims).assign_attrs(dataset[key].attrs)
        for key, part in repriced_hits.items()
    }
    return result | {f"{name}_bounds": as_cost(bounds.where(within, np.inf), f"bounds of {name}")}
