"""Performance profiles (Dolan and More 2002): the share of problems that an optimizer solves within a factor of the best one's cost.

Bands, of up to seven optimizers, are 95 % intervals where some but not all is solved; at 0 and 1 none is drawn, and the legend says how wide it is
there.
"""

from __future__ import annotations

from typing import Any

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from studies.analysis.running_time.profiles import profile as analysis
from studies.figures import style

PANEL = 2.6  # inches


def profile(dataset: xr.Dataset, width: float = style.WIDTH) -> Figure:
    """The figure of a whole Dataset.

    Args:
        dataset: results of a study with targets; each value of a swept axis makes problems of its own.
        width: inches.
    """
    told = profiles(dataset)
    drawn = [str(name) for name in told["optimizer"].values]
    looks = {
        name: look
        for name, look in style.looks([str(name) for name in dataset["optimizer"].values]).items()
        if name in drawn
    }
    across = style.across(list(looks), width)
    worlds = int(told["worlds"].max())
    counted = f"{int(told['problems'])} problems (landscape, world, target), {style.worlds(worlds)}"
    figure = Figure(layout="constrained")
    axes = panel(told, figure.add_subplot(), looks)
    unsure = "; hatched: hits known to an interval only" * any(
        one.get_gid() == "earliest" for one in axes.collections
    )
    note = style.wrapped(
        counted + style.bands(figure, dataset) + unsure + style.silent(dataset), width - 0.4, 7.5
    )
    figure.set_size_inches(width, PANEL + 0.3 + 0.13 * note.count("\n") + 0.165 * -(-len(looks) // across))
    axes.set_ylabel("share of problems solved")
    axes.set_xlabel(style.wrapped("cost over the least cost of any optimizer", width - 0.8))
    figure.legend(
        handles=axes.lines[: len(looks)],
        loc="outside lower center",
        ncols=across,
        title=note,
        title_fontsize=7.5,
    )
    return figure


def profiles(dataset: xr.Dataset) -> xr.Dataset:
    """What is drawn: all of `studies.analysis.running_time.profiles.profile`.

    Where hits are known to intervals also `least` and `most`.

    The least that a profile can be is where the optimizer hit at the upper ends of its intervals and all
    others at the lower ends of theirs.

    Args:
        dataset: a study's results with targets.
    """
    told = analysis(dataset)
    low, hit = dataset.get("hit_cost_low"), dataset.get("hit_cost")
    if low is None or hit is None or not bool((low < hit).any()):
        return told
    for name, mine, others in (("least", hit, low), ("most", low, hit)):
        parts = []
        for optimizer in told["optimizer"].values:
            swapped = dataset.assign(
                hit_cost=xr.where(dataset["optimizer"] == optimizer, mine, others).transpose(*hit.dims)
            )
            parts.append(analysis(swapped)["profile"].sel(optimizer=optimizer))
        told[name] = xr.concat(parts, told["optimizer"], coords="minimal", compat="override")
    return told


def panel(told: xr.Dataset, axes: Axes, looks: dict[str, dict[str, Any]] | None = None) -> Axes:
    """Draw profiles on Axes and return them.

    Args:
        told: what `profiles` gives, or a study's results, such as of one landscape.
        axes: where to draw.
        looks: label -> keywords of `Axes.plot`.
    """
    told = told if "profile" in told else profiles(told)
    looks = looks or style.looks([str(name) for name in told["optimizer"].values])
    factor = told["factor"].values
    for name, look in looks.items():
        mine = told.sel(optimizer=name)
        low, high = mine["profile_interval"].transpose("bound", "factor").values
        some = (mine["profile"] > 0) & (mine["profile"] < 1)
        if len(looks) <= style.BANDS and some.any() and mine["worlds"].max() > 1:
            low, high = style.inside(mine["profile"].values, low, high)
            axes.fill_between(factor, low, high, step="post", color=look["color"], alpha=0.15, lw=0)
        axes.plot(factor, mine["profile"].values, drawstyle="steps-post", label=name, **look)
        if "least" in told and bool((mine["least"] < mine["most"]).any()):
            axes.fill_between(
                factor,
                mine["least"],
                mine["most"],
                step="post",
                edgecolor=look["color"],
                gid="earliest",
                **style.UNSURE,
            )
    if not told["profile"].notnull().any():
        axes.text(0.5, 0.5, "no world with numbers", transform=axes.transAxes, ha="center", color="#555555")
    axes.set(xscale="log", xlim=(factor[0], factor[-1]), ylim=(-0.02, 1.02))
    axes.xaxis.set_major_locator(LogLocator(numticks=6))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.grid(axis="both", which="major")
    axes.set_axisbelow(True)
    return axes
