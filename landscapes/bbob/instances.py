"""What makes one BBOB instance: optimum, offset, rotations, peaks.

Numbers that follow from a seed, the same in every study.

Hansen, Finck, Ros and Auger (2009), "Real-parameter black-box optimization benchmarking 2009: noiseless
functions definitions", INRIA RR-6829, and the generator of the benchmark's code (COCO), which fixes the
digits: the seed of an instance is its function's number + 10^4 * instance. Points are rows, so a rotation is
applied as x @ rotation. All is float64 numpy.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from landscapes.bbob import kernels

# the largest instance number: seeds of larger ones would leave the range of the generator, 1 .. 2^31 - 2
LAST = 200_000
SHARED_SEEDS = {4: 3, 18: 17} | {  # function -> the function whose seeds it uses
    noisy: base
    for base, family in {
        1: (101, 102, 103, 107, 108, 109),
        7: (113, 114, 115),
        8: (104, 105, 106, 110, 111, 112),
        10: (116, 117, 118),
        14: (119, 120, 121),
        17: (122, 123, 124),
        19: (125, 126, 127),
        21: (128, 129, 130),
    }.items()
    for noisy in family
}
SECOND = 1_000_000  # added to the seed for an instance's second rotation


class Drawn(NamedTuple):
    """The tables of one instance; those that a function does not use are empty."""

    optimum: np.ndarray  # (D,)
    inner: np.ndarray = np.empty(0)  # (D, D) the map applied first
    outer: np.ndarray = np.empty(0)  # (D, D) the map applied after a distortion
    # (2, N, D) of Gaussian peaks: their places relative to the optimum, after the rotation, and the sharpness
    # along each axis
    peaks: np.ndarray = np.empty(0)


def seed_of(function: int, instance: int) -> int:
    """The seed of function 1 .. 24 or 101 .. 130, instance >= 1."""
    return SHARED_SEEDS.get(function, function) + 10_000 * instance


def uniform(seed: int, n: int) -> np.ndarray:
    """So many uniforms in (0, 1)."""
    out = np.empty(n)
    kernels.uniform(seed, out)
    return out


def normal(seed: int, n: int) -> np.ndarray:
    """So many standard normals, by Box and Muller; never 0."""
    u, v = uniform(seed, 2 * n).reshape(2, n)
    g = np.sqrt(-2 * np.log(u)) * np.cos(2 * np.pi * v)
    return np.where(g == 0, 1e-99, g)


def f_opt(function: int, instance: int) -> float:
    """The value at the optimum: a ratio of normals (Cauchy) times 100, to two decimals, within +-1000."""
    seed = seed_of(function, instance)
    ratio = float(normal(seed, 1)[0] / normal(seed + 1, 1)[0])
    return min(1000.0, max(-1000.0, math.floor(10_000 * ratio + 0.5) / 100))


def x_opt(seed: int, dim: int) -> np.ndarray:
    """(D,) uniform on [-4, 4], to four decimals, never 0."""
    x = 8 * np.floor(1e4 * uniform(seed, dim)) / 1e4 - 4
    return np.where(x == 0, -1e-5, x)


def rotation(seed: int, dim: int) -> np.ndarray:
    """(D, D) a random orthogonal matrix (Haar)."""
    rows = normal(seed, dim * dim).reshape(dim, dim)
    kernels.orthonormalise(rows)
    return rows


def ramp(dim: int) -> np.ndarray:
    """(D,) from 0 to 1."""
    return np.linspace(0, 1, dim)


# the kinds of instances: seed, dim -> Drawn -----------------------------------------------------------------


def shifted(seed: int, dim: int) -> Drawn:
    """An optimum alone."""
    return Drawn(x_opt(seed, dim))


def rotated(seed: int, dim: int) -> Drawn:
    """An optimum and a rotation."""
    return Drawn(x_opt(seed, dim), rotation(seed + SECOND, dim))


def scaled(condition: float) -> Callable[[int, int], Drawn]:
    """An optimum and one linear map: rotation, axes of ratio sqrt(condition), rotation."""
    return lambda seed, dim: Drawn(
        x_opt(seed, dim), _stretched(seed, dim, condition) @ rotation(seed + SECOND, dim)
    )


def rotated_scaled(condition: float) -> Callable[[int, int], Drawn]:
    """An optimum, a rotation, and after it the map of `scaled`."""

    def draw(seed: int, dim: int) -> Drawn:
        turn = rotation(seed + SECOND, dim)
        return Drawn(x_opt(seed, dim), turn, _stretched(seed, dim, condition) @ turn)

    return draw


def rotated_stretched(condition: float) -> Callable[[int, int], Drawn]:
    """An optimum, a rotation, and after it another one followed by axes of ratio sqrt(condition)."""
    return lambda seed, dim: Drawn(
        x_opt(seed, dim), rotation(seed + SECOND, dim), _stretched(seed, dim, condition)
    )


def stretched_rotated(condition: float) -> Callable[[int, int], Drawn]:
    """An optimum, a rotation followed by axes of ratio sqrt(condition), and another rotation."""
    return lambda seed, dim: Drawn(
        x_opt(seed, dim), _stretched(seed, dim, condition), rotation(seed + SECOND, dim)
    )


def _stretched(seed: int, dim: int, condition: float) -> np.ndarray:
    return rotation(seed, dim) * condition ** (ramp(dim) / 2)


# the odd ones out -------------------------------------------------------------------------------------------


def positive_at_odd_places(seed: int, dim: int) -> Drawn:
    """An optimum of which coordinates 1, 3, 5, .. are positive."""
    x = x_opt(seed, dim)
    x[::2] = np.abs(x[::2])
    return Drawn(x)


def corner(seed: int, dim: int) -> Drawn:
    """An optimum at a corner of the box."""
    return Drawn(5 * np.sign(x_opt(seed, dim)))


def inner_shifted(seed: int, dim: int) -> Drawn:
    """An optimum within [-3, 3]."""
    return Drawn(0.75 * x_opt(seed, dim))


def rotated_elsewhere(seed: int, dim: int) -> Drawn:
    """A rotation, and an optimum of the rotation's own seed."""
    return Drawn(x_opt(seed + SECOND, dim), rotation(seed + SECOND, dim))


