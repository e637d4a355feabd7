"""Slow, readable references in plain Python and numpy: loops written from the definitions.

They import nothing of ours.
"""

import itertools
import math

import numpy as np

# landscapes -------------------------------------------------------------------------------------------------


def nk_fitness(genotype, reads, table):
    """Mean contribution of n loci.

    Genotype of n bits, reads[i] the loci that locus i reads, table[i] its contributions, lowest bit first.
    """
    total = 0.0
    for i in range(len(table)):
        entry = 0
        for j, locus in enumerate(reads[i]):
            entry += int(genotype[locus]) * 2**j
        total += float(table[i][entry])
    return total / len(table)


def nk_extension(p, reads, table):
    """Mean fitness of all genotypes, each weighted by its probability when locus i is 1 with probability p[i], independently."""
    total = 0.0
    for genotype in itertools.product((0, 1), repeat=len(p)):
        probability = 1.0
        for bit, q in zip(genotype, p, strict=True):
            probability *= q if bit else 1 - q
        total += probability * nk_fitness(genotype, reads, table)
    return total


def nk_optimum(reads, table):
    """The highest fitness of all genotypes."""
    return max(
        nk_fitness(genotype, reads, table) for genotype in itertools.product((0, 1), repeat=len(table))
    )


def quadratic(x, hessian, optimum):
    """1/2 (x - x*)' H (x - x*)."""
    y = [a - b for a, b in zip(x, optimum, strict=True)]
    return 0.5 * sum(y[i] * hessian[i][j] * y[j] for i in range(len(y)) for j in range(len(y)))


def fourier_field(x, vectors, phases, amplitude, bowl):
    """A bowl plus waves: vectors[m] are already divided by the correlation length."""
    waves = 0.0
    for w, phase in zip(vectors, phases, strict=True):
        waves += math.cos(sum(a * b for a, b in zip(w, x, strict=True)) + phase)
    return bowl / 2 * sum(a * a for a in x) / len(x) + amplitude * math.sqrt(2 / len(vectors)) * waves


def network_loss(x, images, labels, hidden, classes, activation):
    """Mean cross-entropy of a network with one hidden layer.

    X holds W1 (hidden, pixels), b1, W2 (classes, hidden), b2 in this order.
    """
    pixels = len(images[0])
    cuts = np.cumsum([hidden * pixels, hidden, classes * hidden])
    w1, b1, w2, b2 = np.split(np.asarray(x, np.float64), cuts)
    w1, w2 = w1.reshape(hidden, pixels), w2.reshape(classes, hidden)
    total = 0.0
    for image, label in zip(images, labels, strict=True):
        units = []
        for h in range(hidden):
            z = b1[h] + sum(w1[h, i] * image[i] for i in range(pixels))
            units.append(math.tanh(z) if activation == "tanh" else max(z, 0.0))
        logits = [b2[c] + sum(w2[c, h] * units[h] for h in range(hidden)) for c in range(classes)]
        total += math.log(sum(math.exp(z) for z in logits)) - logits[label]
    return total / len(images)


def finite_difference(function, x, step=1e-6):
    """Central differences of a scalar function at x (D,)."""
    slope = np.empty(len(x))
    for i in range(len(x)):
        up, down = np.array(x, np.float64), np.array(x, np.float64)
        up[i] += step
        down[i] -= step
        slope[i] = (function(up) - function(down)) / (2 * step)
    return slope
