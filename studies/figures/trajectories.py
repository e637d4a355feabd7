"""Where the search goes, on a plane through the landscape: its center's trail, and the points it asks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.animation import FuncAnimation
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from xarray import Dataset

from studies.figures import layout, legends, panels, style
from studies.figures.style import Look
from studies.results.arms import arms

NARROW = 1.65  # inches, the least width of a panel
ALL = 0.995  # of a trail's variance, up to rounding
LEVELS = 24  # of the loss
SPANS = 50  # ratio of the largest loss to the least, from which on colours are on a log scale
TRAIL, CLOUD = "#D55E00", "black"
POINTS: Look = {"marker": "o", "ls": "", "color": CLOUD, "mew": 0}
CENTER: Look = {"color": TRAIL, "lw": 1.2}
START: Look = {"marker": "o", "color": "white", "mec": TRAIL, "ms": 4}
END: Look = {"marker": "*", "color": TRAIL, "ms": 7}
FRAMES = (0.35, 0.65, 1.0)  # parts of the frames whose points are shown, the later the darker
PLANE = "loss on the plane of the trail, low is dark, grey has none; axes in the length of x"
PARTIAL = "; % of the trail's variance that the plane shows, where it is not all"


class Shown(NamedTuple):
    """What a panel shows."""

    landscape: str
    label: str
    arm: Dataset


class Moving(NamedTuple):
    """What moves on a panel."""

    center: np.ndarray  # (F, 2)
    points: np.ndarray  # (F, P, 2)
    trail: Line2D
    cloud: Line2D

    def at(self, frame: int) -> tuple[Line2D, Line2D]:
        """Show a frame."""
        self.trail.set_data(*self.center[: frame + 1].T)
        self.cloud.set_data(*self.points[frame].T)
        return self.trail, self.cloud


def trajectories(dataset: Dataset, width: float = style.WIDTH, world: int = 0) -> Figure:
    """One panel for each landscape and method.

    The loss on the plane, the trail of the center, points asked early, midway and at the end.

    Args:
        dataset: a study's results with `pictures`.
        width: inches.
        world: of which pictures were taken.

    Raises:
        ValueError: there are no pictures.
    """  # noqa: DOC502
    figure, drawn = _panels(dataset, width, world)
    for axes, arm in drawn:
        panel(arm, axes)
    return figure


def animation(
    dataset: Dataset, width: float = style.WIDTH, world: int = 0, ratio: float | None = None
) -> FuncAnimation:
    """The same, one frame after another; `FuncAnimation.save` writes a GIF or an MP4.

    Args:
        dataset: a study's results with `pictures`.
        width: inches, at least.
        world: of which pictures were taken.
        ratio: of width and height, as slides have it; None: as high as it needs.

    Raises:
        ValueError: there are no pictures.
    """  # noqa: DOC502
    figure, drawn = _panels(dataset, width, world, moving=True)
    if ratio is not None:
        layout.fill(figure, ratio)
    cost = _costs(dataset, world)
    clock = figure.text(0.01, 0.01, "", fontsize=7.5, ha="left", va="bottom")
    moving = [_moving(arm, axes) for axes, arm in drawn]
    figure.draw_without_rendering()
    figure.set_layout_engine("none")  # panels stay where they are

    def show(frame: int) -> list[Artist]:
        clock.set_text(f"{cost[frame]:.3g} evaluations")
        return [clock, *(line for part in moving for line in part.at(frame))]

    return FuncAnimation(figure, show, frames=len(cost), interval=120, blit=False)


def _costs(dataset: Dataset, world: int) -> np.ndarray:
    """What the dearest arm has spent at each frame."""
    costs = panels.of_world(dataset[["picture_cost"]], world)["picture_cost"]
    return costs.max([dim for dim in costs.dims if dim != "frame"]).values


def _moving(arm: Dataset, axes: Axes) -> Moving:
    _ground(arm, axes)
    (trail,) = axes.plot([], [], **CENTER)
    (cloud,) = axes.plot([], [], ms=1.8, alpha=0.7, **POINTS)
    return Moving(arm["picture_center"].values, arm["picture_point"].values, trail, cloud)


def panel(arm: Dataset, axes: Axes) -> Axes:
    """Draw one method on one landscape in one world.

    Args:
        arm: results without the dims landscape, optimizer and replicate.
        axes: where to draw.
    """
    _ground(arm, axes)
    center, points = arm["picture_center"].values, arm["picture_point"].values
    for place, part in enumerate(FRAMES):
        x, y = points[round(part * (len(points) - 1))].T
        axes.plot(x, y, ms=1.6, alpha=0.25 + 0.3 * place, **POINTS)
    _trail(axes, center)
    return axes


def _trail(axes: Axes, center: np.ndarray) -> None:
    """The path of the center (F, 2), from its start to its end."""
    axes.plot(*center.T, color="white", lw=2.0, solid_capstyle="round")
    axes.plot(*center.T, color=TRAIL, lw=1.1)
    there = center[np.isfinite(center).all(-1)]
    if len(there):
        axes.plot(*there[0], **START)
        axes.plot(*there[-1], **END, mec="white", mew=0.5)


def _panels(
    dataset: Dataset, width: float, world: int, *, moving: bool = False
) -> tuple[Figure, list[tuple[Axes, Dataset]]]:
    """The figure, and its Axes with the arm that each shows."""
    panels.expect(dataset, "picture_center", "trajectories", "`pictures:`")
    shown = _shown(panels.of_world(dataset, world))
    figure = Figure(layout="constrained")
    grid = layout.fitted(figure, len(shown), width, NARROW)
    for axes, (name, label, arm) in zip(grid.panels, shown, strict=True):
        texts = [text for text in (name, label, _kept(arm)) if text]
        panels.small_title(axes, texts, grid.inches - 0.3)
    if not shown:
        panels.nothing(grid.places[0], f"no pictures of world {world}")
    side = min(grid.inches - 0.35, 0.8 * width) if shown else 0.5
    height = (side + 0.65) * grid.lines + 0.35
    legends.finish(figure, _handles(moving=moving), _said(shown, world), width, height)
    return figure, [(axes, part.arm) for axes, part in zip(grid.panels, shown, strict=True)]


def _said(shown: list[Shown], world: int) -> str:
    """The words above the legend."""
    partial = any(float(part.arm["picture_kept"]) < ALL for part in shown)
    return f"world {world}; {PLANE}" + PARTIAL * partial


def _shown(seen: Dataset) -> list[Shown]:
    """The arms of each landscape that have pictures in this world."""
    return [
        Shown(name, label, arm)
        for name, part in panels.landscapes(seen)
        for label, arm in arms(part)
        if bool(np.isfinite(arm["picture_center"]).any())
    ]


def _kept(arm: Dataset) -> str:
    """How much of the trail the plane shows, in a word; none where that is all."""
    kept = float(arm["picture_kept"])
    if kept >= ALL:
        return ""
    return f"{kept:.0%} of the trail" if np.isfinite(kept) else "too far to measure"


def _handles(*, moving: bool) -> Sequence[Line2D]:
    """The entries of the legend."""
    points: Look = {"ls": "", "marker": "o", "color": CLOUD, "ms": 2}
    center = legends.entry("center", **CENTER)
    if moving:
        return [center, legends.entry("points asked", **points)]
    return [
        center,
        legends.entry("start", ls="", **START),
        legends.entry("end", ls="", **END),
        legends.entry("points asked, later ones darker", **points),
    ]


def _ground(arm: Dataset, axes: Axes) -> None:
    """The loss on the plane."""
    across, up = arm["picture_extent"].values
    axes.set(xlim=tuple(across), ylim=tuple(up), facecolor="#e4e4e4")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(3))
    axes.yaxis.get_offset_text().set_horizontalalignment("right")  # beside the title, not below it
    loss = np.ma.masked_invalid(arm["picture_loss"].values)
    if loss.count():
        contours(axes, np.stack([across, up]), loss, levels(float(loss.min()), float(loss.max())))


Levels = tuple[
    np.ndarray, Normalize
]  # losses between which the ground changes its colour, and their scale


def contours(
    axes: Axes,
    extent: np.ndarray,
    loss: np.ma.MaskedArray,
    shown: Levels,
    palette: str | Colormap = "Blues_r",
) -> None:
    """The loss in colours, dark where it is low.

    Args:
        axes: where.
        extent: (2, 2), where the plane begins and ends, across and upwards.
        loss: (V, U), some of it with numbers.
        shown: of `levels`.
        palette: the colours, from the lowest loss on.
    """
    rows, columns = loss.shape
    across, up = extent
    look: Look = {"levels": shown[0], "norm": shown[1], "cmap": palette, "extend": "both"}
    x, y = np.linspace(across[0], across[1], columns), np.linspace(up[0], up[1], rows)
    axes.contourf(x, y, loss, **look)


def levels(low: float, high: float) -> Levels:
    """The scale of losses from the least to the largest, a log scale where it spans decades above 0."""
    if low > 0 and high > SPANS * low:
        steps = np.geomspace(low, high, LEVELS)
        return steps, LogNorm(steps[0], steps[-1])
    steps = np.linspace(low, high if high > low else low + 1, LEVELS)
    return steps, Normalize(steps[0], steps[-1])
