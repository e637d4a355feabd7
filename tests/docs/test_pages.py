"""What the README and the pages of studies/docs say can be typed as it stands, and leads somewhere."""

import ast
import importlib
import json
import re
import shlex
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest

import studies
from studies import describe
from studies.__main__ import COMMANDS
from studies.claims import judge
from studies.exchange import beside
from studies.run import expected, kinds
from studies.study_file import document
from studies.study_file.cluster import BATCHES, OWN, Cluster
from studies.study_file.files import ready_studies
from studies.study_file.loading import load_study
from tests.docs import make
from tests.support.each import each
from tests.support.results import real, shared  # noqa: F401
from tests.support.runs import here

ROOT = make.ROOT
TEXTS = {str(path.relative_to(ROOT)): path.read_text() for path in make.PAGES}
README = TEXTS["README.md"]
pages = each("page", TEXTS)


def blocks(language):
    """(page, code) of every block of a language, once each."""
    return [
        (page, code)
        for page, text in TEXTS.items()
        for code in re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)
    ]


# lists and links --------------------------------------------------------------------------------------------


@pages
def test_lists_are_those_of_the_registries(page):
    assert make.made(TEXTS[page]) == TEXTS[page], "run `make docs`"


def test_every_list_has_a_place():
    assert {name for text in TEXTS.values() for name, _ in make.BLOCK.findall(text)} == set(make.BLOCKS)


def test_every_kind_is_in_a_family():
    for floor, registry in make.registries().items():
        kinds = [kind for family in make.families(floor, registry).values() for kind in family]
        assert kinds == [*registry]


def test_the_laws_are_those_of_the_tests():
    """The numbers are of the last `make verify`; the words of each law are in a test of today."""
    trees = [ast.parse(path.read_text()) for path in (ROOT / "tests" / "truths").glob("test_*.py")]
    every = [parts for tree in trees for parts in texts(tree)]
    said = {"".join(parts) for parts in every if None not in parts}
    filled = re.compile("|".join(map(pattern, (parts for parts in every if None in parts))), re.DOTALL)
    lines = dict(make.BLOCK.findall(TEXTS["studies/docs/laws.md"]))["laws"].splitlines()
    rows = [line.removeprefix("| ").replace(r"\|", "|") for line in lines if line.startswith("| ")][1:]
    laws = [row.split(" | ")[0] for row in rows]
    assert [law for law in laws if law not in said and not filled.fullmatch(law)] == []
    assert lines[0].startswith(f"{len(laws)} laws")


def texts(tree):
    """The parts of each text of a tree that has several words; None for what an f-string puts in."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            parts = [node]
        elif isinstance(node, ast.JoinedStr):
            parts = node.values
        else:
            continue
        known = [part.value if isinstance(part, ast.Constant) else None for part in parts]
        if " " in "".join(part or "" for part in known):
            yield known


def pattern(parts):
    """Of a text; what an f-string puts in may be anything."""
    return "".join(".+" if part is None else re.escape(part) for part in parts)


def anchor(heading):
    """The name that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pages
def test_links_lead_somewhere(page):
    here = (ROOT / page).parent
    wrong = []
    prose = re.sub(r"```.*?```|`[^`]*`", "", TEXTS[page], flags=re.DOTALL)  # code has brackets too
    for link in re.findall(r"\]\(([^)]+)\)", prose):
        if link.startswith("https://"):
            continue
        file, _, place = link.partition("#")
        target = (here / file).resolve() if file else ROOT / page
        headings = re.findall(r"^#+ (.+)$", target.read_text(), re.MULTILINE) if place else []
        if not target.exists() or (place and place not in map(anchor, headings)):
            wrong.append(link)
    assert not wrong


def test_every_page_and_picture_is_linked():
    linked = {
        (ROOT / page).parent.joinpath(link.partition("#")[0]).resolve()
        for page, text in TEXTS.items()
        for link in re.findall(r"\]\(([^)#]+)", text)
    }
    assert {*make.DOCS.glob("*.md"), *make.DOCS.glob("pictures/*")} <= linked


