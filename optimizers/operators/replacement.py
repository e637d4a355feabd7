"""Who stays: replacement of parents by offspring."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from landscapes.streams import Streams
from optimizers.operators.order import order
from optimizers.operators.systematic import turn


def replaced(places: Tensor, population: int) -> Tensor:
    """Who of K children and then P members is at each place when the children take the places (R, K): (R, P) int64."""
    children = places.shape[1]
    stay = torch.arange(population, device=places.device).expand(len(places), -1) + children
    return stay.scatter(1, places, torch.arange(children, device=places.device).expand_as(places))


def survivors(value: Tensor, streams: Streams, children: int, method: Any) -> Tensor:  # noqa: ANN401
    """Who of K children and then P members, of values (R, K + P), lives at each place then: (R, P) int64.

    Replacement as in `steady_state_ga`.
    """
    population = value.shape[1] - children
    if method.replacement == "worst":
        return order(value)[:, :population]
    if method.sampling == "systematic":
        return replaced(turn(streams, population, children, value.device), population)
    return replaced(streams.choice("drift", population, children, part=2), population)
