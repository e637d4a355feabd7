"""The end of a command: at once.

After the last line is printed the interpreter would take apart what was loaded, torch and millions of
objects, beside threads of libraries that still run: seconds of a core, on a loaded machine minutes. What was
registered to be done at exit is done; the rest goes with the process.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
from typing import NoReturn


def leave(code: int) -> NoReturn:
    """End the process with an exit code; all that was printed is out."""
    atexit._run_exitfuncs()  # as multiprocessing ends its processes
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):  # whoever read it has gone
            stream.flush()
    os._exit(code)
