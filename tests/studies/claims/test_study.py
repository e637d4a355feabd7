# ruff: noqa: E501  the lines that a user sees are not broken here
"""Claims in a study: their mistakes, their verdicts after a run, in the terminal, in claims.json and in the exit code."""

import io
import json
import math
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from scipy import stats

from studies import claims
from studies.claims import LawClaim, judge, once, report, verdicts
from studies.claims.__main__ import main as again
from studies.figures.law import law
from studies.run.__main__ import _falls_short, _tell_outcome
from studies.run.session import Outcome
from studies.study_file import document
from studies.study_file.loading import load_study
from studies.study_file.model import json_schema
from studies.study_file.old_claims import as_law
from studies.study_file.study import StudyError
from studies.text.schema import Status
from tests.support.claims import normal, results
from tests.support.runs import here

STUDY = {
    "name": "laws",
    "replicates": 24,
    "budget": 60,
    "targets": [0.1],
    "checkpoints": [0.25, 0.5, 0.75, 1.0],
    "landscapes": {
        "bowl": {"kind": "quadratic", "dim": 2, "condition": 1},
        "nk": {"kind": "gaussian_field", "dim": 2, "waves": 8},
    },
    "optimizers": {
        "GD": {"kind": "sgd", "learning_rate": 0.1},
        "ES": {"kind": "openai_es", "population": 10, "grid": {"sigma": [0.1, 0.2]}},
    },
    "sweep": {"optimizers.GD.learning_rate": [0.1, 0.2], "landscapes.nk.spectrum": ["rbf", "matern"]},
}
RATE = {
    "kind": "law",
    "optimizer": "GD",
    "landscape": "bowl",
    "observe": "log(loss(budget=0.25) / loss) / (steps - steps(budget=0.25))",
    "predicted": "-2 * log(1 - learning_rate)",
    "tolerance": 1e-6,
}
ORDER = {
    "kind": "ordering",
    "better": "GD",
    "worse": "ES sigma=0.2",
    "landscape": "bowl",
    "at": {"learning_rate": 0.2},
}
GOOD = {"rate": RATE, "order": ORDER}
LAW = {"observe": "mean(loss)", "predicted": 1.0, "control": 3.0}
FALLS = {
    "kind": "law",
    "optimizer": "GD",
    "landscape": "bowl",
    "along": "steps",
    "observe": "mean(loss) / mean(loss(start))",
    "predicted": "(1 - learning_rate)**(2 * steps)",
    "control": "(1 - learning_rate)**steps",
    "tolerance": 1e-9,
}


def study(**claims):
    return STUDY | {"claims": claims}


