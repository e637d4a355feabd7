"""Gradient descent on a quadratic: rates of convergence, and how large a step is stable."""

from __future__ import annotations

import math

import numpy as np


def gd_rate(condition: float) -> float:
    """Factor of the distance per step of tuned gradient descent: (k - 1) / (k + 1).

    Source: Polyak 1964; Nesterov 2004, "Introductory lectures on convex optimization", section 2.1.

    Range: a quadratic of condition number k, learning rate 2 / (smallest + largest curvature).
    """
    return (condition - 1) / (condition + 1)


def heavy_ball_rate(condition: float) -> float:
    """Factor of the distance per step of tuned heavy ball: (sqrt k - 1) / (sqrt k + 1).

    Source: Polyak 1964, USSR Comput. Math. Math. Phys. 4:1, section 3.

    Range: a quadratic, momentum `theory:heavy_ball_momentum`, learning rate (2 / (sqrt L + sqrt mu))^2; of
    many steps, since a single one has a factor t in front.
    """
    root = math.sqrt(condition)
    return (root - 1) / (root + 1)


def heavy_ball_momentum(condition: float) -> float:
    """Momentum at which heavy ball is fastest: [(sqrt k - 1) / (sqrt k + 1)]^2.

    Source: Polyak 1964, USSR Comput. Math. Math. Phys. 4:1, section 3.

    Range: a quadratic of condition number k.
    """
    return heavy_ball_rate(condition) ** 2


def nesterov_rate(condition: float) -> float:
    """Factor of the distance per step of Nesterov's method: 1 - 1 / sqrt k.

    Source: Nesterov 2004, "Introductory lectures on convex optimization", section 2.2.

    Range: a quadratic, learning rate 1 / (largest curvature), momentum (sqrt k - 1) / (sqrt k + 1).
    """
    return 1 - 1 / math.sqrt(condition)


def nesterov_steps(condition: float, dim: float, first: float = 1e-4, last: float = 1e-12) -> float:
    """Steps in which Nesterov's method takes the loss from one share of its start to another, by iteration.

    At the least curvature both roots of z^2 - (1 + b) (1 - 1 / k) z + b (1 - 1 / k) are 1 - 1 / sqrt k, so
    that the distance falls as t (1 - 1 / sqrt k)^t once the steeper axes are forgotten.

    Source: Nesterov 2004, "Introductory lectures on convex optimization", section 2.2.

    Range: curvatures 1 .. 1 / k evenly spaced in their logarithm, starts as far along each axis, learning
    rate 1, momentum b = (sqrt k - 1) / (sqrt k + 1).

    Args:
        condition: k > 1, the largest curvature over the smallest.
        dim: axes, >= 2.
        first: share of the loss at the start from which steps are counted, first > last.
        last: share at which the count ends, > 0.
    """
    beta, axes = heavy_ball_rate(condition), int(dim)
    curvature = condition ** -np.linspace(0.0, 1.0, axes)
    place, velocity, counted = np.ones(axes), np.zeros(axes), 0
    while (share := float(curvature @ place**2 / curvature.sum())) > last:
        velocity = beta * velocity + curvature * place
        place = place - (curvature * place + beta * velocity)
        counted += share <= first
    return counted


def momentum_rate(learning_rate: float, curvature: float = 1.0, momentum: float = 0.0) -> float:
    """Factor of the distance per step along one axis: the larger root of z^2 - (1 + b - e h) z + b.

    Source: Polyak 1964, USSR Comput. Math. Math. Phys. 4:1, section 3.

    Range: heavy ball x <- x - e h x + b (x - x_before) at the curvature h; momentum 0 is plain descent.
    """
    trace = 1 + momentum - learning_rate * curvature
    discriminant = trace**2 - 4 * momentum
    if discriminant < 0:
        return math.sqrt(momentum)
    return (abs(trace) + math.sqrt(discriminant)) / 2


def delay_limit(delay: float, curvature: float = 1.0) -> float:
    """Largest stable learning rate where gradients are late: 2 sin(pi / (2 (2 tau + 1))) / h.

    Source: the roots of z^(tau + 1) - z^tau + e h, one of which reaches the unit circle there.

    Range: a constant delay of tau >= 0 steps, plain descent at the largest curvature h.
    """
    return 2 * math.sin(math.pi / (2 * (2 * delay + 1))) / curvature


def mean_square_limit(curvature: float, curvature_variance: float, batch: float = 1.0) -> float:
    """Largest learning rate at which E x^2 does not grow: 2 h / (h^2 + v / B).

    Source: E (1 - e h_B)^2 = 1, h_B the mean curvature of a batch of B terms.

    Range: one dimension, terms h_i x^2 / 2 of mean curvature h and variance v, drawn with replacement.
    """
    return 2 * curvature / (curvature**2 + curvature_variance / batch)
