"""What `match:` has set, in lines and in a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from studies.text.words import short

if TYPE_CHECKING:
    from rich.table import Table


# what was found ---------------------------------------------------------------------------------------------


def notes(found: Iterable[Mapping[str, Any]]) -> list[str]:
    """One line for each arm whose range does not reach the reference."""
    return [
        f"match: {_named(one)}: no {one['parameter']} from {_number(one['low'])} to {_number(one['high'])}"
        f" has the {one['quantity']} of {one['reference']}, {_number(one['target'])}; {one['parameter']} ="
        f" {_number(one['value'])} is used, which has {_number(one['reached'])}"
        for one in found
        if one["bound"]
    ]


def _named(one: Mapping[str, Any]) -> str:
    swept = ", ".join(
        f"{name} = {short(value)}"
        for name, value in one["coords"].items()
        if name not in ("landscape", "optimizer")
    )
    return f"{one['coords']['optimizer']} on {one['coords']['landscape']}" + (f" at {swept}" if swept else "")


def table(found: list[dict[str, Any]]) -> Table:
    """One row for each arm: the value found, its quantity and the reference's, with 95 % intervals."""
    from rich.table import Table

    quantity, reference = found[0]["quantity"], found[0]["reference"]
    title = (
        f"match: {quantity} as {reference}'s at {found[0]['at']:g} of the budget, in worlds that the study"
        " does not use"
    )
    grid = Table(title=title, title_justify="left", title_style="bold", header_style="bold")
    swept = [name for name in found[0]["coords"] if name not in ("landscape", "optimizer")]
    for head in ("landscape", *swept, "optimizer", "parameter"):
        grid.add_column(head, overflow="fold")
    for head in ("found", quantity, reference, "pilots"):
        grid.add_column(head, justify="right", no_wrap=True)
    for one in found:
        places = [
            one["coords"]["landscape"],
            *(short(one["coords"][name]) for name in swept),
            one["coords"]["optimizer"],
            one["parameter"],
        ]
        value = _number(one["value"]) + (f" ({one['bound']} bound)" if one["bound"] else "")
        sizes = [
            _measured(one["reached"], one["reached_interval"]),
            _measured(one["target"], one["target_interval"]),
        ]
        grid.add_row(*places, value, *sizes, str(one["evaluations"]))
    return grid


def _measured(value: float | None, interval: list[float | None]) -> str:
    return _number(value) + ("" if None in interval else f" [{', '.join(map(_number, interval))}]")


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:,}" if isinstance(value, int) else f"{value:.3g}"
