"""The draws of `landscapes.streams` in plain torch, for any device.

Bit for bit those of `landscapes.streams_numba`.

Every function of a `key` takes (R, 5) int64, the columns of `kernels`, and the number n of draws in a row,
and gives (R, n). 32-bit words are held as int64.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from landscapes import streams_numba


def blocks(key: Tensor, n: int, first: int = 0) -> tuple[Tensor, ...]:
    """Philox4x32-10 of blocks first .. first + n - 1: four (R, n) int64 tensors of 32-bit words.

    The key (R, 5) int64 is that of `landscapes.streams_numba`.
    """
    seed, world, step, source, redraw = (column[:, None] for column in key.unbind(1))
    a = torch.arange(first, first + n, device=key.device).expand(len(key), n)
    return tuple(w.expand(len(key), n) for w in philox(a, step, source, redraw, seed, world))


def philox(a: Tensor, b: Tensor, c: Tensor, d: Tensor, k: Tensor, m: Tensor) -> tuple[Tensor, ...]:
    """Philox4x32-10 of the counter (a, b, c, d) under the key (k, m), 32-bit words held as int64."""
    low = 0xFFFFFFFF
    for _ in range(10):
        p, q = (
            a * 0xD2511F53,
            c * 0xCD9E8D57,
        )  # wraps like uint64; the mask undoes the sign of the shift
        a, b, c, d = (q >> 32 & low) ^ b ^ k, q & low, (p >> 32 & low) ^ d ^ m, p & low
        k, m = k + 0x9E3779B9 & low, m + 0xBB67AE85 & low
    return a, b, c, d


def chained(key: Tensor, words: Tensor) -> tuple[Tensor, ...]:
    """The blocks of `Keyed`: key (R, 5), words (1 | R, P, W) int64 -> four (R, P) int64."""
    seed, world, step, source, redraw = (column[:, None] for column in key.unbind(1))
    a, b, c, d = philox(words[..., 0], step, source, redraw, seed, world)
    for j in range(1, words.shape[-1]):
        a, b, c, d = philox(words[..., j], torch.full_like(a, j), c, d, a, b)
    return a, b, c, d


def hashed_uniform(key: Tensor, words: Tensor) -> Tensor:
    """53-bit uniforms on [0, 1) at sequences of words."""
    w = chained(key, words)
    return unit(w[0], w[1])


def hashed_normal(key: Tensor, words: Tensor) -> Tensor:
    """Standard normals at sequences of words."""
    return box_muller(chained(key, words))[0]


def interleave(columns: Sequence[Tensor], n: int) -> Tensor:
    """Columns (R, m) each -> (R, n): the first entries of all, then the second ones, as far as n goes."""
    return torch.stack(tuple(columns), -1).flatten(1)[:, :n]


def unit(high: Tensor, low: Tensor) -> Tensor:
    """53-bit uniforms on [0, 1) from two words each."""
    return high.double() * 2.0**-32 + (low >> 11).double() * 2.0**-53


def words(key: Tensor, n: int, first: int = 0) -> Tensor:
    """Word q of a row is word q mod 4 of block q // 4."""
    return interleave(blocks(key, (n + 3) // 4, first), n)


def below(key: Tensor, n: int, chances: Tensor) -> Tensor:
    """Whether a draw lies below its chance (R, 1 | n) float64; the lower bits stand from block `TIES` on."""
    return unit(words(key, n), words(key, n, first=streams_numba.TIES)) < chances


def integers(key: Tensor, n: int, high: int) -> Tensor:
    """Integers 0 .. high - 1."""
    return (uniform64(key, n) * high).long()


def coins(key: Tensor, n: int) -> Tensor:
    """Fair coins, bool: coin q of a row is bit q mod 32 of word q // 32."""
    return (
        (words(key, (n + 31) // 32)[..., None] >> torch.arange(32, device=key.device) & 1)
        .flatten(1)[:, :n]
        .bool()
    )


def uniform64(key: Tensor, n: int) -> Tensor:
    """53-bit uniforms on [0, 1)."""
    a, b, c, d = blocks(key, (n + 1) // 2)
    return interleave((unit(a, b), unit(c, d)), n)


def uniform32(key: Tensor, n: int) -> Tensor:
    """24-bit uniforms on [0, 1), float32."""
    return (words(key, n) >> 8).float() * 2.0**-24


def _horner(x: Tensor, coefficients: Sequence[float]) -> Tensor:
    y = x * coefficients[0] + coefficients[1]
    for c in coefficients[2:]:
        y = y * x + c
    return y


def _turn(radius: Tensor, s: Tensor, c: Tensor, bits: Tensor) -> tuple[Tensor, Tensor]:
    """The three lowest bits choose the octant."""
    swap = bits & 4 != 0
    s, c = torch.where(swap, c, s), torch.where(swap, s, c)
    return radius * torch.where(bits & 2 != 0, -c, c), radius * torch.where(bits & 1 != 0, -s, s)


def _sqrt(x: Tensor) -> Tensor:
    """Correctly rounded: torch's own on a CPU is MKL's, which is off by one unit in one of seventy."""
    return torch.from_numpy(np.sqrt(x.numpy())) if x.is_cpu else x.sqrt()


def normal64(key: Tensor, n: int) -> Tensor:
    """Standard normals by Box and Muller, two from each block."""
    return interleave(box_muller(blocks(key, (n + 1) // 2)), n)


def box_muller(w: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
    """Two normals from four words."""
    t = (1.0 - unit(w[0], w[1])).view(torch.int64) - streams_numba.HALF_ROOT_BITS + 0x3FF0000000000000
    k = ((t >> 52) - 1023).double()
    f = ((t & 0xFFFFFFFFFFFFF) + streams_numba.HALF_ROOT_BITS).view(torch.float64) - 1.0
    s = f / (2.0 + f)
    z = s * s
    h = 0.5 * f * f
    log = k * streams_numba.LN2_HIGH - (
        (h - (s * (h + z * _horner(z, streams_numba.LOG)) + k * streams_numba.LN2_LOW)) - f
    )
    a = streams_numba.EIGHTH_TURN * unit(w[2], w[3])
    z = a * a
    s, c = (
        a + a * z * _horner(z, streams_numba.SIN),
        1.0 - 0.5 * z + z * z * _horner(z, streams_numba.COS),
    )
    return _turn(_sqrt(-2.0 * log), s, c, w[3])


def normal32(key: Tensor, n: int) -> Tensor:
    """Standard normals by Box and Muller, float32, four from each block."""
    w = blocks(key, (n + 3) // 4)
    return interleave([x for h in (0, 2) for x in _pair32(w[h], w[h + 1])], n)


def _pair32(word: Tensor, bits: Tensor) -> tuple[Tensor, Tensor]:
    t = (
        (((word >> 8) + 1).float() * 2.0**-24).view(torch.int32)
        - streams_numba.HALF_ROOT_BITS32
        + 0x3F800000
    )
    k = ((t >> 23) - 127).float()
    f = ((t & 0x7FFFFF) + streams_numba.HALF_ROOT_BITS32).view(torch.float32) - 1.0
    z = f * f
    y = _horner(f, streams_numba.LOG32) * f * z + k * streams_numba.LN2_LOW32 - 0.5 * z
    log = f + y + k * streams_numba.LN2_HIGH32
    a = streams_numba.EIGHTH_TURN * ((bits >> 8).float() * 2.0**-24)
    z = a * a
    s = a + a * z * _horner(z, streams_numba.SIN32)
    c = 1.0 - 0.5 * z + z * z * _horner(z, streams_numba.COS32)
    return _turn(_sqrt(-2.0 * log), s, c, bits)


def packed(x: Tensor) -> Tensor:
    """The same in plain torch, for any device."""
    padded = torch.nn.functional.pad(x, (0, -x.shape[-1] % 32)).unflatten(-1, (-1, 32)).long()
    return (padded << torch.arange(32, device=x.device)).sum(-1)


def floyd(draws: Tensor, n: int) -> Tensor:
    """Sampling without replacement, see `kernels.floyd`: (rows, B) int64 -> (rows, B) int64."""
    out = torch.empty_like(draws)
    size = draws.shape[1]
    for j in range(size):
        t = draws[:, j]
        taken = (out[:, :j] == t[:, None]).any(1)
        out[:, j] = torch.where(taken, n - size + j, t)
    return out
