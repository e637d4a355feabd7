"""Trajectories and populations on the same map: trails, and ellipses of the populations' covariance.

One panel for each landscape of one or two coordinates with `pictures`, all methods on it in one world. An
ellipse is two standard deviations of the points of a step, early, midway and at the end. On a game of two
players the arrows are their steps, the lines where one player rests (nullclines), and the marks fixed points
by their class.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse
from xarray import Dataset

from studies.figures import layout, legends, panels, style
from studies.figures.games import Flow, field_of, flow
from studies.figures.style import Look, Looks
from studies.figures.trajectories import FRAMES, START, contours, levels
from studies.results import settings
from studies.results.arms import arms

NO_MAP = (
    "plane: expected a landscape of one or two coordinates with pictures of this world; with more"
    " each method has a plane of its own, which `trajectories` shows"
)
SPREAD = "ellipses: two standard deviations of the points of a step, early, midway, at the end"
REST = "where player 1 (solid) and player 2 (dashed) rest"
NARROW = 1.6  # inches, the least width of a panel
GROUND = LinearSegmentedColormap.from_list("ground", ["#7d7d7d", "#c4c4c4", "#fafafa"])
POPULATION = 3  # points in a step, from which they have an ellipse
DEVIATIONS = 2.0
MARKS: dict[str, Look] = {  # of fixed points
    "stable node": {"marker": "o", "mfc": "black"},
    "unstable node": {"marker": "o", "mfc": "white"},
    "stable spiral": {"marker": "s", "mfc": "black"},
    "unstable spiral": {"marker": "s", "mfc": "white"},
    "center": {"marker": "D", "mfc": "white"},
    "saddle": {"marker": "X", "mfc": "white"},
}
MARK: Look = {
    "ls": "",
    "mec": "black",
    "mew": 0.9,
    "ms": 5.5,
    "zorder": 5,
}
RESTING: Look = {"colors": "#555555", "linewidths": 0.9}
NULLCLINES = (RESTING | {"linestyles": ["-"]}, RESTING | {"linestyles": [(0, (4, 2))]})
ARROWS: Look = {
    "density": 0.7,
    "linewidth": 0.4,
    "arrowsize": 0.5,
    "color": "#aaaaaa",
}
ROUND: Look = {
    "fill": False,
    "lw": 0.9,
    "gid": "spread",
    "zorder": 4,
}
END: Look = {
    "marker": "*",
    "ms": 8,
    "mec": "white",
    "mew": 0.5,
    "zorder": 6,
}


class Map(NamedTuple):
    """A panel."""

    landscape: str
    arms: list[tuple[str, Dataset]]
    extent: np.ndarray  # (2, 2)
    flow: Flow | None  # of a game


def plane(dataset: Dataset, width: float = style.WIDTH, *, world: int | str = 0) -> Figure:
    """The figure of all methods on the maps of their landscapes.

    Args:
        dataset: a study's results with `pictures`.
        width: inches.
        world: of which pictures were taken.

    Raises:
        ValueError: there are no pictures, or no landscape of one or two coordinates.
    """
    panels.expect(dataset, "picture_center", "plane", "`pictures:`")
    maps = _maps(dataset, int(world))
    if not maps:
        raise ValueError(NO_MAP)
    looks = style.arm_looks(dataset)
    figure = Figure(layout="constrained")
    grid = layout.fitted(figure, len(maps), width, NARROW)
    for axes, shown in zip(grid.panels, maps, strict=True):
        panel(shown, axes, looks)
        panels.title(axes, shown.landscape, 0.85 * (grid.inches - 0.5))
    height = (grid.inches - 0.2) * grid.lines + 0.55
    words = f"world {world}{_said(figure, maps)}"
    return legends.finish(figure, _handles(maps, looks), words, width, height)


def _said(figure: Figure, maps: Sequence[Map]) -> str:
    """What ellipses, colours and lines are, of those that are there."""
    flows = [bool(shown.flow) for shown in maps]
    patches = [patch for axes in figure.axes for patch in axes.patches]
    there = {
        "low loss is dark": not all(flows),
        SPREAD: any(patch.get_gid() == "spread" for patch in patches),
        REST: any(flows),
    }
    return "".join(f"; {text}" for text, shown in there.items() if shown)


def _maps(dataset: Dataset, world: int) -> list[Map]:
    """The landscapes that have a plane which all methods share."""
    maps = []
    for name, part in panels.landscapes(panels.of_world(dataset, world)):
        shown = [(label, arm) for label, arm in arms(part) if np.isfinite(arm["picture_center"]).any()]
        if shown and _is_flat(dataset, name):
            extent = _extent([arm for _, arm in shown])
            field = field_of(dataset, name)
            maps.append(Map(name, shown, extent, None if field is None else flow(field, extent)))
    return maps


def _is_flat(dataset: Dataset, landscape: str) -> bool:
    """Whether a landscape has one or two coordinates."""
    arm = settings.at(dataset, {"landscape": landscape})[0]
    return float(arm.landscape["dim"]) <= 2


def _extent(shown: Sequence[Dataset]) -> np.ndarray:
    """The least extent (2, 2) that holds the pictures of all arms."""
    low, high = np.stack([arm["picture_extent"].values for arm in shown]).T
    return np.stack([low.min(1), high.max(1)], 1)


def panel(shown: Map, axes: Axes, looks: Looks) -> Axes:
    """Draw a map on Axes and return them.

    Args:
        shown: the map.
        axes: where.
        looks: label -> keywords of `Axes.plot`.
    """
    if shown.flow is None:
        _ground(shown, axes)
    else:
        _phases(shown.flow, axes)
    for label, arm in shown.arms:
        _method(arm, axes, style.look(looks, label, arm) | {"label": label})
    across, up = map(tuple, shown.extent)
    axes.set(xlim=across, ylim=up, xlabel="$x_1$", ylabel="$x_2$")
    axes.set_box_aspect(1)
    panels.few(axes, 3)
    return axes


def _ground(shown: Map, axes: Axes) -> None:
    """The loss, on one scale for the pictures of all methods, the largest picture below."""
    losses = [np.ma.masked_invalid(arm["picture_loss"].values) for _, arm in shown.arms]
    every = np.concatenate([loss.compressed() for loss in losses])
    if not every.size:
        return
    scale = levels(float(every.min()), float(every.max()))
    sized = sorted(zip(shown.arms, losses, strict=True), key=lambda pair: -_size(pair[0][1]))
    for (_, arm), loss in sized:
        contours(axes, arm["picture_extent"].values, loss, scale, GROUND)


def _size(arm: Dataset) -> float:
    """The area of a picture."""
    extent = arm["picture_extent"].values
    return float(np.prod(extent[:, 1] - extent[:, 0]))


def _phases(game: Flow, axes: Axes) -> None:
    """Arrows, nullclines and fixed points of a game."""
    u, v = game.velocity[..., 0], game.velocity[..., 1]
    axes.streamplot(game.x, game.y, u, v, **ARROWS)
    for part, look in zip((u, v), NULLCLINES, strict=True):
        if part.min() < 0 < part.max():
            axes.contour(game.x, game.y, part, levels=[0.0], **look)
    for point in game.fixed:
        axes.plot(*point.place[:, None], gid=point.kind, **MARK, **MARKS[point.kind])


def _method(arm: Dataset, axes: Axes, look: Look) -> None:
    """The trail of a method, and the ellipses of its population.

    Args:
        arm: its results in one world.
        axes: where.
        look: keywords of `Axes.plot`, with the label.
    """
    center, points = arm["picture_center"].values, arm["picture_point"].values
    center = center[np.isfinite(center).all(-1)]
    axes.plot(*center.T, color="white", lw=2.2, solid_capstyle="round", zorder=3)
    axes.plot(*center.T, lw=1.2, zorder=3, **look)
    for share in FRAMES:
        _ellipse(points[round(share * (len(points) - 1))], axes, look["color"])
    if len(center):
        _ends(center, axes, look["color"])


def _ends(center: np.ndarray, axes: Axes, colour: style.Colour) -> None:
    """Marks at the ends of a trail (N, 2)."""
    axes.plot(*center[0][:, None], zorder=6, **START | {"mec": colour})
    axes.plot(*center[-1][:, None], color=colour, **END)


def _ellipse(points: np.ndarray, axes: Axes, colour: style.Colour) -> None:
    """Two standard deviations around the mean of points (P, 2), where these are a population."""
    there = points[np.isfinite(points).all(-1)]
    if len(there) < POPULATION:
        return
    sizes, directions = np.linalg.eigh(np.cov(there.T))
    angle = float(np.degrees(np.arctan2(*directions[::-1, -1])))
    across, up = 2 * DEVIATIONS * np.sqrt(sizes[::-1].clip(0))
    axes.add_patch(Ellipse(there.mean(0), across, up, angle=angle, ec=colour, **ROUND))


def _handles(maps: Sequence[Map], looks: Looks) -> list[Artist]:
    """Entries of the methods and of the fixed points."""
    names = {label for shown in maps for label, _ in shown.arms}
    kinds = {point.kind for shown in maps if shown.flow for point in shown.flow.fixed}
    methods = legends.lines(style.only(looks, names))
    return [*methods, *legends.lines(style.only(MARKS, kinds), **MARK)]
