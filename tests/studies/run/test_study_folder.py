"""One folder, one study: another is refused, and a changed one leaves nothing of what it was."""

import errno
import json
import os
import shutil

import pytest

import studies.figures
from studies import open_study
from studies.run import notes, session, study_folder
from studies.run.__main__ import main
from studies.study_file.loading import load_study
from tests.support.runs import sketch

HOLDS = {"kind": "ordering", "better": "B", "worse": "A"}
STUDY = {
    "name": "first",
    "replicates": 2,
    "budget": 40,
    "checkpoints": [0.5, 1.0],
    "targets": [1.0],
    "landscapes": {"bowl": {"kind": "quadratic", "dim": 2}},
    "optimizers": {"A": {"kind": "random_search"}, "B": {"kind": "ga", "population": 4}},
    "figures": ["convergence", "ecdf"],
    "claims": {"B is better": HOLDS},
}
OTHER = STUDY | {"name": "second", "figures": ["convergence"], "claims": {}}


@pytest.fixture(scope="module", autouse=True)
def sketches():
    """Figures are not drawn."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(studies.figures, "save", sketch)
        yield


def run(folder, study, *words):
    """Exit code of a study in FOLDER/out, without a report."""
    (folder / "given.json").write_text(json.dumps(study))
    return main([str(folder / "given.json"), "--out", str(folder / "out"), "--no-report", *words])


def files(folder):
    """Relative path -> content of all files, directories of the view left out."""
    return {
        str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ran")
    assert run(folder, STUDY) == 0
    return folder


@pytest.mark.parametrize("words", [(), ("--dry-run",)])
def test_a_study_of_another_name_is_refused_and_changes_nothing(ran, capsys, words):
    before = files(ran / "out")
    assert run(ran, OTHER, *words) == 2
    line = (
        f"--out {ran / 'out'}: this folder has the study 'first'; choose another folder for 'second', or"
        " remove this one\n"
    )
    assert capsys.readouterr().err == line
    assert files(ran / "out") == before


@pytest.mark.parametrize("words", [(), ("--dry-run",)])
def test_a_file_in_its_place_is_one_line(tmp_path, capsys, words):
    (tmp_path / "out").write_text("a file, no folder")
    assert run(tmp_path, STUDY, *words) == 2
    out = tmp_path / "out"
    assert (
        capsys.readouterr().err
        == f"--out {out}: expected a folder, but {out} is a file; choose another\n"
    )


def test_a_folder_that_cannot_be_written_is_one_line_with_its_own_code(tmp_path, capsys, monkeypatch):
    def refused(path, *words, **more):
        raise OSError(errno.EROFS, "Read-only file system", str(path))

    monkeypatch.setattr(study_folder.Path, "mkdir", refused)
    assert run(tmp_path, STUDY) == 74
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(
        f"{tmp_path / 'out' / 'cells'} cannot be written: Read-only file system; make room there"
    )


def test_the_same_study_again_computes_and_changes_nothing(ran, capsys, monkeypatch):
    before = files(ran / "out")
    monkeypatch.setattr(session, "connect", lambda *cluster: pytest.fail("a cluster for no cell"))
    assert run(ran, STUDY) == 0
    assert "removed" not in capsys.readouterr().err
    assert before == files(ran / "out")


def test_a_changed_study_keeps_its_cells_and_nothing_else(ran, tmp_path, capsys):
    out = shutil.copytree(ran / "out", tmp_path / "out")
    cells = {path.name for path in out.glob("cells/??/*.nc")}
    mine = out / "figures" / "mine.png"
    mine.write_bytes(b"a picture of the user's")
    (out / "errors").mkdir(exist_ok=True)
    (out / "errors" / "gone.json").write_text('{"error": "of a cell that is planned no more"}')
    (out / "report.html").write_text("the earlier one")
    assert (out / "claims.json").exists()
    assert (out / "figures" / "ecdf.png").exists()
    assert run(tmp_path, OTHER | {"name": "first", "replicates": 3}) == 0
    told = (
        "replicates, claims, figures of this study changed since it last ran here: its earlier figures,"
        " claims and report are removed"
    )
    assert told in " ".join(capsys.readouterr().err.split())
    left = {
        str(path.relative_to(out))
        for path in out.rglob("*")
        if path.is_file() and "zarr" not in str(path) and path.suffix != ".nc"
    }
    assert left == {
        "plan.json",
        "study.yaml",
        "figures/convergence.png",
        "figures/convergence.pdf",
        "figures/mine.png",
    }
    assert cells < {path.name for path in out.glob("cells/??/*.nc")}
    assert json.loads(open_study(out).attrs["config"])["replicates"] == 3


def test_of_old_notes_those_of_processes_that_live_stay(tmp_path):
    """Another machine's notes are touched while their processes live: an old one is that of a dead one."""
    mine, study = notes.here(0, 2), load_study(STUDY)
    written = {
        "mine": mine.text,
        "an_earlier_release": f"{mine.line}\n",
        "dead": mine._replace(process=2**22 + 1).text,
        "elsewhere": mine._replace(host="elsewhere").text,
        "none": "",
    }
    crash = tmp_path / "crash"
    crash.mkdir()
    for name, text in written.items():
        (crash / f"{name}.txt").write_text(text)
        os.utime(crash / f"{name}.txt", (1, 1))
    study_folder.prepare(study, tmp_path)
    assert {path.stem for path in crash.iterdir()} == {"mine", "an_earlier_release"}


def test_an_imported_dataset_is_not_replaced(tmp_path, capsys):
    (tmp_path / "out" / "dataset.zarr").mkdir(parents=True)
    assert run(tmp_path, STUDY) == 2
    assert "this folder has a dataset that is no study's" in capsys.readouterr().err
    assert not (tmp_path / "out" / "study.yaml").exists()


def test_the_users_own_file_in_the_folder_stays_as_it_was_written(tmp_path):
    given = tmp_path / "study.yaml"
    given.write_text("# what I asked\n" + json.dumps(OTHER | {"figures": []}))
    assert main([str(given), "--out", str(tmp_path), "--workers", "1", "--no-report"]) == 0
    assert given.read_text().startswith("# what I asked\n")
