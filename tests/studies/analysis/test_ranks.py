"""Average ranks: against Demsar's published example and SciPy, and bars that join only what does not differ."""

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from studies.analysis.comparison.ranks import (
    critical_difference,
    friedman,
    friedman_chi2,
    groups,
    iman_davenport,
    ranks,
)
from tests.support.arms import results

# Demsar (2006), table 6: AUC of C4.5 with pruning parameters m, cf, both, on 14 data sets
AUC = np.array([
    [0.763, 0.768, 0.771, 0.798], [0.599, 0.591, 0.590, 0.569], [0.954, 0.971, 0.968, 0.967], [0.628, 0.661, 0.654, 0.657],
    [0.882, 0.888, 0.886, 0.898], [0.936, 0.931, 0.916, 0.931], [0.661, 0.668, 0.609, 0.685], [0.583, 0.583, 0.563, 0.625],
    [0.775, 0.838, 0.866, 0.875], [1.000, 1.000, 1.000, 1.000], [0.940, 0.962, 0.965, 0.962], [0.619, 0.666, 0.614, 0.669],
    [0.972, 0.981, 0.9751, 0.975], [0.957, 0.978, 0.946, 0.970],
])  # fmt: skip


def table(values):
    return xr.DataArray(
        values,
        dims=("block", "optimizer"),
        coords={"optimizer": list("ABCDEFGH"[: np.shape(values)[1]])},
    )


class TestDemsarsExample:
    found = friedman(table(-AUC))

    def test_ranks(self):
        assert self.found["average_rank"].values.round(3).tolist() == [3.143, 2.0, 2.893, 1.964]

    def test_statistics_without_ties(self):
        chi2 = friedman_chi2(self.found["average_rank"], 14)
        assert round(float(chi2), 2) == 9.28
        assert round(float(iman_davenport(chi2, 14, 4)), 2) == 3.69

    def test_critical_differences(self):
        assert round(float(self.found["critical_difference"]), 2) == 1.25
        assert round(float(critical_difference(4, xr.DataArray(14), 0.10)), 2) == 1.12

    def test_who_differs(self):
        """At 0.05 no two do; at 0.10 C4.5 and C4.5+m+cf, and C4.5 and C4.5+m, but not C4.5+cf."""
        assert not self.found["differ"].any()
        wider = friedman(table(-AUC), alpha=0.10)["differ"].values
        assert [tuple(pair) for pair in np.argwhere(np.triu(wider))] == [(0, 1), (0, 3)]


@pytest.mark.parametrize("k", [3, 5])
def test_friedman_is_scipys(k):
    values = np.random.default_rng(k).integers(0, 4, (12, k)).astype(float)  # with ties
    found, expected = friedman(table(values)), stats.friedmanchisquare(*values.T)
    assert found["statistic"].item() == pytest.approx(expected.statistic, rel=1e-12)
    assert found["p_friedman"].item() == pytest.approx(expected.pvalue, rel=1e-12)
    f = 11 * expected.statistic / (12 * (k - 1) - expected.statistic)
    assert found["p_value"].item() == pytest.approx(stats.f.sf(f, k - 1, (k - 1) * 11), rel=1e-12)


def test_all_blocks_alike_differ_surely():
    found = friedman(table(np.tile([1.0, 2.0, 3.0], (20, 1))))
    assert np.isinf(found["f"])
    assert found["p_value"] == 0
    assert found["differ"].values.tolist() == [[i != j for j in range(3)] for i in range(3)]
    assert found["average_rank_interval"].values.tolist() == [[1, 1], [2, 2], [3, 3]]


def test_nothing_differs_where_friedman_does_not_reject():
    """Ranks apart by more than the critical difference are no finding alone: 20 studies of noise at 0.5."""
    rng = np.random.default_rng(2)
    found = [friedman(table(rng.normal(size=(10, 6))), alpha=0.5) for _ in range(20)]
    assert not any(study["differ"].any() for study in found if study["p_value"] >= 0.5)
    assert any(study["differ"].any() for study in found)


def test_blocks_that_lack_one_are_left_out():
    values = -AUC.copy()
    values[3, 1] = np.nan
    assert friedman(table(values))["average_rank"].equals(
        friedman(table(np.delete(-AUC, 3, 0)))["average_rank"]
    )
    assert friedman(table(values))["blocks"] == 13


class TestGroups:
    def test_largest_runs(self):
        rank = np.array([1.0, 2.0, 3.0, 4.5])
        assert groups(rank, abs(rank[:, None] - rank) > 2.2) == [[0, 1, 2], [2, 3]]

    def test_all_or_none(self):
        assert groups(np.array([3.0, 1.0, 2.0]), np.zeros((3, 3), bool)) == [[1, 2, 0]]
        assert groups(np.array([3.0, 1.0, 2.0]), ~np.eye(3, dtype=bool)) == []


class TestStudies:
    def test_over_landscapes(self):
        loss = np.random.default_rng(3).normal(0, 1, (6, 3, 9))
        assert ranks(results(loss))["average_rank"].values == pytest.approx(
            stats.rankdata(np.median(loss, 2), axis=1).mean(0)
        )

    def test_over_worlds(self):
        loss = np.random.default_rng(3).normal(0, 1, (2, 3, 9))
        assert ranks(results(loss), "replicate")["average_rank"].values == pytest.approx(
            stats.rankdata(loss, axis=1).mean(2)
        )

    def test_instances_are_blocks(self):
        loss = np.random.default_rng(3).normal(0, 1, (1, 3, 12))
        found = ranks(results(loss, instances=4), "replicate")
        assert found["blocks"] == 4
        assert found["average_rank"].values[0] == pytest.approx(
            stats.rankdata(loss.reshape(3, 3, 4).mean(1), axis=0).mean(1)
        )

    def test_repeated_landscapes_count_once(self):
        data = results(np.random.default_rng(3).normal(0, 1, (6, 3, 9)))
        assert ranks(xr.concat([data, data], "k")).identical(ranks(data))

    def test_an_optimizer_without_numbers_is_left_out(self):
        status = np.full((4, 3, 9), 2)
        status[:, 1] = 5
        found = ranks(results(np.random.default_rng(3).normal(0, 1, (4, 3, 9)), status=status))
        assert found["optimizer"].values.tolist() == ["A", "C"]
        assert found["blocks"] == 4

    def test_over_something_else(self):
        with pytest.raises(ValueError, match="over: expected landscape or replicate, got 'target'"):
            ranks(results(np.zeros((1, 2, 3))), "target")
