"""What panels share: where they stand, titles, notes, grids, ticks of log axes, dots in rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import (
    FixedFormatter,
    FixedLocator,
    LogFormatterSciNotation,
    LogLocator,
    MaxNLocator,
    NullFormatter,
    StrMethodFormatter,
)
from xarray import Dataset

from studies.figures import style
from studies.figures.layout import Rows
from studies.figures.style import Look
from studies.text.schema import SEEN
from studies.text.words import number

FAR = 100  # times a value, beyond which the ends of its interval are not drawn on a log scale
COST = "cost (evaluations)"
LEAST = 1 / 3  # of the height of a panel, that what it shows takes, or else it has a scale of its own
ABSENT: Look = {  # words in the middle of empty Axes
    "ha": "center",
    "va": "center",
    "color": style.WORDS,
    "fontsize": 7,
    "bbox": {
        "facecolor": "white",
        "edgecolor": "none",
        "pad": 1,
    },
}
NOTE: Look = {
    "fontsize": 6.5,
    "color": style.WORDS,
    "va": "bottom",
}


# what is shown ----------------------------------------------------------------------------------------------


def landscapes(dataset: Dataset) -> list[tuple[str, Dataset]]:
    """Name and results of each landscape."""
    return [(str(name), dataset.sel(landscape=name)) for name in dataset["landscape"].values.tolist()]


def of_world(dataset: Dataset, world: int) -> Dataset:
    """The results of one world, with its pictures: NaN where none were taken of it."""
    there = dataset.reindex({SEEN: [world]}).isel({SEEN: 0}) if SEEN in dataset.dims else dataset
    return there.sel(replicate=world) if "replicate" in there.dims else there


def expect(
    dataset: Dataset,
    variable: str,
    figure: str,
    section: str,
) -> None:
    """Refuse results without a variable, which a section of the study file would have made.

    Raises:
        ValueError: with one line.
    """
    if variable not in dataset:
        raise ValueError(f"{figure}: expected a study with {section}, found none in these results")


def at_moment(dataset: Dataset, moment: float | None) -> Dataset:
    """A noise ledger at one moment, which stays a dim.

    The nearest to a fraction of the budget; None: the middle one.
    """
    if moment is None:
        return dataset.isel(moment=[dataset.sizes["moment"] // 2])
    return dataset.sel(moment=[moment], method="nearest")


def with_interval(results: Dataset, name: str) -> tuple[float, float, float]:
    """A number, and the lower and the upper end of its interval."""
    low, high = results[f"{name}_interval"].values.tolist()
    return float(results[name]), low, high


def ends(results: Dataset, name: str) -> np.ndarray:
    """The lower and the upper ends of the interval of a variable: (2, ..)."""
    return results[f"{name}_interval"].transpose("bound", ...).values


def share_band(axes: Axes, along: np.ndarray, share: np.ndarray, ends: np.ndarray, look: Look) -> None:
    """Shade the interval of a share, where some but not all is solved.

    Args:
        axes: where.
        along: the numbers (N,) at which it steps.
        share: (N,).
        ends: of its interval (2, N).
        look: colour and opacity.
    """
    if ((share > 0) & (share < 1)).any():
        low, high = style.inside(share, ends)
        axes.fill_between(along, low, high, step="post", lw=0, **look)


# words ------------------------------------------------------------------------------------------------------


def title(
    axes: Axes,
    text: str,
    inches: float,
    *,
    pad: float | None = None,
) -> None:
    """A title in bold at the left, no wider than so many inches; `pad`: points below it."""
    axes.set_title(style.wrapped(text, inches), loc="left", fontweight="bold", pad=pad)


def small_title(axes: Axes, texts: Sequence[str], inches: float) -> None:
    """A title in small letters, each of the texts on lines of its own."""
    axes.set_title("\n".join(style.wrapped(text, inches, 7.5) for text in texts), fontsize=7.5)


def entitle(rows: Rows, titles: Sequence[str], inches: float) -> None:
    """A small title above each column; `inches`: what words may take."""
    for row in rows.titled():
        for axes, text in zip(row, titles, strict=False):
            small_title(axes, [text], inches)


def side_title(axes: Axes, text: str, inches: float) -> None:
    """A title in bold at the left of a row, beside its panels."""
    axes.set_ylabel(style.wrapped(text, inches), fontweight="bold")


def cost_label(axes: Axes, inches: float, label: str = COST) -> None:
    """The label of a horizontal axis of costs, or of another clock."""
    axes.set_xlabel(style.wrapped(label, inches))


def nothing(axes: Axes, text: str) -> None:
    """Say on Axes that are empty why they are."""
    axes.text(0.5, 0.5, text, transform=axes.transAxes, **ABSENT)


def empty(axes: Axes, text: str) -> None:
    """Say why Axes are empty, and leave their ticks out, but not those of others that share an axis."""
    nothing(axes, text)
    axes.tick_params(which="both", length=0, labelbottom=False, labelleft=False)


def note(axes: Axes, lines: Sequence[str], inches: float) -> int:
    """Say something in small letters above the Axes, below their title.

    Returns by how many points the title has to make room.
    """
    if not lines:
        return 4
    text = "\n".join(style.wrapped(line, inches, 6.5) for line in lines)
    axes.annotate(text, (0, 1), (0, 2), "axes fraction", "offset points", **NOTE)
    return 4 + 9 * (text.count("\n") + 1)


def noted_title(axes: Axes, text: str, lines: Sequence[str], inches: float) -> None:
    """A title in bold at the left, and below it what is said in small letters.

    Args:
        axes: where.
        text: of the title.
        lines: below it.
        inches: what words may take.
    """
    room = note(axes, lines, inches - 0.1)
    title(axes, text, inches, pad=room)


# grids and axes ---------------------------------------------------------------------------------------------


def rules(axes: Axes, along: str = "both") -> None:
    """A grid below all curves; `along`: x, y or both."""
    axes.grid(axis=along, which="major")  # type: ignore[arg-type]
    axes.set_axisbelow(True)


def rows(axes: Axes, number: int) -> None:
    """A vertical axis of so many rows, from the top down; without rows it has room for one."""
    axes.set_ylim(max(1, number) - 0.5, -0.5)


def named_rows(axes: Axes, labels: Sequence[str]) -> None:
    """A vertical axis of rows with these labels, from the top down."""
    axes.set_yticks(range(len(labels)), labels)
    axes.tick_params(axis="y", length=0)
    rows(axes, len(labels))


def row_dot(
    axes: Axes,
    row: int,
    number: tuple[float, float, float],
    *,
    line: Look,
    dot: Look,
) -> None:
    """A positive value and its interval in a row, on a log scale.

    Args:
        axes: where.
        row: its number.
        number: the value, > 0, and the ends of its interval; they are drawn no further than a hundred times
            away, the upper one that lies beyond as an arrow.
        line: keywords of the interval.
        dot: keywords of the value.
    """
    value, low, high = number
    axes.plot([max(low, value / FAR), min(high, value * FAR)], [row, row], lw=1, **line)
    if high > value * FAR:
        axes.plot(value * FAR, row, ">", ms=3, **line)
    axes.plot(value, row, "o", **dot)


SHORT = 300.0  # ratio of the ends up to which a log axis has plain numbers


def decades(axis: Axis, most: int = 6) -> None:
    """Ticks of a log axis that are numbers one can read.

    Powers of ten, and 2 and 5 between them where there are few.
    """
    axis.set_major_locator(LogLocator(numticks=most))
    axis.set_minor_formatter(LogFormatterSciNotation(minor_thresholds=(1.5, 0.5)))
    axis.set_tick_params(which="minor", labelsize=6)


def powers(axis: Axis, most: int) -> None:
    """Ticks of a log axis at powers of ten alone."""
    axis.set_major_locator(LogLocator(numticks=most))
    axis.set_minor_formatter(NullFormatter())


def numbers(axis: Axis, steps: Sequence[float], most: int) -> None:
    """Ticks of a short log axis at these multiples of powers of ten, written as plain numbers."""
    axis.set_major_locator(LogLocator(subs=tuple(steps), numticks=most))
    axis.set_minor_formatter(NullFormatter())
    axis.set_major_formatter(StrMethodFormatter("{x:g}"))


def decades_across(axes: Axes, inches: float) -> None:
    """Ticks of a horizontal log axis, as many as have room."""
    decades_along(axes.xaxis, inches)


def decades_along(axis: Axis, inches: float) -> None:
    """Ticks of a log axis so many inches long: powers of ten, or 1, 2, 5 on less than 1.5 decades."""
    low, high = axis.get_view_interval()
    most = max(2, int(inches / 0.34))
    span = np.log10(high / low)
    if span >= 1.5:
        powers(axis, most)
    else:
        numbers(axis, _steps(span, most), max(most, 3))


def readable_along(axis: Axis, inches: float) -> None:
    """Ticks of a log axis so many inches long: plain numbers where it spans few decades, else powers."""
    low, high = axis.get_view_interval()
    most = max(2, int(inches / 0.2))
    if high < SHORT * low:
        numbers(axis, _steps(np.log10(high / low), most), max(most, 3))
    else:
        decades_along(axis, inches)


def _steps(span: float, most: int) -> Sequence[float]:
    """Multiples of powers of ten that stand on so many decades, at most so many ticks where it goes."""
    fit = [steps for steps in ((1, 2, 5), (1, 3)) if len(steps) * span <= most]
    return fit[0] if fit else (1,)


def at_values(axis: Axis, values: np.ndarray, inches: float) -> None:
    """Ticks at the values that are drawn, where these are few enough to be read; else those of its scale.

    Of values at equal distances every second or third may have a number.

    Args:
        axis: horizontal.
        values: what is drawn, increasing.
        inches: its length.
    """
    steps = (1, 2, 3) if _even(axis, values) else (1,)
    every = next((step for step in steps if _fits(axis, values[::step], inches)), None)
    if every:
        _tick(axis, values, values[::every])
    elif axis.get_scale() == "log":
        decades_along(axis, inches)


def _even(axis: Axis, values: np.ndarray) -> bool:
    """Whether values stand at equal distances along an axis."""
    gaps = _gaps(axis, values, 1.0)
    return bool(gaps.size and np.ptp(gaps) < 1e-6)


def _tick(axis: Axis, values: np.ndarray, named: np.ndarray) -> None:
    """Ticks at values, and numbers at those that are named."""
    axis.set_major_locator(FixedLocator(named.tolist()))
    axis.set_major_formatter(FixedFormatter(_numbers(named)))
    axis.set_minor_locator(FixedLocator(values.tolist()))
    axis.set_minor_formatter(NullFormatter())


def _fits(axis: Axis, values: np.ndarray, inches: float) -> bool:
    """Whether numbers at these values have room side by side."""
    if len(values) < 2:
        return len(values) == 1
    widths = style.LETTER * 7 * (0.8 + np.array([len(name) for name in _numbers(values)]))
    gaps = _gaps(axis, values, inches)
    return bool((gaps >= (widths[1:] + widths[:-1]) / 2).all())


def _gaps(axis: Axis, values: np.ndarray, inches: float) -> np.ndarray:
    """Inches between values, which go from one end of an axis to the other."""
    places = axis.get_transform().transform(np.asarray(values, float))
    return np.diff(places) / np.ptp(places) * inches


def _numbers(values: np.ndarray) -> list[str]:
    return [number(value) for value in values]


def alike(drawn: Sequence[Axes]) -> bool:
    """The same vertical scale in all panels, where one scale fits all; says whether they have it.

    It does where all are linear, or logarithmic, and what each shows by itself takes a third of its height.
    """
    if len(drawn) < 2 or len({axes.get_yscale() for axes in drawn}) > 1:
        return False
    low, high = np.array([axes.get_ylim() for axes in drawn]).T
    of_axis = drawn[0].yaxis.get_transform().transform
    own, whole = of_axis(high) - of_axis(low), np.ptp(of_axis(np.append(low, high)))
    if (own < LEAST * whole).any():
        return False
    for axes in drawn:
        axes.set_ylim(low.min(), high.max())
    return True


def few(axes: Axes, most: int) -> None:
    """So many ticks on both axes, at most."""
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(most))


def costs(axes: Axes, most: int = 6) -> None:
    """A horizontal log axis of costs.

    Powers of ten, or 1, 2 and 5 times them where there is hardly one within.
    """
    axes.set_xscale("log")
    low, high = axes.get_xlim()
    if high < 30 * low:
        numbers(axes.xaxis, (1, 2, 5), 2 * most)
    else:
        powers(axes.xaxis, most)
