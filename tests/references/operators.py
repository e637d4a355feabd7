"""Slow, readable references of the operators.

Plain loops over one world's lists that import nothing of ours. Draws are arguments.
"""

import math


def tournament(value, entrants):
    parents = []
    for contest in entrants:
        winner = contest[0]
        for i in contest[1:]:
            if value[i] < value[winner]:
                winner = i
        parents.append(winner)
    return parents


def lost(value, opponents):
    """The share of each one's opponents who are better, ties counted half."""
    points = [
        [1.0 if value[j] < value[i] else 0.5 if value[j] == value[i] else 0.0 for j in met]
        for i, met in enumerate(opponents)
    ]
    return [sum(each) / len(each) for each in points]


def ordered(value):
    return sorted(range(len(value)), key=lambda i: (math.inf if math.isnan(value[i]) else value[i], i))


def truncation(value, fraction, uniforms):
    kept = ordered(value)[: max(1, math.ceil(round(fraction * len(value), 6)))]
    return [kept[int(u * len(kept))] for u in uniforms]


def fitness(value, kind, beta):
    w = [max(0.0, 1 - beta * v) if kind == "linear" else math.exp(-beta * v) for v in value]
    return w if sum(w) > 0 else [1.0] * len(value)


def proportional(weights, uniforms):
    parents = []
    for u in uniforms:
        target, total = u * sum(weights), 0.0
        for i, w in enumerate(weights):
            total += w
            if target < total:
                parents.append(i)
                break
    return parents


def centered_ranks(value):
    key = [math.inf if math.isnan(v) else v for v in value]
    n, ranks = len(key), []
    for v in key:
        places = [place for place, other in enumerate(sorted(key)) if other == v]
        ranks.append((sum(places) / len(places)) / (n - 1) - 0.5)
    return ranks


def uniform(first, second, coins):
    return [a if coin else b for a, b, coin in zip(first, second, coins, strict=True)]


def one_point(first, second, cut):
    return first[:cut] + second[cut:]


def two_point(first, second, a, b):
    child = list(first)
    for d in range(min(a, b), max(a, b)):
        child[d] = second[d]
    return child


def gaussian(point, sigma, normals, hits):
    return [x + sigma * z if hit else x for x, z, hit in zip(point, normals, hits, strict=True)]


def bit_flip(point, hits):
    return [1 - x if hit else x for x, hit in zip(point, hits, strict=True)]


def es_gradient(points, center, value, sigma):
    """1 / (P sigma) sum_i F_i e_i, with e_i = (x_i - m) / sigma."""
    total = [0.0] * len(center)
    for x, f in zip(points, value, strict=True):
        for d, m in enumerate(center):
            total[d] += f * (x[d] - m) / sigma
    return [t / (len(points) * sigma) for t in total]
