"""Genotypes of n bits and all that looks at every one of them.

Numbering, enumeration, the best one, the multilinear extension of a whole table.

The genotype with bits x_0 .. x_{n-1} has the number sum_i x_i 2^i: the lowest bit first. With
more letters than two at a site, 2^i is the product of the sizes of the sites before i.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from functools import reduce
from operator import mul

import numpy as np
import torch
from torch import Tensor

from landscapes.numerics import dot, matmul

Fitness = Callable[[Tensor], Tensor]  # of genotypes (1 | R, P, n) uint8 -> (R, P)

ENUMERATED = 20  # loci up to which all genotypes are looked at
STORED = 16  # loci up to which all values are stored, for the multilinear extension
_DENOMINATOR = 10**4  # the largest of a fraction that a user may have meant
_CHUNK = 2**11  # genotypes enumerated at a time: those of 32 worlds stay in the caches


def best_genotype(fitness: Fitness, n: int, device: torch.device | str = "cpu") -> Tensor:
    """A genotype of the highest fitness, the one of the lowest number where several have it: (R, n) uint8."""
    tops = [chunk.max(1) for chunk in chunks(fitness, n, device)]
    value, place = (torch.stack(parts, 1) for parts in zip(*tops, strict=True))  # (R, chunks)
    chunk = value.argmax(1, keepdim=True)
    return bits(_CHUNK * chunk + place.gather(1, chunk), n)[:, 0]


def chunks(fitness: Fitness, n: int, device: torch.device | str = "cpu") -> Iterator[Tensor]:
    """The fitness of all genotypes in the order of their numbers, (R, chunk) each."""
    for first in range(0, 2**n, _CHUNK):
        yield fitness(bits(torch.arange(first, min(first + _CHUNK, 2**n), device=device), n)[None])


def bits(number: Tensor, n: int) -> Tensor:
    """The genotypes of numbers (...) int64: (..., n) uint8."""
    return (number[..., None] >> torch.arange(n, device=number.device) & 1).to(torch.uint8)


def radix(sizes: Sequence[int]) -> list[int]:
    """What a letter counts at each site in the number of a genotype: the product of the sizes before it."""
    return [math.prod(sizes[:site]) for site in range(len(sizes))]


def letters(number: Tensor, sizes: Sequence[int]) -> Tensor:
    """The genotypes of numbers (...) int64, of sites with so many letters: (..., n) uint8."""
    size, unit = (torch.tensor(each, device=number.device) for each in (list(sizes), radix(sizes)))
    return (number[..., None] // unit % size).to(torch.uint8)


def letter_number(x: Tensor, sizes: Sequence[int]) -> Tensor:
    """The numbers (...) int64 of genotypes (..., n) uint8: sum_i x_i times the sizes before i."""
    return (x.long() * torch.tensor(radix(sizes), device=x.device)).sum(-1)


def fold(table: Tensor, p: Tensor) -> Tensor:
    """The mean of a table (R, 2^n) over genotypes whose loci are 1 with chances p (R, P, n): (R, P).

    Loci are independent; it is differentiable.

    It reads the whole table once for each point: the chances of the upper half of the loci times the table
    times those of the lower half.
    """
    half = p.shape[-1] // 2
    rows = table.unflatten(-1, (-1, 2**half))
    return dot(matmul(_chances(p[..., half:]), rows), _chances(p[..., :half]))


def _chances(p: Tensor) -> Tensor:
    """The probability of every genotype of m loci: (R, P, m) -> (R, P, 2^m)."""
    chance = p.new_ones((*p.shape[:-1], 1))
    for locus in p.split(1, -1) if p.shape[-1] else ():
        chance = torch.cat((chance * (1 - locus), chance * locus), -1)
    return chance


def common_measure(*values: float) -> float:
    """The largest number of which all values are multiples, as 0.05 of 0.1 and 0.15.

    0 where they are no fractions of small numbers.
    """
    fractions = [Fraction(value).limit_denominator(_DENOMINATOR) for value in values]
    if any(
        abs(fraction - value) > 1e-12 * max(map(abs, values))
        for fraction, value in zip(fractions, values, strict=True)
    ):
        return 0.0
    below = math.lcm(*(fraction.denominator for fraction in fractions))
    return math.gcd(*(int(fraction * below) for fraction in fractions)) / below


def product(q: Tensor) -> Tensor:
    """Product over the last axis.

    The derivative of torch.prod takes another way where any entry of the batch is 0, so its bits depend on R.
    """
    return reduce(mul, q.unbind(-1))


def for_kernel(tensor: Tensor) -> np.ndarray:
    """The numpy array that a kernel reads: contiguous; rows that share memory become one row."""
    return (tensor[:1] if tensor.stride(0) == 0 else tensor).contiguous().numpy()
