"""What tuning recorded: every trial of every arm, its settings and its cost."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import numpy as np
from xarray import DataArray, Dataset

from studies.text.schema import EVALUATIONS, GRID, Variable
from studies.text.shapes import Data

Found = list[Data]  # attrs["tuning"]: one mapping for each arm that was tuned


def tuning_cost(dataset: Dataset) -> DataArray:
    """What the trials of each arm cost together, in evaluations at the nominal price.

    Dims landscape, optimizer, swept axes; 0 where none were run.

    Args:
        dataset: results of a study with `tuning`.

    Raises:
        ValueError: the study has no `tuning`.
    """  # noqa: DOC502
    tuned = recorded(dataset)
    dims = dims_of(dataset, tuned)
    cost = np.zeros([dataset.sizes[dim] for dim in dims])
    for place, arm in places(dataset, dims, tuned):
        cost[place] = arm["cost"]
    about = Variable("cost of all trials of tuning, all their worlds together", EVALUATIONS)
    return DataArray(cost, {dim: dataset[dim] for dim in dims}, dims, "tuning_cost", about.attrs)


def recorded(dataset: Dataset) -> Found:
    """What the trials were and gave, arm by arm, as the run wrote it."""
    if "tuning" not in dataset.attrs:
        raise ValueError("sensitivity: expected a study with `tuning:`, found none in these results")
    return json.loads(dataset.attrs["tuning"])


def dims_of(dataset: Dataset, tuned: Found) -> list[str]:
    """The dims of the Dataset along which arms were tuned."""
    missing = [dim for dim in GRID if dim not in dataset.dims]
    if missing:
        raise ValueError(
            f"sensitivity: expected the dims landscape and optimizer, {missing[0]} is gone; select with a"
            " list of one: [..]"
        )
    return [dim for dim in tuned[0]["coords"] if dim in dataset.dims]


def places(
    dataset: Dataset, dims: Sequence[str], tuned: Found
) -> Iterator[tuple[tuple[int, ...], Data]]:
    """Where in the Dataset each arm is; those that are not in it (any more) are left out."""
    values = {dim: dataset[dim].values.tolist() for dim in tuned[0]["coords"] if dim in dataset.coords}
    for arm in tuned:
        at = arm["coords"]
        shown = all(at[dim] in values[dim] for dim in dims)
        # of a dim that was selected away one value is left
        if shown and all(np.ndim(values[dim]) or values[dim] == at[dim] for dim in values):
            yield tuple(values[dim].index(at[dim]) for dim in dims), arm
