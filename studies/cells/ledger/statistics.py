"""What redrawn steps tell: shares of sources, the mean step, the noise.

Pure functions of tensors, each world by itself.

Two arms A and B of M steps each are drawn apart, all sources afresh; arm i takes source i from B and the rest
from A ("pick-freeze"). Whatever is quadratic in a mean uses one factor from A and one from B, so that noise
neither lengthens a step nor turns it.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from landscapes.numerics import matmul

TAIL = 0.1  # share of the longest deviations that the tail index sees


class Shares(NamedTuple):
    """The variance of a step and what of it is due to one source.

    (R, 1 + q) each: in all, and along q directions.
    """

    variance: Tensor
    first: Tensor  # of the expectation given the source alone
    total: Tensor  # what is left when all the others are known


def shares(a: Tensor, b: Tensor, mixed: Tensor, directions: Tensor) -> Shares:
    """Jansen's estimates.

    The variance comes from the same pairs, so a source that is not used has exactly nothing and the only one
    used all.

    V = E|a - b|^2 / 2,  V_i = V - E|b - ab_i|^2 / 2,  V_Ti = E|a - ab_i|^2 / 2

    Source: Jansen 1999, Comput. Phys. Commun. 117:35; Saltelli et al. 2010, Comput. Phys. Commun. 181:259,
    table 2 (b, f).

    Args:
        a: (R, M, D) steps of arm A.
        b: (R, M, D) steps of arm B.
        mixed: (R, M, D) steps with this source from B and all else from A.
        directions: (R, q, D) unit vectors.
    """
    variance, others, own = (
        half_mean_square(x - y, directions) for x, y in ((a, b), (b, mixed), (a, mixed))
    )
    return Shares(variance, variance - others, own)


def half_mean_square(difference: Tensor, directions: Tensor) -> Tensor:
    """Half the mean square over M of differences (R, M, D): (R, 1 + q).

    The first is of their squared length, the others along each direction.
    """
    along = matmul(difference, directions.mT)
    both = torch.cat([squares(difference)[:, None], along.square().sum(1)], 1)
    return both / (2 * difference.shape[1])


class Spectrum(NamedTuple):
    """The covariance of the noise of a step."""

    eigenvalues: Tensor  # (R, q) the largest
    trace: Tensor  # (R,) the sum of all eigenvalues
    effective_rank: Tensor  # (R,) (tr S)^2 / tr S^2: equal eigenvalues in so many directions


def spectrum(a: Tensor, b: Tensor, count: int) -> Spectrum:
    """The largest eigenvalues of the pooled covariance, and the participation ratio.

    The ratio comes from the two arms apart, so that few steps do not lower it. The eigenvalues are those of
    the smaller of the covariance (D, D) and the Gram matrix (2 M - 2, 2 M - 2), which share them.

    Args:
        a: (R, M, D).
        b: (R, M, D).
        count: q.
    """
    a, b, free = centered(a), centered(b), a.shape[1] - 1
    first, second = (squares(x) / free for x in (a, b))
    cross = squares(a @ b.mT) / free**2
    pooled = torch.cat([a, b], 1) / (2 * free) ** 0.5
    return Spectrum(
        _largest(pooled, count), torch.stack([first, second]).mean(0), first * second / cross
    )


def _largest(rows: Tensor, count: int) -> Tensor:
    """The q largest eigenvalues (R, q) of the sums of squares of rows (R, K, D); 0 where there are fewer."""
    rows = rows if rows.shape[1] < rows.shape[2] else rows.mT
    finite = rows.isfinite().all((1, 2))[:, None]
    squares = torch.where(finite[..., None], rows @ rows.mT, 0.0)
    values = torch.linalg.eigvalsh(squares).flip(-1)[:, :count].clamp_min(0)
    return torch.nn.functional.pad(values, (0, count - values.shape[1])).where(finite, torch.nan)


def kurtosis(a: Tensor, b: Tensor) -> Tensor:
    """Excess kurtosis (R,) of the noise of steps (R, M, D), coordinates weighted by their variance.

    With nu = 2 M - 2 deviations that are free, Gaussian noise has E[m_4 / m_2^2] = 3 nu / (nu + 2): the
    factor M / (M - 1) makes its mean 0 at any M.
    """
    noise = torch.cat([centered(a), centered(b)], 1)
    second, fourth = noise.square().mean(1), noise.pow(4).mean(1)
    return (fourth / second.where(second > 0, 1.0)).sum(-1) / second.sum(-1) * a.shape[1] / (
        a.shape[1] - 1
    ) - 3


def tail_index(a: Tensor, b: Tensor) -> Tensor:
    """Hill's estimate (R,) of the exponent of P(|noise| > x) ~ x^-alpha, from the longest tenth.

    Large where the tail is not a power law.

    Source: Hill 1975, Ann. Stat. 3:1163.
    """
    length = (
        torch.cat([centered(a), centered(b)], 1).square().sum(-1).sqrt().sort(descending=True).values
    )
    largest = length[:, : max(2, int(TAIL * length.shape[1])) + 1]
    return 1 / (largest[:, :-1] / largest[:, -1:]).log().mean(1)


def correlation(first: Tensor, second: Tensor) -> Tensor:
    """Tr Cov(step, next step) / sqrt(tr Var(step) tr Var(next step)), of (R, M, D) each: (R,)."""
    first, second = centered(first), centered(second)
    return (first * second).sum((1, 2)) / (squares(first) * squares(second)).sqrt()


def squares(x: Tensor) -> Tensor:
    """The sum of squares of each world's numbers (R, M, D): (R,)."""
    return x.square().sum((1, 2))


def centered(x: Tensor) -> Tensor:
    """X (R, M, D) less its mean over M."""
    return x - x.mean(1, keepdim=True)
