"""A figure on as many pages as it needs: none is higher than 1.3 times its width.

What makes a figure too high are its panels: those of some landscapes, optimizers or values of axes then go to
the next page, which looks the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from matplotlib.figure import Figure
from xarray import Dataset

from studies.figures.facets import GRID, dims
from studies.figures.selection import parts_of
from studies.text.shapes import Tree

HIGHEST = 1.3  # times the width
PLACES = "landscape"  # the dim whose panels every figure may have on pages of their own
BY_ARM = (  # figures with a panel, or a row, for each arm
    "alignment",
    "break_even",
    "noise_sources",
    "price",
    "sensitivity",
    "spectra",
    "trajectories",
)
WITHIN = ("curve", "map")  # whose panels show several optimizers
BY_LINE = ("convergence", "diversity", "ecdf")  # with a line for each arm
BY_ROW = ("phase",)  # with a row for each value of the first axis
TOGETHER = ("plane",)  # whose panels are judged together
WHOLE = ("answer",)  # that are one picture


def pages(
    make: Callable[[Dataset], Figure],
    dataset: Dataset,
    width: float,
    along: Sequence[str],
) -> list[Figure]:
    """The pages of a figure, one where it is not too high, or cannot be taken apart.

    Args:
        make: draws the figure of results.
        dataset: a study's results.
        width: inches.
        along: dims that may be taken apart, the first first.
    """
    figure = make(dataset)
    share = figure.get_figheight() / (HIGHEST * width)
    several = [dim for dim in along if dataset.sizes.get(dim, 1) > 1]
    if share <= 1.001 or not several:
        return [figure]
    number = min(dataset.sizes[several[0]], math.ceil(share))
    parts = parts_of(dataset, several[0], number)
    return [page for part in parts for page in pages(make, part, width, several)]


def apart(name: str, dataset: Dataset, options: Tree | None = None) -> list[str]:
    """The dims of results whose panels may stand on pages of their own.

    Args:
        name: of the figure.
        dataset: a study's results.
        options: what a figure is to show; None: it is not told.
    """
    every = dims(dataset)
    if name in WHOLE:
        return []
    if options is not None:
        return _of_panels(name, every, options)
    if name in TOGETHER:
        return []
    if name in BY_ROW:
        return [PLACES, *[dim for dim in every if dim not in GRID][:1]]
    return [PLACES, *(dim for dim in every if dim != PLACES and name in BY_ARM + BY_LINE)]


def _of_panels(figure: str, names: Sequence[str], options: Tree) -> list[str]:
    """The dims that have panels in a figure that is told what to show."""
    given = [options[role] for role in ("rows", "columns") if role in options]
    within = _within(figure, names, options)
    rest = [name for name in names if name not in (*given, *within)]
    last = ["optimizer"] if figure == "curve" and options.get("x") != "optimizer" else []
    return [name for name in (*given, *rest, *last) if name in names]


def _within(figure: str, names: Sequence[str], options: Tree) -> list[str | None]:
    """The dims that are shown within a panel."""
    within = [options.get(role) for role in ("x", "y", "hue")]
    if figure == "curve" and "x" not in options:
        within += [name for name in names if name not in GRID][:1]
    return [*within, "optimizer"] if figure in WITHIN else within


def words(name: str, number: int, width: float) -> str:
    """What is said of a figure on several pages."""
    high = f"{HIGHEST * width:.1f} inches high ({HIGHEST:g} widths)"
    return f"{name}: {number} files, since one is at most {high}"
