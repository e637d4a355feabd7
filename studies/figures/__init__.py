"""Figures of a study's Dataset, one per file; none imports torch."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from matplotlib.animation import FuncAnimation
from matplotlib.figure import Figure
from xarray import Dataset

from studies.figures import style
from studies.figures.alignment import alignment
from studies.figures.answer import answer
from studies.figures.attainment import attainment
from studies.figures.break_even import break_even
from studies.figures.claims import claims, claims_pages
from studies.figures.convergence import convergence
from studies.figures.critical_difference import critical_difference, critical_difference_pages
from studies.figures.curve import curve
from studies.figures.density import density
from studies.figures.diversity import diversity
from studies.figures.ecdf import ecdf
from studies.figures.ecdf_groups import grouped_pages
from studies.figures.factorial import factorial
from studies.figures.frequencies import frequencies
from studies.figures.law import law, law_pages
from studies.figures.noise_sources import noise_sources
from studies.figures.pages import Sheet, apart, on_sheets, pages, words
from studies.figures.phase import phase
from studies.figures.plane import plane
from studies.figures.price import price
from studies.figures.profile import profile, profile_pages
from studies.figures.quantity_map import quantity_map
from studies.figures.saving import ASKED, save_pages
from studies.figures.scaling import scaling
from studies.figures.selection import pick
from studies.figures.sensitivity import sensitivity
from studies.figures.spectra import spectra
from studies.figures.trajectories import animation, trajectories
from studies.results.config import config
from studies.results.figures import Asked, asked
from studies.text.shapes import Json

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


QUESTIONS: dict[str, Callable[..., Figure]] = {  # name -> figure that is told what to show
    "curve": curve,
    "scaling": scaling,
    "attainment": attainment,
    "map": quantity_map,
    "density": density,
    "law": law,
    "answer": answer,
    "frequencies": frequencies,
    "plane": plane,
}
EVERY = FIGURES | QUESTIONS
FILES = ("png", "pdf")  # formats of files
USUAL = ("convergence",)  # of a study that names none
TOGETHER: dict[str, Callable[..., list[Figure]]] = {  # judged together, whatever the page
    "claims": claims_pages,
    "critical_difference": critical_difference_pages,
    "law": law_pages,
    "profile": profile_pages,
}


def about(name: str) -> str:
    """What a figure shows, as its file says it."""
    return sys.modules[EVERY[name].__module__].__doc__ or ""


def stated(figure: Asked) -> str:
    """What a caption begins with: what the figure is, and what it was asked to show."""
    words = " ".join(about(figure.figure).split("\n\n")[0].split())
    return f"{words}{ASKED}{figure.said}." if figure.said else words


def of_study(dataset: Dataset, *, others: bool) -> list[Asked]:
    """The figures that a study asks for, and maybe all others that need not be told what to show.

    Args:
        dataset: a study's results.
        others: whether these are wanted too.
    """
    own = [figure for figure in asked(config(dataset).get("figures", USUAL)) if figure.figure in EVERY]
    files = {figure.file for figure in own}
    return [*own, *asked(name for name in FIGURES if name not in files)] if others else own


def pages_of(
    figure: Asked, dataset: Dataset, width: float = style.WIDTH, ratio: float | None = None
) -> list[Figure]:
    """The pages of a figure, none higher than 1.3 times its width.

    Args:
        figure: its name, and what it is to show.
        dataset: a study's results.
        width: inches; of slides the least.
        ratio: of width and height, which all pages of slides have; None: as high as they need.
    """
    dataset = pick(dataset, figure.shown) if figure.shown else dataset
    return on_sheets(partial(_on_sheet, figure, dataset), Sheet(width, ratio))


def _on_sheet(figure: Asked, dataset: Dataset, sheet: Sheet) -> list[Figure]:
    """The pages of a figure on sheets of this size."""
    name, options = figure.figure, figure.options
    if name == "ecdf" and "group" in options:
        return grouped_pages(dataset, sheet.width, sheet.highest, **options)
    if name in TOGETHER:
        return TOGETHER[name](dataset, sheet.width, sheet.highest, **options)
    make = partial(EVERY[name], width=sheet.width, **options)
    along = apart(name, dataset, options if name in QUESTIONS else None)
    return pages(make, dataset, sheet.highest, along)


def draw(
    dataset: Dataset,
    figures: Iterable[Json],
    out: Path,
    formats: Sequence[str] = FILES,
) -> list[Path]:
    """Draw figures for a paper into the folder `out`, one file for each page and format.

    Beside each page stands its caption, as .txt and .tex. Each file is replaced in one go.

    Args:
        dataset: a study's results, as `studies.open_study` gives them.
        figures: as a study asks for them: names in `EVERY`, or {name: what it is to show}.
        out: the folder, made where missing.
        formats: what Matplotlib can save: png, pdf, svg.

    Returns:
        The files of pictures.
    """
    return [path for figure in asked(figures) for path in save(figure, dataset, out, formats).paths]


class Files(NamedTuple):
    """The files of a figure."""

    paths: list[Path]
    said: str  # of several pages: why; else nothing


def save(
    figure: Asked,
    dataset: Dataset,
    out: Path,
    formats: Sequence[str] = FILES,
    width: float = style.WIDTH,
    looks: style.Settings = style.PAPER,
    ratio: float | None = None,
) -> Files:
    """Draw a figure into the folder `out`, one file for each page and format.

    Args:
        figure: its name, and what it is to show.
        dataset: a study's results.
        out: the folder, made where missing.
        formats: what Matplotlib can save.
        width: inches.
        looks: settings of Matplotlib.
        ratio: of width and height; None: as high as it needs.
    """
    make = partial(pages_of, figure, dataset, width, ratio)
    others = {other.file for other in of_study(dataset, others=False)} - {figure.file}
    paths = save_pages(make, out, figure.file, formats, looks, stated(figure), others)
    number = len(paths) // len(formats)
    return Files(paths, words(figure.file, number, Sheet(width, ratio)) if number > 1 else "")
