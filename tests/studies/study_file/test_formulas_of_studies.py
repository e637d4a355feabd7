"""Formulas wherever an arm has a number: noise, oracle, prices, targets, budget, schedules, grids, axes, let."""

import json

import pytest

from studies.study_file import document
from studies.study_file.files import ready_studies
from studies.study_file.loading import load_study
from studies.study_file.model import json_schema
from studies.study_file.study import StudyError

STUDY = """\
name: everywhere
replicates: 2
budget: {bowl: 100 * dim, other: 300 * h}
gradient_cost: {value: 4 * h, range: [h, 8 * h]}
targets: {bowl: [1 / dim, 0.05], default: {values: [h, h / 2], best: h / 10}}
instances: 3 * N
let: {h: 0.5, tau: 2 * h}
landscapes:
  bowl: {kind: quadratic, dim: 6, condition: 10 * N, terms: 8}
  other: {kind: moving, inner: {kind: quadratic, dim: 4, condition: 1 + tau, terms: 8}}
noise:
  batch: {other: terms / 4, default: 4}
  evaluation: {bowl: 0.1 / batch, other: {value: h, gradient: value / landscape.dim}}
oracle: {micro_batches: batch / 2, chunks: N}
optimizers:
  GD: {kind: sgd, learning_rate: h / dim, schedule: {kind: step, steps: 60 / dim, factor: learning_rate / 2}}
  ES: {kind: openai_es, grid: {sigma: [1 / dim, 2 / dim]}, population: 8}
sweep:
  N: {values: [tau, 4 * tau], sets: {optimizers.ES.population: 2 * N + 2 * tau * M}}
  M: {from: tau, to: 3 * tau, count: 3}
"""


def load(text, tmp_path):
    path = tmp_path / "study.yaml"
    path.write_text(text)
    return load_study(path)


@pytest.fixture(scope="module")
def arms(tmp_path_factory):
    study = load(STUDY, tmp_path_factory.mktemp("formulas"))
    return {tuple(arm.coords.values()): arm for arm in study.arms}


EVERY = """\
name: more
replicates: 2
budget: 400
truth: h / 2
let: {h: 0.5}
checkpoints: {bowl: {count: 2 * dim}, default: [h, 2 * h]}
landscapes:
  bowl: {kind: quadratic, dim: 6}
  other: {kind: quadratic, dim: 4}
optimizers:
  GD: {kind: sgd}
ledger: {moments: [h / dim, h, 2 * h], redraws: 2 * dim, modes: dim - 1, points: redraws / 2}
pictures: {worlds: 1 / h, frames: 3 * dim, points: 4 * h, grid: dim + 1}
"""


def test_so_may_checkpoints_truth_the_ledger_and_pictures(tmp_path):
    scalars = {arm.coords["landscape"]: arm.scalars for arm in load(EVERY, tmp_path).arms}
    bowl, other = scalars["bowl"], scalars["other"]
    assert bowl["checkpoints"] == {"count": 12, "spacing": "log", "clock": None}
    assert other["checkpoints"] == [0.5, 1.0]
    assert (bowl["truth"], other["truth"]) == (0.25, 0.25)
    assert bowl["ledger"]["moments"] == [0.5 / 6, 0.5, 1.0]
    assert {key: bowl["ledger"][key] for key in ("redraws", "modes", "points")} == {
        "redraws": 12,
        "modes": 5,
        "points": 6,
    }
    assert (other["ledger"]["redraws"], other["ledger"]["points"]) == (8, 4)
    assert bowl["pictures"] == {"worlds": 2, "frames": 18, "points": 2, "grid": 7}
    assert other["pictures"]["frames"] == 12


WHOLE = """\
name: whole
replicates: 4 * pairs
budget: 400
let: {pairs: 3, fastest: 2 / (1 + 1 / kappa), kappa: 4}
landscapes:
  bowl: {kind: quadratic, dim: 2, condition: kappa, terms: 8}
optimizers:
  GD: {kind: sgd}
  GA: {kind: ga, population: 4}
noise: {batch: 4}
tuning:
  trials: 2 * pairs
  worlds: pairs
  at: 1 / 2
  ranges:
    GD: {learning_rate: [fastest / 100, fastest], momentum: {low: 0.0, high: 1 - 1 / kappa}}
    GA: {crossover: [none, uniform]}
"""


