"""Laws about arms of several landscapes, wrong laws elsewhere, and laws of extremes, on made-up results."""

import math

import numpy as np
import pytest
from scipy import stats

from studies.claims import LawClaim
from studies.claims.equality import Equality
from studies.claims.ordering import Ordering
from studies.study_file.loading import load_study
from studies.study_file.study import StudyError
from studies.text.schema import Status
from tests.support.claims import normal, results
from tests.support.each import each

ABSOLUTE = {"absolute": 0.1}


def judge(data, **given):
    return LawClaim(**given).judge(data)


def one(data, **given):
    (row,) = judge(data, **given)
    return row


def made(levels, optimizers, absent=(), worlds=200, **given):
    """Worlds around a level for each landscape and optimizer (and value of an axis); some arms never ran."""
    levels = np.array(levels, float)
    draws = 0.05 * normal(3, *levels.shape, worlds)
    data = results(np.repeat((levels[..., None] + draws)[..., None], 4, -1), optimizers, **given)
    status = data["status"].copy(deep=True)
    for arm in absent:
        status.loc[dict(zip(("landscape", "optimizer"), arm, strict=True))] = int(Status.ABSENT)
    return data.assign(status=status, loss=data["loss"].where(status < int(Status.FAILED)))


def final(data, landscape, optimizer):
    return data["loss"].sel(landscape=landscape, optimizer=optimizer).isel(checkpoint=-1).values


# arms of several landscapes ---------------------------------------------------------------------------------

APART = [("bowl", "SGD"), ("ridge", "ES")]
TWO = {"optimizers": ("ES", "SGD"), "landscapes": ("bowl", "ridge")}


def two(absent=(), **given):
    """ES is at 3 on the bowl, SGD at 2 on the ridge; the others are far away."""
    return made([[3.0, 40.0], [50.0, 2.0]], absent=absent, **TWO, **given)


@pytest.mark.parametrize(
    ("absent", "observe", "predicted", "seen"),
    [
        ((), 'mean(loss["ES", "bowl"])', 'mean(loss["SGD", "ridge"])', 3.0),
        (APART, 'mean(loss["ES", "bowl"]) - mean(loss["SGD", "ridge"])', 0.0, 1.0),
    ],
)
def test_a_law_whose_sides_are_of_different_pairs_is_judged_once(absent, observe, predicted, seen):
    """Of the same worlds: its error is that of their difference, whatever else ran."""
    data = two(absent)
    row = one(data, observe=observe, predicted=predicted, tolerance=ABSOLUTE, control=-1.0)
    assert row.verdict == "fails"
    difference = final(data, "bowl", "ES") - final(data, "ridge", "SGD")
    assert row.observed - row.predicted == pytest.approx(difference.mean())
    assert row.standard_error == pytest.approx(stats.sem(difference), rel=1e-6)
    assert row.observed == pytest.approx(seen, abs=0.02)
    assert row.where == {}
    right = one(data, observe=f"{observe} - 1", predicted=predicted, tolerance=ABSOLUTE, control=-2.0)
    assert right.verdict == "holds"


def test_it_waits_for_the_worlds_of_its_own_pairs_alone():
    observe = 'loss["ES", "bowl"] - loss["SGD", "ridge"]'
    data = two(APART)
    data["status"].loc[{"landscape": "ridge", "optimizer": "SGD"}] = int(Status.MISSING)
    row = one(data, observe=observe, predicted=1.0)
    assert (row.verdict, row.note) == ("undecided", "no world has finished")


def test_its_formulas_take_the_numbers_that_its_pairs_share():
    """The made-up arms have learning_rate 0.1 and dim 3."""
    observe = 'loss["ES", "bowl"] - loss["SGD", "ridge"]'
    row = one(two(APART), observe=observe, predicted="10 * learning_rate * dim / 3", control=2.0)
    assert (row.predicted, row.verdict) == (pytest.approx(1.0), "holds")


def test_one_landscape_that_all_numbers_name_is_the_place():
    row = one(two(), observe='loss["ES", "bowl"] / loss["SGD", "bowl"]', predicted=3 / 40)
    assert (row.where, row.verdict) == ({"landscape": "bowl"}, "holds")


def test_a_side_that_names_no_landscape_is_judged_at_each():
    """ES is at 3 on the bowl and at 50 on the ridge, where SGD is at 2."""
    rows = judge(
        two(), observe='loss["ES"]', predicted='1.5 * loss["SGD", "ridge"]', tolerance=ABSOLUTE
    )
    assert [row.where["landscape"] for row in rows] == ["bowl", "ridge"]
    assert [row.verdict for row in rows] == ["holds", "fails"]


