"""A landscape as a picture, in one of five forms.

A plane, a line, a genotype network, bands of loss against distance, or a vector field.
"""

from __future__ import annotations

import re
import textwrap

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap, LogNorm, Normalize
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator
from xarray import Dataset

from studies.figures import style
from studies.figures.facets import within
from studies.figures.style import Look

# Low is deep, high is pale, as on a sea chart: one hue whose lightness rises, so that grey prints and
# colour-blind readers see the same.
DEPTHS = LinearSegmentedColormap.from_list(
    "depths", ["#0a1f3f", "#12466f", "#1d6f95", "#4b9bb0", "#8cc2c4", "#c7e2d8", "#f7f7ea"]
)
BLUE = style.COLOURS[0]
GOLD, NOWHERE = "#E69F00", "#dddddd"  # the optimum; where there is no finite loss
STAR: Look = {
    "marker": "*",
    "markersize": 9,
    "markerfacecolor": GOLD,
    "markeredgecolor": "white",
    "markeredgewidth": 0.7,
    "linestyle": "none",
}
HOLLOW: Look = STAR | {"markerfacecolor": "none", "markeredgecolor": GOLD, "markeredgewidth": 1.0}
DOT: Look = STAR | {
    "marker": "o",
    "markersize": 4,
    "markerfacecolor": "white",
    "markeredgecolor": "black",
}
END: Look = STAR | {
    "marker": "o",
    "markersize": 3.5,
    "color": GOLD,
    "markeredgewidth": 0.6,
}  # of a path
PATH: Look = {"color": GOLD, "linewidth": 0.8, "solid_joinstyle": "round"}
UNCLIPPED: Look = {"zorder": 5, "clip_on": False, "scalex": False, "scaley": False}
STREAMS: Look = {"density": 0.85, "linewidth": 0.6, "arrowsize": 0.6, "cmap": DEPTHS.reversed()}
ABSENT: Look = {"ha": "center", "va": "center", "fontsize": 7}
# edges: loss falls, rises or stays on the way to the best genotype
TOWARDS, AWAY, LEVEL = "#56B4E9", "#D55E00", "#bbbbbb"
WHITE: Look = {"colors": "white", "linewidths": 0.25, "alpha": 0.55, "linestyles": "solid"}
BANDS = (((0, 6), 0.15), ((1, 5), 0.2), ((2, 4), 0.3))  # numbers of quantiles, and how dark
WAYS = {"loss falls on the way to the best": TOWARDS, "loss rises": AWAY, "loss stays": LEVEL}
BAND = "median; bands 50, 90, 100 % of genotypes"
DECADES = 2.0  # heights that span more are shown on a log scale
DEEPEST = 8.0  # and so many decades at most
LEVELS = 33  # of contours
SMOOTH = 2500  # vertices of contour lines, at most


def draw(data: Dataset, axes: Axes) -> None:
    """Draw a landscape in its form."""
    FORMS[data.attrs["form"]](data, axes)


def _square(axes: Axes, ticks: int = 3) -> None:
    """As high as wide, with few ticks."""
    axes.set_box_aspect(1)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(ticks, steps=[1, 2, 5, 10]))


def _star(data: Dataset) -> Look:
    """The star of an optimum; hollow: the lowest point seen."""
    return STAR if data.attrs.get("optimum_known") else HOLLOW


# planes -----------------------------------------------------------------------------------------------------


def heights(loss: np.ndarray, gap_known: bool) -> tuple[np.ndarray, Normalize]:
    """What is coloured, and how: the loss.

    Where it spans decades on a log scale, then above the lowest one seen unless the loss is a gap.
    """
    finite = np.where(np.isfinite(loss), loss, np.nan)
    if not np.isfinite(finite).any():
        return finite, Normalize(0, 1)
    low, high = float(np.nanmin(finite)), float(np.nanmax(finite))
    if high == low:
        return finite, Normalize(low, low + max(1.0, abs(low)) * 1e-9)
    above = finite if gap_known or low > 0 else finite - low
    norm = _decades(above[above > 0])
    if norm is None:
        return finite, Normalize(low, high)
    return np.maximum(above, float(norm.vmin or 0)), norm


