"""Running time against a swept axis, such as the dimension, on log axes, with exponents of power laws.

Expected running times to one target, and 95 % intervals, an arrow where one goes down to 0. A mark is hollow
where some worlds failed; a triangle near the upper edge stands where none reached the target. The caption
says the slopes, fitted to all values at which the expected running time is known, jointly over worlds
(`studies.analysis.trends.scaling`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from xarray import DataArray, Dataset

from studies.analysis.running_time.runtime import expected_running_time
from studies.analysis.trends.scaling import scaling as power_law
from studies.figures import layout, legends, panels, style
from studies.figures.clocks import with_clock
from studies.figures.style import Look, Looks
from studies.results.arms import arms, dims_beside
from studies.results.clocks import words
from studies.results.hits import hits, spent
from studies.text.schema import DIMS

PANEL, NARROW = 2.2, 1.65  # inches: the height of a panel, its least width
COLUMNS = 3  # panels beside one another, at most
TRIANGLE: Look = {"marker": "^", "ms": 4.5, "ls": "", "clip_on": False, "zorder": 4}
OPEN = 2.0  # times less than a running time the arrow ends of an interval that goes down to 0
MOST = 8  # values of the axis that have ticks of their own
TOP = 0.97  # of the height of a panel, where triangles stand: below what its title says
ASIDE = 1.012  # times the value of the axis at which the next arm has its triangle
SOME, NONE = "some worlds failed", "no world reached it"


class Line(NamedTuple):
    """What is drawn of an arm."""

    x: np.ndarray  # (X,) values of the axis
    ert: np.ndarray  # (X,) inf where no world reached the target, NaN where there is none
    ends: np.ndarray  # (2, X) of its interval
    failed: np.ndarray  # (X,) whether some world failed to
    exponent: np.ndarray  # (3,) of the power law, and its interval; NaN where there is no fit


def scaling(
    dataset: Dataset,
    width: float = style.WIDTH,
    *,
    x: str | None = None,
    target: float | None = None,
    clock: str = "cost",
) -> Figure:
    """The figure of a whole Dataset: a panel for each landscape.

    Args:
        dataset: a study's results with a sweep.
        width: inches.
        x: the swept axis, of numbers; values that are not above 0 are left out. None: the first such axis.
        target: the loss; None: the last of the study's targets.
        clock: of the running times: cost, steps, epochs, virtual_time or seconds.

    Raises:
        ValueError: there is no such axis, target or clock.
    """
    axis = _axis(dataset, x)
    if target is None and not dataset.sizes.get("target"):
        raise ValueError(
            "scaling: expected a target, since these results have none; give target: a loss"
        )
    dataset = with_clock(dataset, clock)
    dataset = dataset.sel({axis: dataset[axis] > 0})
    looks = _looks(dataset, axis)
    figure = Figure(layout="constrained")
    number = dataset.sizes["landscape"]
    grid = layout.laid_out(figure, number, layout.abreast(min(number, COLUMNS), width, NARROW), width)
    slopes = []
    for axes, (name, part) in zip(grid.panels, panels.landscapes(dataset), strict=True):
        drawn = lines(part, axis, target, clock) if _touched(part, axis) else {}
        _panel(drawn, axes, looks, _why_not(part, axis))
        panels.noted_title(axes, name, [_goal(part, target)], grid.inches - 0.5)
        slopes += [f"{name}, {label}: {_slope(line)}" for label, line in drawn.items()]
    grid.label(style.wrapped(f"expected running time ({words(clock)})", PANEL - 0.7), axis)
    entries = legends.lines(style.factored(legends.drawn(figure.axes, looks)))
    said = _said(dataset, axis, slopes)
    return legends.finish(figure, entries + _marks(figure), said, width, PANEL * grid.lines + 0.35)


def _axis(dataset: Dataset, x: str | None) -> str:
    """The axis that running times are drawn against.

    Raises:
        ValueError: there is none.
    """
    axes = [axis for axis in dims_beside(dataset["loss"], *DIMS) if dataset[axis].dtype.kind in "iuf"]
    axes = [axis for axis in axes if int((dataset[axis] > 0).sum()) > 1]
    if not axes or (x is not None and x not in axes):
        names = ", ".join(axes) or "none"
        raise ValueError(
            f"scaling: expected x to be a swept axis with two values above 0 or more ({names}), got {x}"
        )
    return x or axes[0]


def _looks(dataset: Dataset, axis: str) -> Looks:
    """A look for each arm at one value of the axis."""
    first = dataset.isel({axis: -1})
    every = [label for _, part in panels.landscapes(first) for label, _ in arms(part, ["loss"])]
    return style.looks_of(dataset, list(dict.fromkeys(every)))


def _goal(part: Dataset, target: float | None) -> str:
    """The target, in words."""
    losses = part["target_loss"].isel(target=-1).values if target is None else np.array(target)
    losses = np.unique(losses[np.isfinite(losses)])
    if len(losses) == 1:
        return f"target {style.short(float(losses[0]))}"
    return "the last target of each"


# the numbers ------------------------------------------------------------------------------------------------


def lines(
    part: Dataset, axis: str, target: float | None = None, clock: str = "cost"
) -> dict[str, Line]:
    """Label of an arm -> its running times along an axis of values above 0.

    Args:
        part: results of one landscape.
        axis: a swept dim.
        target: the loss; None: the last of the study's targets.
        clock: of the running times.
    """
    which = f"hit_{clock}"
    goal = None if target is None else [target]
    times = expected_running_time(part, goal, which).isel(target=-1)
    hit = hits(part, goal, which).isel(target=-1)
    cost = hit.where(hit < np.inf, spent(part, clock)).where(hit.notnull())
    reached = (hit < np.inf).astype(float).where(hit.notnull())
    fits = power_law(_ert, [cost, reached], axis, long_name="expected running time")
    every = {}
    for label, arm in arms(part.isel({axis: -1}), ["loss"]):
        place = {dim: arm[dim].item() for dim in dims_beside(times["ert"], axis)}
        every[label] = _line(times.sel(place), fits.sel(place), axis)
    return every


def _ert(cost: np.ndarray, reached: np.ndarray, axis: int = -1) -> np.ndarray:
    """What all runs spent over the number of those that reached the target."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ert: np.ndarray = np.nansum(cost, axis) / np.nansum(reached, axis)
    return ert


