"""Names of `let`: those that a nearer number hides, and formulas of them for the whole study."""

import pytest

from studies.study_file.loading import load_study
from studies.study_file.study import StudyError
from tests.support.each import each

STUDY = """name: hidden
budget: 50
let: {sigma: 0.2, condition: 7, batch: 4, own: 2 * sigma}
noise: {batch: batch}
landscapes:
  bowl: {kind: quadratic, dim: 2, terms: 16, condition: condition}
optimizers:
  ES: {kind: openai_es, sigma: sigma, learning_rate: own, population: 8}
  GA: {kind: ga, mutation_sigma: sigma}
claims:
  c: {kind: law, optimizer: ES, observe: mean(loss), predicted: sigma * condition * let.sigma / let.batch}
figures: [{curve: {x: cost, y: loss / batch}}]
"""
WRITE = "there, which hides the {} of `let`; write let.{}, or give that another name"
OTHER_SIGMA = "sigma is 0.5 " + WRITE.format(0.2, "sigma")


def load(tmp_path, text):
    path = tmp_path / "study.yaml"
    path.write_text(text)
    return load_study(path)


def replaced(old, new):
    """The study with another line."""
    assert STUDY.count(old) == 1
    return STUDY.replace(old, new)


def test_a_name_of_let_may_be_that_of_the_number_that_it_gives(tmp_path):
    study = load(tmp_path, STUDY)
    es, ga = (arm.optimizer for arm in study.arms)
    assert (es["sigma"], es["learning_rate"], ga["mutation_sigma"]) == (0.2, 0.4, 0.2)
    assert [arm.landscape["condition"] for arm in study.arms] == [7, 7]
    assert load_study(study.resolved).resolved == study.resolved


def test_let_says_which_is_meant(tmp_path):
    alone = replaced("sigma: sigma, learning_rate: own", "sigma: 0.5, learning_rate: 10 * let.sigma")
    es, _ = (
        arm.optimizer
        for arm in load(tmp_path, alone.replace("sigma * cond", "optimizer.sigma * cond")).arms
    )
    assert es["learning_rate"] == 2


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (
            "sigma: sigma, learning_rate: own",
            "sigma: 0.5, learning_rate: 2 * sigma",
            "8:52: optimizers.ES.learning_rate: " + OTHER_SIGMA,
        ),
        (
            "sigma: sigma, learning_rate: own",
            "sigma: 0.5, learning_rate: own",
            "8:52: optimizers.ES.learning_rate: " + OTHER_SIGMA,
        ),
        (
            "mutation_sigma: sigma",
            "population: 20 * batch}\nsweep: {noise.batch: [4, 8]",
            "9:30: optimizers.GA.population: batch is 8 " + WRITE.format(4, "batch"),
        ),
        (
            "condition: condition",
            "condition: 9, noise_scale: 0.1 / condition",
            "6:73: landscapes.bowl.noise_scale: condition is 9 " + WRITE.format(7, "condition"),
        ),
        (
            "sigma: sigma, learning_rate: own",
            "sigma: 0.5",
            "11:65: claims.c.predicted: " + OTHER_SIGMA,
        ),
        (
            "observe: mean(loss)",
            "observe: mean(loss) / population",
            "11:42: claims.c.observe: population is 8 " + WRITE.format(3, "population"),
        ),
        (
            "noise: {batch: batch}",
            "noise: {batch: 8}",
            "12:32: figures[0].curve.y: batch is 8 " + WRITE.format(4, "batch"),
        ),
    ],
)
def test_a_name_of_let_that_a_nearer_number_hides_is_one_line(tmp_path, old, new, line):
    text = replaced(old, new)
    if "population" in line and "observe" in line:
        text = text.replace("own: 2", "population: 3, own: 2")
    with pytest.raises(StudyError) as error:
        load(tmp_path, text)
    assert [said.partition("study.yaml:")[2] for said in error.value.lines] == [line]


# what is recorded -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("loss", ""),
        ("steps", ""),
        ("diverged", ""),
        ("theta", "record: {theta: 'center[0]'}"),
        ("heterozygosity", "record: [heterozygosity]"),
        ("step_variance", "ledger: {}"),
        ("timing_memory", "timing: {}"),
        ("unfit_steps", ""),
    ],
)
def test_a_name_of_let_that_is_recorded_too_is_one_line(tmp_path, name, more):
    text = replaced("own: 2 * sigma", f"own: 2 * sigma, {name}: 3")
    text = text.replace("kind: ga", "kind: ga, selection: proportional")
    if name == "heterozygosity":
        text = text.replace("quadratic, dim: 2, terms: 16, condition: condition", "onemax, n: 4")
    with pytest.raises(StudyError) as error:
        load(tmp_path, f"{text}{more}\n")
    (line,) = (line.partition("study.yaml:")[2] for line in error.value.lines if f"let.{name}" in line)
    assert line == (
        f"3:{STUDY.splitlines()[2].index('}') + 3}: let.{name}: {name} is recorded in every world of this"
        " study; take another name"
    )


@pytest.mark.parametrize("name", ["theta", "heterozygosity", "step_variance", "timing_memory"])
def test_a_name_that_this_study_does_not_record_is_free(tmp_path, name):
    assert load(tmp_path, replaced("own: 2 * sigma", f"own: 2 * sigma, {name}: 3")).arms


CLAIM = "claims: {{c: {{kind: law, optimizer: ES, observe: '{}', predicted: 0.1}}}}"
FIGURE = "figures: [{{density: {{of: theta, against: '{}'}}}}]"


