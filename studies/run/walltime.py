"""How long a batch job lives, and when its workers take no cell any more.

Dask's `--lifetime` ends a worker after so many seconds. Ours is shorter than the job by what a cell may take,
and differs between jobs, so that they do not all end at once.
"""

from __future__ import annotations

import re

DAY, HOUR, MINUTE = 86400, 3600, 60
LIFE, STAGGER = 0.85, 0.05  # of the walltime: no cell begins in its last tenth
FORM = re.compile(r"(?:(?P<days>\d+)-)?(?P<parts>\d+(?::\d+){0,2})")
EXPECTED = "expected a walltime as 30 (minutes), 01:30:00 or 2-12:00:00"


def seconds(text: str, *, hours_first: bool = False) -> int:
    """The seconds of a walltime as batch systems write it: minutes, minutes:seconds, hours:minutes:seconds.

    With days, `2-12` or `2-12:30`, hours come first.

    Args:
        text: the walltime.
        hours_first: whether two parts are hours and minutes, as LSF has them.

    Raises:
        ValueError: it is written otherwise.
    """
    match = FORM.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{EXPECTED}, got {text!r}")
    parts = [int(part) for part in match["parts"].split(":")]
    first = HOUR if match["days"] or len(parts) == 3 or (hours_first and len(parts) == 2) else MINUTE
    units = [unit for unit in (HOUR, MINUTE, 1) if unit <= first]
    days = int(match["days"] or 0) * DAY
    return days + sum(part * unit for part, unit in zip(parts, units, strict=False))


def lifetime(walltime: int) -> list[str]:
    """What Dask's worker is told, so that a cell which has begun ends before a job of so many seconds."""
    life, stagger = round(LIFE * walltime), round(STAGGER * walltime)
    return ["--lifetime", f"{life}s", "--lifetime-stagger", f"{stagger}s"]
