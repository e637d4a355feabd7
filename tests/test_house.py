"""The house rules, read from the syntax trees: imports run downwards, only the streams draw, bits do not depend on the batch."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILES = sorted(p for floor in ("landscapes", "optimizers", "studies") for p in (ROOT / floor).rglob("*.py"))
MAY_IMPORT = {  # of our own packages
    "landscapes": ("landscapes",),
    "optimizers": ("optimizers", "landscapes.streams", "landscapes.base"),
    "studies": ("studies", "optimizers", "landscapes"),
}
DRAWS = {"rand", "randn", "randint", "randperm", "rand_like", "randn_like", "manual_seed", "multinomial", "bernoulli", "normal", "poisson", "seed"}
LOOKS = {"random.getstate", "np.random.get_state"}  # at a state, to see whether another drew; nothing is drawn
UNSAFE = {"sigmoid", "softplus", "gelu", "silu", "pow", "einsum", "matrix_power", "prod"}  # their bits depend on the place in an array, or on R


def imports(path):
    """Modules that a file imports at any depth, and those imported when it is itself imported."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def calls(path):
    """(line, dotted name) of every call."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            yield node.lineno, ast.unparse(node.func)


def name(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", FILES, ids=name)
def test_imports_run_downwards(path):
    floor = path.relative_to(ROOT).parts[0]
    ours = [m for m in imports(path) if m.split(".")[0] in MAY_IMPORT]
    if floor == "optimizers":
        ours = [m for m in ours if m != "landscapes"]  # `from landscapes import streams` is seen as both
    assert all(m.startswith(MAY_IMPORT[floor]) for m in ours), ours


@pytest.mark.parametrize("path", [p for p in FILES if p.name != "streams.py" and "adapters" not in p.parts], ids=name)
def test_only_the_streams_draw(path):
    uses = {call for _, call in calls(path) if call.startswith("random.")}
    foreign = ("secrets",) if uses and uses <= LOOKS else ("random", "secrets")
    assert not [m for m in imports(path) if m.split(".")[0] in foreign or m.startswith("numpy.random")]
    for line, call in calls(path):
        if call in LOOKS:
            continue
        if call == "np.random.default_rng" and path.parent.name == "analysis":
            continue  # resamples, from a given seed; no run depends on it
        owner, _, attribute = call.rpartition(".")
        assert not (owner in ("torch", "np.random", "numpy.random", "random") and (attribute in DRAWS or "random" in owner)), f"{line}: {call}"


@pytest.mark.parametrize("path", FILES, ids=name)
def test_no_call_whose_bits_depend_on_the_batch(path):
    for line, call in calls(path):
        owner, _, attribute = call.rpartition(".")
        torchlike = owner in ("torch", "F", "functional", "torch.nn.functional", "torch.special")
        assert not (torchlike and attribute in UNSAFE), f"{line}: {call}; see landscapes.numerics.logistic"


@pytest.mark.parametrize("floor", ["analysis", "figures", "claims", "report", "exchange"])
def test_analysis_and_figures_do_not_import_torch(floor):
    names = [f"studies.{floor}.{path.stem}" for path in sorted((ROOT / "studies" / floor).glob("*.py"))]
    code = f"import sys, importlib\nfor name in {names}: importlib.import_module(name); assert 'torch' not in sys.modules, name"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


@pytest.mark.parametrize("path", FILES, ids=name)
def test_every_file_says_what_it_is(path):
    assert ast.get_docstring(ast.parse(path.read_text())), "a module docstring"


CLOCKS = ("time", "perf_counter", "monotonic", "process_time", "thread_time")
TESTS = [path for path in sorted((ROOT / "tests").rglob("*.py")) if "benchmarks" not in path.parts and path.name != "patience.py"]


@pytest.mark.parametrize("path", TESTS, ids=name)
def test_no_test_reads_the_clock_or_sets_a_limit_of_its_own(path):
    """A loaded machine is not a fault: waits go through tests/support/patience.py, speed is measured in tests/benchmarks."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "time":
            assert not node.attr.startswith(CLOCKS), f"{node.lineno}: time.{node.attr}"
        if isinstance(node, ast.keyword) and node.arg == "timeout":
            assert "patience(" in ast.unparse(node.value), f"{node.value.lineno}: a limit of its own"
        if isinstance(node, ast.Attribute) and ast.unparse(node) == "pytest.mark.timeout":
            raise AssertionError(f"{node.lineno}: a limit of its own")


@pytest.mark.parametrize(
    "module", ["studies.run", "studies.list", "studies.check", "studies.describe", "studies.probe", "studies.report", "studies.exchange"]
)
def test_help_comes_at_once(module):
    code = f"import sys, runpy; sys.argv = ['x', '--help']\ntry: runpy.run_module('{module}', run_name='__main__')\nexcept SystemExit: pass\n"
    code += "heavy = {'torch', 'numba', 'xarray', 'distributed', 'matplotlib'} & set(sys.modules); assert not heavy, heavy"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
