"""Loss of every trial of a tuning against each hyperparameter: one panel for each optimizer and parameter.

Landscapes whose losses are gaps to the optimum are series of one panel with a log scale, whose floor is the
precision; raw losses have panels of their own. Losses far above the rest, or no numbers, are drawn at the
upper edge.
"""

from __future__ import annotations

import json
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from xarray import DataArray, Dataset

from studies.analysis.trends.sensitivity import sensitivity as analysis
from studies.figures import layout, legends, panels, scales, style
from studies.figures.facets import finite
from studies.figures.style import Look
from studies.results.arms import dims_beside
from studies.results.gaps import gap_known
from studies.results.precision import DEFAULT, precision
from studies.text.words import counted

NOT_TUNED = (
    "expected arms that were tuned, found none in these results; keep the labels that the study gives"
)
ROW = 1.75  # inches
LEAST = 1.7  # inches, the width of a panel
COLUMNS = 4  # panels beside one another, at most
MARKS = "osD^vP*Xhd<>p8"
FIXED = ("parameter", "trial", "bound")
GREY = "#666666"
BEST: Look = {"ms": 7, "mec": "black", "mew": 1.1}
ABOVE: Look = {"clip_on": False, "zorder": 5}
HOLLOW: Look = {"mfc": "white"}
WORDS: Look = {"va": "top", "color": GREY, "fontsize": 6.5}
ENTRY: Look = {"ls": "", "color": GREY, "ms": 4}
LIGHTER = (0.0, 0.45, 0.25, 0.6)  # shades of the colour of an optimizer: of one series after another
MOST = 200  # decades that a log axis has at most
LOWEST, HIGHEST = -307, 250  # its powers of ten
SEVERAL = 30  # ratio of the ends of a log axis, below which 2 and 5 have labels too
BELOW = 0.2  # of the height, below the precision, for its words
# times the height of three quarters of all losses above the least, beyond which there is no place on an axis
FAR = 3


class Panel(NamedTuple):
    """What a panel shows."""

    optimizer: str
    parameter: str
    landscapes: list[str]
    gap: bool  # whether their losses are gaps to the optimum


class Edges(NamedTuple):
    """Where losses are drawn that have no place on an axis."""

    low: float  # those up to the precision, on a log scale; -inf: they are drawn as they are
    top: float  # those far above, and no numbers


# the whole figure -------------------------------------------------------------------------------------------


def sensitivity(dataset: Dataset, width: float = style.WIDTH) -> Figure:
    """The figure of a whole Dataset.

    Args:
        dataset: results of a study with `tuning`.
        width: inches.

    Raises:
        ValueError: the study has no `tuning`, or none of the arms that were tuned is in these results.
    """
    trials, looks, marks = _placed(dataset), style.optimizer_looks(dataset), dict[str, str]()
    shown = _panels(trials)
    if not shown:
        raise ValueError(f"sensitivity: {NOT_TUNED}")
    figure = Figure(layout="constrained")
    grid = layout.laid_out(figure, len(shown), _columns(shown, width), width)
    titles = _titles(shown, trials.sizes["landscape"], grid.inches - 0.5)
    for axes, title, part in zip(grid.panels, titles, shown, strict=True):
        colour = looks[part.optimizer]["color"]
        panel(_of_panel(trials, part), axes, colour, marks)
        axes.set_xlabel(style.wrapped(part.parameter, grid.inches - 0.5))
        axes.set_title(title, loc="left", fontweight="bold", color=colour)
    _label_losses(grid, shown, trials.attrs["objective"])
    tall = ROW + 0.14 * max(title.count("\n") for title in titles)
    height = tall * grid.lines + 0.35
    return legends.finish(figure, _handles(marks), _said(trials), width, height)


def _label_losses(grid: layout.Grid, shown: list[Panel], objective: str) -> None:
    """The labels of the vertical axes, where a row begins, or other losses: those of the objective."""
    for number, (axes, part) in enumerate(zip(grid.panels, shown, strict=True)):
        if number % grid.columns == 0 or part.gap != shown[number - 1].gap:
            loss = scales.name(gap=part.gap)
            labels = {"loss": loss, "area": f"mean {loss}"}
            axes.set_ylabel(labels.get(objective, objective))


