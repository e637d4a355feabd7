"""What is written of a world: hits, checkpoints, an opening record and an end, in whole evaluations."""

import numpy as np
import pytest
import xarray as xr

from studies.exchange.records import UNKNOWN, experiments
from tests.support.ran import stored


def world(losses, counts, hits, targets, status=2, price=2.5, spec=None, budget=100.0):
    """A study of one world; counts are gradients at the checkpoints."""
    dims = ("landscape", "optimizer", "replicate", "checkpoint")
    grid = np.geomspace(1, budget, len(losses))
    statuses = np.where(np.arange(len(losses)) < len(losses) - 1, 0, status)[None, None, None]
    ran = stored(
        {"f": spec or {"kind": "bbob", "function": 8, "dim": 2, "instance": None}}, price=price
    )
    return xr.Dataset(
        {
            "loss": (dims, np.array(losses, float)[None, None, None]),
            "status": (dims, statuses),
            "value_terms": (dims, np.zeros_like(statuses)),
            "gradient_terms": (dims, np.array(counts)[None, None, None]),
            "hit_cost": ((*dims[:3], "target"), np.array(hits, float)[None, None, None]),
        },
        {"landscape": ["f"], "optimizer": ["SGD"], "replicate": [0], "cost": ("checkpoint", grid), "terms": 1.0,
         "target_loss": ("target", np.array(targets, float)), "instance": ("replicate", [6.0])},
        {"settings": ran},
    )  # fmt: skip


def run(*args, **kwargs):
    return next(experiments(world(*args, **kwargs))).runs[0]


class TestRecords:
    def test_are_hits_and_checkpoints_in_whole_evaluations_rounded_up(self):
        found = run([50, 20, 3], [0, 3, 40], [5.0, 12.5], [30, 10])
        assert found.evaluations.tolist() == [1, 5, 8, 13, 100]
        assert found.gap.tolist() == [50, 30, 20, 10, 3]

    def test_never_rise(self):
        assert run([50, 2, 30], [0, 2, 40], [], []).gap.tolist() == [50, 2, 2]

    def test_the_instance_counts_from_one_as_the_benchmark_does(self):
        assert run([1], [0], [], []).instance == 7
        assert (
            run(
                [1], [0], [], [], spec={"kind": "bbob", "function": 1, "dim": 2, "instance": 3}
            ).instance
            == 3
        )

    def test_open_above_every_target_that_is_reached_later(self):
        found = run([5, 4], [4, 40], [20.0, 10.0, np.inf], [6, 60, 1])
        assert found.evaluations[0] == 1
        assert found.gap[0] == pytest.approx(60, rel=1e-5)
        assert found.gap[0] > 60

    def test_what_diverges_at_once_has_a_finite_loss_above_the_targets(self):
        found = run([np.inf, np.inf], [2, 2], [np.inf], [10], status=3)
        assert found.evaluations.tolist() == [1, 5]
        assert (found.gap > 10).all()
        assert np.isfinite(found.gap).all()
        assert run([np.inf, np.inf], [2, 2], [], [], status=3).gap.tolist() == [UNKNOWN, UNKNOWN]

    def test_the_step_beyond_the_budget_counts_neither_as_hit_nor_as_cost(self):
        found = run([50, 0.5], [0, 42], [np.inf], [1])  # 42 gradients cost 105
        assert found.evaluations.tolist() == [1, 100]
        assert found.gap.tolist() == [50, 50]

    def test_zero_is_a_loss(self):
        assert run([4, 0], [0, 2], [], []).gap.tolist() == [4, 0, 0]

    def test_worlds_without_numbers_are_left_out(self):
        assert (
            next(
                experiments(
                    world([1, 1], [1, 1], [], [], status=2).assign(status=lambda d: d["status"] * 0 + 2)
                ),
                None,
            )
            is not None
        )
        assert (
            next(
                experiments(world([1, 1], [1, 1], [], []).assign(status=lambda d: d["status"] * 0 + 4)),
                None,
            )
            is None
        )

    def test_refuses_other_points_and_other_data(self):
        with pytest.raises(ValueError, match="point: expected one of recommended, best, got 'last'"):
            next(experiments(world([1], [0], [], []), "last"))
        with pytest.raises(ValueError, match="found no best_hit_cost, best_loss"):
            next(experiments(world([1], [0], [], []), "best"))
