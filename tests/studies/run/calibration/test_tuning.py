"""Tuning: equal effort for every arm, in worlds and instances that the comparison never uses.

The best setting is re-run on fresh ones.
"""

import copy
import json
import math
import os
import signal
from dataclasses import replace

import h5py
import numpy as np
import pytest
import torch
import xarray as xr
from scipy import stats

import studies.figures
from landscapes.streams import Streams
from studies.analysis.trends.sensitivity import sensitivity
from studies.cells.loop import bind, run_cell
from studies.kinds import registry
from studies.results import settings, store, view
from studies.results.tuning import tuning_cost
from studies.run.__main__ import main
from studies.run.calibration import pilots, trial_points, trials, tuned
from studies.run.calibration.pilots import Pilots
from studies.run.calibration.trials import AWAY, Trials
from studies.study_file.loading import load_study
from studies.study_file.plan import make_plan, manifest
from studies.study_file.study import StudyError
from studies.study_file.template import Template
from tests.support.each import each
from tests.support.interrupts import interrupts  # noqa: F401
from tests.support.runs import (
    BOWL,
    again,
    cells,
    finish,
    no_leftovers,  # noqa: F401
    sketch,
    start,
    unpaced,  # noqa: F401
    wait_for,
    write,
)

STUDY = {
    "name": "tuned",
    "budget": 60,
    "replicates": 5,
    "checkpoints": [0.5, 1.0],
    "landscapes": {
        "bowl": {"kind": "quadratic", "dim": 3, "condition": 3.0},
        "nk": {"kind": "nk", "n": 8, "k": 2},
    },
    "optimizers": {
        "SGD": {"kind": "sgd", "learning_rate": 0.01, "on": {"nk": {"learning_rate": 5.0}}},
        "GA": {"kind": "ga", "population": 6},
        "random": {"kind": "random_search"},
    },
    "tuning": {
        "trials": 5,
        "worlds": 6,
        "ranges": {
            "SGD": {"learning_rate": [0.001, 1e25]},
            "GA": {"population": [4, 12], "crossover": ["none", "uniform"]},
        },
    },
}
ALONE = STUDY | {"landscapes": {"bowl": STUDY["landscapes"]["bowl"]}}  # one landscape
ALONE["optimizers"] = STUDY["optimizers"] | {"SGD": {"kind": "sgd", "learning_rate": 0.01}}
BARE = {key: value for key, value in STUDY.items() if key != "tuning"}


def with_tuning(**changes):
    return STUDY | {"tuning": STUDY["tuning"] | changes}


def compute(missing, out):
    for cell in missing:
        store.write_cell(run_cell(cell), store.cell_path(out, cell.address))
    return len(missing)


def run(study, out):
    """The study with what its trials found, and how many cells of trials were computed."""
    found = Trials(load_study(study), out)
    computed = compute(found.ahead(), out)
    return found.study(), computed


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """The study above: its folder, and the study with the best settings."""
    out = tmp_path_factory.mktemp("tuned")
    return out, run(STUDY, out)[0]


def one(study, landscape, optimizer):
    return next(
        found
        for found in study.tuned
        if found["coords"] == {"landscape": landscape, "optimizer": optimizer}
    )


# the settings -----------------------------------------------------------------------------------------------

RATE = {"learning_rate": {"low": 0.001, "high": 1.0, "scale": "log"}}
SGD = {"kind": "sgd", "learning_rate": 0.1}


def complete(**spec):
    return Template(spec, {}, {})


def test_settings_differ_and_more_trials_keep_the_earlier_ones():
    few, many = (
        trial_points.settings([complete(**SGD)], RATE, trials, 1, "SGD", "bowl") for trials in (9, 40)
    )
    assert few == many[:9]
    assert few[0] == {}  # as given
    assert len({json.dumps(values) for values in many}) == 40
    for other in ((2, "SGD", "bowl"), (1, "sgd", "bowl"), (1, "SGD", "nk"), (1, "SGD", None)):
        assert trial_points.settings([complete(**SGD)], RATE, 9, *other)[1:] != few[1:]


def test_settings_are_even_on_the_scale_of_the_range():
    """Each quarter of a scrambled net of 32 points has 8 of them (Owen 1998)."""
    rates = [
        values["learning_rate"]
        for values in trial_points.settings([complete(**SGD)], RATE, 33, 1, "SGD", "bowl")[1:]
    ]
    assert np.histogram(np.log10(rates), [-3, -2.25, -1.5, -0.75, 0])[0].tolist() == [8, 8, 8, 8]
    linear = {"learning_rate": RATE["learning_rate"] | {"scale": "linear"}}
    rates = [
        values["learning_rate"]
        for values in trial_points.settings([complete(**SGD)], linear, 33, 1, "SGD", "bowl")[1:]
    ]
    assert np.histogram(rates, np.linspace(0.001, 1, 5))[0].tolist() == [8, 8, 8, 8]


def test_whole_numbers_have_equal_room_also_at_the_ends():
    span = {"low": 2, "high": 6, "scale": "linear"}
    drawn = [round(trial_points.between(span, (i + 0.5) / 100, whole=True)) for i in range(100)]
    assert np.bincount(drawn)[2:].tolist() == [20] * 5
    logarithmic = [
        round(trial_points.between(span | {"scale": "log"}, (i + 0.5) / 10000, whole=True))
        for i in range(10000)
    ]
    expected = np.diff(np.log(np.arange(1.5, 7.5))) / math.log(6.5 / 1.5)
    np.testing.assert_allclose(np.bincount(logarithmic)[2:] / 10000, expected, atol=2e-4)


