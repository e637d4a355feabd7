"""Checkpoints by count, spacing and clock: of a study, of a landscape, of an optimizer, in a sweep."""

import copy
import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
import xarray as xr

from studies.cells.loop import run_cell, run_worlds
from studies.results import cell_files
from studies.results.assembly import assemble
from studies.results.clocks import budget
from studies.run import preview
from studies.study_file.loading import load_study
from studies.study_file.plan import make_plan, manifest
from studies.study_file.study import StudyError
from tests.support.each import each
from tests.support.runs import unpaced  # noqa: F401

STUDY = {
    "name": "checkpoints",
    "budget": 100,
    "replicates": 3,
    "landscapes": {"bowl": {"kind": "quadratic", "dim": 3}},
    "optimizers": {"GD": {"kind": "sgd", "learning_rate": 0.1}, "GA": {"kind": "ga", "population": 20}},
}  # 33 steps of GD at 3 evaluations, 5 generations of GA at 20
WORKERS = {"kind": "async_sgd", "learning_rate": 0.01}
STEPS = {"count": 5, "spacing": "linear", "clock": "steps"}


def read(**changes):
    return load_study(copy.deepcopy(STUDY | changes))


def tasks(**changes):
    return {str(arm.coords["optimizer"]): arm.task for arm in make_plan(read(**changes)).arms}


def times(**changes):
    return {name: task.checkpoints for name, task in tasks(**changes).items()}


def lines(**changes):
    with pytest.raises(StudyError) as caught:
        make_plan(read(**changes))
    return caught.value.lines


def results(folder, **changes):
    """The labelled results of a study."""
    planned = make_plan(read(**changes))
    cells = planned.cells(())
    files = {cell.address: folder / f"{cell.address}.nc" for cell in cells}
    for cell in cells:
        cell_files.write(run_cell(cell), files[cell.address])
    on_disk = manifest(planned, cells)
    return assemble(on_disk, files, set()).assign_attrs(on_disk["attrs"]).sel(landscape="bowl")


