"""Addressed random streams: the only file that draws.

A draw is Philox4x32-10 (Salmon et al. 2011) at the key (study seed, world) and the counter (block of the position, step, source and part,
redraw). Nothing is consumed: the draw at an address does not depend on what else was drawn, on which other worlds share the batch, or on
the device. Position of coordinate d of point p is p * D + d, so raising P keeps the earlier draws.

On a CPU the loops are numba's (`landscapes.kernels`); elsewhere the same definition runs in plain torch, bit for bit.
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

from landscapes import kernels

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
)
_LIMIT = 2**32
_PARTS = 2**16


@cache
def source_numbers(declared: tuple[str, ...] = ()) -> dict[str, int]:
    """The number of each built-in and declared source, 0 .. 65535: the place in `SOURCES`, or for a plugin's own name 32768 + a hash of it.

    Raises:
        ValueError: two declared names share a number; rename one.
    """
    numbers = {name: place for place, name in enumerate(SOURCES)}
    for name in declared:
        number = numbers.get(name, 0x8000 | zlib.crc32(name.encode()) & 0x7FFF)
        clash = next((other for other, taken in numbers.items() if taken == number and other != name), None)
        if clash is not None:
            raise ValueError(f"streams: the sources {name!r} and {clash!r} have the same number; rename one of them")
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

    # where to draw ---------------------------------------------------------------------------------------------------

    def at(self, step: int | Tensor) -> Streams:
        """The same streams at another step, one number or (R,); every address is free again."""
        moved, key = copy.copy(self), self._key.copy()
        key[:, 2] = _words_of("step", step)
        for name, value in (("step", step), ("_key", key), ("_drawn", set())):
            object.__setattr__(moved, name, value)
        return moved

    def subset(self, worlds: Tensor | Sequence[int]) -> Streams:
        """The same streams for these absolute worlds, in this order, repeats allowed; redraws start at 0 again."""
        worlds = torch.as_tensor(worlds, dtype=torch.int64)
        if isinstance(self.step, Tensor):
            raise ValueError("streams.subset: the step differs by row; take the subset first, then .at(step)")
        return replace(self, worlds=worlds, redraws={})

    def redraw(self, source: str, k: int | Tensor) -> Streams:
        """The same streams with `source` drawn for the k-th time, k one number or (R,), 0 <= k < 2**32; 0 is the original draw."""
        self._number(source)
        k = torch.as_tensor(k, dtype=torch.int64).expand(self.size)
        if len(k) and not (0 <= int(k.min()) and int(k.max()) < _LIMIT):
            raise ValueError(f"streams.redraw: expected 0 <= k < 2**32, got {int(k.min())} .. {int(k.max())}")
        moved = replace(self, redraws={**self.redraws, source: k})
        moved._drawn.update(drawn for drawn in self._drawn if drawn[0] != source)
        return moved

    # laws ------------------------------------------------------------------------------------------------------------

    def uniform(self, source: str, shape: tuple[int, ...], part: int = 0) -> Tensor:
        """Uniform on [0, 1): (R, *shape), with 53 random bits in float64 and 24 in float32."""
        return self._uniform(source, shape, part, self.dtype)

    def normal(self, source: str, shape: tuple[int, ...], part: int = 0) -> Tensor:
        """Standard normal: (R, *shape), by Box and Muller (1958)."""
        double = self.dtype == torch.float64
        return self._draw(kernels.normal64 if double else kernels.normal32, _normal64 if double else _normal32, source, shape, part, self.dtype)

    def integers(self, source: str, high: int | Tensor, shape: tuple[int, ...], part: int = 0) -> Tensor:
        """Uniform on 0 .. high - 1: (R, *shape) int64; `high` one number or broadcastable to (R, *shape). The same in every dtype."""
        if isinstance(high, Tensor):
            return (self._uniform(source, shape, part, torch.float64) * high).long()
        return self._draw(partial(_integers, float(high)), lambda key, n: (_uniform64(key, n) * high).long(), source, shape, part, torch.int64)

    def bernoulli(self, source: str, p: float | Tensor, shape: tuple[int, ...], part: int = 0) -> Tensor:
        """True with probability p, to 53 bits: (R, *shape) bool; p one number or broadcastable to (R, *shape). The same in every dtype."""
        chance = torch.as_tensor(p, dtype=torch.float64, device=self.device)
        if chance.numel() > 1 and chance.shape != (self.size, *(1,) * len(shape)):  # it varies within a row
            return self._draw(None, _below_reference(chance.expand(self.size, *shape).flatten(1)), source, shape, part, torch.bool)
        row = chance.reshape(-1).expand(self.size)
        return self._draw(partial(_below, row), _below_reference(row[:, None]), source, shape, part, torch.bool)

    def coins(self, source: str, shape: tuple[int, ...], part: int = 0) -> Tensor:
        """True or False with equal probability, from one bit each: (R, *shape) bool. The same in every dtype."""
        return self._draw(_coins, _coins_reference, source, shape, part, torch.bool)

    def categorical(self, source: str, weights: Tensor, shape: tuple[int, ...], part: int = 0) -> Tensor:
        """Indices drawn with replacement, in proportion to weights (R, K) >= 0: (R, *shape) int64, by inverse CDF."""
        cdf = weights.double().cumsum(-1)
        u = self._uniform(source, shape, part, torch.float64).reshape(self.size, -1) * cdf[:, -1:]
        return torch.searchsorted(cdf, u, right=True).clamp_(max=weights.shape[-1] - 1).reshape(self.size, *shape)

    def multinomial(self, source: str, n: int, weights: Tensor, part: int = 0) -> Tensor:
        """Counts of n categorical draws: (R, K) int64."""
        drawn = self.categorical(source, weights, (n,), part)
        return torch.zeros_like(weights, dtype=torch.int64).scatter_add_(1, drawn, torch.ones_like(drawn))

    def permutation(self, source: str, n: int, shape: tuple[int, ...] = (), part: int = 0) -> Tensor:
        """Uniform permutations of 0 .. n - 1: (R, *shape, n) int64, the order of n uniforms."""
        return self._uniform(source, (*shape, n), part, torch.float64).argsort(dim=-1, stable=True)

    def choice(self, source: str, n: int, size: int, shape: tuple[int, ...] = (), part: int = 0) -> Tensor:
        """`size` different numbers of 0 .. n - 1: (R, *shape, size) int64; every subset has the same probability, the order within is not uniform."""
        if not 0 <= size <= n:
            raise ValueError(f"streams.choice: expected 0 <= size <= n = {n}, got {size}")
        high = torch.arange(n - size + 1, n + 1, device=self.device)
        draws = self.integers(source, high, (*shape, size), part)
        return _floyd(draws.flatten(0, -2), n).view_as(draws)

    # tables too large to store, and other libraries' draws ---------------------------------------------------------------

    def keyed(self, source: str, part: int = 0) -> Keyed:
        """A random table that is never stored: the entry at words w is the same whatever was asked before."""
        return Keyed(self._address(source, part))

    def foreign(self, source: str, n: int, draw: Callable[[], Tensor], part: int = 0) -> Tensor:
        """What another library draws from torch's global generator, (R, n, ...): draw() -> (...) is called for each world and each of n.

        The generator is seeded from the address of each call, and restored afterwards.
        """
        seeds = self.integers(source, _LIMIT, (n,), part).cpu()
        with torch.random.fork_rng(devices=[]):
            drawn = [[_seeded(int(seed), draw) for seed in row] for row in seeds]
        return torch.stack([torch.stack(row) for row in drawn]).to(self.device)

    # the address -----------------------------------------------------------------------------------------------------

    def _number(self, source: str) -> int:
        if source in self._numbers:
            return self._numbers[source]
        near = difflib.get_close_matches(source, self._numbers, 1)
        hint = f"did you mean {near[0]!r}?" if near else "a plugin declares its own in `sources`"
        raise ValueError(f"streams: unknown source {source!r}; {hint}; known: {' '.join(self._numbers)}")

    def _address(self, source: str, part: int) -> np.ndarray:  # (R, 5) uint64
        number = self._number(source)
        if not 0 <= part < _PARTS:
            raise ValueError(f"streams: expected 0 <= part < {_PARTS}, got {part}")
        if (source, part) in self._drawn:
            raise ValueError(
                f"streams: {source!r} was already drawn at this step; name another part (got part={part}), or go to another step with .at"
            )
        self._drawn.add((source, part))
        key = self._key.copy()
        key[:, 3] = number << 16 | part
        if source in self.redraws:
            key[:, 4] = self.redraws[source].cpu().numpy()
        return key

    def _draw(self, kernel, reference, source: str, shape: tuple[int, ...], part: int, dtype: torch.dtype) -> Tensor:  # noqa: ANN001
        key, count = self._address(source, part), math.prod(shape)
        if count >= _LIMIT:
            raise ValueError(f"streams: expected fewer than 2**32 draws in a row, got {count}")
        if kernel is not None and _on_cpu(self.device):
            out = torch.empty((self.size, count), dtype=dtype)
            kernel(key, out.numpy())
        else:
            out = reference(torch.from_numpy(key.astype(np.int64)).to(self.device), count)
        return out.reshape(self.size, *shape)

    def _uniform(self, source: str, shape: tuple[int, ...], part: int, dtype: torch.dtype) -> Tensor:
        double = dtype == torch.float64
        return self._draw(kernels.uniform64 if double else kernels.uniform32, _uniform64 if double else _uniform32, source, shape, part, dtype)


@dataclass(frozen=True)
class Keyed:
    """Random tables of R worlds, one entry for each sequence of words: Philox chained over the words (`Streams.keyed` makes them).

    Words of one table come in sequences of one length W >= 1. The first word is the position in the counter of a block; each further word is
    hashed, as a position, under the key and counter that the block before gave: 128 bits of state.

    Args:
        key: (R, 5) uint64, as in `landscapes.kernels`.
    """

    key: np.ndarray

    def uniform(self, words: Tensor) -> Tensor:
        """Uniform on [0, 1), 53 bits: words (1 | R, P, W) int64, 0 <= w < 2**32 -> (R, P) float64."""
        return self._draw(words, kernels.hashed_uniform, lambda w: _unit(w[0], w[1]))

    def normal(self, words: Tensor) -> Tensor:
        """Standard normal: words as in `uniform` -> (R, P) float64."""
        return self._draw(words, kernels.hashed_normal, lambda w: _box_muller(w)[0])

    def _draw(self, words: Tensor, kernel: Callable, law: Callable[[tuple[Tensor, ...]], Tensor]) -> Tensor:
        if _on_cpu(words.device):
            out = torch.empty((len(self.key), words.shape[1]), dtype=torch.float64)
            kernel(self.key, words.numpy(), out.numpy())
            return out
        return law(_chained(torch.from_numpy(self.key.astype(np.int64)).to(words.device), words))


def bit_words(x: Tensor) -> Tensor:
    """Bits (..., n) uint8 -> (..., W) int64 words of 32 bits, the first bit the lowest; W = n / 32, rounded up."""
    if x.is_cpu:
        packed = np.packbits(x.numpy(), axis=-1, bitorder="little")
        packed = np.pad(packed, [(0, 0)] * (x.ndim - 1) + [(0, -packed.shape[-1] % 4)])
        return torch.from_numpy(packed.view("<u4").astype(np.int64))
    return _packed(x)


def _packed(x: Tensor) -> Tensor:
    """The same in plain torch, for any device."""
    padded = torch.nn.functional.pad(x, (0, -x.shape[-1] % 32)).unflatten(-1, (-1, 32)).long()
    return (padded << torch.arange(32, device=x.device)).sum(-1)


def _seeded(seed: int, draw: Callable[[], Tensor]) -> Tensor:
    torch.manual_seed(seed)
    return draw()


def _words_of(name: str, value: int | Tensor) -> int | np.ndarray:
    """32-bit words of an address."""
    number = value.cpu().numpy() if isinstance(value, Tensor) else value
    low, high = (number, number) if isinstance(number, int) else (number.min(initial=0), number.max(initial=0))
    if not (0 <= low and high < _LIMIT):
        raise ValueError(f"streams: expected {name} of 0 <= {name} < 2**32, got {low} .. {high}")
    return number


# the same definition in plain torch, for any device ---------------------------------------------------------------------


def _blocks(key: Tensor, n: int, first: int = 0) -> tuple[Tensor, ...]:
    """Philox4x32-10: key (R, 5) int64 as in `kernels` -> four (R, n) int64 tensors of 32-bit words, blocks first .. first + n - 1."""
    seed, world, step, source, redraw = (column[:, None] for column in key.unbind(1))
    a = torch.arange(first, first + n, device=key.device).expand(len(key), n)
    return tuple(w.expand(len(key), n) for w in _philox(a, step, source, redraw, seed, world))


def _philox(a: Tensor, b: Tensor, c: Tensor, d: Tensor, k: Tensor, m: Tensor) -> tuple[Tensor, ...]:
    """Philox4x32-10 of the counter (a, b, c, d) under the key (k, m), 32-bit words held as int64."""
    low = 0xFFFFFFFF
    for _ in range(10):
        p, q = a * 0xD2511F53, c * 0xCD9E8D57  # wraps like uint64; the mask undoes the sign of the shift
        a, b, c, d = (q >> 32 & low) ^ b ^ k, q & low, (p >> 32 & low) ^ d ^ m, p & low
        k, m = k + 0x9E3779B9 & low, m + 0xBB67AE85 & low
    return a, b, c, d


def _chained(key: Tensor, words: Tensor) -> tuple[Tensor, ...]:
    """The blocks of `Keyed`: key (R, 5), words (1 | R, P, W) int64 -> four (R, P) int64."""
    seed, world, step, source, redraw = (column[:, None] for column in key.unbind(1))
    a, b, c, d = _philox(words[..., 0], step, source, redraw, seed, world)
    for j in range(1, words.shape[-1]):
        a, b, c, d = _philox(words[..., j], torch.full_like(a, j), c, d, a, b)
    return a, b, c, d


def _on_cpu(device: torch.device | str) -> bool:
    return torch.device(device).type == "cpu"


def _interleave(columns: Sequence[Tensor], n: int) -> Tensor:
    return torch.stack(tuple(columns), -1).flatten(1)[:, :n]


def _unit(high: Tensor, low: Tensor) -> Tensor:
    return high.double() * 2.0**-32 + (low >> 11).double() * 2.0**-53


def _words(key: Tensor, n: int, first: int = 0) -> Tensor:
    return _interleave(_blocks(key, (n + 3) // 4, first), n)


def _below(p: Tensor, key: np.ndarray, out: np.ndarray) -> None:
    kernels.below(key, np.ceil(p.numpy().clip(0, 1) * 2.0**53).astype(np.int64), out.view(np.uint8))


def _below_reference(p: Tensor) -> Callable[[Tensor, int], Tensor]:
    return lambda key, n: _unit(_words(key, n), _words(key, n, first=kernels.TIES)) < p


def _integers(high: float, key: np.ndarray, out: np.ndarray) -> None:
    kernels.integers(key, high, out)


def _coins(key: np.ndarray, out: np.ndarray) -> None:
    kernels.coins(key, out.view(np.uint8))


def _coins_reference(key: Tensor, n: int) -> Tensor:
    return (_words(key, (n + 31) // 32)[..., None] >> torch.arange(32, device=key.device) & 1).flatten(1)[:, :n].bool()


def _uniform64(key: Tensor, n: int) -> Tensor:
    a, b, c, d = _blocks(key, (n + 1) // 2)
    return _interleave((_unit(a, b), _unit(c, d)), n)


def _uniform32(key: Tensor, n: int) -> Tensor:
    return (_words(key, n) >> 8).float() * 2.0**-24


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


def _normal64(key: Tensor, n: int) -> Tensor:
    return _interleave(_box_muller(_blocks(key, (n + 1) // 2)), n)


def _box_muller(w: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
    """Two normals from four words."""
    t = (1.0 - _unit(w[0], w[1])).view(torch.int64) - kernels.HALF_ROOT_BITS + 0x3FF0000000000000
    k = ((t >> 52) - 1023).double()
    f = ((t & 0xFFFFFFFFFFFFF) + kernels.HALF_ROOT_BITS).view(torch.float64) - 1.0
    s = f / (2.0 + f)
    z = s * s
    h = 0.5 * f * f
    log = k * kernels.LN2_HIGH - ((h - (s * (h + z * _horner(z, kernels.LOG)) + k * kernels.LN2_LOW)) - f)
    a = kernels.EIGHTH_TURN * _unit(w[2], w[3])
    z = a * a
    s, c = a + a * z * _horner(z, kernels.SIN), 1.0 - 0.5 * z + z * z * _horner(z, kernels.COS)
    return _turn(_sqrt(-2.0 * log), s, c, w[3])


def _normal32(key: Tensor, n: int) -> Tensor:
    w = _blocks(key, (n + 3) // 4)
    return _interleave([x for h in (0, 2) for x in _pair32(w[h], w[h + 1])], n)


def _pair32(word: Tensor, bits: Tensor) -> tuple[Tensor, Tensor]:
    t = (((word >> 8) + 1).float() * 2.0**-24).view(torch.int32) - kernels.HALF_ROOT_BITS32 + 0x3F800000
    k = ((t >> 23) - 127).float()
    f = ((t & 0x7FFFFF) + kernels.HALF_ROOT_BITS32).view(torch.float32) - 1.0
    z = f * f
    y = _horner(f, kernels.LOG32) * f * z + k * kernels.LN2_LOW32 - 0.5 * z
    log = f + y + k * kernels.LN2_HIGH32
    a = kernels.EIGHTH_TURN * ((bits >> 8).float() * 2.0**-24)
    z = a * a
    s, c = a + a * z * _horner(z, kernels.SIN32), 1.0 - 0.5 * z + z * z * _horner(z, kernels.COS32)
    return _turn(_sqrt(-2.0 * log), s, c, bits)


def _floyd(draws: Tensor, n: int) -> Tensor:
    """(rows, B) int64 -> (rows, B) int64; see `kernels.floyd`."""
    out = torch.empty_like(draws)
    if _on_cpu(draws.device):
        kernels.floyd(draws.numpy(), n, out.numpy())
        return out
    size = draws.shape[1]
    for j in range(size):
        t = draws[:, j]
        taken = (out[:, :j] == t[:, None]).any(1)
        out[:, j] = torch.where(taken, n - size + j, t)
    return out
