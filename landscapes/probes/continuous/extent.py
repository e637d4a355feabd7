"""How far a landscape of real coordinates goes, and points all over it: what its probes share.

Points are uniform in the box; a landscape without a box (a network) is looked at around its starts. Streams:
"init" for starts and "mutation" for directions, at a step of its own for each measure (`PLACES`), none of
which a study reaches. Evaluations: one for each point.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from landscapes.addresses import ADDRESSES
from landscapes.base import Bits, Landscape, Reals
from landscapes.streams import Streams

_ELEMENTS = 2**23  # coordinates times terms evaluated at a time
_NAMES = ("autocorrelation", "distance", "dispersion", "information", "minima", "reach")
_STEPS = ADDRESSES["steps"]["probes: walks and lines"]  # of the streams
PLACES = dict(zip(_NAMES, _STEPS, strict=False))


def losses(landscape: Landscape, x: Tensor) -> Tensor:
    """Noise-free loss of many points x (R, P, D), as an answer, some at a time, at time 0: (R, P)."""
    time = (
        None if landscape.clock is None else torch.zeros(len(x), dtype=torch.float64, device=x.device)
    )
    some = max(1, _ELEMENTS // max(1, len(x) * landscape.dim * landscape.terms))
    with torch.no_grad():
        return torch.cat([landscape.solution_loss(part, time) for part in x.split(some, 1)], 1)


def boxed(landscape: Landscape) -> bool:
    """Whether the box says how large the landscape is, whatever the law of its starts.

    It is a parameter, or starts are uniform in it.
    """
    inner = landscape.parameters().get("inner")
    if isinstance(inner, Landscape):
        return boxed(inner)
    return type(landscape).start is Landscape.start or "box" in landscape.parameters()


def spread(landscape: Landscape, streams: Streams, count: int) -> Tensor:
    """Points all over the landscape, (R, count, D), source "init".

    Uniform in the box, else by the landscape's own law of starts.
    """
    return (
        Landscape.start(landscape, streams, count)
        if boxed(landscape)
        else landscape.start(streams, count)
    )


def reach(landscape: Landscape, streams: Streams) -> Tensor:
    """How far apart points can be, (R,) in units of x.

    The diagonal of the box, or twice the rms norm of starts.
    """
    domain = box(landscape)
    if boxed(landscape):
        diagonal = (domain.high - domain.low) * math.sqrt(landscape.dim)
        return torch.full((streams.size,), diagonal, dtype=streams.dtype, device=streams.device)
    x = landscape.start(streams.at(PLACES["reach"]), 64)
    return 2 * x.square().sum(-1).mean(-1).sqrt()


def box(landscape: Landscape) -> Reals:
    """The domain, of real coordinates.

    Raises:
        ValueError: of a landscape on bits or letters.
    """
    if not isinstance(landscape.domain, Reals):
        where = "bits" if isinstance(landscape.domain, Bits) else "letters"
        raise ValueError(
            f"{landscape.name}: expected a landscape on real coordinates, got one on {where}"
        )
    return landscape.domain
