"""The signed-rank test with ties and zeros gives the p of SciPy's, which counts all signs one by one."""

import numpy as np
import pytest
from scipy import stats

from studies.analysis import comparison
from studies.analysis.comparison import wilcoxon, wilcoxons

CASES = {
    "ties": [1.0, 1.0, -1.0, 2.0, 3.0],
    "zeros": [0.0, 0.0, 1.0, 2.0, -0.5, 3.0],
    "all alike": [-1.0] * 6,
    "infinite": [np.inf, np.inf, -np.inf, 1.0, 2.0, -0.5],
    "one": [0.0, 1.0],
    "nan": [np.nan, 1.0, 1.0, 1.0, -2.0],
}


@pytest.mark.parametrize("values", CASES.values(), ids=CASES)
def test_equals_scipy(values):
    given = np.array(values)
    expected = stats.wilcoxon(given[~np.isnan(given)], zero_method="zsplit").pvalue
    assert wilcoxon(given) == pytest.approx(expected, rel=1e-14)
    assert wilcoxon(-given) == pytest.approx(expected, rel=1e-14)


def test_zeros_of_many_are_half_to_each_side():
    given = np.r_[np.zeros(6), np.random.default_rng(4).normal(0.4, 1, 20)]
    assert wilcoxon(given) == stats.wilcoxon(given, zero_method="zsplit").pvalue != stats.wilcoxon(given, zero_method="wilcox").pvalue


def test_scipy_is_not_asked_to_count_signs_one_by_one(monkeypatch):
    """It takes a tenth of a second for each test, which a diagram of many cells does not have."""
    monkeypatch.setattr(comparison.stats, "permutation_test", None)
    rng = np.random.default_rng(1)
    assert all(0 < wilcoxon(rng.integers(-3, 4, 12).astype(float)) <= 1 for _ in range(20))


@pytest.mark.parametrize("worlds", [1, 8, 60])
def test_many_rows_at_once_are_as_one_after_another(worlds):
    rows = np.random.default_rng(2).normal(0.3, 1, (6, worlds))
    rows[1, 0], rows[2, 0], rows[3] = 0.0, np.nan, np.round(rows[3])
    np.testing.assert_allclose(wilcoxons(rows), [wilcoxon(row) for row in rows], rtol=1e-14)
    assert wilcoxons(rows[:0]).shape == (0,)