def test_numbers_of_the_whole_study_take_formulas_of_let(tmp_path):
    study = load(WHOLE, tmp_path)
    assert study.replicates == 12
    assert (study.tuning.trials, study.tuning.worlds, study.tuning.at) == (6, 3, 0.5)
    rates, momentum = (study.tuning.ranges["GD"][name] for name in ("learning_rate", "momentum"))
    assert (rates["low"], rates["high"]) == (0.016, 1.6)
    assert (momentum["low"], momentum["high"]) == (0.0, 0.75)
    assert study.tuning.ranges["GA"]["crossover"]["choices"] == ["none", "uniform"]
    assert load_study(study.resolved).resolved == study.resolved
    vary = (
        "match: {reference: GD, at: 1 / kappa, vary: {GA: {mutation_sigma: [fastest / 16, fastest]}}}"
    )
    matched = load(WHOLE[: WHOLE.index("tuning:")] + vary, tmp_path).match
    assert (matched.at, matched.vary["GA"]["mutation_sigma"]) == (0.25, [0.1, 1.6])


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("4 * pairs", "4 * piars", "2:13: replicates: unknown name 'piars'; did you mean 'pairs'?"),
        ("4 * pairs", "pairs / 2", "2:13: replicates: expected a whole number, got 1.5"),
        (
            "2 * pairs",
            "2 * dim",
            "tuning.trials: unknown name 'dim'; known: pairs, fastest, kappa",
        ),
        ("1 / 2", "4 / 2", "tuning.at: expected <= 1, got 2"),
        (
            "fastest / 100",
            "fastest * 100",
            "tuning.ranges.GD.learning_rate: expected a range [low, high] with",
        ),
    ],
)
def test_wrong_ones_of_the_whole_study_are_one_line(tmp_path, old, new, line):
    with pytest.raises(StudyError) as caught:
        load(WHOLE.replace(old, new), tmp_path)
    (told,) = caught.value.lines
    assert line in told


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("2 * dim, modes", "dim / 2, modes", "ledger.redraws: expected >= 4, got 3, from the formula"),
        ("dim - 1", "dmi - 1", "ledger.modes: unknown name 'dmi'; did you mean 'dim'?"),
        (
            "[h / dim, h",
            "[2 * h, h",
            "ledger.moments: expected a number of moments, 1 to 100000, or a list of",
        ),
        ("truth: h / 2", "truth: h * 4", "truth: expected <= 1, got 2, from the formula 'h * 4'"),
        ("frames: 3 * dim", "frames: 3 / dim", "pictures.frames: expected a whole number, got 0.5"),
    ],
)
def test_wrong_ones_are_told_at_their_place(tmp_path, old, new, line):
    with pytest.raises(StudyError) as caught:
        load(EVERY.replace(old, new), tmp_path)
    assert any(line in told for told in caught.value.lines), caught.value.lines


def test_an_axis_runs_through_the_values_of_let(arms):
    assert {place[2:] for place in arms} == {(N, M) for N in (1, 4) for M in (1, 2, 3)}


def test_what_an_axis_sets_may_use_let_and_the_other_axes(arms):
    found = {(N, M): arms["bowl", "ES sigma=1 / dim", N, M] for N in (1, 4) for M in (2,)}
    assert {place: arm.optimizer["population"] for place, arm in found.items()} == {
        (1, 2): 6,
        (4, 2): 12,
    }


def test_noise_and_oracle(arms):
    bowl, other = arms["bowl", "GD", 4, 1], arms["other", "GD", 4, 1]
    assert (bowl.noise["batch"], other.noise["batch"]) == (4, 2)
    assert bowl.noise["evaluation"] == {"value": 0.1 / 4, "gradient": 0.0}
    assert other.noise["evaluation"] == {"value": 0.5, "gradient": 0.125}
    assert bowl.oracle == {"micro_batches": 2, "chunks": 4}
    assert other.oracle == {"micro_batches": 1, "chunks": 4}


