"""Shares with intervals: exact for independent worlds, wide enough for worlds that share instances."""

import numpy as np
import pytest
import xarray as xr
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from studies.analysis.intervals.proportions import clopper_pearson, effective_worlds, proportion
from tests.support.each import each


def of(values, instance=None):
    values = xr.DataArray(np.asarray(values, float), dims=("study", "replicate")[-np.ndim(values) :])
    return values if instance is None else values.assign_coords(instance=("replicate", instance))


def told(values, instance=None, **more):
    return proportion("share", of(values, instance), long_name="share", **more)


class TestIndependentWorlds:
    @each(("k", "n"), [(0, 7), (1, 7), (3, 8), (7, 7), (1, 1), (0, 1), (17, 32)])
    def test_equals_statsmodels_and_scipy(self, k, n):
        found = told([1] * k + [0] * (n - k))
        assert found["share"].item() == pytest.approx(k / n)
        assert found["share_interval"].values == pytest.approx(proportion_confint(k, n, method="beta"))
        assert found["share_interval"].values == pytest.approx([
            *stats.binomtest(k, n).proportion_ci(method="exact")
        ])
        assert int(found["worlds"]) == n

    def test_of_several_at_once_each_may_err_as_seldom_as_bonferroni_says(self):
        assert told([1, 1, 0, 0, 0], at_once=4)["share_at_once"].values == pytest.approx(
            proportion_confint(2, 5, alpha=0.05 / 4, method="beta")
        )

    def test_worlds_without_a_number_are_left_out(self):
        assert told([1, 0, 0, np.nan])["share_interval"].values == pytest.approx(
            proportion_confint(1, 3, method="beta")
        )

    def test_nothing_is_nan(self):
        assert np.isnan(told([np.nan, np.nan])["share_interval"]).all()

    def test_parts_of_a_whole_number(self):
        assert np.array(clopper_pearson(np.array(2.5), np.array(7.5))) == pytest.approx(
            proportion_confint(2.5, 7.5, method="beta")
        )


class TestInstances:
    def test_worlds_that_are_alike_count_once(self):
        """Each instance is one draw, whatever the number of worlds on it; t of 9 stands for t of 39."""
        alike = np.repeat([1, 1, 1, 0, 0, 0, 0, 0, 0, 0], 4)
        size = float(effective_worlds(of(alike, np.repeat(np.arange(10), 4))))
        assert size == pytest.approx(
            10 * 9 / 10 * 40 / 39 * (stats.t.ppf(0.975, 39) / stats.t.ppf(0.975, 9)) ** 2, rel=1e-9
        )

    def test_instances_without_likeness_count_as_all_worlds(self):
        assert float(effective_worlds(of([1, 0] * 10, np.repeat(np.arange(10), 2)))) == 20

    def test_unanimous_instances_count_once_each(self):
        assert told([0] * 20, np.repeat(np.arange(5), 4))["share_interval"].values == pytest.approx(
            proportion_confint(0, 5, method="beta")
        )

    def test_one_instance_alone_has_its_worlds(self):
        assert told([1, 0, 0, 0], [3] * 4)["share_interval"].values == pytest.approx(
            proportion_confint(1, 4, method="beta")
        )

    def test_shares_of_many_targets_are_more_than_yes_or_no(self):
        shares = np.random.default_rng(1).binomial(5, 0.4, 32) / 5
        assert float(effective_worlds(of(shares), 5)) > 64
        assert float(effective_worlds(of(shares))) == 32

    def test_instances_that_differ_between_cells_are_refused(self):
        part = of(np.ones((2, 3))).assign_coords(instance=(("study", "replicate"), np.zeros((2, 3))))
        with pytest.raises(
            ValueError, match=r"^instance: expected one instance for each world, got dims"
        ):
            effective_worlds(part)

    @pytest.mark.verify
    @pytest.mark.parametrize("alike", [0.0, 0.3, 0.8])
    @pytest.mark.parametrize("mean", [0.1, 0.5, 0.9])
    def test_interval_covers(self, alike, mean):
        """2,000 studies of 16 instances with 4 worlds each, of the beta-binomial law with the correlation `alike`; all worlds as independent fail."""
        random = np.random.default_rng(7)
        size = 1 / alike - 1 if alike else np.inf
        chance = (
            random.beta(mean * size, (1 - mean) * size, (2000, 16))
            if alike
            else np.full((2000, 16), mean)
        )
        drawn = random.random((2000, 16, 4)) < chance[..., None]
        low, high = told(drawn.reshape(2000, 64), np.repeat(np.arange(16), 4))[
            "share_interval"
        ].values.T
        assert np.mean((low <= mean) & (mean <= high)) >= 0.93
        naive_low, naive_high = told(drawn.reshape(2000, 64))["share_interval"].values.T
        if alike:
            assert np.mean((naive_low <= mean) & (mean <= naive_high)) < 0.93
