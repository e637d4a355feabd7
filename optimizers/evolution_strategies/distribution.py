"""What methods with a search distribution share.

Ranked points, utilities and weights, evolution paths, step sizes.

Hansen 2016, "The CMA evolution strategy: a tutorial", arXiv:1604.00772, unless a function says otherwise.
"""

from __future__ import annotations

import math
from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor

from landscapes.base import Problem, Reals
from landscapes.numerics import column, dot, matmul
from landscapes.operators import operator
from landscapes.parameters import Defaults
from optimizers.operators import order, rows, wide


def start_sigma(sigma: float | Tensor | None, problem: Problem, like: Tensor) -> Tensor:
    """The initial standard deviation as a tensor of the shape of `like` (R, 1, .).

    None: 0.3 of the width of the start box.
    """
    if sigma is None:
        assert isinstance(problem.domain, Reals)
        sigma = 0.3 * (problem.domain.high - problem.domain.low)
    return torch.ones_like(like) * column(sigma, like)


def default_population(dim: int) -> int:
    """4 + floor(3 ln D) points, the default of CMA-ES and the natural evolution strategies."""
    return 4 + math.floor(3 * math.log(dim))


POPULATION: Defaults = {"population": lambda method, task: default_population(task.dim)}


def ranked(points: Tensor, value: Tensor) -> Tensor:
    """The points (R, P, D) from best to worst, ties by index: (R, P, D)."""
    return rows(points, order(value))


def weighted_sum(weights: Tensor, points: Tensor) -> Tensor:
    """sum_k w_k x_k of weights (n,) or (R, n) and the first n of points (R, P, D): (R, 1, D)."""
    # two rows: `matmul` need not pad
    twice = weights.to(points).expand(len(points), weights.shape[-1])[:, None].repeat(1, 2, 1)
    return matmul(twice, points[:, : twice.shape[-1]])[:, :1]


def utilities(n: int) -> Tensor:
    """max(0, ln(n/2 + 1) - ln k), normalised to sum 1, less 1/n, of ranks k = 1 .. n: (n,) float64, sum 0.

    0 where n = 1.

    Source: Wierstra et al. 2014, J. Mach. Learn. Res. 15:949, section 3.1.
    """
    raw = (math.log(n / 2 + 1) - torch.arange(1, n + 1, dtype=torch.float64).log()).clamp_min(0)
    return raw / raw.sum() - 1 / n


def log_weights(n: int) -> Tensor:
    """ln((n + 1) / 2) - ln k of ranks k = 1 .. n, positive for the better half: (n,) float64.

    Source: Hansen 2016, arXiv:1604.00772, equation 49.
    """
    return math.log((n + 1) / 2) - torch.arange(1, n + 1, dtype=torch.float64).log()


def effective_size(weights: Tensor) -> float:
    """mu_eff = (sum |w|)^2 / sum w^2 of weights (n,); 0 where all are 0."""
    return float(weights.abs().sum() ** 2 / weights.square().sum().clamp_min(1e-300))


def cumulated(path: Tensor, shift: Tensor, rate: float, size: float) -> Tensor:
    """An evolution path: (1 - c) p + sqrt(c (2 - c) mu_eff) shift.

    The path is N(0, I) where shift is N(0, I / mu_eff).
    """
    return (1 - rate) * path + math.sqrt(rate * (2 - rate) * size) * shift


def path_constants(dim: int, size: float) -> tuple[float, float]:
    """c_sigma and d_sigma of dimension D and mu_eff.

    Source: Hansen 2016, arXiv:1604.00772, equation 55.
    """
    rate = (size + 2) / (dim + size + 5)
    return rate, 1 + 2 * max(0.0, math.sqrt(max(0.0, size - 1) / (dim + 1)) - 1) + rate


class CMAConstants(NamedTuple):
    """What depends on D and P alone in CMA-ES."""

    weights: Tensor  # (P,) float64
    parents: int  # mu
    size: float  # mu_eff
    c_sigma: float
    d_sigma: float
    c_c: float
    c_1: float
    c_mu: float
    total: float  # of the weights


@cache
def cma_constants(n: int, size: int, diagonal: bool, active: bool) -> CMAConstants:
    """The tutorial's table 1 for CMA-ES, of n dimensions and `size` points.

    1/4 in c_mu, alpha_cov = min(2, size / 3) in c_1, 2 in c_mu.
    """
    raw, parents = log_weights(size), size // 2
    mu, minus = effective_size(raw[:parents]), effective_size(raw[parents:])
    c_sigma, d_sigma = path_constants(n, mu)
    c_c, speed = (4 + mu / n) / (n + 4 + 2 * mu / n), (n + 2) / 3 if diagonal else 1.0
    c_1 = speed * min(2.0, size / 3) / ((n + 1.3) ** 2 + mu)
    c_mu = min(1 - c_1, speed * 2 * (1 / 4 + mu + 1 / mu - 2) / ((n + 2) ** 2 + mu))
    share = (
        min(1 + c_1 / c_mu, 1 + 2 * minus / (mu + 2), (1 - c_1 - c_mu) / (n * c_mu)) if active else 0.0
    )
    weights = torch.cat([
        raw[:parents] / raw[:parents].sum(),
        share * raw[parents:] / raw[parents:].abs().sum(),
    ])
    return CMAConstants(weights, parents, mu, c_sigma, d_sigma, c_c, c_1, c_mu, weights.sum().item())


def normal_length(dim: int) -> float:
    """E |N(0, I)| = sqrt 2 Gamma((D + 1) / 2) / Gamma(D / 2)."""
    return math.sqrt(2) * math.exp(math.lgamma((dim + 1) / 2) - math.lgamma(dim / 2))


def path_length_control(path: Tensor, rate: float, damping: float | Tensor) -> Tensor:
    """The factor exp(min(1, c / d (|p| / E |N(0, I)| - 1))) of sigma, of paths (R, 1, D): (R, 1, 1).

    The damping d is one number or (R,).

    Source: Hansen and Ostermeier 2001, Evol. Comput. 9:159, equation 17.
    """
    excess = dot(path, path).sqrt()[..., None] / normal_length(path.shape[-1]) - 1
    return torch.exp((column(rate / wide(damping, 1), path) * excess).clamp_max(1.0))


def eigen(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Eigenvalues (R, 1, D), ascending, and eigenvectors, the columns of (R, D, D), of symmetric (R, D, D).

    Values NaN where not finite.
    """
    return _EIGEN(matrix)


def _eigen(matrix: Tensor) -> tuple[Tensor, Tensor]:
    good = matrix.flatten(1).abs().amax(1).isfinite()[:, None, None]
    if not bool(good.all()):
        eye = torch.eye(matrix.shape[-1], dtype=matrix.dtype, device=matrix.device)
        matrix = torch.where(good, matrix, eye)
    # LAPACK takes one matrix after another: each world's bits are its own
    values, vectors = torch.linalg.eigh(matrix)
    return torch.where(good, values[:, None], torch.nan), vectors.contiguous()


def _eigen_shapes(matrix: Tensor) -> tuple[Tensor, Tensor]:
    return matrix.new_empty(matrix[:, :1].shape), matrix.new_empty(matrix.shape)


_EIGEN = operator("eigen", "Tensor matrix", _eigen, _eigen, _eigen_shapes, "(Tensor, Tensor)")
