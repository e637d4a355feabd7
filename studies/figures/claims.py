"""Theory against observation.

What each claim predicts, what came out, what is accepted, and where a wrong law lies.

Every row has its own scale, so that all fit one axis: 0 is the predicted, 1 what the wrong law predicts. Of a
bound, such as an ordering, 0 is the threshold, with an arrow to the side that is claimed; its right is the
reverse's. Where infinity
(never) is predicted, 0 is infinite and 1 is any number. Places outside a claim's regime, of which it says
nothing, stand apart below, grey and without a verdict.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.textpath import TextPath
from xarray import Dataset

from studies.claims import judge
from studies.claims.base import Judgement
from studies.claims.report import number
from studies.figures import captions, legends, panels, style
from studies.figures.claim_rows import rows
from studies.figures.claim_scales import scaled
from studies.figures.style import Look

ROW, LINE = 0.2, 0.13  # inches: a row, and each further line of its words
SPAN = (-0.75, 1.75)  # what is shown; what lies beyond is an arrow at the edge
THIN = 0.03  # the least width of what is accepted, so that it is seen
BROAD = 0.62  # of a row, the height of what is accepted
INWARDS = 0.04  # from the edge: an arrow to what lies beyond
WIDE = 5.0  # inches from which on there is room for numbers
LOOKS: dict[str, Look] = {
    "holds": {"color": "#0072B2", "marker": "o"},
    "fails": {"color": "#D55E00", "marker": "X"},
    "undecided": {"color": "#6B6B6B", "marker": "D"},
}
OUTSIDE: Look = {"color": "#8A8A8A", "marker": "o"}  # of the regime: neither holds nor fails
BOUNDS = (">", "<=", ">=")  # relations of which the predicted is a threshold
BAND, CONTROL = "#CFE6DB", "#000000"
THRESHOLD, INTERVAL = "threshold", "interval"  # gid of what is drawn
BOUND: Look = {"ls": "", "marker": "|", "ms": 9, "mew": 1.3, "color": CONTROL}
WRONG_LAW: Look = {"ls": "", "marker": "x", "ms": 4.5, "mew": 1.1, "color": CONTROL}
ARROW: Look = {"arrowstyle": "->", "lw": 0.7, "color": CONTROL, "shrinkA": 0, "shrinkB": 0}
HEAD: Look = {"ha": "right", "fontsize": 7, "fontweight": "bold"}
REST: Look = HEAD | {"fontweight": "normal"}
CANNOT: Look = panels.ABSENT | {"fontsize": 6.5}  # words in place of a row
SAID = (
    "bars: intervals, each end at the level of 3 standard errors;"
    " what holds lies within what is accepted; "
)
HINTED = 1.06  # times as wide as its outlines a text may be, where letters begin at whole pixels
LEGEND: Look = {"fontsize": 7, "borderaxespad": 0.3}
COLUMN, NUMBERS = "predicted, observed (SE)", 6.5  # head of the numbers, and their size in points


# the whole figure -------------------------------------------------------------------------------------------


def claims(dataset: Dataset, width: float = style.WIDTH) -> Figure:
    """The figure of all claims of a study.

    Args:
        dataset: a study's results, with claims.
        width: inches.

    Raises:
        ValueError: the study has no claims.
    """
    return _page(_judged(dataset), width)


def claims_pages(dataset: Dataset, width: float, highest: float) -> list[Figure]:
    """The figure on pages of at most so many inches; all claims are judged together.

    Args:
        dataset: a study's results, with claims.
        width: inches.
        highest: inches.
    """
    return [_page(part, width) for part in _parts(_judged(dataset), width, highest)]


def _judged(dataset: Dataset) -> list[Judgement]:
    """All judgements in the order of their rows: those outside of the regime last."""
    judged = judge(dataset)
    if not judged:
        raise ValueError("claims: expected a study with `claims:`, this one has none")
    return [row for _, _, row in rows(judged) if row is not None]


def _parts(judged: Sequence[Judgement], width: float, highest: float) -> list[list[Judgement]]:
    """Judgements in parts, each as long as a page of so many inches allows, and at least one."""
    parts: list[list[Judgement]] = [[]]
    for row in judged:
        longer = [*parts[-1], row]
        if parts[-1] and _height(longer, width) > highest:
            parts.append([row])
        else:
            parts[-1] = longer
    return parts


def _height(judged: Sequence[Judgement], width: float) -> float:
    """Inches of a page of judgements."""
    page = Page.of(judged, width)
    return sum(_heights(page.words(judged))) + _key_of(judged, width).inches + page.above


def _page(judged: Sequence[Judgement], width: float) -> Figure:
    """A page of judgements."""
    page, below = Page.of(judged, width), _key_of(judged, width)
    words, total = page.words(judged), _height(judged, width)
    figure = Figure(figsize=(width, total))
    captions.say(figure, SAID + _worlds(judged))
    figure.legend(handles=key(judged), loc="lower center", ncols=below.columns, **LEGEND)
    size = 1 - (page.left + page.right) / width, 1 - (below.inches + page.above) / total
    axes = figure.add_axes((page.left / width, below.inches / total, *size))
    panel(judged, axes, heights=_heights(words), words=words, numbers=page.wide)
    return figure


def _heights(words: Sequence[str]) -> list[float]:
    """Inches of rows with these words."""
    return [ROW + LINE * text.count("\n") for text in words]


class Key(NamedTuple):
    """The legend at the lower edge."""

    columns: int
    inches: float


def _key_of(judged: Sequence[Judgement], width: float) -> Key:
    """The legend of a page of judgements."""
    names = [str(handle.get_label()) for handle in key(judged)]
    columns = legends.across(names, width)
    return Key(columns, 0.42 + legends.ROW * -(-len(names) // columns))


class Page(NamedTuple):
    """How a figure is laid out."""

    width: float  # inches
    numbers: float  # inches of the longest numbers; 0: there is no room for any

    @classmethod
    def of(cls, judged: Sequence[Judgement], width: float) -> Page:
        """That of judgements: wide enough for their numbers, where it has room for any."""
        texts = [COLUMN, *map(_numbers, judged)]
        return cls(width, max(map(_inches, texts)) if width > WIDE else 0.0)

    @property
    def wide(self) -> bool:
        """Whether there is room for numbers."""
        return self.numbers > 0

    @property
    def left(self) -> float:
        """Inches of the words."""
        return self.width * (0.42 if self.wide else 0.5)

    @property
    def right(self) -> float:
        """Inches of the numbers."""
        return self.numbers + 0.12 if self.wide else 0.1

    @property
    def above(self) -> float:
        """Inches of the head of the numbers."""
        return 0.28 if self.wide else 0.08

    def words(self, judged: Sequence[Judgement]) -> list[str]:
        """The words of rows, on lines that fit."""
        inches = self.left - 0.15
        return [style.wrapped(text, inches, 8.2 if head else 7) for text, head, _ in rows(judged)]


def _inches(text: str) -> float:
    """Of numbers at the right of a row, from the first letter to the last."""
    return HINTED * TextPath((0, 0), text, size=NUMBERS).get_extents().width / 72 if text else 0.0


def _worlds(judged: Sequence[Judgement]) -> str:
    counts = sorted({row.worlds for row in judged})
    return legends.worlds(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]} worlds"


def key(judged: Sequence[Judgement]) -> list[Artist]:
    """Handles of a legend of what is drawn.

    Args:
        judged: what `studies.claims.judge` says.
    """
    verdicts = {row.verdict for row in judged if row.in_regime}
    handles: list[Artist] = [
        legends.entry(verdict, ls="", ms=4.5, **look)
        for verdict, look in LOOKS.items()
        if verdict in verdicts
    ]
    if not all(row.in_regime for row in judged):
        handles.append(legends.entry("outside the regime", ls="", ms=4.5, mfc="white", **OUTSIDE))
    handles.append(Patch(color=BAND, label="accepted"))
    if any(row.relation == "=" and math.isfinite(row.control) for row in judged):
        handles.append(legends.entry("wrong law", **WRONG_LAW))
    if any(row.relation in BOUNDS for row in judged):
        handles.append(legends.entry("threshold, claimed side", **BOUND))
    return handles


# a panel ----------------------------------------------------------------------------------------------------


def panel(
    judged: Sequence[Judgement],
    axes: Axes,
    *,
    heights: Sequence[float] | None = None,
    words: Sequence[str] | None = None,
    numbers: bool = True,
) -> Axes:
    """Draw judgements on Axes and return them.

    Args:
        judged: what `studies.claims.judge` says.
        axes: where.
        heights: of the rows, in any unit; None: all alike.
        words: at the left of the rows; None: as `rows` has them.
        numbers: whether predicted and observed stand in numbers at the right.
    """
    lines = rows(judged)
    sizes = np.ones(len(lines)) if heights is None else np.asarray(heights)
    ends, size = np.cumsum(sizes), 1.0 if heights is None else ROW
    axes.axvline(0, color=style.GREY, lw=0.6, zorder=0)
    middles = (ends - sizes / 2).tolist()
    for (text, head, row), said, y in zip(lines, words or [""] * len(lines), middles, strict=True):
        _write(said or text, axes, 0, y, -5, **HEAD if head else REST)
        if row is not None:
            _draw(row, axes, y, size)
            _write(_numbers(row) if numbers else "", axes, 1, y, 4, fontsize=NUMBERS)
    axes.set(
        xlim=SPAN, ylim=(ends[-1], 0), yticks=[], xticks=[0, 1], xticklabels=["predicted", "wrong law"]
    )
    axes.spines["left"].set_visible(False)
    _write(
        COLUMN if numbers else "", axes, 1, -0.6 * sizes.min(), 4, fontsize=NUMBERS, color=style.WORDS
    )
    return axes


def _write(text: str, axes: Axes, x: float, y: float, away: float, **look: object) -> None:
    """Text beside the Axes: x as a fraction of their width, y in data, some points away.

    Args:
        text: what is written, if anything.
        axes: beside which.
        x: 0 or 1, the side.
        y: of the row.
        away: points to the right.
        look: keywords of the text.
    """
    if text:
        beside: Look = {
            "xycoords": ("axes fraction", "data"),
            "textcoords": "offset points",
            "va": "center",
        }
        axes.annotate(text, (x, y), xytext=(away, 0), annotation_clip=False, **beside | look)


def _numbers(row: Judgement) -> str:
    """Predicted and observed, with the standard error; empty where it cannot be judged."""
    if math.isnan(scaled(row).observed):
        return ""

    bound = f"{row.relation} " if row.relation in BOUNDS else ""
    error = f" ({row.standard_error:.1g})" if math.isfinite(row.standard_error) else ""
    return f"{bound}{_number(row.predicted)},  {_number(row.observed)}{error}"


def _number(value: float) -> str:
    """A number, of infinity its sign."""
    return number(value).replace("inf", "\u221e")


def _draw(row: Judgement, axes: Axes, y: float, size: float) -> None:
    """A row: what is accepted, what a wrong law predicts, or the threshold, and what was observed.

    Args:
        row: the judgement.
        axes: where.
        y: the middle of the row.
        size: its height.
    """
    told = scaled(row)
    if math.isnan(told.observed):
        _cannot(axes, y)
        return
    if row.low <= row.high:
        _accepted(axes, y, BROAD * size, _shown(told.low), _shown(told.high))
    _reference(row, axes, y)
    look = LOOKS[row.verdict] if row.in_regime else OUTSIDE
    ends = [_shown(told.near), _shown(told.far)]
    axes.plot(ends, [y, y], color=look["color"], lw=1.1, solid_capstyle="butt", gid=INTERVAL, zorder=3)
    _observed(axes, y, told.observed, look, look["color"] if row.in_regime else "white")


def _reference(row: Judgement, axes: Axes, y: float) -> None:
    """A threshold with an arrow to the side that is claimed, or what a wrong law predicts."""
    if row.relation in BOUNDS:
        axes.plot([0], [y], gid=THRESHOLD, zorder=2, **BOUND)
        axes.annotate("", (SPAN[0] + 0.01, y), (0, y), arrowprops=ARROW, zorder=1)
    elif math.isfinite(row.control):
        axes.plot([1], [y], zorder=2, **WRONG_LAW)


def _cannot(axes: Axes, y: float) -> None:
    axes.annotate("cannot be judged", (0.5, y), **CANNOT)


def _shown(x: float) -> float:
    """The end of an interval, as far as it is shown; NaN: not known, and not drawn."""
    return min(max(x, SPAN[0]), SPAN[1])


def _accepted(axes: Axes, y: float, height: float, low: float, high: float) -> None:
    """The band of what is accepted, wide enough to be seen.

    Args:
        axes: where.
        y: the middle of the row.
        height: of the band.
        low: where it begins.
        high: where it ends.
    """
    more = max(0.0, THIN - (high - low)) / 2
    axes.barh(y, high - low + 2 * more, left=low - more, height=height, color=BAND, lw=0, zorder=0)


def _observed(axes: Axes, y: float, x: float, look: Look, face: str) -> None:
    """What was observed, or at the edge an arrow to it.

    Args:
        axes: where.
        y: the middle of the row.
        x: the observed, on the scale of the row.
        look: colour and marker.
        face: the colour within the marker.
    """
    mark: Look = {"ls": "", "mec": look["color"], "mfc": face, "zorder": 4}
    if x <= SPAN[0]:
        axes.plot([SPAN[0] + INWARDS], [y], marker="<", ms=5, clip_on=False, **mark)
    elif x >= SPAN[1]:
        axes.plot([SPAN[1] - INWARDS], [y], marker=">", ms=5, clip_on=False, **mark)
    else:
        axes.plot([x], [y], marker=look["marker"], ms=4.5, **mark)
