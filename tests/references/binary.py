"""Slow, readable references of landscapes on bits: loops written from the papers' definitions.

They import nothing of ours.

Classical functions are fitness functions, to be maximised; a genotype is a list of 0 and 1, already seen
relative to the target.
"""

import itertools
import math


def onemax(x):
    """The number of ones."""
    return sum(x)


def leading_ones(x):
    """Ones before the first zero."""
    count = 0
    for bit in x:
        if bit == 0:
            break
        count += 1
    return count


def trap(x, size, a, b, z):
    """Deb and Goldberg 1993, blocks of `size`: a (z - u) / z up to u = z ones, b (u - z) / (size - z) beyond."""
    total = 0.0
    for first in range(0, len(x), size):
        u = sum(x[first : first + size])
        total += a * (z - u) / z if u <= z else b * (u - z) / (size - z)
    return total


def royal_road(x, schemata):
    """Sum of the orders of the schemata, given as lists of loci, all of whose loci are 1."""
    return sum(len(loci) for loci in schemata if all(x[i] for i in loci))


def jump(x, m):
    """Droste, Jansen and Wegener 2002."""
    ones = sum(x)
    return m + ones if ones <= len(x) - m or ones == len(x) else len(x) - ones


def labs_energy(x):
    """Sum of the squares of the autocorrelations of the signs 2 x - 1."""
    s, energy = [2 * bit - 1 for bit in x], 0
    for k in range(1, len(x)):
        energy += sum(s[i] * s[i + k] for i in range(len(x) - k)) ** 2
    return energy


def spin_energy(x, couplings):
    """Minus the sum of J times a product of spins: couplings is a list of (J, sites)."""
    energy = 0.0
    for strength, sites in couplings:
        for i in sites:
            strength = strength if x[i] else -strength
        energy -= strength
    return energy


def lattice_bonds(side):
    """The bonds of a square lattice with periodic boundaries as pairs of sites, right and down for each site in turn."""
    for row in range(side):
        for column in range(side):
            here = row * side + column
            yield here, row * side + (column + 1) % side
            yield here, (row + 1) % side * side + column


def unsatisfied(x, clauses):
    """Clauses without a true literal: a clause is a list of (variable, wanted value)."""
    return sum(all(x[variable] != wanted for variable, wanted in clause) for clause in clauses)


def minus_log_fitness(x, effects, theta, width):
    """Of a trait of additive loci under Gaussian stabilising selection."""
    z = sum(a if bit else -a for a, bit in zip(effects, x, strict=True))
    return -math.log(math.exp(-((z - theta) ** 2) / (2 * width**2)))


def genotypes(n):
    """All of them."""
    return [list(x) for x in itertools.product((0, 1), repeat=n)]


def probability(x, p):
    """Of genotype x where locus i is 1 with chance p[i], independently."""
    return math.prod(q if bit else 1 - q for bit, q in zip(x, p, strict=True))
