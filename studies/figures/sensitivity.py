"""Loss of every trial of a tuning against each hyperparameter: one panel for each optimizer and parameter.

Landscapes whose losses are gaps to the optimum are series of one panel with a log scale, whose floor is the
precision; raw losses have panels of their own. Losses far above the rest, or no numbers, are drawn at the
upper edge.
"""

from __future__ import annotations

import json
from typing import NamedTuple

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from studies.analysis.trends.sensitivity import sensitivity as analysis
from studies.figures import legends, panels, scales, style
from studies.figures.style import Look
from studies.results.gaps import gap_known
from studies.results.precision import DEFAULT, precision
from studies.text.words import counted

ROW = 1.75  # inches
LEAST = 1.7  # inches, the width of a panel
COLUMNS = 4  # panels beside one another, at most
MARKS = "osD^vP*Xhd<>p8"
FIXED = ("parameter", "trial", "bound")
GREY = "#666666"
BEST: Look = {"ms": 7, "mec": "black", "mew": 1.1}
ABOVE: Look = {"clip_on": False, "zorder": 5}
LIGHTER = (0.0, 0.45, 0.25, 0.6)  # shades of the colour of an optimizer: of one series after another
MOST = 200  # decades that a log axis has at most
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


def sensitivity(dataset: xr.Dataset, width: float = style.WIDTH) -> Figure:
    """The figure of a whole Dataset.

    Args:
        dataset: results of a study with `tuning`.
        width: inches.

    Raises:
        ValueError: the study has no `tuning`, or none of the arms that were tuned is in these results.
    """
    told, looks, marks = _placed(dataset), style.optimizer_looks(dataset), dict[str, str]()
    shown = _panels(told)
    if not shown:
        raise ValueError(
            "sensitivity: expected arms that were tuned, found none in these results; keep the labels that"
            " the study gives"
        )
    columns = _columns(shown, width)
    inches = width / columns - 0.5  # of words
    figure = Figure(layout="constrained")
    grid = panels.grid(figure, len(shown), columns)
    titles = _titles(shown, told.sizes["landscape"], inches)
    for axes, title, part in zip(grid, titles, shown, strict=False):
        colour = looks[part.optimizer]["color"]
        panel(_of_panel(told, part), axes, colour, marks)
        axes.set_xlabel(style.wrapped(part.parameter, inches))
        axes.set_title(title, loc="left", fontweight="bold", color=colour)
    _label_losses(grid, shown, columns, told.attrs["objective"])
    below = legends.below(figure, _handles(marks), _said(told), width)
    tall = ROW + 0.14 * max(title.count("\n") for title in titles)
    height = tall * (len(grid) // columns) + 0.35 + legends.ROW * (below.rows + below.breaks + 1)
    figure.set_size_inches(width, height)
    return figure


def _label_losses(grid: np.ndarray, shown: list[Panel], columns: int, objective: str) -> None:
    """The labels of the vertical axes, where a row begins, or other losses: those of the objective."""
    for i, (axes, part) in enumerate(zip(grid, shown, strict=False)):
        if i % columns == 0 or part.gap != shown[i - 1].gap:
            loss = scales.name(gap=part.gap)
            labels = {"loss": loss, "area": f"mean {loss}"}
            axes.set_ylabel(labels.get(objective, objective))


def _placed(dataset: xr.Dataset) -> xr.Dataset:
    """The trials, with the precision, and whether their losses are gaps to the optimum."""
    parts = {"precision": precision(dataset)}
    if "gap_known" in dataset.coords:
        parts["gap_known"] = dataset["gap_known"]
    for name, part in parts.items():
        small = part.max("optimizer") if "optimizer" in part.dims else part
        parts[name] = small.reset_coords(drop=True)
    return analysis(dataset).assign_coords(parts)


def _of_kind(told: xr.Dataset, gap: bool) -> xr.Dataset:  # noqa: FBT001
    """The trials whose loss is the gap to the optimum, or the others; those left out are NaN."""
    return told.assign(loss=told["loss"].where(gap_known(told) == gap))


def _of_panel(told: xr.Dataset, part: Panel) -> xr.Dataset:
    """The trials of a panel."""
    at = {"optimizer": part.optimizer, "parameter": part.parameter, "landscape": part.landscapes}
    return _of_kind(told, part.gap).sel(at)


def _panels(told: xr.Dataset) -> list[Panel]:
    """What each panel shows: landscapes with gaps to the optimum together, each other one apart."""
    gaps, others = (_with_numbers(_of_kind(told, gap)) for gap in (True, False))
    groups = [(gaps, True)] * bool(gaps) + [([name], False) for name in others]
    pairs = [
        (name, parameter)
        for name in told["optimizer"].values.tolist()
        for parameter in told["parameter"].values.tolist()
        if told["scale"].sel(optimizer=name, parameter=parameter).item()
    ]
    return [Panel(*pair, *group) for group in groups for pair in pairs]


def _with_numbers(told: xr.Dataset) -> list[str]:
    """The landscapes of which some trial has a loss."""
    return [name for name, part in panels.landscapes(told) if bool(part["loss"].notnull().any())]


def _columns(shown: list[Panel], width: float) -> int:
    """Panels beside one another: so many that the next landscapes begin a row, where that goes."""
    most = panels.abreast(min(len(shown), COLUMNS), width, LEAST)
    together = sum(part[2:] == shown[0][2:] for part in shown)
    return next((columns for columns in range(most, 1, -1) if together % columns == 0), most)


def _titles(shown: list[Panel], landscapes: int, inches: float) -> list[str]:
    """The optimizer of each panel, and, where some panel does not have all landscapes, those that it has."""
    several = any(len(part.landscapes) < landscapes for part in shown)
    places = [f": {', '.join(part.landscapes)}" if several else "" for part in shown]
    return [
        style.wrapped(part.optimizer + place, inches) for part, place in zip(shown, places, strict=True)
    ]


def _handles(marks: dict[str, str]) -> list[Line2D]:
    look: Look = {"ls": "", "color": GREY, "ms": 4}
    return [
        *(legends.entry(name, marker=mark, **look) for name, mark in marks.items()),
        legends.entry("best: the study runs with it", marker="o", **look | BEST),
        legends.entry("diverged, or far above", marker="o", **look | {"mfc": "white"}),
    ]


def _said(told: xr.Dataset) -> str:
    """The words above the legend."""
    worlds, trials = int(told["worlds"].max()), told.sizes["trial"]
    words = (
        f"medians of {counted(worlds, 'world')} that the study does not use, {trials} trials each, at"
    )
    words += f" {told.attrs['at']:g} of the budget"
    return words if told["loss_interval"].isnull().all() else f"{words}; lines: 95 % intervals"


# a panel ----------------------------------------------------------------------------------------------------


def panel(
    told: xr.Dataset, axes: Axes, colour: str = style.COLOURS[0], marks: dict[str, str] | None = None
) -> Axes:
    """Draw one parameter of one optimizer on Axes and return them.

    Args:
        told: what `studies.analysis.trends.sensitivity.sensitivity` gives, without the dims optimizer and
            parameter.
        axes: where to draw.
        colour: of the optimizer.
        marks: series -> marker; new series are added.
    """
    marks = {} if marks is None else marks
    series = _series(told)
    losses = np.concatenate([trials["loss"].values for trials in series.values()])
    least = float(told["precision"].min()) if "precision" in told.coords else DEFAULT
    _across(axes, told)
    edges = _up(axes, losses, least)
    for place, (name, trials) in enumerate(series.items()):
        marks.setdefault(name, MARKS[len(marks) % len(MARKS)])
        shade = style.paler(colour, LIGHTER[list(marks).index(name) % len(LIGHTER)])
        x = _aside(trials, place, len(series))
        _draw(axes, x, trials, edges, {"marker": marks[name], "color": shade})
    return axes


def _draw(axes: Axes, x: np.ndarray, trials: xr.Dataset, edges: Edges, look: Look) -> None:
    """The trials of a series.

    Args:
        axes: where.
        x: (T,) where each trial stands.
        trials: with `loss` (trial), `loss_interval` (trial, bound) and `winner`.
        edges: of the panel.
        look: marker and colour.
    """
    y, best, (low, high) = (
        trials["loss"].values,
        trials["winner"].values,
        trials["loss_interval"].values.T,
    )
    lost = ~(y < edges.top)
    drawn = np.where(lost, edges.top, np.maximum(y, edges.low))
    bars = ~lost & ~np.isnan(low + high)
    ends = np.maximum(low[bars], edges.low), np.minimum(high[bars], edges.top)
    axes.vlines(x[bars], *ends, color=look["color"], lw=0.7, alpha=0.5, zorder=1)
    _marks(axes, x, drawn, (~lost & ~best, lost & ~best, best), look)


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
    marks = (base, base | {"mfc": "white"} | ABOVE, base | BEST | ABOVE)
    for which, mark in zip(kinds, marks, strict=True):
        if which.any():  # nothing at all, unclipped, would take up the whole figure
            axes.plot(x[which], y[which], **mark)


def _series(told: xr.Dataset) -> dict[str, xr.Dataset]:
    """Landscapes, with the values of the swept axes where these change anything."""
    series: dict[str, xr.Dataset] = {}
    axes = [str(dim) for dim in told["loss"].dims if dim not in FIXED and dim != "landscape"]
    for landscape, mine in panels.landscapes(told):
        seen = _distinct(mine, axes)
        telling = [axis for axis in axes if len({trials[axis].item() for trials in seen}) > 1]
        for trials in seen:
            along = [f"{axis} = {trials[axis].item()}" for axis in telling]
            series[", ".join([landscape, *along])] = trials
    return series


def _distinct(mine: xr.Dataset, axes: list[str]) -> list[xr.Dataset]:
    """The trials at each place on the axes, if they have numbers, and not the same as at a place before."""
    places = mine.stack(place=axes, create_index=False) if axes else mine.expand_dims("place")
    seen: dict[bytes, xr.Dataset] = {}
    for i in range(places.sizes["place"]):
        trials = places.isel(place=i)
        if not trials["loss"].isnull().all():
            numbers = np.concatenate([trials["loss"].values, np.nan_to_num(trials["value"].values)])
            seen.setdefault(numbers.tobytes(), trials)
    return list(seen.values())


def _aside(trials: xr.Dataset, place: int, many: int) -> np.ndarray:
    """Values; those of choices a little beside one another, so that series do not hide each other."""
    x = trials["value"].values
    if trials["scale"].item() != "choices":
        return x
    within = np.linspace(-0.5, 0.5, len(x)) * 0.6 / many
    return x + (place - (many - 1) / 2) * 0.7 / many + within


# axes -------------------------------------------------------------------------------------------------------


def _across(axes: Axes, told: xr.Dataset) -> None:
    """The horizontal axis."""
    if told["scale"].item() == "choices":
        choices = json.loads(told["choices"].item())
        axes.set_xticks(range(len(choices)), choices)
        axes.set_xlim(-0.6, len(choices) - 0.4)
    elif told["scale"].item() == "log":
        values = told["value"].values
        positive = values[values > 0]
        axes.set_xscale("log")
        if positive.size and positive.max() < SEVERAL * positive.min():
            panels.numbers(axes.xaxis, (1, 2, 5), 9)
        else:
            panels.powers(axes.xaxis, 5)


def _up(axes: Axes, losses: np.ndarray, least: float) -> Edges:
    """The vertical axis, for losses of which those up to `least` are not told apart."""
    panels.rules(axes, "y")
    losses = losses[np.isfinite(losses)]
    if not losses.size:
        axes.set(ylim=(0, 1), yticks=[])
        return Edges(-np.inf, 1.0)
    if losses.min() >= 0 and losses.max() > least:
        return _log_up(axes, losses, least)
    axes.set_ylim(_ends(losses, abs(float(losses.min())) or 1.0, 0.07))
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
    usual = FAR * (np.quantile(losses, 0.75) - losses.min()) + losses.min()
    near = losses[losses <= usual]
    span = float(np.ptp(near)) or alone
    return near.min() - below * span, near.max() + 0.16 * span


def _decades(losses: np.ndarray, below: float) -> tuple[float, float]:
    """The ends of a log axis for losses whose logarithms these are: ticks beyond must be numbers still."""
    bottom, top = _ends(losses, 0.3, below)
    return 10.0 ** max(bottom, -307), 10.0 ** min(top, bottom + MOST, max(bottom + 2, 250))


def _floor(axes: Axes, low: float) -> None:
    """A line at the precision, and its words."""
    axes.axhline(low, color=GREY, lw=0.5)
    look: Look = {"va": "top", "color": GREY, "fontsize": 6.5, "transform": axes.get_yaxis_transform()}
    axes.text(0.02, low, f"≤ precision {style.short(low)}", **look)
