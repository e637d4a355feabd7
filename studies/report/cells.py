"""Cells of a table: what a reader sees, and by what it is sorted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

LAST = 1e308  # where inf is sorted
MOST_DIGITS = 7
Numbers = Sequence[float] | np.ndarray


class Cell(NamedTuple):
    """What a reader sees, and by what it is sorted."""

    text: str
    sort: str = ""
    kind: str = ""  # number, or a verdict


Row = list[Cell]


def number(value: float, bounds: Numbers = ()) -> Cell:
    """With the digits that its interval allows, else four; ∞, and nothing for what is not known."""
    if math.isnan(value):
        return Cell("–", str(LAST * 1.5), "number")
    sort = max(-LAST, min(value, LAST))
    return Cell(shown(value, places(bounds)), str(sort), "number")


def shown(value: float, place: int | None = None) -> str:
    """A number as text: four digits, or those down to a decimal place, and one at least."""
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value == 0:
        return "0"
    size = math.floor(math.log10(abs(value)))
    digits = 4 if place is None else min(max(1, size - place + 1), MOST_DIGITS)
    if place is None and 1000 <= abs(value) < 1e7:
        return f"{value:,.0f}".replace("-", "−")
    rounded = float(f"{value:.{digits}g}")
    whole = digits <= size + 1 and abs(rounded) < 1e7
    return (f"{rounded:,.0f}" if whole else f"{value:.{digits}g}").replace("-", "−")


def places(bounds: Numbers) -> int | None:
    """The decimal place, 0 of ones and -1 of tenths, of the second digit of half an interval.

    None where it has no width that is known.
    """
    width = abs(float(bounds[1]) - float(bounds[0])) if len(bounds) else 0.0
    known = 0 < width < math.inf
    return math.floor(math.log10(width / 2)) - 1 if known else None


def interval(bounds: Numbers) -> Cell:
    """Both ends; sorted by the lower one."""
    low, high = map(float, bounds)
    if math.isnan(low):
        return Cell("–", str(LAST), "number")
    return Cell(between(low, high), number(low).sort, "number")


def between(low: float, high: float) -> str:
    """An interval as text."""
    place = places((low, high))
    return f"{shown(low, place)} to {shown(high, place)}"


def count(value: int) -> Cell:
    """A whole number."""
    return Cell(f"{value:,}", str(value), "number")


def amount(value: float) -> Cell:
    """A sum, without digits that nobody reads."""
    return Cell(f"{value:,.0f}" if value >= 10 else f"{value:.2g}", str(value), "number")
