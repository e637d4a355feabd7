"""Density of local minima along random lines through a landscape of real coordinates.

Lines go through points of `landscapes.probes.continuous.extent`. Standard errors leave out one of up to 20
blocks of lines at a time (the jackknife).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from landscapes.base import Landscape, Reals
from landscapes.probes.continuous.extent import PLACES, box, boxed, losses, reach, spread
from landscapes.probes.estimates import jackknife
from landscapes.probes.measure import Measure
from landscapes.streams import Streams

POINTS = 1025  # on a line along which minima are counted


class Minima(NamedTuple):
    """The measures of one set of lines."""

    density: Measure  # (R,) minima per unit of x
    # (R,) the same on every second point of the grid: where it is much lower, the grid is too coarse
    coarse: Measure


def minima(landscape: Landscape, streams: Streams, *, count: int = 64, points: int = POINTS) -> Minima:
    """Density of local minima along random lines, on a grid.

    A line goes through a start in a direction uniform on the sphere, from wall to wall of the box, or as far
    as the reach of the landscape. A flat bottom is one minimum. The grid is fine enough for a field of
    correlation length l where its spacing (at most reach / points) is below l / 10.

    Args:
        landscape: bound, on real coordinates.
        streams: those of its worlds.
        count: lines, >= 2.
        points: on each line, >= 5.

    Returns:
        The density, and the same on every second point.
    """
    place, loss = lines(landscape, streams, count, points)
    length = place[..., -1] - place[..., 0]

    def density(f: Tensor, along: Tensor) -> Tensor:
        return count_minima(f).sum(-1).to(along) / along.sum(-1)

    fine, coarse = (jackknife(density, f, length) for f in (loss, loss[..., ::2]))
    name, source = "density of local minima along lines", "Rice 1945 for Gaussian fields"
    return Minima(
        Measure(*fine, name, "1 / x", source),
        Measure(*coarse, f"{name}, on every second point", "1 / x", source),
    )


def lines(landscape: Landscape, streams: Streams, count: int, points: int) -> tuple[Tensor, Tensor]:
    """Places along lines in units of x, 0 at the start, and losses there: (R, L, T) each; see `minima`."""
    ahead, domain = streams.at(PLACES["minima"]), box(landscape)
    x = spread(landscape, ahead, count)
    drawn = ahead.normal("mutation", x.shape[1:])
    unit = drawn / drawn.square().sum(-1, keepdim=True).sqrt()
    first, last = (
        _chord(x, unit, domain) if boxed(landscape) else _around(reach(landscape, streams), count)
    )
    share = torch.linspace(0, 1, points, dtype=x.dtype, device=x.device)
    place = first[..., None] + (last - first)[..., None] * share
    line = x[:, :, None] + place[..., None] * unit[:, :, None]
    line = line.clamp(domain.low, domain.high) if boxed(landscape) else line
    return place, losses(landscape, line.flatten(1, 2)).unflatten(1, (count, points))


def count_minima(loss: Tensor) -> Tensor:
    """Local minima inside sequences (.., T): where it stops falling and next rises; (..) int64."""
    last = last_sign(loss.diff(dim=-1).sign().to(torch.int8))
    return ((last[..., :-1] < 0) & (last[..., 1:] > 0)).sum(-1)


def last_sign(signs: Tensor) -> Tensor:
    """Each zero replaced by the sign before it; zeros in front stay."""
    place = torch.arange(signs.shape[-1], device=signs.device).expand(signs.shape)
    return signs.gather(-1, torch.where(signs != 0, place, 0).cummax(-1).values)


def _chord(x: Tensor, unit: Tensor, domain: Reals) -> tuple[Tensor, Tensor]:
    """How far a line may go back and forth until it meets a wall: (R, L) each."""
    walls = torch.stack(((domain.low - x) / unit, (domain.high - x) / unit))
    return walls.amin(0).amax(-1), walls.amax(0).amin(-1)


def _around(far: Tensor, count: int) -> tuple[Tensor, Tensor]:
    half = far[:, None].expand(-1, count) / 2
    return -half, half
