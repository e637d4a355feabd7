"""What quantities say of the noise ledger is what `studies.analysis.noise` says, and plain NumPy."""

import numpy as np
import pytest
import xarray as xr

from studies.analysis.noise import noise
from studies.analysis.noise.population import population
from studies.analysis.quantities.evaluate import quantity
from studies.text.schema import LEDGER, POPULATION
from tests.support.analysis import results
from tests.support.each import each

WORLDS = 30
LABELS = {
    "direction": ["all", "gradient", "curvature 1"],
    "source": ["data", "drift"],
    "reference": ["raw", "preconditioned", "selection"],
    "half": ["a", "b"],
    "mode": [0, 1],
    "force": ["selection", "mutation"],
}
MOMENTS = [0.1, 0.5, 1.0]


@pytest.fixture(scope="module")
def ledger():
    """Two arms at three moments with random numbers."""
    draw = np.random.default_rng(5)
    arms = xr.DataArray(np.array(["SGD", "ES"], object), dims="optimizer", name="optimizer")
    data = xr.concat([results(np.ones((WORLDS, 2)))] * 2, arms, coords="minimal")
    coords = LABELS | {"moment": MOMENTS, "replicate": np.arange(WORLDS)}
    for name, about in (LEDGER | POPULATION).items():
        dims = ("optimizer", "replicate", "moment", *about.dims)
        shape = [2 if dim == "optimizer" else len(coords[dim]) for dim in dims]
        data[name] = (dims, draw.gamma(2, 1, shape), about.attrs)
    data["binomial_variance"] = data["binomial_variance"].where(False)  # on reals
    return data.assign_coords(coords)


def last(ledger):
    return ledger.isel(moment=-1, drop=True)


SAME = {
    "ledger.gain[raw]": lambda data: noise.alignment(data)["gain"].sel(reference="raw"),
    "ledger.relative_gain[raw]": lambda data: noise.alignment(data)["relative_gain"].sel(
        reference="raw"
    ),
    "ledger.length": lambda data: noise.alignment(data)["length"],
    "ledger.bias[selection]": lambda data: noise.bias(data)["bias"].sel(reference="selection"),
    "ledger.bias[raw, scale=learning_rate]": lambda data: noise.bias(data, "learning_rate")["bias"].sel(
        reference="raw"
    ),
    "ledger.share[data]": lambda data: noise.shares(data)["first"].sel(source="data", direction="all"),
    "ledger.total[drift]": lambda data: noise.shares(data)["total"].sel(
        source="drift", direction="all"
    ),
    "ledger.share[drift, gradient]": lambda data: noise.shares(data)["first"].sel(
        source="drift", direction="gradient"
    ),
    "ledger.interaction": lambda data: noise.shares(data)["interaction"].sel(direction="all"),
    "ledger.noise_to_signal": lambda data: noise.currencies(data)["noise_to_signal"],
    "ledger.noise_scale": lambda data: noise.currencies(data)["noise_scale"],
    "ledger.temperature": lambda data: noise.currencies(data)["temperature"],
    "ledger.stationary_temperature": lambda data: noise.currencies(data)["stationary_temperature"],
    "ledger.price[selection]": lambda data: population(data)["price"].sel(force="selection"),
    "ledger.genotypes": lambda data: population(data)["genotypes"],
    "ledger.step_variance": lambda data: data["step_variance"].sel(direction="all").mean("replicate"),
    "ledger.noise_rank": lambda data: data["noise_rank"].mean("replicate"),
    "ledger.curvature": lambda data: data["curvature"].isel(mode=0).mean("replicate"),
    "ledger.curvature[1]": lambda data: data["curvature"].isel(mode=1).mean("replicate"),
    "variance(ledger.noise_rank)": lambda data: data["noise_rank"].var("replicate", ddof=1),
    "heterozygosity": lambda data: data["heterozygosity"].mean("replicate"),
}


@each("text", SAME)
def test_it_is_the_number_of_the_analysis(ledger, text):
    expected = SAME[text](last(ledger)).values
    np.testing.assert_allclose(quantity(ledger, text)["quantity"].values, expected, rtol=1e-9)


def test_the_cosine_of_a_mean_step_by_hand(ledger):
    """Of one half of the worlds the estimate may be above 1, which `alignment` calls unresolved."""
    data = last(ledger).sel(reference="raw")
    along = data["mean_step_along"].mean("half").sum("replicate")
    squares = [data[name].sum("replicate") for name in ("mean_step_squared", "reference_squared")]
    expected = along / np.sqrt(squares[0] * squares[1])
    np.testing.assert_allclose(
        quantity(ledger, "ledger.cosine[raw]")["quantity"].values, expected.values, rtol=1e-9
    )