def _placed(dataset: Dataset) -> Dataset:
    """The trials, with the precision, and whether their losses are gaps to the optimum."""
    parts = {"precision": precision(dataset)}
    if "gap_known" in dataset:
        parts["gap_known"] = dataset["gap_known"]
    return analysis(dataset).assign_coords({name: _small(part) for name, part in parts.items()})


def _small(part: DataArray) -> DataArray:
    """A coordinate without other coordinates, the same for all optimizers."""
    largest = part.max("optimizer") if "optimizer" in part.dims else part
    return largest.reset_coords(drop=True)


def _of_kind(trials: Dataset, gap: bool) -> Dataset:  # noqa: FBT001
    """The trials whose loss is the gap to the optimum, or the others; those left out are NaN."""
    return trials.assign(loss=trials["loss"].where(gap_known(trials) == gap))


def _of_panel(trials: Dataset, part: Panel) -> Dataset:
    """The trials of a panel."""
    at = {"optimizer": part.optimizer, "parameter": part.parameter, "landscape": part.landscapes}
    return _of_kind(trials, part.gap).sel(at)


def _panels(trials: Dataset) -> list[Panel]:
    """What each panel shows: landscapes with gaps to the optimum together, each other one apart."""
    gaps, others = (_with_numbers(_of_kind(trials, gap)) for gap in (True, False))
    groups = [(gaps, True)] * bool(gaps) + [([name], False) for name in others]
    return [Panel(*pair, *group) for group in groups for pair in _pairs(trials)]


def _pairs(trials: Dataset) -> list[tuple[str, str]]:
    """The optimizers, each with its parameters that were tuned."""
    scales = trials["scale"].transpose("optimizer", "parameter").to_series()
    return [pair for pair, scale in scales.items() if scale]


def _with_numbers(trials: Dataset) -> list[str]:
    """The landscapes of which some trial has a loss."""
    return [name for name, part in panels.landscapes(trials) if bool(part["loss"].notnull().any())]


def _columns(shown: list[Panel], width: float) -> int:
    """Panels beside one another: so many that the next landscapes begin a row, where that goes."""
    most = layout.abreast(min(len(shown), COLUMNS), width, LEAST)
    together = sum(part[2:] == shown[0][2:] for part in shown)
    return next((columns for columns in range(most, 1, -1) if together % columns == 0), most)


def _titles(shown: list[Panel], landscapes: int, inches: float) -> list[str]:
    """The optimizer of each panel, and, where some panel does not have all landscapes, those that it has."""
    several = any(len(part.landscapes) < landscapes for part in shown)
    places = [f": {', '.join(part.landscapes)}" if several else "" for part in shown]
    texts = [part.optimizer + place for part, place in zip(shown, places, strict=True)]
    return [style.wrapped(text, inches) for text in texts]


def _handles(marks: dict[str, str]) -> list[Line2D]:
    series = [legends.entry(name, marker=mark, **ENTRY) for name, mark in marks.items()]
    best = legends.entry("best: the study runs with it", marker="o", **ENTRY | BEST)
    lost = legends.entry("diverged, or far above", marker="o", **ENTRY | HOLLOW)
    return [*series, best, lost]


def _said(trials: Dataset) -> str:
    """The words above the legend."""
    worlds = counted(int(trials["worlds"].max()), "world")
    words = (
        f"medians of {worlds} that the study does not use, {trials.sizes['trial']} trials each,"
        f" at {trials.attrs['at']:g} of the budget"
    )
    return words if trials["loss_interval"].isnull().all() else f"{words}; lines: 95 % intervals"


# a panel ----------------------------------------------------------------------------------------------------


