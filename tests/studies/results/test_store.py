"""The folder of a study: cells whole or absent, and one labelled Dataset from whatever is there."""

import functools
import json
import os
import resource
import shutil

import numpy as np
import pytest
import xarray as xr

from studies import open_study
from studies.cells import provenance
from studies.cells.loop import run_cell
from studies.results import store, view
from studies.results.view import export, save_manifest
from studies.study_file.loading import load_study
from studies.study_file.plan import make_plan, manifest
from studies.text.schema import STATUS
from tests.support.patience import wait_for
from tests.support.runs import BOWL, assembled, assert_same

STUDY = {
    "name": "small",
    "budget": {"bowl": 30, "nk": 60},
    "replicates": 5,
    "checkpoints": [0.5, 1.0],
    "targets": {"bowl": [1.0], "nk": [0.1]},
    "landscapes": {"bowl": {"kind": BOWL}, "nk": {"kind": "nk", "n": 6, "k": 1}},
    "optimizers": {"random": {"kind": "random_search"}, "GA": {"kind": "ga", "population": 6}},
    "sweep": {"optimizers.GA.tournament": [2, 3]},
}
FLOATS = ("loss", "best_loss", "hit_cost", "seconds")
COUNTS = ("value_terms", "steps")


@functools.cache
def small():
    return make_plan(load_study(STUDY))


def plan(**changes):
    return make_plan(load_study(STUDY | changes)) if changes else small()


def compute(found, out, leave=()):
    for cell in found.cells(store.finished(out)):
        path = store.cell_path(out, cell.address)
        if cell.address not in leave and not path.exists():
            store.write_cell(run_cell(cell), path)


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    out = tmp_path_factory.mktemp("full")
    compute(plan(), out)
    return out


@pytest.fixture
def out(full, tmp_path):
    return shutil.copytree(full, tmp_path / "out")


def test_the_precision_is_that_of_the_starts_whichever_arms_there_are(out):
    data = assembled(plan(), out)
    start = data["start_loss"].isel(optimizer=0, tournament=0)
    assert data["precision"].dims == ("landscape",)
    assert data["gap_known"].values.tolist() == [0, 1]
    expected = [1e-8 * np.subtract(*np.quantile(start[0], [0.75, 0.25])), 1e-8 * np.median(start[1])]
    np.testing.assert_allclose(data["precision"], expected, rtol=1e-12)
    alone = assembled(plan(optimizers={"GA": STUDY["optimizers"]["GA"]}, precision=1e-6), out)
    np.testing.assert_allclose(alone["precision"], 100 * data["precision"], rtol=1e-12)


def cell_of(found, landscape, optimizer, tournament):
    coords = {"landscape": landscape, "optimizer": optimizer, "tournament": tournament}
    task = next(arm.task for arm in found.arms if arm.coords == coords)
    return next(cell for cell in found.cells(()) if cell.task is task)


def test_numbers_are_where_their_labels_say(out):
    data = assembled(plan(), out)
    assert data["loss"].dims == ("landscape", "optimizer", "tournament", "replicate", "checkpoint")
    for landscape, optimizer, tournament in (("bowl", "GA", 3), ("nk", "GA", 2), ("nk", "random", 3)):
        alone = run_cell(cell_of(plan(), landscape, optimizer, tournament))
        shown = data.sel(landscape=landscape, optimizer=optimizer, tournament=tournament)
        for name in ("loss", "best_loss", "status", "value_terms", "hit_cost"):
            np.testing.assert_array_equal(shown[name].values, alone[name].values)
            assert shown[name].dtype == alone[name].dtype
        np.testing.assert_array_equal(shown["cost"].values, alone["cost"].values)
        np.testing.assert_array_equal(shown["target_loss"].values, alone["target_loss"].values)


def test_every_variable_says_what_it_is(out):
    data = assembled(plan(), out)
    for name, variable in data.data_vars.items():
        assert variable.attrs["long_name"]
        assert "units" in variable.attrs or name == "status"
    assert data["status"].attrs["flag_meanings"].split() == list(STATUS)
    assert data["checkpoint"].values.tolist() == [0.5, 1.0]
    assert data["cost"].dims == ("landscape", "checkpoint")
    assert data["target_loss"].dims == ("landscape", "target")


