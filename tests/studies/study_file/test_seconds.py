"""Budgets, hits, checkpoints, trials and pilots in seconds, on a clock of the test's."""

import copy
import functools

import numpy as np
import pytest

from optimizers.evolution_strategies.openai_es import OpenAIES
from optimizers.gradient.sgd import SGD
from studies.analysis.comparison.comparison import compare
from studies.analysis.quantities.evaluate import quantity
from studies.analysis.running_time.tables import fixed_target
from studies.cells.loop import run_cell
from studies.results import cell_files, store
from studies.results.assembly import assemble
from studies.results.clocks import budget, common_clock
from studies.results.hits import hits, lateness, spent
from studies.run import expected
from studies.run.calibration.pilots import Pilots
from studies.run.calibration.trials import Trials
from studies.study_file import spending
from studies.study_file.loading import load_study
from studies.study_file.plan import make_plan, manifest
from studies.study_file.study import StudyError
from tests.support.each import each
from tests.support.fake_time import fake_time

STUDY = {
    "name": "seconds",
    "budget": {"seconds": 6},
    "replicates": 3,
    "checkpoints": [0.5, 1],
    "targets": [0.5],
    "landscapes": {"bowl": {"kind": "quadratic", "dim": 3, "condition": 1}},
    "optimizers": {
        "GD": {"kind": "sgd", "learning_rate": 0.2},
        "ES": {"kind": "openai_es", "population": 4},
    },
}
TAKES = {SGD: 0.75, OpenAIES: 0.5}  # seconds of a step


def planned(**changes):
    return make_plan(load_study(copy.deepcopy(STUDY | changes)))


def lines(**changes):
    with pytest.raises(StudyError) as caught:
        planned(**changes)
    return caught.value.lines


def steps_take(patch, takes):
    """Makes steps of methods take so long: seconds, or what gives them for the method and its state."""
    clock = fake_time(patch)
    for method, seconds in takes.items():
        patch.setattr(method, "tell", clock.spends(method.tell, functools.partial(_of_tell, seconds)))


def _of_tell(seconds, method, state, *_):
    return seconds(method, state) if callable(seconds) else seconds


def results(folder, **changes):
    """The labelled results of a study."""
    plan = planned(**changes)
    cells = plan.cells(())
    files = {cell.address: folder / f"{cell.address}.nc" for cell in cells}
    for cell in cells:
        cell_files.write(run_cell(cell), files[cell.address])
    on_disk = manifest(plan, cells)
    return assemble(on_disk, files, set()).assign_attrs(on_disk["attrs"])


def value(data, text, **where):
    return quantity(data, text)["quantity"].sel(landscape="bowl", **where).item()


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        steps_take(patch, TAKES)
        return results(tmp_path_factory.mktemp("cells"))


class TestBudgets:
    def test_each_method_gets_the_same_seconds(self, data):
        end = data.isel(checkpoint=-1, landscape=0)
        assert end["steps"].sel(optimizer="GD").values.tolist() == [8] * 3
        assert end["steps"].sel(optimizer="ES").values.tolist() == [12] * 3
        half = data.isel(checkpoint=0, landscape=0)
        assert half["seconds"].sel(optimizer=["GD", "ES"]).values.tolist() == [[3] * 3] * 2

    def test_they_are_what_is_spent_and_compared(self, data):
        assert common_clock(data) == "seconds"
        assert (spent(data, "seconds") == 6).all()
        assert (budget(data, "seconds") == 6).all()
        at_end = data["loss"].isel(checkpoint=-1)
        better = compare(data)
        assert better["worlds"].max() == 3
        assert value(data, "mean(loss)", optimizer="GD") == pytest.approx(
            at_end.sel(optimizer="GD").mean().item()
        )

    def test_each_world_is_a_cell_whatever_the_number_of_worlds(self):
        few, many = (planned(replicates=worlds).cells(()) for worlds in (3, 40))
        assert {cell.last - cell.first for cell in many} == {1}
        assert len(many) == 2 * 40
        assert {cell.address for cell in few} < {cell.address for cell in many}

    def test_a_finished_cell_is_used(self):
        plan = planned()
        here = {cell.address for cell in plan.cells(())[:4]}
        assert len(plan.missing(here)) == 2

    def test_a_plan_says_that_they_are_others_elsewhere(self):
        (note,) = planned(optimizers={"GD": {"kind": "sgd"}}).notes
        assert note.startswith("bowl, GD: ")
        assert "differ from machine to machine and from run to run; each world is a cell" in note

    def test_their_steps_are_not_known_and_their_time_is(self):
        plan = planned()
        assert spending.steps(plan.study.arms) == {("bowl", "GD"): "?", ("bowl", "ES"): "?"}
        cells = plan.cells(())
        assert expected.measured(cells[0].task, 1).seconds(6) == 6
        slower = expected.expected(cells, lambda task, worlds: expected.Pace(5.0, 7.0))
        assert slower.seconds == 2 * 3 * 6

    def test_a_landscape_an_optimizer_and_a_sweep_may_have_them(self):
        own = {"GD": {"kind": "sgd", "budget": {"seconds": "dim / 2"}}, "ES": {"kind": "openai_es"}}
        plan = planned(
            budget={"bowl": 30}, optimizers=own, sweep={"optimizers.ES.budget": [9, {"seconds": 4}]}
        )
        found = [(arm.label, arm.task.clock, arm.task.budget) for arm in plan.arms]
        assert found == [
            *[("GD", "seconds", 1.5), ("ES", "cost", 9)],
            *[("GD", "seconds", 1.5), ("ES", "seconds", 4)],
        ]

    def test_checkpoints_lie_evenly_in_them(self):
        even = {"count": 3, "spacing": "linear", "clock": "seconds"}
        (task, *_) = planned(checkpoints=even).tasks
        assert (task.checkpoints, task.checkpoint_clock) == ([2, 4, 6], None)