def _decades(heights: np.ndarray) -> LogNorm | None:
    """A log scale for positive heights; None where they do not span decades."""
    if not heights.size or heights.max() / np.quantile(heights, 0.05) <= 10**DECADES:
        return None
    top = float(heights.max())
    least = float(np.quantile(heights, 0.001))
    return LogNorm(max(least, top * 10**-DEEPEST), top)


def _plane(data: Dataset, axes: Axes) -> None:
    """The loss on a plane, its scale, and, if there are such, the optimum with its path, and a start."""
    _scale(axes, _contours(data, axes))
    if "path_u" in data:
        _path(data, axes)
    _marks(data, axes)
    _frame(data, axes)


def _scale(axes: Axes, norm: Normalize | None) -> None:
    """The scale of the colours, or a word that no loss is finite."""
    if norm is None:
        axes.text(0.5, 0.5, "no finite loss", transform=axes.transAxes, **ABSENT)
    else:
        _bar(axes, norm)


def _path(data: Dataset, axes: Axes) -> None:
    """The path of an optimum, and its end."""
    path = data["path_u"], data["path_v"]
    axes.plot(*path, **PATH)
    axes.plot(*(part[-1:] for part in path), **END)


def _frame(data: Dataset, axes: Axes) -> None:
    """The axes of a plane."""
    u, v = data["u"].values, data["v"].values
    axes.set(xlim=(u[0], u[-1]), ylim=(v[0], v[-1]))
    axes.set(xlabel=data.attrs["u_name"], ylabel=data.attrs["v_name"])
    _square(axes)


def _contours(data: Dataset, axes: Axes) -> Normalize | None:
    """Filled contours, and every fourth as a line where the loss is smooth enough for lines.

    Returns their scale, None where nothing is finite.
    """
    axes.set_facecolor(NOWHERE)
    height, norm = heights(_shown(data), bool(data.attrs["gap_known"]))
    if not np.isfinite(height).any():
        return None
    levels = _levels(norm)
    if len(levels) <= 3:
        axes.set_facecolor(DEPTHS(0.5))
    else:
        plane = data["u"].values, data["v"].values, np.ma.masked_invalid(height)
        _fill(axes, plane, levels, norm)
    return norm


def _shown(data: Dataset) -> np.ndarray:
    """The loss; of a noisy one without what is rare."""
    loss = data["loss"].values
    if not data.attrs.get("noisy"):
        return loss
    return np.clip(loss, *np.nanquantile(loss, (0.005, 0.995)))


def _fill(
    axes: Axes,
    plane: tuple[np.ndarray, ...],
    levels: np.ndarray,
    norm: Normalize,
) -> None:
    """Draw filled contours, and lines where the loss is smooth enough.

    Args:
        axes: where.
        plane: u (U,), v (V,) and heights (V, U).
        levels: of the contours.
        norm: the scale of the colours.
    """
    filled = axes.contourf(*plane, levels=levels, cmap=DEPTHS, norm=norm)
    filled.set_rasterized(True)
    filled.set_edgecolor("face")
    lines = axes.contour(*plane, levels=levels[4:-1:4], **WHITE)
    vertices = sum(np.shape(path.vertices)[0] for path in lines.get_paths())
    if vertices > SMOOTH:
        lines.remove()


def _levels(norm: Normalize) -> np.ndarray:
    """Heights of contours, evenly on the scale."""
    spaced = np.geomspace if isinstance(norm, LogNorm) else np.linspace
    return np.unique(spaced(float(norm.vmin or 0), float(norm.vmax or 0), LEVELS))


