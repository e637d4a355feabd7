"""The laws of `landscapes.streams` as operators of torch: numba's loops on a CPU, a Triton kernel on CUDA.

On other devices, and on CUDA where Triton is missing, they are plain torch; on the meta device, and while a
graph is traced, they have shapes alone. All give the same bits. Nothing in a call depends on a number on a
device, so that no operator waits for one.

An operator takes a key (R, 5) int64 on its device, the columns of `landscapes.streams_numba`, and gives (R,
n). What stands in the key's last two columns, source and part, and the redraw, may be given apart: `place`,
one number, and `redraw`, (R,) int64.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from landscapes import streams_numba, streams_torch
from landscapes.operators import Operator, operator

_ADDRESS = "Tensor key, int n, int? place, Tensor? redraw"
_FLOATS = torch.float64, torch.float32


def _law(
    name: str, dtype: torch.dtype, loop: Operator, formula: Operator, numbers: str = ""
) -> Operator:
    """A law of draws: (key, n, place, redraw, *numbers) -> (R, n).

    A key (R, 5) uint64 of numpy is on the host: there the loop is called at once, for torch takes as long to
    find it as it takes for a few draws.

    Args:
        name: its name, also that of its kernel for CUDA.
        dtype: of what it draws.
        loop: numba's: (key (R, 5) uint64, n, *numbers).
        formula: plain torch's: (key (R, 5) int64, n, *numbers).
        numbers: that it takes beside an address, as a schema has them.
    """

    def on_cpu(
        key: Tensor, n: int, place: int | None, redraw: Tensor | None, *numbers: object
    ) -> Tensor:
        return here(key.numpy().view(np.uint64), n, place, redraw, *numbers)

    def here(
        key: np.ndarray, n: int, place: int | None, redraw: Tensor | None, *numbers: object
    ) -> Tensor:
        address = key.copy()
        if place is not None:
            address[:, 3] = place
        if redraw is not None:
            address[:, 4] = redraw.numpy()
        return loop(address, n, *numbers)

    def draw(key: Tensor | np.ndarray, *given) -> Tensor:  # noqa: ANN002
        return here(key, *given) if isinstance(key, np.ndarray) else made(key, *given)

    def anywhere(
        key: Tensor, n: int, place: int | None, redraw: Tensor | None, *numbers: object
    ) -> Tensor:
        return formula(addressed(key, place, redraw), n, *numbers)

    def shape(key: Tensor, n: int, *rest: object) -> Tensor:
        del rest
        return key.new_empty((key.shape[0], n), dtype=dtype)

    made = operator(name, _ADDRESS + numbers, on_cpu, anywhere, shape)
    return draw


def on_device(key: np.ndarray | Tensor, device: torch.device | str) -> Tensor:
    """The key as int64 there."""
    if isinstance(key, np.ndarray):
        return torch.from_numpy(key.view(np.int64)).to(device)
    return key


def addressed(key: Tensor, place: int | None, redraw: Tensor | None) -> Tensor:
    """The key with what is given apart in its place."""
    key = key.clone()
    if place is not None:
        key[:, 3] = place
    if redraw is not None:
        key[:, 4] = redraw
    return key


def _filled(kernel: Callable[..., None], dtype: torch.dtype) -> Operator:
    """The loop that a kernel of numba is."""

    def loop(key: np.ndarray, n: int, *numbers: float) -> Tensor:
        out = torch.empty((len(key), n), dtype=dtype)
        array = out.numpy()
        kernel(key, *numbers, array.view(np.uint8) if dtype is torch.bool else array)
        return out

    return loop


_BELOW = _filled(streams_numba.below, torch.bool)
_INTEGERS = _filled(streams_numba.integers, torch.int64)


def _below(key: np.ndarray, n: int, chances: Tensor) -> Tensor:
    if chances.shape[1] > 1:  # numba's loop has one for each row
        return streams_torch.below(torch.from_numpy(key.astype(np.int64)), n, chances)
    return _BELOW(key, n, chances[:, 0].numpy())


def _integers(key: np.ndarray, n: int, high: int) -> Tensor:
    return _INTEGERS(key, n, float(high))


def _plain(name: str, dtype: torch.dtype) -> Operator:
    """A law of this name in numba, torch and Triton."""
    loop = _filled(getattr(streams_numba, name), dtype)
    return _law(name, dtype, loop, getattr(streams_torch, name))


UNIFORM = {dtype: _plain(f"uniform{8 * dtype.itemsize}", dtype) for dtype in _FLOATS}
NORMAL = {dtype: _plain(f"normal{8 * dtype.itemsize}", dtype) for dtype in _FLOATS}
INTEGERS = _law("integers", torch.int64, _integers, streams_torch.integers, ", int high")
BELOW = _law("below", torch.bool, _below, streams_torch.below, ", Tensor chances")
COINS = _plain("coins", torch.bool)


def _hashed(name: str) -> Operator:
    """The operator (key (R, 5) int64, words (1 | R, P, W) int64) -> (R, P) float64; see `Keyed`."""

    def loop(key: Tensor, words: Tensor) -> Tensor:
        out = torch.empty((len(key), words.shape[1]), dtype=torch.float64)
        getattr(streams_numba, name)(key.numpy().view(np.uint64), words.numpy(), out.numpy())
        return out

    def shape(key: Tensor, words: Tensor) -> Tensor:
        return key.new_empty((key.shape[0], words.shape[1]), dtype=torch.float64)

    return operator(name, "Tensor key, Tensor words", loop, getattr(streams_torch, name), shape)


HASHED_UNIFORM, HASHED_NORMAL = _hashed("hashed_uniform"), _hashed("hashed_normal")


def _floyd(draws: Tensor, n: int) -> Tensor:
    out = torch.empty_like(draws)
    streams_numba.floyd(draws.numpy(), n, out.numpy())
    return out


# draws (rows, B) int64, of 0 .. n - B + j in column j -> (rows, B) int64: B different numbers below n
FLOYD = operator(
    "floyd",
    "Tensor draws, int n",
    _floyd,
    streams_torch.floyd,
    lambda draws, n: torch.empty_like(draws),
)
