"""The first example of the README as it stands, and a kind of the user's own as a user runs it.

All else that the README and the pages of studies/docs say is tried in tests/docs.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.patience import patience

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
OWN_KINDS = (ROOT / "studies" / "docs" / "own_kinds.md").read_text()


def blocks(text, language):
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def test_the_first_example_comes_early_and_runs(tmp_path, monkeypatch, capsys):
    example = blocks(README, "python")[0]
    end = README[: README.index(example) + len(example)].count("\n") + 1
    assert end <= 40
    monkeypatch.chdir(tmp_path)
    exec(compile(example, "example.py", "exec"), {"__name__": "__main__"})
    shown = capsys.readouterr().out
    assert "SGD" in shown
    assert "NaN" not in shown
    assert (tmp_path / "results" / "hill" / "dataset.zarr").exists()


SCRIPT = """
import studies
data = studies.run_study("mine.yaml", "out", workers=1)
print(*data["landscape"].values, data.sizes["replicate"])
"""


@pytest.mark.verify
def test_a_plain_script_computes_a_plugin(tmp_path):
    """In a process of its own, as a user has it: the file is found beside the script, which has no guard."""
    (tmp_path / "mine.py").write_text(
        next(code for code in blocks(OWN_KINDS, "python") if "# mine.py" in code)
    )
    landscapes = next(code for code in blocks(OWN_KINDS, "yaml") if "mine:Ridge" in code)
    (tmp_path / "mine.yaml").write_text(
        f"name: mine\nreplicates: 2\nbudget: 100\nfigures: []\n{landscapes}"
        "optimizers: {GA: {kind: ga, population: 5}}\n"
    )
    (tmp_path / "script.py").write_text(SCRIPT)
    command = [sys.executable, "script.py"]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=patience(120)
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["ridge", "2"]
    assert (tmp_path / "out" / "report.html").exists()


def environment():
    """A user's: without the variables that the tests set for themselves."""
    ours = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "MKL_CBWR")
    return {key: value for key, value in os.environ.items() if key not in ours} | {
        "PYTHONPATH": str(ROOT)
    }
