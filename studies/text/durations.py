"""Times in words, and back."""

from __future__ import annotations

import re

UNITS = {"s": 1, "min": 60, "h": 3600, "d": 86400}
TIME = "expected a time as 90s, 20min or 2h"
WRITTEN = re.compile(r"(\d+(?:\.\d+)?)\s*(s|min|h|d)")


def duration(seconds: float) -> str:
    """Two digits: 8.1 s, 95 s, 12 min, 3.4 h, 2.1 days."""
    for size, unit in ((86400.0, "days"), (3600.0, "h"), (60.0, "min")):
        if seconds >= 2 * size:
            return f"{float(f'{seconds / size:.2g}'):g} {unit}"
    return f"{float(f'{seconds:.2g}'):g} s"


def seconds_of(text: str) -> float:
    """The seconds of 90s, 20min, 2h, 1d.

    Raises:
        ValueError: it is written otherwise.
    """
    match = WRITTEN.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{TIME}, got {text!r}")
    return float(match[1]) * UNITS[match[2]]
