"""A formula of an arm's numbers on a grid finer than the axes, as far as it depends on them alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from xarray import Dataset

from studies.figures.facets import logarithmic
from studies.results import settings
from studies.results.settings import GROUPS, Arm
from studies.text.formulas import evaluate
from studies.text.groups import grouped
from studies.text.shapes import Tree

Path = tuple[str, str]  # group and name of a parameter


def on_grid(
    dataset: Dataset,
    formula: float | str,
    where: Tree,
    grid: Mapping[str, np.ndarray],
) -> np.ndarray:
    """A formula at all points of a grid of axes.

    Args:
        dataset: a study's results, with settings.
        formula: of the numbers of arms: what is the same in all of them, the axes of the grid, and what has
            their values, such as a parameter that an axis sets.
        where: the place: landscape, optimizer, other axes -> value.
        grid: axis -> values.

    Returns:
        The values, in the order of the axes.

    Raises:
        ValueError: there is no arm, or the formula has no value: another number differs between the arms.
    """
    arms = settings.at(dataset, {name: value for name, value in where.items() if name not in grid})
    owners = _owners(arms, list(grid))
    names, missing = settings.numbers(arms), settings.missing(arms)
    values = np.empty([len(points) for points in grid.values()])
    for place in np.ndindex(values.shape):
        point = {axis: float(grid[axis][i]) for axis, i in zip(grid, place, strict=True)}
        own = {name: point[axis] for name, axis in owners.items()}
        numbers = settings.with_let(names | own | point, arms[0].let)
        values[place] = evaluate(formula, numbers, missing)
    return values


def _owners(arms: Sequence[Arm], axes: Sequence[str]) -> dict[str, str]:
    """Name -> the axis whose value it has in every arm."""
    every = [(settings.numbers([arm]), settings.axis_values(arm)) for arm in arms]
    return {
        name: axis
        for axis in axes
        for name in every[0][0]
        if all(axis in values and numbers.get(name) == values[axis] for numbers, values in every)
    }


def between(
    dataset: Dataset,
    axis: str,
    values: np.ndarray,
    points: int,
) -> np.ndarray:
    """At most so many points of an axis, from the least of some values to the largest.

    They are spaced by factors where the values are; of an axis of whole numbers all are whole.

    Args:
        dataset: a study's results, with settings.
        axis: its name.
        values: (N,) of it.
        points: at most, and as many where it is an axis of any numbers.
    """
    spaced = np.geomspace if logarithmic(values) else np.linspace
    fine = spaced(np.min(values), np.max(values), points)
    return np.unique([*np.round(fine), *values]) if whole(dataset, axis) else fine


def whole(dataset: Dataset, axis: str) -> bool:
    """Whether an axis sets a parameter that is a whole number, such as a population or a batch."""
    arms = [arm for arm in settings.arms(dataset) if axis in arm.coords]
    return any(_follows(arms, axis, path) for path in _whole_numbers(arms))


def _follows(arms: Sequence[Arm], axis: str, path: Path) -> bool:
    """Whether a parameter has the values of an axis in all arms of an optimizer on a landscape."""
    pairs = grouped(((arm.label, arm.coords["landscape"]), arm) for arm in arms)
    return any(_same(own, axis, path) for own in pairs.values())


def _same(arms: Sequence[Arm], axis: str, path: Path) -> bool:
    """Whether a parameter differs between some arms, and has the values of an axis in all."""
    group, name = path
    values = [getattr(arm, group).get(name) for arm in arms]
    follows = all(arm.coords[axis] == value for arm, value in zip(arms, values, strict=True))
    return follows and any(value != values[0] for value in values)


def _whole_numbers(arms: Sequence[Arm]) -> set[Path]:
    """The parameters that are whole numbers in some arm."""
    return {
        (group, name)
        for arm in arms
        for group in GROUPS
        for name, value in getattr(arm, group).items()
        if type(value) is int
    }
