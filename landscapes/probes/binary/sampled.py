"""How rugged a landscape of n bits is, from random samples.

The measures of `landscapes.probes.binary.enumeration` and `.walsh` where 2^n genotypes are too many.

Genotypes are uniform. Each estimate comes with its standard error, over samples that are independent:
genotypes with all their neighbours, squares of two loci, walks. Shares that are 0 in the sample have an error
above 0. What no honest estimate is made of is left out: the number of peaks, paths and funnels (the fraction
of genotypes that are peaks is there).

The power of interactions of j loci is E f(x) f(y) K_j(d(x, y)) over independent x and y, K_j Krawtchouk's
polynomial, so the mean over all pairs of a sample is unbiased (a U-statistic; Hoeffding 1948, Ann. Math.
Stat. 19). Its error is about sqrt(2 C(n, j)) / M of the variance, so low orders alone are given. It can come
out negative.

Evaluations of one world: 4 M for genotypes and 4 M for squares, 1 + n for each of up to M neighbourhoods, 256
for each of up to M / 8 walks. Streams: "init" for genotypes, "mutation" for loci, at a step of its own for
each sample, none of which a study reaches.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import scipy
import torch
from torch import Tensor

from landscapes.addresses import ADDRESSES
from landscapes.base import Landscape
from landscapes.keyed import bit_words
from landscapes.numerics import matmul
from landscapes.probes.binary import kernels
from landscapes.probes.binary.enumeration import PROBABILITIES, QUANTILES, ROUNDING, fitness
from landscapes.probes.estimates import Estimate, jackknife, mean, ratio, share
from landscapes.streams import Streams

ORDER = 4  # of interactions, the highest whose power is estimated
CHANCE = 1e-3  # that effects pass for a slope where there is none
NOISIEST = 0.25  # standard error of a share of the variance above which an order is left out
LAGS = 32
STEPS = 256  # of a walk
_BITS = 2**24  # bits of genotypes held at a time for each world
_NAMES = ("genotypes", "neighbourhoods", "squares", "walks")
# steps of the streams
_PLACES = dict(zip(_NAMES, ADDRESSES["steps"]["probes: samples of bits"], strict=False))


class Squares(NamedTuple):
    """Squares of two loci i, j on a background; an effect has a value on either side of the other locus."""

    first: Tensor  # (R, M, 2) effects of locus i
    second: Tensor  # (R, M, 2) effects of locus j


@dataclass(frozen=True)
class Sample:
    """Samples of a bound landscape, each drawn when it is first asked for.

    Args:
        landscape: of n bits.
        streams: those of its worlds.
        size: M, genotypes and squares of one world, >= 32; of neighbourhoods and walks there are fewer where
            they are dear.
    """

    landscape: Landscape
    streams: Streams
    size: int

    @property
    def n(self) -> int:
        """The loci."""
        return self.landscape.dim

    @cached_property
    def genotypes(self) -> tuple[Tensor, Tensor]:
        """4 M genotypes (R, 4 M, n) and their fitness (R, 4 M)."""
        x = _coins(self.streams.at(_PLACES["genotypes"]), (4 * self.size, self.n))
        return x.cpu(), fitness(self.landscape, x)

    @property
    def resolution(self) -> Tensor:
        """(R, 1, 1) differences of fitness that are rounding."""
        return (
            ROUNDING
            * torch.finfo(self.streams.dtype).eps
            * self.genotypes[1].abs().amax(1)[:, None, None]
        )

    @cached_property
    def neighbourhoods(self) -> tuple[Tensor, Tensor, Tensor]:
        """Genotypes x (R, N, n), their fitness (R, N) and the effects f_i(x) of all their loci (R, N, n).

        Differences that are rounding are 0.
        """
        count = max(32, min(self.size, _BITS // self.n**2))
        x = _coins(self.streams.at(_PLACES["neighbourhoods"]), (count, self.n))
        value = fitness(self.landscape, x)
        return x.cpu(), value, self._exact(mutants(self.landscape, x) - value[..., None])

    @cached_property
    def squares(self) -> Squares:
        """As many squares as samples, the loci and the background of each independent."""
        streams = self.streams.at(_PLACES["squares"])
        x = _coins(streams, (self.size, self.n))
        pair = streams.choice("mutation", self.n, 2, (self.size,))
        i, j = (torch.zeros_like(x).scatter_(2, locus, 1) for locus in pair.split(1, 2))
        corners = fitness(self.landscape, torch.cat((x, x ^ i, x ^ j, x ^ i ^ j), 1)).unflatten(
            1, (4, self.size)
        )
        low, a, b, both = corners.unbind(1)
        first, second = torch.stack((a - low, both - b), 2), torch.stack((b - low, both - a), 2)
        return Squares(self._exact(first), self._exact(second))

    @cached_property
    def walks(self) -> Tensor:
        """Fitness along random walks (R, W, T), one random locus flipped at each step."""
        count = max(32, min(self.size, _BITS // (STEPS * self.n)) // 8)
        streams = self.streams.at(_PLACES["walks"])
        start = _coins(streams, (count, 1, self.n))
        locus = streams.integers("mutation", self.n, (count, STEPS - 1, 1))
        flips = torch.zeros(
            (*locus.shape[:3], self.n), dtype=torch.uint8, device=locus.device
        ).scatter_(3, locus, 1)
        # a sum modulo 256 keeps its lowest bit
        parity = torch.cat((start, flips), 2).cumsum(2, dtype=torch.uint8) & 1
        return fitness(self.landscape, parity.flatten(1, 2)).unflatten(1, (count, STEPS))

    def _exact(self, difference: Tensor) -> Tensor:
        return torch.where(difference.abs() <= self.resolution, 0.0, difference)


def mutants(landscape: Landscape, x: Tensor) -> Tensor:
    """Fitness of all neighbours of genotypes x (R, N, n): (R, N, n), by the locus that differs."""
    flip = torch.eye(x.shape[2], dtype=torch.uint8, device=x.device)
    some = max(1, _BITS // (len(x) * x.shape[2] ** 2))
    return torch.cat(
        [
            fitness(landscape, (part[:, :, None] ^ flip).flatten(1, 2)).unflatten(1, part.shape[1:])
            for part in x.split(some, 1)
        ],
        1,
    )


def _coins(streams: Streams, shape: tuple[int, ...]) -> Tensor:
    return streams.coins("init", shape).to(torch.uint8)


# neighbourhoods ---------------------------------------------------------------------------------------------


def peak_density(sample: Sample) -> Estimate:
    """Fraction of genotypes that are fitter than all their neighbours."""
    return share((sample.neighbourhoods[2] < 0).all(2))


def neutrality(sample: Sample) -> Estimate:
    """Fraction of pairs of neighbours that are equally fit."""
    return share((sample.neighbourhoods[2] == 0).double().mean(2))


def expected_improvement(sample: Sample) -> Estimate:
    """Mean of max(f_i(x), 0): half that of |f_i(x)|, since each effect has its negative at the neighbour."""
    return mean(0.5 * sample.neighbourhoods[2].abs().mean(2))


def effect_deviation(sample: Sample) -> Estimate:
    """Standard deviation of f_i(x) about their mean, which is 0."""
    square, error = mean(sample.neighbourhoods[2].square().mean(2))
    return square.sqrt(), error / (2 * square.sqrt())


def effect_quantiles(sample: Sample) -> Estimate:
    """Quantiles of the effects together with their negatives.

    The least such that a fraction p are not larger.

    The standard error is a quarter of the distance of the quantiles at p plus and minus two standard errors
    of p (Woodruff 1952, J. Am. Stat. Assoc. 47).
    """
    effect = sample.neighbourhoods[2]
    both = torch.cat((effect, -effect), 2)
    ordered = both.flatten(1).sort(1).values
    chance = torch.tensor(PROBABILITIES, dtype=torch.float64)

    def quantiles(p: Tensor) -> Tensor:
        count = ordered.shape[1]
        return ordered.gather(1, (p * count).ceil().long().clamp(1, count).expand(len(ordered), -1) - 1)

    value = quantiles(chance)
    _, error = mean(
        torch.stack([(both <= v[:, None, None]).double().mean(2) for v in value.unbind(1)], 2)
    )
    return value, (quantiles(chance + 2 * error) - quantiles(chance - 2 * error)) / 4


def evolvability(sample: Sample) -> Estimate:
    """Fraction of mutations that are beneficial, in each tenth of the sample by fitness.

    The error is at least one mutation of the tenth.
    """
    _, value, effect = sample.neighbourhoods

    def shares(v: Tensor, beneficial: Tensor) -> Tensor:
        ordered = beneficial.gather(1, v.argsort(dim=1, stable=True))
        return torch.stack([part.mean(1) for part in ordered.tensor_split(QUANTILES, 1)], 1)

    fraction, error = jackknife(shares, value, (effect > 0).double().mean(2))
    return fraction, error.clamp_min(QUANTILES / effect[0].numel())


def idiosyncratic_index(sample: Sample) -> Estimate:
    """Standard deviation of a locus's effect over backgrounds, relative to that between two genotypes."""
    x, value, effect = sample.neighbourhoods
    addition = effect * (1 - 2 * x.double())

    def index(v: Tensor, a: Tensor) -> Tensor:
        return a.std(1).mean(1) / (math.sqrt(2) * v.std(1))

    return jackknife(index, value, addition)


