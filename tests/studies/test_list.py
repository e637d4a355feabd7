"""What `studies.list` and `studies.describe` print."""

import io
import re
import sys

import pytest
from rich.console import Console

from landscapes import LANDSCAPES
from landscapes.probes import BINARY_MEASURES, CONTINUOUS_MEASURES
from optimizers import OPTIMIZERS
from studies import describe
from studies import list as listing
from studies.claims import CLAIMS
from studies.figures import EVERY
from studies.figures.__main__ import parser as figures_parser
from studies.study_file import document
from studies.study_file.files import question, ready_studies
from studies.study_file.loading import load_study
from studies.study_file.model import StudyModel, _models_in, json_schema
from studies.study_file.sections import NoiseModel
from studies.study_file.topics import TOPICS
from studies.text.schema import RECORDED
from studies.text.words import nearest
from studies.theory import HOMES, LAWS
from tests.support.each import each
from tests.support.results import real, shared  # noqa: F401  a fixture


@pytest.fixture
def command(monkeypatch):
    """Runs a command's `main` with words, as `python -m` does; the exit code."""

    def run(module, *words):
        monkeypatch.setattr(sys, "argv", [module.__name__, *words])
        try:
            return module.main() or 0
        except SystemExit as end:
            return end.code

    return run


@pytest.fixture(scope="module")
def listed():
    """(family, name) -> its line."""
    return {(family, name): line for family, name, line in listing.rows()}


@pytest.fixture(scope="module")
def described(listed):
    """Name -> what is said of it; ready studies are read."""
    return {name: describe.describe(name) for _, name in listed}


def test_every_kind_and_study_has_a_line(listed):
    expected = {("landscape", kind) for kind in LANDSCAPES} | {
        ("optimizer", kind) for kind in OPTIMIZERS
    }
    expected |= (
        {("study", name) for name in ready_studies()}
        | {("claim", kind) for kind in CLAIMS}
        | {("figure", name) for name in EVERY}
    )
    expected |= {("measure", name) for name in (*BINARY_MEASURES, *CONTINUOUS_MEASURES)} | {
        ("key", key) for key in StudyModel.model_fields
    }
    expected |= {("law", f"theory:{name}") for name in HOMES} | {("quantity", "hit")}
    expected |= {("collection", "chapter"), ("collection", "questions")}
    expected |= {("word", name) for name in ("clocks", "formulas", "let", "sweep")}
    expected |= {("variable", name) for name in RECORDED} | {
        ("key", f"noise.{key}") for key in NoiseModel.model_fields
    }
    assert expected <= set(listed)
    assert {family for family, _ in listed} == {family for family, _ in expected}
    assert all(listed.values())


def test_every_line_of_the_list_is_described(listed, described):
    for (family, name), line in listed.items():
        parts = described[name]
        assert str(parts[0]).startswith(f"{name} ("), name
        words = "\n".join(part for part in parts if isinstance(part, str))
        assert line.rstrip(".") in words, (family, name)


@pytest.mark.parametrize("word", ["clocks", "formulas", "sweep", "let", "schedule"])
def test_the_example_of_a_word_is_a_study(word):
    """What stands indented in the text is the part of a study that it is about."""
    example = [line for line in TOPICS[word].splitlines() if line.startswith("    ")]
    rest = {
        "name": "example",
        "budget": 100,
        "landscapes": {"bowl": {"kind": "quadratic", "dim": 4, "terms": 200, "noise_scale": 1.0}},
        "optimizers": {"SGD": {"kind": "sgd"}, "ES": {"kind": "openai_es"}},
        "noise": {"batch": 8},
    }
    study = load_study(rest | document.read("", "\n".join(example)).data)
    assert study.arms


def test_laws_of_theory_are_described():
    text = "\n".join(str(part) for part in describe.describe("theory:kimura"))
    assert "theory:kimura (law): Chance that a mutant fixes" in text
    assert "source: Kimura 1962, Genetics 47:713." in text
    assert "range: Wright-Fisher, the diffusion" in text
    assert "  s: advantage, of either sign; 0: neutral; needed" in text
    head, table = describe.describe("theory")
    assert head.startswith("theory (library): ")
    assert table.row_count == len(HOMES) + len(LAWS)


def test_every_key_at_any_depth_is_described():
    def keys(model, head=""):
        for name, field in model.model_fields.items():
            yield f"{head}{name}"
            for inner in _models_in(field.annotation):
                yield from keys(inner, f"{head}{name}.")

    found = [*keys(StudyModel)]
    assert {
        "noise.batch",
        "budget",
        "tuning.ranges",
        "gradient_cost.range",
        "noise.evaluation.value",
        "cluster.workers",
    } <= set(found)
    for key in found:
        assert any(
            str(part).startswith(f"{key} (key of a study file)") for part in describe.describe(key)
        ), key


