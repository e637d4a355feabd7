"""How uncertain the ranks of a population are, by values of which some were observed twice.

Hansen, Niederberger, Guzzella, Koumoutsakos 2009, "A method for handling uncertainty in evolutionary
optimization with an application to feedback control of combustion", IEEE Trans. Evol. Comput. 13:180,
section IV. Each of P points has two values, the second that of its new evaluation or, where there was none,
the first again. Among all 2 P values (equal ones share their mean rank)

    Delta_i  how many lie between the two values of point i
    R        the rank of a value among the others: all but the second one of its point
    lim(R)   the 50 theta-th percentile of |1 - R|, |2 - R|, .., |2 P - 1 - R|: a change that is accepted
    s        the mean over points evaluated anew of 2 Delta_i - lim(R_first) - lim(R_second)

and the points are ranked by the sum of the ranks of their two values, then by Delta_i (their mean where a
point was not evaluated anew), then by the mean of the values.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from optimizers.operators import order, worst_last


class Twice(NamedTuple):
    """The values of P points, observed twice, among all 2 P."""

    first: Tensor  # (R, P)
    second: Tensor  # (R, P); the first again beyond the points evaluated anew
    below: Tensor  # (R, 2, P) int64, how many of the 2 P values are lower
    upto: Tensor  # (R, 2, P) int64, how many are no higher, itself among them


def twice(first: Tensor, anew: Tensor) -> Twice:
    """The values (R, P) of points, and the new ones (R, K) of the first K, placed among all."""
    first = worst_last(first)
    second = torch.cat([worst_last(anew), first[:, anew.shape[1] :]], 1)
    both = torch.cat([first, second], 1)
    ascending = both.sort(1).values
    below, upto = (torch.searchsorted(ascending, both, right=right) for right in (False, True))
    return Twice(first, second, below.unflatten(1, (2, -1)), upto.unflatten(1, (2, -1)))


def changes(seen: Twice) -> Tensor:
    """Delta (R, P) int64: how many values lie between the two of each point."""
    return (seen.below.amax(1) - seen.upto.amin(1)).clamp_min(0)


def uncertainty(seen: Twice, anew: int, theta: Tensor) -> Tensor:
    """The measure s (R,) float64 from the first `anew` points; > 0: ranks change more than is accepted.

    Args:
        seen: the values of P points.
        anew: K, how many were evaluated anew.
        theta: (R,) float64, 0 <= theta <= 2.
    """
    other_below = torch.stack([seen.second < seen.first, seen.first < seen.second], 1)
    place = seen.below - other_below.long()  # R - 1
    limits = accepted(place[..., :anew], seen.first.shape[1], theta).sum(1)
    return (2 * changes(seen)[:, :anew] - limits).mean(1)


def accepted(place: Tensor, size: int, theta: Tensor) -> Tensor:
    """The changes lim(R) of places R - 1 (R, 2, K) int64 among 2 P - 1: (R, 2, K) float64.

    Percentiles are those of Hazen: the k-th of n numbers is that of 100 (k - 1/2) / n.

    Args:
        place: R - 1, from 0 to 2 P - 2.
        size: P.
        theta: (R,) float64, 0 <= theta <= 2.
    """
    last = 2 * size - 2
    short = place.minimum(last - place)  # up to this far away there are ranks on both sides
    at = (theta / 2 * (last + 1) - 0.5).clamp(0, last)[:, None, None]
    low = at.floor()
    near, far = (torch.maximum(((k + 1) / 2).floor(), k - short) for k in (low, low + 1))
    return near + (at - low) * (far - near)


def places(seen: Twice, anew: int) -> Tensor:
    """The place (R, P) int64 of each point in the order of both values, 0 the best."""
    moved = changes(seen).double()
    mean = moved[:, :anew].mean(1, keepdim=True).expand_as(moved[:, anew:])
    keys = (
        torch.cat([moved[:, :anew], mean], 1),
        (seen.below + seen.upto).sum(1).double(),
    )
    best_first = order(0.5 * seen.first + 0.5 * seen.second)
    for key in keys:
        best_first = best_first.gather(1, order(key.gather(1, best_first)))
    return best_first.argsort(1)