# squares ----------------------------------------------------------------------------------------------------


def epistasis(sample: Sample) -> Estimate:
    """Fractions (R, 4) of squares without epistasis, with magnitude, sign and reciprocal sign epistasis."""
    first, second = sample.squares
    kind = 1 + (first.prod(2) < 0).long() + (second.prod(2) < 0).long()
    none = first.diff(dim=2).abs()[..., 0] <= 8 * sample.resolution[..., 0]
    return share(torch.nn.functional.one_hot(torch.where(none, 0, kind), 4))


def gamma(sample: Sample, signs: bool = False) -> Estimate:
    """Gamma, or that of signs, as a ratio of means over squares."""
    effect = torch.stack(sample.squares, 2)  # (R, M, 2 loci, 2 backgrounds)
    effect = effect.sign() if signs else effect
    return ratio(effect.prod(3).sum(2), 0.5 * effect.square().sum((2, 3)))


# walks ------------------------------------------------------------------------------------------------------


def autocorrelation(sample: Sample) -> Estimate:
    """rho(1) .. rho(K): all walks about one mean, a ratio of means over walks."""
    walks = sample.walks
    centred = walks - walks.mean((1, 2), keepdim=True)
    lags = range(1, min(sample.n, LAGS) + 1)
    covariance = torch.stack([(centred[..., :-lag] * centred[..., lag:]).mean(2) for lag in lags], 2)
    return ratio(covariance, centred.square().mean(2, keepdim=True).expand_as(covariance))


