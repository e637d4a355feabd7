"""The numbers that the explorer of a report draws, beside those of the results."""

import json

import numpy as np
import pytest

from studies.analysis import expected_running_time
from studies.report import explorer as module
from studies.report.explorer import explorer
from studies.text.schema import Status
from tests.support.runs import here

RATES = [0.05, 0.4, 1e9]  # of a bowl with the curvatures 1 and 1: the last diverges
STUDY = {
    "name": "explored",
    "budget": 60,
    "replicates": 7,
    "targets": [1.0, 0.01],
    "landscapes": {"bowl": {"kind": "quadratic", "dim": 2}, "bits": {"kind": "onemax", "n": 10}},
    "optimizers": {
        "SGD": {"kind": "sgd", "learning_rate": 0.1, "only": ["bowl"]},
        "<GA>": {"kind": "ga", "population": 4},
    },
    "sweep": {"optimizers.SGD.learning_rate": RATES},
}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    study = json.loads(json.dumps(STUDY).replace("<GA>", "GA"))
    return here(study, tmp_path_factory.mktemp("explored") / "out")


@pytest.fixture(scope="module")
def numbers(data):
    return json.loads(explorer(data).numbers)


def arm(numbers, landscape, label):
    (one,) = [a for a in numbers["arms"] if (a["landscape"], a["label"]) == (landscape, label)]
    return one


def test_an_axis_touches_the_arms_that_it_does(numbers):
    assert numbers["axes"] == {"learning_rate": RATES}
    of_sgd = [arm(numbers, "bowl", f"SGD, learning_rate = {rate}") for rate in RATES]
    assert [one["at"] for one in of_sgd] == [[0], [1], [2]]
    assert {one["landscape"] for one in numbers["arms"] if one["at"] == [None]} == {"bowl", "bits"}
    assert len(numbers["arms"]) == len(RATES) + 2


def test_lines_are_quartiles_over_worlds_between_the_ends_of_the_medians_interval(data, numbers):
    """Of 7 worlds the second and third from below and above are the quartiles; the order statistics 1 and 7
    hold the median with 1 - 2/2^7 = 98.4 %, and 2 and 6 with 87.5 %, which is less than 95 %.
    """
    one = arm(numbers, "bowl", "SGD, learning_rate = 0.4")
    loss = data["loss"].sel(landscape="bowl", optimizer="SGD", learning_rate=0.4)
    ordered = np.sort(loss.transpose("replicate", "checkpoint").values, 0)
    there = [k for k, value in enumerate(one["numbers"]["loss"][2]) if value is not None]
    assert len(there) > 5
    for part, rank in zip(one["numbers"]["loss"], (0, 1, 3, 5, 6), strict=True):
        np.testing.assert_allclose(np.array(part, float)[there], ordered[rank, there], rtol=5e-4)


def test_clocks_are_those_of_the_checkpoints(data, numbers):
    """SGD asks for one gradient at a step, which here costs as much as a value."""
    one = arm(numbers, "bowl", "SGD, learning_rate = 0.05")
    steps = np.array(one["times"]["steps"], float)
    at = np.isfinite(steps) & (steps > 0)
    terms = data["gradient_terms"].sel(landscape="bowl", optimizer="SGD", learning_rate=0.05)
    np.testing.assert_allclose(steps[at], terms.median("replicate").values[at])
    assert {"cost", "steps", "epochs", "seconds"} == {*numbers["clocks"]}


def test_a_world_that_diverged_has_an_infinite_loss(data, numbers):
    """A step multiplies the gap by 1e18: none is a number after 18; the run of a world ends where it diverges."""
    status = data["status"].sel(landscape="bowl", optimizer="SGD", learning_rate=1e9)
    loss = arm(numbers, "bowl", "SGD, learning_rate = 1000000000.0")["numbers"]["loss"]
    diverged = (status == Status.DIVERGED).all("replicate").values
    median = np.array(loss[2], float)
    ended = median[diverged & ~np.isnan(median)]
    assert len(ended)
    assert np.isinf(ended).all()
    assert np.nanmax(np.where(diverged, np.nan, median)) > 1


def test_times_to_targets_are_those_of_the_analysis(data, numbers):
    bowl = data.sel(landscape="bowl", optimizer="SGD", learning_rate=0.4)
    found = expected_running_time(bowl)
    for place, hit in enumerate(arm(numbers, "bowl", "SGD, learning_rate = 0.4")["hits"]):
        ends = found["ert_interval"].values[place]
        expected = [bowl["target_loss"].values[place], ends[0], found["ert"].values[place], ends[1]]
        np.testing.assert_allclose(hit, expected, rtol=5e-4)


def test_a_world_that_failed_is_left_out_of_its_arm_alone(data):
    """Of the other 6 the quartiles are the second and the fifth, the median the third, as observed values."""
    place = {"landscape": "bowl", "optimizer": "SGD", "learning_rate": 0.4}
    failed = (data["replicate"] == 2) & (data["learning_rate"] == 0.4) & (data["optimizer"] == "SGD")
    less = data.assign(
        loss=data["loss"].where(~failed), status=data["status"].where(~failed, int(Status.FAILED))
    )
    one = arm(json.loads(explorer(less).numbers), "bowl", "SGD, learning_rate = 0.4")
    others = data["loss"].sel(place).isel(checkpoint=-1).drop_isel(replicate=2).values
    quarters = [part[-1] for part in one["numbers"]["loss"][1:4]]
    np.testing.assert_allclose(quarters, np.sort(others)[[1, 2, 4]], rtol=5e-4)


def test_times_to_targets_are_on_one_clock_where_budgets_are_on_several(tmp_path):
    budgets = {"bowl": {"steps": 40}, "bits": 60}
    study = json.loads(json.dumps(STUDY).replace("<GA>", "GA")) | {"sweep": {}, "budget": budgets}
    several = here(study, tmp_path / "out")
    numbers = json.loads(explorer(several).numbers)
    found = expected_running_time(several.sel(landscape="bowl", optimizer="GA"), clock="cost")[
        "ert"
    ].values
    assert numbers["hit_clock"] == "cost"
    assert [hit[2] for hit in arm(numbers, "bowl", "GA")["hits"]] == pytest.approx(found, rel=5e-4)


def test_what_a_page_has_no_room_for_is_left_out_and_said(data, monkeypatch):
    whole = explorer(data)
    checkpoints = data.sizes["checkpoint"]
    monkeypatch.setattr(module, "MOST", 2500)
    less = explorer(data)
    fractions = json.loads(less.numbers)["fractions"]
    assert whole.note == ""
    assert less.note.startswith("For want of room the explorer has ")
    assert len(fractions) < checkpoints
    assert fractions[-1] == 1
    monkeypatch.setattr(module, "MOST", 10)
    assert explorer(data) is None


def test_no_label_ends_the_script_in_which_the_numbers_stand(data):
    labels = ["SGD", "</script><b>"]
    text = explorer(data.assign_coords(optimizer=labels)).numbers
    assert "<" not in text
    assert {one["optimizer"] for one in json.loads(text)["arms"]} == {*labels}
