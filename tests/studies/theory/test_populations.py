"""Fixation, adaptation and traits, against exact chains, recursions and quadrature written out here."""

import math

import numpy as np
import pytest
from scipy import integrate, stats

from studies.theory import adaptation, fixation, traits
from tests.references import adaptation as oracle
from tests.references import population_genetics as exact

# fixation ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n", "s", "frequency"), [(23, 0.07, None), (60, -0.03, 0.2), (41, 0.3, 3 / 41)]
)
def test_the_exact_chains(n, s, frequency):
    copies = 1 if frequency is None else round(frequency * n)
    matrix = exact.haploid(n, 1 + s)
    law = fixation.wright_fisher_fixation(n, s, frequency)
    assert law == pytest.approx(exact.fixation(matrix)[copies], rel=1e-9)
    assert law != pytest.approx(exact.fixation(exact.haploid(2 * n, 1 + s))[copies], rel=1e-3)
    time = fixation.wright_fisher_time(n, s, frequency)
    assert time == pytest.approx(exact.absorption_time(matrix)[copies], rel=1e-9)
    fixed = fixation.wright_fisher_fixation_time(n, s, frequency)
    assert fixed == pytest.approx(exact.conditional_time(matrix)[copies - 1], rel=1e-9)
    moran = exact.fixation(exact.moran(n, 1 + s))[copies]
    assert fixation.moran_fixation(n, s, frequency) == pytest.approx(moran, rel=1e-9)


def test_no_copies_at_the_start():
    with pytest.raises(ValueError, match=r"expected 1 \.\. 19 copies of 20 at the start, got 0"):
        fixation.wright_fisher_fixation(20, 0.1, 0.01)


@pytest.mark.parametrize(("n", "s", "ploidy"), [(80, 0.03, 1), (80, -0.01, 1), (40, 0.015, 2)])
def test_kimura_is_near_the_chain(n, s, ploidy):
    chain = exact.haploid(n, 1 + s) if ploidy == 1 else exact.diploid(n, s)
    law = fixation.kimura(n, s, ploidy)
    assert law == pytest.approx(exact.fixation(chain)[1], rel=0.025)
    assert fixation.kimura(n, s / 2, ploidy) != pytest.approx(law, rel=0.1)  # mutant: e^-s for e^-2s


@pytest.mark.parametrize(("s", "p"), [(0.04, 0.1), (-0.02, 0.7), (0.9, 0.01), (-0.5, 0.4)])
def test_kimura_by_quadrature(s, p):
    """u(p) = int_0^p e^(-2 N s x) dx over the same to 1."""

    def density(x):
        return math.exp(-2 * 90 * s * (x - (s < 0)))

    below, above = (integrate.quad(density, *ends, limit=400)[0] for ends in ((0, p), (p, 1)))
    assert fixation.kimura(90, s, frequency=p) == pytest.approx(below / (below + above), rel=1e-6)


def test_neutral_fixation():
    assert fixation.kimura(50, 0.0) == fixation.moran_fixation(50, 0.0) == 1 / 50
    assert fixation.kimura(50, 1e-9) == pytest.approx(1 / 50, rel=1e-6)
    assert fixation.kimura(10**6, -1.0) == 0.0  # and no overflow


def test_neutral_times():
    matrix = exact.haploid(150, 1.0)
    some = exact.absorption_time(matrix)[45]
    assert fixation.neutral_time(150, 0.3) == pytest.approx(some, rel=0.015)
    assert fixation.neutral_time(75, 0.3, ploidy=2) == fixation.neutral_time(150, 0.3)
    alone = exact.conditional_time(matrix)
    assert fixation.neutral_fixation_time(150) == pytest.approx(alone[0], rel=0.02)
    assert fixation.neutral_fixation_time(150, 0.4) == pytest.approx(alone[59], rel=0.02)
    assert fixation.neutral_fixation_time(150, 1e-9) == pytest.approx(300)


