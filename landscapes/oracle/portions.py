"""An evaluation in portions, for less memory.

The points in chunks, the terms that each sees in micro-batches, one after the other.

A mini-batch of m terms in pieces of m_1 .. m_K: L = sum_i (m_i / m) L_i with L_i the mean over piece i, and
likewise for the gradient; the mean of the means is another loss where sizes differ. What a gradient keeps of
a piece is freed before the next, so memory is fixed + a m / K. This is exact for sums of terms only: of a
loss that compares the examples of a batch (`Landscape.additive` is False) it is a mean of other losses.
Chunks are exact for every loss, since a point's value does not depend on what is evaluated beside it, but for
the rounding of matrix products.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from landscapes.base import Answer, Landscape

# points (R, P, D), the terms that they see (R, 1 | P, B) or None for all -> their answer
Asked = Callable[[Tensor, Tensor | None], Answer]


def in_portions(
    ask: Asked,
    landscape: Landscape,
    points: Tensor,
    index: Tensor | None,
    micro_batches: int,
    chunks: int,
) -> Answer:
    """The answer of a landscape for points (R, P, D) that see the terms index (R, 1 | P, B), None for all.

    Args:
        ask: the answer for some of the points and some of the terms.
        landscape: whose `terms` these are; no piece has fewer than its `smallest_batch`.
        points: (R, P, D).
        index: (R, 1 | P, B), all of the same weight.
        micro_batches: pieces of the terms, >= 1; one for each where there are fewer terms.
        chunks: groups of points, >= 1; one for each where there are fewer points.

    Returns:
        What ask(points, index) gives, but for rounding.
    """
    size = landscape.terms if index is None else index.shape[-1]
    pieces = min(micro_batches, max(1, size // landscape.smallest_batch))
    if pieces > 1 and index is None:
        index = torch.arange(size, device=points.device).expand(len(points), 1, -1)
    groups = min(chunks, points.shape[1])
    if groups <= 1:
        return _accumulated(ask, points, index, pieces)
    seen = [index] * groups if index is None or index.shape[1] == 1 else index.tensor_split(groups, 1)
    answers = [
        _accumulated(ask, *group, pieces)
        for group in zip(points.tensor_split(groups, 1), seen, strict=True)
    ]
    values, gradients, _ = zip(*answers, strict=True)
    return Answer(torch.cat(values, 1), None if gradients[0] is None else torch.cat(gradients, 1))


def _accumulated(ask: Asked, points: Tensor, index: Tensor | None, pieces: int) -> Answer:
    """The weighted sum of the answers over so many pieces of the terms, whose sizes differ by at most one."""
    if pieces == 1 or index is None:
        return ask(points, index)
    parts = index.tensor_split(pieces, -1)
    first = ask(points, parts[0])
    value, gradient, _ = _share(first, parts[0], index)
    for part in parts[1:]:
        more = _share(ask(points, part), part, index)
        value = value + more.value
        gradient = None if gradient is None or more.gradient is None else gradient + more.gradient
    return Answer(
        value.to(first.value.dtype), None if gradient is None else gradient.to(first.value.dtype)
    )


def _share(answer: Answer, part: Tensor, whole: Tensor) -> Answer:
    """What a piece adds, in float64.

    Of a sum over many pieces, float32 would lose digits that one large batch keeps.
    """
    share = part.shape[-1] / whole.shape[-1]
    return Answer(
        share * answer.value.double(),
        None if answer.gradient is None else share * answer.gradient.double(),
    )
