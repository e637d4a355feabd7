"""Local optima networks: to which optima a climb leads from which, and how large their basins are.

A disc for each of the best local optima, as large as its basin and the darker the lower its loss; those of
the lowest loss have a ring. Arrows go where one or two mutations and a greedy climb lead, the thicker the
likelier, none where that is rarer than one time in twenty. Optima stand near those that lead to them or that
they lead to (Kamada and Kawai 1989, Inf. Process. Lett. 31, by networkx; the length of an arrow is 1 over the
square root of the chance there and back).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import networkx
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch
from matplotlib.ticker import MaxNLocator
from scipy.sparse.csgraph import shortest_path
from xarray import Dataset

from studies.figures import captions, layout, panels, style
from studies.figures.pages import HIGHEST
from studies.figures.style import Look

LEAST = 0.05  # chance, below which there is no arrow
BAR, TITLE = 0.45, 0.35  # inches: of the bar of losses, and of a title
NARROW = 2.2  # inches: the least width of a panel
LARGE, SMALL = 900.0, 12.0  # square points: a disc whose basin is everything, the least one
BEYOND = 1.3  # times the longest way, between optima without one
SHADES = style.SHADES.reversed()  # the lower the darker
ROOM = 0.1  # of the width and height of a panel, around the middles of discs
RING: Look = {
    "clip_on": False,
    "facecolor": "none",
    "edgecolor": style.COLOURS[1],
    "linewidth": 1.4,
    "zorder": 4,
}
DISC: Look = {"clip_on": False, "edgecolor": "white", "linewidth": 0.4, "zorder": 3}
ARROW: Look = {
    "arrowstyle": "-|>",
    "mutation_scale": 5,
    "connectionstyle": "arc3,rad=0.12",
    "color": style.GREY,
    "alpha": 0.7,
}
THICK = (0.3, 4.0)  # points of a line: of an arrow, and for each unit of chance


def optima_networks(networks: Sequence[Dataset], width: float = style.WIDTH) -> list[Figure]:
    """Pages with a panel for each network, none higher than 1.3 times its width.

    Args:
        networks: one or more, as `studies.probe.networks.optima` gives them.
        width: inches.
    """
    places = np.arange(len(networks))

    def make(number: int) -> Iterator[Figure]:
        parts = np.array_split(places, number)
        return (optima_network([networks[place] for place in part], width) for part in parts)

    return layout.fewest(make, len(networks), HIGHEST * width)


def optima_network(networks: Sequence[Dataset], width: float = style.WIDTH) -> Figure:
    """The page of some networks, as of `optima_networks`."""
    figure = Figure(layout="constrained")
    grid = layout.fitted(figure, len(networks), width, NARROW)
    for axes, data in zip(grid.panels, networks, strict=True):
        panel(data, axes)
        _bar(figure, axes, data)
        panels.noted_title(axes, str(data.attrs["kind"]), [_note(data)], grid.inches - 0.1)
    captions.say(figure, _said(networks))
    square = min(grid.inches, style.COLUMN) + BAR + TITLE
    figure.set_size_inches(width, square * grid.lines)
    return figure


def panel(data: Dataset, axes: Axes) -> Axes:
    """Draw a network on Axes and return them.

    Args:
        data: of `studies.probe.networks.optima`.
        axes: where.
    """
    place, loss = places(data), data["loss"].values
    size = SMALL + LARGE * data["basin"].values
    for origin, target, chance in _arrows(data):
        ends = tuple(place[origin]), tuple(place[target])
        gaps = {"shrinkA": _radius(size[origin]), "shrinkB": _radius(size[target])}
        look: Look = ARROW | gaps | {"linewidth": THICK[0] + THICK[1] * chance}
        axes.add_patch(FancyArrowPatch(*ends, **look))
    across, up = place.T
    axes.scatter(across, up, size, loss, cmap=SHADES, norm=_scale(data), **DISC)
    best = loss == loss.min()
    axes.scatter(across[best], up[best], 3 * SMALL + size[best], **RING)
    axes.margins(ROOM)
    axes.set_axis_off()
    return axes


def places(data: Dataset) -> np.ndarray:
    """Where optima stand: (U, 2), the same for the same network."""
    chance = np.zeros((data.sizes["optimum"],) * 2)
    chance[data["origin"].values, data["target"].values] = data["chance"].values
    either = chance + chance.T
    steps = np.where(either > 0, 1 / np.sqrt(np.where(either > 0, either, 1)), 0)
    ways = shortest_path(steps, directed=False)
    joined = np.isfinite(ways)
    ways[~joined] = BEYOND * max(ways[joined].max(), 1.0)
    graph = networkx.empty_graph(len(ways))
    lengths = {row: dict(enumerate(own)) for row, own in enumerate(ways.tolist())}
    layout_of = networkx.kamada_kawai_layout(graph, dist=lengths, pos=networkx.circular_layout(graph))
    return np.array([layout_of[number] for number in range(len(ways))])


def _arrows(data: Dataset) -> list[tuple[int, int, float]]:
    """Origin, target and chance of the arrows that are drawn."""
    parts = (data[name].values.tolist() for name in ("origin", "target", "chance"))
    return [arrow for arrow in zip(*parts, strict=True) if arrow[2] >= LEAST]


def _radius(size: float) -> float:
    """The radius of a disc in points, of its size in square points."""
    return float(np.sqrt(size)) / 2


def _scale(data: Dataset) -> Normalize:
    """Where losses lie between the lowest and the highest that are shown."""
    return Normalize(float(data["loss"].min()), float(data["loss"].max()))


def _bar(figure: Figure, axes: Axes, data: Dataset) -> None:
    """The bar of losses below a panel, where they differ."""
    if float(data["loss"].min()) == float(data["loss"].max()):
        return
    shades = ScalarMappable(_scale(data), SHADES)
    bar = figure.colorbar(shades, ax=axes, location="bottom", aspect=30, pad=0.01)
    bar.ax.xaxis.set_major_locator(MaxNLocator(4))
    bar.outline.set_visible(False)  # type: ignore[operator]
    bar.set_label("loss")


# words ------------------------------------------------------------------------------------------------------


def _note(data: Dataset) -> str:
    """What is said above a panel: the parameters, and how many optima are shown."""
    shown, whole = data.sizes["optimum"], data.attrs["optima"]
    if shown < whole:
        count = f"the {shown} best of {whole} optima"
    else:
        count = f"{whole} local optim{'um' if whole == 1 else 'a'}"
    return f"{data.attrs['parameters']}: {count}, {float(data['basin'].sum()):.0%} of genotypes"


def _said(networks: Sequence[Dataset]) -> str:
    """What discs and arrows are."""
    each = [f"{data.attrs['kind']}, {_note(data)}" for data in networks]
    parts = [
        "local optima of world 0; area of discs: the share of genotypes whose greedy climb ends there",
        "ring: the lowest loss",
        f"arrows: chances of {LEAST:.0%} or more to get there by one or two mutations and a climb",
        *each,
    ]
    return "; ".join(parts)
