"""What the marks on pictures of landscapes mean."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.lines import Line2D
from xarray import Dataset

from studies.figures import legends
from studies.figures.forms import BAND, BLUE, DOT, END, GOLD, HOLLOW, STAR, WAYS
from studies.figures.style import Look

PEAK: Look = HOLLOW | {"marker": "o", "markersize": 5}
PATH: Look = END | {"linewidth": 0.8, "linestyle": "-"}


def key(pictures: Sequence[Dataset]) -> list[Line2D]:
    """Entries of a legend of the marks on these pictures."""
    forms = {str(data.attrs["form"]) for data in pictures}
    of_network = _network() if "network" in forms else []
    of_band = [legends.entry(BAND, color=BLUE, linewidth=1)] if "band" in forms else []
    return [*_places(pictures), *of_network, *_paths(pictures), *of_band]


def _network() -> list[Line2D]:
    """The entries of a network of genotypes."""
    peak = legends.entry("local optimum", **PEAK)
    edges = [legends.entry(name, color=colour, linewidth=1) for name, colour in WAYS.items()]
    return [peak, *edges]


def _paths(pictures: Sequence[Dataset]) -> list[Line2D]:
    """The entry of paths of optima, if there are any."""
    times = [int(data.attrs["horizon"]) for data in pictures if "path_u" in data]
    if not times:
        return []
    label = f"path of the optimum, {max(times)} units of time"
    return [legends.entry(label, **PATH)]


def _places(pictures: Sequence[Dataset]) -> list[Line2D]:
    """The entries of stars and dots."""
    exact = {bool(data.attrs["optimum_known"]) for data in pictures if _has_star(data)}
    there = {
        legends.entry("optimum", **STAR | {"markeredgecolor": GOLD}): True in exact,
        legends.entry("lowest point seen", **HOLLOW): False in exact,
        legends.entry("a start", **DOT): any("start" in data.attrs for data in pictures),
    }
    return [handle for handle, shown in there.items() if shown]


def _has_star(data: Dataset) -> bool:
    """Whether a picture shows where the loss is lowest."""
    return "optimum" in data.attrs or data.attrs["form"] == "band"
