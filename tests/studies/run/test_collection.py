"""Collections of ready studies: their order, how a run of one goes on and ends, and the page that joins them."""

import argparse
import contextlib
import re

import pytest

from studies import list as listing
from studies.results import view
from studies.run import collection as running
from studies.run.__main__ import main
from studies.study_file.collections import FOLDER, Collection, collections, in_order
from studies.study_file.document import read
from studies.study_file.files import ready_studies
from studies.study_file.loading import load_study
from studies.study_file.plan import make_plan, manifest
from tests.support.runs import here

ARGS = argparse.Namespace(config="chapter", out=None, report=True, dry_run=False, set=[], strict=False)


def test_each_names_ready_studies_once():
    names = [name for collection in collections().values() for name in collection.studies]
    assert len(names) == len({*names})
    assert {*names} <= {*ready_studies()}
    assert [*collections()] == sorted(path.stem for path in FOLDER.glob("*.yaml"))
    assert not {*collections()} & {*ready_studies()}


def test_the_list_has_the_studies_in_their_order(capsys, monkeypatch):
    """Those of the chapter first, in the order of its file."""
    data = read("chapter", (FOLDER / "chapter.yaml").read_text()).data
    there = data["studies"]
    assert in_order()[: len(there)] == there
    assert sorted(in_order()) == sorted(ready_studies())
    monkeypatch.setattr("sys.argv", ["list"])
    with contextlib.suppress(SystemExit):
        listing.main()
    printed = re.findall(r"^  (\S+)", capsys.readouterr().out, re.MULTILINE)
    assert [name for name in printed if name in there][: len(there)] == there


@pytest.mark.parametrize(
    ("codes", "begun", "code"),
    [
        ([0, 0, 0], 3, 0),
        ([0, 1, 0], 3, 1),
        ([2, 0, 1], 3, 2),
        ([0, 130], 2, 130),
        ([75], 1, 75),
    ],
)
def test_a_run_goes_on_unless_it_was_stopped(tmp_path, monkeypatch, codes, begun, code):
    few = Collection("few", "Few", ("quickstart", "claims", "tuned"))
    seen, joined = [], []
    monkeypatch.setattr(running, "_join", lambda collection, folder: joined.append(folder))
    left = iter(codes)

    def one(args):
        seen.append((args.config, args.out, args.report))
        return next(left)

    args = argparse.Namespace(**vars(ARGS) | {"out": tmp_path})
    assert running.run(few, args, one) == code
    assert seen == [(name, tmp_path / name, False) for name in few.studies[:begun]]
    assert joined == ([tmp_path] if code < 75 else [])


def test_the_page_joins_what_is_there(tmp_path, capsys):
    study = {
        "name": "first",
        "question": "Is it joined?",
        "replicates": 2,
        "budget": 20,
        "landscapes": {"bowl": {"kind": "quadratic", "dim": 2}},
        "optimizers": {"SGD": {"kind": "sgd"}},
    }
    here(study, tmp_path / "first")
    plan = make_plan(load_study(study))
    shown = manifest(plan, plan.cells(()))
    view.save_manifest(shown, tmp_path / "first")
    view.export(shown, tmp_path / "first")
    running._join(Collection("few", "Few", ("first", "second")), tmp_path)
    assert capsys.readouterr().out.split() == [str(tmp_path / "few.html")]
    page = (tmp_path / "few.html").read_text()
    assert 'href="first/report.html"' in page
    assert "second" not in page
    assert (tmp_path / "first" / "report.html").exists()


def test_a_dry_run_previews_each(tmp_path, monkeypatch, capsys):
    few = {"few": Collection("few", "Few", ("claims", "batch-time"))}
    monkeypatch.setattr("studies.study_file.collections.collections", lambda: few)
    seen = []
    monkeypatch.setattr(
        "studies.run.preview.show", lambda study, out, cluster, yes: seen.append((study.name, out))
    )
    assert main(["few", "--dry-run", "--out", str(tmp_path)]) == 0
    assert seen == [(name, tmp_path / name) for name in ("claims", "batch-time")]
    assert "1 of 2: claims: Does gradient descent" in capsys.readouterr().out
    assert not [*tmp_path.iterdir()]


def test_a_name_that_is_nearly_one_is_told(capsys):
    assert main(["chaptre"]) == 2
    assert "did you mean 'chapter'?" in capsys.readouterr().err
