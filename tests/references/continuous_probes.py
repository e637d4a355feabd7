"""Slow, readable references of the continuous probes in plain Python: loops written from the definitions.

They import nothing of ours.
"""

import math


def autocorrelation(walks, lag):
    """Of walks, lists of losses: the mean product of deviations `lag` steps apart over the mean square deviation, about one mean."""
    values = [f for walk in walks for f in walk]
    mean = sum(values) / len(values)
    variance = sum((f - mean) ** 2 for f in values) / len(values)
    products = [
        (walk[t] - mean) * (walk[t + lag] - mean) for walk in walks for t in range(len(walk) - lag)
    ]
    return sum(products) / len(products) / variance


def falls_to(curve, at, level):
    """Where a curve first falls to a level, between its points linear."""
    for k in range(1, len(curve)):
        if curve[k] <= level:
            return at[k - 1] + (at[k] - at[k - 1]) * (curve[k - 1] - level) / (curve[k - 1] - curve[k])
    return math.inf


def pearson(a, b):
    """Correlation of two lists."""
    mean_a, mean_b = sum(a) / len(a), sum(b) / len(b)
    covariance = sum((x - mean_a) * (y - mean_b) for x, y in zip(a, b, strict=True))
    return covariance / math.sqrt(sum((x - mean_a) ** 2 for x in a) * sum((y - mean_b) ** 2 for y in b))


def ranks(values):
    """Rank of each value from 1, equal ones share the mean of theirs."""
    return [
        sum(other < value for other in values) + (sum(other == value for other in values) + 1) / 2
        for value in values
    ]


def dispersion(points, losses, fraction):
    """Mean distance between the best points over that between all points."""
    order = sorted(range(len(points)), key=lambda i: losses[i])
    best = [points[i] for i in order[: max(2, round(fraction * len(points)))]]

    def mean_distance(some):
        pairs = [math.dist(some[i], some[j]) for i in range(len(some)) for j in range(i)]
        return sum(pairs) / len(pairs)

    return mean_distance(best) / mean_distance(points)


def symbols(slopes, eps):
    """1, 0 or -1 for each slope."""
    return [1 if s > eps else -1 if s < -eps else 0 for s in slopes]


def information_content(walks, eps):
    """Entropy to base 6 of pairs of different neighbouring symbols; the walks are lists of slopes."""
    pairs = [
        pair
        for slopes in walks
        for pair in zip(symbols(slopes, eps)[:-1], symbols(slopes, eps)[1:], strict=True)
    ]
    total = 0.0
    for p in (-1, 0, 1):
        for q in (-1, 0, 1):
            share = sum(pair == (p, q) for pair in pairs) / len(pairs)
            if p != q and share > 0:
                total -= share * math.log(share) / math.log(6)
    return total


def partial_information_content(walks, eps):
    """Mean over walks of the number of symbols that are left when zeros and then repeats are struck out, over all."""
    shares = []
    for slopes in walks:
        left = []
        for symbol in symbols(slopes, eps):
            if symbol != 0 and (not left or left[-1] != symbol):
                left.append(symbol)
        shares.append(len(left) / len(slopes))
    return sum(shares) / len(shares)


def minima(values):
    """Valleys of a sequence: places, or flat stretches, with a higher value at both ends."""
    count, start = 0, 0
    while start < len(values):
        end = start
        while end + 1 < len(values) and values[end + 1] == values[start]:
            end += 1
        count += (
            start > 0
            and end + 1 < len(values)
            and values[start - 1] > values[start]
            and values[end + 1] > values[end]
        )
        start = end + 1
    return count


def noise_scale(gradients):
    """Noise over signal: tr Sigma / |G|^2 of the gradients of all terms, Sigma with the normaliser M."""
    count, dim = len(gradients), len(gradients[0])
    mean = [sum(g[i] for g in gradients) / count for i in range(dim)]
    trace = sum((g[i] - mean[i]) ** 2 for g in gradients for i in range(dim)) / count
    return trace / sum(m * m for m in mean)
