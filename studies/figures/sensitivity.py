"""Loss of every trial of a tuning against each hyperparameter: one panel for each optimizer and parameter.

Landscapes whose losses are gaps to the optimum are series of one panel with a log scale, whose floor is the
precision; raw losses have panels of their own. Losses far above the rest, or no numbers, are drawn at the
upper edge.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogFormatterSciNotation, LogLocator, NullFormatter, StrMethodFormatter

from studies.analysis.trends.sensitivity import sensitivity as analysis
from studies.figures import scales, style
from studies.results.gaps import gap_known
from studies.results.precision import DEFAULT, precision

ROW = 1.75  # inches
LEAST = 1.7  # inches, the width of a panel
MARKS = "osD^vP*Xhd<>p8"
FIXED = ("parameter", "trial", "bound")
GREY = "#666666"
BEST: dict[str, Any] = {"ms": 7, "mec": "black", "mew": 1.1}
ABOVE: dict[str, Any] = {"clip_on": False, "zorder": 5}
LIGHTER = (0.0, 0.45, 0.25, 0.6)  # shades of the colour of an optimizer: of one series after another
MOST = 200  # decades that a log axis has at most
SEVERAL = 30  # ratio of the ends of a log axis, below which 2 and 5 have labels too
BELOW = 0.2  # of the height, below the precision, for its words
# times the height of three quarters of all losses above the least, beyond which there is no place on an axis
FAR = 3
Panel = tuple[
    str, str, list[str], bool
]  # optimizer, parameter, landscapes, whether their losses are gaps to the optimum


def sensitivity(dataset: xr.Dataset, width: float = style.WIDTH) -> Figure:
    """The figure of a whole Dataset.

    Args:
        dataset: results of a study with `tuning`.
        width: inches.

    Raises:
        ValueError: the study has no `tuning`, or none of the arms that were tuned is in these results.
    """
    told, looks = _placed(dataset), style.looks(dataset["optimizer"].values.tolist())
    shown, marks = _panels(told), dict[str, str]()
    if not shown:
        raise ValueError(
            "sensitivity: expected arms that were tuned, found none in these results; keep the labels that"
            " the study gives"
        )
    most = max(1, min(4, int(width // LEAST), len(shown)))
    together = sum(one[2:] == shown[0][2:] for one in shown)
    columns = next(
        (n for n in range(most, 1, -1) if together % n == 0), most
    )  # the next landscapes begin a row
    rows, each = -(-len(shown) // columns), width / columns
    figure = Figure(layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False)
    several = any(len(places) < told.sizes["landscape"] for _, _, places, _ in shown)
    titles = [
        style.wrapped(f"{name}: {', '.join(places)}" if several else name, each - 0.5)
        for name, _, places, _ in shown
    ]
    before = None
    for i, (axes, title, (name, parameter, places, gap)) in enumerate(
        zip(grid.flat, titles, shown, strict=False)
    ):
        panel(
            _of_kind(told, gap).sel(optimizer=name, parameter=parameter, landscape=places),
            axes,
            looks[name]["color"],
            marks,
        )
        if i % columns == 0 or gap != before:
            axes.set_ylabel(("" if told.attrs["objective"] == "loss" else "mean ") + scales.name(gap=gap))
        before = gap
        axes.set_xlabel(style.wrapped(parameter, each - 0.5))
        axes.set_title(title, loc="left", fontweight="bold", color=looks[name]["color"])
    for axes in grid.flat[len(shown) :]:
        axes.set_axis_off()
    lines = _legend(figure, told, marks, width)
    tall = max(title.count("\n") for title in titles)
    figure.set_size_inches(width, (ROW + 0.14 * tall) * rows + 0.35 + 0.16 * lines)
    return figure


def _placed(dataset: xr.Dataset) -> xr.Dataset:
    """The trials, with the precision, and whether their losses are gaps to the optimum."""
    told = analysis(dataset)
    known = {"precision": precision(dataset)} | (
        {"gap_known": dataset["gap_known"]} if "gap_known" in dataset.coords else {}
    )
    small = {
        name: part.max("optimizer") if "optimizer" in part.dims else part for name, part in known.items()
    }
    return told.assign_coords({name: part.reset_coords(drop=True) for name, part in small.items()})


def _of_kind(told: xr.Dataset, gap: bool) -> xr.Dataset:  # noqa: FBT001
    """The trials whose loss is the gap to the optimum, or the others; those left out are NaN."""
    return told.assign(loss=told["loss"].where(gap_known(told) == gap))


def _panels(told: xr.Dataset) -> list[Panel]:
    """What each panel shows: landscapes with gaps to the optimum together, each other one apart."""
    names = [str(name) for name in told["landscape"].values]
    there = {
        gap: [name for name in names if bool(_of_kind(told, gap)["loss"].sel(landscape=name).notnull().any())]
        for gap in (True, False)
    }
    groups = [(there[True], True)] * bool(there[True]) + [([name], False) for name in there[False]]
    pairs = [
        (name, parameter)
        for name in told["optimizer"].values.tolist()
        for parameter in told["parameter"].values.tolist()
    ]
    return [
        (*pair, *group)
        for group in groups
        for pair in pairs
        if told["scale"].sel(optimizer=pair[0], parameter=pair[1]).item()
    ]


def panel(
    told: xr.Dataset, axes: Axes, colour: str = style.COLOURS[0], marks: dict[str, str] | None = None
) -> Axes:
    """Draw one parameter of one optimizer on Axes and return them.

    Args:
        told: what `studies.analysis.trends.sensitivity.sensitivity` gives, without the dims optimizer and
            parameter.
        axes: where to draw.
        colour: of the optimizer.
        marks: series -> marker; new series are added.
    """
    marks = {} if marks is None else marks
    series = _series(told)
    loss = np.concatenate([one["loss"].values for one in series.values()])
    _across(axes, told)
    least = float(told["precision"].min()) if "precision" in told.coords else DEFAULT
    low, top = _up(axes, loss, least)
    for place, (name, one) in enumerate(series.items()):
        marks.setdefault(name, MARKS[len(marks) % len(MARKS)])
        at = list(marks).index(name)
        shade = _lighter(colour, LIGHTER[at % len(LIGHTER)])
        spread: dict[str, Any] = {"color": shade, "lw": 0.7, "alpha": 0.5, "zorder": 1}
        x, y = _aside(one, place, len(series)), one["loss"].values
        ends = one["loss_interval"].values
        lost, best = ~(y < top), one["winner"].values
        drawn = np.where(lost, top, np.maximum(y, low))
        bars = ~lost & ~np.isnan(ends).any(-1)
        axes.vlines(x[bars], np.maximum(ends[bars, 0], low), np.minimum(ends[bars, 1], top), **spread)
        look: dict[str, Any] = {"marker": marks[name], "ls": "", "ms": 3.6, "mew": 0.7, "color": shade}
        for which, more in (
            (~lost & ~best, {}),
            (lost & ~best, {"mfc": "white"} | ABOVE),
            (best, BEST | ABOVE),
        ):
            if which.any():  # nothing at all, unclipped, would take up the whole figure
                axes.plot(x[which], drawn[which], **look | more)
    return axes


def _series(told: xr.Dataset) -> dict[str, xr.Dataset]:
    """Landscapes, with the values of the swept axes where these change anything."""
    found: dict[str, xr.Dataset] = {}
    axes = [str(dim) for dim in told["loss"].dims if dim not in FIXED and dim != "landscape"]
    for landscape in told["landscape"].values.tolist():
        mine = (
            told.sel(landscape=landscape).stack(place=axes, create_index=False)
            if axes
            else told.sel(landscape=landscape).expand_dims("place")
        )
        seen: dict[bytes, xr.Dataset] = {}
        for i in range(mine.sizes["place"]):
            one = mine.isel(place=i)
            if not one["loss"].isnull().all():
                seen.setdefault(
                    np.concatenate([one["loss"].values, np.nan_to_num(one["value"].values)]).tobytes(), one
                )
        telling = [axis for axis in axes if len({one[axis].item() for one in seen.values()}) > 1]
        found |= {
            ", ".join([str(landscape), *(f"{axis} = {one[axis].item()}" for axis in telling)]): one
            for one in seen.values()
        }
    return found


def _aside(one: xr.Dataset, place: int, many: int) -> np.ndarray:
    """Values; those of choices a little beside one another, so that series do not hide each other."""
    x = one["value"].values
    if one["scale"].item() != "choices":
        return x
    trials = np.linspace(-0.5, 0.5, len(x)) * 0.6 / many
    return x + (place - (many - 1) / 2) * 0.7 / many + trials


def _across(axes: Axes, told: xr.Dataset) -> None:
    """The horizontal axis."""
    if told["scale"].item() == "choices":
        choices = json.loads(told["choices"].item())
        axes.set_xticks(range(len(choices)), choices)
        axes.set_xlim(-0.6, len(choices) - 0.4)
    elif told["scale"].item() == "log":
        known = told["value"].values[told["value"].values > 0]
        narrow = known.size and known.max() < SEVERAL * known.min()
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(
            LogLocator(subs=(1, 2, 5), numticks=9) if narrow else LogLocator(numticks=5)
        )
        axes.xaxis.set_minor_formatter(NullFormatter())
        if narrow:
            axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))


def _up(axes: Axes, loss: np.ndarray, least: float) -> tuple[float, float]:
    """The vertical axis; returns where a loss up to the precision, `least`, is drawn on a log scale (-inf: as it is), and the upper edge."""
    axes.grid(axis="y", which="major")
    axes.set_axisbelow(True)
    known, low = loss[np.isfinite(loss)], -np.inf
    if not known.size:
        axes.set(ylim=(0, 1), yticks=[])
        return low, 1.0
    logarithmic = bool(known.min() >= 0 and known.max() > least)
    if logarithmic:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(numticks=6))
        axes.yaxis.set_minor_formatter(
            LogFormatterSciNotation(minor_thresholds=(1.5, 0.5))
        )  # 2 and 5 have labels where decades are few
        axes.tick_params(axis="y", which="minor", labelsize=6)
        low = least if (known <= least).any() else low
        known = np.log10(np.maximum(known, low))
    usual = FAR * (np.quantile(known, 0.75) - known.min()) + known.min()
    near = known[known <= usual]
    span = float(np.ptp(near)) or (0.3 if logarithmic else abs(float(near[0])) or 1.0)
    bottom, top = near.min() - (0.07 if np.isneginf(low) else BELOW) * span, near.max() + 0.16 * span
    if logarithmic:
        bottom, top = (
            10.0 ** max(bottom, -307),
            10.0 ** min(top, bottom + MOST, max(bottom + 2, 250)),
        )  # ticks beyond must be numbers still
    axes.set_ylim(bottom, top)
    if low > 0:
        axes.axhline(low, color=GREY, lw=0.5)
        text = f"≤ precision {style.short(low)}"
        axes.text(0.02, low, text, transform=axes.get_yaxis_transform(), va="top", color=GREY, fontsize=6.5)
    return low, axes.get_ylim()[1]


def _lighter(colour: str, share: float) -> tuple[float, ...]:
    return tuple(1 - (1 - part) * (1 - share) for part in to_rgb(colour))


def _legend(figure: Figure, told: xr.Dataset, marks: dict[str, str], width: float) -> int:
    """The legend below; returns its lines."""
    look: dict[str, Any] = {"ls": "", "color": GREY, "ms": 4}
    handles = [Line2D([], [], label=name, marker=mark, **look) for name, mark in marks.items()]
    handles.append(Line2D([], [], label="best: the study runs with it", marker="o", **look | BEST))
    worlds, trials = int(told["worlds"].max()), told.sizes["trial"]
    handles.append(Line2D([], [], label="diverged, or far above", marker="o", **look | {"mfc": "white"}))
    bars = "; lines: 95 % intervals" if not told["loss_interval"].isnull().all() else ""
    text = (
        f"medians of {worlds} worlds that the study does not use, {trials} trials each, at"
        f" {told.attrs['at']:g} of the budget{bars}"
    )
    across = style.across([str(handle.get_label()) for handle in handles], width)
    title = style.wrapped(text, width - 0.3, 7.5)
    figure.legend(handles=handles, loc="outside lower center", ncols=across, title=title, title_fontsize=7.5)
    return -(-len(handles) // across) + title.count("\n") + 1
