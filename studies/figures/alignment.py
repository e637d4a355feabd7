"""How the mean step lies to the gradient, against the sample that a step takes.

The mini-batch of a gradient method, the population of another.

Where no optimizer has more than one size of sample, each has a place of its own, in the order of the sizes,
which stand below, each once; else the axis is the size. An optimizer of which no cosine can be told has no
place, and is named below.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullFormatter
from matplotlib.transforms import ScaledTranslation, Transform
from xarray import Dataset

from studies.analysis.noise import noise
from studies.figures import layout, legends, panels, style
from studies.figures.style import Look, Looks
from studies.results.arms import stack
from studies.text.groups import grouped

ROW, NARROW = 1.45, 1.1  # inches: the height of a panel, its least width
TITLE = 0.2  # inches, for titles of their own where a landscape has several rows
HIDDEN = "hidden"
ASIDE = 2.5  # points between optimizers of equal sample, so that they do not hide one another
TICK = 0.11  # inches, of a size below a panel
NONE = "–"  # where an optimizer has no cosine with one reference, but with others
NOWHERE = -0.9  # and its height
CROWDED = 12  # digits below a panel, more of which stand upright
APART = 0.14  # of the axis, that labels of sizes need
MARGIN = 1.3  # of the axis of sizes, on either side: a factor
DOT: Look = {"marker": "o", "ms": 3}
OPEN: Look = DOT | {
    "ls": "none",
    "mfc": "white",
    "gid": HIDDEN,
}
WORD: Look = {
    "ha": "center",
    "va": "center",
    "color": style.WORDS,
    "fontsize": 7,
}
SAMPLE = "sample: terms in a mini-batch, or points asked"
REFERENCES = {
    "raw": "raw gradient",
    "smoothed": "smoothed gradient",
    "preconditioned": "preconditioned gradient",
    "selection": "selection, Cov(w,x)/W",
    "mean_fitness": "mean fitness, G\u00a0grad\u00a0ln\u00a0W",
}


class Point(NamedTuple):
    """The cosine of an arm's mean step with a reference."""

    size: float  # of the sample
    cosine: float
    low: float
    high: float
    end: float  # 1 where the step is hidden by noise, else NaN


Points = dict[str, list[Point]]  # of each optimizer
Ledger = tuple[Dataset, Dataset]  # an arm, and its cosines with all references


def alignment(dataset: Dataset, width: float = style.WIDTH, moment: float | None = None) -> Figure:
    """One row for each landscape, one column for each reference that is known.

    Cosine of the mean step with it; open: hidden by noise.

    Args:
        dataset: a study's results with the noise ledger; where an axis changes the batch or the population,
            its values are joined by a line.
        width: inches.
        moment: fraction of the budget; None: the middle one of those recorded.

    Raises:
        ValueError: there is no noise ledger.
    """  # noqa: DOC502
    panels.expect(dataset, "mean_step_along", "alignment", "a `ledger:`")
    dataset = panels.at_moment(dataset, moment)
    looks, references = style.optimizer_looks(dataset), _known(dataset)
    figure = Figure(layout="constrained")
    rows = layout.rows_of(
        figure,
        dataset.sizes["landscape"],
        len(references),
        width,
        max(NARROW, 0.45 + TICK * len(looks)),
        sharey=True,
    )
    for (name, part), row in zip(panels.landscapes(dataset), rows.places, strict=True):
        ledgers = _ledgers(part)
        for axes, reference in zip(row, references, strict=False):
            _panel(points(ledgers, reference), axes, looks)
        panels.side_title(row[0], name, ROW - 0.1)
    _label(rows, list(references.values()))
    figure.supylabel("cosine with the mean step", fontsize=8)
    height = (ROW + 0.15 + TITLE * (rows.lines > 1)) * len(rows.places) * rows.lines + 0.7
    return _with_legend(figure, dataset, looks, width, height)


def _label(rows: layout.Rows, titles: list[str]) -> None:
    """The references above the columns, the sample below them."""
    panels.entitle(rows, titles, rows.inches - 0.15)
    for axes in rows.lowest(len(titles)):
        axes.set_xlabel("sample size")


def _with_legend(
    figure: Figure,
    dataset: Dataset,
    looks: Looks,
    width: float,
    height: float,
) -> Figure:
    """The legend of what is drawn, and the size of the figure.

    Args:
        figure: with its panels.
        dataset: a ledger at one moment.
        looks: optimizer -> keywords of `Axes.plot`.
        width: inches.
        height: inches of the panels.
    """
    shown = legends.drawn(figure.axes, looks)
    words = _said(dataset, figure.axes, [label for label in looks if label not in shown])
    return legends.finish(figure, legends.lines(shown, **DOT), words, width, height)


