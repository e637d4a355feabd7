"""Quantiles over worlds with intervals of order statistics."""

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from studies.analysis.intervals.quantiles import quantiles
from tests.support.each import each


def told(values, level=0.5, instance=None):
    values = xr.DataArray(np.asarray(values, float), dims=("study", "replicate")[-np.ndim(values) :])
    values = values if instance is None else values.assign_coords(instance=("replicate", instance))
    return quantiles("q", values, [level], long_name="x", units="1").isel(quantile=0)


class TestQuantiles:
    @each("worlds", [1, 2, 5, 8, 31])
    @each("level", [0.25, 0.5, 0.75])
    def test_are_observed_values(self, worlds, level):
        values = np.random.default_rng(worlds).permutation(np.arange(worlds, dtype=float))
        assert told(values, level)["q"].item() == np.quantile(values, level, method="inverted_cdf")

    @each(
        ("worlds", "ranks"),
        [(5, (None, None)), (6, (1, 6)), (10, (2, 9)), (20, (6, 15)), (30, (10, 21)), (50, (18, 33))],
    )
    def test_interval_of_a_median_is_that_of_the_sign_test(self, worlds, ranks):
        """The ranks of published tables of the sign test at 5 %, such as Conover (1999), table A3."""
        low, high = told(np.arange(1.0, worlds + 1))["q_interval"].values
        assert (low, high) == tuple(
            end if rank is None else rank for rank, end in zip(ranks, (-np.inf, np.inf), strict=True)
        )

    @pytest.mark.parametrize(("worlds", "level"), [(32, 0.25), (32, 0.5), (17, 0.75), (9, 0.5)])
    def test_interval_has_its_coverage_by_the_binomial_law(self, worlds, level):
        """Rank low <= binomial + 1 <= rank high, and no rank less would do."""
        low, high = told(np.arange(1.0, worlds + 1), level)["q_interval"].values
        law = stats.binom(worlds, level)
        assert (
            law.cdf((0 if np.isinf(low) else low) - 1) <= 0.025 < law.cdf(0 if np.isinf(low) else low)
        )
        assert (
            law.sf((worlds + 1 if np.isinf(high) else high) - 1)
            <= 0.025
            < law.sf((worlds + 1 if np.isinf(high) else high) - 2)
        )

    def test_worlds_that_never_got_there_rank_last(self):
        found = told([1, 2, 3, 4, *[np.inf] * 6])
        assert found["q"].item() == np.inf
        assert found["q_interval"].values.tolist() == [2, np.inf]

    def test_worlds_without_numbers_are_left_out(self):
        found = told([1, 2, 3, 4, 5, 6, np.nan, np.nan])
        assert found["q"].item() == 3
        assert found["q_interval"].values.tolist() == [1, 6]

    def test_nothing_is_nan(self):
        found = told([[np.nan] * 3, [1, 2, 3]])
        assert np.isnan(found["q"][0])
        assert np.isnan(found["q_interval"][0]).all()
        assert found["q"][1].item() == 2

    def test_worlds_that_are_alike_count_once(self):
        values = np.repeat(np.arange(1.0, 13), 4)
        low, high = told(values, instance=np.repeat(np.arange(12), 4))["q_interval"].values
        assert (low, high) == (2, 11)
        assert tuple(told(values)["q_interval"].values) == (5, 8)

    def test_levels_are_between_0_and_1(self):
        with pytest.raises(
            ValueError, match=r"^quantiles: expected levels between 0 and 1, got \[50\]$"
        ):
            told([1, 2, 3], 50)
