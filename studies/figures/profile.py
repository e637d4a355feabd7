"""Performance profiles (Dolan and More 2002): the share of problems solved within a factor of the least cost.

Bands, of up to seven optimizers, are 95 % intervals where some but not all is solved; at 0 and 1 none is
drawn, and the legend says how wide it is there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from xarray import DataArray, Dataset

from studies.analysis.running_time.profiles import profile as analysis
from studies.figures import layout, legends, panels, style
from studies.figures.clocks import with_clock
from studies.figures.style import Look, Looks
from studies.results.clocks import words

PANEL = 2.6  # inches


def profile(dataset: Dataset, width: float = style.WIDTH, clock: str = "cost") -> Figure:
    """The figure of a whole Dataset.

    Args:
        dataset: results of a study with targets; each value of a swept axis makes problems of its own.
        width: inches.
        clock: on which running times are: cost, steps, epochs, virtual_time or seconds.

    Raises:
        ValueError: there is no such clock, or no method of these results has it.
    """  # noqa: DOC502
    compared = _compared(dataset, clock)
    return _page(compared, compared.looks, width)


def profile_pages(dataset: Dataset, width: float, highest: float, clock: str = "cost") -> list[Figure]:
    """The figure on pages of at most so many inches; all optimizers are compared together.

    Args:
        dataset: results of a study with targets.
        width: inches.
        highest: inches.
        clock: as of `profile`.
    """
    compared = _compared(dataset, clock)
    names = np.array(list(compared.looks), object)

    def make(number: int) -> Iterator[Figure]:
        parts = np.array_split(names, number)
        looks = ({name: compared.looks[name] for name in part} for part in parts)
        return (_page(compared, own, width) for own in looks)

    return layout.fewest(make, max(1, len(names)), highest)


class Compared(NamedTuple):
    """The profiles of all optimizers."""

    dataset: Dataset
    profiled: Dataset  # of `profiles`
    looks: Looks  # of the optimizers that have one
    clock: str


def _compared(dataset: Dataset, clock: str) -> Compared:
    profiled = profiles(with_clock(dataset, clock), clock)
    looks = style.only(style.optimizer_looks(dataset), style.optimizers(profiled))
    return Compared(dataset, profiled, looks, words(clock))


def _page(compared: Compared, looks: Looks, width: float) -> Figure:
    """A page with the profiles of some optimizers."""
    figure = Figure(layout="constrained")
    axes = panel(compared.profiled, figure.add_subplot(), looks)
    axes.set_ylabel("share of problems solved")
    across = f"{compared.clock} over the least {compared.clock} of any optimizer"
    axes.set_xlabel(style.wrapped(across, width - 0.8))
    said = _said(compared.profiled, figure, compared.dataset)
    return legends.finish(figure, axes.lines[: len(looks)], said, width, PANEL + 0.2)


def _said(profiled: Dataset, figure: Figure, dataset: Dataset) -> str:
    """The words above the legend."""
    worlds = legends.worlds(int(profiled["worlds"].max()))
    words = f"{int(profiled['problems'])} problems (landscape, world, target), {worlds}"
    return (
        words + legends.bands(figure, dataset) + legends.hatched(figure.axes) + legends.silent(dataset)
    )


def profiles(dataset: Dataset, clock: str = "cost") -> Dataset:
    """What is drawn: all of `studies.analysis.running_time.profiles.profile`.

    Where hits are known to intervals also `least` and `most`.

    The least that a profile can be is where the optimizer hit at the upper ends of its intervals and all
    others at the lower ends of theirs.

    Args:
        dataset: a study's results with targets.
        clock: of the running times.
    """
    which = f"hit_{clock}"
    profiled = analysis(dataset, value=which)
    low, hit = dataset.get(f"{which}_low"), dataset.get(which)
    if low is None or hit is None or not bool((low < hit).any()):
        return profiled
    return profiled.assign(
        least=_bound(dataset, profiled["optimizer"], hit, low, which),
        most=_bound(dataset, profiled["optimizer"], low, hit, which),
    )


def _bound(
    dataset: Dataset,
    optimizers: DataArray,
    mine: DataArray,
    others: DataArray,
    which: str,
) -> DataArray:
    """The profile of each optimizer with its own hits at one end of their intervals, all others at the other.

    Args:
        dataset: a study's results with targets.
        optimizers: their names.
        mine: costs of the hits of an optimizer whose profile is taken.
        others: costs of the hits of the others.
        which: the variable of the hits.
    """
    parts = []
    for name in optimizers.values:
        swapped = xr.where(dataset["optimizer"] == name, mine, others).transpose(*mine.dims)
        profiled = analysis(dataset.assign({which: swapped}), value=which)
        parts.append(profiled["profile"].sel(optimizer=name))
    return xr.concat(parts, optimizers, coords="minimal", compat="override")


def panel(profiled: Dataset, axes: Axes, looks: Looks | None = None) -> Axes:
    """Draw profiles on Axes and return them.

    Args:
        profiled: what `profiles` gives, or a study's results, such as of one landscape.
        axes: where to draw.
        looks: label -> keywords of `Axes.plot`.
    """
    profiled = profiled if "profile" in profiled else profiles(profiled)
    looks, factor = looks or style.optimizer_looks(profiled), profiled["factor"].values
    for name, look in looks.items():
        _draw(
            profiled.sel(optimizer=name), axes, {"label": name, **look}, band=len(looks) <= style.BANDS
        )
    if not profiled["profile"].notnull().any():
        where = axes.transAxes
        why = "no world in which all have numbers"
        axes.text(0.5, 0.5, why, transform=where, ha="center", color=style.WORDS)
    axes.set(xscale="log", xlim=(factor[0], factor[-1]), ylim=(-0.02, 1.02))
    panels.powers(axes.xaxis, 6)
    panels.rules(axes)
    return axes


def _draw(mine: Dataset, axes: Axes, look: Look, *, band: bool) -> None:
    """The profile of an optimizer, maybe with its band, and what hits known to intervals leave open."""
    factor, share = mine["factor"].values, mine["profile"].values
    if band and mine["worlds"].max() > 1:
        faint = {"color": look["color"], "alpha": 0.15}
        panels.share_band(axes, factor, share, panels.ends(mine, "profile"), faint)
    axes.plot(factor, share, drawstyle="steps-post", **look)
    if "least" in mine and bool((mine["least"] < mine["most"]).any()):
        legends.hatch(axes, factor, mine["least"].values, mine["most"].values, look["color"])
