"""Labels as papers print them, axes that a file can bear, the words of the Dataset, and YAML that every reader reads alike."""

import contextlib
import importlib
import inspect
import json
import pkgutil
import re
import unicodedata
import warnings

import numpy as np
import pytest
import xarray as xr
import yaml
from rich.table import Table

import studies.analysis
from landscapes import LANDSCAPES
from optimizers import OPTIMIZERS
from studies.cells.loop import run_cell
from studies.kinds import registry
from studies.probe.examples import EXAMPLES
from studies.probe.named import named
from studies.report.writing import write as write_report
from studies.results import store, view
from studies.run.__main__ import main
from studies.run.progress import Bar
from studies.study_file.document import Mistake, read, write
from studies.study_file.loading import load_study
from studies.study_file.plan import make_plan
from studies.study_file.study import StudyError
from studies.text import labels, schema, terminal
from tests.support.each import each
from tests.support.runs import assembled

OURS = {
    *schema.RECORDED,
    *schema.COUNTED,
    *schema.LEDGER,
    *schema.AGAINST,
    *schema.POPULATION,
    *schema.PICTURE,
}
LABELS = [
    "(1+1)-ES",
    "CMA-ES (full)",
    "k=0.5",
    "(μ/μ_w, λ)-ES",
    "[red]x[/]",
    "<b>bold</b>",
    'it\'s "quoted"',
    "back\\slash",
    ".hidden",
    "../../etc",
    "🚀",
    "\N{WOMAN}\u200d\N{MICROSCOPE}",
    "עברית",
    ":smile:",
    "&amp; {x} %s",
    "x" * 100,
]
STUDY = {
    "name": "labels",
    "replicates": 2,
    "budget": 40,
    "checkpoints": [0.5, 1.0],
    "targets": [1.0],
    "landscapes": {"a.b=[c]": {"kind": "quadratic", "dim": 2}},
    "optimizers": {label: {"kind": "random_search"} for label in LABELS},
}
DETAILED = {"ledger": {"moments": 1, "redraws": 4}, "pictures": {"frames": 2}, "figures": []}


def wrong(**changes):
    """The mistakes of a study with these changes."""
    with pytest.raises(StudyError) as caught:
        load_study(STUDY | changes)
    return caught.value.lines


@pytest.fixture(scope="module")
def computed(tmp_path_factory):
    """The folder of the study with all labels, and of an axis whose dim has a label in it."""
    folder = tmp_path_factory.mktemp("named") / "a[b]"
    optimizers = STUDY["optimizers"] | {
        "a/b": {"kind": "ga", "population": 4},
        "c": {"kind": "ga", "population": 4},
    }
    sweep = {"optimizers.a/b.population": [4], "optimizers.c.population": [6]}
    study = STUDY | {"optimizers": optimizers, "sweep": sweep, "figures": ["convergence"]}
    (folder.parent / "study.json").write_text(
        json.dumps(study)
    )  # an emoji is a pair of surrogates there
    words = ["--out", str(folder), "--workers", "1", "--no-report"]
    assert main([str(folder.parent / "study.json"), *words]) == 0
    return folder


def test_labels_as_papers_print_them_come_back_whole(computed):
    data = xr.open_zarr(computed / "dataset.zarr", consolidated=False)
    assert data["optimizer"].values.tolist() == [*LABELS, "a/b", "c"]
    assert data["landscape"].values.tolist() == ["a.b=[c]"]
    assert not bool(data["loss"].isnull().any())
    assert yaml.safe_load((computed / "study.yaml").read_text(encoding="utf-8"))[
        "optimizers"
    ].keys() == {
        *LABELS,
        "a/b",
        "c",
    }
    # two axes of one parameter: their dims are the paths, with a slash that a file can bear
    assert {"optimizers.a\u2215b.population", "optimizers.c.population"} < set(data.dims)


def test_every_coordinate_that_a_cell_tells_says_what_it_is(computed):
    data = view.open_study(computed)
    for name in ("gap_known", "terms", "spacing", "cost", "target_loss", "instance"):
        assert data[name].attrs["long_name"], name
    assert (data["gap_known"].attrs["units"], data["terms"].attrs["units"]) == ("1", "terms")


def test_a_report_shows_labels_as_text(computed):
    write_report(computed, brief=True)
    text = (computed / "report.html").read_text(encoding="utf-8")
    assert "<b>bold</b>" not in text
    assert "&lt;b&gt;bold&lt;/b&gt;" in text


