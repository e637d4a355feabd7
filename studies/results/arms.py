"""The arms of a study: an optimizer, with the values of the swept axes where they matter."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from xarray import DataArray, Dataset, Variable

from studies.results.labels import labelled
from studies.text.schema import DIMS, RECORDS, Status

NO_STEP = "no step within the budget"  # of an arm that never asked

Place = tuple[int, ...]  # along the swept axes


class Arm(NamedTuple):
    """Where an arm is in a Dataset of one landscape."""

    label: str
    optimizer: int
    place: Place


def arms(dataset: Dataset, only: Sequence[str] = ()) -> list[tuple[str, Dataset]]:
    """(label, arm) of one landscape.

    Axis values that leave an optimizer's numbers as they are make one arm, and arms without numbers none.

    Args:
        dataset: a study's results without the dim `landscape`; what is on disk stays there.
        only: variables that are wanted, where they are there; of a thousand arms all take seconds.
    """
    axes = _axes(dataset)
    part = dataset[[name for name in only if name in dataset.data_vars]] if only else dataset
    return [(arm.label, part.isel(_at(arm, axes))) for arm in _arms(dataset)]


def _at(arm: Arm, axes: Sequence[str]) -> dict[str, int]:
    return {"optimizer": arm.optimizer} | dict(zip(axes, arm.place, strict=True))


def stack(dataset: Dataset) -> Dataset:
    """The arms of one landscape along the dim `arm`, in the place of `optimizer` and the swept axes.

    The coordinate `arm` is their labels.

    Args:
        dataset: a study's results without the dim `landscape`.
    """
    every = _arms(dataset)
    places = {"optimizer": [arm.optimizer for arm in every]}
    places |= {axis: [arm.place[k] for arm in every] for k, axis in enumerate(_axes(dataset))}
    along = {dim: DataArray(np.array(numbers, int), dims="arm") for dim, numbers in places.items()}
    texts = np.array([arm.label for arm in every], object)
    return dataset.isel(along).assign_coords(arm=("arm", texts))


def at_arms(dataset: Dataset, name: str) -> list:
    """The number of every arm of one landscape, in the order of `arms`.

    Args:
        dataset: a study's results without the dim `landscape`.
        name: of a variable whose dims are optimizers and swept axes, or some of them.
    """
    part, axes = dataset.variables[name], _axes(dataset)
    every = [part.isel(_at(arm, axes), missing_dims="ignore") for arm in _arms(dataset)]
    return [own.values.item() for own in every]


def labels(dataset: Dataset, *, every: bool = False) -> list[str]:
    """The labels of all arms of all landscapes, in the order of optimizers.

    Args:
        dataset: a study's results.
        every: also the names of optimizers without numbers.
    """
    parts = [dataset]
    if "landscape" in dataset.dims:
        parts = [dataset.isel(landscape=i) for i in range(dataset.sizes["landscape"])]
    first: dict[str, tuple[int, Place]] = {}
    for part in parts:
        for arm in _arms(part):
            first.setdefault(arm.label, (arm.optimizer, arm.place))
    if every:
        there = {number for number, _ in first.values()}
        names = enumerate(dataset["optimizer"].values.tolist())
        first |= {str(name): (number, ()) for number, name in names if number not in there}
    return sorted(first, key=lambda label: first[label])


def _axes(dataset: Dataset) -> list[str]:
    return [str(dim) for dim in dataset["loss"].dims if dim not in DIMS]


def _arms(dataset: Dataset) -> list[Arm]:
    """The arms of one landscape; where an optimizer has several, their labels say the values of axes."""
    axes = _axes(dataset)
    every = []
    coords = {axis: dataset[axis].values.tolist() for axis in axes}
    for number, name in enumerate(dataset["optimizer"].values.tolist()):
        places = _distinct(dataset, number, axes)
        values = [
            {axis: coords[axis][at] for axis, at in zip(axes, place, strict=True)} for place in places
        ]
        telling = [axis for axis in axes if len({own[axis] for own in values}) > 1]
        for own, place in zip(values, places, strict=True):
            text = ", ".join([str(name), *(f"{axis} = {own[axis]}" for axis in telling)])
            every.append(Arm(text, number, place))
    return every


def _distinct(dataset: Dataset, number: int, axes: Sequence[str]) -> list[Place]:
    """The first place of each set of places of an optimizer where all numbers but wall-clock times agree.

    Those without numbers are left out.

    The sets are split by one variable after another, the loss first, so that no more is read than it takes to
    tell them apart.
    """
    own = {"optimizer": number}
    sets = [_with_numbers(dataset.variables["status"].isel(own), axes)]
    for name in sorted(but_seconds(dataset), key=lambda name: name != "loss"):
        if all(len(places) < 2 for places in sets):
            break
        part = dataset.variables[name].isel(own, missing_dims="ignore")
        mine = [axis for axis in axes if axis in part.dims]
        values = part.transpose(*mine, ...).values
        along = [axes.index(axis) for axis in mine]
        sets = [part for places in sets for part in _split(places, values, along)]
    return sorted(places[0] for places in sets if places)


def but_seconds(data: Dataset) -> list[str]:
    """All variables but wall-clock times."""
    return [str(name) for name in data.data_vars if data.variables[name].attrs.get("units") != "s"]


def _with_numbers(status: Variable, axes: Sequence[str]) -> list[Place]:
    """The places along the axes at which some world has numbers."""
    some = (status < Status.FAILED).any([dim for dim in status.dims if dim not in axes])
    there = some.transpose(*axes).values
    return [place for place in np.ndindex(there.shape) if there[place]]


def _split(places: list[Place], values: np.ndarray, along: list[int]) -> list[list[Place]]:
    """Places apart whose values differ."""
    if len(places) < 2:
        return [places]
    parts: dict[bytes, list[Place]] = {}
    for place in places:
        parts.setdefault(_digest(values[tuple(place[k] for k in along)]), []).append(place)
    return list(parts.values())


def _digest(values: np.ndarray) -> bytes:
    """The same digest for values that compare equal: one NaN, and no negative zero."""
    if values.dtype.kind == "f":
        values = np.where(np.isnan(values), np.nan, values + 0.0)
    raw = values.tobytes() if values.dtype.kind in "biuf" else repr(values.tolist()).encode()
    return hashlib.blake2b(raw).digest()


def asked(dataset: Dataset) -> DataArray:
    """Whether an arm ever asked for a value: it completed a step, or was billed for one, in some world.

    One whose budget is below its first step has only its start to show.

    Args:
        dataset: a study's results, with or without checkpoints. Where steps were not counted, as in imported
            ones, every arm has asked, and one without any numbers has, as far as is known.
    """
    if "steps" not in dataset:
        return DataArray(True)
    counts = [name for name in ("value_terms", "gradient_terms") if name in dataset]
    there = dataset.variables["steps"] > 0
    for name in counts:  # of an imported arm beside others no steps are known
        there = there | (dataset.variables[name] > 0)
    status = dataset["status"]
    never = ~_ever(status.variable < Status.FAILED)
    return labelled(never | _ever(there), status).compute()


def absent(dataset: Dataset) -> DataArray:
    """Whether the study does not ask for an arm (`only`): dims landscape, optimizer, swept axes.

    Args:
        dataset: a study's results.
    """
    status = dataset["status"]
    return (status == Status.ABSENT).all([dim for dim in RECORDS if dim in status.dims])


def _ever(part: Variable) -> Variable:
    """Whether it is so in some record of an arm."""
    return part.any([dim for dim in RECORDS if dim in part.dims])


def asking(dataset: Dataset) -> Dataset:
    """The results of the optimizers that asked for values, on some landscape at least."""
    there = asked(dataset).broadcast_like(dataset["optimizer"])
    return dataset.isel(optimizer=np.flatnonzero(there.any(dims_beside(there, "optimizer"))))


def never_asked(dataset: Dataset) -> list[tuple[str, str]]:
    """Landscape and label of the arms that ran and yet never asked.

    Args:
        dataset: a study's results with the dim `landscape`.
    """
    if asked(dataset).all():  # as nearly always
        return []
    silent = []
    for name in dataset["landscape"].values.tolist():
        data = stack(dataset.sel(landscape=name))
        here = ~asked(data).broadcast_like(data["arm"])
        silent += [(str(name), str(label)) for label in data["arm"].values[here.values]]
    return silent


def words_on_silent(names: Sequence[str], what: str, most: int | None = None) -> str:
    """What is said of arms that never asked; empty where there are none.

    Args:
        names: of the arms.
        what: becomes of them, such as `not drawn`.
        most: names that are told one by one; None: all.
    """
    listed = ", ".join(names) if most is None or len(names) <= most else f"{len(names)} arms"
    return f"{listed}: {NO_STEP}, {what}" if names else ""


def quartiles(values: DataArray, dim: str = "replicate") -> np.ndarray:
    """Lower quartile, median and upper quartile over `dim`: (3, ...).

    Each is an observed value, so that inf is allowed; NaN are left out.
    """
    whole = values.transpose(dim, ...).values
    present = whole[~np.isnan(whole).reshape(len(whole), -1).all(1)]
    if not len(present):
        return np.full((3, *whole.shape[1:]), np.nan)
    return np.quantile(present, [0.25, 0.5, 0.75], axis=0, method="inverted_cdf")


def places(dataset: Dataset, dims: Sequence[str]) -> Iterator[dict[str, int]]:
    """Every place along some dims, as dim -> index; the last dim goes fastest."""
    for indices in np.ndindex(*(dataset.sizes[dim] for dim in dims)):
        yield dict(zip(dims, indices, strict=True))


def numbers_at(
    dataset: Dataset, dims: Sequence[str], names: Iterable[str]
) -> Iterator[dict[str, np.ndarray]]:
    """The numbers of variables at every place of `places`, by name: a thousand Datasets would take seconds.

    Args:
        dataset: any.
        dims: of the places.
        names: of variables, coordinates among them; the dims that they have beside are those of an array.
    """
    sizes = {dim: dataset.sizes[dim] for dim in dims}
    parts = {name: dataset.variables[name] for name in names}
    arrays = {
        name: part
        .set_dims(sizes | {str(dim): size for dim, size in part.sizes.items()})
        .transpose(*dims, ...)
        .values
        for name, part in parts.items()
    }
    for place in np.ndindex(*sizes.values()):
        yield {name: array[place] for name, array in arrays.items()}


def dims_beside(values: DataArray, *others: str) -> list[str]:
    """The dims of an array, but for these."""
    return [str(dim) for dim in values.dims if dim not in others]
