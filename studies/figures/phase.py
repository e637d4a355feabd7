"""Phase diagram: the best optimizer at every combination of two swept axes, or of one axis and landscapes.

A cell has the colour of the winner, and tells by how much the runner-up's median loss is larger: times as
large where the loss is the gap to a known optimum, else what is added. Where the winner's gap is the
precision or less, the runner-up's is at least so many times as large. Where both are equal at the precision
it is a tie, or, where the winner is sure nevertheless, the faster. The further the winner is ahead the
stronger is its colour. A cell is hatched where the winner is not told apart from all others
(`studies.analysis.comparison.winners`); lines are the boundaries between winners that are told apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from xarray import Dataset

from studies.analysis.comparison.winners import NONE, touched, winners
from studies.figures import layout, legends, panels, style
from studies.figures.break_even import swatches
from studies.figures.style import Look, Looks
from studies.results.arms import numbers_at
from studies.text.words import taken_apart

CELL = 0.34  # inches, the height of a cell
LEAST = 0.33  # inches, the narrowest cell that has a text
TWO = 5.0  # inches that two diagrams beside one another need
LABELS = 0.8  # inches of a diagram that its labels take
PALE = 0.5  # how much of a colour the legend has
FAINT, STRONG = (
    0.2,
    0.7,
)  # how much of it cells have, where nothing and where most is between the first two
FULL = 100.0  # times the winner's loss, from which on a colour is strong
BOUNDARY: Look = {"colors": "black", "linewidths": 1.3, "capstyle": "projecting"}
AT_LEAST, TIE, FASTER = "≥", "tie", "faster"
SIGNS = {  # in cells -> what they mean
    AT_LEAST: "the winner's is the precision or less",
    TIE: "equal at the precision",
    FASTER: "equal at the end, sooner on the way",
}
MIDDLE: Look = {"ha": "center", "va": "center"}
ABSENT = (NONE, "nan")  # winners of cells in which there is none
SAID = ("winner", "decided", "lead", "tied", "at_least", "times")  # of a cell
Numbers = Mapping[str, np.ndarray]  # of a cell
Diagram = tuple[str, Dataset]  # title, winners by two dims


class Labels(NamedTuple):
    """The labels of an axis."""

    parts: list[list[str]]  # of each label
    names: list[str]  # of the parts, where all labels have parts of the same names


def phase(dataset: Dataset, width: float = style.WIDTH) -> Figure:
    """The figure of a whole Dataset: a diagram for every landscape that two axes touch.

    Those that one axis touches share one.

    Args:
        dataset: a study's results with a sweep.
        width: inches.

    Raises:
        ValueError: nothing is swept, or there are fewer than two optimizers.
    """
    maps, looks = diagrams(dataset), style.optimizer_looks(dataset)
    if not maps:
        raise ValueError(
            "phase: expected a study with a `sweep:` that changes a loss, found none in these results"
        )
    across = min(len(maps), 1 if width < TWO else 2)
    heights = _heights(maps, across)
    figure = Figure(layout="constrained")
    grid = figure.subplots(len(heights), across, squeeze=False, height_ratios=heights).ravel()
    _draw(grid, maps, looks, width / across)
    parts = [told for _, told in maps]
    used = {name for told in parts for name in told["winner"].values.ravel()}
    words = _said(dataset.sizes["replicate"], parts, gone=bool(used & set(ABSENT)))
    handles = _handles(style.only(looks, used), width)
    return legends.finish(figure, handles, words, width, sum(heights) + 0.4)


def _draw(grid: np.ndarray, maps: Sequence[Diagram], looks: Looks, inches: float) -> None:
    """All diagrams, each so many inches wide."""
    for axes in grid[len(maps) :]:
        axes.set_visible(False)
    for axes, (title, told) in zip(grid, maps, strict=False):
        cells(told, axes, looks, inches)
        panels.title(axes, title, inches - 0.9)


def _heights(maps: Sequence[Diagram], across: int) -> list[float]:
    """Inches of each row of diagrams."""
    cells = [CELL * told["winner"].shape[0] for _, told in maps]
    return [height + 0.55 for height in layout.highest(cells, across)]


def _handles(looks: Looks, width: float) -> list[Patch]:
    """An entry for each winner, and for what is hatched."""
    colours = {name: _pale(look) for name, look in looks.items()}
    return [*swatches(colours, width), legends.undecided("not told apart")]


def _said(worlds: int, parts: Sequence[Dataset], *, gone: bool) -> str:
    """What cells, words and signs mean, of those that are there; `gone`: whether cells are empty."""
    words = f"lowest median loss of {legends.worlds(worlds)} at equal cost"
    words += "; numbers, and strength of colours: how much larger the runner-up's is"
    used = {sign for told in parts for sign in _signs(told)}
    words += "".join(f"; {sign}: {meaning}" for sign, meaning in SIGNS.items() if sign in used)
    return words + "; –: no optimizer has a finite one" * gone


def _signs(told: Dataset) -> list[str]:
    """The words and signs in the cells of a diagram."""
    shown = ~told["runner_up"].isin([NONE, np.nan])
    least, tied, sure = (
        told[name].fillna(0).astype(bool) & shown for name in ("at_least", "tied", "decided")
    )
    where = {AT_LEAST: least, TIE: tied & ~sure, FASTER: tied & sure}
    return [sign for sign, cells in where.items() if bool(cells.any())]


# diagrams ---------------------------------------------------------------------------------------------------


def diagrams(dataset: Dataset) -> list[Diagram]:
    """Of more than two axes the others are at their first values, which the title names."""
    maps: list[Diagram] = []
    lines: dict[str, dict[str, Dataset]] = {}  # axis -> landscape -> winners along it
    for name, results in panels.landscapes(dataset):
        part = touched(results)
        axes = [
            str(dim) for dim in part["loss"].dims if dim not in ("optimizer", "replicate", "checkpoint")
        ]
        more = {axis: part[axis].values[0] for axis in axes[2:]}
        told = winners(part.sel(more))
        if told["winner"].ndim == 2:
            maps.append((
                ", ".join([name, *(f"{axis} = {value}" for axis, value in more.items())]),
                told,
            ))
        elif told["winner"].ndim == 1:
            lines.setdefault(str(told["winner"].dims[0]), {})[name] = told
    return maps + [("", _joined(parts)) for parts in lines.values()]


def _joined(parts: dict[str, Dataset]) -> Dataset:
    """The winners of landscapes along the same axis, by landscape and axis."""
    rows = [
        part.assign(times=part["logarithmic"]).drop_vars(["cost", "logarithmic"])
        for part in parts.values()
    ]
    along = xr.Variable("landscape", list(parts))
    joined = xr.concat(rows, along, coords="minimal", compat="override", join="outer")
    return joined.assign_coords(logarithmic=True)


def panel(dataset: Dataset, axes: Axes, width: float = style.COLUMN) -> Axes:
    """Draw one landscape (no `landscape` dim), which two axes touch, on Axes and return them.

    `width`: of the Axes, in inches.
    """
    told = winners(dataset)
    if told["winner"].ndim != 2:
        dims = ", ".join(map(str, told["winner"].dims)) or "none"
        raise ValueError(f"phase: expected two axes that change a loss, got {dims}")
    return cells(told, axes, style.optimizer_looks(dataset), width)


def cells(told: Dataset, axes: Axes, looks: Looks, width: float = style.COLUMN) -> Axes:
    """Draw winners by two dims, the first from below upwards.

    Args:
        told: of `studies.analysis.comparison.winners`.
        axes: where to draw.
        looks: optimizer -> keywords of `Axes.plot`.
        width: of the Axes, in inches.
    """
    down, across = (str(dim) for dim in told["winner"].dims)
    rows, columns = told["winner"].shape
    inches = (width - LABELS) / columns
    times = told["times" if "times" in told else "logarithmic"]
    every = list(numbers_at(told.assign(times=times), (down, across), SAID))
    most = max((float(cell["lead"]) for cell in every if _added(cell)), default=0.0)
    for (row, column), cell in zip(np.ndindex(rows, columns), every, strict=True):
        _cell(cell, axes, (column, row), looks, most, text=inches >= LEAST)
    sure = [str(cell["winner"]) if cell["decided"] else NONE for cell in every]
    _boundary(axes, np.array(sure).reshape(rows, columns))
    axes.set(xlim=(-0.5, columns - 0.5), ylim=(-0.5, rows - 0.5))
    axes.tick_params(length=0)
    axes.spines[["left", "bottom"]].set_visible(False)
    _label(axes, told, inches, 0.3 * width)
    return axes


def _label(axes: Axes, told: Dataset, below: float, beside: float) -> None:
    """Ticks and labels of both axes; labels of ticks take so many inches."""
    down, across = (str(dim) for dim in told["winner"].dims)
    columns, rows = _parted(told[across].values), _parted(told[down].values)
    axes.set_xlabel(_axis(across, columns.names))
    axes.set_ylabel(_axis(down, rows.names) if down != "landscape" else "")
    axes.set_xticks(range(len(columns.parts)), _ticks(columns, below, "\n"))
    axes.set_yticks(range(len(rows.parts)), _ticks(rows, beside, ", "))


# cells ------------------------------------------------------------------------------------------------------


def _boundary(axes: Axes, winners: np.ndarray) -> None:
    """A line between cells (rows, columns) that have different winners, both told apart from all others."""
    there = ~np.isin(winners, ABSENT)
    upright = (winners[:, 1:] != winners[:, :-1]) & there[:, 1:] & there[:, :-1]
    flat = (winners[1:] != winners[:-1]) & there[1:] & there[:-1]
    lines = [[(x + 0.5, y - 0.5), (x + 0.5, y + 0.5)] for y, x in np.argwhere(upright).tolist()]
    lines += [[(x - 0.5, y + 0.5), (x + 0.5, y + 0.5)] for y, x in np.argwhere(flat).tolist()]
    axes.add_collection(LineCollection(lines, gid="boundary", **BOUNDARY), autolim=False)


def _added(cell: Numbers) -> bool:
    """Whether a lead is what is added to the winner's loss."""
    return bool(np.isfinite(float(cell["lead"]))) and not cell["times"]


