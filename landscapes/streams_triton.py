"""The draws of `landscapes.streams` on an NVIDIA GPU, a kernel each, in Triton.

Bit for bit those of `landscapes.streams_numba`, whose constants they have: nothing is fused into one
rounding, and roots are rounded correctly. Without a GPU, `TRITON_INTERPRET=1` runs them on the CPU, as the
tests do.

Every function takes a key (R, 5) int64, the number n of draws in a row, and `place` and `redraw`, which stand
in the place of the key's last two columns: one number, or None; and (R,) int64, or None.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import triton
import triton.language as tl
from torch import Tensor

from landscapes import streams_numba

BLOCK = 128  # blocks of four words that a program draws
OPTIONS = {"enable_fp_fusion": False}  # of a kernel: a product and a sum are rounded each
LANES = tl.constexpr(32)  # coins in a word
_TIES = tl.constexpr(streams_numba.TIES)
_LOG, _SIN, _COS = (tl.constexpr(c) for c in (streams_numba.LOG, streams_numba.SIN, streams_numba.COS))
_LOG32 = tl.constexpr(streams_numba.LOG32)
_SIN32, _COS32 = tl.constexpr(streams_numba.SIN32), tl.constexpr(streams_numba.COS32)
_LN2_HIGH, _LN2_LOW = tl.constexpr(streams_numba.LN2_HIGH), tl.constexpr(streams_numba.LN2_LOW)
_LN2_HIGH32, _LN2_LOW32 = tl.constexpr(streams_numba.LN2_HIGH32), tl.constexpr(streams_numba.LN2_LOW32)
_EIGHTH_TURN = tl.constexpr(streams_numba.EIGHTH_TURN)
_WORD, _DOUBLE, _SINGLE = tl.constexpr(2.0**-32), tl.constexpr(2.0**-53), tl.constexpr(2.0**-24)
_ROOT, _ROOT32 = (
    tl.constexpr(streams_numba.HALF_ROOT_BITS),
    tl.constexpr(streams_numba.HALF_ROOT_BITS32),
)
_ONE, _ONE32 = tl.constexpr(0x3FF0000000000000), tl.constexpr(0x3F800000)  # the bits of 1.0
_REST, _REST32 = tl.constexpr(0xFFFFFFFFFFFFF), tl.constexpr(0x7FFFFF)  # those of a fraction


@triton.jit
def _row(key, redraw, row, place, PLACED: tl.constexpr, REDRAWN: tl.constexpr):
    """The seed of 64 bits and the counter, its first word apart, of a row."""
    at = key + row * 5
    seed = tl.load(at + 1).to(tl.uint64) << 32 | tl.load(at).to(tl.uint64)
    source = place if PLACED else tl.load(at + 3)
    again = tl.load(redraw + row) if REDRAWN else tl.load(at + 4)
    return seed, tl.load(at + 2).to(tl.uint32), source.to(tl.uint32), again.to(tl.uint32)


@triton.jit
def _here(n, PER: tl.constexpr, SIZE: tl.constexpr):
    """The row of this program, and its blocks of PER draws (SIZE,)."""
    chunks = tl.cdiv(tl.cdiv(n, PER), SIZE)
    program = tl.program_id(0).to(tl.int64)
    return program // chunks, program % chunks * SIZE + tl.arange(0, SIZE)


@triton.jit
def _spill(out, n, row, block, x, LANE: tl.constexpr, PER: tl.constexpr):
    """Draw LANE of each block into its row."""
    at = block * PER + LANE
    tl.store(out + row * n + at, x, mask=at < n)


@triton.jit
def _unit(high, low):
    return high.to(tl.float64) * _WORD + (low >> 11).to(tl.float64) * _DOUBLE


@triton.jit
def _horner(x, C: tl.constexpr, TERMS: tl.constexpr):
    y = x * C[0] + C[1]
    for k in tl.static_range(2, TERMS):
        y = y * x + C[k]
    return y


@triton.jit
def _turned(radius, s, c, bits):
    """The three lowest bits choose the octant."""
    swap = (bits & 4) != 0
    a, b = tl.where(swap, s, c), tl.where(swap, c, s)
    return radius * tl.where((bits & 2) != 0, -a, a), radius * tl.where((bits & 1) != 0, -b, b)


@triton.jit
def _box_muller(w0, w1, w2, w3):
    """Two normals from four words."""
    t = (1.0 - _unit(w0, w1)).to(tl.int64, bitcast=True) - _ROOT + _ONE
    k = ((t >> 52) - 1023).to(tl.float64)
    f = ((t & _REST) + _ROOT).to(tl.float64, bitcast=True) - 1.0
    s = f / (2.0 + f)
    z = s * s
    h = 0.5 * f * f
    log = k * _LN2_HIGH - ((h - (s * (h + z * _horner(z, _LOG, 7)) + k * _LN2_LOW)) - f)
    a = _EIGHTH_TURN * _unit(w2, w3)
    z = a * a
    s, c = a + a * z * _horner(z, _SIN, 6), 1.0 - 0.5 * z + z * z * _horner(z, _COS, 6)
    return _turned(tl.sqrt(-2.0 * log), s, c, w3)


@triton.jit
def _pair32(word, bits):
    u = ((word >> 8) + 1).to(tl.int32).to(tl.float32) * _SINGLE
    t = u.to(tl.int32, bitcast=True) - _ROOT32 + _ONE32
    k = ((t >> 23) - 127).to(tl.float32)
    f = ((t & _REST32) + _ROOT32).to(tl.float32, bitcast=True) - 1.0
    z = f * f
    y = _horner(f, _LOG32, 9) * f * z + k * _LN2_LOW32 - 0.5 * z
    log = f + y + k * _LN2_HIGH32
    a = _EIGHTH_TURN * ((bits >> 8).to(tl.int32).to(tl.float32) * _SINGLE)
    z = a * a
    s, c = a + a * z * _horner(z, _SIN32, 3), 1.0 - 0.5 * z + z * z * _horner(z, _COS32, 3)
    return _turned(tl.sqrt_rn(-2.0 * log), s, c, bits)


@triton.jit(do_not_specialize=["place", "n", "high"])
def _draw(
    out,
    key,
    redraw,
    place,
    n,
    high,
    LAW: tl.constexpr,
    PER: tl.constexpr,
    PLACED: tl.constexpr,
    REDRAWN: tl.constexpr,
    SIZE: tl.constexpr,
):
    """A law of which a block gives PER draws."""
    row, block = _here(n, PER, SIZE)
    seed, step, source, again = _row(key, redraw, row, place, PLACED, REDRAWN)
    a, b, c, d = tl.philox(seed, block.to(tl.uint32), step, source, again)
    if LAW == "normal32":
        x, y = _pair32(a, b)
        z, w = _pair32(c, d)
    elif LAW == "uniform32":
        x, y = (
            (a >> 8).to(tl.int32).to(tl.float32) * _SINGLE,
            (b >> 8).to(tl.int32).to(tl.float32) * _SINGLE,
        )
        z, w = (
            (c >> 8).to(tl.int32).to(tl.float32) * _SINGLE,
            (d >> 8).to(tl.int32).to(tl.float32) * _SINGLE,
        )
    elif LAW == "normal64":
        x, y = _box_muller(a, b, c, d)
    else:
        x, y = _unit(a, b), _unit(c, d)
        if LAW == "integers":
            x, y = (x * high.to(tl.float64)).to(tl.int64), (y * high.to(tl.float64)).to(tl.int64)
    _spill(out, n, row, block, x, 0, PER)
    _spill(out, n, row, block, y, 1, PER)
    if PER == 4:
        _spill(out, n, row, block, z, 2, PER)
        _spill(out, n, row, block, w, 3, PER)


@triton.jit
def _below_one(out, n, chances, row, block, upper, lower, LANE: tl.constexpr, VARIED: tl.constexpr):
    """Whether draw LANE of each block lies below its chance."""
    at = block * 4 + LANE
    chance = tl.load(chances + row * n + at, mask=at < n) if VARIED else tl.load(chances + row)
    tl.store(out + row * n + at, _unit(upper, lower) < chance, mask=at < n)


@triton.jit(do_not_specialize=["place", "n"])
def _below(
    out,
    key,
    redraw,
    place,
    n,
    chances,
    VARIED: tl.constexpr,
    PLACED: tl.constexpr,
    REDRAWN: tl.constexpr,
    SIZE: tl.constexpr,
):
    """Whether a draw of 53 bits lies below a chance; the lower bits are those of the blocks from TIES on."""
    row, block = _here(n, 4, SIZE)
    seed, step, source, again = _row(key, redraw, row, place, PLACED, REDRAWN)
    a, b, c, d = tl.philox(seed, block.to(tl.uint32), step, source, again)
    e, f, g, h = tl.philox(seed, (block + _TIES).to(tl.uint32), step, source, again)
    _below_one(out, n, chances, row, block, a, e, 0, VARIED)
    _below_one(out, n, chances, row, block, b, f, 1, VARIED)
    _below_one(out, n, chances, row, block, c, g, 2, VARIED)
    _below_one(out, n, chances, row, block, d, h, 3, VARIED)


@triton.jit
def _flip(out, n, row, block, word, LANE: tl.constexpr):
    """The coins of one word of each block."""
    at = (block * 4 + LANE)[:, None] * LANES + tl.arange(0, LANES)[None, :]
    tl.store(out + row * n + at, (word[:, None] >> tl.arange(0, LANES)[None, :] & 1) != 0, mask=at < n)


@triton.jit(do_not_specialize=["place", "n"])
def _coins(out, key, redraw, place, n, PLACED: tl.constexpr, REDRAWN: tl.constexpr, SIZE: tl.constexpr):
    row, block = _here(n, 128, SIZE)
    seed, step, source, again = _row(key, redraw, row, place, PLACED, REDRAWN)
    a, b, c, d = tl.philox(seed, block.to(tl.uint32), step, source, again)
    _flip(out, n, row, block, a, 0)
    _flip(out, n, row, block, b, 1)
    _flip(out, n, row, block, c, 2)
    _flip(out, n, row, block, d, 3)


@triton.jit(do_not_specialize=["points", "rows", "width"])
def _hashed(out, key, words, points, rows, width, NORMAL: tl.constexpr, SIZE: tl.constexpr):
    """A draw at each sequence of words, see `landscapes.keyed`."""
    row, point = _here(points, 1, SIZE)
    seed, step, source, again = _row(key, key, row, 0, False, False)
    there = point < points
    first = words + (row % rows * points + point) * width
    a, b, c, d = tl.philox(seed, tl.load(first, mask=there).to(tl.uint32), step, source, again)
    for j in range(1, width):
        word = tl.load(first + j, mask=there).to(tl.uint32)
        seeds = b.to(tl.uint64) << 32 | a.to(tl.uint64)
        a, b, c, d = tl.philox(seeds, word, tl.zeros_like(word) + j, c, d)
    if NORMAL:
        x, _ = _box_muller(a, b, c, d)
    else:
        x = _unit(a, b)
    tl.store(out + row * points + point, x, mask=there)


@triton.jit(do_not_specialize=["n", "size"])
def _floyd(out, draws, n, size, SIZE: tl.constexpr):
    """One row of Floyd's sampling without replacement, what was taken kept in registers."""
    row, place = tl.program_id(0).to(tl.int64) * size, tl.arange(0, SIZE)
    taken = tl.full((SIZE,), -1, tl.int64)
    for j in range(size):
        t = tl.load(draws + row + j)
        again = tl.max((taken == t).to(tl.int32), 0) > 0
        taken = tl.where(place == j, tl.where(again, n - size + j, t), taken)
    tl.store(out + row + place, taken, mask=place < size)