def test_whole_numbers_are_those_that_the_optimizer_takes():
    ranges = {"population": {"low": 4, "high": 40, "scale": "log"}}
    values = trial_points.settings([complete(kind="openai_es")], ranges, 12, 1)
    assert all(v["population"] % 2 == 0 and 4 <= v["population"] <= 40 for v in values[1:])
    ranges |= {"antithetic": {"choices": [True, False]}}  # whether odd ones will do depends on this
    values = trial_points.settings([complete(kind="openai_es")], ranges, 33, 1)[1:]
    assert any(v["population"] % 2 for v in values)
    assert not any(v["population"] % 2 for v in values if v["antithetic"])


def test_settings_that_the_optimizer_does_not_take_are_passed_over():
    ranges = {
        "population": {"low": 2, "high": 40, "scale": "log"},
        "elite": {"low": 0, "high": 30, "scale": "linear"},
    }
    values = trial_points.settings([complete(kind="ga")], ranges, 20, 1)
    assert len(values) == 20
    assert all(complete(kind="ga").takes(v) for v in values)
    drawn = [
        trial_points.settled(complete(kind="ga"), ranges, point)
        for point in trial_points.points(20, 2, 1)
    ]
    assert 0 < sum(v is None for v in drawn) < len(drawn)  # so some were


def test_few_settings_are_repeated_so_that_every_optimizer_has_as_many_trials():
    values = trial_points.settings(
        [complete(kind="ga")], {"crossover": {"choices": ["none", "uniform", "one_point"]}}, 8, 1
    )
    assert [v.get("crossover") for v in values[:3]] == [None, *(v["crossover"] for v in values[1:3])]
    assert {v["crossover"] for v in values[1:3]} == {"none", "one_point"}  # uniform is what is given
    assert values == (values[:3] * 3)[:8]


GRID = {"learning_rate": {"low": 0.01, "high": 1.0, "scale": "log", "count": 5}}
FIVE = [0.01, 0.0316228, 0.1, 0.316228, 1.0]


@pytest.mark.parametrize("seed", range(4))
def test_a_grid_is_tried_whole_whatever_the_seed(seed):
    """Five steps of half a decade; trial 0 is the setting that is given, 0.3."""
    given = complete(**(SGD | {"learning_rate": 0.3}))
    tried = trial_points.settings([given], GRID, 6, seed, "SGD", "bowl")
    assert tried[0] == {}
    assert sorted(values["learning_rate"] for values in tried[1:]) == FIVE
    linear = {"learning_rate": GRID["learning_rate"] | {"low": 0.2, "scale": "linear"}}
    tried = trial_points.settings([given], linear, 4, seed, "SGD", "bowl")
    part = {values["learning_rate"] for values in tried[1:]}
    assert len(part) == 3
    assert part < {0.2, 0.4, 0.6, 0.8, 1.0}


def test_a_grid_of_several_parameters_and_of_whole_numbers():
    ranges = {
        "population": {"low": 4, "high": 64, "scale": "log", "count": 3},
        "mutation_sigma": {"low": 0.1, "high": 0.2, "scale": "linear", "count": 2},
    }
    tried = trial_points.settings([complete(kind="ga", population=10)], ranges, 7, 1)
    settings = {(values["population"], values["mutation_sigma"]) for values in tried[1:]}
    assert settings == {(n, sigma) for n in (4, 16, 64) for sigma in (0.1, 0.2)}


# worlds and instances ---------------------------------------------------------------------------------------


def instances(cell):
    """The numbers of the instances of a cell's worlds, as `studies.cells.loop.bind` has them."""
    worlds = torch.arange(cell.first, cell.last)
    return set((worlds if cell.task.instances is None else worlds % cell.task.instances).tolist())


@pytest.mark.parametrize("shared", [None, 1, 3])
def test_no_trial_or_pilot_touches_a_world_or_an_instance_of_the_comparison(shared, tmp_path):
    match = {"reference": "GA", "at": 0, "vary": {"random": {"population": [4, 40]}}}
    study = load_study(STUDY | {"instances": shared, "match": match})
    away = {"trials": Trials(study, tmp_path).ahead(), "pilots": next(Pilots(study, tmp_path).rounds())}
    compared = make_plan(study).cells(())
    for name, others in away.items():
        assert others
        for theirs in others:
            assert theirs.first >= {"trials": AWAY, "pilots": pilots.AWAY}[name] > 2**30
            for ours in compared:
                assert theirs.address != ours.address
                assert not set(range(theirs.first, theirs.last)) & set(range(ours.first, ours.last))
                assert not instances(theirs) & instances(ours)
    assert max(cell.last for cell in away["pilots"]) < AWAY == trials.AWAY < 2**32 - 10**6


def tables(task, first, last):
    """The random tables of the landscapes on these worlds, one row each."""
    landscape = bind(task, Streams(seed=task.seed, worlds=torch.arange(first, last)))
    return {tuple(row) for row in landscape.table.flatten(1).tolist()}


def test_the_landscapes_themselves_are_others(tmp_path):
    study = load_study(STUDY | {"instances": 2})
    theirs = next(
        cell
        for cell in Trials(study, tmp_path).ahead()
        if cell.task.landscape["kind"] == "nk" and cell.task.optimizer["kind"] == "ga"
    )
    ours = next(
        cell
        for cell in make_plan(study).cells(())
        if cell.task.landscape["kind"] == "nk" and cell.task.optimizer["kind"] == "ga"
    )
    compared = tables(ours.task, ours.first, ours.last)
    assert (len(compared), len(tables(theirs.task, theirs.first, theirs.last))) == (2, 6)
    assert not compared & tables(theirs.task, theirs.first, theirs.last)
    assert compared & tables(
        replace(theirs.task, instances=2), theirs.first, theirs.last
    )  # the instance of world r is r mod 2: the trap


