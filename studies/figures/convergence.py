"""Loss against cost: the median over worlds, one panel for each landscape; curves end where runs end.

Bands, of up to seven arms, go from quartile to quartile. A triangle at the upper edge stands at the cost
where the median diverged, that is more than half of the worlds; a hollow one, where fewer did, at the median
of theirs. An arm of few steps is named with their number, and has a dot at each; one that never asked is
named and not drawn. Gaps to an optimum and raw losses never share a panel.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import SubplotSpec
from matplotlib.lines import Line2D
from xarray import DataArray, Dataset

from studies.figures import captions, graded, legends, line_ends, panels, scales, style
from studies.figures.clocks import counted, timed
from studies.figures.clocks import label as axis_label
from studies.figures.graded import Shown
from studies.figures.legend_room import PANEL, Places, alone, places
from studies.figures.scales import Arms, Scale
from studies.figures.style import Look, Looks
from studies.results.arms import quartiles
from studies.results.hits import spent
from studies.text.schema import Status

FEW = 20  # steps, below which an arm is named with their number
TRIANGLE: Look = {"marker": "^", "ms": 5, "mew": 0.9, "ls": "", "clip_on": False, "zorder": 4}
DOT: Look = {"marker": "o", "ms": 2.5}
LEGEND: Look = {"loc": "upper left", "alignment": "left"}
LOST = {"half": "the median diverged", "some": "some worlds diverged"}


class Runs(NamedTuple):
    """The worlds of an arm."""

    cost: np.ndarray  # (C,)
    loss: np.ndarray  # (R, C) inf where diverged, NaN where there is no number
    steps: np.ndarray  # (R, C) inf where they were not counted
    bill: np.ndarray  # (R,) the cost at which a world ended
    there: np.ndarray  # (R,) whether a world has numbers
    lost: np.ndarray  # (R,) whether it diverged


class Curve(NamedTuple):
    """What is drawn of an arm."""

    cost: np.ndarray  # (C,) up to the end of its runs
    quartiles: np.ndarray  # (3, C), inf where so many worlds have diverged
    # cost at which the median diverged, or else the median of the worlds that did; NaN where none did
    lost: float
    half: bool  # whether the median did
    steps: np.ndarray  # (C,) median over worlds


# the whole figure -------------------------------------------------------------------------------------------


def convergence(dataset: Dataset, width: float = style.WIDTH, clock: str = "cost") -> Figure:
    """The figure of a whole Dataset; the legend stands in a free panel, or below where it needs more.

    Args:
        dataset: a study's results.
        width: inches.
        clock: along which losses are drawn: cost, steps, epochs, virtual_time or seconds.

    Raises:
        ValueError: there is no such clock, or it was not recorded.
    """  # noqa: DOC502
    dataset = timed(dataset, clock)
    shown, arms = scales.panels(dataset), graded.shown(dataset)
    figure = Figure(layout="constrained")
    drawn = [figure.add_subplot() for _ in shown]
    every = [_of_kind(part, gap) for _, part, gap in shown]
    for axes, of_kind in zip(drawn, every, strict=True):
        _panel(of_kind, axes, arms.looks)
    said = _said(dataset, arms.looks, drawn) + arms.said + scales.SHARED * scales.share(drawn, shown)
    captions.say(figure, said)
    handles = _handles(dataset, arms, drawn, width)
    at = alone(len(shown), width)
    named = not _marks(drawn) and line_ends.named(drawn, arms.looks, (width / at.columns, PANEL))
    if not named:
        lines = [str(handle.get_label()) for handle in handles]
        at = places(len(shown), lines, width).around(lines, width)
    place = _lay_out(figure, drawn, at)
    if not named:
        _legend(figure.add_subplot(place), handles, at.across)
    inches = width / at.columns - 0.5  # of words
    for axes, (title, _, _), of_kind in zip(drawn, shown, every, strict=True):
        panels.noted_title(axes, title, _notes(of_kind), inches)
    _label(drawn, [gap for _, _, gap in shown], at.columns, inches, axis_label(clock))
    figure.set_size_inches(width, sum(at.heights) + arms.bar(figure, drawn, width))
    return figure


def _lay_out(figure: Figure, drawn: Sequence[Axes], at: Places) -> SubplotSpec:
    """Put the panels where they stand, and return the place of a legend."""
    grid = figure.add_gridspec(at.rows + (not at.beside), at.columns, height_ratios=at.heights)
    for number, axes in enumerate(drawn):
        axes.set_subplotspec(grid[divmod(number, at.columns)])
    free = len(drawn) % at.columns
    return grid[at.rows - 1, free:] if at.beside else grid[at.rows, :]


def _label(
    drawn: Sequence[Axes], gaps: Sequence[bool], columns: int, inches: float, across: str
) -> None:
    """The labels of the axes.

    Args:
        drawn: the panels.
        gaps: whether the losses of each are gaps.
        columns: panels in a row.
        inches: what words may take.
        across: what the horizontal axes are.
    """
    for i, (axes, gap) in enumerate(zip(drawn, gaps, strict=True)):
        if i % columns == 0 or len(set(gaps)) > 1:
            axes.set_ylabel(scales.name(gap=gap))
        if i + columns >= len(drawn):
            panels.cost_label(axes, inches, across)


def _legend(axes: Axes, handles: list[Line2D], columns: int) -> None:
    """The legend on Axes of its own."""
    axes.set_axis_off()
    legend = axes.legend(handles=handles, ncols=columns, **LEGEND)
    legend.set_in_layout(False)  # its place was made above


def _marks(drawn: Sequence[Axes]) -> list[Line2D]:
    """The triangles of arms that diverged."""
    return [line for axes in drawn for line in axes.lines if line.get_marker() == "^"]


def _handles(dataset: Dataset, arms: Shown, drawn: Sequence[Axes], width: float) -> list[Line2D]:
    """Entries of the arms that are drawn, of those that diverged by their triangles, and of the triangles."""
    marks = _marks(drawn)
    lost = {mark.get_gid() for mark in marks}
    shown = legends.drawn_arms(drawn, arms.looks, dataset)
    there = {label: look for label, look in arms.looks.items() if label in shown or label in lost}
    handles = [
        legends.entry(_named(label, width), **look) for label, look in arms.entries(there).items()
    ]
    faces = {"half": style.WORDS, "some": "white"}
    hollow = {mark.get_markerfacecolor() == "white" for mark in marks}
    return handles + [
        legends.entry(LOST[name], **TRIANGLE | {"mec": style.WORDS, "mfc": face})
        for name, face in faces.items()
        if (face == "white") in hollow
    ]


def _named(label: str, width: float) -> str:
    """A label as the legend has it: no wider than the figure."""
    return style.wrapped(label, width - 0.9, 7.5)


def _said(dataset: Dataset, looks: Looks, drawn: Sequence[Axes]) -> str:
    """What curves and bands are."""
    worlds = legends.of_worlds(dataset)
    median = "" if dataset.sizes["replicate"] == 1 else "median of "
    words = f"true loss of recommended points, {median}{worlds}"
    bands = any(axes.collections for axes in drawn)
    return (
        words
        + "; bands: from quartile to quartile" * bands
        + legends.each(dataset, looks, scales.apart(dataset))
    )


# a panel ----------------------------------------------------------------------------------------------------


def panel(dataset: Dataset, axes: Axes, looks: Looks | None = None, gap: bool | None = None) -> Axes:
    """Draw one landscape (no `landscape` dim) on Axes and return them.

    Args:
        dataset: with `loss` (optimizer, [axes], replicate, checkpoint), `status` and the coordinate `cost`
            (checkpoint).
        axes: where to draw.
        looks: label -> keywords of `Axes.plot`; an arm whose label is not there looks like its optimizer, and
            has no band.
        gap: whether the arms whose loss is the gap to the optimum are drawn, or the others; None: all, which
            must be of one kind.

    Raises:
        ValueError: some arms have gaps, others raw losses, and `gap` does not say which.
    """
    return _panel(_of_kind(dataset, gap), axes, looks or style.arm_looks(dataset))


def _panel(of_kind: Arms, axes: Axes, looks: Looks) -> Axes:
    """Draw arms of one kind on Axes and return them."""
    asking = scales.asking(of_kind)
    scale = scales.scale(asking)
    bands = looks if len(looks) <= style.BANDS else {}
    drawn = [
        _draw(
            curve(arm),
            axes,
            scale,
            {"label": label, **style.look(looks, label, arm)},
            band=label in bands,
        )
        for label, arm in asking
    ]
    losses = np.concatenate([np.array([]), *drawn])
    losses = losses[np.isfinite(losses)]
    if axes.lines:
        panels.costs(axes)
        scales.finish(axes, scale, losses)
    if not losses.size:
        _nothing(axes)
    return axes


def _nothing(axes: Axes) -> None:
    """Say that there is no finite loss; where worlds diverged, costs tell when."""
    panels.nothing(axes, "no finite loss")
    axes.set_yticks([])
    axes.set_xticks(axes.get_xticks() if any(line.get_marker() == "^" for line in axes.lines) else [])


def notes(dataset: Dataset, gap: bool | None = None) -> list[str]:  # noqa: FBT001
    """What is said above a panel.

    Arms of so few steps that a curve alone would mislead, and those that made none.

    Args:
        dataset: as of `panel`.
        gap: as of `panel`.
    """
    return _notes(_of_kind(dataset, gap))


def _notes(of_kind: Arms) -> list[str]:
    """What is said of arms of one kind."""
    few = {}
    for label, arm in scales.asking(of_kind):
        steps = float(np.median(arm["steps"].isel(checkpoint=-1))) if "steps" in arm else np.inf
        if steps < FEW:
            few[label] = round(steps)
    return _few(few) + scales.idle(of_kind)


def _few(steps: dict[str, int]) -> list[str]:
    """A line on the arms of few steps, or none."""
    if not steps:
        return []
    if len(steps) > scales.NAMED:
        low, high = min(steps.values()), max(steps.values())
        return [f"{len(steps)} arms of {low}{f' to {high}' * (high > low)} steps"]
    return [", ".join(f"{label}: {count} step{'s' * (count != 1)}" for label, count in steps.items())]


def _of_kind(dataset: Dataset, gap: bool | None) -> Arms:  # noqa: FBT001
    """The arms whose loss is of one kind, with what their worlds spent."""
    if "bill" not in dataset and counted(dataset):
        dataset = dataset.assign(bill=spent(dataset))
    return scales.arms_of(dataset, gap, "convergence")


def _draw(told: Curve, axes: Axes, scale: Scale, look: Look, *, band: bool) -> np.ndarray:
    """Draw an arm.

    Args:
        told: its curve.
        axes: where.
        scale: of the panel.
        look: keywords of `Axes.plot`, with the label.
        band: whether quartiles are drawn.

    Returns:
        All losses that were drawn.
    """
    low, median, high = (scale.clip(part) for part in told.quartiles)
    lower, there, upper = np.isfinite(told.quartiles)
    x, y, drawn = told.cost[there], median[there], [median[there]]
    if band and (there & (low < high)).any():
        axes.fill_between(told.cost, low, high, where=lower, color=look["color"], alpha=0.15, lw=0)
        drawn += [low[lower], high[upper]]
    if told.half and len(x):
        x, y = np.append(x, max(told.lost, x[-1])), np.append(y, scale.ceiling)
        drawn.append(y[-1:])
    axes.plot(x, y, **look, **_dots(told.steps[there], len(x)))
    if np.isfinite(told.lost):
        _triangle(told, axes, look)
    return np.concatenate(drawn)


def _dots(steps: np.ndarray, points: int) -> Look:
    """A dot at each of few steps, or at the only point of a curve.

    Args:
        steps: (C,) made at each cost, up to the end of the arm.
        points: of the curve.
    """
    if steps.size and steps[-1] < FEW:
        return DOT | {"markevery": _first(steps)}
    return DOT if points == 1 else {}


def _triangle(told: Curve, axes: Axes, look: Look) -> None:
    """At the upper edge, where the median diverged, or, hollow, where some worlds did."""
    colour, where = look["color"], axes.get_xaxis_transform()
    faces: Look = {"color": colour, "mec": colour, "mfc": colour if told.half else "white"}
    axes.plot([told.lost], [1.0], transform=where, gid=look["label"], **faces, **TRIANGLE)


def _first(steps: np.ndarray) -> list[int]:
    """Where each number of steps, but 0, is seen for the first time."""
    counts, places = np.unique(steps, return_index=True)
    return places[counts > 0].tolist()


# the numbers ------------------------------------------------------------------------------------------------


def curve(arm: Dataset) -> Curve:
    """What is drawn of an arm.

    Args:
        arm: results of one landscape and one arm, with the cost that each world spent as `bill` (replicate),
            if it is known.
    """
    runs = _runs(arm)
    lost, half = _lost(runs)
    parts = quartiles(DataArray(runs.loss, dims=("replicate", "checkpoint")))
    steps = np.median(runs.steps[runs.there], 0) if runs.there.any() else runs.steps[0]
    end = runs.bill[runs.there].max(initial=-np.inf)
    kept = runs.cost <= end
    cost = runs.cost[kept]
    if (
        runs.there.any() and not np.isclose(cost[-1:], end, rtol=1e-9).any()
    ):  # it lies between two checkpoints
        return Curve(np.append(cost, end), _until(parts, kept), lost, half, _until(steps, kept))
    return Curve(cost, parts[:, kept], lost, half, steps[kept])


def _runs(arm: Dataset) -> Runs:
    """The worlds of an arm."""
    cost = np.asarray(arm["cost"].values, float)
    status, loss = (_of_worlds(arm, name) for name in ("status", "loss"))
    diverged = status == Status.DIVERGED
    loss = np.where(status < Status.FAILED, np.where(diverged, np.inf, loss), np.nan)
    steps = _of_worlds(arm, "steps") if "steps" in arm else np.full(loss.shape, np.inf)
    bill = np.where(diverged[:, -1], cost[np.argmax(diverged, 1)], cost[-1])
    if "bill" in arm:
        billed = arm.variables["bill"].values
        bill = np.where(np.isnan(billed), bill, billed)
    return Runs(cost, loss, steps, bill, status[:, -1] < Status.FAILED, diverged[:, -1])


def _of_worlds(arm: Dataset, name: str) -> np.ndarray:
    """A variable of an arm (R, C)."""
    return arm.variables[name].transpose("replicate", "checkpoint").values


def _lost(runs: Runs) -> tuple[float, bool]:
    """The cost at which the median diverged, and True; or the median cost of the lost worlds, and False."""
    bills = np.sort(runs.bill[runs.there & runs.lost])
    most = int(runs.there.sum()) // 2  # worlds that may diverge before the median does
    if len(bills) > most:
        return float(bills[most]), True
    return float(np.median(bills)) if len(bills) else np.nan, False


def _until(values: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """What is kept along the last axis, and the last value, in which all runs have ended."""
    return np.concatenate([values[..., kept], values[..., -1:]], -1)
