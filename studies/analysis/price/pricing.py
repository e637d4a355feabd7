"""A study at another price of a gradient, by looking up what was counted.

Nothing is run again, and nothing extrapolated.

At a price p, in evaluations, a run that has asked for V term-evaluations of values and G of gradients, of a
landscape with M terms, has spent

    cost(p) = (V + p G) / M        evaluations.

The loss at a cost c is that of the last recorded state with cost(p) <= c, as a checkpoint is at the nominal
price: at most the checkpoints' spacing behind the run. An arm is known from the first cost that all its
worlds have recorded to the last before which none has taken a step that was not; beyond, it is NaN: an arm
ran until its budget was spent at the lowest price of the study, so at a price p it was seen for at least

    budget + (p - lowest price) G / M.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from xarray import DataArray, Dataset

from studies.analysis.shapes import as_cost, bare, mapped
from studies.results import settings
from studies.results.hits import budget
from studies.results.prices import Price, Prices
from studies.results.prices import prices as of_study
from studies.text.schema import ROUNDING, SPENT, Status


def prices(dataset: Dataset) -> Prices:
    """The nominal price of a study whose results may be priced afresh, and its range.

    Raises:
        ValueError: the price is swept, or a landscape moves with the cost that is spent.
    """
    _expect_still(dataset)
    result = of_study(dataset)
    if isinstance(result.value, DataArray):
        raise ValueError(
            "pricing: expected one price of a gradient for the whole study, got a sweep of gradient_cost:"
            " give it a range instead"
        )
    return result


def _expect_still(dataset: Dataset) -> None:
    """Raise where a landscape moves with the cost that is spent."""
    moving = sorted({
        str(arm.coords["landscape"])
        for arm in settings.arms(dataset)
        if arm.landscape.get("clock") == "cost"
    })
    if moving:
        raise ValueError(
            f"pricing: expected landscapes that stand still, or move with steps; {', '.join(moving)} would"
            " have moved otherwise"
        )


def cost_at(dataset: Dataset, price: Price) -> DataArray:
    """Cost of every checkpoint's state at this price of a gradient, or these (dim `price`).

    Inf where a world has no numbers.
    """
    given = np.asarray(price)
    if not (np.isfinite(given).all() and (given > 0).all()):
        raise ValueError(f"pricing: expected a price of a gradient > 0, in evaluations, got {given}")
    counted = (dataset["value_terms"] + price * dataset["gradient_terms"]) / dataset["terms"]
    return as_cost(counted.where(dataset["status"] < Status.FAILED, np.inf))


def window(dataset: Dataset, price: Price) -> tuple[DataArray, DataArray]:
    """The costs from and up to which every arm is known at this price.

    Dims of `loss` but replicate and checkpoint.

    The end is inf for an arm whose worlds have all diverged, and -inf for one without numbers, whose window
    is empty.
    """
    there = (dataset["status"] < Status.FAILED).any("checkpoint")
    begin = cost_at(dataset, price).min("checkpoint").where(there).max("replicate")
    diverged = (dataset["status"] == Status.DIVERGED).any("checkpoint")
    known = _known_until(dataset, price).where(~diverged, np.inf).where(there)
    return bare(begin), bare(known.min("replicate").fillna(-np.inf))


def _known_until(dataset: Dataset, price: Price) -> DataArray:
    """The cost at this price before which a world has taken no step that was not recorded."""
    nominal = prices(dataset)
    last = dataset["cost"].max("checkpoint")
    values, gradients = (
        (dataset[name] / dataset["terms"]).max("checkpoint")
        for name in ("value_terms", "gradient_terms")
    )
    ended = values + nominal.low * gradients >= budget(dataset) * (1 - SPENT)
    over = budget(dataset) + (price - nominal.low) * gradients  # at least, where the run has ended
    # A step beyond the last checkpoint costs at least this, if it takes gradients alone,
    cheap = values + price * (last - values) / nominal.value
    # or, where gradients have become dearer, if it takes values alone.
    dear = last + (price - nominal.value) * gradients
    return xr.where(ended, over, xr.where(DataArray(price) < nominal.value, cheap, dear))


def horizon(dataset: Dataset, price: Price) -> DataArray:
    """The cost up to which all arms with numbers can be compared at this price: what each had at least.

    Where all have diverged, the budget.
    """
    _, end = window(dataset, price)
    arms = [dim for dim in ("optimizer",) if dim in end.dims]
    least = end.where(np.isfinite(end)).min(arms)
    all_diverged = (end == np.inf).any(arms) & least.isnull()
    return as_cost(bare(least.where(~all_diverged, budget(dataset))), "common budget")


def look_up(dataset: Dataset, names: Sequence[str], price: Price, cost: DataArray | float) -> Dataset:
    """Variables of the checkpoints at a cost, at this price of a gradient.

    Args:
        dataset: a study's results.
        names: of the variables, such as loss.
        price: of a gradient; or several, with the dim `price`.
        cost: in evaluations; no dim `checkpoint`.

    Returns:
        The variables as floats, with the dims of `cost` and of the price in place of `checkpoint`. NaN where
        the cost is outside the arm's `window`, or a world has no numbers.
    """
    cost = DataArray(cost)
    begin, end = window(dataset, price)
    inside = (begin <= cost * (1 + ROUNDING)) & (cost <= end * (1 + SPENT))
    place = mapped(
        _place,
        cost_at(dataset, price),
        cost * (1 + ROUNDING),
        over=[["checkpoint"], []],
        output_dtypes=[int],
        keep_attrs="drop",
    ).where(inside, -1)
    shown = {name: _taken(dataset[name], place).assign_attrs(dataset[name].attrs) for name in names}
    return Dataset(shown).drop_vars("cost", errors="ignore")


def _place(cost: np.ndarray, reach: np.ndarray) -> np.ndarray:
    """The first entry of those that share the largest cost <= reach; -1 where there is none."""
    reached = np.where(cost <= reach[..., None], cost, -np.inf)
    return np.where(np.isfinite(reached).any(-1), reached.argmax(-1), -1)


def _taken(values: DataArray, place: DataArray) -> DataArray:
    """Numbers at places along the dim `checkpoint`, as floats; NaN where the place is -1."""
    return mapped(_take, values, place, over=[["checkpoint"], []], keep_attrs="drop")


def _take(values: np.ndarray, place: np.ndarray) -> np.ndarray:
    """`values[.., place]` of values (.., K) for each place (..), as floats; NaN where place < 0."""
    cells = np.broadcast_shapes(values.shape[:-1], place.shape)
    every = np.broadcast_to(values, (*cells, values.shape[-1]))
    at = np.broadcast_to(np.maximum(place, 0), cells).astype(int)
    taken = np.take_along_axis(every, at[..., None], -1)[..., 0]
    return np.where(place >= 0, taken.astype(float), np.nan)