# who wins ---------------------------------------------------------------------------------------------------


def stored(task, out, worlds=6):
    """What stands in a trial's own file, read without the code above; its `terms` too."""
    (cell,) = trials.blocks(task, worlds, store.finished(out), AWAY)
    with h5py.File(store.cell_path(out, cell.address)) as file:
        return {name: values[()] for name, values in file.items()} | {
            "terms": file.attrs["terms"].item()
        }


def scores(task, out):
    """Final losses, costs and status in a trial's own file."""
    cell = stored(task, out)
    cost = cell["value_terms"] + task.gradient_cost["value"] * cell["gradient_terms"]
    return cell["loss"][:, -1], cost[:, -1] / cell["terms"], cell["status"][:, -1]


def test_the_winner_is_the_trial_of_lowest_median(done):
    out, study = done
    asked = Trials(load_study(STUDY), out)
    assert asked.ahead() == []
    assert [tuple(one["coords"].values()) for one in study.tuned] == [
        ("bowl", "SGD"),
        ("bowl", "GA"),
        ("nk", "SGD"),
        ("nk", "GA"),
    ]
    seen = iter(asked.tasks)
    for found in study.tuned:
        mine = [next(seen) for _ in range(5)]
        losses, costs, statuses = zip(*(scores(task, out) for task in mine), strict=True)
        medians = [float(np.sort(loss)[2:4].mean()) for loss in losses]
        assert [math.inf if m is None else m for m in found["median"]] == pytest.approx(medians)
        assert found["winner"] == min(range(5), key=lambda i: medians[i])
        assert found["diverged"] == [int((status == 3).sum()) for status in statuses]
        assert found["cost"] == pytest.approx(sum(cost.sum() for cost in costs))
        winner = mine[found["winner"]].optimizer
        (arm,) = (arm for arm in study.arms if arm.coords == found["coords"])
        assert arm.optimizer == winner
        assert found["settings"][found["winner"]] == {name: winner[name] for name in found["ranges"]}
    sgd = one(study, "bowl", "SGD")
    assert sum(sgd["diverged"]) > 0
    assert None in sgd["median"]
    assert any(found["winner"] for found in study.tuned)


def test_every_arm_gets_as_many_trials_and_those_without_ranges_are_told(done):
    study = done[1]
    assert {len(found["settings"]) for found in study.tuned} == {5}
    assert {found["different"] for found in study.tuned} == {5}
    assert tuned.without(study.tuning, study.arms) == [
        "tuning: random: no ranges, so the values given are used; 0 trials, the others have 5 each"
    ]
    assert [found["settings"][0]["learning_rate"] for found in study.tuned[::2]] == [
        0.01,
        5.0,
    ]  # as given on each landscape
    assert [arm.optimizer for arm in study.arms if arm.coords["optimizer"] == "random"] == [
        arm.optimizer for arm in load_study(BARE).arms if arm.coords["optimizer"] == "random"
    ]


def test_an_interval_is_between_two_order_statistics_of_the_binomial_law(done):
    """P(x_(k) < median < x_(n + 1 - k)) = 1 - 2 P(Bin(n, 1/2) < k): of 6 worlds all, 0.969.

    Of 20 x_(6) to x_(15), 0.959.
    """
    out, study = done
    ga = one(study, "nk", "GA")
    task = next(
        task
        for task in Trials(load_study(STUDY), out).tasks
        if task.optimizer["kind"] == "ga" and task.landscape["kind"] == "nk"
    )
    loss, _, _ = scores(task, out)
    assert ga["interval"][0] == [loss.min(), loss.max()]
    assert 1 - 2 * stats.binom.cdf(5, 20, 0.5) > 0.95 > 1 - 2 * stats.binom.cdf(6, 20, 0.5)
    sure = stats.quantile_test(np.arange(1.0, 21.0), q=0.0, p=0.5).confidence_interval(0.95)
    assert (sure.low, sure.high) == (6, 15)


def test_a_second_run_finds_the_same_and_more_trials_compute_the_new_ones_alone(done):
    out, study = done
    assert run(STUDY, out) == (study, 0)
    longer, computed = run(with_tuning(trials=7), out)
    assert computed == 4 * 2
    for found, before in zip(longer.tuned, study.tuned, strict=True):
        assert found["settings"][:5] == before["settings"]
        assert found["median"][:5] == before["median"]
    fewer, computed = run(
        with_tuning(worlds=4), out
    )  # the files hold six worlds each; four of them count
    assert computed == 0
    assert one(fewer, "nk", "GA")["cost"] < one(study, "nk", "GA")["cost"]


def test_a_trial_that_diverged_scores_as_the_worst_whatever_it_recommends(tmp_path):
    """As in the comparison, where a diverged run is the worst."""
    with h5py.File(tmp_path / "cell.h5", "w") as file:
        file["loss"], file["status"] = [[2.0, 1.0], [2.0, 1.0], [2.0, np.nan]], [[0, 3], [0, 2], [0, 2]]
        file["value_terms"], file["gradient_terms"], file.attrs["terms"] = [[2, 4]] * 3, [[0, 2]] * 3, 2
    loss, status, cost = trials._read(tmp_path / "cell.h5", 3.0)
    np.testing.assert_array_equal(loss, [[2, np.inf], [2, 1], [2, np.inf]])
    assert (status.tolist(), cost.tolist()) == ([3, 2, 2], [5, 5, 5])


