"""How often intervals hold the truth, over simulated studies.

The same check rejects intervals that are known to be too narrow.
"""

import numpy as np
import pytest
import xarray as xr

from studies.analysis.comparison.comparison import superiority
from studies.analysis.intervals.bootstrap import estimate
from studies.analysis.intervals.proportions import proportion

NOMINAL, MARGIN = 0.95, 0.03


def normal(rng, shape):
    return rng.normal(0, 1, shape)


def skewed(rng, shape):
    """Exponential, less its mean: skewness 2."""
    return rng.exponential(1, shape) - 1


def worlds_of(draw, studies, instances, each, shared, seed=3):
    """(study, world) of mean 0 and variance 1, of which the share `shared` is the instance's."""
    rng = np.random.default_rng(seed)
    effect = np.tile(draw(rng, (studies, instances)), (1, each))
    own = draw(rng, (studies, instances * each))
    coords = {"instance": ("replicate", np.arange(instances * each) % instances)}
    return xr.DataArray(
        np.sqrt(shared) * effect + np.sqrt(1 - shared) * own, dims=("study", "replicate"), coords=coords
    )


def ratio(a, b, axis=-1):
    return np.nansum(a, axis) / np.nansum(b, axis)


def coverage(interval, truth):
    return float(((interval.sel(bound="low") <= truth) & (truth <= interval.sel(bound="high"))).mean())


def covered(truth, *parts, statistic=np.nanmean):
    return coverage(estimate("m", statistic, parts, long_name="m")["m_interval"], truth)


def percentiles(part, units):
    """The plain percentile interval of the mean over units (study, unit)."""
    means = part.values.reshape(len(part), -1, units).mean(1)
    drawn = np.random.default_rng(1).integers(0, units, (999, units))
    ends = np.quantile(means[:, drawn].mean(-1), [0.025, 0.975], axis=1)
    return xr.DataArray(ends, dims=("bound", "study"), coords={"bound": ["low", "high"]})


def good(share):
    return abs(share - NOMINAL) <= MARGIN


def test_shared_instances_every_day():
    x = worlds_of(normal, 200, 16, 2, 0.9)
    assert covered(0, x) > 0.90  # 3 standard errors
    assert covered(0, x.drop_vars("instance")) < 0.90


@pytest.mark.verify
class TestTwoThousandStudies:
    @pytest.mark.parametrize("draw", [normal, skewed])
    @pytest.mark.parametrize("worlds", [32, 64])
    def test_worlds(self, draw, worlds):
        assert good(covered(0, worlds_of(draw, 2000, worlds, 1, 0)))

    def test_ratio_of_skewed_means(self):
        a, b = (1 + worlds_of(skewed, 2000, 32, 1, 0, seed) for seed in (1, 2))
        assert good(covered(0.5, a, a + b, statistic=ratio))

    def test_median(self):
        assert good(covered(np.log(2) - 1, worlds_of(skewed, 2000, 32, 1, 0), statistic=np.nanmedian))

    def test_superiority(self):
        """P(A < B) = Phi(d / sqrt 2) of two normals d apart."""
        a, b = (worlds_of(normal, 500, 32, 1, 0, seed) for seed in (1, 2))
        assert good(covered(0.7602499, a, b + 1, statistic=superiority))

    @pytest.mark.parametrize("shared", [0.0, 0.9])
    @pytest.mark.parametrize("draw", [normal, skewed])
    @pytest.mark.parametrize(("instances", "each"), [(16, 2), (32, 4)])
    def test_shared_instances(self, draw, instances, each, shared):
        assert good(covered(0, worlds_of(draw, 2000, instances, each, shared)))

    @pytest.mark.parametrize("shared", [0.0, 0.9])
    @pytest.mark.parametrize(("instances", "each"), [(3, 4), (8, 4), (14, 2)])
    def test_few_instances(self, instances, each, shared):
        assert good(covered(0, worlds_of(normal, 2000, instances, each, shared)))

    def test_median_of_few(self):
        assert good(covered(0, worlds_of(normal, 2000, 10, 1, 0), statistic=np.nanmedian))

    @pytest.mark.parametrize("wins", [0.5, 0.9])
    def test_win_probability(self, wins):
        """Exact intervals of few yes or no hold the truth more often; never less often."""
        won = xr.DataArray(
            (np.random.default_rng(1).random((2000, 32)) < wins) * 1.0, dims=("study", "replicate")
        )
        assert coverage(proportion("p", won, long_name="p")["p_interval"], wins) > NOMINAL - 0.01

    @pytest.mark.parametrize(("instances", "each"), [(16, 2), (32, 4)])
    def test_worlds_as_if_independent_are_rejected(self, instances, each):
        assert not good(covered(0, worlds_of(normal, 2000, instances, each, 0.9).drop_vars("instance")))

    @pytest.mark.parametrize(("draw", "units"), [(normal, 8), (skewed, 16)])
    def test_plain_percentiles_are_rejected(self, draw, units):
        assert not good(coverage(percentiles(worlds_of(draw, 2000, units, 2, 0.9), units), 0))
