"""Noise spectra: how the variance of a step spreads over directions, and whether those are the curved ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from studies.analysis.noise.spectrum import spectrum
from studies.figures import style
from studies.results.arms import arms

ROW = 1.35  # inches
POINT: dict[str, Any] = {"marker": "o", "ms": 3.5, "capsize": 0, "elinewidth": 1}


def spectra(dataset: xr.Dataset, width: float = style.WIDTH, moment: float | None = None) -> Figure:
    """One row for each landscape.

    Shares of the largest eigenvalues, effective rank, curvature along the noise.

    Args:
        dataset: a study's results with the noise ledger.
        width: inches.
        moment: fraction of the budget; None: the middle one of those recorded.

    Raises:
        ValueError: there is no noise ledger.
    """
    if "noise_eigenvalue" not in dataset:
        raise ValueError("spectra: expected a study with a `ledger:`, found none in these results")
    dataset = (
        dataset.isel(moment=dataset.sizes["moment"] // 2)
        if moment is None
        else dataset.sel(moment=moment, method="nearest")
    )
    names, looks = dataset["landscape"].values.tolist(), style.arm_looks(dataset)
    figure = Figure(layout="constrained")
    grid = figure.subplots(len(names), 3, squeeze=False, sharex="col", width_ratios=[1.5, 1, 1])
    for name, row in zip(names, grid, strict=True):
        panels(dataset.sel(landscape=name), row, looks)
        row[0].set_title(style.wrapped(str(name), width - 0.4), loc="left", fontweight="bold")
    for axes in grid[:, 1:].ravel():
        style.decades_across(axes, 0.22 * width)
    for axes in grid[:, 1:].ravel():
        style.decades_across(axes, 0.22 * width)
    for axes, text in zip(
        grid[-1], ("mode of the noise", "effective rank", "curvature along noise / mean"), strict=True
    ):
        axes.set_xlabel(style.wrapped(text, width / 4))
    figure.supylabel("share of a step's variance", fontsize=8)
    handles = [Line2D([], [], label=label, marker="o", ms=3, **look) for label, look in looks.items()]
    worlds = style.worlds(dataset.sizes["replicate"], "; lines: 95 % intervals")
    told = f"states at {dataset['moment'].item():.3g} of the budget, {worlds}; dashed: isotropic"
    across = style.across([str(handle.get_label()) for handle in handles], width)
    title = style.wrapped(told, width - 0.3, 7.5)
    figure.legend(handles=handles, loc="outside lower center", ncols=across, title=title, title_fontsize=7.5)
    figure.set_size_inches(
        width, ROW * len(names) + 0.6 + 0.16 * -(-len(handles) // across) + 0.13 * title.count("\n")
    )
    return figure


def panels(
    dataset: xr.Dataset, row: np.ndarray, looks: dict[str, dict[str, Any]] | None = None
) -> np.ndarray:
    """Draw one landscape on three Axes: shares of modes, effective rank, alignment with the curvature.

    Args:
        dataset: a ledger without the dims `landscape` and `moment`.
        row: three Axes.
        looks: label -> keywords of `Axes.plot`.
    """
    looks = looks or style.arm_looks(dataset)
    found = arms(dataset)
    dots: dict[str, list[tuple[int, str]]] = {"rank": [], "alignment": []}  # places without a dot, and why
    for place, (label, arm) in enumerate(found):
        told = spectrum(arm)
        aside = 0.16 * (place - (len(found) - 1) / 2) / max(1, len(found) / 3)
        _bars(
            row[0],
            told["mode"].values + 1 + aside,
            told["share"],
            told["share_interval"],
            style.look(looks, label, arm),
        )
        for axes, name in zip(row[1:], ("rank", "alignment"), strict=True):
            why = _dot(axes, place, told[name], told[f"{name}_interval"], style.look(looks, label, arm))
            dots[name] += [(place, why if int(told["worlds"]) else "no noise")] * bool(why)
    for axes, name in zip(row[1:], dots, strict=True):
        flat = name == "alignment" and _all_zero(dataset["mean_curvature"])
        _none(axes, dots[name], len(found), "mean\ncurvature 0" if flat else "")
    if not any(np.isfinite(line.get_ydata()).any() for line in row[0].lines):
        style.nothing(row[0], "no noise" if found else "no numbers")
    row[0].set_xlim(0.4, dataset.sizes["mode"] + 0.6)
    row[0].xaxis.set_major_locator(MaxNLocator(integer=True))
    row[0].set_ylim(bottom=0)
    for axes in row[1:]:
        axes.set(yticks=[], ylim=(max(1, len(found)) - 0.5, -0.5), xscale="log")
        axes.grid(axis="x")
    row[2].axvline(1.0, color="#888888", lw=0.6, ls=(0, (3, 2)))
    return row


def _bars(
    axes: Axes, x: np.ndarray, value: xr.DataArray, interval: xr.DataArray, look: dict[str, Any]
) -> None:
    axes.vlines(x, *interval.transpose("bound", ...).values, color=look["color"], lw=1)
    axes.plot(x, value, marker="o", ms=3, **look | {"lw": 0.8})


def _dot(axes: Axes, place: int, value: xr.DataArray, interval: xr.DataArray, look: dict[str, Any]) -> str:
    """Draw a positive number with its interval; else say why there is none."""
    if not float(value) > 0:
        return "not known" if np.isnan(value) else "≤ 0"
    low, high = interval.values
    axes.plot([max(low, float(value) / 100), high], [place, place], color=look["color"], lw=1)
    axes.plot(float(value), place, "o", color=look["color"], ms=3.5)
    return ""


def _all_zero(values: xr.DataArray) -> bool:
    """Whether there are numbers, and all are 0."""
    return bool(values.notnull().any() and (values.fillna(0) == 0).all())


def _none(axes: Axes, without: list[tuple[int, str]], many: int, text: str) -> None:
    """A word for neighbouring rows without a dot, or one for all where there is no dot at all."""
    if len(without) == many:
        words = {why for _, why in without}
        style.nothing(axes, text or (words.pop() if len(words) == 1 else "no numbers"))
        return
    across = axes.get_yaxis_transform()
    for first, last, why in _runs(without):
        if last > first:
            axes.plot([0.03, 0.03], [first - 0.3, last + 0.3], transform=across, color="#aaaaaa", lw=0.8)
        middle = (first + last) / 2
        axes.text(0.06, middle, why, transform=across, va="center", color="#555555", fontsize=6.5)


def _runs(without: list[tuple[int, str]]) -> list[tuple[int, int, str]]:
    """Neighbouring rows of one word: (first, last, word)."""
    runs: list[tuple[int, int, str]] = []
    for place, why in without:
        if runs and runs[-1][1:] == (place - 1, why):
            runs[-1] = (runs[-1][0], place, why)
        else:
            runs.append((place, place, why))
    return runs
