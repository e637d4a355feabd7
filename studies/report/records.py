"""What arms reached, when they hit targets, and how pairs compare: the numbers of tables, a record each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from xarray import DataArray, Dataset

from studies.analysis.intervals.quantiles import quantiles
from studies.analysis.running_time.tables import fixed_target
from studies.results.arms import dims_beside, numbers_at
from studies.results.hits import at_budget
from studies.text.schema import Status

Numbers = Mapping[str, np.ndarray]  # of an arm or a pair, by name

# final losses -----------------------------------------------------------------------------------------------


class Reached(NamedTuple):
    """The final losses of an arm: over worlds, of which one that diverged counts as infinite."""

    lower: float  # quartile
    median: float
    upper: float  # quartile
    interval: Sequence[float]  # of the median
    worlds: int
    diverged: int
    lost: int  # failed or missing


def reached(data: Dataset) -> Iterator[Reached]:
    """What each arm reached at the budget that all have.

    Args:
        data: results of one landscape along the dim `arm`.
    """
    for part in _of_like_worlds(data):
        yield from _reached(at_budget(part))


def _of_like_worlds(data: Dataset) -> Iterable[Dataset]:
    """The arms (dim `arm`), all at once where a world is of the same instance in each."""
    if "instance" not in data.coords or "arm" not in data["instance"].dims:
        return [data]
    return [data.isel(arm=[place]) for place in range(data.sizes["arm"])]


def _reached(end: Dataset) -> Iterator[Reached]:
    """What arms (dim `arm`) reached."""
    there, diverged = end["status"] < Status.FAILED, end["status"] == Status.DIVERGED
    spread = quantiles(
        "loss", _counted(end, there, diverged), long_name="true loss", units="loss"
    ).transpose("arm", ...)
    levels = spread["loss"].transpose("arm", "quantile").values
    between = spread["loss_interval"].sel(quantile=0.5).transpose("arm", "bound").values
    counts = [part.sum("replicate").values for part in (there, diverged, ~there)]
    for place in range(end.sizes["arm"]):
        lower, median, upper = levels[place].tolist()
        worlds, bad, lost = (int(part[place]) for part in counts)
        yield Reached(lower, median, upper, between[place].tolist(), worlds, bad, lost)


def _counted(end: Dataset, there: DataArray, diverged: DataArray) -> DataArray:
    """Losses of worlds, infinite of those that diverged, none of those that are lost."""
    return end["loss"].where(~diverged, np.inf).where(there)


# running times ----------------------------------------------------------------------------------------------


class Time(NamedTuple):
    """When an arm hit a target."""

    arm: Any  # its coordinate
    target: float
    ert: float  # expected running time
    interval: Sequence[float]
    lower: float  # quartile of a single run
    median: float
    upper: float
    successes: int
    worlds: int


def times(data: Dataset, clock: str) -> Iterator[Time]:
    """When each arm hit each target, where the target is known and some world has numbers.

    Args:
        data: results of one landscape along the dim `arm`.
        clock: on which time is counted.
    """
    result = fixed_target(data, clock=clock)
    names = ("arm", "target_loss", "ert", "ert_interval", "quantiles", "successes", "worlds")
    for at in numbers_at(result.transpose(..., "quantile"), ["arm", "target"], names):
        if np.isfinite(at["target_loss"]) and at["worlds"] > 0:
            lower, median, upper = at["quantiles"].tolist()
            yield Time(
                arm=at["arm"],
                target=float(at["target_loss"]),
                ert=float(at["ert"]),
                interval=at["ert_interval"].tolist(),
                lower=lower,
                median=median,
                upper=upper,
                successes=int(at["successes"]),
                worlds=int(at["worlds"]),
            )


# pairs ------------------------------------------------------------------------------------------------------

SAME = ("difference", "difference_interval", "win_probability")  # what tells values of axes apart
PAIR = (
    *SAME, "win_probability_interval", "a", "b", "verdict", "judged", "target", "logarithmic", "p_value",
    "p_corrected", "worlds", "units", "units_to_decide",
)  # fmt: skip


def pairs(compared: Dataset) -> list[tuple[dict[str, object], Numbers]]:
    """Each pair at each place of the axes, and what is said of it.

    Pairs without worlds are left out; those that are alike at several values of an axis are one.

    Args:
        compared: what `studies.analysis.compare` says of one landscape.

    Returns:
        Of each pair the values of the axes along which pairs differ, and the numbers of `PAIR`.
    """
    axes = dims_beside(compared["difference"], "pair")
    every = _different(compared, axes)
    telling = [axis for axis in axes if len({pair[axis] for pair in every}) > 1]
    return [({axis: pair[axis] for axis in telling}, pair) for pair in every]


def _different(compared: Dataset, axes: list[str]) -> list[Numbers]:
    """The pairs at each place of the axes that have worlds, those with the same numbers once."""
    different: dict[tuple[object, ...], Numbers] = {}
    for pair in numbers_at(compared, [*axes, "pair"], [*PAIR, *axes]):
        if pair["worlds"]:
            same = (pair[name].tobytes() for name in SAME)
            different.setdefault((str(pair["a"]), str(pair["b"]), *same), pair)
    return list(different.values())