def test_a_dry_run_prints_labels_and_folders_as_they_are(computed, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    study = str(computed.parent / "study.json")
    assert main([study, "--out", str(computed), "--dry-run"]) == 0
    printed = capsys.readouterr().out
    assert all(label in printed for label in LABELS)
    assert f"folder: {computed}" in printed


@pytest.mark.parametrize("text", ["[red]", "[/]", "[bold]x[/bold]", ":smile:", "\\[x]", "<b>"])
def test_the_console_prints_text_as_it_is(text, capsys):
    grid = Table(text, title=text)
    grid.add_row(text)
    console = terminal.console(columns=60)
    console.print(text)
    console.print(grid)
    assert capsys.readouterr().out.count(text) == 4


def test_a_notebook_gets_plain_lines(monkeypatch, capsys):
    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)
    assert not terminal.console().is_jupyter
    with Bar(terminal.console()).progress:  # with widgets it would warn that they are not installed
        pass


def test_a_terminal_without_the_letters_gets_escapes(monkeypatch):
    import io
    import sys

    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="latin-1"))
    terminal.console(columns=60).print("λ é")
    sys.stdout.flush()
    assert raw.getvalue().decode("latin-1") == "\\u03bb é\n"


def test_labels_are_trimmed_and_composed_everywhere():
    decomposed = unicodedata.normalize("NFD", "Möbius")
    study = STUDY | {
        "landscapes": {
            f"  {decomposed}  ": {"kind": "quadratic", "dim": 2},
            "b": {"kind": "quadratic", "dim": 2},
        },
        "optimizers": {
            "A  B": {"kind": "ga", "on": {decomposed: {"population": 6}}},
            "C": {"kind": "ga"},
        },
        "budget": {f"{decomposed} ": 50, "default": 40},
        "sweep": {f"landscapes.{decomposed}.condition": [1.0, 2.0]},
        "tuning": {"trials": 2, "worlds": 1, "ranges": {" A B": {"mutation_rate": [0.1, 0.2]}}},
    }
    found = load_study(study, [f"landscapes.{decomposed}.dim=3"])
    first = found.arms[0]
    assert first.coords["landscape"] == "M\u00f6bius"
    assert first.coords["optimizer"] == "A B"
    assert (first.landscape["dim"], first.optimizer["population"], first.scalars["budget"]) == (
        3,
        6,
        50,
    )


def test_one_label_written_in_two_ways_is_given_twice():
    composed, decomposed = "M\u00f6bius", "Mo\u0308bius"
    entry = {"kind": "random_search"}
    assert wrong(optimizers={composed: entry, decomposed: entry}) == [
        f"study: optimizers.{composed}: given twice, again as {decomposed!r}"
    ]
    document = read("study.yaml", f"{composed}: 1\n{decomposed} : 2\n")
    assert document.lines(document.mistakes) == [
        f"study.yaml:1:1: {composed}: given twice, again in line 2"
    ]


@pytest.mark.parametrize("path", ["optimizers.k=0.5.population=6", "optimizers.k=0.5.population = 6"])
def test_a_path_knows_labels_with_dots_and_signs(path):
    study = STUDY | {"optimizers": {"k": {"kind": "ga"}, "k=0.5": {"kind": "ga"}}}
    assert [arm.optimizer["population"] for arm in load_study(study, [path]).arms][1] == 6
    swept = load_study(
        study
        | {"sweep": {"optimizers.k=0.5.population": [6, 8], "noise.evaluation.a.b=[c]": [0.0, 0.5]}}
    )
    assert {
        arm.optimizer["population"] for arm in swept.arms if arm.coords["optimizer"] == "k=0.5"
    } == {6, 8}
    assert {arm.noise["evaluation"]["value"] for arm in swept.arms} == {0.0, 0.5}
    assert swept.axes.keys() == {"landscape", "optimizer", "population", "noise.evaluation.a.b=[c]"}


@each(
    "name",
    ["dim/lr", "..", ".", "a b", "2nd", "", "a.b", "zarr.json", "__x", "a\\b", "é" * 61, "x:y", "a-b"],
)
def test_an_axis_has_a_name_that_a_variable_can_bear(name):
    assert any(
        "expected the name of an axis" in line
        for line in wrong(sweep={name or " ": {"values": [1, 2], "sets": "seed"}})
    )


@each("name", ["lr", "κ", "population_size", "x2", "N", "u", "v"])
def test_other_names_of_axes_are_taken(name):
    assert name in load_study(STUDY | {"sweep": {name: {"values": [1, 2], "sets": "seed"}}}).axes


