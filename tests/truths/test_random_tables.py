"""Closed-form laws of House of Cards and Rough Mount Fuji landscapes.

Each is shown to reject a wrong law: another noise, slope or size.
"""

import itertools
import math

import pytest
import torch

from landscapes.binary.house_of_cards import HouseOfCards
from landscapes.binary.mount_fuji import RoughMountFuji
from landscapes.streams import Streams
from studies.theory.ruggedness import fuji_peaks, uncorrelated_peaks, uncorrelated_peaks_variance
from tests.truths.table import ratio, told_mean

ERRORS = 4.5  # standard errors allowed
VARIANCE = {"uniform": 1 / 12, "normal": 1.0, "exponential": 1.0, "gumbel": math.pi**2 / 6}


def fitness(landscape, worlds):
    """Fitness of all genotypes: (R, 2^n) float64."""
    genotypes = (torch.arange(2**landscape.n)[:, None] >> torch.arange(landscape.n) & 1).to(torch.uint8)
    return landscape.bind(Streams(seed=7, worlds=torch.arange(worlds))).gap.fitness(genotypes[None])


def neighbours_of(values):
    """Fitness of the n one-bit neighbours: (R, 2^n) -> (R, n, 2^n)."""
    n = values.shape[1].bit_length() - 1
    return values[:, torch.arange(2**n) ^ (1 << torch.arange(n))[:, None]]


def peaks(values):
    """Genotypes fitter than all their neighbours, for each landscape: (R,) float64."""
    size = values.shape[1]
    return (
        torch
        .stack([values > values[:, torch.arange(size) ^ 1 << i] for i in range(size.bit_length() - 1)])
        .all(0)
        .sum(1)
        .double()
    )


def agrees(sample, truth):
    """Whether the mean of a sample is within the allowed error of a law."""
    return abs(float(sample.mean()) - truth) <= ERRORS * float(sample.std()) / len(sample) ** 0.5


def ratio_agrees(above, below, truth):
    """Whether the ratio of the means over landscapes is within the allowed error of a law (delta method)."""
    return agrees(ratio(above, below), truth)


# law 26: Kauffman and Levin 1987; Macken and Perelson 1989 --------------------------------------------------


@pytest.mark.parametrize(
    ("n", "law"), [(5, "exponential"), (7, "uniform"), (8, "gumbel"), (9, "normal")]
)
def test_number_of_peaks_of_a_house_of_cards(n, law):
    count = peaks(fitness(HouseOfCards(n=n, law=law), 2000))
    mean, variance = uncorrelated_peaks(n), uncorrelated_peaks_variance(n)
    where = f"House of Cards, {law}, N = {n}"
    told_mean(
        26,
        "mean number of peaks without correlation, 2^N / (N + 1)",
        where,
        mean,
        count,
        mutant=2**n / n,
    )
    squares, poisson = (count - count.mean()) ** 2, mean
    told_mean(
        26,
        "variance of the number of peaks, 2^(N - 1) (N - 1) / (N + 1)^2",
        where,
        variance,
        squares,
        mutant=poisson,
    )
    sloped = peaks(fitness(RoughMountFuji(n=n, law=law, slope=1.0), 500))
    assert not agrees(sloped, mean), "a slope leaves fewer peaks"


def test_the_number_of_peaks_does_not_depend_on_the_law():
    ranked = [
        peaks(fitness(HouseOfCards(n=8, law=law), 50)) for law in ("uniform", "exponential", "gumbel")
    ]
    assert torch.equal(ranked[0], ranked[1])
    assert torch.equal(ranked[0], ranked[2])


# law 30: Ferretti et al. 2016 -------------------------------------------------------------------------------


def effect_products(values):
    """For each landscape the sums of s_i(x) s_i(x with locus j flipped), j not i, and of (n - 1) s_i(x)^2, s_i the effect of flipping locus i."""
    n = values.shape[1].bit_length() - 1
    flipped = torch.arange(2**n) ^ (1 << torch.arange(n))[:, None]
    effects = neighbours_of(values) - values[:, None]  # (R, n, 2^n)
    products = sum(
        (effects[:, i] * effects[:, i][:, flipped[j]]).sum(1)
        for i, j in itertools.permutations(range(n), 2)
    )
    return products, (n - 1) * (effects**2).sum((1, 2))


