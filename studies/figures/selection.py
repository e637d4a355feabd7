"""Some of a study's results: landscapes, optimizers, values of axes; what is left looks as it did."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import numpy as np
from xarray import Dataset

from studies.figures.facets import dim_of, dims
from studies.figures.style import OPTIMIZERS, all_optimizers
from studies.results.figures import is_label
from studies.text.words import suggest


def pick(dataset: Dataset, chosen: Mapping[str, Sequence[str]]) -> Dataset:
    """The results at these labels and values, in the study's order.

    Args:
        dataset: a study's results.
        chosen: landscape, optimizer or an axis -> labels or values, as they are written.

    Raises:
        ValueError: there is no such dim, label or value.
    """
    picked = dataset.assign_attrs({OPTIMIZERS: json.dumps(all_optimizers(dataset))})
    for word, labels in chosen.items():
        dim = dim_of(word, dims(dataset), "--at")
        picked = picked.isel({dim: _places(dataset, dim, labels)})
    return picked


def _places(dataset: Dataset, dim: str, labels: Sequence[str]) -> list[int]:
    """Where these labels stand along a dim, in its order."""
    values = dataset[dim].values.tolist()
    return sorted({_place(values, dim, label) for label in labels})


def _place(values: Sequence[object], dim: str, label: str) -> int:
    """Where a label, or a number, stands among values."""
    for place, value in enumerate(values):
        if is_label(value, label):
            return place
    raise ValueError(f"unknown {dim} {label!r}; {suggest(label, [_text(value) for value in values])}")


def _text(value: object) -> str:
    return f"{value:g}" if isinstance(value, int | float | np.number) else str(value)


def parts_of(dataset: Dataset, dim: str, parts: int) -> list[Dataset]:
    """The results in so many parts along a dim, as even as can be."""
    labels = [str(value) for value in dataset[dim].values.tolist()]
    places = np.array_split(np.arange(len(labels)), parts)
    return [pick(dataset, {dim: [labels[i] for i in own]}) for own in places if len(own)]
