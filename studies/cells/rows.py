"""Parameters that are a number for each world (R,), as plain ones of runs of worlds that share them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise

import torch
from torch import Tensor

from studies.text.shapes import Data, Tree


def runs(spec: Tree, worlds: int) -> list[tuple[Data, slice]]:
    """Plain parameters, and worlds one after another that have them, in the order of the worlds.

    Args:
        spec: parameters, perhaps with others inside.
        worlds: R.
    """
    columns = [*_columns(spec)]
    changes = torch.zeros(worlds - 1, dtype=torch.bool)
    for column in columns:
        changes |= column.diff() != 0
    ends = [0, *(changes.nonzero().flatten() + 1).tolist(), worlds]
    return [(plain(spec, first), slice(first, last)) for first, last in pairwise(ends)]


def varied(spec: Tree) -> bool:
    """Whether a parameter is a number for each world."""
    return any(True for _ in _columns(spec))


def plain(spec: Tree, row: int) -> Data:
    """The parameters of one world."""
    return {key: _of_row(value, row) for key, value in spec.items()}


def _of_row(value: object, row: int) -> object:
    if isinstance(value, Mapping):
        return plain(value, row)
    return value[row].item() if isinstance(value, Tensor) else value


def _columns(spec: Tree) -> Iterator[Tensor]:
    for value in spec.values():
        if isinstance(value, Mapping):
            yield from _columns(value)
        elif isinstance(value, Tensor):
            yield value
