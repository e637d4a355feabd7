"""Slow, readable references of the evolution strategies.

One world's generation by plain loops that import nothing of ours.

Points are lists of lists from best to worst; a distribution is a mean and a standard deviation, or a matrix,
as lists.
"""

import math


def nes_utilities(n):
    raw = [max(0.0, math.log(n / 2 + 1) - math.log(k)) for k in range(1, n + 1)]
    return [w / sum(raw) - 1 / n for w in raw]


def snes(points, mean, sigma, rate, sigma_rate):
    """-> mean, sigma."""
    u, n = nes_utilities(len(points)), len(mean)
    s = [[(x[d] - mean[d]) / sigma[d] for d in range(n)] for x in points]
    grad_mean = [sum(u[k] * s[k][d] for k in range(len(s))) for d in range(n)]
    grad_sigma = [sum(u[k] * (s[k][d] ** 2 - 1) for k in range(len(s))) for d in range(n)]
    new_mean = [mean[d] + rate * sigma[d] * grad_mean[d] for d in range(n)]
    return new_mean, [sigma[d] * math.exp(sigma_rate / 2 * grad_sigma[d]) for d in range(n)]


def one_plus_one(start, sigma, steps, loss, target, damping):
    """Parents and step sizes after each of the steps z."""
    parent, value, history = start, loss(start), []
    for z in steps:
        child = [x + sigma * e for x, e in zip(parent, z, strict=True)]
        won = loss(child) <= value
        if won:
            parent, value = child, loss(child)
        sigma *= math.exp(((1.0 if won else 0.0) - target) / damping)
        history.append((parent, sigma))
    return history


def separable_cma(generations, mean, sigma):
    """Hansen's equations with a diagonal C, from generations of ranked points -> mean, sigma, diagonal of C."""
    n, size = len(mean), len(generations[0])
    raw = [math.log((size + 1) / 2) - math.log(k) for k in range(1, size + 1)]
    up, down = [w for w in raw if w > 0], [w for w in raw if w <= 0]
    mu, minus = sum(up) ** 2 / sum(w * w for w in up), sum(down) ** 2 / sum(w * w for w in down)
    cs = (mu + 2) / (n + mu + 5)
    ds = 1 + 2 * max(0, math.sqrt((mu - 1) / (n + 1)) - 1) + cs
    cc = (4 + mu / n) / (n + 4 + 2 * mu / n)
    c1 = min(1, size / 6) * 2 / ((n + 1.3) ** 2 + mu) * (n + 2) / 3
    cmu = min(1 - c1, 2 * (mu - 2 + 1 / mu + 0.25) / ((n + 2) ** 2 + mu) * (n + 2) / 3)
    scale = min(1 + c1 / cmu, 1 + 2 * minus / (mu + 2), (1 - c1 - cmu) / (n * cmu))
    w = [v / sum(up) for v in up] + [scale * v / -sum(down) for v in down]
    length = math.sqrt(2) * math.gamma((n + 1) / 2) / math.gamma(n / 2)
    mean, c, ps, pc = list(mean), [1.0] * n, [0.0] * n, [0.0] * n
    for g, points in enumerate(generations):
        y = [[(x[d] - mean[d]) / sigma for d in range(n)] for x in points]
        shift = [sum(w[k] * y[k][d] for k in range(len(up))) for d in range(n)]
        ps = [
            (1 - cs) * ps[d] + math.sqrt(cs * (2 - cs) * mu) * shift[d] / math.sqrt(c[d])
            for d in range(n)
        ]
        norm = math.sqrt(sum(p * p for p in ps))
        h = 1 if norm / math.sqrt(1 - (1 - cs) ** (2 * (g + 1))) < (1.4 + 2 / (n + 1)) * length else 0
        pc = [(1 - cc) * pc[d] + h * math.sqrt(cc * (2 - cc) * mu) * shift[d] for d in range(n)]
        far = [sum(row[d] ** 2 / c[d] for d in range(n)) for row in y]
        cut = [w[k] if w[k] >= 0 else w[k] * n / (math.sqrt(far[k]) + 1e-9) ** 2 for k in range(size)]
        keep = 1 + c1 * (1 - h) * cc * (2 - cc) - c1 - cmu * sum(w)
        c = [
            keep * c[d] + c1 * pc[d] ** 2 + cmu * sum(cut[k] * y[k][d] ** 2 for k in range(size))
            for d in range(n)
        ]
        mean = [mean[d] + sigma * shift[d] for d in range(n)]
        sigma *= math.exp(min(1, cs / ds * (norm / length - 1)))
    return mean, sigma, c