@pytest.mark.parametrize(
    ("law", "slope", "scale", "n"),
    [
        ("gumbel", 1.0, 1.0, 7),
        ("gumbel", 0.5, 0.4, 6),
        ("normal", 0.5, 1.0, 6),
        ("uniform", 0.3, 1.0, 6),
        ("exponential", 2.0, 1.5, 6),
    ],
)
def test_correlation_of_fitness_effects(law, slope, scale, n):
    def gamma(slope, law):
        return slope**2 / (slope**2 + 2 * scale**2 * VARIANCE[law])

    products, squares = effect_products(
        fitness(RoughMountFuji(n=n, law=law, slope=slope, noise_scale=scale), 600)
    )
    where, one = (
        f"{law}, N = {n}, c = {slope}, scale = {scale}",
        slope**2 / (slope**2 + scale**2 * VARIANCE[law]),
    )  # one genotype's noise, not two's
    told_mean(
        30,
        "gamma of Rough Mount Fuji, c^2 / (c^2 + 2 sigma^2)",
        where,
        gamma(slope, law),
        ratio(products, squares),
        mutant=one,
    )
    assert not ratio_agrees(products, squares, gamma(1.3 * slope, law))
    other = {"gumbel": "exponential", "exponential": "gumbel", "normal": "gumbel", "uniform": "normal"}[
        law
    ]
    assert not ratio_agrees(products, squares, gamma(slope, other))


def test_effects_are_uncorrelated_without_a_slope_and_equal_without_noise():
    products, squares = effect_products(fitness(HouseOfCards(n=6, law="normal"), 600))
    assert ratio_agrees(products, squares, 0.0)
    products, squares = effect_products(fitness(RoughMountFuji(n=6, noise_scale=0.0), 3))
    torch.testing.assert_close(products, squares, rtol=1e-12, atol=0)


# law 31: the ranks of four genotypes are equally likely -----------------------------------------------------


def epistasis(values):
    """Fractions of magnitude, sign and reciprocal sign epistasis over all faces of the cube: (R, 3)."""
    n = values.shape[1].bit_length() - 1
    corners = torch.tensor([
        [x, x | 1 << i, x | 1 << j, x | 1 << i | 1 << j]
        for i, j in itertools.combinations(range(n), 2)
        for x in range(2**n)
        if not x & (1 << i | 1 << j)
    ])
    none, one, other, both = values[:, corners].unbind(-1)
    changes = ((one - none) * (both - other) < 0).long() + (
        (other - none) * (both - one) < 0
    ).long()  # of sign
    return torch.stack([(changes == kind).double().mean(1) for kind in range(3)], 1)


@pytest.mark.parametrize(("n", "law"), [(2, "uniform"), (5, "normal"), (6, "gumbel")])
def test_three_kinds_of_epistasis_are_equally_frequent(n, law):
    frequencies = epistasis(fitness(HouseOfCards(n=n, law=law), 3000))
    sloped = epistasis(fitness(RoughMountFuji(n=n, law=law, slope=1.0), 3000))
    for kind, name in enumerate(("magnitude", "sign", "reciprocal sign")):
        coins = (1 / 4, 1 / 2, 1 / 4)[kind]  # as if the changes of sign were independent
        told_mean(
            31,
            f"share of {name} epistasis without correlation, 1/3",
            f"{law}, N = {n}",
            1 / 3,
            frequencies[:, kind],
            mutant=coins,
        )
    assert not agrees(sloped[:, 0], 1 / 3)


# law 32: Macken and Perelson 1989; Flyvbjerg and Lautrup 1992; Orr 2003 -------------------------------------


def walk_lengths(landscape, worlds, greedy):
    """Of the worlds 0 .. worlds - 1, some at a time."""
    return torch.cat([
        _walk_lengths(landscape, range(first, min(first + 50, worlds)), greedy)
        for first in range(0, worlds, 50)
    ])


