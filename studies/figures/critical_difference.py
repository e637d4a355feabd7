"""Critical-difference diagrams (Demsar 2006): average ranks; bars join what the test does not tell apart.

Blocks are landscapes, with each value of the swept axes. Of fewer than five there is also a diagram for each
landscape, whose blocks are worlds: it tells of that landscape alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from xarray import Dataset

from studies.analysis.comparison.paired import losses
from studies.analysis.comparison.ranks import ALPHA, groups, ranks
from studies.figures import captions, layout, legends, panels, style
from studies.figures.style import Look, Looks
from studies.results.arms import dims_beside

UNIT = 0.165  # inches, the height of a line of text
SIZE = 7.5  # points
BAR = 0.4  # units between bars
ENOUGH = 5  # landscapes that are blocks alone; of fewer each is shown apart too, over its worlds
TOP = 3.4  # units above the axis, besides the title
NAMES = 1.2  # units below the last bar, at which names begin
RANK = 0.55  # inches beside a name, for its rank
TWO = 6.0  # inches that two columns need
WIDE = 5.0  # inches, below which ranks are not written beside names
AROUND = 0.04  # inches by which a bar goes on beyond the ranks that it joins
NOTE = (
    f"average ranks, 1 is best; a bar joins optimizers that do not differ at {ALPHA:g} (Friedman's test,"
    " Nemenyi's critical difference CD)"
)
FEW = "fewer than two optimizers, or common worlds"
ALONE: Look = {
    "ha": "center",
    "color": style.WORDS,
    "fontsize": 7,
}  # words in place of a diagram
LABEL: Look = {
    "fontsize": 7,
    "ha": "left",
    "va": "bottom",
}
TICK: Look = {"color": "black", "lw": 0.8}
JOIN: Look = {
    "color": "black",
    "lw": 2.6,
    "solid_capstyle": "round",
    "gid": "bar",
}


class Diagram(NamedTuple):
    """What a diagram shows."""

    title: str
    ranks: Dataset  # of `studies.analysis.comparison.ranks.ranks`
    blocks: str  # what the blocks are


class Page(NamedTuple):
    """Where diagrams stand."""

    width: float  # inches
    height: float
    columns: int
    rows: list[float]  # inches of each

    def place(self, number: int) -> tuple[float, float, float, float]:
        """Left, bottom, width and height of a diagram, as fractions of the page."""
        row, column = divmod(number, self.columns)
        bottom = (self.height - sum(self.rows[: row + 1])) / self.height
        return column / self.columns, bottom, 1 / self.columns, self.rows[row] / self.height


class Side(NamedTuple):
    """Names below one another at one side."""

    order: np.ndarray  # the numbers of the optimizers, from the top down
    edge: float  # where names begin, as a rank
    align: str


# the whole figure -------------------------------------------------------------------------------------------


def critical_difference(dataset: Dataset, width: float = style.WIDTH) -> Figure:
    """The figure of a whole Dataset: over all landscapes, and, of few, over worlds on each.

    Args:
        dataset: a study's results; each value of a swept axis counts as a landscape.
        width: inches.
    """
    (page,) = critical_difference_pages(dataset, width, np.inf)
    return page


def critical_difference_pages(dataset: Dataset, width: float, highest: float) -> list[Figure]:
    """The figure on pages of at most so many inches; all landscapes are ranked together.

    Args:
        dataset: a study's results; each value of a swept axis counts as a landscape.
        width: inches.
        highest: inches.
    """
    looks, shown = style.optimizer_looks(dataset), list(_diagrams(dataset))
    columns = 2 if width >= TWO and len(shown) > 1 and max(map(len, looks)) <= 24 else 1
    each = width / columns
    shown = [part._replace(title=style.wrapped(part.title, each - 0.4, 10)) for part in shown]
    words = NOTE + legends.silent(dataset)
    return [_page(part, looks, width, columns, words) for part in _parts(shown, columns, each, highest)]


def _parts(
    shown: Sequence[Diagram], columns: int, each: float, highest: float
) -> list[Sequence[Diagram]]:
    """Diagrams in parts, each as long as a page of so many inches allows, and at least one row."""
    parts: list[Sequence[Diagram]] = []
    for first in range(0, len(shown), columns):
        row = shown[first : first + columns]
        longer = [*parts[-1], *row] if parts else row
        if parts and sum(_heights(longer, columns, each)) <= highest:
            parts[-1] = longer
        else:
            parts.append(row)
    return parts


def _page(shown: Sequence[Diagram], looks: Looks, width: float, columns: int, words: str) -> Figure:
    """A page of diagrams.

    Args:
        shown: what it shows.
        looks: optimizer -> keywords of `Axes.plot`.
        width: inches.
        columns: of diagrams.
        words: of the caption.
    """
    tall = _heights(shown, columns, width / columns)
    page = Page(width, sum(tall), columns, tall)
    figure = Figure(figsize=(width, page.height))
    captions.say(figure, words)
    for number, part in enumerate(shown):
        axes = figure.add_axes(page.place(number))
        _titled(axes, part, looks, (width / columns, tall[number // columns]))
    return figure


def _titled(axes: Axes, part: Diagram, looks: Looks, inches: tuple[float, float]) -> None:
    """A diagram and its title.

    Args:
        axes: where.
        part: what is shown.
        looks: optimizer -> keywords of `Axes.plot`.
        inches: width and height of the Axes.
    """
    diagram(part.ranks, axes, looks, part.blocks, inches, TOP + _lines(part.title))
    width, height = inches
    corner = (0.1 / width, 1 - 0.06 / height)
    axes.text(*corner, part.title, transform=axes.transAxes, va="top", fontweight="bold")


def _diagrams(dataset: Dataset) -> Iterator[Diagram]:
    """Of each landscape, where these are too few to be blocks, and nothing is swept; and of all."""
    axes = _swept(dataset)
    number = dataset.sizes["landscape"]
    if not axes and number < ENOUGH:
        for name, part in panels.landscapes(dataset):
            yield Diagram(name, ranks(part, "replicate"), _blocks(part))
    if axes or number > 1:
        what = " x ".join(["landscapes", *axes])
        yield Diagram(f"all {what}", ranks(dataset), "problems" if axes else "landscapes")


def _swept(dataset: Dataset) -> list[str]:
    """The axes along which losses differ."""
    return dims_beside(losses(dataset, at=np.inf), "landscape", "optimizer", "replicate")


def _blocks(dataset: Dataset) -> str:
    number = dataset.coords.get("instance")
    return "worlds" if number is None or len(np.unique(number)) in (1, number.size) else "instances"


def _heights(shown: Sequence[Diagram], columns: int, each: float) -> list[float]:
    """Inches of each row of diagrams, `each` inches wide."""
    heights = [_height(part.ranks, each) + UNIT * _lines(part.title) for part in shown]
    return layout.highest(heights, columns)


def _lines(text: str) -> int:
    """How many lines a text has."""
    return text.count("\n") + 1


def _height(ranks: Dataset, each: float) -> float:
    """Inches of a diagram, without its title."""
    if _too_few(ranks):
        return UNIT * 5
    lines = np.array([name.count("\n") + 1.1 for name in _named(ranks, each)])
    side = max(sum(lines[half].tolist()) for half in _halves(ranks))
    bars = groups(ranks["average_rank"].values, ranks["differ"].values)
    return UNIT * (TOP + BAR * len(bars) + NAMES + side + 0.3)


def _named(ranks: Dataset, each: float) -> list[str]:
    """The names of the optimizers, wrapped."""
    return [_wrapped(str(name), each) for name in ranks["optimizer"].values]


def _too_few(ranks: Dataset) -> bool:
    """Whether there is nothing to compare."""
    return bool(ranks.sizes["optimizer"] < 2 or ranks["blocks"] < 2)


def _halves(ranks: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """The better and the worse half of the optimizers, each from its end of the axis inwards."""
    order = np.argsort(ranks["average_rank"].values, kind="stable")
    better, worse = np.array_split(order, 2)
    return better, worse[::-1]


def _wrapped(name: str, each: float) -> str:
    """A name on as many lines as it needs in a diagram of so many inches."""
    return style.wrapped(name, 0.37 * each - 0.2, SIZE)


# a diagram --------------------------------------------------------------------------------------------------


def panel(dataset: Dataset, axes: Axes, looks: Looks | None = None) -> Axes:
    """Draw one landscape (no `landscape` dim, no swept axis), blocks its worlds, on Axes and return them.

    Args:
        dataset: with `loss` (optimizer, replicate, checkpoint) and `status`.
        axes: where to draw.
        looks: label -> keywords of `Axes.plot`.
    """
    looks = looks or style.optimizer_looks(dataset)
    box = axes.get_window_extent()
    inches = (box.width / axes.figure.dpi, box.height / axes.figure.dpi)
    return diagram(ranks(dataset, "replicate"), axes, looks, _blocks(dataset), inches)


def diagram(
    of_optimizers: Dataset,
    axes: Axes,
    looks: Looks,
    blocks: str,
    inches: tuple[float, float],
    top: float = TOP,
) -> Axes:
    """Draw average ranks on Axes and return them.

    Args:
        of_optimizers: of `studies.analysis.comparison.ranks.ranks`.
        axes: where.
        looks: optimizer -> keywords of `Axes.plot`.
        blocks: what the blocks of the ranks are.
        inches: width and height of the Axes.
        top: units of them above the axis of ranks.
    """
    axes.set_axis_off()
    if _too_few(of_optimizers):
        axes.text(0.5, 0.4, FEW, transform=axes.transAxes, **ALONE)
        return axes
    (each, height), number = inches, of_optimizers.sizes["optimizer"]
    beside = _beside(of_optimizers, each)
    scale = (each - 2 * beside) / (number - 1)  # inches per rank
    margin = beside / scale
    axes.set(xlim=(1 - margin, number + margin), ylim=(height / UNIT - top, -top))
    _ruler(axes, number, scale)
    _critical(axes, of_optimizers, blocks)
    y = _bars(axes, of_optimizers, AROUND / scale) + NAMES
    for side in _sides(of_optimizers, 0.1 / scale):
        _names(axes, side, y, of_optimizers, looks, each)
    return axes


def _sides(ranks: Dataset, gap: float) -> tuple[Side, Side]:
    """Names of the better optimizers at the left, of the others at the right, so far from the ranks."""
    left, right = _halves(ranks)
    return Side(left, 1 - gap, "right"), Side(right, ranks.sizes["optimizer"] + gap, "left")


def _beside(ranks: Dataset, each: float) -> float:
    """Inches that names take at either side of a diagram of so many inches."""
    lines = "\n".join(_named(ranks, each)).split("\n")
    longest = max(map(len, lines))
    return longest * style.LETTER * SIZE + 0.2 + RANK * (each >= WIDE)


def _ruler(axes: Axes, k: int, scale: float) -> None:
    """The axis of ranks 1 .. k, so many inches apart."""
    axes.plot([1, k], [0, 0], **TICK)
    step = int(np.ceil(0.22 / scale))
    for rank in range(1, k + 1):
        axes.plot([rank, rank], [-0.25, 0], **TICK)
    for rank in range(1, k + 1, step):
        axes.text(rank, -0.3, str(rank), ha="center", va="bottom", fontsize=7)


def _critical(axes: Axes, ranks: Dataset, blocks: str) -> None:
    """The critical difference as a bar above the axis, as far as that goes, and in numbers."""
    difference, longest = float(ranks["critical_difference"]), ranks.sizes["optimizer"] - 1
    fits = difference < longest
    ends = [1, 1 + min(difference, longest)]
    axes.plot(ends, [-1.55] * 2, color="black", lw=1.2, marker="|" if fits else "", ms=5)
    text = f"CD = {difference:.2f} ({int(ranks['blocks'])} {blocks})"
    axes.text(1, -1.85, text + ", wider than the axis" * (not fits), **LABEL)


def _bars(axes: Axes, ranks: Dataset, around: float) -> float:
    """A bar for each group that the test does not tell apart; returns how far down they go."""
    rank, y = ranks["average_rank"].values, 0.0
    for number, members in enumerate(groups(rank, ranks["differ"].values), 1):
        y = BAR * number
        ends = [min(rank[members]) - around, max(rank[members]) + around]
        axes.plot(ends, [y] * 2, **JOIN)
    return y


def _names(
    axes: Axes,
    side: Side,
    y: float,
    ranks: Dataset,
    looks: Looks,
    each: float,
) -> None:
    """Names below one another at one side, each joined to its rank.

    Args:
        axes: where.
        side: which.
        y: units below the axis, at which the first stands.
        ranks: of the optimizers.
        looks: optimizer -> keywords of `Axes.plot`.
        each: inches, the width of the diagram.
    """
    for i in side.order:
        name, rank = str(ranks["optimizer"].values[i]), float(ranks["average_rank"][i])
        text = _wrapped(name, each)
        middle = y + (_lines(text) - 1) / 2
        color = looks[name]["color"]
        axes.plot([rank, rank, side.edge], [0, middle, middle], color=color, lw=1.0, gid=name)
        words = _beside_each_other(text, f"{rank:.2f}" if each >= WIDE else "", side.align)
        axes.text(side.edge, middle, words, ha=side.align, va="center", fontsize=SIZE)
        y += _lines(text) + 0.1


def _beside_each_other(name: str, rank: str, align: str) -> str:
    """Name and rank, the rank towards the axis, with a space there."""
    words = [name, rank] if align == "right" else [rank, name]
    text = " ".join(filter(None, words))
    return f"{text} " if align == "right" else f" {text}"
