"""Runtime distributions over landscapes: by hand, and against a naive loop."""

import json

import numpy as np
import pytest
import xarray as xr

from studies.analysis.running_time.aggregated import aggregated, automatic, groups
from tests.support.analysis import results

COST = [10.0, 20.0, 40.0, 100.0]
NAMES = ["A", "B"]


def study(losses, instances=None):
    """Losses (landscape, optimizer, world, checkpoint) at the costs 10, 20, 40, 100."""
    parts = [
        xr.concat([results(arm, COST) for arm in place], xr.Variable("optimizer", NAMES))
        for place in losses
    ]
    names = [f"land {i}" for i in range(len(parts))]
    return xr.concat(parts, xr.Variable("landscape", names)).drop_dims("target")


# two landscapes, two optimizers, two worlds, four checkpoints
LOSSES = np.array(
    [
        [[[100, 10, 1, 1], [100, 100, 10, 10]], [[100, 100, 100, 1], [100, 100, 100, 100]]],
        [[[8, 8, 8, 8], [8, 8, 8, 4]], [[8, 2, 2, 2], [8, 4, 2, 2]]],
    ],
    float,
)
TARGETS = xr.DataArray(
    [[100.0, 10, 1], [8, 4, 2]],
    dims=("landscape", "target"),
    coords={"landscape": ["land 0", "land 1"]},
)


def with_kinds(data, kinds, dims):
    """The settings of landscapes."""
    price = {"gradient_cost": {"value": 3.0, "low": 3.0, "high": 3.0}}
    places = [{"kind": kind, "dim": dim} for kind, dim in zip(kinds, dims, strict=True)]
    tasks = [{"landscape": place, "study": price} for place in places]
    arms = [
        {"coords": {"landscape": place, "optimizer": name}, "label": name, "task": task}
        for task, place in enumerate(data["landscape"].values.tolist())
        for name in NAMES
    ]
    return data.assign_attrs(settings=json.dumps({"arms": arms, "tasks": tasks}))


def test_counted_by_hand():
    """Of 3 targets, 2 landscapes and 2 worlds 12 pairs.

    A solves at 10, 20, 40, 100 of land 0 2, 3, 5, 5 and of land 1 2, 2, 2, 3; B 2, 2, 2, 4 and 2, 5, 6, 6.
    """
    found = aggregated(study(LOSSES), costs=COST, targets=TARGETS)
    assert found["group"].values.tolist() == ["all"]
    wanted = [[4, 5, 7, 8], [4, 7, 8, 10]]
    np.testing.assert_allclose(found["solved"].isel(group=0), np.array(wanted) / 12)
    assert found["problems"].item() == 2
    assert (found["worlds"] == 2).all()


def test_groups_are_counted_apart():
    data = with_kinds(study(LOSSES), ["nk", "trap"], [20, 5])
    found = aggregated(data, "kind", COST, TARGETS)
    assert found["group"].values.tolist() == ["nk", "trap"]
    np.testing.assert_allclose(
        found["solved"].sel(optimizer="A"), np.array([[2, 3, 5, 5], [2, 2, 2, 3]]) / 6
    )
    assert aggregated(data, "dim", COST, TARGETS)["group"].values.tolist() == ["dim = 5", "dim = 20"]
    assert groups(data, "landscape").values.tolist() == ["land 0", "land 1"]


def test_the_reference_is_an_arm_or_of_each_target_the_one_of_least_running_time():
    """Land 0: A is sooner at 10 and 1, and both are at once at 100; land 1: B is at 4 and 2."""
    data = study(LOSSES)
    best = aggregated(data, costs=COST, targets=TARGETS, reference="best")["reference"]
    np.testing.assert_allclose(best.isel(group=0), np.array([4, 8, 11, 11]) / 12)
    own = aggregated(data, costs=COST, targets=TARGETS, reference="B")
    np.testing.assert_allclose(own["reference"], own["solved"].sel(optimizer="B"))


def test_what_an_arm_lacks_it_has_not_solved():
    data = study(LOSSES)
    status = data["status"].where(~((data["landscape"] == "land 1") & (data["optimizer"] == "A")), 4)
    found = aggregated(data.assign(status=status.astype(np.int8)), costs=COST, targets=TARGETS)
    np.testing.assert_allclose(
        found["solved"].sel(optimizer="A").isel(group=0), np.array([2, 3, 5, 5]) / 12
    )


def test_runs_that_miss_a_target_end_where_their_budget_does():
    found = aggregated(study(LOSSES), costs=COST, targets=TARGETS)
    assert found["end"].isel(group=0).values.tolist() == [100, 100]
    easy = TARGETS.isel(target=[0])
    assert np.isnan(aggregated(study(LOSSES), costs=COST, targets=easy)["end"]).all()


def test_targets_go_from_the_highest_to_the_lowest_evenly_in_the_logarithm():
    own = automatic(study(LOSSES).assign_coords(gap_known=0.0), 3)
    np.testing.assert_allclose(own.sel(landscape="land 0"), [100, 10, 1])
    np.testing.assert_allclose(own.sel(landscape="land 1"), [8, 4, 2])
    assert automatic(study(LOSSES)).sizes["target"] == 51


def test_targets_of_gaps_are_not_below_the_precision():
    data = study(LOSSES * (LOSSES > 1)).assign_coords(gap_known=1.0, precision=1.0)
    np.testing.assert_allclose(automatic(data, 3).sel(landscape="land 0"), [100, 10, 1])
    raw = data.assign_coords(gap_known=0.0)
    np.testing.assert_allclose(automatic(raw, 3).sel(landscape="land 0"), [100, 50, 0])


@pytest.mark.parametrize(
    ("by", "reference", "text"), [("kin", None, "^group: expected all"), ("all", "C", "^reference:")]
)
def test_what_is_not_there_is_refused(by, reference, text):
    with pytest.raises(ValueError, match=text):
        aggregated(study(LOSSES), by, COST, TARGETS, reference)
