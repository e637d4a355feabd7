"""Loss against cost: the median over worlds and the band between the quartiles, one panel for each landscape."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from studies.analysis.arms import arms, labels, quartiles
from studies.figures import style


def convergence(dataset: xr.Dataset) -> Figure:
    """The figure of a whole Dataset, 7 inches wide."""
    names = dataset["landscape"].values.tolist()
    columns = min(3, len(names) + (len(names) > 1))
    rows = -(-(len(names) + 1) // columns)
    figure = Figure(figsize=(style.WIDTH * min(1, (columns + 0.5) / 3), 2.1 * rows + 0.2), layout="constrained")
    grid = figure.add_gridspec(rows, columns)
    looks = style.looks(labels(dataset))
    for i, name in enumerate(names):
        axes = figure.add_subplot(grid[i // columns, i % columns])
        panel(dataset.sel(landscape=name), axes, looks)
        axes.set_title(name, loc="left", fontweight="bold")
    figure.supylabel("true loss of the recommended point", fontsize=8)
    figure.supxlabel("cost (evaluations of the whole loss)", fontsize=8)
    _legend(figure.add_subplot(grid[len(names) // columns, len(names) % columns :]), dataset, looks)
    return figure


def panel(dataset: xr.Dataset, axes: Axes, looks: dict[str, dict[str, Any]] | None = None) -> Axes:
    """Draw one landscape (no `landscape` dim) on Axes and return them.

    Args:
        dataset: with `loss` (optimizer, [axes], replicate, checkpoint), `status` and the coordinate `cost` (checkpoint).
        axes: where to draw.
        looks: label -> keywords of `Axes.plot`.
    """
    looks = looks or style.looks(labels(dataset))
    low = _floor(dataset)
    for label, arm in arms(dataset):
        lower, median, upper = quartiles(arm["loss"])
        cost = arm["cost"].values
        shown = np.isfinite(median)
        band = {"color": looks[label]["color"], "alpha": 0.15, "lw": 0}
        axes.fill_between(cost, np.maximum(lower, low), np.maximum(upper, low), where=np.isfinite(upper), **band)
        axes.plot(cost[shown], np.maximum(median[shown], low), label=label, **looks[label])
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
        axes.yaxis.set_major_locator(LogLocator(numticks=6))
        axes.yaxis.set_minor_formatter(NullFormatter())
        if bool((dataset["loss"] == 0).any()):
            axes.axhline(low, color="#888888", linewidth=0.5)
            axes.text(1.01, low, "0", transform=axes.get_yaxis_transform(), va="center", color="#555555", fontsize=7)
    axes.grid(axis="both", which="major")
    axes.set_axisbelow(True)


def _legend(axes: Axes, dataset: xr.Dataset, looks: dict[str, dict[str, Any]]) -> None:
    axes.set_axis_off()
    handles = [axes.plot([], [], label=label, **look)[0] for label, look in looks.items()]
    worlds = dataset.sizes["replicate"]
    note = f"median and quartiles of {worlds} worlds" if worlds > 1 else "one world"
    axes.legend(handles=handles, title=note, loc="center left", title_fontsize=7.5, alignment="left")
