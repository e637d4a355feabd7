"""The loops of NK landscapes, in numba: one thread, no fastmath, a fixed order of sums.

`landscapes.binary.nk` has each in plain torch too.

Throughout: reads (1 | R, n, k + 1) int64, the loci whose bits a locus' table reads, the lowest bit of the
entry first; table (1 | R, n, 2^(k + 1)); index (1 | R, 1 | P, B) int64 loci, and their weight. An axis of
length 1 serves every row.
"""

import numpy as np
from numba import njit


@njit(cache=True)
def nk_values(x, reads, table, index, weight, out):
    """Weighted sums of contributions: x (1 | R, P, n) uint8, out (R, P)."""
    points, loci = x.shape[1:]
    bits = np.empty((loci, points), np.uint8)
    entry, total = np.empty(points, np.int32), np.empty(points, out.dtype)
    for r in range(len(out)):
        bits_of, reads_of, table_of = x[r % len(x)], reads[r % len(reads)], table[r % len(table)]
        index_of, weight_of = index[r % len(index)], weight[r % len(weight)]
        if len(index_of) != 1:
            _nk_each_point(bits_of, reads_of, table_of, index_of, weight_of, out[r])
            continue
        for i in range(loci):  # locus-major, so that the loops over points below run in SIMD lanes
            for p in range(points):
                bits[i, p] = bits_of[p, i]
        total[:] = 0
        for b in range(index_of.shape[1]):
            i, w = index_of[0, b], weight_of[0, b]
            read = bits[reads_of[i, 0]]
            for p in range(points):
                entry[p] = read[p]
            for j in range(1, reads_of.shape[1]):
                read = bits[reads_of[i, j]]
                for p in range(points):
                    entry[p] |= np.int32(read[p]) << j
            row = table_of[i]
            for p in range(points):
                total[p] += w * row[entry[p]]
        for p in range(points):
            out[r, p] = total[p]


@njit(inline="always")
def _nk_each_point(bits, reads, table, index, weight, out):
    for p in range(len(out)):
        out[p] = 0
        for b in range(index.shape[1]):
            i = index[p, b]
            entry = np.int64(bits[p, reads[i, 0]])
            for j in range(1, reads.shape[1]):
                entry |= np.int64(bits[p, reads[i, j]]) << j
            out[p] += weight[p, b] * table[i, entry]


@njit(cache=True)
def nk_extension(x, reads, table, index, weight, out, slope):
    """The multilinear extension of `nk_values` at x (R, P, n) in [0, 1], to out (R, P).

    Slope (R, P, n) takes its gradient; (0, 0, 0): not wanted.

    A table is contracted from its highest bit down, T'(s) = T(0s) + q (T(1s) - T(0s)), and the adjoint goes
    the same way back: 2^(k + 1) operations for the value and as many for the gradient.
    """
    size, order = table.shape[2], reads.shape[2]
    level = np.empty(2 * size, table.dtype)  # level[s : 2 s] holds the table contracted to s entries
    adjoint, change = np.empty(size, table.dtype), np.empty(size, table.dtype)
    for r in range(len(out)):
        reads_of, table_of = reads[r % len(reads)], table[r % len(table)]
        index_of, weight_of = index[r % len(index)], weight[r % len(weight)]
        for p in range(x.shape[1]):
            q, total = x[r, p], table.dtype.type(0)
            rows = p % len(index_of)
            if len(slope):
                slope[r, p] = 0
            for b in range(index_of.shape[1]):
                i, w = index_of[rows, b], weight_of[rows, b]
                for s in range(size):
                    level[size + s] = table_of[i, s]
                half = size // 2
                for j in range(order - 1, -1, -1):
                    a = q[reads_of[i, j]]
                    for s in range(half):
                        low = level[2 * half + s]
                        level[half + s] = low + a * (level[3 * half + s] - low)
                    half //= 2
                total += w * level[1]
                if not len(slope):
                    continue
                adjoint[0] = w
                half = 1
                for j in range(order):
                    a = q[reads_of[i, j]]
                    for s in range(half):
                        change[s] = adjoint[s] * (level[3 * half + s] - level[2 * half + s])
                    width = half
                    while width > 1:  # summed by halves: a running sum would not use SIMD lanes
                        width //= 2
                        for s in range(width):
                            change[s] += change[width + s]
                    slope[r, p, reads_of[i, j]] += change[0]
                    if j + 1 < order:
                        for s in range(half):
                            adjoint[half + s] = adjoint[s] * a
                            adjoint[s] -= adjoint[half + s]
                    half *= 2
            out[r, p] = total


@njit(cache=True)
def nk_ring(table, order, out):
    """The best genotype where locus i reads itself and the next `order` loci of a ring.

    Table (n, 2^(order + 1)), out (n,) uint8.

    The bits of the first `order` loci are held fixed and the rest follows by dynamic programming (Weinberger
    1996, "NP completeness of Kauffman's N-k model", Santa Fe Institute), for each of the 2^order beginnings,
    the most promising first: an open chain, whose end need not match its beginning, bounds what a beginning
    can reach; where the bound is below the best found, the search ends.
    """
    n, states = len(table), 1 << order
    ahead = np.zeros((
        n + 1,
        states,
    ))  # the best sum of loci i .. n - 1, given the bits of loci i .. i + order - 1
    for i in range(n - 1, -1, -1):
        _nk_step(table[i], ahead[i + 1], ahead[i], states)
    bound = ahead[0].copy()
    best = -np.inf
    for _ in range(states):
        start = np.argmax(bound)
        if bound[start] * (1 + 1e-12) <= best:
            break
        bound[start] = -np.inf
        ahead[n] = 0
        for i in range(
            n - 1, n - order - 1, -1
        ):  # these loci read the beginning: their last bit is known
            bit = (start >> (i + order - n)) & 1
            for s in range(states):
                entry = s | bit << order
                ahead[i, s] = table[i, entry] + ahead[i + 1, entry >> 1]
        for i in range(n - order - 1, -1, -1):
            _nk_step(table[i], ahead[i + 1], ahead[i], states)
        if ahead[0, start] > best:
            best = ahead[0, start]
            for j in range(order):
                out[j] = (start >> j) & 1
            s = start
            for i in range(n - order):
                low, high = s, s | states
                out[i + order] = (
                    table[i, high] + ahead[i + 1, high >> 1] > table[i, low] + ahead[i + 1, low >> 1]
                )
                s = (high if out[i + order] else low) >> 1


@njit(inline="always")
def _nk_step(row, after, out, states):
    for s in range(states):
        out[s] = max(row[s] + after[s >> 1], row[s | states] + after[(s | states) >> 1])