def _known(dataset: Dataset) -> dict[str, str]:
    """The references that some world knows, and their titles; the first where none is known."""
    there = dataset["reference_squared"].notnull()
    squared = [name for name in REFERENCES if name in there["reference"].values]
    names = [name for name in squared if there.sel(reference=name).any()]
    return {name: REFERENCES[name] for name in names or list(REFERENCES)[:1]}


def _said(dataset: Dataset, grid: Iterable[Axes], absent: list[str]) -> str:
    """The words above the legend; `absent`: optimizers that no panel shows."""
    worlds = legends.of_worlds(dataset, "; bars: 95 % intervals")
    words = f"from states at {dataset['moment'].item():.3g} of the budget, {worlds}; {SAMPLE}"
    hidden = "; open: above 1 by noise" * legends.has_line(grid, HIDDEN)
    return words + hidden + (f"; no cosine can be told of {_few(absent)}" if absent else "")


def _few(names: list[str]) -> str:
    """The names; of more than three how many there are."""
    return ", ".join(names) if len(names) <= 3 else f"{len(names)} optimizers"


def panel(
    dataset: Dataset,
    axes: Axes,
    looks: Looks | None = None,
    reference: str = "raw",
) -> Axes:
    """Draw one landscape at one moment on Axes and return them.

    Args:
        dataset: a ledger without the dim `landscape`, with one `moment`.
        axes: where to draw.
        looks: optimizer -> keywords of `Axes.plot`.
        reference: one of `REFERENCES`.
    """
    series = points(_ledgers(dataset), reference)
    return _panel(series, axes, looks or style.optimizer_looks(dataset))


def _panel(series: Points, axes: Axes, looks: Looks) -> Axes:
    """Draw the points of each optimizer."""
    several = any(len(mine) > 1 for mine in series.values())
    if several:
        _draw_sizes(axes, series, looks)
        _sizes_across(axes, series)
    else:
        series = _by_size(series)
        _draw_places(axes, series, looks)
        _places_across(axes, series)
    if not series:
        panels.nothing(axes, "no cosine")
    _cosines_up(axes)
    panels.rules(axes, "both" if several else "y")
    return axes


def _by_size(series: Points) -> Points:
    """Optimizers of one size of sample in its order, so that neighbours share it."""
    return dict(sorted(series.items(), key=lambda item: item[1][0].size))


def _cosines_up(axes: Axes) -> None:
    """A vertical axis of cosines."""
    axes.axhline(0.0, **style.DASHED)
    axes.set_ylim(-1.08, 1.08)
    axes.yaxis.set_major_locator(MaxNLocator(5))


def _draw_sizes(axes: Axes, series: Points, looks: Looks) -> None:
    """The points of each optimizer above the sizes, a little aside of those of others."""
    drawn = []
    for place, (label, mine) in enumerate(series.items()):
        aside = ASIDE / 72 * (place - (len(series) - 1) / 2)
        points = np.array(sorted(mine)).T
        look = {
            "label": label,
            "transform": _shifted(axes, aside),
            **looks[label],
        }
        drawn.append((points[0], points, look))
    _draw(axes, drawn)


def _shifted(axes: Axes, inches: float) -> Transform:
    """From data to the figure, so many inches to the right."""
    return axes.transData + ScaledTranslation(inches, 0, axes.figure.dpi_scale_trans)


def _draw_places(axes: Axes, series: Points, looks: Looks) -> None:
    """The point of each optimizer at a place of its own, or a word that there is none."""
    drawn = []
    for place, (label, (point,)) in enumerate(series.items()):
        drawn.append((np.array([place]), np.array([point]).T, {"label": label, **looks[label]}))
        if np.isnan([point.cosine, point.end]).all():
            axes.text(place, NOWHERE, NONE, **WORD)
    _draw(axes, drawn)


def _draw(axes: Axes, drawn: list[tuple[np.ndarray, np.ndarray, Look]]) -> None:
    """Cosines with their intervals, and above all of them open points where a step is hidden by noise.

    Args:
        axes: where.
        drawn: for each optimizer where its points stand, (5, N) what they are, and keywords of `Axes.plot`.
    """
    for x, points, look in drawn:
        _draw_cosines(axes, x, points, look)
    for x, (*_, end), look in drawn:
        if np.isfinite(end).any():
            axes.plot(x, end, **OPEN, **_bare(look))


