"""Runs and hits counted in cost, steps, epochs, virtual time and seconds; these on a clock of the test's."""

import math
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from landscapes.oracle.bill import Bill
from landscapes.oracle.oracle import Oracle
from optimizers.gradient.async_sgd import AsyncSGD
from optimizers.gradient.sgd import SGD
from studies.cells.truth import Truth
from studies.text.schema import CLOCKS, Status
from tests.studies.cells.test_loop import BOWL, Bowl, run, task
from tests.support.each import each
from tests.support.fake_time import fake_time
from tests.support.plugins import Sound

GD = {"kind": "sgd", "learning_rate": 0.25}
SERVICE = {"kind": "exponential", "scale": 2.0}
FIELD = {"kind": "gaussian_field", "dim": 3, "waves": 64}
HITS = [f"{stem}_{clock}" for stem in ("hit", "best_hit") for clock in CLOCKS]


def noise(batch=None, gradient=0.0):
    return {
        "batch": batch,
        "sampling": "replacement",
        "shared": True,
        "evaluation": {"value": 0.0, "gradient": gradient},
    }


def workers(**options):
    return {"kind": "async_sgd", "workers": 4, "learning_rate": 0.05, "service": SERVICE, **options}


def steps_take(monkeypatch, seconds, method=SGD):
    """Makes steps of a method take so many seconds, or what they give for its state; answers take none."""

    def of_tell(own, state, *args):
        return seconds(state) if callable(seconds) else seconds

    clock = fake_time(monkeypatch)
    monkeypatch.setattr(method, "tell", clock.spends(method.tell, of_tell))
    return clock


def first(passed, times):
    """The first of times (R, C) at which something is passed (R, C), inf: never."""
    return np.where(passed, times, np.inf).min(1)


class TestBudgets:
    def test_of_steps(self):
        data = run(task(BOWL, GD, clock="steps", budget=7.0, checkpoints=[1.0, 3.0, 7.0]), range(3))
        assert data["steps"].values.tolist() == [[1, 3, 7]] * 3
        assert data["gradient_terms"].values.tolist() == [[1, 3, 7]] * 3
        assert (data["status"][:, -1] == Status.BUDGET_SPENT).all()
        shorter = run(task(BOWL, GD, budget=21.0, checkpoints=[3.0, 9.0, 21.0]), range(3))
        np.testing.assert_array_equal(data["loss"], shorter["loss"])  # 3 evaluations a step

    def test_of_steps_of_a_population(self):
        """Four samples are asked in each generation."""
        spec = {"kind": "openai_es", "population": 4}
        data = run(task(BOWL, spec, clock="steps", budget=5.0, checkpoints=[2.5, 5.0]), range(3))
        assert data["steps"].values.tolist() == [[2, 5]] * 3
        assert data["value_terms"].values.tolist() == [[8, 20]] * 3

    @pytest.mark.parametrize("price", [1.0, 3.0])
    def test_of_epochs_at_any_price_of_a_gradient(self, price):
        """8 of 64 terms a step: 8 steps an epoch."""
        prices = {"value": price, "low": price / 2, "high": price}
        how = {"noise": noise(batch=8), "gradient_cost": prices, "clock": "epochs", "budget": 3.0}
        data = run(task(FIELD, GD, checkpoints=[1.0, 2.06, 3.0], **how), range(2))
        assert data["steps"].values.tolist() == [[8, 16, 24]] * 2
        assert data["epochs"].values.tolist() == [[1, 2, 3]] * 2

    def test_a_step_beyond_the_budget_of_epochs_is_not_shown(self):
        """24 of 64 terms a step: the third ends at 1.125."""
        how = {"noise": noise(batch=24), "clock": "epochs", "budget": 1.0, "checkpoints": [1.0]}
        data = run(task(FIELD, GD, **how), range(2))
        assert data["steps"].values.tolist() == [[2]] * 2
        assert (data["status"] == Status.BUDGET_SPENT).all()

    def test_of_virtual_time_are_the_events_until_then(self):
        every = task(
            BOWL, workers(), clock="steps", budget=60.0, checkpoints=[*map(float, range(1, 61))]
        )
        events = run(every, range(4))["virtual_time"].values
        data = run(replace(every, clock="virtual_time", budget=9.0, checkpoints=[4.0, 9.0]), range(4))
        assert (events[:, -1] > 9).all()
        expected = np.stack([(events <= end).sum(1) for end in (4.0, 9.0)], 1)
        np.testing.assert_array_equal(data["steps"], expected)
        assert len(np.unique(expected[:, 1])) > 1  # each world in a time of its own
        assert (data["status"][:, -1] == Status.BUDGET_SPENT).all()

    def test_of_virtual_time_up_to_a_barrier(self):
        """Constant services of 0.5: one step in each."""
        spec = workers(mode="sync", service={"kind": "constant", "scale": 0.5})
        how = {"clock": "virtual_time", "budget": 2.2, "checkpoints": [0.4, 1.0, 2.2]}
        data = run(task(BOWL, spec, **how), range(2))
        assert data["steps"].values.tolist() == [[0, 2, 4]] * 2


