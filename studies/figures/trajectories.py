"""Where the search goes: its center's trail and the points that it asks, on a plane through the landscape (`studies.cells.pictures`)."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.animation import FuncAnimation
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from studies.figures import style
from studies.results.arms import arms

NARROW = 1.65  # inches, the least width of a panel
ALL = 0.995  # of a trail's variance, up to rounding
LEVELS = 24  # of the loss
TRAIL, CLOUD = "#D55E00", "black"
FRAMES = (0.35, 0.65, 1.0)  # parts of the frames whose points are shown, the later the darker


def trajectories(dataset: xr.Dataset, width: float = style.WIDTH, world: int = 0) -> Figure:
    """One panel for each landscape and method.

    The loss on the plane, the trail of the center, points asked early, midway and at the end.

    Args:
        dataset: a study's results with `pictures`.
        width: inches.
        world: of which pictures were taken.

    Raises:
        ValueError: there are no pictures.
    """
    figure, found = _panels(dataset, width, world)
    for axes, arm in found:
        panel(arm, axes)
    return figure


def animation(dataset: xr.Dataset, width: float = style.WIDTH, world: int = 0) -> FuncAnimation:
    """The same, one frame after another; `FuncAnimation.save` writes a GIF or an MP4.

    Args:
        dataset: a study's results with `pictures`.
        width: inches.
        world: of which pictures were taken.

    Raises:
        ValueError: there are no pictures.
    """  # noqa: DOC502
    figure, found = _panels(dataset, width, world, moving=True)
    moving = []
    each = dataset["picture_cost"].sel(replicate=world)
    cost = each.max([dim for dim in each.dims if dim != "frame"]).values
    clock = figure.text(0.01, 0.01, "", fontsize=7.5, ha="left", va="bottom")
    for axes, arm in found:
        _ground(arm, axes)
        moving.append((
            arm,
            axes.plot([], [], color=TRAIL, lw=1.2)[0],
            axes.plot([], [], "o", color=CLOUD, ms=1.8, alpha=0.7, mew=0)[0],
        ))

    figure.draw_without_rendering()
    figure.set_layout_engine("none")  # panels stay where they are

    def show(frame: int) -> list[Artist]:
        for arm, trail, cloud in moving:
            center, points = arm["picture_center"].values, arm["picture_point"].values
            trail.set_data(*center[: frame + 1].T)
            cloud.set_data(*points[frame].T)
        clock.set_text(f"{cost[frame]:.3g} evaluations")
        return [clock, *(line for _, *lines in moving for line in lines)]

    return FuncAnimation(figure, show, frames=dataset.sizes["frame"], interval=120, blit=False)


def panel(arm: xr.Dataset, axes: Axes) -> Axes:
    """Draw one method on one landscape in one world.

    Args:
        arm: results without the dims landscape, optimizer and replicate.
        axes: where to draw.
    """
    _ground(arm, axes)
    center, points = arm["picture_center"].values, arm["picture_point"].values
    for place, part in enumerate(FRAMES):
        x, y = points[round(part * (len(points) - 1))].T
        axes.plot(x, y, "o", color=CLOUD, ms=1.6, alpha=0.25 + 0.3 * place, mew=0)
    axes.plot(*center.T, color="white", lw=2.0, solid_capstyle="round")
    axes.plot(*center.T, color=TRAIL, lw=1.1)
    there = center[np.isfinite(center).all(-1)]
    if len(there):
        axes.plot(*there[0], "o", color="white", mec=TRAIL, ms=4)
        axes.plot(*there[-1], "*", color=TRAIL, mec="white", mew=0.5, ms=7)
    return axes


def _panels(
    dataset: xr.Dataset, width: float, world: int, *, moving: bool = False
) -> tuple[Figure, list[tuple[Axes, xr.Dataset]]]:
    """The figure, and its Axes with the arm that each shows."""
    if "picture_center" not in dataset:
        raise ValueError("trajectories: expected a study with `pictures:`, found none in these results")
    seen = dataset.sel(replicate=world)
    found = [
        (str(name), label, arm)
        for name in seen["landscape"].values
        for label, arm in arms(seen.sel(landscape=name))
        if _seen(arm)
    ]
    columns = max(1, min(len(found), int(width // NARROW)))
    rows = max(1, -(-len(found) // columns))
    figure = Figure(layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, (name, label, arm) in zip(grid, found, strict=False):
        kept = float(arm["picture_kept"])
        flat = (
            "" if kept >= ALL else f"{kept:.0%} of the trail" if np.isfinite(kept) else "too far to measure"
        )
        texts = [style.wrapped(text, width / columns - 0.3, 7.5) for text in (name, label, flat) if text]
        axes.set_title("\n".join(texts), fontsize=7.5)
    for axes in grid[len(found) :]:
        axes.set_axis_off()
    if not found:
        style.nothing(grid[0], f"no pictures of world {world}")
    handles: list[Any] = [Line2D([], [], color=TRAIL, lw=1.2, label="center")]
    if not moving:
        handles.append(Line2D([], [], ls="", marker="o", color="white", mec=TRAIL, ms=4, label="start"))
        handles.append(Line2D([], [], ls="", marker="*", color=TRAIL, ms=7, label="end"))
    handles.append(
        Line2D(
            [],
            [],
            ls="",
            marker="o",
            color=CLOUD,
            ms=2,
            label="points asked" + ", later ones darker" * (not moving),
        )
    )
    told = (
        f"world {world}; loss on the plane of the trail, low is dark, grey has none; axes in the length of x"
    )
    partial = any(float(arm["picture_kept"]) < ALL for *_, arm in found)
    told += "; % of the trail's variance that the plane shows, where it is not all" if partial else ""
    title = style.wrapped(told, width - 0.3, 7.5)
    across = style.across([str(handle.get_label()) for handle in handles], width)
    figure.legend(handles=handles, loc="outside lower center", ncols=across, title=title, title_fontsize=7.5)
    side = width / columns - 0.35 if found else 0.5
    figure.set_size_inches(
        width, (side + 0.65) * rows + 0.35 + 0.16 * -(-len(handles) // across) + 0.13 * title.count("\n")
    )
    return figure, list(zip(grid, [arm for _, _, arm in found], strict=False))


def _seen(arm: xr.Dataset) -> bool:
    return bool(np.isfinite(arm["picture_center"]).any())


def _ground(arm: xr.Dataset, axes: Axes) -> None:
    """The loss on the plane, on a log scale where it spans decades above 0."""
    (left, right), (bottom, top) = arm["picture_extent"].values
    loss = arm["picture_loss"].values
    finite = loss[np.isfinite(loss)]
    axes.set(xlim=(left, right), ylim=(bottom, top), facecolor="#e4e4e4")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(3))
    if not finite.size:
        return
    across, up = np.linspace(left, right, loss.shape[1]), np.linspace(bottom, top, loss.shape[0])
    low, high = finite.min(), finite.max()
    logarithmic = low > 0 and high > 50 * low
    levels = (
        np.geomspace(low, high, LEVELS)
        if logarithmic
        else np.linspace(low, high if high > low else low + 1, LEVELS)
    )
    norm = LogNorm(levels[0], levels[-1]) if logarithmic else Normalize(levels[0], levels[-1])
    axes.contourf(
        across, up, np.ma.masked_invalid(loss), levels=levels, norm=norm, cmap="Blues_r", extend="both"
    )
