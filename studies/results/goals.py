"""Targets that are no targets: those that every start has reached, and those below a known optimum."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from xarray import DataArray, Dataset

from studies.results.gaps import gap_known
from studies.text.words import short


def idle(dataset: Dataset) -> Iterator[str]:
    """A line for each landscape about targets that say nothing there."""
    if not dataset.sizes.get("target") or "start_loss" not in dataset:
        return
    start, level = dataset["start_loss"], dataset["target_level"]
    known = start.notnull() & level.notnull()
    yield from _lines(
        dataset, (start <= level).where(known), "above the start of every world on {}, hit at 0"
    )
    yield from _lines(
        dataset, ((level < 0) & gap_known(dataset)).where(known), "below the optimum of {}, never hit"
    )


def _lines(dataset: Dataset, which: DataArray, about: str) -> Iterator[str]:
    """One for each landscape with targets that are such in all worlds.

    Args:
        dataset: a study's results.
        which: (landscape, .., target) 1 of such, 0 of others, NaN where nothing is known.
        about: what they are, with a place for the landscape.
    """
    dims = [dim for dim in which.dims if dim not in ("landscape", "target")]
    there = (which.min(dims) == 1) & which.notnull().any(dims)
    for name in dataset["landscape"].values.tolist():
        targets = dataset["target_loss"].broadcast_like(there).sel(landscape=name)
        values = np.unique(targets.values[there.sel(landscape=name).values])[::-1]
        if values.size:
            yield f"targets {about.format(name)}: {', '.join(map(short, values.tolist()))}"
