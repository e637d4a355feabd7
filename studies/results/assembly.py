"""From a study's plan and the cells that are there to one labelled Dataset."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from xarray import DataArray, Dataset

from studies.results import cell_files
from studies.results.coordinates import coordinates
from studies.results.grid import TOTALS, Array, Grid, Place, Way
from studies.results.manifest import (
    Manifest,
    Shown,
    Stored,
    fractions_of,
    label,
)
from studies.text.schema import OF_CELLS, PICTURE, RECORDS, SEEN, TIMED_ON, Status, status_attrs
from studies.text.shapes import Tree


def assemble(manifest: Manifest, finished: Mapping[str, Path], failed: set[str]) -> Dataset:
    """The labelled Dataset, in memory, without attributes but `totals` and `timed_on`.

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
    return _dataset(grid, manifest)


# the grid ---------------------------------------------------------------------------------------------------


def _grid(manifest: Manifest) -> Grid:
    tasks = manifest["tasks"]
    dims = {name: [label(value) for value in values] for name, values in manifest["dims"].items()}
    shares = [fractions_of(task) for task in tasks]
    fractions = np.unique(np.concatenate([*shares, []]))
    targets = max((len(task["targets"]) for task in tasks), default=0)
    grid = Grid(
        dims=dims,
        fractions=fractions,
        columns=_columns(shares, fractions),
        places=_places(dims, manifest["arms"], len(tasks)),
        sizes={
            "replicate": manifest["replicates"],
            "checkpoint": len(fractions),
            "target": targets,
            **_seen(manifest),
        },
    )
    grid.declare("status", RECORDS, np.dtype(np.int8), status_attrs())
    _mark(grid, [(slice(None),) * len(dims)], Status.ABSENT)
    _mark(grid, itertools.chain.from_iterable(grid.places), Status.MISSING)
    return grid


def _columns(shares: Sequence[np.ndarray], fractions: np.ndarray) -> list[np.ndarray]:
    """For each task the number of its checkpoint that each of `fractions` shows, -1: none.

    Tasks of the same checkpoints have the same object.
    """
    different = {id(share): share for share in shares}
    columns = {
        name: np.searchsorted(share, fractions, side="right") - 1 for name, share in different.items()
    }
    return [columns[id(share)] for share in shares]


def _seen(manifest: Manifest) -> dict[str, int]:
    """How many worlds there are pictures of, where there are some."""
    pictures = (task.get("pictures") or {} for task in manifest["tasks"])
    most = max((asked.get("worlds", 0) for asked in pictures), default=0)
    return {SEEN: min(most, manifest["replicates"])} if most else {}


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


# one cell ---------------------------------------------------------------------------------------------------


def _read(grid: Grid, path: Path, cell: Stored) -> None:
    """Copy a cell's worlds, as far as the study has them, to every place of its task."""
    last = min(cell["last"], grid.sizes["replicate"])
    values, attrs = cell_files.numbers(path)
    for way in _ways(grid, path, cell["task"], values):
        _copy(grid, cell, way, values[way.name][: last - cell["first"]])
    if TIMED_ON in attrs:
        grid.devices.add(attrs[TIMED_ON])
    for name, value in _numbers(attrs).items():
        about = OF_CELLS[name].attrs if name in OF_CELLS else {}
        coordinate = grid.coords.setdefault(name, Array((), np.full(grid.shape, np.nan), about))
        for place in grid.places[cell["task"]]:
            coordinate.values[place] = value


def _copy(grid: Grid, cell: Stored, way: Way, values: np.ndarray) -> None:
    """Copy a variable (worlds, ..) of a cell to every place of its task."""
    if way.seen:
        values = values[: max(0, grid.sizes[SEEN] - cell["first"])]
    if way.name in TOTALS:
        grid.totals[way.name] += int(values[:, -1].sum())
    if way.columns is not None:
        values = values.take(way.columns, way.axis)
    worlds = slice(cell["first"], cell["first"] + len(values))
    whole = grid.variables[way.name].values
    for place in grid.places[cell["task"]]:
        whole[place][(..., worlds, *way.behind)] = values


