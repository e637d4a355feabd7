"""Intervals: against SciPy's bootstrap and Student's interval, jointly drawn, of units, whatever is missing or infinite."""

import dask.array
import numpy as np
import pytest
import xarray as xr
from scipy import stats

from studies.analysis.intervals import bootstrap
from studies.analysis.intervals.bootstrap import RESAMPLES, estimate


def sample(cells=3, worlds=32, instances=None, seed=0):
    values = np.random.default_rng(seed).exponential(size=(cells, worlds))
    coords = {} if instances is None else {"instance": ("replicate", np.arange(worlds) % instances)}
    return xr.DataArray(values, dims=("cell", "replicate"), coords=coords)


def mean(*parts):
    return estimate("m", np.nanmean, parts, long_name="mean", units="loss")


def ratio(a, b, axis=-1):
    return np.nansum(a, axis) / np.nansum(b, axis)


def scipys(arrays, statistic, n):
    """BCa of SciPy at Hesterberg's level (2015)."""
    level = 1 - 2 * stats.norm.cdf(np.sqrt(n / (n - 1)) * stats.t.ppf(0.025, n - 1))
    found = stats.bootstrap(
        arrays,
        statistic,
        paired=True,
        vectorized=True,
        rng=1,
        n_resamples=RESAMPLES,
        confidence_level=level,
        method="BCa",
    )
    return [found.confidence_interval.low, found.confidence_interval.high]


def test_equals_scipy():
    a, b = sample(seed=1), sample(seed=2)
    found = estimate("m", ratio, [a, b], long_name="ratio", units="1")
    for cell in range(3):
        assert found["m_interval"].values[cell] == pytest.approx(
            scipys((a.values[cell], b.values[cell]), ratio, 32), rel=1e-9
        )
    assert set(found["m_method"].values) == {"BCa over worlds"}


@pytest.mark.parametrize("worlds", [8, 32])
@pytest.mark.parametrize("level", [0.95, 0.9973])
def test_what_cannot_be_negative_has_the_ends_of_its_logarithm(worlds, level):
    """Of a ratio of heavy tails, where a plain interval reaches below 0."""
    a, b = (np.exp(2 * np.log(sample(cells=40, worlds=worlds, seed=seed))) for seed in (1, 2))

    def ends(statistic, **given):
        return estimate("m", statistic, [a, b], long_name="ratio", level=level, **given)["m_interval"]

    def logarithm(a, b, axis=-1):
        return np.log(ratio(a, b, axis))

    above = ends(ratio, positive=True)
    assert above.values == pytest.approx(np.exp(ends(logarithm).values))
    assert float(above.min()) > 0
    if level > 0.95:
        assert float(ends(ratio).min()) < 0


def test_a_draw_of_zero_leaves_the_lower_end_at_zero_at_least():
    """Worlds of which most are 0: draws are 0 too, so that there is no logarithm."""
    few = sample(worlds=9).where(np.arange(9) < 2, 0.0)
    plain, above = (
        estimate("m", np.nanmean, [few], long_name="mean", positive=positive)["m_interval"].values
        for positive in (False, True)
    )
    assert plain[:, 0].max() < 0
    assert above == pytest.approx(np.maximum(plain, 0))


def test_whole_instances_are_drawn():
    x = sample(worlds=64, instances=16)
    means = x.values.reshape(3, 4, 16).mean(1)
    for cell, interval in enumerate(mean(x)["m_interval"].values):
        assert interval == pytest.approx(scipys((means[cell],), np.mean, 16), rel=1e-9)
    assert mean(x)["m_method"].values[0] == "BCa over instances"
    assert (mean(x)["m_interval"] != mean(x.drop_vars("instance"))["m_interval"]).all()


def test_few_instances_give_students_interval_of_their_means():
    x = sample(worlds=24, instances=8)
    means = x.values.reshape(3, 3, 8).mean(1)
    expected = np.transpose(stats.t.interval(0.95, 7, means.mean(1), stats.sem(means, 1)))
    assert mean(x)["m_interval"].values == pytest.approx(expected, rel=1e-12)
    assert set(mean(x)["m_method"].values) == {"t over instances"}


def test_fourteen_worlds_are_few_and_fifteen_are_not():
    assert [mean(sample(1, n))["m_method"].item() for n in (14, 15)] == [
        "t over worlds",
        "BCa over worlds",
    ]


def test_one_instance_holds_for_itself_alone():
    alone, own = mean(sample(instances=1)), mean(sample())
    assert alone["m_method"].values[0] == "BCa over worlds, for one instance alone"
    assert alone["m_interval"].equals(own["m_interval"])


def test_one_world_tells_nothing():
    found = mean(sample(1, 1))
    assert np.isnan(found["m_interval"]).all()
    assert found["m_method"].item() == "none"


def test_missing_worlds_are_as_if_they_were_not():
    x = sample(2)
    x[1, 5:12] = np.nan
    kept = mean(x[1:].isel(replicate=[i for i in range(32) if not 5 <= i < 12]))
    assert mean(x)["m_interval"].values[1] == pytest.approx(kept["m_interval"].values[0], rel=1e-12)


def test_a_world_that_one_part_lacks_is_left_out_of_all():
    a, b = sample(1, seed=1), sample(1, seed=2)
    a[0, 3], kept = np.nan, [i for i in range(32) if i != 3]
    found = estimate("m", ratio, [a, b], long_name="ratio")
    expected = estimate("m", ratio, [a.isel(replicate=kept), b.isel(replicate=kept)], long_name="ratio")
    assert found["m"].item() == pytest.approx(expected["m"].item(), rel=1e-12)


def test_worlds_that_are_alike_have_no_width():
    assert mean(xr.ones_like(sample(1)) * 3)["m_interval"].values.tolist() == [[3, 3]]


def test_worlds_that_diverged_have_an_end():
    x = sample(1)
    x[0, :14] = np.inf
    found = estimate("m", np.nanmedian, [x], long_name="median")["m_interval"].values[0]
    assert np.isfinite(found[0])
    assert found[1] == np.inf


def test_all_cells_draw_the_same_worlds():
    x = sample(1)
    both = mean(xr.concat([x, 1 - x], "cell"))["m_interval"].values
    assert both[1] - 1 == pytest.approx(
        -both[0, ::-1], abs=0.05
    )  # mirrored up to the order of ties, of one set of draws
    apart = [mean(part)["m_interval"].values[0] for part in (x, 1 - x)]
    assert both == pytest.approx(np.array(apart), rel=1e-12)


def test_blocks_and_chunks_change_nothing(monkeypatch):
    x = sample(40)
    whole = mean(x)
    monkeypatch.setattr(bootstrap, "SIZE", 500)
    for again in (mean(x), mean(x.copy(data=dask.array.from_array(x.values, chunks=(7, 32))))):
        xr.testing.assert_allclose(again.drop_vars("m_method"), whole.drop_vars("m_method"), rtol=1e-12)
        assert again["m_method"].equals(whole["m_method"])


def test_instances_that_differ_along_an_axis_are_refused():
    x = sample().assign_coords(instance=(("cell", "replicate"), np.zeros((3, 32))))
    with pytest.raises(ValueError, match=r"instance: expected one instance for each world"):
        mean(x)
