"""From a study's plan and the cells that are there to one labelled Dataset."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, NotRequired, TypedDict

from studies.text.shapes import Data, Tree

os.environ.setdefault(
    "HDF5_USE_FILE_LOCKING", "FALSE"
)  # files are renamed into place, and cluster file systems lock badly

import h5py  # noqa: E402
import numpy as np  # noqa: E402
import xarray as xr  # noqa: E402

from studies.schema import (  # noqa: E402
    CLOCKS,
    COORDINATES,
    OF_CELLS,
    PLACE,
    PLACES,
    RECORDS,
    TARGET_UNITS,
    Status,
    Variable,
    status_attrs,
)

RECORDED_HERE = Variable(
    "whether the arm has this checkpoint of its own; 0: what it showed at its last one before is repeated"
)
TOTALS = (
    "value_terms",
    "gradient_terms",
    "steps",
)  # counts whose last checkpoint is summed over worlds
Place = tuple[int | slice, ...]  # in the grid


class Task(TypedDict):
    """A task in plan.json, as far as its numbers are put in place; beside these stands all that it runs."""

    budget: float  # on its clock, of cost in evaluations
    clock: NotRequired[str]  # of the budget; cost where there is none
    gradient_cost: dict[str, float]  # value, low, high, in evaluations
    checkpoints: list[float]
    checkpoint_clock: NotRequired[str | None]  # of the checkpoints; None: that of the budget
    targets: list[float]
    target_floor: NotRequired[float | None]
    instances: int | None  # None: one for each world


class Shown(TypedDict):
    """An arm in plan.json."""

    coords: Tree  # landscape, optimizer, axis -> value
    task: int  # its number


class Stored(TypedDict):
    """A cell in plan.json: the worlds first .. last - 1 of a task."""

    address: str
    task: int  # its number
    first: int
    last: int


class Manifest(TypedDict):
    """The plan as JSON, see `studies.plan.manifest`."""

    dims: Mapping[str, Sequence[object]]  # landscape, optimizer, axes -> values
    replicates: int
    tasks: list[Task]
    arms: list[Shown]
    cells: list[Stored]
    attrs: Tree  # of the Dataset


class Array(NamedTuple):
    """An array over the whole grid."""

    dims: tuple[str, ...]  # behind the grid's own
    values: np.ndarray
    attrs: Data


@dataclass(frozen=True, kw_only=True)
class Grid:
    """The Dataset under construction.

    Its axes, where each task's numbers go, and the arrays that cells are copied into.
    """

    dims: dict[str, list]  # landscape, optimizer, swept axes -> labels
    fractions: np.ndarray  # (C,) checkpoints of all tasks as fractions of the budget
    columns: list[
        np.ndarray
    ]  # per task: the number of its checkpoint that each of `fractions` shows, -1: none
    places: list[list[Place]]  # per task: where it is shown
    sizes: dict[str, int]  # replicate, checkpoint, target, and what an instrument adds
    variables: dict[str, Array] = field(default_factory=dict)
    coords: dict[str, Array] = field(default_factory=dict)
    schemas: dict[frozenset[str], list[str]] = field(
        default_factory=dict
    )  # names in a file -> its variables
    totals: dict[str, int] = field(default_factory=lambda: dict.fromkeys(TOTALS, 0))

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the grid's dims."""
        return tuple(map(len, self.dims.values()))

    def declare(self, name: str, dims: tuple[str, ...], dtype: np.dtype, attrs: Data) -> None:
        """Add a variable, without numbers so far: NaN or 0.

        Args:
            name: of the variable.
            dims: behind those of the grid.
            dtype: of its numbers.
            attrs: of the variable.
        """
        empty = np.nan if dtype.kind == "f" else 0
        values = np.full((*self.shape, *(self.sizes[dim] for dim in dims)), empty, dtype)
        self.variables[name] = Array(dims, values, attrs)

    def lengthen(self, dim: str, length: int) -> None:
        """Make room along a dim whose length is not that of every arm: NaN, or 0 of counts."""
        if length <= self.sizes[dim]:
            return
        more, self.sizes[dim] = length - self.sizes[dim], length
        for name, (dims, values, attrs) in self.variables.items():
            if dim in dims:
                axis = len(self.dims) + dims.index(dim)
                shape = (*values.shape[:axis], more, *values.shape[axis + 1 :])
                empty = np.full(shape, np.nan if values.dtype.kind == "f" else 0, values.dtype)
                self.variables[name] = Array(dims, np.concatenate([values, empty], axis), attrs)

    def spread(self, dim: str, rows: Iterable[np.ndarray]) -> np.ndarray:
        """A row along `dim` of every task, at all places of the task; NaN where there is none."""
        values = np.full((*self.shape, self.sizes[dim]), np.nan)
        for places, row in zip(self.places, rows, strict=True):
            for place in places:
                values[place][..., : len(row)] = row
        return values

    def squeezed(self, values: np.ndarray, attrs: Data, *dims_behind: str) -> Array:
        """Leave out the dims of the grid along which nothing changes.

        A place where no arm is (NaN) does not count.
        """
        dims = [*self.dims, *dims_behind]
        for name in self.dims:
            axis = dims.index(name)
            low = np.fmin.reduce(values, axis)
            high = np.fmax.reduce(values, axis)
            if ((low == high) | np.isnan(low)).all():
                values = low
                dims.remove(name)
        return Array(tuple(dims), values, attrs)


