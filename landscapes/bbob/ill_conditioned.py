"""BBOB f10 - f14: unimodal functions of high condition.

Section 3 of Hansen, Finck, Ros and Auger (2009), RR-6829.

Each takes x (R, P, D) and the tables of the worlds, and gives the gap to the optimum without the boundary
penalty, (R, P).
"""

from __future__ import annotations

import torch
from torch import Tensor

from landscapes.bbob.tables import Tables, linear, turn
from landscapes.bbob.transforms import oscillate, ramp, safe_log, safe_sqrt, scales, skew
from landscapes.numerics import dot


def ellipsoid(x: Tensor, tables: Tables, condition: float = 1e6) -> Tensor:
    """f10: a rotated ellipsoid, with ripples."""
    z = oscillate(turn(x, tables))
    return dot(scales(condition, z) * z, z)


def discus(x: Tensor, tables: Tables) -> Tensor:
    """f11: one axis a thousand times shorter than all the others, with ripples."""
    z = oscillate(turn(x, tables))
    return 1e6 * z[..., 0].square() + _squares_of_rest(z)


def bent_cigar(x: Tensor, tables: Tables) -> Tensor:
    """f12: one axis a thousand times longer than all the others, on a curved path."""
    z = linear(skew(turn(x, tables), 0.5), tables.inner)
    return z[..., 0].square() + 1e6 * _squares_of_rest(z)


def sharp_ridge(x: Tensor, tables: Tables) -> Tensor:
    """f13: a ridge with no derivative on its crest."""
    z = turn(x, tables)
    return z[..., 0].square() + 100 * safe_sqrt(_squares_of_rest(z))


def different_powers(x: Tensor, tables: Tables) -> Tensor:
    """f14: powers 2 .. 6 of the coordinates."""
    size = turn(x, tables).abs()
    return safe_sqrt(torch.exp((2 + 4 * ramp(size)) * safe_log(size)).sum(-1))


def _squares_of_rest(z: Tensor) -> Tensor:
    rest = z[..., 1:]
    return dot(rest, rest)
