"""Slow, readable references for landscapes that are tables over genotypes.

Plain Python, importing nothing of ours.
"""

import itertools
import math

MASK = 2**32 - 1


def philox(counter, key):
    """Philox4x32-10 (Salmon et al. 2011): four words of counter, two of key -> four words."""
    a, b, c, d = counter
    k, m = key
    for _ in range(10):
        p, q = a * 0xD2511F53, c * 0xCD9E8D57
        a, b, c, d = (q >> 32) ^ b ^ k, q & MASK, (p >> 32) ^ d ^ m, p & MASK
        k, m = (k + 0x9E3779B9) & MASK, (m + 0xBB67AE85) & MASK
    return a, b, c, d


def hashed_words(address, words):
    """The block of a sequence of words: address is (seed, world, step, source and part, redraw)."""
    seed, world, step, source, redraw = address
    block = philox((words[0], step, source, redraw), (seed, world))
    for place, word in enumerate(words[1:], start=1):
        block = philox((word, place, block[2], block[3]), (block[0], block[1]))
    return block


def hashed_uniform(address, words):
    """53 bits, on [0, 1)."""
    a, b, _, _ = hashed_words(address, words)
    return ((a << 21) | (b >> 11)) / 2**53


def hashed_normal(address, words):
    """Box and Muller's transform; the three lowest bits of the last word choose the octant."""
    a, b, c, d = hashed_words(address, words)
    radius = math.sqrt(-2 * math.log1p(-((a << 21) | (b >> 11)) / 2**53))
    angle = math.pi / 4 * ((c << 21) | (d >> 11)) / 2**53
    x = math.sin(angle) if d & 4 else math.cos(angle)
    return radius * (-x if d & 2 else x)


def words_of(genotype):
    """32 bits to a word, the first bit the lowest."""
    return [
        sum(int(bit) << i for i, bit in enumerate(genotype[first : first + 32]))
        for first in range(0, len(genotype), 32)
    ]


def table_value(address, genotype, law):
    """The value of a random table."""
    if law == "normal":
        return hashed_normal(address, words_of(genotype))
    u = hashed_uniform(address, words_of(genotype))
    return {"uniform": u, "exponential": -math.log1p(-u), "gumbel": -math.log(-math.log(u))}[law]


def rough_slope(genotype, reference, effects, noise):
    """Rough Mount Fuji."""
    return noise - sum(
        c for bit, target, c in zip(genotype, reference, effects, strict=True) if bit != target
    )


def valley_fitness(genotype, width, depth, advantage, order, off_path):
    """1, 1 - depth on the way, 1 + advantage with all width + 1 mutations."""
    loci = list(genotype[: width + 1])
    mutations = sum(loci)
    if order == "fixed" and loci != [1] * mutations + [0] * (width + 1 - mutations):
        return off_path
    if mutations == 0:
        return 1.0
    return 1 + advantage if mutations == width + 1 else 1 - depth


def mean_over_genotypes(function, p):
    """The mean of function(genotype) when locus i is 1 with probability p[i], independently."""
    total = 0.0
    for genotype in itertools.product((0, 1), repeat=len(p)):
        total += function(genotype) * math.prod(
            q if bit else 1 - q for bit, q in zip(genotype, p, strict=True)
        )
    return total


def uphill_orders(fitness, n):
    """How many of the n! orders of all mutations raise fitness[genotype as text] at every step."""
    count = 0
    for order in itertools.permutations(range(n)):
        genotype, rising = ["0"] * n, True
        for locus in order:
            before = fitness["".join(genotype)]
            genotype[locus] = "1"
            rising = rising and fitness["".join(genotype)] > before
        count += rising
    return count
