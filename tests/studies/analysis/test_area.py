"""The area over the convergence curve: by hand, as published, and as the limit of runtime distributions."""

import numpy as np
import pytest

from studies.analysis.running_time.area import area, lowest
from studies.analysis.running_time.runtime import ecdf
from tests.support.analysis import results

COST = [1.0, 10.0, 100.0]


def value(loss, *args, cost=COST, **more):
    return area(results(loss, cost), *args, **more)["aocc"].item()


class TestArea:
    def test_by_hand(self):
        """Losses 1, 0.1, 0.01 of 1 ..

        0.01: 0 for one decade of cost, a half for the other; 9 and 90 of 99 where costs are linear.
        """
        loss = [[1.0, 0.1, 0.01]]
        assert value(loss, 0.01, 1.0) == pytest.approx(0.25)
        assert value(loss, 0.01, 1.0, costs="linear") == pytest.approx(0.5 * 90 / 99)
        assert value(loss, 0.0, 1.0, scale="linear") == pytest.approx(0.9 / 2)

    def test_the_last_loss_holds_until_the_end(self):
        assert value([[1.0, 0.1, 0.1]], 0.01, 1.0, until=1000.0) == pytest.approx(
            1 / 3
        )  # 0, a half and a half of three decades

    def test_is_clipped(self):
        assert value([[1e9, 1e9, 1e9]], 0.01, 1.0) == 0
        assert value([[0.0, 0.0, 0.0]], 0.01, 1.0) == 1
        assert value([[np.inf, 0.1, 0.1]], 0.01, 1.0) == pytest.approx(0.25)

    def test_what_was_reached_counts_for_good(self):
        assert value([[0.1, 1.0, 1.0]], 0.01, 1.0) == pytest.approx(0.5)
        assert lowest(results([[3.0, 5.0, 2.0]], COST)).values.tolist() == [[3, 3, 2]]

    def test_is_that_of_the_paper(self):
        """LLaMEA's: mean over evaluations 1 ..

        B of 1 - (clipped log precision - lb) / (ub - lb); here every evaluation is a checkpoint.
        """
        loss = 10.0 ** np.random.default_rng(1).uniform(-9, 3, 200)
        log = np.log10(np.minimum.accumulate(loss)).clip(-8, 2)
        published = np.mean(1 - (log[:-1] + 8) / 10)  # the last one ends the budget
        assert value([loss], 1e-8, 1e2, costs="linear", cost=np.arange(1.0, 201)) == pytest.approx(
            published
        )
        assert value([loss], 1e-8, 1e2, costs="log", cost=np.arange(1.0, 201)) != pytest.approx(
            published, rel=1e-3
        )

    def test_is_the_area_under_the_distribution_of_running_times(self):
        """150 targets, evenly in the logarithm, and costs between the checkpoints."""
        random = np.random.default_rng(2)
        cost = np.geomspace(1, 1000, 13)
        data = results(10.0 ** random.uniform(-4, 0, (5, 13)), cost)
        targets = np.geomspace(1e-3, 0.5, 151)
        solved = ecdf(data, targets=(targets[1:] * targets[:-1]) ** 0.5)["solved"].values[:-1]
        wanted = area(data, 1e-3, 0.5)["aocc"].item()
        assert wanted == pytest.approx(np.average(solved, weights=np.diff(np.log(cost))), abs=0.5 / 150)

    def test_worlds_have_an_interval(self):
        found = area(results(10.0 ** np.random.default_rng(3).uniform(-2, 0, (20, 3)), COST), 0.01, 1.0)
        low, high = found["aocc_interval"].values
        assert 0 <= low < found["aocc"].item() < high <= 1
        assert int(found["worlds"]) == 20

    def test_failed_worlds_are_left_out_and_diverged_ones_keep_what_they_had(self):
        data = results([[1.0, 0.1, 0.01], [0.1, 0.1, 0.0], [0.01, 0.01, 0.01]], COST, status=[2, 3, 4])
        found = area(data, 0.01, 1.0)
        assert found["aocc"].item() == pytest.approx((0.25 + 0.5) / 2)
        assert int(found["worlds"]) == 2

    def test_ends_where_all_arms_had_a_budget(self):
        data = results([[1.0, 0.1, 0.01]], COST, spent=[[1, 10, 10]], price=10.0, low=1.0)
        assert area(data, 0.01, 1.0)["aocc"].item() == 0
        assert area(data, 0.01, 1.0, until=100)["aocc"].item() == pytest.approx(0.25)

    def test_bad_input_is_one_line(self):
        with pytest.raises(
            ValueError,
            match=r"^area: expected best < worst, and both > 0 on a log scale, got \[0.0\] and \[1.0\]$",
        ):
            value([[1.0]], 0.0, 1.0, cost=[1.0])
        with pytest.raises(
            ValueError,
            match=r"^area: expected scale and costs to be log or linear, got 'log' and 'ln'$",
        ):
            value([[1.0]], 0.1, 1.0, cost=[1.0], costs="ln")
