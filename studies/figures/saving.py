"""A figure on disk, in the looks of the house, each file replaced in one go."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure

from studies.figures import style

INSIDE = 300  # dots per inch of what a vector file keeps as pixels, at least


def save(
    make: Callable[[], Figure], out: Path, name: str, formats: Sequence[str] = ("pdf", "png"), looks: Mapping[Any, Any] = style.PAPER
) -> list[Path]:
    """Draw a figure and write it to OUT/NAME.pdf and .png.

    Args:
        make: draws it.
        out: the folder, made where missing.
        name: of the files.
        formats: what Matplotlib can save.
        looks: settings of Matplotlib.

    Returns:
        The files written.
    """
    out.mkdir(parents=True, exist_ok=True)
    written = []
    with rc_context(dict(looks)):
        figure = make()
        for kind in formats:
            path, part = out / f"{name}.{kind}", out / f".{name}.{os.getpid()}.{kind}"
            figure.savefig(part, dpi=max(looks["savefig.dpi"], INSIDE) if kind in ("pdf", "svg") else looks["savefig.dpi"])
            part.replace(path)
            written.append(path)
    return written
