"""The figures that a study asks for: by name alone, or with what they are to show, each with its file.

figures: [convergence, {curve: {x: B, y: median(loss)}}, {map: {.., name: winners}}]
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from studies.text.shapes import Data, Json

NAME = "name"  # the option that is the name of the file
SHOWN = ("landscape", "optimizer")  # options that choose a part of the results

Names = str | list[str] | None  # of claims


class Asked(NamedTuple):
    """A figure as it was asked for."""

    figure: str
    options: Data  # keywords of its function
    file: str  # its name, without an ending
    shown: Mapping[str, list[str]] = MappingProxyType({})  # landscape, optimizer -> labels; none: all

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
        times[file] += 1
        number = f"-{times[file]}" if times[file] > 1 else ""
        figures.append(Asked(figure, options, file + number, shown))
    return figures


def listed(given: str | list[str]) -> list[str]:
    """One label, or a list of them, as a list."""
    return [given] if isinstance(given, str) else list(given)


def named(claims: Names) -> list[str]:
    """The claims that a figure is asked for; none: all.

    Args:
        claims: a list of names, or a text with commas between them.
    """
    given = claims.split(",") if isinstance(claims, str) else claims or []
    return [name.strip() for name in given if name.strip()]
