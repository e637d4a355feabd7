"""Stochastic gradient descent at rest: how far the noise of gradients spreads it about a minimum.

`noise_scale` is the standard deviation of one term's gradient along each axis, so that a batch of B terms
has the variance noise_scale^2 / B.
"""

from __future__ import annotations

import math

import numpy as np
import scipy


def stationary_variance(
    learning_rate: float,
    noise_scale: float,
    curvature: float = 1.0,
    batch: float = 1.0,
    momentum: float = 0.0,
) -> float:
    """Variance of x along an axis: e s^2 (1 + b) / {B h (1 - b) [2 (1 + b) - e h]}.

    Source: Mandt, Hoffman and Blei 2017, JMLR 18, equation 13, for steps of any size and with momentum.

    Range: a quadratic, noise that does not depend on x, e h < 2 (1 + b); batches with replacement.

    Args:
        learning_rate: e, > 0.
        noise_scale: s, standard deviation of a term's gradient.
        curvature: h of the axis, > 0.
        batch: B, terms in a gradient.
        momentum: b of heavy ball, 0 <= b < 1.
    """
    push = learning_rate * noise_scale**2 / batch
    brake = curvature * (1 - momentum) * (2 * (1 + momentum) - learning_rate * curvature)
    return push * (1 + momentum) / brake


def stationary_loss(
    dim: float,
    learning_rate: float,
    noise_scale: float,
    batch: float = 1.0,
    momentum: float = 0.0,
    condition: float = 1.0,
    curvature: float = 1.0,
) -> float:
    """Mean loss of the kind quadratic: 1/2 sum over axes of h Var x, Var x as `theory:stationary_variance`.

    Source: Mandt, Hoffman and Blei 2017, JMLR 18, equation 13, for steps of any size.

    Range: spectrum log, noise isotropic, learning rate below 2 (1 + b) / curvature.

    Args:
        dim: D, axes.
        learning_rate: e, > 0.
        noise_scale: standard deviation of a term's gradient along each axis.
        batch: terms in a gradient, drawn with replacement.
        momentum: b of heavy ball, 0 <= b < 1.
        condition: largest over smallest curvature.
        curvature: the largest.
    """
    loss = 0.0
    for h in _log_spectrum(int(dim), condition, curvature):
        loss += h * stationary_variance(learning_rate, noise_scale, h, batch, momentum) / 2
    return loss


def _log_spectrum(dim: int, condition: float, curvature: float) -> list[float]:
    """Curvatures spaced evenly in their logarithm; of one axis the largest."""
    return [curvature * condition ** -(d / max(dim - 1, 1)) for d in range(dim)]


def delayed_variance(
    learning_rate: float,
    noise_scale: float,
    delay: float,
    curvature: float = 1.0,
    batch: float = 1.0,
) -> float:
    """Variance of x where gradients are tau steps late: S = A S A' + Q of the companion matrix A.

    Source: the discrete Lyapunov equation of (x_t, .., x_(t - tau)).

    Range: a quadratic in one dimension, a constant delay, e h below `theory:delay_limit`.

    Args:
        learning_rate: e, > 0.
        noise_scale: standard deviation of a term's gradient.
        delay: tau, steps, a whole number >= 0.
        curvature: h, > 0.
        batch: terms in a gradient, drawn with replacement.
    """
    from scipy.linalg import solve_discrete_lyapunov

    size = int(delay) + 1
    companion = np.eye(size, k=-1)
    companion[0, 0] = 1.0
    companion[0, -1] -= learning_rate * curvature
    push = np.zeros((size, size))
    push[0, 0] = learning_rate**2 * noise_scale**2 / batch
    return float(solve_discrete_lyapunov(companion, push)[0, 0])


def langevin_variance(
    learning_rate: float,
    temperature: float,
    curvature: float = 1.0,
    noise_scale: float = 0.0,
    batch: float = 1.0,
) -> float:
    """Variance of Langevin dynamics along an axis: (2 T + e s^2 / B) / [h (2 - e h)].

    Source: Welling and Teh 2011, ICML; here for steps of any size.

    Range: x <- x - e g + sqrt(2 e T) z on a quadratic, e h < 2. T / h is the target as e -> 0.

    Args:
        learning_rate: e, > 0.
        temperature: T, >= 0.
        curvature: h, > 0.
        noise_scale: standard deviation of a term's gradient.
        batch: terms in a gradient.
    """
    heat = 2 * temperature + learning_rate * noise_scale**2 / batch
    return heat / (curvature * (2 - learning_rate * curvature))


