"""The noise ledger as bars: from which source the randomness of a step comes, and how large it is beside the step's mean.

A line over a bar is the 95 % interval of its share, measured from where the bar begins.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke
from matplotlib.ticker import PercentFormatter

from studies.analysis.noise import noise
from studies.figures import style
from studies.results.arms import arms

BAR = 0.2  # inches, the height of a bar
SOURCES = ("data", "evaluation", "staleness", "mutation", "recombination", "drift", "acceptance", "pairing")
FACES = dict(zip(SOURCES, [*style.COLOURS, "#F0E442"], strict=True))
HATCHES = {"evaluation": "....", "recombination": "////", "acceptance": "xxxx", "staleness": "\\\\\\\\"}
TOGETHER = "several together"
HEIGHT = 0.78  # of a bar, of its row
LEAST = 0.001  # share from which on a source is told


def noise_sources(dataset: xr.Dataset, width: float = style.WIDTH, moment: float | None = None) -> Figure:
    """The figure of a whole Dataset.

    Landscapes below one another, shares at the left, noise-to-signal ratio at the right.

    Args:
        dataset: a study's results with the noise ledger.
        width: inches.
        moment: fraction of the budget; None: that at which the study matched its arms, else the middle one of
            those recorded.
    """
    if "step_variance" not in dataset:
        raise ValueError("noise_sources: expected a study with a `ledger:`, found none in these results")
    matched = json.loads(dataset.attrs.get("match", "[]"))
    moment = matched[0]["at"] if matched and moment is None else moment
    dataset = (
        dataset.isel(moment=[dataset.sizes["moment"] // 2])
        if moment is None
        else dataset.sel(moment=[moment], method="nearest")
    )
    rows = {name: arms(dataset.sel(landscape=name)) for name in dataset["landscape"].values.tolist()}
    named = {name: [style.wrapped(label, width / 4, 7) for label, _ in found] for name, found in rows.items()}
    heights = [
        BAR * max(2.0, sum(label.count("\n") * 0.55 + 1 for label in told)) + 0.32 for told in named.values()
    ]
    figure = Figure(layout="constrained")
    grid = figure.subplots(
        len(rows), 2, squeeze=False, sharex="col", height_ratios=heights, width_ratios=[1.7, 1]
    )
    shown: set[str] = set()
    for (name, found), (left, right) in zip(rows.items(), grid, strict=True):
        shown |= bars(found, left)
        ratios(found, right)
        left.set_yticks(range(len(found)), named[name])
        left.set_title(style.wrapped(str(name), 0.62 * width), loc="left", fontweight="bold")
    for axes in grid[:, 1]:
        style.decades_across(axes, 0.25 * width)
    for axes in grid[:, 1]:
        style.decades_across(axes, 0.25 * width)
    grid[-1, 0].set_xlabel(style.wrapped("share of the variance of a step", width / 2.4))
    grid[-1, 1].set_xlabel(style.wrapped("noise-to-signal ratio of a step", width / 3.1))
    handles = [
        Patch(label=source, **_look(source))
        for source in [*FACES, *sorted(shown - {*FACES, TOGETHER}), TOGETHER]
        if source in shown
    ]
    worlds = style.worlds(
        dataset.sizes["replicate"], "; lines: 95 % intervals, of a share from where its bar begins"
    )
    at = f"steps from states at {dataset['moment'].item():.3g} of the budget, {worlds}; dashed: 1"
    across, title = (
        style.across([str(handle.get_label()) for handle in handles], width),
        style.wrapped(at, width - 0.3, 7.5),
    )
    figure.legend(handles=handles, loc="outside lower center", ncols=across, title=title, title_fontsize=7.5)
    below = (
        0.62
        + 0.16 * -(-len(handles) // across)
        + 0.13 * (title.count("\n") + grid[-1, 1].get_xlabel().count("\n"))
    )
    figure.set_size_inches(width, sum(heights) + below)
    return figure


def bars(found: list[tuple[str, xr.Dataset]], axes: Axes) -> set[str]:
    """Stacked first-order shares of arms (label, ledger at one moment) with intervals, from the top down.

    Returns the sources that are there.
    """
    shown = set()
    for place, (_, arm) in enumerate(found):
        parts = _parts(arm)
        begin, lines = 0.0, []
        for source, (share, low, high) in parts.items():
            if share > 0:
                axes.barh(place, share, left=begin, height=HEIGHT, **_look(source))
                lines += [(begin + max(low, 0.0), begin + share, begin + high)] * (share > LEAST)
                begin += share
                shown |= {source} if share > LEAST else set()
        _intervals(lines, place, axes)
        if not np.isfinite([share for share, *_ in parts.values()]).any():
            axes.text(0.01, place, "no noise", va="center", color="#555555", fontsize=7)
    axes.set(
        yticks=range(len(found)),
        yticklabels=[label for label, _ in found],
        xlim=(0, 1),
        ylim=(max(1, len(found)) - 0.5, -0.5),
    )
    axes.xaxis.set_major_formatter(PercentFormatter(1.0))
    axes.tick_params(axis="y", length=0)
    return shown


def _parts(arm: xr.Dataset) -> dict[str, tuple[float, float, float]]:
    """Source -> its share of the variance of a step, and the ends of the interval."""
    told = noise.shares(arm).sel(direction="all").isel(moment=0)
    parts = {
        str(source): (told["first"].sel(source=source), told["first_interval"].sel(source=source))
        for source in arm["source"].values
    }
    parts[TOGETHER] = told["interaction"], told["interaction_interval"]
    return {source: (float(share), *map(float, ends.values)) for source, (share, ends) in parts.items()}  # type: ignore[misc]


def _intervals(lines: list[tuple[float, float, float]], place: int, axes: Axes) -> None:
    """(low, end of the bar, high) of each part of a bar below one another, so that they do not hide each other."""
    edge = [withStroke(linewidth=2.2, foreground="white")]
    for i, (low, end, high) in enumerate(lines):
        y = place + HEIGHT * ((i + 1) / (len(lines) + 1) - 0.5)
        if np.isfinite(low + high):
            axes.plot(
                [low, high],
                [y, y],
                color="black",
                lw=0.9,
                solid_capstyle="butt",
                path_effects=edge,
                gid="interval",
            )
            axes.plot([end], [y], "|", color="black", ms=3.2, mew=0.9, path_effects=edge)


def ratios(found: list[tuple[str, xr.Dataset]], axes: Axes) -> Axes:
    """The noise-to-signal ratio of each arm with its interval, on a log scale."""
    for place, (_, arm) in enumerate(found):
        told = noise.currencies(arm).isel(moment=0)
        value, (low, high) = float(told["noise_to_signal"]), told["noise_to_signal_interval"].values
        if np.isfinite(value) and value > 0:
            axes.plot([max(low, value / 100), high], [place, place], color="#555555", lw=1)
            axes.plot(value, place, "o", color="black", ms=3)
    axes.axvline(1.0, color="#888888", lw=0.6, ls=(0, (3, 2)))
    if len(axes.lines) == 1:
        style.nothing(axes, "none")
    axes.set(xscale="log", yticks=[], ylim=(max(1, len(found)) - 0.5, -0.5))
    axes.grid(axis="x", which="major")
    axes.set_axisbelow(True)
    return axes


def _look(source: str) -> dict[str, Any]:
    """Keywords of a bar: a colour and a hatch for each source everywhere."""
    if source == TOGETHER:
        return {"facecolor": "#dddddd", "edgecolor": "#777777", "hatch": "....", "linewidth": 0}
    return {
        "facecolor": FACES.get(source, "#999999"),
        "edgecolor": "white",
        "hatch": HATCHES.get(source),
        "linewidth": 0,
    }
