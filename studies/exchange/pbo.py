"""The pseudo-Boolean functions of IOHprofiler (PBO) as our landscapes on bits.

What is maximised there is a gap here.

    OneMax              n - y               onemax
    LeadingOnes         n - y               leading_ones
    ConcatenatedTrap    5 (n / 5 - y)       trap, blocks of 5, where 5 divides n: a block of u ones has 1 for
                                            u = 5, else (4 - u) / 5
    IsingRing           2 (n - y)           spin_glass, a ferromagnet on the ring: y counts equal neighbours,
                                            a broken coupling costs 2
    IsingTorus          2 (2 n - y)         spin_glass, a ferromagnet on the lattice, where the side is even
                                            and >= 4
    LABS                n^2 / (2 y) - E*    labs: y is the merit factor, E* the least energy (n <= 66; beyond,
                                            the energy itself)

`raw_y` of the logs is the function before an instance turns the bits around and scales the values, so one
formula holds for all instances; ours have another target. Functions whose maximum is known come in as gaps
under their own names; those that no table of ours knows as -y.

Doerr, Ye, Horesh, Wang, Shir, Baeck (2020), Benchmarking discrete optimization heuristics with IOHprofiler,
Applied Soft Computing 88.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from studies.exchange.specs import Spec

Values = Callable[[np.ndarray], np.ndarray]
TRAP = 5  # loci in a block of ConcatenatedTrap
# by the layers of W-model: what a layer leaves of n loci is the maximum
MAXIMA: dict[str, Callable[[int], float]] = {
    "Linear": lambda n: n * (n + 1) / 2,
    "Dummy1": lambda n: n // 2,
    "Dummy2": lambda n: math.floor(0.9 * n),
    "Neutrality": lambda n: n // 3,
    "Epistasis": lambda n: n,
    "Ruggedness1": lambda n: math.ceil(n / 2) + 1,
    "Ruggedness2": lambda n: n,
    "Ruggedness3": lambda n: n,
}


class Function(NamedTuple):
    """What a function of PBO is here."""

    landscape: Spec
    gap: Values  # of raw_y
    gap_known: bool = True  # whether the best loss is 0


def landscape(name: str, n: int) -> Function:
    """The landscape of a maximised function on n bits, and its loss from raw_y."""
    if name in OURS and FITS[name](n):
        return OURS[name](n)
    layer = name.removeprefix("OneMax").removeprefix("LeadingOnes")
    if layer in MAXIMA:
        best = MAXIMA[layer](n)
        return Function({"kind": name, "dim": n}, lambda y: best - y)
    return Function({"kind": name, "dim": n}, lambda y: -y, gap_known=False)


def _is_torus(n: int) -> bool:
    """Whether n bits are a square lattice of an even side, at least 4."""
    side = math.isqrt(n)
    return side * side == n and side % 2 == 0 and side >= 4


def _ferromagnet(n: int, graph: str) -> Spec:
    return {
        "kind": "spin_glass",
        "n": n,
        "graph": graph,
        "order": 2,
        "couplings": "ferromagnet",
    }


def _trap(n: int) -> Function:
    spec = {
        "kind": "trap",
        "n": n,
        "block": TRAP,
        "slope": 1.0,
    }
    return Function(spec, lambda y: np.round(n - TRAP * y))


def _labs(n: int) -> Function:
    least = _least_energy(n)
    return Function({"kind": "labs", "n": n}, lambda y: np.round(n * n / (2 * y)) - least, bool(least))


FITS: dict[str, Callable[[int], bool]] = {  # whether a landscape of ours has so many bits
    "OneMax": lambda n: True,
    "LeadingOnes": lambda n: True,
    "ConcatenatedTrap": lambda n: n % TRAP == 0,
    "IsingRing": lambda n: n >= 3,
    "IsingTorus": _is_torus,
    "LABS": lambda n: n >= 2,
}


OURS: dict[str, Callable[[int], Function]] = {
    "OneMax": lambda n: Function({"kind": "onemax", "n": n}, lambda y: n - y),
    "LeadingOnes": lambda n: Function({"kind": "leading_ones", "n": n}, lambda y: n - y),
    "ConcatenatedTrap": _trap,
    "IsingRing": lambda n: Function(_ferromagnet(n, "ring"), lambda y: 2 * (n - y)),
    "IsingTorus": lambda n: Function(_ferromagnet(n, "lattice"), lambda y: 2 * (2 * n - y)),
    "LABS": _labs,
}


def _least_energy(n: int) -> int:
    """Of a binary sequence of this length; 0 where it is not known."""
    from landscapes.binary.labs import OPTIMAL_RUNS

    if n > len(OPTIMAL_RUNS) + 1:
        return 0
    runs = [int(length, 36) for length in OPTIMAL_RUNS[n - 2]]
    return _energy(np.repeat([(-1) ** place for place in range(len(runs))], runs))


def _energy(signs: np.ndarray) -> int:
    """The sum of the squares of all autocorrelations of signs (n,)."""
    return sum(int(signs[:-lag] @ signs[lag:]) ** 2 for lag in range(1, len(signs)))
