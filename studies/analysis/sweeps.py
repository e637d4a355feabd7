"""What the swept axes of a study set, read back from its results: dim, label -> path -> value."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import xarray as xr

from studies.names import bearable, keys_of

Points = dict[str, dict[str, Any]]  # label of a point of an axis -> path -> the value that it sets


def swept(dataset: xr.Dataset, config: Mapping[str, Any], belongs: Callable[[str], bool]) -> Iterator[tuple[str, Points]]:
    """The axes that set paths which belong, each with the label of every point (see `label`) and what it sets of them.

    Args:
        dataset: a study's results; an axis may have been cut or one value selected.
        config: the resolved study.
        belongs: whether a path, such as gradient_cost or landscapes.nk.k, is asked for.

    Raises:
        ValueError: the results have lost the coordinate of such an axis.
    """
    for name, given in (config.get("sweep") or {}).items():
        zipped = isinstance(given, Mapping) and "zip" in given
        columns = given["zip"] if zipped else {name: given["grid"] if isinstance(given, Mapping) else given}
        if not any(map(belongs, columns)):
            continue
        dim = next((dim for dim in (bearable(name), name.split(".")[-1]) if dim in dataset.coords), None)
        if dim is None:
            raise ValueError(f"expected the coordinate of the axis {name}, found {', '.join(map(str, dataset.coords)) or 'none'}")
        points: Points = {}
        for row in zip(*columns.values(), strict=True):
            pairs = zip(columns, row, strict=True)
            told = " ".join(f"{keys_of(path, config)[0][-1]}={label(value)}" for path, value in pairs) if zipped else label(row[0])
            points[told] = {path: value for path, value in zip(columns, row, strict=True) if belongs(path)}
        yield dim, points


def label(value: Any) -> str:  # noqa: ANN401
    """A value as the axes of a study label it (`studies.sweeps.short`, which needs torch)."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, dict):
        return " ".join(f"{key}={label(inner)}" for key, inner in value.items())
    return f"{value:.12g}" if isinstance(value, float) else str(value)