def test_one_setting_for_the_study_has_the_lowest_mean_rank(tmp_path):
    study, _ = run(with_tuning(per="study"), tmp_path)
    bowl, nk = one(study, "bowl", "SGD"), one(study, "nk", "SGD")
    assert bowl["settings"][1:] == nk["settings"][1:]
    assert [one["settings"][0]["learning_rate"] for one in (bowl, nk)] == [0.01, 5.0]

    def rank(found, i):
        medians = [math.inf if m is None else m for m in found["median"]]
        return sum(m < medians[i] for m in medians) + (sum(m == medians[i] for m in medians) + 1) / 2

    means = [(rank(bowl, i) + rank(nk, i)) / 2 for i in range(5)]
    assert bowl["winner"] == nk["winner"] == means.index(min(means))


def test_trials_are_judged_at_a_part_of_the_budget_at_the_nominal_price(tmp_path):
    study = load_study(with_tuning(at=0.5) | {"gradient_cost": {"value": 3, "range": [1, 10]}})
    for task in Trials(study, tmp_path).tasks:
        assert (task.budget, task.gradient_cost, task.checkpoints) == (
            30,
            {"value": 3, "low": 3, "high": 3},
            [30],
        )
    whole = load_study(STUDY | {"instances": 2, "targets": [0.1], "ledger": {"moments": [1.0]}})
    for task in Trials(whole, tmp_path).tasks:
        assert (task.budget, task.targets, task.ledger, task.instances) == (60, [], None, None)


def test_the_area_is_the_mean_over_log_spaced_costs(tmp_path):
    study = ALONE | {"tuning": STUDY["tuning"] | {"objective": "area", "trials": 2}}
    found, _ = run(study, tmp_path)
    task = Trials(load_study(study), tmp_path).tasks[0]
    assert np.ptp(np.diff(np.log(task.checkpoints))) < 1e-9
    areas = stored(task, tmp_path)["loss"].mean(1)
    assert one(found, "bowl", "SGD")["median"][0] == pytest.approx(np.median(areas))


def test_an_objective_may_be_a_quantity_of_the_trials(tmp_path):
    """Of their worlds in their own cells, by hand: the steps to a loss, looked up in the checkpoints."""
    objective = "median(hit(0.5, clock=steps))"
    study = ALONE | {
        "tuning": STUDY["tuning"] | {"objective": objective, "trials": 3},
        "targets": [0.5],
    }
    found, _ = run(study, tmp_path)
    told = one(found, "bowl", "SGD")
    tasks = Trials(load_study(study), tmp_path).tasks[:3]
    for task, median in zip(tasks, told["median"], strict=True):
        by_hand = np.sort(stored(task, tmp_path)["hit_steps"][:6, 0])[2]
        assert (np.inf if median is None else median) == by_hand
    scores = [np.inf if median is None else median for median in told["median"]]
    assert told["winner"] == int(np.argmin(scores))
    assert objective in tuned._title(told)


@pytest.mark.parametrize(
    ("objective", "message"),
    [
        ("los", "did you mean 'loss'"),
        ("median(loss", "expected a quantity, such as median"),
    ],
)
def test_an_objective_that_is_none_is_told(objective, message):
    with pytest.raises(StudyError, match=message):
        load_study(ALONE | {"tuning": STUDY["tuning"] | {"objective": objective}})


RECORDING = ALONE | {
    "record": {"slope": "norm(gradient)", "theta": "center[0]", "where": "center"},
    "optimizers": {"SGD": ALONE["optimizers"]["SGD"], "GA": STUDY["optimizers"]["GA"]},
}


def recording(objective, **changes):
    ranges = {"SGD": {"learning_rate": [0.001, 0.3]}}
    tuning = {"trials": 4, "worlds": 6, "ranges": ranges, "objective": objective}
    return RECORDING | {"tuning": tuning} | changes


def test_an_objective_may_be_of_what_the_study_records(tmp_path):
    """The mean of a recorded name over the later checkpoints of a trial's own cell; nothing else is recorded."""
    study = recording("mean(slope, since=0.5)")
    found, _ = run(study, tmp_path)
    told = one(found, "bowl", "SGD")
    by_hand = []
    for task in Trials(load_study(study), tmp_path).tasks[:4]:
        assert [*task.expressions] == ["slope"]
        cell = stored(task, tmp_path)
        assert "theta" not in cell
        late = np.array(task.checkpoints) >= 0.5 * 60 * (1 - 1e-9)
        by_hand.append(cell["slope"][:6, late].mean())
    np.testing.assert_allclose(told["median"], by_hand, rtol=1e-12)
    assert told["winner"] == int(np.argmin(by_hand))
    assert len(set(by_hand)) == 4
    assert one(found, "bowl", "SGD")["interval"][0][0] < by_hand[0]


@each(
    ("objective", "line"),
    [
        ("mean(theat)", "unknown quantity 'theat'; did you mean 'theta'?"),
        ("mean(where)", "expected one number of each world, where has several"),
        ('loss["SGD"]', "expected a quantity of the arm itself, without [..]"),
        ("optimum(loss, B)", "expected a quantity of one arm, optimum needs all of an axis"),
        ("ledger.gain[raw]", "ledger.gain: trials keep no noise ledger"),
        ("mean(step_variance)", "step_variance: trials keep no noise ledger"),
        ("medain(loss)", "unknown function 'medain'; did you mean 'median'?"),
        ("median(hit(1, clock=second))", "clock: unknown clock 'second'; did you mean 'seconds'?"),
    ],
)
def test_an_objective_that_no_trial_has_is_told_when_the_study_is_read(objective, line):
    with pytest.raises(StudyError) as caught:
        load_study(recording(objective))
    assert any(
        each.startswith("study: tuning.objective: ") and line in each for each in caught.value.lines
    )


