"""Arrays of worlds and points: hyperparameters made to fit, points by index, shares."""

from __future__ import annotations

import torch
from torch import Tensor

from landscapes.operators import operator
from optimizers.operators import array_kernels


def wide(value: float | Tensor, axes: int) -> float | Tensor:
    """A hyperparameter ready to broadcast against `axes` axes in float64.

    A number as it is, an (R,) tensor with ones appended.
    """
    return (
        value.double().reshape(-1, *(1,) * (axes - 1))
        if isinstance(value, Tensor) and value.ndim
        else value
    )


def per_world(value: float | Tensor, like: Tensor) -> Tensor:
    """A hyperparameter as one number for each world of like (R, ...): (R,) float64.

    The same bits from a number as from a tensor.
    """
    return torch.as_tensor(value, dtype=torch.float64, device=like.device).expand(len(like))


def mark(given: bool, points: Tensor) -> Tensor:
    """What is so in all steps of worlds with points (R, ...), for a state: (R, 1) where it is, else (R, 0).

    It is a shape, which no device is asked for, as it would be for a number.
    """
    return points.new_zeros((len(points), int(given)), dtype=torch.bool)


def marked(sign: Tensor) -> bool:
    """Whether it is so; see `mark`."""
    return sign.shape[1] > 0


def rows(points: Tensor, index: Tensor) -> Tensor:
    """The points of (R, P, D) at index (R, n) -> (R, n, D)."""
    worlds, size = points.shape[:2]
    first = torch.arange(0, worlds * size, size, device=points.device)[:, None]
    return points.flatten(0, 1).index_select(0, (first + index).flatten()).unflatten(0, index.shape)


def averaged(value: Tensor, times: int | Tensor) -> Tensor:
    """The means (R, n) over the first times, a number or (R,), of values (R, t, n), one after another."""
    if isinstance(times, int) and times == 1:
        return value[:, 0]
    total, many = value[:, 0], torch.as_tensor(times, device=value.device).reshape(-1, 1)
    for k in range(1, value.shape[1]):
        total = torch.where(k < many, total + value[:, k], total)
    return total / many.to(total)


def where_bits(keep: Tensor, first: Tensor, second: Tensor) -> Tensor:
    """torch.where(keep, first, second), all of one shape; on a CPU by a loop of numba.

    With a random mask that is ten times faster, since nothing branches.
    """
    if not keep.is_cpu:
        return torch.where(keep, first, second)
    if type(keep) is Tensor:
        return _chosen(keep, first, second)  # torch takes longer to find an operator
    return _CHOSEN(keep, first, second)


def _chosen(keep: Tensor, first: Tensor, second: Tensor) -> Tensor:
    word = {1: torch.uint8, 4: torch.int32, 8: torch.int64}[first.element_size()]
    out = torch.empty_like(first, memory_format=torch.contiguous_format)
    given = keep.view(torch.uint8), first.view(word), second.view(word), out.view(word)
    array_kernels.choose(*(part.contiguous().view(-1).numpy() for part in given))
    return out


_CHOSEN = operator(
    "chosen",
    "Tensor keep, Tensor first, Tensor second",
    _chosen,
    torch.where,
    lambda keep, first, second: first.new_empty(first.shape),
)


def equal_shares(points: Tensor) -> Tensor:
    """The same share of a population for all of its points (R, P, D): (R, P) float64."""
    worlds, count = points.shape[:2]
    return torch.full((worlds, count), 1 / count, dtype=torch.float64, device=points.device)
