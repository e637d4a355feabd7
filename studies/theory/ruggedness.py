"""Random landscapes: peaks, correlation, epistasis, and the walks on them."""

from __future__ import annotations

import math

import numpy as np
import scipy
from scipy import special


def uncorrelated_peaks(n: float) -> float:
    """Mean number of peaks without correlation: 2^n / (n + 1).

    Source: Kauffman and Levin 1987, J. Theor. Biol. 128:11.

    Range: exact; House of Cards, or NK with k = n - 1, values without ties.
    """
    return 2**n / (n + 1)


def uncorrelated_peaks_variance(n: float) -> float:
    """Variance of that number: 2^(n - 1) (n - 1) / (n + 1)^2.

    Source: Macken and Perelson 1989, PNAS 86:6191; Baldi and Rinott 1989, Ann. Probab. 17:1646.

    Range: exact; House of Cards, values without ties.
    """
    return 2 ** (n - 1) * (n - 1) / (n + 1) ** 2


def block_peaks(n: float, k: float) -> float:
    """Mean number of peaks of NK in blocks of b = k + 1 loci: [2^b / (b + 1)]^(n / b).

    Source: Perelson and Macken 1995, PNAS 92:9657.

    Range: exact; neighbours in disjoint blocks, n a multiple of k + 1.
    """
    block = k + 1
    return uncorrelated_peaks(block) ** (n / block)


def fuji_peaks(n: float, slope: float) -> float:
    """Mean number of peaks of Rough Mount Fuji: sum_d C(n, d) / [1 + d e^c + (n - d) e^-c].

    Source: Neidhart, Szendro and Krug 2014, Genetics 198:699.

    Range: exact; slope c, noise a Gumbel law of scale 1.
    """
    up, down, size = math.exp(slope), math.exp(-slope), int(n)
    return math.fsum(math.comb(size, d) / (1 + d * up + (size - d) * down) for d in range(size + 1))


def nk_autocorrelation(n: float, k: float, distance: float = 1.0) -> float:
    """Correlation of fitness at a distance d over all NK: C(n - k - 1, d) / C(n, d); at 1, 1 - (k + 1) / n.

    Source: Weinberger 1990, Biol. Cybern. 63:325; Fontana et al. 1993, Phys. Rev. E 47:2083.

    Range: of the ensemble (one mean for all landscapes), neighbours adjacent or random, d <= n - k - 1.
    """
    return float(special.binom(n - k - 1, distance) / special.binom(n, distance))


def nk_autocorrelation_within(n: float, k: float) -> float:
    """Correlation of neighbours within one NK: 1 - (k + 1) / n 2^(k + 1) / (2^(k + 1) - 1).

    Source: the share of interactions of each order; Stadler 1996, J. Math. Chem. 20:1.

    Range: ratio of expectations, each landscape's own mean taken away.
    """
    genotypes = 2 ** (k + 1)
    return 1 - (k + 1) / n * genotypes / (genotypes - 1)


def nk_interactions(k: float, order: float) -> float:
    """Share of the variance of NK in interactions of j loci: C(k + 1, j) / (2^(k + 1) - 1).

    Source: Stadler 1996, J. Math. Chem. 20:1; Neidhart, Szendro and Krug 2013, J. Theor. Biol. 332:218.

    Range: ratio of expectations.
    """
    return float(special.binom(k + 1, order)) / (2 ** (k + 1) - 1)


def nk_gamma(n: float, k: float) -> float:
    """Correlation of fitness effects in NK: 1 - k / (n - 1).

    Source: Ferretti et al. 2016, J. Theor. Biol. 396:132.

    Range: random neighbours, and adjacent ones on average over pairs.
    """
    return 1 - k / (n - 1)


def fuji_gamma(slope: float, deviation: float) -> float:
    """Correlation of fitness effects in Rough Mount Fuji: c^2 / (c^2 + 2 s^2).

    Source: Ferretti et al. 2016, J. Theor. Biol. 396:132.

    Range: a constant slope c, noise of standard deviation s.
    """
    return slope**2 / (slope**2 + 2 * deviation**2)


def spin_autocorrelation(n: float, order: float = 2.0) -> float:
    """Correlation of neighbours in a p-spin glass: 1 - 2 p / n.

    Source: Weinberger and Stadler 1993, J. Theor. Biol. 163:255.

    Range: exact for every instance.
    """
    return 1 - 2 * order / n


def adaptive_walk_length(n: float) -> float:
    """Mean steps of a random adaptive walk without correlation, about ln n: by quadrature.

    (1 - u^m) e^(S(u)) integrated over u, S = sum of u^i / i up to m = n - 1: of a start drawn at random.

    Source: Flyvbjerg and Lautrup 1992, Phys. Rev. A 46:6714.

    Range: House of Cards, all neighbours but the last genotype new: few loops, so n above about 10.
    """
    size = int(n)
    u = np.linspace(0, 1, 4001)
    orders = np.arange(1, size)
    log_weight = (u[:, None] ** orders / orders).sum(1)
    steps = (1 - u ** (size - 1)) * np.exp(log_weight)
    whole = scipy.integrate.cumulative_simpson(steps, x=u, initial=0)
    left = (whole[-1] - whole) * np.exp(-log_weight)  # the integral above u of the steps to come
    first = (u[:, None] ** np.arange(size)).sum(1) * left + 1 - u**size
    return float(scipy.integrate.simpson(first, x=u))


def greedy_walk_length() -> float:
    """Mean steps of a walk that takes the best neighbour, without correlation: e - 1.

    Source: Orr 2003, J. Theor. Biol. 220:241.

    Range: House of Cards, n -> infinity; below by about 3 / n.
    """
    return math.e - 1


def beneficial_chance(dim: float, size: float, distance: float) -> float:
    """Chance that a mutation of Fisher's model is beneficial: I_(1 - (r / 2d)^2)((n - 1) / 2, 1/2) / 2.

    Source: the cap of a sphere; Fisher 1930, "The genetical theory of natural selection".

    Range: exact; n traits, a mutation of length r < 2 d in a random direction, at distance d.
    """
    return 0.5 * float(special.betainc((dim - 1) / 2, 0.5, 1 - (size / (2 * distance)) ** 2))


def field_maxima(dim: float, length: float) -> float:
    """Maxima of a Gaussian field per volume: sqrt 3 / (2 pi l), in two dimensions 1 / (2 pi sqrt 3 l^2).

    Source: Rice 1945, Bell Syst. Tech. J. 24:46; Bond and Efstathiou 1987, MNRAS 226:655.

    Range: covariance e^(-x^2 / 2 l^2), dim 1 or 2.
    """
    if dim == 1:
        return math.sqrt(3) / (2 * math.pi * length)
    if dim == 2:
        return 1 / (2 * math.pi * math.sqrt(3) * length**2)
    raise ValueError(f"expected dim 1 or 2, got {dim:g}")