def _ways(grid: Grid, path: Path, task: int, values: Mapping[str, np.ndarray]) -> list[Way]:
    """How the variables of a file are copied, found once for all cells that are alike."""
    columns, names = grid.columns[task], frozenset(values)
    alike = (names, columns.tobytes(), *(array.shape for array in values.values()))
    if alike not in grid.ways:
        shown = grid.schemas.get(names) or _schema(grid, path, names)
        grid.ways[alike] = [_way(grid, name, columns, values[name].shape) for name in shown]
    return grid.ways[alike]


def _way(grid: Grid, name: str, columns: np.ndarray, shape: tuple[int, ...]) -> Way:
    """How a variable of this shape is copied, for which there is room from now on."""
    dims = grid.variables[name].dims
    for dim, length in zip(dims, shape, strict=True):
        if dim not in (*RECORDS, "target", SEEN):
            grid.lengthen(dim, length)
    own, there = columns[columns >= 0], columns >= 0
    behind: list[slice | np.ndarray] = [slice(length) for length in shape[1:]]
    if "checkpoint" not in dims:
        return Way(name, 0, None, tuple(behind), SEEN in dims)
    axis = dims.index("checkpoint")
    behind[axis - 1] = slice(None) if there.all() else there
    all_of_them = np.array_equal(own, np.arange(shape[axis]))
    return Way(name, axis, None if all_of_them else own, tuple(behind), SEEN in dims)


def _mark_failed(grid: Grid, cell: Stored) -> None:
    there = grid.columns[cell["task"]] >= 0
    for place in grid.places[cell["task"]]:
        grid.variables["status"].values[place][..., cell["first"] : cell["last"], there] = Status.FAILED


def _schema(grid: Grid, path: Path, names: frozenset[str]) -> list[str]:
    """Declare the variables of a file."""
    data = cell_files.read(path)
    for dim in set(map(str, data.dims)) - set(grid.sizes):
        _declare_dim(grid, data, dim)
    for name, array in data.data_vars.items():
        if name not in grid.variables:
            grid.declare(str(name), _dims_shown(str(name), array), array.dtype, array.attrs)
    grid.schemas[names] = list(map(str, data.data_vars))
    return grid.schemas[names]


def _dims_shown(name: str, array: DataArray) -> tuple[str, ...]:
    """The dims of a variable of a cell in the Dataset: pictures are those of a few worlds."""
    worlds, *others = map(str, array.dims)
    return (SEEN if name in PICTURE else worlds, *others)


def _declare_dim(grid: Grid, data: Dataset, dim: str) -> None:
    """A dim that an instrument adds, with its labels."""
    grid.sizes[dim] = data.sizes[dim]
    if dim in data.coords:
        labels = data[dim].values
        labels = labels.astype(object) if labels.dtype.kind == "U" else labels
        grid.coords[dim] = Array((dim,), labels, data[dim].attrs)


def _numbers(attrs: Tree) -> dict[str, float]:
    """A cell's numeric attributes, which become coordinates."""
    arrays = {key: np.asarray(value) for key, value in attrs.items() if not isinstance(value, str)}
    return {
        key: array.item()
        for key, array in arrays.items()
        if array.size == 1 and array.dtype.kind in "biuf"
    }


# the whole --------------------------------------------------------------------------------------------------


def _dataset(grid: Grid, manifest: Manifest) -> Dataset:
    variables = {
        name: ((*grid.dims, *dims), values, attrs)
        for name, (dims, values, attrs) in sorted(grid.variables.items())
    }
    attrs = {"totals": json.dumps(grid.totals)}
    if grid.devices:
        attrs[TIMED_ON] = json.dumps(sorted(grid.devices))
    return Dataset(variables, coordinates(grid, manifest), attrs)