MISTAKES = [
    (
        {**RATE, "optimiser": "GD"},
        "claims.c.optimiser: unknown key for law; did you mean 'optimizer'?",
    ),
    (
        {**RATE, "kind": "laws"},
        "claims.c.kind: unknown kind 'laws'; did you mean 'law'?",
    ),
    ({"optimizer": "GD"}, "claims.c.kind: missing; name a kind, see python -m studies.list"),
    ({"kind": "ordering", "better": "GD"}, "claims.c.worse: missing; expected label of the other."),
    ({**RATE, "tolerance": -1}, "claims.c.tolerance: expected >= 0, got -1"),
    ({**RATE, "relation": "<"}, "claims.c.relation: expected '=', '<=' or '>=', got '<'"),
    (
        {**RATE, "optimizer": "ES sigma=0.3"},
        "claims.c.optimizer: unknown optimizer 'ES sigma=0.3'; did you mean 'ES sigma=0.2'?",
    ),
    (
        {**RATE, "landscape": "bowls"},
        "claims.c.landscape: unknown landscape 'bowls'; did you mean 'bowl'?",
    ),
    ({**ORDER, "worse": "ES"}, "claims.c.worse: unknown optimizer; did you mean 'ES sigma=0.1'?"),
    (
        {**ORDER, "worse": "GD"},
        "claims.c.worse: expected another optimizer than better, got 'GD' twice",
    ),
    (
        {**ORDER, "at": {"rate": 0.1}},
        "claims.c.at.rate: unknown axis; expected one of: learning_rate, spectrum",
    ),
    (
        {**ORDER, "at": {"learning_rate": 0.3}},
        "claims.c.at.learning_rate: expected one of 0.1, 0.2, got 0.3",
    ),
    (
        {**ORDER, "regime": {"learning_rate": [0.3, 0.4]}},
        "claims.c.regime.learning_rate: none of the axis is in it: 0.1, 0.2",
    ),
    (
        {**ORDER, "regime": {"learning_rate": [0.3]}},
        "claims.c.regime.learning_rate: expected a range [low, high] with low <= high",
    ),
    (
        {**ORDER, "regime": {"spectrum": [0, 1]}},
        "claims.c.regime.spectrum: expected an axis of numbers, got spectrum = rbf, ..",
    ),
    (
        {**ORDER, "cost": 61},
        "claims.c.cost: expected at most the budget on bowl, 60 evaluations, got 61",
    ),
    (
        {**RATE, "predicted": "1 - rate"},
        "claims.c.predicted: unknown name 'rate'; did you mean 'curvature'?",
    ),
    (
        {**RATE, "predicted": "tests.support.own_claims:unknowable"},
        "claims.c.predicted: tests.support.own_claims:unknowable: unknown argument 'nowhere'; known: ",
    ),
    (
        {**RATE, "predicted": 0.2, "control": 0.2},
        "claims.c.control: expected further from the predicted than the tolerance, 1e-06, got 0.2",
    ),
    (
        {**RATE, "along": "learning_rat"},
        "claims.c.along: unknown axis; did you mean 'learning_rate'?",
    ),
    (
        {**FALLS, "along": "step"},
        "claims.c.along: unknown axis; ",
    ),
    (
        {**RATE, "regime": {"steps": [1, 5]}},
        "claims.c.regime.steps: unknown axis or number; ",
    ),
    (
        {**RATE, "control": {"optimizer": "ES"}},
        "claims.c.control: unknown optimizer 'ES'; did you mean 'ES sigma=0.1'?",
    ),
    (
        {**RATE, "control": {"learning_rate": 0.3}},
        "claims.c.control: learning_rate: expected one of 0.1, 0.2, got 0.3",
    ),
    (
        {**RATE, "regime": {"curvatur": [0, 1]}},
        "claims.c.regime.curvatur: unknown axis or number; did you mean 'curvature'?",
    ),
    (
        {**RATE, "observe": "mean(los)"},
        "claims.c.observe: unknown quantity 'los'; did you mean 'loss'?",
    ),
    (
        {**RATE, "observe": "median(loss) - loss"},
        "claims.c.observe: 'median(loss) - loss': a number of each world beside one of all worlds; say mean(",
    ),
    (
        {**RATE, "predicted": "sqrt(mean(loss, since=0.5) / (1 + ert(0.1)))"},
        "claims.c.predicted: 'sqrt(mean(loss, since=0.5) / (1 + ert(0.1)))': a number of each world beside",
    ),
    (
        {**RATE, "observe": "meen(loss)"},
        "claims.c.observe: unknown function 'meen'; did you mean 'mean'?",
    ),
    (
        {**RATE, "observe": "mean(loss"},
        "claims.c.observe: expected a quantity, such as median(loss), got 'mean(loss'",
    ),
    (
        {**RATE, "predicted": "theory:gd_rat"},
        "claims.c.predicted: unknown law 'theory:gd_rat'; did you mean 'gd_rate'?",
    ),
    (
        {**RATE, "predicted": "mean(loss(start)) / los"},
        "claims.c.predicted: unknown quantity 'los'; did you mean 'loss'?",
    ),
    (
        {"kind": "variance_law", "optimizer": "GD", "predicted": "1 / dim", "quantity": "step_length"},
        (
            "claims.c.kind: 'variance_law' is a law now: {kind: law, optimizer: GD, observe:"
            " 'mean(step_length, since=0.5)', predicted: 1 / dim}"
        ),
    ),
    (
        {"kind": "scaling", "optimizer": "GD", "axis": "learning_rate", "predicted": 1},
        (
            "claims.c.kind: 'scaling' is a law now: {kind: law, optimizer: GD, observe: 'exponent(mean(loss,"
            " since=0.5), learning_rate)', predicted: 1, tolerance: {absolute: 0.05}}"
        ),
    ),
    (
        {
            "kind": "convergence_rate",
            "optimizer": "GD",
            "of": "distance",
            "predicted": "1 - learning_rate",
        },
        (
            "claims.c.kind: 'convergence_rate' is a law now: {kind: law, optimizer: GD, observe: rate(loss),"
            " predicted: '-2 * log(1 - learning_rate)'}"
        ),
    ),
    (
        {**ORDER, "by": "medain(hit(0.1))"},
        "claims.c.by: unknown function 'medain'; did you mean 'median'?",
    ),
    (
        {**ORDER, "by": "mean(los)"},
        "claims.c.by: unknown quantity 'los'; did you mean 'loss'?",
    ),
    (
        {**ORDER, "by": "mean(loss"},
        "claims.c.by: expected a quantity, such as median(loss), got 'mean(loss'",
    ),
    (
        {**ORDER, "by": "loss", "cost": 10},
        "claims.c.cost: expected none beside `by`; say it there: loss(cost=100)",
    ),
    (
        {"kind": "custom", "function": "tests.support.own_claims:none"},
        "claims.c.function: cannot import 'tests.support.own_claims:none'",
    ),
    (
        {"kind": "custom", "function": "tests.support.own_claims:at_most"},
        (
            "claims.c.parameters: tests.support.own_claims:at_most is called with the results and these"
            " parameters: missing a required argument: 'bound'"
        ),
    ),
    (
        {"kind": "equality", "first": "GD", "second": "ES sigma=0.1", "margin": 0.1, "control": 0.05},
        "claims.c.control: expected a difference larger than the margin, got 0.05",
    ),
]


