"""The arms of a study: an optimizer, with the values of the swept axes where they matter."""

from __future__ import annotations

import itertools

import numpy as np
import xarray as xr

FIXED = ("landscape", "optimizer", "replicate", "checkpoint", "target")
FAILED = 4  # statuses from here on (failed, missing) have no numbers


def arms(dataset: xr.Dataset) -> list[tuple[str, xr.Dataset]]:
    """(label, arm) of one landscape; axis values that leave an optimizer's numbers as they are make one arm, and arms without numbers none.

    Args:
        dataset: a study's results without the dim `landscape`.
    """
    axes = [d for d in dataset["loss"].dims if d not in FIXED]
    found = []
    for name in dataset["optimizer"].values.tolist():
        mine: list[xr.Dataset] = []
        for places in itertools.product(*(range(dataset.sizes[a]) for a in axes)):
            arm = dataset.sel(optimizer=name).isel(dict(zip(axes, places, strict=True))).load()
            if (arm["status"] < FAILED).any() and not any(_same(arm, other) for other in mine):
                mine.append(arm)
        telling = [a for a in axes if len({arm[a].item() for arm in mine}) > 1]
        found += [(", ".join([str(name), *(f"{a} = {arm[a].item()}" for a in telling)]), arm) for arm in mine]
    return found


def _same(a: xr.Dataset, b: xr.Dataset) -> bool:
    """Whether all numbers but wall-clock times agree."""
    names = [name for name in a.data_vars if a[name].attrs.get("units") != "s"]
    return all(np.array_equal(a[name], b[name], equal_nan=a[name].dtype.kind == "f") for name in names)


def labels(dataset: xr.Dataset) -> list[str]:
    """The labels of all arms of all landscapes, in order."""
    parts = [dataset] if "landscape" not in dataset.dims else [dataset.isel(landscape=i) for i in range(dataset.sizes["landscape"])]
    return list(dict.fromkeys(label for part in parts for label, _ in arms(part)))


def quartiles(values: xr.DataArray, dim: str = "replicate") -> np.ndarray:
    """Lower quartile, median and upper quartile over `dim`: (3, ...). Each is an observed value, so that inf is allowed; NaN are left out."""
    present = values.dropna(dim, how="all")
    if present.sizes[dim] == 0:
        return np.full((3, *(n for d, n in values.sizes.items() if d != dim)), np.nan)
    return np.quantile(present.values, [0.25, 0.5, 0.75], axis=present.get_axis_num(dim), method="inverted_cdf")
