"""Laws as curves: what is predicted along an axis, what was observed with its interval, the residuals.

A panel for each claim that is judged along an axis of numbers, at each place of its own. The line is the
law, evaluated between the values of the axis too where its formula allows it, and at whole numbers alone
where the axis has no others; the dashed line is the wrong law, which has to be rejected. The shaded range is
outside of the regime, where the law says nothing. Below stand the residuals, observed - predicted over what
is tolerated: within the grey band a law holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from xarray import Dataset

from studies.claims import judge
from studies.claims.base import Judgement
from studies.figures import layout, legends, panels, style, theory
from studies.figures.claims import LOOKS
from studies.figures.curve import bars
from studies.figures.facets import finite, logarithmic, words
from studies.figures.style import Look, Looks
from studies.results.config import config
from studies.results.figures import Names, named
from studies.text.groups import grouped
from studies.text.shapes import Data, Tree

LEAST = 1.6  # inches: the least width of a panel
PANEL, BELOW = 1.5, 0.62  # inches: the heights of a curve and of its residuals
LINE = PANEL + BELOW + 0.45  # inches of a row with its titles
ROW = 0.12  # of one more line of words
LEGEND = 1.25  # inches that a legend may take
FINE = 80  # points of a curve
FEW = 3.0  # ratio of the largest to the least, from which on a law on a log axis has a log axis upwards too
BEYOND = 3.0  # tolerances up to which residuals are shown
LAW: Look = {"color": "black", "lw": 1.2, "zorder": 1}
WRONG: Look = {"color": "#888888", "lw": 1.1, "ls": (0, (4, 2)), "zorder": 1}
OUTSIDE: Look = {"color": "#eeeeee", "lw": 0, "zorder": 0}
HELD: Look = {"color": "#CFE6DB", "lw": 0, "zorder": 0}
OF_POINTS: Look = {"ls": "", "ms": 4.5, "zorder": 3}


Line = tuple[np.ndarray, np.ndarray]  # x (N,) and y (N,)
Lines = dict[str, Line]  # of `predicted`, the law, and of `control`, the wrong one


class Curve(NamedTuple):
    """A claim at one place, along an axis."""

    claim: str
    axis: str
    where: Data  # without the axis
    points: list[Judgement]  # in the order of the axis

    @property
    def quantity(self) -> str:
        """What is observed."""
        return self.points[0].quantity

    def title(self) -> list[str]:
        """The claim and its place."""
        return [*filter(None, [self.claim, words(self.where)])]

    def x(self) -> np.ndarray:
        """The values of the axis (N,)."""
        return np.array([float(point.where[self.axis]) for point in self.points])

    def of(self, name: str) -> np.ndarray:
        """A number of every point (N,)."""
        return np.array([getattr(point, name) for point in self.points], float)

    def observed(self) -> list[np.ndarray]:
        """What was observed at every point, and the ends of its interval: (N,) each."""
        return [self.of(name) for name in ("observed", "observed_low", "observed_high")]

    def inside(self) -> np.ndarray:
        """Whether the points are in the regime (N,)."""
        return np.array([point.in_regime for point in self.points])


def law(
    dataset: Dataset, width: float = style.WIDTH, *, claim: Names = None, label: str | None = None
) -> Figure:
    """The figure of the laws of a study.

    Args:
        dataset: a study's results, with claims along an axis.
        width: inches.
        claim: its name, several with commas between them, or a list; None: all.
        label: of the vertical axes; None: the quantities.

    Raises:
        ValueError: no claim is judged along an axis.
    """
    return _page(dataset, curves(dataset, claim), width, label)


def law_pages(
    dataset: Dataset,
    width: float,
    highest: float,
    claim: Names = None,
    label: str | None = None,
) -> list[Figure]:
    """The figure on pages of at most so many inches; all laws are judged together.

    Args:
        dataset: a study's results, with claims along an axis.
        width: inches.
        highest: inches.
        claim: as in `law`.
        label: as in `law`.
    """
    shown = curves(dataset, claim)
    across = layout.abreast(len(shown), width, LEAST)
    most = across * max(1, int((highest - LEGEND) / _line(shown, label, width / across)))
    parts = [shown[first : first + most] for first in range(0, len(shown), most)]
    return [_page(dataset, part, width, label) for part in parts]


def _page(dataset: Dataset, shown: list[Curve], width: float, label: str | None) -> Figure:
    """A figure of some curves."""
    entries = config(dataset).get("claims", {})
    figure, across = Figure(layout="constrained"), layout.abreast(len(shown), width, LEAST)
    lines = -(-len(shown) // across)
    pairs = _pairs(figure, lines, across)
    for own, pair in zip(shown, pairs, strict=False):
        inches = _room(own, label, width / across)
        _pair(dataset, own, entries.get(own.claim, {}), pair, inches)
        pair[0].set_ylabel(_label(label or own.quantity), fontsize=7.5)
    layout.switch_off(pairs[len(shown) :].ravel())
    height = _line(shown, label, width / across) * lines + 0.6
    said = _said(shown, cut=label is None)
    return legends.finish(figure, _handles(shown, figure.axes), said, width, height)


def _pairs(figure: Figure, lines: int, across: int) -> np.ndarray:
    """Axes (P, 2) of curves and of their residuals below, in so many rows."""
    grid = figure.subplots(2 * lines, across, squeeze=False, height_ratios=[PANEL, BELOW] * lines)
    return grid.reshape(lines, 2, across).transpose(0, 2, 1).reshape(-1, 2)


def curves(dataset: Dataset, claim: Names = None) -> list[Curve]:
    """The claims that are judged at several values of an axis of numbers, at each place of their own.

    Args:
        dataset: a study's results, with claims.
        claim: as in `law`.

    Raises:
        ValueError: there is none.
    """
    entries = config(dataset).get("claims", {})
    wanted = named(claim) or list(entries)
    shown, judged = [], judge(dataset)
    for name in wanted:
        rows = [row for row in judged if row.claim == name]
        shown += _curves(name, rows, entries.get(name, {}))
    if not shown:
        raise ValueError(
            f"law: expected a claim along an axis, such as {{along: B}}, found none of {wanted}"
        )
    return shown


def _curves(name: str, rows: Sequence[Judgement], entry: Tree) -> list[Curve]:
    """The curves of a claim."""
    axis = entry.get("along") or _axis(rows)
    if axis is None:
        return []
    places = grouped((repr(_rest(row, axis)), row) for row in rows if axis in row.where)
    return [_curve(name, axis, points) for points in places.values() if len(points) > 1]


def _rest(row: Judgement, axis: str) -> Data:
    """The place of a judgement, but for the axis."""
    return {dim: value for dim, value in row.where.items() if dim != axis}


def _curve(name: str, axis: str, points: list[Judgement]) -> Curve:
    along = sorted(points, key=lambda point: float(point.where[axis]))
    return Curve(name, axis, _rest(points[0], axis), along)


def _axis(rows: Sequence[Judgement]) -> str | None:
    """The first axis of numbers along which a claim is judged."""
    dims = dict.fromkeys(dim for row in rows for dim in row.where)
    return next((dim for dim in dims if _of_numbers(rows, dim)), None)


def _of_numbers(rows: Sequence[Judgement], dim: str) -> bool:
    """Whether a claim is judged at several values of a dim, all of them numbers."""
    values = {row.where.get(dim) for row in rows}
    return len(values) > 1 and all(isinstance(value, int | float) for value in values)


# a panel ----------------------------------------------------------------------------------------------------


def _pair(dataset: Dataset, own: Curve, entry: Tree, places: np.ndarray, inches: float) -> None:
    """A curve with its title, and its residuals below."""
    upper, lower = places
    lower.sharex(upper)
    panel(own, upper, lines(dataset, own, entry))
    residuals(own, lower)
    panels.at_values(lower.xaxis, own.x(), inches - 0.1)
    upper.tick_params(labelbottom=False)
    panels.small_title(upper, own.title(), 0.9 * inches)
    lower.set_xlabel(own.axis)
    lower.set_ylabel("residual", fontsize=7)


def lines(dataset: Dataset, own: Curve, entry: Tree) -> Lines:
    """X and y of the law and of the wrong law.

    Between the values of the axis too, where the formula can be evaluated there.

    Args:
        dataset: a study's results.
        own: the curve.
        entry: the claim, as the study has it.
    """
    return {
        name: _smooth(dataset, entry.get(name), own, name) or (own.x(), own.of(name))
        for name in ("control", "predicted")
    }


def _smooth(dataset: Dataset, formula: object, own: Curve, name: str) -> Line | None:
    """X and y of a formula between the values of the axis.

    None where it has no value there, or does not depend on the axis as what was judged does.

    Args:
        dataset: a study's results.
        formula: as the study has it.
        own: the curve.
        name: predicted, or control.
    """
    if not isinstance(formula, str):
        return None
    there = np.isfinite(own.of(name))
    if not there.any():
        return None
    fine = theory.between(dataset, own.axis, own.x()[there], FINE)
    try:
        here, between = (_along(dataset, formula, own, at) for at in (own.x()[there], fine))
    except ValueError:
        return None
    return (fine, between) if np.allclose(here, own.of(name)[there], rtol=1e-6) else None


def _along(dataset: Dataset, formula: str, own: Curve, at: np.ndarray) -> np.ndarray:
    """A formula at these values (N,) of the axis of a curve."""
    return theory.on_grid(dataset, formula, own.where, {own.axis: at})


def panel(own: Curve, axes: Axes, shown: Lines) -> Axes:
    """Draw a law and its observations on Axes and return them.

    Args:
        own: the curve.
        axes: where.
        shown: of `lines`.
    """
    for name, (x, y) in shown.items():
        there = np.isfinite(y)
        if there.any():
            axes.plot(x[there], y[there], gid=name, **(LAW if name == "predicted" else WRONG))
    _observed(own, axes, own.observed())
    _scale(own, axes, [y for _, y in shown.values()])
    _regime(own, axes)
    panels.rules(axes)
    return axes


def _observed(own: Curve, axes: Axes, ends: Sequence[np.ndarray]) -> None:
    """A mark for each value of the axis, by the verdict; hollow outside of the regime.

    Args:
        own: the curve.
        axes: where.
        ends: what was observed, and the ends of its interval: (N,) each.
    """
    verdicts = np.array([point.verdict for point in own.points])
    for verdict, look in LOOKS.items():
        for inside in (True, False):
            here = (verdicts == verdict) & (own.inside() == inside) & np.isfinite(ends[0])
            if here.any():
                more = {"gid": verdict} if inside else {"gid": "outside", "mfc": "white"}
                _points(axes, [part[here] for part in (own.x(), *ends)], look | more)


def _points(axes: Axes, numbers: Sequence[np.ndarray], look: Look) -> None:
    """Marks with their intervals; `numbers`: x, y, low and high (N,)."""
    x, y, low, high = numbers
    axes.plot(x, y, **OF_POINTS | look)
    bars(axes, x, low, high, look["color"])


def _scale(own: Curve, axes: Axes, more: Iterable[np.ndarray]) -> None:
    """Log axes where the values are spaced by factors or span them."""
    if logarithmic(own.x()):
        axes.set_xscale("log")
    y = finite(np.concatenate([own.of("observed"), own.of("observed_low"), *more]))
    apart = logarithmic(y) or (axes.get_xscale() == "log" and y.max() > FEW * y.min())
    if apart and y.min() > 0:
        axes.set_yscale("log")
        panels.decades(axes.yaxis, 4)


def _regime(own: Curve, axes: Axes) -> None:
    """Shade the range of the axis that lies outside of the regime."""
    inside = own.inside()
    if inside.all():
        return
    low, high = axes.get_xlim()
    edges = np.concatenate([[low], _between(own.x(), axes.get_xscale()), [high]])
    for place in np.flatnonzero(~inside):
        axes.axvspan(edges[place], edges[place + 1], gid="outside", **OUTSIDE)
    axes.set_xlim(low, high)


def _between(x: np.ndarray, scale: str) -> np.ndarray:
    """The middles (N - 1,) between neighbouring values (N,) of an axis."""
    return np.sqrt(x[1:] * x[:-1]) if scale == "log" else (x[1:] + x[:-1]) / 2


def residuals(own: Curve, axes: Axes) -> Axes:
    """Draw observed - predicted, over what is tolerated, on Axes and return them."""
    unit = _tolerated(own)
    parts = [(part - own.of("predicted")) / unit for part in own.observed()]
    axes.axhspan(-1, 1, **HELD)
    axes.axhline(0, color=style.GREY, lw=0.6)
    _observed(own, axes, [np.clip(part, -BEYOND, BEYOND) for part in parts])
    axes.set(ylim=(-BEYOND * 1.05, BEYOND * 1.05), yticks=[-1, 0, 1])
    axes.tick_params(axis="y", labelsize=6.5)
    _regime(own, axes)
    return axes


def _tolerated(own: Curve) -> np.ndarray:
    """How far from the law each point may be (N,); NaN: not known."""
    unit = np.abs(own.of("high") - own.of("low")) / 2
    return np.where(np.isfinite(unit) & (unit > 0), unit, np.nan)


# words ------------------------------------------------------------------------------------------------------


def _handles(shown: Sequence[Curve], drawn: Iterable[Axes]) -> list[Artist]:
    """Entries of what is drawn."""
    points = [point for own in shown for point in own.points]
    handles: list[Artist] = [legends.entry("law", **LAW)]
    if legends.has_line(drawn, "control"):
        handles.append(legends.entry("wrong law", **WRONG))
    verdicts = {point.verdict for point in points}
    marks: Looks = {name: look for name, look in LOOKS.items() if name in verdicts}
    handles += legends.lines(marks, **OF_POINTS)
    if not all(point.in_regime for point in points):
        handles.append(Patch(**OUTSIDE | {"color": "#dddddd"}, label="outside the regime"))
    return handles


def _label(text: str) -> str:
    """What stands at a vertical axis."""
    return style.wrapped(text, PANEL, 7.5, style.LINES)


def _room(own: Curve, label: str | None, each: float) -> float:
    """Inches that the panel of a curve is wide, of so many with the numbers and the label at its axis."""
    return each - 0.4 - ROW * (1 + _label(label or own.quantity).count("\n"))


def _line(shown: Sequence[Curve], label: str | None, each: float) -> float:
    """Inches of a row with its titles, which may take several lines on so many inches each."""
    texts = [(text, 0.9 * _room(own, label, each)) for own in shown for text in own.title()]
    rows = max(style.wrapped(text, inches, 7.5).count("\n") for text, inches in texts)
    return LINE + ROW * rows


def _said(shown: Sequence[Curve], *, cut: bool) -> str:
    """What is drawn, in words; `cut`: also the quantities that are too long for their axes."""
    texts = dict.fromkeys(own.quantity for own in shown)
    long = [f"{text}; " for text in texts if cut and _label(text).endswith(style.CUT)]
    worlds = {point.worlds for own in shown for point in own.points}
    many = legends.worlds(max(worlds)) if len(worlds) == 1 else f"{min(worlds)} to {max(worlds)} worlds"
    residuals = "residuals: observed - predicted, over what is tolerated (band)"
    return f"{''.join(long)}{many}; bars: intervals at the level of 3 standard errors; {residuals}"
