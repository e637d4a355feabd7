"""Trees of tensors: nested named tuples, mappings and pairs (state, info), as optimizers hand them around."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from studies.cells.ledger.freezing import subset

ROUNDING = {torch.float64: 1e-9, torch.float32: 1e-4}
"""Of the largest number: what the size of a batch may change in a sum."""

Nested = Any  # a tensor, a number, or a tuple, list or mapping of such


def leaves(tree: Nested, name: str = "") -> Iterator[tuple[str, Nested]]:
    """Names and leaves of nested named tuples, mappings and pairs (state, info): ("points", tensor), ...

    What is None is left out.
    """
    parts = tree._asdict() if hasattr(tree, "_fields") else tree
    if isinstance(tree, tuple) and len(tree) == 2 and isinstance(tree[1], dict):
        parts = {"state": tree[0], "info": tree[1]}
    if isinstance(parts, Mapping):
        for key, value in parts.items():
            yield from leaves(value, f"{name}.{key}" if name else str(key))
    elif tree is not None:
        yield name, tree


def tensors(tree: Nested) -> list[tuple[str, Tensor]]:
    """The tensors among the leaves, with their names."""
    return [(name, leaf) for name, leaf in leaves(tree) if isinstance(leaf, Tensor)]


def difference(a: Nested, b: Nested, *, rounding: bool = True) -> str:
    """The name of the first tensor that differs between two trees; "" where none does.

    By more than rounding, where that is forgiven.
    """
    ours, theirs = tensors(a), tensors(b)
    if [name for name, _ in ours] != [name for name, _ in theirs]:
        return "the number of tensors"
    for (name, x), (_, y) in zip(ours, theirs, strict=True):
        if not equal(x, y, rounding=rounding):
            return name or "the result"
    return ""


def equal(x: Tensor, y: Tensor, *, rounding: bool) -> bool:
    """Whether two tensors are equal in shape, type and numbers; by `rounding` but for its errors."""
    if x.shape != y.shape or x.dtype != y.dtype:
        return False
    same = (x == y) | ((x != x) & (y != y))  # NaN is NaN
    if bool(same.all()):
        return True
    if not rounding or x.dtype not in ROUNDING:
        return False
    size = x.where(x.isfinite(), 0).abs().max()
    return bool((same | ((x - y).abs() <= ROUNDING[x.dtype] * size)).all())


def rows_of(tree: Nested, rows: list[int]) -> Nested:
    """These worlds of nested named tuples, mappings and pairs of them."""
    if isinstance(tree, dict):
        return {key: rows_of(value, rows) for key, value in tree.items()}
    if isinstance(tree, tuple) and len(tree) == 2 and isinstance(tree[1], dict):
        return {"state": rows_of(tree[0], rows), "info": rows_of(tree[1], rows)}
    return subset(tree, torch.tensor(rows))


def described(value: Nested) -> str:
    """What something is, for a message."""
    if isinstance(value, Tensor):
        return f"a tensor of shape {tuple(value.shape)}"
    return "None" if value is None else type(value).__name__
