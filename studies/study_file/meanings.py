"""What the loss of every arm of a study is, said when the study is read.

The gap to the optimum, or where that is not known a value of its own.
"""

from __future__ import annotations

from studies.study_file.arm import Arm
from studies.study_file.spending import landscape_of


def notes(arms: list[Arm]) -> list[str]:
    """A line for each landscape whose loss is a gap in some arms and none in others."""
    places: dict[str, dict[bool, dict[str, None]]] = {}
    for arm in arms:
        place = places.setdefault(str(arm.coords["landscape"]), {True: {}, False: {}})
        place[landscape_of(arm).gap_known][_axes(arm)] = None
    return [
        _line(label, *(list(place[is_gap]) for is_gap in (True, False)))
        for label, place in places.items()
        if place[True] and place[False]
    ]


def _line(label: str, gaps: list[str], raw: list[str]) -> str:
    text = (
        f"{label}: loss is the gap to the optimum at {_some(gaps)}, and the landscape's own value at"
        f" {_some(raw)}, where the optimum is not known"
    )
    hint = f"targets may differ, an axis of `choices` may set `targets.{label}`"
    return f"{text}: compare within each; {hint}"


def _axes(arm: Arm) -> str:
    return ", ".join(
        f"{name} = {value}"
        for name, value in arm.coords.items()
        if name not in ("landscape", "optimizer")
    )


def _some(places: list[str], most: int = 3) -> str:
    return "; ".join(places[:most]) + (f"; and {len(places) - most} more" if len(places) > most else "")
