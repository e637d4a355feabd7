"""Addressed random streams: the only file that draws.

A draw is Philox4x32-10 (Salmon et al. 2011) at the key (study seed, world) and the counter (block of the
position, step, source and part, redraw). Nothing is consumed: the draw at an address does not depend on what
else was drawn, on which other worlds share the batch, or on the device. Position of coordinate d of point p
is p * D + d, so raising P keeps the earlier draws.

On a CPU the loops are numba's (`landscapes.streams_numba`); elsewhere the same definition runs in plain torch
(`landscapes.streams_torch`), bit for bit.
"""

from __future__ import annotations

import copy
import difflib
import math
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial

import numpy as np
import torch
from torch import Tensor

from landscapes import streams_numba, streams_torch
from landscapes.keyed import Keyed, on_cpu

# The built-in sources; the place in this list is the source's number, so new names are added at the end only.
SOURCES = (
    "instance",  # random tables of a landscape
    "init",  # starting points
    "data",  # mini-batches
    "evaluation",  # noise added to what the oracle answers
    "staleness",  # which old state a worker saw
    "mutation",  # perturbations of points
    "recombination",  # who recombines, and where
    "drift",  # which individuals become parents or survive
    "acceptance",  # Metropolis and annealing decisions
    "pairing",  # opponents in a game, mates outside of drift
    "library",  # adapters: another library's own generator
    "ledger",  # directions along which the noise ledger looks
    "dropout",  # units that a network drops while it is trained
)
_LIMIT = 2**32
_PARTS = 2**16


@cache
def source_numbers(declared: tuple[str, ...] = ()) -> dict[str, int]:
    """The number of each built-in and declared source, below 2^16.

    It is the place in `SOURCES`, or for a plugin's own name 32768 + a hash of it.

    Raises:
        ValueError: two declared names share a number; rename one.
    """
    numbers = {name: place for place, name in enumerate(SOURCES)}
    for name in declared:
        number = numbers.get(name, 0x8000 | zlib.crc32(name.encode()) & 0x7FFF)
        clash = next(
            (other for other, taken in numbers.items() if taken == number and other != name), None
        )
        if clash is not None:
            raise ValueError(
                f"streams: the sources {name!r} and {clash!r} have the same number; rename one of them"
            )
        numbers[name] = number
    return numbers


