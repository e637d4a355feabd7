"""What the answers of a step say, on the host: the values asked, and the best point so far."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from landscapes.base import Answer, Query
from landscapes.numerics import worst_last
from studies.cells import answer_kernels


def first_loss(value: Tensor) -> Tensor:
    """The only loss, or the first player's: (R, P) or (R, P, players) -> (R, P)."""
    return value if value.ndim == 2 else value[..., 0]


def asked_values(query: Query, answer: Answer) -> Tensor:
    """The values (R, P) float64, on a game the first player's; inf for points that were not asked."""
    value = first_loss(answer.value).double()
    return value if query.alive is None else value.where(query.alive, torch.inf)


def value_of(point: Tensor, query: Query, answer: Answer) -> np.ndarray:
    """The value (R,) of a point (R, 1, D) where it is one of the points asked, else NaN."""
    same, values = (point == query.points).all(-1), asked_values(query, answer)
    return np.fmin.reduce(values.where(same, torch.nan).cpu().numpy(), axis=1)


class Lowest(NamedTuple):
    """The lowest value of each world in one step."""

    value: np.ndarray  # (R,) float64; inf where none is a number
    place: np.ndarray | None  # (R,) of the first point with it; None: not yet known

    @staticmethod
    def of(query: Query, answer: Answer) -> Lowest:
        """Of what was answered to a query."""
        values = answer.value if _plain(query, answer.value) else asked_values(query, answer)
        if not values.is_cpu:
            return Lowest(worst_last(values).amin(1).cpu().numpy(), None)
        low, place = np.empty(len(values)), np.empty(len(values), np.int64)
        answer_kernels.lowest(values.numpy(), low, place)
        return Lowest(low, place)


def _plain(query: Query, value: Tensor) -> bool:
    """Whether values are those of one player, all asked, one after the other in memory."""
    return value.ndim == 2 and query.alive is None and value.is_contiguous()


class Best:
    """The point with the lowest value observed so far.

    Args:
        point: (R, D) what stands for it before the first step.
    """

    def __init__(self, point: Tensor) -> None:
        self.point = point.clone(memory_format=torch.contiguous_format)
        self.value = np.full(len(point), np.inf)  # (R,)
        self.changed = np.zeros(len(point), bool)  # (R,) since its truth was last measured

    def take(self, query: Query, answer: Answer, lowest: Lowest) -> None:
        """Take the answer of a step, and the lowest value of each world in it."""
        points, place = query.points, lowest.place
        if place is not None and points.dtype == self.point.dtype:
            arrays = points.numpy(), self.value, self.point.numpy(), self.changed
            answer_kernels.improve(lowest.value, place, *arrays)
            return
        better = lowest.value < self.value
        if better.any():
            self.value = np.where(better, lowest.value, self.value)
            self.changed |= better
            rows = torch.from_numpy(np.flatnonzero(better)).to(points.device)
            values = asked_values(query, answer)[rows]
            point = points[rows, worst_last(values).argmin(1)]
            both = torch.promote_types(self.point.dtype, point.dtype)
            self.point = self.point.to(both).index_copy(0, rows, point.to(both))
