"""The arms of a study: an optimizer, with the values of the swept axes where they matter."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr

from studies.schema import DIMS, RECORDS, Status

NO_STEP = "no step within the budget"  # of an arm that never asked

Place = tuple[int, ...]  # along the swept axes


class Arm(NamedTuple):
    """Where an arm is in a Dataset of one landscape."""

    label: str
    optimizer: int
    place: Place


def arms(dataset: xr.Dataset) -> list[tuple[str, xr.Dataset]]:
    """(label, arm) of one landscape.

    Axis values that leave an optimizer's numbers as they are make one arm, and arms without numbers none.

    Args:
        dataset: a study's results without the dim `landscape`; what is on disk stays there.
    """
    axes = _axes(dataset)
    return [
        (arm.label, dataset.isel({"optimizer": arm.optimizer} | dict(zip(axes, arm.place, strict=True))))
        for arm in _found(dataset)
    ]


def stack(dataset: xr.Dataset) -> xr.Dataset:
    """The arms of one landscape along the dim `arm`, whose coordinate is their labels, in the place of `optimizer` and the swept axes.

    Args:
        dataset: a study's results without the dim `landscape`.
    """
    found = _found(dataset)
    at = {
        axis: xr.DataArray([arm.place[k] for arm in found], dims="arm").astype(int)
        for k, axis in enumerate(_axes(dataset))
    }
    at["optimizer"] = xr.DataArray([arm.optimizer for arm in found], dims="arm").astype(int)
    return dataset.isel(at).assign_coords(arm=("arm", np.array([arm.label for arm in found], object)))


def labels(dataset: xr.Dataset, *, every: bool = False) -> list[str]:
    """The labels of all arms of all landscapes, in the order of optimizers.

    `every`: also the names of optimizers without numbers.
    """
    parts = (
        [dataset]
        if "landscape" not in dataset.dims
        else [dataset.isel(landscape=i) for i in range(dataset.sizes["landscape"])]
    )
    found: dict[str, tuple[int, Place]] = {}
    for arm in (arm for part in parts for arm in _found(part)):
        found.setdefault(arm.label, (arm.optimizer, arm.place))
    there = {number for number, _ in found.values()}
    more = {
        str(name): (i, ()) for i, name in enumerate(dataset["optimizer"].values) if every and i not in there
    }
    return [label for label, _ in sorted((found | more).items(), key=lambda item: item[1])]


def _axes(dataset: xr.Dataset) -> list[str]:
    return [str(dim) for dim in dataset["loss"].dims if dim not in DIMS]


def _found(dataset: xr.Dataset) -> list[Arm]:
    axes, found = _axes(dataset), []
    for number, name in enumerate(dataset["optimizer"].values.tolist()):
        places = _distinct(dataset.isel(optimizer=number), axes)
        values = [
            [dataset[axis].values.tolist()[at] for axis, at in zip(axes, place, strict=True)]
            for place in places
        ]
        telling = [k for k in range(len(axes)) if len({told[k] for told in values}) > 1]
        texts = (", ".join([str(name), *(f"{axes[k]} = {told[k]}" for k in telling)]) for told in values)
        found += [Arm(text, number, place) for text, place in zip(texts, places, strict=True)]
    return found


def _distinct(data: xr.Dataset, axes: Sequence[str]) -> list[Place]:
    """The first place of each set of places where all numbers but wall-clock times agree.

    Those without numbers are left out.

    The sets are split by one variable after another, the loss first, so that no more is read than it takes to
    tell them apart.
    """
    there = (
        (data["status"] < Status.FAILED)
        .any([dim for dim in data["status"].dims if dim not in axes])
        .transpose(*axes)
        .values
    )
    sets = [
        [place for place in itertools.product(*(range(data.sizes[axis]) for axis in axes)) if there[place]]
    ]
    numbers = [name for name in data.data_vars if data[name].attrs.get("units") != "s"]
    for name in sorted(numbers, key=lambda name: name != "loss"):
        if all(len(places) < 2 for places in sets):
            break
        mine = [axis for axis in axes if axis in data[name].dims]
        values = data[name].transpose(*mine, ...).values
        sets = [
            part for places in sets for part in _split(places, values, [axes.index(axis) for axis in mine])
        ]
    return sorted(places[0] for places in sets if places)


def _split(places: list[Place], values: np.ndarray, along: list[int]) -> list[list[Place]]:
    """Places apart whose values differ."""
    parts: dict[bytes, list[Place]] = {}
    for place in places:
        parts.setdefault(_digest(values[tuple(place[k] for k in along)]), []).append(place)
    return list(parts.values())


def _digest(values: np.ndarray) -> bytes:
    """Of values that compare equal the same: one NaN, and no negative zero."""
    if values.dtype.kind == "f":
        values = np.where(np.isnan(values), np.nan, values + 0.0)
    raw = values.tobytes() if values.dtype.kind in "biuf" else repr(values.tolist()).encode()
    return hashlib.blake2b(raw).digest()


def asked(dataset: xr.Dataset) -> xr.DataArray:
    """Whether an arm ever asked for a value: it completed a step, or was billed for one, in some world.

    One whose budget is below its first step has only its start to show.

    Args:
        dataset: a study's results, with or without checkpoints. Where steps were not counted, as in imported
            ones, every arm has asked, and one without any numbers has, as far as is known.
    """
    if "steps" not in dataset:
        return xr.DataArray(True)
    there = dataset["steps"] > 0
    for name in (name for name in ("value_terms", "gradient_terms") if name in dataset):
        there = there | (dataset[name] > 0)  # of an imported arm beside others no steps are known
    silent = ~there.any(_records(there)) & (dataset["status"] < Status.FAILED).any(
        _records(dataset["status"])
    )
    return ~silent.compute()


def _records(part: xr.DataArray) -> list[str]:
    """The dims of an arm's records."""
    return [dim for dim in RECORDS if dim in part.dims]


