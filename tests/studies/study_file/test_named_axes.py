"""Axes with a name of their own: values, ranges, choices, what they set, and what is said of wrong ones."""

import numpy as np
import pytest

from studies.study_file.loading import load_study
from studies.study_file.study import StudyError

STUDY = """\
name: axes
replicates: 2
budget: 60
landscapes: {bowl: {kind: quadratic, dim: 6, condition: 10}}
optimizers:
  GD: {kind: sgd, learning_rate: 0.1}
  ES: {kind: openai_es, population: 4}
  GA: {kind: ga, population: 4}
sweep:
  AXIS
"""


def load(axis, tmp_path, change=("", "")):
    path = tmp_path / "study.yaml"
    path.write_text(STUDY.replace(*change).replace("AXIS", axis))
    return load_study(path)


def ran(study, label, name):
    """Value of the axis -> what a parameter of an optimizer is there."""
    axis = list(study.axes)[-1]
    return {arm.coords[axis]: arm.optimizer[name] for arm in study.arms if arm.label == label}


def test_one_number_sets_several_paths(tmp_path):
    study = load(
        "N: {values: [10, 40], sets: [optimizers.ES.population, optimizers.GA.population]}", tmp_path
    )
    assert study.axes["N"] == [10, 40]
    assert ran(study, "ES", "population") == ran(study, "GA", "population") == {10: 10, 40: 40}


def test_a_wildcard_stands_for_any_label(tmp_path):
    study = load("N: {values: [10, 40], sets: optimizers.*.population}", tmp_path)
    assert ran(study, "ES", "population") == ran(study, "GA", "population") == {10: 10, 40: 40}


def test_formulas_of_the_axis_are_set(tmp_path):
    sets = "{landscapes.bowl.condition: kappa, optimizers.GD.learning_rate: 2 / (1 + 1 / kappa)}"
    study = load(f"kappa: {{values: [40, 160], sets: {sets}}}", tmp_path)
    assert ran(study, "GD", "learning_rate") == {40: 2 / (1 + 1 / 40), 160: 2 / (1 + 1 / 160)}
    assert {arm.coords["kappa"]: arm.landscape["condition"] for arm in study.arms} == {40: 40, 160: 160}


def test_a_formula_of_an_entry_may_use_an_axis_that_sets_nothing(tmp_path):
    change = ("learning_rate: 0.1", "learning_rate: 1 / rho")
    study = load("rho: {values: [2, 8]}", tmp_path, change)
    assert ran(study, "GD", "learning_rate") == {2: 0.5, 8: 0.125}
    assert load_study(study.resolved).arms == study.arms


def test_an_axis_that_changes_nothing_is_a_mistake(tmp_path):
    """Whatever figures say of it; another axis may read it."""
    with pytest.raises(StudyError) as caught:
        load("rho: {values: [2, 8]}", tmp_path, ("replicates: 2", "question: is rho idle"))
    (line,) = caught.value.lines
    assert line.endswith(
        "it sets nothing, and no formula reads it; expected sets: PATH, or a formula of its name"
    )
    assert "study.yaml:10:3: sweep.rho: " in line
    axes = "rho: {values: [2, 8]}\n  r: {values: [1, 2], sets: {optimizers.GD.learning_rate: r / rho}}"
    assert list(load(axes, tmp_path).axes)[-2:] == ["rho", "r"]


@pytest.mark.parametrize(
    ("form", "values"),
    [
        ("{from: 0, to: 1, count: 5, sets: noise.evaluation}", np.linspace(0, 1, 5)),
        ("{from: 0.01, to: 1, count: 3, spacing: log, sets: noise.evaluation}", [0.01, 0.1, 1]),
        ("{from: 8, to: 1, count: 4, spacing: log, sets: noise.evaluation}", [8, 4, 2, 1]),
    ],
)
def test_ranges(tmp_path, form, values):
    study = load(f"s: {form}", tmp_path)
    np.testing.assert_allclose(study.axes["s"], values, rtol=1e-12)
    ran_with = [arm.noise["evaluation"]["value"] for arm in study.arms if arm.label == "GD"]
    assert ran_with == study.axes["s"]


def test_choices_have_names(tmp_path):
    choices = "{flat: {landscapes.bowl.condition: 1}, steep: {landscapes.bowl.condition: 100, optimizers.*.population: 8}}"
    study = load(f"shape: {{choices: {choices}}}", tmp_path)
    assert study.axes["shape"] == ["flat", "steep"]
    assert {arm.coords["shape"]: arm.landscape["condition"] for arm in study.arms} == {
        "flat": 1,
        "steep": 100,
    }
    assert ran(study, "GA", "population") == {"flat": 4, "steep": 8}


@pytest.mark.parametrize(
    ("axis", "line"),
    [
        ("N: {value: [1, 2], sets: noise.batch}", "10:7: sweep.N.value: unknown key for an axis; did you mean 'values'?"),
        ("N: {sets: noise.batch}", "sweep.N: expected values: [..], choices: {..}, or from, to and count"),
        ("N: {values: [], sets: noise.batch}", "sweep.N.values: expected one value at least, got an empty list"),
        ("N: {values: [1, 2], sets: optimizers.GD.lr}", "unknown path 'optimizers.GD.lr'; did you mean 'optimizers.GD.learning_rate'?"),
        ("N: {values: [1, 1], sets: noise.batch}", "sweep.N.values: expected different values"),
        ("N: {values: [1], from: 2, sets: noise.batch}", "sweep.N.from: expected values or a range, got both"),
        ("N: {from: 1, to: 2}", "sweep.N: expected values: [..], choices: {..}, or from, to and count; count is missing"),
        ("N: {from: 1, to: 2, count: 1}", "sweep.N.count: expected a whole number, 2 to 10000, got 1"),
        ("N: {from: a, to: 2, count: 3}", "sweep.N.from: expected a number or a formula of `let`, got 'a'"),
        ("N: {from: 0, to: 2, count: 3, spacing: log}", "sweep.N.from: expected a range of positive numbers"),
        ("N: {from: 1, to: 2, count: 3, spacing: cube}", "sweep.N.spacing: expected linear or log, got 'cube'"),
        ("N: {values: [1, 2], sets: optimizers.GD.learning_rat}", "sweep.N.sets: unknown path 'optimizers.GD.learning_rat'; did you mean 'optimizers.GD.learning_rate'?"),
        ("N: {values: [1, 2], sets: optimizers.*.populatoin}", "unknown path 'optimizers.*.populatoin'; did you mean 'optimizers.*.population'?"),
        ("N: {values: [1, 2], sets: {optimizers.GD.learning_rate: 1 / M}}", "unknown name 'M'; "),
        ("N: {values: [1, 2], sets: 3}", "sweep.N.sets: expected a path, a list of paths, or path -> formula"),
        ("N: {choices: {a: 3}}", "sweep.N.choices.a: expected path -> value"),
        ("N: {choices: {a: {nk.k: 3}}}", "unknown path 'nk.k'"),
        ("N: {choices: {a: {noise.batch: 3}}, values: [1]}", "sweep.N: expected choices alone"),
        ("loss: {values: [1, 2]}", "sweep.loss: "),
        ("N: {values: [0, 2], sets: optimizers.GA.population}", "sweep.N.sets: expected > 0|sweep.N.sets: expected >= "),
    ],
)  # fmt: skip
def test_a_wrong_axis_is_one_line_where_it_stands(tmp_path, axis, line):
    with pytest.raises(StudyError) as caught:
        load(axis, tmp_path)
    assert any(part in said for said in caught.value.lines for part in line.split("|")), (
        caught.value.lines
    )
