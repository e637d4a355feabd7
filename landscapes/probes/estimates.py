"""Estimates from independent samples, and their standard errors."""

from __future__ import annotations

from torch import Tensor

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