def assemble(manifest: Manifest, finished: Mapping[str, Path], failed: set[str]) -> xr.Dataset:
    """The labelled Dataset, in memory, without attributes but `totals`.

    Dims: landscape, optimizer, one per swept axis, replicate, checkpoint, target. A cell that an axis does
    not touch is shown at every value; an arm with fewer checkpoints than others shows at theirs its last one
    before, and the coordinate `recorded` says where it has its own. `status` says which worlds failed, are
    missing or, of an arm that the study does not ask for, absent; there floats are NaN and counts 0.

    Args:
        manifest: the plan.
        finished: address -> file of the cells that are there.
        failed: addresses of the cells that failed.
    """
    grid = _grid(manifest)
    for cell in manifest["cells"]:
        if cell["address"] in finished:
            _read(grid, finished[cell["address"]], cell)
        elif cell["address"] in failed:
            _mark_failed(grid, cell)
    return _dataset(grid, manifest["tasks"])


# the grid ---------------------------------------------------------------------------------------------------


def _grid(manifest: Manifest) -> Grid:
    tasks = manifest["tasks"]
    dims = {name: [label(value) for value in values] for name, values in manifest["dims"].items()}
    shares = [_fractions(task) for task in tasks]
    fractions = np.unique(np.concatenate([*shares, []]))
    targets = max((len(task["targets"]) for task in tasks), default=0)
    grid = Grid(
        dims=dims,
        fractions=fractions,
        columns=[np.searchsorted(share, fractions, side="right") - 1 for share in shares],
        places=_places(dims, manifest["arms"], len(tasks)),
        sizes={"replicate": manifest["replicates"], "checkpoint": len(fractions), "target": targets},
    )
    grid.declare("status", RECORDS, np.dtype(np.int8), status_attrs())
    _mark(grid, [(slice(None),) * len(dims)], Status.ABSENT)
    _mark(grid, itertools.chain.from_iterable(grid.places), Status.MISSING)
    return grid


def _mark(grid: Grid, places: Iterable[Place], status: Status) -> None:
    """Give all worlds of places a status."""
    for place in places:
        grid.variables["status"].values[place] = status


def _places(dims: Mapping[str, list], arms: Sequence[Shown], tasks: int) -> list[list[Place]]:
    """Where in the grid each task is shown: at its arms, and all along the axes that do not touch it."""
    numbers = {name: {value: i for i, value in enumerate(values)} for name, values in dims.items()}
    places: list[list[Place]] = [[] for _ in range(tasks)]
    for arm in arms:
        at = {name: numbers[name][label(value)] for name, value in arm["coords"].items()}
        places[arm["task"]].append(tuple(at.get(name, slice(None)) for name in dims))
    return places


