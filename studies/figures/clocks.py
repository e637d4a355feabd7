"""A quantity along the clocks of a run: cost, steps, epochs, virtual time, seconds."""

from __future__ import annotations

import xarray as xr
from xarray import DataArray, Dataset

from studies.analysis.quantities.evaluate import quantity
from studies.results.arms import dims_beside
from studies.results.clocks import check_clock, has_clock, shown_on, words
from studies.results.hits import spent
from studies.text.schema import SPENT, Status
from studies.text.shapes import Data

CLOCKS = {  # -> what its axis is called
    "cost": "cost (evaluations)",
    "steps": "steps",
    "epochs": "epochs",
    "virtual_time": "virtual time",
    "seconds": "seconds",
}
COUNTED = {"value_terms", "gradient_terms", "terms"}
JOINING: Data = {
    "coords": "minimal",
    "compat": "override",
    "join": "override",
}


def label(clock: str) -> str:
    """What an axis of a clock is called."""
    return CLOCKS[clock]


def counted(dataset: Dataset) -> bool:
    """Whether results say what each world asked for."""
    return set(dataset.variables) >= COUNTED


def timed(dataset: Dataset, clock: str) -> Dataset:
    """Results whose coordinate `cost` is what another clock shows, with `bill`, what each world spent on it.

    Of worlds whose clocks differ it is the median, as losses are; a world that ends later is drawn to there.

    An arm that has no such clock is absent; of a checkpoint before the first step it is NaN.

    Args:
        dataset: a study's results.
        clock: cost, steps, epochs, virtual_time or seconds.

    Raises:
        ValueError: there is no such clock, or it was not recorded.
    """
    if clock == "cost":
        return dataset
    times = shown_on(dataset, clock).median("replicate").where(dataset["cost"].notnull())
    bill, end = spent(dataset, clock), times.max("checkpoint")
    bill = bill.where(bill <= end, end)
    shown = with_clock(dataset, clock).assign(bill=bill.where(bill > 0))
    return shown.assign_coords(cost=times.where(times > 0).reset_coords(drop=True))


def with_clock(dataset: Dataset, clock: str) -> Dataset:
    """Results in which the arms that have no such clock are absent.

    Raises:
        ValueError: there is no such clock, or it was not recorded.
    """
    check_clock(clock)
    there = has_clock(dataset, clock)
    if not there.any():
        raise ValueError(f"no method of these results has {words(clock)}")
    return _absent_but(dataset, there)


def _absent_but(dataset: Dataset, there: DataArray) -> Dataset:
    """Results of which all other arms are absent."""
    status = dataset["status"]
    return dataset.assign(status=status.where(there, Status.ABSENT).astype(status.dtype))


def along(dataset: Dataset, text: str, clock: str) -> Dataset:
    """A quantity at every checkpoint, and the clock there.

    Args:
        dataset: a study's results.
        text: the quantity; what it says without a moment is of the checkpoint.
        clock: one of `CLOCKS`.

    Returns:
        `quantity`, `quantity_interval` and `worlds`, with the dim `checkpoint`, NaN where a run has ended;
        `x`, the median of the worlds' clocks.

    Raises:
        ValueError: the clock was not kept, or there is no such quantity.
    """
    times = _times(dataset, clock)
    answers = _at_checkpoints(dataset, text)
    there = running(dataset)
    asked = map(str, answers["quantity"].dims)
    extra = dims_beside(there, "checkpoint", *asked)
    numbers = answers["quantity"].where(there.any(extra))
    lost = dims_beside(times, "checkpoint", *map(str, numbers.dims))
    x = times.median(lost) if lost else times
    return answers.assign(quantity=numbers, x=x.broadcast_like(numbers))


def _at_checkpoints(dataset: Dataset, text: str) -> Dataset:
    """A quantity at every checkpoint."""
    places = range(dataset.sizes["checkpoint"])
    parts = [quantity(dataset.isel(checkpoint=[place]), text) for place in places]
    return xr.concat(parts, "checkpoint", **JOINING)


def _times(dataset: Dataset, clock: str) -> DataArray:
    """The clock at checkpoints, over worlds the median."""
    _check_kept(dataset, clock)
    times = dataset[clock].astype(float)
    return times.median("replicate") if "replicate" in times.dims else times


def _check_kept(dataset: Dataset, clock: str) -> None:
    """Refuse a clock that the results do not have."""
    if clock not in dataset:
        kept = ", ".join(name for name in CLOCKS if name in dataset)
        raise ValueError(f"curve: expected a clock that was kept ({kept}), got {clock}")


def running(dataset: Dataset) -> DataArray:
    """Whether some world of an arm runs at a checkpoint: up to the first one at which all have ended."""
    if not counted(dataset):
        return dataset["cost"].notnull()
    end = spent(dataset).max("replicate") * (1 - SPENT)
    return dataset["cost"].shift(checkpoint=1, fill_value=0.0) < end
