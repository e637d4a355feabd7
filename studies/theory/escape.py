"""Escape over a barrier: the kinds double_well and barrier.

T is the temperature of Langevin dynamics, or `theory:sgd_temperature`. Where a law does not say steps or
generations, time is learning rate times steps.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import scipy
from scipy.special import ndtr

FINE = 40_001  # places of the integrals
REACH = 6.0  # standard deviations at which a chain ends
DEAD = 16.0  # minus the logarithm of the fitness at which it ends
NODES = 8  # places of a chain in each part, and as many more as it is long
STEADY = 1e-5  # change of a rate from one generation to the next that is none


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


# the kind barrier -------------------------------------------------------------------------------------------


def barrier_kramers(
    height: float, distance: float, step: float, temperature: float, curvature: float = 1.0
) -> float:
    """Kramers' time over a flat barrier: sqrt(2 pi / (k T)) f e^(h / T), f the width of its top.

    Source: Kramers 1940, Physica 7:284; Gardiner 2009, "Stochastic methods", section 5.5.

    Range: one direction; T well below the height h, and the top wider than sqrt(T / k).

    Args:
        height: h, of the barrier above the well that is left.
        distance: between the bottoms of the wells.
        step: s, height of that well above the other.
        temperature: T, > 0.
        curvature: k, of both wells.
    """
    rims = math.sqrt(2 / curvature) * (math.sqrt(height) + math.sqrt(height + step))
    well = math.sqrt(2 * math.pi / (curvature * temperature))
    return well * (distance - rims) * math.exp(height / temperature)


def barrier_steps(
    height: float,
    distance: float,
    step: float,
    temperature: float,
    learning_rate: float,
    curvature: float = 1.0,
) -> float:
    """Mean steps of SGD over a flat barrier, until it is lower than it began: t = 1 + P t of its chain P.

    Source: the absorbing chain in Kemeny and Snell 1960, "Finite Markov chains"; one step is normal.

    Range: exact for one direction, normal noise and a step s > 0; steps shorter than the lower well is wide.

    Args:
        height: of the barrier above the well that is left.
        distance: between the bottoms of the wells.
        step: s, height of that well above the other.
        temperature: learning rate times the variance of the gradient's noise, over 2.
        learning_rate: of SGD.
        curvature: of both wells.
    """
    wells = _Wells(height, distance, step, curvature)
    noise = math.sqrt(2 * temperature * learning_rate)
    last = distance + REACH * math.sqrt(temperature / curvature)
    x, weight = _nodes([wells.end, *wells.rims, distance, last], noise / 2)
    later = x - learning_rate * wells.slope(x)
    chances = _normal(x - later[:, None], noise) * weight
    times = np.linalg.solve(np.eye(len(x)) - chances, np.ones(len(x)))
    return 1 + float(_normal(x - distance, noise) * weight @ times)


def barrier_generations(
    height: float,
    distance: float,
    step: float,
    population: float,
    mutation_rate: float,
    mutation_sigma: float,
    selection_strength: float,
    curvature: float = 1.0,
) -> float:
    """Mean generations until a population over a flat barrier bears one that is fitter than all began.

    1 + sum over t of prod (1 - births that arrive): each generation mutates by N(0, m^2) with chance u, and
    is selected by e^(-beta L). That is jumps of the whole distance, and tunnelling, where a lineage on the
    barrier mutates again before it dies.

    Source: Weissman, Desai, Fisher and Feldman 2009, Theor. Popul. Biol. 75:286, for tunnelling; here every
    number of mutations, as in the quasispecies of Eigen 1971.

    Range: one direction; haploids without recombination, large N; those between wells are less fit.

    Args:
        height: of the barrier above the well that is left.
        distance: between the bottoms of the wells.
        step: height of that well above the other.
        population: N.
        mutation_rate: u, the chance that a child mutates.
        mutation_sigma: m, standard deviation of a mutation.
        selection_strength: beta, of the fitness e^(-beta L).
        curvature: k, of both wells.
    """
    wells = _Wells(height, distance, step, curvature)
    x, weight = _places(wells, mutation_sigma, selection_strength)
    fitness = np.exp(-selection_strength * (wells.loss(x) - step))
    far, near = ((x + sign * wells.end) / mutation_sigma for sign in (1, -1))
    arrive = mutation_rate * (ndtr(far) - ndtr(near))
    moves = mutation_rate * _normal(x[:, None] - x, mutation_sigma) * weight
    moves[:, 0] = 0.0
    moves += (1 - mutation_rate) * np.eye(len(x))
    share = np.eye(len(x))[0]
    time, left, before = 1.0, 1.0, math.inf
    while left > STEADY:
        time += left
        parents = share * fitness / (share * fitness).sum()
        rate = float(parents @ arrive)
        stay = (1 - rate) ** population
        left *= stay
        if abs(rate - before) < STEADY * rate:
            return time + left / (1 - stay)
        share, before = parents @ moves, rate
        share = share / share.sum()
    return time


class _Wells(NamedTuple):
    """The kind barrier, along its first axis."""

    height: float
    distance: float
    step: float
    curvature: float

    @property
    def end(self) -> float:
        """How far from the bottom of the lower well the loss is that of the higher one."""
        return math.sqrt(2 * self.step / self.curvature)

    @property
    def rims(self) -> tuple[float, float]:
        """Where the top begins and ends."""
        lower, higher = (
            math.sqrt(2 * rise / self.curvature) for rise in (self.height + self.step, self.height)
        )
        return lower, self.distance - higher

    def loss(self, x: np.ndarray) -> np.ndarray:
        """Height above the bottom of the lower well."""
        lower, upper = self.rims
        away = np.where(x > lower, x - self.distance, x)
        wells = self.curvature * away * away / 2 + self.step * (x > lower)
        return np.where((x > lower) & (x < upper), self.step + self.height, wells)

    def slope(self, x: np.ndarray) -> np.ndarray:
        """Its derivative."""
        lower, upper = self.rims
        away = np.where(x > lower, x - self.distance, x)
        return np.where((x > lower) & (x < upper), 0.0, self.curvature * away)


def _places(
    wells: _Wells, mutation_sigma: float, selection_strength: float
) -> tuple[np.ndarray, np.ndarray]:
    """Where less fit ones live, the bottom of the higher well first, which has no width."""
    scale = 1 / math.sqrt(selection_strength * wells.curvature)
    side = min(REACH * mutation_sigma, math.sqrt(2 * DEAD) * scale)
    cell = min(mutation_sigma, scale) / 2
    left = _nodes([-wells.end - side, -wells.end], cell)
    right = _nodes([wells.end, *wells.rims, wells.distance, wells.distance + side], cell)
    first = np.array([[wells.distance], [0.0]])
    x, weight = np.concatenate([first, left, right], axis=1)
    return x, weight


def _nodes(ends: Sequence[float], cell: float) -> np.ndarray:
    """Places and weights (2, M) of Gauss and Legendre's rule, in each part between two ends."""
    parts = []
    for low, high in itertools.pairwise(ends):
        at, weight = np.polynomial.legendre.leggauss(NODES + math.ceil((high - low) / cell))
        parts.append([(high + low + (high - low) * at) / 2, (high - low) / 2 * weight])
    return np.concatenate(parts, axis=1)


def _normal(x: np.ndarray, deviation: float) -> np.ndarray:
    """The density of the normal law."""
    return np.exp(-x * x / (2 * deviation**2)) / (deviation * math.sqrt(2 * math.pi))
