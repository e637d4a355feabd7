"""The distortions of which BBOB functions are made.

Elementwise maps of (R, P, D), finite with finite gradients everywhere.

Section 0.2 of Hansen, Finck, Ros and Auger (2009), RR-6829. Where a branch has no derivative (a power or a
logarithm at 0), what it is fed there is replaced, so that automatic differentiation never meets infinity
times 0; the derivative at such a point is set to 0.
"""

from __future__ import annotations

import math
from functools import cache

import torch
from torch import Tensor

from landscapes.numerics import dot


def ramp(like: Tensor) -> Tensor:
    """(D,) from 0 to 1, of the type of `like` (..., D)."""
    return _ramp(like.shape[-1], like.dtype, like.device)


def scales(condition: float, like: Tensor) -> Tensor:
    """(D,) from 1 to condition, evenly in the logarithm."""
    return _scales(condition, like.shape[-1], like.dtype, like.device)


@cache
def _ramp(dim: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    return torch.linspace(0, 1, dim, dtype=torch.float64).to(device, dtype)


@cache
def _scales(condition: float, dim: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    return torch.exp(math.log(condition) * torch.linspace(0, 1, dim, dtype=torch.float64)).to(
        device, dtype
    )


def safe_log(x: Tensor) -> Tensor:
    """Log x for x > 0, that of the smallest normal number for x = 0, with derivative 0 there."""
    return torch.log(x.clamp_min(torch.finfo(x.dtype).tiny))


def safe_sqrt(x: Tensor) -> Tensor:
    """The square root, with a finite derivative at 0."""
    zero = (x == 0).to(x)
    return torch.sqrt(x + zero) - zero


def oscillate(x: Tensor) -> Tensor:
    """T_osc: ripples in log |x|, different for x > 0 and x < 0; the identity on a large scale."""
    log, sign = safe_log(x.abs()), torch.sign(x)
    return sign * torch.exp(
        log + 0.049 * (torch.sin((7.75 + 2.25 * sign) * log) + torch.sin((5.5 + 2.4 * sign) * log))
    )


def oscillated_power(x: Tensor, exponent: float) -> Tensor:
    """T_osc(x) ** exponent for x >= 0."""
    log = safe_log(x)
    return torch.sign(x) * torch.exp(
        exponent * (log + 0.049 * (torch.sin(10 * log) + torch.sin(7.9 * log)))
    )


def skew(x: Tensor, beta: float) -> Tensor:
    """T_asy: x^(1 + beta t sqrt(x)) for x > 0, t = 0 .. 1 along the axes."""
    log = safe_log(x)  # for x <= 0 the power is as good as 0, with derivative 0
    return torch.exp((1 + beta * ramp(x) * torch.exp(0.5 * log)) * log) + x.clamp_max(0)


def outside(x: Tensor) -> Tensor:
    """The boundary penalty: the squared distance of x (R, P, D) from [-5, 5]^D, (R, P)."""
    beyond = (x.abs() - 5).clamp_min(0)
    return dot(beyond, beyond)


def sin_squared(x: Tensor) -> Tensor:
    """Sin^2 x, which is (1 - cos 2 x) / 2 without cancellation at 0."""
    return torch.sin(x).square()


def rastrigin(z: Tensor) -> Tensor:
    """10 sum (1 - cos 2 pi z) + |z|^2, (R, P)."""
    return (20 * sin_squared(math.pi * z) + z * z).sum(-1)
