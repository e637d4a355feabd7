"""Names at the ends of lines, in the place of a legend: where lines are few and end apart at the right."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.lines import Line2D
from scipy.optimize import isotonic_regression

from studies.figures import style
from studies.figures.style import Look, Looks

MOST = 6  # lines of a panel
LETTERS, ASIDE = 7, 1  # points: of the letters, from a panel to a name
HIGH = 0.115  # inches between the middles of two names, at least
NEAR = 0.04  # inches between the ends of two lines, below which names would not say which is which
FAR = 0.09  # inches from the end of a line to the middle of its name, at most
RIGHT = 0.9  # of the width of a panel, beyond which all lines end
SHARE = 0.3  # of the width of a panel, that the longest name may take
AXES = 0.55  # inches of a panel's height that its title, numbers and label take
NAME: Look = {
    "textcoords": "offset points",
    "va": "center",
    "ha": "left",
    "fontsize": LETTERS,
    "annotation_clip": False,
}


def named(drawn: Sequence[Axes], looks: Looks, inches: tuple[float, float]) -> bool:
    """Write the names of lines at their ends, if all have room in all panels, and say whether they have.

    Args:
        drawn: the panels, with all lines and both scales.
        looks: label -> keywords of `Axes.plot`, of the lines that may be named.
        inches: width and height of a panel with its numbers and labels.
    """
    if not 0 < len(looks) <= MOST or not _short(looks, inches[0]):
        return False
    lines = [_lines(axes, looks) for axes in drawn]
    places = [_places(axes, some, inches[1] - AXES) for axes, some in zip(drawn, lines, strict=True)]
    there = [place for place in places if place is not None]
    if len(there) < len(places):
        return False
    for axes, some, place in zip(drawn, lines, there, strict=True):
        for line, up in zip(some, place, strict=True):
            _write(axes, line, up)
    return True


def _short(looks: Looks, inches: float) -> bool:
    """Whether the longest name takes no more than its share of so many inches."""
    longest = max(map(len, looks))
    return longest * style.LETTER * LETTERS <= SHARE * inches


def _lines(axes: Axes, looks: Looks) -> list[Line2D]:
    """The lines of a panel that have a name."""
    return [line for line in axes.lines if line.get_label() in looks and np.size(line.get_xdata())]


def _places(axes: Axes, lines: Sequence[Line2D], inches: float) -> list[float] | None:
    """By how many inches each name stands above the end of its line; None where they have no room.

    The names, one below another, move as little as they can for none to touch.

    Args:
        axes: the panel.
        lines: its lines.
        inches: its height.
    """
    if not lines:
        return []
    to_axes = axes.transScale + axes.transLimits
    across, up = to_axes.transform([_end(line) for line in lines]).T * [[1.0], [inches]]
    order = np.argsort(up)
    ends, steps = up[order], HIGH * np.arange(len(lines))
    moved = isotonic_regression(ends - steps).x + steps - ends
    inside = (across >= RIGHT).all() and (ends >= 0).all() and (ends <= inches).all()
    if not inside or (np.diff(ends) < NEAR).any() or (np.abs(moved) > FAR).any():
        return None
    return moved[np.argsort(order)].tolist()


def _end(line: Line2D) -> tuple[float, float]:
    """The last point of a line."""
    x, y = (np.asarray(part, float) for part in line.get_data())
    return float(x[-1]), float(y[-1])


def _write(axes: Axes, line: Line2D, up: float) -> None:
    """The name of a line beside the panel, so many inches above its end, in its colour, dark enough."""
    label, place = str(line.get_label()), (1.0, _end(line)[1])
    where = axes.get_yaxis_transform()
    axes.annotate(
        label,
        place,
        (ASIDE, 72 * up),
        where,
        color=style.ink(to_rgb(line.get_color())),
        gid=label,
        **NAME,
    )