def test_an_objective_of_an_optimizer_that_is_wrong_is_left_to_that_mistake():
    study = recording("median(hit(1, clock=steps))")
    wrong = {"SGD": study["optimizers"]["SGD"] | {"momentum": "9**9**9"}}
    with pytest.raises(StudyError) as caught:
        load_study(study | {"optimizers": study["optimizers"] | wrong})
    (line,) = caught.value.lines
    assert line.startswith("study: optimizers.SGD.momentum: ")


def test_an_objective_that_one_arm_does_not_have_names_that_arm():
    both = {"SGD": {"learning_rate": [0.001, 0.3]}, "GA": {"population": [4, 12]}}
    study = recording("mean(slope)")
    study["tuning"] |= {"ranges": both}
    with pytest.raises(StudyError, match="tuning.objective: GA on bowl: unknown quantity 'slope'"):
        load_study(study)


def test_an_objective_beside_a_mistake_that_leaves_no_arm_is_not_judged():
    study = copy.deepcopy(recording("mean(slope)"))
    study["landscapes"]["bowl"]["condishun"] = 3
    with pytest.raises(
        StudyError, match="unknown key for quadratic; did you mean 'condition'?"
    ) as caught:
        load_study(study)
    assert len(caught.value.lines) == 1


# what follows a number that is found ------------------------------------------------------------------------

FOLLOWING = {
    "kind": "sgd",
    "learning_rate": 0.0001,
    "momentum": "rest * (1 - learning_rate)",
    "schedule": {"kind": "exponential", "factor": "momentum / 2"},
}


def following(**changes):
    return recording("loss", optimizers={"SGD": FOLLOWING | changes}, let={"rest": "dim / 4"})


def momentum(rate):
    """As the formula has it, on the bowl of three coordinates."""
    return 3 / 4 * (1 - rate)


def test_formulas_follow_a_tuned_number_in_trials_in_the_arm_and_in_the_plan(tmp_path):
    study = load_study(following())
    found = Trials(study, tmp_path)
    tried = [FOLLOWING | values for values in found.settings[0]]
    for task, setting in zip(found.tasks, tried, strict=True):
        assert task.optimizer["learning_rate"] == setting["learning_rate"]
        expected = momentum(setting["learning_rate"])
        assert task.optimizer["momentum"] == pytest.approx(expected, rel=1e-15)
        assert task.optimizer["schedule"]["factor"] == pytest.approx(expected / 2, rel=1e-15)
    compute(found.ahead(), tmp_path)
    best = found.study()
    (arm,) = best.arms
    rate = arm.optimizer["learning_rate"]
    assert rate == tried[best.tuned[0]["winner"]]["learning_rate"] != 0.0001
    plan = make_plan(best)
    made = registry.build(plan.tasks[0].optimizer, "optimizer")
    (ran,) = settings.arms(xr.Dataset(attrs=manifest(plan, [])["attrs"]))  # as plan.json has it
    for part in (arm.optimizer, vars(made), ran.optimizer):
        assert part["momentum"] == pytest.approx(momentum(rate), rel=1e-15)


def test_settings_that_a_formula_makes_impossible_are_passed_over():
    """Momentum is below 1: of these learning rates only those above 1/2 give such."""
    entry = Template(
        SGD | {"momentum": "1.5 - learning_rate"}, {("momentum",): "1.5 - learning_rate"}, {}
    )
    values = trial_points.settings([entry.with_values({"learning_rate": 1.0})], RATE, 9, 1)[1:]
    assert len({each["learning_rate"] for each in values}) == 8
    assert all(0.5 < each["learning_rate"] for each in values)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (
            {"budget": "600 * learning_rate"},
            "optimizers.SGD.budget: '600 * learning_rate' needs learning_rate, which tuning sets later",
        ),
        (
            {"targets": ["momentum / 10"]},
            "optimizers.SGD.targets[0]: 'momentum / 10' needs learning_rate, which tuning sets later",
        ),
    ],
)
def test_what_cannot_follow_a_tuned_number_is_told_when_the_study_is_read(changes, line):
    with pytest.raises(StudyError) as caught:
        load_study(following(**changes))
    assert [each for each in caught.value.lines if line in each]


def test_a_schedule_ends_with_the_steps_that_the_tuned_setting_has(tmp_path):
    """A gradient on each of B terms of 8 costs B/8: eight times as many steps of batches of one."""
    schedule = {"kind": "exponential", "factor": 0.1}
    sgd = {"kind": "sgd", "learning_rate": 0.01, "batch": 8, "schedule": schedule}
    study = recording("loss", optimizers={"SGD": sgd}, record={}, gradient_cost=1)
    study["landscapes"] = {"bowl": STUDY["landscapes"]["bowl"] | {"terms": 8}}
    study["tuning"] |= {"ranges": {"SGD": {"batch": [1, 8]}}, "trials": 8}
    for arm in Trials(load_study(study), tmp_path).arms:
        assert arm.optimizer["schedule"]["steps"] == 60 * 8 // arm.optimizer["batch"]


def test_where_every_setting_diverges_the_one_given_is_used_and_that_is_told(tmp_path):
    ranges = {"SGD": {"learning_rate": [100.0, 1000.0]}}
    study = ALONE | {"tuning": STUDY["tuning"] | {"ranges": ranges}, "budget": 2000}
    study["optimizers"] = {"SGD": {"kind": "sgd", "learning_rate": 50.0}}
    found, _ = run(study, tmp_path)
    assert found.tuned[0]["winner"] == 0
    assert found.arms[0].optimizer["learning_rate"] == 50.0
    text = "tuning: SGD on bowl: every setting diverges in half of the worlds or more; the values given are used"
    assert tuned.notes(found.tuned) == [text]


