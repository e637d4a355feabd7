"""Expected running times and runtime distributions against published arithmetic, enumeration, and laws."""

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from studies.analysis.running_time.runtime import ecdf, expected_running_time, running_time_interval
from studies.results.hits import hits, spent
from tests.support.analysis import BUDGET, results, timed
from tests.support.cocopp_alone import module
from tests.support.each import each

NEVER = np.inf


def ignoring_failures(hit):
    """A wrong ERT, the mean of the successful runs: what the tests here must reject."""
    return np.mean(hit[np.isfinite(hit)])


def random_runs(seed):
    random = np.random.default_rng(seed)
    hit = random.integers(1, 100, 15).astype(float)
    hit[random.random(15) < random.random()] = NEVER
    return hit, random.integers(100, 140, 15).astype(float).clip(max=BUDGET)


class TestExpectedRunningTime:
    def test_is_all_that_was_spent_over_the_successes(self):
        """Two of four reach it: (20 + 40 + 100 + 30) / 2."""
        data = timed([20, 40, NEVER, NEVER], [100, 100, 100, 30], status=[2, 2, 2, 3])
        told = expected_running_time(data)
        assert told["ert"].values.tolist() == [95]
        assert [int(told[name][0]) for name in ("successes", "worlds")] == [2, 4]
        assert told["success_rate"].values.tolist() == [0.5]
        assert ignoring_failures(np.array([20, 40, NEVER, NEVER])) != 95

    def test_no_success_is_inf_and_at_least_what_the_rate_allows(self):
        """0 of 20: p <= 1 - 0.025^(1/20), so (1 - p) / p runs of 100 fail before one succeeds."""
        told = expected_running_time(timed([NEVER] * 20))
        p = 1 - 0.025 ** (1 / 20)
        assert told["ert"].item() == np.inf
        assert told["ert_interval"].values[0] == pytest.approx([100 * (1 - p) / p, np.inf])

    def test_targets_reached_at_no_cost(self):
        told = expected_running_time(timed([0.0] * 5))
        assert told["ert"].values.tolist() == [0]
        assert told["ert_interval"].values.tolist() == [[0, 0]]

    def test_worlds_without_numbers_are_left_out(self):
        told = expected_running_time(timed([20, 40, NEVER, 10], status=[2, 2, 2, 4]))
        assert told["ert"].values.tolist() == [80]
        assert int(told["worlds"][0]) == 3

    def test_hits_known_to_intervals_may_have_come_earlier(self):
        """By 10 and 0 in two of three worlds.

        The running time counts to the upper ends, and its lower end is less as 75 to 80.
        """
        data = timed([20, 40, NEVER])
        exact, told = (
            expected_running_time(data.assign(hit_cost_low=data["hit_cost"] - late))
            for late in ([[0], [0], [0]], [[10], [0], [0]])
        )
        assert told["ert"].values.tolist() == exact["ert"].values.tolist() == [80]
        assert told["ert_lateness"].values.tolist() == [5]
        assert (told["ert_interval"] / exact["ert_interval"]).values == pytest.approx(
            np.array([[75 / 80, 1]])
        )

    def test_hits_in_the_first_state_that_was_looked_at_may_have_come_at_once(self):
        """Sums of ten times 8.3 differ in their last bit by the order in which arrays of this form add them."""
        data = timed([8.3] * 10).isel(target=[0] * 4)
        hits = data["hit_cost"].copy(data=np.full((10, 4), 8.3))
        told = expected_running_time(data.assign(hit_cost=hits, hit_cost_low=0 * hits))
        low, high = told["ert_interval"].transpose("bound", ...).values
        assert low.tolist() == [0] * 4
        assert high == pytest.approx([8.3] * 4)

    def test_nothing_is_nan(self):
        told = expected_running_time(timed([20, 40], status=5))
        assert np.isnan(told["ert"]).all()
        assert np.isnan(told["ert_interval"]).all()
        assert int(told["worlds"][0]) == 0

    @pytest.mark.verify
    @each("seed", range(20))
    def test_equals_cocopp(self, seed):
        """`sp` is what `DataSet.detERT` is made of."""
        hit, bill = random_runs(seed)
        told = expected_running_time(timed(hit, bill, status=3))
        ert, rate, successes = module("toolsstats").sp(
            np.where(np.isfinite(hit), hit, bill), issuccessful=np.isfinite(hit)
        )
        assert told["ert"].item() == pytest.approx(ert, rel=1e-9)
        assert told["success_rate"].item() == pytest.approx(rate)
        assert told["successes"].item() == successes
        if 0 < successes < len(hit):
            assert ignoring_failures(hit) != pytest.approx(ert, rel=1e-3)

    def test_intervals_hold_the_value_and_shrink_with_worlds(self):
        few, many = (expected_running_time(timed(np.tile([20, 40, 60, NEVER], n))) for n in (8, 64))
        for told in (few, many):
            low, high = told["ert_interval"].values[0]
            assert low < told["ert"].item() < high
        assert float(np.diff(many["ert_interval"])[0, 0]) < 0.5 * float(
            np.diff(few["ert_interval"])[0, 0]
        )

    def test_one_success_of_many_is_as_unsure_as_its_rate(self):
        """Clopper and Pearson's lowest rate of 1 of 32 is 1 - 0.975^(1 / 32)."""
        told = expected_running_time(timed([50] + [NEVER] * 31))
        assert told["ert"].item() == pytest.approx(50 + 3100)
        assert told["ert_interval"].values[0, 1] == pytest.approx(
            (50 + 3100) / 32 / (1 - 0.975 ** (1 / 32))
        )

    @pytest.mark.parametrize("worlds", [3, 5, 8])
    def test_where_all_reach_it_the_interval_is_positive_and_finite(self, worlds):
        """Of costs 1, 10, 100, ..: 1 / ERT was not told from 0."""
        low, high = expected_running_time(timed(10.0 ** np.arange(worlds), status=3))[
            "ert_interval"
        ].values[0]
        assert 0 < low < high < np.inf

    def test_the_interval_is_students_on_the_scale_of_the_logarithm(self):
        hit = np.array([20.0, 25.0, 40.0, 30.0])
        told = expected_running_time(timed(hit))
        left_out = np.log([np.delete(hit, i).mean() for i in range(4)])
        error = np.sqrt(3 * left_out.var())
        assert error > hit.std(ddof=1) / hit.mean() / 2  # which is less than the jackknife's here
        expected = hit.mean() * np.exp(stats.t.ppf(0.975, 3) * error * np.array([-1, 1]))
        assert told["ert_interval"].values[0] == pytest.approx(expected)

    def test_chunked_results_give_the_same(self):
        data = results(np.random.default_rng(1).random((20, 4)))
        wanted = expected_running_time(data, [0.1, 0.5])
        xr.testing.assert_allclose(
            expected_running_time(data.chunk(replicate=5), [0.1, 0.5]).compute(), wanted
        )

    @pytest.mark.verify
    @pytest.mark.parametrize("limit", [0.3, 0.7, 1.5, 3.0])
    def test_interval_covers(self, limit):
        """2,000 studies of runs whose hits are exponential and whose budget is `limit` means.

        The ERT is the mean, whatever the budget.
        """
        for worlds in (3, 5, 8, 32):
            hit = np.random.default_rng(11).exponential(1.0, (2000, worlds))
            reached = hit <= limit
            there = reached.any(1)  # others have no ERT
            found = {
                "right": covered(np.minimum(hit, limit)[there], reached[there]),
                "wrong": covered(hit[there] * reached[there], reached[there]),
            }
            assert 0.93 <= found["right"] <= 0.99, (worlds, found)
            assert found["wrong"] < 0.9 or worlds < 32, (worlds, found)


