"""A formula of an arm's numbers on a grid finer than the axes, as far as it depends on them alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from xarray import Dataset

from studies.results import settings
from studies.results.settings import Arm
from studies.text.formulas import evaluate
from studies.text.shapes import Tree


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


def between(values: np.ndarray, *, logarithmic: bool, points: int) -> np.ndarray:
    """So many points from the least of some values to the largest."""
    spaced = np.geomspace if logarithmic else np.linspace
    return spaced(np.min(values), np.max(values), points)
