"""The signed-rank test with ties and zeros gives the p of a count of all signs."""

import itertools

import numpy as np
import pytest
from scipy import stats

from studies.analysis.comparison import comparison
from studies.analysis.comparison.comparison import wilcoxon, wilcoxons
from tests.support.each import each

CASES = {
    "ties": [1.0, 1.0, -1.0, 2.0, 3.0],
    "zeros": [0.0, 0.0, 1.0, 2.0, -0.5, 3.0],
    "all alike": [-1.0] * 6,
    "infinite": [np.inf, np.inf, -np.inf, 1.0, 2.0, -0.5],
    "one": [0.0, 1.0],
    "nan": [np.nan, 1.0, 1.0, 1.0, -2.0],
}


def all_signs(d):
    """The share of all ways to sign the ranks of those that are not 0 that lean as much to one side, twice."""
    ranks = stats.rankdata(abs(d))[d != 0]
    sums = np.array([ranks @ signs for signs in itertools.product((0, 1), repeat=len(ranks))])
    seen = stats.rankdata(abs(d))[d > 0].sum()
    return min(1, 2 * min(np.mean(sums <= seen), np.mean(sums >= seen)))


@each("values", CASES.values(), ids=CASES)
def test_equals_the_count_of_all_signs(values):
    given = np.array(values)
    expected = all_signs(given[~np.isnan(given)])
    assert wilcoxon(given) == pytest.approx(expected, rel=1e-14)
    assert wilcoxon(-given) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("worlds", [5, 13])
def test_without_ties_and_zeros_it_is_scipys(worlds):
    given = np.random.default_rng(4).normal(0.4, 1, worlds)
    assert wilcoxon(given) == pytest.approx(stats.wilcoxon(given, method="exact").pvalue, rel=1e-12)


def test_zeros_of_many_are_ranked_and_left_out():
    given = np.r_[np.zeros(6), np.random.default_rng(4).normal(0.4, 1, 20)]
    assert (
        wilcoxon(given)
        == stats.wilcoxon(given, zero_method="pratt").pvalue
        != stats.wilcoxon(given, zero_method="wilcox").pvalue
    )


def test_six_that_differ_among_many_that_tie_can_tell():
    """Half of all signs, twice: 2 / 2^6. With zeros half to each side it was 0.22."""
    assert wilcoxon(np.r_[np.zeros(58), np.arange(1.0, 7.0)]) == 2 / 64


def test_scipy_is_not_asked_to_count_signs_one_by_one(monkeypatch):
    """It takes a tenth of a second for each test, which a diagram of many cells does not have."""
    monkeypatch.setattr(comparison.scipy.stats, "permutation_test", None)
    rng = np.random.default_rng(1)
    assert all(0 < wilcoxon(rng.integers(-3, 4, 12).astype(float)) <= 1 for _ in range(20))


@pytest.mark.parametrize("worlds", [1, 8, 60])
def test_many_rows_at_once_are_as_one_after_another(worlds):
    rows = np.random.default_rng(2).normal(0.3, 1, (6, worlds))
    rows[1, 0], rows[2, 0], rows[3] = 0.0, np.nan, np.round(rows[3])
    np.testing.assert_allclose(wilcoxons(rows), [wilcoxon(row) for row in rows], rtol=1e-14)
    assert wilcoxons(rows[:0]).shape == (0,)