def test_labels_are_read_and_not_looked_for_in_the_text():
    """SS never ran on the ridge; it is part of another label alone."""
    data = made(
        [[1.0, 2.0], [1.0, 2.0]], ("SSWM", "SS"), [("ridge", "SS")], landscapes=("bowl", "ridge")
    )
    rows = judge(data, observe='loss["SSWM"]', predicted=1.0)
    assert [row.where for row in rows] == [
        {"landscape": name, "optimizer": "SSWM"} for name in ("bowl", "ridge")
    ]


@pytest.mark.parametrize(
    ("optimizer", "absent"), [(None, ()), (["ES", "SGD"], [("bowl", "GA")]), (None, [("bowl", "GA")])]
)
def test_a_law_of_two_optimizers_may_be_wrong_at_a_value_of_an_axis(optimizer, absent):
    """At B = 1 they differ by 1, at 2 by 3; GA has no part in it."""
    data = made([[[3.0, 5.0], [2.0, 2.0], [9.0, 9.0]]], ("ES", "SGD", "GA"), absent, axes={"B": [1, 2]})
    law = {"optimizer": optimizer, "observe": 'loss["ES"] - loss["SGD"]', "tolerance": ABSOLUTE}
    row = one(data, **law, predicted=1.0, at={"B": 1}, control={"B": 2})
    assert (row.verdict, row.control_rejected) == ("holds", True)
    seen = np.mean([final(data, "bowl", "ES")[1] - final(data, "bowl", "SGD")[1]])
    assert row.note == f"at B=2 the law predicts 1, {seen:.4g} is seen"
    alike = made(
        [[[3.0, 3.0], [2.0, 2.0], [9.0, 9.0]]], ("ES", "SGD", "GA"), absent, axes={"B": [1, 2]}
    )
    assert one(alike, **law, predicted=1.0, at={"B": 1}, control={"B": 2}).verdict == "undecided"


def test_a_law_of_two_optimizers_may_be_wrong_on_a_landscape():
    data = made(
        [[3.0, 2.0, 9.0], [5.0, 2.0, 9.0]],
        ("ES", "SGD", "GA"),
        [("ridge", "GA")],
        landscapes=TWO["landscapes"],
    )
    law = {"observe": 'loss["ES"] - loss["SGD"]', "predicted": 1.0, "landscape": "bowl"}
    assert one(data, **law, control={"landscape": "ridge"}).verdict == "holds"


# extremes ---------------------------------------------------------------------------------------------------


def test_a_law_of_an_extreme_is_one_of_these_worlds():
    """The largest of 200 worlds is what it is: no error, and one more digit of it decides."""
    data = made([[2.0]], ("ES",))
    largest = float(data["loss"].max())
    law = {"observe": "max(loss)", "relation": "<=", "tolerance": {"absolute": 0.0}}
    row = one(data, **law, predicted=largest + 1e-9, control=2.0)
    assert (row.verdict, row.observed, row.standard_error) == ("holds", largest, 0.0)
    assert (row.observed_low, row.observed_high) == (largest, largest)
    assert row.note == "of these worlds alone"
    assert one(data, **law, predicted=largest - 1e-9, control=2.0).verdict == "fails"
    assert one(data, **law, predicted=largest + 1e-9, control=largest + 1.0).verdict == "undecided"


def test_extremes_of_a_difference_of_few_worlds_and_of_what_never_happened():
    data = made([[3.0, 2.0]], ("ES", "SGD"), worlds=2)
    difference = final(data, "bowl", "ES") - final(data, "bowl", "SGD")
    law = {"observe": 'min(loss["ES"] - loss["SGD"])', "tolerance": {"absolute": 1e-12}}
    assert one(data, **law, predicted=float(difference.min())).verdict == "holds"
    assert one(data, **law, predicted=float(difference.max())).verdict == "fails"
    some = data.copy(deep=True)
    some["loss"][..., 0, :] = np.inf
    never = {"predicted": math.inf, "tolerance": {"absolute": 0}, "optimizer": "ES"}
    assert one(some, observe="max(loss)", **never).verdict == "holds"
    assert one(some, observe="min(loss)", **never).verdict == "fails"


