"""A generation: select, recombine, mutate."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from landscapes.base import FitnessLaw
from landscapes.streams import Streams
from optimizers.breeding import Breeding
from optimizers.operators.arrays import rows
from optimizers.operators.mutation import mutate
from optimizers.operators.order import order
from optimizers.operators.recombination import crosses, recombine
from optimizers.operators.systematic import parents


def generation(
    points: Tensor,
    value: Tensor,
    streams: Streams,
    method: Breeding,
    *,
    among: Tensor | None = None,
    scale: Tensor | None = None,
    law: FitnessLaw | None = None,
    changes: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """The next population, elites first, and its parents.

    Args:
        points: (R, P, D), the population.
        value: (R, P), its values.
        streams: at the step.
        method: whose hyperparameters say how.
        among: (R,) int64, how many are alive, the first ones; None: all.
        scale: (R,), what multiplies the strength of mutation; None: 1.
        law: the fitness that a value stands for.
        changes: (R, D, A, A), where letters mutate to; None: bits or reals.

    Returns:
        The elites and the children (R, P, D), and their parents (R, P, 2), the same twice where there was no
        second one.
    """
    births = value.shape[1] - method.elite
    children, both = breed(
        points, value, streams, births, method, among=among, scale=scale, law=law, changes=changes
    )
    if method.elite:
        elite = order(value)[:, : method.elite]
        children = torch.cat([rows(points, elite), children], 1)
        both = torch.cat([elite[..., None].expand(-1, -1, 2), both], 1)
    return children, both


def breed(
    points: Tensor,
    value: Tensor,
    streams: Streams,
    n: int,
    method: Breeding,
    *,
    among: Tensor | None = None,
    scale: Tensor | None = None,
    law: FitnessLaw | None = None,
    changes: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Children (R, n, D) of a population, and their parents (R, n, 2); arguments as of `generation`."""
    first = parents(value, streams, n, method, 0, among, law)
    second = mates(first, streams, method, lambda: parents(value, streams, n, method, 1, among, law))
    children = offspring(points, first, second, streams, method, scale=scale, changes=changes)
    return children, torch.stack([first, second], -1)


def mates(first: Tensor, streams: Streams, method: Breeding, drawn: Callable[[], Tensor]) -> Tensor:
    """Second parents (R, n): those drawn, or for a child that has one parent its first (R, n) again.

    Where no child has two they are not drawn: draws are addressed, so leaving some out changes no other.
    """
    if not method.recombines:
        return first
    return torch.where(crosses(streams, first.shape[1], method.recombination_rate), drawn(), first)


def offspring(
    points: Tensor,
    first: Tensor,
    second: Tensor,
    streams: Streams,
    method: Breeding,
    *,
    scale: Tensor | None = None,
    changes: Tensor | None = None,
) -> Tensor:
    """Children (R, n, D) of their parents among points (R, P, D), recombined and then mutated.

    Args:
        points: (R, P, D).
        first: (R, n), the place of each child's first parent.
        second: (R, n), of its second; the same again makes a copy.
        streams: at the step.
        method: whose hyperparameters say how.
        scale: (R,), what multiplies the strength of mutation; None: 1.
        changes: (R, D, A, A), where letters mutate to; None: bits or reals.
    """
    children = rows(points, first)
    if method.recombines:
        children = recombine(children, rows(points, second), streams, method.crossover)
    rate, sigma = method.mutation_rate, method.mutation_sigma
    return mutate(children, streams, rate, sigma, scale, changes)