def panel(
    trials: Dataset, axes: Axes, colour: str = style.COLOURS[0], marks: dict[str, str] | None = None
) -> Axes:
    """Draw one parameter of one optimizer on Axes and return them.

    Args:
        trials: what `studies.analysis.trends.sensitivity.sensitivity` gives, without the dims optimizer and
            parameter.
        axes: where to draw.
        colour: of the optimizer.
        marks: series -> marker; new series are added.
    """
    marks = {} if marks is None else marks
    series = _series(trials)
    losses = np.concatenate([mine["loss"].values for mine in series.values()])
    _across(axes, trials)
    edges = _up(axes, losses, _least(trials))
    for place, (name, mine) in enumerate(series.items()):
        x = _aside(mine, place, len(series))
        _draw(axes, x, mine, edges, _look(name, colour, marks))
    return axes


def _least(trials: Dataset) -> float:
    """The precision."""
    return float(trials["precision"].min()) if "precision" in trials.coords else DEFAULT


def _look(name: str, colour: str, marks: dict[str, str]) -> Look:
    """Marker and colour of a series, which is added to those that have a marker."""
    marker = marks.setdefault(name, MARKS[len(marks) % len(MARKS)])
    lighter = LIGHTER[list(marks).index(name) % len(LIGHTER)]
    return {"marker": marker, "color": style.paler(colour, lighter)}


def _draw(axes: Axes, x: np.ndarray, trials: Dataset, edges: Edges, look: Look) -> None:
    """The trials of a series.

    Args:
        axes: where.
        x: (T,) where each trial stands.
        trials: with `loss` (trial), `loss_interval` (trial, bound) and `winner`.
        edges: of the panel.
        look: marker and colour.
    """
    y, best = trials["loss"].values, trials["winner"].values
    lost = ~(y < edges.top)
    _intervals(axes, x[~lost], trials["loss_interval"].values[~lost].T, edges, look["color"])
    drawn = np.where(lost, edges.top, np.maximum(y, edges.low))
    _marks(axes, x, drawn, (~lost & ~best, lost & ~best, best), look)


def _intervals(axes: Axes, x: np.ndarray, ends: np.ndarray, edges: Edges, colour: style.Colour) -> None:
    """The intervals of trials.

    Args:
        axes: where.
        x: (T,) where each trial stands.
        ends: (2, T) lower and upper.
        edges: of the panel.
        colour: of the lines.
    """
    there = ~np.isnan(ends.sum(0))
    low, high = ends[:, there]
    inside = np.maximum(low, edges.low), np.minimum(high, edges.top)
    axes.vlines(x[there], *inside, color=colour, lw=0.7, alpha=0.5, zorder=1)


def _marks(axes: Axes, x: np.ndarray, y: np.ndarray, kinds: tuple[np.ndarray, ...], look: Look) -> None:
    """The marks of trials.

    Args:
        axes: where.
        x: (T,) where each trial stands.
        y: (T,) how high.
        kinds: three times (T,): which are usual, hollow at the upper edge, the best.
        look: marker and colour.
    """
    base: Look = {"ls": "", "ms": 3.6, "mew": 0.7} | look
    marks = (base, base | HOLLOW | ABOVE, base | BEST | ABOVE)
    for which, mark in zip(kinds, marks, strict=True):
        if which.any():  # nothing at all, unclipped, would take up the whole figure
            axes.plot(x[which], y[which], **mark)


def _series(every: Dataset) -> dict[str, Dataset]:
    """Landscapes, with the values of the swept axes where these change anything."""
    series: dict[str, Dataset] = {}
    axes = dims_beside(every["loss"], *FIXED, "landscape")
    for landscape, mine in panels.landscapes(every):
        seen = _distinct(mine, axes)
        telling = [axis for axis in axes if len({trials[axis].item() for trials in seen}) > 1]
        for trials in seen:
            along = [f"{axis} = {trials[axis].item()}" for axis in telling]
            series[", ".join([landscape, *along])] = trials
    return series


