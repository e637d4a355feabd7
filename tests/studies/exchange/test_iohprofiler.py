"""IOHprofiler's format: iohinspector finds our fixed-target numbers in what is written, and what its logger wrote is read back."""

import json
import warnings

import numpy as np
import polars as pl
import pytest
import xarray as xr

from studies.exchange import export_ioh, import_ioh
from studies.exchange.iohprofiler import NAMES
from tests.studies.exchange.conftest import TARGETS
from tests.support.ran import changed

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import iohinspector
    from iohinspector.align import align_data
    from iohinspector.metrics import aggregate_running_time


@pytest.fixture(scope="module")
def written(study, tmp_path_factory):
    """The study, in one folder."""
    out = tmp_path_factory.mktemp("ioh") / "out"
    export_ioh(study, out, point="best")
    return out


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """What IOHexperimenter's own logger wrote, and the best gap after every evaluation of every run."""
    import ioh

    root = tmp_path_factory.mktemp("ioh")
    logger = ioh.logger.Analyzer(
        root=str(root), folder_name="RS", algorithm_name="RS", store_positions=False
    )
    truth = []
    for function in (1, 8):
        for instance in (1, 2):
            problem = ioh.get_problem(function, instance, 2, ioh.ProblemClass.BBOB)
            problem.attach_logger(logger)
            for run in range(2):
                rng = np.random.default_rng(10 * instance + run)
                truth.append(
                    np.minimum.accumulate([problem(rng.uniform(-5, 5, 2)) for _ in range(50)])
                    - problem.optimum.y
                )
                problem.reset()
    logger.close()
    return root / "RS", np.reshape(truth, (2, 4, 50))


class TestIohinspector:
    @pytest.mark.verify
    def test_finds_our_fixed_target_numbers(self, study, written):
        manager = iohinspector.DataManager()
        manager.add_folder(str(written))
        assert manager.n_runs == 4 * 3 * 10
        for function, dim in ((1, 2), (1, 3), (8, 2), (8, 3)):
            for optimizer in study["optimizer"].values:
                part = manager.select(
                    function_ids=[function], dimensions=[dim], algorithms=[optimizer]
                ).load(monotonic=True, include_meta_data=True)
                told = align_data(
                    part,
                    sorted(TARGETS),
                    ["run_id"],
                    x_col="raw_y",
                    y_col="evaluations",
                    silence_warning=True,
                )
                ours = study["best_hit_cost"].sel(landscape=f"f{function}d{dim}", optimizer=optimizer)
                for r in range(10):
                    mine = told.filter(pl.col("run_id") == r + 1).sort("raw_y", descending=True)[
                        "evaluations"
                    ]
                    assert mine.to_list() == ours.values[r].tolist()

    def test_success_counts_are_ours_but_its_ert_is_wrong(self, study, written):
        """Its ERT bills a run without success the largest evaluation of all runs, 250 here, also where the run diverged after 18 evaluations."""
        manager = iohinspector.DataManager()
        manager.add_folder(str(written))
        part = manager.select(function_ids=[8], dimensions=[2], algorithms=["SGD"]).load(
            monotonic=True, include_meta_data=True
        )
        told = aggregate_running_time(part, f_min=1.0, f_max=100.0)
        ours = study.sel(landscape="f8d2", optimizer="SGD")
        hit = ours["best_hit_cost"].sel(target=0).values
        spent = 3.0 * ours["gradient_terms"].isel(checkpoint=-1).values
        last = told.iloc[-1]
        assert last["success_count"] == np.isfinite(hit).sum()
        right = np.where(np.isfinite(hit), hit, spent).sum() / np.isfinite(hit).sum()
        assert last["ERT"] > right * 1.5

    def test_knows_instances_and_ends(self, study, written):
        manager = iohinspector.DataManager()
        manager.add_folder(str(written))
        overview = manager.overview.filter(
            (pl.col("function_id") == 8)
            & (pl.col("dimension") == 3)
            & (pl.col("algorithm_name") == "SGD")
        )
        assert overview["instance"].to_list() == [1, 2, 3, 4, 5] * 2
        assert (
            overview["evals"].to_list()
            == (
                3 * study["gradient_terms"].isel(checkpoint=-1).sel(landscape="f8d3", optimizer="SGD")
            ).values.tolist()
        )
        assert overview["function_name"].unique().to_list() == ["Rosenbrock"]