def heterozygosity(matrix, steps):
    n = len(matrix) - 1
    p = np.arange(n + 1) / n
    return exact.after(matrix, n // 2, steps) @ (2 * p * (1 - p)) / 0.5


def test_drift():
    kept = heterozygosity(exact.haploid(14, 1.0), 9)
    assert fixation.heterozygosity_kept(14, 9) == pytest.approx(kept, rel=1e-9)
    assert fixation.heterozygosity_kept(7, 9, ploidy=2) == pytest.approx(kept, rel=1e-9)
    moran = heterozygosity(exact.moran(14, 1.0), 30)
    assert fixation.moran_heterozygosity_kept(14, 30) == pytest.approx(moran, rel=1e-9)


def test_mutation_and_drift():
    """In the long run of the exact chain: of a pair drawn without replacement."""
    n = 12
    long = np.linalg.matrix_power(exact.haploid(n, 1.0, 0.03), 5000)[0]
    p = np.arange(n + 1) / n
    pair = long @ (2 * p * (1 - p)) * n / (n - 1)
    assert fixation.mutation_drift_heterozygosity(n, 0.03) == pytest.approx(pair, rel=1e-9)
    assert fixation.mutation_drift_heterozygosity(6, 0.03, 2) == pytest.approx(pair, rel=1e-9)


def test_linkage():
    law = 0.25 * fixation.linkage_kept(11, 0.17, 6)
    assert law == pytest.approx(exact.disequilibrium(11, 1, 0.17, 6, 0.25), rel=1e-12)


@pytest.mark.parametrize("ratio", [1.05, 0.93])
def test_odds_in_the_long_run(ratio):
    """Rare mutants either way: the odds are the ratio of their chances to fix."""
    n = 25
    chains = [[kind(n, w) for w in (ratio, 1 / ratio)] for kind in (exact.haploid, exact.moran)]
    wright, moran = (exact.fixation(up)[1] / exact.fixation(down)[1] for up, down in chains)
    assert fixation.fixed_ratio(n, ratio) == pytest.approx(wright, rel=0.01)
    assert fixation.moran_fixed_ratio(n, ratio) == pytest.approx(moran, rel=1e-9)
    assert fixation.fixed_ratio(n, ratio) != pytest.approx(moran, rel=0.1)


# mutation and selection -------------------------------------------------------------------------------------


def test_mutation_selection_balance():
    q = 0.3
    for _ in range(5000):  # select, then mutate
        q = q * (1 - 0.2) / (1 - 0.2 * q)
        q += 0.004 * (1 - q)
    assert adaptation.mutation_selection_balance(0.004, 0.2) == pytest.approx(q, rel=1e-6)
    assert adaptation.mutation_selection_balance(0.004, 0.2, 0.5) == pytest.approx(0.04)


def test_the_load():
    """Poisson classes of (1 - s)^k: mean fitness and the least loaded, by the recursion."""
    k = np.arange(80)
    share, fitness = stats.poisson.pmf(k, 1.0), 0.7**k
    new = stats.poisson.pmf(k, 0.4)
    for _ in range(3000):
        share = np.convolve(share * fitness, new)[:80]
        load = share.sum()
        share /= load
    assert adaptation.mutation_load(0.4) == pytest.approx(load, rel=1e-6)
    assert adaptation.least_loaded(0.4, 0.3) == pytest.approx(share[0], rel=1e-6)


def test_the_single_peak():
    """The leading eigenvector of all classes; the law leaves mutation back out."""
    fitness = [4.0] + [1.0] * 30
    for u in (0.01, 0.03):
        share = exact.balance(30, u, fitness)[0]
        assert adaptation.quasispecies_share(30, 4.0, u) == pytest.approx(share, rel=0.03)
    edge = adaptation.error_threshold(30, 4.0)
    assert 4.0 * (1 - edge) ** 30 == pytest.approx(1)
    assert adaptation.quasispecies_share(30, 4.0, 1.01 * edge) == 0
    assert exact.balance(30, 1.3 * edge, fitness)[0] < 0.01


def test_the_flattest():
    """Growth of the two peaks, each with its mutants lost: w (1 - u)^(fixed loci), by bisection."""
    low, high = 0.0, 0.5
    for _ in range(60):
        u = (low + high) / 2
        peaked, flat = 5.0 * (1 - u) ** 11, 3.5 * (1 - u) ** (11 - 6)
        low, high = (u, high) if peaked > flat else (low, u)
    assert adaptation.flattest_threshold(6, 5.0, 3.5) == pytest.approx(u, rel=1e-9)


def test_speeds():
    """The worked numbers of Desai and Fisher's regime, and the sweeps of the exact chain."""
    assert adaptation.clonal_speed(1e5, 0.02, 1e-5) / 0.02 == pytest.approx(0.0026 / 0.02, rel=0.02)
    rate = 200 * 1e-6 * exact.fixation(exact.haploid(200, 1.03))[1]
    assert adaptation.sweep_speed(200, 0.03, 1e-6) == pytest.approx(rate, rel=0.05)


@pytest.mark.parametrize(("u", "depth", "s"), [(2e-4, 0.0, 0.3), (1e-3, 0.1, 0.05), (1e-5, 0.4, 1.0)])
def test_tunnelling(u, depth, s):
    law = adaptation.tunnelling_chance(u, depth, s)
    assert law == pytest.approx(oracle.tunnelling(u, depth, s), rel=1e-8)
    time = adaptation.valley_time(700, u, depth, s)
    assert time == pytest.approx(1 / (1400 * u * law) + math.log(700) / s, rel=1e-9)


def test_a_plateau_beside_the_exact_chain():
    """Of 60: the chain of all populations of three classes, and the wrong law of one order of the loci."""
    chain = oracle.valley_time(60, 0.001, 0.0, 1.5)
    assert adaptation.valley_time(60, 0.001, 0.0, 1.5) == pytest.approx(chain, rel=0.15)
    assert adaptation.valley_time(60, 0.001, 0.0, 1.5, paths=1) != pytest.approx(chain, rel=0.5)


# traits -----------------------------------------------------------------------------------------------------


def order_mean(n, kept, power=1):
    """Mean of the `kept` largest of n normals, by quadrature of each order statistic."""

    def density(x, k):
        return x**power * stats.norm.pdf(x) * stats.binom.pmf(k, n - 1, stats.norm.sf(x)) * n

    return np.mean([integrate.quad(density, -9, 9, args=(k,))[0] for k in range(kept)])


def test_intensities():
    assert traits.tournament_intensity(7) == pytest.approx(order_mean(7, 1), rel=1e-7)
    assert traits.truncation_intensity(0.3, 50) == pytest.approx(order_mean(50, 15), rel=2e-3)
    edge = stats.norm.isf(0.3)
    mean = integrate.quad(lambda x: x * stats.norm.pdf(x), edge, 12)[0] / 0.3
    assert traits.truncation_intensity(0.3) == pytest.approx(mean, rel=1e-7)
    assert traits.breeders_response(0.4, mean, 2.0) == pytest.approx(0.8 * mean)


def test_bulmer():
    """The recursion, with the variance of the selected by quadrature."""
    edge = stats.norm.isf(0.25)
    moments = [
        integrate.quad(lambda x, p=p: x**p * stats.norm.pdf(x), edge, 12)[0] / 0.25 for p in (1, 2)
    ]
    lost, variance = 1 - (moments[1] - moments[0] ** 2), 1.6
    for _ in range(300):
        heritability = variance / (variance + 0.9)
        variance = variance * (1 - lost * heritability) / 2 + 1.6 / 2
    assert traits.bulmer_variance(1.6, 0.25, 0.9) == pytest.approx(variance, rel=1e-8)
    assert traits.bulmer_variance(1.6, 0.25) == pytest.approx(1.6 / (1 + lost), rel=1e-8)


def selected(mean, variance, width):
    """Mean and variance of a normal trait after Gaussian selection about 0, on a grid."""
    z = np.linspace(mean - 12 * variance**0.5, mean + 12 * variance**0.5, 20_001)
    weight = stats.norm.pdf(z, mean, variance**0.5) * np.exp(-((z / width) ** 2) / 2)
    weight /= weight.sum()
    return weight @ z, weight @ (z - weight @ z) ** 2


def test_lande():
    moved = selected(-1.3, 0.4, 1.7)[0] + 1.3
    assert traits.lande_response(0.4, 1.3, 1.7) == pytest.approx(moved, rel=1e-6)
    rest = traits.mutation_variance(0.3, 1.7)
    assert selected(0.0, rest, 1.7)[1] + 0.09 == pytest.approx(rest, rel=1e-6)
    lag = traits.moving_lag(0.05, rest, 1.7)
    assert selected(-lag, rest, 1.7)[0] + lag == pytest.approx(0.05, rel=1e-6)


@pytest.mark.parametrize("count", [20_000, pytest.param(1_000_000, marks=pytest.mark.verify)])
def test_a_finite_sample_responds_less(count):
    """Samples of 30 by numpy."""
    draw = np.random.default_rng(3)
    z = np.float32(0.9) * draw.standard_normal((count, 30), np.float32)
    w = np.exp(np.float32(0.6) * z)
    response = (w * z).sum(1) / w.sum(1)
    error = response.std() / count**0.5
    law = traits.finite_response(0.6, 0.81, 30)
    assert abs(law - response.mean()) < 4.5 * error + 2e-3 * law
    assert abs(0.6 * 0.81 - response.mean()) > 4.5 * error + 2e-3 * law


def test_onemax():
    """One locus of n at linkage equilibrium: weights by the mean fitness of the others."""
    p, n = 0.35, 30
    for _ in range(12):
        p = p * ((n - 1) * p + 1) / (n * p)
    assert traits.onemax_proportional(n, 12, 0.35) == pytest.approx(p, rel=1e-12)
    share, size = 0.5, 400.0
    for _ in range(2000):  # dp = I sqrt(p (1 - p) / n) in small steps
        share += traits.truncation_intensity(0.4) * math.sqrt(share * (1 - share) / size) * 10 / 2000
    assert traits.onemax_truncation(400, 10, 0.4) == pytest.approx(share, abs=2e-4)
    assert traits.onemax_truncation(20, 1000, 0.4) == 1
