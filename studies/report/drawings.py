"""A Matplotlib figure as SVG inside a page.

Its colours follow the page, its arms can be told apart by a script, its numbers are rounded.
"""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

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
NO_METADATA = dict.fromkeys(("Date", "Creator", "Format", "Type"))
# in SVG
HEADERS = r"<!--.*?-->|<metadata>.*?</metadata>|<style.*?</style>"
NUMBERS = r' (d|x|y|transform|width|height|style|fill|stroke)="([^"]*)"'
OPENING = r'<svg [^>]*?(viewBox="[^"]*")[^>]*>'


@dataclass(frozen=True)
class Drawing:
    """A figure of a page."""

    name: str
    markup: Markup
    width: float  # inches
    caption: str = ""


def drawing(
    name: str,
    make: Callable[[], Figure],
    arms: Sequence[str],
    optimizers: Sequence[str],
    caption: str = "",
) -> Drawing:
    """Draw a figure.

    Args:
        name: of the figure.
        make: draws it.
        arms: labels of all arms of the study.
        optimizers: labels of its optimizers.
        caption: what it shows.
    """
    with rc_context(style.PAPER | SETTINGS | {"svg.hashsalt": name}), style.any_letter():
        figure, marks, raw = make(), Marks(arms, optimizers), io.StringIO()
        _mark(figure, marks)
        figure.savefig(raw, format="svg", metadata=NO_METADATA)
        markup = _clean(raw.getvalue(), marks.attributes | _boxes(figure))
        if len(markup) > HEAVY:
            markup = _pixels(figure)
    return Drawing(name, Markup(markup), float(figure.get_figwidth()), caption)


# which artist shows which arm -------------------------------------------------------------------------------


@dataclass
class Marks:
    """Ids of artists, and the attributes that take their place in the page.

    Args:
        arms: labels of all arms of the study.
        optimizers: labels of its optimizers.
        attributes: id -> attributes.
    """

    arms: Sequence[str]
    optimizers: Sequence[str]
    attributes: dict[str, str] = field(default_factory=dict)

    @property
    def labels(self) -> set[str]:
        """All labels that an artist may have."""
        return {*self.arms, *self.optimizers}

    def add(self, artist: Artist, what: str, label: str) -> None:
        """Give an artist of an arm an id; `what`: arm, or key of a legend."""
        key = f"mark-{len(self.attributes)}"
        artist.set_gid(key)
        names = f'data-arm="{escape(label)}" data-optimizer="{escape(self._optimizer(label))}"'
        values = _values(artist) if what == "arm" and isinstance(artist, Line2D) else ""
        self.attributes[key] = f'class="{what}" {names}{values}'

    def _optimizer(self, label: str) -> str:
        """The optimizer of an arm."""
        names = [name for name in self.optimizers if label == name or label.startswith(f"{name}, ")]
        return max(names, key=len, default=label)


def _mark(figure: Figure, marks: Marks) -> None:
    """Give every artist of an arm an id: by its own label, or by a colour that one label alone has."""
    shown = [
        artist for axes in figure.axes for artist in (*axes.lines, *axes.collections, *axes.patches)
    ]
    keys = list(_keys(figure))
    labels, labelled = marks.labels, [(str(artist.get_label()), artist) for artist in shown]
    colours = _colours([*labelled, *((label, handle) for label, handle, _ in keys)], labels)
    for artist in shown:
        names = (artist.get_gid(), str(artist.get_label()))
        label = next((text for text in names if text in labels), colours.get(_colour(artist)))
        if label is not None:
            marks.add(artist, "arm", label)
    for label, *parts in keys:
        for part in parts if label in labels else ():
            marks.add(part, "key", label)


def _keys(figure: Figure) -> Iterator[tuple[str, Artist, Artist]]:
    """Entries of legends: label, what is drawn, the text."""
    legends: list[Legend | None] = [*figure.legends, *(axes.get_legend() for axes in figure.axes)]
    for legend in filter(None, legends):
        for handle, text in zip(legend.legend_handles, legend.get_texts(), strict=True):
            if handle is not None:
                yield text.get_text().replace("\n", " "), handle, text


def _colours(labelled: Sequence[tuple[str, Artist]], labels: set[str]) -> dict[str, str]:
    """Colour -> label, of those colours that one label alone has; black may be anything."""
    owners: dict[str, set[str]] = {}
    for label, artist in labelled:
        if label in labels and (colour := _colour(artist)) not in ("", "#000000"):
            owners.setdefault(colour, set()).add(label)
    return {colour: names.pop() for colour, names in owners.items() if len(names) == 1}


def _colour(artist: Artist) -> str:
    """The one colour of an artist; empty where it has several, or none."""
    if isinstance(artist, Line2D):
        return to_hex(artist.get_color())
    if not isinstance(artist, Patch | Collection):
        return ""
    faces = np.atleast_2d(np.asarray(artist.get_facecolor(), float))
    if faces.size == 0:
        faces = np.atleast_2d(np.asarray(artist.get_edgecolor(), float))
    return to_hex(faces[0]) if faces.size and len(np.unique(faces, axis=0)) == 1 else ""


