"""The draws of `landscapes.streams` in numba: one thread, no fastmath, a fixed order of operations.

Random words are Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011: "Parallel random numbers: as easy as 1, 2,
3", SC11). The logarithm, sine and cosine of the Box-Muller transform are fdlibm's and Cephes' polynomials, so
that they are the same bits on every machine; `landscapes.streams` holds the same definition in plain torch
for other devices, and a test compares the two.

Every row kernel takes `key` (R, 5) uint64: the columns are seed, world, step, source and part, redraw.
"""

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

LN2_HIGH, LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
LOG = (
    0.14798198605116586,
    0.15313837699209373,
    0.1818357216161805,
    0.22222198432149784,
    0.2857142874366239,
    0.3999999999940942,
    0.6666666666666735,
)
SIN = (
    1.58969099521155010221e-10,
    -2.50507602534068634195e-08,
    2.75573137070700676789e-06,
    -1.98412698298579493134e-04,
    8.33333333332248946124e-03,
    -1.66666666666666324348e-01,
)
COS = (
    -1.13596475577881948265e-11,
    2.08757232129817482790e-09,
    -2.75573143513906633035e-07,
    2.48015872894767294178e-05,
    -1.38888888888741095749e-03,
    4.16666666666666019037e-02,
)
LOG32 = (
    7.0376836292e-2,
    -1.1514610310e-1,
    1.1676998740e-1,
    -1.2420140846e-1,
    1.4249322787e-1,
    -1.6668057665e-1,
    2.0000714765e-1,
    -2.4999993993e-1,
    3.3333331174e-1,
)
SIN32 = (-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1)
EIGHTH_TURN = 0.7853981633974483  # pi / 4
COS32 = (2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2)
LN2_HIGH32, LN2_LOW32 = 0.693359375, -2.12194440e-4
HALF_ROOT_BITS = 0x3FE6A09E667F3BCD  # sqrt(1/2): the log's argument is scaled into [sqrt(1/2), sqrt(2))
HALF_ROOT_BITS32 = 0x3F3504F3
TIES = 2**31  # the block where the lower bits of `below` begin
CHUNK = 512  # blocks of four words worked at a time: they stay in the first-level cache

_F = np.float32
_LOG32, _SIN32, _COS32 = (tuple(_F(c) for c in t) for t in (LOG32, SIN32, COS32))
_M0, _M1, _W0, _W1, _LOW = (
    np.uint64(c) for c in (0xD2511F53, 0xCD9E8D57, 0x9E3779B9, 0xBB67AE85, 0xFFFFFFFF)
)
_U32, _U11, _U52 = (np.uint64(c) for c in (32, 11, 52))


@intrinsic
def _as_float(context, bits):  # the float64 with these bits
    return types.float64(types.uint64), lambda ctx, b, sig, args: b.bitcast(args[0], ir.DoubleType())


@intrinsic
def _as_bits(context, value):
    return types.uint64(types.float64), lambda ctx, b, sig, args: b.bitcast(args[0], ir.IntType(64))


@intrinsic
def _as_float32(context, bits):
    return types.float32(types.uint32), lambda ctx, b, sig, args: b.bitcast(args[0], ir.FloatType())


@intrinsic
def _as_bits32(context, value):
    return types.uint32(types.float32), lambda ctx, b, sig, args: b.bitcast(args[0], ir.IntType(32))


@njit(inline="always")
def _philox(block, step, source, redraw, seed, world):
    a, b, c, d, k, m = block, step, source, redraw, seed, world
    for _ in range(10):
        p, q = a * _M0, c * _M1
        a, b, c, d = (q >> _U32) ^ b ^ k, q & _LOW, (p >> _U32) ^ d ^ m, p & _LOW
        k, m = (k + _W0) & _LOW, (m + _W1) & _LOW
    return a, b, c, d


@njit(inline="always")
def _unit(high, low):
    # 53-bit uniform on [0, 1); the bit patterns are 2^52 + word, since AVX2 has no uint64 -> double
    h = _as_float(np.uint64(0x4330000000000000) | high) - 4503599627370496.0
    g = _as_float(np.uint64(0x4330000000000000) | (low >> _U11)) - 4503599627370496.0
    return h * 2.0**-32 + g * 2.0**-53


