"""How the mean step lies to the gradient, against the sample that a step takes: the mini-batch of a gradient method, the population of another."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from studies.analysis import noise
from studies.analysis.arms import arms
from studies.figures import style

ROW = 1.45  # inches
ASIDE = 1.08  # factor between optimizers of equal sample, so that they do not hide one another
REFERENCES = {"raw": "raw gradient", "smoothed": "smoothed gradient", "preconditioned": "preconditioned gradient"}


def alignment(dataset: xr.Dataset, width: float = style.WIDTH, moment: float | None = None) -> Figure:
    """One row for each landscape, one column for each reference: cosine of the mean step with the negative gradient.

    Args:
        dataset: a study's results with the noise ledger; where an axis changes the batch or the population, its values are joined by a line.
        width: inches.
        moment: fraction of the budget; None: the middle one of those recorded.

    Raises:
        ValueError: there is no noise ledger.
    """
    if "mean_step_along" not in dataset:
        raise ValueError("alignment: expected a study with a `ledger:`, found none in these results")
    dataset = dataset.isel(moment=[dataset.sizes["moment"] // 2]) if moment is None else dataset.sel(moment=[moment], method="nearest")
    names, looks = dataset["landscape"].values.tolist(), style.looks(dataset["optimizer"].values.tolist())
    figure = Figure(layout="constrained")
    grid = figure.subplots(len(names), len(REFERENCES), squeeze=False, sharex=True, sharey=True)
    for name, row in zip(names, grid, strict=True):
        for axes, reference in zip(row, REFERENCES, strict=True):
            panel(dataset.sel(landscape=name), axes, looks, reference)
        row[0].set_ylabel(style.wrapped(str(name), ROW - 0.1), fontweight="bold")
    for axes, top, text in zip(grid[-1], grid[0], REFERENCES.values(), strict=True):
        top.set_title(style.wrapped(text, width / 3 - 0.15, 7.5), fontsize=7.5)
        axes.set_xlabel("sample")
    figure.supylabel("cosine with the mean step", fontsize=8)
    handles = [Line2D([], [], label=label, marker="o", ms=3, **look) for label, look in looks.items()]
    sample = "sample: terms in a mini-batch, or points asked"
    worlds = style.worlds(dataset.sizes["replicate"], "; bars: 95 % intervals")
    at = f"from states at {dataset['moment'].item():.3g} of the budget, {worlds}; {sample}"
    across, title = style.across([str(handle.get_label()) for handle in handles], width), style.wrapped(at, width - 0.3, 7.5)
    figure.legend(handles=handles, loc="outside lower center", ncols=across, title=title, title_fontsize=7.5)
    figure.set_size_inches(width, ROW * len(names) + 0.75 + 0.16 * -(-len(handles) // across) + 0.13 * title.count("\n"))
    return figure


def panel(dataset: xr.Dataset, axes: Axes, looks: dict[str, dict[str, Any]] | None = None, reference: str = "raw") -> Axes:
    """Draw one landscape at one moment on Axes and return them.

    Args:
        dataset: a ledger without the dim `landscape`, with one `moment`.
        axes: where to draw.
        looks: optimizer -> keywords of `Axes.plot`.
        reference: raw, smoothed or preconditioned.
    """
    looks = looks or style.looks(dataset["optimizer"].values.tolist())
    found: dict[str, list[tuple[float, float, float, float]]] = {}
    for _, arm in arms(dataset):
        told = noise.alignment(arm).sel(reference=reference).isel(moment=0)
        size = float(arm["sample_size"].mean())
        low, high = told["cosine_interval"].values.tolist()
        found.setdefault(str(arm["optimizer"].item()), []).append((size, float(told["cosine"]), low, high))
    if not found:
        style.nothing(axes, "no numbers")
    for place, (label, points) in enumerate(found.items()):
        size, cosine, low, high = np.array(sorted(points)).T
        size = size * ASIDE ** (place - (len(found) - 1) / 2)
        axes.plot(size, cosine, marker="o", ms=3, label=label, **looks[label])
        axes.vlines(size, low, high, color=looks[label]["color"], lw=1)
    axes.axhline(0.0, color="#888888", lw=0.6, ls=(0, (3, 2)))
    axes.set(xscale="log", ylim=(-1.08, 1.08))
    axes.xaxis.set_major_locator(LogLocator(numticks=5))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.grid(axis="both", which="major")
    axes.set_axisbelow(True)
    return axes
