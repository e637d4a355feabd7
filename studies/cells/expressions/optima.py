"""The nearest of several optima, and how far it is."""

from __future__ import annotations

import torch
from torch import Tensor

from landscapes.numerics import norm


def nearest(center: Tensor, optima: Tensor) -> Tensor:
    """Of optima (R, K, D) the nearest to a center (R, D), the first of ties: (R, D)."""
    away = (optima - center[:, None]).square().sum(-1)
    return optima[torch.arange(len(center)), away.argmin(1)]


def distance(center: Tensor, optima: Tensor, *, on_bits: bool) -> Tensor:
    """From a center (R, D) to the nearest of optima (R, K, D); on bits the mean of loci that differ: (R,)."""
    away = nearest(center, optima) - center
    return away.abs().sum(-1) if on_bits else norm(away)
