"""Where in the user's own code an error came from."""

from __future__ import annotations

import os
import sysconfig
import traceback
from pathlib import Path
from types import FrameType

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("landscapes", "optimizers", "studies")
LIBRARIES = {
    Path(sysconfig.get_path(kind)).resolve() for kind in ("stdlib", "platstdlib", "purelib", "platlib")
}


def is_users(file: str) -> bool:
    """Whether a source file is neither ours nor an installed library's."""
    path = Path(file).resolve()
    ours = [ROOT / package for package in PACKAGES]
    return path.is_file() and not any(path.is_relative_to(folder) for folder in (*ours, *LIBRARIES))


def users_line(error: BaseException) -> str:
    """The last line of the user's own that an error came from; empty where there is none.

    Such as " (mine.py:34, in Kind.ask)", or " (tools.py:7, in step, for Kind.ask)" where the method of the
    kind calls something else.
    """
    lines = [
        (frame, line)
        for frame, line in traceback.walk_tb(error.__traceback__)
        if is_users(frame.f_code.co_filename)
    ]
    if not lines:
        return ""
    (first, _), (last, line) = lines[0], lines[-1]
    code, method = last.f_code, _method(first)
    inside = "" if code.co_name == "<module>" else f", in {_method(last)}"
    caller = "" if first is last or not inside or method == _method(last) else f", for {method}"
    return f" ({seen_from_here(code.co_filename)}:{line}{inside}{caller})"


def seen_from_here(file: str) -> str:
    """A path relative to the working directory where it is inside."""
    near = os.path.relpath(file)
    return file if near.startswith("..") else near


def _method(frame: FrameType) -> str:
    """The function that a frame runs, a method with the class of its object, which may have inherited it."""
    code, owner = frame.f_code, frame.f_locals.get("self")
    return (
        code.co_qualname
        if owner is None or "<locals>" in code.co_qualname
        else f"{type(owner).__qualname__}.{code.co_name}"
    )


def one_line(error: BaseException) -> str:
    """An error in one line: its kind, its text, and the last line of the user's own that it came from."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}{f': {text}' if text else ''}{users_line(error)}"
