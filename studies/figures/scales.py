"""The vertical axis of a loss.

Gap or raw loss, logarithmic or linear, between the precision of the study and what the start leaves worth
showing.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from studies.figures import style
from studies.results.arms import arms, asked, words_on_silent
from studies.results.gaps import gap_known
from studies.results.precision import DEFAULT, precision

ABOVE = 1000.0  # times the loss at the start, or its spread: what is worse is not told apart
SPANS = (
    30.0  # ratio of the largest loss to the least, from which on a raw loss that is positive has a log axis
)
LEAST, MOST = 1e-300, 1e300  # what an axis of doubles can reach, with its margins
TOLD = 3  # arms that are told one by one
GAP, RAW = "gap to the optimum", "loss"
Arms = list[tuple[str, xr.Dataset]]


class Scale(NamedTuple):
    """How losses of one panel are drawn.

    What is lower than the floor or higher than the ceiling lies there.
    """

    logarithmic: bool
    floor: float
    ceiling: float

    def clip(self, loss: np.ndarray) -> np.ndarray:
        """Losses as they are drawn; NaN stays."""
        return np.clip(loss, self.floor, self.ceiling)


def is_gap(results: xr.Dataset) -> bool:
    """Whether the loss of an arm is known to be the gap to the optimum."""
    return bool(gap_known(results).any())


def kinds(found: Arms) -> list[bool]:
    """Whether arms have gaps, or raw losses, or both, gaps first: an axis shows one of them alone."""
    return sorted({is_gap(arm) for _, arm in found}, reverse=True)


def name(*, gap: bool) -> str:
    """What an axis of this kind of loss is called."""
    return GAP if gap else RAW


def panels(dataset: xr.Dataset) -> list[tuple[str, xr.Dataset, bool]]:
    """Title, results and whether the loss is a gap, of each panel.

    One for each landscape, two where arms have gaps and others raw losses.
    """
    found = []
    for label in dataset["landscape"].values.tolist():
        part = dataset.sel(landscape=label)
        which = kinds(arms(part)) or [is_gap(part)]
        found += [(f"{label}, {name(gap=gap)}" if len(which) > 1 else str(label), part, gap) for gap in which]
    return found


def arms_of(dataset: xr.Dataset, gap: bool | None, figure: str) -> Arms:  # noqa: FBT001
    """The arms of a landscape whose loss is the gap to the optimum, or the others, with the coordinates `precision` and `asked`.

    Args:
        dataset: results without the dim `landscape`.
        gap: None: all arms, which must be of one kind.
        figure: its name.

    Raises:
        ValueError: some arms have gaps, others raw losses, and `gap` does not say which.
    """
    found = arms(dataset.assign_coords(precision=precision(dataset), asked=asked(dataset)))
    if gap is None and len(kinds(found)) > 1:
        text = (
            "expected losses of one kind, got gaps to the optimum of some arms and raw losses of others; give"
            " gap=True or False"
        )
        raise ValueError(f"{figure}: {text}")
    return [(label, arm) for label, arm in found if gap is None or is_gap(arm) == gap]


def asking(found: Arms) -> Arms:
    """The arms that ever asked for a value: the others have no curve."""
    return [(label, arm) for label, arm in found if bool(arm["asked"])]


def idle(found: Arms) -> list[str]:
    """A line on the arms that never asked; none where all did."""
    gone = [label for label, arm in found if not bool(arm["asked"])]
    return [words_on_silent(gone, "not drawn", TOLD)] if gone else []


def scale(found: Arms) -> Scale:
    """The scale of a panel, from the losses and the starts of its arms, all of one kind.

    Args:
        found: label and results of each, with `loss` and `status`; maybe with `start_loss`, and the
            coordinate `precision`.
    """
    loss = np.concatenate([np.ravel(arm["loss"].values) for _, arm in found]) if found else np.array([])
    loss = loss[np.isfinite(loss)]
    start = np.concatenate([_start(arm) for _, arm in found]) if found else loss
    least = max(LEAST, min((float(arm.coords.get("precision", DEFAULT)) for _, arm in found), default=LEAST))
    worst = float(start.max()) if start.size else math.inf
    if _logarithmic(loss, gap=bool(found) and is_gap(found[0][1]), least=least):
        return Scale(True, least, min(MOST, max(ABOVE * worst, least * ABOVE)) if worst > 0 else MOST)
    size = max(abs(worst), float(np.ptp(start)), 1e-300) if start.size else 1.0
    return (
        Scale(False, max(-MOST, worst - ABOVE * size), min(MOST, worst + size))
        if math.isfinite(worst)
        else Scale(False, -MOST, MOST)
    )


def _logarithmic(loss: np.ndarray, *, gap: bool, least: float) -> bool:
    if not loss.size or loss.min() < 0 or loss.max() <= least:
        return False
    return gap or bool(loss.max() > SPANS * np.quantile(loss, 0.02))


def _start(arm: xr.Dataset) -> np.ndarray:
    """Losses of the worlds at the start; where they were not recorded, the median at the first checkpoint."""
    if "start_loss" in arm:
        found = np.ravel(arm["start_loss"].values)
        return found[np.isfinite(found)]
    first = arm["loss"].isel(checkpoint=0).values
    first = first[np.isfinite(first)]
    return np.atleast_1d(np.median(first)) if first.size else first


def finish(axes: Axes, shown: Scale, drawn: np.ndarray) -> None:
    """Scale the vertical axis for what was drawn, and say where the floor is.

    Args:
        axes: with all curves.
        shown: the scale.
        drawn: all losses on the Axes, clipped.
    """
    drawn = drawn[np.isfinite(drawn)]
    axes.grid(axis="both", which="major")
    axes.set_axisbelow(True)
    if not drawn.size:
        return
    low, high = float(drawn.min()), float(drawn.max())
    if not shown.logarithmic:
        margin = 0.06 * (high - low) or 0.1 * abs(high) or 0.1
        axes.set_ylim(low - margin, high + margin)
        return
    margin = max(0.05 * math.log10(high / low), 0.04)
    axes.set_yscale("log")
    axes.set_ylim(low * 10**-margin, high * 10**margin)
    style.decades(axes.yaxis)
    if low <= shown.floor:
        _edge(axes, shown.floor, f"≤ precision {style.short(shown.floor)}", "bottom")
    if high >= shown.ceiling:
        _edge(axes, shown.ceiling, f"≥ {style.short(shown.ceiling)}", "top")


def _edge(axes: Axes, at: float, text: str, side: str) -> None:
    """A line where what lies beyond is drawn, and what it stands for."""
    axes.axhline(at, color="#888888", linewidth=0.5, zorder=0.5)
    about: dict[str, Any] = {
        "color": "#555555",
        "fontsize": 6.5,
        "va": side,
        "ha": "left" if side == "bottom" else "right",
    }
    axes.text(0.02 if side == "bottom" else 0.99, at, text, transform=axes.get_yaxis_transform(), **about)
