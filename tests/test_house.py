"""The house rules, read from the syntax trees; each test lists all offenders."""

import ast
import functools
import re
import subprocess
import sys
from pathlib import Path

import pytest

from studies.__main__ import COMMANDS
from studies.text.schema import Status

ROOT = Path(__file__).parent.parent
FLOORS = ("landscapes", "optimizers", "studies")
FILES = sorted(path for floor in FLOORS for path in (ROOT / floor).rglob("*.py"))
OF_LANDSCAPES = (
    "base",
    "checks",
    "numerics",
    "operators",
    "parameters",
    "streams",
)  # what an optimizer may know of the floor below
MAY_IMPORT = {
    "landscapes": ("landscapes",),
    "optimizers": ("optimizers", *(f"landscapes.{module}" for module in OF_LANDSCAPES)),
    "studies": FLOORS,
}
STOREYS = (  # of studies/, from the ground up; a room imports from its own and those before
    ("text", "theory"),
    ("kinds",),
    ("cells",),
    ("results",),
    ("analysis",),
    ("claims", "exchange"),
    ("study_file",),
    ("figures", "probe", "check", "list", "describe", "ask"),
    ("report", "table"),
    ("run", "status", "watch"),
)
DRAWS = {
    "rand",
    "randn",
    "randint",
    "randperm",
    "rand_like",
    "randn_like",
    "manual_seed",
    "multinomial",
    "bernoulli",
    "normal",
    "poisson",
    "seed",
}
LOOKS = {
    "random.getstate",
    "np.random.get_state",
}  # at a state, to see whether another drew; nothing is drawn
UNSAFE = {
    "sigmoid",
    "softplus",
    "gelu",
    "silu",
    "pow",
    "einsum",
    "matrix_power",
    "prod",
}  # their bits depend on the place in an array, or on R
TORCHLIKE = ("torch", "F", "functional", "torch.nn.functional", "torch.special")


@functools.cache
def trees():
    """File -> its syntax tree, parsed when the first test asks."""
    return {path: ast.parse(path.read_text()) for path in FILES}


def name(path):
    return str(path.relative_to(ROOT))


@functools.cache
def imports(tree):
    """Modules that a tree imports at any depth, each with its line.

    What only type checkers import is left out.
    """
    return [*_imports(tree)]


def _imports(tree):
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            whole = node.module in FLOORS  # `from studies import analysis`
            yield from (
                (node.lineno, f"{node.module}.{alias.name}" if whole else node.module)
                for alias in node.names
            )
        waiting += ast.iter_child_nodes(node)


@functools.cache
def calls(tree):
    """(line, dotted name) of every call of a name, such as `torch.special.expit`."""
    found = ((node.lineno, dotted(node.func)) for node in ast.walk(tree) if isinstance(node, ast.Call))
    return [(line, call) for line, call in found if call]


def dotted(node):
    """A name with its dots; "" where there is none, as of what another call returned."""
    if isinstance(node, ast.Attribute):
        owner = dotted(node.value)
        return owner and f"{owner}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def with_word(word, files):
    """The files in whose text a word stands: parts of trees are written out, which takes long, in these alone."""
    return {path: tree for path, tree in files.items() if word in path.read_text()}


def test_imports_run_downwards():
    wrong = []
    for path, tree in trees().items():
        allowed = MAY_IMPORT[path.relative_to(ROOT).parts[0]]
        wrong += [
            f"{name(path)}:{line}: {module}"
            for line, module in imports(tree)
            if module.split(".")[0] in FLOORS
            and not f"{module}.".startswith(tuple(f"{place}." for place in allowed))
        ]
    assert not wrong, "\n".join(wrong)


def storey(room):
    return next(height for height, rooms in enumerate(STOREYS) if room in rooms)