def _launch(kernel: triton.JITFunction, rows: int, n: int, per: int, *given: object) -> None:
    """Run a kernel for all blocks of all rows, with what is given and the number of blocks of a program."""
    chunks = triton.cdiv(triton.cdiv(n, per), BLOCK)
    if rows * chunks:
        kernel[(rows * chunks,)](*given, BLOCK, **OPTIONS)


def _plain(law: str, per: int, dtype: torch.dtype) -> Callable[..., Tensor]:
    def draw(key: Tensor, n: int, place: int | None, redraw: Tensor | None, high: int = 0) -> Tensor:
        out = key.new_empty((len(key), n), dtype=dtype)
        asked = (key, key if redraw is None else redraw, place or 0, n, high, law, per)
        _launch(_draw, len(key), n, per, out, *asked, place is not None, redraw is not None)
        return out

    return draw


uniform64 = _plain("uniform64", 2, torch.float64)
uniform32 = _plain("uniform32", 4, torch.float32)
normal64 = _plain("normal64", 2, torch.float64)
normal32 = _plain("normal32", 4, torch.float32)
integers = _plain("integers", 2, torch.int64)


def below(key: Tensor, n: int, place: int | None, redraw: Tensor | None, chances: Tensor) -> Tensor:
    """Whether draws lie below their chances (R, 1 | n) float64: (R, n) bool."""
    out = key.new_empty((len(key), n), dtype=torch.bool)
    asked = (key, key if redraw is None else redraw, place or 0, n, chances.contiguous())
    _launch(
        _below, len(key), n, 4, out, *asked, chances.shape[1] > 1, place is not None, redraw is not None
    )
    return out


