"""The answer of a study in one look: laws as lines, and what was observed on top, several claims in a panel.

Each line of a panel has a colour and a mark of its own: a claim at one place, along an axis of numbers. A
dashed line is a bound, which the observed has to stay above or below. Filled marks hold; hollow ones are
outside of the regime, or undecided; a cross is a law that fails. `along` is a formula of the arms' numbers
that stands across in place of the axis, as an effective rank in place of a condition number; `over` draws
what was observed over what is predicted, on which laws of several quantities lie at 1; `beside` are two
quantities, across and upwards, of a method that has no such axis: a cross in the colour of its line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle
from typing import NamedTuple

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from xarray import Dataset

from studies.analysis.quantities.evaluate import quantity
from studies.figures import layout, legends, panels, style, theory
from studies.figures.curve import bars
from studies.figures.facets import GRID, Place, finite, logarithmic, words
from studies.figures.law import Curve, curves, lines
from studies.figures.style import Look
from studies.results.config import config
from studies.results.figures import listed, named

LEAST, HEIGHT = 2.3, 2.0  # inches: the least width of a panel, its height
TICKS = 8  # so many of them
MARKS = "os^Dv*P"
FEW = 3.0  # ratio of the largest to the least, from which on a law on a log axis has a log axis upwards too
BOUND = (0, (4, 2))  # the style of a line that is a bound
LINE: Look = {"lw": 1.2, "zorder": 1}
WRONG: Look = {"lw": 0.9, "ls": ":", "zorder": 1}
POINTS: Look = {"ls": "", "ms": 4.5, "zorder": 3}
FAILED: Look = {"ls": "", "marker": "x", "ms": 6.5, "mew": 1.2, "color": "black", "zorder": 4}
STAR: Look = {"marker": "*", "ms": 8, "ls": "", "mec": "white", "mew": 0.5, "zorder": 2}
CROSS: Look = {"marker": "P", "ms": 6, "mec": "white", "mew": 0.5, "ls": "", "lw": 0.9, "zorder": 4}
CORNER: Look = {"fontsize": 7.5, "fontstyle": "italic", "color": style.WORDS}
Said = bool | str  # true or false, as the command has it too
Texts = str | list[str] | None  # of all panels, or of each


class Line(NamedTuple):
    """A law as it is drawn."""

    x: np.ndarray  # (M,)
    y: np.ndarray  # (M,)


class Shown(NamedTuple):
    """A curve as it is drawn."""

    own: Curve
    label: str
    look: Look
    across: np.ndarray  # (N,) of the points
    observed: np.ndarray  # (3, N) what was observed, and the ends of its interval
    line: Line  # of the law
    wrong: Line | None  # of the wrong law, where it is drawn
    at_axis: bool  # whether the axis itself stands across


class Given(NamedTuple):
    """How curves are drawn."""

    along: str | None  # what stands across, a formula
    outside: bool  # whether what lies outside of the regime is drawn
    over: bool  # whether all is divided by what is predicted
    wrong: bool  # whether wrong laws are drawn too


class Words(NamedTuple):
    """What stands around a panel."""

    label: str
    across: str
    above: str
    below: str


# the whole figure -------------------------------------------------------------------------------------------


def answer(
    dataset: Dataset,
    width: float = style.WIDTH,
    *,
    claim: str | list[str | list[str]],
    along: str | None = None,
    label: Texts = None,
    across: Texts = None,
    above: str | None = None,
    below: str | None = None,
    beside: Mapping[str, str] | None = None,
    outside: Said = True,
    over: Said = False,
    least: Said = False,
    wrong: Said = False,
    log: Said = False,
) -> Figure:
    """The figure of some claims.

    Args:
        dataset: a study's results, with claims along an axis.
        width: inches.
        claim: its name, or a list with an entry for each panel: a claim, or a list of those that share it.
        along: what stands across in place of the axis, a formula of the arms' numbers.
        label: of the vertical axis, or of that of each panel; None: the quantity.
        across: of the horizontal axis, or of that of each panel; None: the axis.
        above: words above the lines.
        below: words below the lines.
        beside: one more mark for each line, at the quantities `x` and `y`, and what it is `called`.
        outside: whether what lies outside of the regime is drawn.
        over: whether all is divided by what is predicted.
        least: whether the least point of each law has a star.
        wrong: whether wrong laws are drawn too.
        log: whether vertical axes are logarithmic, as they are where what is drawn spans many decades.

    Raises:
        ValueError: a claim is not judged along an axis, or the formula has no value.
    """
    parts = [named(claim)] if isinstance(claim, str) else [listed(part) for part in claim]
    every = curves(dataset, [name for part in parts for name in part])
    figure = Figure(layout="constrained")
    grid = layout.fitted(figure, len(parts), width, LEAST)
    given = Given(along, *map(_true, (outside, over, wrong)))
    drawn = []
    for place, (axes, part) in enumerate(zip(grid.panels, parts, strict=True)):
        shown = _shown(dataset, [own for own in every if own.claim in part], given)
        up = _of(label, place) or shown[0].own.quantity
        said = Words(up, _of(across, place) or along or shown[0].own.axis, above or "", below or "")
        panel(shown, axes, said, grid.inches - 0.75, least=_true(least), log=_true(log))
        _beside(dataset, shown, axes, beside or {})
        drawn.append(shown)
    height = HEIGHT * grid.lines + 0.6
    handles = [*_handles(figure, drawn), *_crosses(beside or {})]
    return legends.finish(figure, handles, _said(drawn), width, height)


def _true(said: Said) -> bool:
    """Whether something is said to be true."""
    return str(said).lower() == "true"


def _of(given: Texts, place: int) -> str:
    """The text of a panel."""
    if isinstance(given, list):
        return given[place] if place < len(given) else ""
    return given or ""


def _shown(dataset: Dataset, own: Sequence[Curve], given: Given) -> list[Shown]:
    """The curves of a panel."""
    entries = config(dataset).get("claims", {})
    looks = cycle(zip(style.COLOURS, MARKS, strict=True))
    shown = []
    for every, label, (colour, mark) in zip(own, _labels(own), looks, strict=False):
        one = every if given.outside else _inside(every)
        laws = lines(dataset, one, entries.get(one.claim, {}))
        at = _across(dataset, one, given.along, one.x())
        law, wrong = (
            Line(_across(dataset, one, given.along, x), y / y if given.over else y)
            for x, y in (laws["predicted"], laws["control"])
        )
        ends = [part / one.of("predicted") if given.over else part for part in one.observed()]
        look = {"color": colour, "marker": mark}
        drawn = law, wrong if given.wrong else None, given.along is None
        shown.append(Shown(one, label, look, at, np.stack(ends), *drawn))
    return shown


def _inside(own: Curve) -> Curve:
    """A curve without what lies outside of the regime."""
    return own._replace(points=[point for point in own.points if point.in_regime])


def _across(dataset: Dataset, own: Curve, along: str | None, at: np.ndarray) -> np.ndarray:
    """What stands across at these values (N,) of the axis."""
    return at if along is None else theory.on_grid(dataset, along, own.where, {own.axis: at})


def _labels(shown: Sequence[Curve]) -> Iterator[str]:
    """What tells the curves of a panel apart: claims, then what differs between those of a claim."""
    claims = len({own.claim for own in shown}) > 1
    for own in shown:
        others = [other for other in shown if other.claim == own.claim]
        telling = {
            dim: value
            for dim, value in own.where.items()
            if any(other.where.get(dim) != value for other in others)
        }
        yield ", ".join(filter(None, [own.claim * claims, words(telling)]))


def _bound(one: Shown) -> bool:
    """Whether the line of a curve is a bound."""
    return one.own.points[0].relation != "="


# a panel ----------------------------------------------------------------------------------------------------


def panel(
    shown: Sequence[Shown],
    axes: Axes,
    said: Words,
    inches: float,
    *,
    least: bool = False,
    log: bool = False,
) -> Axes:
    """Draw curves on Axes and return them.

    Args:
        shown: the curves.
        axes: where.
        said: what stands around.
        inches: of the width of the Axes.
        least: whether the least point of each law has a star.
        log: whether the vertical axis is logarithmic in any case.
    """
    for one in shown:
        _law(one, axes)
        _points(one, axes)
        if least:
            _star(one, axes)
    _scale(shown, axes, inches, log=log)
    axes.set_xlabel(style.wrapped(said.across, inches))
    axes.set_ylabel(style.wrapped(said.label, HEIGHT - 0.3, most=style.LINES))
    _corner_words(shown, axes, said)
    panels.rules(axes)
    return axes


def _law(one: Shown, axes: Axes) -> None:
    """The law, or the bound."""
    x, y = one.line
    there = np.isfinite(y)
    style_ = BOUND if _bound(one) else "-"
    axes.plot(x[there], y[there], gid="law", color=one.look["color"], ls=style_, **LINE)
    if one.wrong is not None:
        axes.plot(*one.wrong, gid="wrong", color=one.look["color"], **WRONG)


def _points(one: Shown, axes: Axes) -> None:
    """What was observed, with its intervals."""
    y, low, high = one.observed
    verdicts = np.array([point.verdict for point in one.own.points])
    holds = one.own.inside() & (verdicts == "holds")
    for here, face in ((holds, one.look["color"]), (~holds, "white")):
        axes.plot(one.across[here], y[here], gid="observed", mfc=face, **POINTS | one.look)
    bars(axes, one.across, low, high, one.look["color"])
    failed = one.own.inside() & (verdicts == "fails")
    if failed.any():
        axes.plot(one.across[failed], y[failed], gid="fails", **FAILED)


def _beside(dataset: Dataset, shown: Sequence[Shown], axes: Axes, given: Mapping[str, str]) -> None:
    """A cross for each curve at the place of two quantities.

    Args:
        dataset: a study's results.
        shown: the curves of a panel.
        axes: where.
        given: the quantities x and y; or nothing.
    """
    if not given:
        return
    across, up = (quantity(dataset, given[way]) for way in "xy")
    for one in shown:
        where = {dim: value for dim, value in one.own.where.items() if dim not in GRID}
        x, y = (_at(part, where) for part in (across, up))
        axes.errorbar(
            x[0], y[0], _reach(y), _reach(x), color=one.look["color"], label="beside", **CROSS
        )


def _at(numbers: Dataset, where: Place) -> np.ndarray:
    """A quantity (3,) at a place, and the ends of its interval."""
    names = numbers["quantity"].dims
    one = numbers.sel({dim: value for dim, value in where.items() if dim in names})
    one = one.isel({dim: 0 for dim in one["quantity"].dims})
    return np.array([one["quantity"].item(), *one["quantity_interval"].values])


def _reach(number: np.ndarray) -> np.ndarray:
    """How far an interval reaches down and up: (2, 1)."""
    value, low, high = number
    return np.array([[value - low], [high - value]])


def _star(one: Shown, axes: Axes) -> None:
    """The least point of a law."""
    x, y = one.line
    at = int(np.nanargmin(y))
    axes.plot(x[at], y[at], gid="least", color=one.look["color"], **STAR)


def _scale(shown: Sequence[Shown], axes: Axes, inches: float, *, log: bool) -> None:
    """Log axes where the values are spaced by factors or span them, or where that is wanted."""
    across = np.unique(np.concatenate([one.across for one in shown]))
    if logarithmic(across):
        axes.set_xscale("log")
    if shown[0].at_axis or axes.get_xscale() == "log":
        panels.at_values(axes.xaxis, across, inches)
    parts = [part for one in shown for part in (*one.observed, one.line.y)]
    parts += [one.wrong.y for one in shown if one.wrong is not None]
    y = finite(np.concatenate(parts))
    apart = log or logarithmic(y) or (axes.get_xscale() == "log" and y.max() > FEW * y.min())
    if apart and y.min() > 0:
        axes.set_yscale("log")
        _decades(axes.yaxis, y)


def _decades(axis: Axis, values: np.ndarray) -> None:
    """Ticks of a vertical log axis, plain numbers where it spans few decades."""
    if values.max() < panels.SHORT * values.min():
        panels.numbers(axis, (1, 2, 5), TICKS)
    else:
        panels.decades_along(axis, HEIGHT - 0.3)


def _corner_words(shown: Sequence[Shown], axes: Axes, said: Words) -> None:
    """Words above and below the lines, in the upper and the lower corner that has more room."""
    if not (said.above or said.below):
        return
    axes.margins(y=0.2)
    left, right = ([one.line.y[end(one.line.x)] for one in shown] for end in (np.argmin, np.argmax))
    _corner(axes, said.above, "right" if max(left) > max(right) else "left", "top")
    _corner(axes, said.below, "right" if min(left) < min(right) else "left", "bottom")


def _corner(axes: Axes, text: str, side: str, where: str) -> None:
    """Words in a corner of Axes.

    Args:
        axes: where.
        text: the words.
        side: left or right.
        where: top or bottom.
    """
    place = {"left": 0.03, "right": 0.97}[side], {"bottom": 0.04, "top": 0.96}[where]
    axes.text(*place, text, transform=axes.transAxes, ha=side, va=where, **CORNER)


# words ------------------------------------------------------------------------------------------------------


def _handles(figure: Figure, drawn: Sequence[Sequence[Shown]]) -> list[Artist]:
    """An entry for each curve that has a label, and for the marks beside."""
    handles: list[Artist] = []
    for one in {one.label: one for part in drawn for one in part if one.label}.values():
        ls = BOUND if _bound(one) else "-"
        handles.append(legends.entry(one.label, ms=4.5, lw=1.2, ls=ls, **one.look))
    if legends.has_line(figure.axes, "least"):
        handles.append(legends.entry("least of the law", **STAR | {"color": style.WORDS}))
    return handles


def _crosses(given: Mapping[str, str]) -> list[Artist]:
    """An entry for the marks beside."""
    return [legends.entry(given["called"], **CROSS | {"color": style.WORDS})] if given else []


def _said(shown: Sequence[Sequence[Shown]]) -> str:
    """What is drawn, in words."""
    points = [point for part in shown for one in part for point in one.own.points if point.worlds]
    worlds = {point.worlds for point in points}
    many = legends.worlds(max(worlds)) if len(worlds) == 1 else f"{min(worlds)} to {max(worlds)} worlds"
    marks = {
        "dashed: a bound": any(_bound(one) for part in shown for one in part),
        "dotted: a wrong law": any(one.wrong is not None for part in shown for one in part),
        "hollow: outside the regime": not all(point.in_regime for point in points),
        "hollow: undecided": any(p.in_regime and p.verdict == "undecided" for p in points),
        "crossed: fails": any(point.in_regime and point.verdict == "fails" for point in points),
    }
    more = "".join(f"; {text}" for text, there in marks.items() if there)
    return f"lines: theory; {many}; bars: intervals at the level of 3 standard errors{more}"
