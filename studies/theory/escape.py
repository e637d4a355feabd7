"""Escape over a barrier by noise: the kind double_well.

Time is learning rate times steps. T is the temperature of Langevin dynamics, or `theory:sgd_temperature`.
"""

from __future__ import annotations

import math

import numpy as np
import scipy

FINE = 40_001  # places of the integrals


def kramers(
    barrier: float, temperature: float, well_curvature: float, saddle_curvature: float
) -> float:
    """Mean time to leave a well: 2 pi / sqrt(a b) e^(h / T).

    Source: Kramers 1940, Physica 7:284.

    Range: T well below h; at h = 2.5 T it is 18 % short of the exact time to the other well.

    Args:
        barrier: h, height of the saddle above the well, in units of the loss.
        temperature: T, > 0.
        well_curvature: a, of the loss in the well, > 0.
        saddle_curvature: b, minus that at the saddle, > 0.
    """
    return 2 * math.pi / math.sqrt(well_curvature * saddle_curvature) * math.exp(barrier / temperature)


def double_well_time(barrier: float, width: float, temperature: float) -> float:
    """Kramers' time of the kind double_well without tilt: curvatures 8 h / w^2 and 4 h / w^2.

    Source: Kramers 1940, Physica 7:284.

    Range: tilt 0, T well below the barrier.
    """
    steep = 4 * barrier / width**2
    return kramers(barrier, temperature, 2 * steep, steep)


def double_well_passage(barrier: float, width: float, temperature: float) -> float:
    """Exact mean time from one well to the other: 1/T int e^(L(y)/T) int^y e^(-L(z)/T) dz dy.

    Source: Gardiner 2009, "Stochastic methods", section 5.5.

    Range: tilt 0, any T; the limit of small steps.
    """
    y = np.linspace(-4 * width, width, FINE)
    height = barrier * ((y / width) ** 2 - 1) ** 2 / temperature
    weight = scipy.integrate.cumulative_simpson(np.exp(-height), x=y, initial=0)
    later = y >= -width
    return (
        float(scipy.integrate.simpson(np.exp(height[later]) * weight[later], x=y[later])) / temperature
    )