def asking(dataset: xr.Dataset) -> xr.Dataset:
    """The results of the optimizers that asked for values, on some landscape at least."""
    there = asked(dataset).broadcast_like(dataset["optimizer"])
    return dataset.isel(
        optimizer=np.flatnonzero(there.any([dim for dim in there.dims if dim != "optimizer"]))
    )


def never_asked(dataset: xr.Dataset) -> list[tuple[str, str]]:
    """Landscape and label of the arms that ran and yet never asked.

    Args:
        dataset: a study's results with the dim `landscape`.
    """
    found = []
    for name in dataset["landscape"].values.tolist():
        data = stack(dataset.sel(landscape=name))
        silent = ~asked(data).broadcast_like(data["arm"])
        found += [(str(name), str(label)) for label in data["arm"].values[silent.values]]
    return found


def words_on_silent(names: Sequence[str], what: str, most: int | None = None) -> str:
    """What is said of arms that never asked; empty where there are none.

    Args:
        names: of the arms.
        what: becomes of them, such as `not drawn`.
        most: names that are told one by one; None: all.
    """
    listed = ", ".join(names) if most is None or len(names) <= most else f"{len(names)} arms"
    return f"{listed}: {NO_STEP}, {what}" if names else ""


def quartiles(values: xr.DataArray, dim: str = "replicate") -> np.ndarray:
    """Lower quartile, median and upper quartile over `dim`: (3, ...).

    Each is an observed value, so that inf is allowed; NaN are left out.
    """
    whole = values.transpose(dim, ...).values
    present = whole[~np.isnan(whole).reshape(len(whole), -1).all(1)]
    if not len(present):
        return np.full((3, *whole.shape[1:]), np.nan)
    return np.quantile(present, [0.25, 0.5, 0.75], axis=0, method="inverted_cdf")