class TestLayout:
    def test_is_that_of_its_logger(self, watched, written):
        real, ours = (
            json.loads(next(folder.glob("*f1_*.json")).read_text())
            for folder in (watched[0], written / "SGD")
        )
        assert set(ours) == set(real)
        assert set(ours["scenarios"][0]) == set(real["scenarios"][0])
        assert set(ours["scenarios"][0]["runs"][0]) == set(real["scenarios"][0]["runs"][0])
        assert (ours["function_name"], ours["scenarios"][0]["path"]) == (
            real["function_name"],
            real["scenarios"][0]["path"],
        )
        assert (written / "SGD" / ours["scenarios"][0]["path"]).read_text().splitlines()[
            0
        ] == "evaluations raw_y"

    def test_names_the_functions_as_it_does(self):
        import ioh

        assert [
            ioh.get_problem(f, 1, 2, ioh.ProblemClass.BBOB).meta_data.name for f in range(1, 25)
        ] == NAMES


class TestImport:
    def test_of_its_logger(self, watched):
        path, truth = watched
        data = import_ioh(path)
        assert data["instance"].values.tolist() == [0, 0, 1, 1]
        for i, label in enumerate(("f1 2-D", "f8 2-D")):
            for r in range(4):
                gap, run = truth[i, r], data.sel(landscape=label, optimizer="RS").isel(replicate=r)
                hits = [
                    1 + int(np.argmax(gap <= t)) if (gap <= t).any() else np.inf
                    for t in data["target_loss"].values
                ]
                assert run["best_hit_cost"].values.tolist() == hits
                at = np.floor(data["cost"].values * (1 + 1e-9)).astype(int) - 1
                np.testing.assert_allclose(
                    run["best_loss"].values, gap[at], rtol=1e-6, atol=1e-9
                )  # ten digits behind the point

    def test_gives_back_what_was_exported(self, study, written):
        back = import_ioh(written, study)
        np.testing.assert_array_equal(
            back["hit_cost"].sel(optimizer=study["optimizer"]).values, study["best_hit_cost"].values
        )
        xr.testing.assert_equal(
            back["cost"].reset_coords(drop=True), study["cost"].reset_coords(drop=True)
        )

    def test_of_landscapes_that_are_none_of_bbob(self, study, tmp_path):
        study = changed(
            study, lambda label, spec: {"kind": "nk", "n": 10, "k": 2} if label == "f8d2" else spec
        )
        export_ioh(study, tmp_path / "out")
        about = json.loads((tmp_path / "out/SGD/IOHprofiler_f1001_f8d2.json").read_text())
        assert (about["suite"], about["function_id"], about["scenarios"][0]["dimension"]) == (
            "two-descents",
            1001,
            10,
        )
        assert (
            import_ioh(tmp_path / "out", study)["landscape"].values.tolist()
            == study["landscape"].values.tolist()
        )

    def test_a_landscape_without_a_size_is_refused(self, study, tmp_path):
        other = changed(
            study, lambda label, spec: {"kind": "digits", "hidden": [3]} if label == "f8d2" else spec
        )
        with pytest.raises(
            ValueError, match="landscapes.f8d2: expected a parameter dim or n, digits has none"
        ):
            export_ioh(other, tmp_path / "out")

    @pytest.mark.parametrize(
        ("change", "message"),
        [({"suite": "SBOX"}, "the suite SBOX has the names of BBOB's functions"), ({"algorithm": None}, "not in IOHprofiler's format"),
         ({"scenarios": [{"dimension": 2, "path": "no.dat", "runs": []}]}, "no.dat")],
    )  # fmt: skip
    def test_refuses_what_is_none(self, watched, tmp_path, change, message):
        about = json.loads(next(watched[0].glob("*f1_*.json")).read_text())
        (tmp_path / "a.json").write_text(json.dumps(about | change))
        with pytest.raises(ValueError, match=message):
            import_ioh(tmp_path)

    def test_refuses_an_empty_folder(self, tmp_path):
        with pytest.raises(ValueError, match=r"expected IOHprofiler's files, found no \*.json"):
            import_ioh(tmp_path)
