"""Where the optimum is now, and how far the center is from it, beside paths and losses by hand."""

import numpy as np
import pytest

from studies.study_file.loading import load_study
from studies.study_file.study import StudyError
from tests.support.expressions import recorded

ASKED = {"places": "optimum", "away": "optimum_distance", "centers": "center"}
OPTIONS = {"budget": 60.0, "checkpoints": [0.5, 9.0, 30.0, 60.0]}
SGD = {"kind": "sgd", "learning_rate": 0.3}


def moving(inner, **path):
    return {"kind": "moving", "inner": inner, **path}


@pytest.mark.parametrize("clock", ["step", "cost"])
def test_the_optimum_of_a_line_is_where_the_line_has_come_to(clock):
    """|o| = speed t from the origin, and of a round bowl the loss is half the squared distance to it."""
    bowl = moving({"kind": "quadratic", "dim": 3, "condition": 1}, speed=0.05, clock=clock)
    data = recorded(bowl, SGD, ASKED, **OPTIONS)
    time = data["steps"] if clock == "step" else data["gradient_terms"] * 3.0
    length = np.linalg.norm(data["places"], axis=-1)
    np.testing.assert_allclose(length, 0.05 * time, rtol=1e-12)
    away = np.linalg.norm(data["centers"].values - data["places"].values, axis=-1)
    np.testing.assert_allclose(data["away"], away, rtol=1e-12)
    np.testing.assert_allclose(data["loss"], away**2 / 2, rtol=1e-10)


def test_on_bits_it_is_the_mean_number_of_loci_that_differ():
    """One locus flips every other step; of onemax the loss of each is the number of loci that differ."""
    bits = moving({"kind": "onemax", "n": 9}, speed=0.5)
    method = {"kind": "ga", "population": 5, "mutation_rate": 0.1}
    data = recorded(bits, method, ASKED, **OPTIONS)
    flipped = 9 - data["places"].sum("places_index").values
    np.testing.assert_array_equal(flipped, np.floor(0.5 * data["steps"]))
    away = np.abs(data["centers"].values - data["places"].values).sum(-1)
    np.testing.assert_allclose(data["away"], away, rtol=1e-12)


def test_of_several_optima_it_is_the_nearest():
    """Two wells of the same depth, at -1 and 1."""
    wells = {"kind": "double_well", "dim": 1, "tilt": 0.0, "width": 1.0}
    data = recorded(wells, {"kind": "sgd", "learning_rate": 0.01}, ASKED, range(12), **OPTIONS)
    x = data["centers"].values[..., 0]
    assert {*np.sign(x.ravel())} == {-1.0, 1.0}
    np.testing.assert_allclose(data["places"].values[..., 0], np.sign(x), rtol=1e-9)
    np.testing.assert_allclose(data["away"], np.abs(np.abs(x) - 1), rtol=1e-9, atol=1e-12)


STUDY = {
    "name": "lag",
    "budget": 60,
    "replicates": 2,
    "landscapes": {
        "trail": moving({"kind": "quadratic", "dim": 3}),
        "bumps": {"kind": "gaussian_field", "dim": 3},
    },
    "optimizers": {"SGD": {"kind": "sgd"}},
    "record": ["optimum", "optimum_distance"],
}


def test_where_no_optimum_is_known_it_is_not_recorded():
    arms = {arm.coords["landscape"]: arm.scalars["expressions"] for arm in load_study(STUDY).arms}
    assert [*arms["trail"]] == ["optimum", "optimum_distance"]
    assert arms["trail"]["optimum"]["vector"]
    assert [*arms["bumps"]] == []
    unknown = STUDY | {
        "landscapes": {"bumps": STUDY["landscapes"]["bumps"]},
        "record": ["optimum_distance"],
    }
    with pytest.raises(StudyError, match="unknown name 'optimum_distance'; expected one of: center, "):
        load_study(unknown)
