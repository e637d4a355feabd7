"""The loops of the probes of binary landscapes, in numba: one thread, no fastmath, a fixed order of sums.

The tests have each as a naive loop.

Throughout: values (2^n,) float64, the fitness of all genotypes of one world; bit i of an index is locus i.
Genotypes are neighbours where one bit differs.
"""

import numpy as np
from numba import njit

RANDOM, GREEDY, PROPORTIONAL = 0, 1, 2  # climbs


@njit(cache=True)
def merge(ordered, width):
    """In place: ascending values within `width` of the first of their group become equal to it."""
    first = ordered[0]
    for k in range(1, len(ordered)):
        if ordered[k] - first <= width:
            ordered[k] = first
        else:
            first = ordered[k]


@njit(cache=True)
def neighbours(values, loci, fitter, equal):
    """How many neighbours of each genotype are fitter, and how many as fit."""
    for x in range(len(values)):
        up, level = 0, 0
        for i in range(loci):
            other = values[x ^ (1 << i)]
            up += other > values[x]
            level += other == values[x]
        fitter[x], equal[x] = up, level


@njit(cache=True)
def squares(values, loci, width, counts, sums):
    """Count none, magnitude, sign and reciprocal sign epistasis over all squares of two loci.

    And add to the sums for gamma.

    An effect of one locus has a value on either background of the other; sums gets the products of these two
    values, the products of their signs, and the sums of their squares and of their squared signs, halved.
    Epistasis within `width` is none.
    """
    for j in range(loci):
        for i in range(j):
            a, b = 1 << i, 1 << j
            for k in range(len(values) // 4):
                x = (k >> i << (i + 1)) | (k & (a - 1))
                x = (x >> j << (j + 1)) | (x & (b - 1))
                low, high = values[x | a] - values[x], values[x | a | b] - values[x | b]  # of locus i
                left, right = values[x | b] - values[x], values[x | a | b] - values[x | a]  # of locus j
                kind = 1 + (low * high < 0) + (left * right < 0)
                counts[kind if abs(high - low) > width else 0] += 1
                sums[0] += low * high + left * right
                sums[1] += np.sign(low) * np.sign(high) + np.sign(left) * np.sign(right)
                sums[2] += 0.5 * (low * low + high * high + left * left + right * right)
                sums[3] += 0.5 * ((low != 0) + (high != 0) + (left != 0) + (right != 0))


@njit(inline="always")
def _chance(values, x, i, rule):
    """Weight of the step from x over locus i, under a rule that is not greedy."""
    gain = values[x ^ (1 << i)] - values[x]
    if gain <= 0:
        return 0.0
    return 1.0 if rule == RANDOM else gain


@njit(inline="always")
def _fittest(values, x, loci):
    """The fittest neighbour of x, over the lowest locus of several, or x itself where none is fitter."""
    best = x
    for i in range(loci):
        y = x ^ (1 << i)
        if values[y] > values[best]:
            best = y
    return best


@njit(cache=True)
def spread(values, order, loci, rule, mass):
    """In place: the mass that starts at each genotype climbs until no neighbour is fitter.

    It divides in proportion to the chances of the steps.

    Order: genotypes by ascending fitness. What stays behind in mass is, on the way, how often a climb comes
    through; at its ends, how many end there.
    """
    weight = np.empty(loci)
    for x in order:
        if rule == GREEDY:
            best = _fittest(values, x, loci)
            if best != x:
                mass[best] += mass[x]
            continue
        total = 0.0
        for i in range(loci):
            weight[i] = _chance(values, x, i, rule)
            total += weight[i]
        for i in range(loci):
            if weight[i] > 0:
                mass[x ^ (1 << i)] += mass[x] * (weight[i] / total)


@njit(cache=True)
def ends(values, order, loci, end):
    """The genotype at which the greedy climb from each genotype ends; order as in `spread`."""
    for x in order[::-1]:
        best = _fittest(values, x, loci)
        end[x] = x if best == x else end[best]


@njit(cache=True)
def reachable(values, order, loci, reached):
    """In place: which genotypes can climb to one that is marked, by any steps to fitter neighbours.

    Order as in `spread`.
    """
    for x in order[::-1]:
        for i in range(loci):
            y = x ^ (1 << i)
            if values[y] > values[x] and reached[y]:
                reached[x] = True


@njit(cache=True)
def direct_paths(values, loci, goal, paths):
    """Shortest paths from each genotype to the goal on which every step is fitter, by genotype ^ goal."""
    paths[0] = 1
    for apart in range(1, len(values)):
        x, total = apart ^ goal, 0.0
        for i in range(loci):
            if apart >> i & 1 and values[x ^ (1 << i)] > values[x]:
                total += paths[apart ^ (1 << i)]
        paths[apart] = total


@njit(cache=True)
def pair_sums(words, values, loci, sums):
    """Sums of the products of values by Hamming distance, of each genotype of a sample with all others.

    Words (M, W) uint32, the bits of genotypes; values (M,); sums (M, loci + 1).
    """
    for a in range(len(values)):
        for b in range(a):
            distance = 0
            for w in range(words.shape[1]):
                v = words[a, w] ^ words[b, w]
                v = v - ((v >> 1) & np.uint32(0x55555555))
                v = (v & np.uint32(0x33333333)) + ((v >> 2) & np.uint32(0x33333333))
                v = (v + (v >> 4)) & np.uint32(0x0F0F0F0F)
                distance += int((v * np.uint32(0x01010101)) >> 24 & np.uint32(0xFF))
            product = values[a] * values[b]
            sums[a, distance] += product
            sums[b, distance] += product
