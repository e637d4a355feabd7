"""Mutation and selection in large populations: balance, thresholds, speed, and valleys that are crossed."""

from __future__ import annotations

import math


def mutation_selection_balance(mutation_rate: float, s: float, dominance: float = 1.0) -> float:
    """Frequency of a deleterious allele: u / (h s); haploid h = 1.

    Source: Haldane 1927, Proc. Camb. Phil. Soc. 23:838.

    Range: N -> infinity, no mutation back, u well below h s; exact of haploids where selection comes first.
    """
    return mutation_rate / (dominance * s)


def mutation_load(genomic_rate: float) -> float:
    """Mean fitness under deleterious mutation: e^-U.

    Source: Haldane 1937, Am. Nat. 71:337.

    Range: asexual, fitness (1 - s)^k of k mutations, many loci; U mutations a genome and generation.
    """
    return math.exp(-genomic_rate)


def least_loaded(genomic_rate: float, s: float) -> float:
    """Share of genomes without a deleterious mutation: e^(-U / s).

    Source: Haigh 1978, Theor. Popul. Biol. 14:251.

    Range: as `theory:mutation_load`, and many such genomes (N e^(-U/s) large): the ratchet stands still.
    """
    return math.exp(-genomic_rate / s)


def error_threshold(n: float, advantage: float) -> float:
    """Mutation rate per locus beyond which a single peak is lost: 1 - a^(-1 / L).

    Source: Eigen 1971, Naturwissenschaften 58:465.

    Range: one genotype of fitness a > 1 against 1, L = n loci, no mutation back.
    """
    return -math.expm1(-math.log(advantage) / n)


def quasispecies_share(n: float, advantage: float, mutation_rate: float) -> float:
    """Frequency of the master sequence: (a Q - 1) / (a - 1), Q = (1 - u)^L; 0 beyond the threshold.

    Source: Eigen 1971, Naturwissenschaften 58:465.

    Range: one genotype of fitness a > 1 against 1, L = n loci, no mutation back.
    """
    copied = (1 - mutation_rate) ** n
    return max((advantage * copied - 1) / (advantage - 1), 0.0)


def flattest_threshold(neutral: float, high: float, flat: float) -> float:
    """Mutation rate per locus beyond which a flat peak wins: 1 - (w_flat / w_high)^(1 / m).

    Source: Wilke, Wang, Ofria, Lenski and Adami 2001, Nature 412:331.

    Range: m neutral loci on the flat peak, none on the high one; to about 10 %.
    """
    return -math.expm1(math.log(flat / high) / neutral)


def clonal_speed(population: float, s: float, beneficial_rate: float) -> float:
    """Beneficial mutations gained a generation by clones: s [2 ln N s - ln(s / U)] / ln^2(s / U).

    Source: Desai and Fisher 2007, Genetics 176:1759.

    Range: N U ln(N s) well above 1; to a factor of 1.6.
    """
    gap = math.log(s / beneficial_rate)
    return s * (2 * math.log(population * s) - gap) / gap**2


def sweep_speed(population: float, s: float, beneficial_rate: float) -> float:
    """The same where sweeps follow one another: 2 N U s.

    Source: Haldane 1927; Gillespie 1983, Theor. Popul. Biol. 23:202.

    Range: N U ln(N s) well below 1, small s.
    """
    return 2 * population * beneficial_rate * s


# fitness valleys --------------------------------------------------------------------------------------------


def tunnelling_chance(mutation_rate: float, depth: float, advantage: float) -> float:
    """Chance that the lineage of one intermediate is the one that crosses: the root p.

    p = 1 - exp{-(1 - d) [(1 - u) p + u q]}, q = 1 - exp[-(1 + s) q].

    Source: Weissman, Desai, Fisher and Feldman 2009, Theor. Popul. Biol. 75:286; Proulx 2011.

    Range: Wright-Fisher, intermediates of fitness 1 - d, the peak 1 + s; 2 sqrt(u s) on a plateau (d = 0).
    """
    q = p = 1.0
    for _ in range(100_000):
        q_next = -math.expm1(-(1 + advantage) * q)
        p_next = -math.expm1(-(1 - depth) * ((1 - mutation_rate) * p + mutation_rate * q))
        if p_next == p and q_next == q:
            break
        p, q = p_next, q_next
    return p


def valley_time(
    population: float, mutation_rate: float, depth: float, advantage: float, paths: float = 2.0
) -> float:
    """Generations to cross a valley of one intermediate: 1 / (N m u p) + ln(N) / s.

    Source: Weissman, Desai, Fisher and Feldman 2009, Theor. Popul. Biol. 75:286; the sweep added.

    Range: tunnelling: N m u well below 1, and 1 / d well below N with d below 0.1, or on a plateau 1 / p
    well below N; to about 15 %.

    Args:
        population: N.
        mutation_rate: u, per locus and generation.
        depth: d, of the intermediates.
        advantage: s, of the peak.
        paths: m, orders in which the two loci may mutate.
    """
    chance = tunnelling_chance(mutation_rate, depth, advantage)
    wait = 1 / (population * paths * mutation_rate * chance)
    return wait + math.log(population) / advantage
