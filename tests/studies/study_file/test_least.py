"""How many cells a study has at least, beside how many its plan has."""

import json

import pytest

from studies import run_study
from studies.run.__main__ import main
from studies.study_file import loading
from studies.study_file.arms import Resolver
from studies.study_file.document import from_mapping
from studies.study_file.draft import Draft
from studies.study_file.least import least_cells
from studies.study_file.loading import load_study
from studies.study_file.plan import make_plan
from studies.study_file.study import StudyError
from tests.support.each import each

BOWL, SGD = {"kind": "quadratic", "dim": 2}, {"kind": "sgd", "learning_rate": 0.1}
STUDY = {
    "name": "least",
    "budget": 3,
    "replicates": 2,
    "landscapes": {"bowl": BOWL},
    "optimizers": {"SGD": SGD},
}
RATES, CONDITIONS = [0.1, 0.2, 0.3], [1, 2, 4, 8]
RATE, CONDITION = "optimizers.SGD.learning_rate", "landscapes.bowl.condition"
RANDOM = {"kind": "random_search"}
EXACT = {
    "one arm": ({}, 1),
    "two axes": ({"sweep": {RATE: RATES, CONDITION: CONDITIONS}}, 3 * 4),
    "a seed": ({"sweep": {RATE: RATES, "seed": [0, 1]}}, 3 * 2),
    "a range": ({"sweep": {"x": {"from": 1, "to": 5, "count": 5, "sets": CONDITION}}}, 5),
    "an axis that one of two touches": (
        {"optimizers": {"SGD": SGD, "random": RANDOM}, "sweep": {RATE: RATES, CONDITION: CONDITIONS}},
        3 * 4 + 4,
    ),
    "only elsewhere": (
        {
            "landscapes": {"bowl": BOWL, "canyon": {"kind": "canyon"}},
            "optimizers": {"SGD": SGD | {"only": ["canyon"]}, "random": RANDOM | {"only": ["bowl"]}},
            "sweep": {RATE: RATES, CONDITION: CONDITIONS},
        },
        3 + 4,
    ),
    "a grid": (
        {
            "optimizers": {"SGD": {"kind": "sgd", "grid": {"learning_rate": RATES}}},
            "sweep": {CONDITION: CONDITIONS},
        },
        3 * 4,
    ),
    "choices": (
        {
            "sweep": {
                "x": {
                    "choices": {
                        name: {CONDITION: value} for name, value in {"a": 1, "b": 2, "c": 1}.items()
                    }
                }
            }
        },
        2,
    ),
    "many worlds": ({"replicates": 3 * 4096, "sweep": {RATE: RATES}}, 3 * 3),
    "the landscape's own": (
        {"optimizers": {"SGD": SGD | {"on": {"bowl": {"learning_rate": 0.5}}}}, "sweep": {RATE: RATES}},
        1,
    ),
    "a formula that gives the same": (
        {"sweep": {"x": {"values": RATES, "sets": {RATE: "0.1 + 0 * x"}}}},
        1,
    ),
    "two of the same": ({"optimizers": {"A": SGD, "B": SGD}, "sweep": {CONDITION: CONDITIONS}}, 4),
}
FEWER = {  # than there are
    "formulas": ({"sweep": {"x": {"values": RATES, "sets": {RATE: "2 * x"}}}}, 1, 3),
    "two of one parameter": (
        {"sweep": {"x": {"values": RATES, "sets": RATE}, "y": {"values": [0.1, 0.2], "sets": RATE}}},
        1,
        2,
    ),
    "two of one kind": (
        {
            "optimizers": {"A": SGD, "B": SGD | {"learning_rate": 0.2}},
            "sweep": {CONDITION: CONDITIONS},
        },
        4,
        8,
    ),
}


def counted(changes):
    """Cells at least, and those that there are."""
    study, draft = load_study(STUDY | changes), Draft.of(from_mapping(STUDY | changes))
    return least_cells(draft.data, loading._swept(draft), study.replicates), make_plan(study).size


@each("name", EXACT)
def test_numbers_in_entries_are_counted_as_the_plan_has_them(name):
    changes, cells = EXACT[name]
    assert counted(changes) == (cells, cells)


@each("name", FEWER)
def test_what_may_come_to_the_same_is_not_counted(name):
    changes, *cells = FEWER[name]
    assert counted(changes) == tuple(cells)


def test_a_million_arms_are_refused_before_any_is_made(tmp_path, monkeypatch, capsys):
    sweep = {RATE: [(i + 1) / 1000 for i in range(1000)], CONDITION: [*range(1, 1001)]}
    (tmp_path / "study.yaml").write_text(json.dumps(STUDY | {"sweep": sweep}))
    monkeypatch.setattr(Resolver, "arms", lambda *_: pytest.fail("an arm was made"))
    words = [str(tmp_path / "study.yaml"), "--out", str(tmp_path / "out")]
    for more in ([], ["--dry-run"]):
        assert main([*words, *more]) == 2
        said = capsys.readouterr().err
        assert (
            said == "least: 1,000,000 cells at least; ask for fewer values or worlds, or give --yes\n"
        )
    with pytest.raises(StudyError, match="1,000,000 cells at least"):
        run_study(STUDY | {"sweep": sweep}, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_fewer_are_not_and_mistakes_are_told_first():
    sweep = {RATE: [(i + 1) / 1000 for i in range(1000)], CONDITION: [*range(1, 1001)]}
    with pytest.raises(StudyError, match="budget"):
        load_study(STUDY | {"sweep": sweep, "budget": -1}, many=False)
    assert load_study(STUDY | {"sweep": {RATE: RATES}}, many=False).arms
