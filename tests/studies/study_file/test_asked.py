"""Quantities of a study that is read: claims and figures take the same words, all that results will have."""

import pytest

from studies.study_file.loading import load_study
from studies.study_file.study import StudyError
from tests.support.each import each

STUDY = {
    "name": "asked",
    "budget": 50,
    "landscapes": {"bowl": {"kind": "quadratic", "dim": 2, "terms": 16}},
    "optimizers": {"SGD": {"kind": "sgd", "learning_rate": 0.02}},
    "sweep": {"noise.batch": [1, 4]},
    "record": {"theta": "center[0]"},
}
LEDGER = {"ledger": {"moments": [0.5], "against": {"noise.batch": 4}}}


def of_claim(text):
    """A study with a claim that observes it."""
    law = {"kind": "law", "optimizer": "SGD", "observe": text, "predicted": 1}
    return STUDY | {"claims": {"c": law}}


def of_ordering(text):
    """A study with an ordering by it."""
    two = STUDY["optimizers"] | {"ES": {"kind": "openai_es"}}
    claim = {"kind": "ordering", "better": "SGD", "worse": "ES", "by": text}
    return STUDY | {"optimizers": two, "claims": {"c": claim}}


def of_prediction(text):
    """A study with a law that predicts it."""
    law = {"kind": "law", "optimizer": "SGD", "observe": "loss", "predicted": text}
    return STUDY | {"claims": {"c": law}}


def of_density(text):
    """A study with the density of it."""
    return STUDY | {"figures": [{"density": {"of": text}}]}


def of_figure(text):
    """A study with a figure that shows it."""
    return STUDY | {"figures": [{"curve": {"x": "batch", "y": text}}]}


@each("study", [of_claim, of_figure])
@each(
    "text",
    [
        "distance(theta, exp(-x**2 / (2 * learning_rate)))",
        "distance(theta - 1, exp(-x**2), bins=8) - distance_floor(theta - 1, exp(-x**2))",
        'loss["SGD", "bowl"](start) / optimizer.learning_rate',
        "share(theta < 0) + pi * mean(loss(cost=20))",
    ],
)
def test_what_results_will_have_is_read(study, text):
    assert load_study(study(text)).replicates > 0


@each("study", [of_claim, of_figure])
@each(
    "text",
    [
        "ledger.gain[raw]",
        "ledger.gain[raw](moment=0.5)",
        "ledger.bias[raw, scale=learning_rate]",
        "ledger.error",
        "mean(ledger.step_variance) / ledger.share[data]",
        "step_variance",
        "heterozygosity",
    ],
)
def test_what_the_ledger_says_is_read_where_one_is_kept(study, text):
    assert load_study(study(text) | LEDGER).resolved["ledger"]["moments"] == [0.5]


@each("study", [of_claim, of_figure])
@each(
    ("text", "line"),
    [
        ("distance(theta, exp(-y**2))", "unknown quantity 'y'; "),
        ("x + theta", "unknown quantity 'x'; "),
        ("loss / hit", "unknown quantity 'hit'; expected hit(0.1, clock=steps)"),
        ('1 / ert["SGD"]', "unknown quantity 'ert'; expected ert(0.1)"),
        ("ledger.gian[raw]", "unknown quantity 'ledger.gian'; did you mean 'gain'?"),
        ("ledger.gain[raw]", "ledger.gain: this study keeps no noise ledger (`ledger:`)"),
        (
            "loss / optimizer.lerning_rate",
            "unknown quantity 'optimizer.lerning_rate'; did you mean 'optimizer.learning_rate'?",
        ),
        ("meen(loss)", "unknown function 'meen'; did you mean 'mean'?"),
    ],
)
def test_what_they_will_not_have_is_one_line(study, text, line):
    with pytest.raises(StudyError) as error:
        load_study(study(text))
    (said,) = error.value.lines
    assert line in said


EVERYWHERE = [of_claim, of_prediction, of_ordering, of_figure, of_density]


@each("study", EVERYWHERE)
@each(
    ("text", "line"),
    [
        ('loss["SDG"]', "unknown optimizer 'SDG'; did you mean 'SGD'?"),
        ("loss(start)[SGD, bowel]", "unknown landscape 'bowel'; did you mean 'bowl'?"),
        ("loss[optimiser=SGD]", "unknown axis 'optimiser'; did you mean 'optimizer'?"),
        ("hit(0.1)[batch=3]", "expected one of 1, 4 for batch, got 3"),
        ("loss[batsh=4]", "unknown axis 'batsh'; did you mean 'batch'?"),
    ],
)
def test_labels_in_brackets_that_the_study_does_not_have_are_one_line(study, text, line):
    with pytest.raises(StudyError) as error:
        load_study(study(text))
    (said,) = error.value.lines
    assert line in said


@pytest.mark.parametrize("study", [of_claim, of_figure])
@pytest.mark.parametrize(
    "text", ["loss[SGD, batch=4]", "mean(loss[batch=2 + 2]) - ledger.bias[raw, batch=1]"]
)
def test_labels_that_it_has_are_read(study, text):
    assert load_study(study(text) | LEDGER).replicates > 0


def test_labels_are_looked_at_beside_an_instrument_of_the_users():
    """What an instrument records is not known when a study is read; labels are."""
    mine = {"record": {"mine": "tests.support.instruments:Radius"}}
    with pytest.raises(StudyError, match="unknown optimizer 'SDG'"):
        load_study(of_claim('loss["SDG"]') | mine)


@each("study", EVERYWHERE)
@each(
    ("text", "line"),
    [
        ("hit(0.1, clock=second)", "clock: unknown clock 'second'; did you mean 'seconds'?"),
        ("hit(0.1, clok=steps) + 1", "hit: unknown word 'clok'; did you mean 'clock'?"),
        ("ert(0.1, clock=stepz)", "clock: unknown clock 'stepz'; did you mean 'steps'?"),
        ("first(loss < 1, clock=3)", "first: expected a word for clock, as in clock=cost"),
        ("rate(loss, law=sublinaer)", "law: unknown law 'sublinaer'; did you mean 'sublinear'?"),
        ("hit(0.1, steps)", "hit: expected one argument, and others by name, as in clock=steps"),
        ("mean(loss, sinc=0.5)", "mean: unknown word 'sinc'; did you mean 'since'?"),
        ("median(loss, clock=steps)", "median: unknown word 'clock'; expected one of: since"),
        ("share(loss(stps=40) < 1)", "loss: unknown word 'stps'; did you mean 'steps'?"),
    ],
)
def test_keywords_that_a_word_does_not_have_are_one_line(study, text, line):
    with pytest.raises(StudyError) as error:
        load_study(study(text))
    (said,) = error.value.lines
    assert said.endswith(f": {line}")


@pytest.mark.parametrize("study", [of_claim, of_figure])
@pytest.mark.parametrize(
    "text", ['hit(0.1, clock="seconds")', "rate(loss, law=exponential, clock=cost) - loss(epochs=3)"]
)
def test_keywords_that_a_word_has_are_read(study, text):
    assert load_study(study(text)).replicates > 0
