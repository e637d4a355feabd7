"""Points in the order of their losses, the same in every batch of worlds."""

from __future__ import annotations

import torch
from torch import Tensor

PAIRWISE = 64  # up to so many points, comparing all pairs is faster than sorting


def wide(value: float | Tensor, axes: int) -> float | Tensor:
    """A hyperparameter ready to broadcast against `axes` axes in float64.

    A number as it is, an (R,) tensor with ones appended.
    """
    return (
        value.double().reshape(-1, *(1,) * (axes - 1))
        if isinstance(value, Tensor) and value.ndim
        else value
    )


def worst_last(value: Tensor) -> Tensor:
    """The values with NaN made inf, so that it is worst."""
    return torch.where(value.isnan(), torch.inf, value)


def order(value: Tensor) -> Tensor:
    """Indices of values (R, P) from best to worst, ties by index: (R, P) int64."""
    return worst_last(value).argsort(dim=-1, stable=True)


def centered_ranks(value: Tensor, alive: Tensor | None = None) -> Tensor:
    """Ranks (R, P) of values (R, P), evenly over [-1/2, 1/2], the best lowest; ties share their mean rank.

    With one point it is 0. Points that are not alive (R, P) have no rank, and 0 stands there; None: all are.

    Source: Salimans et al. 2017, arXiv:1703.03864, section 2 ("fitness shaping"), with ties made symmetric.
    """
    if alive is not None:
        return _ranks_of_living(value, alive)
    size = value.shape[-1]
    if size <= PAIRWISE:
        value = value.nan_to_num(
            nan=torch.finfo(value.dtype).max
        )  # and inf likewise, so that inf - inf = 0
        # how many are better, less how many are worse
        above = torch.sign(value[:, None, :] - value[:, :, None]).sum(1)
    else:
        above = (_twice_ranks(worst_last(value)) - size).to(value.dtype)
    return above / (2 * max(size - 1, 1))


def _ranks_of_living(value: Tensor, alive: Tensor) -> Tensor:
    top, count = torch.finfo(value.dtype).max, alive.sum(-1, keepdim=True)
    value = torch.where(alive, value.nan_to_num(nan=top), torch.inf)  # below all that are not alive
    above = (_twice_ranks(value) - count).to(value.dtype)
    return torch.where(alive, above / (2 * (count - 1).clamp_min(1)).to(value.dtype), 0.0)


def _twice_ranks(value: Tensor) -> Tensor:
    """For each of values (R, P) how many are better, and how many are no worse: the sum of both."""
    ascending = value.sort(-1).values
    return torch.searchsorted(ascending, value) + torch.searchsorted(ascending, value, right=True)


def shaped(
    value: Tensor, shaping: str, alive: Tensor | None = None, *, centered: bool = False
) -> Tensor:
    """What weighs points of values (R, P).

    centered_ranks; raw values, less their mean where `centered`; uncentered ones; or z_score, less their mean
    and over their standard deviation (0 where all are equal). 0 for those that are not alive (R, P).
    """
    if shaping == "centered_ranks":
        return centered_ranks(value, alive)
    if shaping == "uncentered":
        return value if alive is None else torch.where(alive, value, 0.0)
    if shaping == "z_score":
        return _z_scores(value, torch.ones_like(value, dtype=torch.bool) if alive is None else alive)
    if alive is None:
        return value - value.mean(1, keepdim=True) if centered else value
    value = torch.where(alive, value, 0.0)
    return (
        torch.where(
            alive, value - value.sum(1, keepdim=True) / alive.sum(1, keepdim=True).to(value), 0.0
        )
        if centered
        else value
    )


def _z_scores(value: Tensor, alive: Tensor) -> Tensor:
    count = alive.sum(1, keepdim=True).to(value)
    mean = torch.where(alive, value, 0.0).sum(1, keepdim=True) / count
    away = torch.where(alive, value - mean, 0.0)
    spread = (away.square().sum(1, keepdim=True) / count).sqrt()
    return away / torch.where(spread > 0, spread, 1.0)


def best(points: Tensor, value: Tensor) -> Tensor:
    """The point of points (R, P, D) with the lowest of values (R, P), the first of ties: (R, D)."""
    return rows(points, worst_last(value).argmin(1, keepdim=True))[:, 0]


def rows(points: Tensor, index: Tensor) -> Tensor:
    """The points of (R, P, D) at index (R, n) -> (R, n, D)."""
    world = torch.arange(len(points), device=points.device)[:, None] * points.shape[1]
    return points.flatten(0, 1).index_select(0, (world + index).flatten()).unflatten(0, index.shape)


def pick(keep: Tensor, first: Tensor, second: Tensor) -> Tensor:
    """torch.where(keep, first, second) on bit patterns, all of one shape.

    With a random mask ten times faster, since nothing branches.
    """
    word = {1: torch.uint8, 4: torch.int32, 8: torch.int64}[first.element_size()]
    a, b = first.view(word), second.view(word)
    return (b ^ ((a ^ b) & keep.to(word).neg_())).view(first.dtype)


def per_world(value: float | Tensor, like: Tensor) -> Tensor:
    """A hyperparameter as one number for each world of like (R, ...): (R,) float64.

    The same bits from a number as from a tensor.
    """
    return torch.as_tensor(value, dtype=torch.float64, device=like.device).expand(len(like))


def alike(points: Tensor) -> Tensor:
    """The same share of a population for all of its points (R, P, D): (R, P) float64."""
    worlds, count = points.shape[:2]
    return torch.full((worlds, count), 1 / count, dtype=torch.float64, device=points.device)


def unseen(points: Tensor, dtype: torch.dtype) -> Tensor:
    """Values (R, P) of points that were never asked: inf."""
    return torch.full(points.shape[:2], torch.inf, dtype=dtype, device=points.device)


def seen(value: Tensor) -> Tensor:
    """What ranks the points: the values (R, P) answered.

    On a game, (R, P, players), no loss says which is best: zeros.
    """
    return value if value.ndim == 2 else torch.zeros_like(value[..., 0])