def said_of(entry):
    """What is said of a claim that is wrong."""
    with pytest.raises(StudyError) as caught:
        load_study(study(c=entry))
    return caught.value.lines


def test_a_mistake_is_one_line():
    said = [(said_of(entry), f"study: {line}") for entry, line in MISTAKES]
    assert not [(got, line) for got, line in said if len(got) != 1 or not got[0].startswith(line)]


@pytest.mark.parametrize(
    "observe",
    [
        "mean(loss) - median(hit(0.1)) / learning_rate",
        "share(loss < loss(start)) * ert(0.1)",
        "-hit(0.1)",
    ],
)
def test_what_is_all_of_worlds_or_of_each_is_no_mixture(observe):
    assert load_study(study(c={**RATE, "observe": observe, "predicted": 1.0})).resolved["claims"]


def test_laws_and_figures_may_ask_who_diverged():
    law = {**RATE, "observe": "share(diverged)", "predicted": 0, "control": 1}
    curve = {"curve": {"x": "learning_rate", "y": "share(diverged)"}}
    assert load_study(study(c=law) | {"figures": [curve]}).resolved["claims"]["c"]["predicted"] == 0


RATES = [
    ({"per": "evaluation"}, "rate(loss, clock=cost)"),
    ({"since": 0.25}, "log(loss(budget=0.25) / loss) / (steps - steps(budget=0.25))"),
    ({"until": 0.5}, "log(loss(start) / loss(budget=0.5)) / steps(budget=0.5)"),
    ({"since": 0.0, "until": 1.0, "floor": 0.0}, "rate(loss)"),
    (
        {"floor": 1e-9, "since": 0.2},
        "log(loss(budget=0.2) / 1e-09) / (hit(1e-09, clock=steps) - steps(budget=0.2))",
    ),
    (
        {"since": 0.25, "until": 0.75, "per": "evaluation"},
        "log(loss(budget=0.25) / loss(budget=0.75)) / (0.75 * budget - 0.25 * budget)",
    ),
]


@pytest.mark.parametrize(("given", "observe"), RATES)
def test_the_window_of_an_old_rate_is_shown_in_the_new_form(given, observe):
    old = {"kind": "convergence_rate", "optimizer": "GD", "predicted": "1 - learning_rate", **given}
    law = document.value_of(as_law(old))
    assert law == {
        "kind": "law",
        "optimizer": "GD",
        "observe": observe,
        "predicted": "-1 * log(1 - learning_rate)",
    }
    load_study(study(c=law))


