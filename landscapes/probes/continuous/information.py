"""Information content of a landscape of real coordinates.

Entropy of pairs of different signs of the slope along walks.

Vassilev, Fogarty and Miller 2000, "Information characteristics and the structure of landscapes", Evol.
Comput. 8, 31-60, as Munoz, Kirley and Halgamuge 2015, IEEE Trans. Evol. Comput. 19, 74-87, take it. Walks and
standard errors are those of `landscapes.probes.continuous.walking`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from landscapes.base import Landscape
from landscapes.numerics import safe_unit
from landscapes.probes.continuous.extent import PLACES
from landscapes.probes.continuous.line_minima import last_sign
from landscapes.probes.continuous.walking import walk
from landscapes.probes.estimates import jackknife
from landscapes.probes.measure import Measure
from landscapes.streams import Streams

SOURCE = "Munoz, Kirley and Halgamuge 2015"
# in units of the rms slope
THRESHOLDS = torch.cat((
    torch.zeros(1, dtype=torch.float64),
    torch.logspace(-4, 2, 61, dtype=torch.float64),
))
SETTLED = 0.05  # information content below which a walk looks flat
Statistic = Callable[[Tensor], Tensor]
Axis = tuple[str, Tensor, str]  # name, places, unit


class Information(NamedTuple):
    """The measures of one set of walks."""

    content: Measure  # (R, K) H(eps), the axis eps in units of the rms slope
    partial: Measure  # (R, K) M(eps)
    maximum: Measure  # (R,) the largest H
    initial: Measure  # (R,) M(0)
    settling: Measure  # (R,) the smallest log10 eps with H < 0.05


def information(
    landscape: Landscape,
    streams: Streams,
    *,
    walks: int = 32,
    steps: int = 256,
    step: float | None = None,
) -> Information:
    """Information content of walks that turn at every step.

    A slope is 1, 0 or -1 where the loss rises by more than eps per unit of x, by less, or falls by more. With
    P_pq the share of neighbouring slopes p then q, H(eps) = -sum_{p != q} P_pq log_6 P_pq; M(eps) is the
    length of the sequence without zeros and repeats, over its length with them. Independent values have H(0)
    = (2/3) ln 3 / ln 6 = 0.409 and M(0) = 2/3 (a pair of slopes turns with chance 2/3). Standard errors take
    the rms slope as given, which near and above it makes them up to 2.6 times too large.

    Args:
        landscape: bound, on real coordinates.
        streams: those of its worlds.
        walks: independent walks, >= 2.
        steps: of each walk, >= 2.
        step: its length in units of x; None: half the reach of the landscape over the steps.

    Returns:
        The measures.
    """
    walked = walk(
        landscape,
        streams.at(PLACES["information"]),
        walks=walks,
        steps=steps,
        step=step,
        straight=False,
    )
    apart = walked.points.diff(dim=2).square().sum(-1).sqrt()
    slope = walked.loss.diff(dim=2) / apart
    eps = THRESHOLDS.to(slope.device)
    signs = list(_signs(slope, eps))
    pairs = torch.stack([_pairs(s) for s in signs], -2)  # (R, W, K, 6)
    turns = torch.stack([_turns(s) for s in signs], -1)  # (R, W, K)
    axis = ("threshold", eps, "rms slope")

    def measure(
        statistic: Statistic, of: Tensor, name: str, unit: str = "1", axis: Axis | None = None
    ) -> Measure:
        return Measure(*jackknife(statistic, of), name, unit, SOURCE, axis)

    def settles(pairs: Tensor) -> Tensor:
        return settling(_entropy(pairs), eps)

    return Information(
        measure(_entropy, pairs, "information content", axis=axis),
        measure(lambda m: m.mean(1), turns, "partial information content", axis=axis),
        measure(lambda p: _entropy(p).amax(-1), pairs, "largest information content"),
        measure(lambda m: m[..., 0].mean(1), turns, "initial partial information content"),
        measure(settles, pairs, "log10 threshold above which walks look flat", "log10 rms slope"),
    )


def settling(content: Tensor, eps: Tensor) -> Tensor:
    """Smallest log10 eps from which on H (R, K) stays below `SETTLED`: (R,); NaN where it does not.

    The first threshold is 0.
    """
    flat = content[:, 1:] < SETTLED
    after = flat.flip(-1).int().cummin(-1).values.flip(-1)
    return torch.where(after.any(-1), eps[1:].log10()[after.argmax(-1)], torch.nan)


def _signs(slope: Tensor, eps: Tensor) -> Iterator[Tensor]:
    """For each threshold, in units of the rms slope of all walks, the signs (R, W, T) of slopes: -1, 0, 1."""
    unit = safe_unit(slope.abs().amax((1, 2), keepdim=True))
    scale = (slope / unit).square().mean((1, 2), keepdim=True).sqrt() * unit
    yield from (
        (slope > e * scale).to(torch.int8) - (slope < -e * scale).to(torch.int8) for e in eps.to(slope)
    )


def _pairs(signs: Tensor) -> Tensor:
    """Shares of the six pairs of different signs in each walk: (R, W, T) -> (R, W, 6)."""
    pair = 3 * (signs[..., :-1] + 1) + signs[..., 1:] + 1
    return torch.stack([(pair == p).double().mean(-1) for p in (1, 2, 3, 5, 6, 7)], -1)


def _entropy(pairs: Tensor) -> Tensor:
    """H in units of log 6 of all walks together: (R, W, K, 6) -> (R, K)."""
    return torch.special.entr(pairs.mean(1)).sum(-1) / math.log(6)


def _turns(signs: Tensor) -> Tensor:
    """M of each walk (R, W): the share of its signs (R, W, T) that are left without zeros and repeats."""
    last = last_sign(signs)
    changes = ((last[..., 1:] != last[..., :-1]) & (last[..., :-1] != 0)).sum(-1)
    return (changes + (last[..., -1] != 0)).double() / signs.shape[-1]
