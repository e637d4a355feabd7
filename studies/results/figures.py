"""The figures that a study asks for: by name alone, or with what they are to show, each with its file.

figures: [convergence, {curve: {x: B, y: median(loss)}}, {map: {.., name: winners}}]
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from studies.text.shapes import Data, Json

NAME = "name"  # the option that is the name of the file
SHOWN = ("landscape", "optimizer")  # options that choose a part of the results
AT = "at"  # the option that chooses values of axes

Names = str | list[str] | None  # of claims


class Asked(NamedTuple):
    """A figure as it was asked for."""

    figure: str
    options: Data  # keywords of its function
    file: str  # its name, without an ending
    # landscape, optimizer, axis -> labels; none: all
    shown: Mapping[str, list[str]] = MappingProxyType({})

    @property
    def said(self) -> str:
        """What it was asked to show, in words; none where nothing was said."""
        shown = {dim: ", ".join(labels) for dim, labels in self.shown.items()}
        return ", ".join(f"{name} = {_words(value)}" for name, value in (self.options | shown).items())


def _words(value: Json) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def asked(entries: Iterable[Json]) -> list[Asked]:
    """The figures of a study, each file with a name of its own: curve, curve-2.

    Args:
        entries: names, or {name: options}.
    """
    times: Counter[str] = Counter()
    figures = []
    for entry in entries:
        figure, options = next(iter(entry.items())) if isinstance(entry, dict) else (entry, {})
        options = {key: value for key, value in (options or {}).items() if value is not None}
        file = str(options.pop(NAME, figure))
        shown = {dim: listed(options.pop(dim)) for dim in SHOWN if dim in options}
        shown |= {axis: list(map(_label, listed(own))) for axis, own in options.pop(AT, {}).items()}
        times[file] += 1
        number = f"-{times[file]}" if times[file] > 1 else ""
        figures.append(Asked(figure, options, file + number, shown))
    return figures


def _label(value: Json) -> str:
    """A value as it is written, 2 also where it was read as 2.0."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def listed(given: Json) -> list:
    """One label, or a list of them, as a list."""
    return list(given) if isinstance(given, list) else [given]


def is_label(value: object, label: str) -> bool:
    """Whether a value of a dim is written so: the same text, or the same number."""
    try:
        return str(value) == label or math.isclose(float(str(value)), float(label), rel_tol=1e-9)
    except ValueError:
        return False


def named(claims: Names) -> list[str]:
    """The claims that a figure is asked for; none: all.

    Args:
        claims: a list of names, or a text with commas between them.
    """
    given = claims.split(",") if isinstance(claims, str) else claims or []
    return [name.strip() for name in given if name.strip()]
