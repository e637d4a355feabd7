"""The figures that a study asks for: by name alone, or with what they are to show, each with its file.

figures: [convergence, {curve: {x: B, y: median(loss)}}, {map: {.., name: winners}}]
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from studies.text.shapes import Data, Json

NAME = "name"  # the option that is the name of the file


class Asked(NamedTuple):
    """A figure as it was asked for."""

    figure: str
    options: Data  # keywords of its function
    file: str  # its name, without an ending

    @property
    def said(self) -> str:
        """What it was asked to show, in words; none where nothing was said."""
        return ", ".join(f"{name} = {value}" for name, value in self.options.items())


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
        times[file] += 1
        number = f"-{times[file]}" if times[file] > 1 else ""
        figures.append(Asked(figure, options, file + number))
    return figures
