"""Performance profiles (Dolan and More 2002): the share of problems that an optimizer solves within a factor of the best one's cost."""

from __future__ import annotations

from typing import Any

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from studies.analysis.profiles import profile as analysis
from studies.figures import style

PANEL = 2.6  # inches


def profile(dataset: xr.Dataset, width: float = style.WIDTH) -> Figure:
    """The figure of a whole Dataset.

    Args:
        dataset: results of a study with targets; each value of a swept axis makes problems of its own.
        width: inches.
    """
    told = analysis(dataset)
    looks = style.looks([str(name) for name in told["optimizer"].values])
    across = style.across(list(looks), width)
    worlds = int(told["worlds"].max())
    counted = f"{int(told['problems'])} problems (landscape, world, target), {style.worlds(worlds)}"
    bands = "; bands: 95 % intervals" if len(looks) <= style.BANDS else ""
    note = style.wrapped(counted + bands, width - 0.4, 7.5)
    figure = Figure(figsize=(width, PANEL + 0.3 + 0.13 * note.count("\n") + 0.165 * -(-len(looks) // across)), layout="constrained")
    axes = panel(told, figure.add_subplot(), looks)
    axes.set_ylabel("share of problems solved")
    axes.set_xlabel(style.wrapped("cost over the least cost of any optimizer", width - 0.8))
    figure.legend(handles=axes.lines[: len(looks)], loc="outside lower center", ncols=across, title=note, title_fontsize=7.5)
    return figure


def panel(told: xr.Dataset, axes: Axes, looks: dict[str, dict[str, Any]] | None = None) -> Axes:
    """Draw profiles on Axes and return them.

    Args:
        told: what `studies.analysis.profiles.profile` gives, or a study's results, such as of one landscape.
        axes: where to draw.
        looks: label -> keywords of `Axes.plot`.
    """
    told = told if "profile" in told else analysis(told)
    looks = looks or style.looks([str(name) for name in told["optimizer"].values])
    factor = told["factor"].values
    for name, look in looks.items():
        mine = told.sel(optimizer=name)
        low, high = mine["profile_interval"].transpose("bound", "factor").values
        if len(looks) <= style.BANDS:
            axes.fill_between(factor, low, high, step="post", color=look["color"], alpha=0.15, lw=0)
        axes.plot(factor, mine["profile"].values, drawstyle="steps-post", label=name, **look)
    if not told["profile"].notnull().any():
        axes.text(0.5, 0.5, "no world with numbers", transform=axes.transAxes, ha="center", color="#555555")
    axes.set(xscale="log", xlim=(factor[0], factor[-1]), ylim=(-0.02, 1.02))
    axes.xaxis.set_major_locator(LogLocator(numticks=6))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.grid(axis="both", which="major")
    axes.set_axisbelow(True)
    return axes
