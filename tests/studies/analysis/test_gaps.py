"""What a loss is, gap or raw value, is said, and losses of two meanings are not pooled."""

import numpy as np
import pytest
import xarray as xr

from studies.analysis.comparison.paired import scaled
from studies.analysis.trends.scaling import scaling
from studies.exchange.imported import _known
from studies.exchange.specs import by_label
from studies.figures.scales import is_gap
from studies.results import gaps
from studies.results.arms import words_on_silent

LABELS = {"landscape": ["bowl", "nk"], "k": [1, 15]}


def study(known):
    dims = ("landscape", "k")[: np.ndim(known)]
    return xr.Dataset(
        coords={"gap_known": (dims, np.array(known, float))} | {dim: LABELS[dim] for dim in dims}
    )


@pytest.mark.parametrize(
    ("known", "word"),
    [(1.0, "gap"), (0.0, "loss"), ([1.0, 1.0], "gap"), ([[1.0, 1.0], [1.0, 0.0]], "gap or loss")],
)
def test_one_word_for_it(known, word):
    assert gaps.word(study(known)) == word
    assert (gaps.said(study(known)) != "") == (word == "gap or loss")


def test_a_landscape_of_one_meaning_is_named_once():
    told = "The loss is the gap to the optimum on bowl and nk (k = 1); on nk (k = 15) the optimum is not known, "
    assert (
        gaps.said(study([[1.0, 1.0], [1.0, 0.0]]))
        == told + "and the loss is the landscape's own value."
    )


def test_without_landscapes_the_axis_says_it():
    found = study([[1.0, 1.0], [1.0, 0.0]]).sel(landscape="nk")
    assert gaps.said(found).startswith(
        "The loss is the gap to the optimum on k = 1; on k = 15 the optimum is not known"
    )


def test_nothing_is_said_along_an_axis_where_the_meaning_changes():
    mixed = study([[1.0, 1.0], [1.0, 0.0]])
    gaps.alike(mixed, "optimizer")
    gaps.alike(mixed.sel(landscape="bowl"), "k")
    text = (
        "^k: expected losses of one meaning, they are gaps to the optimum at 1 and raw values at 15; select"
        " one of the two$"
    )
    with pytest.raises(ValueError, match=text):
        gaps.alike(mixed.sel(landscape="nk"), "k")


@pytest.mark.parametrize(
    ("known", "unit"),
    [
        (1.0, "loss (gap to the optimum)"),
        (0.0, "loss"),
        ([1.0, 0.0], "loss (gap to the optimum where gap_known is 1)"),
    ],
)
def test_units_say_it(known, unit):
    losses = {name: ("k", [1.0, 2.0], {"units": "loss"}) for name in ("loss", "start_loss")}
    data = (
        study([1.0, 1.0])
        .assign(losses)
        .assign_coords(gap_known=("k", np.broadcast_to(known, 2)) if np.ndim(known) else known)
    )
    assert {gaps.with_units(data)[name].attrs["units"] for name in losses} == {unit}


def test_no_exponent_is_fitted_through_gaps_and_raw_losses():
    k = xr.Variable("k", [1.0, 15.0])
    loss = xr.DataArray(
        np.ones((2, 8)),
        dims=("k", "replicate"),
        coords={"k": k, "gap_known": ("k", [1.0, 0.0])},
        name="loss",
    )
    with pytest.raises(
        ValueError,
        match=r"^k: expected losses of one meaning, they are gaps to the optimum at 1 and raw values at 15",
    ):
        scaling(np.mean, [loss], "k")


def test_an_older_study_without_the_coordinate_has_raw_losses():
    assert gaps.word(xr.Dataset()) == "loss"
    assert gaps.said(xr.Dataset()) == ""


def test_the_landscape_says_it_for_all_optimizers():
    """GA did not run at k = 15, where ES tells that the loss is a raw value.

    At k = 1 both are gaps: no dim `optimizer` is left, and no NaN.
    """
    data = xr.Dataset(
        coords={
            "gap_known": (("optimizer", "k"), [[1.0, np.nan], [1.0, 0.0]]),
            "optimizer": ["GA", "ES"],
            "k": [1, 15],
        }
    )
    for part in (data, data.isel(optimizer=[0])):
        found = gaps.gap_known(part)
        assert (found.dims, found.values.tolist()) == (("k",), [True, False])
    loss = xr.DataArray([[0.0, np.nan], [10.0, 3.0]], dims=("optimizer", "k"), coords=data.coords)
    logarithms, logarithmic = scaled(loss, xr.DataArray(1e-8))
    assert logarithmic.dims == ("k",)
    np.testing.assert_array_equal(logarithms, [[-8.0, np.nan], [1.0, 3.0]])
    assert [is_gap(data.sel(k=k)) for k in (1, 15)] == [True, False]


def test_an_import_is_not_put_beside_losses_of_two_meanings():
    like = xr.Dataset(coords={"gap_known": ("k", [1.0, 0.0]), "k": [1, 15]})
    with pytest.raises(
        ValueError,
        match=r"^k: expected losses of one meaning, they are gaps to the optimum at 1 and raw values at 15",
    ):
        _known(like, {by_label("nk"): "nk"})


@pytest.mark.parametrize(("most", "listed"), [(None, "A, B"), (2, "A, B"), (1, "2 arms")])
def test_one_wording_of_arms_that_never_asked(most, listed):
    assert (
        words_on_silent(["A", "B"], "not drawn", most)
        == f"{listed}: no step within the budget, not drawn"
    )
    assert words_on_silent([], "not drawn", most) == ""
