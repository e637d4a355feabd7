"""The price of a gradient in a study, in evaluations: the one at which checkpoints are placed, and the range for which its budget allows."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from studies.analysis.sweeps import label, swept

Price = float | xr.DataArray
NAME = "gradient_cost"
DEFAULT = 3.0


class Prices(NamedTuple):
    """Of a gradient, in evaluations: the nominal one, and the study's range. DataArrays along the axes that sweep it."""

    value: Price
    low: Price
    high: Price


def prices(dataset: xr.Dataset) -> Prices:
    """The nominal price of a study and its range, which is that price alone where it has none."""
    config = json.loads(dataset.attrs.get("config", "{}"))
    axes = dict(swept(dataset, config, lambda path: path.split(".")[0] == NAME))
    if not axes:
        return Prices(*_price(config.get(NAME, DEFAULT)))
    coords = {dim: dataset[dim].reset_coords(drop=True) for dim in axes}
    labels = [[label(value) for value in np.atleast_1d(coords[dim].values).tolist()] for dim in axes]
    told = []
    for place in itertools.product(*labels):
        set_here = [axes[dim][point] for dim, point in zip(axes, place, strict=True)]
        told.append(_price(_with(config.get(NAME, DEFAULT), {path: value for part in set_here for path, value in part.items()})))
    dims = [dim for dim in axes if coords[dim].ndim]
    shape = [coords[dim].size for dim in dims]
    return Prices(*(xr.DataArray(np.reshape(part, shape), {dim: coords[dim] for dim in dims}, dims) for part in zip(*told, strict=True)))


def _with(given: Any, settings: Mapping[str, Any]) -> Any:  # noqa: ANN401
    """The price as the study gives it, with what an axis sets: the whole of it, its value or its range."""
    given = settings.get(NAME, given)
    inner = {path.split(".")[1]: value for path, value in settings.items() if path != NAME}
    return given if not inner else {**(given if isinstance(given, Mapping) else {"value": given}), **inner}


def _price(given: Any) -> tuple[float, float, float]:  # noqa: ANN401
    """Value, low and high of a number, or of {value, range}."""
    told = given if isinstance(given, Mapping) else {"value": given}
    low, high = told.get("range") or (told["value"], told["value"])
    return float(told["value"]), float(low), float(high)