def test_a_cell_that_an_axis_does_not_touch_is_shown_at_every_value(out):
    shown = assembled(plan(), out)["loss"].sel(optimizer="random")
    assert np.isfinite(shown).all()
    xr.testing.assert_equal(shown.sel(tournament=2, drop=True), shown.sel(tournament=3, drop=True))


def test_failed_and_missing_cells_are_explicit(tmp_path):
    found = plan()
    failed, missing = cell_of(found, "bowl", "GA", 2), cell_of(found, "nk", "GA", 3)
    compute(found, tmp_path, leave=(failed.address, missing.address))
    store.write_text("{}", store.error_path(tmp_path, failed.address))
    data = assembled(found, tmp_path)
    for status, at in (("failed", ("bowl", "GA", 2)), ("missing", ("nk", "GA", 3))):
        arm = data.sel(dict(zip(("landscape", "optimizer", "tournament"), at, strict=True)))
        assert (arm["status"] == STATUS.index(status)).all()
        assert all(np.isnan(arm[name]).all() for name in FLOATS)
        assert all((arm[name] == 0).all() for name in COUNTS)
    assert int((data["status"] >= STATUS.index("failed")).sum()) == 2 * 5 * 2
    store.write_cell(
        run_cell(failed), store.cell_path(tmp_path, failed.address)
    )  # a result goes before an old error
    assert not (assembled(found, tmp_path)["status"] == STATUS.index("failed")).any()


def test_nothing_computed_is_a_dataset_of_missing_worlds(tmp_path):
    data = assembled(plan(), tmp_path)
    assert (data["status"] == STATUS.index("missing")).all()
    assert data.sizes["replicate"] == 5


def test_fewer_worlds_are_a_slice_and_more_worlds_keep_the_old(out):
    five = assembled(plan(), out).drop_vars("precision")  # it is relative to the starts of all worlds
    assert_same(
        assembled(plan(replicates=3), out).drop_vars("precision"), five.isel(replicate=slice(3))
    )
    before = store.finished(out)
    seven = plan(replicates=7)
    assert before < {cell.address for cell in seven.cells(before)}
    compute(seven, out)
    assert_same(assembled(seven, out).drop_vars("precision").isel(replicate=slice(5)), five)


def test_budgets_on_an_axis_give_costs_on_that_axis(tmp_path):
    found = plan(budget=30, sweep={"budget": [30, 60]}, targets=[1.0])
    compute(found, tmp_path)
    data = assembled(found, tmp_path)
    assert data["cost"].dims == ("budget", "checkpoint")
    assert data["cost"].values.tolist() == [[15.0, 30.0], [30.0, 60.0]]
    assert data["target_loss"].dims == ("target",)


# the view ---------------------------------------------------------------------------------------------------


def exported(out, found):
    made = manifest(found, found.cells(store.finished(out)), "as given")
    save_manifest(made, out)
    return export(made, out)


def test_the_view_is_the_dataset(out):
    data = exported(out, plan())
    assert data.attrs["study"] == "as given"
    assert json.loads(data.attrs["config"])["name"] == data.attrs["name"] == "small"
    assert json.loads(data.attrs["cells"]) == sorted(store.finished(out))
    assert json.loads(data.attrs["totals"])["steps"] > 0
    assert {"versions", "device", "commit", "created"} <= data.attrs.keys()
    for path in (out, str(out), out / "dataset.zarr"):
        xr.testing.assert_identical(open_study(path), data)


def test_an_up_to_date_view_is_left_alone_and_a_stale_one_rebuilt(out):
    data = exported(out, plan())
    first = (out / "dataset.zarr").stat().st_ino
    exported(out, plan())
    assert (out / "dataset.zarr").stat().st_ino == first
    cell = store.cell_path(out, cell_of(plan(), "bowl", "GA", 2).address)
    cell.rename(out / "aside.nc")
    assert (
        open_study(out)["status"].sel(landscape="bowl", optimizer="GA", tournament=2)
        == STATUS.index("missing")
    ).all()
    (out / "aside.nc").rename(cell)
    shutil.rmtree(out / "dataset.zarr")
    assert_same(open_study(out), data)