def test_budgets_targets_prices_and_instances(arms):
    bowl, other = arms["bowl", "GD", 1, 1].scalars, arms["other", "GD", 1, 1].scalars
    assert (bowl["budget"], other["budget"]) == (600, 150)
    assert (bowl["targets"], other["targets"]) == ([1 / 6, 0.05], [0.5, 0.25])
    assert bowl["gradient_cost"] == {"value": 2, "low": 0.5, "high": 4}
    assert [arms["bowl", "GD", N, 1].scalars["instances"] for N in (1, 4)] == [3, 12]


def test_inside_of_schedules_landscapes_and_grids(arms):
    bowl, other = arms["bowl", "GD", 1, 1], arms["other", "GD", 1, 1]
    assert (bowl.optimizer["schedule"]["steps"], other.optimizer["schedule"]["steps"]) == (10, 15)
    assert bowl.optimizer["schedule"]["factor"] == 0.5 / 6 / 2
    assert other.landscape["inner"]["condition"] == 2
    assert arms["other", "ES sigma=2 / dim", 1, 1].optimizer["sigma"] == 0.5
    assert [arms["bowl", "GD", N, 1].landscape["condition"] for N in (1, 4)] == [10, 40]


def test_the_study_is_kept_as_it_was_written(arms, tmp_path):
    study = load(STUDY, tmp_path)
    assert load_study(study.resolved).arms == study.arms
    assert study.resolved["noise"]["batch"] == {"other": "terms / 4", "default": 4}


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("100 * dim", "100 * dimm", "3:16: budget.bowl: unknown name 'dimm'; did you mean 'dim'?"),
        ("100 * dim", "dim - 6", "3:16: budget.bowl: expected a number of evaluations > 0, or one of {steps: ..}, {epochs: ..}, {virtual_time: ..}, {seconds: ..}, got 0, from the formula 'dim - 6'"),
        ("value: 4 * h", "value: 4 * dim", "4:24: gradient_cost.value: unknown name 'dim'; known: h, tau, N, M"),
        ("value: 4 * h", "value: 40 * h", "4:16: gradient_cost: expected a range [low, high] with low <= value = 20 <= high"),
        ("[1 / dim, 0.05]", "[1 / (dim - 6), 0.05]", "5:18: targets.bowl[0]: '1 / (dim - 6)' has no value: division by zero"),
        ("other: terms / 4", "other: terms / 3", "12:18: noise.batch.other: expected a number of terms 1, 2, ..,"),
        ("value: h,", "value: -h,", "13:50: noise.evaluation.other.value: expected >= 0, got -0.5, from the formula '-h'"),
        ("chunks: N", "chunks: N / 3", "14:44: oracle.chunks: expected a whole number, got 0.333333333333333"),
        ("steps: 60 / dim", "steps: 60 / dims", "16:73: optimizers.GD.schedule.steps: unknown name 'dims'; did you mean 'dim'?"),
        ("factor: learning_rate / 2", "factor: 4 * factor", "optimizers.GD.schedule.factor: unknown name 'factor'"),
        ("1 / dim, 2 / dim", "1 / dim, -2 / dim", "17:49: optimizers.ES.grid.sigma[1]: expected > 0, got -0.333333333333333"),
        ("condition: 1 + tau", "condition: tau - 2", "10:69: landscapes.other.inner.condition: expected >= 1, got -1, from the formula 'tau - 2'"),
        ("tau, 4 * tau]", "tau, 0 / (tau - 1)]", "19:21: sweep.N.values[1]: '0 / (tau - 1)' has no value: division by zero"),
        ("2 * N + 2 * tau * M", "2 * N + 2 * tau * m", "19:64: sweep.N.sets.optimizers.ES.population: unknown name 'm'; did you mean 'M'?"),
        ("to: 3 * tau", "to: 3 * tua", "20:22: sweep.M.to: expected a number or a formula of `let`, got '3 * tua'"),
        ("tau: 2 * h", "N: 2", "7:15: let.N: N is an axis of `sweep` too; take another name"),
        ("  M: {", "  pi: {", "20:3: sweep.pi: pi has a meaning in formulas; choose another name"),
        ("h / dim,", "min(h, 1 / dim),", '16:34: optimizers.GD.learning_rate: a text with a comma needs quotes inside of { } and [ ]: learning_rate: "min(h, 1 / dim)"'),
        ("h / dim,", "h[0],", "16:35: not YAML: expected ',' or '}', but got '['; inside of { } and [ ] a text with a bracket needs quotes"),
    ],
)  # fmt: skip
def test_a_wrong_formula_is_one_line_where_it_stands(tmp_path, old, new, line):
    with pytest.raises(StudyError) as caught:
        load(STUDY.replace(old, new), tmp_path)
    assert any(line in said for said in caught.value.lines), caught.value.lines


