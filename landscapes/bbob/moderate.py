"""BBOB f6 - f9: functions of low or moderate condition.

Section 2 of Hansen, Finck, Ros and Auger (2009), RR-6829.

Each takes x (R, P, D) and the tables of the worlds, and gives the gap to the optimum without the boundary
penalty, (R, P).
"""

from __future__ import annotations

import torch
from torch import Tensor

from landscapes.bbob.instances import valley_scale
from landscapes.bbob.tables import Tables, linear, shift, turn
from landscapes.bbob.transforms import oscillated_power, scales
from landscapes.numerics import dot


def attractive_sector(x: Tensor, tables: Tables) -> Tensor:
    """f6: a hundred times steeper in the half-spaces that point to the optimum."""
    z = turn(x, tables)
    z = z * (1 + 99 * (z * tables.optimum[:, None] > 0))
    square = dot(z, z)
    return oscillated_power(square, 0.9)


def step_ellipsoid(x: Tensor, tables: Tables) -> Tensor:
    """f7: plateaus of an ellipsoid of condition 100; only along the first axis is there a slope."""
    z = turn(x, tables)
    width = 1 + 9 * (z.abs() <= 0.5)
    steps = linear(torch.floor(z * width + 0.5) / width, tables.outer)
    return 0.1 * torch.maximum(1e-4 * z[..., 0].abs(), dot(scales(100.0, z) * steps, steps))


def rosenbrock(x: Tensor, tables: Tables) -> Tensor:
    """f8: Rosenbrock's valley along the axes."""
    return valley(valley_scale(x.shape[-1]) * shift(x, tables)).sum(-1)


def rotated_rosenbrock(x: Tensor, tables: Tables) -> Tensor:
    """f9: Rosenbrock's valley, rotated."""
    return valley(turn(x, tables)).sum(-1)


def valley(u: Tensor) -> Tensor:
    """The links of Rosenbrock's chain at 1 + u: (..., D) -> (..., D - 1), exact near u = 0."""
    here, after = u[..., :-1], u[..., 1:]
    return 100 * (here * (2 + here) - after).square() + here.square()