class TestWhereTheyLie:
    def test_linear_ones_are_equal_parts_of_the_run(self):
        assert times(checkpoints={"count": 4, "spacing": "linear"}) == {
            "GD": [25, 50, 75, 100],
            "GA": [25, 50, 75, 100],
        }

    def test_log_is_the_default_and_spans_three_decades(self):
        assert times(checkpoints={"count": 4})["GD"] == pytest.approx([0.1, 1, 10, 100], rel=1e-11)

    def test_those_of_steps_are_whole_and_each_once(self):
        """33 steps in 5 parts are 6.6, 13.2, 19.8, 26.4, 33; on a log scale 33^(k / 4)."""
        assert times(checkpoints=STEPS) == {"GD": [7, 13, 20, 26, 33], "GA": [1, 2, 3, 4, 5]}
        log = times(checkpoints={"count": 5, "clock": "steps"})
        assert log == {"GD": [1, 2, 6, 14, 33], "GA": [1, 2, 3, 5]}  # 5^(1/4) = 1.5 is 1 or 2

    def test_those_of_epochs(self):
        """One of GD is a step, which costs 3; one of GA is a value."""
        found = times(checkpoints={"count": 2, "spacing": "linear", "clock": "epochs"})
        assert found == {"GD": [16.5, 33], "GA": [50, 100]}

    def test_those_of_cost_of_a_budget_of_steps(self):
        found = tasks(
            budget={"steps": 8}, checkpoints={"count": 2, "spacing": "linear", "clock": "cost"}
        )
        assert {name: task.checkpoints for name, task in found.items()} == {
            "GD": [12, 24],
            "GA": [80, 160],
        }
        assert {task.checkpoint_clock for task in found.values()} == {"cost"}

    def test_on_the_clock_of_the_budget_they_need_no_clock(self):
        named, plain = (
            tasks(budget={"steps": 40}, checkpoints=given)["GD"]
            for given in (STEPS, {"count": 5, "spacing": "linear"})
        )
        assert named.checkpoints == [8, 16, 24, 32, 40]
        assert named.canonical == plain.canonical

    def test_a_number_per_decade_of_a_budget_of_steps_shows_each_step_once(self):
        """20 per decade of 120 steps: what shows no step yet, or the same as the one before, is left out."""
        every = [120 * 10 ** (k / 20 - 3) for k in range(61)]
        first = {math.floor(time): time for time in reversed(every) if time >= 1}
        found = times(budget={"steps": 120}, checkpoints=20)["GD"]
        assert found == pytest.approx(sorted(first.values()), rel=1e-9)
        assert sorted({math.floor(time) for time in every}) == [0, *map(math.floor, found)]

    def test_a_number_per_decade_of_one_step_is_that_step(self):
        assert times(budget={"steps": 1})["GD"] == [1]

    def test_of_a_virtual_time(self):
        own = WORKERS | {"checkpoints": {"count": 2, "spacing": "linear", "clock": "virtual_time"}}
        found = times(budget={"virtual_time": 50}, optimizers={"workers": own})
        assert found == {"workers": [25, 50]}

    def test_a_landscape_and_an_optimizer_may_have_their_own(self):
        optimizers = STUDY["optimizers"] | {"ES": {"kind": "openai_es", "checkpoints": [0.5, 1]}}
        found = times(checkpoints={"bowl": STEPS}, optimizers=optimizers)
        assert found == {"GD": [7, 13, 20, 26, 33], "GA": [1, 2, 3, 4, 5], "ES": [50, 100]}

    def test_a_landscape_that_is_not_named_has_those_of_default_or_the_usual_ones(self):
        landscapes = {name: {"kind": "quadratic", "dim": 3} for name in ("bowl", "other")}
        both = {"landscapes": landscapes, "optimizers": {"GD": {"kind": "sgd"}}}
        usual, named = (
            [arm.task.checkpoints for arm in make_plan(read(**both, checkpoints=given)).arms]
            for given in ({"bowl": [1.0]}, {"bowl": [1.0], "default": [0.5]})
        )
        assert [len(each) for each in usual] == [1, 61]
        assert named == [[100], [50]]

    def test_they_may_be_swept(self):
        plan = make_plan(read(sweep={"optimizers.GD.checkpoints": [[1.0], STEPS]}))
        found = [arm.task.checkpoints for arm in plan.arms if arm.label == "GD"]
        assert found == [[100], [7, 13, 20, 26, 33]]

    def test_truth_leaves_fewer_and_it_is_said(self):
        """Truth takes at most a tenth of the time: ten checkpoints of a net, as of a number per decade."""
        net = {
            "landscapes": {"net": {"kind": "digits", "hidden": 3}},
            "optimizers": {"GD": {"kind": "sgd"}},
        }
        plan = make_plan(read(**net, budget=60, checkpoints={"count": 40, "spacing": "linear"}))
        assert len(plan.tasks[0].checkpoints) == 10
        assert plan.tasks[0].checkpoints[-1] == 60
        assert any("checkpoints: 10 in place of 40" in note for note in plan.notes)

    def test_the_study_as_it_was_read_gives_the_same_study(self):
        study = read(checkpoints={"bowl": STEPS})
        assert load_study(study.resolved).arms == study.arms


