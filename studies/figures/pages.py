"""A figure on as many pages as it needs: none is higher than 1.3 times its width; slides are 16:9.

What makes a figure too high are its panels: those of some landscapes, optimizers or values of axes then go to
the next page, which looks the same. A slide that cannot be taken apart is laid out a little wider.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from matplotlib.figure import Figure
from xarray import Dataset

from studies.figures import layout, scales
from studies.figures.facets import GRID, dims
from studies.figures.selection import parts_of
from studies.text.shapes import Tree

HIGHEST = 1.3  # times the width
WIDER = (1.0, 1.2, 1.4)  # times the width, on which slides are laid out where they would be too many
SLACK = 1.001  # times the height that a page may have: rounding
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
BY_PAIR = ("break_even",)  # that compare optimizers, which stay together
WITHIN = ("curve", "map")  # whose panels show several optimizers
BY_LINE = ("convergence", "diversity", "ecdf")  # with a line for each arm
FACETED = (
    "convergence",
    "diversity",
    "ecdf",
    "attainment",
)  # that have panels for values of axes where lines are many
BY_ROW = ("phase",)  # with a row for each value of the first axis
TOGETHER = ("plane",)  # whose panels are judged together
BY_PLACE = ("scaling", "attainment")  # with a panel for each landscape, whatever they are told
WHOLE = ("answer",)  # that are one picture


class Sheet(NamedTuple):
    """What pages are drawn on."""

    width: float  # inches
    ratio: float | None = None  # of width and height, as all pages have it; None: as high as they need

    @property
    def highest(self) -> float:
        """Inches that a page may be high."""
        return self.width / self.ratio if self.ratio else HIGHEST * self.width


def on_sheets(draw: Callable[[Sheet], list[Figure]], sheet: Sheet) -> list[Figure]:
    """The pages of a figure; those of a ratio are laid out wider where they are fewer then.

    Args:
        draw: the pages on sheets of a size.
        sheet: what is asked for.
    """
    if sheet.ratio is None:
        return draw(sheet)
    sheets = [sheet._replace(width=times * sheet.width) for times in WIDER]
    drawn = [(draw(size), size.highest) for size in sheets]
    shown, _ = min(drawn, key=lambda each: (len(each[0]), _too_high(*each)))
    for page in shown:
        layout.fill(page, sheet.ratio)
    return shown


def _too_high(shown: Sequence[Figure], highest: float) -> bool:
    """Whether some page is higher than so many inches."""
    return any(page.get_figheight() > SLACK * highest for page in shown)


def pages(
    make: Callable[[Dataset], Figure],
    dataset: Dataset,
    highest: float,
    along: Sequence[str],
) -> list[Figure]:
    """The pages of a figure, one where it is not too high, or cannot be taken apart.

    Args:
        make: draws the figure of results.
        dataset: a study's results.
        highest: inches.
        along: dims that may be taken apart, the first first.
    """
    return _taken_apart(make, dataset, make(dataset), highest, along)


def _taken_apart(
    make: Callable[[Dataset], Figure],
    dataset: Dataset,
    figure: Figure,
    highest: float,
    along: Sequence[str],
) -> list[Figure]:
    """`pages` of results, of which the figure on one page is drawn already."""
    share = figure.get_figheight() / highest
    several = [dim for dim in along if dataset.sizes.get(dim, 1) > 1]
    if share <= SLACK or not several:
        return [figure]
    number = math.ceil(share)
    fewest = _parts(dataset, several[0], number)
    shown = _up_to_the_first_too_high(make, fewest, highest)
    if len(shown) == len(fewest) and not _too_high(shown, highest):
        return shown
    more = _parts(dataset, several[0], number + 1)  # whole rows of panels may need one page more
    if len(more) > len(fewest):
        others = _up_to_the_first_too_high(make, more, highest)
        if len(others) == len(more) and not _too_high(others, highest):
            return others
    shown += [make(part) for part in fewest[len(shown) :]]
    return [
        page
        for part, whole in zip(fewest, shown, strict=True)
        for page in _taken_apart(make, part, whole, highest, several)
    ]


def _up_to_the_first_too_high(
    make: Callable[[Dataset], Figure], parts: Sequence[Dataset], highest: float
) -> list[Figure]:
    """The figures of parts, until one is too high: so many pages are then too few."""
    shown: list[Figure] = []
    for part in parts:
        shown.append(make(part))
        if _too_high(shown[-1:], highest):
            break
    return shown


def _parts(dataset: Dataset, dim: str, number: int) -> list[Dataset]:
    """The results in so many parts along a dim, or as many as it has values."""
    return parts_of(dataset, dim, min(dataset.sizes[dim], number))


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
    if name in BY_PLACE:
        first = scales.apart(dataset) if name in FACETED else []
        return [PLACES, *first, *(["optimizer"] if options and options.get("surface") else [])]
    if options is not None:
        return _of_panels(name, every, options)
    if name in TOGETHER:
        return []
    if name in BY_ROW:
        return [PLACES, *[dim for dim in every if dim not in GRID][:1]]
    inside = (PLACES, "optimizer") if name in BY_PAIR else (PLACES,)
    rest = [dim for dim in every if dim not in inside and name in BY_ARM + BY_LINE]
    first = scales.apart(dataset) if name in FACETED else []
    bar = scales.crowded(dataset, first) if name in FACETED else None
    return [PLACES, *first, *(dim for dim in rest if dim not in (*first, bar))]


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


def words(name: str, number: int, sheet: Sheet) -> str:
    """What is said of a figure on several pages."""
    if sheet.ratio:
        return f"{name}: {number} files, since one is a slide"
    high = f"{sheet.highest:.1f} inches high ({HIGHEST:g} widths)"
    return f"{name}: {number} files, since one is at most {high}"
