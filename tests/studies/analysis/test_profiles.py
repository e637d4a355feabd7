"""Performance profiles: against a count by hand, and what never reaches a target."""

import json

import numpy as np
import pytest
import xarray as xr

from studies.analysis.running_time.profiles import profile, ratios
from tests.support.arms import results

HITS = np.array([
    [[[10, 40], [20, np.inf]], [[20, 10], [10, np.inf]]]
])  # landscape, optimizer, world, target


def of(hits, **options):
    return results(np.zeros(np.shape(hits)[:3]), hits=hits, **options)


def test_counted_by_hand():
    """Problems (world, target): A 1, 4, 2, never; B 2, 1, 1, never times the best."""
    found = profile(of(HITS), factors=[1, 2, 4])
    assert found["profile"].values.tolist() == [[0.25, 0.5, 0.75], [0.5, 0.75, 0.75]]
    assert found["problems"] == 4
    assert (found["worlds"] == 2).all()


def test_naive_loop():
    rng = np.random.default_rng(5)
    hits = np.where(
        rng.random((3, 4, 8, 2)) < 0.3, np.inf, rng.lognormal(3, 1, (3, 4, 8, 2)).clip(max=100)
    )
    factors = [1.0, 1.5, 3.0, 10.0]
    expected = np.zeros((4, 4))
    for land in range(3):
        for world in range(8):
            for target in range(2):
                best = min(hits[land, :, world, target])
                for arm in range(4):
                    for j, tau in enumerate(factors):
                        expected[arm, j] += (
                            np.isfinite(hits[land, arm, world, target])
                            and hits[land, arm, world, target] <= tau * best
                        )
    assert profile(of(hits), factors=factors)["profile"].values == pytest.approx(expected / 48)


def test_a_start_that_is_good_enough_costs_one():
    assert ratios(of([[[[0.0]], [[5.0]]]])).values.ravel().tolist() == [1, 5]


def test_what_is_never_reached_is_infinitely_often_the_best():
    """Also where nobody reaches it."""
    never = np.inf
    assert ratios(of([[[[10, never]], [[never, never]]]])).values.tolist() == [
        [[[1, never]], [[never, never]]]
    ]


def test_what_is_reached_beyond_the_common_budget_is_not_reached():
    """A uses gradients, and goes on at the nominal price to 100 where B ends at 50.

    That B does not get there is not known.
    """
    data = of([[[[80.0], [40.0]], [[np.inf], [20.0]]]]).assign_attrs(
        config=json.dumps({"gradient_cost": {"value": 2, "range": [1, 4]}})
    )
    found = profile(data, factors=[1, 2])
    assert found["profile"].values.tolist() == [[0, 0.5], [0.5, 0.5]]


def test_worlds_that_are_not_the_same_cannot_be_problems():
    with pytest.raises(
        ValueError,
        match=(
            r"^comparison: expected optimizers that ran in the same worlds, B did not: leave out those whose"
            r" `paired`"
        ),
    ):
        profile(of(HITS).assign_coords(paired=("optimizer", [True, False])))


def test_runs_without_numbers_are_left_out():
    status = np.full((1, 2, 2), 2)
    status[0, 1, 0] = 4
    found = profile(of(HITS, status=status), factors=[1, 2])
    assert found["profile"].values.tolist() == [[0, 0.5], [0.5, 0.5]]
    assert (found["worlds"] == 1).all()


def test_repeated_problems_count_once():
    data = of(np.random.default_rng(1).lognormal(3, 1, (2, 2, 8, 1)))
    other = data.assign(
        hit_cost=data["hit_cost"].where(data["landscape"] == "land 0", data["hit_cost"][:, ::-1].values)
    )
    swept = xr.concat([data, other], "k")  # land 0 is the same twice, land 1 is not
    assert profile(swept)["problems"] == 24


def test_intervals_shrink_with_worlds():
    rng = np.random.default_rng(2)
    few, many = (
        profile(of(rng.lognormal(3, 1, (1, 2, worlds, 1))), factors=[1.0]) for worlds in (16, 256)
    )
    widths = [
        float(found["profile_interval"].isel(optimizer=0).diff("bound").item()) for found in (few, many)
    ]
    assert widths[1] < widths[0] / 3
    inside = few["profile_interval"]
    assert (
        (inside.sel(bound="low") <= few["profile"]) & (few["profile"] <= inside.sel(bound="high"))
    ).all()


def test_no_targets():
    with pytest.raises(
        ValueError,
        match=r"profile: expected a study with targets, got none; add `targets:` to the study",
    ):
        profile(results(np.zeros((1, 2, 4))))
