"""Naive loops of one world, one trajectory and one coordinate at a time; nothing of ours is imported."""

import math


def consensus_point(x, value, alpha):
    """The mean of x, a list of lists, weighted by exp(-alpha value).

    Losses that are no numbers weigh nothing.
    """
    finite = [v for v in value if math.isfinite(v)]
    weight = [math.exp(-alpha * (v - min(finite))) if math.isfinite(v) else 0.0 for v in value]
    return [
        sum(w * xi[d] for w, xi in zip(weight, x, strict=True) if w > 0) / sum(weight)
        for d in range(len(x[0]))
    ]


def consensus_step(x, value, z, alpha, drift, diffusion, dt, *, isotropic):
    """The particles after one step with normal draws z, a list of lists, and the consensus point."""
    v, moved = consensus_point(x, value, alpha), []
    for xi, zi in zip(x, z, strict=True):
        away = [a - b for a, b in zip(xi, v, strict=True)]
        reach = [math.sqrt(sum(a * a for a in away))] * len(v) if isotropic else away
        moved.append([
            a - drift * dt * b + diffusion * math.sqrt(dt) * c * n
            for a, b, c, n in zip(xi, away, reach, zi, strict=True)
        ])
    return moved, v


def heavy_ball(x, velocity, gradient, rate, beta):
    """One trajectory's point and velocity after a step."""
    velocity = [beta * v + g for v, g in zip(velocity, gradient, strict=True)]
    return [a - rate * v for a, v in zip(x, velocity, strict=True)], velocity


def crossed(held, order, keep):
    """Lists of coordinates after the pairs (order[k], order[half + k]) exchange those where keep[k] is False."""
    held, half = [list(h) for h in held], len(held) // 2
    for k in range(half):
        i, j = order[k], order[half + k]
        for d, stays in enumerate(keep[k]):
            if not stays:
                held[i][d], held[j][d] = held[j][d], held[i][d]
    return held


def pulled(held, pull):
    """Lists of coordinates, each pulled to the mean over the lists."""
    mean = [sum(h[d] for h in held) / len(held) for d in range(len(held[0]))]
    return [[a + pull * (m - a) for a, m in zip(h, mean, strict=True)] for h in held]


def exploit(value, copied, picks):
    """Whom each trajectory goes on from.

    The worst `copied` from the best that their pick, a place among the best, names.
    """
    ranked = sorted(
        range(len(value)), key=lambda i: (math.inf if math.isnan(value[i]) else value[i], i)
    )
    source = list(range(len(value)))
    for i in ranked[len(value) - copied :]:
        source[i] = ranked[picks[i]]
    return source
