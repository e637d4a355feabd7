"""Budgets on any clock: of a study, of a landscape, of an optimizer, in a sweep."""

import copy
from dataclasses import replace

import numpy as np
import pytest

from studies.cells.loop import run_cell
from studies.cells.task import blocks
from studies.results import cell_files
from studies.results.assembly import assemble
from studies.results.clocks import budget
from studies.results.hits import at_budget, hits, spent
from studies.run.calibration.pilots import Pilots
from studies.run.calibration.trials import Trials
from studies.study_file import remarks, spending
from studies.study_file.loading import load_study
from studies.study_file.plan import make_plan, manifest
from studies.study_file.study import StudyError
from tests.support.each import each

STUDY = {
    "name": "clocks",
    "budget": {"steps": 7},
    "replicates": 3,
    "checkpoints": [0.5, 1],
    "landscapes": {"bowl": {"kind": "quadratic", "dim": 3}},
    "optimizers": {
        "GD": {"kind": "sgd", "learning_rate": 0.1},
        "GA": {"kind": "ga", "population": 20, "budget": 100},
        "workers": {"kind": "async_sgd", "learning_rate": 0.01, "budget": {"virtual_time": 3}},
    },
}


def plan(**changes):
    return make_plan(load_study(copy.deepcopy(STUDY | changes)))


def tasks(**changes):
    return {str(arm.coords["optimizer"]): arm.task for arm in plan(**changes).arms}


def lines(**changes):
    with pytest.raises(StudyError) as caught:
        plan(**changes)
    return caught.value.lines


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """The results of the study, with a target."""
    planned, folder = plan(targets=[0.5]), tmp_path_factory.mktemp("cells")
    cells = planned.cells(())
    files = {cell.address: folder / f"{cell.address}.nc" for cell in cells}
    for cell in cells:
        cell_files.write(run_cell(cell), files[cell.address])
    plan_on_disk = manifest(planned, cells)
    return (
        assemble(plan_on_disk, files, set()).assign_attrs(plan_on_disk["attrs"]).sel(landscape="bowl")
    )


def test_an_optimizers_own_budget_wins():
    found = {name: (task.clock, task.budget) for name, task in tasks().items()}
    assert found == {"GD": ("steps", 7), "GA": ("cost", 100), "workers": ("virtual_time", 3)}


def test_a_number_is_cost_and_a_landscape_may_have_its_own():
    landscapes = {name: {"kind": "quadratic", "dim": 3} for name in ("a", "b")}
    budgets = {"a": {"epochs": 2}, "b": 30}
    own = plan(budget=budgets, landscapes=landscapes, optimizers={"GD": {"kind": "sgd"}})
    assert [(arm.task.clock, arm.task.budget) for arm in own.arms] == [("epochs", 2), ("cost", 30)]


def test_own_targets_and_checkpoints():
    own = {
        "GD": {"kind": "sgd", "targets": [1.0], "checkpoints": [0.25, 1]},
        "ES": {"kind": "openai_es"},
    }
    found = tasks(budget=40, targets=[2.0, 3.0], optimizers=own)
    assert (found["GD"].targets, found["GD"].checkpoints) == ([1.0], [10, 40])
    assert (found["ES"].targets, found["ES"].checkpoints) == ([2.0, 3.0], [20, 40])


def test_it_may_be_swept():
    axes = {"optimizers.GA.budget": [40, {"steps": 3}]}
    found = [arm.task for arm in plan(sweep=axes).arms if arm.label == "GA"]
    assert [(task.clock, task.budget) for task in found] == [("cost", 40), ("steps", 3)]


def test_the_study_as_it_was_read_gives_the_same_study():
    study = load_study(copy.deepcopy(STUDY))
    assert [arm.scalars for arm in load_study(study.resolved).arms] == [
        arm.scalars for arm in study.arms
    ]


def test_the_numbers_of_steps_are_known_before_they_run():
    """100 evaluations are 5 generations of 20; the random services of workers are not known."""
    counts = spending.steps(load_study(copy.deepcopy(STUDY)).arms)
    assert counts == {("bowl", "GD"): "7", ("bowl", "GA"): "5", ("bowl", "workers"): "?"}


def test_every_arm_ends_on_its_own_clock(data):
    ends = data.isel(checkpoint=-1)
    assert (ends["steps"].sel(optimizer="GD") == 7).all()
    assert (ends["steps"].sel(optimizer="GA") == 5).all()
    assert (ends["virtual_time"].sel(optimizer="workers") <= 3).all()
    assert data["budget_clock"].values.tolist() == [1, 0, 3]
    assert data["budget_time"].values.tolist() == [7, 100, 3]


def test_what_is_spent_on_each_clock(data):
    """A step of GD costs 3; what workers spend in a time differs between worlds."""
    steps = data["steps"].isel(checkpoint=-1).sel(optimizer="workers").values
    np.testing.assert_array_equal(
        spent(data).sel(optimizer=["GD", "GA", "workers"]), [[21] * 3, [100] * 3, 3 * steps]
    )
    np.testing.assert_array_equal(spent(data, "steps").sel(optimizer=["GD", "GA"]), [[7] * 3, [5] * 3])
    np.testing.assert_array_equal(budget(data), [21, 100, 3 * steps.max()])
    np.testing.assert_array_equal(budget(data, "steps"), [7, 5, steps.max()])


