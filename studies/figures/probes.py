"""The measures of landscapes as pictures: one row for each landscape."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from studies.figures import style

ROW = 1.55  # inches
BLUE, ORANGE, GREEN = style.COLOURS[:3]
Panel = Callable[[xr.Dataset, Axes], None]


def probes(dataset: xr.Dataset) -> Figure:
    """The figure of a Dataset that `studies.probe.datasets.probe` returns, 7 inches wide.

    Binary landscapes first.

    Binary: autocorrelation, Walsh spectrum, epistasis, fitness effects. Real: autocorrelation, loss against
    distance, lines.
    """
    names = sorted(
        dataset["landscape"].values.tolist(), key=lambda name: not bool(dataset["binary"].sel(landscape=name))
    )
    figure = Figure(figsize=(style.WIDTH, ROW * len(names) + 0.1), layout="constrained")
    for part, name in zip(figure.subfigures(len(names), 1, squeeze=False)[:, 0], names, strict=True):
        data = dataset.sel(landscape=name)
        panels = BINARY if bool(data["binary"]) else CONTINUOUS
        part.suptitle(str(name), x=0.01, ha="left", fontsize=8, fontweight="bold")
        for axes, draw in zip(part.subplots(1, len(panels)), panels, strict=True):
            draw(data, axes)
    return figure


def _absent(axes: Axes, text: str = "not measured") -> None:
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color="#555555", fontsize=7)
    axes.set(xticks=[], yticks=[])


def _there(data: xr.Dataset, name: str) -> bool:
    return name in data and bool(np.isfinite(data[name]).any())


def _over_worlds(values: xr.DataArray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lowest, mean and highest over worlds; infinities and NaN are left out."""
    finite = values.where(np.isfinite(values)).transpose("replicate", ...).values
    there = np.isfinite(finite).any(0)
    found = np.full((3, *finite.shape[1:]), np.nan)
    found[:, there] = [
        np.nanmin(finite[:, there], 0),
        np.nanmean(finite[:, there], 0),
        np.nanmax(finite[:, there], 0),
    ]
    return found[0], found[1], found[2]


# real coordinates -------------------------------------------------------------------------------------------


def _autocorrelation(data: xr.Dataset, axes: Axes) -> None:
    """Mean over worlds, the band from the lowest to the highest; where it falls to 1/e."""
    if not _there(data, "autocorrelation"):
        return _absent(axes)
    lag = data["lag_value"].values
    low, mean, high = _over_worlds(data["autocorrelation"])
    axes.fill_between(lag, low, high, color=BLUE, alpha=0.15, linewidth=0)
    axes.plot(lag, mean, color=BLUE)
    axes.axhline(np.exp(-1), color="#888888", linewidth=0.5, linestyle=(0, (4, 3)))
    axes.annotate(
        "1/e",
        (0.01, np.exp(-1)),
        (0, 1.5),
        ("axes fraction", "data"),
        "offset points",
        fontsize=6.5,
        color="#555555",
    )
    length = _over_worlds(data["correlation_length"])[1] if "correlation_length" in data else np.nan
    if np.isfinite(length) and length <= np.nanmax(lag):
        axes.plot(
            [float(length)],
            [np.exp(-1)],
            "o",
            color=ORANGE,
            markersize=3.5,
            label=f"length {float(length):.3g}",
        )
        axes.legend(loc="upper right", handletextpad=0.1, borderaxespad=0.1, fontsize=7)
    axes.set(
        xlabel="distance (units of $x$)",
        ylabel="autocorrelation",
        xlim=(0, np.nanmax(lag)),
        ylim=(min(0.0, np.nanmin(low)) - 0.05, 1.05),
    )
    return None


def _scatter(data: xr.Dataset, axes: Axes) -> None:
    """Loss against distance to the optimum, world 0."""
    if not _there(data, "sample_loss"):
        return _absent(axes)
    loss, distance = data["sample_loss"].values, data["sample_distance"].values
    shown = np.isfinite(loss) & np.isfinite(distance)
    axes.plot(distance[shown], loss[shown], ".", color=BLUE, markersize=1.8, alpha=0.6, rasterized=True)
    if _spans_decades(loss[shown]):
        axes.set_yscale("log")
    known = bool(data["optimum_known"] == 1)
    axes.set(xlabel=f"distance to the {'optimum' if known else 'best seen'} (units of $x$)", ylabel="loss")
    if _there(data, "distance_correlation_pearson"):
        mean = float(_over_worlds(data["distance_correlation_pearson"])[1])
        axes.annotate(f"r = {mean:.2f}", (0.03, 0.95), xycoords="axes fraction", va="top", fontsize=7,
                      bbox={"facecolor": "white", "alpha": 0.8, "linewidth": 0, "pad": 1})  # fmt: skip
    return None