@each(
    ("word", "first"),
    [
        ("sgd.learning_rate", "sgd.learning_rate (parameter): eta > 0"),
        ("sgd.schedule.steps", "sgd.schedule.steps (parameter): after so many steps"),
        ("optimizers.SGD.grid", "optimizers.LABEL.grid (key of a study file): parameter -> values"),
        ("optimizers.sgd.momentum", "sgd.momentum (parameter): "),
        ("ordering.cost", "ordering.cost (parameter): evaluations at which both are looked at"),
        (
            "noise.evaluation.digits.value",
            "noise.evaluation.LABEL.value (key of a study file): standard deviation on each value",
        ),
        ("targets.bowl.best", "targets.LABEL.best (key of a study file): the best known loss"),
        ("claims.mine.kind", "claims.LABEL.kind (key of a study file): which kind it is"),
        (
            "claims.mine.tolerance",
            "claims.LABEL.tolerance (key of a study file): a parameter of law",
        ),
        ("landscapes.mine.k", "landscapes.LABEL.k (key of a study file): a parameter of nk, max_sat"),
        (
            "optimizers.SGD.schedule.warmup",
            "optimizers.LABEL.schedule.warmup (key of a study file): a parameter of sgd, ",
        ),
        ("moving.inner.k", "moving.inner.k (key of a study file): a parameter of nk, max_sat"),
        (
            "landscapes.mine.inner.k",
            "landscapes.LABEL.inner.k (key of a study file): a parameter of nk, max_sat",
        ),
        ("moving.inner.kind", "moving.inner.kind (key of a study file): which kind it is"),
    ],
)
def test_parameters_are_described_by_their_path(word, first):
    assert describe.describe(word)[0].startswith(first)


def test_every_key_that_the_schema_has_is_described():
    """Under labels of the user's too, and whatever the kind of the entry."""
    schema = json_schema()

    def paths(node, path, above):
        if "$ref" in node:
            name = node["$ref"].rpartition("/")[2]
            if name not in above:
                yield from paths(schema["$defs"][name], path, {*above, name})
        for member in (*node.get("anyOf", ()), *node.get("oneOf", ())):
            yield from paths(member, path, above)
        for key, inner in node.get("properties", {}).items():
            yield (*path, key)
            yield from paths(inner, (*path, key), above)
        if isinstance(node.get("additionalProperties"), dict):
            yield from paths(node["additionalProperties"], (*path, "mine"), above)

    found = {".".join(path) for path in paths(schema, (), set())}
    assert {
        "landscapes.mine.k",
        "noise.evaluation.mine.value",
        "claims.mine.tolerance",
        "optimizers.mine.schedule.kind",
    } <= found
    assert all(describe.describe(path) for path in found)


def test_a_moving_landscape_may_be_of_any_kind():
    _, kinds = describe.describe("moving.inner.kind")
    assert kinds == f"values: {' | '.join(LANDSCAPES)}"


def test_what_describe_says_of_a_figure_is_a_command():
    *_, line = describe.describe("ecdf")
    words = line.partition("python -m studies.figures ")[2].split()
    args = figures_parser().parse_args(words)
    assert (str(args.results), args.names) == ("results/NAME", ["ecdf"])
    assert args.clock == "steps"


def test_a_bound_is_told_of_a_key():
    assert "values: whole number >= 2 <= 100000" in describe.describe("tuning.trials")
    assert "default: 32" in describe.describe("tuning.trials")
    assert "required" in describe.describe("budget")


def test_a_name_of_several_things_is_described_as_each():
    firsts = [
        part
        for part in describe.describe("claims")
        if isinstance(part, str) and part.startswith("claims (")
    ]
    assert [part.partition(":")[0] for part in firsts] == [
        "claims (figure)",
        "claims (ready study)",
        "claims (key of a study file)",
    ]


@each(
    ("word", "near"),
    [
        ("GA", "ga"),
        ("CMA-ES", "cma_es"),
        ("cmaes", "cma_es"),
        ("Sgd", "sgd"),
        ("OnePlusOne", "one_plus_one"),
        ("lr", "learning_rate"),
    ],
)
def test_the_nearest_word_is_found_in_capitals_and_with_other_signs(word, near):
    assert nearest(word, [*OPTIMIZERS, "learning_rate"]) == near


