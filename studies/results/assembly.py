"""From a study's plan and the cells that are there to one labelled Dataset."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault(
    "HDF5_USE_FILE_LOCKING", "FALSE"
)  # files are renamed into place, and cluster file systems lock badly

import h5py  # noqa: E402
import numpy as np  # noqa: E402
import xarray as xr  # noqa: E402

from studies.schema import COORDINATES, OF_CELLS, RECORDS, TARGET_UNITS, Status, status_attrs  # noqa: E402

TOTALS = ("value_terms", "gradient_terms", "steps")  # counts whose last checkpoint is summed over worlds
Manifest = dict[str, Any]  # the plan as JSON, see `studies.plan.manifest`


class Array(NamedTuple):
    """An array over the whole grid."""

    dims: tuple[str, ...]  # behind the grid's own
    values: np.ndarray
    attrs: dict[str, Any]


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
    places: list[list[tuple[int | slice, ...]]]  # per task: where it is shown
    sizes: dict[str, int]  # replicate, checkpoint, target, and what an instrument adds
    variables: dict[str, Array] = field(default_factory=dict)
    coords: dict[str, Array] = field(default_factory=dict)
    schemas: dict[frozenset[str], list[str]] = field(
        default_factory=dict
    )  # names in a file -> its data variables
    totals: dict[str, int] = field(default_factory=lambda: dict.fromkeys(TOTALS, 0))

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the grid's dims."""
        return tuple(map(len, self.dims.values()))


def assemble(found: Manifest, finished: Mapping[str, Path], failed: set[str]) -> xr.Dataset:
    """The labelled Dataset, in memory, without attributes but `totals`.

    Dims: landscape, optimizer, one per swept axis, replicate, checkpoint, target. A cell that an axis does
    not touch is shown at every value; an arm with fewer checkpoints than others shows at theirs its last one
    before, and the coordinate `recorded` says where it has its own. `status` says which worlds failed or are
    not there; there floats are NaN and counts 0.

    Args:
        found: the plan.
        finished: address -> file of the cells that are there.
        failed: addresses of the cells that failed.
    """
    grid = _grid(found)
    for cell in found["cells"]:
        if cell["address"] in finished:
            _read(grid, finished[cell["address"]], cell)
        elif cell["address"] in failed:
            for place in grid.places[cell["task"]]:
                grid.variables["status"].values[place][
                    ..., cell["first"] : cell["last"], grid.columns[cell["task"]] >= 0
                ] = Status.FAILED
    return _dataset(grid, found["tasks"])


# the grid ---------------------------------------------------------------------------------------------------


def _grid(found: Manifest) -> Grid:
    dims: dict[str, list] = {
        name: [label(value) for value in values] for name, values in found["dims"].items()
    }
    where = {name: {value: i for i, value in enumerate(values)} for name, values in dims.items()}
    places: list[list[tuple[int | slice, ...]]] = [[] for _ in found["tasks"]]
    for arm in found["arms"]:
        at = {name: where[name][label(value)] for name, value in arm["coords"].items()}
        places[arm["task"]].append(tuple(at.get(name, slice(None)) for name in dims))
    shares = [_fractions(task) for task in found["tasks"]]
    fractions = np.unique(np.concatenate([*shares, []]))
    targets = max((len(task["targets"]) for task in found["tasks"]), default=0)
    sizes = {"replicate": found["replicates"], "checkpoint": len(fractions), "target": targets}
    grid = Grid(
        dims=dims,
        fractions=fractions,
        columns=[np.searchsorted(share, fractions, side="right") - 1 for share in shares],
        places=places,
        sizes=sizes,
    )
    _declare(grid, "status", RECORDS, np.dtype(np.int8), status_attrs(), Status.MISSING)
    return grid


def _fractions(task: Mapping[str, Any]) -> np.ndarray:
    """Checkpoints as fractions of the end of a run, which is the budget at the nominal price.

    Nine digits, so that equal ones are equal.
    """
    return np.array([float(f"{cost / _end(task):.9g}") for cost in task["checkpoints"]])


def _end(task: Mapping[str, Any]) -> float:
    """Where a run ends, at the nominal price."""
    return task["budget"] * task["gradient_cost"]["value"] / task["gradient_cost"]["low"]


def label(value: Any) -> Any:  # noqa: ANN401
    """A coordinate's label for a value of an axis: numbers and text as they are, anything else as JSON."""
    return (
        value if isinstance(value, str | int | float) and not isinstance(value, bool) else json.dumps(value)
    )


def _declare(
    grid: Grid, name: str, dims: tuple[str, ...], dtype: np.dtype, attrs: dict, empty: float
) -> None:
    values = np.full((*grid.shape, *(grid.sizes[dim] for dim in dims)), empty, dtype)
    grid.variables[name] = Array(dims, values, attrs)


# one cell ---------------------------------------------------------------------------------------------------


def _read(grid: Grid, path: Path, cell: Mapping[str, Any]) -> None:
    """Copy a cell's worlds, as far as the study has them, to every place of its task."""
    with h5py.File(path) as file:
        names = grid.schemas.get(frozenset(file)) or _schema(grid, path, frozenset(file))
        last = min(cell["last"], grid.sizes["replicate"])
        for name in names:
            values = file[name][: last - cell["first"]]
            if name in TOTALS:
                grid.totals[name] += int(values[:, -1].sum())
            variable, columns = grid.variables[name], grid.columns[cell["task"]]
            if "checkpoint" in variable.dims:
                values = np.take(values, columns[columns >= 0], variable.dims.index("checkpoint"))
            lengths = zip(variable.dims[1:], values.shape[1:], strict=True)
            at = tuple(columns >= 0 if dim == "checkpoint" else slice(length) for dim, length in lengths)
            for place in grid.places[cell["task"]]:
                variable.values[place][(..., slice(cell["first"], last), *at)] = values
        for name, value in _numbers(file.attrs).items():
            coordinate = grid.coords.setdefault(name, Array((), np.full(grid.shape, np.nan), _about(name)))
            for place in grid.places[cell["task"]]:
                coordinate.values[place] = value


