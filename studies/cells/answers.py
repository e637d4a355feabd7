"""What the answers of a step say, on the host: the values asked, and the best point so far."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from landscapes.base import Answer, Query
from landscapes.numerics import worst_last


def first_loss(value: Tensor) -> Tensor:
    """The only loss, or the first player's: (R, P) or (R, P, players) -> (R, P)."""
    return value if value.ndim == 2 else value[..., 0]


def asked_values(query: Query, answer: Answer) -> Tensor:
    """The values (R, P) float64, on a game the first player's; inf for points that were not asked."""
    value = first_loss(answer.value).double()
    return value if query.alive is None else value.where(query.alive, torch.inf)


def value_of(point: Tensor, query: Query, values: Tensor) -> np.ndarray:
    """The value (R,) of a point (R, 1, D) where it is one of the points asked, else NaN."""
    same = (point == query.points).all(-1)
    return np.fmin.reduce(values.where(same, torch.nan).cpu().numpy(), axis=1)


class Best:
    """The point with the lowest value observed so far.

    Args:
        point: (R, D) what stands for it before the first step.
    """

    def __init__(self, point: Tensor) -> None:
        self.point = point
        self.value = np.full(len(point), np.inf)  # (R,)
        self.changed = np.zeros(len(point), bool)  # (R,) since its truth was last measured

    def take(self, query: Query, values: Tensor, lowest: np.ndarray) -> None:
        """Take the values (R, P) of a step, and the lowest of each world (R,), inf where none is a number."""
        better = lowest < self.value
        if better.any():
            self.value = np.where(better, lowest, self.value)
            self.changed |= better
            rows = torch.from_numpy(np.flatnonzero(better)).to(values.device)
            point = query.points[rows, worst_last(values[rows]).argmin(1)]
            both = torch.promote_types(self.point.dtype, point.dtype)
            self.point = self.point.to(both).index_copy(0, rows, point.to(both))
