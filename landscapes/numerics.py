"""Arithmetic whose bits do not depend on how many worlds are together, and lengths that do not overflow."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def column(value: float | Tensor, like: Tensor) -> float | Tensor:
    """A hyperparameter ready to broadcast against (R, P, D).

    A number as it is, an (R,) or (R, P) tensor with ones appended.
    """
    if not isinstance(value, Tensor) or value.ndim == 0:
        return value
    return value.to(like).reshape(*value.shape, *(1,) * (3 - value.ndim))


def worst_last(value: Tensor) -> Tensor:
    """The values with NaN made inf, so that it is worst."""
    return value.nan_to_num(torch.inf, torch.inf, -torch.inf)


def dot(a: Tensor, b: Tensor) -> Tensor:
    """Sum over the last axis of a * b.

    Unlike matmul with a vector and einsum, its bits do not depend on R.
    """
    return (a * b).sum(-1)


def safe_unit(size: Tensor) -> Tensor:
    """What to divide by before numbers up to `size` are squared: a power of two.

    So squares neither overflow nor vanish.

    It is 1 in the middle two fifths of the exponents, so that there, and where size is 0 or no number, no bit
    changes.
    """
    low, high = _squared(size.dtype)
    limits = torch.finfo(size.dtype)
    large, small = 2.0 ** round(math.log2(limits.max) * 0.7), 2.0 ** round(math.log2(limits.tiny) * 0.7)
    return (
        torch
        .ones_like(size)
        .masked_fill_(size > high, large)
        .masked_fill_((size < low) & (size > 0), small)
    )


def ordinary(size: Tensor) -> bool:
    """Whether `safe_unit` is 1 for all sizes >= 0.

    It is asked on a CPU alone: False elsewhere, where asking would wait, and where there are no numbers.
    """
    if type(size) is not Tensor or not size.is_cpu:
        return False
    low, high = _squared(size.dtype)
    return not bool(size.amax() > high) and not bool(size.masked_fill(size == 0, 1.0).amin() < low)


def _squared(dtype: torch.dtype) -> tuple[float, float]:
    """The least and the largest numbers of which a sum of squares is safe."""
    limits = torch.finfo(dtype)
    return limits.tiny**0.4, limits.max**0.4


def squarable(x: Tensor) -> tuple[Tensor, Tensor]:
    """Vectors x (.., D), each divided by the `safe_unit` of its largest coordinate, and the units (.., 1)."""
    unit = safe_unit(torch.maximum(x.amax(-1, keepdim=True), -x.amin(-1, keepdim=True)))
    return x / unit, unit


def norm(x: Tensor) -> Tensor:
    """Euclidean length over the last axis, (.., D) -> (..): finite where it can be, and 0 only where x is."""
    small, unit = squarable(x)
    return dot(small, small).sqrt() * unit[..., 0]


def matmul(a: Tensor, b: Tensor) -> Tensor:
    """Product (..., I, J) @ (..., J, K), axes of length 1 padded to 2.

    The bits of a matrix-vector product, and of its gradient, depend on R.
    """
    rows, columns = a.shape[-2], b.shape[-1]
    if min(rows, columns, a.shape[-1]) > 1:
        return a @ b
    short = a.shape[-1] == 1
    if short or rows == 1:
        a = torch.nn.functional.pad(a, (0, int(short), 0, int(rows == 1)))
    if short or columns == 1:
        b = torch.nn.functional.pad(b, (0, int(columns == 1), 0, int(short)))
    return (a @ b)[..., :rows, :columns]


def exp_minus(x: Tensor) -> Tensor:
    """exp(-|x|), with the derivative from the right at 0, where that of abs is none."""
    return torch.exp(-torch.where(x >= 0, x, -x))


def logistic(x: Tensor) -> Tensor:
    """1 / (1 + exp(-x)).

    torch.sigmoid, softplus and pow round differently within an array and at its end; exp and log do not.
    """
    e = exp_minus(x)
    return torch.where(x >= 0, torch.ones_like(e), e) / (1 + e)


def softplus(x: Tensor) -> Tensor:
    """log(1 + exp(x)); see `logistic`."""
    return x.clamp_min(0) + torch.log1p(exp_minus(x))


def power(x: Tensor, exponent: float | Tensor) -> Tensor:
    """X ** exponent for x > 0; see `logistic`."""
    return torch.exp(exponent * torch.log(x))
