"""Theory against observation.

What each claim predicts, what came out, what is accepted, and where a wrong law lies.

Every row has its own scale, so that all fit one axis: 0 is the predicted, 1 what the wrong law predicts, on
the scale on which a claim is judged (a factor by its logarithm). Of an ordering, which is a bound, 0 is the
threshold, with an arrow to the side that is claimed; its right is the reverse ordering's. Where infinity
(never) is predicted, 0 is infinite and 1 is any number. Places outside a claim's regime, of which it says
nothing, stand apart below, grey and without a verdict.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from studies.claims import judge
from studies.claims.base import Judgement
from studies.claims.report import number, place
from studies.figures import style

ROW, LINE = 0.2, 0.13  # inches: a row, and each further line of its words
SPAN = (-0.75, 1.75)  # what is shown; what lies beyond is an arrow at the edge
# where the most lies that a bound can be met by, left of its threshold, and right of it what misses it by as
# much
SIDE = 0.6
THIN = 0.03  # the least width of what is accepted, so that it is seen
WIDE = 5.0  # inches from which on there is room for numbers
LOOKS: dict[str, dict[str, Any]] = {
    "holds": {"color": "#0072B2", "marker": "o"},
    "fails": {"color": "#D55E00", "marker": "X"},
    "undecided": {"color": "#6B6B6B", "marker": "D"},
}
OUTSIDE: dict[str, Any] = {"color": "#8A8A8A", "marker": "o"}  # of the regime: neither holds nor fails
APART = "outside the regime: not judged"
BAND, CONTROL = "#CFE6DB", "#000000"
THRESHOLD, INTERVAL = "threshold", "interval"  # gid of what is drawn


def claims(dataset: xr.Dataset, width: float = style.WIDTH) -> Figure:
    """The figure of all claims of a study.

    Args:
        dataset: a study's results, with claims.
        width: inches.

    Raises:
        ValueError: the study has no claims.
    """
    found = judge(dataset)
    if not found:
        raise ValueError("claims: expected a study with `claims:`, this one has none")
    wide = width > WIDE
    inches, beside = (
        width * (0.42 if wide else 0.5),
        1.33 if wide else 0.1,
    )  # for words at the left, and numbers at the right
    lines = [
        style.wrapped(words, inches - 0.15, 8.2 if head else 7).split("\n") for words, head, _ in rows(found)
    ]
    heights = [ROW + LINE * (len(line) - 1) for line in lines]
    told = (
        "bars: intervals, each end at the level of 3 standard errors; what holds lies within what is"
        f" accepted; {_worlds(found)}"
    )
    handles, title = key(found), style.wrapped(told, width - 0.2, 7)
    columns = style.across([str(handle.get_label()) for handle in handles], width)
    below = 0.42 + 0.16 * -(-len(handles) // columns) + 0.14 * (title.count("\n") + 1)
    above = 0.28 if wide else 0.08
    figure = Figure(figsize=(width, sum(heights) + below + above))
    total = figure.get_figheight()
    axes = figure.add_axes((
        inches / width,
        below / total,
        1 - (inches + beside) / width,
        1 - (below + above) / total,
    ))
    panel(found, axes, heights=heights, words=["\n".join(line) for line in lines], numbers=wide)
    figure.legend(
        handles=handles,
        loc="lower center",
        ncols=columns,
        title=title,
        title_fontsize=7,
        fontsize=7,
        borderaxespad=0.3,
    )
    return figure


def rows(found: Sequence[Judgement]) -> list[tuple[str, bool, Judgement | None]]:
    """Words, whether they are a heading, and the judgement.

    Each claim with what its places have in common, then each place; last those outside.
    """
    lines: list[tuple[str, bool, Judgement | None]] = []
    for name in dict.fromkeys(row.claim for row in found if row.in_regime):
        mine = [row for row in found if row.claim == name and row.in_regime]
        common = _common(mine)
        lines.append((_named(name, mine[0], common), True, mine[0] if len(mine) == 1 else None))
        lines += [(_rest(row, common), False, row) for row in mine] if len(mine) > 1 else []
    outside = [row for row in found if not row.in_regime]
    return (
        lines
        + [(APART, True, None)] * bool(outside)
        + [(_named(row.claim, row, row.where), False, row) for row in outside]
    )


def _common(mine: Sequence[Judgement]) -> dict[str, Any]:
    """What all places of a claim share."""
    return {
        key: value for key, value in mine[0].where.items() if all(row.where.get(key) == value for row in mine)
    }


def _named(name: str, row: Judgement, where: Mapping[str, Any]) -> str:
    return f"{name} ({_words(place(row._replace(where=dict(where))))})" if where else name


def _rest(row: Judgement, common: Mapping[str, Any]) -> str:
    return _words(
        place(row._replace(where={key: value for key, value in row.where.items() if key not in common}))
    )


def _words(text: str) -> str:
    return text.replace(" = ", "\u00a0=\u00a0").replace(" to ", "\u00a0to\u00a0")  # no line ends there


def panel(
    found: Sequence[Judgement],
    axes: Axes,
    *,
    heights: Sequence[float] | None = None,
    words: Sequence[str] | None = None,
    numbers: bool = True,
) -> Axes:
    """Draw judgements on Axes and return them.

    Args:
        found: what `studies.claims.judge` says.
        axes: where.
        heights: of the rows, in any unit; None: all alike.
        words: at the left of the rows; None: as `rows` has them.
        numbers: whether predicted and observed stand in numbers at the right.
    """
    lines = rows(found)
    sizes = np.ones(len(lines)) if heights is None else np.asarray(heights)
    ends = np.cumsum(sizes)
    axes.axvline(0, color="#888888", lw=0.6, zorder=0)
    for (text, head, row), end, size, said in zip(
        lines, ends, sizes, words or [line[0] for line in lines], strict=True
    ):
        _write(
            said or text,
            axes,
            0,
            end - size / 2,
            -5,
            ha="right",
            fontsize=7,
            fontweight="bold" if head else "normal",
        )
        if row is not None:
            _draw(row, axes, end - size / 2, 1.0 if heights is None else ROW, numbers=numbers)
    axes.set(xlim=SPAN, ylim=(ends[-1], 0), yticks=[], xticks=[0, 1], xticklabels=["predicted", "wrong law"])
    axes.spines["left"].set_visible(False)
    if numbers:
        _write("predicted, observed (SE)", axes, 1, -0.6 * sizes.min(), 4, fontsize=6.5, color="#555555")
    return axes


def _write(text: str, axes: Axes, x: float, y: float, away: float, **look: Any) -> None:  # noqa: ANN401
    """Text beside the Axes: x as a fraction of their width, y in data, some points away."""
    axes.annotate(
        text,
        (x, y),
        xycoords=("axes fraction", "data"),
        xytext=(away, 0),
        textcoords="offset points",
        va="center",
        annotation_clip=False,
        **look,
    )


def _draw(row: Judgement, axes: Axes, y: float, size: float, *, numbers: bool) -> None:
    look = LOOKS[row.verdict] if row.in_regime else OUTSIDE
    filled = look["color"] if row.in_regime else "white"
    observed, low, high, near, far = scaled(row)
    if math.isnan(observed):
        box = {"facecolor": "white", "edgecolor": "none", "pad": 1}
        axes.annotate(
            "cannot be judged", (0.5, y), ha="center", va="center", fontsize=6.5, color="#555555", bbox=box
        )
        return
    _accepted(row, axes, y, 0.62 * size, (low, high))
    if row.relation == ">":
        axes.plot([0], [y], ls="", marker="|", ms=9, mew=1.3, color=CONTROL, gid=THRESHOLD, zorder=2)
        axes.annotate(
            "",
            (SPAN[0] + 0.01, y),
            (0, y),
            arrowprops={"arrowstyle": "->", "lw": 0.7, "color": CONTROL, "shrinkA": 0, "shrinkB": 0},
            zorder=1,
        )
    elif math.isfinite(row.control):
        axes.plot([1], [y], ls="", marker="x", ms=4.5, mew=1.1, color=CONTROL, zorder=2)
    near, far = (min(max(end, SPAN[0]), SPAN[1]) for end in (near, far))  # NaN: not known, and not drawn
    axes.plot([near, far], [y, y], color=look["color"], lw=1.1, solid_capstyle="butt", gid=INTERVAL, zorder=3)
    if not SPAN[0] < observed < SPAN[1]:
        edge, side = (SPAN[0] + 0.04, "<") if observed < SPAN[0] else (SPAN[1] - 0.04, ">")
        axes.plot(
            [edge], [y], ls="", marker=side, ms=5, mec=look["color"], mfc=filled, clip_on=False, zorder=4
        )
    else:
        axes.plot(
            [observed], [y], ls="", marker=look["marker"], ms=4.5, mec=look["color"], mfc=filled, zorder=4
        )
    if numbers:
        _write(
            f"{_said(row.predicted, row.relation)},  {_said(row.observed)}{_error(row)}",
            axes,
            1,
            y,
            4,
            fontsize=6.5,
        )


def _accepted(row: Judgement, axes: Axes, y: float, height: float, ends: tuple[float, float]) -> None:
    """The band of what is accepted, as far as it is shown; none where nothing is."""
    if not row.low <= row.high:
        return
    low, high = (min(max(end, SPAN[0]), SPAN[1]) for end in ends)
    more = max(0.0, THIN - (high - low)) / 2
    axes.barh(y, high - low + 2 * more, left=low - more, height=height, color=BAND, lw=0, zorder=0)


def _said(value: float, relation: str = "=") -> str:
    """A number of a row; how an infinite one and a bound are written."""
    text = number(value).replace("inf", "\u221e")
    return f"> {text}" if relation == ">" else text


def _error(row: Judgement) -> str:
    return f" ({row.standard_error:.1g})" if math.isfinite(row.standard_error) else ""


def scaled(row: Judgement) -> tuple[float, float, float, float, float]:
    """Observed, accepted from and to, and the ends of the error bar, where 0 is the predicted and 1 the wrong law's; NaN where there is no scale."""
    there = _scale(row)
    near, far = sorted((there(row.observed_low), there(row.observed_high)))
    low, high = sorted((there(row.low), there(row.high)))
    return there(row.observed), low, high, near, far