def test_every_name_that_a_dataset_uses_is_reserved(computed):
    recorded = {*OURS}
    recorded |= {
        variable
        for cls in OPTIMIZERS.values()
        for variable, *_ in (cls.recorded | cls.counted).values()
    }
    data = view.open_study(computed)
    axes = {dim for dim in data.dims if "population" in dim}
    used = recorded | {*data.data_vars, *data.coords, *data.dims} - axes
    assert used <= labels.RESERVED, used - labels.RESERVED
    one = {"R": {"kind": "random_search"}}
    for name in sorted(used):
        assert wrong(optimizers=one, sweep={name: {"values": [1, 2], "sets": "seed"}}) == [
            f"study: sweep.{name}: this name belongs to the Dataset; choose another"
        ]


def test_the_reserved_names_are_those_of_the_parts_that_write_a_dataset():
    """Neither does a list lack a name, nor does it hold one that no part writes any more."""
    kinds_of_ours = {
        variable
        for cls in OPTIMIZERS.values()
        for variable, *_ in (cls.recorded | cls.counted).values()
    }
    made = [named(EXAMPLES.get(kind, (kind,))[:1])[0].landscape for kind in LANDSCAPES]
    kinds_of_ours |= {name for landscape in made for name in landscape.extras}
    assert kinds_of_ours <= {*labels.OF_KINDS}
    study = load_study(
        STUDY
        | {"budget": 90, "optimizers": {"W": {"kind": "sgd"}, "P": {"kind": "openai_es"}}, **DETAILED}
    )
    data = run_cell(next(iter(make_plan(study).cells(()))))
    written = {
        *OURS,
        *data.variables,
        *data.dims,
    }
    never_of_a_kind = {*labels.COORDINATES, *labels.RECORDED, *labels.LEDGER, *labels.PICTURES}
    assert written <= never_of_a_kind, written - never_of_a_kind
    assert all(labels.wrong_variable(name) for name in written)
    assert not any(labels.wrong_variable(name) for name in kinds_of_ours)


def test_what_an_own_kind_records_is_reserved(monkeypatch):
    class Own(OPTIMIZERS["random_search"]):
        recorded = {"speed": ("wind", "speed of the wind", "1")}

    monkeypatch.setattr(
        registry,
        "find",
        lambda kind, family: Own if ":" in kind else registry.FAMILIES[family][0][kind],
    )
    lines = wrong(
        optimizers={"own": {"kind": "mine:Own"}}, sweep={"wind": {"values": [1, 2], "sets": "seed"}}
    )
    assert lines == ["study: sweep.wind: this name belongs to the Dataset; choose another"]


def test_a_swept_parameter_whose_name_is_reserved_has_its_path_as_the_dim():
    study = STUDY | {
        "landscapes": {"b": {"kind": "labs", "n": 8}},
        "optimizers": {"M": {"kind": "metropolis"}},
    }
    study |= {"sweep": {"optimizers.M.temperature": [0.1, 1.0]}}
    assert "temperature" in labels.RESERVED
    assert "optimizers.M.temperature" in load_study(study).axes


@pytest.mark.verify
def test_every_name_that_an_analysis_gives_is_reserved(tmp_path):
    """All functions of studies.analysis that take a Dataset alone.

    The labels a and b of a pair are no names of axes that anything reads.
    """
    study = {
        "name": "analysed",
        "replicates": 4,
        "instances": 2,
        "budget": 120,
        "targets": [1.0, 0.1],
        "checkpoints": [0.1, 0.3, 1.0],
        "gradient_cost": {"value": 3, "range": [1, 6]},
        "landscapes": {"b": {"kind": "nk", "n": 6, "k": 1}, "c": {"kind": "nk", "n": 6, "k": 2}},
        "optimizers": {
            "S": {"kind": "sgd"},
            "G": {"kind": "wright_fisher", "population": 8},
            "R": {"kind": "random_search"},
        },
        "ledger": {"moments": 2, "redraws": 8},
        "factors": ["drift"],
        "sweep": {"optimizers.S.learning_rate": [0.1, 0.2]},
    }
    plan = make_plan(load_study(study))
    for cell in plan.cells(()):
        store.write_cell(run_cell(cell), store.cell_path(tmp_path, cell.address))
    data, used, called = assembled(plan, tmp_path), set(), 0
    for function in analyses():
        for part in (data, data.isel(landscape=0)):
            with (
                contextlib.suppress(ValueError, KeyError, TypeError, AttributeError),
                warnings.catch_warnings(action="ignore"),
            ):
                told = function(part)
                found = [
                    one
                    for one in (told if isinstance(told, tuple | list) else [told])
                    if isinstance(one, xr.Dataset | xr.DataArray)
                ]
                used |= {
                    str(name) for one in found for name in (*one.dims, *one.coords, *variables(one))
                }
                called += bool(found)
                break
    used -= {"learning_rate", "drift", "None", "a", "b", "f"}
    assert called > 20
    wrong = sorted(name for name in used if not labels.wrong_axis(name, labels.RESERVED))
    assert not wrong


