"""What `studies.list` and `studies.describe` print."""

import subprocess
import sys

import pytest

from landscapes import LANDSCAPES
from optimizers import OPTIMIZERS
from studies import describe
from studies import list as listing
from studies.claims import CLAIMS
from studies.config import ready_studies
from studies.figures import FIGURES


def run(*words):
    return subprocess.run([sys.executable, "-m", *words], capture_output=True, text=True, check=False)


def test_every_kind_and_study_has_a_line():
    rows = {(family, name): line for family, name, line in listing.rows()}
    expected = {("landscape", kind) for kind in LANDSCAPES} | {("optimizer", kind) for kind in OPTIMIZERS}
    expected |= {("study", name) for name in ready_studies()} | {("claim", kind) for kind in CLAIMS} | {("figure", name) for name in FIGURES}
    assert set(rows) == expected
    assert all(rows.values())


def test_a_study_without_a_question_shows_its_first_comment(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text("# yaml-language-server: $schema=s.json\n# What it is.\nname: x\n")
    assert listing.about(path) == "What it is."


@pytest.mark.parametrize("kind", [*LANDSCAPES, *OPTIMIZERS])
def test_every_kind_is_described(kind):
    family, cls = describe.find(kind)
    assert kind in (LANDSCAPES if family == "landscape" else OPTIMIZERS)
    assert describe.source(cls)
    *facts, table = describe.describe(kind)
    assert facts[0].startswith(f"{kind} ({family}): ")
    meanings = [*table.columns[3].cells]
    assert all(meanings), f"a parameter of {kind} has no description in its docstring"


def test_describe_prints_ranges_defaults_and_paper():
    out = run("studies.describe", "sgd")
    assert out.returncode == 0, out.stderr
    words = " ".join(out.stdout.split())
    facts = ("searches: reals", "asks for: gradients", "source: Robbins and Monro 1951")
    for part in (*facts, "learning_rate number > 0 0.1", "number >= 0 < 1", "number > 0 or null"):
        assert part in words, part


def test_an_unknown_kind_exits_with_2():
    out = run("studies.describe", "sdg")
    assert (out.returncode, out.stdout, out.stderr) == (2, "", "unknown kind 'sdg'; did you mean 'sgd'?\n")


def test_list_prints():
    out = run("studies.list")
    assert out.returncode == 0, out.stderr
    assert "quickstart" in out.stdout