def test_a_checkpoint_of_steps_has_the_cost_that_no_state_exceeds(data):
    np.testing.assert_allclose(data["cost"].sel(optimizer="GD"), [10.5, 21])
    shown = (data["value_terms"] + 3 * data["gradient_terms"]) / data["terms"]
    assert (shown <= data["cost"]).all()


def test_every_arm_is_compared_at_the_end_of_its_own_budget(data):
    np.testing.assert_array_equal(at_budget(data)["steps"], data["steps"].isel(checkpoint=-1))


def test_a_clock_that_an_arm_lacks_gives_no_hit(data):
    found = hits(data, None, "hit_virtual_time")
    assert np.isnan(found.sel(optimizer=["GD", "GA"])).all()
    assert found.sel(optimizer="workers").notnull().all()
    seen = hits(data, [0.5], "hit_virtual_time")
    assert np.isnan(seen.sel(optimizer=["GD", "GA"])).all()


@each(
    ("changes", "expected"),
    [
        ({"budget": {"steps": 2.5}}, "expected a whole number of steps, got 2.5"),
        (
            {"budget": {"steps": 5, "epochs": 2}},
            "expected a number of evaluations > 0, or one of {steps: ..}",
        ),
        ({"budget": {"step": 5}}, "budget.step: unknown landscape or clock; did you mean 'steps'?"),
        ({"budget": {"ridge": 5}}, "expected one of: bowl, cost, epochs, seconds, steps, virtual_time"),
        ({"budget": {"virtual_time": 5}}, "optimizers.GD: budget: sgd has no virtual time; expected"),
        ({"optimizers": {"GD": {"kind": "sgd", "budget": {"stps": 3}}}}, "did you mean 'steps'?"),
    ],
)
def test_what_is_no_budget_is_told_in_a_line(changes, expected):
    assert any(expected in line for line in lines(**changes)), lines(**changes)


def test_a_budget_below_one_step_is_told():
    notes = plan(optimizers={"GD": {"kind": "sgd", "budget": {"epochs": 0.5}}}).notes
    assert any("the first step costs 1 epoch, more than the budget of 0.5" in note for note in notes)


def test_an_unknown_clock_is_one_line():
    assert lines(budget={"stpes": 5}) == [
        "study: budget.stpes: unknown landscape or clock; did you mean 'steps'?"
    ]


COSINE = {"kind": "sgd", "schedule": {"kind": "cosine"}}  # asks how many steps the budget buys
PLAIN = {"GD": {"kind": "sgd"}, "ES": {"kind": "openai_es"}}
UNKNOWN = "budget.secs: unknown landscape or clock; did you mean 'seconds'?"
TWO = {"bowl": {"kind": "quadratic", "dim": 3}, "ridge": {"kind": "quadratic", "dim": 2}}


@each("clock", ["steps", "seconds"])
@each("optimizers", [PLAIN, PLAIN | {"GD": COSINE}])
@each(
    ("changes", "expected"),
    [
        ({"budget": {"secs": 2}}, UNKNOWN),
        (
            {"budget": {"seconds": 0}},
            "budget: expected a finite number > 0 for seconds, got 0",
        ),
        (
            {"budget": {"bowl": {"steps": 9}}, "landscapes": TWO},
            "budget: no value for landscape 'ridge'; name it, or give a 'default'",
        ),
    ],
)
def test_a_budget_that_is_none_is_one_line_whatever_follows_from_it(
    changes, expected, optimizers, clock
):
    spaced = {"checkpoints": {"count": 10, "spacing": "linear", "clock": clock}}
    assert lines(optimizers=optimizers, **spaced, **changes) == [f"study: {expected}"]


def test_a_budget_that_is_set_to_none_is_one_line():
    study = STUDY | {"optimizers": PLAIN, "checkpoints": {"count": 10, "clock": "steps"}}
    with pytest.raises(StudyError) as caught:
        load_study(study, ["budget={secs: 2}"])
    assert caught.value.lines == [f"--set {UNKNOWN}"]


@each("clock", ["cost", "steps", "epochs", "virtual_time", "seconds"])
@each(("amount", "came"), [(0, "0"), (-1, "-1"), (np.inf, "inf"), (None, "null"), (True, "true")])
def test_an_amount_that_is_none_says_what_came(clock, amount, came):
    line = f"expected a finite number > 0 for {clock}, got {came}"
    assert lines(budget={clock: amount}) == [f"study: budget: {line}"]


