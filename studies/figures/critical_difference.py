"""Critical-difference diagrams (Demsar 2006): average ranks on an axis, bars join optimizers that the test does not tell apart."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from studies.analysis.comparison.paired import losses
from studies.analysis.comparison.ranks import ALPHA, groups, ranks
from studies.figures import style

UNIT = 0.165  # inches, the height of a line of text
SIZE = 7.5  # points
BAR = 0.4  # units between bars
MOST = 6  # landscapes, above which they are not shown apart
TOP = 3.4  # units above the axis, besides the title
RANK = 0.55  # inches beside a name, for its rank
TWO = 6.0  # inches that two columns need
WIDE = 5.0  # inches, below which ranks are not written beside names
AROUND = 0.04  # inches by which a bar goes on beyond the ranks that it joins
NOTE = (
    f"average ranks, 1 is best; a bar joins optimizers that do not differ at {ALPHA:g} (Friedman's test,"
    " Nemenyi's critical difference CD)"
)
Diagram = tuple[str, xr.Dataset, str]  # title, ranks, what the blocks are


def critical_difference(dataset: xr.Dataset, width: float = style.WIDTH) -> Figure:
    """The figure of a whole Dataset: over worlds on each landscape, and over all landscapes.

    Args:
        dataset: a study's results; each value of a swept axis counts as a landscape.
        width: inches.
    """
    names = [str(name) for name in dataset["optimizer"].values]
    shown, looks = _diagrams(dataset), style.looks(names)
    columns = 2 if width >= TWO and len(shown) > 1 and max(map(len, names)) <= 24 else 1
    rows, each = -(-len(shown) // columns), width / columns
    titles = [style.wrapped(title, each - 0.4, 10) for title, _, _ in shown]
    heights = [
        _height(told, each) + UNIT * (title.count("\n") + 1)
        for title, (_, told, _) in zip(titles, shown, strict=True)
    ]
    tall = [max(heights[row * columns : (row + 1) * columns]) for row in range(rows)]
    note = style.wrapped(NOTE + style.silent(dataset), width - 0.2, 7)
    below = 0.14 * (note.count("\n") + 1) + 0.1
    figure = Figure(figsize=(width, sum(tall) + below))
    top = sum(tall) + below
    for i, (title, (_, told, blocks)) in enumerate(zip(titles, shown, strict=True)):
        row, column = divmod(i, columns)
        low = (top - sum(tall[: row + 1])) / top
        axes = figure.add_axes((column / columns, low, 1 / columns, tall[row] / top))
        diagram(told, axes, looks, blocks, (each, tall[row]), TOP + title.count("\n") + 1)
        axes.text(
            0.1 / each, 1 - 0.06 / tall[row], title, transform=axes.transAxes, va="top", fontweight="bold"
        )
    figure.text(0.1 / width, 0.05 / top, note, fontsize=7, color="#555555", va="bottom")
    return figure


def panel(dataset: xr.Dataset, axes: Axes, looks: dict[str, dict[str, Any]] | None = None) -> Axes:
    """Draw one landscape (no `landscape` dim, no swept axis), blocks its worlds, on Axes and return them.

    Args:
        dataset: with `loss` (optimizer, replicate, checkpoint) and `status`.
        axes: where to draw.
        looks: label -> keywords of `Axes.plot`.
    """
    looks = looks or style.looks([str(name) for name in dataset["optimizer"].values])
    box = axes.get_window_extent()
    inches = (box.width / axes.figure.dpi, box.height / axes.figure.dpi)
    return diagram(ranks(dataset, "replicate"), axes, looks, _blocks(dataset), inches)


def _diagrams(dataset: xr.Dataset) -> list[Diagram]:
    axes = [
        dim for dim in losses(dataset, at=np.inf).dims if dim not in ("landscape", "optimizer", "replicate")
    ]
    names = dataset["landscape"].values.tolist()
    found = [] if axes or len(names) > MOST else [(str(name), dataset.sel(landscape=name)) for name in names]
    shown = [(name, ranks(part, "replicate"), _blocks(part)) for name, part in found]
    if axes or len(names) > 1:
        what = f"landscapes x {' x '.join(str(axis) for axis in axes)}" if axes else "landscapes"
        shown.append((f"all {what}", ranks(dataset), "problems" if axes else "landscapes"))
    return shown


def _blocks(dataset: xr.Dataset) -> str:
    number = dataset.coords.get("instance")
    return "worlds" if number is None or len(np.unique(number)) in (1, number.size) else "instances"


def diagram(
    told: xr.Dataset,
    axes: Axes,
    looks: dict[str, dict[str, Any]],
    blocks: str,
    inches: tuple[float, float],
    top: float = TOP,
) -> Axes:
    """Draw what `studies.analysis.comparison.ranks.ranks` gives on Axes of so many inches, `top` units of them above the axis of ranks, and return them."""
    each, height = inches
    axes.set_axis_off()
    k, rank = told.sizes["optimizer"], told["average_rank"].values
    if k < 2 or told["blocks"] < 2:
        axes.text(
            0.5,
            0.4,
            "fewer than two optimizers, or worlds, with numbers",
            transform=axes.transAxes,
            ha="center",
            color="#555555",
            fontsize=7,
        )
        return axes
    names = [str(name) for name in told["optimizer"].values]
    longest = max(len(line) for name in names for line in style.wrapped(name, _room(each), SIZE).split("\n"))
    beside = longest * style.LETTER * SIZE + 0.2 + RANK * (each >= WIDE)
    scale = (each - 2 * beside) / (k - 1)  # inches per rank
    axes.set(xlim=(1 - beside / scale, k + beside / scale), ylim=(height / UNIT - top, -top))
    _ruler(axes, k, scale)
    cd = float(told["critical_difference"])
    text = f"CD = {cd:.2f} ({int(told['blocks'])} {blocks})"
    axes.plot(
        [1, 1 + min(cd, k - 1)], [-1.55] * 2, color="black", lw=1.2, marker="|" if cd < k - 1 else "", ms=5
    )
    axes.text(
        1, -1.85, text + ("" if cd < k - 1 else ", wider than the axis"), fontsize=7, ha="left", va="bottom"
    )
    bars = groups(rank, told["differ"].values)
    for i, bar in enumerate(bars):
        axes.plot(
            [min(rank[bar]) - AROUND / scale, max(rank[bar]) + AROUND / scale],
            [BAR * (i + 1)] * 2,
            color="black",
            lw=2.6,
            solid_capstyle="round",
            gid="bar",
        )
    order, y = np.argsort(rank, kind="stable"), BAR * len(bars) + 1.2
    half = -(-k // 2)
    _side(axes, order[:half], 1 - 0.1 / scale, "right", y, told, looks, each)
    _side(axes, order[half:][::-1], k + 0.1 / scale, "left", y, told, looks, each)
    return axes


def _ruler(axes: Axes, k: int, scale: float) -> None:
    axes.plot([1, k], [0, 0], color="black", lw=0.8)
    step = int(np.ceil(0.22 / scale))
    for at in range(1, k + 1):
        axes.plot([at, at], [-0.25, 0], color="black", lw=0.8)
        if (at - 1) % step == 0:
            axes.text(at, -0.3, str(at), ha="center", va="bottom", fontsize=7)


def _side(
    axes: Axes,
    order: np.ndarray,
    edge: float,
    align: str,
    y: float,
    told: xr.Dataset,
    looks: dict,
    each: float,
) -> None:
    """Names below one another at one side, each joined to its rank."""
    for i in order:
        name, rank = str(told["optimizer"].values[i]), float(told["average_rank"][i])
        text = style.wrapped(name, _room(each), SIZE)
        lines = text.count("\n") + 1
        middle = y + (lines - 1) / 2
        axes.plot([rank, rank, edge], [0, middle, middle], color=looks[name]["color"], lw=1.0, gid=name)
        told_rank = f"{rank:.2f}" if each >= WIDE else ""
        shown = f"{text} {told_rank}" if align == "right" else f" {told_rank} {text}".replace("  ", " ")
        axes.text(
            edge, middle, shown.rstrip() + " " * (align == "right"), ha=align, va="center", fontsize=SIZE
        )
        y += lines + 0.1


def _room(each: float) -> float:
    """Inches that a name may take."""
    return 0.37 * each - 0.2


def _height(told: xr.Dataset, each: float) -> float:
    """Inches of a diagram."""
    lines = [
        style.wrapped(str(name), _room(each), SIZE).count("\n") + 1.1 for name in told["optimizer"].values
    ]
    known = told.sizes["optimizer"] > 1 and told["blocks"] > 1
    bars = len(groups(told["average_rank"].values, told["differ"].values)) if known else 0
    order = np.argsort(told["average_rank"].values, kind="stable")
    half = -(-len(lines) // 2)
    side = max(sum(lines[i] for i in order[:half]), sum(lines[i] for i in order[half:]))
    return UNIT * ((TOP + BAR * bars + 1.2 + side + 0.3) if known else 5)