def _slices(data: xr.Dataset, axes: Axes) -> None:
    """The loss along random lines, world 0."""
    if not _there(data, "slice_loss"):
        return _absent(axes)
    place, loss = data["slice_place"].values, data["slice_loss"].values
    for colour, x, y in zip(style.COLOURS * 2, place, loss, strict=False):
        axes.plot(x, np.where(np.isfinite(y), y, np.nan), color=colour, linewidth=0.7)
    if _spans_decades(loss[np.isfinite(loss)]):
        axes.set_yscale("log")
    axes.set(xlabel="place on a line (units of $x$)", ylabel="loss")
    if _there(data, "density_of_minima"):
        density = float(_over_worlds(data["density_of_minima"])[1])
        axes.set_title(f"{density:.2g} minima per unit", fontsize=7, loc="right", pad=2)
    return None


def _spans_decades(loss: np.ndarray) -> bool:
    return bool(loss.size and loss.min() > 0 and loss.max() > 300 * np.quantile(loss, 0.05))


CONTINUOUS: tuple[Panel, ...] = (_autocorrelation, _scatter, _slices)


# bits -------------------------------------------------------------------------------------------------------

TYPES = {
    "none": "#bbbbbb",
    "magnitude": style.COLOURS[4],
    "sign": style.COLOURS[5],
    "reciprocal": style.COLOURS[1],
}  # of epistasis


def _walk(data: xr.Dataset, axes: Axes) -> None:
    """Autocorrelation by steps of a random walk.

    Mean over worlds, the band from the lowest to the highest.
    """
    if not _there(data, "autocorrelation"):
        return _absent(axes)
    low, mean, high = _over_worlds(data["autocorrelation"])
    lag, shown = data["lag_value"].values, np.isfinite(mean)
    lag, low, mean, high = (
        np.concatenate(([start], part[shown]))
        for start, part in zip((0, 1, 1, 1), (lag, low, mean, high), strict=True)
    )
    axes.fill_between(lag, low, high, color=BLUE, alpha=0.15, linewidth=0)
    axes.plot(lag, mean, "o-", color=BLUE, markersize=2.2, linewidth=1)
    axes.axhline(0, color="#888888", linewidth=0.5)
    axes.set(xlabel="steps of a walk", ylabel="autocorrelation", xlim=(0, lag[-1]))
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    return None


def _spectrum(data: xr.Dataset, axes: Axes) -> None:
    """Share of the variance in each order of interaction."""
    if not _there(data, "walsh_spectrum"):
        return _absent(axes)
    low, mean, high = _over_worlds(data["walsh_spectrum"])
    order, shown = data["order_value"].values, np.isfinite(mean)
    axes.bar(order[shown], mean[shown], color=BLUE, alpha=0.75, width=0.75)
    axes.vlines(order[shown], low[shown], high[shown], color="black", linewidth=0.7)
    axes.set(xlabel="order of interaction", ylabel="share of variance", ylim=(0, None))
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    return None


def _epistasis(data: xr.Dataset, axes: Axes) -> None:
    """Shares of pairs of loci by the kind of their interaction."""
    names = [kind for kind in TYPES if _there(data, f"epistasis_{kind}")]
    if not names:
        return _absent(axes)
    parts = [_over_worlds(data[f"epistasis_{kind}"]) for kind in names]
    places = np.arange(len(names))
    axes.barh(
        places, [float(mean) for _, mean, _ in parts], color=[TYPES[kind] for kind in names], height=0.7
    )
    axes.hlines(
        places,
        [float(low) for low, _, _ in parts],
        [float(high) for _, _, high in parts],
        color="black",
        linewidth=0.7,
    )
    axes.set(yticks=places, yticklabels=names, xlabel="share of pairs of loci", xlim=(0, 1))
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0)
    return None


def _effects(data: xr.Dataset, axes: Axes) -> None:
    """Distribution of fitness effects of single mutations, from its quantiles.

    Mean over worlds, the band from the lowest to the highest.
    """
    if not _there(data, "dfe"):
        return _absent(axes)
    low, mean, high = _over_worlds(data["dfe"])
    chance = data["probability_value"].values
    axes.fill_betweenx(chance, low, high, color=BLUE, alpha=0.15, linewidth=0)
    axes.plot(mean, chance, color=BLUE)
    axes.axvline(0, color="#888888", linewidth=0.5)
    axes.set(xlabel="fitness effect", ylabel="share below", ylim=(0, 1))
    axes.xaxis.set_major_locator(MaxNLocator(4))
    return None


BINARY: tuple[Panel, ...] = (_walk, _spectrum, _epistasis, _effects)