def covered(cost, reached):
    """Share of studies (S, R) whose interval holds an ERT of 1.

    As `expected_running_time` makes it, without its Dataset.
    """
    low, high = running_time_interval(
        *(xr.DataArray(part.astype(float), dims=("study", "replicate")) for part in (reached, cost))
    )[1:]
    return float(((low <= 1) & (high >= 1)).mean())


class TestDistribution:
    def several(self):
        """Three worlds, two targets."""
        hit = np.array([[10, 50], [20, NEVER], [NEVER, NEVER]])
        return results(np.ones((3, 4)), [10, 25, 50, 100], targets=[0.5, 0.1], hits=hit)

    def test_is_the_share_of_pairs(self):
        told = ecdf(self.several(), [5, 10, 19.9, 20, 50, 100])
        assert told["solved"].values == pytest.approx(np.array([0, 1, 1, 2, 3, 3]) / 6)
        assert told["cost"].values.tolist() == [5, 10, 19.9, 20, 50, 100]
        assert told["worlds"].values.tolist() == [3] * 6

    def test_costs_are_those_of_the_checkpoints_unless_given(self):
        told = ecdf(self.several())
        assert told["solved"].values == pytest.approx(np.array([1, 2, 3, 3]) / 6)
        assert told["cost"].values.tolist() == [10, 25, 50, 100]

    def test_equals_enumeration(self):
        random = np.random.default_rng(3)
        hit = np.where(random.random((6, 3)) < 0.4, NEVER, random.integers(1, 100, (6, 3)))
        data = results(np.ones((6, 4)), targets=[3, 2, 1], hits=hit)
        for cost in (1, 20, 77, 100):
            pairs = [value <= cost for row in hit for value in row]
            assert ecdf(data, [cost])["solved"].item() == pytest.approx(sum(pairs) / len(pairs))

    def test_targets_that_a_landscape_does_not_have_do_not_count(self):
        hit = np.array([[10, np.nan], [NEVER, np.nan]])
        assert (
            ecdf(results(np.ones((2, 4)), targets=[1, np.nan], hits=hit), [50])["solved"].item() == 0.5
        )

    def test_failed_worlds_do_not_count_and_diverged_ones_do(self):
        data = timed([10, NEVER, NEVER, NEVER], status=[2, 3, 4, 5])
        told = ecdf(data, [50])
        assert told["solved"].item() == 0.5
        assert told["worlds"].item() == 2

    def test_given_targets_are_looked_up(self):
        data = results([[3.0, 1.0], [3.0, 2.0]], [50, 100])
        assert ecdf(data, targets=[2.5, 1.5])["solved"].values == pytest.approx([0, 0.75])

    def test_without_a_solution_the_interval_says_how_much_is_possible(self):
        told = ecdf(timed([NEVER] * 20), [50])
        assert told["solved_interval"].values[0] == pytest.approx([0, 1 - 0.025 ** (1 / 20)])


def test_hits_are_within_what_was_spent():
    data = timed([20, 40, NEVER])
    assert (hits(data).isel(target=0) <= spent(data)).values.tolist() == [True, True, False]