def _fractions(task: Task) -> np.ndarray:
    """Checkpoints as fractions of the end of a run, which is the budget at the nominal price.

    Nine digits, so that equal ones are equal.
    """
    end = task["checkpoints"][-1] if task.get("checkpoint_clock") else _end(task)
    return np.array([float(f"{time / end:.9g}") for time in task["checkpoints"]])


def _end(task: Task) -> float:
    """Where a run ends on the budget's clock; of cost, at the nominal price."""
    if _clock(task) != "cost":
        return task["budget"]
    return task["budget"] * task["gradient_cost"]["value"] / task["gradient_cost"]["low"]


def _clock(task: Task) -> str:
    return task.get("clock", "cost")


def _placed_by_cost(task: Task) -> bool:
    """Whether its checkpoints are costs."""
    return _clock(task) == "cost" and not task.get("checkpoint_clock")


def label(value: object) -> float | str:
    """A coordinate's label for a value of an axis: numbers and text as they are, anything else as JSON."""
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return value
    return json.dumps(value)


# one cell ---------------------------------------------------------------------------------------------------


def _read(grid: Grid, path: Path, cell: Stored) -> None:
    """Copy a cell's worlds, as far as the study has them, to every place of its task."""
    last = min(cell["last"], grid.sizes["replicate"])
    with h5py.File(path) as file:
        for name in grid.schemas.get(frozenset(file)) or _schema(grid, path, frozenset(file)):
            _copy(grid, cell, name, file[name][: last - cell["first"]])
        for name, value in _numbers(file.attrs).items():
            attrs = OF_CELLS[name].attrs if name in OF_CELLS else {}
            coordinate = grid.coords.setdefault(name, Array((), np.full(grid.shape, np.nan), attrs))
            for place in grid.places[cell["task"]]:
                coordinate.values[place] = value


def _copy(grid: Grid, cell: Stored, name: str, values: np.ndarray) -> None:
    """Copy a variable (worlds, ..) of a cell to every place of its task."""
    for dim, length in zip(grid.variables[name].dims, values.shape, strict=True):
        if dim not in (*RECORDS, "target"):
            grid.lengthen(dim, length)
    variable = grid.variables[name]
    columns = grid.columns[cell["task"]]
    if name in TOTALS:
        grid.totals[name] += int(values[:, -1].sum())
    if "checkpoint" in variable.dims:
        values = np.take(values, columns[columns >= 0], variable.dims.index("checkpoint"))
    lengths = zip(variable.dims[1:], values.shape[1:], strict=True)
    behind = [columns >= 0 if dim == "checkpoint" else slice(length) for dim, length in lengths]
    worlds = slice(cell["first"], cell["first"] + len(values))
    for place in grid.places[cell["task"]]:
        variable.values[place][(..., worlds, *behind)] = values


def _mark_failed(grid: Grid, cell: Stored) -> None:
    there = grid.columns[cell["task"]] >= 0
    for place in grid.places[cell["task"]]:
        grid.variables["status"].values[place][..., cell["first"] : cell["last"], there] = Status.FAILED


def _schema(grid: Grid, path: Path, names: frozenset[str]) -> list[str]:
    """Declare the variables of a file; h5py alone does not tell what is a variable and what a coordinate."""
    with xr.open_dataset(path, engine="h5netcdf", decode_cf=False) as data:
        data = data.set_coords([name for name in ("cost", "target_loss") if name in data])
        for dim in set(map(str, data.dims)) - set(grid.sizes):
            _declare_dim(grid, data, dim)
        for name, array in data.data_vars.items():
            if name not in grid.variables:
                grid.declare(str(name), tuple(map(str, array.dims)), array.dtype, _own(array.attrs))
        grid.schemas[names] = list(map(str, data.data_vars))
    return grid.schemas[names]


def _declare_dim(grid: Grid, data: xr.Dataset, dim: str) -> None:
    """A dim that an instrument adds, with its labels."""
    grid.sizes[dim] = data.sizes[dim]
    if dim in data.coords:
        labels = data[dim].values
        labels = labels.astype(object) if labels.dtype.kind == "U" else labels
        grid.coords[dim] = Array((dim,), labels, data[dim].attrs)


