"""COCO's format: cocopp finds our running times in what is written, and what its logger wrote is read to the digit."""

import json
import re
import subprocess
import sys
import tarfile

import numpy as np
import pytest
import torch
import xarray as xr

from landscapes.bbob.landscape import BBOB
from landscapes.streams import Streams
from studies.analysis.running_time.runtime import expected_running_time
from studies.exchange import export_coco, import_coco
from tests.studies.exchange.conftest import TARGETS
from tests.support.ran import changed

LABELS = ("f1d2", "f1d3", "f8d2", "f8d3")


@pytest.fixture(scope="module")
def written(study, tmp_path_factory):
    """Point -> the folders written."""
    return {
        point: export_coco(study, tmp_path_factory.mktemp(point) / "out", point=point)
        for point in ("recommended", "best")
    }


@pytest.fixture(scope="module")
def found(written, cocopp):
    """What cocopp finds."""
    return cocopp(TARGETS, [folder for folders in written.values() for folder in folders])


@pytest.mark.verify
class TestCocopp:
    @pytest.mark.parametrize(
        ("point", "which"), [("best", "best_hit_cost"), ("recommended", "hit_cost")]
    )
    def test_finds_our_running_times_and_successes(self, study, written, found, point, which):
        whole = study.assign({
            which: study[which].clip(min=1)
        })  # a target that holds before the first step counts as reached at evaluation 1
        ours = expected_running_time(whole, which=which)
        assert np.isfinite(ours["ert"]).mean() > 0.4
        assert (ours["successes"] % 10 > 0).any(), "some targets must be reached by some of the runs"
        for folder, optimizer in zip(written[point], study["optimizer"].values, strict=True):
            for label in LABELS:
                theirs, mine = (
                    found[f"{folder} {label}"],
                    ours.sel(landscape=label, optimizer=optimizer),
                )
                np.testing.assert_allclose(theirs["ert"], mine["ert"], rtol=1e-9)
                assert theirs["successes"] == mine["successes"].values.tolist()

    def test_hits_before_the_first_step_are_all_that_differs(self, study):
        assert (study["hit_cost"] == 0).any()
        assert not (study["best_hit_cost"] == 0).any()

    def test_knows_instances_names_suite(self, written, found):
        told = found[f"{written['best'][1]} f8d3"]
        assert (told["instances"], told["name"], told["suite"]) == (
            [1, 2, 3, 4, 5] * 2,
            "OpenAI-ES_small",
            "bbob",
        )

    def test_bills_diverged_runs_what_they_spent(self, study, written, found):
        gradients = (
            study["gradient_terms"].isel(checkpoint=-1).sel(landscape="f8d3", optimizer="SGD").values
        )
        assert gradients.max() < 20, "these runs diverge"
        assert found[f"{written['best'][2]} f8d3"]["spent"] == (3.0 * gradients).tolist()

    @pytest.mark.verify
    def test_processes_it(self, written, tmp_path):
        pytest.importorskip("six", reason="cocopp imports it")
        words = [
            sys.executable,
            "-W",
            "ignore",
            "-m",
            "cocopp",
            "-o",
            str(tmp_path / "pages"),
            *map(str, written["best"][:2]),
        ]
        done = subprocess.run(words, capture_output=True, text=True, cwd=tmp_path, check=False)
        assert done.returncode == 0, done.stderr
        assert "ALL done" in done.stdout
        assert (tmp_path / "pages" / "index.html").exists()


class TestLayout:
    def test_is_that_of_its_logger(self, watched, written):
        real, ours = watched[0], written["best"][0]
        names = {
            path.relative_to(real)
            for path in real.rglob("*")
            if path.is_file() and path.suffix not in (".mdat", ".rdat")
        }
        assert {path.relative_to(ours) for path in ours.rglob("*") if path.is_file()} == names
        keys = [
            [
                pair.split(" = ")[0]
                for pair in (folder / "bbobexp_f1.info").read_text().splitlines()[0].split(", ")
            ]
            for folder in (real, ours)
        ]
        assert set(keys[1]) == set(keys[0]) - {"coco_version", "settings"}
        columns = [
            (folder / "data_f1/bbobexp_f1_DIM2.dat").read_text().splitlines()[0].split(" | ")
            for folder in (real, ours)
        ]
        assert [c.split("(")[0] for c in columns[1]] == [c.split("(")[0] for c in columns[0][:5]]

    def test_numbers_instances_as_coco_does(self, watched):
        landscape = BBOB(function=8, dim=3).bind(
            Streams(seed=1, worlds=torch.arange(3), dtype=torch.float64, device="cpu")
        )
        import cocoex

        for r in range(3):
            problem = cocoex.Suite(
                "bbob", "", f"dimensions:3 function_indices:8 instance_indices:{r + 1}"
            ).get_problem(0)
            values = [problem(x) for x in landscape.optimum.numpy()]
            assert values[r] == pytest.approx(float(landscape.f_opt[r]), abs=1e-8)
            assert all(value > values[r] + 1e-3 for s, value in enumerate(values) if s != r)


