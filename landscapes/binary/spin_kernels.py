"""The ground state of spins on a square lattice, in numba."""

import numpy as np
from numba import njit


@njit(cache=True)
def lattice_ground(coupling, out):
    """A best configuration of spins on an L x L lattice with periodic boundaries.

    Coupling (L, L, 2) to the right and down, out (L, L) uint8.

    The first row is held fixed and the spins below follow one by one by dynamic programming over the spins of
    a row (a transfer matrix), for each first row up to the flip of all spins, the most promising first: a
    lattice whose last row need not meet the first bounds what a first row can reach; where the bound is not
    above the best found, the search ends. At most L^2 2^(2L - 1) steps.
    """
    side = len(coupling)
    states = 1 << side
    along = np.zeros((side, states))  # what a row gains in itself
    for row in range(side):
        for state in range(states):
            for column in range(side):
                along[row, state] += (
                    coupling[row, column, 0] * _spin(state, column) * _spin(state, (column + 1) % side)
                )
    came = np.empty((side, side, states), np.uint8)
    bound, best = _reach(coupling, along, along[0].copy(), came), -np.inf
    for _ in range(states):
        first = np.argmax(bound)
        if bound[first] <= best:
            break
        bound[first] = -np.inf
        if first >> (side - 1):  # its flip is the same
            continue
        gain = np.full(states, -np.inf)
        gain[first] = along[0, first]
        gain = _reach(coupling, along, gain, came)
        if gain[first] > best:
            best = gain[first]
            _trace(came, first, out)


@njit(inline="always")
def _spin(state, column):
    return 2.0 * ((state >> column) & 1) - 1.0


@njit(cache=True)
def _reach(coupling, along, gain, came):
    """The most that all rows gain, given the row that follows: gain (2^L,), given row 0 -> (2^L,).

    `came` notes the spin above each spin.
    """
    side, states = along.shape
    after = np.empty(states)
    for row in range(side):
        for column in range(side):
            bond, flip = coupling[row, column, 1], 1 << column
            for state in range(states):
                same, other = gain[state] + bond, gain[state ^ flip] - bond
                after[state] = max(same, other)
                above = state if same >= other else state ^ flip
                came[row, column, state] = (above >> column) & 1
            gain, after = after, gain
        if row + 1 < side:
            for state in range(states):
                gain[state] += along[row + 1, state]
    return gain


@njit(inline="always")
def _trace(came, state, out):
    side = len(out)
    for row in range(side - 1, -1, -1):
        for column in range(side - 1, -1, -1):
            above = came[row, column, state]
            state = state & ~(1 << column) | (np.int64(above) << column)
            out[row, column] = above