def test_rooms_of_studies_import_downwards():
    """Commands, each room's `__main__`, may use all that is there; so may the public face."""
    wrong = []
    for path, tree in trees().items():
        _, *inside = path.relative_to(ROOT).with_suffix("").parts
        if (
            path.parts[len(ROOT.parts)] != "studies"
            or inside[-1] == "__main__"
            or inside == ["__init__"]
        ):
            continue
        for line, module in imports(tree):
            floor, _, rest = module.partition(".")
            room = rest.split(".")[0]
            if (
                floor == "studies"
                and room not in ("", "open_study", "run_study")
                and storey(room) > storey(inside[0])
            ):
                wrong.append(f"{name(path)}:{line}: {module}")
    assert not wrong, "\n".join(wrong)


def test_contributing_has_the_rooms_in_their_order():
    text = (
        (ROOT / "CONTRIBUTING.md").read_text().partition("| room of `studies/`")[2].partition("\n\n")[0]
    )
    assert re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE) == [
        room for rooms in STOREYS for room in rooms
    ]


def test_the_top_of_studies_is_small():
    """Rooms with code; configs/ and docs/ have none."""
    rooms = {path.relative_to(ROOT / "studies").parts[0] for path in FILES if "studies" in path.parts}
    rooms = {room for room in rooms if not room.startswith("_")}
    assert len(rooms) <= 20, sorted(rooms)


def test_only_the_streams_draw():
    wrong = []
    for path, tree in trees().items():
        if path.name == "streams.py" or "adapters" in path.parts:
            continue
        called = list(calls(tree))
        looks = {call for _, call in called if call.startswith("random.")}
        foreign = ("secrets",) if looks and looks <= LOOKS else ("random", "secrets")
        wrong += [
            f"{name(path)}:{line}: {module}"
            for line, module in imports(tree)
            if module.split(".")[0] in foreign or module.startswith("numpy.random")
        ]
        for line, call in called:
            owner, _, attribute = call.rpartition(".")
            resamples = (
                call == "np.random.default_rng" and "analysis" in path.parts
            )  # from a given seed; no run depends on it
            draws = owner in ("torch", "np.random", "numpy.random", "random") and (
                attribute in DRAWS or "random" in owner
            )
            if draws and not resamples and call not in LOOKS:
                wrong.append(f"{name(path)}:{line}: {call}")
    assert not wrong, "\n".join(wrong)


def test_no_call_whose_bits_depend_on_the_batch():
    wrong = [
        f"{name(path)}:{line}: {call}; see landscapes.numerics"
        for path, tree in trees().items()
        for line, call in calls(tree)
        if call.rpartition(".")[0] in TORCHLIKE and call.rpartition(".")[2] in UNSAFE
    ]
    assert not wrong, "\n".join(wrong)


def test_every_file_says_what_it_is():
    assert not [name(path) for path, tree in trees().items() if not ast.get_docstring(tree)]


def outside(*rooms):
    """Files of studies/ that are in none of these rooms."""
    return {
        path: tree
        for path, tree in trees().items()
        if "studies" in path.parts and not set(rooms) & set(path.relative_to(ROOT).parts)
    }


def test_only_results_settings_knows_how_settings_are_stored():
    """By its `ATTRIBUTE`, which others may write, and by no other text."""
    wrong = [
        f"{name(path)}:{node.lineno}"
        for path, tree in with_word('"settings"', outside()).items()
        if name(path) != "studies/results/settings.py"
        for node in ast.walk(tree)
        if isinstance(node, ast.Subscript | ast.Call)
        if re.search(r"attrs(\[|\.get\()['\"]settings['\"]", ast.unparse(node))
    ]
    assert not wrong, "\n".join(wrong)


