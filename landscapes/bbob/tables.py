"""The tables of many worlds, and evaluation piece by piece."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from landscapes.bbob.instances import Drawn
from landscapes.checks import UNBOUND
from landscapes.numerics import matmul
from landscapes.streams import Streams

ELEMENTS = 2**14  # coordinates worked at a time: their temporaries stay in the second-level cache


class Tables(NamedTuple):
    """`instances.Drawn` of R worlds; a table that a function does not use has rows of no elements."""

    optimum: Tensor = UNBOUND  # (R, D)
    inner: Tensor = UNBOUND  # (R, D, D) the map applied first
    outer: Tensor = UNBOUND  # (R, D, D) the map applied after a distortion
    # (R, 2, N, D) places of Gaussian peaks relative to the optimum, and their sharpness along each axis
    peaks: Tensor = UNBOUND


def shift(x: Tensor, tables: Tables) -> Tensor:
    """X - x_opt."""
    return x - tables.optimum[:, None]


def turn(x: Tensor, tables: Tables) -> Tensor:
    """(x - x_opt) under the first map."""
    return linear(shift(x, tables), tables.inner)


def linear(z: Tensor, matrix: Tensor) -> Tensor:
    """Z (R, P, D) under the map (R, D, D)."""
    return _Linear.apply(z, matrix)


class _Linear(torch.autograd.Function):
    """A product whose gradient too is one with a contiguous matrix.

    With the transposed view of one, a row's bits depend on its place.
    """

    @staticmethod
    def forward(ctx: Any, z: Tensor, matrix: Tensor) -> Tensor:  # noqa: ANN401
        ctx.save_for_backward(matrix)
        return matmul(z, matrix)

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401
        (matrix,) = ctx.saved_tensors
        return linear(upstream, matrix.mT.contiguous()), None


def gather(drawn: Sequence[Drawn], row: Tensor, streams: Streams) -> Tables:
    """The tables of worlds of which world r has instance drawn[row[r]].

    Where there is one instance, all worlds share its memory.
    """

    def rows(table: Tensor) -> Tensor:
        return (
            table.expand(len(row), *table.shape[1:]) if len(table) == 1 else table[row.to(table.device)]
        )

    stacked = (
        torch.from_numpy(np.stack(tables)).to(streams.device, streams.dtype)
        for tables in zip(*drawn, strict=True)
    )
    return Tables(*map(rows, stacked))


def in_chunks(value: Callable[[Tensor, Tables], Tensor], x: Tensor, tables: Tables) -> Tensor:
    """value(x, tables) of x (R, P, D), some worlds and points at a time: (R, P)."""
    worlds, points, dim = x.shape
    few = max(1, ELEMENTS // dim)  # points at a time
    if worlds * points <= few:
        return value(x, tables)
    if points >= few:
        each = [
            torch.cat([value(part, row) for part in one.split(few, 1)], 1)
            for one, row in _split(x, tables, 1)
        ]
    else:
        each = [value(part, rows) for part, rows in _split(x, tables, few // points)]
    return torch.cat(each)


def _split(x: Tensor, tables: Tables, size: int) -> list[tuple[Tensor, Tables]]:
    return [
        (x[i : i + size], Tables(*(t[i : i + size] for t in tables))) for i in range(0, len(x), size)
    ]