def variables(data):
    return data.data_vars if isinstance(data, xr.Dataset) else [data.name]


def analyses():
    """The functions of studies.analysis whose first argument is a Dataset and whose others have defaults."""
    for info in pkgutil.walk_packages(studies.analysis.__path__, "studies.analysis."):
        module = importlib.import_module(info.name)
        for name, found in list(vars(module).items()):
            if (
                inspect.isfunction(found)
                and found.__module__ == module.__name__
                and not name.startswith("_")
            ):
                first, *others = inspect.signature(found).parameters.values()
                if first.annotation == "Dataset" and all(
                    one.default is not one.empty for one in others
                ):
                    yield found


# YAML -------------------------------------------------------------------------------------------------------

ODD = "yes No y on OFF null ~ 1:30 017 0o17 1_000 0x1F 0b1 = << 2024-01-01 1e5 1e-05 .5 +1 .inf NaN".split()
DATA = {
    "on": {"off": True, "y": 1},
    "numbers": [1e-05, 1e300, -2.5e-07, 0.1, 1.0, 3, 10**20, 5e-324],
    "texts": [
        *ODD,
        "",
        " x ",
        "a: b",
        "#c",
        "λ🚀",
        "x\ny",
        "'q'",
        '"d"',
        "\\",
        "[red]",
        "*a",
        "&b",
        "!t",
        "- z",
        "nul\0",
        "\u202e",
    ],
    "1e-05": None,
}


def test_what_is_written_reads_alike_under_yaml_1_1_and_1_2():
    text = write(DATA)
    assert yaml.safe_load(text) == DATA
    assert read("x", text).data == DATA
    assert "1.0e-05" in text


def test_a_resolved_study_is_the_same_to_pyyaml():
    study = load_study(
        STUDY
        | {
            "optimizers": {"on": {"kind": "sgd", "learning_rate": 1e-05}},
            "noise": {"off": {"data": True}},
        }
    )
    assert yaml.safe_load(study.yaml()) == study.resolved
    assert yaml.safe_load(study.yaml())["optimizers"]["on"]["learning_rate"] == 1e-05


MERGED = """\
base: &base {kind: sgd, momentum: 0.9, schedule: {kind: cosine, stps: 9}}
one: {<<: *base, momentum: 0.5}
two:
  <<: [{momentum: 0.1}, *base]
  starts: 2
"""


def test_merge_keys_are_merged_as_yaml_says():
    document = read("m", MERGED)
    assert document.data == yaml.safe_load(MERGED)
    assert document.data["two"] == {
        "momentum": 0.1,
        "kind": "sgd",
        "schedule": {"kind": "cosine", "stps": 9},
        "starts": 2,
    }
    assert document.lines([Mistake(("two", "schedule", "stps"), "wrong", at_key=True)]) == [
        "m:1:65: two.schedule.stps: wrong"
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: {<<: 3}", "m:1:4: a: <<: expected a mapping, *ALIAS or a list of them"),
        ("a: {<<: [1, {b: 2}]}", "m:1:4: a: <<: expected a mapping, *ALIAS or a list of them"),
        ("a: &a {<<: *a, b: 1}", "m:1:4: an alias that contains itself"),
        ("a: &a {b: {<<: *a}}", "m:1:4: an alias that contains itself"),
    ],
)
def test_a_wrong_merge_is_one_line(text, line):
    document = read("m", text)
    assert [re.sub(r"^m:\d+:\d+", "m:1:4", line) for line in document.lines(document.mistakes)] == [
        line
    ]


def test_a_quoted_merge_key_is_a_key():
    assert read("m", "'<<': {b: 1}").data == {"<<": {"b": 1}}


def test_cells_are_the_same_whatever_the_label():
    """A label is for readers: it is no part of an address or of a draw."""
    tasks = [
        make_plan(load_study(STUDY | {"optimizers": {label: {"kind": "random_search"}}})).cells(())
        for label in ("A", "[red]")
    ]
    assert tasks[0][0].address == tasks[1][0].address
    assert np.isfinite(run_cell(tasks[0][0])["loss"].values).all()
