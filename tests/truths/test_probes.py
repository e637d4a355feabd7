"""Closed-form laws of binary landscapes, seen through the probes. Each is shown to reject a wrong law.

Laws of expectations over instances are compared as ratios of means: the mean over instances of a ratio is
another number.
"""

import math

import numpy as np
import pytest
import torch

from landscapes.binary.house_of_cards import HouseOfCards
from landscapes.binary.mount_fuji import RoughMountFuji
from landscapes.binary.nk import NK
from landscapes.probes import measure_binary
from landscapes.probes.binary import enumeration, walsh
from landscapes.probes.binary.sampled import Sample
from landscapes.probes.binary.sampled_climbs import SampledClimbs, walk_length
from landscapes.streams import Streams
from tests.truths.table import ratio, told, told_mean

ERRORS = 4.5  # standard errors allowed


def tables(landscape, worlds):
    """The landscape of these worlds, and its fitness (R, 2^n)."""
    bound = landscape.bind(Streams(seed=11, worlds=torch.arange(worlds)))
    return bound, enumeration.tabulate(bound, worlds)


def agrees(sample, truth):
    """Whether the mean of a sample (R,) is within the allowed error of a law."""
    return abs(float(sample.mean()) - truth) <= ERRORS * float(sample.std()) / len(sample) ** 0.5


def ratio_agrees(above, below, truth):
    """The same of the ratio of two means, by the delta method."""
    return agrees((above - truth * below) / below.mean(), 0)


# law 26: Kauffman and Levin 1987; Macken and Perelson 1989 --------------------------------------------------


@pytest.mark.parametrize(
    "landscape", [NK(n=8, k=7), HouseOfCards(n=9, law="normal")], ids=["nk", "cards"]
)
def test_number_of_peaks_of_an_uncorrelated_landscape(landscape):
    n = landscape.dim
    bound, _ = tables(landscape, 1000)
    count = measure_binary(bound, ["peaks"], streams=Streams(seed=11, worlds=torch.arange(1000)))[
        "peaks"
    ].value
    squares = (count - count.mean()).square()
    where, mean, variance = (
        f"probe, {landscape.name}, N = {n}",
        2**n / (n + 1),
        2 ** (n - 1) * (n - 1) / (n + 1) ** 2,
    )
    told_mean(
        26,
        "mean number of peaks without correlation, 2^N / (N + 1)",
        where,
        mean,
        count,
        mutant=2**n / n,
    )
    told_mean(
        26,
        "variance of the number of peaks, 2^(N - 1) (N - 1) / (N + 1)^2",
        where,
        variance,
        squares,
        mutant=mean,
    )  # Poisson's
    assert (enumeration.peaks(enumeration.neighbours(tables(NK(n=n, k=0), 50)[1])) == 1).all()


def test_density_of_peaks_sampled():
    """Where 2^n is too many."""
    s = Streams(seed=11, worlds=torch.arange(30))
    density = measure_binary(HouseOfCards(n=40).bind(s), ["peak_density"], streams=s, samples=1024)[
        "peak_density"
    ].value
    told_mean(
        26,
        "share of genotypes that are peaks, without correlation, 1 / (N + 1)",
        "probe, N = 40",
        1 / 41,
        density,
        mutant=1 / 20,
    )


# law 28: Weinberger 1990 ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n", "k", "neighbours"), [(10, 2, "adjacent"), (9, 4, "random"), (9, 2, "blocks")]
)
def test_autocorrelation_of_nk(n, k, neighbours):
    bound, values = tables(NK(n=n, k=k, neighbours=neighbours), 1000)
    share = (k + 1) / n
    within = 1 - share * 2 ** (k + 1) / (2 ** (k + 1) - 1)
    ensemble = walsh.covariance(values + bound.best, 0.5)
    own = walsh.covariance(values)
    where = f"probe, {neighbours}, N = {n}, K = {k}"
    told_mean(
        28,
        "autocorrelation over all NK, 1 - (K + 1) / N",
        where,
        1 - share,
        ratio(*ensemble),
        mutant=within,
    )
    told_mean(
        28,
        "autocorrelation within an NK, 1 - (K + 1) / N * 2^(K + 1) / (2^(K + 1) - 1)",
        where,
        within,
        ratio(*own),
        mutant=1 - share,
    )
    assert not ratio_agrees(*ensemble, 1 - k / n)
    rho = walsh.autocorrelation(walsh.spectrum(walsh.transform(values)))[:, 0]
    assert ratio_agrees(rho * own[1], own[1], within)