def test_a_view_without_its_cells_can_be_opened(out, tmp_path):
    data = exported(out, plan())
    shutil.move(out / "dataset.zarr", tmp_path / "mailed.zarr")
    xr.testing.assert_identical(open_study(tmp_path / "mailed.zarr"), data)


def chunks(view, name):
    return sorted(path for path in (view / name / "c").rglob("*") if path.is_file())


def gone(path):
    path.unlink()


def turned(path):
    """One bit in its middle."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)


@pytest.mark.parametrize("damage", [pytest.param(gone, marks=pytest.mark.verify), turned])
def test_a_damaged_view_is_rebuilt(out, tmp_path, damage):
    data = exported(out, plan())
    view = out / "dataset.zarr"
    damage(chunks(view, "loss")[0])
    assert_same(open_study(out), data)
    data = exported(out, plan())
    xr.testing.assert_identical(open_study(shutil.copytree(view, tmp_path / "mailed.zarr")), data)


def test_a_damaged_view_alone_is_refused(out, tmp_path):
    """A chunk that is gone would be read as NaN."""
    exported(out, plan())
    for damage in (gone, turned):
        mailed = shutil.copytree(out / "dataset.zarr", tmp_path / f"{damage.__name__}.zarr")
        damage(chunks(mailed, "loss")[0])
        expected = f"{mailed.name}: expected the Dataset of a study, got a damaged one"
        with pytest.raises(ValueError, match=expected):
            open_study(mailed)


def test_a_damaged_plan_is_one_line_with_its_remedy(out):
    exported(out, plan())
    (out / "plan.json").write_text('{"cells": [')
    with pytest.raises(
        ValueError, match="plan.json: expected the plan of a study, .*; run the study again"
    ):
        open_study(out)


def test_a_large_view_stays_on_disk(out, monkeypatch):
    data = exported(out, plan())
    monkeypatch.setattr(view, "LARGE", 1)
    lazy = open_study(out)
    assert lazy["loss"].chunks is not None
    xr.testing.assert_identical(lazy.load(), data)


def test_no_study_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="expected a study's folder"):
        open_study(tmp_path)


@pytest.fixture
def few_files():
    """This process may open no more than 32 files beside those that it has open."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = max(int(name) for name in os.listdir("/proc/self/fd"))
    resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 32, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.verify
def test_many_cells_are_not_open_at_once(tmp_path, few_files):
    found = plan(
        landscapes={"bowl": {"kind": BOWL}},
        budget=30,
        targets=[1.0],
        sweep={"landscapes.bowl.shift": [i / 30 for i in range(30)]},
    )
    cells = found.cells(())
    store.write_cell(run_cell(cells[0]), tmp_path / "one.nc")
    for cell in cells:
        path = store.cell_path(tmp_path, cell.address)
        path.parent.mkdir(parents=True, exist_ok=True)
        os.link(tmp_path / "one.nc", path)
    data = assembled(found, tmp_path)
    assert len(cells) == 60
    assert not (data["status"] == STATUS.index("missing")).any()


# files ------------------------------------------------------------------------------------------------------


def test_a_write_that_fails_leaves_nothing(tmp_path):
    path = store.cell_path(tmp_path, "ab" * 16)
    with pytest.raises(
        TypeError, match="expected numbers or texts in what a cell records, odd is of c"
    ):
        store.write_cell(xr.Dataset({"loss": 1.0, "odd": ((), np.array(1j, np.clongdouble))}), path)
    assert store.finished(tmp_path) == set()
    assert list(path.parent.iterdir()) == []


def test_only_old_leftovers_are_swept(tmp_path):
    path = store.cell_path(tmp_path, "ab" * 16)
    path.parent.mkdir(parents=True)
    old, new = (path.with_name(f".{path.name}.{age}.tmp") for age in ("old", "new"))
    view = tmp_path / ".dataset.1.tmp"
    view.mkdir()
    for leftover in (old, new, path):
        leftover.touch()
    for leftover in (old, path, view):
        os.utime(leftover, (1, 1))
    store.sweep(tmp_path)
    assert [old.exists(), new.exists(), path.exists(), view.exists()] == [False, True, True, False]


