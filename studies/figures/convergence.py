"""Loss against cost: the median over worlds, one panel for each landscape; curves end where runs end.

Bands, of up to seven arms, go from quartile to quartile. A triangle at the upper edge stands at the cost
where the median diverged, that is more than half of the worlds; a hollow one, where fewer did, at the median
of theirs. An arm of few steps is told with their number, and has a dot at each; one that never asked is told
and not drawn. Gaps to an optimum and raw losses never share a panel.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from studies.figures import scales, style
from studies.figures.scales import Arms, Scale
from studies.results.arms import labels, quartiles
from studies.results.hits import spent
from studies.schema import Status

PANEL = 2.15  # inches, the height of a panel
BESIDE = 10  # so many lines of a legend fit into a panel
FEW = 20  # steps, below which an arm is told with their number
TRIANGLE: dict[str, Any] = {"marker": "^", "ms": 5, "mew": 0.9, "ls": "", "clip_on": False, "zorder": 4}
DOT: dict[str, Any] = {"marker": "o", "ms": 2.5}
LOST = {"half": "the median diverged", "some": "some worlds diverged"}


class Curve(NamedTuple):
    """What is drawn of an arm."""

    cost: np.ndarray  # (C,) up to the end of its runs
    quartiles: np.ndarray  # (3, C), inf where so many worlds have diverged
    # cost at which the median diverged, or else the median of the worlds that did; NaN where none did
    lost: float
    half: bool  # whether the median did
    steps: np.ndarray  # (C,) median over worlds


def convergence(dataset: xr.Dataset, width: float = style.WIDTH) -> Figure:
    """The figure of a whole Dataset; the legend stands in a free panel, or below where it needs more.

    Args:
        dataset: a study's results.
        width: inches.
    """
    shown = scales.panels(dataset)
    looks = style.arm_looks(dataset)
    columns, beside = _places(len(shown), [*looks, *LOST.values(), *_note(dataset, looks).split("\n")], width)
    rows, each = -(-len(shown) // columns), width / columns
    across = 1 if beside else style.across([*looks, *LOST.values()], width)
    wrapped = sum(_named(label, width).count("\n") for label in looks) if across == 1 else 0
    below = 0.0 if beside else 0.75 + 0.175 * (-(-(len(looks) + len(LOST)) // across) + wrapped)
    figure = Figure(figsize=(width, PANEL * rows + below), layout="constrained")
    grid = figure.add_gridspec(
        rows + (not beside), columns, height_ratios=[PANEL] * rows + [below] * (not beside)
    )
    alike = len({gap for _, _, gap in shown}) == 1
    panels = []
    for i, (title, part, gap) in enumerate(shown):
        axes = figure.add_subplot(grid[i // columns, i % columns])
        room = style.note(axes, notes(part, gap), each - 0.6)
        panels.append(panel(part, axes, looks, gap))
        axes.set_title(style.wrapped(title, each - 0.5), loc="left", fontweight="bold", pad=room)
        if i % columns == 0 or not alike:
            axes.set_ylabel(scales.name(gap=gap))
        if i + columns >= len(shown):
            axes.set_xlabel(style.wrapped("cost (evaluations)", each - 0.5))
    place = grid[rows - 1, len(shown) % columns :] if beside else grid[rows, :]
    _legend(figure.add_subplot(place), dataset, looks, across, panels)
    return figure


def _places(panels: int, lines: Sequence[str], width: float) -> tuple[int, bool]:
    """Columns of panels, and whether the legend, of these lines, stands in a place beside them that is free."""
    most = max(1, min(3, int(width // 1.65)))
    beside = len(lines) <= BESIDE and max(map(len, lines)) * style.LETTER * 7.5 + 0.5 < width / most
    columns = min(most, panels + (beside and panels < most))
    return columns, beside and panels % columns > 0


def panel(
    dataset: xr.Dataset, axes: Axes, looks: dict[str, dict[str, Any]] | None = None, gap: bool | None = None
) -> Axes:
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
    looks = looks or style.arm_looks(dataset)
    found = scales.asking(_of_kind(dataset, gap))
    shown = scales.scale(found)
    bands = len(looks) <= style.BANDS
    drawn = [
        _draw(curve(arm), axes, label, style.look(looks, label, arm), shown, band=bands and label in looks)
        for label, arm in found
    ]
    drawn = [loss[np.isfinite(loss)] for loss in drawn]
    if axes.lines:
        style.costs(axes)
        scales.finish(axes, shown, np.concatenate(drawn))
    if not any(loss.size for loss in drawn):
        style.nothing(axes, "no finite loss")
        axes.set_yticks([])
        axes.set_xticks(axes.get_xticks() if any(line.get_marker() == "^" for line in axes.lines) else [])
    return axes


def notes(dataset: xr.Dataset, gap: bool | None = None) -> list[str]:  # noqa: FBT001
    """What is said above a panel.

    Arms of so few steps that a curve alone would mislead, and those that made none.

    Args:
        dataset: as of `panel`.
        gap: as of `panel`.
    """
    found = _of_kind(dataset, gap)
    drawn = {label for label, _ in scales.asking(found)}
    steps = {
        label: float(np.median(arm["steps"].isel(checkpoint=-1)))
        for label, arm in found
        if "steps" in arm and label in drawn
    }
    few = {label: round(count) for label, count in steps.items() if count < FEW}
    said = [", ".join(f"{label}: {count} step{'s' * (count != 1)}" for label, count in few.items())] * bool(
        few
    )
    if len(few) > scales.TOLD:
        said = [f"{len(few)} arms of {min(few.values())} to {max(few.values())} steps"]
    return said + scales.idle(found)


def curve(arm: xr.Dataset) -> Curve:
    """What is drawn of an arm.

    Args:
        arm: results of one landscape and one arm, with the cost that each world spent as `bill` (replicate),
            if it is known.
    """
    status, cost = (
        arm["status"].transpose("replicate", "checkpoint").values,
        np.asarray(arm["cost"].values, float),
    )
    loss = arm["loss"].transpose("replicate", "checkpoint").values
    loss = np.where(status < Status.FAILED, np.where(status == Status.DIVERGED, np.inf, loss), np.nan)
    steps = (
        arm["steps"].transpose("replicate", "checkpoint").values
        if "steps" in arm
        else np.full(loss.shape, np.inf)
    )
    there, over = status[:, -1] < Status.FAILED, status[:, -1] == Status.DIVERGED
    bill = arm["bill"].values if "bill" in arm else np.full(len(loss), np.nan)
    bill = np.where(
        np.isnan(bill), np.where(over, cost[np.argmax(status == Status.DIVERGED, 1)], cost[-1]), bill
    )
    told = quartiles(xr.DataArray(loss, dims=("replicate", "checkpoint")))
    middle = np.median(steps[there], 0) if there.any() else steps[0]
    end = bill[there].max(initial=-np.inf)
    kept = cost <= end
    if (
        there.any() and not np.isclose(cost[kept][-1:], end, rtol=1e-9).any()
    ):  # the end of all runs lies between two checkpoints
        cost, told, middle = np.append(cost[kept], end), _until(told, kept), _until(middle, kept)
    else:
        cost, told, middle = cost[kept], told[:, kept], middle[kept]
    lost, most = (
        np.sort(bill[there & over]),
        int(there.sum()) // 2,
    )  # worlds that may diverge before the median does
    half = len(lost) > most
    return Curve(
        cost, told, float(lost[most] if half else np.median(lost)) if len(lost) else np.nan, half, middle
    )


def _until(values: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """What is kept along the last axis, and the last value, in which all runs have ended."""
    return np.concatenate([values[..., kept], values[..., -1:]], -1)


def _draw(
    told: Curve, axes: Axes, label: str, look: dict[str, Any], shown: Scale, *, band: bool
) -> np.ndarray:
    """Draw an arm; returns all losses that were drawn."""
    low, median, high = (shown.clip(part) for part in told.quartiles)
    there = np.isfinite(told.quartiles[1])
    x, y = told.cost[there], median[there]
    drawn = [y]
    if band and (there & (low < high)).any():
        axes.fill_between(
            told.cost, low, high, where=np.isfinite(told.quartiles[0]), color=look["color"], alpha=0.15, lw=0
        )
        drawn += [low[np.isfinite(told.quartiles[0])], high[np.isfinite(told.quartiles[2])]]
    if told.half and len(x):
        x, y = np.append(x, max(told.lost, x[-1])), np.append(y, shown.ceiling)
        drawn.append(y[-1:])
    few = there.any() and told.steps[-1] < FEW
    marks: dict[str, Any] = (
        {"marker": "o", "ms": 2.5, "markevery": _first(told.steps[there])}
        if few
        else {"marker": "o", "ms": 2.5}
        if len(x) == 1
        else {}
    )
    axes.plot(x, y, label=label, **look, **marks)
    if np.isfinite(told.lost):
        face = look["color"] if told.half else "white"
        where = axes.get_xaxis_transform()
        axes.plot(
            [told.lost],
            [1.0],
            transform=where,
            mec=look["color"],
            mfc=face,
            color=look["color"],
            gid=label,
            **TRIANGLE,
        )
    return np.concatenate(drawn)


def _first(steps: np.ndarray) -> list[int]:
    """Where each number of steps, but 0, is seen for the first time."""
    counts, places = np.unique(steps, return_index=True)
    return places[counts > 0].tolist()


def _of_kind(dataset: xr.Dataset, gap: bool | None) -> Arms:  # noqa: FBT001
    """The arms whose loss is of one kind, with what their worlds spent."""
    counted = {"value_terms", "gradient_terms", "terms"} <= set(dataset.variables)
    return scales.arms_of(dataset.assign(bill=spent(dataset)) if counted else dataset, gap, "convergence")


def _legend(
    axes: Axes, dataset: xr.Dataset, looks: dict[str, dict[str, Any]], columns: int, panels: Sequence[Axes]
) -> None:
    axes.set_axis_off()
    drawn = {line.get_label() for one in panels for line in one.lines} | {
        line.get_gid() for one in panels for line in one.lines
    }
    named = {label for label in looks if label in drawn or len(looks) < len(labels(dataset))}
    width = axes.figure.get_figwidth()  # type: ignore[union-attr]
    handles = [
        Line2D([], [], label=_named(label, width), **look) for label, look in looks.items() if label in named
    ]
    marks = [line for one in panels for line in one.lines if line.get_marker() == "^"]
    hollow = {line.get_markerfacecolor() == "white" for line in marks}
    for name, empty in (("half", False), ("some", True)):
        if empty in hollow:
            handles.append(
                Line2D(
                    [],
                    [],
                    label=LOST[name],
                    **TRIANGLE | {"mec": "#555555", "mfc": "white" if empty else "#555555"},
                )
            )
    bands = any(one.collections for one in panels)
    title = _note(dataset, looks, bands=bands)
    legend = axes.legend(
        handles=handles, title=title, loc="upper left", title_fontsize=7.5, alignment="left", ncols=columns
    )
    legend.set_in_layout(False)  # its place was made above


def _named(label: str, width: float) -> str:
    """A label as the legend has it: no wider than the figure."""
    return style.wrapped(label, width - 0.9, 7.5)


def _note(dataset: xr.Dataset, looks: dict[str, dict[str, Any]], *, bands: bool = True) -> str:
    """What curves are, on short lines."""
    worlds = dataset.sizes["replicate"]
    lines = [
        "recommended points,",
        *([f"median{' and quartiles' * bands},", f"{worlds} worlds"] if worlds > 1 else ["one world"]),
    ]
    more = style.each(dataset, looks).removeprefix("; ")
    return "\n".join([*lines, more] if more else lines)
