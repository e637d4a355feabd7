"""A Matplotlib figure as SVG inside a page.

Its colours follow the page, its arms can be told apart by a script, its numbers are rounded.
"""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup, escape
from matplotlib import rc_context
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import Collection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from studies.figures import style

HEAVY = 600_000  # characters of SVG, above which pixels are shown in its place
POINTS = 400  # of a line, whose values a reader can have shown
INK = {
    "#000000": "currentColor",
    "#ffffff": "var(--paper)",
    "#dddddd": "var(--rule)",
    "#555555": "var(--muted)",
    "#888888": "var(--muted)",
}
SETTINGS = {
    "svg.fonttype": "none",
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "savefig.facecolor": "none",
    "figure.dpi": 72,
}


@dataclass(frozen=True)
class Drawing:
    """A figure of a page."""

    name: str
    markup: Markup
    width: float  # inches


def drawing(name: str, make: Callable[[], Figure], arms: Sequence[str], optimizers: Sequence[str]) -> Drawing:
    """Draw a figure.

    Args:
        name: of the figure.
        make: draws it.
        arms: labels of all arms of the study.
        optimizers: labels of its optimizers.
    """
    with rc_context(style.PAPER | SETTINGS | {"svg.hashsalt": name}), style.any_letter():
        figure = make()
        marks = _marked(figure, arms, optimizers)
        raw = io.StringIO()
        figure.savefig(raw, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
        marks |= _boxes(figure)
        markup = _clean(raw.getvalue(), marks)
        if len(markup) > HEAVY:
            markup = _pixels(figure)
    return Drawing(name, Markup(markup), float(figure.get_figwidth()))


# which artist shows which arm -------------------------------------------------------------------------------


def _marked(figure: Figure, arms: Sequence[str], optimizers: Sequence[str]) -> dict[str, str]:
    """Give every artist of an arm an id; returns id -> attributes that take its place."""
    owners = dict.fromkeys([*arms, *optimizers])
    shown = [
        (axes, artist) for axes in figure.axes for artist in (*axes.lines, *axes.collections, *axes.patches)
    ]
    keys = list(_keys(figure))
    colours = _colours(
        [(str(artist.get_label()), artist) for _, artist in shown]
        + [(label, handle) for label, handle, _ in keys],
        owners,
    )
    marks: dict[str, str] = {}
    for _, artist in shown:
        label = next(
            (text for text in (artist.get_gid(), str(artist.get_label())) if text in owners),
            colours.get(_colour(artist)),
        )
        if label is not None:
            _mark(artist, "arm", label, optimizers, marks)
    for label, *parts in keys:
        if label in owners:
            for part in parts:
                _mark(part, "key", label, optimizers, marks)
    return marks


def _keys(figure: Figure) -> Iterator[tuple[str, Artist, Artist]]:
    """Entries of legends: label, what is drawn, the text."""
    legends: list[Legend | None] = [*figure.legends, *(axes.get_legend() for axes in figure.axes)]
    for legend in filter(None, legends):
        for handle, text in zip(legend.legend_handles, legend.get_texts(), strict=True):
            if handle is not None:
                yield text.get_text().replace("\n", " "), handle, text


def _colours(labelled: Sequence[tuple[str, Any]], owners: dict[str, None]) -> dict[str, str]:
    """Colour -> label, of those colours that one label alone has; black may be anything."""
    found: dict[str, set[str]] = {}
    for label, artist in labelled:
        if label in owners and (colour := _colour(artist)):
            found.setdefault(colour, set()).add(label)
    return {
        colour: labels.pop() for colour, labels in found.items() if len(labels) == 1 and colour != "#000000"
    }


def _colour(artist: Any) -> str:  # noqa: ANN401
    if isinstance(artist, Line2D):
        return to_hex(artist.get_color())
    if not isinstance(artist, Patch | Collection):
        return ""
    faces = np.atleast_2d(np.asarray(artist.get_facecolor(), float))
    if faces.size == 0:
        faces = np.atleast_2d(np.asarray(artist.get_edgecolor(), float))
    return to_hex(faces[0]) if faces.size and len(np.unique(faces, axis=0)) == 1 else ""


def _mark(artist: Artist, what: str, label: str, optimizers: Sequence[str], marks: dict[str, str]) -> None:
    owner = max(
        (name for name in optimizers if label == name or label.startswith(f"{name}, ")),
        key=len,
        default=label,
    )
    key = f"mark-{len(marks)}"
    artist.set_gid(key)
    values = _values(artist) if what == "arm" and isinstance(artist, Line2D) else ""
    marks[key] = f'class="{what}" data-arm="{escape(label)}" data-optimizer="{escape(owner)}"{values}'


def _values(line: Line2D) -> str:
    """The numbers of a line as attributes."""
    x, y = np.asarray(line.get_xdata()), np.asarray(line.get_ydata())
    if x.dtype.kind not in "iuf" or y.dtype.kind not in "iuf" or not 0 < len(x) <= POINTS:
        return ""
    told = (" ".join(f"{value:.4g}" for value in values) for values in (x, y))
    return ' data-x="{}" data-y="{}"'.format(*told)


def _boxes(figure: Figure) -> dict[str, str]:
    """Id of Axes -> attributes that say where it is in the picture, in points, and how it is scaled."""
    width, height = figure.get_size_inches() * 72
    marks = {}
    for number, axes in enumerate(figure.axes, 1):
        left, bottom, right, top = np.asarray(axes.bbox.extents) * 72 / figure.dpi
        if {axes.get_xscale(), axes.get_yscale()} <= {"linear", "log"}:
            box = f"{left:.2f} {height - top:.2f} {right - left:.2f} {top - bottom:.2f}"
            scales = " ".join(
                f'data-{along}="{scale} {low:.6g} {high:.6g}"' for along, scale, (low, high) in _scales(axes)
            )
            names = (
                f'data-x-name="{escape(_name(figure, axes, "x"))}"'
                f' data-y-name="{escape(_name(figure, axes, "y"))}"'
            )
            marks[f"axes_{number}"] = f'class="axes" data-box="{box}" {scales} {names}'
    return marks


def _scales(axes: Axes) -> list[tuple[str, str, tuple[float, float]]]:
    return [("x-scale", axes.get_xscale(), axes.get_xlim()), ("y-scale", axes.get_yscale(), axes.get_ylim())]


def _name(figure: Figure, axes: Axes, along: str) -> str:
    """What an axis shows: its label, or, where that stands beside another panel, the first there is."""
    texts = [one.get_xlabel() if along == "x" else one.get_ylabel() for one in [axes, *figure.axes]]
    return next((" ".join(text.split()) for text in texts if text), along)


# the text ---------------------------------------------------------------------------------------------------


def _clean(svg: str, marks: dict[str, str]) -> str:
    """Only what a page needs: no header, no rules for all of the page, no ids that nothing points to, two digits, colours of the page."""
    svg = re.sub(
        r"<!--.*?-->|<metadata>.*?</metadata>|<style.*?</style>",
        "",
        svg[svg.index("<svg") :],
        flags=re.DOTALL,
    )
    svg = re.sub(
        r' (d|x|y|transform|width|height|style|fill|stroke)="([^"]*)"',
        lambda found: f' {found[1]}="{_value(found[2])}"',
        svg,
    )
    svg = re.sub(
        r'<svg [^>]*?(viewBox="[^"]*")[^>]*>', r'<svg \1 aria-hidden="true" focusable="false">', svg, count=1
    )
    wanted = set(re.findall(r"#([\w-]+)", svg))
    svg = re.sub(r' id="([^"]*)"( [^>]*)?>', lambda found: _tag(found[1], found[2] or "", marks, wanted), svg)
    return re.sub(r"\s*\n\s*", "\n", svg.replace("xlink:href", "href"))


def _value(text: str) -> str:
    """Of an attribute: coordinates in hundredths of a point, colours and letters of the page."""
    text = re.sub(
        r"-?\d+\.\d{3,}(?:e-\d+)?", lambda found: f"{float(found[0]):.2f}".rstrip("0").rstrip("."), text
    )
    text = re.sub(r"font: ((?:\w+ )*?)([\d.]+px) [^;]*", r"font: \1\2 var(--sans)", text)
    return re.sub("|".join(INK), lambda found: INK[found[0]], " ".join(text.split()))


def _tag(key: str, rest: str, marks: dict[str, str], wanted: set[str]) -> str:
    """The end of an opening tag that had an id."""
    if key not in marks:
        return f' id="{key}"{rest}>' if key in wanted else f"{rest}>"
    title = re.search('data-arm="([^"]*)"', marks[key]) if marks[key].startswith('class="arm"') else None
    return f" {marks[key]}{rest}>" + (f"<title>{title[1]}</title>" if title else "")


def _pixels(figure: Figure) -> str:
    """The figure as an image, on white."""
    raw = io.BytesIO()
    figure.savefig(raw, format="png", dpi=150, facecolor="white")
    return f'<img alt="" src="data:image/png;base64,{base64.b64encode(raw.getvalue()).decode()}">'