class TestExport:
    def test_refuses_other_landscapes(self, study, tmp_path):
        other = changed(
            study, lambda label, spec: {"kind": "nk", "n": 10, "k": 2} if label == "f8d2" else spec
        )
        with pytest.raises(
            ValueError,
            match=r"landscapes.f8d2: COCO's format is for landscapes of kind bbob or bbob_noisy, got nk",
        ):
            export_coco(other, tmp_path / "out")
        assert not list(tmp_path.iterdir()), "nothing is left behind"

    def test_replaces_nothing(self, study, tmp_path):
        (tmp_path / "mine.txt").write_text("dear")
        with pytest.raises(ValueError, match="expected a folder that is new or empty"):
            export_coco(study, tmp_path)
        assert (tmp_path / "mine.txt").read_text() == "dear"

    def test_an_axis_that_changes_the_landscape_is_a_dimension(self, study, tmp_path):
        swept = xr.concat(
            [study.sel(landscape=[f"f8d{d}"]).assign_coords(landscape=["f8"]) for d in (2, 3)], "dim"
        ).assign_coords(dim=[2, 3])
        found = json.loads(study.attrs["settings"])
        arms = [arm for arm in found["arms"] if arm["coords"]["landscape"].startswith("f8")]
        for arm in arms:
            arm["coords"] |= {"landscape": "f8", "dim": found["tasks"][arm["task"]]["landscape"]["dim"]}
        export_coco(swept.assign_attrs(settings=json.dumps(found | {"arms": arms})), tmp_path / "swept")
        export_coco(study.sel(landscape=["f8d2", "f8d3"]), tmp_path / "plain")
        for path in (tmp_path / "plain").rglob("*.*dat"):
            assert (
                tmp_path / "swept" / path.relative_to(tmp_path / "plain")
            ).read_text() == path.read_text()

    def test_runs_end_at_what_they_spent(self, study, written):
        """The budget, though steps of 6 evaluations end at 246 or 252; less where a run diverged."""
        gradients = study["gradient_terms"].isel(checkpoint=-1).sel(landscape="f8d3", optimizer="SGD")
        assert gradients.max() < 20, "these runs diverge"
        for folder, spent in ((0, [250] * 10), (2, (3 * gradients).values.tolist())):
            lines = (written["best"][folder] / "bbobexp_f8.info").read_text().splitlines()
            assert [int(end) for end in re.findall(r":(\d+)\|", lines[-1])] == spent

    def test_leaves_out_worlds_without_numbers(self, study, tmp_path):
        failed = study.copy(deep=True)
        failed["status"][:, :, 3] = 4
        export_coco(failed, tmp_path / "out")
        runs = (tmp_path / "out/SGD/bbobexp_f1.info").read_text().splitlines()[2].split(", ")[1:]
        assert [run.split(":")[0] for run in runs] == ["1", "2", "3", "5", "1", "2", "3", "4", "5"]