class TestHits:
    def test_a_hit_is_the_time_of_its_step(self, data):
        """Each step of GD multiplies the distance by 0.8."""
        own = data.sel(optimizer="GD", landscape="bowl")
        steps = np.ceil(np.log(own["start_loss"] / 0.5) / np.log(0.8**-2))
        np.testing.assert_array_equal(
            hits(data, None, "hit_seconds").sel(optimizer="GD")[0, :, 0], 0.75 * steps
        )
        asked = value(data, "median(hit(0.5, clock=seconds))", optimizer="GD")
        assert asked == 0.75 * np.median(steps)

    def test_what_is_looked_up_lies_between_two_checkpoints(self, data):
        """All pass it in the second half."""
        level = float(data["loss"].sel(optimizer="GD").isel(checkpoint=-1).max())
        assert level < float(data["loss"].sel(optimizer="GD").isel(checkpoint=0).min())
        found, late = (
            of(data, [level], "hit_seconds").sel(optimizer="GD").values.ravel()
            for of in (hits, lateness)
        )
        assert found.tolist() == [6] * 3
        assert late.tolist() == [3] * 3

    def test_a_state_is_that_of_the_last_step_until_then(self, data):
        assert value(data, "mean(loss(seconds=3))", optimizer="GD") == value(
            data, "mean(loss(steps=4))", optimizer="GD"
        )

    def test_expected_running_times_are_in_them(self, data):
        told = value(data, "ert(0.5, clock=seconds)", optimizer="GD")
        assert told == 0.75 * value(data, "ert(0.5, clock=steps)", optimizer="GD")
        table = fixed_target(data, clock="seconds")
        assert table["ert"].sel(optimizer="GD").item() == told
        assert table["ert"].attrs["units"] == "s"


def compute(missing, out):
    for cell in missing:
        store.write_cell(run_cell(cell), store.cell_path(out, cell.address))


FAST = {  # a step on all 64 terms is faster than one on one term, and 64 times as dear
    "budget": {"steps": 12},
    "landscapes": {"bowl": {"kind": "quadratic", "dim": 3, "condition": 1, "terms": 64}},
    "optimizers": {"GD": {"kind": "sgd", "learning_rate": 0.2, "batch": 1}},
}


def by_batch(method, state):
    del state
    return 1.0 if method.batch == 64 else 4.0


