"""An evaluation in portions, for less memory.

The points in chunks, the terms that each sees in micro-batches, one after the other.

A mini-batch of m terms in pieces of m_1 .. m_K: L = sum_i (m_i / m) L_i with L_i the mean over piece i, and
likewise for the gradient (`weighted`). What a gradient keeps of a piece is freed before the next, so memory
is fixed + a m / K. This is exact for sums of terms only: of a loss that compares the examples of a batch
(`Landscape.additive` is False) it is a mean of other losses.

`mean_of_means` is what training loops often do instead: pieces of ceil(m / K) terms, the last with those that
are left, and (1 / K) sum_i L_i, another loss where the last is smaller.

Chunks are exact for every loss, since a point's value does not depend on what is evaluated beside it, but for
the rounding of matrix products.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

from landscapes.base import Answer, Dropout, Landscape

# points (R, P, D), the terms that they see (R, 1 | P, B) or None for all, what they drop -> their answer
Asked = Callable[[Tensor, Tensor | None, Dropout | None], Answer]
Accumulate = Literal["weighted", "mean_of_means"]


def in_portions(
    ask: Asked,
    landscape: Landscape,
    points: Tensor,
    index: Tensor | None,
    micro_batches: int,
    chunks: int,
    accumulate: Accumulate = "weighted",
    dropout: Dropout | None = None,
) -> Answer:
    """The answer of a landscape for points (R, P, D) that see the terms index (R, 1 | P, B), None for all.

    Args:
        ask: the answer for some of the points and some of the terms.
        landscape: whose `terms` these are; no piece has fewer than its `smallest_batch`.
        points: (R, P, D).
        index: (R, 1 | P, B), all of the same weight.
        micro_batches: pieces of the terms, >= 1; one for each where there are fewer terms.
        chunks: groups of points, >= 1; one for each where there are fewer points.
        accumulate: weighted or mean_of_means.
        dropout: where the units that they drop are drawn; None: they drop none.

    Returns:
        What ask(points, index) gives, but for rounding, where weighted and a sum of terms.
    """
    size = landscape.terms if index is None else index.shape[-1]
    pieces = min(micro_batches, max(1, size // landscape.smallest_batch))
    if pieces > 1 and index is None:
        index = torch.arange(size, device=points.device).expand(len(points), 1, -1)
    groups = min(chunks, points.shape[1])
    if groups <= 1:
        return _accumulated(ask, points, index, dropout, pieces, accumulate)
    seen = [index] * groups if index is None or index.shape[1] == 1 else index.tensor_split(groups, 1)
    dropped = [None] * groups if dropout is None else _by_points(dropout, groups)
    answers = [
        _accumulated(ask, *group, pieces, accumulate)
        for group in zip(points.tensor_split(groups, 1), seen, dropped, strict=True)
    ]
    values, gradients, _ = zip(*answers, strict=True)
    return Answer(torch.cat(values, 1), None if gradients[0] is None else torch.cat(gradients, 1))


def pieces_of(index: Tensor, pieces: int, accumulate: Accumulate) -> tuple[list[Tensor], list[float]]:
    """The terms (.., B) in so many pieces or fewer, and the weight of each.

    Weighted, their sizes differ by at most one.
    """
    size = index.shape[-1]
    if accumulate == "weighted":
        parts = list(index.tensor_split(pieces, -1))
        return parts, [part.shape[-1] / size for part in parts]
    parts = list(index.split(-(-size // pieces), -1))
    return parts, [1 / len(parts)] * len(parts)


def _by_points(dropout: Dropout, groups: int) -> list[Dropout]:
    """What each group of points drops."""
    return [dropout._replace(key=key) for key in dropout.key.tensor_split(groups, 1)]


def _accumulated(
    ask: Asked,
    points: Tensor,
    index: Tensor | None,
    dropout: Dropout | None,
    pieces: int,
    accumulate: Accumulate,
) -> Answer:
    """The weighted sum of the answers over so many pieces of the terms."""
    if pieces == 1 or index is None:
        return ask(points, index, dropout)
    parts, shares = pieces_of(index, pieces, accumulate)
    first = ask(points, parts[0], dropout)
    value, gradient, _ = _share(first, shares[0])
    place = parts[0].shape[-1]
    for part, share in zip(parts[1:], shares[1:], strict=True):
        more = _share(ask(points, part, dropout and dropout._replace(place=place)), share)
        place += part.shape[-1]
        value = value + more.value
        gradient = None if gradient is None or more.gradient is None else gradient + more.gradient
    return Answer(
        value.to(first.value.dtype), None if gradient is None else gradient.to(first.value.dtype)
    )


def _share(answer: Answer, share: float) -> Answer:
    """What a piece adds, in float64.

    Of a sum over many pieces, float32 would lose digits that one large batch keeps.
    """
    return Answer(
        share * answer.value.double(),
        None if answer.gradient is None else share * answer.gradient.double(),
    )
