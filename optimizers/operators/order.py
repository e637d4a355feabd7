"""Points in the order of their losses, the same in every batch of worlds."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from landscapes.numerics import worst_last
from landscapes.operators import operator
from optimizers.operators import order_kernels
from optimizers.operators.arrays import rows

PAIRWISE = 64  # up to so many points, comparing all pairs is faster than sorting


def _pairwise(name: str, formula: Callable[[Tensor], Tensor], dtype: torch.dtype | None) -> Callable:
    """An operator from values (R, P), of at most `PAIRWISE` points on a CPU, to numbers (R, P).

    Args:
        name: its name, and that of its loop.
        formula: plain torch.
        dtype: of what it gives; None: that of the values.
    """
    kernel = getattr(order_kernels, name)

    def empty(value: Tensor) -> Tensor:
        return torch.empty_like(value, dtype=dtype, memory_format=torch.contiguous_format)

    def loop(value: Tensor) -> Tensor:
        out = empty(value)
        kernel(value.detach().contiguous().numpy(), out.numpy())
        return out

    made = operator(name, "Tensor value", loop, formula, empty)

    def compared(value: Tensor) -> Tensor:
        # torch takes longer to find an operator than the loop takes
        return loop(value) if type(value) is Tensor and value.is_cpu else made(value)

    return compared


def _sorted(value: Tensor) -> Tensor:
    return worst_last(value).argsort(dim=-1, stable=True)


def _signs(value: Tensor) -> Tensor:
    return torch.sign(value[:, None, :] - value[:, :, None]).sum(1)


_ORDER = _pairwise("order", _sorted, torch.int64)
# of values (R, P) that are numbers: how many are lower than each, less how many are higher
above = _pairwise("above", _signs, None)


def order(value: Tensor) -> Tensor:
    """Indices of values (R, P) from best to worst, ties by index: (R, P) int64."""
    few = value.ndim == 2 and value.shape[1] <= PAIRWISE and value.dtype.is_floating_point
    return _ORDER(value) if few else _sorted(value)


def best(points: Tensor, value: Tensor) -> Tensor:
    """The point of points (R, P, D) with the lowest of values (R, P), the first of ties: (R, D)."""
    return rows(points, worst_last(value).argmin(1, keepdim=True))[:, 0]


def ranking_values(value: Tensor) -> Tensor:
    """What ranks the points: the values (R, P) answered.

    On a game, (R, P, players), no loss says which is best: zeros.
    """
    return value if value.ndim == 2 else torch.zeros_like(value[..., 0])


def unseen(points: Tensor, dtype: torch.dtype) -> Tensor:
    """Values (R, P) of points that were never asked: inf."""
    return torch.full(points.shape[:2], torch.inf, dtype=dtype, device=points.device)