def test_only_results_config_reads_the_study_that_results_hold():
    """Its `ATTRIBUTE` may be written by others; nobody else takes the text out of attributes."""
    wrong = [
        f"{name(path)}:{node.lineno}"
        for path, tree in with_word("config", outside()).items()
        if name(path) != "studies/results/config.py"
        for node in ast.walk(tree)
        if isinstance(node, ast.Subscript | ast.Call)
        if re.search(
            r"""attrs(['"]\])?(\[|\.get\()(['"]config['"]|config\.ATTRIBUTE)""", ast.unparse(node)
        )
    ]
    assert not wrong, "\n".join(wrong)


def test_only_the_schema_says_what_a_status_is():
    """No number, and no tuple of its words, anywhere else."""
    words = {status.name.lower() for status in Status}
    wrong = []
    for path, tree in outside().items():
        if name(path) == "studies/text/schema.py":
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Compare) and "status" in ast.unparse(node.left):
                wrong += [
                    f"{name(path)}:{node.lineno}: {ast.unparse(node)}"
                    for side in node.comparators
                    if isinstance(side, ast.Constant) and isinstance(side.value, int)
                ]
            if isinstance(node, ast.Tuple | ast.List):
                texts = {part.value for part in node.elts if isinstance(part, ast.Constant)}
                wrong += [f"{name(path)}:{node.lineno}"] * (len(words & texts) > 1)
    assert not wrong, "\n".join(wrong)


def test_the_schema_imports_nothing_of_ours():
    files = {name(path): tree for path, tree in trees().items()}
    assert not [
        module
        for _, module in imports(files["studies/text/schema.py"])
        if module.split(".")[0] in FLOORS
    ]


TEXT_OF_A_STUDY = ("yaml", "ruamel", "ruamel.yaml")
OF_DOCUMENTS = {"Mistake", "dotted", "value_of"}  # for values on a command line, as in a study


def test_only_study_file_reads_the_text_of_a_study():
    """Others read a file by `study_file.files`, and a study by `study_file.loading`."""
    wrong = []
    for path, tree in outside("study_file").items():
        wrong += [
            f"{name(path)}:{line}: {module}"
            for line, module in imports(tree)
            if module in TEXT_OF_A_STUDY
        ]
        for node in ast.walk(tree):
            if not isinstance(node, ast.ImportFrom):
                continue
            names = {alias.name for alias in node.names}
            if node.module == "studies.study_file" and names & {"document", "overrides"}:
                wrong.append(f"{name(path)}:{node.lineno}: {sorted(names)}")
            if node.module == "studies.study_file.document" and names - OF_DOCUMENTS:
                wrong.append(f"{name(path)}:{node.lineno}: {sorted(names - OF_DOCUMENTS)}")
    assert not wrong, "\n".join(wrong)


def test_nothing_in_study_file_imports_loading():
    wrong = [
        f"{name(path)}:{line}"
        for path, tree in trees().items()
        if "study_file" in path.parts
        for line, module in imports(tree)
        if module == "studies.study_file.loading"
    ]
    assert not wrong, "\n".join(wrong)


TAKES_APART = ("partition", "rpartition", "split", "rsplit")
COMMAND_LINES = ("study_file", "check", "probe")  # PATH=VALUE, kind:parameter=value


def test_labels_are_taken_apart_in_one_place():
    """Made and taken apart in `studies.text.words`; what an arm ran with is in `results.settings`."""
    wrong = [
        f"{name(path)}:{node.lineno}: {ast.unparse(node)}"
        for path, tree in outside(*COMMAND_LINES).items()
        if name(path) != "studies/text/words.py"
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        if node.func.attr in TAKES_APART
        if any(isinstance(value, ast.Constant) and value.value in ("=", " ") for value in node.args)
    ]
    assert not wrong, "\n".join(wrong)


READERS = ("results", "analysis", "figures", "claims", "report", "table", "exchange")


def modules():
    """Name -> the syntax tree of each module of ours."""
    dots = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts): tree for path, tree in trees().items()
    }
    return {module.removesuffix(".__init__"): tree for module, tree in dots.items()}