@njit(inline="always")
def _log(u):
    t = _as_bits(u) - np.uint64(HALF_ROOT_BITS) + np.uint64(0x3FF0000000000000)
    e = t >> _U52
    k = _as_float(np.uint64(0x4330000000000000) | e) - (4503599627370496.0 + 1023.0)
    f = _as_float((t & np.uint64(0xFFFFFFFFFFFFF)) + np.uint64(HALF_ROOT_BITS)) - 1.0
    s = f / (2.0 + f)
    z = s * s
    r = z * (
        LOG[6] + z * (LOG[5] + z * (LOG[4] + z * (LOG[3] + z * (LOG[2] + z * (LOG[1] + z * LOG[0])))))
    )
    h = 0.5 * f * f
    return k * LN2_HIGH - ((h - (s * (h + r) + k * LN2_LOW)) - f)


@njit(inline="always")
def _log32(u):
    t = np.uint32(_as_bits32(u) - np.uint32(HALF_ROOT_BITS32) + np.uint32(0x3F800000))
    k = _F(np.int32(t >> np.uint32(23)) - np.int32(127))
    f = _as_float32(np.uint32((t & np.uint32(0x7FFFFF)) + np.uint32(HALF_ROOT_BITS32))) - _F(1)
    z = f * f
    y = _LOG32[0]
    for c in _LOG32[1:]:
        y = y * f + c
    y = y * f * z + k * _F(LN2_LOW32) - _F(0.5) * z
    return f + y + k * _F(LN2_HIGH32)


@njit(inline="always")
def _fill(key, start, m, w):  # w (4, CHUNK): the words of m blocks of one row, from block `start` on
    for i in range(m):
        w[0, i], w[1, i], w[2, i], w[3, i] = _philox(
            np.uint64(start + i), key[2], key[3], key[4], key[0], key[1]
        )


