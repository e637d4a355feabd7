"""Recombination of two parents."""

from __future__ import annotations

import torch
from torch import Tensor

from landscapes.streams import Streams
from optimizers.operators.arrays import where_bits, wide


def crosses(streams: Streams, n: int, rate: float | Tensor) -> Tensor:
    """Which of n children have two parents: (R, n) bool, True with probability `rate`."""
    return streams.bernoulli("recombination", wide(rate, 2), (n,))


def recombine(first: Tensor, second: Tensor, streams: Streams, crossover: str) -> Tensor:
    """Children (R, n, D): the crossover says which of their parents (R, n, D) gives each coordinate."""
    return where_bits(CROSSOVERS[crossover](streams, *first.shape[1:]), first, second)


def uniform(streams: Streams, n: int, dim: int) -> Tensor:
    """Uniform crossover (Syswerda 1989, ICGA 3:2): (R, n, D) bool, True where the first parent gives.

    Each coordinate by a fair coin.
    """
    return streams.coins("recombination", (n, dim), part=1)


def one_point(streams: Streams, n: int, dim: int) -> Tensor:
    """One-point crossover (Holland 1975): (R, n, D) bool.

    The first parent gives the coordinates before a cut, uniform on 1 .. D - 1.
    """
    cut = 1 + streams.integers("recombination", max(dim - 1, 1), (n, 1), part=1)
    return torch.arange(dim, device=cut.device) < cut  # (R, n, D)


def two_point(streams: Streams, n: int, dim: int) -> Tensor:
    """Two-point crossover on a ring (De Jong 1975): (R, n, D) bool.

    Of the D gaps of the ring two different ones are cut, each pair as likely.

    The second parent gives the arc that does not hold coordinate D - 1; with D = 1 nothing.
    """
    if dim == 1:
        return torch.ones((streams.size, n, 1), dtype=torch.bool, device=streams.device)
    # the gap g lies before coordinate g
    a, b = streams.choice("recombination", dim, 2, (n,), part=1).sort(-1).values.split(1, -1)
    place = torch.arange(dim, device=a.device)
    return (place < a) | (place >= b)


def multi_point(streams: Streams, n: int, dim: int, rate: float | Tensor) -> Tensor:
    """Crossover without interference (Haldane 1919, J. Genet. 8:299): (R, n, D) bool.

    Each of the D - 1 gaps is a cut with probability `rate`.
    """
    cuts = streams.bernoulli("recombination", wide(rate, 3), (n, dim - 1), part=1)
    before = torch.nn.functional.pad(
        cuts.to(torch.int32).cumsum(-1), (1, 0)
    )  # cuts before each coordinate
    return before % 2 == 0


CROSSOVERS = {"uniform": uniform, "one_point": one_point, "two_point": two_point}
