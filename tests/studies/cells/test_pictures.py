"""Frames of a search: when they are taken, on which plane they lie, and that a search does not notice."""

import numpy as np
import pytest
import torch
import xarray as xr
from sklearn.decomposition import PCA

from landscapes.streams import Streams
from studies.cells.loop import bind, run_cell, run_worlds
from studies.cells.pictures import _plane
from studies.figures.panels import of_world
from studies.results import store
from studies.study_file.loading import load_study
from studies.study_file.plan import make_plan
from studies.study_file.study import StudyError
from studies.text import schema
from tests.support.runs import assembled

STUDY = {
    "name": "pictures",
    "replicates": 3,
    "budget": 200,
    "landscapes": {"bowl": {"kind": "quadratic", "dim": 5, "condition": 10}},
    "optimizers": {
        "SGD": {"kind": "sgd", "learning_rate": 0.02},
        "GA": {"kind": "ga", "population": 8, "mutation_sigma": 0.2},
    },
    "pictures": {"worlds": 2, "frames": 12, "points": 6, "grid": 9},
}


def cells(**changes):
    plan = make_plan(load_study(STUDY | changes))
    return {arm.coords["optimizer"]: cell for arm, cell in zip(plan.arms, plan.cells(()), strict=True)}


def results(name, **changes):
    return run_cell(cells(**changes)[name])


def test_shapes_and_worlds_that_are_not_seen():
    data = results("GA")
    assert dict(data["picture_point"].sizes) == {
        "replicate": 3,
        "frame": 12,
        "individual": 6,
        "plane": 2,
    }
    assert dict(data["picture_loss"].sizes) == {"replicate": 3, "row": 9, "column": 9}
    assert np.isfinite(data["picture_center"].isel(replicate=[0, 1])).all()
    assert data["picture_center"].isel(replicate=2).isnull().all()
    assert all(
        {"long_name", "units"} <= data[name].attrs.keys()
        for name in data
        if str(name).startswith("picture")
    )


@pytest.fixture(scope="module")
def assembled_study(tmp_path_factory):
    """The Dataset of a study whose axis touches one landscape alone, and a cell of the other."""
    ridge = {"kind": "quadratic", "dim": 2}
    sweep = {"landscapes.ridge.condition": [2, 5]}
    changes = {"landscapes": STUDY["landscapes"] | {"ridge": ridge}, "sweep": sweep}
    plan, out = make_plan(load_study(STUDY | changes)), tmp_path_factory.mktemp("pictures")
    for cell in plan.cells(()):
        store.write_cell(run_cell(cell), store.cell_path(out, cell.address))
    return assembled(plan, out), results("SGD")


def test_a_dataset_has_pictures_of_the_worlds_that_were_seen_alone(assembled_study):
    data, cell = assembled_study
    assert data["picture_point"].dims[-4:] == ("seen", "frame", "individual", "plane")
    assert data["seen"].values.tolist() == [0, 1]
    here = data.sel(landscape="bowl", optimizer="SGD")
    for name in schema.PICTURE:
        for place in range(2):
            shown, ours = here[name].isel(condition=place), cell[name].isel(replicate=slice(2))
            there = shown.isel({
                dim: slice(size) for dim, size in zip(shown.dims, ours.shape, strict=True)
            })
            np.testing.assert_array_equal(there.values, ours.values)


def test_a_world_has_its_own_pictures_or_none(assembled_study):
    data, cell = assembled_study
    first, last = (of_world(data, world).sel(landscape="bowl", optimizer="SGD") for world in (1, 2))
    ours = cell["picture_center"].isel(replicate=1).values
    np.testing.assert_array_equal(first["picture_center"].isel(condition=0).values, ours)
    assert bool(last["picture_center"].isnull().all())
    np.testing.assert_array_equal(last["loss"].isel(condition=0), cell["loss"].isel(replicate=2))


def test_the_search_does_not_notice():
    seen, alone = results("GA"), results("GA", pictures=None)
    for name in set(alone) - {"seconds"}:
        xr.testing.assert_identical(seen[name], alone[name])