@pytest.mark.parametrize(("given", "observe"), RATES)
def test_the_new_form_of_an_old_rate_sees_that_rate(given, observe):
    """A loss that falls by a quarter at each of 100 steps of one evaluation: ln(4/3) a step."""
    steps = np.arange(1, 101)
    data = results(np.tile(0.75**steps, (3, 1))[None, None], draws=())
    data = data.assign(start_loss=data["loss"].isel(checkpoint=0, drop=True) / 0.75)
    data["value_terms"] = (data["value_terms"] * 0 + 4 * data["cost"]).astype(int)
    told = LawClaim(observe=observe, predicted=float(np.log(4 / 3)), tolerance=0.03).judge(data)[0]
    assert told.observed == pytest.approx(np.log(4 / 3), rel=0.03)


def test_all_mistakes_at_once():
    with pytest.raises(StudyError) as caught:
        load_study(study(a={**RATE, "optimizer": "DG"}, b={**ORDER, "cost": 100}, c=RATE))
    assert [line.split(":")[1] for line in caught.value.lines] == [
        " claims.a.optimizer",
        " claims.b.cost",
    ]


def test_a_good_study_is_resolved_and_has_a_schema():
    found = load_study(study(**GOOD))
    assert load_study(found.resolved).resolved == found.resolved
    assert found.resolved["claims"]["rate"]["relation"] == "="
    assert "claims" in json_schema()["properties"]


@pytest.fixture(scope="module")
def computed(tmp_path_factory):
    few = {
        "landscapes": {"bowl": STUDY["landscapes"]["bowl"]},
        "sweep": {"optimizers.GD.learning_rate": [0.1, 0.2]},
    }
    return here(study(**GOOD) | few, tmp_path_factory.mktemp("laws"))


def claiming(dataset, **claims):
    config = json.loads(dataset.attrs["config"])
    return dataset.assign_attrs(
        config=json.dumps(config | {"claims": load_study(study(**claims)).resolved["claims"]})
    )


def test_right_laws_hold_on_a_real_run(computed):
    found = judge(computed)
    assert verdicts(found) == {"rate": "holds", "order": "holds"}
    assert [(row.claim, row.where.get("learning_rate")) for row in found] == [
        ("rate", 0.1),
        ("rate", 0.2),
        ("order", 0.2),
    ]
    assert all(row.control_rejected for row in found)
    assert [row.observed for row in found[:2]] == pytest.approx(
        [-2 * math.log(0.9), -2 * math.log(0.8)], rel=1e-9
    )


def test_a_law_along_steps_is_judged_and_drawn_at_each_checkpoint(computed):
    data = claiming(
        computed, falls={**FALLS, "at": {"learning_rate": 0.2}, "regime": {"steps": [2, 60]}}
    )
    found = judge(data)
    steps = data["steps"].sel(optimizer="GD", learning_rate=0.2).isel(replicate=0).values.ravel()
    assert [row.where["steps"] for row in found] == steps.tolist()
    assert [row.observed for row in found] == pytest.approx((0.8 ** (2 * steps)).tolist(), rel=1e-9)
    assert {row.verdict for row in found} == {"holds"}
    assert len(found) >= 3
    upper, lower = law(data).axes
    drawn = {line.get_gid(): line for line in upper.lines}
    np.testing.assert_allclose(drawn["holds"].get_xdata(), steps)
    np.testing.assert_allclose(
        drawn["predicted"].get_ydata(), 0.8 ** (2 * drawn["predicted"].get_xdata())
    )
    assert lower.get_xlabel() == "steps"


def finish(dataset, out, *, strict):
    return _tell_outcome(
        Outcome("complete", [], dataset), out, Console(stderr=True, width=200), [], strict=strict
    )


