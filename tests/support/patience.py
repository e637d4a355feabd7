"""How long tests wait for other processes: generously, for a loaded machine is not a fault.

Speed is measured in tests/benchmarks alone.

Set TWO_DESCENTS_PATIENCE to a factor for machines that are slower yet.
"""

import os
import time

FACTOR = float(os.environ.get("TWO_DESCENTS_PATIENCE", "1"))
HUNG = 1800 * FACTOR  # seconds after which a test is taken to hang


def patience(seconds=60):
    """The limit, in seconds, for what takes less than so many on a quiet machine."""
    return 10 * seconds * FACTOR


def wait_for(condition, seconds=60):
    """Wait until the condition holds."""
    end = time.monotonic() + patience(seconds)
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)
