"""When targets were hit and what was spent, from recorded hits and from checkpoints."""

import json

import numpy as np
import pytest
import xarray as xr

from studies.analysis.comparison.paired import losses
from studies.results.hits import at_budget, at_cost, budget, hits, lateness, spent
from studies.results.prices import prices
from studies.study_file.loading import load_study
from studies.study_file.plan import make_plan, manifest
from tests.support.analysis import results, timed
from tests.support.each import each
from tests.support.ran import priced, stored

LOSS = [[5.0, 3.0, 4.0, 1.0], [5.0, 5.0, 5.0, 5.0]]
COST = [10.0, 20.0, 40.0, 100.0]


class TestHits:
    def test_recorded_ones_are_taken(self):
        data = timed([30.0, np.inf])
        assert hits(data).values.tolist() == [[30.0], [np.inf]]
        assert hits(data)["target_loss"].values.tolist() == [0.5]

    def test_given_ones_are_the_first_state_shown(self):
        found = hits(results(LOSS, COST), [3.5, 3.0, 2.0, 0.5])
        assert found.values.tolist() == [[20, 20, 100, np.inf], [np.inf] * 4]

    def test_the_cost_is_the_states_and_not_the_checkpoints(self):
        found = hits(results(LOSS, COST, spent=[[9, 17, 33, 97]] * 2), [3.5, 1.0])
        assert found[0].values.tolist() == [17, 97]

    def test_a_state_beyond_the_budget_is_none(self):
        """At a lowest price of 1 the budget is 100 / 3.

        Values cost 1, so a state at 40 overshot it, and one of gradients did not.
        """
        assert hits(results(LOSS, COST, low=1.0), [3.5, 1.0])[0].values.tolist() == [20, np.inf]
        assert hits(results(LOSS, COST, low=1.0, gradients=1.0), [3.5, 1.0])[0].values.tolist() == [
            20,
            100,
        ]

    def test_what_a_world_shows_when_it_has_diverged_is_no_hit(self):
        assert hits(results(LOSS, COST, status=3), [3.5, 1.0])[0].values.tolist() == [20, np.inf]

    @pytest.mark.parametrize("status", [4, 5])
    def test_worlds_without_numbers_have_none(self, status):
        data = timed([30.0, np.inf], status=[2, status])
        assert np.isnan(hits(data)[1]).all()
        assert np.isnan(hits(data, [0.5])[1]).all()
        assert np.isnan(spent(data)[1])

    def test_by_how_much_a_hit_may_have_come_before(self):
        data = timed([30.0, 50.0, np.inf])
        assert lateness(data).values.tolist() == [
            [0],
            [0],
            [0],
        ]  # an older study, or an imported one, knows no interval
        known = data.assign(
            hit_cost_low=(
                data["hit_cost"].dims,
                np.array([20.0, 50.0, np.inf]).reshape(data["hit_cost"].shape),
            )
        )
        assert lateness(known).values.tolist() == [[10], [0], [0]]

    def test_of_given_targets_it_is_the_gap_between_the_checkpoints_states(self):
        """Losses 5, 3, 4, 1 at costs 10, 20, 40, 100.

        3.5 was reached between 10 and 20, 1.0 between 40 and 100, 5.0 by 10.
        """
        data = results(LOSS, COST)
        assert lateness(data, [3.5, 1.0, 5.0, 0.5])[0].values.tolist() == [10, 60, 10, 0]
        each = data.assign(steps=data["status"] * 0 + xr.DataArray([1, 2, 3, 10], dims="checkpoint"))
        assert lateness(each, [3.5, 1.0, 5.0, 0.5])[0].values.tolist() == [
            0,
            60,
            10,
            0,
        ]  # no state lies between two steps

    def test_targets_may_differ_between_landscapes(self):
        data = xr.concat(
            [results(LOSS, COST)] * 2,
            xr.Variable("landscape", ["a", "b"]),
            data_vars="all",
            coords="minimal",
            compat="override",
        )
        told = hits(
            data,
            xr.DataArray(
                [[3.5, 1.0], [4.5, np.nan]],
                dims=("landscape", "target"),
                coords={"landscape": ["a", "b"]},
            ),
        )
        np.testing.assert_array_equal(told.isel(replicate=0), [[20, 100], [20, np.nan]])

    def test_targets_are_those_of_their_landscape_whatever_the_order(self):
        """Losses 5, 3, 4, 1 at costs 10, 20, 40, 100 on a, b and c; c has no target, and d is not there."""
        every = xr.Variable("landscape", ["a", "b", "c"])
        data = xr.concat([results(LOSS, COST)] * 3, every, coords="minimal", compat="override")
        given = {"landscape": ["d", "b", "a"]}
        targets = xr.DataArray([[0.1], [1.0], [3.5]], given, ("landscape", "target"))
        reached = hits(data, targets)
        assert reached["landscape"].values.tolist() == ["a", "b", "c"]
        np.testing.assert_array_equal(reached.isel(replicate=0, target=0), [20, 100, np.nan])
        np.testing.assert_array_equal(reached["target_loss"].isel(target=0), [3.5, 1.0, np.nan])
        np.testing.assert_array_equal(lateness(data, targets).isel(replicate=0, target=0)[:2], [10, 60])

    def test_chunked_results_stay_on_disk(self):
        data = results(LOSS, COST).chunk(replicate=1)
        assert hits(data, [3.5]).chunks is not None
        np.testing.assert_array_equal(hits(data, [3.5]), hits(results(LOSS, COST), [3.5]))

    def test_bad_input_is_one_line(self):
        with pytest.raises(
            ValueError,
            match=r"^hits: expected a study with `targets:`, these results have no hit_cost; give losses",
        ):
            hits(results(LOSS, COST))
        with pytest.raises(
            ValueError,
            match=r"^hits: expected which to be one of hit_cost, hit_steps, .*, best_hit_seconds; got 'loss'$",
        ):
            hits(results(LOSS, COST), [1.0], which="loss")
        with pytest.raises(
            ValueError, match=r"^hits: expected targets with the dim `target`, one loss or more; got"
        ):
            hits(results(LOSS, COST), [])


