"""What a reviewer of a paper would complain about, found in a figure that is drawn.

Texts that are cut off, that overlap, or that are too small.
"""

from __future__ import annotations

import itertools

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

SMALLEST = 6.0  # points
TOUCH = 1.0  # pixels by which boxes may overlap: they are a little larger than the ink


def faults(figure: Figure) -> list[str]:
    """One line for each fault of a figure, which is laid out here, and keeps that layout."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    canvas = FigureCanvasAgg(figure)
    page = Bbox([[0, 0], [*canvas.get_width_height()]])
    found = []
    boxes = [(text, _box(text, canvas)) for text in _texts(figure)]
    for text, box in boxes:
        if (
            box.x0 < page.x0 - TOUCH
            or box.y0 < page.y0 - TOUCH
            or box.x1 > page.x1 + TOUCH
            or box.y1 > page.y1 + TOUCH
        ):
            found.append(f"cut off: {text.get_text()!r}")
        if text.get_fontsize() < SMALLEST:
            found.append(f"smaller than {SMALLEST:g} pt: {text.get_text()!r}")
    for (one, a), (other, b) in itertools.combinations(boxes, 2):
        if min(a.x1, b.x1) - max(a.x0, b.x0) > TOUCH and min(a.y1, b.y1) - max(a.y0, b.y0) > TOUCH:
            found.append(f"overlap: {one.get_text()!r} and {other.get_text()!r}")
    return found


def words(figure: Figure) -> list[str]:
    """All that is to be read in a figure that is laid out, in the order in which it was made."""
    return [text.get_text() for text in _texts(figure)]


def _texts(figure: Figure) -> list[Text]:
    """All that is shown and says something; of ticks those within the axes."""
    hidden = set()
    for axes in figure.findobj(lambda artist: hasattr(artist, "xaxis") and hasattr(artist, "yaxis")):
        for axis in (axes.xaxis, axes.yaxis):
            ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
            low, high = sorted(axis.get_transform().transform(axis.get_view_interval()))
            places = axis.get_transform().transform([tick.get_loc() for tick in ticks])
            slack = 1e-9 * (high - low)
            inside = {
                id(tick)
                for tick, place in zip(ticks, places, strict=True)
                if low - slack <= place <= high + slack
            }
            shown = axes.get_visible() and axes.axison and axis.get_visible()
            hidden |= {
                id(label)
                for tick in ticks
                if not shown or id(tick) not in inside
                for label in (tick.label1, tick.label2)
            }
            hidden |= set() if shown else {id(axis.label), id(axis.offsetText)}
    texts = [text for text in figure.findobj(Text) if id(text) not in hidden]
    return [
        text
        for text in texts
        if text.get_visible() and text.get_text().strip() and text.get_alpha() != 0
    ]


def _box(text: Text, canvas: FigureCanvasAgg) -> Bbox:
    return text.get_window_extent(canvas.get_renderer())
