"""Finite sums whose terms differ by a linear function.

The noise of a mini-batch is additive and its covariance is set, not estimated.

Term i is L(x) + g_i' (x - x*), where the g_i sum to zero and (1/M) sum_i g_i g_i' = C exactly (the normaliser
is M, not M - 1). The mean of the terms is then L; the gradient of B terms drawn with replacement has
covariance C / B, whatever x, and that of B different ones (C / B) (M - B) / (M - 1) (Cochran 1977, section
2.5).
"""

from __future__ import annotations

import torch
from torch import Tensor

from landscapes.base import Terms
from landscapes.streams import Streams


def check_terms(name: str, terms: int, dim: int) -> None:
    """Raise ValueError unless so many terms can have a covariance of full rank."""
    if 1 < terms <= dim:
        raise ValueError(f"{name}.terms: expected 1 (no noise) or more than dim = {dim}, got {terms}")


def draw_slopes(streams: Streams, terms: int, deviations: Tensor, part: int) -> Tensor:
    """The g_i, (R, M, D): uncorrelated, with standard deviations (D,) float64; source "instance"."""
    drawn = streams.normal("instance", (terms, len(deviations)), part=part).double()
    return (torch.stack([_white(slopes.clone()) for slopes in drawn]) * deviations.to(drawn)).to(
        streams.dtype
    )


def slope(slopes: Tensor, terms: Terms) -> Tensor:
    """Weighted sum of the g_i (R, M, D) of a mini-batch: (R, 1 | P, D)."""
    picked = slopes.take_along_dim(terms.index.flatten(1)[..., None], 1).unflatten(
        1, terms.index.shape[1:]
    )
    return (terms.weight[..., None] * picked).sum(-2)


def _white(drawn: Tensor) -> Tensor:
    """(M, D) with column means 0 and (1/M) sum of outer products exactly I."""
    q, r = torch.linalg.qr(drawn - drawn.mean(0))
    return q * r.diagonal().sign() * len(drawn) ** 0.5
