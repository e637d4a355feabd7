"""Names of `let` that a nearer number hides: in formulas of entries, in claims and in figures."""

import pytest

from studies.study_file.loading import load_study
from studies.study_file.study import StudyError

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
