"""Results at another price of a gradient: looked up, they are those of the study run anew at that price."""

import functools
import itertools
import json

import numpy as np
import pytest
import xarray as xr

from studies.analysis.price.pricing import cost_at, horizon, look_up, prices, window
from studies.analysis.price.repricing import repriced
from studies.analysis.price.spending import gradients_until, hits
from studies.results.hits import budget, spent
from tests.support.priced import STUDY, run
from tests.support.ran import priced, stored

SAME = (
    "loss",
    "best_loss",
    "observed",
    "value_terms",
    "gradient_terms",
    "steps",
    "diversity",
    "step_length",
)
TERMS = {
    "budget": 20,
    "landscapes": {"bowl": {"kind": "quadratic", "dim": 4, "condition": 10.0, "terms": 8}},
    "noise": {"batch": 2},
}


@functools.cache
def ran(value, low, high, terms=False):
    return run(STUDY | TERMS, value, low, high, unit=0.25) if terms else run(STUDY, value, low, high)


def made_up(values, gradients, value=3.0, low=1.0, loss=None, end=100.0, status=0):
    """A Dataset of the counts (optimizer, replicate, checkpoint), checkpoints of equal spacing up to `end`."""
    values, gradients = np.broadcast_arrays(np.asarray(values), np.asarray(gradients))
    dims, n = ("optimizer", "replicate", "checkpoint"), values.shape[-1]
    loss = np.broadcast_to(np.arange(n, 0.0, -1) if loss is None else loss, values.shape).copy()
    part = np.linspace(0, 1, n + 1)[1:]
    found = {"loss": (dims, loss), "value_terms": (dims, values), "gradient_terms": (dims, gradients)}
    found["status"] = (dims, np.broadcast_to(np.int8(status), values.shape).copy())
    coords = {
        "optimizer": [f"arm {i}" for i in range(len(values))],
        "checkpoint": part,
        "cost": ("checkpoint", part * end),
        "terms": 1.0,
    }
    return xr.Dataset(
        found, coords, {"config": json.dumps({"gradient_cost": {"value": value, "range": [low, 20.0]}})}
    )


class TestAgainstARunAtThatPrice:
    @pytest.mark.daily(1)
    @pytest.mark.parametrize("price", [pytest.param(1.0, marks=pytest.mark.verify), 2.5, 3.0, 20.0])
    def test_every_number_is_that_of_the_run(self, price):
        told = repriced(ran(3.0, 1.0, 20.0), price)
        again = run(
            STUDY, price, price, price, budget=float(told["cost"][-1]), costs=told["cost"].values
        )
        assert float(told["cost"][-1]) == 60
        seen = (told["status"] < 5).values
        for name in SAME:
            np.testing.assert_array_equal(
                told[name].values[seen], again[name].values[seen], err_msg=name
            )
        np.testing.assert_array_equal(told["status"].values[seen], again["status"].values[seen])
        assert seen.all()
        for name in ("hit_cost", "best_hit_cost"):
            np.testing.assert_allclose(told[name], again[name], rtol=1e-12, err_msg=name)
            np.testing.assert_allclose(told[f"{name}_bounds"].isel(bound=0), told[name], rtol=1e-12)

    def test_terms_of_mini_batches_are_counted(self):
        told = repriced(ran(3.0, 1.0, 20.0, terms=True), 5.0)
        again = run(
            STUDY | TERMS, 5.0, 5.0, 5.0, budget=float(told["cost"][-1]), costs=told["cost"].values
        )
        seen = (told["status"] < 5).values
        np.testing.assert_array_equal(told["loss"].values[seen], again["loss"].values[seen])
        np.testing.assert_array_equal(
            told["gradient_terms"].values[seen], again["gradient_terms"].values[seen]
        )

    def test_a_wrong_price_is_seen(self):
        told = repriced(ran(3.0, 1.0, 20.0), 2.5)
        again = run(STUDY, 2.4, 2.4, 2.4, budget=60.0, costs=told["cost"].values)
        same = (told["loss"] == again["loss"].values).mean(["replicate", "checkpoint"])
        assert same.sel(optimizer="SGD") < 0.9
        assert same.sel(optimizer="GA") == 1

    def test_arms_of_gradients_alone_have_more_at_a_higher_price(self):
        alone = ran(3.0, 1.0, 20.0).sel(optimizer=["SGD"])
        assert horizon(alone, 20.0) == 60 * 20
        told = repriced(alone, 20.0)
        again = run(
            STUDY | {"optimizers": {"SGD": STUDY["optimizers"]["SGD"]}},
            20.0,
            20.0,
            20.0,
            budget=1200.0,
            costs=told["cost"].values,
        )
        seen = (told["status"] < 5).values
        np.testing.assert_array_equal(told["loss"].values[seen], again["loss"].values[seen])
        np.testing.assert_allclose(told["hit_cost"], again["hit_cost"])

    def test_twice_is_once(self):
        once = repriced(ran(3.0, 1.0, 20.0).sel(optimizer=["GA"]), 5.0)
        xr.testing.assert_allclose(repriced(once, 5.0).drop_attrs(), once.drop_attrs())


