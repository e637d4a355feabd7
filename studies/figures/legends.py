"""The legend below all panels: what lines and marks are; and words of the caption on worlds and bands."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from xarray import Dataset

from studies.analysis.intervals.proportions import clopper_pearson
from studies.figures import captions, style
from studies.figures.layout import abreast
from studies.figures.style import Look, Looks
from studies.results.arms import dims_beside, labels, never_asked, words_on_silent
from studies.text.schema import DIMS

ROW, LINE = 0.16, 0.13  # inches: a row of entries, a line of words
ALONE = 0.2  # inches that are not needed where there are no entries
SIZE = 7.5  # points
OUTSIDE: Look = {"loc": "outside lower center"}
EARLIEST = "earliest"  # gid of the hatched parts, where hits are known to intervals


def below(figure: Figure, handles: Sequence[Artist], words: str, width: float) -> float:
    """Write the legend of a figure below its panels, and keep its caption.

    Args:
        figure: with a constrained layout.
        handles: of the entries.
        words: of the caption.
        width: inches of the figure.

    Returns:
        The height of the entries in inches, without the margins; less than 0 where there are none.
    """
    captions.say(figure, words)
    if not handles:
        return -ALONE
    columns = across([str(handle.get_label()) for handle in handles], width)
    figure.legend(handles=handles, ncols=columns, **OUTSIDE)
    return ROW * -(-len(handles) // columns)


def finish(
    figure: Figure,
    handles: Sequence[Artist],
    words: str,
    width: float,
    height: float,
) -> Figure:
    """Write the legend of a figure below its panels, and make the figure as high as both need.

    Args:
        figure: with a constrained layout.
        handles: of the entries.
        words: of the caption.
        width: inches of the figure.
        height: inches of the panels, and of the margins of the legend.
    """
    figure.set_size_inches(width, height + below(figure, handles, words, width))
    return figure


def across(names: Sequence[str], width: float) -> int:
    """Columns of a legend of these labels that fit into so many inches, in rows as even as can be; >= 1."""
    longest = max(map(len, names), default=0)
    most = abreast(len(names), width - 0.3, style.HANDLE + SIZE * style.LETTER * longest)
    lines = -(-len(names) // most)
    return max(1, -(-len(names) // max(1, lines)))


# entries ----------------------------------------------------------------------------------------------------


def entry(label: str, **look: object) -> Line2D:
    """An entry that is a line, or a mark."""
    return Line2D([], [], label=label, **look)  # type: ignore[arg-type]


def lines(looks: Looks, **more: object) -> list[Line2D]:
    """An entry for each label."""
    return [entry(label, **look, **more) for label, look in looks.items()]


def undecided(label: str) -> Patch:
    """The entry of what is hatched."""
    return Patch(**style.UNDECIDED | {"facecolor": "white"}, label=label)


def drawn(panels: Iterable[Axes], looks: Looks) -> Looks:
    """The looks of what some panel shows."""
    there = {str(line.get_label()) for axes in panels for line in axes.lines}
    return style.only(looks, there)


def has_line(panels: Iterable[Axes], gid: str) -> bool:
    """Whether some panel has a line with this id."""
    return any(line.get_gid() == gid for axes in panels for line in axes.lines)


def drawn_arms(panels: Iterable[Axes], looks: Looks, dataset: Dataset) -> Looks:
    """The looks of the arms that some panel shows; all looks where these are of optimizers."""
    return looks if len(looks) < len(labels(dataset)) else drawn(panels, looks)


# words ------------------------------------------------------------------------------------------------------


def worlds(number: int, interval: str = "") -> str:
    """How many worlds there are, and, of more than one, what shows how sure their mean is."""
    return "one world" if number == 1 else f"{number} worlds{interval}"


def of_worlds(dataset: Dataset, interval: str = "") -> str:
    """How many worlds results have, and what shows how sure their mean is."""
    return worlds(dataset.sizes["replicate"], interval)


def each(dataset: Dataset, looks: Looks, apart: Sequence[str] = ()) -> str:
    """A word on arms that have no look of their own, or none.

    Args:
        dataset: what is drawn.
        looks: label -> keywords of `Axes.plot`.
        apart: axes whose values have panels of their own.
    """
    axes = dims_beside(dataset["loss"], *DIMS, *apart)
    dataset = dataset.isel(dict.fromkeys(apart, 0)).drop_vars(apart)
    return "" if set(labels(dataset)) <= set(looks) else f"; a line for each value of {', '.join(axes)}"


def hatch(
    axes: Axes,
    x: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    colour: str,
) -> None:
    """Hatch what hits that are known to intervals leave open of a share.

    Args:
        axes: where.
        x: (N,) where the share steps.
        low: (N,) the least that it can be.
        high: (N,) the most.
        colour: of the lines.
    """
    axes.fill_between(x, low, high, step="post", edgecolor=colour, gid=EARLIEST, **style.UNSURE)


def hatched(panels: Iterable[Axes]) -> str:
    """A word on the hatched parts of the panels, or none where there are none."""
    there = any(part.get_gid() == EARLIEST for axes in panels for part in axes.collections)
    return "; hatched: hits known to an interval only" * there


def bands(figure: Figure, dataset: Dataset) -> str:
    """A word on the bands of shares in a figure, or none where none is drawn."""
    if not _has_bands(figure) or dataset.sizes["replicate"] < 2:
        return ""
    widest = _widest(float(_units(dataset)))
    return f"; bands: 95 % intervals, not drawn at 0 and 100 %, where it is {widest:.0%} wide"


def _widest(units: float) -> float:
    """The width of the interval of a share of so many runs at 0 and 1."""
    return float(clopper_pearson(np.array(0.0), np.array(units))[1])


def _has_bands(figure: Figure) -> bool:
    """Whether a band is drawn that is not hatched."""
    parts = [part for axes in figure.axes for part in axes.collections]
    return any(isinstance(part, PolyCollection) and part.get_gid() != EARLIEST for part in parts)


def _units(dataset: Dataset) -> int:
    """The number of independent runs of an arm: its instances, where worlds share them."""
    numbers = np.unique(dataset.coords["instance"].values) if "instance" in dataset.coords else ()
    return len(numbers) if len(numbers) > 1 else dataset.sizes["replicate"]


def silent(dataset: Dataset) -> str:
    """A word on the arms that never asked for a value, and so are in no comparison; or none."""
    several = dataset.sizes["landscape"] > 1
    names = [f"{label} on {place}" if several else label for place, label in never_asked(dataset)]
    return f"; {words_on_silent(names, 'not shown', 3)}" if names else ""