class TestSpent:
    def test_a_world_whose_budget_is_spent_is_billed_the_budget(self):
        """Not the 97 before its last step, and not the 104 after it."""
        assert spent(results(LOSS, COST, spent=[[9, 17, 33, 97]] * 2)).values == pytest.approx([
            100,
            100,
        ])
        assert spent(results(LOSS, COST, spent=[[9, 17, 33, 104]] * 2)).values == pytest.approx([
            100,
            100,
        ])

    def test_a_diverged_world_is_billed_what_it_spent(self):
        assert spent(
            results(LOSS, COST, spent=[[9, 17, 33, 33]] * 2, status=3)
        ).values == pytest.approx([
            33,
            33,
        ])
        assert spent(
            results(LOSS, COST, spent=[[9, 17, 33, 120]] * 2, status=3)
        ).values == pytest.approx([
            100,
            100,
        ])

    @pytest.mark.parametrize(
        ("gradients", "bill"), [(0.0, 25.0), (1.0, 100.0), (0.75, 25 / (0.25 + 0.75 / 4))]
    )
    def test_the_budget_counts_at_the_lowest_price(self, gradients, bill):
        """Price 4, lowest 1, checkpoints up to 100: the budget is 25 at the lowest price.

        Values and gradients mixed cost what the mix does.
        """
        data = results([[1.0]], [100.0], spent=[[bill]], gradients=gradients, price=4.0, low=1.0)
        assert float(budget(data)) == 25
        assert spent(data).values == pytest.approx([bill])
        assert spent(
            results([[1.0]], [100.0], spent=[[bill * 1.1]], gradients=gradients, price=4.0, low=1.0)
        ).values == pytest.approx([bill])

    def test_nothing_recorded_is_the_whole_budget(self):
        assert spent(results(LOSS, COST, spent=np.zeros((2, 4)))).values.tolist() == [100, 100]
        assert spent(results(LOSS, COST, spent=np.zeros((2, 4)), status=3)).values.tolist() == [0, 0]


class TestAtCost:
    def test_the_last_checkpoint_of_at_most_that_cost_or_of_so_near_a_one(self):
        data = results(LOSS, COST)
        assert [
            float(at_cost(data, at)["loss"][0]) for at in (10, 39, np.nextafter(40, 0), 40, 41, 100)
        ] == [
            5,
            3,
            4,
            4,
            4,
            1,
        ]

    def test_what_a_run_would_have_done_with_more_is_not_known(self):
        """The budget is 100 / 3: an arm without gradients had no more, one that uses gradients alone had 100 at the nominal price."""
        one, other = (results(LOSS, COST, low=1.0, gradients=part) for part in (0.0, 1.0))
        data = xr.concat(
            [one, other],
            xr.Variable("optimizer", ["GA", "SGD"]),
            coords="minimal",
            compat="override",
            combine_attrs="override",
        )
        told = at_cost(data, 100)
        np.testing.assert_array_equal(told["loss"], [[np.nan, np.nan], [1, 5]])
        assert told["status"].values.tolist() == [[5, 5], [2, 2]]
        assert at_cost(data, 20)["loss"].values.tolist() == [[3, 5], [3, 5]]
        np.testing.assert_array_equal(losses(data, at=100), told["loss"])
        one["status"][0, -1] = 3  # and that a diverged run would have recovered is not to be expected
        np.testing.assert_array_equal(losses(one, at=100), [np.inf, np.nan])

    @pytest.mark.parametrize(
        ("at", "text"),
        [
            (9, "expected a cost that some checkpoint has, at least 10 eval"),
            (101, "expected at most 100 eval"),
        ],
    )
    def test_beyond_the_study_there_is_nothing(self, at, text):
        with pytest.raises(ValueError, match=f"^at: {text}uations.*; got {at}$"):
            at_cost(results(LOSS, COST), at)


