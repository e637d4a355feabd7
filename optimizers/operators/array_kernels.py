"""Loops over arrays of worlds and points, in numba: one thread."""

from numba import njit


@njit(cache=True)
def choose(keep, first, second, out):
    """Either of two words: first where keep is 1, else second; all (n,), keep uint8."""
    for i in range(len(out)):
        one, other = first[i], second[i]  # both are read, so that nothing branches
        out[i] = one if keep[i] else other
