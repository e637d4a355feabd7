"""Naive loops for schedules and steps that follow the observed noise; nothing of ours is imported."""

import math


def coupled(coupling, mu, rate, size):
    """The rate and the whole size, at most 2^31, when the multiplier is mu."""
    power = {
        "none": 0,
        "constant_variance": 2,
        "constant_temperature": 1,
        "grow": -1,
        "decay_and_grow": -2,
    }[coupling]
    real = size * mu**power if mu > 0 or power >= 0 else math.inf
    return (rate if coupling == "grow" else rate * mu), (
        2**31 if real > 2**31 else max(1, math.floor(real + 0.5))
    )


def descent(x, rates, slope):
    """Gradient descent from x with these rates; slope(d, x_d) is the derivative in coordinate d."""
    for rate in rates:
        x = [a - rate * slope(d, a) for d, a in enumerate(x)]
    return x


def step_factors(gradients, kind, tolerance=None, memory=10.0, long_memory=1000.0):
    """What multiplies the learning rate at each step, of one trajectory's gradients (lists)."""
    mean, variance, long, factors = [0.0] * len(gradients[0]), 0.0, 0.0, []
    for t, g in enumerate(gradients, 1):
        a, b = max(1 / memory, 1 / t), max(1 / long_memory, 1 / t)
        away = [p - q for p, q in zip(g, mean, strict=True)]
        variance = (1 - a) * (variance + a * sum(d * d for d in away) / len(away))
        mean = [q + a * d for q, d in zip(mean, away, strict=True)]
        long += b * (variance - long)
        if variance == 0:
            factors.append(1.0)
        elif kind == "clt":
            factors.append(1 - math.erfc(tolerance / math.sqrt(2 * variance)))
        else:
            factors.append(min(1.0, long / variance))
    return factors