class TestWindow:
    def test_checkpoints_that_end_early_end_the_budget(self):
        """At a tenth of the price the horizon is where the checkpoints end.

        Runs are billed so far, and not what they had to spend afterwards.
        """
        whole = ran(3.0, 1.0, 20.0)
        early = whole.isel(checkpoint=slice(90))
        told = repriced(early, 3.0)
        assert float(budget(told)) == pytest.approx(60)
        assert float(told["checkpoint"][-1]) == 1
        cut = repriced(whole.isel(checkpoint=slice(45)), 3.0)
        assert float(budget(cut)) == float(cut["cost"][-1]) == pytest.approx(45)
        assert (spent(cut) <= 45 * (1 + 1e-9)).all()

    def test_values_until_the_budget_gradients_until_it_is_spent_at_the_lowest_price(self):
        data = ran(3.0, 1.0, 20.0)
        for price in (0.5, 1.0, 3.0, 20.0):
            _, end = window(data, price)
            assert float(end.sel(optimizer="GA")) == 60
            assert float(end.sel(optimizer="SGD")) == pytest.approx(60 * price)
            lows = 60 + (price - 1) * data["gradient_terms"].sel(optimizer="memetic").max("checkpoint")
            assert float(end.sel(optimizer="memetic")) == pytest.approx(float(lows.min()), rel=0.05)

    def test_nothing_is_told_beyond_or_before(self):
        data = made_up(
            [[[0, 0, 0, 0]]], [[[8, 16, 25, 33]]]
        )  # gradients at 3: checkpoints at 25, 50, 75 and 100
        assert window(data, 6.0)[0] == 48
        assert window(data, 6.0)[1] == 100 + 3 * 33
        assert np.isnan(look_up(data, ["loss"], 6.0, 47.9)["loss"]).all()
        assert look_up(data, ["loss"], 6.0, 48.0)["loss"].item() == 4
        assert look_up(data, ["loss"], 6.0, 95.9)["loss"].item() == 4
        assert look_up(data, ["loss"], 6.0, 96.0)["loss"].item() == 3
        assert look_up(data, ["loss"], 6.0, 199.0)["loss"].item() == 1
        assert np.isnan(look_up(data, ["loss"], 6.0, 199.1)["loss"]).all()

    def test_a_cost_that_rounds_is_reached(self):
        data = made_up([[[0, 0]]], [[[1, 3]]])
        assert look_up(data, ["loss"], 0.1, 0.3)["loss"].item() == 1  # 3 times 0.1 is more than 0.3

    def test_an_arm_is_known_where_all_its_worlds_are(self):
        data = made_up([[[0, 0], [0, 0]]], [[[10, 30], [16, 33]]])
        begin, end = window(data, 6.0)
        assert (begin, end) == (16 * 6, 100 + 3 * 30)
        assert np.isnan(look_up(data, ["loss"], 6.0, 70.0)["loss"]).all()

    def test_checkpoints_that_end_before_the_budget_end_what_is_known(self):
        data = made_up(
            [[[5, 10, 20, 40]], [[0, 0, 0, 0]]], [[[0, 0, 0, 0]], [[2, 4, 6, 12]]], end=40.0
        ).assign_coords(checkpoint=[0.1, 0.2, 0.3, 0.4])
        assert window(data, 3.0)[1].values.tolist() == [100 / 3, 40]  # the budget is 100 / 3
        assert window(data, 1.0)[1].values.tolist() == [100 / 3, 40 / 3]
        assert window(data, 20.0)[1].values.tolist() == [100 / 3, 40 + 17 * 12]

    def test_worlds_without_numbers_are_left_out_and_diverged_ones_stay_as_they_are(self):
        data = made_up([[[0, 0], [0, 0], [0, 0]]], [[[10, 30], [0, 0], [2, 2]]])
        data["status"][0, 1] = 4
        data["status"][0, 2] = 3
        data["loss"][0, 2] = np.inf
        told = look_up(data, ["loss"], 3.0, 100.0)["loss"].values[0]
        np.testing.assert_array_equal(told, [1, np.nan, np.inf])
        assert window(data, 3.0)[1] == 100

    def test_arms_that_have_all_diverged_or_are_missing(self):
        data = made_up(
            [[[0, 0]], [[4, 9]]], [[[2, 2]], [[0, 0]]], status=np.array([[[3, 3]], [[5, 5]]])
        )
        assert window(data, 3.0)[1].values.tolist() == [np.inf, -np.inf]
        assert horizon(data, 3.0) == pytest.approx(100 / 3)
        assert repriced(data, 3.0)["status"].sel(optimizer="arm 1").values.tolist() == [[5, 5]]


