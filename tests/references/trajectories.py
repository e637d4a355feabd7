"""Naive loops of one world, one coordinate at a time; nothing of ours is imported."""

import math


def metropolis(x, proposals, uniforms, temperatures, loss):
    """The walk: points and acceptance after each step, given the displacements or flips as functions, the uniforms and the temperatures."""
    value, visited, accepted = loss(x), [], []
    for move, u, temperature in zip(proposals, uniforms, temperatures, strict=True):
        y = move(x)
        rise = loss(y) - value
        chance = 1.0 if rise <= 0 else (math.exp(-rise / temperature) if temperature > 0 else 0.0)
        accepted.append(u < chance)
        if u < chance:
            x, value = y, loss(y)
        visited.append(x)
    return visited, accepted


def spsa_gradient(loss, x, signs, width):
    """One pair's estimate of the gradient."""
    up = [a + width * s for a, s in zip(x, signs, strict=True)]
    down = [a - width * s for a, s in zip(x, signs, strict=True)]
    return [(loss(up) - loss(down)) / (2 * width * s) for s in signs]


def selection(frequencies, effects, strength):
    """Frequencies of 2^n genotypes after selection with fitness exp(-strength L), L the sum of the effects of the loci that are 1."""
    n = len(effects)
    genotypes = [[g >> i & 1 for i in range(n)] for g in range(2**n)]
    chance = [
        math.prod(p if b else 1 - p for p, b in zip(frequencies, g, strict=True)) for g in genotypes
    ]
    fitness = [
        math.exp(-strength * sum(e for e, b in zip(effects, g, strict=True) if b)) for g in genotypes
    ]
    total = sum(c * w for c, w in zip(chance, fitness, strict=True))
    return [
        sum(c * w for c, w, g in zip(chance, fitness, genotypes, strict=True) if g[i]) / total
        for i in range(n)
    ]


def bfgs_direction(slope, pairs):
    """-H g with the dense inverse BFGS matrix of the pairs (s, y), oldest first, from s.y / y.y of the newest times the identity."""
    n = len(slope)
    identity = [[float(i == j) for j in range(n)] for i in range(n)]

    def inner(a, b):
        return sum(p * q for p, q in zip(a, b, strict=True))

    def times(a, b):
        return [[sum(a[i][k] * b[k][j] for k in range(n)) for j in range(n)] for i in range(n)]

    s, y = pairs[-1]
    h = [[inner(s, y) / inner(y, y) * e for e in row] for row in identity]
    for s, y in pairs:
        rho = 1 / inner(s, y)
        left = [[identity[i][j] - rho * s[i] * y[j] for j in range(n)] for i in range(n)]
        h = times(times(left, h), [list(row) for row in zip(*left, strict=True)])
        h = [[h[i][j] + rho * s[i] * s[j] for j in range(n)] for i in range(n)]
    return [-inner(row, slope) for row in h]
