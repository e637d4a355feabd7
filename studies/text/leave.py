"""The life of a command: Ctrl-C ends it without a traceback, and its end comes at once.

After the last line is printed the interpreter would take apart what was loaded, torch and millions of
objects, beside threads of libraries that still run: seconds of a core, on a loaded machine minutes. What was
registered to be done at exit is done; the rest goes with the process.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

STOPPED = 130  # the exit code of Ctrl-C


def importing() -> None:
    """Until `leave`, Ctrl-C ends the process at once: there is nothing yet but modules, one half imported."""
    _on_interrupt(_end)


def leave(main: Callable[[], int | None]) -> NoReturn:
    """Run a command, and end the process with its exit code; all that was printed is out.

    Ctrl-C unwinds the command, a second one while it does ends the process at once.

    Args:
        main: the command; None is exit code 0.
    """
    interrupts: list[int] = []

    def interrupt(number: int, frame: FrameType | None) -> None:
        if interrupts:
            _end(number, frame)
        interrupts.append(number)
        raise KeyboardInterrupt

    sys.unraisablehook = _unraisable
    _on_interrupt(interrupt)
    try:
        code = main() or 0
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    except KeyboardInterrupt:
        code = STOPPED
    except BaseException:  # an import that was interrupted may raise an error of its own
        if not interrupts:
            raise
        code = STOPPED
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    atexit._run_exitfuncs()  # as multiprocessing ends its processes
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):  # whoever read it has gone
            stream.flush()
    os._exit(code)


def _on_interrupt(handle: Callable[[int, FrameType | None], None]) -> None:
    """Handle Ctrl-C so, unless it is ignored, as a shell has it of what runs in the background."""
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, handle)


def _end(number: int, frame: FrameType | None) -> NoReturn:
    del number, frame
    os._exit(STOPPED)


def _unraisable(unraisable: UnraisableHookArgs) -> None:
    """Ctrl-C in the middle of a callback, which would go on as if nothing were."""
    if issubclass(unraisable.exc_type, KeyboardInterrupt):
        os._exit(STOPPED)
    sys.__unraisablehook__(unraisable)