def _values(line: Line2D) -> str:
    """The numbers of a line as attributes."""
    x, y = np.asarray(line.get_xdata()), np.asarray(line.get_ydata())
    if x.dtype.kind not in "iuf" or y.dtype.kind not in "iuf" or not 0 < len(x) <= POINTS:
        return ""
    texts = (" ".join(f"{value:.4g}" for value in values) for values in (x, y))
    return ' data-x="{}" data-y="{}"'.format(*texts)


def _boxes(figure: Figure) -> dict[str, str]:
    """Id of Axes -> attributes that say where it is in the picture, in points, and how it is scaled."""
    marks = {}
    for number, axes in enumerate(figure.axes, 1):
        if {axes.get_xscale(), axes.get_yscale()} <= {"linear", "log"}:
            parts = (
                'class="axes"',
                f'data-box="{_box(figure, axes)}"',
                _scales(axes),
                _names(figure, axes),
            )
            marks[f"axes_{number}"] = " ".join(parts)
    return marks


def _box(figure: Figure, axes: Axes) -> str:
    """Left, top, width and height of Axes in points, from the upper left corner of the figure."""
    left, bottom, right, top = np.asarray(axes.bbox.extents) * 72 / figure.dpi
    height = figure.get_figheight() * 72
    return f"{left:.2f} {height - top:.2f} {right - left:.2f} {top - bottom:.2f}"


def _scales(axes: Axes) -> str:
    """The scales of Axes, and between which numbers they go, as attributes."""
    scales = {"x": (axes.get_xscale(), *axes.get_xlim()), "y": (axes.get_yscale(), *axes.get_ylim())}
    return " ".join(
        f'data-{along}-scale="{scale} {low:.6g} {high:.6g}"'
        for along, (scale, low, high) in scales.items()
    )


def _names(figure: Figure, axes: Axes) -> str:
    """What the axes show, as attributes: their labels.

    Where these stand beside other panels, the first label that there is.
    """
    panels = [axes, *figure.axes]
    texts = {"x": [part.get_xlabel() for part in panels], "y": [part.get_ylabel() for part in panels]}
    names = {along: next(filter(None, labels), along) for along, labels in texts.items()}
    return " ".join(
        f'data-{along}-name="{escape(" ".join(name.split()))}"' for along, name in names.items()
    )


# the text ---------------------------------------------------------------------------------------------------


def _clean(svg: str, marks: dict[str, str]) -> str:
    """Only what a page needs, in its colours.

    No header, no rules for all of the page, no ids that nothing points to, numbers of two digits.
    """
    svg = re.sub(HEADERS, "", svg[svg.index("<svg") :], flags=re.DOTALL)
    svg = re.sub(NUMBERS, lambda part: f' {part[1]}="{_value(part[2])}"', svg)
    svg = re.sub(OPENING, r'<svg \1 aria-hidden="true" focusable="false">', svg, count=1)
    wanted = set(re.findall(r"#([\w-]+)", svg))
    svg = re.sub(
        r' id="([^"]*)"( [^>]*)?>', lambda part: _tag(part[1], part[2] or "", marks, wanted), svg
    )
    return re.sub(r"\s*\n\s*", "\n", svg.replace("xlink:href", "href"))


def _value(text: str) -> str:
    """Of an attribute: coordinates in hundredths of a point, colours and letters of the page."""
    text = re.sub(
        r"-?\d+\.\d{3,}(?:e-\d+)?", lambda part: f"{float(part[0]):.2f}".rstrip("0").rstrip("."), text
    )
    text = re.sub(r"font: ((?:\w+ )*?)([\d.]+px) [^;]*", r"font: \1\2 var(--sans)", text)
    return re.sub("|".join(INK), lambda part: INK[part[0]], " ".join(text.split()))


def _tag(key: str, rest: str, marks: dict[str, str], wanted: set[str]) -> str:
    """The end of an opening tag that had an id.

    Args:
        key: the id.
        rest: what stands behind it.
        marks: id -> attributes that take its place.
        wanted: ids to which something points.
    """
    if key not in marks:
        return f' id="{key}"{rest}>' if key in wanted else f"{rest}>"
    arm = re.match('class="arm" data-arm="([^"]*)"', marks[key])
    return f" {marks[key]}{rest}>" + (f"<title>{arm[1]}</title>" if arm else "")


def _pixels(figure: Figure) -> str:
    """The figure as an image, on white."""
    raw = io.BytesIO()
    figure.savefig(raw, format="png", dpi=150, facecolor="white")
    return f'<img alt="" src="data:image/png;base64,{base64.b64encode(raw.getvalue()).decode()}">'
