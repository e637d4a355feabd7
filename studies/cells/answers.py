"""What the answers of a step say, on the host: the values asked, and the best point so far."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from landscapes.base import Answer, Query


def first_loss(value: Tensor) -> Tensor:
    """The only loss, or the first player's: (R, P) or (R, P, players) -> (R, P)."""
    return value if value.ndim == 2 else value[..., 0]


def asked_values(query: Query, answer: Answer) -> np.ndarray:
    """The values (R, P), on a game the first player's; inf for points that were not asked."""
    value = first_loss(answer.value)
    if query.alive is not None:
        value = value.where(query.alive, torch.inf)
    return value.double().cpu().numpy()


def value_of(point: Tensor, query: Query, values: np.ndarray) -> np.ndarray:
    """The value (R,) of a point (R, 1, D) where it is one of the points asked, else NaN."""
    same = (point == query.points).all(-1).cpu().numpy()
    return np.fmin.reduce(np.where(same, values, np.nan), axis=1)


class Best:
    """The point with the lowest value observed so far.

    Args:
        point: (R, D) what stands for it before the first step.
    """

    def __init__(self, point: Tensor) -> None:
        self.point = point
        self.value = np.full(len(point), np.inf)  # (R,)
        self.changed = np.zeros(len(point), bool)  # (R,) since its truth was last measured

    def take(self, query: Query, values: np.ndarray, lowest: np.ndarray) -> None:
        """Take the values (R, P) of a step, and each world's lowest (R,), NaN where none is a number."""
        value = np.fmin(self.value, lowest)
        better = value < self.value
        self.value = value
        self.changed |= better
        if better.any():
            device = self.point.device
            place = torch.from_numpy(np.where(np.isnan(values), np.inf, values).argmin(1)).to(device)
            point = query.points[torch.arange(len(place), device=device), place]
            self.point = torch.where(torch.from_numpy(better).to(device)[:, None], point, self.point)
