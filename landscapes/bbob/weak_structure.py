"""BBOB f20 - f24: multimodal functions with a weak global structure.

Section 5 of Hansen, Finck, Ros and Auger (2009), RR-6829.

Each takes x (R, P, D) and the tables of the worlds, and gives the gap to the optimum without the boundary
penalty, (R, P).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from landscapes.bbob.tables import Tables, linear, shift, turn
from landscapes.bbob.transforms import oscillated_power, safe_sqrt, scales, sin_squared
from landscapes.numerics import dot, matmul

ROOT = 20.517522909941688  # r with tan r = -r / 2: z sin sqrt z is largest on [0, 500] at z = r^2
TOP = 418.9828872724337  # r^2 sin r
OPTIMUM = 420.96874637  # z of the optimum, r^2 but for rounding


def schwefel(x: Tensor, tables: Tables) -> Tensor:
    """f20: the mean of -z sin sqrt |z|, with a penalty for |z| > 500."""
    z = 2 * torch.sign(tables.optimum)[:, None] * shift(x, tables)
    z = z + torch.nn.functional.pad(0.25 * z[..., :-1], (1, 0))
    z = OPTIMUM + 100 * scales(10**0.5, z) * z
    beyond = (z.abs() - 500).clamp_min(0)
    return 0.01 * (_schwefel_gap(z).mean(-1) + dot(beyond, beyond))


def _schwefel_gap(z: Tensor) -> Tensor:
    """TOP - z sin sqrt |z|, without cancellation near z = r^2.

    With e = sqrt |z| - r, its Taylor remainder in closed form.
    """
    root = safe_sqrt(z.abs())
    e = root - ROOT
    sine = torch.sin(e)
    rest = (
        2 * ROOT * (sine - e)
        + e * (4 * sine - e)
        + 2 / ROOT * e * e * sine
        + 2 * z.abs() * sin_squared(e / 2)
    )
    gap = TOP / ROOT**2 * rest
    return torch.where(z >= 0, gap, 2 * TOP - gap)


def gallagher(x: Tensor, tables: Tables) -> Tensor:
    """f21, f22: the highest of many Gaussian peaks.

    Which peak is the highest at a point is found from the peaks' quadratic forms, all in one product of
    matrices; how high, from differences.
    """
    z = turn(x, tables)
    place, sharpness = tables.peaks.unbind(1)
    height = heights(x, place.shape[1])
    peak = _highest(z.detach(), place, sharpness, torch.log(height))[..., None]
    away = z - _rows(place, peak)
    depth = 0.5 / x.shape[-1] * dot(_rows(sharpness, peak) * away, away)
    top = height[peak[..., 0]]
    gap = (10 - top) - top * torch.expm1(-depth)
    return oscillated_power(gap, 2.0)


def heights(like: Tensor, number: int) -> Tensor:
    """(N,) of the peaks: 10 of the first, 1.1 .. 9.1 of the others."""
    return torch.cat((
        torch.tensor([10.0], dtype=torch.float64),
        torch.linspace(1.1, 9.1, number - 1, dtype=torch.float64),
    )).to(like)


def _highest(z: Tensor, place: Tensor, sharpness: Tensor, log_height: Tensor) -> Tensor:
    """(R, P) the number of the peak that is highest at z."""
    forms = torch.cat((sharpness, -2 * sharpness * place), -1).mT.contiguous()
    constant = 2 * z.shape[-1] * log_height - dot(sharpness * place, place)
    return (constant[:, None] - matmul(torch.cat((z * z, z), -1), forms)).argmax(-1)


def _rows(table: Tensor, index: Tensor) -> Tensor:
    """Rows index (R, P, 1) of table (R, N, D): (R, P, D)."""
    return table.gather(1, index.expand(-1, -1, table.shape[-1]))


def katsuura(x: Tensor, tables: Tables) -> Tensor:
    """f23: a product of 1 + i sum_j |2^j z - [2^j z]| / 2^j, j = 1 .. 32, [ ] the nearest integer."""
    z, dim = turn(x, tables), x.shape[-1]
    away = (z - torch.round(z)).abs()
    total = torch.zeros_like(z)
    for j in range(1, 33):
        away = torch.minimum(2 * away, 1 - 2 * away)  # the distance of 2^j z from an integer
        total = total + 0.5**j * away
    log = torch.log1p(torch.arange(1, dim + 1, device=x.device) * total).sum(-1)
    return 10 / dim**2 * torch.expm1(10 / dim**1.2 * log)


def lunacek(x: Tensor, tables: Tables) -> Tensor:
    """f24: two funnels under a Rastrigin function; the wider one leads astray."""
    dim, near = x.shape[-1], 2.5
    share = 1 - 0.5 / (math.sqrt(dim + 20) - 4.1)
    far = -math.sqrt((near**2 - 1) / share)
    z = 2 * torch.sign(tables.optimum)[:, None] * shift(x, tables)
    astray = z + (near - far)
    funnel = torch.minimum(dot(z, z), dim + share * dot(astray, astray))
    return funnel + 20 * sin_squared(math.pi * linear(z, tables.inner)).sum(-1)