@pytest.mark.parametrize("make", ["touch", "mkdir"])
def test_what_is_in_use_does_not_grow_old(tmp_path, make):
    path = tmp_path / ".some.tmp"
    getattr(path, make)()
    with store.in_use(path):
        store._IN_USE.add(tmp_path / "gone")  # as a note that its process removes at this moment
        os.utime(path, (1, 1))
        store._touch_each()
        store.sweep(tmp_path)
        assert path.exists()
    store._IN_USE.discard(tmp_path / "gone")
    os.utime(path, (1, 1))
    store._touch_each()
    store.sweep(tmp_path)
    assert not path.exists()


def test_a_thread_touches_what_is_in_use(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "BEAT", 0.01)
    path = tmp_path / ".some.tmp"
    path.touch()
    store._keep_young.cache_clear()
    with store.in_use(path):
        os.utime(path, (1, 1))
        wait_for(lambda: path.stat().st_mtime > 1)


def test_fingerprint_names_the_versions_and_the_code():
    found = provenance.fingerprint()
    assert found["torch"] == __import__("torch").__version__
    assert len(found["code"]) == 16


@pytest.fixture(scope="module")
def thinned(tmp_path_factory):
    """SGD has ten checkpoints of its own, the GA, of four states, all 61."""
    out = tmp_path_factory.mktemp("thinned")
    study = {
        "name": "thinned",
        "budget": 12,
        "noise": {"batch": {"net": 64}},
        "replicates": 2,
        "landscapes": {"net": {"kind": "digits", "hidden": 3}, "bowl": {"kind": BOWL}},
    }
    found = make_plan(
        load_study(
            study | {"optimizers": {"SGD": {"kind": "sgd"}, "GA": {"kind": "ga", "population": 60}}}
        )
    )
    compute(found, out)
    return found, assembled(found, out)


def test_an_arm_with_fewer_checkpoints_shows_its_last_one_before_and_says_so(thinned):
    found, data = thinned
    tasks = {(arm.coords["landscape"], arm.coords["optimizer"]): arm.task for arm in found.arms}
    assert [len(task.checkpoints) for task in tasks.values()] == [10, 61, 61, 61]
    assert data["cost"].dims == ("checkpoint",)  # one grid of costs
    own = data["recorded"].sel(landscape="net", optimizer="SGD").values == 1
    np.testing.assert_allclose(data["cost"][own], tasks["net", "SGD"].checkpoints, rtol=1e-12)
    assert own.sum() == 10
    assert own[-1]
    assert (data["recorded"].sel(optimizer="GA") == 1).all()
    shown = data.sel(landscape="net", optimizer="SGD")
    cell = run_cell(found.cells(())[0])
    place = (
        np.searchsorted(tasks["net", "SGD"].checkpoints, data["cost"] * (1 + 1e-9)) - 1
    )  # by the costs themselves
    for name in ("loss", "steps", "status"):
        expected = np.where(
            place < 0,
            {"loss": np.nan, "steps": 0, "status": STATUS.index("missing")}[name],
            cell[name].values[:, place],
        )
        np.testing.assert_array_equal(shown[name], expected)


def test_states_of_one_age_are_compared_where_an_arm_has_fewer_checkpoints(thinned):
    from studies.results.hits import at_budget, at_cost

    _, data = thinned
    both = (data["recorded"] == 1).all("optimizer").sel(landscape="net").values
    for cost in (3.0, 7.0, 11.9):
        last = np.flatnonzero(both & (data["cost"].values <= cost))[-1]
        expected = data["loss"].sel(landscape="net").isel(checkpoint=last)
        assert np.array_equal(at_cost(data, cost)["loss"].sel(landscape="net"), expected)
    assert np.array_equal(at_budget(data)["loss"], data["loss"].isel(checkpoint=-1))


def test_without_such_an_arm_nothing_is_said(out):
    assert "recorded" not in assembled(plan(), out).coords