def test_the_bias_is_fitted_anew_in_every_draw_of_worlds(ledger):
    """A step of -k reference in each world, with little noise: no bias, and the interval knows it."""
    data = ledger.copy(deep=True)
    held = data["reference_squared"]
    noisy = np.random.default_rng(6).normal(1, 1e-6, data["mean_step_along"].shape)
    data["mean_step_along"] = 0.1 * held.broadcast_like(data["mean_step_along"]) * noisy
    data["mean_step_squared"] = 0.01 * held.sel(reference="raw", drop=True)
    answer = quantity(data, "ledger.bias[raw]")
    assert (abs(answer["quantity"]) < 1e-5).all()
    assert (answer["quantity_interval"].diff("bound") < 1e-5).all()


@pytest.mark.parametrize(
    ("when", "moment"), [("moment=0.5", 0.5), ("moment=0.9", 0.5), ("moment=1", 1.0), ("start", 0.1)]
)
def test_a_moment_is_asked_for_as_other_times_are(ledger, when, moment):
    expected = SAME["ledger.gain[raw]"](ledger.sel(moment=moment)).values
    for text in (f"ledger.gain[raw]({when})", f"ledger.gain({when})[raw]"):
        np.testing.assert_allclose(quantity(ledger, text)["quantity"].values, expected, rtol=1e-9)
    at = ledger["heterozygosity"].sel(moment=moment).mean("replicate").values
    np.testing.assert_allclose(quantity(ledger, f"heterozygosity({when})")["quantity"].values, at)


def test_arms_are_chosen_beside_references(ledger):
    expected = SAME["ledger.gain[raw]"](last(ledger)).sel(optimizer="ES").values
    for text in (
        'ledger.gain[raw]["ES"]',
        'ledger.gain[raw, optimizer="ES"]',
        'ledger.gain["raw"]["ES"]',
    ):
        np.testing.assert_allclose(quantity(ledger, text)["quantity"].values, expected, rtol=1e-9)
    ratio = quantity(ledger, 'ledger.gain[raw]["ES"] / ledger.gain[raw]["SGD"]')["quantity"]
    both = SAME["ledger.gain[raw]"](last(ledger))
    np.testing.assert_allclose(ratio.values, expected / both.sel(optimizer="SGD").values, rtol=1e-9)


def test_without_a_label_there_is_a_row_for_each(ledger):
    answer = quantity(ledger, "ledger.price")["quantity"]
    assert set(answer.dims) == {"optimizer", "force"}


@each(
    ("text", "message"),
    [
        ("ledger.gian[raw]", "unknown quantity 'ledger.gian'; did you mean 'gain'[?]"),
        ("ledger.gain[row]", "ledger.gain: unknown label 'row'; did you mean 'raw'[?]"),
        ("ledger.gain[raw, scale=fitted]", None),
        (
            "ledger.gain[raw, scale=learning_rate]",
            "scale: expected fitted or learning_rate, of bias alone",
        ),
        ("ledger.bias[raw, scale=nominal]", "scale: expected fitted or learning_rate"),
        ("ledger.gain[raw](moment=0.01)", "moment: expected 0.1 to 1 of the budget, got 0.01"),
        ("ledger.gain[raw](cost=10)", "cost: the noise ledger has moments"),
        ("ledger.gain[raw, batch=3]", "unknown axis 'batch'"),
    ],
)
def test_what_the_ledger_does_not_say_is_one_line(ledger, text, message):
    if message is None:
        assert quantity(ledger, text)["quantity"].notnull().all()
        return
    with pytest.raises(ValueError, match=message) as caught:
        quantity(ledger, text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("ledger.gain[selection]", "none of these optimizers selects by fitness alone"),
        ("1 + ledger.bias[reference=selection]", "none of these optimizers selects by fitness alone"),
        ("ledger.cosine[raw]", "none of these losses has a slope"),
    ],
)
def test_a_reference_that_nobody_has_says_why(ledger, text, why):
    label = "raw" if "raw" in text else "selection"
    lacking = ledger["reference"] == label
    some = ledger.assign(reference_squared=ledger["reference_squared"].where(~lacking))
    with pytest.raises(ValueError, match=f"{label}.: no numbers; {why}"):
        quantity(some, text)
    of_es = ledger["reference_squared"].where(~lacking | (ledger["optimizer"] == "ES"))
    answer = quantity(ledger.assign(reference_squared=of_es), text)["quantity"]
    np.testing.assert_array_equal(answer.isnull(), [True, False])


def test_results_without_a_ledger_say_so():
    with pytest.raises(ValueError, match="ledger.gain: these results have no noise ledger"):
        quantity(results(np.ones((4, 2))), "ledger.gain[raw]")
