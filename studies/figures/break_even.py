"""Break-even map: who is ahead at which price of a gradient, in rows of two optimizers, and the price at which that changes.

A row is coloured by the optimizer that is ahead, the stronger the more worlds say so, and hatched where the 95 % interval of the probability holds
1/2. The dot is the price at which the two break even, the line its interval; it ends in an arrow where that goes on beyond what was looked at.
"""

from __future__ import annotations

import itertools
import re
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from studies.analysis.price import break_even as analysis
from studies.analysis.price.break_even import rivals
from studies.figures import style
from studies.schema import DIMS

ROW = 0.17  # inches
MOST = 40  # rows of a landscape; of more, only the pairs of the first optimizer that uses gradients are shown
OWN = (*DIMS, "price", "bound")
Row = tuple[str, xr.Dataset]


def break_even(dataset: xr.Dataset, width: float = style.WIDTH) -> Figure:
    """The figure of a whole Dataset.

    Landscapes below one another, in each a row for every two optimizers and value of the axes.

    Args:
        dataset: a study's results with a range of prices.
        width: inches.

    Raises:
        ValueError: no two optimizers differ in how many gradients they use.
    """
    pairs = rivals(dataset)
    if not pairs:
        raise ValueError(
            "break_even: expected two optimizers that use gradients to different parts, found none in these"
            " results"
        )
    looks = style.looks([str(name) for name in dataset["optimizer"].values])
    told_of = {str(name): rows(dataset.sel(landscape=name), pairs) for name in dataset["landscape"].values}
    found = {name: part for name, (part, _) in told_of.items()}
    heights = [ROW * max(1, len(part)) + 0.3 for part in found.values()]
    worlds = sorted({int(told["worlds"].max()) for part in found.values() for _, told in part})
    number = f"{worlds[0]}" if len(set(worlds)) == 1 else f"{worlds[0]} to {worlds[-1]}" if worlds else "0"
    note = (
        f"who has the lower loss at the budget, stronger where more of {number} worlds agree; dots:"
        " break-even price, 95 % interval"
    )
    shown = {told.attrs[side] for part in found.values() for _, told in part for side in ("first", "second")}
    used = [name for name in looks if name in shown]
    handles = [Patch(facecolor=looks[name]["color"], label=style.wrapped(name, width - 1)) for name in used]
    handles.append(
        Patch(facecolor="white", edgecolor="#777777", hatch="//////", linewidth=0, label="undecided")
    )
    columns = style.across([str(handle.get_label()) for handle in handles], width)
    below = 0.75 + 0.16 * (-(-len(handles) // columns) + (width < 5))
    figure = Figure(figsize=(width, sum(heights) + below), layout="constrained")
    grid = figure.subplots(len(found), 1, squeeze=False, sharex=True, height_ratios=heights)[:, 0]
    for axes, (name, part) in zip(grid, found.items(), strict=True):
        bars(part, axes, looks, width)
        axes.set_title(style.wrapped(name, 0.6 * width), loc="left", fontweight="bold")
        axes.set_title(
            style.wrapped(told_of[name][1], 0.6 * width, 7), loc="right", fontsize=7, color="#555555"
        )
    grid[-1].set_xlabel("price of a gradient (evaluations)")
    title = style.wrapped(note, width - 0.4, 7.5)
    figure.legend(handles=handles, loc="outside lower center", ncols=columns, title=title, title_fontsize=7.5)
    return figure


def rows(dataset: xr.Dataset, pairs: list[tuple[str, str]]) -> tuple[list[Row], str]:
    """What is drawn of one landscape, and a word where that is not all.

    Args:
        dataset: results of one landscape.
        pairs: of optimizers, as `rivals` gives them.

    Returns:
        Rows: a label and the analysis of two optimizers at one value of the axes; those that do not touch
            them are left out.
    """
    found: list[Row] = []
    for first, second in pairs:
        told = analysis.break_even(_touched(dataset.sel(optimizer=[first, second])), first, second)
        axes = [str(dim) for dim in told["win"].dims if dim not in OWN]
        places = [
            told.isel(dict(zip(axes, at, strict=True)))
            for at in itertools.product(*(range(told.sizes[axis]) for axis in axes))
        ]
        names = [
            ", ".join([f"{first} / {second}", *(f"{axis} = {place[axis].item()}" for axis in axes)])
            for place in places
        ]
        found += [row for row in zip(names, places, strict=True) if row[1]["win"].notnull().any()]
        if len(found) > MOST and first != pairs[0][0]:
            break
    mine = [row for row in found if row[1].attrs["first"] == pairs[0][0]]
    if len(found) <= MOST:
        return found, ""
    return mine[:MOST], f"only {pairs[0][0]} against others" + f", {MOST} of {len(mine)} rows" * (
        len(mine) > MOST
    )


def _touched(pair: xr.Dataset) -> xr.Dataset:
    """Without the axes along which no loss changes."""
    for axis in [str(dim) for dim in pair["loss"].dims if dim not in DIMS]:
        first = pair["loss"].isel({axis: 0})
        if bool(((pair["loss"] == first) | (pair["loss"].isnull() & first.isnull())).all()):
            pair = pair.isel({axis: 0}, drop=True)
    return pair


def panel(dataset: xr.Dataset, axes: Axes, width: float = style.WIDTH) -> Axes:
    """Draw one landscape (no `landscape` dim) on Axes and return them; `width`: of the figure, in inches."""
    looks = style.looks([str(name) for name in dataset["optimizer"].values])
    return bars(rows(dataset, rivals(dataset))[0], axes, looks, width)


def bars(found: list[Row], axes: Axes, looks: dict[str, dict[str, Any]], width: float = style.WIDTH) -> Axes:
    """Draw rows from the top down.

    Args:
        found: rows of one landscape.
        axes: where to draw.
        looks: optimizer -> keywords of `Axes.plot`.
        width: inches of the figure: labels take at most 0.4 of it.
    """
    for place, (_, told) in enumerate(found):
        _bar(told, axes, place, looks)
        _dot(told, axes, place)
    labels = [_shortened(label, int(0.4 * width / (style.LETTER * 7))) for label, _ in found]
    axes.set(
        xscale="log", yticks=range(len(found)), yticklabels=labels, ylim=(max(len(found), 1) - 0.5, -0.5)
    )
    axes.tick_params(axis="y", length=0)
    if not found:
        axes.text(
            0.5,
            0.5,
            "nothing to compare",
            transform=axes.transAxes,
            ha="center",
            va="center",
            color="#555555",
            fontsize=7,
        )
        return axes
    price = found[0][1]["price"].values
    axes.set_xlim(float(_edges(price)[0]), float(_edges(price)[-1]))
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0), numticks=8))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    return axes


