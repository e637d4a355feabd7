"""The signals that stop a run."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

Handler = Callable[[int, FrameType | None], None]
ENDS = (signal.SIGTERM, signal.SIGHUP)  # of a batch system, and of a terminal that is closed
STOPS = (signal.SIGINT, *ENDS)


@contextlib.contextmanager
def handled(handle: Handler, *numbers: signal.Signals) -> Iterator[None]:
    """While the body runs, these signals are handled so, in the main thread, which alone may.

    One that is ignored, as `nohup` has it, stays so.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = tuple(number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN)
    before = {number: signal.signal(number, handle) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def stop_signals(console: Console) -> Iterator[list[int]]:
    """The signals that came.

    The first asks to stop after the running cells, the second raises KeyboardInterrupt.
    """
    came: list[int] = []

    def handle(number: int, frame: FrameType | None) -> None:
        del frame
        came.append(number)
        if len(came) > 1:
            raise KeyboardInterrupt
        console.print("stopping after the running cells; once more to abort them")

    with handled(handle, *STOPS):
        yield came
