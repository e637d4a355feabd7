"""BBOB f1 - f5: separable functions. Section 1 of Hansen, Finck, Ros and Auger (2009), RR-6829.

Each takes x (R, P, D) and the tables of the worlds, and gives the gap to the optimum without the boundary
penalty, (R, P).
"""

from __future__ import annotations

import torch
from torch import Tensor

from landscapes.bbob.tables import Tables, shift
from landscapes.bbob.transforms import oscillate, rastrigin, scales, skew
from landscapes.numerics import dot


def sphere(x: Tensor, tables: Tables) -> Tensor:
    """f1: |z|^2."""
    z = shift(x, tables)
    return dot(z, z)


def separable_ellipsoid(x: Tensor, tables: Tables) -> Tensor:
    """f2: the ellipsoid of condition 10^6, with ripples."""
    z = oscillate(shift(x, tables))
    return dot(scales(1e6, z) * z, z)


def separable_rastrigin(x: Tensor, tables: Tables) -> Tensor:
    """f3: Rastrigin's function, skewed and stretched."""
    return rastrigin(scales(10**0.5, x) * skew(oscillate(shift(x, tables)), 0.2))


def bueche_rastrigin(x: Tensor, tables: Tables) -> Tensor:
    """f4: Rastrigin's function, ten times steeper on the far side of every other coordinate."""
    z = oscillate(shift(x, tables))
    odd = 1 - torch.arange(x.shape[-1], device=x.device).remainder(2)
    return rastrigin(scales(10**0.5, x) * z * (1 + 9 * odd * (z > 0)))


def linear_slope(x: Tensor, tables: Tables) -> Tensor:
    """f5: a slope towards a corner of the box, flat beyond it."""
    short = (5 - x * torch.sign(tables.optimum)[:, None]).clamp_min(0)
    return dot(scales(10.0, x).expand_as(x), short)