def test_a_frame_shows_the_last_step_within_its_cost():
    data = results("SGD")
    costs = np.array(cells()["SGD"].task.pictures["times"])
    billed = data["picture_cost"].isel(replicate=0).values
    assert costs[0] == 0
    assert billed[0] == 0
    assert (billed <= costs + 1e-9).all()
    assert (billed > costs - 3 - 1e-9).all()  # a step costs 3
    assert len(set(billed)) > 5


def test_two_coordinates_are_the_plane():
    changes = {"landscapes": {"bowl": {"kind": "quadratic", "dim": 2, "condition": 10}}}
    data, cell = results("SGD", **changes), cells(**changes)["SGD"]
    assert (data["picture_kept"].isel(replicate=slice(2)) == 1).all()
    one = run_worlds(cell.task, torch.tensor([1]))
    np.testing.assert_array_equal(
        one["picture_center"].isel(replicate=0), data["picture_center"].isel(replicate=1)
    )
    loss = data["picture_loss"].isel(replicate=0).values
    (left, right), (bottom, top) = data["picture_extent"].isel(replicate=0).values
    across, up = np.meshgrid(np.linspace(left, right, 9), np.linspace(bottom, top, 9))
    landscape = bind(cell.task, Streams(seed=1, worlds=torch.tensor([0])))
    points = torch.from_numpy(np.stack([across.ravel(), up.ravel()], -1))[None]
    np.testing.assert_allclose(loss.ravel(), landscape.loss(points)[0].numpy(), rtol=1e-12)


def test_a_world_alone_has_the_landscape_of_its_own():
    """Drawn anew for each world; rows of a block are no worlds."""
    field = {"field": {"kind": "gaussian_field", "dim": 2}}
    whole = {"pictures": {**STUDY["pictures"], "worlds": 3}}
    cell = cells(landscapes=field, **whole)["GA"]
    data, alone = run_cell(cell), run_worlds(cell.task, torch.tensor([2]))
    np.testing.assert_allclose(alone["picture_loss"][0], data["picture_loss"][2], rtol=1e-9)
    assert not np.allclose(data["picture_loss"][0], data["picture_loss"][2])


def test_the_plane_is_that_of_principal_components():
    trail = np.random.default_rng(1).normal(size=(30, 7)) * np.array([5, 3, 1, 1, 0.5, 0.1, 0.1])
    origin, directions, kept = _plane(trail)
    reference = PCA(2).fit(trail)
    np.testing.assert_array_equal(origin, trail[-1])
    np.testing.assert_allclose(np.abs((directions * reference.components_).sum(1)), 1, rtol=1e-12)
    assert kept == pytest.approx(reference.explained_variance_ratio_.sum())
    assert kept < 0.99  # a plane through any two coordinates would hold less


def test_the_loss_at_the_end_of_the_trail_is_that_of_the_center():
    data = results("SGD", pictures=STUDY["pictures"] | {"grid": 301})
    seen = data.isel(replicate=0)
    (left, right), (bottom, top) = seen["picture_extent"].values
    assert seen["picture_center"].isel(frame=-1).values == pytest.approx([0, 0], abs=1e-12)
    plane = seen["picture_loss"].assign_coords(
        column=np.linspace(left, right, 301), row=np.linspace(bottom, top, 301)
    )
    assert float(plane.interp(column=0.0, row=0.0)) == pytest.approx(
        float(seen["loss"].isel(checkpoint=-1)), rel=0.02
    )


@pytest.mark.parametrize("kind", [{"kind": "nk", "n": 6, "k": 2}, {"kind": "trap", "n": 6, "block": 3}])
def test_on_bits_there_is_no_loss_beyond_the_cube(kind):
    data = results("GA", landscapes={"bits": kind}).isel(replicate=0)
    assert bool(np.isfinite(data["picture_loss"]).any())
    assert not bool(np.isfinite(data["picture_loss"]).all())


def test_a_game_shows_how_far_from_equilibrium():
    only = {"SGD": {"kind": "sgd", "learning_rate": 0.1}}
    data = results("SGD", landscapes={"pennies": {"kind": "matching_pennies"}}, optimizers=only).isel(
        replicate=0
    )
    assert float(data["picture_loss"].min()) >= 0


def test_a_figure_that_needs_pictures():
    with pytest.raises(
        StudyError, match="trajectories shows the `pictures` of a study, and this one has none"
    ):
        load_study(STUDY | {"pictures": None, "figures": ["trajectories"]})
