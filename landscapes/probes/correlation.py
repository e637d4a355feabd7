"""Correlations of two rows of numbers, and ranks."""

from __future__ import annotations

import torch
from torch import Tensor

from landscapes.numerics import dot, norm, squarable


def pearson(a: Tensor, b: Tensor) -> Tensor:
    """Correlation of (R, M) with (R, M): (R,); NaN where either is constant."""
    a, b = (squarable(x - x.mean(-1, keepdim=True))[0] for x in (a, b))
    return dot(a, b) / (norm(a) * norm(b))


def spearman(a: Tensor, b: Tensor) -> Tensor:
    """Correlation of ranks, equal values have their mean rank: (R,)."""
    return pearson(ranks(a), ranks(b))


def ranks(x: Tensor) -> Tensor:
    """Ranks 1 .. M within rows of (R, M), equal values have their mean rank."""
    ordered = x.sort(-1).values
    below, upto = (torch.searchsorted(ordered, x.contiguous(), right=right) for right in (False, True))
    return (below + upto + 1).to(x.dtype) / 2