def thumbnail(data: Dataset, axes: Axes) -> None:
    """A plane without axes, the range of its colours below."""
    norm = _contours(data, axes)
    _marks(data, axes)
    _frame(data, axes)
    axes.set(xticks=[], yticks=[], ylabel="")
    axes.set_xlabel(_range(norm), fontsize=6.5, labelpad=2)
    kind = textwrap.fill(str(data.attrs["kind"]), 20)
    axes.set_title(kind, fontsize=7, loc="left", pad=2, linespacing=1.05)


def _range(norm: Normalize | None) -> str:
    """The ends of a scale, in words."""
    if norm is None:
        return "no finite loss"
    return f"{_round(norm.vmin)} to {_round(norm.vmax)}" + ", log" * isinstance(norm, LogNorm)


def _round(value: float | None) -> str:
    """Two digits and a short exponent: 5.9e10."""
    return re.sub(r"e([+-])0*", lambda exponent: "e" + exponent[1].strip("+"), f"{value:.2g}")


def _marks(data: Dataset, axes: Axes) -> None:
    """A star at the optimum (hollow: the lowest point seen), a dot at a start; only where they are inside."""
    for name, look in (("optimum", _star(data)), ("start", DOT)):
        place = np.atleast_1d(data.attrs.get(name, np.nan))
        if _inside(data, place):
            axes.plot(*np.atleast_2d(place).T, **look, **UNCLIPPED)


def _inside(data: Dataset, place: np.ndarray) -> bool:
    """Whether a point (2,) is on the plane."""
    return within(place, np.array([data[axis].values[[0, -1]] for axis in ("u", "v")]))


def _bar(axes: Axes, norm: Normalize) -> None:
    """A slim scale at the right of the panel."""
    inset = axes.inset_axes((1.04, 0, 0.05, 1))
    bar = axes.figure.colorbar(ScalarMappable(norm, DEPTHS), cax=inset)
    _ticks(inset, logarithmic=isinstance(norm, LogNorm))
    inset.set_title("loss", fontsize=6, pad=2)
    bar.outline.set_linewidth(0.4)
    bar.solids.set_rasterized(True)  # type: ignore[union-attr]


def _ticks(inset: Axes, *, logarithmic: bool) -> None:
    """The ticks of a scale."""
    inset.tick_params(labelsize=6, length=1.5, pad=1.5, width=0.4)
    even = MaxNLocator(4, steps=[1, 2, 5, 10])
    inset.yaxis.set_major_locator(LogLocator(numticks=5) if logarithmic else even)
    inset.yaxis.set_minor_locator(NullLocator())


def _line(data: Dataset, axes: Axes) -> None:
    """The loss of a landscape of one dimension."""
    axes.plot(data["u"], data["loss"], color=style.COLOURS[0], linewidth=0.9)
    if "optimum" in data.attrs:
        place = float(data.attrs["optimum"])
        lowest = float(data["loss"].interp(u=place))
        axes.plot([place], [lowest], **STAR, zorder=5)
    axes.set(xlabel="$x$", ylabel="loss")
    _square(axes)


# bits -------------------------------------------------------------------------------------------------------


def _network(data: Dataset, axes: Axes) -> None:
    """All genotypes, in columns by Hamming distance to the best; edges join neighbours."""
    n, best = int(data.attrs["n"]), int(data.attrs["optimum"])
    heights = _stacked(data["genotype"].values ^ best, n)
    places = np.stack([data["distance"].values, heights], -1)
    axes.add_collection(_edges(data, places, n))
    _bar(axes, _genotypes(data, axes, places))
    axes.plot(*places[best], **_star(data) | {"markersize": 8}, zorder=5, clip_on=False)
    _distances(axes, n)


def _distances(axes: Axes, n: int) -> None:
    """A horizontal axis of Hamming distances up to n, and none upwards."""
    axes.set(xlabel="mutations from the best", yticks=[], xlim=(-0.3, n + 0.3))
    axes.spines["left"].set_visible(False)
    axes.set_box_aspect(1)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, steps=[1, 2, 5, 10]))


