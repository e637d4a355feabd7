"""What methods that move P points (R, P, D) one step at a time share.

Gradients as answered, running means, Metropolis steps.

A walk with stored values asks its proposals alone where the oracle is exact, else the points again beside
them (`trials`).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from landscapes.base import Answer
from landscapes.numerics import column, dot, ordinary, safe_unit, squarable
from optimizers.operators import per_world, wide


def slope(answer: Answer, name: str) -> Tensor:
    """The gradient answered, (R, P, D).

    Raises:
        ValueError: there is none.
    """
    if answer.gradient is None:
        raise ValueError(
            f"{name}.tell: expected an answer with gradients, got values only; ask with gradient=True"
        )
    return answer.gradient


def clipped(gradient: Tensor, bound: float | Tensor | None) -> Tensor:
    """The gradients (R, P, D), those longer than `bound` made as long as it; None: as they are."""
    if bound is None:
        return gradient
    longest, (small, unit) = column(bound, gradient), squarable(gradient)
    length = dot(small, small).sqrt()[..., None]
    scale = length.reciprocal() * longest  # longest / length rounds otherwise where it is a number
    return torch.where(length * unit > longest, small * scale, gradient)


def descent(
    points: Tensor,
    velocity: Tensor,
    gradient: Tensor,
    rate: float | Tensor,
    *,
    momentum: float | Tensor,
    nesterov: bool = False,
    clip: float | Tensor | None = None,
    weight_decay: float | Tensor = 0.0,
) -> tuple[Tensor, Tensor]:
    """Points and velocities, (R, P, D) each, after a step of gradient descent as `sgd` makes it.

    The rate broadcasts against them.
    """
    slope = clipped(gradient, clip)
    if isinstance(weight_decay, Tensor) or weight_decay != 0:
        slope = slope + column(weight_decay, points) * points
    beta = column(momentum, points)
    velocity = beta * velocity + slope
    return points - rate * (slope + beta * velocity if nesterov else velocity), velocity


def plain_rate(
    rate: Tensor,
    *,
    momentum: float | Tensor = 0.0,
    clip: float | Tensor | None = None,
    weight_decay: float | Tensor = 0.0,
    shortened: bool = False,
) -> Tensor:
    """The rate (R,) where a step is the rate times a gradient and nothing else, else NaN.

    No factor says what the step is meant to be.

    With momentum its length is 1 / (1 - beta) times the rate on a steady slope and 1 / (1 + beta) times
    around an optimum; clipping, and observed noise, shorten it; weight decay has a direction of its own.
    """
    if clip is not None or shortened:
        return torch.full_like(rate, torch.nan)
    plain = (per_world(momentum, rate) == 0) & (per_world(weight_decay, rate) == 0)
    return torch.where(plain, rate, torch.nan)


def running(beta: float | Tensor, mean: Tensor, fresh: Tensor) -> Tensor:
    """The running mean beta mean + (1 - beta) fresh, (R, P, D)."""
    return column(beta, fresh) * mean + column(1 - wide(beta, 1), fresh) * fresh


def unbias(beta: float | Tensor, t: Tensor, like: Tensor) -> float | Tensor:
    """1 / (1 - beta ** t), to broadcast against like (R, P, D).

    It makes a running mean that began at 0 unbiased after t (R,) float64 steps.
    """
    logarithm = torch.as_tensor(beta, dtype=torch.float64, device=t.device).log()
    return column(1 / (1 - torch.exp(t * logarithm)), like)


class Moments(NamedTuple):
    """Running means of a gradient and of its square, from 0 on."""

    mean: Tensor  # (R, P, D) m, in units of a gradient
    square: Tensor  # (R, P, D) v, in units of unit^2
    # (R, P, D) powers of two, 1 but where squares would overflow or vanish, in units of a gradient
    unit: Tensor

    @staticmethod
    def none(like: Tensor) -> Moments:
        """Those of no gradient like (R, P, D)."""
        return Moments(torch.zeros_like(like), torch.zeros_like(like), torch.ones_like(like))


def adam(
    moments: Moments,
    slope: Tensor,
    t: Tensor,
    beta1: float | Tensor,
    beta2: float | Tensor,
    epsilon: float | Tensor = 1e-8,
) -> tuple[Tensor, Moments]:
    """What `adam` steps along (R, P, D) at step t (R,) float64 = 1, 2, .., and the moments after it."""
    mean, square, unit = moments
    small, size = slope, slope.abs()
    if not (ordinary(size) and bool((unit == 1).all())):
        same = (safe_unit(size) == 1) & (unit == 1)
        fresh = torch.where(same, 1.0, safe_unit(torch.maximum(size, square.sqrt() * unit)))
        ratio, small, unit = unit / fresh, slope / fresh, fresh
        # where nothing was seen the ratio may be infinite
        square = torch.where(square == 0, 0.0, square * ratio * ratio)
    mean, square = running(beta1, mean, slope), running(beta2, square, small * small)
    spread = (square * unbias(beta2, t, slope)).sqrt() * unit + column(epsilon, slope)
    return mean * unbias(beta1, t, slope) / spread, Moments(mean, square, unit)
