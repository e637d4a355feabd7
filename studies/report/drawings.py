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
from matplotlib.collections import Collection, LineCollection, PolyCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Annotation, Text
from matplotlib.ticker import LogFormatter, ScalarFormatter

from studies.figures import captions, style
from studies.text.groups import grouped

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
WITH_ID = r' id="([^"]*)"( [^>]*)?>'
LONG = r"-?\d+\.\d{3,}(?:e-\d+)?"


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
        caption: what its caption begins with.
    """
    marks = Marks(arms, optimizers)
    with rc_context(style.PAPER | SETTINGS | {"svg.hashsalt": name}), style.any_letter():
        figure = make()
        _mark(figure, marks)
        markup = _svg(figure, marks)
        if len(markup) > HEAVY:
            markup = _pixels(figure)
    words = f"{caption} {captions.said(figure)}".strip()
    return Drawing(name, Markup(markup), float(figure.get_figwidth()), words)


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
        self.attributes[key] = f'class="{what}" {names}{values}{_moving(artist)}'

    def move(self, artist: Artist) -> None:
        """Give an artist that shows no arm an id, if it moves with the vertical axis."""
        if moving := _moving(artist):
            key = f"mark-{len(self.attributes)}"
            artist.set_gid(key)
            self.attributes[key] = moving.strip()

    def _optimizer(self, label: str) -> str:
        """The optimizer of an arm."""
        names = [name for name in self.optimizers if label == name or label.startswith(f"{name}, ")]
        return max(names, key=len, default=label)


def _mark(figure: Figure, marks: Marks) -> None:
    """Give every artist of an arm an id: by its own label, or by a colour that one label alone has."""
    keys = list(_keys(figure))
    shown = _artists(figure)
    labelled = [(str(artist.get_label()), artist) for artist in shown]
    labelled += [(label, handle) for label, handle, _ in keys]
    colours = _colours(labelled, marks.labels)
    for artist in shown:
        label = _label(artist, marks.labels) or colours.get(_colour(artist))
        if label is not None:
            marks.add(artist, "arm", label)
        else:
            marks.move(artist)
    for axes in figure.axes:
        for text in axes.texts:
            if text.get_gid() is None:
                marks.move(text)
    entries = [(label, part) for label, *parts in keys for part in parts]
    for label, part in [*entries, *_names_at_ends(figure)]:
        if label in marks.labels:
            marks.add(part, "key", label)


def _artists(figure: Figure) -> list[Artist]:
    """The lines, areas and bars of all Axes."""
    return [
        artist for axes in figure.axes for artist in (*axes.lines, *axes.collections, *axes.patches)
    ]


def _label(artist: Artist, labels: set[str]) -> str | None:
    """The label that an artist bears itself, as its id or its label."""
    own = (artist.get_gid(), str(artist.get_label()))
    return next((text for text in own if text in labels), None)


def _keys(figure: Figure) -> Iterator[tuple[str, Artist, Artist]]:
    """Entries of legends: label, what is drawn, the text."""
    for legend in _legends(figure):
        for handle, text in zip(legend.legend_handles, legend.get_texts(), strict=True):
            if handle is not None:
                yield text.get_text().replace("\n", " "), handle, text


def _names_at_ends(figure: Figure) -> Iterator[tuple[str, Artist]]:
    """The names of lines at their ends."""
    for axes in figure.axes:
        for text in axes.texts:
            yield str(text.get_gid()), text


def _legends(figure: Figure) -> list[Legend]:
    """The legends of a figure and of its Axes."""
    of_axes = [axes.get_legend() for axes in figure.axes]
    return [*figure.legends, *(legend for legend in of_axes if legend)]


def _colours(labelled: Sequence[tuple[str, Artist]], labels: set[str]) -> dict[str, str]:
    """Colour -> label, of those colours that one label alone has; black may be anything."""
    labels_of = grouped((_colour(artist), label) for label, artist in labelled if label in labels)
    return {
        colour: names[0]
        for colour, names in labels_of.items()
        if colour not in ("", "#000000") and len(set(names)) == 1
    }


def _colour(artist: Artist) -> str:
    """The one colour of an artist; empty where it has several, or none."""
    if isinstance(artist, Line2D):
        return to_hex(artist.get_color())
    if not isinstance(artist, Patch | Collection):
        return ""
    return _single(_faces(artist))


def _faces(artist: Patch | Collection) -> np.ndarray:
    """The colours of what is filled, or of its edges where it is not."""
    faces = _rgba(artist.get_facecolor())
    return faces if faces.size else _rgba(artist.get_edgecolor())


def _rgba(colours: object) -> np.ndarray:
    """Colours as rows of red, green, blue and opacity."""
    return np.atleast_2d(np.asarray(colours, float))


def _single(colours: np.ndarray) -> str:
    """The colour of all rows; empty where there are several, or none."""
    return to_hex(colours[0]) if colours.size and len(np.unique(colours, axis=0)) == 1 else ""


def _values(line: Line2D) -> str:
    """The numbers of a line as attributes."""
    x, y = np.asarray(line.get_xdata()), np.asarray(line.get_ydata())
    if not (_short(x) and _short(y)):
        return ""
    texts = (" ".join(f"{value:.4g}" for value in values) for values in (x, y))
    return ' data-x="{}" data-y="{}"'.format(*texts)


def _short(values: np.ndarray) -> bool:
    """Whether these are numbers, and so few that a page can hold them."""
    return values.dtype.kind in "iuf" and 0 < len(values) <= POINTS


def _moving(artist: Artist) -> str:
    """An attribute that says how an artist moves with the vertical axis; none where it does not."""
    if not isinstance(artist.axes, Axes):
        return ""
    at_end = isinstance(artist, Annotation) and artist.get_gid() is not None
    along = artist.get_transform().contains_branch_seperately(artist.axes.transData)[1]
    if not (along or at_end):
        return ""
    kinds = {Line2D: "line", Text: "text"}
    return (
        f' data-up="{next((word for kind, word in kinds.items() if isinstance(artist, kind)), "area")}"'
    )


def _rescales(axes: Axes) -> bool:
    """Whether a page can scale the vertical axis anew: it has numbers, and all that is drawn moves along."""
    low, high = axes.get_ylim()
    numbers = isinstance(axes.yaxis.get_major_formatter(), ScalarFormatter | LogFormatter)
    bands = all(isinstance(part, PolyCollection | LineCollection) for part in axes.collections)
    plain = not (axes.images or axes.patches) and axes.get_aspect() == "auto"
    return bool(axes.lines and numbers and bands and plain and low < high)


def _boxes(figure: Figure) -> dict[str, str]:
    """Id of Axes -> attributes that say where it is in the picture, in points, and how it is scaled."""
    return {
        f"axes_{number}": _attributes(figure, axes)
        for number, axes in enumerate(figure.axes, 1)
        if {axes.get_xscale(), axes.get_yscale()} <= {"linear", "log"}
    }


def _attributes(figure: Figure, axes: Axes) -> str:
    """Where Axes are, their scales and what they show, as attributes."""
    box = f'data-box="{_box(figure, axes)}"'
    more = ["data-rescales"] * _rescales(axes)
    return " ".join(['class="axes"', box, _scales(axes), _names(figure, axes), *more])


def _box(figure: Figure, axes: Axes) -> str:
    """Left, top, width and height of Axes in points, from the upper left corner of the figure."""
    left, bottom, right, top = np.asarray(axes.bbox.extents) * 72 / figure.dpi
    height = figure.get_figheight() * 72
    return f"{left:.2f} {height - top:.2f} {right - left:.2f} {top - bottom:.2f}"


def _scales(axes: Axes) -> str:
    """The scales of Axes, and between which numbers they go, as attributes."""
    across = _scale("x", axes.get_xscale(), axes.get_xlim())
    return f"{across} {_scale('y', axes.get_yscale(), axes.get_ylim())}"


def _scale(along: str, scale: str, ends: tuple[float, float]) -> str:
    low, high = ends
    return f'data-{along}-scale="{scale} {low:.6g} {high:.6g}"'


def _names(figure: Figure, axes: Axes) -> str:
    """What the axes show, as attributes: their labels.

    Where these stand beside other panels, the first label that there is.
    """
    panels = [axes, *figure.axes]
    across = _name("x", [part.get_xlabel() for part in panels])
    return f"{across} {_name('y', [part.get_ylabel() for part in panels])}"


def _name(along: str, labels: Sequence[str]) -> str:
    """The first label that there is, as an attribute."""
    name = next(filter(None, labels), along)
    return f'data-{along}-name="{escape(" ".join(name.split()))}"'


# the text ---------------------------------------------------------------------------------------------------


def _svg(figure: Figure, marks: Marks) -> str:
    """The figure as SVG of a page."""
    raw = io.StringIO()
    figure.savefig(raw, format="svg", metadata=NO_METADATA)
    return _clean(raw.getvalue(), marks.attributes | _boxes(figure))


def _clean(svg: str, marks: dict[str, str]) -> str:
    """Only what a page needs, in its colours.

    No header, no rules for all of the page, no ids that nothing points to, numbers of two digits.
    """
    svg = re.sub(HEADERS, "", svg[svg.index("<svg") :], flags=re.DOTALL)
    svg = re.sub(NUMBERS, lambda part: f' {part[1]}="{_value(part[2])}"', svg)
    svg = re.sub(OPENING, r'<svg \1 aria-hidden="true" focusable="false">', svg, count=1)
    svg = _tags(svg, marks)
    return re.sub(r"\s*\n\s*", "\n", svg.replace("xlink:href", "href"))


def _tags(svg: str, marks: dict[str, str]) -> str:
    """Attributes of marks in the place of ids, and no ids to which nothing points."""
    wanted = set(re.findall(r"#([\w-]+)", svg))
    return re.sub(WITH_ID, lambda part: _tag(part, marks, wanted), svg)


def _value(text: str) -> str:
    """Of an attribute: coordinates in hundredths of a point, colours and letters of the page."""
    text = re.sub(LONG, lambda part: _hundredths(part[0]), text)
    text = re.sub(r"font: ((?:\w+ )*?)([\d.]+px) [^;]*", r"font: \1\2 var(--sans)", text)
    return re.sub("|".join(INK), lambda part: INK[part[0]], " ".join(text.split()))


def _hundredths(number: str) -> str:
    return f"{float(number):.2f}".rstrip("0").rstrip(".")


def _tag(opening: re.Match[str], marks: dict[str, str], wanted: set[str]) -> str:
    """The end of an opening tag that had an id.

    Args:
        opening: its id, and what stands behind it.
        marks: id -> attributes that take its place.
        wanted: ids to which something points.
    """
    key, rest = opening.groups("")
    if key.startswith("ytick_"):
        return f' class="tick"{rest}>'
    if key not in marks:
        return f' id="{key}"{rest}>' if key in wanted else f"{rest}>"
    tag = f" {marks[key]}{rest}>"
    arm = re.match('class="arm" data-arm="([^"]*)"', marks[key])
    return f"{tag}<title>{arm[1]}</title>" if arm else tag


def _pixels(figure: Figure) -> str:
    """The figure as an image, on white."""
    raw = io.BytesIO()
    figure.savefig(raw, format="png", dpi=150, facecolor="white")
    return f'<img alt="" src="data:image/png;base64,{base64.b64encode(raw.getvalue()).decode()}">'