@dataclass(frozen=True, kw_only=True)
class Streams:
    """The random streams of R worlds at one step.

    Args:
        seed: the study's seed, 0 <= seed < 2**32.
        worlds: (R,) int64, absolute world numbers, 0 <= world < 2**32; may repeat.
        step: the step addressed, one number or (R,) int64, 0 <= step < 2**32.
        redraws: source -> (R,) int64: which redraw of that source each row sees; 0 where not named.
        dtype: torch.float64 or torch.float32, the dtype of normals and uniforms.
        device: where draws are returned.
        sources: names that a plugin declares beside the built-in `SOURCES`.
    """

    seed: int
    worlds: Tensor
    step: int | Tensor = 0
    redraws: Mapping[str, Tensor] = field(default_factory=dict)
    dtype: torch.dtype = torch.float64
    device: torch.device | str = "cpu"
    sources: tuple[str, ...] = ()
    _numbers: dict[str, int] = field(init=False, repr=False, compare=False)
    _key: np.ndarray = field(init=False, repr=False, compare=False)  # (R, 5) uint64
    _drawn: set[tuple[str, int]] = field(init=False, repr=False, compare=False, default_factory=set)

    def __post_init__(self) -> None:
        if not 0 <= self.seed < _LIMIT:
            raise ValueError(f"streams: expected a seed of 0 <= seed < 2**32, got {self.seed}")
        key = np.zeros((len(self.worlds), 5), np.uint64)
        key[:, 0] = self.seed
        key[:, 1] = _words_of("worlds", self.worlds)
        key[:, 2] = _words_of("step", self.step)
        object.__setattr__(self, "_key", key)
        object.__setattr__(self, "_numbers", source_numbers(self.sources))

    @property
    def size(self) -> int:
        """R, the number of rows."""
        return len(self._key)

    @property
    def drawn(self) -> set[str]:
        """The sources that were drawn from at this step so far."""
        return {source for source, _ in self._drawn}

    # where to draw ------------------------------------------------------------------------------------------

    def at(self, step: int | Tensor) -> Streams:
        """The same streams at another step, one number or (R,); every address is free again."""
        moved, key = copy.copy(self), self._key.copy()
        key[:, 2] = _words_of("step", step)
        for name, value in (("step", step), ("_key", key), ("_drawn", set())):
            object.__setattr__(moved, name, value)
        return moved

    def subset(self, worlds: Tensor | Sequence[int]) -> Streams:
        """The same streams for these absolute worlds, in this order, repeats allowed.

        Redraws start at 0 again.
        """
        worlds = torch.as_tensor(worlds, dtype=torch.int64)
        if isinstance(self.step, Tensor):
            raise ValueError(
                "streams.subset: the step differs by row; take the subset first, then .at(step)"
            )
        return replace(self, worlds=worlds, redraws={})

    def redraw(self, source: str, k: int | Tensor) -> Streams:
        """The same streams with `source` drawn for the k-th time, k one number or (R,), 0 <= k < 2**32.

        0 is the original draw.
        """
        self._number(source)
        k = torch.as_tensor(k, dtype=torch.int64).expand(self.size)
        if len(k) and not (0 <= int(k.min()) and int(k.max()) < _LIMIT):
            raise ValueError(
                f"streams.redraw: expected 0 <= k < 2**32, got {int(k.min())} .. {int(k.max())}"
            )
        moved = replace(self, redraws={**self.redraws, source: k})
        moved._drawn.update(drawn for drawn in self._drawn if drawn[0] != source)
        return moved

    # laws ---------------------------------------------------------------------------------------------------

    def uniform(self, source: str, shape: tuple[int, ...], part: int = 0) -> Tensor:
        """Uniform on [0, 1): (R, *shape), with 53 random bits in float64 and 24 in float32."""
        return self._uniform(source, shape, part, self.dtype)

    def normal(self, source: str, shape: tuple[int, ...], part: int = 0) -> Tensor:
        """Standard normal: (R, *shape), by Box and Muller (1958)."""
        double = self.dtype == torch.float64
        return self._draw(
            streams_numba.normal64 if double else streams_numba.normal32,
            streams_torch.normal64 if double else streams_torch.normal32,
            source,
            shape,
            part,
            self.dtype,
        )

    def integers(
        self, source: str, high: int | Tensor, shape: tuple[int, ...], part: int = 0
    ) -> Tensor:
        """Uniform on 0 .. high - 1: (R, *shape) int64; `high` one number or broadcastable to (R, *shape).

        The same in every dtype.
        """
        if isinstance(high, Tensor):
            return (self._uniform(source, shape, part, torch.float64) * high).long()
        return self._draw(
            partial(_integers, float(high)),
            lambda key, n: (streams_torch.uniform64(key, n) * high).long(),
            source,
            shape,
            part,
            torch.int64,
        )

    def bernoulli(
        self, source: str, p: float | Tensor, shape: tuple[int, ...], part: int = 0
    ) -> Tensor:
        """True with probability p, to 53 bits: (R, *shape) bool.

        The chance p is one number, or broadcastable to (R, *shape). The same in every dtype.
        """
        chance = torch.as_tensor(p, dtype=torch.float64, device=self.device)
        if chance.numel() > 1 and chance.shape != (
            self.size,
            *(1,) * len(shape),
        ):  # it varies within a row
            return self._draw(
                None,
                streams_torch.below(chance.expand(self.size, *shape).flatten(1)),
                source,
                shape,
                part,
                torch.bool,
            )
        row = chance.reshape(-1).expand(self.size)
        return self._draw(
            partial(_below, row), streams_torch.below(row[:, None]), source, shape, part, torch.bool
        )

    def coins(self, source: str, shape: tuple[int, ...], part: int = 0) -> Tensor:
        """True or False with equal probability, from one bit each: (R, *shape) bool.

        The same in every dtype.
        """
        return self._draw(_coins, streams_torch.coins, source, shape, part, torch.bool)

    def categorical(
        self, source: str, weights: Tensor, shape: tuple[int, ...], part: int = 0
    ) -> Tensor:
        """Indices drawn with replacement, in proportion to weights (R, K) >= 0.

        (R, *shape) int64, by inverse CDF.
        """
        cdf = weights.double().cumsum(-1)
        u = self._uniform(source, shape, part, torch.float64).reshape(self.size, -1) * cdf[:, -1:]
        return (
            torch
            .searchsorted(cdf, u, right=True)
            .clamp_(max=weights.shape[-1] - 1)
            .reshape(self.size, *shape)
        )

    def multinomial(self, source: str, n: int, weights: Tensor, part: int = 0) -> Tensor:
        """Counts of n categorical draws: (R, K) int64."""
        drawn = self.categorical(source, weights, (n,), part)
        return torch.zeros_like(weights, dtype=torch.int64).scatter_add_(
            1, drawn, torch.ones_like(drawn)
        )

    def permutation(self, source: str, n: int, shape: tuple[int, ...] = (), part: int = 0) -> Tensor:
        """Uniform permutations of 0 .. n - 1: (R, *shape, n) int64, the order of n uniforms."""
        return self._uniform(source, (*shape, n), part, torch.float64).argsort(dim=-1, stable=True)

    def choice(
        self, source: str, n: int, size: int, shape: tuple[int, ...] = (), part: int = 0
    ) -> Tensor:
        """`size` different numbers of 0 .. n - 1: (R, *shape, size) int64.

        Every subset has the same probability, the order within is not uniform.
        """
        if not 0 <= size <= n:
            raise ValueError(f"streams.choice: expected 0 <= size <= n = {n}, got {size}")
        high = torch.arange(n - size + 1, n + 1, device=self.device)
        drawn = self.integers(source, high, (*shape, size), part)
        return _floyd(drawn.flatten(0, -2), n).view_as(drawn)

    # tables too large to store, and other libraries' draws --------------------------------------------------

    def keyed(self, source: str, part: int = 0) -> Keyed:
        """A random table that is never stored: the entry at words w is the same whatever was asked before."""
        return Keyed(self._address(source, part))

    def foreign(self, source: str, n: int, draw: Callable[[], Tensor], part: int = 0) -> Tensor:
        """What another library draws from torch's global generator, (R, n, ...): draw() is called for each.

        The generator is seeded from the address of each call, and restored afterwards.
        """
        seeds = self.integers(source, _LIMIT, (n,), part).cpu()
        with torch.random.fork_rng(devices=[]):
            drawn = [[_seeded(int(seed), draw) for seed in row] for row in seeds]
        return torch.stack([torch.stack(row) for row in drawn]).to(self.device)

    # the address --------------------------------------------------------------------------------------------

    def _number(self, source: str) -> int:
        if source in self._numbers:
            return self._numbers[source]
        near = difflib.get_close_matches(source, self._numbers, 1)
        hint = f"did you mean {near[0]!r}?" if near else "a plugin declares its own in `sources`"
        raise ValueError(
            f"streams: unknown source {source!r}; {hint}; known: {' '.join(self._numbers)}"
        )

    def _address(self, source: str, part: int) -> np.ndarray:  # (R, 5) uint64
        number = self._number(source)
        if not 0 <= part < _PARTS:
            raise ValueError(f"streams: expected 0 <= part < {_PARTS}, got {part}")
        if (source, part) in self._drawn:
            raise ValueError(
                f"streams: {source!r} was already drawn at this step; name another part (got part={part}), or"
                " go to another step with .at"
            )
        self._drawn.add((source, part))
        key = self._key.copy()
        key[:, 3] = number << 16 | part
        if source in self.redraws:
            key[:, 4] = self.redraws[source].cpu().numpy()
        return key

    def _draw(
        self,
        kernel,  # noqa: ANN001
        reference,  # noqa: ANN001
        source: str,
        shape: tuple[int, ...],
        part: int,
        dtype: torch.dtype,
    ) -> Tensor:
        key, count = self._address(source, part), math.prod(shape)
        if count >= _LIMIT:
            raise ValueError(f"streams: expected fewer than 2**32 draws in a row, got {count}")
        if kernel is not None and on_cpu(self.device):
            out = torch.empty((self.size, count), dtype=dtype)
            kernel(key, out.numpy())
        else:
            out = reference(torch.from_numpy(key.astype(np.int64)).to(self.device), count)
        return out.reshape(self.size, *shape)

    def _uniform(self, source: str, shape: tuple[int, ...], part: int, dtype: torch.dtype) -> Tensor:
        double = dtype == torch.float64
        return self._draw(
            streams_numba.uniform64 if double else streams_numba.uniform32,
            streams_torch.uniform64 if double else streams_torch.uniform32,
            source,
            shape,
            part,
            dtype,
        )


