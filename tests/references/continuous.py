"""Slow, readable references of the continuous landscapes, loops written from the definitions.

They import nothing of ours.
"""

import math


def seen_from(x, place, columns):
    """Coordinates of x - place along the columns of a matrix (rows of numbers); None: along the axes."""
    away = [a - b for a, b in zip(x, place, strict=True)]
    if columns is None:
        return away
    return [sum(away[i] * columns[i][j] for i in range(len(away))) for j in range(len(away))]


def linear(slopes, index, weight, y):
    """Weighted sum of the linear functions g_i' y of a mini-batch."""
    return sum(
        w * sum(g * v for g, v in zip(slopes[i], y, strict=True))
        for i, w in zip(index, weight, strict=True)
    )


def double_well(u, others, barrier, tilt, stiffness):
    """Two wells in u = x_1 / width and a bowl; not yet the gap."""
    return barrier * (u * u - 1) ** 2 + tilt * u + stiffness / 2 * sum(v * v for v in others)


def barrier(x, height, distance, step, curvature):
    """Two parabolas, cut off between their bottoms, and the same parabola along all other axes."""
    lower, higher = curvature / 2 * x[0] ** 2, step + curvature / 2 * (x[0] - distance) ** 2
    wells = min(lower, higher)
    if 0 < x[0] < distance:
        wells = min(wells, step + height)
    return wells + curvature / 2 * sum(v * v for v in x[1:])


def saddle(y, curvatures, confinement):
    """1/2 sum h y^2, and a quartic along the directions of negative h; not yet the gap."""
    total = 0.0
    for v, h in zip(y, curvatures, strict=True):
        total += h / 2 * v * v
        if h < 0:
            total += confinement / 4 * v**4
    return total


def canyon(y, condition, curvature, bend, period):
    """A winding valley."""
    across = [y[1] - bend * math.sin(2 * math.pi * y[0] / period), *y[2:]]
    return curvature / 2 * (y[0] ** 2 / condition + sum(v * v for v in across))


def rosenbrock(x, steepness):
    """The chained form."""
    return sum(steepness * (x[i + 1] - x[i] ** 2) ** 2 + (1 - x[i]) ** 2 for i in range(len(x) - 1))


def cosine_rugged(y, curvature, amplitude, wavelength):
    """A bowl with ripples."""
    return sum(
        curvature / 2 * v * v + amplitude * (1 - math.cos(2 * math.pi * v / wavelength)) for v in y
    )


def fisher(x, optimum, columns, selection, mutation, width, epistasis):
    """Minus log-fitness: columns are of the transpose of the rotation from mutational axes to those of selection; eigenvalues, not roots."""
    moved = [math.sqrt(m) * (a - b) for a, b, m in zip(x, optimum, mutation, strict=True)]
    traits = seen_from(moved, [0.0] * len(x), columns)
    square = sum(s * z * z for s, z in zip(selection, traits, strict=True))
    return 0.5 * (math.sqrt(square) / width) ** epistasis
