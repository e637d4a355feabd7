"""The smallest differences that could have been shown.

Against closed forms, exhaustive sums and simulation.
"""

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from studies.analysis.comparison import power
from studies.analysis.comparison.power import detectable_difference


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
