"""The loops of sums of products, in numba: one thread, no fastmath, a fixed order of sums.

`landscapes.binary.products` has each in plain torch too.

Throughout: x (1 | R, P, n) uint8, or real for an extension; reads (1 | R, M, k) int64, the factors of each
product, all of different loci; coefficients (1 | R, M); index (1 | R, 1 | P, B) int64, which products, and
their weight. An axis of length 1 serves every row. Factor i < n is the spin 2 x_i - 1; with `literals`, it is
x_i, and factor n + i is 1 - x_i.
"""

import numpy as np
from numba import njit

# points worked at a time: their factors stay in the cache, and the loops over them run in SIMD lanes
BLOCK = 128


@njit(cache=True)
def product_sums(x, literals, reads, coefficients, index, weight, out):
    """Weighted sums of products: out (R, P)."""
    points, loci = x.shape[1:]
    factors = np.empty((2 * loci if literals else loci, BLOCK), out.dtype)
    partial, total = np.empty(BLOCK, out.dtype), np.empty(BLOCK, out.dtype)
    for r in range(len(out)):
        x_of = x[r % len(x)]
        reads_of = reads[r % len(reads)]
        coefficients_of = coefficients[r % len(coefficients)]
        index_of, weight_of = index[r % len(index)], weight[r % len(weight)]
        for first in range(0, points, BLOCK):
            count = min(BLOCK, points - first)
            _fill(factors, x_of[first : first + count], literals)
            if len(index_of) > 1:
                own, weights = index_of[first : first + count], weight_of[first : first + count]
                _each_point(
                    factors, reads_of, coefficients_of, own, weights, out[r, first : first + count]
                )
                continue
            total[:] = 0
            _shared(
                factors, reads_of, coefficients_of, index_of[0], weight_of[0], partial, total, count
            )
            for p in range(count):
                out[r, first + p] = total[p]


@njit(cache=True)
def _fill(factors, x, literals):
    count, loci = x.shape
    one = factors.dtype.type(1)
    for i in range(loci):
        for p in range(count):
            value = factors.dtype.type(x[p, i])
            factors[i, p] = value if literals else value + value - one
            if literals:
                factors[loci + i, p] = one - value


@njit(cache=True)
def _shared(factors, reads, coefficients, index, weight, partial, total, count):
    """Products that all points share, one after the other, in loops over the points."""
    order = reads.shape[1]
    for t in range(len(index)):
        c = index[t]
        w = weight[t] * coefficients[c]
        a = factors[reads[c, 0]]
        if order == 2:
            b = factors[reads[c, 1]]
            for p in range(count):
                total[p] += w * a[p] * b[p]
        elif order == 3:
            b, d = factors[reads[c, 1]], factors[reads[c, 2]]
            for p in range(count):
                total[p] += w * a[p] * b[p] * d[p]
        else:
            for p in range(count):
                partial[p] = w * a[p]
            for j in range(1, order):
                b = factors[reads[c, j]]
                for p in range(count):
                    partial[p] *= b[p]
            for p in range(count):
                total[p] += partial[p]


@njit(cache=True)
def _each_point(factors, reads, coefficients, index, weight, out):
    for p in range(len(out)):
        out[p] = 0
        for b in range(index.shape[1]):
            c = index[p, b]
            term = weight[p, b] * coefficients[c]
            for j in range(reads.shape[1]):
                term *= factors[reads[c, j], p]
            out[p] += term


@njit(cache=True)
def product_slopes(x, literals, reads, coefficients, index, weight, out):
    """The derivatives of `product_sums` by x: out (R, P, n)."""
    points, loci = x.shape[1:]
    factors = np.empty((2 * loci if literals else loci, BLOCK), out.dtype)
    slopes = np.empty_like(factors)
    others = np.empty(BLOCK, out.dtype)
    for r in range(len(out)):
        x_of = x[r % len(x)]
        reads_of = reads[r % len(reads)]
        coefficients_of = coefficients[r % len(coefficients)]
        index_of, weight_of = index[r % len(index)], weight[r % len(weight)]
        for first in range(0, points, BLOCK):
            count = min(BLOCK, points - first)
            _fill(factors, x_of[first : first + count], literals)
            slopes[:] = 0
            alike = count if len(index_of) == 1 else 1  # points that share their products
            for start in range(0, count, alike):
                row = (first + start) % len(index_of)
                products = index_of[row], weight_of[row]
                _shared_slopes(
                    factors, reads_of, coefficients_of, *products, others, slopes, start, start + alike
                )
            for p in range(count):
                for i in range(loci):
                    out[r, first + p, i] = (
                        slopes[i, p] - slopes[loci + i, p] if literals else slopes[i, p] + slopes[i, p]
                    )


@njit(cache=True)
def _shared_slopes(factors, reads, coefficients, index, weight, others, slopes, start, stop):
    """Adds the derivatives of products by their factors, for points start .. stop - 1."""
    order = reads.shape[1]
    for t in range(len(index)):
        c = index[t]
        w = weight[t] * coefficients[c]
        for j in range(order):
            into = slopes[reads[c, j]]
            if order == 2:
                a = factors[reads[c, 1 - j]]
                for p in range(start, stop):
                    into[p] += w * a[p]
            elif order == 3:
                a, b = factors[reads[c, (j + 1) % 3]], factors[reads[c, (j + 2) % 3]]
                for p in range(start, stop):
                    into[p] += w * a[p] * b[p]
            else:
                others[start:stop] = w
                for k in range(1, order):
                    a = factors[reads[c, (j + k) % order]]
                    for p in range(start, stop):
                        others[p] *= a[p]
                for p in range(start, stop):
                    into[p] += others[p]


@njit(cache=True)
def walsh_hadamard(values):
    """In place, from coefficients of products of spins 2 x_i - 1 to their sums at all genotypes.

    A coefficient stands at the bits of its places: (2^n,).
    """
    half = 1
    while half < len(values):
        for first in range(0, len(values), 2 * half):
            for low in range(first, first + half):
                without, containing = values[low], values[low + half]
                values[low], values[low + half] = without - containing, without + containing
        half *= 2
