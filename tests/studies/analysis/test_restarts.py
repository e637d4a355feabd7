"""Simulated restarts: enumerated, against cocopp's simulation, and kept within instances."""

import itertools

import numpy as np
import pytest
import xarray as xr

from studies.analysis.running_time import restarts, runtime
from tests.support.analysis import timed
from tests.support.cocopp_alone import module

NEVER = np.inf
COSTS = [5, 10, 30, 100, 110, 130, 210, 230, 330, 1000]


def enumerated(hit, spent, cost, depth=12):
    """F(c) over all orders of runs of one instance, and the chance of more than `depth` failures."""
    runs = [(h, True) if np.isfinite(h) else (s, False) for h, s in zip(hit, spent, strict=True)]
    good, bad = [bill for bill, ok in runs if ok], [bill for bill, ok in runs if not ok]
    found = 0.0
    for failures in range(depth if good else 0):
        for order in itertools.product(bad, repeat=failures):
            found += sum(sum(order) + last <= cost for last in good) / len(runs) ** (failures + 1)
    return found


def solved(hit, spent=None, instance=None, costs=COSTS, **more):
    data = timed(
        hit,
        spent,
        status=3 if spent is not None else 2,
        instance=[0] * len(hit) if instance is None else instance,
    )
    return restarts.ecdf(data, costs, **more)["solved"].values


class TestEqualBills:
    @pytest.mark.parametrize("hit", [[10, 30, NEVER], [10, NEVER], [10, 10, 100], [NEVER] * 3])
    def test_equals_enumeration(self, hit):
        wanted = [enumerated(hit, [100] * len(hit), cost) for cost in COSTS]
        assert solved(hit) == pytest.approx(wanted, abs=1e-9)

    def test_without_failures_restarts_change_nothing(self):
        data = timed([10, 30, 60, 99], instance=[0, 0, 1, 1])
        np.testing.assert_allclose(
            restarts.ecdf(data, COSTS)["solved"], runtime.ecdf(data, COSTS)["solved"], rtol=1e-12
        )

    def test_up_to_the_budget_they_change_nothing(self):
        data = timed([10, 30, NEVER, NEVER, 20, 20], instance=[0, 0, 0, 1, 1, 1])
        np.testing.assert_allclose(
            restarts.ecdf(data, [5, 20, 99])["solved"],
            runtime.ecdf(data, [5, 20, 99])["solved"],
            rtol=1e-12,
        )

    def test_a_bill_of_nothing_ends(self):
        assert solved([10, NEVER], [10, 0], costs=[9, 10]) == pytest.approx([0, 1])

    def test_a_hit_may_cost_more_than_a_failure(self):
        assert solved([50, NEVER], [50, 20], costs=[49, 50, 70, 90]) == pytest.approx([
            0,
            0.5,
            0.75,
            0.875,
        ])

    def test_the_mean_is_the_expected_running_time(self):
        """E = integral of 1 - F; 1 / 3 of runs fail."""
        data = timed([10, 30, NEVER], instance=[0] * 3)
        costs = np.arange(0.0, 6000)
        mean = np.sum(1 - restarts.ecdf(data, costs)["solved"].values)
        assert mean == pytest.approx(runtime.expected_running_time(data)["ert"].item(), rel=1e-9)
        assert mean != pytest.approx(np.mean([10, 30]), rel=0.5)


class TestUnequalBills:
    hit, spent = [10, 30, NEVER, NEVER], [10, 30, 40, 70]

    def test_agrees_with_enumeration(self):
        """1,000 draws: three standard errors are at most 0.048."""
        costs = [5, 10, 30, 50, 80, 110, 150, 190]
        wanted = [enumerated(self.hit, self.spent, cost, depth=9) for cost in costs]
        assert solved(self.hit, self.spent, costs=costs) == pytest.approx(wanted, abs=0.048)

    def test_is_fixed_by_the_seed(self):
        first, again, other = (
            solved(self.hit, self.spent, costs=[120], seed=seed) for seed in (1, 1, 2)
        )
        assert first == again
        assert first != other

    @pytest.mark.verify
    def test_agrees_with_cocopp(self):
        """The same law as cocopp's `simulated_evals`, 20,000 draws each, by the distance of Kolmogorov and Smirnov at 0.1 %."""
        stats = module("toolsstats")
        np.random.seed(1)  # noqa: NPY002  cocopp draws from the global generator
        drawn = np.sort(stats.simulated_evals(np.array([10.0, 30, 40, 70]), 2, samplesize=20000))
        mine = np.sort(
            np.concatenate([
                restarts.simulated(np.array(self.hit), np.array(self.spent), 1e9, seed)
                for seed in range(20)
            ])
        )
        at = np.unique(drawn)
        gap = [np.max(np.abs(np.searchsorted(part, at, "right") / len(part) - np.searchsorted(drawn, at, "right") / len(drawn)))
               for part in (mine, mine + (mine > 30) * 10)]  # fmt: skip
        limit = 1.95 * np.sqrt(2 / 20000)
        assert gap[0] < limit < gap[1]


class TestWithinAnInstance:
    hit, instance = [10, 10, NEVER, NEVER], [0, 0, 1, 1]

    def test_an_instance_that_no_run_solves_stays_unsolved(self):
        assert solved(self.hit, instance=self.instance, costs=[1e4]) == pytest.approx(0.5)

    def test_restarts_across_instances_would_solve_it(self):
        """What is refused: the same runs as if of one instance."""
        assert solved(self.hit, instance=[0] * 4, costs=[1e4]) == pytest.approx(1.0)

    def test_worlds_of_their_own_have_no_restarts(self):
        with pytest.raises(
            ValueError,
            match=r"^restarts: expected worlds that share instances \(`instances:` in the study",
        ):
            solved(self.hit, instance=[0, 1, 2, 3])

    def test_every_instance_has_the_curve_of_its_runs(self):
        data = timed([10, NEVER, 30, NEVER, NEVER, NEVER], instance=[0, 1, 1, 0, 2, 2])
        wanted = np.mean(
            [
                [enumerated(hit, [100, 100], cost) for cost in COSTS]
                for hit in ([10, NEVER], [30, NEVER], [NEVER] * 2)
            ],
            0,
        )
        assert restarts.ecdf(data, COSTS)["solved"].values == pytest.approx(wanted, abs=1e-3)

    def test_failed_worlds_are_no_runs(self):
        data = timed([10, NEVER, 30], status=[2, 2, 4], instance=[0, 0, 0])
        assert restarts.ecdf(data, [20, 110])["solved"].values == pytest.approx([0.5, 0.75])
        assert restarts.ecdf(data, [20])["worlds"].item() == 2

    def test_the_units_of_the_interval_are_instances(self):
        """Two instances, one solved: as one of two, not two of four."""
        low, high = restarts.ecdf(timed(self.hit, instance=self.instance), [1e4])[
            "solved_interval"
        ].values[0]
        assert (low, high) == pytest.approx((0.0, 1.0), abs=0.03)


def test_chunked_results_give_the_same():
    data = xr.concat(
        [timed([10, NEVER, 30, NEVER], instance=[0, 0, 1, 1])] * 2,
        "k",
        data_vars="all",
        coords="minimal",
        compat="override",
    )
    wanted = restarts.ecdf(data, COSTS)
    xr.testing.assert_allclose(restarts.ecdf(data.chunk(k=1, replicate=2), COSTS).compute(), wanted)
