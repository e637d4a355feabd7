"""Total variation from a density beside plain NumPy, and what draws from the density itself are expected to have."""

import math

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from studies.analysis.quantities.distance import absolute_deviation
from studies.analysis.quantities.evaluate import quantity
from tests.support.analysis import results

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
    assert (away > 2 * floors).all()


def test_mean_absolute_deviation_of_a_binomial_by_its_sum():
    n, p = np.array([5.0, 40.0, 40.0, 40.0]), np.array([0.3, 0.01, 0.5, 0.99])
    k = np.arange(41)[:, None]
    expected = (stats.binom.pmf(k, n, p) * abs(k - n * p)).sum(0)
    told = absolute_deviation(xr.DataArray(n), xr.DataArray(p))
    np.testing.assert_allclose(told.values, expected, rtol=1e-9)
    assert (absolute_deviation(xr.DataArray(n), xr.DataArray(0 * p)) == 0).all()


@pytest.mark.parametrize(
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
