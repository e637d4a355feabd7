"""The 24 noiseless functions of BBOB, by number: how an instance is drawn, and its value.

Hansen, Finck, Ros and Auger (2009), "Real-parameter black-box optimization benchmarking 2009: noiseless
functions definitions", INRIA RR-6829.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor

from landscapes.bbob import ill_conditioned, instances, moderate, multimodal, separable, weak_structure
from landscapes.bbob.instances import Drawn
from landscapes.bbob.tables import Tables


class Function(NamedTuple):
    """One function of the benchmark."""

    title: str
    draw: Callable[[int, int], Drawn]  # seed, dim -> the tables of an instance
    # x (R, P, D) -> (R, P), the gap to the optimum without the boundary penalty
    value: Callable[[Tensor, Tables], Tensor]
    penalty: float = 0.0  # times the squared distance from [-5, 5]^D


FUNCTIONS = {
    1: Function("sphere", instances.shifted, separable.sphere),
    2: Function("separable ellipsoid", instances.shifted, separable.separable_ellipsoid),
    3: Function("separable Rastrigin", instances.shifted, separable.separable_rastrigin),
    4: Function(
        "Bueche-Rastrigin", instances.positive_at_odd_places, separable.bueche_rastrigin, 100.0
    ),
    5: Function("linear slope", instances.corner, separable.linear_slope),
    6: Function("attractive sector", instances.scaled(10.0), moderate.attractive_sector),
    7: Function("step ellipsoid", instances.stretched_rotated(10.0), moderate.step_ellipsoid, 1.0),
    8: Function("Rosenbrock", instances.inner_shifted, moderate.rosenbrock),
    9: Function("rotated Rosenbrock", instances.valley, moderate.rotated_rosenbrock),
    10: Function("ellipsoid", instances.rotated, ill_conditioned.ellipsoid),
    11: Function("discus", instances.rotated, ill_conditioned.discus),
    12: Function("bent cigar", instances.rotated_elsewhere, ill_conditioned.bent_cigar),
    13: Function("sharp ridge", instances.scaled(10.0), ill_conditioned.sharp_ridge),
    14: Function("different powers", instances.rotated, ill_conditioned.different_powers),
    15: Function("Rastrigin", instances.rotated_scaled(10.0), multimodal.rotated_rastrigin),
    16: Function("Weierstrass", instances.rotated_scaled(0.01), multimodal.weierstrass),
    17: Function("Schaffers F7", instances.rotated_stretched(10.0), multimodal.schaffers, 10.0),
    18: Function(
        "Schaffers F7, ill-conditioned", instances.rotated_stretched(1000.0), multimodal.schaffers, 10.0
    ),
    19: Function("Griewank-Rosenbrock", instances.valley, multimodal.griewank_rosenbrock),
    20: Function("Schwefel", instances.schwefel, weak_structure.schwefel),
    21: Function(
        "Gallagher's 101 peaks", instances.peaks(101, 1000**0.5, 1.0), weak_structure.gallagher, 1.0
    ),
    22: Function(
        "Gallagher's 21 peaks", instances.peaks(21, 1000.0, 0.98), weak_structure.gallagher, 1.0
    ),
    23: Function("Katsuura", instances.scaled(100.0), weak_structure.katsuura, 1.0),
    24: Function("Lunacek's bi-Rastrigin", instances.two_funnels, weak_structure.lunacek, 1e4),
}
