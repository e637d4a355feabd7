"""From Python all is written that the command writes."""

import contextlib
import json
import shutil
from pathlib import Path

import pytest

import studies.figures
from studies import run_study
from studies.results import cell_files
from studies.results.cell_files import Damaged
from studies.run import clusters, session
from studies.run.session import Outcome, execute
from studies.study_file.loading import load_study
from tests.support.runs import assert_same, here, sketch

STUDY = {
    "name": "written",
    "budget": 30,
    "replicates": 4,
    "landscapes": {"bowl": {"kind": "quadratic", "dim": 2}},
    "optimizers": {"fast": {"kind": "sgd", "learning_rate": 0.1}, "slow": {"kind": "sgd", "learning_rate": 0.01}},
    "figures": ["convergence"],
    "claims": {"order": {"kind": "ordering", "better": "fast", "worse": "slow"}},
}  # fmt: skip


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return here(STUDY, tmp_path_factory.mktemp("cells"))


@pytest.fixture
def computed(results, monkeypatch):
    """Runs are over at once, with these results."""
    monkeypatch.setattr(session, "execute", lambda *words, **more: Outcome("complete", [], results))
    monkeypatch.setattr(session, "live", lambda out: contextlib.nullcontext())
    monkeypatch.setattr(session, "finish", lambda out: (out / "report.html").touch())


def files(out):
    return sorted(str(path.relative_to(out)) for path in out.rglob("*.*") if path.is_file())


def test_figures_claims_and_the_report_are_written(tmp_path, computed, monkeypatch):
    monkeypatch.setattr(studies.figures, "save", sketch)
    run_study(STUDY, tmp_path)
    assert files(tmp_path) == [
        "claims.json",
        "figures/convergence.pdf",
        "figures/convergence.png",
        "report.html",
    ]
    assert "order" in json.dumps(json.loads((tmp_path / "claims.json").read_text()))


def test_figures_are_left_out_where_they_are_not_wanted(tmp_path, computed):
    run_study(STUDY, tmp_path, figures=False)
    assert files(tmp_path) == ["claims.json", "report.html"]


def test_a_figure_that_cannot_be_drawn_is_a_line_and_takes_nothing_with_it(
    tmp_path, computed, results, monkeypatch, capsys
):
    def fails(*words):
        raise ValueError("expected\nmore worlds")

    monkeypatch.setattr(studies.figures, "save", fails)
    assert run_study(STUDY, tmp_path) is results
    assert capsys.readouterr().err == "figures: convergence: expected more worlds\n"
    assert files(tmp_path) == ["claims.json", "report.html"]


def test_a_cluster_that_there_is_not_is_told_before_anything_is_written(tmp_path):
    with pytest.raises(
        clusters.ClusterError, match="cluster: expected kind: one of local, .*, got 'pigeon'"
    ):
        run_study(STUDY, tmp_path / "out", cluster="pigeon")
    assert not (tmp_path / "out").exists()


def test_a_damaged_cell_is_set_aside_named_and_computed_anew(tmp_path, capsys):
    """Of the study and of its tuning: what was stored of them comes back, and nothing else is computed."""
    study = {
        **STUDY,
        "tuning": {"trials": 2, "worlds": 4, "ranges": {"fast": {"learning_rate": [0.1, 0.2]}}},
    }
    before = execute(load_study(study), tmp_path, text="").dataset
    cells = sorted((tmp_path / "cells").glob("??/*.nc"))
    kept = [path.stat().st_mtime_ns for path in cells[2:]]
    shutil.rmtree(tmp_path / "dataset.zarr")
    for path in cells[:2]:
        path.write_bytes(path.read_bytes()[:-500] + bytes(500))
    with pytest.raises(Damaged, match="run the study again, which computes the cell anew"):
        cell_files.read(cells[0])
    capsys.readouterr()
    assert_same(execute(load_study(study), tmp_path, text="").dataset, before)
    said = capsys.readouterr().err
    assert all(f"{path}.damaged: a damaged cell is set aside here" in said for path in cells[:2])
    assert sorted((tmp_path / "cells").glob("??/*.damaged")) == [
        Path(f"{path}.damaged") for path in cells[:2]
    ]
    assert [path.stat().st_mtime_ns for path in cells[2:]] == kept