def valley(seed: int, dim: int) -> Drawn:
    """A scaled rotation, and the point that it maps to (1/2, .., 1/2)."""
    scale = valley_scale(dim)
    turn = rotation(seed, dim)
    return Drawn(turn @ np.full(dim, 0.5) / scale, scale * turn)


def valley_scale(dim: int) -> float:
    """The factor by which the valleys of Rosenbrock's functions are narrowed."""
    return max(1.0, math.sqrt(dim) / 8)


def schwefel(seed: int, dim: int) -> Drawn:
    """An optimum of random signs."""
    return Drawn(np.where(uniform(seed, dim) < 0.5, -1.0, 1.0) * 4.2096874637 / 2)


def two_funnels(seed: int, dim: int) -> Drawn:
    """An optimum of random signs, and the map of `scaled` of condition 100."""
    return Drawn(np.sign(normal(seed, dim)) * 1.25, scaled(100.0)(seed, dim).inner)


def peaks(number: int, sharpest: float, spread: float) -> Callable[[int, int], Drawn]:
    """Gaussian peaks in one rotated frame.

    The first is the highest, of condition `sharpest`, the others' conditions are spread over 1 .. 1000.
    """

    def draw(seed: int, dim: int) -> Drawn:
        turn = rotation(seed, dim)
        place = spread * (10 * uniform(seed, dim * number).reshape(number, dim) - 5)
        place[0] *= 0.8
        conditions = np.append(
            sharpest, 1000 ** ramp(number - 1)[np.argsort(uniform(seed, number - 1))]
        )
        order = np.argsort([uniform(seed + 1000 * i, dim) for i in range(number)])
        axes = conditions[:, None] ** (ramp(dim) - 0.5)[order]
        return Drawn(place[0].copy(), turn, peaks=np.stack(((place - place[0]) @ turn, axes)))

    return draw
