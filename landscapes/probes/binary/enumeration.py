"""How rugged a landscape of n bits is, where all 2^n genotypes can be looked at.

Peaks, epistasis, fitness effects, distance.

All are functions of a table of fitness values (R, 2^n), fitness = -loss, in which bit i of an index is locus
i; none has a sampling error. The effect of locus i at genotype x is f_i(x) = f(x ^ e_i) - f(x). Values that
differ by rounding alone are made equal by `tabulate`, so that comparisons are exact.

- A peak is fitter than all its n neighbours, a local optimum has no fitter neighbour; they differ where
  neighbours are equally fit.
- Epistasis of two loci on a background: e = f11 + f00 - f10 - f01. Magnitude, sign or reciprocal sign
  epistasis: the effect of none, one or both of the loci changes its sign with the other (Weinreich, Watson
  and Chao 2005, Evolution 59; Poelwijk et al. 2007, Nature 445).
- gamma = sum f_j(x ^ e_i) f_j(x) / sum f_j(x)^2 over x and i != j, gamma* the same of signs (Ferretti et al.
  2016, "Measuring epistasis in fitness landscapes: the correlation of fitness effects of mutations", J.
  theor. Biol. 396): 1 without epistasis, 0 on the House of Cards.
- Fitness-distance correlation, to the nearest of the best genotypes (Jones and Forrest 1995, ICGA).
- Idiosyncratic index: standard deviation of the effect of a locus over backgrounds, over that of the
  difference of two random genotypes, the mean over loci (Lyons et al. 2020, Nat. Ecol. Evol. 4).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from landscapes.base import Bits, Landscape, Reals
from landscapes.probes.binary import kernels
from landscapes.probes.correlation import pearson

ENUMERATED = 20  # loci up to which all genotypes are looked at
QUANTILES = 10  # groups of genotypes, by fitness
PROBABILITIES = (
    0.01,
    0.05,
    0.1,
    0.25,
    0.75,
    0.9,
    0.95,
    0.99,
)  # at which quantiles of fitness effects are given; the median is 0
ROUNDING = 64  # units in the last place of the largest |fitness| within which two values count as equal
_NUMBERS = 2**20  # bits of genotypes evaluated at a time


# the table --------------------------------------------------------------------------------------------------


def genotypes(number: Tensor, n: int) -> Tensor:
    """The bits of numbers (...) int64: (..., n) uint8."""
    return (number[..., None] >> torch.arange(n, device=number.device) & 1).to(torch.uint8)


def loci(values: Tensor) -> int:
    """The number of loci n of a table (R, 2^n)."""
    n = values.shape[-1].bit_length() - 1
    if values.ndim != 2 or values.shape[-1] != 2**n or not n:
        raise ValueError(
            f"probes: expected a table of fitness values of shape (R, 2^n), n >= 1, got {tuple(values.shape)}"
        )
    return n


def check_binary(landscape: Landscape) -> None:
    """Raise ValueError unless it is a landscape of bits with one loss."""
    if not isinstance(landscape.domain, Bits):
        where = "real coordinates" if isinstance(landscape.domain, Reals) else "letters"
        raise ValueError(f"{landscape.name}: expected a landscape on bits, got one on {where}")
    if len(landscape.players) > 1:
        raise ValueError(
            f"{landscape.name}: expected one loss, got a game of {len(landscape.players)} players"
        )


def fitness(landscape: Landscape, x: Tensor) -> Tensor:
    """Minus the noise-free loss of genotypes x (R, P, n) at time 0: (R, P) float64 on the CPU."""
    time = (
        None if landscape.clock is None else torch.zeros(len(x), dtype=torch.float64, device=x.device)
    )
    some = max(1, _NUMBERS // max(1, len(x) * x.shape[2]))
    with torch.no_grad():
        return torch.cat(
            [
                -landscape.solution_loss(part.contiguous(), time).double().cpu()
                for part in x.split(some, 1)
            ],
            1,
        )


def tabulate(
    landscape: Landscape,
    worlds: int = 1,
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float64,
) -> Tensor:
    """The fitness of all genotypes of a bound landscape: (R, 2^n) float64.

    Args:
        landscape: of n <= 20 bits.
        worlds: R, those that it is bound to.
        device: of its tables.
        dtype: of its values: those that differ by its rounding are made equal.

    Returns:
        The table.

    Raises:
        ValueError: the landscape is not one of so few bits.
    """
    check_binary(landscape)
    n = landscape.dim
    if n > ENUMERATED:
        raise ValueError(
            f"{landscape.name}: expected at most {ENUMERATED} loci to look at all genotypes, got {n}"
        )
    some = max(1, _NUMBERS // (worlds * n))
    numbers = torch.arange(2**n, device=device).split(some)
    values = torch.cat(
        [fitness(landscape, genotypes(part, n).expand(worlds, -1, -1)) for part in numbers], 1
    )
    return merged(values, ROUNDING * torch.finfo(dtype).eps)


def merged(values: Tensor, rounding: float) -> Tensor:
    """Values (R, M) of which those within `rounding` of the largest |value| of their world are equal."""
    out = np.empty(values.shape)
    for row, value in zip(out, values.numpy(), strict=True):
        order = np.argsort(value, kind="stable")
        ordered = value[order]
        kernels.merge(ordered, rounding * np.abs(value).max())
        row[order] = ordered
    return torch.from_numpy(out)


def ascending(values: Tensor) -> Tensor:
    """Genotypes by ascending fitness, of equally fit ones the lower number first: (R, 2^n) int64."""
    return values.argsort(dim=1, stable=True)


def _worlds(values: Tensor, measure: Callable[[np.ndarray, int], np.ndarray]) -> Tensor:
    """A measure of the table (2^n,) and n of each world, stacked: (R, ...)."""
    n = loci(values)
    return torch.from_numpy(
        np.stack([
            np.asarray(measure(row, n), np.float64)
            for row in values.double().cpu().contiguous().numpy()
        ])
    )


# neighbours -------------------------------------------------------------------------------------------------


class Neighbours(NamedTuple):
    """How many neighbours of each genotype are fitter, and how many as fit."""

    fitter: Tensor  # (R, 2^n) uint8
    equal: Tensor  # (R, 2^n) uint8


def neighbours(values: Tensor) -> Neighbours:
    """Compare all genotypes with their neighbours."""
    counts = torch.empty((2, *values.shape), dtype=torch.uint8)
    for r, row in enumerate(values.double().cpu().contiguous().numpy()):
        kernels.neighbours(row, loci(values), counts[0, r].numpy(), counts[1, r].numpy())
    return Neighbours(counts[0], counts[1])


def peaks(neighbours: Neighbours) -> Tensor:
    """Number of genotypes fitter than all their neighbours, (R,)."""
    return ((neighbours.fitter == 0) & (neighbours.equal == 0)).sum(1).double()


def local_optima(neighbours: Neighbours) -> Tensor:
    """Number of genotypes without a fitter neighbour, (R,)."""
    return (neighbours.fitter == 0).sum(1).double()


def neutrality(neighbours: Neighbours) -> Tensor:
    """Fraction of pairs of neighbours that are equally fit, (R,)."""
    return neighbours.equal.double().mean(1) / (neighbours.equal.shape[1].bit_length() - 1)


def evolvability(values: Tensor, order: Tensor, neighbours: Neighbours) -> Tensor:
    """Fraction of mutations that are beneficial, in genotypes of each tenth by fitness: (R, 10).

    The least fit come first; (R, 2^n) where n < 4.

    Where a tenth ends among equally fit genotypes, their mean counts on either side. Order (R, 2^n):
    genotypes by ascending fitness, as `ascending` gives.
    """
    ordered = values.gather(1, order)
    group = torch.nn.functional.pad(ordered.diff(dim=1) != 0, (1, 0)).cumsum(
        1
    )  # of equally fit genotypes
    share = neighbours.fitter.gather(1, order).double() / loci(order)
    total, size = (
        torch.zeros_like(share).scatter_add_(1, group, part) for part in (share, torch.ones_like(share))
    )
    share = (total / size.clamp_min(1)).gather(1, group)
    return torch.stack(
        [part.mean(1) for part in share.tensor_split(min(QUANTILES, order.shape[1]), 1)], 1
    )


# effects ----------------------------------------------------------------------------------------------------


class Effects(NamedTuple):
    """The distribution of fitness effects f_i(x) over x and i.

    Each has its negative at the neighbour, so the mean is 0.
    """

    deviation: Tensor  # (R,) standard deviation
    improvement: Tensor  # (R,) mean of max(f_i(x), 0)
    quantiles: Tensor  # (R, K)
    idiosyncratic: Tensor  # (R,) the index


def effects(values: Tensor, probabilities: tuple[float, ...] = PROBABILITIES) -> Effects:
    """Summarise all fitness effects.

    The p-quantile is the least effect such that a fraction p are not larger.
    """

    def summary(v: np.ndarray, n: int) -> np.ndarray:
        effect = additions(v, n)
        with np.errstate(invalid="ignore"):
            index = effect.std(1).mean() / (np.sqrt(2) * v.std())
        size = np.abs(effect, out=effect).ravel()
        deviation, improvement = np.sqrt(np.square(size).mean()), 0.5 * size.mean()
        return np.array([deviation, improvement, index, *_symmetric_quantiles(size, probabilities)])

    summaries = _worlds(values, summary)
    return Effects(summaries[:, 0], summaries[:, 1], summaries[:, 3:], summaries[:, 2])


def additions(value: np.ndarray, n: int) -> np.ndarray:
    """What 1 instead of 0 at each locus adds to the fitness, on each background: (2^n,) -> (n, 2^(n - 1))."""
    pairs = (value.reshape(-1, 2, 2**i) for i in range(n))
    return np.stack([(pair[:, 1] - pair[:, 0]).ravel() for pair in pairs])


def _symmetric_quantiles(size: np.ndarray, probabilities: tuple[float, ...]) -> list[float]:
    """Quantiles of the values size and -size together; size is reordered."""
    half = size.size  # in ascending order come -size from the largest, then size from the smallest
    places = [min(max(math.ceil(p * 2 * half) - 1, 0), 2 * half - 1) for p in probabilities]
    ranks = [place - half if place >= half else half - 1 - place for place in places]
    size.partition(sorted(set(ranks)))
    return [
        size[rank] if place >= half else -size[rank] for place, rank in zip(places, ranks, strict=True)
    ]


# squares ----------------------------------------------------------------------------------------------------


class Squares(NamedTuple):
    """Sums over all squares of two loci on a background."""

    none: Tensor  # (R,) fraction of squares without epistasis, within rounding
    magnitude: Tensor  # (R,)
    sign: Tensor  # (R,)
    reciprocal: Tensor  # (R,)
    gamma: Tensor  # (R,) NaN where all genotypes are equally fit
    gamma_signs: Tensor  # (R,)


def squares(values: Tensor, dtype: torch.dtype = torch.float64) -> Squares:
    """Epistasis and gamma, of n >= 2 loci; epistasis that is rounding of values of the dtype is none."""
    if loci(values) < 2:
        raise ValueError(f"probes: expected at least two loci for epistasis, got {loci(values)}")

    rounding = 8 * ROUNDING * torch.finfo(dtype).eps

    def found(v: np.ndarray, n: int) -> np.ndarray:
        counts, sums = np.zeros(4), np.zeros(4)
        kernels.squares(v, n, rounding * np.abs(v).max(), counts, sums)
        with np.errstate(invalid="ignore"):
            return np.concatenate((counts / counts.sum(), sums[:2] / sums[2:]))

    return Squares(*_worlds(values, found).unbind(1))


# distance ---------------------------------------------------------------------------------------------------


def distance(values: Tensor) -> Tensor:
    """Loci that differ from the nearest of the fittest genotypes: (R, 2^n)."""
    n = loci(values)
    apart = torch.full_like(values, n).masked_fill(values == values.amax(1, keepdim=True), 0)
    for i in range(n):  # a minimum over one locus at a time
        pair = apart.view(len(values), -1, 2, 2**i)
        apart = torch.minimum(pair, pair.flip(2) + 1).view_as(apart)
    return apart


def fitness_distance(values: Tensor) -> Tensor:
    """Pearson's correlation of fitness and `distance` over all genotypes: (R,).

    Negative where fitness rises towards the best.

    NaN where either is constant.
    """
    return pearson(values, distance(values))


def fitness_distance_ranks(values: Tensor, order: Tensor) -> Tensor:
    """The same of ranks (Spearman's), (R,); order: genotypes by ascending fitness."""
    apart = distance(values)
    by_distance = apart.argsort(dim=1, stable=True)
    return pearson(mean_ranks(values, order), mean_ranks(apart, by_distance))


def mean_ranks(values: Tensor, order: Tensor) -> Tensor:
    """Ranks 0 .. M - 1 within rows (R, M) that `order` sorts; equal values have their mean rank."""
    ordered = values.gather(1, order)
    place = torch.arange(values.shape[1]).expand_as(order)
    fresh = torch.cat((torch.ones_like(order[:, :1]).bool(), ordered[:, 1:] != ordered[:, :-1]), 1)
    first = torch.where(fresh, place, 0).cummax(1).values
    last = torch.where(fresh.roll(-1, 1), place, values.shape[1]).flip(1).cummin(1).values.flip(1)
    return torch.empty_like(values).scatter_(1, order, (first + last).to(values) / 2)
