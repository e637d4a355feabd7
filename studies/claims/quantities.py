"""What a claim may observe: a statistic of worlds, and the numbers of each world that it is of.

recorded at checkpoints     loss, best_loss, observed, population_loss, diversity, step_length, ..: the mean over worlds of each world's mean over
                            the checkpoints from `since` on
population_variance         likewise, of the squared diversity
hit_cost, best_hit_cost     the expected running time to the last target: evaluations of all worlds over the number that hit (Hansen et al. 2009)
noise ledger, each moment   step_variance: mean over worlds; noise_to_signal, noise_scale, effective_population, temperature:
                            ratios of sums, see `studies.analysis.noise.currencies`
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import xarray as xr

from studies.analysis import noise
from studies.analysis.targets import spent

LEDGER = ("step_variance", "noise_to_signal", "noise_scale", "effective_population", "temperature")
HITS = ("hit_cost", "best_hit_cost")
RECORDED = ("loss", "best_loss", "observed", "population_loss", "diversity", "step_length", "population_variance")
PLURAL = {"population_variance": "squared length of x", "hit_cost": "evaluations", "best_hit_cost": "evaluations"}


class Quantity(NamedTuple):
    """A statistic of worlds."""

    statistic: Callable  # of arrays and axis
    parts: list[xr.DataArray]  # with the dim replicate
    unit: str


def quantity(data: xr.Dataset, name: str, since: float = 0.0) -> Quantity:
    """What is observed of runs.

    Args:
        data: dims replicate, checkpoint, .., without moment.
        name: see this module.
        since: fraction of the budget from which checkpoints count.

    Raises:
        ValueError: there is no such number.
    """
    if name in LEDGER:
        return _of_ledger(data, name)
    if name in HITS:
        return _of_hits(data, name)
    source = "diversity" if name == "population_variance" else name
    if source not in data or "checkpoint" not in data[source].dims:
        there = [str(v) for v in data.data_vars if "checkpoint" in data[v].dims and v != "status"]
        raise ValueError(f"quantity: expected one of {', '.join([*there, *HITS, *LEDGER])}, got {name!r}")
    values = data[source].where(data["checkpoint"] >= since * (1 - 1e-9), drop=True)
    if values.sizes["checkpoint"] == 0:
        raise ValueError(f"since: expected a fraction of the budget up to the last checkpoint, {float(data['checkpoint'].max()):g}, got {since:g}")
    values = values**2 if name == "population_variance" else values
    return Quantity(np.mean, [values.mean("checkpoint")], PLURAL.get(name, data[source].attrs.get("units", "1")))


def _of_hits(data: xr.Dataset, name: str) -> Quantity:
    if data.sizes.get("target", 0) == 0:
        raise ValueError(f"quantity: {name} needs `targets` in the study")
    hit = data[name].isel(target=-1, drop=True)
    reached = xr.DataArray(np.isfinite(hit))
    return Quantity(noise.pooled_ratio, [hit.where(reached, spent(data)), reached.astype(float)], "evaluations")


def _of_ledger(data: xr.Dataset, name: str) -> Quantity:
    if "step_variance" not in data:
        raise ValueError(f"quantity: {name} needs the `ledger` of a study")
    variance, step = data["step_variance"].sel(direction="all", drop=True), data["mean_step_squared"]
    if name == "step_variance":
        return Quantity(np.mean, [variance], variance.attrs.get("units", "1"))
    if name == "temperature":
        held = {"reference": "preconditioned"}
        parts = (data["mean_step_along"].mean("half"), data["reference_squared"], data["reference_trace"])
        return Quantity(noise.pooled_temperature, [variance, *(part.sel(held, drop=True) for part in parts)], "1")
    above, below = {
        "noise_to_signal": (variance, step),
        "noise_scale": (variance * data["sample_size"], step),
        "effective_population": (data["binomial_variance"], variance.where(variance > 0)),
    }[name]
    return Quantity(noise.pooled_ratio, [above, below], "1")