def _draw_cosines(axes: Axes, x: np.ndarray, points: np.ndarray, look: Look) -> None:
    """Cosines with their intervals.

    Args:
        axes: where.
        x: (N,) where they stand.
        points: (5, N) what they are.
        look: keywords of `Axes.plot`.
    """
    _, cosine, low, high, _ = points
    axes.plot(x, cosine, **DOT, **look)
    axes.vlines(x, low, high, lw=1, **_bare(look))


def _bare(look: Look) -> Look:
    """A look without its label and the style of its line."""
    return {name: value for name, value in look.items() if name not in ("label", "linestyle")}


def points(ledgers: Iterable[Ledger], reference: str) -> Points:
    """What is drawn of one landscape at one moment, of the cosines with one reference."""
    return grouped(
        (str(arm["optimizer"].item()), _point(arm, cosines.sel(reference=reference)))
        for arm, cosines in ledgers
    )


def _ledgers(dataset: Dataset) -> list[Ledger]:
    """The arms of which a cosine with any reference can be told."""
    every = stack(dataset)
    number = every.sizes["arm"]
    angles = _cosines(every) if number else every
    ledgers = [(every.isel(arm=place), angles.isel(arm=place)) for place in range(number)]
    return [(arm, cosines) for arm, cosines in ledgers if _any(cosines)]


def _any(cosines: Dataset) -> bool:
    """Whether a cosine with some reference can be told."""
    return bool((cosines["cosine"].notnull() | cosines["hidden"]).any())


def _cosines(every: Dataset) -> Dataset:
    """The cosines of all arms with all references, and whether each is hidden by noise."""
    cosines = noise.alignment(every).isel(moment=0)
    # a length of 0: no step is seen at all
    return cosines.assign(hidden=cosines["unresolved"] & (cosines["length"] > 0))


def _point(arm: Dataset, cosine: Dataset) -> Point:
    size = float(arm["sample_size"].mean())
    end = 1.0 if bool(cosine["hidden"]) else np.nan
    return Point(size, *panels.with_interval(cosine, "cosine"), end)


def _sizes_across(axes: Axes, series: Points) -> None:
    """A horizontal axis of sizes, on a log scale."""
    sizes = _sizes(series)
    if sizes:
        axes.set_xscale("log")
        axes.set_xlim(sizes[0] / MARGIN, sizes[-1] * MARGIN)
        _name_sizes(axes, sizes)
    else:
        _places_across(axes, series)


def _name_sizes(axes: Axes, sizes: list[float]) -> None:
    """Ticks at these sizes alone, as far as their labels do not touch."""
    shown = _apart(sizes)
    axes.set_xticks(shown, [f"{size:g}" for size in shown])
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xticks([], minor=True)


def _sizes(series: Points) -> list[float]:
    """All sizes, increasing."""
    sizes = {point.size for mine in series.values() for point in mine}
    return sorted(size for size in sizes if np.isfinite(size))


def _apart(sizes: list[float]) -> list[float]:
    """Sizes whose labels do not touch: of those closer than a part of the axis, the first."""
    least = APART * np.log(sizes[-1] / sizes[0] * MARGIN**2)
    kept = sizes[:1]
    for size in sizes[1:]:
        if np.log(size / kept[-1]) > least:
            kept.append(size)
    return kept


def _places_across(axes: Axes, series: Points) -> None:
    """A place for each optimizer; below neighbours of the same size stands that size, once."""
    axes.set_xlim(-0.6, max(1, len(series)) - 0.4)
    groups = _groups(series)
    crowded = len(series) * max(map(len, groups), default=0) > CROWDED
    middles = [float(np.mean(places)) for places in groups.values()]
    axes.set_xticks(middles, list(groups), rotation=90 if crowded else 0)
    _part_groups(axes, list(groups.values()))


def _part_groups(axes: Axes, groups: list[list[int]]) -> None:
    """Short lines between the places of one size and of the next."""
    axes.set_xticks([first - 0.5 for first, *_ in groups[1:]], minor=True)
    axes.tick_params(axis="x", which="major", length=0)
    axes.tick_params(axis="x", which="minor", length=4)


def _groups(series: Points) -> dict[str, list[int]]:
    """The places of the optimizers of each size."""
    return grouped((f"{mine[0].size:g}", place) for place, mine in enumerate(series.values()))