def _line(times: Dataset, fit: Dataset, axis: str) -> Line:
    ends = times["ert_interval"].transpose("bound", axis).values
    interval = fit["exponent_interval"].values.tolist()
    failed = (times["successes"] < times["worlds"]).values
    exponent = np.array([float(fit["exponent"]), *interval])
    return Line(_numbers(times[axis]), times["ert"].values, ends, failed, exponent)


def _numbers(values: DataArray) -> np.ndarray:
    return np.asarray(values.values, float)


# a panel ----------------------------------------------------------------------------------------------------


def _panel(drawn: dict[str, Line], axes: Axes, looks: Looks, why_not: str) -> None:
    """Draw the arms of a landscape on Axes, or say why there are none."""
    axes.set(xscale="log", yscale="log")
    if not any(np.isfinite(line.ert).any() for line in drawn.values()):
        panels.empty(axes, "no arm reached it" if drawn else why_not)
        return
    for place, (label, line) in enumerate(drawn.items()):
        aside = ASIDE ** (place - (len(drawn) - 1) / 2)
        _draw(line, axes, label, looks[label], aside)
    every = np.concatenate([line.x for line in drawn.values()])
    axes.set_xlim(every.min() / 1.15, every.max() * 1.15)
    _ticks(axes, np.unique(every))
    panels.decades(axes.yaxis)
    panels.rules(axes)


def _touched(part: Dataset, axis: str) -> bool:
    """Whether losses of a landscape differ along an axis, or there are none."""
    loss = part["loss"]
    return bool((loss != loss.isel({axis: 0})).any())


def _why_not(part: Dataset, axis: str) -> str:
    """Why a landscape has no lines."""
    return f"the same at every {axis}" if part["loss"].notnull().any() else "no runs"


def _ticks(axes: Axes, values: np.ndarray) -> None:
    """Ticks at the values of the axis, or, where they are many, at powers of ten."""
    if len(values) > MOST:
        panels.powers(axes.xaxis, MOST)
        return
    axes.set_xticks(values, [f"{value:g}" for value in values])
    axes.set_xticks([], minor=True)


def _draw(line: Line, axes: Axes, label: str, look: Look, aside: float) -> None:
    """The running times of an arm, their intervals and failures.

    Args:
        line: the running times.
        axes: where.
        label: of the arm.
        look: keywords of `Axes.plot`.
        aside: times the value of the axis, where a triangle stands, so that none hides another.
    """
    there = np.isfinite(line.ert) & (line.ert > 0)
    x, ert = line.x[there], line.ert[there]
    colour = look["color"]
    bar: Look = {"fmt": "none", "ecolor": colour, "elinewidth": 0.8}
    axes.plot(x, ert, label=label, **look)
    low, high = line.ends[:, there]
    down = low <= 0  # where a log axis has no end
    axes.errorbar(x, ert, [np.where(down, 0, ert - low), high - ert], **bar)
    axes.errorbar(x[down], ert[down], ert[down] * (1 - 1 / OPEN), uplims=True, capsize=2, **bar)
    for failed in (False, True):
        these = line.failed[there] == failed
        face = "white" if failed else colour
        axes.plot(x[these], ert[these], "o", ms=3.5, mec=colour, mfc=face, zorder=3)
    never = line.x[np.isinf(line.ert)]
    if never.size:
        upper = axes.get_xaxis_transform()
        axes.plot(never * aside, [TOP] * never.size, transform=upper, color=colour, **TRIANGLE)


def _marks(figure: Figure) -> list:
    """Entries of the marks of failures that are there."""
    shown = [line for axes in figure.axes for line in axes.lines if np.size(line.get_xdata())]
    hollow = any(line.get_markerfacecolor() == "white" for line in shown)
    none = any(line.get_marker() == "^" for line in shown)
    marks: dict[str, Look] = {
        SOME: {"marker": "o", "ms": 3.5, "ls": "", "mfc": "white", "mec": style.WORDS},
        NONE: TRIANGLE | {"color": style.WORDS},
    }
    wanted = {SOME: hollow, NONE: none}
    return [legends.entry(label, **look) for label, look in marks.items() if wanted[label]]


# words ------------------------------------------------------------------------------------------------------


def _slope(line: Line) -> str:
    """The exponent with its interval."""
    value, low, high = line.exponent
    if not np.isfinite(value):
        return "no fit"
    return f"{value:.2f} [{low:.2f}, {high:.2f}]"


def _said(dataset: Dataset, axis: str, slopes: list[str]) -> str:
    """What marks are, and the slopes."""
    words = f"expected running time and 95 % interval of {legends.of_worlds(dataset)} along {axis}"
    words += " (arrows: down to 0)"
    words += (
        "; exponents of a power law, with 95 % intervals, of the values that some world reached it at"
    )
    return f"{words}: {'; '.join(slopes)}"
