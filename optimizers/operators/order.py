"""Points in the order of their losses, the same in every batch of worlds."""

from __future__ import annotations

import torch
from torch import Tensor

from landscapes.numerics import worst_last
from optimizers.operators.arrays import rows


def order(value: Tensor) -> Tensor:
    """Indices of values (R, P) from best to worst, ties by index: (R, P) int64."""
    return worst_last(value).argsort(dim=-1, stable=True)


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
