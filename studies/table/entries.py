"""What tables for papers are made of: cells, heads and a caption, and the same numbers as a tidy frame."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import pandas as pd

from studies.report.cells import places, shown

SPREADS = {  # beside a number -> what it is
    "interval": "in brackets its 95 % interval",
    "quartiles": "in brackets the quartiles over worlds",
    "none": "",
}


class Entry(NamedTuple):
    """A cell of a table."""

    text: str = "–"
    bold: bool = False
    mark: str = ""


@dataclass(frozen=True)
class Table:
    """A table for a paper.

    Args:
        name: of its files.
        heads: of the columns.
        rows: of the cells.
        words: how many columns from the left are words, the others numbers.
        caption: what the numbers are.
        frame: the same numbers, tidy.
    """

    name: str
    heads: Sequence[str]
    rows: Sequence[Sequence[Entry]]
    words: int
    caption: str
    frame: pd.DataFrame


def with_ends(value: float, ends: Sequence[float] | None, bounds: Sequence[float]) -> str:
    """A number and two ends beside it, with the digits that its interval allows."""
    place = places(bounds)
    text = shown(value, place)
    if not ends or any(map(math.isnan, ends)):
        return text
    low, high = (shown(end, place) for end in ends)
    return f"{text} [{low}, {high}]"


def joined(notes: Iterable[str]) -> str:
    """The sentences of a caption, without those that are empty."""
    return " ".join(filter(None, notes))
