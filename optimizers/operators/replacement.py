"""Who stays: replacement of parents by offspring."""

from __future__ import annotations

import torch
from torch import Tensor

from landscapes.streams import Streams
from optimizers.operators.order import order
from optimizers.operators.systematic import turn


def replaced(places: Tensor, population: int) -> Tensor:
    """Who lives at each place when K children take the places (R, K) among P members: (R, P) int64.

    Children are numbered first, then members.
    """
    children = places.shape[1]
    stay = torch.arange(population, device=places.device).expand(len(places), -1) + children
    return stay.scatter(1, places, torch.arange(children, device=places.device).expand_as(places))


def survivors(
    value: Tensor, streams: Streams, children: int, replacement: str, sampling: str
) -> Tensor:
    """Who of K children and then P members lives at each place then: (R, P) int64.

    Args:
        value: (R, K + P), the children's first.
        streams: at the step; draws: drift (part 2), where members die at random.
        children: K.
        replacement: worst or random, as in `steady_state_ga`.
        sampling: random, or systematic: members die in turn.
    """
    population = value.shape[1] - children
    if replacement == "worst":
        return order(value)[:, :population]
    if sampling == "systematic":
        return replaced(turn(streams, population, children, value.device), population)
    return replaced(streams.choice("drift", population, children, part=2), population)


def accepted(survivors: Tensor, children: int) -> Tensor:
    """Which of K children are among the survivors (R, P): (R, K) bool."""
    child = torch.arange(children, device=survivors.device)
    return (survivors[:, None] == child[:, None]).any(-1)
