"""What losses weigh: centered ranks, raw values, z-scores; the same in every batch of worlds."""

from __future__ import annotations

import torch
from torch import Tensor

from optimizers.operators.order import PAIRWISE, above, worst_last


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
        lead = above(value)
    else:
        lead = (_twice_ranks(worst_last(value)) - size).to(value.dtype)
    return lead / (2 * max(size - 1, 1))


def _ranks_of_living(value: Tensor, alive: Tensor) -> Tensor:
    top, count = torch.finfo(value.dtype).max, alive.sum(-1, keepdim=True)
    value = torch.where(alive, value.nan_to_num(nan=top), torch.inf)  # below all that are not alive
    lead = (_twice_ranks(value) - count).to(value.dtype)
    return torch.where(alive, lead / (2 * (count - 1).clamp_min(1)).to(value.dtype), 0.0)


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
