"""Addressed random streams: the only file that draws.

A draw is Philox4x32-10 (Salmon et al. 2011) at the key (study seed, world) and the counter (block of the
position, step, source and part, redraw). Nothing is consumed: the draw at an address does not depend on what
else was drawn, on which other worlds share the batch, or on the device. Position of coordinate d of point p
is p * D + d, so raising P keeps the earlier draws.

On a CPU the loops are numba's; elsewhere the same definitions are operators of torch, bit for bit
(`landscapes.draws`).
"""

from __future__ import annotations

import copy
import difflib
import math
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np
import torch
from torch import Tensor

from landscapes import draws
from landscapes.keyed import Keyed

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
    # (R, 5), see `landscapes.draws`, numpy's on a CPU; the source and the redraw are 0
    _key: np.ndarray | Tensor = field(init=False, repr=False, compare=False)
    _drawn: set[tuple[str, int]] = field(init=False, repr=False, compare=False, default_factory=set)

    def __post_init__(self) -> None:
        if not 0 <= self.seed < _LIMIT:
            raise ValueError(f"streams: expected a seed of 0 <= seed < 2**32, got {self.seed}")
        key = np.zeros((len(self.worlds), 5), np.uint64)
        key[:, 0] = self.seed
        key[:, 1] = _words_of("worlds", self.worlds)
        here = torch.device(self.device).type == "cpu"
        made = key if here else draws.on_device(key, self.device)
        object.__setattr__(self, "_key", _at(made, self.step))
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
        moved = copy.copy(self)
        for name, value in (("step", step), ("_key", _at(self._key, step)), ("_drawn", set())):
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
        return self._draw(draws.NORMAL[self.dtype], source, shape, part)

    def integers(
        self, source: str, high: int | Tensor, shape: tuple[int, ...], part: int = 0
    ) -> Tensor:
        """Uniform on 0 .. high - 1: (R, *shape) int64; `high` one number or broadcastable to (R, *shape).

        The same in every dtype.
        """
        if isinstance(high, Tensor):
            return (self._uniform(source, shape, part, torch.float64) * high).long()
        return self._draw(draws.INTEGERS, source, shape, part, high)

    def bernoulli(
        self, source: str, p: float | Tensor, shape: tuple[int, ...], part: int = 0
    ) -> Tensor:
        """True with probability p, to 53 bits: (R, *shape) bool.

        The chance p is one number, or broadcastable to (R, *shape). The same in every dtype.
        """
        chance = torch.as_tensor(p, dtype=torch.float64, device=self.device)
        if chance.numel() > 1 and chance.shape != (self.size, *(1,) * len(shape)):
            chances = chance.expand(self.size, *shape).flatten(1)  # it varies within a row
        else:
            chances = chance.reshape(-1, 1).expand(self.size, 1)
        return self._draw(draws.BELOW, source, shape, part, chances)

    def coins(self, source: str, shape: tuple[int, ...], part: int = 0) -> Tensor:
        """True or False with equal probability, from one bit each: (R, *shape) bool.

        The same in every dtype.
        """
        return self._draw(draws.COINS, source, shape, part)

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
        return draws.FLOYD(drawn.flatten(0, -2), n).view_as(drawn)

    # tables too large to store, and other libraries' draws --------------------------------------------------

    def keyed(self, source: str, part: int = 0) -> Keyed:
        """A random table that is never stored: the entry at words w is the same whatever was asked before."""
        place = self._place(source, part)
        return Keyed(
            draws.addressed(draws.on_device(self._key, self.device), place, self._redraw(source))
        )

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

    def _place(self, source: str, part: int) -> int:
        """The word of the address that stands for source and part, which are drawn now."""
        number = self._number(source)
        if not 0 <= part < _PARTS:
            raise ValueError(f"streams: expected 0 <= part < {_PARTS}, got {part}")
        if (source, part) in self._drawn:
            raise ValueError(
                f"streams: {source!r} was already drawn at this step; name another part (got part={part}), or"
                " go to another step with .at"
            )
        self._drawn.add((source, part))
        return number << 16 | part

    def _redraw(self, source: str) -> Tensor | None:
        return self.redraws[source].to(self.device) if source in self.redraws else None

    def _draw(
        self,
        law: draws.Operator,
        source: str,
        shape: tuple[int, ...],
        part: int,
        *numbers: object,
    ) -> Tensor:
        place, count = self._place(source, part), math.prod(shape)
        if count >= _LIMIT:
            raise ValueError(f"streams: expected fewer than 2**32 draws in a row, got {count}")
        drawn = law(self._key, count, place, self._redraw(source), *numbers)
        return drawn.reshape(self.size, *shape)

    def _uniform(self, source: str, shape: tuple[int, ...], part: int, dtype: torch.dtype) -> Tensor:
        return self._draw(draws.UNIFORM[dtype], source, shape, part)


def with_operators(streams: Streams) -> Streams:
    """The same streams, drawing by operators on a CPU too, as a graph needs them.

    The step may then be a tensor (1,) or (R,) whose number nobody looks at.
    """
    moved = copy.copy(streams)
    object.__setattr__(moved, "_key", draws.on_device(streams._key, streams.device))
    return moved


def _seeded(seed: int, draw: Callable[[], Tensor]) -> Tensor:
    torch.default_generator.manual_seed(seed)  # torch.manual_seed formats a stack trace, for CUDA
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed_all(seed)
    return draw()


def _at(key: np.ndarray | Tensor, step: int | Tensor) -> np.ndarray | Tensor:
    """The key (R, 5) at a step."""
    moved = key.copy() if isinstance(key, np.ndarray) else key.clone()
    unasked = isinstance(step, Tensor) and isinstance(key, Tensor)  # nobody waits for its number
    moved[:, 2] = step if unasked else _words_of("step", step)
    return moved


def _words_of(name: str, value: int | Tensor) -> int | Tensor:
    """32-bit words of an address."""
    value = value.cpu() if isinstance(value, Tensor) else value
    low, high = (value, value) if isinstance(value, int) else _ends(value)
    if not (0 <= low and high < _LIMIT):
        raise ValueError(f"streams: expected {name} of 0 <= {name} < 2**32, got {low} .. {high}")
    return value


def _ends(numbers: Tensor) -> tuple[int, int]:
    array = numbers.numpy()
    return array.min(initial=0), array.max(initial=0)
