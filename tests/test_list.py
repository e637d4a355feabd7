"""What `studies.list` and `studies.describe` print."""

import re
import subprocess
import sys

import pytest

from landscapes import LANDSCAPES
from landscapes.probes import BINARY_MEASURES, CONTINUOUS_MEASURES
from optimizers import OPTIMIZERS
from studies import describe, yaml_lines
from studies import list as listing
from studies.claims import CLAIMS
from studies.config import ready_studies
from studies.figures import FIGURES
from studies.instruments import VARIABLES
from studies.models import StudyModel, _models_in
from studies.sections import NoiseModel


def run(*words):
    return subprocess.run([sys.executable, "-m", *words], capture_output=True, text=True, check=False)


def test_every_kind_and_study_has_a_line():
    rows = {(family, name): line for family, name, line in listing.rows()}
    expected = {("landscape", kind) for kind in LANDSCAPES} | {("optimizer", kind) for kind in OPTIMIZERS}
    expected |= {("study", name) for name in ready_studies()} | {("claim", kind) for kind in CLAIMS} | {("figure", name) for name in FIGURES}
    expected |= {("measure", name) for name in (*BINARY_MEASURES, *CONTINUOUS_MEASURES)} | {("key", key) for key in StudyModel.model_fields}
    expected |= {("variable", name) for name in VARIABLES} | {("key", f"noise.{key}") for key in NoiseModel.model_fields}
    assert expected <= set(rows)
    assert {family for family, _ in rows} == {family for family, _ in expected}
    assert all(rows.values())


def test_every_line_of_the_list_is_described():
    for family, name, line in listing.rows():
        first = str(describe.describe(name)[0])
        assert first.startswith(f"{name} ("), name
        words = "\n".join(part for part in describe.describe(name) if isinstance(part, str))
        assert line.rstrip(".") in words, (family, name)


def test_every_key_at_any_depth_is_described():
    def keys(model, head=""):
        for name, field in model.model_fields.items():
            yield f"{head}{name}"
            for inner in _models_in(field.annotation):
                yield from keys(inner, f"{head}{name}.")

    found = [*keys(StudyModel)]
    assert {"noise.batch", "budget", "tuning.ranges", "gradient_cost.range", "noise.evaluation.value", "cluster.workers"} <= set(found)
    for key in found:
        assert any(str(part).startswith(f"{key} (key of a study file)") for part in describe.describe(key)), key


@pytest.mark.parametrize(
    ("word", "first"),
    [
        ("sgd.learning_rate", "sgd.learning_rate (parameter): eta > 0"),
        ("sgd.schedule.steps", "sgd.schedule.steps (parameter): after so many steps"),
        ("optimizers.SGD.grid", "optimizers.LABEL.grid (key of a study file): parameter -> values"),
        ("optimizers.sgd.momentum", "sgd.momentum (parameter): "),
        ("ordering.cost", "ordering.cost (parameter): evaluations at which both are looked at"),
    ],
)
def test_parameters_are_described_by_their_path(word, first):
    assert describe.describe(word)[0].startswith(first)


def test_a_bound_is_told_of_a_key():
    assert "values: whole number >= 2" in describe.describe("tuning.trials")
    assert "default: 32" in describe.describe("tuning.trials")
    assert "required" in describe.describe("budget")


def test_a_name_of_several_things_is_described_as_each():
    firsts = [part for part in describe.describe("claims") if isinstance(part, str) and part.startswith("claims (")]
    assert [part.partition(":")[0] for part in firsts] == ["claims (figure)", "claims (ready study)", "claims (key of a study file)"]


@pytest.mark.parametrize(
    ("word", "near"),
    [("GA", "ga"), ("CMA-ES", "cma_es"), ("cmaes", "cma_es"), ("Sgd", "sgd"), ("OnePlusOne", "one_plus_one"), ("lr", "learning_rate")],
)
def test_the_nearest_word_is_found_in_capitals_and_with_other_signs(word, near):
    assert yaml_lines.nearest(word, [*OPTIMIZERS, "learning_rate"]) == near


@pytest.mark.parametrize(
    ("word", "line"),
    [
        ("GA", "unknown kind 'GA'; did you mean 'ga'?"),
        ("noise.Batch", "unknown kind 'noise.Batch'; did you mean 'noise.batch'?"),
        ("sgd.momentun", "unknown kind 'sgd.momentun'; did you mean 'sgd.momentum'?"),
        ("qqqq", "unknown kind 'qqqq'; python -m studies.list prints what there is"),
    ],
)
def test_what_there_is_not_has_a_hint(word, line):
    with pytest.raises(ValueError, match=f"^{re.escape(line)}$"):
        describe.describe(word)


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
