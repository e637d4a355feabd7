"""Estimates from independent samples, and their standard errors."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from landscapes.numerics import squarable

BLOCKS = 20  # of the jackknife, at most
Estimate = tuple[Tensor, Tensor]  # value and standard error, (R,) or (R, K) each


def mean(x: Tensor) -> Estimate:
    """Mean over axis 1 of (R, M, ..), M >= 2."""
    return x.mean(1), x.std(1) / x.shape[1] ** 0.5


def share(x: Tensor) -> Estimate:
    """Mean over axis 1 of values (R, M, ..) in [0, 1].

    The standard error is that with two values of 0 and two of 1 added (Agresti and Coull 1998, Am. Stat. 52),
    so that it is not 0 where all are equal.
    """
    x = x.double()
    count = x.shape[1] + 4
    total, squares = x.sum(1) + 2, x.square().sum(1) + 2
    variance = squares / count - (total / count).square()
    return x.mean(1), (variance / count).sqrt()


def ratio(a: Tensor, b: Tensor) -> Estimate:
    """Ratio of the means over axis 1 of (R, M, ..), the standard error by the delta method."""
    value = a.mean(1) / b.mean(1)
    residual = a - value[:, None] * b
    return value, residual.std(1) / b.mean(1).abs() / a.shape[1] ** 0.5


def jackknife(statistic: Callable[..., Tensor], *samples: Tensor) -> Estimate:
    """The value (R, ..) of a statistic of samples (R, M, ..), and its standard error.

    By leaving out a block at a time (Quenouille 1956).
    """
    count = samples[0].shape[1]
    blocks = min(BLOCKS, count)
    block = torch.arange(count, device=samples[0].device) * blocks // count
    kept = [(block != b).nonzero()[:, 0] for b in range(blocks)]
    parts = torch.stack([statistic(*(s.index_select(1, some) for s in samples)) for some in kept], -1)
    return statistic(*samples), left_out(parts)


def left_out(parts: Tensor) -> Tensor:
    """The standard error from the values without each block, (.., B) -> (..)."""
    away, unit = squarable(parts - parts.mean(-1, keepdim=True))
    return ((parts.shape[-1] - 1) / parts.shape[-1] * away.square().sum(-1)).sqrt() * unit[..., 0]
