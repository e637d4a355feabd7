"""A law along a number of the arms that follows an axis: its places are called by that number."""

import numpy as np
import pytest

from studies.claims import judge, law_facts
from studies.claims.following import along, follows
from studies.figures.law import law
from studies.study_file.loading import load_study
from studies.study_file.study import StudyError
from tests.support.each import each
from tests.support.runs import here

STUDY = {
    "name": "clips",
    "replicates": 24,
    "budget": {"steps": 10},
    "let": {"bound": "2 * a"},
    "landscapes": {"slope": {"kind": "quadratic", "dim": 1, "start": {"point": 1000}}},
    "optimizers": {
        "clipped": {"kind": "sgd", "learning_rate": 0.1},
        "other": {"kind": "sgd", "learning_rate": 0.1},
    },
    "sweep": {
        "a": {"values": [0.5, 1, 3], "sets": {"optimizers.clipped.clip": "bound"}},
        "b": {"values": [0.05, 0.1], "sets": "optimizers.other.learning_rate"},
    },
    "record": {"place": "center[0]"},
}
LAW = {
    "kind": "law",
    "optimizer": "clipped",
    "observe": "mean((1000 - place) / steps)",
    "along": "clip",
    "predicted": "learning_rate * clip",
    "control": "learning_rate * clip / 2",
    "tolerance": 1e-9,
}


def study(**changes):
    return STUDY | {"claims": {"steps": LAW | changes}}


@pytest.fixture(scope="module")
def computed(tmp_path_factory):
    return here(study(), tmp_path_factory.mktemp("clips"))


def test_places_are_called_by_the_number(computed):
    rows = judge(computed)
    assert [row.where["clip"] for row in rows] == [1, 2, 6]
    assert all("a" not in row.where for row in rows)
    assert [row.observed for row in rows] == pytest.approx([0.1, 0.2, 0.6])
    assert {row.verdict for row in rows} == {"holds"}
    assert law_facts(computed, rows)["steps"].sizes["clip"] == 3


def test_the_figure_has_its_name_and_its_values(computed):
    upper, lower = law(computed).axes
    drawn = {line.get_gid(): line for line in upper.lines}
    np.testing.assert_allclose(drawn["holds"].get_xdata(), [1, 2, 6])
    x, y = drawn["predicted"].get_data()
    assert len(x) > 3
    np.testing.assert_allclose(y, 0.1 * x)  # also between the values
    assert lower.get_xlabel() == "clip"


@each(
    ("name", "text"),
    [
        (
            "learning_rate",
            "expected an axis, or a number of the arms that is another at each value of one",
        ),
        ("momentun", "unknown axis"),
    ],
)
def test_what_follows_no_axis_is_one_line(name, text):
    with pytest.raises(StudyError, match=rf"claims\.steps\.along: {text}"):
        load_study(study(along=name))


def test_a_number_follows_an_axis_whatever_the_others():
    """It must not be twice the same, nor stay as it is."""
    grid = [{"a": a, "b": b} for a in (1, 2, 3) for b in (1, 2)]

    def named(number):
        return [place | {"x": number(**place)} for place in grid]

    squares = named(lambda a, b: a**2)
    assert follows(squares, "x", "a")
    assert not follows(squares, "x", "b")
    assert not follows(named(lambda a, b: (a - 2) ** 2), "x", "a")
    assert follows(named(lambda a, b: a * b), "x", "a")


def test_judged_again_without_such_a_number_is_one_line(computed):
    rows = [row._replace(where=row.where | {"dim": 1}) for row in judge(computed)]
    with pytest.raises(
        ValueError, match=r"law\.along: expected a value of dim for each value of an axis"
    ):
        along(rows, "dim", ["a", "b"])
