"""Mean running times of simple searches on bits."""

from __future__ import annotations

import math


def ea_leading_ones(n: float, mutation_rate: float | None = None) -> float:
    """Mean steps of the (1+1)-EA on LeadingOnes: sum over i < n of 1 / (2 p (1 - p)^i).

    Source: Boettcher, Doerr and Neumann 2010, PPSN XI, theorem 3.

    Range: exact, from a random start; p null: 1 / n.
    """
    p = 1 / n if mutation_rate is None else mutation_rate
    return math.fsum(0.5 / (p * (1 - p) ** i) for i in range(int(n)))


def rls_onemax(n: float, missing: float | None = None) -> float:
    """Mean steps of randomized local search on OneMax: n H_m from m missing ones.

    Source: the coupon collector; Doerr and Doerr 2020, in "Theory of evolutionary computation".

    Range: exact; m null: none is there at the start.
    """
    count = n if missing is None else missing
    return n * math.fsum(1 / k for k in range(1, int(count) + 1))
