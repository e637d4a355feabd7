"""Exact and simple numerical oracles of adaptation in numpy. Import nothing of ours."""

import math

import numpy as np

from tests.references.population_genetics import class_matrix

# quasispecies -----------------------------------------------------------------------------------------------


def mutation_matrix(length, u):
    """Chances that each of 2^length genotypes becomes each other one; locus d is bit d."""
    distance = np.array([[(a ^ b).bit_count() for b in range(2**length)] for a in range(2**length)])
    return u**distance * (1 - u) ** (length - distance)


def quasispecies(fitness, u, steps=20_000):
    """Frequencies of all genotypes in the long run, select -> mutate, by the power method."""
    step = np.asarray(fitness)[:, None] * mutation_matrix(int(math.log2(len(fitness))), u)
    x = np.asarray(fitness) / np.sum(fitness)
    for _ in range(steps):
        new = x @ step
        new /= new.sum()
        if np.abs(new - x).max() < 1e-15:
            break
        x = new
    return x


# a fitness valley of two loci -------------------------------------------------------------------------------


def valley_chain(n, u, delta, s):
    """(states, transitions) of Wright-Fisher on classes with 0, 1 and 2 mutations of fitness 1, 1 - delta, 1 + s; a state counts the latter two."""
    states = [(i, j) for i in range(n + 1) for j in range(n + 1 - i)]
    w, mutate = np.array([1.0, 1 - delta, 1 + s]), class_matrix(2, u)
    ways = [
        math.lgamma(n + 1) - math.lgamma(n - i - j + 1) - math.lgamma(i + 1) - math.lgamma(j + 1)
        for i, j in states
    ]
    counts = np.array([(n - i - j, i, j) for i, j in states], dtype=float)
    rows = []
    for own in counts:
        born = own * w / (own @ w) @ mutate
        rows.append(np.exp(ways + counts @ np.log(born)))
    return states, np.array(rows)


def valley_time(n, u, delta, s):
    """Mean generations until at least half of the population, at first all without mutations, have both."""
    states, matrix = valley_chain(n, u, delta, s)
    before = [k for k, (_, j) in enumerate(states) if 2 * j < n]
    inner = matrix[np.ix_(before, before)]
    return np.linalg.solve(np.eye(len(inner)) - inner, np.ones(len(inner)))[
        before.index(states.index((0, 0)))
    ]


def tunnelling(mu, delta, s):
    """Chance p that the lineage of one intermediate is successful.

    P = 1 - exp(-(1 - delta)((1 - mu) p + mu q)), q = 1 - exp(-(1 + s) q).
    """
    q = p = 1.0
    for _ in range(100_000):
        q = 1 - math.exp(-(1 + s) * q)
        p = 1 - math.exp(-(1 - delta) * ((1 - mu) * p + mu * q))
    return p


# a normal trait ---------------------------------------------------------------------------------------------


def tracking(n, v_m, v, omega2, theta, steps, runs):
    """The mean trait (runs,) of n clones after so many generations from N(0, v): selected toward theta, mutated by N(0, v_m)."""
    draw, means = np.random.default_rng(1976), []
    for _ in range(runs):
        z = draw.normal(0, v**0.5, n)
        for _ in range(steps):
            w = np.exp(-((z - theta) ** 2) / (2 * omega2))
            z = draw.choice(z, n, p=w / w.sum()) + draw.normal(0, v_m**0.5, n)
        means.append(z.mean())
    return np.array(means)


# one locus --------------------------------------------------------------------------------------------------


def path(matrix, steps):
    """The mean share of copies after 0 .. steps generations, from none."""
    n, x, found = len(matrix) - 1, np.eye(len(matrix))[0], []
    for _ in range(steps + 1):
        found.append(float(x @ np.arange(n + 1)) / n)
        x = x @ matrix
    return found