@njit(inline="always")
def _spill(x, m, out):
    # x (2 or 4, CHUNK): the first m columns, one after the other, into out (n,), as far as it goes
    lanes, whole = len(x), min(m, len(out) // len(x))
    rows = out[: lanes * whole].reshape(whole, lanes)
    if lanes == 4:
        for i in range(whole):
            rows[i, 0], rows[i, 1], rows[i, 2], rows[i, 3] = x[0, i], x[1, i], x[2, i], x[3, i]
    else:
        for i in range(whole):
            rows[i, 0], rows[i, 1] = x[0, i], x[1, i]
    for q in range(lanes * whole, min(lanes * m, len(out))):
        out[q] = x[q % lanes, q // lanes]


@njit(cache=True)
def words(key, out):
    """Random words: out (R, n) uint32; word q of a row is word q mod 4 of block q // 4."""
    w = np.empty((4, CHUNK), np.uint32)
    for r in range(len(out)):
        for start in range(0, (out.shape[1] + 3) // 4, CHUNK):
            m = min(CHUNK, (out.shape[1] + 3) // 4 - start)
            _fill(key[r], start, m, w)
            _spill(w, m, out[r, 4 * start :])


@njit(cache=True)
def uniform64(key, out):
    """53-bit uniforms on [0, 1): out (R, n) float64; two words each."""
    w, x = np.empty((4, CHUNK), np.uint64), np.empty((2, CHUNK))
    for r in range(len(out)):
        for start in range(0, (out.shape[1] + 1) // 2, CHUNK):
            m = min(CHUNK, (out.shape[1] + 1) // 2 - start)
            _fill(key[r], start, m, w)
            for i in range(m):
                x[0, i], x[1, i] = _unit(w[0, i], w[1, i]), _unit(w[2, i], w[3, i])
            _spill(x, m, out[r, 2 * start :])


@njit(cache=True)
def integers(key, high, out):
    """Integers 0 .. high - 1: out (R, n) int64, the uniforms of `uniform64` times high, rounded down."""
    w, x = np.empty((4, CHUNK), np.uint64), np.empty((2, CHUNK), np.int64)
    for r in range(len(out)):
        for start in range(0, (out.shape[1] + 1) // 2, CHUNK):
            m = min(CHUNK, (out.shape[1] + 1) // 2 - start)
            _fill(key[r], start, m, w)
            for i in range(m):
                x[0, i], x[1, i] = (
                    np.int64(_unit(w[0, i], w[1, i]) * high),
                    np.int64(_unit(w[2, i], w[3, i]) * high),
                )
            _spill(x, m, out[r, 2 * start :])


@njit(cache=True)
def uniform32(key, out):
    """24-bit uniforms on [0, 1): out (R, n) float32; one word each."""
    w, x = np.empty((4, CHUNK), np.uint32), np.empty((4, CHUNK), np.float32)
    for r in range(len(out)):
        for start in range(0, (out.shape[1] + 3) // 4, CHUNK):
            m = min(CHUNK, (out.shape[1] + 3) // 4 - start)
            _fill(key[r], start, m, w)
            for j in range(4):
                for i in range(m):
                    x[j, i] = _F(np.int32(w[j, i] >> np.uint32(8))) * _F(2.0**-24)
            _spill(x, m, out[r, 4 * start :])


@njit(cache=True)
def below(key, chances, out):
    """Whether a 53-bit uniform lies below the chance of its row (R,) float64: out (R, n) uint8, 0 or 1.

    The upper 32 bits of draw q are word q; the lower 21 are those of word q of the blocks from 2^31 on, which
    is looked at only in the one case of 2^32 where the upper ones do not decide.
    """
    w, lower, x = (
        np.empty((4, CHUNK), np.uint32),
        np.empty((4, 1), np.uint32),
        np.empty((4, CHUNK), np.uint8),
    )
    for r in range(len(out)):
        if chances[r] >= 1.0:
            out[r] = 1
            continue
        threshold = np.int64(np.ceil(chances[r] * 2.0**53)) if chances[r] > 0.0 else 0
        high, low = np.uint32(threshold >> 21), np.uint32(threshold & 0x1FFFFF)
        for start in range(0, (out.shape[1] + 3) // 4, CHUNK):
            m = min(CHUNK, (out.shape[1] + 3) // 4 - start)
            _fill(key[r], start, m, w)
            ties = np.uint32(0)
            for j in range(4):
                for i in range(m):
                    x[j, i] = w[j, i] < high
                for i in range(m):
                    ties |= np.uint32(w[j, i] == high)
            if ties:
                for j in range(4):
                    for i in range(m):
                        if w[j, i] == high:
                            _fill(key[r], start + i + TIES, 1, lower)
                            x[j, i] = (lower[j, 0] >> np.uint32(11)) < low
            _spill(x, m, out[r, 4 * start :])


@njit(cache=True)
def coins(key, out):
    """Fair coins: out (R, n) uint8, 0 or 1; coin q of a row is bit q mod 32 of word q // 32."""
    w = np.empty((4, CHUNK), np.uint32)
    n = out.shape[1]
    for r in range(out.shape[0]):
        for start in range(0, (n + 127) // 128, CHUNK):
            m = min(CHUNK, (n + 127) // 128 - start)
            _fill(key[r], start, m, w)
            for i in range(m):
                for j in range(4):
                    first = 128 * (start + i) + 32 * j
                    if first + 32 <= n:
                        for b in range(32):
                            out[r, first + b] = w[j, i] >> np.uint32(b) & np.uint32(1)
                    else:
                        for b in range(n - first):
                            out[r, first + b] = w[j, i] >> np.uint32(b) & np.uint32(1)


@njit(cache=True)
def normal64(key, out):
    """Standard normals: out (R, n) float64; two from each block, by Box and Muller's transform."""
    w, x = np.empty((4, CHUNK), np.uint64), np.empty((2, CHUNK))
    n = out.shape[1]
    for r in range(out.shape[0]):
        for start in range(0, (n + 1) // 2, CHUNK):
            m = min(CHUNK, (n + 1) // 2 - start)
            _fill(key[r], start, m, w)
            for i in range(m):
                x[0, i], x[1, i] = _box_muller(w[0, i], w[1, i], w[2, i], w[3, i])
            _spill(x, m, out[r, 2 * start :])


@njit(inline="always")
def _box_muller(w0, w1, w2, w3):  # two normals from four words
    radius = np.sqrt(-2.0 * _log(1.0 - _unit(w0, w1)))
    a = EIGHTH_TURN * _unit(w2, w3)
    z = a * a
    s, c = SIN[0], COS[0]
    for k in range(1, 6):
        s, c = s * z + SIN[k], c * z + COS[k]
    s, c = a + a * z * s, 1.0 - 0.5 * z + z * z * c
    if w3 & np.uint64(4):
        s, c = c, s
    return radius * (-c if w3 & np.uint64(2) else c), radius * (-s if w3 & np.uint64(1) else s)


@njit(inline="always")
def _chained(key, words):  # four words from a sequence of words, see `keyed.Keyed`
    a, b, c, d = _philox(np.uint64(words[0]), key[2], key[3], key[4], key[0], key[1])
    for j in range(1, len(words)):
        a, b, c, d = _philox(np.uint64(words[j]), np.uint64(j), c, d, a, b)
    return a, b, c, d


@njit(cache=True)
def hashed_uniform(key, words, out):
    """53-bit uniforms on [0, 1) at sequences of words (1 | R, P, W) int64: out (R, P) float64."""
    for r in range(len(out)):
        for p in range(out.shape[1]):
            w = _chained(key[r], words[r % len(words), p])
            out[r, p] = _unit(w[0], w[1])


@njit(cache=True)
def hashed_normal(key, words, out):
    """Standard normals at sequences of words (1 | R, P, W) int64: out (R, P) float64."""
    for r in range(len(out)):
        for p in range(out.shape[1]):
            w = _chained(key[r], words[r % len(words), p])
            out[r, p] = _box_muller(w[0], w[1], w[2], w[3])[0]


@njit(cache=True)
def normal32(key, out):
    """Standard normals: out (R, n) float32.

    Four from each block, from 24-bit uniforms (none lies beyond 5.77).
    """
    w, x = np.empty((4, CHUNK), np.uint32), np.empty((4, CHUNK), np.float32)
    n = out.shape[1]
    for r in range(out.shape[0]):
        for start in range(0, (n + 3) // 4, CHUNK):
            m = min(CHUNK, (n + 3) // 4 - start)
            _fill(key[r], start, m, w)
            for h in range(0, 4, 2):
                for i in range(m):
                    u = _F(np.int32(w[h, i] >> np.uint32(8)) + np.int32(1)) * _F(2.0**-24)
                    radius = np.sqrt(_F(-2) * _log32(u))
                    a = _F(EIGHTH_TURN) * (_F(np.int32(w[h + 1, i] >> np.uint32(8))) * _F(2.0**-24))
                    z = a * a
                    s = (_SIN32[0] * z + _SIN32[1]) * z + _SIN32[2]
                    c = (_COS32[0] * z + _COS32[1]) * z + _COS32[2]
                    s, c = a + a * z * s, _F(1) - _F(0.5) * z + z * z * c
                    if w[h + 1, i] & np.uint32(4):
                        s, c = c, s
                    x[h, i] = radius * (-c if w[h + 1, i] & np.uint32(2) else c)
                    x[h + 1, i] = radius * (-s if w[h + 1, i] & np.uint32(1) else s)
            _spill(x, m, out[r, 4 * start :])


@njit(cache=True)
def floyd(draws, n, out):
    """Sampling without replacement (Floyd's algorithm, Bentley 1987), to out (R, B).

    draws[r, j] is uniform on 0 .. n - B + j.
    """
    size = out.shape[1]
    taken = np.full(n, -1)
    for r in range(out.shape[0]):
        for j in range(size):
            t = draws[r, j] if taken[draws[r, j]] != r else n - size + j
            taken[t] = r
            out[r, j] = t
