"""What the record of a step reads of its answers, in numba: one pass over the values of all worlds.

As operations of torch the same takes a dozen calls, each of which finds its code out of the cache.
"""

import numpy as np
from numba import njit


@njit(cache=True)
def lowest(values, low, place):
    """The lowest of values (R, P), inf where none is a number: low (R,) float64, and its first place (R,)."""
    for r in range(len(values)):
        low[r], place[r] = np.inf, 0
        for p in range(values.shape[1]):
            if values[r, p] < low[r]:
                low[r], place[r] = values[r, p], p


@njit(cache=True)
def improve(low, place, points, best, point, changed):
    """Worlds whose lowest value (R,) is below the best so far take it, and its point (R, D)."""
    for r in range(len(low)):
        if low[r] < best[r]:
            best[r], changed[r] = low[r], True
            point[r] = points[r, place[r]]
