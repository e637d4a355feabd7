"""Effects of switching sources of randomness on: which helps, which hurts, on which landscape.

And how two of them go together.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from studies.analysis.comparison import factorial as analysis
from studies.figures import style

ROW = 0.105  # inches for one dot
TWO = 5.0  # inches that two columns need
MARKS = "osD^vP*"
TEXTS = (
    "effect of switching on ({unit})\n< 0 helps, > 0 hurts",
    "interaction ({unit})\n< 0 better together, > 0 worse",
)
Row = tuple[str, dict[str, tuple[float, float, float]]]  # source or pair, optimizer -> value, low, high


def factorial(dataset: xr.Dataset, width: float = style.WIDTH) -> Figure:
    """The figure of a whole Dataset.

    Landscapes below one another, effects at the left, interactions at the right, or below where it is narrow.

    Args:
        dataset: a study's results with `factors`, and no other swept axis.
        width: inches.
    """
    told = analysis.effects(dataset)
    more = [str(dim) for dim in told["effect"].dims if dim not in ("landscape", "optimizer", "factor")]
    if more:
        raise ValueError(
            f"factorial: expected a study that sweeps nothing beside its factors, got {', '.join(more)};"
            " select one value of each"
        )
    looks = _looks([str(name) for name in told["optimizer"].values])
    panels = {str(name): told.sel(landscape=name) for name in told["landscape"].values}
    rows = {name: (mains(panel), pairs(panel)) for name, panel in panels.items()}
    columns = 2 if width >= TWO else 1
    heights = [_height(part) for parts in rows.values() for part in parts]
    heights = (
        heights if columns == 1 else [max(pair) for pair in zip(heights[::2], heights[1::2], strict=True)]
    )
    figure = Figure(layout="constrained")
    grid = figure.subplots(len(heights), columns, squeeze=False, height_ratios=heights)
    for (name, (left, right)), axes in zip(rows.items(), grid.reshape(-1, 2), strict=True):
        unit = "decades of the gap" if bool(panels[name]["logarithmic"].any()) else "loss"
        for part, each, text in zip((left, right), axes, TEXTS, strict=True):
            lines = [
                style.wrapped(line, 0.7 * width / columns) for line in text.format(unit=unit).split("\n")
            ]
            dots(part, looks, each).set_xlabel("\n".join(lines))
        axes[0].set_title(style.wrapped(name, width / 2), loc="left", fontweight="bold")
    below = _legend(figure, looks, dataset.sizes["replicate"], width)
    figure.set_size_inches(width, sum(heights) + 0.75 * len(heights) + below)
    return figure


def _legend(figure: Figure, looks: dict[str, dict[str, Any]], worlds: int, width: float) -> float:
    """Say what marks and lines are; returns the inches that it takes."""
    handles = [Line2D([], [], label=name, ls="", **look) for name, look in looks.items()]
    title = style.wrapped(
        f"mean of {style.worlds(worlds, ', 95 % intervals')}; other sources on and off in equal parts",
        width - 0.3,
        7.5,
    )
    across = style.across(list(looks), width)
    figure.legend(handles=handles, loc="outside lower center", ncols=across, title=title, title_fontsize=7.5)
    return 0.28 + 0.16 * -(-len(handles) // across) + 0.13 * title.count("\n")


def mains(panel: xr.Dataset) -> list[Row]:
    """A row for each source that some optimizer has, of the effects on one landscape."""
    rows = [(str(name), _values(panel, "effect", factor=name)) for name in panel["factor"].values]
    return [row for row in rows if row[1]]


def pairs(panel: xr.Dataset) -> list[Row]:
    """A row for each pair of sources that some optimizer has, of the interactions on one landscape."""
    names = itertools.combinations(panel["factor"].values, 2)
    rows = [(f"{a} $\\times$ {b}", _values(panel, "interaction", factor=a, other=b)) for a, b in names]
    return [row for row in rows if row[1]]


def dots(rows: list[Row], looks: dict[str, dict[str, Any]], axes: Axes) -> Axes:
    """Values with intervals, from the top down; optimizers of a row below one another."""
    place, ticks = 0.0, []
    for _, values in rows:
        ticks.append(place + (len(values) - 1) / 2)
        for name, (value, low, high) in values.items():
            axes.plot([low, high], [place, place], color=looks[name]["color"], lw=1, solid_capstyle="butt")
            axes.plot(value, place, ls="", **looks[name])
            place += 1
        place += 0.9
        if values is not rows[-1][1]:
            axes.axhline(place - 0.95, color="#dddddd", lw=0.4)
    axes.axvline(0.0, color="#888888", lw=0.6, ls=(0, (3, 2)), zorder=0)
    axes.set(
        yticks=ticks,
        yticklabels=[label for label, _ in rows],
        ylim=(place - 0.9 + 0.2, -0.8) if rows else (1, 0),
    )
    axes.tick_params(axis="y", length=0)
    if not rows:
        style.nothing(axes, "none")
        axes.set_xticks([])
    return axes


def _height(rows: list[Row]) -> float:
    return max(0.3, ROW * (sum(len(values) for _, values in rows) + 0.9 * len(rows)) + 0.05)


def _values(panel: xr.Dataset, name: str, **at: Any) -> dict[str, tuple[float, float, float]]:  # noqa: ANN401
    """Optimizer -> value, low, high; of those that the sources touch."""
    found, bounds = panel[name].sel(at), panel[f"{name}_interval"].sel(at)
    values = {}
    for optimizer in panel["optimizer"].values:
        low, high = bounds.sel(optimizer=optimizer).values.tolist()
        values[str(optimizer)] = (float(found.sel(optimizer=optimizer)), low, high)
    return {optimizer: told for optimizer, told in values.items() if np.isfinite(told[0])}


def _looks(labels: list[str]) -> dict[str, dict[str, Any]]:
    """Keywords of a dot: the colour that an optimizer has everywhere, and a mark of its own."""
    colours = style.looks(labels)
    return {
        label: {"color": colours[label]["color"], "marker": MARKS[i % len(MARKS)], "ms": 3.2}
        for i, label in enumerate(labels)
    }