class TestHits:
    def test_between_checkpoints_the_bounds_hold_every_way_that_the_counts_allow(self):
        steps = list(
            itertools.product(["value", "gradient"], repeat=4)
        )  # all orders of four steps after a first of each
        for order in steps:
            spent = np.cumsum([1, 3, *(1 if kind == "value" else 3 for kind in order)])
            gradients = np.cumsum([0, 1, *(kind == "gradient" for kind in order)])
            values = np.arange(1, 7) - gradients
            data = made_up(values[None, None, [1, 5]], gradients[None, None, [1, 5]])
            hit = xr.DataArray(
                spent[None, None, 2:].astype(float), dims=("optimizer", "replicate", "target")
            )
            told, low, high = (part.values[0, 0] for part in gradients_until(data, hit))
            truth = gradients[2:]
            assert (low - 1e-9 <= truth).all()
            assert (truth <= high + 1e-9).all()
            assert ((low - 1e-9 <= told) & (told <= high + 1e-9)).all()
            if len(set(order)) == 1:
                np.testing.assert_allclose(told, truth)
            priced, bounds = hits(data.assign(hit_cost=hit), 10.0)
            assert (
                (bounds[..., 0] - 1e-9 <= values[2:] + 10 * truth)
                & (values[2:] + 10 * truth <= bounds[..., 1] + 1e-9)
            ).all()
            assert ((bounds[..., 0] - 1e-9 <= priced) & (priced <= bounds[..., 1] + 1e-9)).all()

    def test_a_lower_price_turns_the_bounds_over(self):
        data = made_up([[[1, 4]]], [[[1, 3]]])
        _, bounds = hits(data.assign(hit_cost=(("optimizer", "replicate", "target"), [[[8.0]]])), 1.0)
        assert bounds.values.ravel().tolist() == pytest.approx([
            10 / 3,
            16 / 3,
        ])  # of 8, the first value leaves 7 / 3 gradients; four leave 4 / 3

    def test_before_the_first_record_nothing_was_spent(self):
        data = made_up([[[0, 0]]], [[[4, 8]]])
        told, bounds = hits(
            data.assign(hit_cost=(("optimizer", "replicate", "target"), [[[6.0, 30.0, np.inf]]])), 10.0
        )
        assert told.values.tolist() == [[[20.0, 100.0, np.inf]]]
        assert bounds.values.tolist() == [[[[20.0, 20.0], [10 * 8 + 6, 100.0], [np.inf, np.inf]]]]


class TestPrices:
    def test_are_those_of_the_study(self):
        assert prices(ran(3.0, 1.0, 20.0)) == (3, 1, 20)

    def test_wrong_ones_are_refused(self):
        for price in (0.0, -1.0, np.inf, np.nan):
            with pytest.raises(ValueError, match="expected a price of a gradient > 0"):
                cost_at(ran(3.0, 1.0, 20.0), price)

    def test_a_swept_price_is_refused(self):
        ran = stored(
            {"bowl": {}},
            axes={"price": [1, 2]},
            also=lambda place: {"study": {"gradient_cost": priced(place["price"])}},
        )
        with pytest.raises(ValueError, match="expected one price of a gradient for the whole study"):
            prices(xr.Dataset(coords={"price": [1, 2]}, attrs={"settings": ran}))

    def test_a_landscape_that_moves_with_the_cost_is_refused(self):
        with pytest.raises(ValueError, match="bowl would have moved otherwise"):
            prices(
                xr.Dataset(attrs={"settings": stored({"bowl": {"kind": "moving", "clock": "cost"}})})
            )
