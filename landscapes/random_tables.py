"""Fitness functions of n bits that are looked at as a whole: random tables too large to store, the best genotype, the multilinear extension.

The genotype with bits x_0 .. x_{n-1} has the number sum_i x_i 2^i. A random table gives each genotype an independent value that is a
function of (instance, genotype) alone, by the keyed hash of `landscapes.streams`; so n is not bounded by memory, and a value does not
depend on what was asked before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from landscapes.base import UNBOUND, Terms, dot, matmul, per_instance
from landscapes.streams import Keyed, Streams, bit_words

Law = Literal["uniform", "normal", "exponential", "gumbel"]
Fitness = Callable[[Tensor], Tensor]  # of genotypes (1 | R, P, n) uint8 -> (R, P)

ENUMERATED = 20  # loci up to which all genotypes are looked at for the best
STORED = 16  # loci up to which all values are stored, for the multilinear extension
_CHUNK = 2**11  # genotypes enumerated at a time: those of 32 worlds stay in the caches
_LEAST = 2.0**-54  # stands for a uniform of 0, whose logarithm is infinite; the least other is 2^-53


@dataclass(frozen=True)
class RandomTable:
    """A fitness function: an independent value for every genotype of R worlds.

    Args:
        keyed: the hash.
        law: uniform on [0, 1), standard normal, exponential with mean 1, or standard Gumbel (of maxima: P(value <= y) = exp(-exp(-y))).
        dtype: of the values.
    """

    keyed: Keyed
    law: Law
    dtype: torch.dtype

    def __call__(self, x: Tensor) -> Tensor:
        """The values of genotypes (1 | R, P, n) uint8 -> (R, P)."""
        words = bit_words(x)
        if self.law == "normal":
            return self.keyed.normal(words).to(self.dtype)
        uniform = self.keyed.uniform(words)
        if self.law == "uniform":
            return uniform.to(self.dtype)
        value = -torch.log1p(-uniform) if self.law == "exponential" else -torch.log(-torch.log(uniform.clamp_min(_LEAST)))
        return value.to(self.dtype)


def draw_table(streams: Streams, law: Law) -> RandomTable:
    """The table at source "instance", part 0."""
    return RandomTable(streams.keyed("instance"), law, streams.dtype)


@dataclass(frozen=True)
class Gap:
    """How far genotypes are from the best one of their world, or from a constant where that is not known.

    Args:
        fitness: to be maximised.
        best: (R, 1) the fitness of a best genotype, or the constant.
        optimum: (R, n) uint8 that genotype, None where it is not known.
        values: (R, 2^n) the fitness of all genotypes in the order of their numbers, None where there are too many.
    """

    fitness: Fitness
    best: Tensor
    optimum: Tensor | None = None
    values: Tensor | None = None

    def loss(self, x: Tensor) -> Tensor:
        """Of genotypes x (R, P, n) uint8 -> (R, P)."""
        return self.best - self.fitness(x)

    def extension(self, p: Tensor) -> Tensor:
        """Its mean over genotypes with independent loci, 1 with chances p (R, P, n) -> (R, P)."""
        if self.values is None:
            raise ValueError(f"multilinear extension: expected at most {STORED} loci, since it reads all 2^n values, got {p.shape[-1]}")
        return self.best - fold(self.values, p)


UNDRAWN = Gap(RandomTable(Keyed(np.zeros((0, 5), np.uint64)), "uniform", torch.float64), UNBOUND)  # stands for a gap before `bind`


def find_gap(streams: Streams, n: int, fitness: Callable[[Streams], Fitness], bound: float = 0.0) -> Gap:
    """The gap of the fitness function of these worlds; all genotypes are looked at once for each instance.

    Args:
        streams: of R worlds; `fitness` draws from them.
        n: loci; the best genotype is found for n <= 20, and all values are kept for n <= 16.
        fitness: the fitness function of the worlds of some streams.
        bound: what the gap is counted from for n > 20.

    Returns:
        The gap of the R worlds.
    """
    own = fitness(streams.at(streams.step))  # every address is free again, as in `per_instance`
    if n > ENUMERATED:
        return Gap(own, torch.full((streams.size, 1), bound, dtype=streams.dtype, device=streams.device))
    optimum = per_instance(streams, lambda s: best_genotype(fitness(s), n, s.device))
    values = per_instance(streams, lambda s: torch.cat(list(_chunks(fitness(s), n, s.device)), 1)) if n <= STORED else None
    return Gap(own, own(optimum[:, None]), optimum, values)


def weighted(loss: Tensor, terms: Terms | None) -> Tensor:
    """The loss (R, P) of a mini-batch where it is not a finite sum: one term."""
    return loss if terms is None else terms.weight.sum(-1) * loss


def best_genotype(fitness: Fitness, n: int, device: torch.device | str = "cpu") -> Tensor:
    """A genotype of the highest fitness, the one of the lowest number where several have it: (R, n) uint8."""
    tops = [chunk.max(1) for chunk in _chunks(fitness, n, device)]
    value, place = (torch.stack(parts, 1) for parts in zip(*tops, strict=True))  # (R, chunks)
    chunk = value.argmax(1, keepdim=True)
    return bits(_CHUNK * chunk + place.gather(1, chunk), n)[:, 0]


def _chunks(fitness: Fitness, n: int, device: torch.device | str) -> Iterator[Tensor]:
    """The fitness of all genotypes in the order of their numbers, (R, chunk) each."""
    for first in range(0, 2**n, _CHUNK):
        yield fitness(bits(torch.arange(first, min(first + _CHUNK, 2**n), device=device), n)[None])


def bits(number: Tensor, n: int) -> Tensor:
    """The genotypes of numbers (...) int64: (..., n) uint8."""
    return (number[..., None] >> torch.arange(n, device=number.device) & 1).to(torch.uint8)


def fold(table: Tensor, p: Tensor) -> Tensor:
    """The mean of a table (R, 2^n) over genotypes whose loci are 1 independently with chances p (R, P, n): (R, P), differentiable.

    It reads the whole table once for each point: the chances of the upper half of the loci times the table times those of the lower half.
    """
    half = p.shape[-1] // 2
    rows = table.unflatten(-1, (-1, 2**half))
    return dot(matmul(_chances(p[..., half:]), rows), _chances(p[..., :half]))


def _chances(p: Tensor) -> Tensor:
    """The probability of every genotype of m loci: (R, P, m) -> (R, P, 2^m)."""
    chance = p.new_ones((*p.shape[:-1], 1))
    for one in p.split(1, -1) if p.shape[-1] else ():
        chance = torch.cat((chance * (1 - one), chance * one), -1)
    return chance
