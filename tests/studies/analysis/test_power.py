"""The smallest differences that could have been shown.

Against closed forms, exhaustive sums and simulation.
"""

import itertools

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from studies.analysis.comparison import power
from studies.analysis.comparison.power import detectable_difference, units_to_decide


def test_paired_differences_have_the_noncentral_t():
    n = 32
    d = power.paired_sd(n) * np.sqrt(3 / np.pi)
    t = stats.t.ppf(0.975, n - 1)
    assert stats.nct.sf(t, n - 1, d * np.sqrt(n)) + stats.nct.cdf(
        -t, n - 1, d * np.sqrt(n)
    ) == pytest.approx(0.8, abs=1e-6)


def test_published_example():
    """Cohen (1988), table 2.4.1: n = 34 pairs show d = 0.5 with power 0.8 at two-sided 0.05 (33.4)."""
    assert power.paired_sd(34) * np.sqrt(3 / np.pi) < 0.5 < power.paired_sd(33) * np.sqrt(3 / np.pi)


def test_wins_have_the_exact_sign_test():
    n = 20
    p = power.win_probability(n)
    wins = [k for k in range(n + 1) if stats.binomtest(k, n).pvalue <= 0.05 and k > n / 2]
    assert sum(stats.binom.pmf(k, n, p) for k in wins) == pytest.approx(0.8, abs=1e-9)


def test_superiority_is_noethers():
    z = 1.959963984540054 + 0.8416212335729143
    assert z**2 == pytest.approx(12 * 0.25 * 64 * (power.a12(32) - 0.5) ** 2, rel=1e-9)


def test_more_tests_and_fewer_worlds_show_less():
    one, many = (
        detectable_difference(xr.DataArray([8, 32, 128], dims="n"), tests) for tests in (1, 10)
    )
    for name in ("paired_sd", "win_probability", "a12"):
        assert (one[name].diff("n") < 0).all()
        assert not (many[name] <= one[name]).any()


def test_too_few_worlds_show_nothing():
    found = detectable_difference(xr.DataArray([0, 1, 5], dims="n"))
    assert np.isnan(found["paired_sd"]).all()  # 5 signs can fall in 32 ways: p is at least 1 / 16
    assert np.isnan(found["win_probability"]).all()


@pytest.mark.verify
def test_so_many_worlds_show_it_in_four_of_five_studies():
    n, studies, rng = 32, 4000, np.random.default_rng(1)
    d = power.paired_sd(n)
    rejected = np.mean(stats.wilcoxon(rng.normal(d, 1, (studies, n)), axis=1).pvalue < 0.05)
    assert rejected == pytest.approx(0.8, abs=0.03)
    shift = np.sqrt(2) * stats.norm.ppf(power.a12(n))  # P(X < Y) = Phi(shift / sqrt 2)
    found = stats.mannwhitneyu(
        rng.normal(0, 1, (studies, n)), rng.normal(shift, 1, (studies, n)), axis=1
    ).pvalue
    assert np.mean(found < 0.05) == pytest.approx(
        0.8, abs=0.05
    )  # Noether takes the variance of no difference
    assert (
        np.mean(stats.wilcoxon(rng.normal(0.7 * d, 1, (studies, n)), axis=1).pvalue < 0.05) < 0.7
    )  # a smaller one is not


# worlds that would decide -----------------------------------------------------------------------------------


def to_decide(differences, tests=1):
    return float(units_to_decide(xr.DataArray(np.array(differences, float), dims="unit"), tests))


def of_pairs(differences):
    """The chance that the sum of two of them is above 0, ties half, less 1/2."""
    sums = [a + b for a, b in itertools.combinations(differences, 2)]
    return np.mean([(total > 0) + (total == 0) / 2 for total in sums]) - 0.5


@pytest.mark.parametrize("tests", [1, 6])
def test_worlds_that_decide_are_noethers_or_those_of_the_interval(tests):
    """Beside all pairs, one by one; the first are skewed, and the mean needs more than the test."""
    rng = np.random.default_rng(3)
    skewed, even, tied = (
        1 - 0.9 * rng.exponential(1, 30),
        rng.normal(0.3, 1, 40),
        rng.integers(-2, 4, 25),
    )
    for differences in (skewed, even, tied):
        z = stats.norm.ppf(1 - 0.05 / tests / 2) + stats.norm.ppf(0.8)
        by_test = z**2 / (3 * of_pairs(differences) ** 2)
        z = stats.norm.ppf(0.975) + stats.norm.ppf(0.8)
        by_interval = (z * np.std(differences, ddof=1) / np.mean(differences)) ** 2
        assert to_decide(differences, tests) == np.ceil(max(by_test, by_interval))
        assert to_decide(-differences, tests) == to_decide(differences, tests)
        assert to_decide([*differences, np.nan], tests) == to_decide(differences, tests)


def test_where_runs_diverge_the_signs_decide():
    """Noether (1987) for the sign test: (z + z)^2 = 4 n (p - 1/2)^2."""
    differences = [np.inf] * 3 + [1.0, 2.0, 3.0, 4.0, 5.0, -6.0, -7.0]
    z = stats.norm.ppf(0.975) + stats.norm.ppf(0.8)
    by_signs, by_test = (z**2 / (k * p**2) for k, p in ((4, 0.3), (3, of_pairs(differences))))
    assert to_decide(differences) == np.ceil(max(by_signs, by_test))


def test_what_nothing_decides():
    assert to_decide([0.0] * 9) == np.inf  # equal
    assert to_decide([1.0] * 9 + [-40.0]) == np.inf  # most are above 0, their mean is below
    assert np.isnan(to_decide([1.0]))
    assert np.isnan(to_decide([np.nan] * 3))


@pytest.mark.verify
@pytest.mark.parametrize("law", ["normal", "skewed"])
def test_so_many_worlds_decide_in_four_of_five_studies(law):
    """What a large sample says is needed has the power that was asked for, in simulated studies of that size."""
    rng = np.random.default_rng(8)
    draw = {
        "normal": lambda *size: rng.normal(0.2, 1, size),
        "skewed": lambda *size: rng.gamma(4.0, 0.5, size) - 1.8,
    }[law]
    n = int(to_decide(draw(100_000)))
    rows = draw(2000, n)
    sure = stats.wilcoxon(rows, axis=1).pvalue < 0.05
    sure &= abs(rows.mean(1)) > stats.t.ppf(0.975, n - 1) * rows.std(1, ddof=1) / n**0.5
    assert sure.mean() == pytest.approx(
        0.8, abs=0.06
    )  # both rules hold less often than the rarer alone
