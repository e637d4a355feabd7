"""Measures of landscapes of bits, written down from their definitions, for a list f of the fitness of all 2^n genotypes. Imports nothing of ours."""

import itertools
import math
from collections import Counter

import numpy as np


def loci(f):
    return len(f).bit_length() - 1


def neighbours(f, x):
    return [x ^ (1 << i) for i in range(loci(f))]


def apart(x, y):
    return (x ^ y).bit_count()


def pearson(a, b):
    a, b = [v - sum(a) / len(a) for v in a], [v - sum(b) / len(b) for v in b]
    return sum(x * y for x, y in zip(a, b, strict=True)) / math.sqrt(
        sum(x * x for x in a) * sum(y * y for y in b)
    )


def ranks(a):
    return [sum(w < v for w in a) + sum(w == v for w in a) / 2 for v in a]


# peaks ------------------------------------------------------------------------------------------------------


def peaks(f):
    return sum(all(f[x] > f[y] for y in neighbours(f, x)) for x in range(len(f)))


def local_optima(f):
    return sum(all(f[x] >= f[y] for y in neighbours(f, x)) for x in range(len(f)))


def neutrality(f):
    return np.mean([f[x] == f[y] for x in range(len(f)) for y in neighbours(f, x)])


def evolvability(f):
    own = [np.mean([f[y] > f[x] for y in neighbours(f, x)]) for x in range(len(f))]
    share = [
        np.mean([own[y] for y in range(len(f)) if f[y] == f[x]])
        for x in sorted(range(len(f)), key=lambda x: f[x])
    ]
    return [part.mean() for part in np.array_split(share, min(10, len(f)))]


# effects ----------------------------------------------------------------------------------------------------


def all_effects(f):
    return [f[y] - f[x] for x in range(len(f)) for y in neighbours(f, x)]


def expected_improvement(f):
    return np.mean([max(e, 0) for e in all_effects(f)])


def effect_sd(f):
    return np.std(all_effects(f))


def dfe(f):
    return np.quantile(
        all_effects(f), [0.01, 0.05, 0.1, 0.25, 0.75, 0.9, 0.95, 0.99], method="inverted_cdf"
    )


def idiosyncratic_index(f):
    pairs = np.std([a - b for a in f for b in f])
    per_locus = [
        np.std([f[x | 1 << i] - f[x] for x in range(len(f)) if not x >> i & 1]) for i in range(loci(f))
    ]
    return np.mean(per_locus) / pairs


# epistasis --------------------------------------------------------------------------------------------------


def epistasis(f, kind):
    found = Counter()
    for x in range(len(f)):
        for i, j in itertools.combinations(range(loci(f)), 2):
            if x >> i & 1 or x >> j & 1:
                continue
            f00, f10, f01, f11 = f[x], f[x | 1 << i], f[x | 1 << j], f[x | 1 << i | 1 << j]
            changes = ((f10 - f00) * (f11 - f01) < 0) + ((f01 - f00) * (f11 - f10) < 0)
            found[
                "none"
                if abs(f11 + f00 - f10 - f01) < 1e-10
                else ("magnitude", "sign", "reciprocal")[changes]
            ] += 1
    return found[kind] / found.total()


def gamma(f, of=lambda effect: effect):
    n, above, below = loci(f), 0.0, 0.0
    for x, j, i in itertools.product(range(len(f)), range(n), range(n)):
        if i != j:
            here = of(f[x ^ 1 << j] - f[x])
            there = of(f[x ^ 1 << i ^ 1 << j] - f[x ^ 1 << i])
            above += here * there
            below += here * here
    return above / below


# spectrum ---------------------------------------------------------------------------------------------------


def coefficients(f):
    return [
        sum(v * (-1) ** (x & s).bit_count() for x, v in enumerate(f)) / len(f) for s in range(len(f))
    ]


def walsh_spectrum(f):
    power = [0.0] * (loci(f) + 1)
    for s, a in enumerate(coefficients(f)):
        power[s.bit_count()] += a * a
    return [p / sum(power[1:]) for p in power[1:]]


def autocorrelation(f):
    mean = sum(f) / len(f)
    centred = [v - mean for v in f]
    after, found = centred, []
    for _ in range(loci(f)):
        after = [np.mean([after[y] for y in neighbours(f, x)]) for x in range(len(f))]
        found.append(
            sum(a * b for a, b in zip(centred, after, strict=True)) / sum(a * a for a in centred)
        )
    return found


def correlation_length(f):
    return -1 / math.log(abs(autocorrelation(f)[0]))


