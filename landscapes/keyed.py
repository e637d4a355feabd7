"""Random tables that are never stored: the entry at a sequence of words is a draw at an address of its own.

`Streams.keyed` gives a table its key, which is all that it holds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from landscapes import draws, streams_torch
from landscapes.operators import operator


@dataclass(frozen=True)
class Keyed:
    """A random table of R worlds, one entry for each sequence of words.

    Philox chained over the words (`Streams.keyed` makes them).

    Words of one table come in sequences of one length W >= 1. The first word is the position in the counter
    of a block; each further word is hashed, as a position, under the key and counter that the block before
    gave: 128 bits of state.

    Args:
        key: (R, 5) int64, the columns of `landscapes.streams_numba`, where the words are.
    """

    key: Tensor

    def uniform(self, words: Tensor) -> Tensor:
        """Uniform on [0, 1), 53 bits: words (1 | R, P, W) int64, 0 <= w < 2**32 -> (R, P) float64."""
        return draws.HASHED_UNIFORM(self.key, words)

    def normal(self, words: Tensor) -> Tensor:
        """Standard normal: words as in `uniform` -> (R, P) float64."""
        return draws.HASHED_NORMAL(self.key, words)

    def keys(self, count: int) -> Tensor:
        """Keys (R, count, 5) int64 of further tables, that of entry w behind the word w; see `further`."""
        return further(self.key, torch.arange(count, device=self.key.device))


def further(key: Tensor, words: Tensor) -> Tensor:
    """Keys (R, W, 5) int64: under keys (R, 5) one behind each of the words (W,), a table of its own."""
    a, b, c, d = streams_torch.chained(key, words[None, :, None])
    return torch.stack((a, b, torch.ones_like(a), c, d), -1)


def bit_words(x: Tensor) -> Tensor:
    """Bits (..., n) uint8 -> (..., W) int64 words of 32 bits, the first bit the lowest.

    W = n / 32, rounded up.
    """
    return _PACKED(x)


def _packed(x: Tensor) -> Tensor:
    packed = np.packbits(x.numpy(), axis=-1, bitorder="little")
    packed = np.pad(packed, [(0, 0)] * (x.ndim - 1) + [(0, -packed.shape[-1] % 4)])
    return torch.from_numpy(packed.view("<u4").astype(np.int64))


def _words(x: Tensor) -> Tensor:
    return x.new_empty((*x.shape[:-1], -(-x.shape[-1] // 32)), dtype=torch.int64)


_PACKED = operator("bit_words", "Tensor x", _packed, streams_torch.packed, _words)
