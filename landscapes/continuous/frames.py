"""Where a landscape lies: a random rotation and a random place for each instance.

Both take away what a method could gain from the axes (crossover, one step size per coordinate) or from the
origin (averaging points).
"""

from __future__ import annotations

import torch
from torch import Tensor

from landscapes.numerics import matmul
from landscapes.streams import Streams

SHIFT = 4.0  # places are uniform in [-SHIFT, SHIFT]^D, as the optima of BBOB are


def draw_rotation(streams: Streams, dim: int, part: int = 0) -> Tensor:
    """Haar-distributed rotations (R, D, D), source "instance".

    QR of a normal matrix, the diagonal of R made positive (Mezzadri 2007, Notices of the AMS 54).
    """
    normal = streams.normal("instance", (dim, dim), part=part).double()
    return torch.stack([_orthogonal(one.clone()) for one in normal]).to(streams.dtype)


def draw_place(streams: Streams, dim: int, *, shifted: bool, part: int = 1) -> Tensor:
    """Uniform in [-4, 4]^D, or the origin: (R, D); source "instance"."""
    if not shifted:
        return torch.zeros((streams.size, dim), dtype=streams.dtype, device=streams.device)
    return 2 * SHIFT * streams.uniform("instance", (dim,), part=part) - SHIFT


def into(x: Tensor, place: Tensor | None, rotation: Tensor | None) -> Tensor:
    """Coordinates of x (R, P, D) seen from place (R, D), None.

    The origin, along the columns of rotation (R, D, D), None: the axes: (R, P, D).
    """
    y = x if place is None else x - place[:, None]
    return y if rotation is None else matmul(y, rotation)


def out_of(y: Tensor, rotation: Tensor | None) -> Tensor:
    """The inverse of `into`, from the origin: (R, P, D)."""
    return y if rotation is None else matmul(y, rotation.mT)


def point_at(y: Tensor, rotation: Tensor | None, streams: Streams) -> Tensor:
    """The point at y (D,) along the columns of rotation (R, D, D), or along the axes: (R, D).

    It shares memory where the rotation does.
    """
    y = y.to(streams.device, streams.dtype)
    if rotation is None:
        return y.expand(streams.size, -1)
    frames = rotation[:1] if rotation.stride(0) == 0 else rotation
    return out_of(y.expand(len(frames), 1, -1), frames)[:, 0].expand(streams.size, -1)


def _orthogonal(normal: Tensor) -> Tensor:
    q, r = torch.linalg.qr(normal)
    return q * r.diagonal().sign()
