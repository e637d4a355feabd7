"""The price of a gradient in a study, in evaluations.

The one at which checkpoints are placed, and the range for which its budget allows.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from studies.results import settings
from studies.results.config import config

Price = float | xr.DataArray
NAME = "gradient_cost"
DEFAULT = 3.0


class Prices(NamedTuple):
    """Of a gradient, in evaluations: the nominal one, and the study's range.

    DataArrays along the axes that sweep it.
    """

    value: Price
    low: Price
    high: Price


def prices(dataset: xr.Dataset) -> Prices:
    """The nominal price of a study and its range, which is that price alone where it has none.

    Raises:
        ValueError: it is swept, and the results have lost the coordinate of such an axis, or are those of an
            older version.
    """
    arms = settings.arms(dataset, but=settings.FIXED)
    if not arms:
        return Prices(*_as_given(config(dataset)))
    places = {tuple(settings.axis_values(arm).items()): _price(arm.study[NAME]) for arm in arms}
    if len(set(places.values())) == 1:
        return Prices(*next(iter(places.values())))
    return Prices(*_along(dataset, places))


def _along(
    dataset: xr.Dataset, places: Mapping[tuple[tuple[str, Any], ...], tuple[float, float, float]]
) -> tuple[xr.DataArray, ...]:
    """The prices along the axes that change them."""
    known = {
        name: list(dict.fromkeys(dict(place)[name] for place in places)) for name, _ in next(iter(places))
    }
    axes = [name for name in known if _changes(places, name)]
    lost = next((name for name in axes if name not in dataset.coords), None)
    if lost is not None:
        raise ValueError(
            f"expected the coordinate of the axis {lost}, found"
            f" {', '.join(map(str, dataset.coords)) or 'none'}"
        )
    told = {tuple(dict(place)[name] for name in axes): price for place, price in places.items()}
    coords = {name: dataset[name].reset_coords(drop=True) for name in axes}
    values = [[settings.key(value) for value in np.atleast_1d(coords[name].values).tolist()] for name in axes]
    rows = [told[place] for place in itertools.product(*values)]
    dims = [name for name in axes if coords[name].ndim]
    shape = [coords[name].size for name in dims]
    return tuple(
        xr.DataArray(np.reshape(part, shape), {name: coords[name] for name in dims}, dims)
        for part in zip(*rows, strict=True)
    )


def _changes(places: Mapping[tuple[tuple[str, Any], ...], tuple[float, float, float]], name: str) -> bool:
    """Whether two places that differ in this axis alone have different prices."""
    first: dict[tuple[Any, ...], tuple[float, float, float]] = {}
    return any(
        first.setdefault(tuple(pair for pair in place if pair[0] != name), price) != price
        for place, price in places.items()
    )


def _as_given(study: Mapping[str, Any]) -> tuple[float, float, float]:
    """The price of results without settings, which all of their arms have."""
    if any(path.split(".")[0] == NAME for path in study.get("sweep") or {}):
        raise ValueError(f"{NAME} is swept, and {settings.OLD}")
    given = study.get(NAME, DEFAULT)
    told = given if isinstance(given, Mapping) else {"value": given}
    low, high = told.get("range") or (told["value"], told["value"])
    return float(told["value"]), float(low), float(high)


def _price(told: Mapping[str, float]) -> tuple[float, float, float]:
    return float(told["value"]), float(told["low"]), float(told["high"])
