"""The terminal: what a study names is printed as it is.

A label may look like markup ([red]) or like the name of an emoji (:x:).
"""

from __future__ import annotations

import sys

from rich.console import Console

from studies.text.shapes import Data

AS_IT_IS: Data = {"markup": False, "emoji": False, "highlight": False}  # keywords of rich


def console(*, stderr: bool = False, columns: int | None = None) -> Console:
    """A console that prints text as it is; letters that the terminal's encoding lacks become escapes.

    In a notebook it prints lines, and asks for no widgets.

    Args:
        stderr: not stdout.
        columns: how wide it is where it is no terminal; None: as rich finds.
    """
    stream = sys.stderr if stderr else sys.stdout
    encodable()
    width = None if stream.isatty() else columns
    return Console(stderr=stderr, width=width, force_jupyter=False, **AS_IT_IS)


def encodable() -> None:
    """From now on `print` never fails for a letter that the terminal's encoding lacks."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
