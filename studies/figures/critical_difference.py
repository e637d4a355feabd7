"""Critical-difference diagrams (Demsar 2006): average ranks; bars join what the test does not tell apart."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from studies.analysis.comparison.paired import losses
from studies.analysis.comparison.ranks import ALPHA, groups, ranks
from studies.figures import legends, panels, style
from studies.figures.style import Look, Looks

UNIT = 0.165  # inches, the height of a line of text
SIZE = 7.5  # points
BAR = 0.4  # units between bars
MOST = 6  # landscapes, above which they are not shown apart
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
FEW = "fewer than two optimizers with numbers, or no world that all ran in"
JOIN: Look = {"color": "black", "lw": 2.6, "solid_capstyle": "round", "gid": "bar"}


class Diagram(NamedTuple):
    """What a diagram shows."""

    title: str
    told: xr.Dataset  # of `studies.analysis.comparison.ranks.ranks`
    blocks: str  # what the blocks are


class Side(NamedTuple):
    """Names below one another at one side."""

    order: np.ndarray  # the numbers of the optimizers, from the top down
    edge: float  # where names begin, as a rank
    align: str


# the whole figure -------------------------------------------------------------------------------------------


def critical_difference(dataset: xr.Dataset, width: float = style.WIDTH) -> Figure:
    """The figure of a whole Dataset: over worlds on each landscape, and over all landscapes.

    Args:
        dataset: a study's results; each value of a swept axis counts as a landscape.
        width: inches.
    """
    looks, shown = style.optimizer_looks(dataset), list(_diagrams(dataset))
    columns = 2 if width >= TWO and len(shown) > 1 and max(map(len, looks)) <= 24 else 1
    each = width / columns
    titles = [style.wrapped(part.title, each - 0.4, 10) for part in shown]
    tall = _heights(shown, titles, columns, each)
    note = style.wrapped(NOTE + legends.silent(dataset), width - 0.2, 7)
    height = sum(tall) + 0.14 * (note.count("\n") + 1) + 0.1
    figure = Figure(figsize=(width, height))
    for i, (title, part) in enumerate(zip(titles, shown, strict=True)):
        row, column = divmod(i, columns)
        low = (height - sum(tall[: row + 1])) / height
        axes = figure.add_axes((column / columns, low, 1 / columns, tall[row] / height))
        _titled(axes, part, looks, title, (each, tall[row]))
    figure.text(0.1 / width, 0.05 / height, note, fontsize=7, color=style.WORDS, va="bottom")
    return figure


def _titled(axes: Axes, part: Diagram, looks: Looks, title: str, inches: tuple[float, float]) -> None:
    """A diagram and its title.

    Args:
        axes: where.
        part: what is shown.
        looks: optimizer -> keywords of `Axes.plot`.
        title: wrapped.
        inches: width and height of the Axes.
    """
    diagram(part.told, axes, looks, part.blocks, inches, TOP + title.count("\n") + 1)
    width, height = inches
    corner = (0.1 / width, 1 - 0.06 / height)
    axes.text(*corner, title, transform=axes.transAxes, va="top", fontweight="bold")


def _diagrams(dataset: xr.Dataset) -> Iterator[Diagram]:
    """Of each landscape, where these are few, and nothing is swept; and of all."""
    dims = losses(dataset, at=np.inf).dims
    axes = [str(dim) for dim in dims if dim not in ("landscape", "optimizer", "replicate")]
    number = dataset.sizes["landscape"]
    if not axes and number <= MOST:
        for name, part in panels.landscapes(dataset):
            yield Diagram(name, ranks(part, "replicate"), _blocks(part))
    if axes or number > 1:
        what = " x ".join(["landscapes", *axes])
        yield Diagram(f"all {what}", ranks(dataset), "problems" if axes else "landscapes")


def _blocks(dataset: xr.Dataset) -> str:
    number = dataset.coords.get("instance")
    return "worlds" if number is None or len(np.unique(number)) in (1, number.size) else "instances"


def _heights(shown: list[Diagram], titles: list[str], columns: int, each: float) -> list[float]:
    """Inches of each row of diagrams.

    Args:
        shown: the diagrams.
        titles: wrapped.
        columns: diagrams in a row.
        each: inches, the width of a diagram.
    """
    heights = [
        _height(part.told, each) + UNIT * (title.count("\n") + 1)
        for title, part in zip(titles, shown, strict=True)
    ]
    return [max(heights[first : first + columns]) for first in range(0, len(heights), columns)]


def _height(told: xr.Dataset, each: float) -> float:
    """Inches of a diagram, without its title."""
    if _too_few(told):
        return UNIT * 5
    lines = np.array([_wrapped(str(name), each).count("\n") + 1.1 for name in told["optimizer"].values])
    bars = groups(told["average_rank"].values, told["differ"].values)
    side = max(sum(lines[half].tolist()) for half in _halves(told))
    return UNIT * (TOP + BAR * len(bars) + NAMES + side + 0.3)


def _too_few(told: xr.Dataset) -> bool:
    """Whether there is nothing to compare."""
    return bool(told.sizes["optimizer"] < 2 or told["blocks"] < 2)


def _halves(told: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """The better and the worse half of the optimizers, each from its end of the axis inwards."""
    order = np.argsort(told["average_rank"].values, kind="stable")
    half = -(-len(order) // 2)
    return order[:half], order[half:][::-1]


def _wrapped(name: str, each: float) -> str:
    """A name on as many lines as it needs in a diagram of so many inches."""
    return style.wrapped(name, 0.37 * each - 0.2, SIZE)


# a diagram --------------------------------------------------------------------------------------------------


def panel(dataset: xr.Dataset, axes: Axes, looks: Looks | None = None) -> Axes:
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
    told: xr.Dataset,
    axes: Axes,
    looks: Looks,
    blocks: str,
    inches: tuple[float, float],
    top: float = TOP,
) -> Axes:
    """Draw average ranks on Axes and return them.

    Args:
        told: of `studies.analysis.comparison.ranks.ranks`.
        axes: where.
        looks: optimizer -> keywords of `Axes.plot`.
        blocks: what the blocks of the ranks are.
        inches: width and height of the Axes.
        top: units of them above the axis of ranks.
    """
    axes.set_axis_off()
    if _too_few(told):
        where = axes.transAxes
        axes.text(0.5, 0.4, FEW, transform=where, ha="center", color=style.WORDS, fontsize=7)
        return axes
    (each, height), k = inches, told.sizes["optimizer"]
    beside = _beside(told, each)
    scale = (each - 2 * beside) / (k - 1)  # inches per rank
    axes.set(xlim=(1 - beside / scale, k + beside / scale), ylim=(height / UNIT - top, -top))
    _ruler(axes, k, scale)
    _critical(axes, k, float(told["critical_difference"]), f"({int(told['blocks'])} {blocks})")
    y = _bars(axes, told, AROUND / scale) + NAMES
    gap, (left, right) = 0.1 / scale, _halves(told)
    for side in (Side(left, 1 - gap, "right"), Side(right, k + gap, "left")):
        _names(axes, side, y, told, looks, each)
    return axes


def _beside(told: xr.Dataset, each: float) -> float:
    """Inches that names take at either side of a diagram of so many inches."""
    names = [_wrapped(str(name), each).split("\n") for name in told["optimizer"].values]
    longest = max(len(line) for lines in names for line in lines)
    return longest * style.LETTER * SIZE + 0.2 + RANK * (each >= WIDE)


def _ruler(axes: Axes, k: int, scale: float) -> None:
    """The axis of ranks 1 .. k, so many inches apart."""
    axes.plot([1, k], [0, 0], color="black", lw=0.8)
    step = int(np.ceil(0.22 / scale))
    for rank in range(1, k + 1):
        axes.plot([rank, rank], [-0.25, 0], color="black", lw=0.8)
        if (rank - 1) % step == 0:
            axes.text(rank, -0.3, str(rank), ha="center", va="bottom", fontsize=7)


def _critical(axes: Axes, k: int, difference: float, of: str) -> None:
    """The critical difference as a bar above the axis, as far as that goes, and in numbers."""
    fits = difference < k - 1
    ends = [1, 1 + min(difference, k - 1)]
    axes.plot(ends, [-1.55] * 2, color="black", lw=1.2, marker="|" if fits else "", ms=5)
    text = f"CD = {difference:.2f} {of}" + ("" if fits else ", wider than the axis")
    axes.text(1, -1.85, text, fontsize=7, ha="left", va="bottom")


def _bars(axes: Axes, told: xr.Dataset, around: float) -> float:
    """A bar for each group that the test does not tell apart; returns how far down they go."""
    rank, y = told["average_rank"].values, 0.0
    for number, members in enumerate(groups(rank, told["differ"].values), 1):
        y = BAR * number
        axes.plot([min(rank[members]) - around, max(rank[members]) + around], [y] * 2, **JOIN)
    return y


def _names(axes: Axes, side: Side, y: float, told: xr.Dataset, looks: Looks, each: float) -> None:
    """Names below one another at one side, each joined to its rank.

    Args:
        axes: where.
        side: which.
        y: units below the axis, at which the first stands.
        told: the ranks.
        looks: optimizer -> keywords of `Axes.plot`.
        each: inches, the width of the diagram.
    """
    for i in side.order:
        name, rank = str(told["optimizer"].values[i]), float(told["average_rank"][i])
        text = _wrapped(name, each)
        lines = text.count("\n") + 1
        middle = y + (lines - 1) / 2
        color = looks[name]["color"]
        axes.plot([rank, rank, side.edge], [0, middle, middle], color=color, lw=1.0, gid=name)
        words = _beside_each_other(text, f"{rank:.2f}" if each >= WIDE else "", side.align)
        axes.text(side.edge, middle, words, ha=side.align, va="center", fontsize=SIZE)
        y += lines + 0.1


def _beside_each_other(name: str, rank: str, align: str) -> str:
    """Name and rank, the rank towards the axis, with a space there."""
    words = [name, rank] if align == "right" else [rank, name]
    text = " ".join(filter(None, words))
    return f"{text} " if align == "right" else f" {text}"