def test_a_setting_that_never_asks_cannot_win_however_bad_the_others_are(tmp_path):
    """Of 60 evaluations a population of 100 or more asks for none and keeps the start, which any of these mutations makes worse."""
    ranges = {"GA": {"population": [20, 400]}}
    study = ALONE | {"tuning": STUDY["tuning"] | {"ranges": ranges}}
    study["optimizers"] = {
        "GA": {"kind": "ga", "population": 20, "mutation_sigma": 1e6, "crossover": "none"}
    }
    found = run(study, tmp_path)[0].tuned[0]
    asks = [setting["population"] <= 60 for setting in found["settings"]]
    assert 0 < sum(asks) < len(asks)
    assert [median is not None for median in found["median"]] == asks
    assert asks[found["winner"]]


def test_where_no_setting_asks_that_is_told(tmp_path):
    study = ALONE | {"tuning": STUDY["tuning"] | {"ranges": {"GA": {"population": [100, 400]}}}}
    study["optimizers"] = {"GA": {"kind": "ga", "population": 200}}
    found, _ = run(study, tmp_path)
    text = (
        "every setting diverges in half of the worlds or more, or never asks, as its budget is below its"
        " first step"
    )
    assert tuned.notes(found.tuned)[0] == f"tuning: GA on bowl: {text}; the values given are used"


def test_a_winner_at_an_end_and_repeated_settings_are_told():
    found = {
        "coords": {"landscape": "bowl", "optimizer": "SGD", "k": 2},
        "ranges": RATE,
        "settings": [{"learning_rate": rate} for rate in (0.1, 0.9, 0.1)],
        "median": [2.0, 1.0, 2.0],
        "winner": 1,
        "different": 2,
    }
    assert tuned.notes([found]) == [
        (
            "tuning: SGD on bowl at k = 2: its ranges hold only 2 different settings; the other 1 of 3 trials"
            " repeat them"
        ),
        (
            "tuning: SGD on bowl at k = 2: the best learning_rate is near the high end of its range; beyond"
            " may be better"
        ),
    ]
    assert len(tuned.notes([found | {"settings": [{"learning_rate": 0.3}] * 3}])) == 1


@each(
    ("rate", "text"),
    [  # the range is 0.01 .. 1 on a log scale; a twentieth of its two decades is a factor of 1.26
        (0.1, None),
        (0.85, "(0.85, as given) is near the high end of its range; beyond may be better"),
        (0.0125, "(0.0125, as given) is near the low end of its range; beyond may be better"),
        (1.0, "(1, as given) is near the high end of its range; beyond may be better"),
        (
            3.0,
            "(3, as given) is beyond the high end of its range; a range around it may hold a better one",
        ),
        (
            0.0,
            "(0, as given) is beyond the low end of its range; a range around it may hold a better one",
        ),
    ],
)
def test_a_given_value_that_wins_near_an_end_or_beyond_it_is_told(rate, text):
    ranges = {"learning_rate": {"low": 0.01, "high": 1.0, "scale": "log"}}
    settings = [{"learning_rate": value} for value in (rate, 0.3, 0.2)]
    found = {
        "coords": {"landscape": "bowl", "optimizer": "SGD"},
        "ranges": ranges,
        "settings": settings,
        "median": [1.0, 2.0, 3.0],
    }
    found |= {"winner": 0, "different": 3, "worlds": 8, "diverged": [8, 8, 8]}
    expected = [f"tuning: SGD on bowl: the best learning_rate {text}"] if text else []
    assert tuned.notes([found]) == expected
    assert not any(
        "best" in line for line in tuned.notes([found | {"median": [None] * 3}])
    )  # nothing won where all diverge


def test_swept_values_and_variants_are_tuned_apart_and_what_an_axis_does_not_touch_once(tmp_path):
    study = load_study(
        STUDY
        | {
            "sweep": {"landscapes.nk.k": [1, 2]},
            "optimizers": STUDY["optimizers"] | {"GA": {"kind": "ga", "grid": {"tournament": [2, 4]}}},
        }
    )
    found = Trials(study, tmp_path)
    assert len(found.groups) == 2 * 2 * 3  # landscapes, k, SGD and two GAs
    assert len({task.canonical for task in found.tasks}) == 3 * 5 * 3  # bowl once, nk at two k
    assert {group[0].label for group in found.groups} == {"SGD", "GA"}


# an arm against itself --------------------------------------------------------------------------------------

TWINS = {
    "name": "twins",
    "budget": 24,
    "replicates": 4,
    "checkpoints": [1.0],
    "landscapes": {"bowl": {"kind": "quadratic", "dim": 2}},
    "optimizers": {label: {"kind": "ga", "population": 4, "mutation_sigma": 1.0} for label in "AB"},
    "tuning": {
        "trials": 4,
        "worlds": 3,
        "ranges": {label: {"mutation_sigma": [0.1, 10.0]} for label in "AB"},
    },
}


@pytest.mark.verify
def test_an_arm_that_ties_with_itself_wins_half_of_the_time(tmp_path):
    """Over 100 seeds A wins 50 % +- 3 SE on the fresh worlds.

    By what it reached in its own trials, it would win far more often.
    """
    fair, flattered, seeds = 0.0, 0.0, 100
    for seed in range(seeds):
        out = tmp_path / str(seed)
        study, _ = run(TWINS | {"seed": seed}, out)
        tasks = [arm.task for arm in make_plan(study).arms]
        a, b = (float(run_cell(trials.Cell(task, 0, 4))["loss"].median()) for task in tasks)
        own = one(study, "bowl", "A")
        fair += (a < b) + 0.5 * (a == b)
        flattered += own["median"][own["winner"]] < b
    error = 0.5 / math.sqrt(seeds)
    assert abs(fair / seeds - 0.5) < 3 * error
    assert flattered / seeds - 0.5 > 3 * error


