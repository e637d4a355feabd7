"""What becomes of a population.

Its diversity over time, and the forces that change its mean loss (the Price partition of
`studies.cells.ledger`).
"""

from __future__ import annotations

import numpy as np
import xarray as xr

from studies.analysis.intervals.bootstrap import estimate

OBSERVED = ("heterozygosity", "linkage_disequilibrium", "fixed_loci", "genotypes", "loss_variance")


def population(data: xr.Dataset) -> xr.Dataset:
    """Means over worlds at the moments of the noise ledger.

    Args:
        data: a study's results with the noise ledger.

    Returns:
        Each of `OBSERVED`, and `price` (force): the change of the mean true loss in a step by selection,
        drift, recombination and mutation, which add up to the whole; with `_interval` (bound) and `_method`,
        and `worlds`, how many hold a population. NaN for a method without one.

    Raises:
        ValueError: there is no noise ledger.
    """
    if "price" not in data:
        raise ValueError(
            "population: expected results with the noise ledger (`ledger:` in the study), found none"
        )
    parts = [_mean(data[name]) for name in (*OBSERVED, "price")]
    worlds = (
        data["genotypes"]
        .notnull()
        .sum("replicate")
        .assign_attrs(long_name="worlds with a population", units="1")
    )
    return xr.merge(parts, compat="override", join="exact").assign(worlds=worlds)


def diversity(dataset: xr.Dataset, *, interval: bool = True) -> xr.Dataset:
    """Mean diversity of the points asked at every checkpoint.

    Their rms distance to their mean, on bits their heterozygosity.

    Args:
        dataset: a study's results.
        interval: whether intervals are wanted, which take most of the time.

    Returns:
        `diversity` with `_interval` (bound) and `_method`, and `worlds`. NaN before the first step.
    """
    worlds = dataset["diversity"].notnull().sum("replicate").assign_attrs(long_name="worlds", units="1")
    values = dataset["diversity"]
    if not interval:
        return xr.Dataset({
            "diversity": values.where(np.isfinite(values)).mean("replicate", keep_attrs=True),
            "worlds": worlds,
        })
    return _mean(values).assign(worlds=worlds)


def _mean(values: xr.DataArray) -> xr.Dataset:
    finite = values.where(np.isfinite(values))
    about = values.attrs["long_name"].partition(";")[0]
    return estimate(
        str(values.name),
        np.nanmean,
        [finite],
        long_name=f"mean {about}",
        units=values.attrs.get("units", "1"),
    )
