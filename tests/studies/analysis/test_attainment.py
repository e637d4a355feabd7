"""The empirical attainment function, by counting and against moocore's."""

import numpy as np
import pytest
import xarray as xr

from studies.analysis.running_time import runtime
from studies.analysis.running_time.attainment import attainment, levels
from studies.analysis.running_time.runtime import ecdf
from studies.results.hits import hits
from tests.support.analysis import results

COST = [10.0, 20.0, 40.0, 100.0]
LOSS = np.random.default_rng(4).integers(1, 20, (5, 4)).astype(float)


class TestAttainment:
    def test_is_the_share_of_worlds_that_got_there(self):
        losses = [2.5, 7.0, 15.0]
        found = attainment(results(LOSS, COST), losses)
        for i, loss in enumerate(losses):
            for j, _ in enumerate(COST):
                assert found["attained"][i, j].item() == pytest.approx(
                    np.mean((LOSS[:, : j + 1] <= loss).any(1))
                )

    def test_equals_moocore(self):
        """Its points are the corners of the regions that a share of the runs attains.

        There ours is at least that share, and just below them less.
        """
        eaf = pytest.importorskip("moocore").eaf
        points = np.array([[cost, loss] for row in LOSS for cost, loss in zip(COST, row, strict=True)])
        corners = eaf(points, np.repeat(np.arange(5), 4))
        data = results(LOSS, COST)
        for cost, loss, percent in corners:
            found = attainment(data, [loss, loss - 1e-9], [cost, cost - 1e-9])["attained"].values
            assert found[0, 0] >= percent / 100 - 1e-9
            assert max(found[1, 0], found[0, 1]) < percent / 100 - 1e-9

    def test_the_mean_over_losses_is_the_distribution_of_running_times(self):
        data = results(LOSS, COST)
        np.testing.assert_allclose(
            attainment(data, [3, 6, 9])["attained"].mean("target"),
            ecdf(data, targets=[3, 6, 9])["solved"],
        )

    def test_losses_one_by_one_are_those_at_once(self, monkeypatch):
        data = results(LOSS, COST, low=1.0, targets=[3.0])
        whole = [of(data, targets=[2.5, 7.0, 15.0]) for of in (hits, ecdf)]
        whole.append(attainment(data, [2.5, 7.0, 15.0]))
        monkeypatch.setattr(runtime, "SIZE", 1)
        monkeypatch.setattr("studies.results.hits.AT_ONCE", 1)
        alone = [of(data, targets=[2.5, 7.0, 15.0]) for of in (hits, ecdf)]
        alone.append(attainment(data, [2.5, 7.0, 15.0]))
        for one, other in zip(alone, whole, strict=True):
            xr.testing.assert_identical(one, other)

    def test_never_falls_with_cost_nor_loss(self):
        found = attainment(results(LOSS, COST))["attained"].values  # losses from the highest down
        assert (np.diff(found, axis=1) >= 0).all()
        assert (np.diff(found, axis=0) <= 0).all()
        assert found[0, -1] == 1

    def test_has_exact_intervals(self):
        low, high = attainment(results(LOSS, COST), [0.0])["attained_interval"].values[0, 0]
        assert (low, high) == pytest.approx((0, 1 - 0.025 ** (1 / 5)))

    def test_a_loss_that_is_not_recorded_is_refused(self):
        with pytest.raises(
            ValueError,
            match=r"^attainment: expected value to be one of loss, best_loss, got 'observed'$",
        ):
            attainment(results(LOSS, COST), value="observed")


class TestLevels:
    def test_span_what_was_reached(self):
        found = levels(results([[100.0, 1.0], [10.0, 0.01]], [10, 100]), number=5)
        assert found.values == pytest.approx([100, 10, 1, 0.1, 0.01])
        assert levels(results([[4.0, 0.0]], [10, 100]), number=3).values == pytest.approx([4, 2, 0])

    def test_each_landscape_has_its_own(self):
        parts = [results([[8.0, 2.0]], [10, 100]), results([[-1.0, -3.0]], [10, 100])]
        data = xr.concat(
            parts,
            xr.Variable("landscape", ["a", "b"]),
            data_vars="all",
            coords="minimal",
            compat="override",
        )
        assert levels(data, number=3).transpose("landscape", "target").values == pytest.approx(
            np.array([[8, 4, 2], [-1, -2, -3]])
        )
        assert attainment(data)["attained"].dims == ("landscape", "target", "checkpoint")

    def test_nothing_reached_is_nan(self):
        assert np.isnan(levels(results([[np.inf, np.inf]], [10, 100]))).all()


def test_the_levels_end_at_losses_that_were_reached():
    """Exactly: of a level that rounding makes a little lower, the world that has it would not have reached it."""
    rng = np.random.default_rng(6)
    for loss in (rng.lognormal(0, 2, (40, 1)), rng.normal(0, 2, (40, 1))):
        data = results(loss)
        assert levels(data).values[[0, -1]].tolist() == [loss.max(), loss.min()]
        assert attainment(data)["attained"].isel(target=[0, -1], checkpoint=-1).values.tolist() == [
            1,
            1 / 40,
        ]
