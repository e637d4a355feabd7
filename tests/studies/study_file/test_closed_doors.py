"""Studies that would run somebody else's code, or take a machine for ever: one line each."""

import json

import pytest

from studies.run.__main__ import main
from studies.study_file import own_code
from studies.study_file.check_size import MANY
from studies.study_file.files import data_of, ready_studies
from studies.study_file.loading import load_study
from studies.study_file.plan import could_be_many, make_plan, refuse_many
from studies.study_file.study import StudyError
from tests.support.runs import FEW

PLAIN = {
    "name": "plain",
    "budget": 10,
    "landscapes": {"bowl": {"kind": "quadratic", "dim": 2}},
    "optimizers": {"SGD": {"kind": "sgd"}},
}
OWN = "nowhere_at_all:Thing"  # if it were imported, that would be said instead


@pytest.mark.parametrize(
    ("place", "changes"),
    [
        ("optimizers.SGD.kind", {"optimizers": {"SGD": {"kind": OWN}}}),
        ("landscapes.bowl.kind", {"landscapes": {"bowl": {"kind": OWN}}}),
        (
            "landscapes.moving.inner.kind",
            {"landscapes": {"moving": {"kind": "moving", "inner": {"kind": OWN}}}},
        ),
        ("claims.c.kind", {"claims": {"c": {"kind": OWN}}}),
        ("claims.c.predicted", {"claims": {"c": {"kind": "law", "predicted": f"2 * {OWN}(dim)"}}}),
        ("record.r", {"record": {"r": OWN}}),
        ("record.r.expression", {"record": {"r": {"expression": f"{OWN}(gradient)"}}}),
        ("cluster.kind", {"cluster": {"kind": OWN}}),
        ("figures[0].curve.y", {"figures": [{"curve": {"x": "cost", "y": f"{OWN}(loss)"}}]}),
    ],
)
def test_code_of_others_is_refused_where_plugins_are(place, changes):
    with pytest.raises(StudyError) as refused:
        load_study(PLAIN | changes, plugins=False)
    (line,) = refused.value.lines
    assert line == (
        f"study: {place}: '{OWN}' is code by its import path, which --no-plugins refuses; read the file, and"
        " what it names, first"
    )


def test_what_is_ours_is_not_refused():
    words = {"question": "is a:b?", "cluster": {"kind": "tcp://node:8786"}, "cell_timeout": "2h"}
    assert load_study(PLAIN | words, plugins=False).arms == load_study(PLAIN).arms


def test_ready_studies_are_ours_with_their_laws():
    """theory:NAME is a law of the library, and reads like an import path."""
    assert [name for name, path in ready_studies().items() if [*own_code.mistakes(data_of(path))]] == []


def test_it_is_exit_code_2(tmp_path, capsys):
    (tmp_path / "study.yaml").write_text(json.dumps(FEW))
    assert main([str(tmp_path / "study.yaml"), "--dry-run", "--no-plugins"]) == 2
    assert "'tests.support.slow_bowl:Bowl' is code by its import path" in capsys.readouterr().err


def test_a_million_cells_must_be_meant(capsys, tmp_path):
    study = load_study(PLAIN | {"budget": {"seconds": 1}, "replicates": MANY})
    assert could_be_many(study)
    with pytest.raises(
        StudyError, match=r"1,000,000 cells \(1 arm of 1,000,000 worlds\); .* or give --yes"
    ):
        refuse_many(make_plan(study))
    fewer = load_study(PLAIN | {"budget": {"seconds": 1}, "replicates": MANY - 1})
    assert not could_be_many(fewer)
    refuse_many(make_plan(fewer))
    large = load_study(PLAIN | {"replicates": 100 * MANY})  # whose cells are large
    refuse_many(make_plan(large))
    (tmp_path / "study.yaml").write_text(
        json.dumps(PLAIN | {"budget": {"seconds": 1}, "replicates": MANY})
    )
    assert main([str(tmp_path / "study.yaml"), "--out", str(tmp_path / "out")]) == 2
    assert not (tmp_path / "out").exists()
    assert "give --yes" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a: " + "{a: " * 3000 + "1" + "}" * 3000, "nested too deeply to be read"),
        ("\n".join("  " * depth + "a:" for depth in range(3000)), "nested too deeply to be read"),
        ("a: &a [*a]", "1:4: an alias that contains itself"),
        (
            "\n".join(f"k{i}: &k{i} [{', '.join([f'*k{i - 1}' if i else '1'] * 9)}]" for i in range(9)),
            "its aliases .* stand for more than the 2,000,000 values",
        ),
    ],
)
def test_a_text_that_stands_for_too_much(tmp_path, text, why):
    (tmp_path / "study.yaml").write_text(text)
    with pytest.raises(StudyError, match=why) as refused:
        load_study(tmp_path / "study.yaml")
    assert len(refused.value.lines) == 1


def test_a_grid_of_more_arms_than_anybody_looks_at():
    values = [0.001 + i / 2000 for i in range(1100)]
    grid = {"learning_rate": values, "momentum": [value / 2 for value in values]}
    with pytest.raises(
        StudyError, match=r"optimizers.SGD.grid: 1,210,000 points of the grid, at each of 1 comb"
    ):
        load_study(PLAIN | {"optimizers": {"SGD": {"kind": "sgd", "grid": grid}}})


@pytest.mark.parametrize("number", ["9**9**9", "2**2**2**2**2**2"])
def test_a_number_that_nothing_holds(number):
    with pytest.raises(StudyError, match="a number in it is too large"):
        load_study(PLAIN | {"landscapes": {"bowl": {"kind": "quadratic", "dim": number}}})
