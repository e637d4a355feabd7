"""The measures of landscapes as pictures: one row for each landscape."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from xarray import DataArray, Dataset

from studies.figures import panels, style
from studies.figures.facets import finite
from studies.figures.style import Look

ROW = 1.55  # inches
BLUE, ORANGE = style.COLOURS[:2]
DECADES = 300  # ratio of the largest loss to the least, but a few, from which on a loss has a log axis
ZERO: Look = {"color": style.GREY, "linewidth": 0.5}
BAND: Look = {
    "color": BLUE,
    "alpha": 0.15,
    "linewidth": 0,
}  # from the lowest world to the highest
AT_LEFT: Look = {
    "xycoords": ("axes fraction", "data"),
    "textcoords": "offset points",
    "fontsize": 6.5,
    "color": style.WORDS,
}
CORNER: Look = {
    "xycoords": "axes fraction",
    "va": "top",
    "fontsize": 7,
    "bbox": {
        "facecolor": "white",
        "alpha": 0.8,
        "linewidth": 0,
        "pad": 1,
    },
}
POINT: Look = {
    "color": BLUE,
    "markersize": 1.8,
    "alpha": 0.6,
    "rasterized": True,
}
TYPES = {  # of epistasis
    "none": "#bbbbbb",
    "magnitude": style.COLOURS[4],
    "sign": style.COLOURS[5],
    "reciprocal": style.COLOURS[1],
}


class Panel(NamedTuple):
    """A picture of measures."""

    needs: tuple[str, ...]  # variables, of which one suffices
    draw: Callable[[Dataset, Axes], None]


class Spread(NamedTuple):
    """Of a measure, over worlds."""

    low: np.ndarray
    mean: np.ndarray
    high: np.ndarray


def probes(dataset: Dataset) -> Figure:
    """The figure of a Dataset that `studies.probe.datasets.probe` returns, 7 inches wide.

    Binary landscapes first.

    Binary: autocorrelation, Walsh spectrum, epistasis, fitness effects. Real: autocorrelation, loss against
    distance, lines.
    """
    shown = sorted(panels.landscapes(dataset), key=lambda named: not bool(named[1]["binary"]))
    figure = Figure(figsize=(style.WIDTH, ROW * len(shown) + 0.1), layout="constrained")
    parts = figure.subfigures(len(shown), 1, squeeze=False)[:, 0]
    for part, (name, data) in zip(parts, shown, strict=True):
        part.suptitle(name, x=0.01, ha="left", fontsize=8, fontweight="bold")
        pictures = BINARY if bool(data["binary"]) else CONTINUOUS
        for axes, picture in zip(part.subplots(1, len(pictures)), pictures, strict=True):
            _draw(picture, data, axes)
    return figure


def _draw(picture: Panel, data: Dataset, axes: Axes) -> None:
    """A picture, or a word that its measure was not taken."""
    if any(_there(data, name) for name in picture.needs):
        picture.draw(data, axes)
    else:
        panels.empty(axes, "not measured")


def _there(data: Dataset, name: str) -> bool:
    return name in data and bool(np.isfinite(data[name]).any())


def _over_worlds(values: DataArray) -> Spread:
    """Lowest, mean and highest over worlds; infinities and NaN are left out."""
    finite = values.where(np.isfinite(values)).transpose("replicate", ...).values
    there = np.isfinite(finite).any(0)
    spread = np.full((3, *finite.shape[1:]), np.nan)
    spread[:, there] = [over(finite[:, there], 0) for over in (np.nanmin, np.nanmean, np.nanmax)]
    return Spread(*spread)


def _mean(data: Dataset, name: str) -> float:
    """Of a number, over worlds; NaN where it was not measured."""
    return float(_over_worlds(data[name]).mean) if name in data else np.nan


# real coordinates -------------------------------------------------------------------------------------------


def _autocorrelation(data: Dataset, axes: Axes) -> None:
    """Mean over worlds, the band from the lowest to the highest; where it falls to 1/e."""
    lag, spread = data["lag_value"].values, _over_worlds(data["autocorrelation"])
    axes.fill_between(lag, spread.low, spread.high, **BAND)
    axes.plot(lag, spread.mean, color=BLUE)
    most = float(np.nanmax(lag))
    _fallen(axes, _mean(data, "correlation_length"), most)
    axes.set(xlabel="distance (units of $x$)", ylabel="autocorrelation")
    axes.set(xlim=(0, most), ylim=(min(0.0, np.nanmin(spread.low)) - 0.05, 1.05))


def _fallen(axes: Axes, length: float, most: float) -> None:
    """A line at 1/e, and on it the correlation length, where it lies within the axis, up to `most`."""
    fallen = np.exp(-1)
    axes.axhline(fallen, **ZERO, linestyle=(0, (4, 3)))
    axes.annotate("1/e", (0.01, fallen), (0, 1.5), **AT_LEFT)
    if length <= most:
        label = f"length {length:.3g}"
        axes.plot([length], [fallen], "o", color=ORANGE, markersize=3.5, label=label)
        axes.legend(loc="upper right", handletextpad=0.1, borderaxespad=0.1, fontsize=7)


def _scatter(data: Dataset, axes: Axes) -> None:
    """Loss against distance to the optimum, world 0."""
    loss, distance = data["sample_loss"].values, data["sample_distance"].values
    shown = np.isfinite(loss) & np.isfinite(distance)
    axes.plot(distance[shown], loss[shown], ".", **POINT)
    _scale_for(axes, loss[shown])
    place = "optimum" if bool(data["optimum_known"] == 1) else "best seen"
    axes.set(xlabel=f"distance to the {place} (units of $x$)", ylabel="loss")
    correlation = _mean(data, "distance_correlation_pearson")
    if np.isfinite(correlation):
        axes.annotate(f"r = {correlation:.2f}", (0.03, 0.95), **CORNER)


def _slices(data: Dataset, axes: Axes) -> None:
    """The loss along random lines, world 0."""
    place, loss = data["slice_place"].values, data["slice_loss"].values
    for colour, x, y in zip(style.COLOURS * 2, place, loss, strict=False):
        axes.plot(x, np.where(np.isfinite(y), y, np.nan), color=colour, linewidth=0.7)
    _scale_for(axes, finite(loss))
    axes.set(xlabel="place on a line (units of $x$)", ylabel="loss")
    density = _mean(data, "density_of_minima")
    if np.isfinite(density):
        axes.set_title(f"{density:.2g} minima per unit", fontsize=7, loc="right", pad=2)


def _scale_for(axes: Axes, loss: np.ndarray) -> None:
    """A log axis where losses span decades above 0."""
    if loss.size and loss.min() > 0 and loss.max() > DECADES * np.quantile(loss, 0.05):
        axes.set_yscale("log")


CONTINUOUS = (
    Panel(("autocorrelation",), _autocorrelation),
    Panel(("sample_loss",), _scatter),
    Panel(("slice_loss",), _slices),
)


# bits -------------------------------------------------------------------------------------------------------


def _walk(data: Dataset, axes: Axes) -> None:
    """Autocorrelation by steps of a random walk, which begins with 1.

    Mean over worlds, the band from the lowest to the highest.
    """
    spread = _over_worlds(data["autocorrelation"])
    shown = np.isfinite(spread.mean)
    low, mean, high = (np.append(1.0, part[shown]) for part in spread)
    lag = np.append(0.0, data["lag_value"].values[shown])
    axes.fill_between(lag, low, high, **BAND)
    axes.plot(lag, mean, "o-", color=BLUE, markersize=2.2, linewidth=1)
    axes.axhline(0, **ZERO)
    axes.set(xlabel="steps of a walk", ylabel="autocorrelation", xlim=(0, lag[-1]))
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))


def _spectrum(data: Dataset, axes: Axes) -> None:
    """Share of the variance in each order of interaction."""
    spread = _over_worlds(data["walsh_spectrum"])
    shown = np.isfinite(spread.mean)
    low, mean, high = (part[shown] for part in spread)
    order = data["order_value"].values[shown]
    axes.bar(order, mean, color=BLUE, alpha=0.75, width=0.75)
    axes.vlines(order, low, high, color="black", linewidth=0.7)
    axes.set(xlabel="order of interaction", ylabel="share of variance", ylim=(0, None))
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))


def _epistasis(data: Dataset, axes: Axes) -> None:
    """Shares of pairs of loci by the kind of their interaction."""
    names = [kind for kind in TYPES if _there(data, f"epistasis_{kind}")]
    low, mean, high = np.array([_over_worlds(data[f"epistasis_{kind}"]) for kind in names]).T
    places = np.arange(len(names))
    axes.barh(places, mean, color=[TYPES[kind] for kind in names], height=0.7)
    axes.hlines(places, low, high, color="black", linewidth=0.7)
    axes.set(yticks=places, yticklabels=names, xlabel="share of pairs of loci", xlim=(0, 1))
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0)


def _effects(data: Dataset, axes: Axes) -> None:
    """Distribution of fitness effects of single mutations, from its quantiles.

    Mean over worlds, the band from the lowest to the highest.
    """
    low, mean, high = _over_worlds(data["dfe"])
    chance = data["probability_value"].values
    axes.fill_betweenx(chance, low, high, **BAND)
    axes.plot(mean, chance, color=BLUE)
    axes.axvline(0, **ZERO)
    axes.set(xlabel="fitness effect", ylabel="share below", ylim=(0, 1))
    axes.xaxis.set_major_locator(MaxNLocator(4))


BINARY = (
    Panel(("autocorrelation",), _walk),
    Panel(("walsh_spectrum",), _spectrum),
    Panel(tuple(f"epistasis_{kind}" for kind in TYPES), _epistasis),
    Panel(("dfe",), _effects),
)