def _own(attrs: Tree) -> Data:
    """The attributes of a variable without those of its file."""
    return {
        name: value
        for name, value in attrs.items()
        if not name.startswith("_") and name != "coordinates"
    }


def _numbers(attrs: Tree) -> dict[str, float]:
    """A cell's numeric attributes, which become coordinates."""
    arrays = {key: np.asarray(value) for key, value in attrs.items()}
    return {
        key: array.item()
        for key, array in arrays.items()
        if array.size == 1 and array.dtype.kind in "biuf"
    }


# the whole --------------------------------------------------------------------------------------------------


def _dataset(grid: Grid, tasks: Sequence[Task]) -> xr.Dataset:
    variables = {
        name: ((*grid.dims, *dims), values, attrs)
        for name, (dims, values, attrs) in sorted(grid.variables.items())
    }
    coords: Data = {name: (name, _labels(values)) for name, values in grid.dims.items()}
    coords |= _of_worlds(grid, tasks) | _of_checkpoints(grid, tasks) | _of_targets(grid, tasks)
    for dim, size in grid.sizes.items():
        if dim.endswith(PLACES):
            coords[dim] = Array((dim,), np.arange(size), PLACE.attrs)
    coords |= _of_budgets(grid, tasks)
    for name, array in grid.coords.items():
        coords[name] = array if array.dims else grid.squeezed(array.values, array.attrs)
    return xr.Dataset(variables, coords, {"totals": json.dumps(grid.totals)})


def _of_worlds(grid: Grid, tasks: Sequence[Task]) -> dict[str, Array]:
    worlds = np.arange(grid.sizes["replicate"])
    instances = grid.spread(
        "replicate", [worlds % (task["instances"] or len(worlds)) for task in tasks]
    )
    return {
        "replicate": Array(("replicate",), worlds, COORDINATES["replicate"].attrs),
        "instance": grid.squeezed(instances, COORDINATES["instance"].attrs, "replicate"),
    }


def _of_checkpoints(grid: Grid, tasks: Sequence[Task]) -> dict[str, Array]:
    costs = _costs(grid, tasks)
    shown = [
        np.where(columns >= 0, costs[_end(task)], np.nan)
        for task, columns in zip(tasks, grid.columns, strict=True)
    ]
    cost = grid.spread("checkpoint", shown)
    for number, task in enumerate(tasks):
        if not _placed_by_cost(task):
            _put_costs(grid, cost, number, task)
    coords = {
        "checkpoint": Array(("checkpoint",), grid.fractions, COORDINATES["checkpoint"].attrs),
        "cost": grid.squeezed(cost, COORDINATES["cost"].attrs, "checkpoint"),
    }
    recorded = grid.spread("checkpoint", [_own_checkpoints(columns) for columns in grid.columns])
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
        end = _end(task) if _clock(task) == "cost" else spent[..., -1:]
        spent = np.maximum(spent, np.where(grid.fractions < 1, grid.fractions * spent[..., -1:], end))
        cost[place] = np.where(grid.columns[number] >= 0, spent, np.nan)


def _of_budgets(grid: Grid, tasks: Sequence[Task]) -> dict[str, Array]:
    """The clocks on which budgets are counted, and the budgets; none where all are of cost."""
    clocks = [list(CLOCKS).index(_clock(task)) for task in tasks]
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


def _own_checkpoints(columns: np.ndarray) -> np.ndarray:
    """Of the checkpoints of all tasks (C,), which a task has of its own."""
    return np.diff(columns, prepend=-1) > 0


def _costs(grid: Grid, tasks: Sequence[Task]) -> dict[float, np.ndarray]:
    """End of a run -> the costs (C,) of `fractions`: those of the tasks that have them, to the last digit."""
    costs = {_end(task): grid.fractions * _end(task) for task in tasks}
    for task, columns in zip(tasks, grid.columns, strict=True):
        if _placed_by_cost(task):
            costs[_end(task)][_own_checkpoints(columns)] = task["checkpoints"]
    return costs


def _labels(values: list) -> np.ndarray:
    if all(isinstance(value, int | float) for value in values):
        return np.asarray(values)
    return np.asarray([str(value) for value in values], object)
