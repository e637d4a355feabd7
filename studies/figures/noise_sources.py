"""The noise ledger as bars: where the randomness of a step comes from, and how large it is beside the mean.

A line over a bar is the 95 % interval of its share, measured from where the bar begins.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke
from matplotlib.ticker import PercentFormatter
from xarray import Dataset

from studies.analysis.noise import noise
from studies.figures import legends, panels, style
from studies.figures.style import Look
from studies.results.arms import arms

BAR = 0.2  # inches, the height of a bar
BREAK = 0.55  # of it, each further line of a label
ABOVE = 0.32  # inches, for the title of a landscape
SOURCES = (
    "data",
    "evaluation",
    "staleness",
    "mutation",
    "recombination",
    "drift",
    "acceptance",
    "pairing",
    "dropout",
)
# Tol (2021), "Colour schemes", muted: none is an optimizer's
MUTED = "#88CCEE #DDCC77 #999933 #CC6677 #332288 #44AA99 #882255 #AA4499 #117733".split()
FACES = dict(zip(SOURCES, MUTED, strict=True))
HATCHES = {
    "evaluation": "....",
    "recombination": "////",
    "acceptance": "xxxx",
    "staleness": "\\\\\\\\",
    "dropout": "oo",
}
TOGETHER = "several together"
HEIGHT = 0.78  # of a bar, of its row
LEAST = 0.001  # share from which on a source is shown
SHAPE: Look = {"width_ratios": [1.7, 1], "sharex": "col"}
INTERVAL: Look = {"color": "black", "path_effects": [withStroke(linewidth=2.2, foreground="white")]}
RATIO: Look = {"color": "black", "ms": 3}
SIGNAL = "noise_to_signal"
ALONG: Look = {
    "lw": 0.9,
    "solid_capstyle": "butt",
    "gid": "interval",
}
AT_END: Look = {
    "marker": "|",
    "ls": "",
    "ms": 3.2,
    "mew": 0.9,
}
Arms = list[tuple[str, Dataset]]  # label and ledger at one moment


class Part(NamedTuple):
    """The share of a source in the variance of a step."""

    source: str
    share: float
    low: float
    high: float


def noise_sources(dataset: Dataset, width: float = style.WIDTH, moment: float | None = None) -> Figure:
    """The figure of a whole Dataset.

    Landscapes below one another, shares at the left, noise-to-signal ratio at the right.

    Args:
        dataset: a study's results with the noise ledger.
        width: inches.
        moment: fraction of the budget; None: that at which the study matched its arms, else the middle one of
            those recorded.
    """
    panels.expect(dataset, "step_variance", "noise_sources", "a `ledger:`")
    dataset = panels.at_moment(dataset, _matched_at(dataset) if moment is None else moment)
    rows = {name: arms(part) for name, part in panels.landscapes(dataset)}
    labels = [[style.wrapped(label, width / 4, 7) for label, _ in mine] for mine in rows.values()]
    heights = [_height(texts) for texts in labels]
    figure = Figure(layout="constrained")
    grid = figure.subplots(len(rows), 2, squeeze=False, height_ratios=heights, **SHAPE)
    shown: set[str] = set()
    for (name, mine), texts, (left, right) in zip(rows.items(), labels, grid, strict=True):
        shown |= bars(mine, left)
        ratios(mine, right)
        left.set_yticks(range(len(mine)), texts)
        panels.title(left, name, 0.62 * width)
    height = sum(heights) + 0.62 + legends.LINE * _finish(grid, width)
    return legends.finish(figure, _handles(shown), _said(dataset), width, height)


def _finish(grid: np.ndarray, width: float) -> int:
    """Ticks and labels of the horizontal axes; returns the breaks of line in those at the right."""
    for axes in [*grid[:, 1]] * 2:  # twice: they share an axis, and each widens it
        panels.decades_across(axes, 0.25 * width)
    left, right = grid[-1]
    left.set_xlabel(style.wrapped("share of the variance of a step", width / 2.4))
    right.set_xlabel(style.wrapped("noise-to-signal ratio of a step", width / 3.1))
    return right.get_xlabel().count("\n")


def _matched_at(dataset: Dataset) -> float | None:
    """The moment at which the study matched its arms, if it did."""
    matched = json.loads(dataset.attrs.get("match", "[]"))
    return matched[0]["at"] if matched else None


def _height(labels: list[str]) -> float:
    """Inches of a landscape, whose bars have these labels."""
    return BAR * max(2.0, sum(BREAK * label.count("\n") + 1 for label in labels)) + ABOVE


def _handles(shown: set[str]) -> list[Patch]:
    """Entries of these sources, the usual ones first."""
    order = [*FACES, *sorted(shown - {*FACES, TOGETHER}), TOGETHER]
    return [Patch(label=source, **_look(source)) for source in order if source in shown]


def _said(dataset: Dataset) -> str:
    """The words above the legend."""
    intervals = "; lines: 95 % intervals, of a share from where its bar begins"
    worlds = legends.of_worlds(dataset, intervals)
    return f"steps from states at {dataset['moment'].item():.3g} of the budget, {worlds}; dashed: 1"


def bars(rows: Arms, axes: Axes) -> set[str]:
    """Stacked first-order shares of arms with intervals, from the top down.

    Returns the sources that are there.
    """
    shown = set()
    for row, (_, arm) in enumerate(rows):
        parts = list(_parts(arm))
        shown |= _stack(axes, row, [part for part in parts if part.share > 0])
        if not np.isfinite([part.share for part in parts]).any():
            axes.text(0.01, row, "no noise", va="center", color=style.WORDS, fontsize=7)
    _arms_down(axes, rows)
    return shown


def _arms_down(axes: Axes, rows: Arms) -> None:
    """The axes of shares, an arm in each row."""
    axes.set_xlim(0, 1)
    panels.named_rows(axes, [label for label, _ in rows])
    axes.xaxis.set_major_formatter(PercentFormatter(1.0))


def _parts(arm: Dataset) -> Iterator[Part]:
    """The share of each source, and of those that only act together."""
    shares = noise.shares(arm).sel(direction="all").isel(moment=0)
    for source in arm["source"].values:
        yield _part(str(source), shares.sel(source=source), "first")
    yield _part(TOGETHER, shares, "interaction")


def _part(source: str, shares: Dataset, name: str) -> Part:
    """A share, which has this name."""
    return Part(source, *panels.with_interval(shares, name))


def _stack(axes: Axes, row: int, parts: list[Part]) -> set[str]:
    """Bars one behind another, with intervals; returns the sources that are large enough to be told."""
    begin, intervals = 0.0, []
    for source, share, low, high in parts:
        axes.barh(row, share, left=begin, height=HEIGHT, **_look(source))
        if share > LEAST:
            intervals.append((begin + max(low, 0.0), begin + share, begin + high))
        begin += share
    _intervals(axes, row, intervals)
    return {part.source for part in parts if part.share > LEAST}


def _intervals(axes: Axes, row: int, intervals: list[tuple[float, float, float]]) -> None:
    """(low, end of the bar, high) of each part of a bar, below one another, so that all are seen."""
    for number, (low, end, high) in enumerate(intervals, 1):
        y = row + HEIGHT * (number / (len(intervals) + 1) - 0.5)
        if np.isfinite(low + high):
            axes.plot([low, high], [y, y], **ALONG, **INTERVAL)
            axes.plot([end], [y], **AT_END, **INTERVAL)


def ratios(rows: Arms, axes: Axes) -> Axes:
    """The noise-to-signal ratio of each arm with its interval, on a log scale."""
    for row, (_, arm) in enumerate(rows):
        _ratio(arm, axes, row)
    empty = not axes.lines
    axes.axvline(1.0, **style.DASHED)
    if empty:
        panels.nothing(axes, "none")
    axes.set(xscale="log", yticks=[])
    panels.rows(axes, len(rows))
    panels.rules(axes, "x")
    return axes


def _ratio(arm: Dataset, axes: Axes, row: int) -> None:
    """The noise-to-signal ratio of an arm with its interval, where it is above 0."""
    signal = noise.currency(arm, SIGNAL).isel(moment=0)
    ratio = panels.with_interval(signal, SIGNAL)
    if np.isfinite(ratio[0]) and ratio[0] > 0:
        panels.row_dot(axes, row, ratio, line={"color": style.WORDS}, dot=RATIO)


def _look(source: str) -> Look:
    """Keywords of a bar: a colour and a hatch for each source everywhere."""
    if source == TOGETHER:
        return style.UNDECIDED | {"facecolor": style.RULE, "hatch": "...."}
    return face(source, "#999999")


def face(name: str, other: str) -> Look:
    """Keywords of a bar of a source, or of what is no source: this other colour."""
    hatch = HATCHES.get(name)
    return {
        "facecolor": FACES.get(name, other),
        "edgecolor": "white",
        "hatch": hatch,
        "linewidth": 0,
    }
