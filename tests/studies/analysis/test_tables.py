"""Fixed-budget and fixed-target tables."""

import numpy as np
import pytest
from scipy import stats

from studies.analysis.running_time.tables import fixed_budget, fixed_target, loss_at, table
from tests.support.analysis import results, timed

LOSS = [[5.0, 3.0, 4.0, 1.0], [6.0, 5.0, 2.0, 2.0], [7.0, 7.0, 7.0, 7.0]]
COST = [10.0, 20.0, 40.0, 100.0]


class TestFixedBudget:
    def test_is_the_last_state_at_that_cost(self):
        found = loss_at(
            results(LOSS, COST), fixed_budget(results(LOSS, COST), [5, 10, 39, 40, 100])["cost"]
        )
        np.testing.assert_array_equal(found[0], [np.nan, 5, 3, 4, 1])

    def test_counts_what_the_state_cost_and_not_its_checkpoint(self):
        found = fixed_budget(results(LOSS, COST, spent=[[9, 17, 33, 97]] * 3), [35])
        assert found["quantiles"].sel(quantile=0.5).values.tolist() == [4]

    def test_mean_and_quantiles_of_worlds(self):
        found = fixed_budget(results(LOSS, COST), [40])
        assert found["mean"].values == pytest.approx([13 / 3])
        assert found["mean_interval"].values[0] == pytest.approx(
            stats.t.interval(0.95, 2, 13 / 3, stats.sem([4, 2, 7]))
        )
        assert found["quantiles"].values.tolist() == [[2, 4, 7]]
        assert found["worlds"].values.tolist() == [3]

    def test_a_world_that_has_diverged_has_lost_everything(self):
        found = fixed_budget(results(LOSS, COST, status=[2, 2, 3]), [40, 100])
        assert found["mean"].values == pytest.approx([13 / 3, np.inf])
        assert found["diverged"].values.tolist() == [0, 1]
        assert found["quantiles"].sel(quantile=0.75).values.tolist() == [7, np.inf]

    def test_failed_worlds_are_left_out(self):
        found = fixed_budget(results(LOSS, COST, status=[2, 4, 5]), [40])
        assert found["mean"].values.tolist() == [4]
        assert found["worlds"].values.tolist() == [1]

    def test_beyond_its_budget_a_world_has_no_loss(self):
        """Values alone, at a lowest price of 1 of 4, end at 25, though checkpoints go on to 100."""
        found = fixed_budget(
            results(LOSS, COST, spent=[[10, 20, 25, 25]] * 3, price=4.0, low=1.0), [24, 25, 26]
        )
        assert found["worlds"].values.tolist() == [3, 3, 0]
        assert found["mean"].values == pytest.approx([5, 13 / 3, np.nan], nan_ok=True)

    def test_costs_are_shares_of_the_budget_unless_given(self):
        found = fixed_budget(results(LOSS, COST, low=1.5))
        assert found["cost"].values == pytest.approx([0.5, 5, 50])


class TestFixedTarget:
    def test_has_the_expected_running_time_and_quantiles(self):
        found = fixed_target(timed([10, 20, 30, np.inf]))
        assert found["ert"].values == pytest.approx([160 / 3])
        assert found["quantiles"].values.tolist() == [[10, 20, 30]]
        assert found["successes"].values.tolist() == [3]

    def test_targets_may_be_given(self):
        found = fixed_target(results(LOSS, COST), [4.0, 2.0])
        assert found["quantiles"].sel(quantile=0.25).values.tolist() == [20, 40]
        assert found["ert"].values == pytest.approx([(20 + 40 + 100) / 2, (100 + 40 + 100) / 2])


class TestTable:
    def test_one_row_for_each_cost_one_column_for_each_number(self):
        frame = table(fixed_budget(results(LOSS, COST), [20, 40]))
        assert len(frame) == 2
        assert {
            "cost",
            "mean",
            "mean_low",
            "mean_high",
            "q50",
            "q50_low",
            "q50_high",
            "diverged",
            "worlds",
        } <= set(frame.columns)
        assert frame["q50"].tolist() == [5, 4]
        assert not {"bound", "quantile"} & set(frame.columns)

    def test_rows_without_worlds_are_left_out(self):
        assert table(fixed_target(timed([10.0], status=5))).empty
        assert len(table(fixed_target(timed([10.0])))) == 1

    def test_every_arm_has_its_rows(self):
        data = fixed_target(timed([10.0, 20.0])).expand_dims(optimizer=["a", "b"])
        assert table(data)["optimizer"].tolist() == ["a", "b"]