def _walk_lengths(landscape, worlds, greedy):
    """Steps of an adaptive walk from a random genotype to a peak, to the fittest neighbour or to any fitter one with equal chances: (R,)."""
    streams = Streams(seed=7, worlds=torch.tensor(worlds))
    x = landscape.start(streams, 1)
    flips = torch.eye(landscape.n, dtype=torch.uint8)
    length, walking = torch.zeros(len(worlds)), torch.ones(len(worlds), dtype=torch.bool)
    for step in itertools.count(1):
        some = landscape.bind(streams.subset(streams.worlds[walking]))
        at = x[walking]
        gain = some.loss(at) - some.loss(at ^ flips)  # (W, n)
        chance = streams.at(step).uniform("acceptance", (landscape.n,))[walking]
        choice = torch.where(gain > 0, gain if greedy else 1 + chance, 0).argmax(1)
        moves = (gain > 0).any(1)
        x[walking] = torch.where(moves[:, None, None], at ^ flips[choice][:, None], at)
        length[walking] += moves
        walking[walking.clone()] = moves
        if not walking.any():
            return length.double()


def mean_random_walk(n, cells=4000):
    """Mean length when all neighbours but the last genotype are new.

    By the midpoint rule over the quantile u of the present fitness.
    """
    u = (torch.arange(cells).double() + 0.5) / cells
    stay, ahead, mean = (
        u ** (n - 1),
        0.0,
        0.0,
    )  # chance that no new neighbour is fitter, integral above u of the length that is left
    for at, peak, first in zip(*(t.flip(0).tolist() for t in (u, stay, u**n)), strict=True):
        left = (1 - peak) * (1 + ahead / (1 - at)) / (1 - (1 - peak) / 2 / cells / (1 - at))
        mean += (1 - first) * (1 + (ahead + left / 2 / cells) / (1 - at)) / cells
        ahead += left / cells
    return mean


def within(sample, truth, bias):
    """Whether the mean of a sample is within the allowed error and bias of a law that is exact for n to infinity."""
    return abs(float(sample.mean()) - truth) <= bias + ERRORS * float(sample.std()) / len(sample) ** 0.5


@pytest.mark.parametrize(
    ("n", "law", "worlds"),
    [pytest.param(100, "uniform", 1500, marks=pytest.mark.verify), (50, "gumbel", 1500)],
)
def test_length_of_random_adaptive_walks(n, law, worlds):
    lengths, where = (
        walk_lengths(HouseOfCards(n=n, law=law), worlds, greedy=False),
        f"House of Cards, {law}, N = {n}",
    )
    genotypes, twice = 1 + math.log(n), mean_random_walk(2 * n)  # not steps; not N
    told_mean(
        32,
        "length of a random adaptive walk, ln N",
        where,
        math.log(n),
        lengths,
        bias=0.15,
        mutant=genotypes,
    )
    told_mean(
        32,
        "length of a random adaptive walk, quadrature",
        where,
        mean_random_walk(n),
        lengths,
        bias=2 / n,
        mutant=twice,
    )
    assert not within(walk_lengths(HouseOfCards(n=n, law=law), worlds, greedy=True), math.log(n), 0.15)


def test_a_walk_on_one_locus_has_half_a_step():
    assert mean_random_walk(1) == pytest.approx(0.5, abs=1e-3)
    assert agrees(walk_lengths(HouseOfCards(n=1), 2000, greedy=False), 0.5)


