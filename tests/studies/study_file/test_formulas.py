"""Formulas in entries: their values by hand, which names they see, and what is said of wrong ones."""

import json
import math

import pytest

from studies import run_study
from studies.results import settings
from studies.run import session
from studies.study_file.loading import load_study
from studies.study_file.plan import make_plan
from studies.study_file.study import StudyError

STUDY = """\
name: formulas
replicates: 2
budget: 60
let: {half: 0.5, eta_max: 2 / condition * half}
landscapes:
  bowl: {kind: quadratic, dim: 6, condition: 10}
  steep: {kind: quadratic, dim: 6, condition: 100}
optimizers:
  GD: {kind: sgd, learning_rate: 2 / (1 + 1 / condition), on: {steep: {learning_rate: eta_max}}}
  ES: {kind: openai_es, population: 2 * floor(dim / 2), sigma: 1 / sqrt(landscape.dim)}
"""


def load(text, tmp_path):
    path = tmp_path / "study.yaml"
    path.write_text(text)
    return load_study(path)


def values(study, optimizer, name):
    """Landscape -> the value of a parameter."""
    return {
        arm.coords["landscape"]: arm.optimizer[name] for arm in study.arms if arm.label == optimizer
    }


def test_a_formula_uses_the_numbers_of_the_arms_landscape_and_let(tmp_path):
    study = load(STUDY, tmp_path)
    assert values(study, "GD", "learning_rate") == {"bowl": 2 / 1.1, "steep": 2 / 100 * 0.5}
    assert values(study, "ES", "population") == {"bowl": 6, "steep": 6}
    assert values(study, "ES", "sigma") == {"bowl": 1 / math.sqrt(6), "steep": 1 / math.sqrt(6)}
    assert all(isinstance(number, int) for number in values(study, "ES", "population").values())


def test_own_numbers_come_first_and_may_be_formulas_themselves(tmp_path):
    given = "learning_rate: 2 / (1 + 1 / condition)"
    study = load(STUDY.replace(given, "learning_rate: 1 - momentum, momentum: 1 / dim"), tmp_path)
    assert values(study, "GD", "learning_rate")["bowl"] == 1 - 1 / 6
    study = load(STUDY.replace(given, "learning_rate: starts / 4, starts: 2"), tmp_path)
    assert values(study, "GD", "learning_rate")["bowl"] == 0.5


def test_landscapes_noise_and_axes_have_names_too(tmp_path):
    text = STUDY.replace("condition: 100}", "terms: 8, condition: 5 * dim, noise_scale: 1}")
    text = text.replace("learning_rate: eta_max", "learning_rate: batch / noise.terms_are_no_noise")
    with pytest.raises(StudyError, match="unknown name 'noise.terms_are_no_noise'"):
        load(text, tmp_path)
    text = (
        text.replace("noise.terms_are_no_noise", "terms") + "noise: {batch: {bowl: null, steep: 2}}\n"
    )
    study = load(text, tmp_path)
    assert {arm.landscape["condition"] for arm in study.arms} == {10, 30}
    assert values(study, "GD", "learning_rate")["steep"] == 2 / 8


def test_the_value_of_an_axis_has_its_name(tmp_path):
    swept = STUDY.replace("2 / (1 + 1 / condition)", "noise.evaluation.value + 1")
    study = load(swept + "sweep: {noise.evaluation.value: [0.0, 0.5]}\n", tmp_path)
    rates = {
        arm.optimizer["learning_rate"]
        for arm in study.arms
        if arm.coords["landscape"] == "bowl" and arm.label == "GD"
    }
    assert rates == {1.0, 1.5}


def test_a_swept_value_takes_the_place_of_a_formula(tmp_path):
    study = load(STUDY + "sweep: {optimizers.GD.learning_rate: [0.1, 0.2]}\n", tmp_path)
    rates = {
        (arm.coords["landscape"], arm.optimizer["learning_rate"])
        for arm in study.arms
        if arm.label == "GD"
    }
    assert rates == {
        ("bowl", 0.1),
        ("bowl", 0.2),
        ("steep", 0.01),
    }  # what `on` says of a landscape stays


def test_an_arm_is_addressed_by_the_number(tmp_path):
    numbers = STUDY.replace("2 / (1 + 1 / condition)", repr(2 / 1.1)).replace("eta_max}", "0.01}")
    numbers = numbers.replace("2 * floor(dim / 2)", "6").replace(
        "1 / sqrt(landscape.dim)", repr(1 / math.sqrt(6))
    )
    with_formulas, with_numbers = (make_plan(load(text, tmp_path)) for text in (STUDY, numbers))
    addresses = [{cell.address for cell in plan.cells(())} for plan in (with_formulas, with_numbers)]
    assert addresses[0] == addresses[1]


def test_results_hold_the_formula_as_written_and_the_number_that_ran(tmp_path, monkeypatch):
    monkeypatch.setattr(session, "finish", lambda out: "")  # no report
    data = run_study(load_text(tmp_path), out=tmp_path / "out", figures=False, workers=1)
    config = json.loads(data.attrs["config"])
    assert config["optimizers"]["GD"]["learning_rate"] == "2 / (1 + 1 / condition)"
    assert config["let"] == {"half": 0.5, "eta_max": "2 / condition * half"}
    here = settings.at(data, {"landscape": "bowl", "optimizer": "GD"})
    assert settings.numbers(here)["learning_rate"] == 2 / 1.1
    again = load_study(tmp_path / "out" / "study.yaml")
    assert values(again, "GD", "learning_rate") == {"bowl": 2 / 1.1, "steep": 0.01}


def load_text(tmp_path):
    path = tmp_path / "study.yaml"
    path.write_text(STUDY)
    return path


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (
            "1 + 1 / condition)",
            "1 + 1 / condtion)",
            "9:34: optimizers.GD.learning_rate: unknown name 'condtion'; did you mean 'condition'?",
        ),
        ("2 / (1 +", "-2 / (1 +", "9:34: optimizers.GD.learning_rate: expected > 0, got -1.8"),
        (
            "2 * floor(dim / 2)",
            "dim / 4",
            "10:37: optimizers.ES.population: expected a whole number, got 1.5, from the formula 'dim / 4'",
        ),
        (
            "half: 0.5",
            "half: eta_max",
            "optimizers.GD.on.steep.learning_rate: 'eta_max' needs eta_max, which needs it in turn",
        ),
        ("half: 0.5", "pi: 0.5", "4:7: let.pi: pi has a meaning in formulas; take another name"),
        ("half: 0.5", "a-b: 0.5", "4:7: let.a-b: expected a name of letters, digits and _"),
        (
            "2 / (1 + 1 / condition)",
            "9**9**9",
            "9:34: optimizers.GD.learning_rate: '9**9**9' has no value: a number in it is too large",
        ),
        ("half: 0.5", "half: eta_max", "let.half: half -> eta_max -> half: each needs the next"),
        (
            "2 / (1 + 1 / condition)",
            "2 / (1 +",
            "optimizers.GD.learning_rate: expected a number, a formula",
        ),
        (
            "2 / (1 + 1 / condition)",
            "fast",
            "9:34: optimizers.GD.learning_rate: expected a number, got 'fast'",
        ),
        ("2 / (1 + 1 / condition)", "learning_rate / 2", "unknown name 'learning_rate'"),
    ],
)
def test_a_wrong_formula_is_one_line_where_it_stands(tmp_path, old, new, line):
    assert old in STUDY
    with pytest.raises(StudyError) as caught:
        load(STUDY.replace(old, new, 1), tmp_path)
    assert any(line in said for said in caught.value.lines), caught.value.lines
