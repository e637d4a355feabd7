"""A command ends with all that it printed and registered, and takes nothing apart; Ctrl-C prints no traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

SCRIPT = """
import atexit, sys
from studies.text.leave import leave

class Kept:
    def __del__(self):
        print("taken apart")

kept = Kept()
atexit.register(print, "registered")
print("printed")
print("said", file=sys.stderr)
{end}
"""


def ended(end):
    script = [sys.executable, "-c", SCRIPT.format(end=end)]
    return subprocess.run(script, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("code", [0, 2, 130])
def test_what_was_printed_and_registered_is_there(code):
    run = ended(f"leave(lambda: {code})")
    assert (run.returncode, run.stdout, run.stderr) == (code, "printed\nregistered\n", "said\n")


def test_the_interpreter_would_take_everything_apart():
    assert ended("sys.exit(2)").stdout == "printed\nregistered\ntaken apart\n"


def test_a_reader_that_has_gone_changes_nothing():
    gone = (
        "import os; from studies.text.leave import leave; print('lost'); os.close(1); leave(lambda: 1)"
    )
    run = subprocess.run([sys.executable, "-c", gone], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (1, "")


CAUGHT = """
import signal, sys
from studies.text.leave import leave

def main():
    try:
        try:
            {first}
        finally:
            {then}
    finally:
        print("left", flush=True)

leave(main)
"""
INTERRUPT = "signal.raise_signal(signal.SIGINT)"
INTERRUPTS = """
import signal, sys

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name.startswith("studies.") and not name.startswith("studies.text"):
            signal.raise_signal(signal.SIGINT)

sys.meta_path.insert(0, Finder())
"""
TIDIED = 'print("tidied", flush=True)'
IN_A_CALLBACK = f"type('Gone', (), {{'__del__': lambda self: {INTERRUPT}}})()"


@pytest.mark.parametrize(
    ("first", "then", "printed"),
    [
        (INTERRUPT, TIDIED, "tidied\nleft\n"),
        (INTERRUPT, f"{TIDIED}; {INTERRUPT}; {TIDIED}", "tidied\n"),  # the second one ends at once
        (IN_A_CALLBACK, TIDIED, ""),
    ],
)
def test_ctrl_c_prints_no_traceback(first, then, printed):
    script = [sys.executable, "-c", CAUGHT.format(first=first, then=then)]
    run = subprocess.run(script, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout, run.stderr) == (130, printed, "")


def test_ctrl_c_at_exit_is_too_late():
    run = ended(f"import signal; atexit.register(lambda: {INTERRUPT}); leave(lambda: 3)")
    assert (run.returncode, run.stdout, run.stderr) == (3, "printed\nregistered\n", "said\n")


def test_an_error_keeps_its_traceback():
    run = ended("leave(lambda: 1 / 0)")
    assert run.returncode == 1
    assert run.stderr.endswith("ZeroDivisionError: division by zero\n")


@pytest.mark.parametrize(
    "command", ["studies", "studies.list", "studies.figures", "studies.run.worker"]
)
def test_ctrl_c_while_a_command_is_imported(command, tmp_path):
    """The interrupt comes as the first module of a command's own is looked for."""
    (tmp_path / "sitecustomize.py").write_text(INTERRUPTS)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    script = [sys.executable, "-m", command, "--help"]
    run = subprocess.run(script, capture_output=True, text=True, check=False, env=environment)
    assert (run.returncode, run.stdout, run.stderr) == (130, "", "")
