"""Points of a landscape in world 0, and their losses."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from landscapes.base import Landscape

ELEMENTS = 2**24  # coordinates evaluated at a time
SAMPLE = 4096  # points looked at where not all are
SAMPLES, DIRECTIONS, OBSERVED = 1, 2, 3  # steps of the streams; starts are at 0


def losses_at(landscape: Landscape, x: Tensor, time: float = 0.0) -> Tensor:
    """The loss of many points x (1, P, D) of one world -> (P,) float64, some at a time."""
    clock = None if landscape.clock is None else time_of(time, x)
    at_once = max(1, ELEMENTS // (landscape.dim * landscape.terms))
    with torch.no_grad():
        parts = [landscape.loss(part, None, clock)[0] for part in x.split(at_once, 1)]
    return torch.cat(parts).double()


def time_of(time: float, like: Tensor) -> Tensor:
    """The time of one world, on the device of a tensor."""
    return torch.full((1,), time, dtype=torch.float64, device=like.device)


def as_numpy(values: Tensor) -> np.ndarray:
    """Values of a tensor as float64."""
    return values.double().numpy(force=True)


def best_of(landscape: Landscape, x: Tensor, loss: Tensor) -> tuple[Tensor, bool]:
    """The point (D,) from which distances count, and whether it is a known optimum.

    Else the best of x (1, P, D).
    """
    if landscape.optimum is not None:
        return landscape.optimum[0], True
    return x[0, loss.nan_to_num(math.inf).argmin()], False


def ends_of(landscape: Landscape) -> tuple[float, float]:
    """The ends of each coordinate of a box."""
    domain: Any = landscape.domain
    return domain.low, domain.high
