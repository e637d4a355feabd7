"""A generation: select, recombine, mutate."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from landscapes.base import FitnessLaw
from landscapes.streams import Streams
from optimizers.operators.mutation import mutate
from optimizers.operators.order import order, rows
from optimizers.operators.recombination import crosses, recombine
from optimizers.operators.selection import tournament
from optimizers.operators.systematic import parents, systematic, tournament_chances

# a generation -----------------------------------------------------------------------------------------------


def generation(
    points: Tensor,
    value: Tensor,
    streams: Streams,
    method: Any,  # noqa: ANN401
    *,
    among: Tensor | None = None,
    scale: Tensor | None = None,
    law: FitnessLaw | None = None,
) -> tuple[Tensor, Tensor]:
    """The population after points (R, P, D) of values (R, P), elites first, by the hyperparameters that a method names, as in `GA`.

    Returns:
        The elites and the children, (R, P, D), and their parents (R, P, 2), the same twice where there was no second one.
    """
    n = value.shape[1] - method.elite
    one = two = parents(value, streams, n, method, among=among, law=law)
    children = rows(points, one)
    if method.crossover != "none" and (
        isinstance(method.recombination_rate, Tensor) or method.recombination_rate != 0
    ):
        two = torch.where(
            crosses(streams, n, method.recombination_rate),
            parents(value, streams, n, method, 1, among, law),
            one,
        )
        children = recombine(children, rows(points, two), streams, method.crossover)
    children, both = (
        mutate(children, streams, method.mutation_rate, method.mutation_sigma, scale),
        torch.stack([one, two], -1),
    )
    if method.elite:
        elite = order(value)[:, : method.elite]
        children = torch.cat([rows(points, elite), children], 1)
        both = torch.cat([elite[..., None].expand(-1, -1, 2), both], 1)
    return children, both


def breed(points: Tensor, value: Tensor, streams: Streams, n: int, method: Any) -> Tensor:  # noqa: ANN401
    """Children (R, n, D) of members (R, P, D) of values (R, P), by the hyperparameters of a method as in `steady_state_ga`."""

    def winners(part: int) -> Tensor:
        if method.sampling == "systematic":
            return systematic(value, tournament_chances(value, method.tournament), streams, n, part)
        return tournament(value, streams, n, size=method.tournament, part=part)

    first = winners(0)
    born = rows(points, first)
    if method.crossover != "none":
        crossed = crosses(streams, n, method.recombination_rate)
        second = torch.where(crossed, winners(1), first)
        born = recombine(born, rows(points, second), streams, method.crossover)
    return mutate(born, streams, method.mutation_rate, method.mutation_sigma)
