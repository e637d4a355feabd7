"""What `tuning:` found, told in lines and in a table."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from studies.study_file import sections
from studies.text.words import short

if TYPE_CHECKING:
    from rich.table import Table

    from studies.study_file.arm import Arm

EDGE = 0.05  # of a range: a winner so near its end may be better beyond
LEAST = 6  # worlds from which on a median has a distribution-free 95 % interval


def shown(values: Mapping[str, Any]) -> str:
    """A setting in one line."""
    return ", ".join(
        f"{name} = {f'{value:.3g}' if isinstance(value, float) else short(value)}"
        for name, value in values.items()
    )


def place(one: Mapping[str, Any]) -> str:
    """Where a result belongs."""
    swept = ", ".join(
        f"{name} = {short(value)}"
        for name, value in one["coords"].items()
        if name not in ("landscape", "optimizer")
    )
    return f"{one['coords']['optimizer']} on {one['coords']['landscape']}" + (f" at {swept}" if swept else "")


def without(tuning: sections.TuningModel, arms: Iterable[Arm]) -> list[str]:
    """A line that names the optimizers without ranges: effort that is not equal is said."""
    names = list(dict.fromkeys(arm.label for arm in arms if arm.label not in tuning.ranges))
    told = f"no ranges, so the values given are used; 0 trials, the others have {tuning.trials} each"
    return [f"tuning: {', '.join(names)}: {told}"] if names else []


def notes(found: Iterable[Mapping[str, Any]]) -> list[str]:
    """A line for each arm where all settings diverge, are few, or the best is at the end of a range."""
    lines = []
    for one in found:
        trials, nobody = len(one["settings"]), all(value is None for value in one["median"])
        if nobody:
            never = (
                ""
                if all(2 * lost >= one["worlds"] for lost in one["diverged"])
                else ", or never asks, as its budget is below its first step"
            )
            lines.append(
                f"tuning: {place(one)}: every setting diverges in half of the worlds or more{never}; the"
                " values given are used"
            )
        if one["different"] < trials:
            repeated = f"the other {trials - one['different']} of {trials} trials repeat them"
            lines.append(
                f"tuning: {place(one)}: its ranges hold only {one['different']} different settings;"
                f" {repeated}"
            )
        for name, where, remedy in () if nobody else _edges(one):
            lines.append(f"tuning: {place(one)}: the best {name} {where}; {remedy}")
    return lines


def _edges(one: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Numbers of the best setting near an end of their range, or outside of it (as given).

    Each is (parameter, where it lies, what may help).
    """
    for name, span in one["ranges"].items():
        value = one["settings"][one["winner"]][name]
        if "choices" in span or not isinstance(value, (int, float)):
            continue
        share = _share(value, span)
        end = "low" if share < EDGE else "high"
        if not 0 <= share <= 1:
            yield (
                name,
                f"({short(value)}, as given) is beyond the {end} end of its range",
                "a range around it may hold a better one",
            )
        elif not EDGE <= share <= 1 - EDGE:
            given = "" if one["winner"] else f"({short(value)}, as given) "
            yield name, f"{given}is near the {end} end of its range", "beyond may be better"


def _share(value: float, span: Mapping[str, Any]) -> float:
    """Where a number lies in its range: from 0 at the low end to 1 at the high one, on the range's scale."""
    low, high = span["low"], span["high"]
    if span["scale"] == "linear":
        return (value - low) / (high - low)
    return math.log(value / low) / math.log(high / low) if value > 0 else -math.inf


def table(found: list[dict[str, Any]]) -> Table:
    """One row for each arm: the best setting, its score and that of the setting given, and the cost.

    Scores are those in the trials, with 95 % intervals.
    """
    from rich.table import Table

    first = found[0]
    judged = {"loss": "true loss", "area": "mean true loss over log-spaced costs up to"}[first["objective"]]
    title = (
        f"tuning: {len(first['settings'])} trials on {first['worlds']} worlds that the study does not use"
        " (the best of so many is optimistic);"
    )
    grid = Table(
        title=f"{title} median {judged} at {first['at']:g} of the budget",
        title_justify="left",
        title_style="bold",
        header_style="bold",
    )
    swept = [name for name in first["coords"] if name not in ("landscape", "optimizer")]
    for head in ("landscape", *swept, "optimizer", "best setting"):
        grid.add_column(head, overflow="fold")
    for head in ("its score", "as given", "diverged", "evaluations"):
        grid.add_column(head, justify="right")
    for one in found:
        places = [
            one["coords"]["landscape"],
            *(short(one["coords"][name]) for name in swept),
            one["coords"]["optimizer"],
        ]
        setting = shown(one["settings"][one["winner"]]) + ("" if one["winner"] else " (as given)")
        diverged = f"{sum(one['diverged'])} of {one['different'] * one['worlds']}"
        grid.add_row(
            *places,
            setting,
            _score(one, one["winner"]),
            _number(one["median"][0]),
            diverged,
            f"{one['cost']:,.0f}",
        )
    return grid


def _score(one: Mapping[str, Any], trial: int) -> str:
    median, (low, high) = one["median"][trial], one["interval"][trial]
    return _number(median) + ("" if one["worlds"] < LEAST else f" [{_number(low)}, {_number(high)}]")


def _number(value: float | None) -> str:
    return "inf" if value is None else f"{value:.3g}"
