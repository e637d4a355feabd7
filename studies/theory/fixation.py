"""One locus with two alleles: fixation, drift and the time they take.

`population` is N individuals; with `ploidy` 2 there are 2N copies of each locus. `s` is the advantage of the
mutant: fitness 1 + s against 1, of diploids 1, 1 + s, 1 + 2s.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import special


def kimura(population: float, s: float, ploidy: float = 1.0, frequency: float | None = None) -> float:
    """Chance that a mutant fixes: (1 - e^(-2 s n p)) / (1 - e^(-2 s n)), n = ploidy N; n p = 1: one copy.

    Source: Kimura 1962, Genetics 47:713.

    Range: Wright-Fisher, the diffusion: s well below 1, n above about 20; within 1 % at N = 100, s = 0.02.

    Args:
        population: N, individuals.
        s: advantage, of either sign; 0: neutral.
        ploidy: 1 or 2.
        frequency: p, of the mutant at the start; null: one copy.
    """
    copies = ploidy * population
    start = 1 / copies if frequency is None else frequency
    return start if s == 0 else _share_of_growth(-2 * s * copies, start)


def _share_of_growth(power: float, start: float) -> float:
    """(e^(power start) - 1) / (e^power - 1), which overflows for no power."""
    falling = -abs(power)
    share = math.expm1(falling * start) / math.expm1(falling)
    return share if power < 0 else math.exp(falling * (1 - start)) * share


def moran_fixation(population: float, s: float, frequency: float | None = None) -> float:
    """Chance that a mutant fixes in the Moran process: (1 - r^-k) / (1 - r^-N), r = 1 + s, k = N p.

    Source: Moran 1958, Proc. Camb. Phil. Soc. 54:60.

    Range: exact; s > -1.
    """
    start = 1 / population if frequency is None else frequency
    return start if s == 0 else _share_of_growth(-population * math.log1p(s), start)


def wright_fisher_fixation(population: float, s: float, frequency: float | None = None) -> float:
    """Chance that a mutant fixes: u = P u of the Wright-Fisher matrix P, by linear equations.

    Source: Fisher 1930; Wright 1931; the absorbing chain in Kemeny and Snell 1960.

    Range: exact; haploids, N up to about 2000.
    """
    loss, ends = _chain(int(population), s)
    return _at_start(np.linalg.solve(loss, ends[:, 1]), frequency)


def wright_fisher_time(population: float, s: float = 0.0, frequency: float | None = None) -> float:
    """Mean generations until either allele is lost: t = 1 + P t of the Wright-Fisher matrix P.

    Source: the absorbing chain in Kemeny and Snell 1960, "Finite Markov chains".

    Range: exact; haploids, N up to about 2000.
    """
    loss, _ = _chain(int(population), s)
    return _at_start(np.linalg.solve(loss, np.ones(len(loss))), frequency)


def wright_fisher_fixation_time(
    population: float, s: float = 0.0, frequency: float | None = None
) -> float:
    """Mean generations until a mutant that fixes has done so: the chain conditioned by its chance u.

    Source: Ewens 2004, "Mathematical population genetics", section 2.11.

    Range: exact; haploids, N up to about 2000.
    """
    loss, ends = _chain(int(population), s)
    chance = np.linalg.solve(loss, ends[:, 1])
    weighted = np.linalg.solve(loss, chance)
    return _at_start(weighted, frequency) / _at_start(chance, frequency)


def _chain(size: int, s: float) -> tuple[np.ndarray, np.ndarray]:
    """Chances from 1 .. N - 1 copies: 1 - Q, Q those to 1 .. N - 1; and those to 0 and N, (N - 1, 2)."""
    now = np.arange(1, size)
    later = np.arange(size + 1)
    share = now * (1 + s) / (now * (1 + s) + size - now)
    ways = special.gammaln(size + 1) - special.gammaln(later + 1) - special.gammaln(size - later + 1)
    logs = ways + np.outer(np.log(share), later) + np.outer(np.log1p(-share), size - later)
    chances = np.exp(logs)
    return np.eye(size - 1) - chances[:, 1:-1], chances[:, [0, -1]]


def _at_start(numbers: np.ndarray, frequency: float | None) -> float:
    """Of numbers (N - 1,) for 1 .. N - 1 copies, that for those at the start."""
    size = len(numbers) + 1
    copies = 1 if frequency is None else round(frequency * size)
    if not 0 < copies < size:
        raise ValueError(f"expected 1 .. {size - 1} copies of {size} at the start, got {copies}")
    return numbers.item(copies - 1)


# the diffusion's times, and drift ---------------------------------------------------------------------------


def neutral_time(population: float, frequency: float = 0.5, ploidy: float = 1.0) -> float:
    """Mean generations until a neutral allele is lost or fixed: -2 n [p ln p + (1 - p) ln(1 - p)].

    Source: Kimura and Ohta 1969, Genetics 61:763 (n = ploidy N copies).

    Range: the diffusion; 1.5 % above the exact chain at N = 100, p = 1/2.
    """
    return -2 * ploidy * population * (special.xlogy(frequency, frequency) + _lost(frequency))


def _lost(frequency: float) -> float:
    return float(special.xlog1py(1 - frequency, -frequency))


def neutral_fixation_time(population: float, frequency: float = 0.0, ploidy: float = 1.0) -> float:
    """Mean generations until a neutral allele that fixes has: -2 n (1 - p) ln(1 - p) / p; 2 n of one copy.

    Source: Kimura and Ohta 1969, Genetics 61:763 (n = ploidy N copies).

    Range: the diffusion; 2 % above the exact chain at N = 100.
    """
    if frequency == 0:
        return 2 * ploidy * population
    return -2 * ploidy * population * _lost(frequency) / frequency


def heterozygosity_kept(population: float, steps: float, ploidy: float = 1.0) -> float:
    """Share of the heterozygosity that drift leaves: (1 - 1 / n)^t, n = ploidy N copies.

    Source: Wright 1931, Genetics 16:97.

    Range: exact; neutral Wright-Fisher. Var p_t = p (1 - p) times (1 - this).
    """
    return (1 - 1 / (ploidy * population)) ** steps


def moran_heterozygosity_kept(population: float, steps: float) -> float:
    """Share of the heterozygosity that drift leaves in the Moran process: (1 - 2 / N^2)^t.

    Source: Moran 1958, Proc. Camb. Phil. Soc. 54:60.

    Range: exact; neutral, t births.
    """
    return (1 - 2 / population**2) ** steps


def mutation_drift_heterozygosity(
    population: float, mutation_rate: float, ploidy: float = 1.0
) -> float:
    """Heterozygosity of two copies at rest: (1 - m) / (2 [1 - (1 - 1/n) m]), m = (1 - 2u)^2.

    Source: the recursion H' = (1 - m) / 2 + m (1 - 1/n) H; Crow and Kimura 1970, section 7.2.

    Range: exact; neutral, flips with chance u, a pair drawn without replacement.
    """
    same = (1 - 2 * mutation_rate) ** 2
    return (1 - same) / (2 * (1 - (1 - 1 / (ploidy * population)) * same))


def linkage_kept(population: float, recombination_rate: float, steps: float) -> float:
    """Share of linkage disequilibrium that is left: [(1 - r)(1 - 1 / N)]^t.

    Source: Robbins 1918, Genetics 3:375; Hill and Robertson 1968, Theor. Appl. Genet. 38:226.

    Range: exact; neutral haploids, r the chance of recombination between the two loci.
    """
    return ((1 - recombination_rate) * (1 - 1 / population)) ** steps


def fixed_ratio(population: float, ratio: float) -> float:
    """Odds in the long run of the fitter of two genotypes: f^(2 (N - 1)).

    Source: Sella and Hirsh 2005, PNAS 102:9541.

    Range: haploid Wright-Fisher, f their ratio of fitness, rare and symmetric mutation (N u below 0.001).
    """
    return ratio ** (2 * (population - 1))


def moran_fixed_ratio(population: float, ratio: float) -> float:
    """Odds in the long run of the fitter of two genotypes in the Moran process: f^(N - 1).

    Source: Sella and Hirsh 2005, PNAS 102:9541.

    Range: f their ratio of fitness, rare and symmetric mutation.
    """
    return ratio ** (population - 1)
