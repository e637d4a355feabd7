"""Total variation from a density beside plain NumPy, and what draws from the density itself are expected to have."""

import math

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from studies.analysis.quantities.distance import deviation
from studies.analysis.quantities.evaluate import quantity
from tests.support.analysis import results
from tests.support.each import each

DENSITY = "exp(-x**2 / 2)"


def drawn(values):
    return results(np.asarray(values, float)[:, None])


def test_the_distance_by_hand():
    values = np.random.default_rng(1).normal(0.3, 1, 200)
    edges = np.linspace(values.min(), values.max(), 11)
    share = np.histogram(values, edges)[0] / 200
    span = edges[-1] - edges[0]
    inside = np.diff(stats.norm.cdf(edges))
    inside /= stats.norm.cdf(edges[-1] + span) - stats.norm.cdf(edges[0] - span)
    expected = (abs(share - inside).sum() + 1 - inside.sum()) / 2
    for text in (f"distance(loss, {DENSITY}, bins=10)", "distance(loss, exp(-loss**2 / 2), bins=10)"):
        answer = quantity(drawn(values), text)
        assert float(answer["quantity"]) == pytest.approx(expected, abs=1e-5)
        assert int(answer["worlds"]) == 200


ALONE = np.random.default_rng(4).normal(0, 1, 200)


@pytest.mark.parametrize("lost", [np.inf, 1e300, 1e6, np.nan, 7.0])
def test_each_arm_is_judged_by_itself(lost):
    """Whatever another has: infinite worlds, huge ones, none, or one value."""
    other = np.where(np.arange(200) < 150, lost, ALONE if lost != 7 else lost)
    arms = xr.concat([drawn(ALONE), drawn(other)], "optimizer", coords="minimal", compat="override")
    for name in ("distance", "distance_floor"):
        text = f"{name}(loss, {DENSITY})"
        both, alone = quantity(arms, text), quantity(drawn(ALONE), text)
        for number in ("quantity", "quantity_interval"):
            expected = alone[number].values
            np.testing.assert_allclose(both[number].isel(optimizer=0).values, expected, atol=1e-12)


def test_worlds_that_are_infinite_are_in_no_bin_and_where_no_density_is():
    """Three quarters are infinite: half of these, and of what the density has of the others too much."""
    values = np.where(np.arange(200) < 150, np.inf, ALONE)
    there = ALONE[150:]
    edges = np.linspace(there.min(), there.max(), 11)
    span = edges[-1] - edges[0]
    share = np.histogram(there, edges)[0] / 200
    inside = np.diff(stats.norm.cdf(edges))
    inside /= stats.norm.cdf(edges[-1] + span) - stats.norm.cdf(edges[0] - span)
    expected = (abs(share - inside).sum() + 1 - inside.sum() + 0.75) / 2
    answer = quantity(drawn(values), f"distance(loss, {DENSITY}, bins=10)")
    assert float(answer["quantity"]) == pytest.approx(expected, abs=1e-5)
    nowhere = quantity(drawn(np.full(20, np.inf)), f"distance(loss, {DENSITY})")
    assert float(nowhere["quantity"]) == 1.0


def test_a_density_that_overflows_in_one_arm_is_none_of_that_arm_alone():
    arms = xr.concat(
        [drawn(ALONE), drawn(1e200 * ALONE)], "optimizer", coords="minimal", compat="override"
    )
    answer = quantity(arms, f"distance(loss, x**2 * {DENSITY})")["quantity"].values
    alone = quantity(drawn(ALONE), f"distance(loss, x**2 * {DENSITY})")["quantity"].values
    assert answer[0] == pytest.approx(alone, abs=1e-12)
    assert np.isnan(answer[1])


def test_draws_from_the_density_are_at_the_floor_and_others_are_not():
    draw = np.random.default_rng(2)
    at = [drawn(draw.normal(0, 1, 100)) for _ in range(60)]
    study = xr.DataArray(np.arange(60), dims="study", name="study")
    data = xr.concat(at, study, coords="minimal")
    told = quantity(data, f"distance(loss, {DENSITY})")["quantity"]
    floor = float(quantity(at[0], f"distance_floor(loss, {DENSITY})")["quantity"])
    spread = float(told.std("study", ddof=1)) / math.sqrt(60)
    floors = quantity(data, f"distance_floor(loss, {DENSITY})")["quantity"]
    assert abs(float(told.mean("study")) - float(floors.mean())) < 3 * spread
    assert floor > 0.05
    away = quantity(data, f"distance(loss - 1, {DENSITY})")["quantity"]
    assert (away > floors + 5 * told.std("study", ddof=1)).all()


def test_mean_absolute_deviation_of_a_binomial_by_its_sum():
    """From its mean, from a whole number, from what lies below 0 or above n, and of no draw at all."""
    n, p = np.array([5.0, 40.0, 40.0, 40.0, 7.0, 1.0]), np.array([0.3, 0.01, 0.5, 0.99, 0.0, 0.4])
    k = np.arange(41)[:, None]
    for c in (n * p, 3.0 + 0 * n, -0.5 + 0 * n, 50.0 + 0 * n):
        expected = (stats.binom.pmf(k, n, p) * abs(k - c)).sum(0)
        told = deviation(*map(xr.DataArray, (n, p, c)))
        np.testing.assert_allclose(told.values, expected, rtol=1e-9)
    assert float(deviation(*map(xr.DataArray, (0, 0.5, 2.5)))) == 2.5


def test_the_floor_by_simulation():
    """The mean distance of 4,000 times 12 draws, given their least and largest: what lies between is drawn anew."""
    low, high, n, bins = -1.3, 2.1, 12, 4
    values = np.concatenate([[low, high], np.linspace(-1, 1, n - 2)])
    edges = np.linspace(low, high, bins + 1)
    span = high - low
    whole = stats.norm.cdf(high + span) - stats.norm.cdf(low - span)
    inside = np.diff(stats.norm.cdf(edges)) / whole
    draws = np.random.default_rng(6).random((4000, n - 2))
    ends = stats.norm.cdf([low, high])
    between = stats.norm.ppf(ends[0] + draws * (ends[1] - ends[0]))
    counts = np.stack([np.histogram(row, edges)[0] for row in between]) + np.array([1, 0, 0, 1])
    away = (abs(counts / n - inside).sum(1) + 1 - inside.sum()) / 2
    told = float(quantity(drawn(values), f"distance_floor(loss, {DENSITY}, bins={bins})")["quantity"])
    assert abs(told - away.mean()) < 4 * away.std() / math.sqrt(4000)


@each(
    ("text", "message"),
    [
        ("distance(loss)", "expected distance[(]x, DENSITY[)]"),
        ("distance(loss, 1, bins=1.5)", "bins: expected a whole number from 2 to 1000, got 1.5"),
        ("distance(loss, x)", "expected a density that is finite and >= 0"),
        ("distance(loss, best_loss)", "expected a density of x and of the numbers of each arm"),
        ("distance(loss * 0, 1)", "expected values that differ between worlds"),
        ("distance(mean(loss), 1)", "expected a number of each world"),
    ],
)
def test_what_is_no_density_is_one_line(text, message):
    with pytest.raises(ValueError, match=message):
        quantity(drawn(np.random.default_rng(3).normal(0, 1, 20)), text)
