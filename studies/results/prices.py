"""The price of a gradient in a study, in evaluations.

The one at which checkpoints are placed, and the range for which its budget allows.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from xarray import DataArray, Dataset

from studies.results import settings
from studies.results.config import config
from studies.text.shapes import Tree

Price = float | DataArray
Place = tuple[tuple[str, float | str], ...]  # axis and value, of all axes
NAME = "gradient_cost"
DEFAULT = 3.0


class Prices(NamedTuple):
    """Prices of a gradient, in evaluations: the nominal one, and the study's range.

    DataArrays along the axes that sweep it.
    """

    value: Price
    low: Price
    high: Price


def prices(dataset: Dataset) -> Prices:
    """The nominal price of a study and its range, which is that price alone where it has none.

    Raises:
        ValueError: it is swept, and the results have lost the coordinate of such an axis, or are those of an
            older version.
    """
    arms = settings.arms(dataset, but=settings.FIXED)
    if not arms:
        return _as_given(config(dataset))
    places = {tuple(settings.axis_values(arm).items()): _price(arm.study[NAME]) for arm in arms}
    if len(set(places.values())) == 1:
        return next(iter(places.values()))
    axes = [name for name, _ in next(iter(places)) if _changes(places, name)]
    return _along(dataset, axes, {_only(place, axes): price for place, price in places.items()})


def _only(place: Place, axes: Sequence[str]) -> tuple[object, ...]:
    """The values at a place of some axes."""
    values = dict(place)
    return tuple(values[name] for name in axes)


def _along(dataset: Dataset, axes: Sequence[str], at: Mapping[tuple[object, ...], Prices]) -> Prices:
    """The prices at values of axes, as arrays along these."""
    lost = next((name for name in axes if name not in dataset.coords), None)
    if lost is not None:
        shown = ", ".join(map(str, dataset.coords)) or "none"
        raise ValueError(f"expected the coordinate of the axis {lost}, found {shown}")
    coords = {name: dataset[name].reset_coords(drop=True) for name in axes}
    values = [map(settings.key, np.atleast_1d(coord.values).tolist()) for coord in coords.values()]
    rows = [at[place] for place in itertools.product(*values)]
    along = {name: coord for name, coord in coords.items() if coord.ndim}
    shape = [coord.size for coord in along.values()]
    columns = (np.reshape(column, shape) for column in zip(*rows, strict=True))
    return Prices(*(DataArray(column, along, list(along)) for column in columns))


def _changes(places: Mapping[Place, Prices], name: str) -> bool:
    """Whether two places that differ in this axis alone have different prices."""
    first: dict[Place, Prices] = {}
    return any(
        first.setdefault(tuple(pair for pair in place if pair[0] != name), price) != price
        for place, price in places.items()
    )


def _as_given(study: Tree) -> Prices:
    """The price of results without settings, which all of their arms have."""
    if any(path.split(".")[0] == NAME for path in study.get("sweep") or {}):
        raise ValueError(f"{NAME} is swept, and {settings.OLD}")
    given = study.get(NAME, DEFAULT)
    price = given if isinstance(given, Mapping) else {"value": given}
    low, high = price.get("range") or (price["value"], price["value"])
    return Prices(float(price["value"]), float(low), float(high))


def _price(stored: Mapping[str, float]) -> Prices:
    return Prices(*(float(stored[name]) for name in Prices._fields))
