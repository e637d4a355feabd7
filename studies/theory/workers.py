"""Workers in virtual time: waiting for the slowest, and gradients that come late.

The mean service of the kinds is that of `service`: exponential (scale), shifted exponential (offset + scale),
Pareto (from scale on, with the exponent shape).
"""

from __future__ import annotations

import math


def harmonic(n: float) -> float:
    """H_n = 1 + 1/2 + .. + 1/n.

    Source: Renyi 1953, Acta Math. Hung. 4:191: the mean of the largest of n exponentials of mean 1.

    Range: n a whole number >= 0.
    """
    return math.fsum(1 / k for k in range(1, int(n) + 1))


def barrier_time(
    workers: float, scale: float = 1.0, offset: float = 0.0, backups: float = 0.0
) -> float:
    """Mean time of a barrier that waits for all but b: t0 + m (H_W - H_b).

    Source: Renyi 1953, Acta Math. Hung. 4:191.

    Range: W services of t0 + an exponential of mean m; the b that are not waited for are among the W.

    Args:
        workers: W, >= 1.
        scale: m, mean of the exponential.
        offset: t0, >= 0.
        backups: b, 0 <= b < W.
    """
    return offset + scale * (harmonic(workers) - harmonic(backups))


def async_speed_up(workers: float, scale: float = 1.0, offset: float = 0.0) -> float:
    """Updates of waiting for none over those of waiting for all: (t0 + m H_W) / (t0 + m).

    Source: Renyi 1953, Acta Math. Hung. 4:191.

    Range: services of t0 + an exponential of mean m; H_W where t0 = 0.
    """
    return barrier_time(workers, scale, offset) / (offset + scale)


def pareto_speed_up(workers: float, shape: float) -> float:
    """The same of Pareto services: Gamma(W + 1) Gamma(1 - 1/a) / Gamma(W + 1 - 1/a) over its W = 1.

    Source: the mean of the largest of W; Arnold 1983, "Pareto distributions".

    Range: exponent a > 1.
    """

    def largest(n: float) -> float:
        return math.lgamma(n + 1) + math.lgamma(1 - 1 / shape) - math.lgamma(n + 1 - 1 / shape)

    return math.exp(largest(workers) - largest(1.0))


def staleness_mean(workers: float, slowdown: float = 1.0) -> float:
    """Updates since a gradient's worker last read: c (W - 1).

    Source: services tile the time of each worker; Mitliagkas, Zhang, Hadjis and Re 2016, Allerton.

    Range: all workers alike (c = 1, services of any law), or of the only one that is c times slower.
    """
    return slowdown * (workers - 1)


def staleness_variance(workers: float) -> float:
    """Variance of that number: W (W - 1).

    Source: it is geometric; Mitliagkas, Zhang, Hadjis and Re 2016, Allerton.

    Range: exponential services, all workers alike.
    """
    return workers * (workers - 1)


def staleness_momentum(workers: float) -> float:
    """Momentum that random staleness adds to the mean path: 1 - 1 / W.

    Source: Mitliagkas, Zhang, Hadjis and Re 2016, Allerton.

    Range: exponential services, a linear gradient.
    """
    return 1 - 1 / workers