def test_the_readme_is_short_and_says_how_to_run_the_tests():
    assert README.count("\n") <= 120
    assert "    make test " in README
    assert "make lint test" in (ROOT / ".ci" / "run").read_text()


@pages
def test_what_make_is_asked_for_it_can_do(page):
    targets = set(re.findall(r"^(\w+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE))
    asked = re.findall(r"(?:^    |`)make ((?:\w+ ?)+)", TEXTS[page], re.MULTILINE)
    assert {target for words in asked for target in words.split()} <= targets


def test_contributing_names_all_that_make_can_do():
    targets = re.findall(r"^(\w+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE)
    missing = [
        t
        for t in targets
        if f"`make {t}`" not in TEXTS["CONTRIBUTING.md"] and t not in ("help", "demo", "clean")
    ]
    assert not missing


def test_files_that_contributing_names_are_there():
    examples = {code.split("\n")[0].removeprefix("# ") for _, code in blocks("python")}
    for path in re.findall(r"`([a-z]+/[\w/.]+)`", TEXTS["CONTRIBUTING.md"]):
        of_any = re.search("FAMILY|QUESTION|TOPIC|NAME", path)
        assert path in examples or of_any or (ROOT / path).exists(), path


# code -------------------------------------------------------------------------------------------------------


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A folder of a user's, with the files that the pages show."""
    for _, code in blocks("python"):
        if code.startswith("# ") and "/" not in code.split("\n")[0]:
            (tmp_path / code.split("\n")[0].removeprefix("# ")).write_text(code)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    for path in tmp_path.glob("*.py"):
        sys.modules.pop(path.stem, None)


FILES = [  # an instrument is held to its contract by a study, see `test_studies_load`
    code
    for _, code in blocks("python")
    if code.startswith("# ") and "class " in code and "(Instrument)" not in code
]


@pytest.mark.parametrize(
    "code",
    [pytest.param(code, marks=pytest.mark.verify) if "(nn.Module)" in code else code for code in FILES],
    ids=lambda code: code.split("\n")[0],
)  # a module is called again and again
def test_kinds_keep_the_contract(code, tmp_path, monkeypatch, capsys):
    """Those of CONTRIBUTING too, though the folder is not where they belong."""
    module = re.match(r"# (?:\S+/)?(\w+)\.py", code)[1]
    (tmp_path / f"{module}.py").write_text(code)
    monkeypatch.syspath_prepend(str(tmp_path))
    cls, family = re.search(
        r"^class (\w+)\((Landscape|Optimizer|Instrument|nn.Module)\)", code, re.MULTILINE
    ).groups()
    named = f"{module}:{cls}"
    words = ["module", "--set", f"module={named}"] if family == "nn.Module" else [named]
    try:
        if family == "Instrument":  # held to its contract while a study runs
            few = {"replicates": 2, "budget": 30, "record": {"mine": named}}
            assert here(AROUND | few, tmp_path / "out")[module].notnull().all()
        else:
            assert main("check").main(words) == 0, capsys.readouterr().out
    finally:
        sys.modules.pop(module, None)


COOKBOOK = "studies/docs/cookbook.md"
SCRIPTS = [code for page, code in blocks("python") if not code.startswith("# ") and page != COOKBOOK]
SHOWN = {  # variable of a script -> what it must hold
    "shares": {"interaction"},
    "alignment": {"cosine"},
    "bias": {"p_value"},
    "currencies": {"effective_population", "noise_to_signal"},
    "pairs": {"p_value"},
}


@pytest.mark.parametrize("number", range(len(SCRIPTS)))
def test_scripts_run(number, shared, monkeypatch):  # noqa: F811
    """On results of small studies; that the first one does so from the start is tested in tests/processes."""
    name = "ledger" if "noise-sources" in SCRIPTS[number] else "search"
    monkeypatch.setattr(studies, "open_study", lambda path: real(name, shared))
    monkeypatch.setattr(studies, "run_study", lambda *study, **options: real(name, shared))
    names = {}
    exec(compile(SCRIPTS[number], f"script {number}", "exec"), names)
    for variable, held in SHOWN.items():
        assert variable not in names or held <= {*names[variable].variables}, variable


RECIPES = dict(
    re.findall(r"^## (.+?)$.*?```python\n(.*?)```", TEXTS[COOKBOOK], re.DOTALL | re.MULTILINE)
)
PLANNED = [("GA with recombination", "GA without recombination"), ("ES", "SGD")]


@pytest.fixture(scope="module")
def quickstart(tmp_path_factory):
    """The ready study on two of its landscapes, in 8 worlds, at a part of its budget."""
    text = (ROOT / "studies/configs/quickstart.yaml").read_text()
    study = document.read("quickstart", text).data
    some = ("nk-4", "field")
    for part in ("landscapes", "targets"):
        study[part] = {name: study[part][name] for name in some}
    for method in study["optimizers"].values():
        method["on"] = {name: on for name, on in method.get("on", {}).items() if name in some}
    del study["noise"]
    return here(study | {"replicates": 8, "budget": 3000}, tmp_path_factory.mktemp("quickstart"))


@pytest.fixture
def followed(quickstart, tmp_path, monkeypatch):
    """What a recipe leaves, followed in a folder of its own."""
    monkeypatch.setattr(studies, "open_study", lambda path: quickstart)
    monkeypatch.chdir(tmp_path)

    def follow(title):
        names = {}
        exec(compile(RECIPES[title], title, "exec"), names)
        return names

    yield follow
    plt.close("all")


def test_every_recipe_is_followed():
    tests = Path(__file__).read_text()
    assert [title for title in RECIPES if f'followed("{title}")' not in tests] == []
    assert len(RECIPES) == sum(page == COOKBOOK for page, _ in blocks("python"))


def test_recipe_for_pandas(followed, quickstart):
    made = followed("To pandas")
    worlds = quickstart.sizes["landscape"] * quickstart.sizes["optimizer"] * 8
    assert (len(made["ends"]), len(made["times"])) == (worlds, 4 * worlds)  # 4 targets
    losses = quickstart["loss"].isel(checkpoint=-1).sel(landscape="nk-4", optimizer="ES")
    assert made["medians"].loc["nk-4", "ES"] == np.median(losses)


@pytest.mark.filterwarnings("ignore")  # what seaborn asks of matplotlib
def test_recipe_for_seaborn(followed, tmp_path):
    pytest.importorskip("seaborn", reason="expected seaborn, which is none of our requirements")
    made = followed("To seaborn")
    assert made["grid"].axes.shape == (1, 2)
    assert (tmp_path / "losses.pdf").stat().st_size > 0


def test_recipe_for_latex(followed):
    made = followed("To LaTeX")
    assert r"\caption{NK landscapes of n = 20 and k = 4. Final loss: median" in made["text"]
    assert made["text"].count(r"\\") == 2  # heads and a row
    assert {"landscape", "optimizer", "median"} <= {*made["table"].frame.columns}


def test_recipe_for_planned_contrasts(followed, quickstart):
    contrasts = followed("Planned contrasts")["contrasts"]
    assert [*zip(contrasts["a"].values, contrasts["b"].values, strict=True)] == PLANNED
    assert contrasts["p_corrected"].attrs["tests"] == 2 * quickstart.sizes["landscape"]


def test_recipe_for_targets_after_the_fact(followed, quickstart):
    """By hand: the cost of the first checkpoint that is good enough, of the others the whole budget."""
    late = followed("Targets after the fact")["late"].sel(landscape="nk-4").isel(target=1)
    on = quickstart.sel(landscape="nk-4")
    cost = (on["value_terms"] + 3 * on["gradient_terms"]) / on["terms"]  # `gradient_cost: 3`
    first = cost.where(on["loss"] <= 0.05).min("checkpoint")
    reached = first.notnull().sum("replicate")
    expected = first.fillna(3000).sum("replicate") / reached.where(reached > 0)
    assert (late["successes"] == reached).all()
    np.testing.assert_allclose(late["ert"], expected.fillna(np.inf))


def test_recipe_for_clocks(followed, quickstart):
    """A generation of a GA of 64 asks 64 points, each an epoch: every point is looked at with all terms."""
    made = followed("Epochs and generations as clocks")
    ratio = (made["in_epochs"]["ert"] / made["in_generations"]["ert"]).sel(landscape="field")
    assert made["medians"].sizes["checkpoint"] == 2
    for name in PLANNED[0]:
        there = ratio.sel(optimizer=name).dropna("target")
        np.testing.assert_allclose(there[np.isfinite(there)], 64)


def test_recipe_for_two_studies(followed, quickstart, tmp_path, monkeypatch):
    """The second has a method of its own, and the first one's landscapes and seed; by hand: who won in how many worlds."""
    study = json.loads(quickstart.attrs["config"]) | {"name": "late"}
    method = {"kind": "random_search"}
    of_first = ("seed", "replicates", "budget", "targets", "landscapes", "gradient_cost")
    late = {name: study[name] for name in of_first} | {"name": "late", "optimizers": {"RS": method}}
    results = {"quickstart": quickstart, "late": here(late, tmp_path / "late")}
    monkeypatch.setattr(studies, "open_study", lambda path: results[Path(path).name])
    made = followed("Two studies in one Dataset")
    assert made["together"]["paired"].values.all()
    ends = made["together"]["loss"].sel(landscape="nk-4").isel(checkpoint=-1)
    ahead = ends.sel(optimizer="ES") - ends.sel(optimizer="RS")
    share = ((ahead < 0).sum() + 0.5 * (ahead == 0).sum()) / 8
    pair = made["pairs"].sel(landscape="nk-4", pair="ES - RS")
    assert pair["judged"] == "final loss"
    assert pair["win_probability"] == share
    with pytest.raises(ValueError, match="both have RS; rename with"):
        beside(made["together"], results["late"])


def test_recipe_for_curves(followed, quickstart, tmp_path):
    made = followed("Curves of a landscape in a figure of yours")
    lines = {line.get_label(): line for line in made["right"].lines}
    assert [*lines] == [*quickstart["optimizer"].values]
    losses = quickstart["loss"].sel(landscape="nk-4", optimizer="ES").isel(checkpoint=-1)
    assert lines["ES"].get_ydata()[-1] == np.sort(losses)[3]  # the lower median of 8
    assert made["left"].lines
    assert (tmp_path / "nk-4.pdf").stat().st_size > 0


STUDIES = blocks("yaml")
AROUND = {  # what a part of a study stands in
    "name": "mine",
    "budget": 300,
    "landscapes": {"bowl": {"kind": "quadratic", "dim": 10}},
    "optimizers": {
        "SGD": {"kind": "sgd", "learning_rate": 0.01},
        "GA": {"kind": "ga", "mutation_sigma": 0.3},
    },
}
DATA = {f"my_data:{name}": f"landscapes.networks.example:{name}" for name in ("train", "test")}
DATA["promoter.csv"] = str(Path(__file__).parents[1] / "support/letters.csv")


@pytest.mark.parametrize("number", range(len(STUDIES)), ids=[page for page, _ in STUDIES])
def test_studies_load(number, own):
    _, text = STUDIES[number]
    for word, name in DATA.items():
        text = text.replace(word, name)
    assert load_study(AROUND | document.read("page", text).data).arms


def test_recipes_of_batch_systems_have_job_scripts():
    recipes = [
        document.read("page", text).data["cluster"] for page, text in STUDIES if "clusters" in page
    ]
    every = [Cluster.model_validate(recipe) for recipe in recipes]
    scripts = {cluster.kind: kinds.script(cluster) for cluster in every}
    assert {kind for kind, script in scripts.items() if script} == {*BATCHES}
    assert {cluster.where for cluster in every} == {*OWN}


def test_the_claim_is_judged(own):
    """By the words of the page alone, in 32 worlds."""
    [text] = (text for _, text in STUDIES if "spread:check" in text)
    results = here(AROUND | {"replicates": 32} | document.read("page", text).data, own / "out")
    [row] = judge(results)
    losses = results["loss"].sel(optimizer="SGD").isel(checkpoint=-1).values
    assert (row.kind, row.where, row.worlds) == ("custom", {"optimizer": "SGD"}, 32)
    assert (row.predicted, row.control, row.observed) == (0.01, 0.02, pytest.approx(losses.mean()))
    assert row.standard_error == pytest.approx(losses.std() / 32**0.5)


# commands ---------------------------------------------------------------------------------------------------

TYPED = sorted({
    line
    for text in TEXTS.values()
    for line in re.findall(r"^    python -m (studies\.\w+.*?)(?:  +#.*)?$", text, re.MULTILINE)
})
SLOW = (  # like another that is tried every day
    "studies.run quickstart --set",
    "studies.probe nk:n=12 --tune",
    "studies.probe --gallery",
)


def main(module):
    """A command, to be called with its words."""
    found = importlib.import_module(f"studies.{module}")
    return (
        importlib.import_module(f"studies.{module}.__main__") if hasattr(found, "__path__") else found
    )


@each("command", TYPED)
def test_commands_are_understood(command):
    module, *words = shlex.split(command.removeprefix("studies."))
    if ">" in words:
        words = words[: words.index(">")]
    assert main(module).parser().parse_args(words)


DRY = [command for command in TYPED if command.startswith("studies.run ") and "--schema" not in command]


@pytest.mark.parametrize(
    "command", [pytest.param(c, marks=pytest.mark.verify if c.startswith(SLOW) else []) for c in DRY]
)
def test_studies_are_planned_and_nothing_is_written(command, tmp_path, monkeypatch, capsys):
    """The study file of the README among them; one task is measured, at once."""
    for patience in ("ENOUGH", "MOST"):
        monkeypatch.setattr(expected, patience, 0.0)
    monkeypatch.setattr(expected.expected, "__defaults__", (None, 0.0))
    study = tmp_path / "my-study.yaml"
    study.write_text(next(code for page, code in STUDIES if page == "README.md"))
    monkeypatch.chdir(tmp_path)
    assert main("run").main([*dict.fromkeys([*command.split()[1:], "--dry-run"])]) == 0
    assert re.search("quickstart|my-study", capsys.readouterr().out)
    assert [*tmp_path.iterdir()] == [study]


def test_the_schema_is_printed(capsys):
    assert main("run").main(["--schema"]) == 0
    assert "landscapes" in json.loads(capsys.readouterr().out)["properties"]


PROBES = [
    command for command in TYPED if command.startswith("studies.probe") and "ridge" not in command
]


@pytest.mark.parametrize(
    "command", [pytest.param(c, marks=pytest.mark.verify if c.startswith(SLOW) else []) for c in PROBES]
)
def test_landscapes_are_probed(command, tmp_path, monkeypatch):
    """As it stands, but of few worlds and points, one measure, and one picture."""
    monkeypatch.chdir(tmp_path)
    few = {"--gallery": ["nk:n=5"], "--network": []}
    measures = ["--worlds", "2", "--samples", "64", "--measures", "autocorrelation"]
    own = next((few[option] for option in few if option in command.split()), measures)
    assert main("probe").main([*command.split()[1:], *own]) == 0
    assert list((tmp_path / "results" / "probe").glob("*.png"))


@pages
def test_names_in_the_text_are_known(page):
    """Commands and names within lines."""
    for command in re.findall(r"`python -m studies\.(\w+)", TEXTS[page]):
        assert command in COMMANDS
    for word in re.findall(r"`python -m studies\.describe ([a-z_.]+)`", TEXTS[page]):
        assert describe.describe(word)
    for name in re.findall(r"[Rr]eady stud(?:y|ies)(?: is)? `([\w-]+)`", TEXTS[page]):
        assert name in ready_studies()
    for name in re.findall(r"`analysis\.(\w+)`", TEXTS[page]):
        assert name in dir(studies.analysis)
