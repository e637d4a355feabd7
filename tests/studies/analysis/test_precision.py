"""The precision of a study: what it is relative to, and what it does not depend on."""

import json

import numpy as np
import pytest
import xarray as xr

from studies.results.precision import DEFAULT, precision, resolved
from tests.support.arms import results

UP, DOWN = np.array([1.0, 2.0, 4.0, 8.0, 16.0]), np.array([3.0, -5.0, 0.0, 7.0, 1.0])


def started(*start, gap=1.0, spacing=0.0, given=None, arms=2):
    """Results whose worlds started at these losses, one row for each landscape."""
    start = np.array(start, float)
    data = results(np.zeros((len(start), arms, start.shape[1])), gap_known=gap)
    rows = np.broadcast_to(start[:, None], (len(start), arms, start.shape[1]))
    data["start_loss"] = (("landscape", "optimizer", "replicate"), rows.copy())
    config = {} if given is None else {"precision": given}
    return data.assign_coords(spacing=("landscape", np.full(len(start), spacing))).assign_attrs(
        config=json.dumps(config)
    )


def test_of_a_gap_it_is_relative_to_the_median_start():
    assert float(precision(started(UP))) == pytest.approx(4e-8)


def test_of_a_raw_loss_it_is_relative_to_the_distance_of_the_quartiles():
    assert float(precision(started(DOWN, gap=0.0))) == pytest.approx(3e-8)  # -5 0 1 3 7
    assert float(precision(started(DOWN + 1000, gap=0.0))) == pytest.approx(3e-8)


def test_where_all_start_alike_it_is_relative_to_their_size():
    assert float(precision(started([-7.0] * 5, gap=0.0))) == pytest.approx(7e-8)
    assert float(precision(started([5.0], gap=0.0))) == pytest.approx(5e-8)  # one world
    assert float(precision(started([0.0, 0.0]))) == pytest.approx(1e-8)  # at the optimum
    assert float(precision(started([0.0, 0.0], gap=0.0))) == pytest.approx(1e-8)


def test_worlds_without_a_number_do_not_count():
    assert float(precision(started([*UP, np.nan, np.inf]))) == pytest.approx(4e-8)


def test_of_discrete_values_it_is_half_their_spacing():
    assert float(precision(started(UP, spacing=3.0))) == 1.5
    assert float(precision(started(1e9 * UP, spacing=3.0, given=1e-6))) == pytest.approx(
        4e3
    )  # where more is asked, that


def test_it_is_never_finer_than_the_rounding_of_the_start():
    assert float(precision(started(DOWN + 1e3, gap=0.0, given=1e-13))) == pytest.approx(
        4 * 2**-52 * 1001, abs=0
    )


def test_as_the_study_says_for_all_or_each_landscape():
    assert float(precision(started(UP, given=1e-3))) == pytest.approx(4e-3)
    told = precision(started(UP, UP, UP, given={"land 0": 1e-2, "default": 1e-5}))
    assert told.values.tolist() == pytest.approx([4e-2, 4e-5, 4e-5])
    assert float(precision(started(UP, UP, given={"land 1": 1e-2}).isel(landscape=1))) == pytest.approx(
        4e-2
    )


def test_it_does_not_depend_on_which_arms_there_are():
    many = started(UP, DOWN, gap=0.0, arms=5)
    many["loss"][:, 3] = 1e-300
    many["start_loss"][:, 1] = np.nan  # an arm that failed
    for some in ([0], [4, 2], [1, 3]):
        np.testing.assert_array_equal(precision(many.isel(optimizer=some)), precision(many))


def test_a_stored_one_goes_before_and_imported_results_have_that_of_coco():
    assert float(precision(started(UP).assign_coords(precision=0.25))) == 0.25
    assert float(precision(results(np.zeros((1, 1, 3))))) == DEFAULT


def test_resolved_losses_are_equal_where_they_differ_by_less():
    loss = xr.DataArray(
        [0.0, 1e-12, 0.04, 0.3, 0.3 + 1e-12, -1.0, 1e300, np.inf, np.nan], dims="replicate"
    )
    raw = resolved(loss, xr.DataArray(0.1))
    assert raw.values[:6].tolist() == pytest.approx([0, 0, 0, 0.3, 0.3, -1])
    np.testing.assert_array_equal(raw[6:], loss[6:])
    gap = resolved(loss.assign_coords(gap_known=1.0), xr.DataArray(0.1))
    assert gap.values[:6].tolist() == pytest.approx([0.1, 0.1, 0.1, 0.3, 0.3, 0.1])
    assert gap[3] == gap[4]
