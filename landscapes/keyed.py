"""Random tables that are never stored: the entry at a sequence of words is a draw at an address of its own.

`Streams.keyed` gives a table its key, which is all that it holds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from landscapes import streams_numba, streams_torch


@dataclass(frozen=True)
class Keyed:
    """Random tables of R worlds, one entry for each sequence of words.

    Philox chained over the words (`Streams.keyed` makes them).

    Words of one table come in sequences of one length W >= 1. The first word is the position in the counter
    of a block; each further word is hashed, as a position, under the key and counter that the block before
    gave: 128 bits of state.

    Args:
        key: (R, 5) uint64, as in `landscapes.streams_numba`.
    """

    key: np.ndarray

    def uniform(self, words: Tensor) -> Tensor:
        """Uniform on [0, 1), 53 bits: words (1 | R, P, W) int64, 0 <= w < 2**32 -> (R, P) float64."""
        return self._draw(words, streams_numba.hashed_uniform, lambda w: streams_torch.unit(w[0], w[1]))

    def keys(self, count: int, device: torch.device | str) -> Tensor:
        """Keys (R, count, 5) int64 of further tables, that of entry w behind the word w; see `further`."""
        key = torch.from_numpy(self.key.astype(np.int64)).to(device)
        return further(key, torch.arange(count, device=device))

    def normal(self, words: Tensor) -> Tensor:
        """Standard normal: words as in `uniform` -> (R, P) float64."""
        return self._draw(words, streams_numba.hashed_normal, lambda w: streams_torch.box_muller(w)[0])

    def _draw(
        self, words: Tensor, kernel: Callable, law: Callable[[tuple[Tensor, ...]], Tensor]
    ) -> Tensor:
        if on_cpu(words.device):
            out = torch.empty((len(self.key), words.shape[1]), dtype=torch.float64)
            kernel(self.key, words.numpy(), out.numpy())
            return out
        return law(
            streams_torch.chained(torch.from_numpy(self.key.astype(np.int64)).to(words.device), words)
        )


def further(key: Tensor, words: Tensor) -> Tensor:
    """Keys (R, W, 5) int64: under keys (R, 5) one behind each of the words (W,), a table of its own."""
    a, b, c, d = streams_torch.chained(key, words[None, :, None])
    return torch.stack((a, b, torch.ones_like(a), c, d), -1)


def bit_words(x: Tensor) -> Tensor:
    """Bits (..., n) uint8 -> (..., W) int64 words of 32 bits, the first bit the lowest.

    W = n / 32, rounded up.
    """
    if x.is_cpu:
        packed = np.packbits(x.numpy(), axis=-1, bitorder="little")
        packed = np.pad(packed, [(0, 0)] * (x.ndim - 1) + [(0, -packed.shape[-1] % 4)])
        return torch.from_numpy(packed.view("<u4").astype(np.int64))
    return streams_torch.packed(x)


def on_cpu(device: torch.device | str) -> bool:
    """Whether the draws there are numba's."""
    return torch.device(device).type == "cpu"