def _strength(cell: Numbers, most: float) -> float:
    """How much of the winner's colour a cell has, by its lead.

    Args:
        cell: `SAID`.
        most: the largest lead of those that are added.
    """
    lead = float(cell["lead"])
    if np.isnan(lead) or cell["tied"]:
        part = 0.0
    elif cell["times"]:
        part = np.log(max(lead, 1.0)) / np.log(FULL)
    else:
        part = lead / most if most else 0.0
    return FAINT + (STRONG - FAINT) * min(1.0, part)


def _cell(
    cell: Numbers, axes: Axes, at: tuple[int, int], looks: Looks, most: float, *, text: bool
) -> None:
    """A cell: the colour of the winner, the stronger the further it is ahead, and by how much that is.

    Args:
        cell: the winner, `SAID`.
        axes: where.
        at: column and row.
        looks: optimizer -> keywords of `Axes.plot`.
        most: the largest lead of those that are added.
        text: whether there is room.
    """
    name, decided = str(cell["winner"]), bool(cell["decided"])
    if name in ABSENT:
        axes.text(*at, "–", color="#777777", fontsize=7, **MIDDLE)
        return
    colour = style.paler(looks[name]["color"], 1 - _strength(cell, most))
    corner = (at[0] - 0.5, at[1] - 0.5)
    axes.add_patch(Rectangle(corner, 1, 1, facecolor=colour, edgecolor="white", linewidth=1, gid=name))
    if not decided:
        axes.add_patch(Rectangle(corner, 1, 1, gid="undecided", **style.UNDECIDED))
    if text and not np.isnan(float(cell["lead"])):
        back = None if decided else {"facecolor": colour, "edgecolor": "none", "pad": 0.8}
        axes.text(*at, _lead(cell), fontsize=6.5, bbox=back, **MIDDLE)


