"""A figure on disk, in the looks of the house, each file replaced in one go."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from matplotlib import rc_context
from matplotlib.figure import Figure

from studies.figures import style

DPI = {"png": 150, "pdf": 300}  # of what is drawn as pixels


def save(make: Callable[[], Figure], out: Path, name: str, formats: Sequence[str] = ("pdf", "png")) -> list[Path]:
    """Draw a figure and write it to OUT/NAME.pdf and .png.

    Args:
        make: draws it.
        out: the folder, made where missing.
        name: of the files.
        formats: what Matplotlib can save.

    Returns:
        The files written.
    """
    out.mkdir(parents=True, exist_ok=True)
    written = []
    with rc_context(style.PAPER):
        figure = make()
        for kind in formats:
            path, part = out / f"{name}.{kind}", out / f".{name}.{os.getpid()}.{kind}"
            figure.savefig(part, dpi=DPI.get(kind, 200))
            part.replace(path)
            written.append(path)
    return written