# the study file ---------------------------------------------------------------------------------------------

SPAN = (
    "expected a range [low, high] with low < high, {low: .., high: .., scale: log | linear, count: whole"
    " number >= 2}, a list of texts, or {choices: [..]}"
)


def ranges(**given):
    return {"ranges": given}


@each(
    ("changes", "more", "line"),
    [
        (
            ranges(SDG={"momentum": [0, 0.9]}),
            {},
            "tuning.ranges.SDG: unknown optimizer; did you mean 'SGD'?",
        ),
        (
            ranges(SGD={"momentun": [0, 0.9]}),
            {},
            "tuning.ranges.SGD.momentun: unknown key for sgd; did you mean 'momentum'?",
        ),
        (ranges(SGD={"momentum": [0.9, 0]}), {}, f"tuning.ranges.SGD.momentum: {SPAN}"),
        (ranges(SGD={"momentum": 0.9}), {}, f"tuning.ranges.SGD.momentum: {SPAN}, got 0.9"),
        (ranges(SGD={"momentum": [0.1, 0.2, 0.3]}), {}, f"tuning.ranges.SGD.momentum: {SPAN}"),
        (ranges(SGD={"momentum": {"low": 0.1, "hi": 0.3}}), {}, f"tuning.ranges.SGD.momentum: {SPAN}"),
        (
            ranges(SGD={"momentum": {"low": 0.1, "high": 0.3, "count": 1}}),
            {},
            f"tuning.ranges.SGD.momentum: {SPAN}",
        ),
        (
            ranges(SGD={"momentum": {"low": 0.1, "high": 0.3, "count": 2.5}}),
            {},
            f"tuning.ranges.SGD.momentum: {SPAN}",
        ),
        (
            ranges(SGD={"momentum": {"low": 0, "high": 0.3, "scale": "log"}}),
            {},
            "momentum: expected low > 0 on a log scale, got 0; say scale: linear",
        ),
        (ranges(SGD={"momentum": [0, 1]}), {}, "tuning.ranges.SGD.momentum[1]: expected < 1, got 1"),
        (
            ranges(SGD={"momentum": {"low": -1, "high": 0.5}}),
            {},
            "tuning.ranges.SGD.momentum.low: expected >= 0, got -1",
        ),
        (
            ranges(GA={"population": [4.5, 9]}),
            {},
            "tuning.ranges.GA.population[0]: expected a whole number, got 4.5",
        ),
        (
            ranges(GA={"crossover": [1, 2]}),
            {},
            "tuning.ranges.GA.crossover: is not a number, so it has no range; give a list of its values",
        ),
        (ranges(GA={"crossover": ["none"]}), {}, f"tuning.ranges.GA.crossover: {SPAN}"),
        (ranges(SGD={}), {}, "tuning.ranges.SGD: expected at least 1 entry"),
        (ranges(), {}, "tuning.ranges: expected at least 1 entry"),
        ({"trials": 1}, {}, "tuning.trials: expected >= 2, got 1"),
        ({"at": 0}, {}, "tuning.at: expected > 0, got 0"),
        ({"trails": 9}, {}, "tuning.trails: unknown key for tuning; did you mean 'trials'?"),
        (
            {},
            {"sweep": {"optimizers.SGD.learning_rate": [1, 2]}},
            "sweep.optimizers.SGD.learning_rate: is found by tuning, so it cannot be swept",
        ),
        (
            {},
            {"sweep": {"optimizers.SGD.on.nk.learning_rate": [1, 2]}},
            "SGD.on.nk.learning_rate: is found by tuning, so it cannot be swept",
        ),
        (
            {},
            {
                "optimizers": STUDY["optimizers"]
                | {"GA": {"kind": "ga", "grid": {"population": [4, 8]}}}
            },
            "tuning.ranges.GA.population: is in the optimizer's grid too; give it in one of the two",
        ),
        (
            {},
            {
                "match": {"reference": "SGD", "vary": {"GA": {"population": [4, 8]}}},
                "landscapes": {"bowl": STUDY["landscapes"]["bowl"]},
            },
            "tuning.ranges.GA.population: is in match.vary too; give it in one of the two",
        ),
        (
            {},
            {"factors": ["recombination"]},
            "factors[0]: sets crossover of GA, which is in tuning.ranges too; give it in one of the two",
        ),
    ],
)
def test_a_mistake_is_one_line(changes, more, line):
    with pytest.raises(StudyError) as caught:
        load_study(
            with_tuning(**changes)
            | {"optimizers": STUDY["optimizers"] | {"SGD": {"kind": "sgd"}}}
            | more
        )
    assert len(caught.value.lines) == 1
    assert caught.value.lines[0].endswith(line)


def test_a_wrong_choice_is_told_where_it_stands(tmp_path):
    text = (
        "name: x\nbudget: 9\nlandscapes: {nk: {kind: nk}}\noptimizers: {GA: {kind: ga}}\ntuning:\n  ranges:\n"
        "    GA: {crossover: [none, unifrom]}\n"
    )
    (tmp_path / "study.yaml").write_text(text)
    with pytest.raises(
        StudyError,
        match=r"study.yaml:7:28: tuning.ranges.GA.crossover\[1\]: expected .* did you mean 'uniform'\?",
    ) as caught:
        load_study(tmp_path / "study.yaml")
    assert len(caught.value.lines) == 1


