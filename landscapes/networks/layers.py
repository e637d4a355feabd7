"""What networks over (R, P) have in common.

Dense layers, starting weights, sums over examples, how much is worked at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from landscapes.numerics import matmul
from landscapes.streams import Streams

ELEMENTS = 2**20  # activations worked at a time: they stay in the cache


def dense(weight: Tensor, inputs: Tensor) -> Tensor:
    """Weights (R, P, out * in), inputs (R, 1 | P, in, B), examples in columns -> (R, P, out, B).

    Points that share inputs share one product.
    """
    return matmul(weight.reshape(*inputs.shape[:2], -1, inputs.shape[-2]), inputs).view(
        *weight.shape[:2], -1, inputs.shape[-1]
    )


def activated(h: Tensor, activation: str) -> Tensor:
    """Tanh or relu."""
    return h.tanh() if activation == "tanh" else h.relu()


def surprise(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy in nats of each example: logits (R, P, C, B), labels (R, 1 | P, B) -> (R, P, B)."""
    right = labels.expand(-1, logits.shape[1], -1)[..., None, :]
    return -logits.log_softmax(-2).gather(-2, right)[..., 0, :]


def total(each: Tensor, weight: Tensor | None) -> Tensor:
    """Weighted sum over examples (R, P, B) -> (R, P); their mean where there are no weights."""
    return each.sum(-1) / each.shape[-1] if weight is None else (weight * each).sum(-1)


def by_worlds(function: Callable[..., Tensor], each: int, x: Tensor, *others: Tensor | None) -> Tensor:
    """Function(x (R, ...), *others (R, ...) or None) -> (R, P), some worlds at a time.

    So many that ELEMENTS hold what `each` of them needs.
    """
    worlds = max(1, ELEMENTS // max(1, each))
    rows = x.split(worlds)
    columns = [[None] * len(rows) if other is None else other.split(worlds) for other in others]
    return torch.cat([function(*row) for row in zip(rows, *columns, strict=True)])


def draw_weights(streams: Streams, n: int, blocks: Sequence[tuple[int, float]]) -> Tensor:
    """Normal weights (R, n, D), source "init": blocks of (how many, standard deviation) in order."""
    scale = deviations(streams, blocks)
    return scale * streams.normal("init", (n, len(scale)))


def deviations(streams: Streams, blocks: Sequence[tuple[int, float]]) -> Tensor:
    """Standard deviations (D,) of blocks of (how many, standard deviation) in order."""
    return torch.cat([
        torch.full((size,), s, dtype=streams.dtype, device=streams.device) for size, s in blocks
    ])
