"""What tuning recorded: every trial of every arm, its settings and its cost."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import xarray as xr

Found = list[dict[str, Any]]  # attrs["tuning"]: one mapping for each arm that was tuned


def tuning_cost(dataset: xr.Dataset) -> xr.DataArray:
    """What the trials of each arm cost together, in evaluations at the nominal price.

    Dims landscape, optimizer, swept axes; 0 where none were run.

    Args:
        dataset: results of a study with `tuning`.

    Raises:
        ValueError: the study has no `tuning`.
    """  # noqa: DOC502
    found = recorded(dataset)
    dims = dims_of(dataset, found)
    cost = np.zeros([dataset.sizes[dim] for dim in dims])
    for place, one in places(dataset, dims, found):
        cost[place] = one["cost"]
    about = {"long_name": "cost of all trials of tuning, all their worlds together", "units": "evaluations"}
    return xr.DataArray(cost, {dim: dataset[dim] for dim in dims}, dims, "tuning_cost", about)


def recorded(dataset: xr.Dataset) -> Found:
    """What the trials were and gave, arm by arm, as the run wrote it."""
    if "tuning" not in dataset.attrs:
        raise ValueError("sensitivity: expected a study with `tuning:`, found none in these results")
    return json.loads(dataset.attrs["tuning"])


def dims_of(dataset: xr.Dataset, found: Found) -> list[str]:
    """The dims of the Dataset along which arms were tuned."""
    missing = [dim for dim in ("landscape", "optimizer") if dim not in dataset.dims]
    if missing:
        raise ValueError(
            f"sensitivity: expected the dims landscape and optimizer, {missing[0]} is gone; select with a"
            " list of one: [..]"
        )
    return [dim for dim in found[0]["coords"] if dim in dataset.dims]


def places(
    dataset: xr.Dataset, dims: Sequence[str], found: Found
) -> Iterator[tuple[tuple[int, ...], dict[str, Any]]]:
    """Where in the Dataset each arm is; those that are not in it (any more) are left out."""
    values = {dim: dataset[dim].values.tolist() for dim in found[0]["coords"] if dim in dataset.coords}
    for one in found:
        held = all(
            np.ndim(values[dim]) or values[dim] == at for dim, at in one["coords"].items() if dim in values
        )
        if held and all(one["coords"][dim] in values[dim] for dim in dims):
            yield tuple(values[dim].index(one["coords"][dim]) for dim in dims), one
