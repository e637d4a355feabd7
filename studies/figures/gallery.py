"""Pictures of landscapes, several on a page; how each is drawn is in `forms`."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from xarray import Dataset

from studies.figures import form_key, forms, style
from studies.figures.style import Look

MOST = 24  # pictures on a page
ACROSS = 4  # entries in a row of the legend
MANY = 4  # columns, above which planes are thumbnails
PAGES = {  # what a picture's attribute `page` says -> title, columns; in this order
    "binary": ("Binary landscapes", 4),
    "continuous": ("Continuous landscapes", 4),
    "bbob": ("BBOB functions in two dimensions, losses in [-5, 5]$^2$", 6),
    "learning": ("Learning problems", 4),
    "games": ("Games", 4),
    "moving": ("Moving optima", 4),
}
TOGETHER = ("learning", "games", "moving")  # short ones share a page
LEGEND: Look = {
    "loc": "lower left",
    "fontsize": 7,
    "handletextpad": 0.4,
    "columnspacing": 1.4,
    "borderaxespad": 0.2,
    "labelspacing": 0.35,
}


BESIDE: Look = {"xycoords": "axes fraction", "textcoords": "offset points"}
KIND: Look = BESIDE | {"fontsize": 7.5, "fontweight": "bold"}
PARAMETERS: Look = BESIDE | {
    "fontsize": 6.5,
    "va": "top",
    "color": "#444444",
    "linespacing": 1.1,
}


class Margins(NamedTuple):
    """Inches around the square of a panel."""

    left: float
    right: float
    above: float
    below: float


class Layout(NamedTuple):
    """Where the panels of a page stand."""

    margins: Margins
    columns: int
    top: float  # inches above all panels

    @property
    def side(self) -> float:
        """Inches of the square of a panel."""
        return style.WIDTH / self.columns - self.margins.left - self.margins.right

    @property
    def letters(self) -> int:
        """Letters of a line of parameters."""
        return int((self.side + 0.25) * 19)

    @property
    def each(self) -> float:
        """Inches of a row."""
        return self.margins.above + self.side + self.margins.below

    def place(self, number: int, height: float) -> tuple[float, float, float, float]:
        """Left, bottom, width and height of a square, as fractions of a page so many inches high."""
        row, column = divmod(number, self.columns)
        left = column * style.WIDTH / self.columns + self.margins.left
        bottom = self.top + row * self.each + self.margins.above + self.side
        return left / style.WIDTH, 1 - bottom / height, self.side / style.WIDTH, self.side / height


USUAL = Margins(0.4, 0.36, 0.54, 0.4)
SMALL = Margins(0.06, 0.08, 0.32, 0.2)  # of a thumbnail


def pages(pictures: Sequence[Dataset]) -> dict[str, Callable[[], Figure]]:
    """File name -> what draws the page: one for each kind of landscape, the last three together.

    At most `MOST` pictures on a page.
    """
    drawn: dict[str, Callable[[], Figure]] = {}
    for group in (("binary",), ("continuous",), ("bbob",), TOGETHER):
        members = [data for kind in group for data in pictures if data.attrs["page"] == kind]
        draw = partial(page, title=_title(members), columns=PAGES[group[0]][1])
        parts = [members[first : first + MOST] for first in range(0, len(members), MOST)]
        for number, shown in enumerate(parts, 1):
            name = f"gallery-{group[0]}" + f"-{number}" * (len(parts) > 1)
            drawn[name] = partial(draw, shown)
    return drawn


def _title(pictures: Sequence[Dataset]) -> str:
    """The titles of the kinds of these pictures, in one."""
    first, *more = dict.fromkeys(PAGES[data.attrs["page"]][0] for data in pictures) or [""]
    return ", ".join([first, *map(str.lower, more)])


def page(pictures: Sequence[Dataset], title: str = "", columns: int = 4) -> Figure:
    """One page of pictures, 7 inches wide; every panel is a square of one size.

    Planes in more than four columns are thumbnails.

    Args:
        pictures: what `studies.probe.pictures.picture` returns.
        title: stands above.
        columns: panels in a row.
    """
    layout = Layout(SMALL if columns > MANY else USUAL, columns, 0.3 * bool(title) + 0.05)
    handles, rows = form_key.key(pictures), -(-len(pictures) // columns)
    height = layout.top + rows * layout.each + 0.2 * -(-len(handles) // ACROSS)
    figure = Figure(figsize=(style.WIDTH, height))
    for number, data in enumerate(pictures):
        _draw(data, figure.add_axes(layout.place(number, height)), layout)
    if title:
        corner = 0.06 / style.WIDTH, 1 - 0.06 / height
        figure.text(*corner, title, va="top", fontsize=9, fontweight="bold")
    _legend(figure, handles)
    return figure


def _draw(data: Dataset, axes: Axes, layout: Layout) -> None:
    """A picture, small where it is a plane among many."""
    if layout.columns > MANY and data.attrs["form"] == "plane":
        forms.thumbnail(data, axes)
    else:
        panel(data, axes, layout.letters)


def _legend(figure: Figure, handles: Sequence[Line2D]) -> None:
    """Entries below all panels, in rows."""
    if handles:
        order = [handle for first in range(ACROSS) for handle in handles[first::ACROSS]]
        figure.legend(handles=order, ncols=ACROSS, **LEGEND)


def panel(data: Dataset, axes: Axes, letters: int = 28) -> Axes:
    """Draw one landscape on Axes and return them; above, its parameters, on two lines of so many letters."""
    forms.draw(data, axes)
    _head(data, axes, letters)
    axes.tick_params(labelsize=6.5, length=2, pad=1.5)
    for axis, pad in ((axes.xaxis, 1.5), (axes.yaxis, 1.0)):
        axis.label.set_fontsize(7)
        axis.labelpad = pad
    axes.spines[:].set_linewidth(0.5)
    return axes


def _head(data: Dataset, axes: Axes, letters: int) -> None:
    """The kind of a landscape, and below it its parameters."""
    lines = textwrap.wrap(data.attrs["parameters"], letters, break_long_words=False)
    text = "\n".join(lines[:2]) + "\u2026" * (len(lines) > 2)
    above = 11 + 8 * min(2, len(lines))  # points
    axes.annotate(str(data.attrs["kind"]), (0, 1), (-14, above), **KIND)
    axes.annotate(text, (0, 1), (-14, above - 2), **PARAMETERS)