def test_the_exit_code_says_whether_all_hold(computed, tmp_path, capsys):
    assert finish(computed, tmp_path, strict=True) == 0
    shown = capsys.readouterr()
    assert "holds" in shown.out
    assert "fails" not in shown.out
    wrong = claiming(computed, **GOOD, wrong={**RATE, "predicted": "-2 * log(1 - 2 * learning_rate)"})
    assert finish(wrong, tmp_path, strict=True) == 1
    shown = capsys.readouterr()
    assert "fails" in shown.out
    assert "strict: does not hold: wrong (fails)" in shown.err
    assert finish(wrong, tmp_path, strict=False) == 0
    told = json.loads((tmp_path / "claims.json").read_text())
    assert told["verdicts"] == {"rate": "holds", "order": "holds", "wrong": "fails"}
    assert told["judgements"][0]["observed"] == pytest.approx(-2 * math.log(0.9))


LOST = {"kind": "law", "observe": "share(diverged)", "predicted": 1.0, "optimizer": "GD"}
ELSEWHERE = {**LOST, "optimizer": None, "observe": 'share(diverged["GD", learning_rate=0.1])'}


@pytest.mark.parametrize(
    ("claim", "excused"),
    [
        (LOST, True),
        (LOST | {"at": {"learning_rate": 0.2}}, True),
        (LOST | {"at": {"learning_rate": 0.1}}, False),
        (LOST | {"observe": "share(diverged) - share(steps < 0)"}, True),
        (LOST | {"optimizer": None}, True),
        (LOST | {"optimizer": "ES sigma=0.1", "control": {"optimizer": "GD"}}, False),
        (LOST | {"observe": "share(steps < 0)", "predicted": 0.0}, False),
        (ELSEWHERE, False),
        (ELSEWHERE | {"observe": 'share(diverged["GD", learning_rate=0.2])'}, True),
    ],
)
def test_a_world_may_diverge_where_a_claim_asks_for_it(computed, claim, excused):
    """GD diverges at the second of its rates, 0.2."""
    rate = computed["learning_rate"]
    there = (computed["optimizer"] == "GD") & (rate == 0.2) & (computed["status"] < Status.ABSENT)
    lost = computed.assign(status=computed["status"].where(~there, int(Status.DIVERGED)))
    data = claiming(lost, lost=claim)
    assert _falls_short(data, [], Console(stderr=True)) is not excused
    gone = data["status"].where(~there | (rate < 0), int(Status.FAILED))
    assert _falls_short(data.assign(status=gone), [], Console(stderr=True))


def test_an_undecided_claim_is_not_held(computed, tmp_path, capsys):
    dull = claiming(computed, dull={**RATE, "control": "-2 * log(1 - learning_rate * 1.0000001)"})
    assert verdicts(judge(dull)) == {"dull": "undecided"}
    assert finish(dull, tmp_path, strict=True) == 1
    assert "dull (undecided)" in capsys.readouterr().err


def test_an_error_of_a_claim_loses_nothing(computed, tmp_path, capsys):
    data = claiming(
        computed, **GOOD, broken={"kind": "custom", "function": "tests.support.own_claims:broken"}
    )
    assert finish(data, tmp_path, strict=False) == 0
    assert "RuntimeError" in capsys.readouterr().out
    row = judge(data)[-1]
    assert (row.verdict, row.note) == ("undecided", "RuntimeError: out of luck")
    assert json.loads((tmp_path / "claims.json").read_text())["judgements"][-1]["observed"] is None


def test_without_claims_nothing_is_said(tmp_path, computed, capsys):
    assert finish(claiming(computed), tmp_path, strict=True) == 0
    assert "claims," not in capsys.readouterr().out
    assert not (tmp_path / "claims.json").exists()


def test_only_the_regime_counts():
    data = results(
        np.stack([np.full((5, 3), level) for level in (1.0, 9.0)])[None, None], axes={"batch": [1, 2]}
    )
    law = {
        "kind": "law",
        "optimizer": "SGD",
        "observe": "mean(loss, since=0.5)",
        "predicted": 1.0,
        "regime": {"batch": [0.0, 1.0]},
    }
    config = json.loads(data.attrs["config"])
    data.attrs["config"] = json.dumps(
        config | {"claims": {"inside": law, "nowhere": law | {"regime": {"batch": [3.0, 4.0]}}}}
    )
    found = judge(data)
    assert [(row.claim, row.in_regime, row.verdict) for row in found[:2]] == [
        ("inside", True, "holds"),
        ("inside", False, "fails"),
    ]
    assert verdicts(found) == {"inside": "holds", "nowhere": "undecided"}
    console = Console(width=200, file=io.StringIO())
    console.print(report.table(found, "made-up"))
    assert "(fails) outside the regime" in console.file.getvalue()
    assert f"({2 * stats.norm.cdf(3) - 1:.2%})" in console.file.getvalue()


