"""How figures look, on paper and on slides.

A colour and a line style for each optimizer, the same everywhere and safe for colour-blind readers.
"""

from __future__ import annotations

import contextlib
import json
import re
import textwrap
import warnings
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import cycle, product
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from xarray import Dataset

from studies.results.arms import labels
from studies.text.groups import grouped

Look = dict[str, Any]  # keywords of Matplotlib
Settings = dict[Any, Any]  # of Matplotlib: name -> value
Colour = str | tuple[float, float, float]
Shade = tuple[float, float, float, float]  # red, green, blue, opacity
Looks = dict[str, Look]  # label of an optimizer, or of an arm -> keywords of `Axes.plot`

# Okabe and Ito (2008), "Color universal design", without yellow, which is too pale for lines
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
SHADES = LinearSegmentedColormap.from_list("shades", ["#56a0d3", "#2171b5", "#08519c", "#041f45"])
Dash = str | tuple[int, tuple[float, ...]]  # a style of lines
DASHES: tuple[Dash, ...] = ("-", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (5, 1.5, 1.2, 1.5)))
MANY = len(COLOURS) * len(DASHES)  # looks that can be told apart
_NEIGHBOURS = [
    (COLOURS[i % len(COLOURS)], DASHES[(i + i // len(COLOURS)) % len(DASHES)]) for i in range(MANY)
]
PAIRS = list(dict.fromkeys([*_NEIGHBOURS, *product(COLOURS, DASHES)]))  # neighbours differ in both

WORDS, GREY, RULE = "#555555", "#888888", "#dddddd"  # small letters, lines to compare with, grids
DASHED: Look = {
    "color": GREY,
    "lw": 0.6,
    "ls": (0, (3, 2)),
}  # a line to compare with
THIN: Look = {"linewidth": 0.5, "alpha": 0.6}
UNDECIDED: Look = {
    "facecolor": "none",
    "edgecolor": "#777777",
    "hatch": "//////",
    "linewidth": 0,
}
UNSURE: Look = {
    "facecolor": "none",
    "hatch": "//////",
    "linewidth": 0,
    "alpha": 0.6,
}  # hits known to intervals
CONTRAST = 4.5  # of letters on white
PALE, DARK = 0.6, 0.35  # ends of the shades of a colour: of white, and of the colour before black
BANDS = 7  # arms on one panel, above which bands would hide one another

OPTIMIZERS = "optimizers"  # attribute of results of which some are shown: all optimizers (JSON)
WIDTH = 7.0  # inches: two columns of a paper
COLUMN = 3.4  # one column
PAPER: Settings = {
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "legend.fontsize": 7.5,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "lines.linewidth": 1.3,
    "grid.linewidth": 0.4,
    "grid.color": RULE,
    "legend.frameon": False,
    "legend.handlelength": 3.1,  # three dashes, the mark on the middle one
    "figure.dpi": 100,
    "savefig.dpi": 200,
    "pdf.fonttype": 42,  # TrueType, embedded: publishers reject the default, and text stays text
    "ps.fonttype": 42,
    "svg.fonttype": "path",  # a viewer without our font shows the same
}
# a slide is seen from afar: little is laid out on it, and all of it is enlarged, to text of 20 points on a
# screen 13 inches wide
SLIDE = 5.0
SCREEN = 16 / 9  # width over height
SLIDES: Settings = PAPER | {
    "lines.linewidth": 1.6,
    "axes.linewidth": 0.8,
    "grid.linewidth": 0.5,
    "savefig.dpi": 384,
}


class Style(NamedTuple):
    """How files look."""

    settings: Settings  # of Matplotlib
    width: float  # inches
    ratio: float | None  # of width and height; None: as high as they need


STYLES = {"paper": Style(PAPER, WIDTH, None), "slides": Style(SLIDES, SLIDE, SCREEN)}

ALONG = r"(, [^,=]+ = [^=]*)+$"  # behind an optimizer in the label of an arm: ", axis = value"
LINES = 3  # of a label at a vertical axis; the whole stands below the panels
CUT = "…"  # at the end of one that is longer
HANDLE = 0.62  # inches: what stands for a line in a legend, and the room around it
LETTER = 0.6 / 72  # inches: the mean width of a letter of one point, a little more than measured


@contextlib.contextmanager
def any_letter() -> Iterator[None]:
    """A letter that the font lacks, as an emoji in a label, is drawn as a box, without a warning."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        yield


# looks ------------------------------------------------------------------------------------------------------


def looks(names: Sequence[str]) -> Looks:
    """Label -> keywords of `Axes.plot`, for optimizers, or arms: "optimizer, axis = value".

    Neighbours differ in colour and in line style, and no two optimizers of 28 look alike. Arms of one
    optimizer have its colour: the next line styles, then paler ones. Of several optimizers, arms at one value
    of an axis have one line style.
    """
    families = grouped((optimizer_of(label), label) for label in names)
    alike = _alike(families)
    by_label: Looks = {}
    for (colour, dash), arms in zip(cycle(PAIRS), families.values()):
        first = DASHES[0] if alike and len(arms) > 1 else dash
        by_label |= {label: _varied(colour, first, place) for place, label in enumerate(arms)}
    return {label: by_label[label] for label in names}


def optimizer_of(label: str) -> str:
    """The optimizer of an arm: its label without the values of axes."""
    return re.sub(ALONG, "", label)


def _alike(families: Mapping[str, Sequence[str]]) -> bool:
    """Whether the optimizers that have several arms have them at the same values, and own colours."""
    values = {
        tuple(label[len(optimizer) :] for label in arms)
        for optimizer, arms in families.items()
        if len(arms) > 1
    }
    return len(values) == 1 and len(families) <= len(COLOURS)


def factored(looks: Looks) -> Looks:
    """Fewer entries of a legend: colours of optimizers, and line styles of values, where arms have both.

    Args:
        looks: label -> keywords of `Axes.plot`, as `looks` gives them.
    """
    families = grouped((optimizer_of(label), label) for label in looks)
    first = next(iter(families), "")
    values = [label[len(first) :] for label in families.get(first, [])]
    every = {f"{optimizer}{value}" for optimizer in families for value in values}
    if len(families) < 2 or not 1 < len(values) <= len(DASHES) or every != set(looks):
        return looks
    if not _alike(families) or not _same_dashes(looks, families, values):
        return looks
    colours = {name: {"color": looks[arms[0]]["color"]} for name, arms in families.items()}
    dashes = {value: looks[f"{first}{value}"]["linestyle"] for value in values}
    return colours | {
        value.removeprefix(", "): {"color": WORDS, "linestyle": dash} for value, dash in dashes.items()
    }


def _same_dashes(looks: Looks, optimizers: Iterable[str], values: Iterable[str]) -> bool:
    """Whether all optimizers have one line style at each value."""
    return all(
        len({looks[f"{name}{value}"]["linestyle"] for name in optimizers}) == 1 for value in values
    )


def _varied(colour: str, dash: Dash, place: int) -> Look:
    """The look of the arm at this place among those of an optimizer with this colour and line style."""
    pale = min(0.7, 0.3 * (place // len(DASHES)))
    dashes = DASHES[(DASHES.index(dash) + place) % len(DASHES)]
    return {"color": paler(colour, pale) if pale else colour, "linestyle": dashes}


def paler(colour: Colour, share: float) -> tuple[float, float, float]:
    """A colour mixed with this share of white: red, green, blue."""
    red, green, blue = (float(1 - (1 - share) * (1 - part)) for part in to_rgb(colour))
    return red, green, blue


def ink(colour: Colour) -> tuple[float, float, float]:
    """A colour for letters on white: darkened until its contrast is 4.5, as WCAG asks for."""
    red, green, blue = to_rgb(colour)
    for share in np.linspace(1, 0, 21).tolist():
        shown = share * red, share * green, share * blue
        if CONTRAST * (_luminance(shown) + 0.05) <= 1.05:
            break
    return shown


def _luminance(colour: tuple[float, float, float]) -> float:
    """The relative luminance of a colour in sRGB (WCAG 2)."""
    parts = np.array(colour)
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def ramp(colour: Colour, number: int) -> list[Colour]:
    """So many shades of a colour, from pale to dark; of black those of a grey."""
    middle = to_rgb(colour if any(to_rgb(colour)) else WORDS)
    ends = [paler(middle, PALE), middle, tuple(DARK * part for part in middle)]
    steps = LinearSegmentedColormap.from_list("ramp", ends)(np.linspace(0, 1, number))
    return [(red, green, blue) for red, green, blue, _ in steps.tolist()]


def shades(number: int) -> list[Shade]:
    """Shades of blue for so many values, the later the darker."""
    return [tuple(shade) for shade in SHADES(np.linspace(0, 1, number)).tolist()]


def optimizers(dataset: Dataset) -> list[str]:
    """The names of the optimizers of some results."""
    return [str(name) for name in dataset["optimizer"].values]


def all_optimizers(dataset: Dataset) -> list[str]:
    """The names of all optimizers, those that are not shown too."""
    stored = json.loads(dataset.attrs.get(OPTIMIZERS, "[]"))
    return stored or optimizers(dataset)


def optimizer_looks(dataset: Dataset) -> Looks:
    """A look for each optimizer, the same where some are left out."""
    names = optimizers(dataset)
    every = looks(all_optimizers(dataset))
    return {name: every[name] for name in names} if set(names) <= set(every) else looks(names)


def looks_of(dataset: Dataset, names: Sequence[str]) -> Looks:
    """A look for each of these arms: of optimizers the ones that they have everywhere."""
    every = optimizer_looks(dataset)
    return every if set(names) <= set(every) else looks(names)


def arm_looks(dataset: Dataset) -> Looks:
    """A look for each arm that has numbers, the same when others fail.

    For each optimizer where arms are so many that some would look alike.
    """
    names, of_optimizers = labels(dataset, every=True), optimizer_looks(dataset)
    if len(names) > MANY:
        return of_optimizers
    every = of_optimizers if names == list(of_optimizers) else looks(names)
    return only(every, labels(dataset))


def only(looks: Looks, labels: Collection[str]) -> Looks:
    """The looks of these labels."""
    return {label: look for label, look in looks.items() if label in labels}


def look(looks: Looks, label: str, arm: Dataset | Mapping[str, np.ndarray]) -> Look:
    """The look of an arm: its own, or, where arms are too many, a thin line as its optimizer's."""
    return looks[label] if label in looks else looks[str(np.asarray(arm["optimizer"]))] | THIN


def band(axes: Axes, x: np.ndarray, low: np.ndarray, high: np.ndarray, colour: Colour) -> None:
    """Shade an interval around a line, in its colour."""
    axes.fill_between(x, low, high, color=colour, alpha=0.15, lw=0)


# text -------------------------------------------------------------------------------------------------------


def letters(inches: float, points: float) -> int:
    """How many letters of so many points stand on so many inches."""
    return int(inches / (LETTER * points))


def wrapped(text: str, inches: float, points: float = 8.0, most: int | None = None) -> str:
    """The text on as many lines as it needs to be no wider than so many inches.

    Args:
        text: the text.
        inches: that a line may take.
        points: size of its letters.
        most: lines, what is longer ends with `CUT`; None: any number.
    """
    width = max(8, letters(inches, points))
    return textwrap.fill(text, width, break_on_hyphens=False, max_lines=most, placeholder=f" {CUT}")


def short(value: float) -> str:
    """A number in at most two digits, as a person writes it: 1e-8, 0.02, 350."""
    mantissa, _, exponent = f"{value:.2g}".partition("e")
    return f"{mantissa}e{int(exponent)}" if exponent else mantissa


# shares -----------------------------------------------------------------------------------------------------


def inside(share: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """The interval (2, N) of a share as a band.

    Of no width at 0 and 1, where it would jump to what so few worlds cannot rule out.
    """
    return np.where((share == 0) | (share == 1), share, ends)