def at_import(tree):
    """Modules, and names in them, that a tree imports outside of functions, and the packages they are in."""
    imported = set()
    for node in unconditional(tree):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {
        ".".join(parts[:n])
        for parts in (m.split(".") for m in imported)
        for n in range(1, len(parts) + 1)
    }


def unconditional(node):
    """The statements that run as a module is imported; what only type checkers read is left out."""
    for child in ast.iter_child_nodes(node):
        checked = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)
        if isinstance(child, ast.stmt) and not checked and not isinstance(child, ast.FunctionDef):
            yield child
            yield from unconditional(child)


def readers():
    """Modules that read results."""
    return [
        module
        for module in modules()
        if module.startswith(tuple(f"studies.{room}" for room in READERS))
    ]


def test_what_reads_results_does_not_import_torch():
    """By the import lines of our modules; in `make verify` they are imported."""
    ours, waiting = modules(), readers()
    through = dict.fromkeys(waiting, "itself")
    while waiting:
        module = waiting.pop()
        for imported in at_import(ours[module]) - through.keys():
            through[imported] = module
            waiting += [imported] if imported in ours else []
    assert "torch" not in through, f"{through['torch']}, which {through[through['torch']]} imports"


@pytest.mark.verify
def test_what_reads_results_loads_no_torch():
    names = sorted(readers())
    code = f"""
import sys, importlib
for name in {names}:
    importlib.import_module(name)
    assert "torch" not in sys.modules, name
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


CLOCKS = ("time", "perf_counter", "monotonic", "process_time", "thread_time")


def test_no_test_reads_the_clock_or_sets_a_limit_of_its_own():
    """A loaded machine is not a fault.

    Waits go through tests/support/patience.py, speed is measured in tests/benchmarks.
    """
    wrong = []
    for path in sorted((ROOT / "tests").rglob("*.py")):
        text = path.read_text()
        if (
            "benchmarks" in path.parts
            or path.name == "patience.py"
            or not re.search(r"\btime\.|timeout", text)
        ):
            continue
        for node in ast.walk(ast.parse(text)):
            if (
                isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Name)
                and node.value.id == "time"
                and node.attr.startswith(CLOCKS)
            ):
                wrong.append(f"{name(path)}:{node.lineno}: time.{node.attr}")
            if (
                isinstance(node, ast.keyword)
                and node.arg == "timeout"
                and "patience(" not in ast.unparse(node.value)
            ):
                wrong.append(f"{name(path)}:{node.value.lineno}: a limit of its own")
            if isinstance(node, ast.Attribute) and ast.unparse(node) == "pytest.mark.timeout":
                wrong.append(f"{name(path)}:{node.lineno}: a limit of its own")
    assert not wrong, "\n".join(wrong)


def test_help_comes_at_once():
    """But those of claims and figures, whose package loads what it judges and draws with."""
    code = f"""
import runpy, sys
sys.argv = ["x", "--help"]
for command in {sorted(set(COMMANDS) - {"claims", "figures"})}:
    try:
        runpy.run_module(f"studies.{{command}}", run_name="__main__")
    except SystemExit:
        pass
    heavy = {{"torch", "numba", "xarray", "distributed", "matplotlib"}} & set(sys.modules)
    assert not heavy, (command, heavy)
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, stdout=subprocess.DEVNULL)


def test_the_list_of_commands_is_whole():
    """`python -m studies` names each module that can be run, and no other."""
    studies = ROOT / "studies"
    files = [*studies.glob("*.py"), *studies.glob("*/__main__.py")]
    runs = {
        path.parent.name if path.stem == "__main__" else path.stem
        for path in files
        if '__name__ == "__main__"' in path.read_text()
    }
    inside = {path for path in studies.glob("*/*.py") if path.stem != "__main__"}
    runs |= {f"{path.parent.name}.{path.stem}" for path in inside if "def parser()" in path.read_text()}
    assert set(COMMANDS) == runs - {"studies"}
