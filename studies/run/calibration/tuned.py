"""What `tuning:` found, told in lines and in a table."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from studies.run.calibration import tables
from studies.run.calibration.tables import Result
from studies.study_file import sections
from studies.text.words import counted, short

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


def without(tuning: sections.TuningModel, arms: Iterable[Arm]) -> list[str]:
    """A line that names the optimizers without ranges: effort that is not equal is said."""
    names = list(dict.fromkeys(arm.label for arm in arms if arm.label not in tuning.ranges))
    why = f"no ranges, so the values given are used; 0 trials, the others have {tuning.trials} each"
    return [f"tuning: {', '.join(names)}: {why}"] if names else []


def notes(results: Iterable[Result]) -> list[str]:
    """A line for each arm where all settings diverge, are few, or the best is at the end of a range."""
    return [f"tuning: {tables.place(result)}: {note}" for result in results for note in _notes(result)]


def _notes(result: Result) -> Iterator[str]:
    trials, different = len(result["settings"]), result["different"]
    nobody = all(value is None for value in result["median"])
    if nobody:
        diverge = all(2 * lost >= result["worlds"] for lost in result["diverged"])
        never = "" if diverge else ", or never asks, as its budget is below its first step"
        yield f"every setting diverges in half of the worlds or more{never}; the values given are used"
    if different < trials:
        repeated = f"the other {trials - different} of {trials} trials repeat them"
        yield f"its ranges hold only {different} different settings; {repeated}"
    if not nobody:
        for name, where, remedy in _edges(result):
            yield f"the best {name} {where}; {remedy}"


def _edges(result: Result) -> Iterator[tuple[str, str, str]]:
    """Numbers of the best setting near an end of their range, or outside of it (as given).

    Each is (parameter, where it lies, what may help).
    """
    for name, span in result["ranges"].items():
        value = result["settings"][result["winner"]][name]
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
            given = "" if result["winner"] else f"({short(value)}, as given) "
            yield name, f"{given}is near the {end} end of its range", "beyond may be better"


def _share(value: float, span: Mapping[str, Any]) -> float:
    """Where a number lies in its range: from 0 at the low end to 1 at the high one, on the range's scale."""
    low, high = span["low"], span["high"]
    if span["scale"] == "linear":
        return (value - low) / (high - low)
    return math.log(value / low) / math.log(high / low) if value > 0 else -math.inf


def table(results: Sequence[Result]) -> Table:
    """One row for each arm: the best setting, its score and that of the setting given, and the cost.

    Scores are those in the trials, with 95 % intervals.
    """
    texts = ("landscape", *tables.swept(results[0]), "optimizer", "best setting")
    numbers = ("its score", "as given", "diverged", "evaluations")
    grid = tables.empty(_title(results[0]), texts, numbers)
    for result in results:
        grid.add_row(
            *tables.cells(result),
            shown(result["settings"][result["winner"]]) + ("" if result["winner"] else " (as given)"),
            _score(result, result["winner"]),
            _number(result["median"][0]),
            f"{sum(result['diverged'])} of {result['different'] * result['worlds']}",
            f"{result['cost']:,.0f}",
        )
    return grid


def _title(result: Result) -> str:
    scores = {"loss": "median true loss", "area": "median mean true loss over log-spaced costs up to"}
    objective = scores.get(result["objective"], result["objective"])
    return (
        f"tuning: {len(result['settings'])} trials on {counted(result['worlds'], 'world')} that the study"
        " does not use (the best of so many is optimistic);"
        f" {objective} at {result['at']:g} of the budget"
    )


def _score(result: Result, trial: int) -> str:
    median, (low, high) = result["median"][trial], result["interval"][trial]
    return _number(median) + ("" if result["worlds"] < LEAST else f" [{_number(low)}, {_number(high)}]")


def _number(value: float | None) -> str:
    return "inf" if value is None else f"{value:.3g}"