@each(
    ("word", "line"),
    [
        ("GA", "unknown kind 'GA'; did you mean 'ga'?"),
        ("noise.Batch", "unknown kind 'noise.Batch'; did you mean 'noise.batch'?"),
        (
            "optimizers.SGD.momentun",
            "unknown kind 'optimizers.SGD.momentun'; did you mean 'optimizers.SGD.momentum'?",
        ),
        (
            "claims.mine.tolerence",
            "unknown kind 'claims.mine.tolerence'; did you mean 'claims.mine.tolerance'?",
        ),
        ("sgd.momentun", "unknown kind 'sgd.momentun'; did you mean 'sgd.momentum'?"),
        (
            "rastrigin",
            "unknown kind 'rastrigin'; it is told of at cosine_rugged; python -m studies.list prints what"
            " there is",
        ),
        ("qqqq", "unknown kind 'qqqq'; python -m studies.list prints what there is"),
    ],
)
def test_what_there_is_not_has_a_hint(word, line):
    with pytest.raises(ValueError, match=f"^{re.escape(line)}$"):
        describe.describe(word)


def test_a_study_without_a_question_shows_its_first_comment(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text("# yaml-language-server: $schema=s.json\n# What it is.\nname: x\n")
    assert question(path) == "What it is."


def test_every_kind_is_described(described):
    """With its source, and each parameter with its meaning."""
    wrong = []
    for kind in (*LANDSCAPES, *OPTIMIZERS):
        family, cls = describe.find(kind)
        assert kind in (LANDSCAPES if family == "landscape" else OPTIMIZERS)
        *facts, table = described[kind]
        assert facts[0].startswith(f"{kind} ({family}): ")
        wrong += [kind] * (not describe.source(cls) or not all(table.columns[3].cells))
    assert not wrong, "no source, or a parameter without a description in the docstring"


def test_describe_prints_ranges_defaults_and_paper(command, capsys):
    assert command(describe, "sgd") == 0
    words = " ".join(capsys.readouterr().out.split())
    facts = ("searches: reals", "asks for: gradients", "source: Robbins and Monro 1951")
    for part in (*facts, "learning_rate number > 0 0.1", "number >= 0 < 1", "number > 0 or null"):
        assert part in words, part


def test_no_word_of_a_table_is_cut(described):
    """At 80 columns, as a name that is to be typed."""
    for kind in ("ga", "module"):
        console = Console(width=80, file=io.StringIO())
        console.print(described[kind][-1])
        assert "\N{HORIZONTAL ELLIPSIS}" not in console.file.getvalue(), kind


def test_an_unknown_kind_exits_with_2(command, capsys):
    assert command(describe, "sdg") == 2
    assert capsys.readouterr() == ("", "unknown kind 'sdg'; did you mean 'sgd'?\n")


def test_list_prints_every_line(command, capsys, listed):
    assert command(listing) == 0
    words = capsys.readouterr().out.split()
    assert {name for _, name in listed} <= set(words)


def test_every_word_of_quantities_is_described():
    """Those that are called, those of the ledger, and the whole language; examples are read."""
    from studies.analysis.quantities.calls import CALLS
    from studies.analysis.quantities.grammar import parsed
    from studies.analysis.quantities.ledger import POOLED
    from studies.analysis.quantities.vocabulary import LANGUAGE, WORDS
    from studies.text.formulas import FUNCTIONS

    called = {word for word in CALLS if not word.startswith("_")}
    assert called | {f"ledger.{name}" for name in POOLED} <= {*WORDS, *FUNCTIONS}
    assert describe.describe("quantities") == [LANGUAGE]
    for name, word in WORDS.items():
        parsed(word.example)
        assert name in word.example
        assert any(word.line in str(part) for part in describe.describe(name))


def test_variables_that_every_study_has_are_listed(shared):  # noqa: F811
    """All that a small study with targets records stands in the table, lower ends of hits too."""
    variables = listing.variables()
    data = real("search", shared)
    recorded = {str(name) for name in data.data_vars if {"checkpoint", "target"} & {*data[name].dims}}
    assert "hit_cost_low" in recorded
    assert recorded - {"target_loss"} <= set(variables)


@each(
    ("word", "text"),
    [
        ("sgd.schedule", "c^floor(u)"),
        ("schedule", "c ** floor(u)"),
        ("interval", "Clopper and Pearson"),
        ("noise.sampling", "fresh permutation"),
        ("first", "holds from the start"),
        ("hit", "0 of a world that starts below it"),
    ],
)
def test_descriptions_say_what_they_are_about(word, text):
    console = Console(width=2000, file=io.StringIO())
    for part in describe.describe(word):
        console.print(part)
    assert text in console.file.getvalue()