class TestSeconds:
    def test_a_budget_of_seconds_holds_as_many_steps_of_one(self, monkeypatch):
        steps_take(monkeypatch, 1.0)
        how = {"budget": 7.0, "checkpoints": [1.0, 3.5, 7.0]}
        data = run(task(BOWL, GD, clock="seconds", **how), range(3))
        assert data["steps"].values.tolist() == [[1, 3, 7]] * 3
        assert data["seconds"].values.tolist() == [[1, 3, 7]] * 3
        assert (data["status"][:, -1] == Status.BUDGET_SPENT).all()
        counted = run(task(BOWL, GD, clock="steps", **how), range(3))
        np.testing.assert_array_equal(data["loss"], counted["loss"])

    def test_a_step_beyond_the_budget_is_not_shown(self, monkeypatch):
        """Of 0.75 each: the third ends at 2.25."""
        steps_take(monkeypatch, 0.75)
        data = run(task(BOWL, GD, clock="seconds", budget=2.0, checkpoints=[2.0]), range(2))
        assert data["steps"].values.tolist() == [[2]] * 2
        assert data["seconds"].values.tolist() == [[1.5]] * 2

    def test_a_first_step_beyond_the_budget_leaves_the_start(self, monkeypatch):
        steps_take(monkeypatch, 0.75)
        data = run(task(BOWL, GD, clock="seconds", budget=0.5, checkpoints=[0.5]), range(2))
        assert data["steps"].values.tolist() == [[0]] * 2
        np.testing.assert_array_equal(data["loss"][:, 0], data["start_loss"])

    def test_ask_and_answer_take_them_too_and_looks_do_not(self, monkeypatch):
        """A step is 1 + 2 + 4; each look at the truth, of which there are many, takes 1000."""
        clock = steps_take(monkeypatch, 1.0)
        for owner, name, seconds in (
            (SGD, "ask", 2.0),
            (Oracle, "__call__", 4.0),
            (Truth, "__call__", 1000.0),
        ):
            monkeypatch.setattr(owner, name, clock.spends(getattr(owner, name), seconds))
        hunt = task(BOWL, GD, clock="seconds", budget=21.0, checkpoints=[7.0, 21.0], targets=[0.1])
        assert run(hunt, range(2))["seconds"].values.tolist() == [[7, 21]] * 2

    @each(
        "how",
        [{"budget": 14.0, "checkpoints": [2.0, 14.0]}, {"budget": 3.0, "checkpoints": [1.0, 3.0]}],
    )
    def test_looks_at_kinds_of_the_users_take_none(self, how, monkeypatch):
        """They call it again, ever more rarely; a step of its own takes 0.5, the landscape's loss 0.25."""
        clock = fake_time(monkeypatch)
        monkeypatch.setattr(Sound, "tell", clock.spends(Sound.tell, 0.5))
        monkeypatch.setattr(Bowl, "loss", clock.spends(Bowl.loss, 0.25))
        sound = {"kind": "tests.support.plugins:Sound"}
        data = run(task(BOWL, sound, clock="seconds", **how), range(3))
        assert (data["seconds"] == 0.75 * data["steps"]).all()
        assert data["steps"].values.tolist() == [[int(end / 0.75) for end in how["checkpoints"]]] * 3
        assert clock.now > 100 + how["budget"] + 0.75  # there were looks

    def test_a_world_that_has_ended_spends_none(self):
        bill = Bill(2, terms=1, budget=9.0)
        for seconds, lost in ((2.5, [False, True]), (4.0, [False, False])):
            bill.charge(1, gradient=False)
            bill.tick("seconds", seconds)
            bill.close(np.array(lost))
        assert bill.on("seconds").tolist() == [4.0, 2.5]

    def test_a_hit_is_at_the_end_of_its_step(self, monkeypatch):
        """The k-th takes k: the first k take k (k + 1) / 2."""
        steps_take(monkeypatch, lambda state: 1.0 + int(state.step[0]))
        data = run(task(BOWL, GD, targets=[0.1, 1e-9]), range(5))
        for stem in ("hit", "best_hit"):
            steps = data[f"{stem}_steps"]
            assert np.isfinite(steps[:, 0]).all()
            np.testing.assert_array_equal(
                data[f"{stem}_seconds"][:, 0], (steps * (steps + 1) / 2)[:, 0]
            )
            np.testing.assert_array_equal(data[f"{stem}_seconds_low"], data[f"{stem}_seconds"])
        assert np.isinf(data["hit_seconds"][:, 1]).all()