class TestPrices:
    def test_are_the_studys(self):
        data = results(LOSS, COST)
        assert prices(data.assign_attrs(config=json.dumps({"gradient_cost": 2}))) == (2, 2, 2)
        assert prices(
            data.assign_attrs(config=json.dumps({"gradient_cost": {"value": 2, "range": None}}))
        ) == (2, 2, 2)
        assert prices(
            data.assign_attrs(config=json.dumps({"gradient_cost": {"value": 2, "range": [1, 5]}}))
        ) == (2, 1, 5)
        assert prices(data.drop_attrs()) == (3, 3, 3)

    @each(
        ("sweep", "expected"),
        [
            ({"gradient_cost": [1, 3]}, [(1, 1, 1), (3, 3, 3)]),
            ({"gradient_cost": {"grid": [2, {"value": 3, "range": [1, 20]}]}}, [(2, 2, 2), (3, 1, 20)]),
            ({"gradient_cost.value": [3, 6]}, [(3, 2, 9), (6, 2, 9)]),
            ({"gradient_cost.range": [[1, 3], [3, 5]]}, [(3, 1, 3), (3, 3, 5)]),
            (
                {
                    "size": {
                        "choices": {
                            "cheap": {"gradient_cost": 1.5, "seed": 1},
                            "open": {"gradient_cost": {"value": 3, "range": [1, 4]}, "seed": 2},
                        }
                    }
                },
                [(1.5, 1.5, 1.5), (3, 1, 4)],
            ),
        ],
    )
    def test_a_swept_price_is_that_of_every_point(self, sweep, expected):
        """The labels are those that a study has, so that no axis is overlooked."""
        study = {
            "name": "swept",
            "replicates": 1,
            "budget": 100,
            "gradient_cost": {"value": 3, "range": [2, 9]},
            "sweep": sweep,
        }
        study |= {
            "landscapes": {"bowl": {"kind": "quadratic", "dim": 2}},
            "optimizers": {"SGD": {"kind": "sgd", "learning_rate": 0.1}},
        }
        plan = make_plan(load_study(study))
        (dim,) = plan.axes.keys() - {"landscape", "optimizer"}
        data = (
            results(LOSS, COST)
            .assign_coords({dim: plan.axes[dim]})
            .assign_attrs(manifest(plan, [])["attrs"])
        )
        assert [tuple(arm.task.gradient_cost.values()) for arm in plan.arms] == expected
        assert list(zip(*(part.values.tolist() for part in prices(data)), strict=True)) == expected
        assert [part.dims for part in prices(data)] == [(dim,)] * 3
        assert [float(part) for part in prices(data.isel({dim: 1}))] == list(expected[1])

    def test_a_sweep_whose_coordinate_is_lost_is_refused(self):
        prices_of = {
            "axes": {"gradient_cost": [1, 2]},
            "also": lambda place: {"study": {"gradient_cost": priced(place["gradient_cost"])}},
        }
        data = results(LOSS, COST).assign_attrs(settings=stored({"bowl": {}}, **prices_of))
        with pytest.raises(
            ValueError, match="^expected the coordinate of the axis gradient_cost, found replicate"
        ):
            prices(data)
        older = results(LOSS, COST).assign_attrs(
            config=json.dumps({"sweep": {"gradient_cost": [1, 2]}})
        )
        with pytest.raises(
            ValueError, match="^gradient_cost is swept, and these results hold no settings"
        ):
            prices(older)


class TestAtBudget:
    """With a range of prices an arm with gradients goes on beyond the budget that all have.

    Who is better is asked where all are.
    """

    def data(self):
        cost = np.array([50.0, 100.0, 150.0, 300.0])
        loss = np.array([[8.0, 4.0, 2.0, 1.0], [9.0, 3.0, 3.0, 3.0]])[None, :, None, :] * np.ones((
            1,
            2,
            8,
            1,
        ))
        dims = ("landscape", "optimizer", "replicate", "checkpoint")
        config = {"gradient_cost": {"value": 3.0, "range": [1.0, 10.0]}}
        data = xr.Dataset(
            {"loss": (dims, loss), "status": (dims, np.zeros(loss.shape, np.int8))},
            attrs={"config": json.dumps(config)},
        )
        names = {
            "landscape": ["bowl"],
            "optimizer": ["SGD", "GA"],
            "checkpoint": cost / 300,
            "cost": ("checkpoint", cost),
        }
        return data.assign_coords(names)

    def test_the_last_checkpoint_that_all_have(self):
        assert at_budget(self.data())["loss"].isel(replicate=0).values.tolist() == [
            [4, 3]
        ]  # not [2, 3], nor [1, 3], where SGD is the better

    def test_checkpoints_that_end_before_the_budget(self):
        data = self.data().isel(checkpoint=slice(3))
        assert float(budget(data).squeeze()) == pytest.approx(100)

    def test_comparisons_are_made_there(self):
        assert losses(self.data(), at=np.inf).isel(replicate=0).values.tolist() == [[4, 3]]
