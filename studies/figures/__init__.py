"""Figures of a study's Dataset, one per file; none imports torch."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import xarray as xr
from matplotlib import rc_context
from matplotlib.figure import Figure

from studies.figures import style
from studies.figures.convergence import convergence
from studies.figures.factorial import factorial
from studies.figures.noise_sources import noise_sources

FIGURES: dict[str, Callable[[xr.Dataset], Figure]] = {"convergence": convergence, "noise_sources": noise_sources, "factorial": factorial}


def draw(dataset: xr.Dataset, names: Iterable[str], out: Path, formats: Sequence[str] = ("png", "pdf")) -> list[Path]:
    """Draw the named figures into the folder `out`, one file for each format; each file is replaced in one go.

    Args:
        dataset: a study's results, as `studies.open_study` gives them.
        names: names in `FIGURES`.
        out: the folder, made where missing.
        formats: what Matplotlib can save: png, pdf, svg.

    Returns:
        The files written.
    """
    out.mkdir(parents=True, exist_ok=True)
    written = []
    for name in names:
        with rc_context(style.PAPER):
            figure = FIGURES[name](dataset)
            for kind in formats:
                path, part = out / f"{name}.{kind}", out / f".{name}.{os.getpid()}.{kind}"
                figure.savefig(part)
                part.replace(path)
                written.append(path)
    return written
