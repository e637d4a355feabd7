"""Cells of a table: what a reader sees, and by what it is sorted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

LAST = 1e308  # where inf is sorted
Numbers = Sequence[float] | np.ndarray


class Cell(NamedTuple):
    """What a reader sees, and by what it is sorted."""

    text: str
    sort: str = ""
    kind: str = ""  # number, or a verdict


Row = list[Cell]


def number(value: float) -> Cell:
    """Four digits; ∞, and nothing for what is not known."""
    if math.isnan(value):
        return Cell("–", str(LAST * 1.5), "number")
    sort = max(-LAST, min(value, LAST))
    return Cell(shown(value), str(sort), "number")


def shown(value: float) -> str:
    """A number as text."""
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e7 else f"{value:.4g}".replace("-", "−")


def interval(bounds: Numbers) -> Cell:
    """Both ends; sorted by the lower one."""
    low, high = map(float, bounds)
    if math.isnan(low):
        return Cell("–", str(LAST), "number")
    return Cell(f"{shown(low)} to {shown(high)}", number(low).sort, "number")


def count(value: int) -> Cell:
    """A whole number."""
    return Cell(f"{value:,}", str(value), "number")


def amount(value: float) -> Cell:
    """A sum, without digits that nobody reads."""
    return Cell(f"{value:,.0f}" if value >= 10 else f"{value:.2g}", str(value), "number")
