"""BBOB f15 - f19: multimodal functions with a global structure.

Section 4 of Hansen, Finck, Ros and Auger (2009), RR-6829.

Each takes x (R, P, D) and the tables of the worlds, and gives the gap to the optimum without the boundary
penalty, (R, P).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from landscapes.bbob.moderate import valley
from landscapes.bbob.tables import Tables, linear, turn
from landscapes.bbob.transforms import oscillate, outside, rastrigin, safe_log, sin_squared, skew


def rotated_rastrigin(x: Tensor, tables: Tables) -> Tensor:
    """f15: Rastrigin's function, skewed, stretched and rotated."""
    return rastrigin(linear(skew(oscillate(turn(x, tables)), 0.2), tables.outer))


def weierstrass(x: Tensor, tables: Tables) -> Tensor:
    """f16: Weierstrass' function of twelve octaves, with its boundary penalty.

    Sum_k 2^-k (1 - cos 2 pi 3^k z) = sum_k 2^(1 - k) sin^2 pi 3^k z, where sine and cosine of the threefold
    angle follow from those before.
    """
    angle = math.pi * linear(oscillate(turn(x, tables)), tables.outer)
    s, c = torch.sin(angle), torch.cos(angle)
    square = s * s
    total = square
    for k in range(1, 12):
        cosine = c * c
        s, c = s * (3 * cosine - square), c * (cosine - 3 * square)
        square = s * s
        total = total + 0.5**k * square
    mean = 2 / x.shape[-1] * total.sum(-1)
    return 10 * mean * mean * mean + 10 / x.shape[-1] * outside(x)


def schaffers(x: Tensor, tables: Tables) -> Tensor:
    """f17, f18: Schaffer's F7, skewed, stretched and rotated."""
    z = linear(skew(turn(x, tables), 0.5), tables.outer)
    square = z * z
    pair = square[..., :-1] + square[..., 1:]
    log = safe_log(pair)
    ripple = torch.sign(pair) * torch.exp(0.25 * log) * (1 + sin_squared(50 * torch.exp(0.1 * log)))
    return ripple.mean(-1).square()


def griewank_rosenbrock(x: Tensor, tables: Tables, factor: float = 10.0) -> Tensor:
    """f19: Griewank's function of the links of Rosenbrock's."""
    link = valley(turn(x, tables))
    return factor * (link / 4000 + 2 * sin_squared(link / 2)).mean(-1)