def test_a_place_without_finished_worlds_is_undecided_and_the_others_are_judged():
    data = results(1 + 0.01 * normal(1, 1, 1, 2, 20, 3), axes={"batch": [1, 2]})
    data["status"].loc[{"batch": 2}] = 5
    law = {"kind": "law", "optimizer": "SGD", "observe": "mean(loss, since=0.5)", "predicted": 1.0}
    data.attrs["config"] = json.dumps(json.loads(data.attrs["config"]) | {"claims": {"law": law}})
    found = judge(data)
    assert [(row.verdict, row.where["batch"]) for row in found] == [("holds", 1), ("undecided", 2)]
    assert found[1].note == "no world has finished"


def test_judged_again_without_a_run(computed, tmp_path, capsys):
    folder = tmp_path / "laws"
    computed.to_zarr(folder / "dataset.zarr", zarr_format=3, consolidated=False)
    assert again([str(folder)]) == 0
    assert (folder / "claims.json").exists()
    other = tmp_path / "other.yaml"
    other.write_text(json.dumps(study(wrong={**RATE, "predicted": 0.5})))
    assert again([str(folder), "--claims", str(other)]) == 1
    assert again([str(tmp_path / "nowhere")]) == 2
    assert "expected a study's folder" in capsys.readouterr().err
    other.write_text(json.dumps(STUDY))
    assert again([str(folder), "--claims", str(other)]) == 2
    assert "expected a study with claims, this one has none" in capsys.readouterr().err


def test_within_once_these_results_are_judged_once_and_others_anew(monkeypatch):
    built = []
    monkeypatch.setattr(
        claims,
        "build",
        lambda entry: built.append(entry["kind"]) or LawClaim(**{**LAW, "predicted": 1}),
    )
    loss = np.full((1, 1, 12, 1), 1.0)
    data = results(loss, claims={"one": {"kind": "law"}})
    other = results(2 * loss, claims={"one": {"kind": "law"}})
    with once(data):
        first = judge(data)
        assert judge(data) == first
        assert len(built) == 1
        assert judge(other)[0].observed == 2  # not those that are held
        with once(other):
            assert judge(other)[0].observed == 2
        assert judge(data) == first
        assert len(built) == 3
    judge(data)
    assert len(built) == 4


def test_numbers_that_json_has_not():
    rows = judge(
        results(
            np.ones((3, 3)),
            claims={"x": {"kind": "custom", "function": "tests.support.own_claims:broken"}},
        )
    )
    rows = [rows[0]._replace(observed=math.inf, where={"batch": np.int64(3)})]
    told = report.as_data(rows)["judgements"][0]
    assert (told["observed"], told["predicted"], told["where"]) == ("inf", None, {"batch": 3})
    json.dumps(told, allow_nan=False)


@pytest.mark.verify
def test_the_ready_study_holds_and_its_wrong_laws_fail(tmp_path):
    data = here(Path("studies/configs/claims.yaml"), tmp_path)
    found = judge(data)
    assert set(verdicts(found).values()) == {"holds"}
    assert len(verdicts(found)) == 7
    assert all(row.control_rejected for row in found if row.in_regime)
    assert {row.verdict for row in found if not row.in_regime} == {"fails"}
    config = json.loads(data.attrs["config"])
    for entry in config["claims"].values():  # each wrong law stated as the law
        if entry["kind"] == "ordering":
            entry["better"], entry["worse"] = entry["worse"], entry["better"]
        elif entry["kind"] != "equality" and entry["control"] is not None:
            entry["predicted"], entry["control"] = entry["control"], entry["predicted"]
    wrong = judge(data.assign_attrs(config=json.dumps(config)))
    assert [name for name, verdict in verdicts(wrong).items() if verdict == "holds"] == [
        "stationary loss, small steps",
        "momentum does not average noise",
    ]
