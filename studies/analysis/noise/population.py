"""What becomes of a population.

Its diversity over time, and the forces that change its mean loss (the Price partition of
`studies.cells.ledger`).
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from xarray import DataArray, Dataset

from studies.analysis.intervals.bootstrap import estimate
from studies.analysis.shapes import count

OBSERVED = ("heterozygosity", "linkage_disequilibrium", "fixed_loci", "genotypes", "loss_variance")


def population(data: Dataset) -> Dataset:
    """Price partition and makeup of a population at the moments of the noise ledger.

    Args:
        data: a study's results with the noise ledger.

    Returns:
        Means over worlds: each of `OBSERVED`, and `price` (force): the change of the mean true loss in a step
        by selection, drift, recombination and mutation, which add up to the whole; with `_interval` (bound)
        and `_method`, and `worlds`, how many hold a population. NaN for a method without one.

    Raises:
        ValueError: there is no noise ledger.
    """
    parts = [at_moments(data, name) for name in (*OBSERVED, "price")]
    worlds = count(data["genotypes"], "worlds with a population")
    return xr.merge(parts, compat="override", join="exact").assign(worlds=worlds)


def at_moments(data: Dataset, name: str) -> Dataset:
    """One of the numbers of `population`, by its name: `price`, or of `OBSERVED`.

    Raises:
        ValueError: there is no noise ledger.
    """
    if "price" not in data:
        raise ValueError(
            "population: expected results with the noise ledger (`ledger:` in the study), found none"
        )
    return _mean(data[name])


def diversity(dataset: Dataset, *, interval: bool = True) -> Dataset:
    """Mean diversity of the points asked at every checkpoint.

    Their rms distance to their mean, on bits their heterozygosity.

    Args:
        dataset: a study's results.
        interval: whether intervals are wanted, which take most of the time.

    Returns:
        `diversity` with `_interval` (bound) and `_method`, and `worlds`. NaN before the first step.
    """
    values = dataset["diversity"]
    if interval:
        return _mean(values).assign(worlds=count(values, "worlds"))
    mean = values.where(np.isfinite(values)).mean("replicate", keep_attrs=True)
    return Dataset({"diversity": mean, "worlds": count(values, "worlds")})


def _mean(values: DataArray) -> Dataset:
    finite = values.where(np.isfinite(values))
    about = f"mean {values.attrs['long_name'].partition(';')[0]}"
    return estimate(
        str(values.name),
        np.nanmean,
        [finite],
        long_name=about,
        units=values.attrs.get("units", "1"),
        positive=values.name != "price",
    )