class TestWhatTheyShow:
    def test_states_after_these_steps(self, tmp_path):
        """Of GD those that a run of as many steps shows after each."""
        shown = results(tmp_path, checkpoints=STEPS).sel(optimizer="GD")
        own = shown.isel(checkpoint=shown["recorded"].values == 1)
        every = tasks(checkpoints=[1.0], budget={"steps": 33})["GD"]
        every = run_worlds(_at(every, range(1, 34)), _worlds(3))
        assert own["steps"].values.tolist() == [[7, 13, 20, 26, 33]] * 3
        np.testing.assert_array_equal(own["loss"], every["loss"][:, [6, 12, 19, 25, 32]])

    def test_steps_of_a_method_whose_population_grows(self):
        """IPOP-CMA-ES doubles it at each restart, which nobody knows before: steps are steps all the same."""
        flat = {"landscapes": {"bowl": {"kind": "quadratic", "dim": 2}}, "budget": 3000}
        task = tasks(**flat, checkpoints=STEPS, optimizers={"ES": {"kind": "ipop_cma_es"}})["ES"]
        data = run_worlds(task, _worlds(3))
        population = 4 + math.floor(3 * math.log(2))
        assert task.checkpoints == [round(3000 // population * k / 5) for k in range(1, 6)]
        reached = np.minimum(task.checkpoints[:-1], data["steps"].values[:, -1:])
        np.testing.assert_array_equal(data["steps"].values[:, :-1], reached)
        assert (data["steps"][:, -1] < task.checkpoints[-1]).any()  # it did grow
        assert (data["value_terms"][:, -1] > 0.9 * 3000).all()

    def test_the_last_one_is_the_end_also_where_it_comes_later(self):
        """Twelve steps where four were expected: their end is that of the budget."""
        task = _at(tasks(budget={"steps": 12})["GD"], [1, 2, 4], clock="epochs")
        assert run_worlds(task, _worlds(2))["steps"].values.tolist() == [[1, 2, 12]] * 2

    def test_their_cost_is_that_of_their_states_and_of_the_budget(self, tmp_path):
        data = results(tmp_path, checkpoints=STEPS)
        descent = data.sel(optimizer="GD")
        own = descent["recorded"].values == 1
        np.testing.assert_allclose(descent["cost"].values[own], [21, 39, 60, 78, 100])
        np.testing.assert_array_equal(budget(data), 100)
        shown = (data["value_terms"] + 3 * data["gradient_terms"]) / data["terms"]
        assert ((shown <= data["cost"] * (1 + 1e-12)) | data["cost"].isnull()).all()

    @pytest.mark.parametrize("clock", ["cost", "steps", "epochs"])
    @pytest.mark.parametrize("spacing", ["log", "linear"])
    def test_no_hit_moves(self, clock, spacing):
        """Whatever the checkpoints are, the records of hits are equal to the bit, but for seconds."""
        few, many = (
            tasks(targets=[2.0, 0.5, 0.1], checkpoints=given)
            for given in ([1.0], {"count": 30, "spacing": spacing, "clock": clock})
        )
        for name, task in few.items():
            first, second = (run_worlds(each, _worlds(4)) for each in (task, many[name]))
            hits = [key for key in first if "hit" in str(key) and "seconds" not in str(key)]
            assert hits
            xr.testing.assert_identical(
                *(each[hits].drop_attrs(deep=False) for each in (first, second))
            )
        assert np.isfinite(first["hit_cost"]).any()

    def test_what_is_recorded_lies_at_them(self):
        record = {"record": {"mean_step": "average(step)", "now": "step"}}
        data = run_worlds(tasks(**record, checkpoints=STEPS)["GD"], _worlds(2))
        assert data["now"].values.tolist() == [[7, 13, 20, 26, 33]] * 2
        means = [
            np.mean(range(first + 1, last + 1))
            for first, last in zip([0, 7, 13, 20, 26], [7, 13, 20, 26, 33], strict=True)
        ]
        np.testing.assert_allclose(data["mean_step"], [means] * 2)


@each(
    ("given", "expected"),
    [
        ({"count": 1}, "checkpoints.count: expected >= 2, got 1"),
        ({"count": 60.5}, "checkpoints.count: expected a whole number, got 60.5"),
        (
            {"count": 60, "clock": "stpes"},
            "'virtual_time' or 'seconds', got 'stpes'; did you mean 'steps'?",
        ),
        ({"count": 60, "spacing": "liear"}, "got 'liear'; did you mean 'linear'?"),
        (
            {"count": 60, "spacng": "log"},
            "checkpoints.spacng: unknown key for checkpoints; did you mean",
        ),
        ({"clock": "steps"}, "checkpoints.count: missing; expected how many"),
        ({"bwol": {"count": 60}}, "checkpoints.bwol: unknown landscape or key; did you mean 'bowl'?"),
        (
            {"bowl": 5},
            "checkpoints.bowl: expected a number per decade, 20 to 100000, a list of increasing",
        ),
        (
            {"count": 60, "clock": "virtual_time"},
            "checkpoints.clock: sgd has no virtual time; expected a clock of cost or steps or epochs or seconds",
        ),
        (
            {"bowl": {"count": 60, "clock": "virtual_time"}},
            "checkpoints.bowl.clock: sgd has no virtual time; expected a clock of cost",
        ),
    ],
)
def test_what_are_no_checkpoints_is_told_in_a_line(given, expected):
    assert any(expected in line for line in lines(checkpoints=given)), lines(checkpoints=given)


def test_a_clock_whose_end_is_not_known_before_is_told_with_what_to_write():
    own = {"workers": WORKERS | {"checkpoints": {"count": 9, "clock": "virtual_time"}}}
    assert lines(optimizers=own) == [
        "study: optimizers.workers.checkpoints.clock: in virtual time, the end of a run of async_sgd is not"
        " known before it runs; expected clock: cost, that of its budget, or a budget of {virtual_time: ..}"
    ]


WORDS = {  # label of a landscape -> where it is a key too, and where it is not
    "count": ({"checkpoints": {"count": 60}}, {"targets": {"count": [0.1]}}),
    "clock": ({"checkpoints": {"count": 60, "clock": "cost"}}, {"budget": {"clock": 90}}),
    "values": ({"targets": {"values": [0.5]}}, {"checkpoints": {"values": 20}}),
    "best": ({"targets": {"values": [0.5], "best": 0.1}}, {"budget": {"best": 90}}),
    "steps": ({"budget": {"steps": 20}}, {"checkpoints": {"steps": [0.5, 1]}}),
    "cost": ({"budget": {"cost": 20}}, {"precision": {"cost": 1e-6}}),
    "value": ({"noise": {"evaluation": {"value": 0.1}}}, {"oracle": {"chunks": {"value": 2}}}),
    "default": (
        {"budget": {"default": 90}},
        {"optimizers": {"GD": {"kind": "sgd", "only": ["default"]}}},
    ),
}


@each("label", WORDS)
def test_a_landscape_may_be_called_as_a_key_until_both_could_be_meant(label):
    """Optimizers may always: no mapping of a value by optimizers has keys of its own."""
    both, alone = WORDS[label]
    landscapes = {label: {"kind": "quadratic", "dim": 4}}
    assert read(landscapes=landscapes, **alone)
    assert read(optimizers={label: {"kind": "sgd"}}, **both)
    where = "noise.evaluation" if label == "value" else next(iter(both))
    line = f"study: {where}.{label}: '{label}' is a landscape, and a key of {where} too"
    assert f"{line}; give the landscape another label" in lines(landscapes=landscapes, **both)


def test_an_axis_may_not_mean_both_either():
    landscapes = {"best": {"kind": "quadratic", "dim": 4}}
    told = lines(landscapes=landscapes, targets=[0.1], sweep={"targets.best": [[0.1], [0.2]]})
    assert any("'best' is a landscape, and a key of targets too" in line for line in told)
    assert read(landscapes=landscapes, sweep={"budget.best": [90, 120]}, budget={"best": 90})


def test_checkpoints_take_formulas():
    """Of the landscape in three dimensions, and of `let`."""
    given = {"count": "10 * dim", "spacing": "linear"}
    assert len(times(checkpoints=given)["GD"]) == 30
    own = {"GD": {"kind": "sgd", "checkpoints": {"count": "tens + dim", "spacing": "linear"}}}
    assert len(times(optimizers=own, let={"tens": 10})["GD"]) == 13
    assert times(checkpoints=["1 / (dim + 1)", 0.5, "2 * half"], let={"half": 0.5})["GD"] == [
        25,
        50,
        100,
    ]
    assert times(checkpoints="7 * dim")["GD"] == times(checkpoints=21)["GD"]
    by_label = {"bowl": {"count": "dim + 1", "spacing": "linear"}}
    assert times(checkpoints=by_label)["GD"] == [25, 50, 75, 100]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"count": "dim - 2"}, "checkpoints.count: expected >= 2, got 1, from the formula 'dim - 2'"),
        ({"count": "10 * dmi"}, "checkpoints.count: unknown name 'dmi'; did you mean 'dim'?"),
        (
            [0.5, "1 / dim"],
            "checkpoints: expected a number per decade, 20 to 100000, a list of increasing",
        ),
        (
            "4 * dim",
            "checkpoints: expected a number per decade, 20 to 100000, a list of increasing fractions",
        ),
    ],
)
def test_a_formula_that_gives_no_checkpoints_is_one_line(given, expected):
    assert [line for line in lines(checkpoints=given) if expected in line], lines(checkpoints=given)


@pytest.mark.usefixtures("unpaced")
def test_the_plan_on_disk_and_a_dry_run_tell_them(tmp_path, capsys):
    study = read(checkpoints=STEPS)
    planned = make_plan(study)
    stored = json.loads(json.dumps(manifest(planned, planned.cells(()))))["tasks"]
    assert [task["checkpoints"] for task in stored] == [[7, 13, 20, 26, 33], [1, 2, 3, 4, 5]]
    assert {task["checkpoint_clock"] for task in stored} == {"steps"}
    preview.show(study, tmp_path / "out")
    told = capsys.readouterr().out
    assert "checkpoints: 5 from steps 7 to 33: bowl, GD" in told
    assert "checkpoints: 5 from steps 1 to 5: bowl, GA" in told


def _at(task, checkpoints, clock=None):
    return replace(task, checkpoints=[*map(float, checkpoints)], checkpoint_clock=clock)


def _worlds(count):
    return torch.arange(count)