@pytest.mark.parametrize(("n", "k"), [(24, 2), (30, 6)])
def test_autocorrelation_of_nk_sampled(n, k):
    s = Streams(seed=11, worlds=torch.arange(40))
    found = measure_binary(NK(n=n, k=k, neighbours="random").bind(s), ["autocorrelation"], streams=s)[
        "autocorrelation"
    ]
    within = 1 - (k + 1) / n * 2 ** (k + 1) / (2 ** (k + 1) - 1)
    name, where = (
        "autocorrelation within an NK, 1 - (K + 1) / N * 2^(K + 1) / (2^(K + 1) - 1)",
        f"probe of a sample, N = {n}, K = {k}",
    )
    told_mean(28, name, where, within, found.value[:, 0], mutant=1 - k / n)
    assert abs(float(found.value[:, 0].mean()) - (1 - (k + 2) / n)) > 0.01


# law 29: Stadler 1996; Neidhart et al. 2013 -----------------------------------------------------------------


SPECTRUM = "power of the interactions of j loci in NK, C(K + 1, j) / (2^(K + 1) - 1)"


@pytest.mark.parametrize(
    ("n", "k", "neighbours"), [(9, 2, "adjacent"), (9, 3, "random"), (8, 7, "adjacent")]
)
def test_walsh_spectrum_of_nk(n, k, neighbours):
    _, values = tables(NK(n=n, k=k, neighbours=neighbours), 1000)
    power = walsh.powers(walsh.transform(values))[:, 1:]

    def law(k, j):
        return math.comb(k + 1, j) / (2 ** (k + 1) - 1)

    for j in range(1, k + 2):
        off = max(law(k - 1, j), law(k + 1, j), key=lambda wrong: abs(wrong - law(k, j)))
        told_mean(
            29,
            SPECTRUM,
            f"probe, {neighbours}, N = {n}, K = {k}, j = {j}",
            law(k, j),
            ratio(power[:, j - 1], power.sum(1)),
            mutant=off,
        )
    assert power[:, k + 1 :].sum() < 1e-25, "no interactions of more loci"
    wrong = [k - 1] + ([k + 1] if k + 1 < n else [])
    assert not any(ratio_agrees(power[:, 0], power.sum(1), law(other, 1)) for other in wrong)


@pytest.mark.verify
def test_walsh_spectrum_of_nk_sampled():
    s = Streams(seed=11, worlds=torch.arange(40))
    share = measure_binary(NK(n=32, k=2).bind(s), ["walsh_spectrum"], streams=s)["walsh_spectrum"].value
    for j in (1, 2, 3):
        wrong = None if j == 2 else math.comb(4, j) / 15  # K + 1, which hardly differs at j = 2
        told_mean(
            29,
            SPECTRUM,
            f"probe of a sample, N = 32, K = 2, j = {j}",
            math.comb(3, j) / 7,
            share[:, j - 1],
            mutant=wrong,
        )
    assert agrees(share[:, 3], 0)


# law 30: Ferretti et al. 2016 -------------------------------------------------------------------------------


def gamma_sums(values):
    """Gamma's numerator and denominator of each landscape, up to one factor."""
    weight = enumeration.effects(values).deviation.square()
    return enumeration.squares(values).gamma * weight, weight


@pytest.mark.parametrize(
    ("n", "k", "neighbours"), [(10, 4, "random"), (8, 1, "adjacent"), (8, 7, "random")]
)
def test_gamma_of_nk(n, k, neighbours):
    sums, fewer = gamma_sums(tables(NK(n=n, k=k, neighbours=neighbours), 500)[1]), 1 - (k - 1) / (n - 1)
    told_mean(
        30,
        "gamma of NK, 1 - K / (N - 1)",
        f"probe, {neighbours}, N = {n}, K = {k}",
        1 - k / (n - 1),
        ratio(*sums),
        mutant=fewer,
    )
    assert k == n - 1 or not ratio_agrees(*sums, 1 - (k + 1) / n)


@pytest.mark.parametrize(
    ("slope", "law", "variance"),
    [(1.0, "gumbel", math.pi**2 / 6), (0.5, "uniform", 1 / 12), (2.0, "normal", 1.0)],
)
def test_gamma_of_rough_mount_fuji(slope, law, variance):
    sums = gamma_sums(tables(RoughMountFuji(n=8, slope=slope, law=law), 500)[1])
    truth, one = (
        slope**2 / (slope**2 + 2 * variance),
        slope**2 / (slope**2 + variance),
    )  # the noise of one genotype, not of two
    told_mean(
        30,
        "gamma of Rough Mount Fuji, c^2 / (c^2 + 2 sigma^2)",
        f"probe, {law}, N = 8, c = {slope}",
        truth,
        ratio(*sums),
        mutant=one,
    )


