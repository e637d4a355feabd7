"""What the README promises can be typed as it stands."""

import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.patience import patience

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
PYTHON = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_the_first_example_comes_early_and_runs(tmp_path):
    end = README[: README.index(PYTHON[0]) + len(PYTHON[0])].count("\n") + 1
    assert end <= 40
    script = tmp_path / "example.py"
    script.write_text(PYTHON[0])
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=patience(120),
    )
    assert done.returncode == 0, done.stderr
    assert "SGD" in done.stdout
    assert "NaN" not in done.stdout
    assert (tmp_path / "results" / "hill" / "dataset.zarr").exists()


def test_the_noise_ledger_is_read(tmp_path):
    block = next(block for block in PYTHON if "noise.shares" in block)
    study = {
        "name": "noisy",
        "replicates": 4,
        "budget": 100,
        "landscapes": {"bowl": {"kind": "quadratic", "dim": 3}},
        "optimizers": {"GA": {"kind": "ga", "population": 8}},
        "ledger": {"moments": 2, "redraws": 8},
    }
    lines = [
        "import studies",
        f"studies.run_study({study!r}, out='results/noise-sources')",
        *block.splitlines(),
    ]
    told = [
        line if not line.startswith("noise.") else f"print(list({line.partition('  #')[0]}))"
        for line in lines
    ]
    (tmp_path / "read.py").write_text("\n".join(told))
    done = subprocess.run(
        [sys.executable, "read.py"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=patience(120),
    )
    assert done.returncode == 0, done.stderr
    assert all(name in done.stdout for name in ("interaction", "cosine", "p_value", "effective_population"))


def test_the_plugin_runs(tmp_path):
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
def test_commands_are_understood(command, tmp_path):
    words = command.split(">")[0].split()
    if words[0] == "studies.probe":
        probed(words, tmp_path)
        return
    if "--schema" not in words and "my_study.yaml" not in words:
        words.append("--dry-run")
    if "my_study.yaml" in words:
        words = [w if w != "my_study.yaml" else "quickstart" for w in words] + ["--dry-run"]
    words = list(dict.fromkeys(words))
    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=patience(60),
    )
    assert done.returncode == 0, done.stderr
    assert not list(tmp_path.iterdir()), "a dry run writes nothing"


def probed(words, folder):
    """A probe as it stands, but of few worlds and points, and of one picture."""
    words = [*words, "nk:n=5"] if "--gallery" in words else [*words, "--worlds", "2", "--samples", "64"]
    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=patience(120),
    )
    assert done.returncode == 0, done.stderr
    assert list((folder / "results" / "probe").glob("*.png"))


def environment():
    """A user's: without the variables that the tests set for themselves."""
    ours = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "MKL_CBWR")
    return {key: value for key, value in os.environ.items() if key not in ours} | {"PYTHONPATH": str(ROOT)}
