"""The coordinates of a Dataset: of worlds, checkpoints and their costs, targets and budgets."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from studies.results.grid import Array, Grid
from studies.results.manifest import Manifest, Task, clock_of, end_of, placed_by_cost
from studies.text.schema import CLOCKS, COORDINATES, PLACE, PLACES, SEEN, TARGET_UNITS, Variable
from studies.text.shapes import Data

RECORDED_HERE = Variable(
    "whether the arm has this checkpoint of its own; 0: what it showed at its last one before is repeated"
)


def coordinates(grid: Grid, manifest: Manifest) -> Data:
    """All coordinates of a Dataset, by name.

    Args:
        grid: the Dataset under construction.
        manifest: the plan.
    """
    tasks = manifest["tasks"]
    coords: Data = {name: (name, _labels(values)) for name, values in grid.dims.items()}
    coords |= _of_worlds(grid, tasks) | _of_checkpoints(grid, tasks) | _of_targets(grid, tasks)
    coords["cell"] = _of_cells(grid, manifest)
    for dim, size in grid.sizes.items():
        if dim.endswith(PLACES):
            coords[dim] = Array((dim,), np.arange(size), PLACE.attrs)
    coords |= _of_budgets(grid, tasks)
    for name, array in grid.coords.items():
        coords[name] = array if array.dims else grid.squeezed(array.values, array.attrs)
    return coords


def _of_worlds(grid: Grid, tasks: Sequence[Task]) -> dict[str, Array]:
    worlds = np.arange(grid.sizes["replicate"])
    instances = grid.spread(
        "replicate", [worlds % (task["instances"] or len(worlds)) for task in tasks]
    )
    seen = np.arange(grid.sizes.get(SEEN, 0))
    return {
        **({SEEN: Array((SEEN,), seen, COORDINATES["replicate"].attrs)} if len(seen) else {}),
        "replicate": Array(("replicate",), worlds, COORDINATES["replicate"].attrs),
        "instance": grid.squeezed(instances, COORDINATES["instance"].attrs, "replicate"),
    }


def _of_cells(grid: Grid, manifest: Manifest) -> Array:
    """Which worlds were computed together."""
    firsts = [np.full(grid.sizes["replicate"], np.nan) for _ in manifest["tasks"]]
    for cell in manifest["cells"]:
        firsts[cell["task"]][cell["first"] : cell["last"]] = cell["first"]
    return grid.squeezed(grid.spread("replicate", firsts), COORDINATES["cell"].attrs, "replicate")


def _of_checkpoints(grid: Grid, tasks: Sequence[Task]) -> dict[str, Array]:
    costs = _costs(grid, tasks)
    shown = [
        np.where(columns >= 0, costs[end_of(task)], np.nan)
        for task, columns in zip(tasks, grid.columns, strict=True)
    ]
    cost = grid.spread("checkpoint", shown)
    for number, task in enumerate(tasks):
        if not placed_by_cost(task):
            _put_costs(grid, cost, number, task)
    coords = {
        "checkpoint": Array(("checkpoint",), grid.fractions, COORDINATES["checkpoint"].attrs),
        "cost": grid.squeezed(cost, COORDINATES["cost"].attrs, "checkpoint"),
    }
    recorded = grid.spread("checkpoint", _own_checkpoints(grid))
    if (recorded == 0).any():
        coords["recorded"] = grid.squeezed(recorded, RECORDED_HERE.attrs, "checkpoint")
    return coords


def _put_costs(grid: Grid, cost: np.ndarray, number: int, task: Task) -> None:
    """Costs of the checkpoints of a task that are counted on another clock: what no world's state exceeds.

    The fraction of the most that any world spends, and the most of their states where that is more; a budget
    of cost at its end.

    Args:
        grid: the Dataset under construction.
        cost: (.., C) of the checkpoints, in which they are put.
        number: of the task.
        task: the task.
    """
    for place in grid.places[number]:
        if "value_terms" not in grid.variables:  # no cell is there
            cost[place] = np.nan
            continue
        values, gradients = (
            grid.variables[name].values[place] for name in ("value_terms", "gradient_terms")
        )
        spent = (values + task["gradient_cost"]["value"] * gradients).max(-2)
        spent = spent / grid.coords["terms"].values[place][..., None]
        end = end_of(task) if clock_of(task) == "cost" else spent[..., -1:]
        spent = np.maximum(spent, np.where(grid.fractions < 1, grid.fractions * spent[..., -1:], end))
        cost[place] = np.where(grid.columns[number] >= 0, spent, np.nan)


def _of_budgets(grid: Grid, tasks: Sequence[Task]) -> dict[str, Array]:
    """The clocks on which budgets are counted, and the budgets; none where all are of cost."""
    clocks = [list(CLOCKS).index(clock_of(task)) for task in tasks]
    if not any(clocks):
        return {}
    about = Variable("the clock on which the budget is counted", "1").attrs
    flags = {"flag_values": np.arange(len(CLOCKS)), "flag_meanings": " ".join(CLOCKS)}
    rows: dict[str, Sequence[float]] = {
        "budget_clock": clocks,
        "budget_time": [task["budget"] for task in tasks],
    }
    attrs: dict[str, Data] = {
        "budget_clock": about | flags,
        "budget_time": Variable("budget on its clock").attrs,
    }
    coords = {}
    for name, numbers in rows.items():
        values = np.full(grid.shape, np.nan)
        for places, value in zip(grid.places, numbers, strict=True):
            for place in places:
                values[place] = value
        coords[name] = grid.squeezed(values, attrs[name])
    return coords


def _of_targets(grid: Grid, tasks: Sequence[Task]) -> dict[str, Array]:
    targets = grid.spread("target", [np.array(task["targets"], float) for task in tasks])
    relative = {task.get("target_floor") is not None for task in tasks if task["targets"]} or {False}
    units = ", or ".join(TARGET_UNITS[kind] for kind in sorted(relative))
    about = COORDINATES["target_loss"]._replace(units=units)
    return {
        "target": Array(("target",), np.arange(grid.sizes["target"]), COORDINATES["target"].attrs),
        "target_loss": grid.squeezed(targets, about.attrs, "target"),
    }


def _own_checkpoints(grid: Grid) -> list[np.ndarray]:
    """Which of the checkpoints of all tasks (C,) each task has of its own."""
    different = {id(columns): columns for columns in grid.columns}
    own = {name: np.diff(columns, prepend=-1) > 0 for name, columns in different.items()}
    return [own[id(columns)] for columns in grid.columns]


def _costs(grid: Grid, tasks: Sequence[Task]) -> dict[float, np.ndarray]:
    """End of a run -> the costs (C,) of `fractions`: those of the tasks that have them, to the last digit."""
    costs = {end: grid.fractions * end for end in {end_of(task) for task in tasks}}
    for task, own in zip(tasks, _own_checkpoints(grid), strict=True):
        if placed_by_cost(task):
            costs[end_of(task)][own] = task["checkpoints"]
    return costs


def _labels(values: list) -> np.ndarray:
    if all(isinstance(value, int | float) for value in values):
        return np.asarray(values)
    return np.asarray([str(value) for value in values], object)