class TestCalibration:
    @pytest.mark.parametrize(("clock", "best"), [("seconds", 64), ("cost", 1)])
    def test_the_best_trial_is_the_fastest_on_the_clock_that_is_asked(
        self, clock, best, tmp_path, monkeypatch
    ):
        """The terms are the same, so that both take as many steps."""
        steps_take(monkeypatch, {SGD: by_batch})
        tuning = {
            "trials": 2,
            "worlds": 5,
            "objective": f"median(hit(0.5, clock={clock}))",
            "ranges": {"GD": {"batch": {"choices": [1, 64]}}},
        }
        trials = Trials(load_study(copy.deepcopy(STUDY | FAST | {"tuning": tuning})), tmp_path)
        compute(trials.ahead(), tmp_path)
        (found,) = trials.study().tuned
        assert found["settings"][found["winner"]]["batch"] == best

    def test_trials_that_are_judged_by_them_have_them_to_themselves(self, tmp_path):
        sizes = {}
        for clock in ("seconds", "steps"):
            tuning = {
                "trials": 2,
                "worlds": 5,
                "objective": f"median(hit(0.5, clock={clock}))",
                "ranges": {"GD": {"batch": {"choices": [1, 64]}}},
            }
            trials = Trials(load_study(copy.deepcopy(STUDY | FAST | {"tuning": tuning})), tmp_path)
            sizes[clock] = {cell.last - cell.first for cell in trials.ahead()}
        assert sizes == {"seconds": {1}, "steps": {5}}

    def test_a_trial_may_have_a_share_of_a_budget_in_them(self, tmp_path, monkeypatch):
        steps_take(monkeypatch, TAKES)
        tuning = {"trials": 2, "worlds": 3, "at": 0.5, "ranges": {"GD": {"learning_rate": [0.1, 0.2]}}}
        trials = Trials(load_study(copy.deepcopy(STUDY | {"tuning": tuning})), tmp_path)
        assert {(task.clock, task.budget) for task in trials.tasks} == {("seconds", 3)}
        compute(trials.ahead(), tmp_path)
        (found,) = [result for result in trials.study().tuned]
        assert found["cost"] == 2 * 3 * 4 * 3  # settings, worlds, steps, evaluations

    @pytest.mark.verify
    def test_a_pilot_may_be_matched_in_them(self, tmp_path, monkeypatch):
        """Steps of the ES take as many seconds as its population / 8, those of GD 2: 16 take 2 seconds."""
        steps_take(monkeypatch, {SGD: 2.0, OpenAIES: lambda method, state: method.population / 8})
        match = {
            "reference": "GD",
            "at": 1,
            "quantity": "mean(seconds)",
            "vary": {"ES": {"population": [4, 64]}},
        }
        pilots = Pilots(
            load_study(copy.deepcopy(STUDY | {"budget": {"steps": 5}, "match": match})), tmp_path
        )
        for missing in pilots.rounds():
            compute(missing, tmp_path)
        (result,) = pilots.results
        assert (result["value"], result["target"]) == (16, 10)


@each(
    ("changes", "expected"),
    [
        (
            {"budget": {"second": 9}},
            "budget.second: unknown landscape or clock; did you mean 'seconds'?",
        ),
        (
            {"budget": {"seconds": 0}},
            "budget: expected a finite number > 0 for seconds, got 0",
        ),
        (
            {"budget": 30, "checkpoints": {"count": 9, "clock": "seconds"}},
            "checkpoints.clock: in seconds, the end of a run of sgd is not known before it runs; expected"
            " clock: cost, that of its budget, or a budget of {seconds: ..}",
        ),
        (
            {"checkpoints": {"count": 9, "clock": "steps"}},
            "checkpoints.clock: in steps, the end of a run of sgd is not known before it runs; expected"
            " clock: seconds, that of its budget, or a budget of {steps: ..}",
        ),
        (
            {"optimizers": {"GD": {"kind": "sgd", "schedule": {"kind": "cosine"}}}},
            "optimizers.GD: steps: expected a number of steps, got budget: a budget in seconds may hold any"
            " number of steps; give `steps:`",
        ),
    ],
)
def test_what_does_not_go_is_told_in_a_line(changes, expected):
    assert any(expected in line for line in lines(**changes)), lines(**changes)


def test_cells_of_several_sizes_are_told_where_seconds_are_asked():
    claim = {"kind": "ordering", "better": "GD", "worse": "ES", "by": "median(hit(0.5, clock=seconds))"}
    own = {"GD": {"kind": "sgd", "budget": {"seconds": 2}}, "ES": {"kind": "openai_es", "budget": 90}}
    notes = planned(optimizers=own, claims={"faster": claim}).notes
    assert any("seconds are those of a cell, which holds 1 to 3 worlds here" in note for note in notes)
    assert not any("those of a cell" in note for note in planned(optimizers=own).notes)
    assert not any("those of a cell" in note for note in planned(claims={"faster": claim}).notes)
    steps = claim | {"by": "median(hit(0.5, clock=steps))"}
    assert not any(
        "those of a cell" in note for note in planned(optimizers=own, claims={"seconds": steps}).notes
    )
