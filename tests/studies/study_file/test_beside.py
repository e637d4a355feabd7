"""A file that a study names is found from the working directory, else beside the study file."""

from pathlib import Path

import pytest

from studies.study_file.loading import load_study
from studies.study_file.study import StudyError

TABLE = "genotype,fitness\n00,1.0\n10,1.5\n01,2.0\n11,{}\n"
STUDY = """
name: table
budget: 40
replicates: 2
landscapes: {landscapes}
optimizers: {{EA: {{kind: one_plus_one_ea}}}}
"""


@pytest.fixture
def study(tmp_path, monkeypatch):
    """Writes a study, with tables `t.csv` and `u.csv` beside it; the working directory is another folder."""
    folder, here = tmp_path / "studies", tmp_path / "here"
    folder.mkdir()
    here.mkdir()
    monkeypatch.chdir(here)

    def write(landscapes, more=""):
        (folder / "study.yaml").write_text(STUDY.format(landscapes=landscapes) + more)
        for name, best in (("t", 3.0), ("u", 4.0)):
            (folder / f"{name}.csv").write_text(TABLE.format(best))
        return load_study("../studies/study.yaml")

    return write


@pytest.mark.parametrize(
    "landscapes",
    [
        "{b: {kind: empirical, file: t.csv}}",
        "{b: {kind: moving, inner: {kind: empirical, file: t.csv}}}",
    ],
)
def test_a_table_beside_the_study_is_found(study, landscapes):
    (arm,) = study(landscapes).arms
    entry = arm.landscape.get("inner", arm.landscape)
    assert entry["file"] == "../studies/t.csv"


def test_swept_tables_beside_the_study_are_found(study):
    swept = study("{b: {kind: empirical}}", "sweep: {landscapes.b.file: [t.csv, u.csv]}\n")
    assert [arm.landscape["file"] for arm in swept.arms] == ["../studies/t.csv", "../studies/u.csv"]


def test_the_working_directory_comes_first_and_shipped_tables_stay(study):
    Path("t.csv").write_text(TABLE.format(5.0))
    (arm,) = study("{b: {kind: empirical, file: t.csv}}").arms
    assert arm.landscape["file"] == "t.csv"
    (arm,) = study("{b: {kind: empirical}}").arms
    assert arm.landscape["file"] == "weinreich2006"


def test_the_study_as_resolved_finds_it_too(study):
    made = study("{b: {kind: empirical, file: t.csv}}")
    assert load_study(made.resolved).resolved == made.resolved


def test_a_table_that_is_nowhere_is_a_mistake_as_it_was_written(study):
    with pytest.raises(StudyError, match=r"landscapes\.b\.file: .*, got 'nowhere\.csv'$"):
        study("{b: {kind: empirical, file: nowhere.csv}}")
