"""Mutation of reals, of bits and of letters."""

from __future__ import annotations

import torch
from torch import Tensor

from landscapes.numerics import column
from landscapes.streams import Streams
from optimizers.operators.arrays import where_bits, wide
from optimizers.operators.letters import mutate_letters


def gaussian(points: Tensor, streams: Streams, rate: float | Tensor, sigma: float | Tensor) -> Tensor:
    """Real points (R, n, D) with N(0, sigma^2) added to each coordinate with probability `rate`."""
    shape = points.shape[1:]
    step = column(sigma, points) * streams.normal("mutation", shape)
    if isinstance(rate, Tensor) or rate < 1:
        step = where_bits(
            streams.bernoulli("mutation", wide(rate, 3), shape, part=1), step, torch.zeros_like(step)
        )
    return points + step


def bit_flip(points: Tensor, streams: Streams, rate: float | Tensor) -> Tensor:
    """Bits (R, n, D) uint8, each flipped with probability `rate`."""
    return points ^ streams.bernoulli("mutation", wide(rate, 3), points.shape[1:]).view(torch.uint8)


def mutate(
    points: Tensor,
    streams: Streams,
    rate: float | Tensor | None,
    sigma: float | Tensor,
    scale: Tensor | None = None,
    changes: Tensor | None = None,
) -> Tensor:
    """Bits flipped, letters changed, or real points moved by N(0, sigma^2).

    Args:
        points: (R, n, D).
        streams: at the step.
        rate: the probability with which a coordinate mutates; None: 1 on reals, 1/D on bits and letters.
        sigma: standard deviation of a real mutation.
        scale: (R,), what multiplies sigma on reals, the rate on bits and letters; None: 1.
        changes: (R, D, A, A), where a mutation leads; (R, 0) or None: a bit to the other one.

    Returns:
        The points after mutation, (R, n, D).
    """
    binary = points.dtype == torch.uint8
    if rate is None:
        rate = 1 / points.shape[-1] if binary else 1.0
    if scale is not None:
        rate, sigma = (rate * scale, sigma) if binary else (rate, sigma * scale)
    if not isinstance(rate, Tensor) and rate == 0:
        return points  # draws are addressed: leaving some out changes no other
    if changes is not None and changes.ndim > 2:
        return mutate_letters(points, streams, rate, changes)
    return bit_flip(points, streams, rate) if binary else gaussian(points, streams, rate, sigma)


def one_bit_flip(points: Tensor, streams: Streams) -> Tensor:
    """Bits (R, n, D) uint8, exactly one of each point flipped, every locus as likely."""
    dim = points.shape[-1]
    locus = streams.integers("mutation", dim, (points.shape[1], 1))
    return points ^ (torch.arange(dim, device=points.device) == locus).view(torch.uint8)