def roughness_slope(f):
    design = [[1.0] + [float(x >> i & 1) for i in range(loci(f))] for x in range(len(f))]
    fit = np.linalg.lstsq(np.array(design), np.array(f))[0]
    return math.sqrt(np.mean((np.array(f) - design @ fit) ** 2)) / np.mean(np.abs(fit[1:]))


# the best genotype ------------------------------------------------------------------------------------------


def distances(f):
    best = [x for x in range(len(f)) if f[x] == max(f)]
    return [min(apart(x, b) for b in best) for x in range(len(f))]


def accessible_paths(f):
    return direct_paths(f, len(f) - 1 ^ f.index(max(f)), f.index(max(f)))


def direct_paths(f, start, goal):
    found = 0
    for order in itertools.permutations([i for i in range(loci(f)) if (start ^ goal) >> i & 1]):
        steps = list(itertools.accumulate(order, lambda x, i: x ^ 1 << i, initial=start))
        found += all(f[a] < f[b] for a, b in itertools.pairwise(steps))
    return found


def accessible_fraction(f):
    goal = f.index(max(f))
    shares = {d: [] for d in range(1, loci(f) + 1)}
    for x in range(len(f)):
        if x != goal:
            shares[apart(x, goal)].append(direct_paths(f, x, goal) / math.factorial(apart(x, goal)))
    return [np.mean(share) for share in shares.values()]


def reachable(f):
    def climbs(x):
        return f[x] == max(f) or any(climbs(y) for y in neighbours(f, x) if f[y] > f[x])

    return np.mean([climbs(x) for x in range(len(f))])


# climbs -----------------------------------------------------------------------------------------------------


def chances(f, x, rule):
    """Neighbour -> chance of the step."""
    gain = {y: f[y] - f[x] for y in neighbours(f, x) if f[y] > f[x]}
    if rule == "greedy" and gain:
        return {max(gain, key=gain.get): 1.0}
    weight = gain if rule == "proportional" else dict.fromkeys(gain, 1.0)
    return {y: w / sum(weight.values()) for y, w in weight.items()}


def length_from(f, x, rule):
    return sum(p * (1 + length_from(f, y, rule)) for y, p in chances(f, x, rule).items())


def ends_from(f, x, rule):
    """End -> chance."""
    if not (steps := chances(f, x, rule)):
        return Counter({x: 1.0})
    found = Counter()
    for y, p in steps.items():
        for end, q in ends_from(f, y, rule).items():
            found[end] += p * q
    return found


def walk_length(f, rule):
    return np.mean([length_from(f, x, rule) for x in range(len(f))])


def basin_sizes(f, rule):
    return sum((ends_from(f, x, rule) for x in range(len(f))), Counter())


def basin_best(f, rule):
    return sum(size for end, size in basin_sizes(f, rule).items() if f[end] == max(f)) / len(f)


# local optima network ---------------------------------------------------------------------------------------


def network(f, flips):
    """Nodes as frozensets of optima, and (node, node) -> weight."""
    end = [next(iter(ends_from(f, x, "greedy"))) for x in range(len(f))]
    optima, n = sorted(set(end)), loci(f)
    masks = [1 << i for i in range(n)] + (
        [1 << i | 1 << j for i, j in itertools.combinations(range(n), 2)] if flips == 2 else []
    )
    edges = Counter((a, end[a ^ mask]) for a in optima for mask in masks)
    group = {a: {a} for a in optima}
    for a, b in edges:
        if f[a] == f[b] and group[a] is not group[b]:
            group[a] |= group[b]
            for c in group[b]:
                group[c] = group[a]
    node = {a: frozenset(group[a]) for a in optima}
    between = Counter()
    for (a, b), weight in edges.items():
        if node[a] != node[b]:
            between[node[a], node[b]] += weight
    return set(node.values()), between


def funnels(f, part, flips=2):
    nodes, edges = network(f, flips)
    height = {node: f[min(node)] for node in nodes}
    up = {(a, b): weight for (a, b), weight in edges.items() if height[b] > height[a]}
    sinks = {node for node in nodes if not any(a == node for a, _ in up)}
    best = {node for node in sinks if height[node] == max(f)}
    if part == "edges":
        return len(edges)
    if part == "sinks":
        return len(sinks)
    if part == "strength":
        into = sum(weight for (_, b), weight in up.items() if b in sinks)
        return (
            sum(weight for (_, b), weight in up.items() if b in best) / into
            if into
            else len(best) / len(sinks)
        )

    def leads(node):
        return node in best or any(leads(b) for a, b in up if a == node)

    return np.mean([leads(node) for node in nodes])
