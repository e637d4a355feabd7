"""Break-even map: which of two optimizers is ahead at which price of a gradient, and where that changes.

Along a swept axis of numbers the price is a line, with its 95 % interval as a ribbon, one for each value of
the other axes; a hollow triangle stands at an edge where one optimizer is ahead at all prices.

Where nothing is swept, a row of two optimizers is coloured by the one that is ahead, the stronger the more
worlds say so, and hatched where the 95 % interval of the probability holds 1/2. The dot is the price at which
the two break even, the line its interval; it ends in an arrow where that goes on beyond what was looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from xarray import DataArray, Dataset

from studies.analysis.price import break_even as analysis
from studies.analysis.price.break_even import rivals
from studies.figures import break_even_lines, layout, legends, panels, style
from studies.figures.break_even_lines import EDGE, EDGES, Rivals
from studies.figures.style import Look, Looks
from studies.results.arms import dims_beside, places
from studies.text.schema import DIMS

ROW = 0.17  # inches
PANEL, LEAST = 1.95, 1.65  # inches: the height of a panel along an axis, its least width
MOST = 40  # rows of a landscape; of more, only the pairs of the first optimizer that uses gradients are shown
FIXED = (*DIMS, "price", "bound")
SIDES = ("first", "second")  # attributes of a row: its optimizers
SAID = (
    "who has the lower loss at the budget, stronger where more of {} worlds agree; dots: break-even price,"
    " 95 % interval"
)
BREAK = "price of a gradient at which two optimizers break even at the budget"
CELL: Look = {"height": 0.8, "linewidth": 0}
INTERVAL: Look = {"solid_capstyle": "butt"}
ARROW: Look = {
    "color": "black",
    "ms": 3.5,
    "clip_on": False,
}
DOT: Look = {
    "marker": "o",
    "color": "black",
    "mec": "white",
    "mew": 0.6,
    "ms": 4.5,
    "gid": "break-even",
}
Row = tuple[str, Dataset]  # a label, and the analysis of two optimizers at one value of the axes
Pair = tuple[str, str]


class Part(NamedTuple):
    """What is drawn of one landscape."""

    rows: list[Row]
    left_out: str  # a word where that is not all


def break_even(dataset: Dataset, width: float = style.WIDTH) -> Figure:
    """The figure of a whole Dataset.

    A panel for every two optimizers on a landscape, along an axis; or landscapes below one another, in each a
    row for every two optimizers and value of the axes.

    Args:
        dataset: a study's results with a range of prices.
        width: inches.

    Raises:
        ValueError: no two optimizers differ in how many gradients they use.
    """  # noqa: DOC502
    pairs = _rivals(dataset)
    swept = _along_axes(dataset, pairs)
    if swept:
        return _lines(swept, width, legends.of_worlds(dataset))
    looks = style.optimizer_looks(dataset)
    parts = {name: rows(part, pairs) for name, part in panels.landscapes(dataset)}
    heights = [_height(name, part, 0.6 * width) for name, part in parts.items()]
    figure = Figure(layout="constrained")
    grid = figure.subplots(len(parts), 1, squeeze=False, sharex=True, height_ratios=heights)[:, 0]
    for axes, (name, part) in zip(grid, parts.items(), strict=True):
        bars(part.rows, axes, looks, width)
        _titles(axes, name, part.left_out, 0.6 * width)
    grid[-1].set_xlabel("price of a gradient (evaluations)")
    every = [row for part in parts.values() for _, row in part.rows]
    below = _legend(figure, every, looks, width)
    figure.set_size_inches(width, sum(heights) + below)
    return figure


def _legend(
    figure: Figure,
    every: list[Dataset],
    looks: Looks,
    width: float,
) -> float:
    """The legend of these rows; returns the inches of it and of the axis above it."""
    handles, words = _handles(every, looks, width), SAID.format(_worlds(every))
    return 0.6 + legends.below(figure, handles, words, width)


def _height(name: str, part: Part, inches: float) -> float:
    """Inches of a landscape, whose title may take so many inches of a line."""
    breaks = style.wrapped(name, inches).count("\n")
    return ROW * max(1, len(part.rows)) + 0.3 + legends.LINE * breaks


def _rivals(dataset: Dataset) -> list[Pair]:
    """Two optimizers each that use gradients to different parts.

    Raises:
        ValueError: no two optimizers differ in how many gradients they use.
    """
    pairs = rivals(dataset)
    if not pairs:
        raise ValueError(
            "break_even: expected two optimizers that use gradients to different parts, found none in these"
            " results"
        )
    return pairs


# along an axis ----------------------------------------------------------------------------------------------


def _along_axes(dataset: Dataset, pairs: Sequence[Pair]) -> list[Rivals]:
    """Two optimizers each along an axis; none where some landscape, or some two, have no such axis."""
    shown = []
    for name, part in panels.landscapes(dataset):
        for pair in pairs:
            both = _touched(part.sel(optimizer=list(pair)))
            axes = dims_beside(both["loss"], *FIXED)
            axis = break_even_lines.axis_of(both, axes)
            if axis is None:
                return []
            levels = tuple(other for other in axes if other != axis)
            title = f"{name}: {' / '.join(pair)}" if len(pairs) > 1 else name
            shown.append(Rivals(title, analysis.break_even(both, *pair), axis, levels))
    return shown


def _lines(shown: Sequence[Rivals], width: float, worlds: str) -> Figure:
    """The figure of prices along axes; `worlds`: how many, in words."""
    names = list(dict.fromkeys(label for two in shown for label, _ in two.lines()))
    by_label = break_even_lines.looks(names)
    figure = Figure(layout="constrained")
    grid = layout.fitted(figure, len(shown), width, LEAST)
    for number, (axes, two) in enumerate(zip(grid.panels, shown, strict=True)):
        break_even_lines.draw(two, axes, by_label, grid.inches - 0.5)
        panels.title(axes, two.title, grid.inches - 0.3)
        if number + grid.columns >= len(shown) or two.axis != shown[0].axis:
            axes.set_xlabel(style.wrapped(two.axis, grid.inches - 0.5))
    for axes in grid.panels[:: grid.columns]:
        axes.set_ylabel(style.wrapped("break-even price of a gradient", PANEL))
    entries = legends.lines({name: look for name, look in by_label.items() if name}, ms=3.5)
    for verdict, (where, _, mark) in EDGES.items():
        if legends.has_line(grid.panels, verdict):
            entries.append(legends.entry(where, color=style.WORDS, marker=mark, **EDGE))
    return legends.finish(
        figure, entries, f"{BREAK}, {worlds}; ribbons: 95 % intervals", width, PANEL * grid.lines + 0.45
    )


def _titles(
    axes: Axes,
    name: str,
    left_out: str,
    inches: float,
) -> None:
    """The landscape at the left, at the right a word where not all is shown."""
    panels.title(axes, name, inches)
    axes.set_title(style.wrapped(left_out, inches, 7), loc="right", fontsize=7, color=style.WORDS)


def _worlds(every: list[Dataset]) -> str:
    """How many worlds the rows have: a number, or from the least to the most."""
    counts = sorted({int(row["worlds"].max()) for row in every} or {0})
    return f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"


def _handles(every: list[Dataset], looks: Looks, width: float) -> list[Patch]:
    """An entry for each optimizer of these rows, and for what is hatched."""
    shown = {row.attrs[side] for row in every for side in SIDES}
    colours = {name: look["color"] for name, look in style.only(looks, shown).items()}
    return [*swatches(colours, width), legends.undecided("undecided")]


def swatches(colours: Mapping[str, style.Colour], width: float) -> list[Patch]:
    """An entry for each colour, whose label is no wider than the figure."""
    return [
        Patch(facecolor=colour, label=style.wrapped(label, width - 1))
        for label, colour in colours.items()
    ]


# rows -------------------------------------------------------------------------------------------------------


def rows(dataset: Dataset, pairs: list[Pair]) -> Part:
    """What is drawn of one landscape.

    Args:
        dataset: results of one landscape.
        pairs: of optimizers, as `rivals` gives them.

    Returns:
        Rows, without axes that do not touch the two optimizers; and a word where some are left out.
    """
    lead, every = pairs[0][0], list[Row]()
    for pair in pairs:
        every += _rows_of(dataset, pair)
        if len(every) > MOST and pair[0] != lead:
            break
    return Part(every, "") if len(every) <= MOST else _only(lead, every)


def _only(lead: str, every: list[Row]) -> Part:
    """The first rows of one optimizer against others."""
    mine = [row for row in every if row[1].attrs["first"] == lead]
    cut = f", {MOST} of {len(mine)} rows" if len(mine) > MOST else ""
    return Part(mine[:MOST], f"only {lead} against others{cut}")


def _rows_of(dataset: Dataset, pair: Pair) -> Iterator[Row]:
    """A row for each value of the axes that touch two optimizers, where they can be compared."""
    prices = analysis.break_even(_touched(dataset.sel(optimizer=list(pair))), *pair)
    axes = dims_beside(prices["win"], *FIXED)
    for place in places(prices, axes):
        row = prices.isel(place)
        if row["win"].notnull().any():
            yield _label(row, pair, axes), row


def _label(row: Dataset, pair: Pair, axes: list[str]) -> str:
    """Two optimizers, and values of axes."""
    return ", ".join([" / ".join(pair), *(f"{axis} = {row[axis].item()}" for axis in axes)])


def _touched(pair: Dataset) -> Dataset:
    """Without the axes along which no loss changes."""
    for axis in dims_beside(pair["loss"], *FIXED):
        if _alike(pair["loss"], axis):
            pair = pair.isel({axis: 0}, drop=True)
    return pair


def _alike(loss: DataArray, axis: str) -> bool:
    """Whether losses are the same all along an axis."""
    first = loss.isel({axis: 0})
    return bool(((loss == first) | (loss.isnull() & first.isnull())).all())


# a panel ----------------------------------------------------------------------------------------------------


def panel(dataset: Dataset, axes: Axes, width: float = style.WIDTH) -> Axes:
    """Draw one landscape (no `landscape` dim) on Axes and return them; `width`: of the figure, in inches."""
    return bars(rows(dataset, rivals(dataset)).rows, axes, style.optimizer_looks(dataset), width)


def bars(
    rows: list[Row],
    axes: Axes,
    looks: Looks,
    width: float = style.WIDTH,
) -> Axes:
    """Draw rows from the top down.

    Args:
        rows: of one landscape.
        axes: where to draw.
        looks: optimizer -> keywords of `Axes.plot`.
        width: inches of the figure: labels take at most 0.4 of it.
    """
    for place, (_, row) in enumerate(rows):
        _bar(row, axes, place, looks)
        _dot(row, axes, place)
    _name_rows(rows, axes, style.letters(0.4 * width, 7))
    if rows:
        _prices(axes, _edges(rows[0][1]))
    else:
        panels.nothing(axes, "nothing to compare")
    return axes


def _name_rows(rows: list[Row], axes: Axes, letters: int) -> None:
    """The labels of rows, none longer than so many letters."""
    labels = [_shortened(label, letters) for label, _ in rows]
    axes.set_xscale("log")
    panels.named_rows(axes, labels)


def _prices(axes: Axes, edges: np.ndarray) -> None:
    """The horizontal axis."""
    axes.set_xlim(float(edges[0]), float(edges[-1]))
    panels.numbers(axes.xaxis, (1.0, 2.0, 5.0), 8)


def _bar(
    row: Dataset,
    axes: Axes,
    place: int,
    looks: Looks,
) -> None:
    """A cell for each price: colour by who is ahead, strength by how often.

    Hatched where that is undecided.
    """
    edges = _edges(row)
    for begin, end, share in zip(edges[:-1], edges[1:], row["win"].values, strict=True):
        if np.isfinite(share):
            axes.barh(place, end - begin, left=begin, color=_ahead(row, share, looks), **CELL)
    for first, last in _stretches(_undecided(row)):
        begin, end = edges[first], edges[last]
        axes.barh(place, end - begin, left=begin, **CELL | style.UNDECIDED)


def _ahead(row: Dataset, share: float, looks: Looks) -> style.Colour:
    """The colour of who wins in more worlds, the paler the fewer; `share`: of the first."""
    label = row.attrs[SIDES[int(share < 0.5)]]
    return style.paler(looks[label]["color"], 1 - abs(2 * share - 1))


def _undecided(row: Dataset) -> np.ndarray:
    """The prices (N,) at which the interval of the probability holds 1/2."""
    low, high = panels.ends(row, "win")
    return np.isfinite(row["win"].values) & (low <= 0.5) & (high >= 0.5)


def _dot(row: Dataset, axes: Axes, place: int) -> None:
    """The break-even price and its interval."""
    price = float(row["break_even"])
    if np.isfinite(price):
        _interval(row, axes, place)
        axes.plot(price, place, **DOT)


def _interval(row: Dataset, axes: Axes, place: int) -> None:
    """A line over the interval of the price, with an arrow where it goes on beyond the cells."""
    low, high = row["break_even_interval"].values
    first, *_, last = _edges(row)
    line = max(low, first), min(high, last)
    axes.plot(line, [place, place], color="white", lw=2.6, **INTERVAL)
    axes.plot(line, [place, place], color="black", lw=1.0, **INTERVAL)
    if low < first:
        axes.plot(first, place, "<", **ARROW)
    if high > last:
        axes.plot(last, place, ">", **ARROW)


def _stretches(where: np.ndarray) -> list[tuple[int, int]]:
    """Begin and end of every run of True."""
    padded = np.concatenate([[False], where, [False]]).astype(int)
    change = np.flatnonzero(np.diff(padded)).tolist()
    return list(zip(change[::2], change[1::2], strict=True))


def _edges(row: Dataset) -> np.ndarray:
    """Borders of cells whose middles, on a log scale, are the prices."""
    x = np.log(row["price"].values)
    if len(x) == 1:
        return np.exp([x[0] - 0.1, x[0] + 0.1])
    middle = (x[1:] + x[:-1]) / 2
    return np.exp([x[0] - (x[1] - x[0]) / 2, *middle, x[-1] + (x[-1] - x[-2]) / 2])


def _shortened(text: str, letters: int) -> str:
    """The text; where it is longer, with names of axes cut short, and then with dots in its middle."""
    text = text if len(text) <= letters else re.sub(r"(\w{3})\w{2,} = ", r"\1. = ", text)
    keep = max(6, letters) - 1
    return text if len(text) <= keep + 1 else f"{text[: keep - keep // 2]}…{text[-(keep // 2) :]}"
