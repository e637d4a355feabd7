"""Loss against cost: the median over worlds and the band between the quartiles, one panel for each landscape."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from studies.analysis.arms import FIXED, arms, labels, quartiles
from studies.figures import style

PANEL = 2.15  # inches, the height of a panel
BESIDE = 9  # so many lines of a legend fit into a panel
NOTE = "true loss of recommended points,"


def convergence(dataset: xr.Dataset, width: float = style.WIDTH) -> Figure:
    """The figure of a whole Dataset; the legend stands in a free panel, or below where it needs more.

    Args:
        dataset: a study's results.
        width: inches.
    """
    names = dataset["landscape"].values.tolist()
    looks = style.arm_looks(dataset)
    columns, beside = _places(len(names), list(looks), width)
    rows, each = -(-len(names) // columns), width / columns
    across = 1 if beside else style.across(list(looks), width)
    below = 0.0 if beside else 0.62 + 0.175 * -(-len(looks) // across)
    figure = Figure(figsize=(width, PANEL * rows + below), layout="constrained")
    grid = figure.add_gridspec(rows + (not beside), columns, height_ratios=[PANEL] * rows + [below] * (not beside))
    for i, name in enumerate(names):
        axes = figure.add_subplot(grid[i // columns, i % columns])
        panel(dataset.sel(landscape=name), axes, looks)
        axes.set_title(style.wrapped(str(name), each - 0.5), loc="left", fontweight="bold")
        if i % columns == 0:
            axes.set_ylabel("true loss")
        if i + columns >= len(names):
            axes.set_xlabel(style.wrapped("cost (evaluations)", each - 0.5))
    place = grid[rows - 1, len(names) % columns :] if beside else grid[rows, :]
    _legend(figure.add_subplot(place), dataset, looks, across)
    return figure


def _places(panels: int, names: Sequence[str], width: float) -> tuple[int, bool]:
    """Columns of panels, and whether the legend stands in a place beside them that is free."""
    most = max(1, min(3, int(width // 1.65)))
    beside = len(names) <= BESIDE and max(map(len, [*names, NOTE])) * style.LETTER * 7.5 + 0.5 < width / most
    columns = min(most, panels + (beside and panels < most))
    return columns, beside and panels % columns > 0


def panel(dataset: xr.Dataset, axes: Axes, looks: dict[str, dict[str, Any]] | None = None) -> Axes:
    """Draw one landscape (no `landscape` dim) on Axes and return them.

    Args:
        dataset: with `loss` (optimizer, [axes], replicate, checkpoint), `status` and the coordinate `cost` (checkpoint).
        axes: where to draw.
        looks: label -> keywords of `Axes.plot`; an arm whose label is not there looks like its optimizer, and has no band.
    """
    looks = looks or style.arm_looks(dataset)
    low = _floor(dataset)
    for label, arm in arms(dataset):
        lower, median, upper = quartiles(arm["loss"])
        cost, shown = arm["cost"].values, np.isfinite(median)
        look = style.look(looks, label, arm)
        if label in looks and len(looks) <= style.BANDS:
            band = {"color": look["color"], "alpha": 0.15, "lw": 0}
            axes.fill_between(cost, np.maximum(lower, low), np.maximum(upper, low), where=np.isfinite(upper), **band)
        axes.plot(cost[shown], np.maximum(median[shown], low), label=label, **look)
    _scale(axes, dataset, low)
    return axes


def _floor(dataset: xr.Dataset) -> float:
    """Where a loss of exactly 0 is drawn on a log scale: below the lowest positive one; -inf on a linear scale."""
    loss = dataset["loss"].values
    positive = loss[np.isfinite(loss) & (loss > 0)]
    return float(positive.min()) / 3 if _logarithmic(dataset) and positive.size else -np.inf


def _logarithmic(dataset: xr.Dataset) -> bool:
    """Whether the loss is a gap to a known optimum, or spans so much that only a log scale shows it."""
    loss = dataset["loss"].values
    loss = loss[np.isfinite(loss)]
    if not loss.size or loss.min() < 0 or loss.max() <= 0:
        return False
    known = "gap_known" in dataset.coords and bool(dataset["gap_known"] == 1)
    return known or bool(loss.max() > 30 * np.quantile(loss, 0.02))


def _scale(axes: Axes, dataset: xr.Dataset, low: float) -> None:
    if not np.isfinite(dataset["loss"]).any():
        axes.text(0.5, 0.5, "no finite loss", transform=axes.transAxes, ha="center", color="#555555")
        axes.set(xticks=[], yticks=[])
        return
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(numticks=6))
    axes.xaxis.set_minor_formatter(NullFormatter())
    if np.isfinite(low):
        axes.set_yscale("log")
        style.decades(axes.yaxis)
        if bool((dataset["loss"] == 0).any()):
            axes.axhline(low, color="#888888", linewidth=0.5)
            axes.text(1.01, low, "0", transform=axes.get_yaxis_transform(), va="center", color="#555555", fontsize=7)
    axes.grid(axis="both", which="major")
    axes.set_axisbelow(True)


def _legend(axes: Axes, dataset: xr.Dataset, looks: dict[str, dict[str, Any]], columns: int) -> None:
    axes.set_axis_off()
    handles = [axes.plot([], [], label=label, **look)[0] for label, look in looks.items()]
    worlds = dataset.sizes["replicate"]
    band = "median" if len(looks) > style.BANDS else "median and quartiles"
    band = f"{band} of {worlds} worlds" if worlds > 1 else "one world"
    if len(labels(dataset)) > len(looks):
        band = f"median of {worlds} worlds, a line for each value\nof " + ", ".join(str(d) for d in dataset["loss"].dims if d not in FIXED)
    note = f"{NOTE}\n{band}"
    legend = axes.legend(handles=handles, title=note, loc="upper left", title_fontsize=7.5, alignment="left", ncols=columns)
    legend.set_in_layout(False)  # its place was made above
