"""When reports are written: at the end of a run, and while it goes on, by a process of its own.

The latter gives way to all others and costs the run a sleeping thread: the process has the lowest priority,
is started only where cells have come since the last report, at most every 20 seconds, and so seldom that it
takes no more than a twentieth of one core, however long a report of many cells takes.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from studies.results import store

EVERY = 20.0  # seconds, at least, between two reports
SHARE = 20  # times as long as the last report took, at least
SCRIPT = """import os, sys
os.nice(19)
from studies.report.__main__ import main
from studies.text.leave import leave
leave(main(sys.argv[1:]))"""


@contextlib.contextmanager
def live(out: Path, every: float = EVERY) -> Iterator[None]:
    """While the body runs, OUT/report.html shows what is there.

    Args:
        out: the study's folder.
        every: seconds between two reports, at least.
    """
    end = threading.Event()
    thread = threading.Thread(target=_watch, args=(out, every, end), daemon=True)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()


def finish(out: Path) -> str:
    """Write the report of a run that has ended.

    Returns where it is, or why there is none: results must not be lost to a report.

    Args:
        out: the study's folder.
    """
    try:
        from studies.report.writing import FILE, write

        write(out)
        return str(out / FILE)
    except FileNotFoundError:
        return "no report yet: none of the study's own cells has begun"
    except Exception as error:  # noqa: BLE001
        return " ".join(f"no report: {type(error).__name__}: {error}".split())


def _watch(out: Path, every: float, end: threading.Event) -> None:
    wait, shown = every, -1
    while not end.wait(wait):
        here = len(store.finished(out)) + len(store.failures(out))
        if here != shown and (out / "plan.json").exists():
            took = _write(out, end)
            wait, shown = max(every, SHARE * took), here


def _write(out: Path, end: threading.Event) -> float:
    """One report, given up where the run ends first; a report that fails is none; the seconds it took."""
    began = time.monotonic()
    with contextlib.suppress(OSError):
        process = _process(out)
        while process.poll() is None and not end.wait(0.1):
            pass
        if process.poll() is None:
            process.kill()
            process.wait()
    return time.monotonic() - began


def _process(out: Path) -> subprocess.Popen[bytes]:
    """A process that writes a report, silent, with our path, so that it sees claims of the user's own."""
    path = os.pathsep.join(filter(None, sys.path))
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, "--brief", str(out)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": path},
        start_new_session=True,
    )
