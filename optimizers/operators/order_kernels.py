"""The loops that order a few points by their losses, in numba: one thread, no fastmath.

A sort of torch looks at each world with some ten calls; these compare every pair of a world's points, without
a branch.
"""

import numpy as np
from numba import njit


@njit(inline="always")
def _better(values, counts):
    # counts (P,) of the values (P,) that are lower than each
    counts[:] = 0
    for a in range(len(values)):
        other = values[a]
        for b in range(len(values)):
            counts[b] += np.int32(other < values[b])


@njit(cache=True)
def order(value, out):
    """Indices of values (R, P) from lowest to highest, NaN as inf, ties by index: out (R, P) int64."""
    size = value.shape[1]
    held, places = np.empty(size, value.dtype), np.empty(size, np.int32)
    for r in range(len(value)):
        for p in range(size):
            held[p] = np.inf if np.isnan(value[r, p]) else value[r, p]
        _better(held, places)
        if 2 * places.sum() < size * (size - 1):  # there are ties: they come one after another
            for b in range(1, size):
                for a in range(b):
                    places[b] += np.int32(held[a] == held[b])
        for p in range(size):
            out[r, places[p]] = p


@njit(cache=True)
def above(value, out):
    """How many of values (R, P), none NaN, are lower than each, less how many are higher: out (R, P)."""
    size = value.shape[1]
    lower, higher = np.empty(size, np.int32), np.empty(size, np.int32)
    for r in range(len(value)):
        _better(value[r], lower)
        if 2 * lower.sum() < size * (size - 1):  # there are ties
            _better(-value[r], higher)
            for p in range(size):
                out[r, p] = lower[p] - higher[p]
        else:
            for p in range(size):
                out[r, p] = 2 * lower[p] - (size - 1)
