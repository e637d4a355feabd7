"""The noise laws of RR-6869 in plain numpy, one evaluation at a time, from the definitions.

They import nothing of ours.
"""

import numpy as np


def gauss(f, beta, rng):
    return f * np.exp(beta * rng.standard_normal())


def uniform(f, alpha, beta, rng):
    return f * rng.random() ** beta * max(1.0, (1e9 / (f + 1e-99)) ** (alpha * rng.random()))


def cauchy(f, alpha, p, rng):
    jump = rng.standard_normal() / (abs(rng.standard_normal()) + 1e-199) if rng.random() < p else 0.0
    return f + alpha * max(0.0, 1000.0 + jump)


def seen(f, x, law, rng):
    """The noisy value of a gap f at x: noise only from 1e-8 on, penalty without noise."""
    penalty = 100 * sum(max(0.0, abs(v) - 5) ** 2 for v in x)
    return (f if f < 1e-8 else law(f, rng) + 1.01e-8) + penalty