def correlation_length(sample: Sample) -> Estimate:
    """-1 / ln |rho(1)|, the standard error by the delta method."""
    rho, error = (part[:, 0] for part in autocorrelation(sample))
    length = -1 / rho.abs().clamp_max(1).log()
    return length, length.square() / rho.abs() * error


# interactions -----------------------------------------------------------------------------------------------


def spectrum(sample: Sample) -> Estimate:
    """Shares B_1 to B_K of the variance, of the orders that the sample tells: (R, K).

    The standard error is by leaving out a genotype at a time.
    """
    x, value = sample.genotypes
    count = value.shape[1]
    centred = value - value.mean(1, keepdim=True)
    # (R, M, K) sums over all partners
    pairs = matmul(_by_distance(x, centred), _polynomials(sample.n, count))
    squares = centred.square()[..., None]
    total, power = pairs.sum(1, keepdim=True), squares.sum(1, keepdim=True)
    without = (total - 2 * pairs) / ((count - 1) * (count - 2)) / ((power - squares) / (count - 2))
    error = ((count - 1) / count * (without - without.mean(1, keepdim=True)).square().sum(1)).sqrt()
    shares = total / (count * (count - 1)) / (power / (count - 1))
    return shares[:, 0], error


def _polynomials(n: int, count: int) -> Tensor:
    """Krawtchouk polynomials (n + 1, K) at the distances, of the orders that so many genotypes tell."""
    orders = range(1, min(ORDER, n) + 1)
    highest = max(j for j in orders if j == 1 or math.sqrt(2 * math.comb(n, j)) / count <= NOISIEST)
    table = [[krawtchouk(j, d, n) for j in range(1, highest + 1)] for d in range(n + 1)]
    return torch.tensor(table, dtype=torch.float64)


def _by_distance(x: Tensor, value: Tensor) -> Tensor:
    """Sums (R, M, n + 1), over the partners of each genotype at each distance, of the products of values."""
    sums = torch.zeros((*value.shape, x.shape[-1] + 1), dtype=torch.float64)
    words = bit_words(x).to(torch.uint32)
    for own, row, out in zip(words.numpy(), value.numpy(), sums.numpy(), strict=True):
        kernels.pair_sums(own, row, x.shape[-1], out)
    return sums


def krawtchouk(j: int, d: int, n: int) -> int:
    """Sum over all S of j loci of (-1)^|S & T|, T of d of the n loci."""
    return sum((-1) ** i * math.comb(d, i) * math.comb(n - d, j - i) for i in range(j + 1))


def roughness_slope(sample: Sample) -> Estimate:
    """From a least-squares fit of one effect for each locus.

    Noise in the fit adds to small |effects|, so it is biased downwards where M is not >> n.

    NaN where all effects together are no larger than chance makes them (the F test, at the level `CHANCE`):
    there may be no slope at all.

    Raises:
        ValueError: the sample is not more than twice as large as the number of effects.
    """
    x, value = sample.genotypes
    if value.shape[1] <= 2 * (sample.n + 1):
        raise ValueError(
            f"roughness_slope: expected at least {sample.n // 2 + 1} samples at {sample.n} loci, got"
            f" {sample.size}"
        )

    def fitted(spins: Tensor, v: Tensor) -> Tensor:
        slope, variance = _additive(spins, v)
        return variance.sqrt() / (2 * slope.abs().mean(1))

    spins = 1 - 2 * x.double()
    variance, freedom = _additive(spins, value)[1], value.shape[1] - sample.n - 1
    explained = (value - value.mean(1, keepdim=True)).square().sum(1) - freedom * variance
    sloping = explained / sample.n > float(scipy.stats.f.isf(CHANCE, sample.n, freedom)) * variance
    estimate, error = jackknife(fitted, spins, value)
    return torch.where(sloping, estimate, torch.nan), torch.where(sloping, error, torch.nan)


def _additive(spins: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
    """Least squares of values (R, M) on spins (R, M, n): slopes (R, n), variance of what they leave (R,)."""
    design = torch.cat((torch.ones_like(value)[..., None], spins), 2)
    gram, moment = matmul(design.mT, design), matmul(design.mT, value[..., None])
    slope = torch.linalg.solve(gram, moment)
    rest = (value - matmul(design, slope)[..., 0]).square().sum(1)
    return slope[:, 1:, 0], rest / (value.shape[1] - design.shape[2])
