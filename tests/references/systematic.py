"""Naive loops beside selection without drift, and what the Price equation says of one step.

Imports nothing of ours.
"""

from itertools import product

GOLDEN = 1.32471795724474602596  # the root of g^3 = g + 1


def tournament_chances(value, size):
    """Every list of entrants once; the first of the best ones wins."""
    count = len(value)
    won = [0] * count
    for entrants in product(range(count), repeat=size):
        won[min(entrants, key=lambda i: value[i])] += 1
    return [w / count**size for w in won]


def offset(step, part):
    """Where the first pointer stands."""
    return step / GOLDEN ** (1 + part % 2) % 1


def systematic(value, chance, n, first):
    """Individuals lie on a line, from the best on, each as long as its chance.

    N pointers at equal distances fall on them.
    """
    total, parents = sum(chance), []
    for k in range(n):
        pointer, end = (k + first) / n * total, 0.0
        for i in sorted(range(len(value)), key=lambda j: value[j]):
            end += chance[i]
            if pointer < end:
                parents.append(i)
                break
    return parents


def r_squared(genotypes):
    """Mean r^2 over pairs of polymorphic loci, by counting gametes."""
    count, found = len(genotypes), []
    for a in range(len(genotypes[0])):
        for b in range(a):
            p, q = (sum(g[locus] for g in genotypes) / count for locus in (a, b))
            if 0 < p < 1 and 0 < q < 1:
                both = sum(1 for g in genotypes if g[a] == g[b] == 1) / count
                found.append((both - p * q) ** 2 / (p * (1 - p) * q * (1 - q)))
    return sum(found) / len(found) if found else float("nan")


def price(before, after, parents):
    """Cov(w, z) / w_mean and E(w dz) / w_mean of losses z before, each child's loss after, and the (first, second) parents of each child.

    A parent counts half; where both are the same one, whole.
    """
    count, w, moved = len(before), [0.0] * len(before), [0.0] * len(before)
    for child, pair in enumerate(parents):
        for parent in pair:
            w[parent] += 0.5
            moved[parent] += 0.5 * (after[child] - before[parent])
    mean_w, mean_z = sum(w) / count, sum(before) / count
    covariance = sum((a - mean_w) * (z - mean_z) for a, z in zip(w, before, strict=True)) / count
    return covariance / mean_w, sum(moved) / count / mean_w
