"""Our runs beside those of others: rows of one instance, missing worlds, and what is refused."""

import numpy as np
import pytest
import xarray as xr

from studies.analysis import compare
from studies.analysis.running_time.runtime import expected_running_time
from studies.exchange import beside, import_coco
from studies.exchange.shown import common_rows, places
from studies.figures.convergence import convergence
from studies.results.arms import arms
from tests.support.ran import changed
from tests.support.runs import here


@pytest.fixture(scope="module")
def theirs(study, watched):
    """Random search on instances 1 .. 3, one run each."""
    return import_coco(watched[0], study)


@pytest.fixture(scope="module")
def both(study, theirs):
    return beside(study, theirs)


class TestRows:
    def test_hold_every_run_in_a_row_of_its_instance(self):
        first, second = np.array([0.0, 1, 0, 1]), np.array([1.0, 1, 1, 5])
        rows = common_rows(first, [first, second])
        assert rows.tolist() == [0, 1, 0, 1, 1, 5]
        assert places(rows, first) == [0, 1, 2, 3]
        assert places(rows, second) == [1, 3, 4, 5]


class TestBeside:
    def test_leaves_ours_as_they_are(self, study, both):
        mine = both.sel(optimizer=study["optimizer"]).drop_vars("paired")
        xr.testing.assert_equal(mine, study)
        assert both["status"].dtype == study["status"].dtype

    def test_holds_theirs_in_rows_of_the_same_instance(self, theirs, both):
        rs = both.sel(optimizer="RS")
        assert both["instance"].dims == ("replicate",)
        for r, instance in enumerate(theirs["instance"].values):
            row = int(np.flatnonzero(both["instance"].values == instance)[0])
            for name in ("loss", "hit_cost", "status", "value_terms"):
                np.testing.assert_array_equal(
                    rs[name].isel(replicate=row), theirs[name].sel(optimizer="RS").isel(replicate=r)
                )
        assert (rs["status"].isel(checkpoint=-1) == 5).sum("replicate").values.tolist() == [7] * 4
        assert not np.isfinite(rs["loss"].where(rs["status"] == 5)).any()

    def test_keeps_which_checkpoints_are_an_arms_own(self, study, theirs):
        own = xr.DataArray(
            np.ones((study.sizes["optimizer"], study.sizes["checkpoint"])),
            dims=("optimizer", "checkpoint"),
        )
        own[0, 1:-1:2] = 0.0
        both = beside(study.assign_coords(recorded=own), theirs)
        np.testing.assert_array_equal(both["recorded"].sel(optimizer=study["optimizer"]), own)
        assert (both["recorded"].sel(optimizer="RS") == 1).all()

    def test_keeps_which_cell_computed_a_world_of_ours(self, study, theirs):
        own = xr.DataArray(
            np.zeros((study.sizes["optimizer"], study.sizes["replicate"])),
            dims=("optimizer", "replicate"),
        )
        own[0, 4:] = 4.0
        both = beside(study.assign_coords(cell=own), theirs)
        np.testing.assert_array_equal(both["cell"].sel(optimizer=study["optimizer"]), own)
        assert both["cell"].sel(optimizer="RS").isnull().all()
        assert "cell" not in beside(study.drop_vars("cell"), theirs).coords

    def test_says_that_worlds_do_not_pair(self, both):
        assert both["paired"].values.tolist() == [True, True, True, False]
        assert both.attrs["beside"] == "RS"

    def test_worlds_of_two_studies_pair_where_they_are_the_same(self, tmp_path, study, theirs):
        """By hand: both arms in one study, the same to the bit; another seed, and imported runs, do not pair."""
        few = {"replicates": 6, "budget": 60, "targets": [0.1], "figures": []}
        few |= {"landscapes": {"nk": {"kind": "nk", "n": 8, "k": 2}}}
        methods = {"GA": {"kind": "ga", "population": 6}, "RLS": {"kind": "rls"}}
        apart = [
            here(few | {"name": name.lower(), "optimizers": {name: method}}, tmp_path / name)
            for name, method in methods.items()
        ]
        both = beside(*apart)
        assert both["paired"].values.all()
        together = here(few | {"name": "both", "optimizers": methods}, tmp_path / "both")
        np.testing.assert_array_equal(both["loss"], together["loss"])
        compared = [compare(data)["difference"] for data in (both, together)]
        np.testing.assert_array_equal(*compared)
        other = few | {"name": "other", "seed": 5, "optimizers": {"RLS": methods["RLS"]}}
        assert beside(apart[0], here(other, tmp_path / "other"))["paired"].values.tolist() == [
            True,
            False,
        ]
        again = beside(study, theirs).isel(optimizer=[3, 0])
        third = study.isel(optimizer=[1]).assign_coords(optimizer=["third"])
        assert beside(again, third)["paired"].values.tolist() == [False, True, True]

    def test_analysis_and_figures_work_on_it(self, study, theirs, both):
        ert, ours, alone = (expected_running_time(data)["ert"] for data in (both, study, theirs))
        np.testing.assert_array_equal(ert.sel(optimizer=study["optimizer"]), ours)
        np.testing.assert_array_equal(ert.sel(optimizer="RS"), alone.sel(optimizer="RS"))
        assert [label for label, _ in arms(both.sel(landscape="f1d2"))] == both[
            "optimizer"
        ].values.tolist()
        assert convergence(both).axes

    def test_runs_that_ended_early_are_billed_what_they_spent(self, theirs):
        missed = theirs.sel(landscape="f8d3", optimizer="RS")
        assert np.isinf(missed["hit_cost"].isel(target=3)).all()
        reached = np.isfinite(missed["hit_cost"].values).sum(0)
        spent = np.where(np.isfinite(missed["hit_cost"]), missed["hit_cost"], 60).sum(
            0
        )  # each ran 60 of our 250 evaluations
        np.testing.assert_allclose(
            expected_running_time(missed)["ert"].values,
            np.where(reached, spent / np.maximum(reached, 1), np.inf),
        )

    def test_runs_of_theirs_that_find_no_row_get_their_own(self, study, watched):
        few = study.isel(replicate=slice(1, 2))
        joined = beside(few, import_coco(watched[0], few))
        assert joined["instance"].values.tolist() == [1, 0, 2]
        assert (joined["status"].sel(optimizer="SGD").isel(checkpoint=-1).values[0] < 4).tolist() == [
            True,
            False,
            False,
        ]

    def test_axes_of_ours_repeat_theirs(self, study, theirs):
        swept = (
            xr
            .concat([study, study], "rate")
            .assign_coords(rate=[1, 2])
            .transpose("landscape", "optimizer", "rate", ...)
        )
        joined = beside(swept, theirs)
        assert joined["loss"].dims == swept["loss"].dims
        np.testing.assert_array_equal(
            joined["loss"].sel(optimizer="RS").isel(rate=0),
            joined["loss"].sel(optimizer="RS").isel(rate=1),
        )

    def test_refuses_what_does_not_fit(self, study, theirs):
        with pytest.raises(ValueError, match="both have RS"):
            beside(study.isel(optimizer=[0]).assign_coords(optimizer=["RS"]), theirs)
        with pytest.raises(
            ValueError,
            match="expected the same target_loss, theirs are others; import again with like=ours",
        ):
            beside(study.assign_coords(target_loss=study["target_loss"] * 2), theirs)
        with pytest.raises(ValueError, match="expected the same cost"):
            beside(study.isel(checkpoint=slice(3, None)), theirs)
        other = changed(study, lambda label, spec: spec | {"function": 2})
        with pytest.raises(ValueError, match="expected a landscape in common, found none"):
            beside(other, theirs)
        with pytest.raises(ValueError, match="landscapes.f1d2.instance: expected null"):
            beside(changed(other, lambda label, spec: spec | {"instance": 4}), theirs)
