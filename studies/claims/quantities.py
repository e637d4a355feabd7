"""What a claim may observe: a statistic of worlds, and the numbers of each world that it is of.

recorded at checkpoints     loss, best_loss, observed, population_loss, diversity, step_length, ..: the
                            mean over worlds of each world's mean over the checkpoints from `since` on
population_variance         likewise, of the squared diversity
hit_cost, best_hit_cost     the expected running time to the last target: evaluations of all worlds over the
                            number that hit (Hansen et al. 2009)
noise ledger, each moment   step_variance: mean over worlds; noise_to_signal, noise_scale,
                            effective_population, temperature: ratios of sums, see
                            `studies.analysis.noise.noise.currencies`
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import xarray as xr

from studies.analysis.noise import noise
from studies.claims.gate import CAP, EPSILON, ROUNDINGS, Measured
from studies.claims.jackknife import jackknife
from studies.results import settings
from studies.results.hits import spent

LEDGER = ("step_variance", "noise_to_signal", "noise_scale", "effective_population", "temperature")
HITS = ("hit_cost", "best_hit_cost")
RECORDED = (
    *("loss", "best_loss", "observed", "population_loss"),
    *("diversity", "step_length", "population_variance"),
)
PLURAL = {
    "population_variance": "squared length of x",
    "hit_cost": "evaluations",
    "best_hit_cost": "evaluations",
}


class Quantity(NamedTuple):
    """A statistic of worlds."""

    statistic: Callable  # of arrays and axis
    parts: list[xr.DataArray]  # with the dim replicate
    unit: str
    largest: float = 0.0  # number that entered; 0: not known
    rounding: float = 0.0  # what rounding may do to a number of size 1
    share: bool = False  # every world is 0 or 1
    # the parts if each hit came as early as it may; None: hits are exact
    early: list[xr.DataArray] | None = None

    def measured(self, *, exact: bool = False) -> Measured:
        """With its standard error; `exact`: no step draws."""
        positive = all(bool((part.isnull() | (part >= 0)).all()) for part in self.parts)
        measured = jackknife(
            self.statistic,
            self.parts,
            share=self.share,
            positive=positive,
            exact=exact,
            floor=self.largest * self.rounding,
        )
        if self.early is not None:
            measured = measured._replace(low=jackknife(self.statistic, self.early).value)
        if self.unit == "evaluations" and measured.never and measured.units:  # no world has hit, so far
            least = float(self.parts[0].mean()) / (1 - CAP ** (1 / measured.units))
            measured = measured._replace(least=least)
        return measured


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
    return _of_checkpoints(data, name, since)


def _of_checkpoints(data: xr.Dataset, name: str, since: float) -> Quantity:
    """The mean over the last checkpoints."""
    source = "diversity" if name == "population_variance" else name
    if source not in data or "checkpoint" not in data[source].dims:
        there = [str(v) for v in data.data_vars if "checkpoint" in data[v].dims and v != "status"]
        raise ValueError(
            f"quantity: expected one of {', '.join([*there, *HITS, *LEDGER])}, got {name!r}"
        )
    recorded = data[source]
    unit = PLURAL.get(name, recorded.attrs.get("units", "1"))
    values = _since(recorded, since)
    means = (values**2 if name == "population_variance" else values).mean("checkpoint")
    share = unit == "1" and bool(means.isin([0.0, 1.0]).all())
    largest = max(_largest(recorded), _start(data, unit))
    return Quantity(np.mean, [means], unit, largest, _rounding(data), share)


def _since(values: xr.DataArray, since: float) -> xr.DataArray:
    """The values at the checkpoints from a fraction of the budget on."""
    late = values.where(values["checkpoint"] >= since * (1 - 1e-9), drop=True)
    if late.sizes["checkpoint"] == 0:
        raise ValueError(
            "since: expected a fraction of the budget up to the last checkpoint,"
            f" {float(values['checkpoint'].max()):g}, got {since:g}"
        )
    return late


def _largest(values: xr.DataArray) -> float:
    """The largest finite size; 0 where there is none."""
    sizes = np.abs(values.values[np.isfinite(values.values)])
    return float(sizes.max()) if sizes.size else 0.0


def _start(data: xr.Dataset, unit: str) -> float:
    """The size of the losses at the start, of which a small loss is a difference; 1 where it is not known."""
    if not unit.startswith("loss"):
        return 0.0
    return _largest(data["start_loss"]) if "start_loss" in data else 1.0


def _rounding(data: xr.Dataset) -> float:
    """What rounding may do to a number of size 1."""
    single = any(arm.study.get("dtype") == "float32" for arm in settings.arms(data))
    return ROUNDINGS * (float(np.finfo(np.float32).eps) if single else EPSILON)


def _of_hits(data: xr.Dataset, name: str) -> Quantity:
    if data.sizes.get("target", 0) == 0:
        raise ValueError(f"quantity: {name} needs `targets` in the study")
    hit, end = data[name].isel(target=-1, drop=True), spent(data)
    reached = xr.DataArray(np.isfinite(hit)).astype(float)
    late = early = hit.where(reached > 0, end)
    if f"{name}_low" in data:
        early = data[f"{name}_low"].isel(target=-1, drop=True).where(reached > 0, end)
    known_exactly = bool((early == late).all())
    return Quantity(
        noise.pooled_ratio,
        [late, reached],
        "evaluations",
        early=None if known_exactly else [early, reached],
    )


def _of_ledger(data: xr.Dataset, name: str) -> Quantity:
    if "step_variance" not in data:
        raise ValueError(f"quantity: {name} needs the `ledger` of a study")
    variance, step = data["step_variance"].sel(direction="all", drop=True), data["mean_step_squared"]
    if name == "step_variance":
        unit = variance.attrs.get("units", "1")
        return Quantity(np.mean, [variance], unit, _largest(variance), _rounding(data))
    if name == "temperature":
        return Quantity(noise.pooled_temperature, [variance, *_along_gradient(data)], "1")
    ratio = {
        "noise_to_signal": lambda: [variance, step],
        "noise_scale": lambda: [variance * data["sample_size"], step],
        "effective_population": lambda: [data["binomial_variance"], variance.where(variance > 0)],
    }
    return Quantity(noise.pooled_ratio, ratio[name](), "1")


def _along_gradient(data: xr.Dataset) -> list[xr.DataArray]:
    """The step along the preconditioned gradient, the square of that, and its trace."""
    parts = (data["mean_step_along"].mean("half"), data["reference_squared"], data["reference_trace"])
    return [part.sel(reference="preconditioned", drop=True) for part in parts]
