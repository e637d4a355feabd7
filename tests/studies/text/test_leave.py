"""A command ends with all that it printed and registered, and takes nothing apart."""

import subprocess
import sys

import pytest

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
    run = ended(f"leave({code})")
    assert (run.returncode, run.stdout, run.stderr) == (code, "printed\nregistered\n", "said\n")


def test_the_interpreter_would_take_everything_apart():
    assert ended("sys.exit(2)").stdout == "printed\nregistered\ntaken apart\n"


def test_a_reader_that_has_gone_changes_nothing():
    gone = "import os; from studies.text.leave import leave; print('lost'); os.close(1); leave(1)"
    run = subprocess.run([sys.executable, "-c", gone], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (1, "")