# law 31 -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("law", ["uniform", "exponential"])
def test_types_of_epistasis_of_the_house_of_cards(law):
    found = enumeration.squares(tables(HouseOfCards(n=7, law=law), 500)[1])
    assert not found.none.any()
    shares = {"magnitude": found.magnitude, "sign": found.sign, "reciprocal sign": found.reciprocal}
    for (kind, share), coins in zip(
        shares.items(), (1 / 4, 1 / 2, 1 / 4), strict=True
    ):  # as if the changes of sign were independent
        told_mean(
            31,
            f"share of {kind} epistasis without correlation, 1/3",
            f"probe, {law}, N = 7",
            1 / 3,
            share,
            mutant=coins,
        )
    correlated = enumeration.squares(tables(NK(n=7, k=4), 500)[1])
    assert not agrees(correlated.magnitude, 1 / 3)
    assert not agrees(correlated.reciprocal, 1 / 3)


# law 32: Macken and Perelson 1989; Orr 2003 -----------------------------------------------------------------


def walk_oracle(n, greedy):
    """Mean length from a random start where all neighbours but the last genotype are new at every step, by quadrature over ranks in (0, 1)."""
    edge = np.linspace(0, 1, 20001) ** 0.2  # dense towards 1, where walks end
    x, width = (edge[1:] + edge[:-1]) / 2, np.diff(edge)

    def onwards(length, fresh):
        """1 + the mean length after a step from x, times the chance of a step."""
        if greedy:  # the highest of `fresh` has density fresh y^(fresh - 1)
            return np.cumsum((fresh * x ** (fresh - 1) * width * (1 + length))[::-1])[::-1]
        return (1 - x**fresh) * (1 + np.cumsum((length * width)[::-1])[::-1] / (1 - edge[:-1]))

    length = np.zeros_like(x)
    for _ in range(200):
        length = onwards(length, n - 1)
    return float((onwards(length, n) * width).sum())


@pytest.mark.parametrize("n", [60, pytest.param(100, marks=pytest.mark.verify)])
@pytest.mark.verify
def test_lengths_of_adaptive_walks_on_the_house_of_cards(n):
    assert walk_oracle(1000, greedy=False) == pytest.approx(math.log(1000), abs=0.15)
    assert walk_oracle(1000, greedy=True) == pytest.approx(math.e - 1, abs=0.01)
    s = Streams(seed=11, worlds=torch.arange(8))
    found = SampledClimbs(Sample(HouseOfCards(n=n).bind(s), s, 1024))
    for rule, name, law in (
        ("random", "a random adaptive walk", math.log(n)),
        ("greedy", "a greedy walk", math.e - 1),
    ):
        lengths, error = found.all[rule].length.flatten(), walk_length(found, rule)[1].mean() / 8**0.5
        where, exact, twice = (
            f"probe, N = {n}",
            walk_oracle(n, greedy=rule == "greedy"),
            walk_oracle(2 * n, greedy=False),
        )
        told_mean(32, f"length of {name}, quadrature", where, exact, lengths, mutant=twice)
        assert not agrees(lengths, walk_oracle(n, greedy=rule == "random"))
        genotypes = law + 1  # not steps
        asymptotic = f"length of {name}, {'ln N' if rule == 'random' else 'e - 1'}"
        told(32, asymptotic, where, law, lengths.mean(), error=error, bias=0.15, mutant=genotypes)


# law 34 -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "slope"), [(10, 1.0), (8, 2.0)])
def test_autocorrelation_of_rough_mount_fuji(n, slope):
    covariance, variance = walsh.covariance(tables(RoughMountFuji(n=n, slope=slope), 500)[1])
    additive, noise = slope**2 * n / 4, math.pi**2 / 6
    small = (
        noise / 2**n
    )  # the landscape's own mean takes this from the variance and from every covariance
    truth, one = (
        (additive * (1 - loci / n) - small) / (additive + noise - small) for loci in (2, 1)
    )  # how many differ
    name = "autocorrelation within Rough Mount Fuji, (c^2 N / 4) (1 - 2 / N) / (c^2 N / 4 + sigma^2)"
    told_mean(
        34, name, f"probe, gumbel, N = {n}, c = {slope}", truth, ratio(covariance, variance), mutant=one
    )
    assert (
        abs(float(covariance.mean() / variance.mean()) - additive * (1 - 2 / n) / (additive + noise))
        < 0.01
    )
