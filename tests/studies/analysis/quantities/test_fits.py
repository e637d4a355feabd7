"""Formulas fitted along an axis, beside SciPy's and by hand; what cannot be fitted is one line."""

import json

import numpy as np
import pytest
import xarray as xr
from scipy.optimize import least_squares

from studies.analysis.quantities.evaluate import quantity
from studies.analysis.quantities.fits import solved
from studies.claims import judge
from tests.support.runs import here

N = (2.0, 4.0, 8.0, 16.0, 32.0)
STUDY = {
    "name": "fits",
    "replicates": 12,
    "budget": {"steps": 2},
    "landscapes": {"bowl": {"kind": "quadratic", "dim": 3, "condition": 2}},
    "optimizers": {"GA": {"kind": "ga", "population": 8}, "RS": {"kind": "random_search"}},
    "sweep": {"n": {"values": [2, 4, 8, 16, 32], "sets": {"optimizers.*.population": "2 * n"}}},
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Results whose loss is 3 + 0.5 n in the mean of worlds of the GA, twice that of the other, with noise."""
    data = here(STUDY, tmp_path_factory.mktemp("fits"))
    size = {"optimizer": xr.DataArray([1.0, 2.0], dims="optimizer", coords={"optimizer": ["GA", "RS"]})}
    law = (3 + 0.5 * data["n"]) * size["optimizer"]
    noise = np.random.default_rng(5).normal(0, 0.05, data["loss"].shape)
    return data.assign(
        loss=(law * (1 + xr.zeros_like(data["loss"]) + noise)).transpose(*data["loss"].dims)
    )


def values(dataset, text):
    return quantity(dataset, text)["quantity"].sel(landscape="bowl")


def means(made, arm):
    return (
        made["loss"].isel(checkpoint=-1).sel(landscape="bowl", optimizer=arm).mean("replicate").values
    )


@pytest.mark.parametrize("arm", [pytest.param("GA", marks=pytest.mark.verify), "RS"])
def test_a_fit_is_that_of_scipy(made, arm):
    """Three constants at five values: a + b n + c log(n), least squares of relative errors."""
    n, y = np.array(N), means(made, arm)
    design = np.stack([np.ones(5), n, np.log(n)], 1)
    best = least_squares(
        lambda c: (design @ c - y) / y, np.ones(3), xtol=1e-15, ftol=1e-15, gtol=1e-15
    ).x
    formula = "a + b * n + c * log(n), mean(loss), n"
    got = values(made, f"fitted({formula})").sel(optimizer=arm)
    np.testing.assert_allclose(got, design @ best, rtol=1e-7)
    for name, right in zip("abc", best, strict=True):
        assert values(made, f"constant({name}, {formula})").sel(optimizer=arm).item() == pytest.approx(
            right, rel=1e-5
        )


def test_with_as_many_values_as_constants_it_goes_through_them(made):
    y = means(made, "GA")
    slope = (y[4] - y[1]) / 28
    line = values(made, "fitted(a + b * n, loss, n, 4, 32)").sel(optimizer="GA")
    np.testing.assert_allclose(line, y[1] + slope * (np.array(N) - 4), rtol=1e-12)
    assert values(made, "constant(b, a + b * n, loss, n, 4, 32)").sel(
        optimizer="GA"
    ).item() == pytest.approx(slope, rel=1e-9)
    power = values(made, "exp(fitted(a + g * log(n), log(mean(loss)), n, 4, 32))").sel(optimizer="GA")
    exponent = np.log(y[4] / y[1]) / np.log(8)
    np.testing.assert_allclose(power, y[1] * (np.array(N) / 4) ** exponent, rtol=1e-9)


def test_numbers_that_ran_are_no_constants(made):
    """The population is 2 n, dim is 3: b / dim of the line in n is that of b * population * dim."""
    plain = values(made, "constant(b, a + b * n, loss, n)")
    own = values(made, "constant(b, a + b * population * dim, loss, n)")
    np.testing.assert_allclose(own, plain / 6, rtol=1e-9)


def test_its_interval_is_that_of_the_whole(made):
    """At a value that it meets it is the mean, and has the interval of the mean."""
    told = quantity(made, "fitted(a + b * n, loss, n, 4, 32)")
    straight = quantity(made, "mean(loss) - 0")
    for n in (4, 32):
        np.testing.assert_allclose(
            told["quantity_interval"].sel(n=n), straight["quantity_interval"].sel(n=n), rtol=1e-9
        )


def test_what_is_not_known_has_no_fit():
    y = np.array([[1.0, 2.0], [np.nan, 2.0], [0.0, 2.0]])
    basis = np.broadcast_to(np.array([[1.0, 1.0], [1.0, 2.0]]), (3, 2, 2))
    got = solved(basis, np.zeros((3, 2)), y)
    np.testing.assert_allclose(got[0], [0, 1], atol=1e-12)
    assert np.isnan(got[1:]).all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fitted(k * n**g, loss, n)", "a formula that is linear in k, g; a power"),
        ("fitted(max(k, n), loss, n)", "linear in k"),
        ("fitted(a * b * n, loss, n)", "linear in a, b"),
        ("fitted(1 / a, loss, n)", "linear in a"),
        ("fitted(a + b * n, loss)", r"expected fitted\(FORMULA, q, AXIS\), and perhaps values"),
        ("constant(a + b * n, loss, n)", r"expected constant\(NAME, FORMULA, q, AXIS\)"),
        ("constant(c, a + b * n, loss, n)", "constant: expected one of a, b, got c"),
        (
            "fitted(a + b * n, loss, n, 4)",
            "expected 1 to 1 constants, as there are values of n, got a, b",
        ),
        ("fitted(dim * n, loss, n)", "expected 1 to 5 constants, as there are values of n, got none"),
        ("fitted(a + b * n, loss, n, 4, 5)", "unknown n 5.0; expected one of: 2, 4"),
        ("fitted(a + b * n, loss, m)", "unknown axis 'm'"),
        (
            "fitted(a + b * loss, loss, n)",
            "expected a formula of n, numbers and constants, not of results",
        ),
    ],
)
def test_what_cannot_be_fitted_is_one_line(made, text, message):
    with pytest.raises(ValueError, match=message) as error:
        quantity(made, text)
    assert "\n" not in str(error.value)


# in a law ---------------------------------------------------------------------------------------------------

LAW = {
    "kind": "law",
    "optimizer": ["GA", "RS"],
    "along": "n",
    "observe": "mean(loss)",
    "predicted": "fitted(a + b * n, mean(loss), n, 2, 32)",
    "control": "exp(fitted(a + g * log(n), log(mean(loss)), n, 2, 32))",
    "tolerance": 0.1,
}


def judged(made, **changes):
    config = json.loads(made.attrs["config"])
    return judge(made.assign_attrs(config=json.dumps(config | {"claims": {"c": LAW | changes}})))


def test_a_law_is_judged_where_it_is_not_fitted(made):
    """3 + 0.5 n goes from 4 to 19; the power law between these is 5.6, 7.7, 10.7 where it is 5, 7, 11."""
    rows = judged(made)
    assert {row.where["n"]: row.in_regime for row in rows if row.where["optimizer"] == "GA"} == {
        2: False,
        4: True,
        8: True,
        16: True,
        32: False,
    }
    assert all("the law is fitted here" in row.note for row in rows if not row.in_regime)
    fitted = {row.where["n"]: row.predicted for row in rows if row.where["optimizer"] == "RS"}
    y = means(made, "RS")
    assert fitted[8] == pytest.approx(y[0] + (y[4] - y[0]) * 6 / 30, rel=1e-9)


def test_the_error_of_the_fit_counts(made):
    """The interval at n is that of the mean of observed - fitted over worlds, the fit of each world its own."""
    (row,) = (
        row for row in judged(made) if row.where == {"landscape": "bowl", "optimizer": "GA", "n": 8}
    )
    each = made["loss"].isel(checkpoint=-1).sel(landscape="bowl", optimizer="GA").values  # (n, R)
    apart = each[2] - (each[0] + (each[4] - each[0]) * 6 / 30)
    assert row.standard_error == pytest.approx(apart.std(ddof=1) / np.sqrt(12), rel=1e-6)


@pytest.mark.verify
def test_a_law_fitted_at_all_values_is_judged_at_all(made):
    rows = judged(made, predicted="fitted(a + b * n, mean(loss), n)")
    assert all(row.in_regime for row in rows)