def _edges(data: Dataset, places: np.ndarray, n: int) -> LineCollection:
    """Lines between neighbours, coloured by what the loss does on the way to the best."""
    loss, distance = data["loss"].values, data["distance"].values
    neighbours = [(a, a ^ (1 << i)) for a in range(2**n) for i in range(n)]
    edges = [(a, b) for a, b in neighbours if distance[a] < distance[b]]
    ways = [_way(loss[a], loss[b]) for a, b in edges]
    return LineCollection([places[list(edge)] for edge in edges], colors=ways, linewidths=0.6, zorder=1)


def _way(near: float, far: float) -> str:
    """The colour of an edge, by the losses at its ends, the nearer to the best first."""
    if near < far:
        return TOWARDS
    return AWAY if near > far else LEVEL


def _genotypes(data: Dataset, axes: Axes, places: np.ndarray) -> Normalize:
    """A dot for each genotype but the best, golden around local optima; returns the scale of colours."""
    peak = data["peak"].values
    sizes = np.where(peak, 30, 15)
    sizes[int(data.attrs["optimum"])] = 0
    colours, norm = _depths(data["loss"].values)
    x, y = places.T
    axes.scatter(x, y, c=colours, s=sizes, zorder=2, **_rims(peak))
    return norm


def _rims(peak: np.ndarray) -> Look:
    """Those of genotypes, golden and broad around local optima."""
    return {"linewidths": np.where(peak, 1.1, 0.4), "edgecolors": np.where(peak, GOLD, "black")}


def _depths(loss: np.ndarray) -> tuple[np.ndarray, Normalize]:
    """Colours (P, 4) of losses (P,), grey where these are not finite, and their scale."""
    finite = np.isfinite(loss)
    norm = _even(loss[finite])
    colours = DEPTHS(norm(np.where(finite, loss, 0.0)))
    return np.where(finite[:, None], colours, 0.87), norm


def _even(losses: np.ndarray) -> Normalize:
    """A linear scale from the least loss to the largest."""
    return Normalize(losses.min(), losses.max()) if losses.size else Normalize(0, 1)


def _stacked(differences: np.ndarray, n: int) -> np.ndarray:
    """Heights of genotypes within the column of their distance: even, centred, in the order of their bits."""
    places = np.zeros(len(differences))
    distance = np.array([int(d).bit_count() for d in differences])
    for d in range(n + 1):
        members = np.flatnonzero(distance == d)
        order = np.argsort(-differences[members])
        places[members[order]] = np.arange(len(members)) - (len(members) - 1) / 2
    return places


def _band(data: Dataset, axes: Axes) -> None:
    """Quantiles of the loss by Hamming distance to the best genotype."""
    quantiles, distance = data["loss"].values, data["distance"].values
    for (low, high), dark in BANDS:
        axes.fill_between(
            distance, quantiles[low], quantiles[high], color=BLUE, alpha=dark, linewidth=0
        )
    axes.plot(distance, quantiles[3], color=BLUE, linewidth=1.1)
    axes.plot(0, quantiles[3, 0], **_star(data), zorder=5, clip_on=False)
    axes.set(xlabel="mutations from the best", ylabel="loss", xlim=(0, distance[-1]))
    _square(axes)


# games ------------------------------------------------------------------------------------------------------


def _field(data: Dataset, axes: Axes) -> None:
    """Streamlines of simultaneous gradient descent, pale where steps are short."""
    step = _steps(data)
    speed = np.hypot(*step)
    shades = Normalize(-0.35 * speed.max(), max(speed.max(), 1e-300))
    u, v = data["u"].values, data["v"].values
    axes.streamplot(u, v, step[0], step[1], color=speed, norm=shades, **STREAMS)
    _marks(data, axes)
    _frame(data, axes)


def _steps(data: Dataset) -> np.ndarray:
    """The steps (2, V, U) over the largest of their parts."""
    step = np.nan_to_num([data[name].values for name in ("step_u", "step_v")], posinf=0, neginf=0)
    return step / max(np.abs(step).max(), 1e-300)


FORMS = {"plane": _plane, "line": _line, "network": _network, "band": _band, "field": _field}