def _schema(grid: Grid, path: Path, names: frozenset[str]) -> list[str]:
    """Declare the variables of a file; h5py alone does not tell what is a variable and what a coordinate."""
    with xr.open_dataset(path, engine="h5netcdf", decode_cf=False) as data:
        data = data.set_coords([name for name in ("cost", "target_loss") if name in data])
        for dim in set(map(str, data.dims)) - set(grid.sizes):
            grid.sizes[dim] = data.sizes[dim]
            if dim in data.coords:
                values = data[dim].values
                grid.coords[dim] = Array(
                    (dim,), values.astype(object) if values.dtype.kind == "U" else values, data[dim].attrs
                )
        for name, array in data.data_vars.items():
            if name not in grid.variables:
                attrs = {
                    key: value
                    for key, value in array.attrs.items()
                    if not key.startswith("_") and key != "coordinates"
                }
                _declare(
                    grid,
                    str(name),
                    tuple(map(str, array.dims)),
                    array.dtype,
                    attrs,
                    np.nan if array.dtype.kind == "f" else 0,
                )
        grid.schemas[names] = list(map(str, data.data_vars))
    return grid.schemas[names]


def _numbers(attrs: Mapping[str, Any]) -> dict[str, float]:
    """A cell's numeric attributes, which become coordinates."""
    found = {key: np.asarray(value) for key, value in attrs.items()}
    return {
        key: value.item() for key, value in found.items() if value.size == 1 and value.dtype.kind in "biuf"
    }


def _about(name: str) -> dict[str, str]:
    return OF_CELLS[name].attrs if name in OF_CELLS else {}


# the whole --------------------------------------------------------------------------------------------------


def _dataset(grid: Grid, tasks: Sequence[Mapping[str, Any]]) -> xr.Dataset:
    cost, recorded, target, instance = (
        np.full((*grid.shape, grid.sizes[dim]), np.nan)
        for dim in ("checkpoint", "checkpoint", "target", "replicate")
    )
    worlds, costs = np.arange(grid.sizes["replicate"]), _costs(grid, tasks)
    for task, places, columns in zip(tasks, grid.places, grid.columns, strict=True):
        for place in places:
            cost[place][..., columns >= 0] = costs[_end(task)][columns >= 0]
            recorded[place] = np.diff(columns, prepend=-1) > 0
            target[place][..., : len(task["targets"])] = task["targets"]
            instance[place] = worlds % (task["instances"] or len(worlds))
    coords: dict[str, Any] = {name: (name, _labels(values)) for name, values in grid.dims.items()}
    about = {name: words.attrs for name, words in COORDINATES.items()}
    coords["replicate"] = ("replicate", worlds, about["replicate"])
    coords["instance"] = _squeezed(grid, instance, ("replicate",), about["instance"])
    coords["checkpoint"] = ("checkpoint", grid.fractions, about["checkpoint"])
    coords["target"] = ("target", np.arange(grid.sizes["target"]), about["target"])
    coords["cost"] = _squeezed(grid, cost, ("checkpoint",), about["cost"])
    relative = {task.get("target_floor") is not None for task in tasks if task["targets"]} or {False}
    units = ", or ".join(TARGET_UNITS[kind] for kind in sorted(relative))
    coords["target_loss"] = _squeezed(grid, target, ("target",), about["target_loss"] | {"units": units})
    if (recorded == 0).any():
        told = {
            "long_name": (
                "whether the arm has this checkpoint of its own; 0: what it showed at its last one before is"
                " repeated"
            )
        }
        coords["recorded"] = _squeezed(grid, recorded, ("checkpoint",), told)
    for name, (dims, values, attrs) in grid.coords.items():
        coords[name] = (dims, values, attrs) if dims else _squeezed(grid, values, (), attrs)
    variables = {
        name: ((*grid.dims, *dims), values, attrs)
        for name, (dims, values, attrs) in sorted(grid.variables.items())
    }
    return xr.Dataset(variables, coords, {"totals": json.dumps(grid.totals)})


def _costs(grid: Grid, tasks: Sequence[Mapping[str, Any]]) -> dict[float, np.ndarray]:
    """End of a run -> the costs (C,) of `fractions`: those of the tasks that have them, to the last digit."""
    found = {_end(task): grid.fractions * _end(task) for task in tasks}
    for task, columns in zip(tasks, grid.columns, strict=True):
        found[_end(task)][np.diff(columns, prepend=-1) > 0] = task["checkpoints"]
    return found


def _labels(values: list) -> np.ndarray:
    return (
        np.asarray(values)
        if all(isinstance(value, int | float) for value in values)
        else np.asarray([str(value) for value in values], object)
    )


def _squeezed(
    grid: Grid, values: np.ndarray, rest: tuple[str, ...], attrs: dict
) -> tuple[tuple[str, ...], np.ndarray, dict]:
    """Leave out the dims of the grid along which nothing changes.

    A place where no arm is (NaN) does not count.
    """
    dims = [*grid.dims, *rest]
    for name in grid.dims:
        axis = dims.index(name)
        low, high = np.fmin.reduce(values, axis), np.fmax.reduce(values, axis)
        if ((low == high) | np.isnan(low)).all():
            values = low
            dims.remove(name)
    return tuple(dims), values, attrs