@each(
    "given",
    [
        {"observe": "max(loss)", "predicted": 2.0},
        {"observe": "max(loss)", "predicted": 2.0, "tolerance": {"relative": 0.1, "absolute": 0.1}},
        {"observe": "mean(loss)", "predicted": "max(loss) / 2"},
        {"observe": "mean(loss)", "predicted": 2.0, "control": ["3 * max(loss)"]},
        {"observe": "exponent(max(loss), B)", "predicted": 1.0},
    ],
)
def test_a_statistical_law_of_an_extreme_is_refused(given):
    line = r"law\.tolerance: expected an absolute one, \{absolute: \.\.\}, as max\(\.\.\) over worlds has no"
    with pytest.raises(ValueError, match=line):
        LawClaim(**given)
    LawClaim(**given | {"tolerance": {"absolute": 0.1}})


def test_extremes_over_checkpoints_and_of_two_numbers_are_of_each_world():
    assert LawClaim(observe="mean(max(loss, since=0.5))", predicted=2.0)
    assert LawClaim(observe="mean(max(loss, 0.5))", predicted=2.0)


def test_comparisons_of_extremes_are_refused():
    line = r"by: min\(\.\.\) over worlds has no standard error; compare median\(\.\.\) or quantile"
    with pytest.raises(ValueError, match=rf"ordering\.{line}"):
        Ordering(better="ES", worse="SGD", by="min(loss)")
    with pytest.raises(ValueError, match=rf"equality\.{line}"):
        Equality(first="ES", second="SGD", margin=0.1, by="min(loss)")


# when the study is read -------------------------------------------------------------------------------------

STUDY = {
    "name": "whose",
    "replicates": 2,
    "budget": 20,
    "landscapes": {
        "bowl": {"kind": "quadratic", "dim": 2, "terms": 8},
        "ridge": {"kind": "quadratic", "dim": 2, "terms": 8},
    },
    "optimizers": {
        "SGD": {"kind": "sgd", "only": ["ridge"]},
        "ES": {"kind": "openai_es", "population": 4, "only": ["bowl"]},
    },
    "sweep": {
        "B": {"values": [4, 8], "sets": "noise.batch"},
        "optimizers.SGD.learning_rate": [0.1, 0.2],
    },
}
APART_LAW = {"kind": "law", "observe": 'loss["ES", "bowl"]', "predicted": 'loss["SGD", "ridge"]'}


def read(**law):
    return load_study(STUDY | {"claims": {"c": APART_LAW | law}})


@each(
    ("law", "line"),
    [
        (
            {"observe": 'loss["ESS", "bowl"]'},
            "claims.c.observe: unknown optimizer 'ESS'; did you mean 'ES'?",
        ),
        (
            {"predicted": 'loss["SGD", "rigde"]'},
            "claims.c.predicted: unknown landscape 'rigde'; did you mean 'ridge'?",
        ),
        (
            {"predicted": 'loss["SGD", "bowl"]'},
            "claims.c.predicted: SGD does not run on bowl, but on ridge",
        ),
        (
            {"control": ['2 * loss["ES", "ridge"]']},
            "claims.c.control: ES does not run on ridge, but on bowl",
        ),
        (
            {"control": {"landscape": "ridge"}},
            "claims.c.control: expected another place for the law, but each of its numbers says its own"
            " landscape",
        ),
        (
            {"observe": "loss[B=4]", "predicted": 1.0, "control": {"B": 8}},
            "claims.c.control: expected another place for the law, but each of its numbers says its own B",
        ),
        (
            {"observe": "max(loss)"},
            "claims.c.tolerance: expected an absolute one, {absolute: ..}, as max(..) over worlds has no"
            " standard error and the law is one of these worlds alone; quantile(.., 0.9) and median(..)"
            " have one",
        ),
    ],
)
def test_laws_that_cannot_be_judged_are_one_line(law, line):
    with pytest.raises(StudyError) as error:
        read(**law)
    assert error.value.lines == [f"study: {line}"]


@each(
    "law",
    [
        {},
        {"control": {"B": 8}, "at": {"B": 4}},
        {"observe": "loss[B=4]", "predicted": "batch", "control": {"B": 8}},
        {"observe": "max(loss)", "tolerance": {"absolute": 1e-9}},
        {"observe": "loss", "predicted": 1.0, "control": {"learning_rate": 0.2}, "optimizer": "SGD"},
    ],
)
def test_laws_that_can_be_judged_are_read(law):
    assert [*read(**law).resolved["claims"]] == ["c"]