@pytest.mark.parametrize(
    ("n", "law", "worlds"),
    [pytest.param(100, "normal", 1500, marks=pytest.mark.verify), (50, "exponential", 1500)],
)
def test_length_of_greedy_walks(n, law, worlds):
    lengths = walk_lengths(HouseOfCards(n=n, law=law), worlds, greedy=True)
    genotypes = math.e  # not steps
    told_mean(
        32,
        "length of a greedy walk, e - 1",
        f"House of Cards, {law}, N = {n}",
        math.e - 1,
        lengths,
        bias=3 / n,
        mutant=genotypes,
    )
    assert not within(lengths, 1.5, 3 / n)
    assert not within(
        walk_lengths(RoughMountFuji(n=n, law=law, slope=3.0), worlds // 8, greedy=True),
        math.e - 1,
        3 / n,
    )


@pytest.mark.verify
@pytest.mark.parametrize(("n", "worlds"), [(50, 20_000), (200, 5_000)])
def test_length_of_walks_at_several_sizes(n, worlds):
    random, greedy = (walk_lengths(HouseOfCards(n=n), worlds, greedy) for greedy in (False, True))
    where, law, twice = (
        f"House of Cards, uniform, N = {n}",
        mean_random_walk(n, 20_000),
        mean_random_walk(2 * n, 20_000),
    )
    told_mean(
        32, "length of a random adaptive walk, quadrature", where, law, random, bias=1 / n, mutant=twice
    )
    told_mean(32, "length of a greedy walk, e - 1", where, math.e - 1, greedy, bias=4 / n, mutant=1.5)
    assert n > 50 or not within(random, math.log(n), 1 / n), "the difference tends to 0.0975, not to 0"


# law 33: Neidhart, Szendro and Krug 2014 --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n", "slope", "scale"),
    [(9, 0.5, 1.0), pytest.param(10, 1.0, 1.0, marks=pytest.mark.verify), (9, 2.0, 1.0), (7, 1.6, 2.0)],
)
def test_number_of_peaks_of_a_rough_mount_fuji(n, slope, scale):
    count = peaks(fitness(RoughMountFuji(n=n, slope=slope, noise_scale=scale), 1000))
    truth, where = fuji_peaks(n, slope / scale), f"N = {n}, c = {slope / scale}"
    steeper = fuji_peaks(n, 1.25 * slope / scale + 0.1)
    told_mean(
        33,
        "mean number of peaks of Rough Mount Fuji, sum_d C(N, d) / (1 + d e^c + (N - d) e^-c)",
        where,
        truth,
        count,
        mutant=steeper,
    )
    assert not agrees(count, fuji_peaks(n + 1, slope / scale))
    for law in ("exponential", "normal"):
        assert not agrees(
            peaks(fitness(RoughMountFuji(n=n, slope=slope, noise_scale=scale, law=law), 1000)), truth
        )


def test_the_worked_numbers_of_the_law():
    assert [round(fuji_peaks(10, c), 2) for c in (0.5, 1.0, 2.0)] == [85.00, 66.11, 30.07]
    assert fuji_peaks(10, 0.0) == pytest.approx(2**10 / 11)


# law 34: the variance of fitness within a landscape, split into slope and noise -----------------------------


@pytest.mark.parametrize(
    ("n", "slope", "law", "scale"),
    [
        (10, 1.0, "gumbel", 1.0),
        (8, 0.5, "normal", 1.0),
        (6, 1.0, "exponential", 0.7),
        (7, 0.2, "uniform", 1.0),
    ],
)
@pytest.mark.verify
def test_autocorrelation_within_a_rough_mount_fuji(n, slope, law, scale):
    def rho(slope, law):
        """Of neighbours; with 2^n genotypes the noise about the landscape's own mean has variance v (1 - 2^-n), covariance -v 2^-n."""
        sloped, noise = slope**2 * n / 4, scale**2 * VARIANCE[law]
        return (sloped * (1 - 2 / n) - noise / 2**n) / (sloped + noise * (1 - 2.0**-n))

    values = fitness(RoughMountFuji(n=n, slope=slope, law=law, noise_scale=scale), 1500)
    centred = values - values.mean(1, keepdim=True)
    covariance = (centred[:, None] * neighbours_of(centred)).mean((1, 2))
    variance = (centred**2).mean(1)
    where, truth = f"{law}, N = {n}, c = {slope}, scale = {scale}", rho(slope, law)
    one = truth * n / (n - 2)  # of n loci differs, not two
    name = "autocorrelation within Rough Mount Fuji, (c^2 N / 4) (1 - 2 / N) / (c^2 N / 4 + sigma^2)"
    told_mean(34, name, where, truth, ratio(covariance, variance), mutant=one)
    assert not ratio_agrees(covariance, variance, rho(1.3 * slope, law))
    assert not ratio_agrees(
        covariance, variance, rho(slope, "normal" if law in ("gumbel", "uniform") else "gumbel")
    )
    if n == 10:
        assert rho(slope, law) == pytest.approx(0.4825, abs=0.001)
