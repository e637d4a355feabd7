"""Numbers of the settings that arms ran with, as parts of a quantity: `loss / learning_rate`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from xarray import DataArray, Dataset

from studies.results import settings
from studies.results.settings import Arm
from studies.text.formulas import evaluate
from studies.text.schema import GRID, RECORDS
from studies.text.shapes import Data, Tree

Place = tuple[int, ...]


def names(dataset: Dataset) -> list[str]:
    """The names of numbers that some arm of these results ran with."""
    arms = settings.arms(dataset)
    return list(dict.fromkeys(name for arm in arms for name in settings.numbers([arm])))


def setting(dataset: Dataset, name: str, where: Tree) -> DataArray | None:
    """A number of every arm; NaN where it has none; None where no arm has it.

    Args:
        dataset: the results, or the part of them that is meant.
        name: as a formula may use it: learning_rate, dim, noise.batch, an axis; with a dot also whose it is.
        where: what was chosen already: landscape, optimizer, axis -> value.
    """
    values = _of_arms(dataset, where, lambda numbers, _: numbers.get(name, np.nan))
    return None if bool(values.isnull().all()) else values


def called(dataset: Dataset, text: str, where: Tree) -> DataArray:
    """A function `module:function`, or `module:function(x=dim)`, of the numbers of every arm; NaN: none ran.

    Raises:
        ValueError: it has no value for some arm, and why.
    """  # noqa: DOC502
    return _of_arms(dataset, where, lambda numbers, missing: evaluate(text, numbers, missing))


def _of_arms(dataset: Dataset, where: Tree, number) -> DataArray:  # noqa: ANN001
    """A number of each arm, from its numbers and what it misses; NaN where there is no arm."""
    dims = [str(dim) for dim in dataset["status"].dims if dim not in RECORDS]
    values = np.full([dataset.sizes[dim] for dim in dims], np.nan)
    for place, arms in _places(dataset, dims, where):
        try:
            values[place] = number(settings.numbers(arms), settings.missing(arms))
        except ValueError as error:
            of_arm = ", ".join(str(arms[0].coords[dim]) for dim in GRID if dim in arms[0].coords)
            raise ValueError(f"{error} (of {of_arm})") from error
    return DataArray(values, {dim: dataset[dim] for dim in dims}, dims)


def _places(dataset: Dataset, dims: list[str], where: Tree) -> Iterator[tuple[Place, list[Arm]]]:
    """The arms at each place of a grid where there are any."""
    chosen = {dim: settings.key(value) for dim, value in where.items()}
    numbers = {dim: _numbers(dataset[dim].values.tolist()) for dim in dims}
    there: dict[Place, list[Arm]] = {}
    for arm in settings.arms(dataset):
        coords = {dim: settings.key(value) for dim, value in arm.coords.items()}
        if all(coords.get(dim, value) == value for dim, value in chosen.items()):
            there.setdefault(_place(coords, numbers), []).append(arm)
    yield from there.items()


def _numbers(labels: list) -> dict[float | str, int]:
    return {settings.key(label): number for number, label in enumerate(labels)}


def _place(coords: Data, numbers: Mapping[str, Mapping[float | str, int]]) -> Place:
    return tuple(numbers[dim][coords[dim]] for dim in numbers)
