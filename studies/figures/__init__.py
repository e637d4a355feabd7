"""Figures of a study's Dataset, one per file; none imports torch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

import xarray as xr
from matplotlib.animation import FuncAnimation
from matplotlib.figure import Figure

from studies.figures.alignment import alignment
from studies.figures.break_even import break_even
from studies.figures.claims import claims
from studies.figures.convergence import convergence
from studies.figures.critical_difference import critical_difference
from studies.figures.diversity import diversity
from studies.figures.ecdf import ecdf
from studies.figures.factorial import factorial
from studies.figures.noise_sources import noise_sources
from studies.figures.phase import phase
from studies.figures.price import price
from studies.figures.profile import profile
from studies.figures.saving import save
from studies.figures.sensitivity import sensitivity
from studies.figures.spectra import spectra
from studies.figures.trajectories import animation, trajectories

FIGURES: dict[str, Callable[..., Figure]] = {  # name -> figure of a Dataset and a width in inches
    "convergence": convergence,
    "critical_difference": critical_difference,
    "profile": profile,
    "ecdf": ecdf,
    "break_even": break_even,
    "phase": phase,
    "noise_sources": noise_sources,
    "spectra": spectra,
    "alignment": alignment,
    "diversity": diversity,
    "price": price,
    "trajectories": trajectories,
    "factorial": factorial,
    "sensitivity": sensitivity,
    "claims": claims,
}
ANIMATIONS: dict[str, Callable[..., FuncAnimation]] = {"trajectories": animation}


def draw(
    dataset: xr.Dataset, names: Iterable[str], out: Path, formats: Sequence[str] = ("png", "pdf")
) -> list[Path]:
    """Draw the named figures for a paper into the folder `out`, one file for each format.

    Each file is replaced in one go.

    Args:
        dataset: a study's results, as `studies.open_study` gives them.
        names: names in `FIGURES`.
        out: the folder, made where missing.
        formats: what Matplotlib can save: png, pdf, svg.

    Returns:
        The files written.
    """
    return [
        path for name in names for path in save(partial(FIGURES[name], dataset), out, name, formats)
    ]
