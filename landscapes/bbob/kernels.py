"""The serial loops behind BBOB instances, in numba: one thread, no fastmath, a fixed order of operations."""

import numpy as np
from numba import njit


@njit(cache=True)
def uniform(seed, out):
    """Fill out (N,) with the uniforms of BBOB 2009.

    Park and Miller's generator, shuffled (Bays and Durham), 1e-99 in place of 0.
    """
    table = np.empty(32, np.int64)
    state = max(1, abs(seed))
    for i in range(39, -1, -1):
        state = _next(state)
        if i < 32:
            table[i] = state
    shown = table[0]
    for n in range(len(out)):
        state = _next(state)
        slot = shown // 67108865
        shown = table[slot]
        table[slot] = state
        out[n] = shown / 2147483647 if shown else 1e-99


@njit(inline="always")
def _next(state):
    high = state // 127773
    state = 16807 * (state - high * 127773) - 2836 * high
    return state + 2147483647 if state < 0 else state


@njit(cache=True)
def orthonormalise(rows):
    """Gram and Schmidt's process on the rows of (D, D), in place, each earlier row taken off in turn."""
    size = len(rows)
    for i in range(size):
        for j in range(i):
            common = 0.0
            for d in range(size):
                common += rows[i, d] * rows[j, d]
            for d in range(size):
                rows[i, d] -= common * rows[j, d]
        square = 0.0
        for d in range(size):
            square += rows[i, d] * rows[i, d]
        length = np.sqrt(square)
        for d in range(size):
            rows[i, d] /= length
