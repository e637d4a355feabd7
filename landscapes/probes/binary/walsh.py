"""The Walsh spectrum of a landscape of bits, and what follows from it: autocorrelation, the additive part.

f(x) = sum_S a_S (-1)^{x.S}, a_S = 2^-n sum_x f(x) (-1)^{x.S}; B_j = sum_{|S| = j} a_S^2 / sum_{S != 0} a_S^2
is the share of the variance due to interactions of j loci (Stadler 1996, "Landscapes and their correlation
functions", J. Math. Chem. 20, 1-45). Along random walks of one-bit steps rho(d) = Cov[f(x_t), f(x_t+d)] / Var
f = sum_j B_j (1 - 2 j / n)^d (Weinberger 1990, Biol. Cybern. 63), and the correlation length is -1 / ln
|rho(1)|. The landscape's own mean is taken off, so over NK instances rho(1) is 1 - (k + 1) / n 2^(k + 1) /
(2^(k + 1) - 1), not 1 - (k + 1) / n: that is the ratio of means about the mean of the ensemble
(`covariance`).

Roughness over slope: the standard deviation of what an additive fit leaves, over the mean of its |effects|
(Aita, Iwakura and Husimi 2001, Protein Eng. 14; Szendro et al. 2013, J. Stat. Mech. P01005).
"""

from __future__ import annotations

import torch
from torch import Tensor

from landscapes.numerics import matmul
from landscapes.probes.binary.enumeration import loci


def transform(values: Tensor) -> Tensor:
    """The coefficients a_S, bit i of an index says whether locus i is in S.

    (R, 2^n) -> (R, 2^n), by the fast transform, n 2^n sums.
    """
    out = values
    for i in range(loci(values)):
        low, high = out.view(len(values), -1, 2, 2**i).unbind(2)
        out = torch.stack((low + high, low - high), 2).view_as(values)
    return out / values.shape[1]


def orders(n: int) -> Tensor:
    """|S| by the number of S, (2^n,) int64."""
    order = torch.zeros(1, dtype=torch.int64)
    for _ in range(n):
        order = torch.cat((order, order + 1))
    return order


def powers(coefficients: Tensor) -> Tensor:
    """Sums of a_S^2 over the S of each order: (R, 2^n) -> (R, n + 1)."""
    n = loci(coefficients)
    return coefficients.new_zeros((len(coefficients), n + 1)).index_add_(
        1, orders(n), coefficients.square()
    )


def spectrum(coefficients: Tensor) -> Tensor:
    """B_1 .. B_n, which sum to 1: (R, n); NaN where all genotypes are equally fit."""
    power = powers(coefficients)[:, 1:]
    return power / power.sum(1, keepdim=True)


def autocorrelation(shares: Tensor) -> Tensor:
    """rho(1) .. rho(n) of a spectrum (R, n): (R, n)."""
    n = shares.shape[1]
    rate = 1 - 2 * torch.arange(1, n + 1, dtype=shares.dtype) / n
    decay = rate.expand(n, n).cumprod(0)  # (lag, order)
    return matmul(shares[:, None], decay.mT)[:, 0]


def correlation_length(rho: Tensor) -> Tensor:
    """-1 / ln |rho(1)|, in steps: rho(1) (R,) -> (R,); 0 where it is 0, infinite where it is 1 or -1."""
    return -1 / rho.abs().clamp_max(1).log()


def covariance(values: Tensor, mean: float | None = None) -> tuple[Tensor, Tensor]:
    """Covariance of neighbours (R,), and variance (R,), about the landscape's own mean or a given one."""
    n = loci(values)
    centred = values - (values.mean(1, keepdim=True) if mean is None else mean)
    pairs = [centred.view(len(values), -1, 2, 2**i).unbind(2) for i in range(n)]
    products = torch.stack([(low * high).mean((1, 2)) for low, high in pairs])
    return products.mean(0), centred.square().mean(1)


def roughness_slope(coefficients: Tensor) -> Tensor:
    """(R,); 0 on an additive landscape, infinite (or NaN, if flat) without additive effects."""
    n = loci(coefficients)
    rough = powers(coefficients)[:, 2:].sum(1).sqrt()
    slope = 2 * coefficients[:, 2 ** torch.arange(n)].abs().mean(1)
    return rough / slope