def _distinct(mine: Dataset, axes: list[str]) -> list[Dataset]:
    """The trials at each place on the axes, if they have numbers, and not the same as at a place before."""
    places = mine.stack(place=axes, create_index=False) if axes else mine.expand_dims("place")
    seen: dict[bytes, Dataset] = {}
    for place in range(places.sizes["place"]):
        trials = places.isel(place=place)
        if not trials["loss"].isnull().all():
            seen.setdefault(_bytes(trials), trials)
    return list(seen.values())


def _bytes(trials: Dataset) -> bytes:
    """What two series have in common that show the same."""
    values = np.nan_to_num(trials["value"].values)
    return np.concatenate([trials["loss"].values, values]).tobytes()


def _aside(trials: Dataset, place: int, many: int) -> np.ndarray:
    """Values; those of choices a little beside one another, so that series do not hide each other."""
    x = trials["value"].values
    if trials["scale"].item() != "choices":
        return x
    within = np.linspace(-0.5, 0.5, len(x)) * 0.6 / many
    return x + (place - (many - 1) / 2) * 0.7 / many + within


# axes -------------------------------------------------------------------------------------------------------


def _across(axes: Axes, trials: Dataset) -> None:
    """The horizontal axis."""
    scale = trials["scale"].item()
    if scale == "choices":
        choices = json.loads(trials["choices"].item())
        axes.set_xticks(range(len(choices)), choices)
        axes.set_xlim(-0.6, len(choices) - 0.4)
    elif scale == "log":
        axes.set_xscale("log")
        _decades_across(axes, trials["value"].values)


def _decades_across(axes: Axes, values: np.ndarray) -> None:
    """Ticks of a horizontal log axis of these values."""
    positive = values[values > 0]
    if positive.size and positive.max() < SEVERAL * positive.min():
        panels.numbers(axes.xaxis, (1, 2, 5), 9)
    else:
        panels.powers(axes.xaxis, 5)


def _up(axes: Axes, losses: np.ndarray, least: float) -> Edges:
    """The vertical axis, for losses of which those up to `least` are not told apart."""
    panels.rules(axes, "y")
    losses = finite(losses)
    if losses.size and losses.min() >= 0 and losses.max() > least:
        return _log_up(axes, losses, least)
    if losses.size:
        axes.set_ylim(_ends(losses, abs(float(losses.min())) or 1.0, 0.07))
    else:
        axes.set(ylim=(0, 1), yticks=[])
    return Edges(-np.inf, axes.get_ylim()[1])


def _log_up(axes: Axes, losses: np.ndarray, least: float) -> Edges:
    """A log axis, for losses of which some are above `least`."""
    low = least if (losses <= least).any() else -np.inf
    axes.set_yscale("log")
    panels.decades(axes.yaxis)
    axes.set_ylim(_decades(np.log10(np.maximum(losses, low)), BELOW if low > 0 else 0.07))
    if low > 0:
        _floor(axes, low)
    return Edges(low, axes.get_ylim()[1])


def _ends(losses: np.ndarray, alone: float, below: float) -> tuple[float, float]:
    """The ends of an axis that has room for all losses but those far above.

    Args:
        losses: or their logarithms.
        alone: what the axis spans where all are equal.
        below: the room below them, as a fraction.
    """
    least = losses.min()
    usual = FAR * (np.quantile(losses, 0.75) - least) + least
    near = losses[losses <= usual]
    span = float(np.ptp(near)) or alone
    return near.min() - below * span, near.max() + 0.16 * span


def _decades(losses: np.ndarray, below: float) -> tuple[float, float]:
    """The ends of a log axis for losses whose logarithms these are: ticks beyond must be numbers still."""
    bottom, top = _ends(losses, 0.3, below)
    return 10.0 ** max(bottom, LOWEST), 10.0 ** min(top, bottom + MOST, max(bottom + 2, HIGHEST))


def _floor(axes: Axes, low: float) -> None:
    """A line at the precision, and its words."""
    axes.axhline(low, color=GREY, lw=0.5)
    text = f"≤ precision {style.short(low)}"
    axes.text(0.02, low, text, transform=axes.get_yaxis_transform(), **WORDS)