class TestHits:
    def test_of_constant_steps_is_their_number_times_what_one_takes(self):
        data = run(task(BOWL, GD, targets=[0.1, 1e-9]), range(5))
        steps = np.ceil(np.log(data["start_loss"] / 0.1) / np.log(0.75**-2))  # x_k = 0.75^k x_0
        np.testing.assert_array_equal(data["hit_steps"][:, 0], steps)
        np.testing.assert_array_equal(data["hit_cost"], 3 * data["hit_steps"])
        np.testing.assert_array_equal(data["hit_epochs"], data["hit_steps"])
        np.testing.assert_array_equal(
            data["best_hit_steps"][:, 0], steps + 1
        )  # seen one gradient later
        assert np.isinf(data["hit_steps"][:, 1]).all()
        assert "hit_virtual_time" not in data

    def test_of_virtual_time_is_that_of_the_event(self):
        every = task(
            BOWL,
            workers(),
            noise=noise(gradient=0.3),
            clock="steps",
            budget=40.0,
            checkpoints=[*map(float, range(1, 41))],
        )
        seen = run(every, range(5))
        targets = [float(level) for level in np.quantile(seen["loss"], [0.8, 0.4, 0.1])]
        data = run(replace(every, targets=targets, checkpoints=[40.0]), range(5))
        for place, target in enumerate(targets):
            for stem, loss in (("hit", seen["loss"]), ("best_hit", seen["best_loss"])):
                for clock in ("steps", "epochs", "virtual_time"):
                    expected = first(loss.values <= target, seen[clock].values)
                    np.testing.assert_array_equal(data[f"{stem}_{clock}"][:, place], expected)
        assert np.isfinite(data["hit_virtual_time"]).any()

    @each("clock", CLOCKS)
    def test_checkpoints_move_no_hit(self, clock, monkeypatch):
        steps_take(monkeypatch, 0.75, AsyncSGD)
        hunt = task(BOWL, workers(), targets=[0.5, 0.1], clock=clock, budget=20.0, checkpoints=[20.0])
        data = run(hunt, range(4))
        fine = run(replace(hunt, checkpoints=[k / 5 for k in range(1, 101)]), range(4))
        for name in HITS:
            xr.testing.assert_identical(
                data[name].drop_vars("replicate"), fine[name].drop_vars("replicate")
            )
            xr.testing.assert_equal(data[f"{name}_low"], fine[f"{name}_low"])

    def test_where_truth_takes_longer_than_a_step_lie_between_two_looks(self, monkeypatch):
        """A step of a net on 4 of 1437 terms reads 1e5 + 3 * 4 D numbers, D = 235, the truth 1437 D."""
        steps_take(monkeypatch, 0.25)
        net = task(
            {"kind": "digits", "hidden": 3},
            {"kind": "sgd", "learning_rate": 0.3},
            noise=noise(batch=4),
            clock="steps",
            budget=143.0,
            checkpoints=[*map(float, range(1, 144))],
            truth=0.1,
            targets=[2.3, 2.2, 2.1],
        )
        data = run(net, range(2))
        gap = math.ceil(1437 * 235 / 0.1 / (1e5 + 12 * 235))
        looks = np.arange(gap, 143, gap)
        for place, target in enumerate(net.targets):
            passed = data["loss"].values[:, looks - 1] <= target
            expected = first(passed, np.broadcast_to(looks, passed.shape))
            hit, low = (data[name].values[:, place] for name in ("hit_steps", "hit_steps_low"))
            inside = np.isfinite(expected)
            np.testing.assert_array_equal(hit[inside], expected[inside])
            np.testing.assert_array_equal(low[inside], expected[inside] - gap)
            np.testing.assert_array_equal(data["hit_seconds"][:, place], hit / 4)
            np.testing.assert_array_equal(data["hit_seconds_low"][:, place], low / 4)
        assert (data["hit_steps_low"] < data["hit_steps"]).any()
        np.testing.assert_allclose(data["hit_epochs"], data["hit_steps"] * 4 / 1437, rtol=1e-12)
