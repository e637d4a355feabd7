"""Along an axis: values beside plain NumPy, world by world; what an axis cannot say is one line."""

import numpy as np
import pytest
import xarray as xr

from studies.analysis.quantities.along import crossing, exponent, limit, logarithmic, optimum
from studies.analysis.quantities.evaluate import quantity
from tests.support.analysis import results
from tests.support.each import each

WORLDS = 40


def study(loss, x, axis="eta", status=2):
    """One arm at each value of an axis: loss (X, R)."""
    status = np.broadcast_to(status, loss.shape)
    arms = [results(row[:, None], status=state) for row, state in zip(loss, status, strict=True)]
    along = xr.DataArray(np.asarray(x), dims=axis, name=axis)
    return xr.concat(arms, along, coords="minimal")


def value(data, text):
    answer = quantity(data, text)
    assert answer["quantity"].dims == ()
    low, high = answer["quantity_interval"].values
    assert low <= answer["quantity"] <= high
    return float(answer["quantity"]), (low, high)


def test_the_optimum_is_the_vertex_of_a_parabola_in_the_logarithm():
    eta = np.geomspace(0.01, 1, 9)
    noise = np.random.default_rng(1).normal(0, 0.02, (9, WORLDS))
    loss = (np.log(eta)[:, None] - np.log(0.08)) ** 2 + 1 + noise
    at, (low, high) = value(study(loss, eta), "optimum(loss, eta)")
    mean = loss.mean(1)
    j = mean.argmin()
    c2, c1, _ = np.polyfit(np.log(eta[j - 1 : j + 2]), mean[j - 1 : j + 2], 2)
    assert at == pytest.approx(np.exp(-c1 / (2 * c2)), rel=1e-9)
    assert low < 0.08 < high
    assert value(study(-loss, eta), "optimum(-loss, eta)")[0] == pytest.approx(at, rel=1e-9)


def test_the_optimum_at_the_end_of_an_axis_is_the_end():
    loss = np.arange(5.0)[:, None] + np.random.default_rng(2).normal(0, 0.1, (5, WORLDS))
    assert value(study(loss, [1.0, 2, 3, 4, 5]), "optimum(loss, eta)") == (1.0, (1.0, 1.0))
    assert value(study(loss[::-1], [5.0, 4, 3, 2, 1]), "optimum(-loss, eta)")[0] == 5.0


def test_an_optimum_leaves_out_what_diverged_and_what_is_not_there():
    loss = np.array([4.0, 1.0, 0.0, 1.0, 2.0])[:, None] + np.zeros(WORLDS)
    loss[4] = np.nan
    data = study(loss, [1.0, 2, 3, 4, 5], status=np.array([2, 2, 2, 3, 5])[:, None])
    assert float(quantity(data, "optimum(loss, eta)")["quantity"]) == 3.0


def test_the_exponent_is_the_slope_of_the_logarithms():
    batch = np.array([8.0, 32, 128])
    loss = np.random.default_rng(3).gamma(2, 1, (3, WORLDS)) / batch[:, None] ** 0.7
    at, (low, high) = value(study(loss, batch), "exponent(loss, eta)")
    assert at == pytest.approx(np.polyfit(np.log(batch), np.log(loss.mean(1)), 1)[0], rel=1e-9)
    assert low < -0.7 < high
    halved = value(study(loss, batch), "exponent(variance(loss), eta) / 2")[0]
    slope = np.polyfit(np.log(batch), np.log(loss.var(1, ddof=1)), 1)[0]
    assert halved == pytest.approx(slope / 2, rel=1e-9)


def test_a_crossing_is_read_off_between_two_values():
    size = np.array([10.0, 40, 160])
    draw = np.random.default_rng(4).normal(0, 0.05, (2, 3, WORLDS))
    a, b = np.array([1.0, 2, 3])[:, None] + draw[0], np.array([2.0, 2.4, 1])[:, None] + draw[1]
    arms = xr.DataArray(np.array(["A", "B"], object), dims="optimizer", name="optimizer")
    data = xr.concat([study(a, size, "N"), study(b, size, "N")], arms, coords="minimal")
    at, (low, high) = value(data, 'crossing(loss["A"], loss["B"], N)')
    d = (a - b).mean(1)
    assert at == pytest.approx(40 * 4 ** (d[1] / (d[1] - d[2])), rel=1e-9)
    assert 40 < low < at < high < 160
    never = value(data, 'crossing(loss["A"], loss["B"] + 10, N)')
    assert never == (np.inf, (np.inf, np.inf))  # they are nearest at the last value


def test_a_limit_lies_between_two_values_of_the_axis():
    eta = np.array([0.1, 0.2, 0.4, 0.8])
    gone = np.array([0.0, 0.1, 0.9, 1.0])[:, None] > (np.arange(WORLDS) + 0.5) / WORLDS
    data = study(np.ones((4, WORLDS)), eta, status=np.where(gone, 3, 2))
    assert value(data, "limit(share(diverged) < 0.5, eta)") == (0.2, (0.2, 0.4))
    downwards = quantity(data, "limit(share(diverged) > 0.5, eta)")
    assert float(downwards["quantity"]) == 0.4
    assert downwards["quantity_interval"].values.tolist() == [0.2, 0.4]
    assert value(data, "limit(share(diverged) < 2, eta)") == (0.8, (0.8, np.inf))
    assert value(data, "limit(share(diverged) > 2, eta)") == (0.0, (0.0, 0.1))


def test_curves_by_hand():
    """Each of two curves at once: one number a curve."""
    x = np.array([1.0, 2.0, 3.0])
    assert not logarithmic(x)
    assert logarithmic(np.array([1.0, 10.0, 100.0]))
    assert not logarithmic(np.array([0.0, 1.0, 10.0]))
    np.testing.assert_allclose(optimum(x, np.array([[4.0, 0, 4], [3.0, 1, 1.5]])), [2, 2.3])
    np.testing.assert_allclose(
        crossing(x, np.array([[-1.0, 1, 2], [1.0, 2, 3], [3.0, 2, 1]])), [1.5, -np.inf, np.inf]
    )
    np.testing.assert_allclose(exponent(x, np.array([x**2, 3 / x])), [2, -1])
    steps = np.array([[1.0, 1, 0], [0.0, 0, 0], [0.0, 1, 1]])
    np.testing.assert_allclose(limit(x, steps, outer=False), [2, -np.inf, 2])
    np.testing.assert_allclose(limit(x, steps, outer=True), [3, 1, 1])


@each(
    ("text", "message"),
    [
        ("optimum(loss)", "expected optimum[(]q, AXIS[)]"),
        ("crossing(loss, eta)", "expected crossing[(]q, r, AXIS[)]"),
        ("optimum(loss, etta)", "unknown axis 'etta'; did you mean 'eta'[?]"),
        ("optimum(loss, mutation)", "expected an axis of numbers, mutation has names"),
        ("exponent(loss, shift)", "expected an axis of numbers > 0, shift has -1"),
    ],
)
def test_what_an_axis_cannot_say_is_one_line(text, message):
    data = study(np.ones((2, 4)), [1.0, 2.0])
    data = data.expand_dims(mutation=["on", "off"]).expand_dims(shift=[-1.0, 1.0])
    with pytest.raises(ValueError, match=message) as caught:
        quantity(data, text)
    assert "\n" not in str(caught.value)
