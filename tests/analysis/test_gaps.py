"""What a loss is, gap or raw value, is said, and losses of two meanings are not pooled."""

import numpy as np
import pytest
import xarray as xr

from studies.analysis import gaps
from studies.analysis.scaling import scaling

LABELS = {"landscape": ["bowl", "nk"], "k": [1, 15]}


def study(known):
    dims = ("landscape", "k")[: np.ndim(known)]
    return xr.Dataset(coords={"gap_known": (dims, np.array(known, float))} | {dim: LABELS[dim] for dim in dims})


@pytest.mark.parametrize(("known", "word"), [(1.0, "gap"), (0.0, "loss"), ([1.0, 1.0], "gap"), ([[1.0, 1.0], [1.0, 0.0]], "gap or loss")])
def test_one_word_for_it(known, word):
    assert gaps.word(study(known)) == word
    assert (gaps.said(study(known)) != "") == (word == "gap or loss")


def test_a_landscape_of_one_meaning_is_named_once():
    told = "The loss is the gap to the optimum on bowl and nk (k = 1); on nk (k = 15) the optimum is not known, "
    assert gaps.said(study([[1.0, 1.0], [1.0, 0.0]])) == told + "and the loss is the landscape's own value."


def test_without_landscapes_the_axis_says_it():
    found = study([[1.0, 1.0], [1.0, 0.0]]).sel(landscape="nk")
    assert gaps.said(found).startswith("The loss is the gap to the optimum on k = 1; on k = 15 the optimum is not known")


def test_nothing_is_said_along_an_axis_where_the_meaning_changes():
    mixed = study([[1.0, 1.0], [1.0, 0.0]])
    gaps.alike(mixed, "optimizer")
    gaps.alike(mixed.sel(landscape="bowl"), "k")
    text = "^k: expected losses of one meaning, they are gaps to the optimum at 1 and raw values at 15; select one of the two$"
    with pytest.raises(ValueError, match=text):
        gaps.alike(mixed.sel(landscape="nk"), "k")


@pytest.mark.parametrize(
    ("known", "unit"), [(1.0, "loss (gap to the optimum)"), (0.0, "loss"), ([1.0, 0.0], "loss (gap to the optimum where gap_known is 1)")]
)
def test_units_say_it(known, unit):
    losses = {name: ("k", [1.0, 2.0], {"units": "loss"}) for name in ("loss", "start_loss")}
    data = study([1.0, 1.0]).assign(losses).assign_coords(gap_known=("k", np.broadcast_to(known, 2)) if np.ndim(known) else known)
    assert {gaps.with_units(data)[name].attrs["units"] for name in losses} == {unit}


def test_no_exponent_is_fitted_through_gaps_and_raw_losses():
    k = xr.Variable("k", [1.0, 15.0])
    loss = xr.DataArray(np.ones((2, 8)), dims=("k", "replicate"), coords={"k": k, "gap_known": ("k", [1.0, 0.0])}, name="loss")
    with pytest.raises(ValueError, match=r"^k: expected losses of one meaning, they are gaps to the optimum at 1 and raw values at 15"):
        scaling(np.mean, [loss], "k")


def test_an_older_study_without_the_coordinate_has_raw_losses():
    assert gaps.word(xr.Dataset()) == "loss"
    assert gaps.said(xr.Dataset()) == ""
