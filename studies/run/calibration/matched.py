"""What `match:` has set, in lines and in a table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from studies.run.calibration import tables
from studies.run.calibration.tables import Result

if TYPE_CHECKING:
    from rich.table import Table


# what was found ---------------------------------------------------------------------------------------------


def notes(results: Iterable[Result]) -> list[str]:
    """One line for each arm whose range does not reach the reference."""
    return [_note(result) for result in results if result["bound"]]


def _note(result: Result) -> str:
    name = result["parameter"]
    low, high, value = (_number(result[part]) for part in ("low", "high", "value"))
    return (
        f"match: {tables.place(result)}: no {name} from {low} to {high} has the {result['quantity']} of"
        f" {result['reference']}, {_number(result['target'])}; {name} = {value} is used, which has"
        f" {_number(result['reached'])}"
    )


def table(results: Sequence[Result]) -> Table:
    """One row for each arm: the value set, its quantity and the reference's, with 95 % intervals."""
    first = results[0]
    quantity, reference = first["quantity"], first["reference"]
    title = (
        f"match: {quantity} as {reference}'s at {first['at']:g} of the budget, in worlds that the study"
        " does not use"
    )
    texts = ("landscape", *tables.swept(first), "optimizer", "parameter")
    grid = tables.empty(title, texts, ("found", quantity, reference, "pilots"), no_wrap=True)
    for result in results:
        grid.add_row(
            *tables.cells(result),
            result["parameter"],
            _number(result["value"]) + (f" ({result['bound']} bound)" if result["bound"] else ""),
            _measured(result["reached"], result["reached_interval"]),
            _measured(result["target"], result["target_interval"]),
            str(result["evaluations"]),
        )
    return grid


def _measured(value: float | None, interval: list[float | None]) -> str:
    return _number(value) + ("" if None in interval else f" [{', '.join(map(_number, interval))}]")


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:,}" if isinstance(value, int) else f"{value:.3g}"