def _pale(look: Look) -> tuple[float, float, float]:
    return style.paler(look["color"], 1 - PALE)


def _lead(cell: Numbers) -> str:
    """By how much the winner is ahead, in a word."""
    if cell["tied"]:
        return FASTER if cell["decided"] else TIE
    lead = _short(float(cell["lead"]))
    if not cell["times"]:
        return f"+{lead}"
    return f"{AT_LEAST}{lead}×" if cell["at_least"] else f"{lead}×"


def _short(value: float) -> str:
    """Two digits, short enough for a cell."""
    if np.isinf(value):
        return "∞"
    if value != 0 and not 0.01 <= abs(value) < 1000:
        return f"1e{np.log10(abs(value)):.0f}"
    return f"{value:.0f}" if abs(value) >= 10 else f"{value:.2g}"


# labels -----------------------------------------------------------------------------------------------------


def _parted(values: np.ndarray) -> Labels:
    """The parts of each label, and their names where all labels are of the same.

    Of "value=0 gradient=1" 0 and 1, value and gradient.
    """
    texts = list(map(_text, values.tolist()))
    pairs = [taken_apart(text) for text in texts]
    named = {tuple(name for name, _ in label) for label in pairs}
    if len(named) == 1 and all(pairs):
        return Labels([[value for _, value in label] for label in pairs], list(named.pop()))
    return Labels([[text] for text in texts], [])


def _text(value: object) -> str:
    return f"{value:g}" if isinstance(value, int | float | np.number) else str(value)


def _axis(name: str, parts: Iterable[str]) -> str:
    """The label of an axis, with the names of the parts of its labels."""
    names = ", ".join(parts)
    return f"{name}: {names}" if names else name


def _ticks(labels: Labels, inches: float, between: str) -> list[str]:
    """Labels that fit into so many inches each."""
    most = max(4, style.letters(inches, 7))
    return [between.join(_cut(text, most) for text in parts) for parts in labels.parts]


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
