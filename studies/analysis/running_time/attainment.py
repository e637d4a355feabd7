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

from studies.analysis.intervals.proportions import proportion
from studies.analysis.running_time.area import lowest
from studies.analysis.running_time.runtime import costs_of
from studies.results.hits import LOSSES, hits
from studies.schema import ROUNDING

LEVELS = 25  # losses, where none are given


def attainment(
    dataset: xr.Dataset,
    losses: Sequence[float] | xr.DataArray | None = None,
    costs: Sequence[float] | xr.DataArray | None = None,
    value: str = "loss",
) -> xr.Dataset:
    """Share of worlds that had reached losses by costs.

    Args:
        dataset: a study's results.
        losses: with the dim `target`, and maybe `landscape`, where they are a DataArray. None: 25 of each
            landscape, between the lowest and the highest that were reached, evenly in the logarithm where all
            are above 0.
        costs: in evaluations; with the dim `checkpoint` where they are a DataArray. None: those of the
            checkpoints.
        value: `loss` of the recommended or `best_loss` of the best evaluated point.

    Returns:
        `attained` (.., target, checkpoint), `attained_interval` (bound), `worlds`; the coordinates
        `target_loss` and `cost`.

    Raises:
        ValueError: there is no such loss.
    """
    which = next((name for name, loss in LOSSES.items() if loss == value), None)
    if which is None:
        raise ValueError(
            f"attainment: expected value to be one of {', '.join(LOSSES.values())}, got {value!r}"
        )
    cost = costs_of(dataset, costs)
    hit = hits(dataset, levels(dataset, value) if losses is None else losses, which)
    parts = []
    for i in range(hit.sizes["target"]):
        one = hit.isel(target=i, drop=True).drop_vars("target_loss", errors="ignore")
        reached = (one <= cost * (1 + ROUNDING)).where(one.notnull())
        parts.append(proportion("attained", reached, long_name="share of worlds that reached the loss"))
    found: xr.Dataset = xr.concat(parts, hit["target"], coords="minimal", compat="override", data_vars="all")
    dims = [dim for dim in found["attained"].dims if dim not in ("target", "checkpoint")]
    return found.transpose(*dims, "target", "checkpoint", "bound").assign_coords(
        cost=cost, target_loss=hit["target_loss"]
    )


def levels(dataset: xr.Dataset, value: str = "loss", number: int = LEVELS) -> xr.DataArray:
    """Losses (target, [landscape]) between the lowest and the highest that worlds reached, from the highest down."""
    found = lowest(dataset, value)
    found = found.where(np.isfinite(found))
    rest = [dim for dim in found.dims if dim != "landscape"]
    low, high = found.min(rest), found.max(rest)
    place = xr.DataArray(np.linspace(1.0, 0.0, number), dims="target")
    logarithmic = low > 0
    exponents = np.log(low.where(logarithmic, 1.0)), np.log(high.where(logarithmic, 1.0))
    even = low + place * (high - low)
    found = xr.where(logarithmic, np.exp(exponents[0] + place * (exponents[1] - exponents[0])), even)
    return (
        found.where(place < 1, high).where(place > 0, low).reset_coords(drop=True)
    )  # exactly: a world whose loss is the highest has reached it