def test_what_was_cut_at_its_comma_is_not_missing_too(tmp_path):
    claim = "\nclaims:\n  cut: {kind: law, observe: quantile(loss, 0.5), predicted: 3}\n"
    with pytest.raises(StudyError) as caught:
        load(STUDY + claim, tmp_path)
    (line,) = caught.value.lines
    assert "claims.cut.observe: a text with a comma needs quotes" in line


def test_what_needs_an_axis_that_is_wrong_is_not_told_again(tmp_path):
    with pytest.raises(StudyError) as caught:
        load(STUDY.replace("to: 3 * tau", "to: many"), tmp_path)
    assert len(caught.value.lines) == 1


@pytest.fixture(scope="module")
def validator():
    jsonschema = pytest.importorskip("jsonschema")
    return jsonschema.Draft202012Validator(json.loads(json.dumps(json_schema())))


def test_the_schema_allows_formulas_where_they_are_allowed(validator):
    for text in (STUDY, EVERY, WHOLE):
        assert not [error.message for error in validator.iter_errors(document.read("", text).data)]
    wrong = STUDY.replace("learning_rate: h / dim", "learning_rat: h / dim")
    assert not validator.is_valid(document.read("", wrong).data)
    assert not validator.is_valid(document.read("", STUDY.replace("replicates: 2", "seed: 2 * h")).data)


def test_the_schema_allows_the_ready_studies(validator):
    studies = {name: document.read("", path.read_text()).data for name, path in ready_studies().items()}
    wrong = {name: [e.message for e in validator.iter_errors(data)] for name, data in studies.items()}
    assert wrong == {name: [] for name in studies}
    assert [data["name"] for data in studies.values()] == [*studies]


METRIC = {
    "name": "metric",
    "budget": 50,
    "let": {"h": 3},
    "landscapes": {"bowl": {"kind": "quadratic", "dim": 2}},
}


def by_metric(matrix):
    """A study of natural gradient descent by this matrix."""
    return METRIC | {"optimizers": {"N": {"kind": "natural_sgd", "metric": "given", "matrix": matrix}}}


@pytest.mark.parametrize(
    ("matrix", "numbers"),
    [
        (["h", 2], [3.0, 2.0]),
        ([["h", 0], [0, "2 * h"]], [[3.0, 0.0], [0.0, 6.0]]),
    ],
)
def test_a_metric_has_formulas(matrix, numbers):
    (arm,) = load_study(by_metric(matrix)).arms
    assert arm.optimizer["matrix"] == numbers


@pytest.mark.parametrize(
    ("matrix", "line"),
    [
        ("h", "N.matrix: expected a list, got 'h'"),
        (["k", 1], "N.matrix[0]: expected a number, got 'k'"),
        ([[1, 2], 3], "N.matrix[0]: expected a number, got a list"),
        ([[1, 0], [0, True]], "N.matrix[1][1]: expected a number, got true"),
    ],
)
def test_a_wrong_metric_is_one_line(matrix, line):
    with pytest.raises(StudyError) as error:
        load_study(by_metric(matrix))
    (said,) = error.value.lines
    assert said.endswith(line)
