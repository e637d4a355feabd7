"""What the README promises can be typed as it stands."""

import ast
import importlib
import os
import re
import runpy
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

import studies
from tests.support.patience import patience

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
PYTHON = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def run(code, name="example.py"):
    """As a script, in this process."""
    exec(compile(code, name, "exec"), {"__name__": "__main__"})


def run_module(*words):
    """As `python -m` runs it, in this process; returns the exit code."""
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "'studies.* found in sys.modules", RuntimeWarning)
        patch.setattr(sys, "argv", list(words))
        try:
            runpy.run_module(words[0], run_name="__main__", alter_sys=True)
        except SystemExit as end:
            return end.code or 0
    return 0


def test_the_first_example_comes_early_and_runs(tmp_path, monkeypatch, capsys):
    end = README[: README.index(PYTHON[0]) + len(PYTHON[0])].count("\n") + 1
    assert end <= 40
    monkeypatch.chdir(tmp_path)
    run(PYTHON[0])
    shown = capsys.readouterr().out
    assert "SGD" in shown
    assert "NaN" not in shown
    assert (tmp_path / "results" / "hill" / "dataset.zarr").exists()


def test_the_noise_ledger_is_read(tmp_path, monkeypatch):
    block = next(block for block in PYTHON if "noise.shares" in block)
    study = {
        "name": "noisy",
        "replicates": 4,
        "budget": 100,
        "landscapes": {"bowl": {"kind": "quadratic", "dim": 3}},
        "optimizers": {"GA": {"kind": "ga", "population": 8}},
        "ledger": {"moments": 2, "redraws": 8},
    }
    monkeypatch.chdir(tmp_path)
    studies.run_study(study, out="results/noise-sources")
    space = {"studies": studies}
    names = []
    for node in ast.parse(block).body:
        if isinstance(node, ast.Expr):  # a Dataset, which nothing prints in a script
            names += eval(compile(ast.Expression(node.value), "example.py", "eval"), space)
        else:
            exec(compile(ast.Module([node], []), "example.py", "exec"), space)
    assert {"interaction", "cosine", "p_value", "effective_population"} <= set(names)


def test_the_plugin_runs(tmp_path):
    """In a process of its own, as a user has it: the file is found beside the study."""
    (tmp_path / "mine.py").write_text(next(block for block in PYTHON if "# mine.py" in block))
    line = re.search(r"landscapes: \{.*mine:Ridge.*\}", README).group()
    (tmp_path / "mine.yaml").write_text(
        f"name: mine\nreplicates: 2\nbudget: 100\n{line}\noptimizers: {{GA: {{kind: ga, population: 5}}}}\n"
    )
    command = [sys.executable, "-m", "studies.run", "mine.yaml", "--workers", "1", "--no-report"]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=patience(120)
    )
    assert done.returncode == 0, done.stderr
    assert "ridge" in done.stdout


COMMANDS = re.findall(r"^    python -m (studies\.\S+ .*?)(?:  +#.*)?$", README, re.MULTILINE)
OF_RESULTS = (
    "studies.figures",
    "studies.report",
    "studies.exchange",
)  # need results; that they do what they say is tested beside them


@pytest.mark.parametrize("command", [command for command in COMMANDS if command.startswith(OF_RESULTS)])
def test_commands_with_results_are_understood(command):
    module, *words = command.split()
    assert importlib.import_module(f"{module}.__main__").parser().parse_args(words)


SLOW = (
    "studies.probe nk:n=12 --tune",
    "studies.run quickstart --set",
    "studies.probe --gallery",
)  # like another that is tried every day


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(c, marks=pytest.mark.verify if c.startswith(SLOW) else [])
        for c in COMMANDS
        if not c.startswith(OF_RESULTS)
    ],
)
def test_commands_are_understood(command, tmp_path, monkeypatch):
    words = command.split(">")[0].split()
    monkeypatch.chdir(tmp_path)
    if words[0] == "studies.probe":  # as it stands, but of few worlds and points, and of one picture
        words += ["nk:n=5"] if "--gallery" in words else ["--worlds", "2", "--samples", "64"]
        assert run_module(*words) == 0
        assert list((tmp_path / "results" / "probe").glob("*.png"))
        return
    if "--schema" not in words and "my_study.yaml" not in words:
        words.append("--dry-run")
    if "my_study.yaml" in words:
        words = [w if w != "my_study.yaml" else "quickstart" for w in words] + ["--dry-run"]
    assert run_module(*dict.fromkeys(words)) == 0
    assert not list(tmp_path.iterdir()), "a dry run writes nothing"


def environment():
    """A user's: without the variables that the tests set for themselves."""
    ours = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "MKL_CBWR")
    return {key: value for key, value in os.environ.items() if key not in ours} | {"PYTHONPATH": str(ROOT)}