def csa(generations, mean, sigma, weights):
    """Cumulative step-size adaptation, from generations of ranked points -> mean, sigma."""
    n, mu = len(mean), sum(weights) ** 2 / sum(w * w for w in weights)
    c = (mu + 2) / (n + mu + 5)
    d = 1 + c + 2 * max(0, math.sqrt((mu - 1) / (n + 1)) - 1)
    length = math.sqrt(2) * math.gamma((n + 1) / 2) / math.gamma(n / 2)
    path = [0.0] * n
    for points in generations:
        shift = [
            sum(w * (x[i] - mean[i]) / sigma for w, x in zip(weights, points, strict=False))
            for i in range(n)
        ]
        path = [(1 - c) * path[i] + math.sqrt(c * (2 - c) * mu) * shift[i] for i in range(n)]
        mean = [mean[i] + sigma * shift[i] for i in range(n)]
        sigma *= math.exp(c / d * (math.sqrt(sum(p * p for p in path)) / length - 1))
    return mean, sigma


def product(a, b):
    return [
        [sum(a[i][k] * b[k][j] for k in range(len(b))) for j in range(len(b[0]))] for i in range(len(a))
    ]


def exponential(a):
    """Exp of a matrix by its series."""
    n = len(a)
    total = term = [[float(i == j) for j in range(n)] for i in range(n)]
    for k in range(1, 40):
        term = [[v / k for v in row] for row in product(term, a)]
        total = [[x + y for x, y in zip(p, q, strict=True)] for p, q in zip(total, term, strict=True)]
    return total


def xnes(points, draws, mean, sigma, shape, rate, sigma_rate, shape_rate):
    """From ranked points and their draws s -> mean, sigma, B."""
    n, u = len(mean), nes_utilities(len(points))
    axes = range(n)
    delta = [sum(w * s[i] for w, s in zip(u, draws, strict=True)) for i in axes]
    grad = [
        [sum(w * (s[i] * s[j] - (i == j)) for w, s in zip(u, draws, strict=True)) for j in axes]
        for i in axes
    ]
    trace = sum(grad[i][i] for i in axes) / n
    step = exponential([[shape_rate / 2 * (grad[i][j] - trace * (i == j)) for j in axes] for i in axes])
    mean = [mean[i] + rate * sigma * sum(shape[i][j] * delta[j] for j in axes) for i in axes]
    return mean, sigma * math.exp(sigma_rate / 2 * trace), product(shape, step)


def pgpe(steps, up, down, mean, sigma, rate, sigma_rate, limit):
    """From the steps of pairs and their losses -> mean, sigma."""
    n, pairs = len(mean), range(len(steps))
    b = sum(up + down) / (2 * len(steps))
    slope = [sum(steps[i][d] * (up[i] - down[i]) / 2 for i in pairs) / len(steps) for d in range(n)]
    stretch = [
        sum((steps[i][d] ** 2 - sigma[d] ** 2) / sigma[d] * ((up[i] + down[i]) / 2 - b) for i in pairs)
        / len(steps)
        for d in range(n)
    ]
    change = [
        max(-limit * s, min(limit * s, sigma_rate * g)) for s, g in zip(sigma, stretch, strict=True)
    ]
    return [m - rate * g for m, g in zip(mean, slope, strict=True)], [
        s - c for s, c in zip(sigma, change, strict=True)
    ]


def cem(points, n, mean, sigma, alpha, added):
    """From ranked points, of which n are the elite -> mean, sigma."""
    new_mean, new_sigma = [], []
    for d in range(len(mean)):
        elite = [x[d] for x in points[:n]]
        center = sum(elite) / n
        spread = math.sqrt(sum((v - center) ** 2 for v in elite) / n)
        new_mean.append((1 - alpha) * mean[d] + alpha * center)
        new_sigma.append(math.sqrt(((1 - alpha) * sigma[d] + alpha * spread) ** 2 + added))
    return new_mean, new_sigma
