"""Exact finite oracles of population genetics, by loops and small linear systems in numpy.

Import nothing of ours.
"""

import math

import numpy as np

# one locus, two alleles: transition matrices of the number of copies ----------------------------------------


def binomial(n, p):
    """Chances of 0 .. n successes."""
    if p <= 0 or p >= 1:
        return np.eye(n + 1)[n if p >= 1 else 0]
    logs = [
        math.lgamma(n + 1)
        - math.lgamma(k + 1)
        - math.lgamma(n - k + 1)
        + k * math.log(p)
        + (n - k) * math.log1p(-p)
        for k in range(n + 1)
    ]
    return np.exp(logs)


def haploid(n, w, u=0.0):
    """Wright-Fisher on n haploids, fitness w against 1, symmetric mutation u after selection."""
    rows = []
    for k in range(n + 1):
        p = k * w / (k * w + n - k)
        rows.append(binomial(n, p * (1 - u) + (1 - p) * u))
    return np.array(rows)


def diploid(n, s):
    """Wright-Fisher on n diploids of fitness 1, 1 + s, 1 + 2s.

    Parents by fitness, haplotypes paired at random by the generation before.
    """
    rows = []
    for k in range(2 * n + 1):
        row = np.zeros(2 * n + 1)
        for h in range(k % 2, min(k, 2 * n - k) + 1, 2):  # heterozygotes
            both, none = (k - h) // 2, n - h - (k - h) // 2
            ways = (
                math.lgamma(n + 1)
                - math.lgamma(both + 1)
                - math.lgamma(h + 1)
                - math.lgamma(none + 1)
                + h * math.log(2)
            )
            chance = math.exp(
                ways - math.lgamma(2 * n + 1) + math.lgamma(k + 1) + math.lgamma(2 * n - k + 1)
            )
            share = (both * (1 + 2 * s) + h / 2 * (1 + s)) / (both * (1 + 2 * s) + h * (1 + s) + none)
            row += chance * binomial(2 * n, share)
        rows.append(row)
    return np.array(rows)


def moran(n, w):
    """One birth by fitness and one death, uniform among all."""
    matrix = np.zeros((n + 1, n + 1))
    for k in range(n + 1):
        born = k * w / (k * w + n - k)
        up, down = born * (n - k) / n, (1 - born) * k / n
        matrix[k, k] = 1 - up - down
        if k < n:
            matrix[k, k + 1] = up
        if k > 0:
            matrix[k, k - 1] = down
    return matrix


def after(matrix, copies, t):
    """The distribution of the number of copies after t steps."""
    return np.eye(len(matrix))[copies] @ np.linalg.matrix_power(matrix, t)


def fixation(matrix):
    """Chances of fixation from 0 .. n copies."""
    inner = matrix[1:-1, 1:-1]
    return np.array([0.0, *np.linalg.solve(np.eye(len(inner)) - inner, matrix[1:-1, -1]), 1.0])


def absorption_time(matrix):
    """Mean steps until one allele is lost, from 0 .. n copies."""
    inner = matrix[1:-1, 1:-1]
    return np.array([0.0, *np.linalg.solve(np.eye(len(inner)) - inner, np.ones(len(inner))), 0.0])


def conditional_time(matrix):
    """Mean steps until fixation, given fixation, from 1 .. n - 1 copies.

    The chain conditioned by u(j) / u(i).
    """
    u = fixation(matrix)[1:-1]
    inner = matrix[1:-1, 1:-1] * u / u[:, None]
    return np.linalg.solve(np.eye(len(inner)) - inner, np.ones(len(inner)))


# two loci ---------------------------------------------------------------------------------------------------


def disequilibrium(n, ploidy, r, t, d0, paired=0.0):
    """E D_t by the recursion of E[x_a x_b] on one haplotype, on the two of one individual (less E[x_a x_b] of strangers), and of strangers.

    `paired` is the excess of the two haplotypes of one individual over strangers at t = 0.
    """
    one, two, other = d0 / (1 - 1 / n) if ploidy == 1 else d0, paired, 0.0
    if ploidy == 2:
        one = (d0 + two / (2 * n)) / (1 - 1 / (2 * n))
    for _ in range(t):
        if ploidy == 1:
            pair = one / n + (1 - 1 / n) * other
            one, other = (1 - r) * one + r * pair, pair
        else:
            pair = (one + two) / (2 * n) + (1 - 1 / n) * other
            one, two, other = (1 - r) * one + r * two, pair, pair
    return (
        (1 - 1 / n) * (one - other)
        if ploidy == 1
        else (1 - 1 / (2 * n)) * one - two / (2 * n) - (1 - 1 / n) * other
    )


# mutation and selection without drift -----------------------------------------------------------------------


def class_matrix(length, u):
    """Chances that a genotype with i of `length` loci mutated has j after each locus flips with chance u."""
    matrix = np.zeros((length + 1, length + 1))
    for i in range(length + 1):
        back, forth = binomial(i, u), binomial(length - i, u)
        for a, b in ((a, b) for a in range(i + 1) for b in range(length - i + 1)):
            matrix[i, i - a + b] += back[a] * forth[b]
    return matrix


def balance(length, u, fitness):
    """The distribution of classes in the long run, select -> mutate: the leading eigenvector.

    Fitness of 0 .. length mutated loci.
    """
    step = np.asarray(fitness)[:, None] * class_matrix(length, u)
    values, vectors = np.linalg.eig(step.T)
    lead = np.abs(vectors[:, values.real.argmax()].real)
    return lead / lead.sum()


def generation(x, w, u, r, crossover):
    """Genotype -> frequency after selection, recombination of random pairs and mutation.

    Genotypes are tuples of bits.
    """
    total = sum(x[g] * w[g] for g in x)
    parents = {g: x[g] * w[g] / total for g in x}
    n = len(next(iter(x)))
    masks = {(True,) * n: 1 - r}
    if crossover == "one_point":
        for cut in range(1, n):
            mask = tuple(i < cut for i in range(n))
            masks[mask] = masks.get(mask, 0.0) + r / (n - 1)
    else:
        for number in range(2**n):
            mask = tuple(bool(number >> i & 1) for i in range(n))
            masks[mask] = masks.get(mask, 0.0) + r / 2**n
    born = dict.fromkeys(x, 0.0)
    for a, fa in parents.items():
        for b, fb in parents.items():
            for mask, chance in masks.items():
                born[tuple(i if keep else j for i, j, keep in zip(a, b, mask, strict=True))] += (
                    fa * fb * chance
                )
    mutated = dict.fromkeys(x, 0.0)
    for a, f in born.items():
        for b in x:
            differ = sum(i != j for i, j in zip(a, b, strict=True))
            mutated[b] += f * u**differ * (1 - u) ** (n - differ)
    return mutated


# (1+1) on bits ----------------------------------------------------------------------------------------------


def ea_leading_ones(n, p):
    """Mean steps of the (1+1)-EA from a random start: half the sum of the waiting times of all levels."""
    return 0.5 * sum(1 / (p * (1 - p) ** i) for i in range(n))


def rls_onemax(n):
    """Mean steps of randomized local search from no copies of the target."""
    return sum(n / k for k in range(1, n + 1))
