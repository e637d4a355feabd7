"""Empirical attainment function.

The share of worlds that had reached a loss by a cost, for all losses and costs at once.

The set that a run attains is all (cost, loss) that are no better than some state of it; the share of runs
that attain a point estimates the chance that one does (Grunert da Fonseca, Fonseca and Hall 2001; for anytime
performance: Lopez-Ibanez, Vermetten, Dreo and Doerr 2025, "Using the empirical attainment function for
analyzing single-objective black-box optimization algorithms"). At one loss it is a runtime ECDF, at one cost
the distribution of the best loss. Here runs are known at the states that checkpoints show.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from xarray import DataArray, Dataset

from studies.analysis.intervals.proportions import proportion
from studies.analysis.running_time.area import lowest
from studies.analysis.running_time.runtime import costs_of, in_blocks
from studies.analysis.shapes import bare, rest
from studies.results.hits import LOSSES, hits, variable
from studies.text.schema import ROUNDING

LEVELS = 25  # losses, where none are given


def attainment(
    dataset: Dataset,
    losses: Sequence[float] | DataArray | None = None,
    costs: Sequence[float] | DataArray | None = None,
    value: str = "loss",
    clock: str = "cost",
) -> Dataset:
    """Share of worlds that had reached losses by costs.

    Args:
        dataset: a study's results.
        losses: with the dim `target`, and maybe `landscape`, where they are a DataArray. None: 25 of each
            landscape, between the lowest and the highest that were reached, evenly in the logarithm where all
            are above 0.
        costs: on the clock; with the dim `checkpoint` where they are a DataArray. None: those of the
            checkpoints.
        value: `loss` of the recommended or `best_loss` of the best evaluated point.
        clock: cost, steps, epochs, virtual_time or seconds.

    Returns:
        `attained` (.., target, checkpoint), `attained_interval` (bound), `worlds`; the coordinates
        `target_loss` and that of the clock.

    Raises:
        ValueError: there is no such loss or clock.
    """
    which = variable(f"{_hits_of(value)}_cost", clock)
    cost = costs_of(dataset, costs, clock)
    hit = hits(dataset, levels(dataset, value) if losses is None else losses, which)
    parts = [_reached(part, cost) for part in in_blocks(hit, cost)]
    result = xr.concat(parts, "target", coords="minimal", compat="override", data_vars="minimal")
    dims = rest(result["attained"], "target", "checkpoint")
    result = result.transpose(*dims, "target", "checkpoint", "bound")
    known = {name: hit[name] for name in ("target", "target_loss")}
    return result.assign_coords(known | {clock: cost})


def _hits_of(value: str) -> str:
    """Whose hits are those of a loss: hit or best_hit."""
    which = next((name for name, loss in LOSSES.items() if loss == value), None)
    if which is None:
        raise ValueError(
            f"attainment: expected value to be one of {', '.join(LOSSES.values())}, got {value!r}"
        )
    return which


def _reached(hit: DataArray, cost: DataArray) -> Dataset:
    """The share of worlds that had hit targets by costs."""
    reached = (hit <= cost * (1 + ROUNDING)).where(hit.notnull())
    return proportion("attained", reached, long_name="share of worlds that reached the loss")


def levels(
    dataset: Dataset,
    value: str = "loss",
    number: int = LEVELS,
    least: DataArray | float = -np.inf,
) -> DataArray:
    """Losses (target, [landscape]) from the highest that worlds reached down to the lowest.

    Args:
        dataset: a study's results.
        value: `loss` or `best_loss`.
        number: of losses.
        least: what none is below, maybe of each landscape.
    """
    loss = lowest(dataset, value)
    loss = loss.where(np.isfinite(loss))
    low = loss.min(rest(loss, "landscape"))
    high = loss.max(rest(loss, "landscape"))
    low, high = (end.where(end.isnull() | (end >= least), least) for end in (low, high))
    place = DataArray(np.linspace(1.0, 0.0, number), dims="target")
    spread = xr.where(low > 0, _evenly_in_logarithm(low, high, place), low + place * (high - low))
    # the ends exactly: a world whose loss is the highest has reached it
    return bare(spread.where(place < 1, high).where(place > 0, low))


def _evenly_in_logarithm(low: DataArray, high: DataArray, place: DataArray) -> DataArray:
    """Losses at places from 0 to 1 between two that are above 0; elsewhere it means nothing."""
    log_low, log_high = (np.log(end.where(low > 0, 1.0)) for end in (low, high))
    return np.exp(log_low + place * (log_high - log_low))
