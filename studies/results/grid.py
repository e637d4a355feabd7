"""The Dataset under construction: a place for each world of each arm, into which cells are copied."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from studies.text.shapes import Data

TOTALS = (
    "value_terms",
    "gradient_terms",
    "steps",
)  # counts whose last checkpoint is summed over worlds
Place = tuple[int | slice, ...]  # in the grid


class Array(NamedTuple):
    """An array over the whole grid."""

    dims: tuple[str, ...]  # behind the grid's own
    values: np.ndarray
    attrs: Data


class Way(NamedTuple):
    """How a variable of alike cells is copied."""

    name: str
    axis: int  # of its checkpoints
    columns: np.ndarray | None  # the checkpoints that are shown; None: all, or it has none
    behind: tuple[slice | np.ndarray, ...]  # where it goes along its dims but the first
    seen: bool  # its first dim are not all worlds


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
    ways: dict[tuple[object, ...], list[Way]] = field(default_factory=dict)  # of alike cells
    devices: set[str] = field(default_factory=set)  # on which steps were timed
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

        A place where no arm is (NaN) does not count. Where each optimizer has landscapes of its own, what
        differs between them is the landscape's: optimizers go first.
        """
        dims = [*self.dims, *dims_behind]
        for name in sorted(self.dims, key="optimizer".__ne__):
            axis = dims.index(name)
            low = np.fmin.reduce(values, axis)
            high = np.fmax.reduce(values, axis)
            if ((low == high) | np.isnan(low)).all():
                values = low
                dims.remove(name)
        return Array(tuple(dims), values, attrs)