@each(
    "asked",
    [
        CLAIM.format("distance(theta, exp(-x**2))"),
        CLAIM.format("1 - distance_floor(theta, exp(-x))"),
        FIGURE.format("exp(-x**2)"),
    ],
)
@each("axis", [False, True])
def test_a_name_that_is_a_worlds_value_in_a_density_is_one_line(tmp_path, asked, axis):
    (line,) = with_x(tmp_path, asked, axis=axis)
    assert line.endswith(
        f"{'sweep' if axis else 'let'}.x: x is a world's value in a density, which this study has; take another"
        " name"
    )


@each(
    "asked",
    [
        CLAIM.format("distance(theta, exp(-theta**2)) / x"),
        CLAIM.format("mean(theta) * x"),
        FIGURE.format("exp(-theta)"),
    ],
)
def test_it_is_free_elsewhere(tmp_path, asked):
    assert not with_x(tmp_path, asked)


def with_x(folder, asked, *, axis=False):
    """What is wrong with a study that asks this, and has an x of its own."""
    own = "sweep: {x: {values: [1, 2], sets: noise.batch}}" if axis else "let: {x: 2}"
    text = f"""name: bound
budget: 30
noise: {{batch: 1}}
landscapes: {{bowl: {{kind: quadratic, dim: 2, terms: 4}}}}
optimizers: {{ES: {{kind: openai_es, population: 4}}}}
record: {{theta: 'center[0]'}}
{own}
{asked}
"""
    try:
        load(folder, text)
    except StudyError as error:
        return error.lines
    return []


# numbers of the whole study ---------------------------------------------------------------------------------

LAW = {"kind": "law", "optimizer": "SGD", "observe": "loss", "predicted": 1}
EQUAL = {"kind": "equality", "first": "SGD", "second": "ES"}
ORDER = {"kind": "ordering", "better": "SGD", "worse": "ES"}
WHOLE = {
    "name": "whole",
    "budget": 50,
    "let": {"h": 0.5, "n": 2},
    "landscapes": {"bowl": {"kind": "quadratic", "dim": 2, "terms": 16}},
    "optimizers": {"SGD": {"kind": "sgd"}, "ES": {"kind": "openai_es"}},
    "sweep": {"noise.batch": [1, 4]},
}
ONE = "; it is one number for the whole study, of names of `let` alone"


def claim(**given):
    return {"claims": {"c": given}}


@each(
    ("written", "read"),
    [
        ({"precision": "h / 1000"}, {"precision": 0.0005}),
        ({"precision": {"bowl": "h / 1000"}}, {"precision": {"bowl": 0.0005}}),
        ({"cluster": {"workers": "2 * n"}}, {"cluster": {"workers": 4}}),
        (claim(**LAW, tolerance="h / 10"), claim(**LAW, tolerance=0.05)),
        (claim(**LAW, tolerance={"absolute": "h"}), claim(**LAW, tolerance={"absolute": 0.5})),
        (claim(**LAW, regime={"batch": ["h", "2 * n"]}), claim(**LAW, regime={"batch": [0.5, 4]})),
        (claim(**LAW, at={"batch": "2 * n"}), claim(**LAW, at={"batch": 4})),
        (
            claim(**LAW, control=[9, "dim * h", {"batch": "2 * n"}]),
            claim(**LAW, control=[9, "dim * h", {"batch": 4}]),
        ),
        (claim(**EQUAL, margin="h", control="2 * h + 1"), claim(**EQUAL, margin=0.5, control=2)),
        (claim(**ORDER, cost="5 * n"), claim(**ORDER, cost=10)),
    ],
)
def test_numbers_of_the_whole_study_are_formulas_of_let(written, read):
    assert load_study(WHOLE | written).resolved == load_study(WHOLE | read).resolved


@each(
    ("written", "line"),
    [
        (
            {"seed": "2 * n"},
            "seed: expected a whole number, and no formula, as every draw follows from it, got '2 * n'",
        ),
        ({"precision": "2 * h"}, "precision: expected < 1, got 1"),
        ({"precision": "k / 10"}, f"precision: unknown name 'k'; known: h, n{ONE}"),
        ({"cluster": {"workers": "h"}}, "cluster.workers: expected a whole number, got 0.5"),
        (
            claim(**LAW, tolerance="learning_rate / 10"),
            f"claims.c.tolerance: unknown name 'learning_rate'; known: h, n{ONE}",
        ),
        (
            claim(**LAW, tolerance="learning_rate"),
            "claims.c.tolerance: expected a number, got 'learning_rate'",
        ),
        (claim(**EQUAL, margin="2 * k"), f"claims.c.margin: unknown name 'k'; known: h, n{ONE}"),
        (claim(**EQUAL, margin="dim"), "claims.c.margin: expected a number, got 'dim'"),
        (
            claim(**ORDER, cost="30 * n"),
            "claims.c.cost: expected at most the budget on bowl, 50 evaluations, got 60",
        ),
        (claim(**LAW, at={"batch": "n"}), "claims.c.at.batch: expected one of 1, 4, got 2"),
    ],
)
def test_what_is_no_number_of_the_whole_study_is_one_line(written, line):
    with pytest.raises(StudyError) as error:
        load_study(WHOLE | written)
    assert error.value.lines == [f"study: {line}"]


def test_labels_are_no_formulas():
    """A choice of an axis that reads as a formula."""
    shape = {
        "choices": {"a-b": {"landscapes.bowl.condition": 1}, "c": {"landscapes.bowl.condition": 9}}
    }
    study = WHOLE | {"sweep": {"shape": shape}} | claim(**LAW, at={"shape": "a-b"})
    assert load_study(study).resolved["claims"]["c"]["at"] == {"shape": "a-b"}