def _bar(told: xr.Dataset, axes: Axes, place: int, looks: dict[str, dict[str, Any]]) -> None:
    """A cell for each price: colour by who is ahead, strength by how often.

    Hatched where that is undecided.
    """
    edges, win = _edges(told["price"].values), told["win"].values
    low, high = told["win_interval"].transpose("bound", ...).values
    colours = [to_rgb(looks[told.attrs[side]]["color"]) for side in ("first", "second")]
    for i, share in enumerate(win):
        if np.isfinite(share):
            strength = abs(2 * share - 1)
            colour = 1 - strength * (1 - np.array(colours[int(share < 0.5)]))
            axes.barh(
                place, edges[i + 1] - edges[i], left=edges[i], height=0.8, color=tuple(colour), linewidth=0
            )
    for begin, end in _stretches(np.isfinite(win) & (low <= 0.5) & (high >= 0.5)):
        span = edges[end] - edges[begin]
        axes.barh(
            place,
            span,
            left=edges[begin],
            height=0.8,
            facecolor="none",
            edgecolor="#777777",
            hatch="//////",
            linewidth=0,
        )


def _dot(told: xr.Dataset, axes: Axes, place: int) -> None:
    """The break-even price and its interval."""
    at, (low, high) = float(told["break_even"]), told["break_even_interval"].values
    edges = _edges(told["price"].values)
    if np.isfinite(at):
        ends = max(low, edges[0]), min(high, edges[-1])
        axes.plot(ends, [place, place], color="white", lw=2.6, solid_capstyle="butt")
        axes.plot(ends, [place, place], color="black", lw=1.0, solid_capstyle="butt")
        for end, mark, open_ in ((edges[0], "<", low < edges[0]), (edges[-1], ">", high > edges[-1])):
            if open_:
                axes.plot(end, place, mark, color="black", ms=3.5, clip_on=False)
        axes.plot(at, place, "o", color="black", mec="white", mew=0.6, ms=4.5, gid="break-even")


def _stretches(where: np.ndarray) -> list[tuple[int, int]]:
    """Begin and end of every run of True."""
    change = np.flatnonzero(np.diff(np.concatenate([[False], where, [False]]).astype(int)))
    return list(zip(change[::2].tolist(), change[1::2].tolist(), strict=True))


def _edges(price: np.ndarray) -> np.ndarray:
    """Borders of cells whose middles, on a log scale, are the prices."""
    x = np.log(price)
    if len(x) == 1:
        return np.exp([x[0] - 0.1, x[0] + 0.1])
    middle = (x[1:] + x[:-1]) / 2
    return np.exp(np.concatenate([[x[0] - (x[1] - x[0]) / 2], middle, [x[-1] + (x[-1] - x[-2]) / 2]]))


def _shortened(text: str, letters: int) -> str:
    """The text; where it is longer, with names of axes cut short, and then with dots in its middle."""
    text = text if len(text) <= letters else re.sub(r"(\w{3})\w{2,} = ", r"\1. = ", text)
    keep = max(6, letters) - 1
    return text if len(text) <= keep + 1 else f"{text[: keep - keep // 2]}…{text[-(keep // 2) :]}"
