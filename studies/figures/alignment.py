"""How the mean step lies to the gradient, against the sample that a step takes.

The mini-batch of a gradient method, the population of another.

Where no optimizer has more than one size of sample, each has a place of its own, in the order of the sizes,
which stand below, each once; else the axis is the size. An optimizer of which no cosine can be told has no
place, and is named below.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, NullFormatter
from matplotlib.transforms import ScaledTranslation

from studies.analysis.noise import noise
from studies.figures import style
from studies.results.arms import arms

ROW, NARROW = 1.45, 1.1  # inches: the height of a panel, its least width
HIDDEN = "hidden"
ASIDE = 2.5  # points between optimizers of equal sample, so that they do not hide one another
TICK = 0.11  # inches, of a size below a panel
NONE, NOWHERE = (
    "–",
    -0.9,
)  # and its height: where an optimizer has no cosine with one reference, but with others
CROWDED = 12  # digits below a panel, more of which stand upright
APART = 0.14  # of the axis, that labels of sizes need
Points = dict[
    str, list[tuple[float, float, float, float, float]]
]  # optimizer -> size of its sample, cosine, low, high, 1 where unresolved
REFERENCES = {
    "raw": "raw gradient",
    "smoothed": "smoothed gradient",
    "preconditioned": "preconditioned gradient",
    "selection": "selection, Cov(w,x)/W",
    "mean_fitness": "mean fitness, G\u00a0grad\u00a0ln\u00a0W",
}


def alignment(dataset: xr.Dataset, width: float = style.WIDTH, moment: float | None = None) -> Figure:
    """One row for each landscape, one column for each reference that is known.

    Cosine of the mean step with it; open: hidden by noise.

    Args:
        dataset: a study's results with the noise ledger; where an axis changes the batch or the population,
            its values are joined by a line.
        width: inches.
        moment: fraction of the budget; None: the middle one of those recorded.

    Raises:
        ValueError: there is no noise ledger.
    """
    if "mean_step_along" not in dataset:
        raise ValueError("alignment: expected a study with a `ledger:`, found none in these results")
    dataset = (
        dataset.isel(moment=[dataset.sizes["moment"] // 2])
        if moment is None
        else dataset.sel(moment=[moment], method="nearest")
    )
    names, looks = dataset["landscape"].values.tolist(), style.looks(dataset["optimizer"].values.tolist())
    figure = Figure(layout="constrained")
    columns = _known(dataset)
    across = min(len(columns), max(1, int(width // max(NARROW, 0.45 + TICK * dataset.sizes["optimizer"]))))
    lines = -(-len(columns) // across)  # of panels for each landscape
    grid = figure.subplots(len(names) * lines, across, squeeze=False, sharey=True)
    for i, name in enumerate(names):
        row = grid[i * lines : (i + 1) * lines].ravel()
        for place, (axes, (reference, text)) in enumerate(zip(row, columns.items(), strict=False)):
            panel(dataset.sel(landscape=name), axes, looks, reference)
            if i == 0 or lines > 1:
                axes.set_title(style.wrapped(text, width / across - 0.15, 7.5), fontsize=7.5)
            if i == len(names) - 1 and place + across >= len(columns):
                axes.set_xlabel("sample size")
        for axes in row[len(columns) :]:
            axes.set_axis_off()
        row[0].set_ylabel(style.wrapped(str(name), ROW - 0.1), fontweight="bold")
    figure.supylabel("cosine with the mean step", fontsize=8)
    drawn = {line.get_label() for axes in grid.flat for line in axes.lines}
    handles = [
        Line2D([], [], label=label, marker="o", ms=3, **look)
        for label, look in looks.items()
        if label in drawn
    ]
    sample = "sample: terms in a mini-batch, or points asked"
    worlds = style.worlds(dataset.sizes["replicate"], "; bars: 95 % intervals")
    gone = _gone([label for label in looks if label not in drawn])
    at = (
        f"from states at {dataset['moment'].item():.3g} of the budget, {worlds};"
        f" {sample}{_hidden(grid)}{gone}"
    )
    abreast, title = (
        style.across([str(handle.get_label()) for handle in handles], width),
        style.wrapped(at, width - 0.3, 7.5),
    )
    figure.legend(handles=handles, loc="outside lower center", ncols=abreast, title=title, title_fontsize=7.5)
    figure.set_size_inches(
        width,
        (ROW + 0.15 + 0.2 * (lines > 1)) * len(names) * lines
        + 0.7
        + 0.16 * -(-len(handles) // abreast)
        + 0.13 * title.count("\n"),
    )
    return figure


def panel(
    dataset: xr.Dataset, axes: Axes, looks: dict[str, dict[str, Any]] | None = None, reference: str = "raw"
) -> Axes:
    """Draw one landscape at one moment on Axes and return them.

    Args:
        dataset: a ledger without the dim `landscape`, with one `moment`.
        axes: where to draw.
        looks: optimizer -> keywords of `Axes.plot`.
        reference: one of `REFERENCES`.
    """
    looks = looks or style.looks(dataset["optimizer"].values.tolist())
    found = points(dataset, reference)
    several = any(len(one) > 1 for one in found.values())
    if not several:
        found = dict(sorted(found.items(), key=lambda item: item[1][0][0]))  # neighbours share a size
    if not found:
        style.nothing(axes, "no cosine")
    hidden: list[tuple[np.ndarray, np.ndarray, dict[str, Any]]] = []
    for place, (label, one) in enumerate(found.items()):
        size, cosine, low, high, end = np.array(sorted(one)).T
        aside = ASIDE / 72 * (place - (len(found) - 1) / 2) * several
        where: dict[str, Any] = {
            "transform": axes.transData + ScaledTranslation(aside, 0, axes.figure.dpi_scale_trans)
        }
        x = size if several else np.array([place])
        axes.plot(x, cosine, marker="o", ms=3, label=label, **looks[label], **where)
        if not several and np.isnan([cosine, end]).all():
            axes.text(place, NOWHERE, NONE, ha="center", va="center", color="#555555", fontsize=7)
        axes.vlines(x, low, high, color=looks[label]["color"], lw=1, **where)
        hidden.append((x, end, {"color": looks[label]["color"], **where}))
    for x, end, look in hidden:
        if np.isfinite(end).any():
            axes.plot(x, end, marker="o", ms=3, ls="none", mfc="white", gid=HIDDEN, **look)
    axes.axhline(0.0, color="#888888", lw=0.6, ls=(0, (3, 2)))
    axes.set_ylim(-1.08, 1.08)
    _across(axes, found, several=several)
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.grid(axis="both" if several else "y", which="major")
    axes.set_axisbelow(True)
    return axes


def points(dataset: xr.Dataset, reference: str) -> Points:
    """What is drawn of one landscape at one moment.

    Of the optimizers of which a cosine with any reference can be told.
    """
    found: Points = {}
    for _, arm in arms(dataset):
        every = noise.alignment(arm).isel(moment=0)
        if not bool((every["cosine"].notnull() | (every["unresolved"] & (every["length"] > 0))).any()):
            continue
        told = every.sel(reference=reference)
        low, high = told["cosine_interval"].values.tolist()
        end = (
            1.0 if bool(told["unresolved"]) and float(told["length"]) > 0 else np.nan
        )  # a length of 0: nothing is seen of the step at all
        mine = (float(arm["sample_size"].mean()), float(told["cosine"]), low, high, end)
        found.setdefault(str(arm["optimizer"].item()), []).append(mine)
    return found


def _known(dataset: xr.Dataset) -> dict[str, str]:
    """The references that some world knows, and their titles; the first where none is known."""
    held = dataset["reference_squared"]
    names = [
        name
        for name in REFERENCES
        if name in held["reference"].values and bool(held.sel(reference=name).notnull().any())
    ]
    return {name: REFERENCES[name] for name in names or list(REFERENCES)[:1]}


def _gone(names: list[str]) -> str:
    """Who is not shown."""
    return (
        f"; no cosine can be told of {', '.join(names) if len(names) <= 3 else f'{len(names)} optimizers'}"
        if names
        else ""
    )


def _hidden(grid: np.ndarray) -> str:
    """What open points mean, where there are any."""
    there = any(line.get_gid() == HIDDEN for axes in grid.flat for line in axes.lines)
    return "; open: above 1 by noise" if there else ""


def _across(axes: Axes, found: Points, *, several: bool) -> None:
    """The horizontal axis: sizes on a log scale, or a place for each optimizer with its size below."""
    sizes = sorted({size for one in found.values() for size, *_ in one if np.isfinite(size)})
    if several and sizes:
        axes.set_xscale("log")
        axes.set_xlim(sizes[0] / 1.3, sizes[-1] * 1.3)
        axes.set_xticks(_apart(sizes), [f"{size:g}" for size in _apart(sizes)])
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_xticks([], minor=True)
        return
    axes.set_xlim(-0.6, max(1, len(found)) - 0.4)
    first = [one[0][0] for one in found.values()]
    groups = [
        [i for i, size in enumerate(first) if f"{size:g}" == text]
        for text in dict.fromkeys(f"{size:g}" for size in first)
    ]
    texts = [f"{first[group[0]]:g}" for group in groups]
    axes.set_xticks(
        [float(np.mean(group)) for group in groups],
        texts,
        rotation=90 if len(found) * max(map(len, texts), default=0) > CROWDED else 0,
    )
    axes.set_xticks([group[0] - 0.5 for group in groups[1:]], minor=True)
    axes.tick_params(axis="x", which="major", length=0)
    axes.tick_params(axis="x", which="minor", length=4)  # between sizes


def _apart(sizes: list[float]) -> list[float]:
    """Sizes whose labels do not touch: of those closer than a part of the axis, the first."""
    kept = sizes[:1]
    for size in sizes[1:]:
        kept += [size] if np.log(size / kept[-1]) > APART * np.log(sizes[-1] * 1.69 / sizes[0]) else []
    return kept
