"""Random tables of fitness too large to store, and the gap to the best of their genotypes.

A random table gives each genotype an independent value that is a function of (instance, genotype) alone, by
the keyed hash of `landscapes.streams`; so n is not bounded by memory, and a value does not depend on what was
asked before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from landscapes.base import per_instance
from landscapes.binary.genotypes import ENUMERATED, STORED, Fitness, best_genotype, chunks, fold
from landscapes.checks import UNBOUND
from landscapes.keyed import Keyed, bit_words
from landscapes.streams import Streams

Law = Literal["uniform", "normal", "exponential", "gumbel"]
_LEAST = 2.0**-54  # stands for a uniform of 0, whose logarithm is infinite; the least other is 2^-53


@dataclass(frozen=True)
class RandomTable:
    """A fitness function: an independent value for every genotype of R worlds.

    Args:
        keyed: the hash.
        law: uniform on [0, 1), standard normal, exponential with mean 1, or standard Gumbel (of maxima:
            P(value <= y) = exp(-exp(-y))).
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
        value = (
            -torch.log1p(-uniform)
            if self.law == "exponential"
            else -torch.log(-torch.log(uniform.clamp_min(_LEAST)))
        )
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
        values: (R, 2^n) the fitness of all genotypes in the order of their numbers, None where there are too
            many.
    """

    fitness: Fitness
    best: Tensor
    optimum: Tensor | None = None
    values: Tensor | None = None

    def loss(self, x: Tensor) -> Tensor:
        """The loss of genotypes x (R, P, n) uint8 -> (R, P)."""
        return self.best - self.fitness(x)

    def extension(self, p: Tensor) -> Tensor:
        """Its mean over genotypes with independent loci, 1 with chances p (R, P, n) -> (R, P)."""
        if self.values is None:
            raise ValueError(
                f"multilinear extension: expected at most {STORED} loci, since it reads all 2^n values, got"
                f" {p.shape[-1]}"
            )
        return self.best - fold(self.values, p)


# stands for a gap before `bind`
UNDRAWN = Gap(
    RandomTable(Keyed(torch.zeros((0, 5), dtype=torch.int64)), "uniform", torch.float64), UNBOUND
)


def find_gap(
    streams: Streams, n: int, fitness: Callable[[Streams], Fitness], bound: float = 0.0
) -> Gap:
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
        return Gap(
            own, torch.full((streams.size, 1), bound, dtype=streams.dtype, device=streams.device)
        )
    optimum = per_instance(streams, lambda s: best_genotype(fitness(s), n, s.device))
    values = (
        per_instance(streams, lambda s: torch.cat(list(chunks(fitness(s), n, s.device)), 1))
        if n <= STORED
        else None
    )
    return Gap(own, own(optimum[:, None]), optimum, values)
