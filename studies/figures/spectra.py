"""Noise spectra: how the variance of a step spreads over directions, and whether these are curved."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from xarray import DataArray, Dataset

from studies.analysis.noise.spectrum import spectrum
from studies.figures import legends, panels, style
from studies.figures.style import Look, Looks
from studies.results.arms import arms

ROW = 1.35  # inches
ACROSS = ("mode of the noise", "effective rank", "curvature along noise / mean")  # axes of the panels


WORD: Look = {
    "va": "center",
    "color": style.WORDS,
    "fontsize": 6.5,
}
Spectrum = tuple[Look, Dataset]


class Missing(NamedTuple):
    """A row without a dot."""

    row: int
    why: str


def spectra(dataset: Dataset, width: float = style.WIDTH, moment: float | None = None) -> Figure:
    """One row for each landscape.

    Shares of the largest eigenvalues, effective rank, curvature along the noise.

    Args:
        dataset: a study's results with the noise ledger.
        width: inches.
        moment: fraction of the budget; None: the middle one of those recorded.

    Raises:
        ValueError: there is no noise ledger.
    """  # noqa: DOC502
    panels.expect(dataset, "noise_eigenvalue", "spectra", "a `ledger:`")
    dataset = panels.at_moment(dataset, moment).isel(moment=0)
    looks, number = style.arm_looks(dataset), dataset.sizes["landscape"]
    figure = Figure(layout="constrained")
    grid = figure.subplots(number, 3, squeeze=False, sharex="col", width_ratios=[1.5, 1, 1])
    for (name, part), row in zip(panels.landscapes(dataset), grid, strict=True):
        draw(part, row, looks)
        panels.title(row[0], name, width - 0.4)
    _finish(grid, width)
    figure.supylabel("share of a step's variance", fontsize=8)
    handles = legends.lines(looks, marker="o", ms=3)
    return legends.finish(figure, handles, _said(dataset), width, ROW * number + 0.6)


def _said(dataset: Dataset) -> str:
    """The words above the legend."""
    worlds = legends.of_worlds(dataset, "; lines: 95 % intervals")
    return f"states at {dataset['moment'].item():.3g} of the budget, {worlds}; dashed: isotropic"


def _finish(grid: np.ndarray, width: float) -> None:
    """Ticks and labels of the horizontal axes."""
    for axes in [*grid[:, 1:].ravel()] * 2:  # twice: columns share an axis, and each panel widens it
        panels.decades_across(axes, 0.22 * width)
    for axes, text in zip(grid[-1], ACROSS, strict=True):
        axes.set_xlabel(style.wrapped(text, width / 4))


def draw(dataset: Dataset, row: np.ndarray, looks: Looks | None = None) -> np.ndarray:
    """Draw one landscape on three Axes: shares of modes, effective rank, alignment with the curvature.

    Args:
        dataset: a ledger without the dims `landscape` and `moment`.
        row: three Axes.
        looks: label -> keywords of `Axes.plot`.
    """
    modes, rank, curvature = row
    named = _spectra(dataset, looks or style.arm_looks(dataset))
    for place, (look, shares) in enumerate(named):
        aside = 0.16 * (place - (len(named) - 1) / 2) / max(1, len(named) / 3)
        _shares(modes, shares, aside, look)
    _finish_shares(modes, dataset.sizes["mode"], "no noise" if named else "no numbers")
    _dots(rank, named, "rank")
    flat = _all_zero(dataset["mean_curvature"])
    _dots(curvature, named, "alignment", "mean\ncurvature 0" if flat else "")
    curvature.axvline(1.0, **style.DASHED)
    return row


def _spectra(dataset: Dataset, looks: Looks) -> list[Spectrum]:
    """Look and spectrum of each arm."""
    return [(style.look(looks, label, arm), spectrum(arm)) for label, arm in arms(dataset)]


def _shares(
    axes: Axes,
    shares: Dataset,
    aside: float,
    look: Look,
) -> None:
    """The share of the variance in each mode, with its interval."""
    x = shares["mode"].values + 1 + aside
    axes.vlines(x, *panels.ends(shares, "share"), color=look["color"], lw=1)
    axes.plot(x, shares["share"], marker="o", ms=3, **look | {"lw": 0.8})


def _finish_shares(axes: Axes, modes: int, empty: str) -> None:
    if not any(np.isfinite(line.get_ydata()).any() for line in axes.lines):
        panels.nothing(axes, empty)
    axes.set(xlim=(0.4, modes + 0.6))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_ylim(bottom=0)


def _dots(
    axes: Axes,
    named: list[Spectrum],
    name: str,
    empty: str = "",
) -> None:
    """A positive number of each arm in a row of its own, with its interval; or why there is none.

    Args:
        axes: where to draw.
        named: look and spectrum of each arm.
        name: of the number.
        empty: what is said where there is no dot at all; empty: what all rows have to say.
    """
    missing = []
    for row, (look, numbers) in enumerate(named):
        why = _why_not(numbers, name)
        if why:
            missing.append(Missing(row, why))
        else:
            _dot(axes, row, numbers, name, {"color": look["color"]})
    _say_missing(axes, missing, len(named), empty)
    panels.rows(axes, len(named))
    axes.set(yticks=[], xscale="log")
    axes.grid(axis="x")


def _dot(axes: Axes, row: int, numbers: Dataset, name: str, colour: Look) -> None:
    """A number and its interval in a row.

    Args:
        axes: where to draw.
        row: its number.
        numbers: of an arm.
        name: of the one that is drawn.
        colour: of the dot.
    """
    number = panels.with_interval(numbers, name)
    panels.row_dot(axes, row, number, line=colour, dot=colour | {"ms": 3.5})


def _why_not(numbers: Dataset, name: str) -> str:
    """Why a number has no dot on a log scale, or none."""
    value = float(numbers[name])
    if value > 0:
        return ""
    if not int(numbers["worlds"]):
        return "no noise"
    return "not known" if np.isnan(value) else "≤ 0"


def _all_zero(values: DataArray) -> bool:
    """Whether there are numbers, and all are 0."""
    return bool(values.notnull().any() and (values.fillna(0) == 0).all())


def _say_missing(
    axes: Axes,
    missing: list[Missing],
    rows: int,
    empty: str,
) -> None:
    """A word for neighbouring rows without a dot, or one for all where there is no dot at all."""
    if len(missing) == rows:
        reasons = {row.why for row in missing}
        panels.nothing(axes, empty or (reasons.pop() if len(reasons) == 1 else "no numbers"))
        return
    across: Look = {"transform": axes.get_yaxis_transform()}
    for first, last, why in _runs(missing):
        if last > first:
            axes.plot([0.03, 0.03], [first - 0.3, last + 0.3], color="#aaaaaa", lw=0.8, **across)
        axes.text(0.06, (first + last) / 2, why, **WORD, **across)


def _runs(missing: list[Missing]) -> list[tuple[int, int, str]]:
    """Neighbouring rows of one word: (first, last, word)."""
    runs: list[tuple[int, int, str]] = []
    for row, why in missing:
        if runs and runs[-1][1:] == (row - 1, why):
            runs[-1] = (runs[-1][0], row, why)
        else:
            runs.append((row, row, why))
    return runs