def _seeded(seed: int, draw: Callable[[], Tensor]) -> Tensor:
    torch.default_generator.manual_seed(seed)  # torch.manual_seed formats a stack trace, for CUDA
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed_all(seed)
    return draw()


def _words_of(name: str, value: int | Tensor) -> int | np.ndarray:
    """32-bit words of an address."""
    number = value.cpu().numpy() if isinstance(value, Tensor) else value
    low, high = (
        (number, number) if isinstance(number, int) else (number.min(initial=0), number.max(initial=0))
    )
    if not (0 <= low and high < _LIMIT):
        raise ValueError(f"streams: expected {name} of 0 <= {name} < 2**32, got {low} .. {high}")
    return number


def _below(p: Tensor, key: np.ndarray, out: np.ndarray) -> None:
    streams_numba.below(
        key, np.ceil(p.numpy().clip(0, 1) * 2.0**53).astype(np.int64), out.view(np.uint8)
    )


def _integers(high: float, key: np.ndarray, out: np.ndarray) -> None:
    streams_numba.integers(key, high, out)


def _coins(key: np.ndarray, out: np.ndarray) -> None:
    streams_numba.coins(key, out.view(np.uint8))


def _floyd(drawn: Tensor, n: int) -> Tensor:
    """(rows, B) int64 -> (rows, B) int64; see `kernels.floyd`."""
    if not on_cpu(drawn.device):
        return streams_torch.floyd(drawn, n)
    out = torch.empty_like(drawn)
    streams_numba.floyd(drawn.numpy(), n, out.numpy())
    return out
