"""The vertical axis of a loss.

Gap or raw loss, logarithmic or linear, between the precision of the study and what the start leaves worth
showing.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from xarray import Dataset

from studies.figures import panels as shared
from studies.figures import style
from studies.figures.facets import finite, numeric, words
from studies.figures.style import Look
from studies.results.arms import arms, asked, at_arms, dims_beside, labels, words_on_silent
from studies.results.gaps import gap_known
from studies.results.precision import DEFAULT, precision
from studies.text.groups import grouped
from studies.text.schema import DIMS, ROUNDING

ABOVE = 1000.0  # times the loss at the start, or its spread: what is worse is not told apart
SPANS = 30.0  # ratio of the largest loss to the least, from which on a positive raw loss has a log axis
LEAST, MOST = 1e-300, 1e300  # what an axis of doubles can reach, with its margins
PANELS = 24  # of a landscape, at most
NAMED = 3  # arms that are named one by one
DRAWN = ("loss", "start_loss", "status", "steps", "bill")  # variables that curves are made of
SHARED = "; panels of one landscape have one vertical scale"
BOTH_KINDS = (
    "expected losses of one kind, got gaps to the optimum of some arms and raw losses of others; give"
    " gap=True or False"
)
GAP, RAW = "gap to the optimum", "loss"
BOTTOM: Look = {
    "x": 0.02,  # as a fraction of the width
    "color": style.WORDS,
    "fontsize": 6.5,
    "va": "bottom",
    "ha": "left",
}
TOP: Look = BOTTOM | {"x": 0.99, "va": "top", "ha": "right"}
EDGE: Look = {"color": style.GREY, "linewidth": 0.5, "zorder": 0.5}
Arms = list[tuple[str, Dataset]]
Panel = tuple[str, Dataset, bool]  # title, results, whether the loss is a gap


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


# gaps and raw losses ----------------------------------------------------------------------------------------


def is_gap(results: Dataset) -> bool:
    """Whether the loss of an arm is known to be the gap to the optimum."""
    return bool(gap_known(results).any())


def kinds(results: Dataset) -> list[bool]:
    """Whether arms have gaps, or raw losses, or both, gaps first: an axis shows one of them alone.

    Args:
        results: without the dim `landscape`.
    """
    return sorted(set(_gaps(results)), reverse=True)


def _gaps(results: Dataset) -> list[bool]:
    """`is_gap` of each arm."""
    if "gap_known" not in results.coords:
        return [False] * len(arms(results, ["loss"]))
    return [known > 0 for known in at_arms(results, "gap_known")]


def name(*, gap: bool) -> str:
    """What an axis of this kind of loss is called."""
    return GAP if gap else RAW


def panels(dataset: Dataset) -> list[Panel]:
    """Title, results and whether the loss is a gap, of each panel.

    One for each of `places`, two where arms have gaps and others raw losses.
    """
    shown = []
    for label, part in places(dataset):
        both = kinds(part) or [is_gap(part)]
        titles = [f"{label}, {name(gap=gap)}" if len(both) > 1 else label for gap in both]
        shown += [(title, part, gap) for title, gap in zip(titles, both, strict=True)]
    return shown


def places(dataset: Dataset) -> list[tuple[str, Dataset]]:
    """Title and results of each landscape and value of the axes that are `apart`.

    The title says the values of axes, also of those that have one value alone.
    """
    alone = [axis for axis in dims_beside(dataset["loss"], *DIMS) if dataset.sizes[axis] == 1]
    axes = [*apart(dataset), *alone]
    return [
        (", ".join(filter(None, [landscape, words(place)])), part)
        for landscape, results in shared.landscapes(dataset)
        for place, part in facets(results, axes)
    ]


def apart(dataset: Dataset) -> list[str]:
    """The swept axes whose values have panels of their own: so few that no panel is full of lines.

    Or, where none leave few, those that leave one axis of numbers, along which lines are shades (`crowded`).
    None where each optimizer has few arms.
    """
    if _arms_each(dataset) <= style.BANDS:
        return []
    axes = _swept(dataset)
    parts = [part for number in range(1, len(axes)) for part in itertools.combinations(axes, number)]
    numbers = {part: math.prod(dataset.sizes[axis] for axis in part) for part in parts}
    few = sorted((part for part in parts if numbers[part] <= PANELS), key=lambda part: numbers[part])
    left = {part: _arms_each(dataset.isel(dict.fromkeys(part, 0))) for part in few}
    for most in (len(style.DASHES), style.BANDS):
        for part in few:
            if left[part] <= most:
                return list(part)
    for part in few:
        rest = [axis for axis in axes if axis not in part]
        if len(rest) == 1 and numeric(dataset[rest[0]].values):
            return list(part)
    return []


def crowded(dataset: Dataset, apart: Sequence[str]) -> str | None:
    """The axis of numbers that alone gives an optimizer too many arms for a panel; None where none does.

    Args:
        dataset: a study's results.
        apart: axes whose values have panels of their own.
    """
    left = dataset.isel(dict.fromkeys(apart, 0))
    axes = _swept(left)
    if len(axes) != 1 or not numeric(left[axes[0]].values) or _arms_each(left) <= style.BANDS:
        return None
    return axes[0]


def _swept(dataset: Dataset) -> list[str]:
    """The swept axes of several values."""
    return [axis for axis in dims_beside(dataset["loss"], *DIMS) if dataset.sizes[axis] > 1]


def _arms_each(dataset: Dataset) -> int:
    """The most arms of an optimizer."""
    numbers = Counter(style.optimizer_of(label) for label in labels(dataset))
    return max(numbers.values(), default=0)


def facets(dataset: Dataset, axes: Sequence[str]) -> Iterator[tuple[dict[str, object], Dataset]]:
    """The values of axes, and the results at them, without these dims; of no axes all results."""
    for values in itertools.product(*(dataset[axis].values.tolist() for axis in axes)):
        place = dict(zip(axes, values, strict=True))
        yield place, dataset.sel(place).drop_vars(axes)


def arms_of(dataset: Dataset, gap: bool | None, figure: str) -> Arms:  # noqa: FBT001
    """The arms of a landscape whose loss is the gap to the optimum, or the others.

    With the coordinates `precision` and `asked`, and of their variables those of `DRAWN`.

    Args:
        dataset: results without the dim `landscape`.
        gap: None: all arms, which must be of one kind.
        figure: its name.

    Raises:
        ValueError: some arms have gaps, others raw losses, and `gap` does not say which.
    """
    every = arms(dataset.assign_coords(precision=precision(dataset), asked=asked(dataset)), DRAWN)
    gaps = _gaps(dataset)
    if gap is None and len(set(gaps)) > 1:
        raise ValueError(f"{figure}: {BOTH_KINDS}")
    return [arm for arm, own in zip(every, gaps, strict=True) if gap is None or own == gap]


def asking(of_arms: Arms) -> Arms:
    """The arms that ever asked for a value: the others have no curve."""
    return [(label, arm) for label, arm in of_arms if bool(arm["asked"])]


def idle(of_arms: Arms) -> list[str]:
    """A line on the arms that never asked; none where all did."""
    silent = [label for label, arm in of_arms if not bool(arm["asked"])]
    return [words_on_silent(silent, "not drawn", NAMED)] if silent else []


# the scale --------------------------------------------------------------------------------------------------


def scale(of_arms: Arms) -> Scale:
    """The scale of a panel, from the losses and the starts of its arms, all of one kind.

    Args:
        of_arms: label and results of each, with `loss` and `status`; maybe with `start_loss`, and the
            coordinate `precision`.
    """
    if not of_arms:
        return Scale(False, -MOST, MOST)
    loss = finite(np.concatenate([np.ravel(arm["loss"].values) for _, arm in of_arms]))
    start = np.concatenate([_start(arm) for _, arm in of_arms])
    least = _least(of_arms)
    if _logarithmic(loss, gap=is_gap(of_arms[0][1]), least=least):
        return Scale(True, least, _ceiling(start, least))
    return _linear(start)


def _least(of_arms: Arms) -> float:
    """The precision of the arms, at least what an axis can reach."""
    return max(LEAST, min(float(arm.coords.get("precision", DEFAULT)) for _, arm in of_arms))


def _ceiling(start: np.ndarray, least: float) -> float:
    """The largest loss on a log axis, from those at the start and the precision."""
    worst = float(start.max(initial=0.0)) if start.size else math.inf
    return min(MOST, max(ABOVE * worst, least * ABOVE)) if worst > 0 else MOST


def _linear(start: np.ndarray) -> Scale:
    """A linear scale, from the losses at the start."""
    if not start.size:
        return Scale(False, -MOST, MOST)
    worst = float(start.max())
    size = max(abs(worst), float(np.ptp(start)), LEAST)
    return Scale(False, max(-MOST, worst - ABOVE * size), min(MOST, worst + size))


def _logarithmic(loss: np.ndarray, *, gap: bool, least: float) -> bool:
    if not loss.size or loss.min() < 0 or loss.max() <= least:
        return False
    return gap or bool(loss.max() > SPANS * np.quantile(loss, 0.02))


def _start(arm: Dataset) -> np.ndarray:
    """Losses of the worlds at the start; where they were not recorded, the median at the first checkpoint."""
    if "start_loss" in arm:
        return finite(arm["start_loss"].values)
    first = finite(arm["loss"].isel(checkpoint=0).values)
    return np.median(first, keepdims=True) if first.size else first


def share(drawn: Sequence[Axes], shown: Sequence[Panel]) -> bool:
    """One vertical scale for all panels of a landscape that show one kind of loss, where it fits them.

    Args:
        drawn: the panels, with all lines.
        shown: what each shows.

    Returns:
        Whether some panels have one scale.
    """
    places = ((part["landscape"].item(), gap) for _, part, gap in shown)
    return any([shared.alike(some) for some in grouped(zip(places, drawn, strict=True)).values()])


def finish(axes: Axes, shown: Scale, drawn: np.ndarray) -> None:
    """Scale the vertical axis for what was drawn, and say where the floor is.

    Args:
        axes: with all curves.
        shown: the scale.
        drawn: all losses on the Axes, clipped.
    """
    shared.rules(axes)
    drawn = finite(drawn)
    if not drawn.size:
        return
    low, high = float(drawn.min()), float(drawn.max())
    if shown.logarithmic:
        _decades(axes, low, high)
        _edges(axes, shown, low, high)
    else:
        margin = 0.06 * (high - low) or 0.1 * abs(high) or 0.1
        axes.set_ylim(low - margin, high + margin)


def _edges(axes: Axes, shown: Scale, low: float, high: float) -> None:
    """Lines at the ends of the scale that are reached."""
    if low <= shown.floor:
        _edge(axes, shown.floor, f"≤ precision {style.short(shown.floor)}", BOTTOM)
    if high >= shown.ceiling:
        _edge(axes, shown.ceiling, f"≥ {style.short(shown.ceiling)}", TOP)


def mark_precision(axes: Axes, part: Dataset) -> None:
    """Say where the precision of a landscape is, if lines go down to it, of gaps that are no less."""
    least = float(precision(part).min())
    if axes.lines and axes.dataLim.y0 <= least * (1 + ROUNDING):
        _edge(axes, least, f"≤ precision {style.short(least)}", BOTTOM)


def _decades(axes: Axes, low: float, high: float) -> None:
    """A log axis with room for these losses."""
    margin = max((high / low) ** 0.05, 10**0.04)
    axes.set_yscale("log")
    axes.set_ylim(low / margin, high * margin)
    shared.decades(axes.yaxis)


def _edge(axes: Axes, y: float, text: str, look: Look) -> None:
    """A line where what lies beyond is drawn, and what it stands for.

    Args:
        axes: where.
        y: of the line.
        text: what the line stands for.
        look: keywords of the text.
    """
    axes.axhline(y, **EDGE)
    axes.text(y=y, s=text, transform=axes.get_yaxis_transform(), **look)
