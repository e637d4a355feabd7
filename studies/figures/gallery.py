"""Pictures of landscapes, several on a page.

Planes, genotype networks, bands of loss against distance, vector fields.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap, LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

from studies.figures import style

Look = dict[str, Any]  # keywords of Matplotlib

# Low is deep, high is pale, as on a sea chart: one hue whose lightness rises, so that grey prints and
# colour-blind readers see the same.
DEPTHS = LinearSegmentedColormap.from_list(
    "depths", ["#0a1f3f", "#12466f", "#1d6f95", "#4b9bb0", "#8cc2c4", "#c7e2d8", "#f7f7ea"]
)
STAR: Look = {
    "marker": "*",
    "markersize": 9,
    "markerfacecolor": "#E69F00",
    "markeredgecolor": "white",
    "markeredgewidth": 0.7,
    "linestyle": "none",
}
HOLLOW: Look = STAR | {"markerfacecolor": "none", "markeredgecolor": "#E69F00", "markeredgewidth": 1.0}
DOT: Look = {
    "marker": "o",
    "markersize": 4,
    "markerfacecolor": "white",
    "markeredgecolor": "black",
    "markeredgewidth": 0.7,
    "linestyle": "none",
}
PATH = "#E69F00"
END: Look = {
    "marker": "o",
    "markersize": 3.5,
    "color": PATH,
    "markeredgecolor": "white",
    "markeredgewidth": 0.6,
    "linestyle": "none",
}
TOWARDS, AWAY, LEVEL = (
    "#56B4E9",
    "#D55E00",
    "#bbbbbb",
)  # edges: loss falls, rises or stays on the way to the best genotype
DECADES = 2.0  # heights that span more are shown on a log scale
SMOOTH = 2500  # vertices of contour lines, at most
MOST = 24  # pictures on a page
ACROSS = 4  # entries in a row of the legend
DEEPEST = 8.0  # and so many decades at most
LEFT, RIGHT, TITLE, BELOW = 0.4, 0.36, 0.54, 0.4  # inches around the square of a panel
SMALL = (0.06, 0.08, 0.32, 0.2)  # and of a thumbnail


PAGES = {  # what a picture's attribute `page` says -> title, columns; in this order
    "binary": ("Binary landscapes", 4),
    "continuous": ("Continuous landscapes", 4),
    "bbob": ("BBOB functions in two dimensions, losses in [-5, 5]$^2$", 6),
    "learning": ("Learning problems", 4),
    "games": ("Games", 4),
    "moving": ("Moving optima", 4),
}
TOGETHER = ("learning", "games", "moving")  # short ones share a page


def pages(pictures: Sequence[xr.Dataset]) -> dict[str, Callable[[], Figure]]:
    """File name -> what draws the page: one for each kind of landscape, the last three together.

    At most `MOST` pictures on a page.
    """
    found: dict[str, Callable[[], Figure]] = {}
    for group in (("binary",), ("continuous",), ("bbob",), TOGETHER):
        members = [data for kind in group for data in pictures if data.attrs["page"] == kind]
        titles = [PAGES[kind][0] for kind in group if any(data.attrs["page"] == kind for data in members)]
        for first in range(0, len(members), MOST):
            name = f"gallery-{group[0]}" + (f"-{1 + first // MOST}" if len(members) > MOST else "")
            title = ", ".join([titles[0], *(text.lower() for text in titles[1:])])
            found[name] = partial(
                page, members[first : first + MOST], title=title, columns=PAGES[group[0]][1]
            )
    return found


def page(pictures: Sequence[xr.Dataset], title: str = "", columns: int = 4) -> Figure:
    """One page of pictures, 7 inches wide; every panel is a square of one size.

    Planes in more than four columns are thumbnails.

    Args:
        pictures: what `studies.probe.pictures.picture` returns.
        title: stands above.
        columns: panels in a row.
    """
    small = columns > 4
    left, right, head, below = SMALL if small else (LEFT, RIGHT, TITLE, BELOW)
    rows = -(-len(pictures) // columns)
    slot = style.WIDTH / columns
    side = slot - left - right
    top, each = 0.3 * bool(title) + 0.05, head + side + below
    figure = Figure(figsize=(style.WIDTH, top + rows * each + 0.2 * _legend_rows(pictures)))
    width, height = figure.get_size_inches()
    for i, data in enumerate(pictures):
        row, column = divmod(i, columns)
        corner = (column * slot + left) / width, 1 - (top + row * each + head + side) / height
        axes = figure.add_axes((*corner, side / width, side / height))
        if small and data.attrs["form"] == "plane":
            _thumbnail(data, axes)
        else:
            panel(data, axes, letters=int((side + 0.25) * 19))
    if title:
        figure.text(0.06 / width, 1 - 0.06 / height, title, va="top", fontsize=9, fontweight="bold")
    _legend(figure, pictures)
    return figure


def panel(data: xr.Dataset, axes: Axes, letters: int = 28) -> Axes:
    """Draw one landscape on Axes, its parameters in up to two lines of so many letters above, and return them."""
    forms = {"plane": _plane, "line": _line, "network": _network, "band": _band, "field": _field}
    forms[data.attrs["form"]](data, axes)
    lines = textwrap.wrap(data.attrs["parameters"], letters, break_long_words=False)
    text = "\n".join(lines[:2]) + "\u2026" * (len(lines) > 2)
    above = 11 + 8 * min(2, len(lines))
    axes.annotate(
        str(data.attrs["kind"]),
        (0, 1),
        (-14, above),
        "axes fraction",
        "offset points",
        fontsize=7.5,
        fontweight="bold",
    )
    axes.annotate(
        text,
        (0, 1),
        (-14, above - 2),
        "axes fraction",
        "offset points",
        fontsize=6.5,
        va="top",
        color="#444444",
        linespacing=1.1,
    )
    axes.tick_params(labelsize=6.5, length=2, pad=1.5)
    for label in (axes.xaxis.label, axes.yaxis.label):
        label.set_fontsize(7)
    axes.xaxis.labelpad, axes.yaxis.labelpad = 1.5, 1.0
    axes.spines[:].set_linewidth(0.5)
    return axes


# planes -----------------------------------------------------------------------------------------------------


def heights(loss: np.ndarray, gap_known: bool) -> tuple[np.ndarray, Normalize]:
    """What is coloured, and how: the loss.

    Where it spans decades on a log scale, then above the lowest one seen unless the loss is a gap.
    """
    finite = np.where(np.isfinite(loss), loss, np.nan)
    if not np.isfinite(finite).any():
        return finite, Normalize(0, 1)
    low, high = float(np.nanmin(finite)), float(np.nanmax(finite))
    above = finite if gap_known or low > 0 else finite - low
    positive = above[above > 0]
    if positive.size and high > low and np.nanmax(above) / np.nanquantile(positive, 0.05) > 10**DECADES:
        floor = max(float(np.nanquantile(positive, 0.001)), float(np.nanmax(above)) * 10**-DEEPEST)
        return np.maximum(above, floor), LogNorm(floor, float(np.nanmax(above)))
    return finite, Normalize(low, high if high > low else low + max(1.0, abs(low)) * 1e-9)


def _plane(data: xr.Dataset, axes: Axes) -> None:
    axes.set_facecolor("#dddddd")
    u, v = data["u"].values, data["v"].values
    norm = _contours(data, axes)
    if norm is None:
        axes.text(0.5, 0.5, "no finite loss", transform=axes.transAxes, ha="center", va="center", fontsize=7)
    else:
        _bar(axes, norm)
    if "path_u" in data:
        axes.plot(data["path_u"], data["path_v"], color=PATH, linewidth=0.8, solid_joinstyle="round")
        axes.plot(data["path_u"][-1:], data["path_v"][-1:], **END)
    _marks(data, axes)
    axes.set(xlim=(u[0], u[-1]), ylim=(v[0], v[-1]), xlabel=data.attrs["u_name"], ylabel=data.attrs["v_name"])
    axes.set_box_aspect(1)
    _few_ticks(axes)


def _contours(data: xr.Dataset, axes: Axes) -> Normalize | None:
    """Filled contours, and every fourth as a line where the loss is smooth enough for lines.

    Returns their scale, None where nothing is finite.
    """
    u, v, loss = (data[name].values for name in ("u", "v", "loss"))
    if data.attrs.get("noisy"):
        loss = np.clip(loss, *np.nanquantile(loss, (0.005, 0.995)))
    height, norm = heights(loss, bool(data.attrs["gap_known"]))
    if not np.isfinite(height).any():
        return None
    spaced = np.geomspace if isinstance(norm, LogNorm) else np.linspace
    levels = np.unique(spaced(float(norm.vmin or 0), float(norm.vmax or 0), 33))
    if len(levels) <= 3:
        axes.set_facecolor(DEPTHS(0.5))
        return norm
    height = np.ma.masked_invalid(height)
    filled = axes.contourf(u, v, height, levels=levels, cmap=DEPTHS, norm=norm)
    filled.set_rasterized(True)
    filled.set_edgecolor("face")
    drawn = axes.contour(
        u, v, height, levels=levels[4:-1:4], colors="white", linewidths=0.25, alpha=0.55, linestyles="solid"
    )
    if sum(np.shape(path.vertices)[0] for path in drawn.get_paths()) > SMOOTH:
        drawn.remove()
    return norm


def _thumbnail(data: xr.Dataset, axes: Axes) -> None:
    """A plane without axes, the range of its colours below."""
    axes.set_facecolor("#dddddd")
    norm = _contours(data, axes)
    _marks(data, axes)
    text = (
        "no finite loss"
        if norm is None
        else f"{_round(norm.vmin)} to {_round(norm.vmax)}" + ", log" * isinstance(norm, LogNorm)
    )
    axes.set(
        xticks=[], yticks=[], xlim=tuple(data["u"].values[[0, -1]]), ylim=tuple(data["v"].values[[0, -1]])
    )
    axes.set_xlabel(text, fontsize=6.5, labelpad=2)
    axes.set_title(
        "\n".join(textwrap.wrap(str(data.attrs["kind"]), 20)), fontsize=7, loc="left", pad=2, linespacing=1.05
    )
    axes.set_box_aspect(1)


def _round(value: float | None) -> str:
    """Two digits and a short exponent: 5.9e10."""
    text = f"{value:.2g}"
    return re.sub(r"e([+-])0*", lambda found: "e" + found[1].strip("+"), text)


def _marks(data: xr.Dataset, axes: Axes) -> None:
    """A star at the optimum (hollow: the lowest point seen), a dot at a start; only where they are inside."""
    for name, look in (("optimum", STAR if data.attrs.get("optimum_known") else HOLLOW), ("start", DOT)):
        place = np.atleast_1d(data.attrs.get(name, np.nan))
        ends = np.array([[data[axis].values[0], data[axis].values[-1]] for axis in ("u", "v")])
        if ((place >= ends[:, 0]) & (place <= ends[:, 1])).all():
            axes.plot(*np.atleast_2d(place).T, **look, zorder=5, clip_on=False, scalex=False, scaley=False)


def _bar(axes: Axes, norm: Normalize) -> None:
    """A slim scale at the right of the panel."""
    inset = axes.inset_axes((1.04, 0, 0.05, 1))
    bar = axes.figure.colorbar(ScalarMappable(norm, DEPTHS), cax=inset)
    inset.tick_params(labelsize=6, length=1.5, pad=1.5, width=0.4)
    inset.yaxis.set_major_locator(
        LogLocator(numticks=5) if isinstance(norm, LogNorm) else MaxNLocator(4, steps=[1, 2, 5, 10])
    )
    inset.yaxis.set_minor_locator(NullLocator())
    inset.set_title("loss", fontsize=6, pad=2)
    bar.outline.set_linewidth(0.4)
    bar.solids.set_rasterized(True)  # type: ignore[union-attr]


def _few_ticks(axes: Axes) -> None:
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(3, steps=[1, 2, 5, 10]))


def _line(data: xr.Dataset, axes: Axes) -> None:
    axes.plot(data["u"], data["loss"], color=style.COLOURS[0], linewidth=0.9)
    if "optimum" in data.attrs:
        place = float(data.attrs["optimum"])
        axes.plot([place], [float(data["loss"].interp(u=place))], **STAR, zorder=5)
    axes.set(xlabel="$x$", ylabel="loss")
    axes.set_box_aspect(1)
    _few_ticks(axes)


# bits -------------------------------------------------------------------------------------------------------


def _network(data: xr.Dataset, axes: Axes) -> None:
    """All genotypes, in columns by Hamming distance to the best; edges join neighbours."""
    n, loss, distance = int(data.attrs["n"]), data["loss"].values, data["distance"].values
    places = np.stack([distance, _stacked(data["genotype"].values ^ int(data.attrs["optimum"]), n)], -1)
    edges = [(a, a ^ (1 << i)) for a in range(2**n) for i in range(n) if distance[a] < distance[a ^ (1 << i)]]
    ways = [TOWARDS if loss[a] < loss[b] else AWAY if loss[a] > loss[b] else LEVEL for a, b in edges]
    axes.add_collection(
        LineCollection([places[[a, b]] for a, b in edges], colors=ways, linewidths=0.6, zorder=1)
    )
    height, norm = np.where(np.isfinite(loss), loss, np.nan), Normalize(0, 1)
    if np.isfinite(height).any():
        norm = Normalize(np.nanmin(height), np.nanmax(height))
    peak, best = data["peak"].values, int(data.attrs["optimum"])
    sizes = np.where(np.arange(2**n) == best, 0, np.where(peak, 30, 15))
    look: Look = {
        "linewidths": np.where(peak, 1.1, 0.4),
        "edgecolors": np.where(peak, "#E69F00", "black"),
        "zorder": 2,
    }
    colours = np.where(np.isfinite(height)[:, None], DEPTHS(norm(np.nan_to_num(height))), 0.87)
    axes.scatter(places[:, 0], places[:, 1], c=colours, s=sizes, **look)
    axes.plot(
        *places[best],
        **(STAR if data.attrs["optimum_known"] else HOLLOW) | {"markersize": 8},
        zorder=5,
        clip_on=False,
    )
    _bar(axes, norm)
    axes.set(xlabel="mutations from the best", yticks=[], xlim=(-0.3, n + 0.3))
    axes.spines["left"].set_visible(False)
    axes.set_box_aspect(1)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, steps=[1, 2, 5, 10]))


def _stacked(differences: np.ndarray, n: int) -> np.ndarray:
    """Heights of genotypes within the column of their distance: even, centred, in the order of their bits."""
    found = np.zeros(len(differences))
    ones = np.array([int(d).bit_count() for d in differences])
    for d in range(n + 1):
        members = np.flatnonzero(ones == d)
        members = members[np.argsort(-differences[members])]
        found[members] = np.arange(len(members)) - (len(members) - 1) / 2
    return found


def _band(data: xr.Dataset, axes: Axes) -> None:
    """Quantiles of the loss by Hamming distance to the best genotype."""
    quantiles, distance = data["loss"].values, data["distance"].values
    for (low, high), alpha in (((0, 6), 0.15), ((1, 5), 0.2), ((2, 4), 0.3)):
        axes.fill_between(
            distance, quantiles[low], quantiles[high], color=style.COLOURS[0], alpha=alpha, linewidth=0
        )
    axes.plot(distance, quantiles[3], color=style.COLOURS[0], linewidth=1.1)
    axes.plot(
        0, quantiles[3, 0], **(STAR if data.attrs["optimum_known"] else HOLLOW), zorder=5, clip_on=False
    )
    axes.set(xlabel="mutations from the best", ylabel="loss", xlim=(0, distance[-1]))
    axes.set_box_aspect(1)
    _few_ticks(axes)


# games ------------------------------------------------------------------------------------------------------


def _field(data: xr.Dataset, axes: Axes) -> None:
    """Streamlines of simultaneous gradient descent, pale where steps are short."""
    u, v = data["u"].values, data["v"].values
    step = np.nan_to_num(np.stack([data["step_u"].values, data["step_v"].values]), posinf=0, neginf=0)
    step = step / max(float(np.abs(step).max()), 1e-300)
    speed = np.hypot(*step)
    shades = Normalize(-0.35 * speed.max(), max(speed.max(), 1e-300))
    look: Look = {
        "color": speed,
        "density": 0.85,
        "linewidth": 0.6,
        "arrowsize": 0.6,
        "cmap": DEPTHS.reversed(),
        "norm": shades,
    }
    axes.streamplot(u, v, step[0], step[1], **look)
    _marks(data, axes)
    axes.set(xlim=(u[0], u[-1]), ylim=(v[0], v[-1]), xlabel=data.attrs["u_name"], ylabel=data.attrs["v_name"])
    axes.set_box_aspect(1)
    _few_ticks(axes)


# below ------------------------------------------------------------------------------------------------------


def _handles(pictures: Sequence[xr.Dataset]) -> list[Line2D]:
    """What the marks on these pictures mean."""
    forms = {str(data.attrs["form"]) for data in pictures}
    marked = [data for data in pictures if "optimum" in data.attrs or data.attrs["form"] == "band"]
    known = {bool(data.attrs["optimum_known"]) for data in marked}
    handles = (
        [Line2D([], [], label="optimum", **STAR | {"markeredgecolor": "#E69F00"})] if True in known else []
    )
    handles += [Line2D([], [], label="lowest point seen", **HOLLOW)] if False in known else []
    handles += (
        [Line2D([], [], label="a start", **DOT)] if any("start" in data.attrs for data in pictures) else []
    )
    if "network" in forms:
        handles.append(Line2D([], [], label="local optimum", **HOLLOW | {"marker": "o", "markersize": 5}))
        names = {TOWARDS: "loss falls on the way to the best", AWAY: "loss rises", LEVEL: "loss stays"}
        handles += [Line2D([], [], color=colour, label=name, linewidth=1) for colour, name in names.items()]
    times = {int(data.attrs["horizon"]) for data in pictures if "path_u" in data}
    if times:
        handles.append(
            Line2D(
                [],
                [],
                linewidth=0.8,
                label=f"path of the optimum, {max(times)} units of time",
                **END | {"linestyle": "-"},
            )
        )
    if "band" in forms:
        handles.append(
            Line2D(
                [], [], color=style.COLOURS[0], linewidth=1, label="median; bands 50, 90, 100 % of genotypes"
            )
        )
    return handles


def _legend_rows(pictures: Sequence[xr.Dataset]) -> int:
    return -(-len(_handles(pictures)) // ACROSS)


def _legend(figure: Figure, pictures: Sequence[xr.Dataset]) -> None:
    """Below all panels."""
    handles = _handles(pictures)
    if handles:
        order = [
            handles[i] for c in range(ACROSS) for i in range(c, len(handles), ACROSS)
        ]  # Matplotlib fills columns
        look = {
            "fontsize": 7,
            "handletextpad": 0.4,
            "columnspacing": 1.4,
            "borderaxespad": 0.2,
            "labelspacing": 0.35,
        }
        figure.legend(handles=order, loc="lower left", ncols=min(ACROSS, len(handles)), **look)
