"""Selection: from values (R, P) to n parents (R, n) int64, all drawn with replacement.

`optimizers.operators.systematic` has parents as near to their expected numbers as whole numbers can be,
without drift, and then paired at random (source "pairing").
"""

from __future__ import annotations

import torch
from torch import Tensor

from landscapes.base import FitnessLaw
from landscapes.streams import Streams
from optimizers.breeding import Breeding
from optimizers.operators.arrays import wide
from optimizers.operators.order import order, worst_last


def tournament(
    value: Tensor, streams: Streams, n: int, *, size: int, part: int = 0, among: Tensor | None = None
) -> Tensor:
    """Each parent is the best of `size` individuals drawn uniformly with replacement, the first of ties.

    Source: Goldberg and Deb 1991, Foundations of Genetic Algorithms 1:69.
    """
    alive = value.shape[1] if among is None else among[:, None, None]
    entrants = streams.integers("drift", alive, (n, size), part)
    winner = worst_last(value).gather(1, entrants.flatten(1)).view_as(entrants).argmin(-1, keepdim=True)
    return entrants.gather(-1, winner)[..., 0]


def lost(value: Tensor, streams: Streams, opponents: int, among: Tensor | None = None) -> Tensor:
    """The share (R, P) of so many opponents who are better, drawn uniformly with replacement; ties are half.

    One may meet oneself. The mean is the individual's rank, so that the share is an unbiased estimate of it.

    Source: Angeline and Pollack 1993, ICGA 5:264 ("competitive fitness").
    """
    size = value.shape[1]
    alive = size if among is None else among[:, None, None]
    met = streams.integers("pairing", alive, (size, opponents))
    held = worst_last(value)
    theirs, own = held.gather(1, met.flatten(1)).view_as(met), held[..., None]
    return ((theirs < own).to(held) + (theirs <= own).to(held)).mean(-1) / 2


def truncation(
    value: Tensor,
    streams: Streams,
    n: int,
    *,
    fraction: float | Tensor,
    part: int = 0,
    among: Tensor | None = None,
) -> Tensor:
    """Parents are uniform among the best ceil(fraction P), ties by index.

    Source: Muehlenbein and Schlierkamp-Voosen 1993, Evol. Comput. 1:25.
    """
    best = wide(kept(value, fraction, among), 2)
    place = streams.integers("drift", best, (n,), part)  # type: ignore[arg-type]
    return order(value).gather(1, place)


def kept(value: Tensor, fraction: float | Tensor, among: Tensor | None = None) -> Tensor:
    """How many `truncation` keeps, () or (R,) float64."""
    share = torch.as_tensor(fraction, dtype=torch.float64, device=value.device) * (
        value.shape[1] if among is None else among
    )
    return (share - 1e-9).ceil().clamp_min(1)  # 0.07 * 100 is a little more than 7


def select(
    value: Tensor,
    streams: Streams,
    n: int,
    method: Breeding,
    part: int = 0,
    among: Tensor | None = None,
    law: FitnessLaw | None = None,
) -> Tensor:
    """Parents (R, n) int64 by the selection that a method names.

    Args:
        value: (R, P).
        streams: at the step; draws: drift (`part`).
        n: how many.
        method: whose hyperparameters say how.
        part: which parents.
        among: (R,) int64, how many of the P are alive, the first ones; None: all.
        law: the fitness that a value stands for.
    """
    match method.selection:
        case "tournament":
            return tournament(value, streams, n, size=method.tournament, part=part, among=among)
        case "truncation":
            return truncation(value, streams, n, fraction=method.truncation, part=part, among=among)
        case "proportional":
            return by_weight(method.weights(value, law), streams, n, part=part, among=among)
    return neutral(value, streams, n, part=part, among=among)


def by_weight(
    weight: Tensor, streams: Streams, n: int, *, part: int = 0, among: Tensor | None = None
) -> Tensor:
    """Parents are drawn in proportion to their weights (R, P), such as their fitness.

    With n = P this is Wright-Fisher sampling.

    Source: Wright 1931, Genetics 16:97.
    """
    if among is not None:
        weight = torch.where(leading(weight, among), weight, 0.0)
    return streams.categorical("drift", weight, (n,), part)


def neutral(
    value: Tensor, streams: Streams, n: int, *, part: int = 0, among: Tensor | None = None
) -> Tensor:
    """Parents are uniform, whatever their values."""
    return streams.integers("drift", value.shape[1] if among is None else among[:, None], (n,), part)


def leading(value: Tensor, among: Tensor) -> Tensor:
    """The first `among` (R,) of values (R, P): (R, P) bool."""
    return torch.arange(value.shape[1], device=value.device) < among[:, None]