@each(
    ("changes", "where"),
    [
        ({"budget": {"bowl": {"secs": 0.1}}}, "budget.bowl"),
        ({"optimizers": {"GD": {"kind": "sgd", "budget": {"secs": 2}}}}, "optimizers.GD.budget"),
    ],
)
def test_an_unknown_clock_is_not_expected(changes, where):
    assert lines(**changes) == [f"study: {where}: unknown clock 'secs'; did you mean 'seconds'?"]


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ("20 * dim", ("cost", 60)),
        ({"steps": "2 * dim"}, ("steps", 6)),
        ({"epochs": "B"}, ("epochs", 50)),
    ],
)
def test_an_optimizers_own_budget_may_be_a_formula(own, expected):
    """The bowl has 3 dimensions; what is addressed is the number, as if it had been written."""
    ((clock, amount),) = [expected]
    written, plain = (
        tasks(let={"B": 50}, optimizers={"GA": {"kind": "ga", "population": 20, "budget": given}})["GA"]
        for given in (own, {clock: amount})
    )
    assert (written.clock, written.budget) == expected
    assert written.canonical == plain.canonical


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ({"steps": "dim / 2"}, "expected a whole number of steps, got 1.5, from the formula 'dim / 2'"),
        ("dim - 3", "expected a number of evaluations > 0"),
        ("20 * dimm", "did you mean 'dim'?"),
    ],
)
def test_a_wrong_formula_of_an_own_budget_is_one_line(own, expected):
    told = lines(optimizers={"GA": {"kind": "ga", "population": 20, "budget": own}})
    assert len(told) == 1, told
    assert expected in told[0]


def evaluations():
    arms = load_study(copy.deepcopy(STUDY)).arms
    return {str(arm.coords["optimizer"]): spending.evaluations(arm) for arm in arms}


def test_evaluations_follow_from_the_steps_or_are_not_known():
    """A gradient costs 3: 7 steps of GD are 21; the steps of workers are random."""
    found = evaluations()
    assert (found["GD"], found["GA"]) == (21, 100)
    assert np.isnan(found["workers"])


def test_sums_of_evaluations_say_what_is_not_known():
    found = evaluations()
    assert spending.total([found["GD"], found["GA"]], "evaluations") == "121 evaluations"
    assert spending.total([found["workers"]], "evaluations") == "evaluations not known"
    assert spending.total(found.values(), "evaluations") == "121 evaluations and more"
    assert spending.total([]) == "0"


def test_a_dry_run_tells_what_tuning_spends(tmp_path):
    """4 trials in 8 worlds, half of 20 steps, a gradient of which costs 3: 4 * 8 * 10 * 3."""
    tuned = {
        "budget": {"steps": 20},
        "optimizers": {"GD": {"kind": "sgd", "learning_rate": 0.1}},
        "tuning": {"trials": 4, "worlds": 8, "at": 0.5, "ranges": {"GD": {"learning_rate": [0.01, 1]}}},
    }
    (line, *_) = Trials(load_study(copy.deepcopy(STUDY | tuned)), tmp_path).lines()
    assert "8 worlds of their own, 960 evaluations; 4 of 4 are missing" in line


def test_a_pilot_within_less_than_one_step_is_told():
    arms = load_study(copy.deepcopy(STUDY)).arms
    arm = next(arm for arm in arms if arm.coords["optimizer"] == "GD")
    (note,) = remarks.notes([replace(arm, scalars=arm.scalars | {"budget": 0.02})])
    assert "the first step costs 1 step, more than the budget of 0.02" in note


@pytest.mark.parametrize(("at", "steps"), [(0.37, 3), (0.5, 4), (0.01, 1), (1, 7)])
def test_trials_of_a_budget_of_steps_take_whole_ones(tmp_path, at, steps):
    """0.37 of 7 are 2.59: the nearest, one at least, and no step beyond."""
    tuned = {
        "optimizers": {"GD": {"kind": "sgd"}},
        "tuning": {"trials": 2, "at": at, "ranges": {"GD": {"learning_rate": [0.01, 0.1]}}},
    }
    task = Trials(load_study(copy.deepcopy(STUDY | tuned)), tmp_path).tasks[0]
    assert (task.clock, task.budget, task.checkpoints) == ("steps", steps, [steps])
    (cell, *_) = blocks(task, 3, ())
    assert run_cell(cell)["steps"].values.tolist() == [[steps]] * 3


@pytest.mark.parametrize(("at", "steps"), [(0, 1), (0.01, 1), (0.37, 3)])
def test_pilots_of_a_budget_of_steps_take_whole_ones(tmp_path, at, steps):
    """Also one at the start, whose noise is that of the first step."""
    matched = {
        "landscapes": {"bowl": {"kind": "quadratic", "dim": 3, "terms": 16, "noise_scale": 1.0}},
        "optimizers": {"GD": {"kind": "sgd"}, "ES": {"kind": "openai_es", "population": 4}},
        "noise": {"batch": 4},
        "match": {"reference": "GD", "at": at, "vary": {"ES": {"population": [4, 16]}}},
    }
    cells = next(Pilots(load_study(copy.deepcopy(STUDY | matched)), tmp_path).rounds())
    assert {cell.task.budget for cell in cells} == {steps}
    assert {tuple(cell.task.ledger["moments"]) for cell in cells} == {(steps if at else 0,)}