def test_the_resolved_study_tunes_again_and_the_figure_needs_a_tuning():
    study = load_study(STUDY | {"figures": ["sensitivity"]})
    assert load_study(study.resolved) == study
    assert study.tuning.ranges["SGD"]["learning_rate"] == {"low": 0.001, "high": 1e25, "scale": "log"}
    with pytest.raises(
        StudyError, match="sensitivity shows the `tuning` of a study, and this one has none"
    ):
        load_study(BARE | {"figures": ["sensitivity"]})
    assert load_study(STUDY | {"tuning": None}).tuning is None


def test_tuning_leaves_the_addresses_of_a_study_without_it_alone():
    plain, asked = (
        [cell.address for cell in make_plan(load_study(study)).cells(())] for study in (BARE, STUDY)
    )
    assert plain == asked


# the command line and the Dataset ---------------------------------------------------------------------------


@pytest.mark.usefixtures("unpaced")
def test_a_run_tunes_first_and_a_second_one_finds_everything(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(studies.figures, "save", sketch)
    file = str(write(tmp_path, ALONE | {"figures": ["sensitivity"]}))
    assert main([file, "--dry-run", "--out", str(tmp_path / "out")]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert (
        "tuning: SGD: 5 trials for each of 1 arms on 6 worlds of their own, 1,800 evaluations; 5 of 5 are"
        " missing" in shown
    )
    assert "tuning: random: no ranges" in shown
    assert not (tmp_path / "out").exists()

    assert again(tmp_path) == 0
    before, shown = cells(tmp_path), capsys.readouterr()
    assert "5 trials on 6 worlds that the study does not use" in shown.out
    assert "tuning: random: no ranges" in " ".join(shown.err.split())
    assert (tmp_path / "out" / "figures" / "sensitivity.png").exists()
    data = view.open_study(tmp_path / "out")
    found = json.loads(data.attrs["tuning"])
    costs = data["tuning_cost"].sel(landscape="bowl")
    assert costs.sel(optimizer=["SGD", "GA", "random"]).values.tolist() == [
        found[0]["cost"],
        found[1]["cost"],
        0,
    ]
    assert costs.attrs["units"] == "evaluations"
    xr.testing.assert_equal(tuning_cost(data).variable, data["tuning_cost"].variable)
    assert again(tmp_path) == 0
    assert cells(tmp_path) == before
    capsys.readouterr()
    assert main([file, "--dry-run", "--out", str(tmp_path / "out")]) == 0
    shown = capsys.readouterr().out
    assert "trials are not there yet" not in shown
    assert "tuning: 5 trials" in shown

    told = sensitivity(data)
    for one_ in found:
        arm = told.sel(one_["coords"])
        assert arm["loss"].values.tolist() == [math.inf if m is None else m for m in one_["median"]]
        assert arm["trial"].values[arm["winner"]].tolist() == [one_["winner"]]
        for name in one_["ranges"]:
            assert arm["text"].sel(parameter=name).values.tolist() == [
                str(setting[name]) for setting in one_["settings"]
            ]
    assert told["value"].sel(optimizer="SGD", parameter="learning_rate").values.ravel().tolist() == [
        s["learning_rate"] for s in found[0]["settings"]
    ]
    crossing = told.sel(optimizer="GA", parameter="crossover").squeeze()
    assert [
        json.loads(crossing["choices"].item())[int(i)] for i in crossing["value"].values
    ] == crossing["text"].values.tolist()
    assert told["scale"].to_series().to_dict() == {
        ("SGD", "learning_rate"): "log", ("SGD", "population"): "", ("SGD", "crossover"): "",
        ("GA", "learning_rate"): "", ("GA", "population"): "log", ("GA", "crossover"): "choices",
        ("random", "learning_rate"): "", ("random", "population"): "", ("random", "crossover"): "",
    }  # fmt: skip
    assert told["loss"].sel(optimizer="random").isnull().all()
    with pytest.raises(
        ValueError, match="sensitivity: expected a study with `tuning:`, found none in these results"
    ):
        sensitivity(data.drop_attrs())


BROKEN = {"kind": BOWL, "trouble": "raise"}
SLOW = ALONE | {"landscapes": {"bowl": {"kind": BOWL}}, "figures": []}


@pytest.mark.verify
@pytest.mark.usefixtures("interrupts")
def test_a_run_that_is_interrupted_among_its_trials_goes_on(tmp_path):
    write(tmp_path, SLOW)
    process = start(tmp_path, "--workers", "1", delay=1.0)
    wait_for(lambda: len(cells(tmp_path)) >= 2)
    os.killpg(process.pid, signal.SIGINT)
    code, _, err = finish(process)
    assert code == 130, err
    assert "Traceback" not in err
    before = cells(tmp_path)
    assert len(before) < 10
    assert not (tmp_path / "out" / "plan.json").exists()
    assert again(tmp_path) == 0
    assert before.items() < cells(tmp_path).items()
    study, computed = run(SLOW, tmp_path / "other")
    assert computed == 10
    assert json.loads(view.open_study(tmp_path / "out").attrs["tuning"]) == json.loads(
        json.dumps(study.tuned)
    )


@pytest.mark.verify
def test_a_trial_that_fails_ends_the_run_and_is_tried_again(tmp_path, capsys):
    write(tmp_path, SLOW | {"landscapes": {"bowl": BROKEN | {"while_there": str(tmp_path / "broken")}}})
    (tmp_path / "broken").touch()
    assert again(tmp_path) == 2
    assert "cells failed; why is in" in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "out" / "plan.json").exists()
    (tmp_path / "broken").unlink()
    assert again(tmp_path) == 0
