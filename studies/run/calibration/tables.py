"""What the tables of `tuning:` and `match:` share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from studies.text.words import short

if TYPE_CHECKING:
    from rich.table import Table

Result = Mapping[str, Any]  # what a stage found for an arm, as JSON holds it


def empty(title: str, texts: Sequence[str], numbers: Sequence[str], *, no_wrap: bool = False) -> Table:
    """A table without rows.

    Args:
        title: of the table.
        texts: heads of columns that may be folded.
        numbers: heads of columns at the right.
        no_wrap: whether those stay on one line.
    """
    from rich.table import Table

    grid = Table(title=title, title_justify="left", title_style="bold", header_style="bold")
    for head in texts:
        grid.add_column(head, overflow="fold")
    for head in numbers:
        grid.add_column(head, justify="right", no_wrap=no_wrap)
    return grid


def swept(result: Result) -> dict[str, str]:
    """Axis -> value of an arm, but for landscape and optimizer."""
    return {
        axis: short(value)
        for axis, value in result["coords"].items()
        if axis not in ("landscape", "optimizer")
    }


def place(result: Result) -> str:
    """Where a result belongs: optimizer, landscape and swept values."""
    at = ", ".join(f"{axis} = {value}" for axis, value in swept(result).items())
    arm = f"{result['coords']['optimizer']} on {result['coords']['landscape']}"
    return f"{arm} at {at}" if at else arm


def cells(result: Result) -> list[str]:
    """The first cells of a result's row: landscape, swept values, optimizer."""
    coords = result["coords"]
    return [coords["landscape"], *swept(result).values(), coords["optimizer"]]