def coins(key: Tensor, n: int, place: int | None, redraw: Tensor | None) -> Tensor:
    """Fair coins (R, n) bool."""
    out = key.new_empty((len(key), n), dtype=torch.bool)
    asked = (key, key if redraw is None else redraw, place or 0, n)
    _launch(_coins, len(key), n, 128, out, *asked, place is not None, redraw is not None)
    return out


def hashed_uniform(key: Tensor, words: Tensor) -> Tensor:
    """53-bit uniforms on [0, 1) at sequences of words (1 | R, P, W) int64: (R, P) float64."""
    return _at_words(key, words, normal=False)


def hashed_normal(key: Tensor, words: Tensor) -> Tensor:
    """Standard normals at sequences of words (1 | R, P, W) int64: (R, P) float64."""
    return _at_words(key, words, normal=True)


def _at_words(key: Tensor, words: Tensor, *, normal: bool) -> Tensor:
    rows, points, width = words.shape
    out = key.new_empty((len(key), points), dtype=torch.float64)
    _launch(_hashed, len(key), points, 1, out, key, words.contiguous(), points, rows, width, normal)
    return out


def floyd(draws: Tensor, n: int) -> Tensor:
    """Sampling without replacement: (rows, B) int64 -> (rows, B) int64."""
    out, size = torch.empty_like(draws), draws.shape[1]
    if out.numel():
        _floyd[(len(draws),)](out, draws.contiguous(), n, size, triton.next_power_of_2(size))
    return out