class TestImport:
    def test_of_its_logger_is_exact(self, watched):
        path, truth = watched
        data = import_coco(path)
        offsets = {key: _offset(*key) for key in truth}
        for (function, dim, instance), (best, _) in truth.items():
            run = data.sel(landscape=f"f{function} {dim}-D", optimizer="RS").isel(
                replicate=instance - 1
            )
            gap = best - offsets[function, dim, instance]
            hits = [
                1 + int(np.argmax(gap <= t)) if (gap <= t).any() else np.inf
                for t in data["target_loss"].values
            ]
            assert run["hit_cost"].values.tolist() == hits
            last = run["best_loss"].values[-1]
            assert last == pytest.approx(gap[-1], rel=1e-9)
            shown, cost = run["best_loss"].values, data["cost"].values
            assert (shown >= gap[np.floor(cost * (1 + 1e-9)).astype(int) - 1] * (1 - 1e-8)).all(), (
                "never better than it was"
            )
        assert data["instance"].values.tolist() == [0, 1, 2]
        assert data["status"].isel(checkpoint=-1).values.tolist() == np.full((4, 1, 3), 2).tolist()

    def test_of_a_published_archive(self):
        import importlib.util
        from pathlib import Path

        package = Path(importlib.util.find_spec("cocopp").submodule_search_locations[0])
        archive = package / "refalgs" / "best2009-bbob.tar.gz"
        data = import_coco(archive)
        assert (data.sizes["landscape"], data["optimizer"].values.tolist()) == (144, ["best2009-bbob"])
        with tarfile.open(archive) as files:
            info = files.extractfile("best2009-bbob/bbob-bestalg.info").read().decode().splitlines()
        ends = dict(
            zip(
                [line for line in info if line.startswith("funcId")],
                [line for line in info if ", 0:" in line],
                strict=True,
            )
        )
        spent = {
            tuple(int(part.split("=")[1]) for part in head.split(",")[:2]): int(
                end.split(":")[1].split("|")[0]
            )
            for head, end in ends.items()
        }
        last = data["hit_cost"].isel(optimizer=0, replicate=0, target=-1)
        reached = 0
        for label, hit in zip(data["landscape"].values, last.values, strict=True):
            function, dim = label[1:].split("-")[0].split()
            if np.isfinite(hit):
                reached += 1
                assert hit <= spent[int(function), int(dim)]
        assert reached > 100
        assert (
            data["hit_cost"].sel(landscape="f1 2-D").values[0, 0, -1] == 6
        )  # its first lines: 0:6|1e-08

    def test_gives_back_what_was_exported(self, study, written):
        for point, which, loss in (
            ("recommended", "hit_cost", "loss"),
            ("best", "best_hit_cost", "best_loss"),
        ):
            back = xr.concat([import_coco(folder, study) for folder in written[point]], "optimizer")
            xr.testing.assert_equal(
                back["instance"].reset_coords(drop=True), study["instance"].reset_coords(drop=True)
            )
            np.testing.assert_array_equal(back["hit_cost"].values, np.maximum(study[which].values, 1))
            told = study[loss].where(np.isfinite(study[loss]))
            lowest = xr.apply_ufunc(
                np.fmin.accumulate,
                told,
                input_core_dims=[["checkpoint"]],
                output_core_dims=[["checkpoint"]],
                kwargs={"axis": -1},
            )
            hits = study["target_loss"].where(study[which] <= study["cost"] * (1 + 1e-9)).min("target")
            expected = np.fmin(lowest, hits).transpose(*study["loss"].dims).values
            known = (study["cost"].values >= 1) & ~np.isnan(expected)
            known &= (study["value_terms"] + study["gradient_terms"]).values > 0
            np.testing.assert_allclose(back["loss"].values[known], expected[known], rtol=1e-12)
            ours, theirs = (
                expected_running_time(d, which=w)["ert"].values
                for d, w in ((study.assign({which: study[which].clip(1)}), which), (back, "hit_cost"))
            )
            np.testing.assert_allclose(theirs, ours, rtol=1e-12)

    def test_like_another_study_cuts_runs_at_its_budget(self, study, written):
        short = study.sel(checkpoint=study["cost"] <= 100)
        short = short.assign_coords(
            checkpoint=short["checkpoint"].values / short["checkpoint"].values[-1]
        )  # a study whose budget ends there
        back = import_coco(written["best"][0], short)
        end = float(short["cost"][-1])
        expected = study["best_hit_cost"].sel(optimizer=["CMA-ES"])
        np.testing.assert_array_equal(
            back["hit_cost"].values, expected.where(expected <= end, np.inf).values
        )

    @pytest.mark.parametrize(
        ("name", "text", "message"),
        [("a.txt", "hello", r"expected COCO's files, found no \*.info"), ("a.info", "nonsense\nmore", "a.info: not in COCO's format at 'nonsense'"),
         ("a.info", "funcId = 1, DIM = 2, algId = 'x'\n%\ndata/no.dat, 1:5|1e-1", "there is no data/no.dat")],
    )  # fmt: skip
    def test_refuses_what_is_none(self, tmp_path, name, text, message):
        (tmp_path / name).write_text(text)
        with pytest.raises(ValueError, match=message):
            import_coco(tmp_path)

    def test_refuses_where_nothing_is(self, tmp_path, study, watched):
        with pytest.raises(ValueError, match="found nothing"):
            import_coco(tmp_path / "no")
        (tmp_path / "bad.tar.gz").write_text("no archive")
        with pytest.raises(ValueError, match="the archive cannot be unpacked"):
            import_coco(tmp_path / "bad.tar.gz")
        other = changed(
            study, lambda label, spec: spec | {"function": 3 if spec["function"] == 1 else 4}
        )
        with pytest.raises(
            ValueError, match="expected a landscape of f1d2, f1d3, f8d2, f8d3, found bbob f1 2-D"
        ):
            import_coco(watched[0], other)


def _offset(function, dim, instance):
    """f_opt of COCO's own."""
    from landscapes.bbob.instances import f_opt

    del dim
    return f_opt(function, instance)