def sgd_temperature(learning_rate: float, noise_scale: float, batch: float = 1.0) -> float:
    """Temperature of stochastic gradient descent: e s^2 / (2 B).

    Source: Mandt, Hoffman and Blei 2017, JMLR 18, section 3.

    Range: small steps; time is learning rate times steps.
    """
    return learning_rate * noise_scale**2 / (2 * batch)


def batch_variance(noise_scale: float, batch: float, terms: float) -> float:
    """Variance of the mean of a batch drawn without replacement: (s^2 / B) (M - B) / (M - 1).

    Source: Cochran 1977, "Sampling techniques", theorem 2.2.

    Range: B of M terms, 1 <= B <= M, M > 1; s^2 is the variance over the terms, divided by M.
    """
    return noise_scale**2 / batch * (terms - batch) / (terms - 1)


def simple_noise_scale(noise_trace: float, gradient_squared: float) -> float:
    """Batch at which noise is as large as the gradient: tr S / |g|^2.

    Source: McCandlish, Kaplan and Amodei 2018, arXiv:1812.06162, section 2.2.

    Range: S the covariance of one term's gradient, g the mean gradient, at one place.
    """
    return noise_trace / gradient_squared


def fastest_batch(noise_batch: float, overhead: float, each: float, exponent: float = 1.0) -> float:
    """Batch that reaches a target soonest: k g B^(g + 1) = B_n (T_o + k (1 - g) B^g).

    At g = 1 it is sqrt(B_n T_o / k), and of a population the same with its noise scale.

    Source: least (1 + B_n / B) (T_o + k B^g), steps (McCandlish, Kaplan and Amodei 2018, arXiv:1812.06162,
        section 2.3) times the time of one.

    Range: learning rates that suit each batch; times of a step that follow T_o + k B^g there.

    Args:
        noise_batch: B_n, > 0.
        overhead: T_o, time of a step without examples, > 0.
        each: k, time of an example, > 0.
        exponent: g, > 0.
    """

    def excess(logarithm: float) -> float:
        power = each * math.exp(exponent * logarithm)
        slope = overhead + (1 - exponent) * power
        return exponent * power * math.exp(logarithm) - noise_batch * slope

    return math.exp(scipy.optimize.brentq(excess, -50.0, 50.0, xtol=1e-13))


def best_learning_rate(limit: float, noise_batch: float, batch: float) -> float:
    """Learning rate of the largest mean descent in a step: e_max / (1 + B_noise / B).

    Source: McCandlish, Kaplan and Amodei 2018, arXiv:1812.06162, section 2.2.

    Range: second order of the loss; e_max = |g|^2 / g'Hg, B_noise = tr(H S) / g'Hg.
    """
    return limit / (1 + noise_batch / batch)


def tracking_error(
    learning_rate: float,
    curvature: float = 1.0,
    noise_scale: float = 0.0,
    batch: float = 1.0,
    speed: float = 0.0,
    step: float = 0.0,
) -> float:
    """Mean squared distance to a moving optimum: (v / e h)^2 + (e^2 s^2 / B + w^2) / [e h (2 - e h)].

    Source: the fixed point of gap' = (1 - e h) gap - e g - (the optimum's step).

    Range: one axis of a quadratic, e h < 2, after many steps.

    Args:
        learning_rate: e, > 0.
        curvature: h, > 0.
        noise_scale: s, standard deviation of a term's gradient.
        batch: B, terms in a gradient.
        speed: v, of an optimum on a line, lengths a step.
        step: w, standard deviation of a step of an optimum on a random walk.
    """
    pull = learning_rate * curvature
    noise = learning_rate**2 * noise_scale**2 / batch + step**2
    return (speed / pull) ** 2 + noise / (pull * (2 - pull))


def scale_invariant_norm(learning_rate: float, weight_decay: float, gradient_norm: float) -> float:
    """Length of weights whose scale does not matter: [e g^2 / (l (2 - e l))]^(1/4).

    Source: Wan, Zhu, Zhang and Sun 2021, NeurIPS; here for steps of any size.

    Range: g = |gradient| at length 1, constant; weight decay l; after many steps.
    """
    damped = weight_decay * (2 - learning_rate * weight_decay)
    return (learning_rate * gradient_norm**2 / damped) ** 0.25


def scale_invariant_angle(learning_rate: float, weight_decay: float) -> float:
    """Angle that such weights turn in a step, in radians: sqrt(2 e l).

    Source: Wan, Zhu, Zhang and Sun 2021, NeurIPS.

    Range: small e l, after many steps.
    """
    return math.sqrt(2 * learning_rate * weight_decay)