def _scale(row: Judgement) -> Callable[[float], float]:
    """Where a number of a row is drawn."""
    zero, one = row.predicted, row.control
    if row.kind == "convergence_rate" and zero > 0 and one > 0:
        inner = _between(math.log(zero), math.log(one))
        return lambda value: inner(math.log(value) if value > 0 else -math.inf)
    if math.isinf(zero):  # the limit of (value - zero) / (one - zero)
        return lambda value: math.nan if math.isnan(value) else 0.0 if value == zero else 1.0
    if row.relation == ">" or not math.isfinite(one) or one == zero:
        reach = max((abs(end - zero) for end in (row.high, row.observed) if math.isfinite(end)), default=0.0)
        one = zero + (-1 if row.relation == ">" else 1) * reach / SIDE
    return _between(zero, one)


def _between(zero: float, one: float) -> Callable[[float], float]:
    """The linear scale on which one number is 0 and another 1; NaN where they are one."""
    if not (math.isfinite(zero) and math.isfinite(one)) or zero == one:
        return lambda value: math.nan
    return lambda value: (value - zero) / (one - zero)


def key(found: Sequence[Judgement]) -> list[Any]:
    """Handles of a legend of what is drawn.

    Args:
        found: what `studies.claims.judge` says.
    """
    here = [verdict for verdict in LOOKS if any(row.verdict == verdict and row.in_regime for row in found)]
    handles: list[Any] = [Line2D([], [], ls="", ms=4.5, label=verdict, **LOOKS[verdict]) for verdict in here]
    if not all(row.in_regime for row in found):
        handles.append(Line2D([], [], ls="", ms=4.5, mfc="white", label="outside the regime", **OUTSIDE))
    handles.append(Patch(color=BAND, label="accepted"))
    if any(row.relation == "=" and math.isfinite(row.control) for row in found):
        handles.append(Line2D([], [], ls="", marker="x", ms=4.5, mew=1.1, color=CONTROL, label="wrong law"))
    if any(row.relation == ">" for row in found):
        handles.append(
            Line2D([], [], ls="", marker="|", ms=9, mew=1.3, color=CONTROL, label="threshold, claimed side")
        )
    return handles


def _worlds(found: Sequence[Judgement]) -> str:
    counts = sorted({row.worlds for row in found})
    return style.worlds(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]} worlds"
